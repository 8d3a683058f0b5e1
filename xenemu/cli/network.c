/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network.c - `xenemu network-attach` and `xenemu network-detach`
 */
#include "cli/cli.h"
#include "cli/client.h"
#include <stdio.h>

/* passt gets ten seconds to start; a guest that does not let go gets what xl gives it. */
#define ATTACH_PATIENCE 15 /* seconds */
#define DETACH_PATIENCE 10

/* @late: what it means that @patience seconds were not enough. */
static int ask(const char *name, const char *verb, const char *word, unsigned int patience,
	       const char *late)
{
	char *const request[] = { (char *)verb, (char *)word, NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = client_request(name, request, patience, late, &error);

	if (!error) {
		if (*answer)
			printf("%s\n", answer);
		return CLI_OK;
	}
	cli_error("%s", error->message);
	return g_error_matches(error, CLIENT_ERROR, CLIENT_ERROR_NO_GUEST) ? CLI_USAGE
									   : CLI_FAILED;
}

static int run_attach(int argc, char **argv)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	char **words = cli_parse_words(
		argc, argv, "NAME SPEC...", entries,
		"Gives a running guest another network interface, and prints its number there.",
		"SPEC is what `xenemu run --vif` takes; its words may be separate, as xl has "
		"them.\n\nStatus 0 when the guest has been offered it, 1 when not, 2 when "
		"there "
		"is no such\nguest.");
	g_autofree char *spec = words ? g_strjoinv(",", words + 1) : NULL;

	if (!words)
		return CLI_USAGE;
	return ask(words[0], "network-attach", spec, ATTACH_PATIENCE,
		   "the guest's xenemu does not answer; it gives the guest the interface when "
		   "it does");
}

static int run_detach(int argc, char **argv)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	char **words = cli_parse_words(
		argc, argv, "NAME N|MAC", entries,
		"Takes a network interface from a running guest, when that has let go of it.",
		"N is its number: the guest's first one is 0.  MAC is its address.\n\nStatus 0 "
		"when "
		"it is gone, 1 when not, 2 when there is no such guest.");
	g_autofree char *late = NULL;

	if (!words)
		return CLI_USAGE;
	late = g_strdup_printf("the guest has not let go of interface %s yet; it goes when it "
			       "does",
			       words[1]);
	return ask(words[0], "network-detach", words[1], DETACH_PATIENCE, late);
}

const struct cli_command command_network_attach = {
	.name = "network-attach",
	.summary = "give a running guest another network interface",
	.run = run_attach,
};

const struct cli_command command_network_detach = {
	.name = "network-detach",
	.summary = "take a network interface from a running guest",
	.run = run_detach,
};
