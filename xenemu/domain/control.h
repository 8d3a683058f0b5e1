/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - requests to a running guest's helper, through a Unix socket
 *
 * A request is one line, a verb and its arguments, quoted as for a shell:
 *
 *     shutdown
 *     block-attach 'my disk.img',xvdb
 *
 * The answer is one line as well, "ok", "ok TEXT" or "error TEXT", and then the socket
 * is closed.  Which verbs there are is up to those who add them.
 */
#ifndef XENEMU_DOMAIN_CONTROL_H
#define XENEMU_DOMAIN_CONTROL_H

#include <glib.h>

struct control;

/** struct control_request - a request that waits for its answer */
struct control_request;

/**
 * control_new() - listen
 * @path:  of the socket, which must not exist
 * @error: of G_IO_ERROR; names @path
 */
struct control *control_new(const char *path, GError **error);

/**
 * control_free() - removes the socket; NULL is allowed
 *
 * Requests that have not been answered stay valid until they are.
 */
void control_free(struct control *control);

/**
 * control_add() - a verb
 * @control: NULL is allowed: nobody can ask then
 * @verb:   a string that outlives @control
 * @usage:  of its arguments, for error messages, such as "DEVICE"; likewise
 * @min, @max: how many arguments it takes
 * @serve:  called with the arguments, NULL-terminated, not kept; must see to it that
 *          exactly one of control_ok() and control_error() is called for @request, now
 *          or later
 * @opaque: for @serve
 */
void control_add(struct control *control, const char *verb, const char *usage, unsigned int min,
		 unsigned int max,
		 void (*serve)(void *opaque, struct control_request *request, char **args),
		 void *opaque);

/**
 * control_ok() - answer: done
 * @format: one line, without a newline; "" for none
 *
 * @request is not valid any more afterwards.
 */
void control_ok(struct control_request *request, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** control_error() - answer: not done, and why */
void control_error(struct control_request *request, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

#endif
