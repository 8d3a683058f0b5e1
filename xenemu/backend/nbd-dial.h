/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nbd-dial.h - begins to connect to an NBD server, in a thread
 *
 * libnbd looks up the server's name where it is told to connect, and a name server may
 * take its time.  Everything after that is the main loop's.
 */
#ifndef XENEMU_BACKEND_NBD_DIAL_H
#define XENEMU_BACKEND_NBD_DIAL_H

#include <glib.h>
#include <libnbd.h>

struct nbd_dial;

/**
 * nbd_dial_new() - begin
 * @handle: fresh; taken over, and the thread's until that is done
 * @uri:    copied
 * @done:   called from the main loop, unless nbd_dial_take() or nbd_dial_free() come first
 * @opaque: its argument
 */
struct nbd_dial *nbd_dial_new(struct nbd_handle *handle, const char *uri,
			      void (*done)(void *opaque), void *opaque);

/** nbd_dial_wait() - return when it is done, or after so many milliseconds; TRUE if done */
gboolean nbd_dial_wait(struct nbd_dial *dial, unsigned int ms);

/**
 * nbd_dial_take() - the handle, of a dial that is done; frees @dial
 * @why: why it could not begin to connect, the caller's; NULL if it could
 */
struct nbd_handle *nbd_dial_take(struct nbd_dial *dial, char **why);

/**
 * nbd_dial_free() - forget it; NULL is allowed
 *
 * A name that is being looked up can't be given up: the thread ends when that does.
 */
void nbd_dial_free(struct nbd_dial *dial);

#endif
