/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - asks the helper of a running guest for something
 */
#ifndef XENEMU_CLI_CLIENT_H
#define XENEMU_CLI_CLIENT_H

#include <glib.h>

#define CLIENT_ERROR (g_quark_from_static_string("xenemu-client"))

enum {
	CLIENT_ERROR_NO_GUEST, /* none of that name is running */
	CLIENT_ERROR_REFUSED, /* it answered "error" */
	CLIENT_ERROR_SILENT, /* it did not answer */
	CLIENT_ERROR_LATE, /* not in time, that is; it may do what it was asked for yet */
};

/**
 * client_request() - ask, and wait for the answer
 * @name:    of the guest
 * @words:   verb and arguments, NULL-terminated; see domain/control.h
 * @timeout: seconds; 0 for no limit
 * @late:    what it means when that is over, for the message: "the guest has not ..."
 * @error:   CLIENT_ERROR; names the guest
 *
 * Return: what the answer says after "ok"; caller frees.
 */
char *client_request(const char *name, char *const *words, unsigned int timeout,
		     const char *late, GError **error);

/**
 * client_ask() - the same for a sub-command that does no more than that
 *
 * Prints what the answer says, if anything, or what went wrong.
 * Return: exit status.
 */
int client_ask(const char *name, char *const *words, unsigned int timeout, const char *late);

/** client_failed() - print and free a CLIENT_ERROR.  Return: exit status. */
int client_failed(GError *error);

/**
 * client_hold() - connect to a guest's helper and ask for nothing
 *
 * Return: for client_wait_end().
 */
gpointer client_hold(const char *name, GError **error);

/** client_wait_end() - wait until the guest has ended; frees @held */
void client_wait_end(gpointer held);

#endif
