/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h - descriptors that the main loop looks at for as long as a guest runs
 *
 * GLib has the kernel look at each of its descriptors in every turn of the main loop, and
 * takes each source up for itself: with a dozen of them more than half of what a request
 * of a guest cost.  Those that are there all the time are in one epoll set instead, which
 * is one descriptor for GLib; what is not ready costs nothing.  For short-lived ones, and
 * for a descriptor that is watched already, there is g_unix_fd_add().
 */
#ifndef XENEMU_MACHINE_WATCH_H
#define XENEMU_MACHINE_WATCH_H

#include <glib-unix.h>

struct watch;

/**
 * watch_new() - look at a descriptor
 * @fd:        the descriptor, the caller's; it must not be closed before the watch is freed
 * @condition: what to wait for; G_IO_ERR and G_IO_HUP come unasked
 * @func:      called when it is ready; FALSE frees the watch, whose descriptor must still
 *             be open then.  Anything may be done in it, to free this watch and others
 *             included.  If it runs the main loop, it must bear to be called from inside
 *             itself
 * @opaque:    its last argument
 *
 * Main thread.  There is no error: what epoll refuses (files on disks) GLib polls.
 *
 * Return: owned by the caller, watch_free(); never NULL.
 */
struct watch *watch_new(int fd, GIOCondition condition, GUnixFDSourceFunc func,
			gpointer opaque);

/**
 * watch_free() - look at it no more
 * @watch: from watch_new().  Its function is not called any more.  Main thread
 */
void watch_free(struct watch *watch);

#endif
