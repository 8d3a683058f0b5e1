/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-vhost.h - disks of a process that has the guest's memory, as vhost-user-blk
 */
#ifndef XENEMU_BACKEND_DISK_VHOST_H
#define XENEMU_BACKEND_DISK_VHOST_H

#include "backend/disk-engine.h"
#include "machine/memory.h"

/**
 * struct vhost_server - the process that has the disk
 * @socket:  connected, or about to be accepted; taken over
 * @owner:   for the functions
 * @why:     why the connection ended, as text
 * @refused: the disk may be all right, but this way to it is not; may be NULL
 * @stop:    end the process; when it returns the guest's memory is not touched any more.
 *           At most once, before @free, and not before @why is of use
 * @free:    after everything else, also if the disk can't be opened
 * @resize:  let the disk be of @size bytes while it is in use; done() is called once,
 *           possibly from inside, but not after @free.  @error, taken over: why the size
 *           is what it was; NULL: it is the new one
 */
struct vhost_server {
	int socket;
	void *owner;
	const char *(*why)(void *owner);
	void (*refused)(void *owner);
	void (*stop)(void *owner);
	void (*free)(void *owner);
	void (*resize)(void *owner, uint64_t size, void (*done)(void *opaque, GError *error),
		       void *opaque);
};

/**
 * disk_vhost_open() - as disk_open()
 * @memory: which requests are from and to; outlives the disk.  Others are copied
 * @error:  DISK_ERROR_UNSUPPORTED after refused()
 */
struct disk *disk_vhost_open(const struct disk_spec *spec, const struct memory *memory,
			     const struct vhost_server *server,
			     const struct disk_listener *listener, GError **error);

/** disk_vhost_is() - whether @disk is one of these */
gboolean disk_vhost_is(const struct disk *disk);

/** disk_vhost_copied() - how many bytes were copied, since the process can't reach them */
uint64_t disk_vhost_copied(const struct disk *disk);

#endif
