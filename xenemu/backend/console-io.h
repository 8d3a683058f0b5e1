/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-io.h - where a console leads on the host: descriptors, what waits for them,
 * and a log
 *
 * Nothing here waits, but console_io_flush().  What is kept is bounded:
 *
 *  stdio, file    output waits for its reader: when 16 KiB are queued, there is no room
 *                 until some of it is gone.  What a regular file does not take, since the
 *                 disk is full for instance, is lost, which is said; the guest goes on
 *  pty, unix      there is always room: without a reader, or with one that is slower than
 *                 the guest, the latest output is kept for it, up to 1 MiB (the "limit"
 *                 of xenconsoled)
 *
 * Runs on the main thread; SIGPIPE must be ignored by the process.
 */
#ifndef XENEMU_BACKEND_CONSOLE_IO_H
#define XENEMU_BACKEND_CONSOLE_IO_H

#include "backend/console-spec.h"
#include <glib.h>

struct console_io;

/** What is kept for the reader of a pty or socket, bytes */
#define CONSOLE_KEEP (1 << 20)

/**
 * struct console_io_user - the guest's end
 * @room:     how many bytes of input it takes now
 * @input:    takes them; at most as many
 * @writable: there may be room for output again
 */
struct console_io_user {
	size_t (*room)(void *opaque);
	void (*input)(void *opaque, const char *bytes, size_t len);
	void (*writable)(void *opaque);
};

/**
 * console_io_open() - open what a spec says
 * @spec:  not kept; what its @opaque points to must outlive this
 * @error: names the file, and what to do
 *
 * A pty's and a socket's name is told on stderr.  Return: console_io_free() it.
 */
struct console_io *console_io_open(const struct console_spec *spec, GError **error);

/**
 * console_io_new() - a pair of descriptors, as standard input and output
 * @in:     to read input from, or -1; not closed.  A terminal should be in raw mode
 * @out:    to write to, or -1 to discard; not closed.  May be non-blocking or not, and
 *          stays so
 * @escape: Ctrl-] was typed (only if @in is a terminal); may be NULL; may free this
 */
struct console_io *console_io_new(int in, int out, void (*escape)(void *opaque), void *opaque);

/** console_io_free() - what is queued is lost; NULL is allowed */
void console_io_free(struct console_io *io);

/**
 * console_io_attach() - the guest's end comes, or goes
 * @user: NULL: it goes, and no input is read until another one comes
 */
void console_io_attach(struct console_io *io, const struct console_io_user *user, void *opaque);

/** console_io_tty() - name of the pty's terminal, or NULL */
const char *console_io_tty(const struct console_io *io);

/** console_io_room() - how many bytes of output should be written now */
size_t console_io_room(const struct console_io *io);

/** console_io_write() - queue output; nothing is sent before console_io_push() */
void console_io_write(struct console_io *io, const char *bytes, size_t len);

/**
 * console_io_push() - send what can be sent now; the main loop sends the rest
 * Return: some of it was got rid of.
 */
gboolean console_io_push(struct console_io *io);

/** console_io_want() - the user has room for input (again) */
void console_io_want(struct console_io *io);

/**
 * console_io_flush() - send all that is queued, blocking
 *
 * Gives up when the reader is gone, or has taken nothing for ten seconds.
 */
void console_io_flush(struct console_io *io);

#endif
