/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * end.c - `xenemu shutdown`, `xenemu reboot` and `xenemu destroy`
 */
#include "cli/cli.h"
#include "cli/client.h"
#include <glib-object.h>

/* Linux acknowledges at once; one that has no such code never does. */
#define PATIENCE 10 /* seconds */

static int fail(GError *error)
{
	int status = g_error_matches(error, CLIENT_ERROR, CLIENT_ERROR_NO_GUEST) ? CLI_USAGE
										 : CLI_FAILED;

	cli_error("%s", error->message);
	g_error_free(error);
	return status;
}

/* Asks for @verb, and with @wait stays until the guest is gone. */
static int ask(const char *name, const char *verb, gboolean wait)
{
	char *const request[] = { (char *)verb, NULL };
	GError *error = NULL;
	gpointer held = wait ? client_hold(name, &error) : NULL;
	char *answer = error ? NULL : client_request(name, request, PATIENCE, &error);

	g_free(answer);
	if (error) {
		if (held)
			g_object_unref(held);
		return fail(error);
	}
	if (held)
		client_wait_end(held);
	return CLI_OK;
}

static int run(int argc, char **argv, const char *verb, const char *summary)
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

	return words ? ask(words[0], verb, wait) : CLI_USAGE;
}

static int run_shutdown(int argc, char **argv)
{
	return run(argc, argv, "shutdown", "Asks a guest's kernel to power off.");
}

static int run_reboot(int argc, char **argv)
{
	return run(argc, argv, "reboot", "Asks a guest's kernel to reboot.");
}

static int run_destroy(int argc, char **argv)
{
	return run(argc, argv, "destroy", "Ends a guest at once, without asking it.");
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
