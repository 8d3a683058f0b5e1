/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.h - a Unix socket that somebody may connect to: the store's, the helper's
 */
#ifndef XENEMU_XENSTORE_LISTENER_H
#define XENEMU_XENSTORE_LISTENER_H

#include <gio/gio.h>

struct listener;

/**
 * listener_new() - listen
 * @path:      of the socket, which is not there yet
 * @connected: somebody has connected; @stream is disconnected afterwards unless a
 *             reference is taken.  From the main loop
 * @opaque:    for @connected
 * @error:     names @path
 *
 * Return: owned by the caller, listener_free(); NULL with @error set.
 */
struct listener *listener_new(const char *path,
			      void (*connected)(void *opaque, GSocketConnection *stream),
			      void *opaque, GError **error);

/** listener_free() - nobody can connect any more, the socket is gone from its directory */
void listener_free(struct listener *listener);

#endif
