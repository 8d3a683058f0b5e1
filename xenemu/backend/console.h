/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.h - the PV console: a ring in guest memory
 *
 * Output never waits for the guest; input is read only while the ring has room.
 * Runs on the main thread.
 */
#ifndef XENEMU_BACKEND_CONSOLE_H
#define XENEMU_BACKEND_CONSOLE_H

#include "backend/console-io.h"
#include <glib.h>

struct console;

/**
 * console_new() - serve a console ring
 * @page:   struct xencons_interface in guest memory (hostile: indices are
 *          copied once and masked)
 * @io:     where it leads; not owned, and nobody else's meanwhile
 * @notify: raises the guest's event channel; must not use the console
 * @opaque: for @notify
 *
 * Input is read from here on.  A guest whose indices make no sense is not served any
 * more, which is said once on stderr.
 * Return: owned by the caller, console_free().
 */
struct console *console_new(void *page, struct console_io *io, void (*notify)(void *opaque),
			    void *opaque);

/** console_kick() - the guest sent an event: look at the ring */
void console_kick(struct console *con);

/** console_flush() - console_io_flush() with what is in the ring; does not notify the guest */
void console_flush(struct console *con);

/** console_free() - take what is in the ring, and leave it alone; NULL is allowed */
void console_free(struct console *con);

#endif
