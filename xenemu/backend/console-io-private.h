/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-io-private.h - what the kinds of console need of each other
 *
 * console-io.c moves bytes between descriptors and the user; console-pty.c and
 * console-socket.c make descriptors.
 */
#ifndef XENEMU_BACKEND_CONSOLE_IO_PRIVATE_H
#define XENEMU_BACKEND_CONSOLE_IO_PRIVATE_H

#include "backend/console-io.h"
#include "backend/console-log.h"
#include "machine/watch.h"

/**
 * struct console_io - see console-io.h
 * @in, @out:  descriptors, -1 for none (any more)
 * @own_in, @own_out: to be closed
 * @in_is_tty: look for the escape character
 * @label:     how messages name it: "guest: console 0"
 * @file:      path of @out if that is a regular file, or NULL
 * @lost:      it has not taken the latest output; the user knows
 * @keeps:     keep the latest output, don't make the guest wait
 * @queue:     what is to be written
 * @in_watch:  waits for input, or NULL
 * @out_source: GLib source that waits for room, or 0
 * @user, @user_opaque: the guest's end
 * @log:       or NULL
 * @tty:       name of the pty's terminal, or NULL
 * @slave:     the pty's other end, kept open, or -1
 * @listener:  the socket that clients connect to, or -1
 * @listen_watch: waits for them
 * @made:      NULL-terminated paths to be removed at the end, or NULL
 */
struct console_io {
	int in, out;
	gboolean own_in, own_out;
	gboolean in_is_tty;
	char *label;
	char *file;
	gboolean lost;
	gboolean keeps;
	GByteArray *queue;
	struct watch *in_watch;
	guint out_source;
	const struct console_io_user *user;
	void *user_opaque;
	void (*escape)(void *opaque);
	void *escape_opaque;
	struct console_log *log;

	char *tty;
	int slave;
	int listener;
	struct watch *listen_watch;
	GPtrArray *made;
};

#define CONSOLE_IO_ERROR (g_quark_from_static_string("xenemu-console"))

/** console_io_fail() - set @error from errno: "--console WHAT: PATH: ..."; FALSE */
gboolean console_io_fail(GError **error, const char *what, const char *path,
			 const char *advice);

/** console_io_close() - no descriptors any more; the queue stays */
void console_io_close(struct console_io *io);

/** console_pty_open() - a pty in raw mode, and links to it */
gboolean console_pty_open(struct console_io *io, const struct console_spec *spec,
			  GError **error);

/**
 * console_pty_patience() - how long to wait for its reader, ms: @most, or 0 when there is
 * none
 */
int console_pty_patience(struct console_io *io, int most);

/** console_pty_drain() - wait until its reader has read all, or nothing for so long */
void console_pty_drain(struct console_io *io, int patience_ms);

/** console_socket_open() - listen for clients */
gboolean console_socket_open(struct console_io *io, const struct console_spec *spec,
			     GError **error);

#endif
