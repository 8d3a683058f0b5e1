/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.c - finds the sub-command
 */
#include "cli/cli.h"
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command *const commands[] = {
	&command_run,
	&command_modules,
	&command_probe,
	&command_list,
	&command_shutdown,
	&command_reboot,
	&command_destroy,
	&command_block_attach,
	&command_block_detach,
	&command_block_rescan,
	&command_block_resize,
	&command_network_attach,
	&command_network_detach,
	&command_console,
	&command_version,
};

void cli_error(const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	fprintf(stderr, "xenemu: %s\n", text);
	g_free(text);
}

static void print_help(FILE *to)
{
	fprintf(to, "Usage: xenemu COMMAND [OPTION...]\n\n"
		    "Boots unmodified Xen paravirtual guests on a host without Xen.\n\n"
		    "Commands:\n");
	for (unsigned int i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(to, "  %-14s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to, "\n`xenemu COMMAND --help` lists the options of a command.\n"
		    "`xenemu --version` prints the version.\n");
}

static const struct cli_command *find_command(const char *name)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int count_words(const char *words)
{
	g_auto(GStrv) split = g_strsplit(words ? words : "", " ", -1);

	return g_strv_length(split);
}

/* As many words must be there, and no more but where it says so. */
static gboolean check_words(int argc, char **argv, const char *words)
{
	int needed = count_words(words);
	gboolean more = words && g_str_has_suffix(words, "...");
	gboolean enough = argc - 1 >= needed;

	if (enough && more)
		return TRUE;
	if (argc - 1 > needed)
		cli_error("unexpected argument `%s'; see `%s --help`", argv[1 + needed],
			  g_get_prgname());
	else if (!enough)
		cli_error("give %s; see `%s --help`", words, g_get_prgname());
	return argc - 1 == needed;
}

char **cli_parse_words(int argc, char **argv, const char *words, const GOptionEntry *entries,
		       const char *summary, const char *description)
{
	GOptionContext *context = g_option_context_new(words);
	GError *error = NULL;
	gboolean ok;

	g_set_prgname(argv[0]);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, summary);
	g_option_context_set_description(context, description);
	ok = g_option_context_parse(context, &argc, &argv, &error);
	if (!ok) {
		cli_error("%s; see `%s --help`", error->message, g_get_prgname());
		g_error_free(error);
	} else {
		ok = check_words(argc, argv, words);
		argv[argc] = NULL;
	}
	g_option_context_free(context);
	return ok ? argv + 1 : NULL;
}

gboolean cli_parse(int argc, char **argv, const GOptionEntry *entries, const char *summary,
		   const char *description)
{
	return cli_parse_words(argc, argv, NULL, entries, summary, description) != NULL;
}

/* Warnings of the library are our messages, and look like them. */
static void on_log(G_GNUC_UNUSED const char *domain, GLogLevelFlags level, const char *message,
		   G_GNUC_UNUSED gpointer opaque)
{
	if (level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG))
		return;
	cli_error("%s%s", level & G_LOG_LEVEL_WARNING ? "warning: " : "", message);
}

/*
 * A descriptor that is closed at start would be given to the next file opened,
 * which would then be taken for a terminal or written messages into.
 */
static void open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	char *name = g_strdup_printf("xenemu %s", command->name);
	int status;

	argv[0] = name;
	status = command->run(argc, argv);
	g_free(name);
	return status;
}

int cli_main(int argc, char **argv)
{
	const struct cli_command *command;

	open_standard_descriptors();
	/* Whoever reads our output may go away: that is an error of a write. */
	signal(SIGPIPE, SIG_IGN);
	/* A file that may not grow is an error of that file. */
	signal(SIGXFSZ, SIG_IGN);
	g_log_set_default_handler(on_log, NULL);

	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return CLI_OK;
	}
	if (!strcmp(argv[1], "--version"))
		return run_command(&command_version, 1, argv);
	command = find_command(argv[1]);
	if (!command) {
		cli_error("unknown command `%s'; see `xenemu --help`", argv[1]);
		return CLI_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
