/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - the command line: one file per sub-command
 *
 * The only place that prints usage or ends the process.
 */
#ifndef XENEMU_CLI_CLI_H
#define XENEMU_CLI_CLI_H

#include <glib.h>

/** Exit statuses beside those of enum domain_end */
enum cli_status {
	CLI_OK = 0,
	CLI_FAILED = 1, /* what a running guest was asked for did not happen */
	CLI_USAGE = 2, /* usage or configuration error */
	CLI_SIGNAL = 128, /* plus the number of the signal that ended us */
};

/**
 * struct cli_command - one sub-command
 * @name:    as typed
 * @summary: for `xenemu --help`
 * @run:     argv[0] is "xenemu NAME".  Return: exit status.
 */
struct cli_command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

extern const struct cli_command command_run;
extern const struct cli_command command_modules;
extern const struct cli_command command_probe;
extern const struct cli_command command_list;
extern const struct cli_command command_shutdown;
extern const struct cli_command command_reboot;
extern const struct cli_command command_destroy;
extern const struct cli_command command_block_attach;
extern const struct cli_command command_block_detach;
extern const struct cli_command command_block_rescan;
extern const struct cli_command command_block_resize;
extern const struct cli_command command_network_attach;
extern const struct cli_command command_network_detach;
extern const struct cli_command command_console;
extern const struct cli_command command_version;

/** cli_main() - the program.  Return: exit status. */
int cli_main(int argc, char **argv);

/** cli_error() - one line on stderr, "xenemu: ..." */
void cli_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

/**
 * cli_parse() - parse the options of a sub-command; prints what is wrong
 * @argc, @argv: of the command; nothing but options may be there
 * @entries:     NULL-terminated
 * @summary:     shown by --help above the options
 * @description: shown by --help below the options, or NULL
 *
 * Return: FALSE after an error.  --help ends the process with status 0.
 */
gboolean cli_parse(int argc, char **argv, const GOptionEntry *entries, const char *summary,
		   const char *description);

/**
 * cli_parse_words() - the same for a sub-command that takes words beside its options
 * @words: shown by --help, such as "NAME"; as many blank-separated words are needed, and
 *         more are allowed if it ends in "..."
 *
 * Return: the words, NULL-terminated, inside @argv; NULL after an error.
 */
char **cli_parse_words(int argc, char **argv, const char *words, const GOptionEntry *entries,
		       const char *summary, const char *description);

/** cli_version() - "xenemu 1234abc" */
const char *cli_version(void);

#endif
