/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * version.c - `xenemu version`
 */
#include "cli/cli.h"
#include <stdio.h>

const char *cli_version(void)
{
	return "xenemu " XENEMU_VERSION;
}

static int run(int argc, char **argv)
{
	const GOptionEntry none[] = { G_OPTION_ENTRY_NULL };

	if (!cli_parse(argc, argv, none, "Prints the version.", NULL))
		return CLI_USAGE;
	printf("%s\n", cli_version());
	return CLI_OK;
}

const struct cli_command command_version = {
	.name = "version",
	.summary = "print the version",
	.run = run,
};
