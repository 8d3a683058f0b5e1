/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.h - the PV console: a ring in guest memory against two descriptors
 *
 * Output never waits for the guest; input is read only while the ring has room.
 * Runs on the main thread.
 */
#ifndef XENEMU_BACKEND_CONSOLE_H
#define XENEMU_BACKEND_CONSOLE_H

#include <glib.h>

struct console;

/**
 * console_new() - serve a console ring
 * @page:   struct xencons_interface in guest memory (hostile: indices are
 *          copied once and masked)
 * @in:     descriptor to read input from, or -1; not closed.  A terminal should be
 *          in raw mode
 * @out:    descriptor to write to, or -1 to discard; not closed.  May be
 *          non-blocking or not, and stays so; a slow reader makes the guest wait,
 *          nothing else of the helper.  SIGPIPE must be ignored by the process
 * @notify: raises the guest's event channel; must not use the console
 * @escape: Ctrl-] was typed (only if @in is a terminal); may be NULL; may free
 *          the console
 * @opaque: for @notify and @escape
 *
 * Input is read from here on.  A guest whose indices make no sense is not served any
 * more, which is said once on stderr.
 * Return: owned by the caller, console_free().
 */
struct console *console_new(void *page, int in, int out, void (*notify)(void *opaque),
			    void (*escape)(void *opaque), void *opaque);

/** console_kick() - the guest sent an event: look at the ring */
void console_kick(struct console *con);

/**
 * console_write() - output that did not come through the ring
 * (HYPERVISOR_console_io), in order with what did
 * @bytes: copied
 * @len:   bytes
 *
 * The caller can't be made to wait: when 256 KiB are queued already, it is lost.
 */
void console_write(struct console *con, const char *bytes, size_t len);

/**
 * console_flush() - write out all that is in the ring and queued, blocking
 *
 * Gives up when the reader is gone, or has taken nothing for ten seconds.  Does not
 * notify the guest.
 */
void console_flush(struct console *con);

/** console_free() - what is queued is lost; NULL is allowed */
void console_free(struct console *con);

#endif
