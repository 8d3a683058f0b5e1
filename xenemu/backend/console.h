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
 * @in:     descriptor to read input from, or -1; not closed
 * @out:    descriptor to write to, or -1 to discard; not closed.  May be
 *          non-blocking or not; a slow reader makes the guest wait, nothing
 *          else of the helper
 * @notify: raises the guest's event channel
 * @escape: Ctrl-] was typed (only if @in is a terminal); may be NULL
 */
struct console *console_new(void *page, int in, int out, void (*notify)(void *opaque),
			    void (*escape)(void *opaque), void *opaque);

/** console_kick() - the guest sent an event: look at the ring */
void console_kick(struct console *con);

/**
 * console_write() - output that did not come through the ring
 * (HYPERVISOR_console_io), in order with what did
 */
void console_write(struct console *con, const char *bytes, size_t len);

/** console_flush() - write out all that is in the ring and queued, blocking */
void console_flush(struct console *con);

void console_free(struct console *con);

#endif
