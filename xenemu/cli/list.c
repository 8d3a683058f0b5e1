/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list.c - `xenemu list`
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "domain/runtime.h"
#include <stdio.h>
#include <string.h>

#define PATIENCE 5 /* seconds */

/* The value of "key=value" among the words of an answer, or "-". */
static const char *value_of(char **words, const char *key)
{
	size_t len = strlen(key);

	for (unsigned int i = 0; words[i]; i++)
		if (!strncmp(words[i], key, len) && words[i][len] == '=')
			return words[i] + len + 1;
	return "-";
}

static void print_guest(const char *name)
{
	char *const request[] = { "info", NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = client_request(name, request, PATIENCE, "no answer", &error);
	g_auto(GStrv) words = g_strsplit(answer ? answer : "", " ", -1);

	/* It has ended meanwhile. */
	if (g_error_matches(error, CLIENT_ERROR, CLIENT_ERROR_NO_GUEST))
		return;
	printf("%-24s %8s %6s %5s %-9s %-7s %s\n", name, value_of(words, "pid"),
	       value_of(words, "memory"), value_of(words, "vcpus"), value_of(words, "abi"),
	       value_of(words, "machine"), answer ? "running" : "no answer");
}

static int run(int argc, char **argv)
{
	const GOptionEntry none[] = { G_OPTION_ENTRY_NULL };
	g_auto(GStrv) names = NULL;

	if (!cli_parse(argc, argv, none, "Lists the running guests of this user.", NULL))
		return CLI_USAGE;
	names = runtime_guests();
	printf("%-24s %8s %6s %5s %-9s %-7s %s\n", "NAME", "PID", "MEMORY", "VCPUS", "ABI",
	       "MACHINE", "STATE");
	for (unsigned int i = 0; names[i]; i++)
		print_guest(names[i]);
	return CLI_OK;
}

const struct cli_command command_list = {
	.name = "list",
	.summary = "list the running guests",
	.run = run,
};
