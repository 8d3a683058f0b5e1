/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * end.c - `xenemu shutdown`, `xenemu reboot` and `xenemu destroy`
 */
#include "cli/cli.h"
#include "cli/client.h"
#include <glib-object.h>

/* Linux acknowledges at once; one that has no such code never does. */
#define PATIENCE 10 /* seconds */

/**
 * struct request - what a command asks for
 * @verb: of the helper
 * @late: what it means that there was no answer in time
 */
struct request {
	const char *verb;
	const char *late;
};

/* Asks, and with @wait stays until the guest is gone. */
static int ask(const char *name, const struct request *request, gboolean wait)
{
	char *const words[] = { (char *)request->verb, NULL };
	GError *error = NULL;
	gpointer held = wait ? client_hold(name, &error) : NULL;
	int status = error ? client_failed(error)
			   : client_ask(name, words, PATIENCE, request->late);

	if (held && status == CLI_OK)
		client_wait_end(held);
	else if (held)
		g_object_unref(held);
	return status;
}

static int run(int argc, char **argv, const struct request *request, const char *summary)
{
	gboolean wait = FALSE;
	const GOptionEntry entries[] = {
		{ "wait", 'w', 0, G_OPTION_ARG_NONE, &wait, "Wait until the guest has ended",
		  NULL },
		G_OPTION_ENTRY_NULL,
	};
	char **words =
		cli_parse_words(argc, argv, "NAME", entries, summary,
				"Status 0 when the guest has acknowledged the request, 1 "
				"when it has not,\n2 when there is no such guest.");

	return words ? ask(words[0], request, wait) : CLI_USAGE;
}

static int run_shutdown(int argc, char **argv)
{
	static const struct request request = {
		"shutdown",
		"the guest has not acknowledged yet that it is to power off; it may still do "
		"so, or never: `xenemu destroy' ends it",
	};

	return run(argc, argv, &request, "Asks a guest's kernel to power off.");
}

static int run_reboot(int argc, char **argv)
{
	static const struct request request = {
		"reboot",
		"the guest has not acknowledged yet that it is to reboot; it may still do so, "
		"or never: `xenemu destroy' ends it",
	};

	return run(argc, argv, &request, "Asks a guest's kernel to reboot.");
}

static int run_destroy(int argc, char **argv)
{
	static const struct request request = {
		"destroy",
		"the guest's xenemu does not answer; it ends the guest when it does, see "
		"`xenemu list' for its process",
	};

	return run(argc, argv, &request, "Ends a guest at once, without asking it.");
}

const struct cli_command command_shutdown = {
	.name = "shutdown",
	.summary = "ask a guest to power off",
	.run = run_shutdown,
};

const struct cli_command command_reboot = {
	.name = "reboot",
	.summary = "ask a guest to reboot",
	.run = run_reboot,
};

const struct cli_command command_destroy = {
	.name = "destroy",
	.summary = "end a guest at once",
	.run = run_destroy,
};
