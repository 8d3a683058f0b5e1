/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nbd-link.h - one connection to an NBD server, served by the main loop
 */
#ifndef XENEMU_BACKEND_NBD_LINK_H
#define XENEMU_BACKEND_NBD_LINK_H

#include <glib.h>
#include <libnbd.h>

struct nbd_link;

enum nbd_link_state {
	NBD_LINK_CONNECTING,
	NBD_LINK_UP,
	NBD_LINK_DOWN,
};

/**
 * nbd_link_new() - start to connect; never waits
 * @uri:    NBD URI; or NULL to use @socket
 * @socket: connected descriptor, taken over; the export is "disk"
 * @moved:  called from the main loop after something was received or sent, and after
 *          nbd_link_kick(); may free the link
 * @opaque: its argument
 *
 * Return: the link, also when it is down already.
 */
struct nbd_link *nbd_link_new(const char *uri, int socket, void (*moved)(void *opaque),
			      void *opaque);

/** nbd_link_state() - how far it is */
enum nbd_link_state nbd_link_state(const struct nbd_link *link);

/**
 * nbd_link_looks_up() - whether the server's name is being looked up
 *
 * That is done in a thread and may take long; it goes on when the link is freed.
 */
gboolean nbd_link_looks_up(const struct nbd_link *link);

/** nbd_link_wait() - return when it is up or down, or after so many milliseconds */
enum nbd_link_state nbd_link_wait(struct nbd_link *link, unsigned int ms);

/** nbd_link_handle() - to issue commands; callbacks come before the next moved() */
struct nbd_handle *nbd_link_handle(const struct nbd_link *link);

/** nbd_link_keepalive() - take it for down when the other host is silent for so long */
void nbd_link_keepalive(struct nbd_link *link, unsigned int ms);

/** nbd_link_kick() - have moved() called */
void nbd_link_kick(struct nbd_link *link);

/** nbd_link_why() - why it is down, one line; valid until nbd_link_free() */
const char *nbd_link_why(const struct nbd_link *link);

/** nbd_link_free() - close; commands in flight are forgotten; NULL is allowed */
void nbd_link_free(struct nbd_link *link);

#endif
