/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-nbd.h - disks on NBD servers, by libnbd
 */
#ifndef XENEMU_BACKEND_DISK_NBD_H
#define XENEMU_BACKEND_DISK_NBD_H

#include "backend/disk-engine.h"

/** disk_nbd_is_uri() - whether @target names an NBD server */
gboolean disk_nbd_is_uri(const char *target);

/** disk_nbd_open() - as disk_open(), of a URI */
struct disk *disk_nbd_open(const struct disk_spec *spec, const struct disk_listener *listener,
			   GError **error);

/**
 * struct nbd_server - a server that is ours
 * @socket: connected, its export is "disk"; taken over
 * @owner:  for the functions
 * @why:    why the connection ended, as text, if the owner knows; else NULL
 * @free:   end the server; after the connection is closed, also if the disk can't be
 *          opened
 * @resize: let the export be of @size bytes, while there is no connection to it; done() is
 *          called once, possibly from inside, but not after @free.  @socket is a new
 *          connection, or -1: there will be none.  @error, taken over: why the size is what
 *          it was, or why there is no connection.  NULL: it can't
 */
struct nbd_server {
	int socket;
	void *owner;
	const char *(*why)(void *owner);
	void (*free)(void *owner);
	void (*resize)(void *owner, uint64_t size,
		       void (*done)(void *opaque, int socket, GError *error), void *opaque);
};

/** disk_nbd_open_server() - as disk_open(), of a server that is not waited for when gone */
struct disk *disk_nbd_open_server(const struct disk_spec *spec, const struct nbd_server *server,
				  const struct disk_listener *listener, GError **error);

#endif
