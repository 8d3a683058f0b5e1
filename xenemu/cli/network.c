/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network.c - `xenemu network-attach` and `xenemu network-detach`
 */
#include "cli/cli.h"
#include "cli/client.h"

/* passt gets ten seconds to start; a guest that does not let go gets what xl gives it. */
#define ATTACH_PATIENCE 15 /* seconds */
#define DETACH_PATIENCE 10

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
	return client_ask(
		words[0], (char *[]){ (char *)"network-attach", spec, NULL }, ATTACH_PATIENCE,
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
	return client_ask(words[0], (char *[]){ (char *)"network-detach", words[1], NULL },
			  DETACH_PATIENCE, late);
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
