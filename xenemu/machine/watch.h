/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h - descriptors that the main loop looks at for each request of a guest
 */
#ifndef XENEMU_MACHINE_WATCH_H
#define XENEMU_MACHINE_WATCH_H

#include <glib-unix.h>

/**
 * watch_fd() - g_unix_fd_add() for a descriptor that is ready very often
 * @fd:        the descriptor, the caller's
 * @condition: what to wait for
 * @func:      called when it is ready; TRUE to go on
 * @opaque:    its last argument
 *
 * While a callback runs, GLib takes the descriptor out of what it polls and puts it back
 * afterwards, and wakes itself for each by a write to its own eventfd: two writes, a poll
 * and a read (GLib 2.74 gmain.c, block_source()), more than most requests need themselves.
 * A source that may recurse is spared that, so @func must bear to be called from inside
 * itself if it runs the main loop.  Main thread.
 *
 * Return: the source's number.
 */
guint watch_fd(int fd, GIOCondition condition, GUnixFDSourceFunc func, gpointer opaque);

#endif
