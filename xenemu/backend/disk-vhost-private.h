/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-vhost-private.h - what the parts of the vhost-user-blk engine share: requests, and
 * the life of the process that serves them
 */
#ifndef XENEMU_BACKEND_DISK_VHOST_PRIVATE_H
#define XENEMU_BACKEND_DISK_VHOST_PRIVATE_H

#include "backend/disk-vhost.h"
#include "backend/vhost-user.h"
#include <linux/virtio_blk.h>

/** Commands that the process has at a time: more than a ring of a guest */
#define VHOST_SLOTS 128

/** Elements of a command's table: header, range or pieces of memory, status */
#define VHOST_TABLE 128

/** What is out of the process's reach goes by way of so many buffers of such a size */
#define VHOST_BUFFERS 16
#define VHOST_BUFFER_BYTES (256U << 10)

/** What the process knows our own memory by; the guest's begins at 0 and ends far below */
#define VHOST_SHARED_ADDRESS (1ULL << 46)

/**
 * struct vhost_slot - what the process is told of a command, in memory that is shared
 * @table:  indirect descriptors
 * @status: what came of it
 */
struct vhost_slot {
	struct vring_desc table[VHOST_TABLE];
	struct virtio_blk_outhdr header;
	struct virtio_blk_discard_write_zeroes range;
	uint8_t status;
};

/**
 * struct vhost_command - what we know of it; the process can't write this
 * @req:      whose part it is; NULL: the slot is free
 * @writable: bytes that the process may write
 * @at:       where in the request it begins
 * @length:   bytes of the request that it is about
 * @buffer:   number of its buffer, or -1
 */
struct vhost_command {
	struct disk_request *req;
	uint32_t writable;
	uint64_t at;
	uint32_t length;
	int buffer;
};

/**
 * struct vhost_disk - a disk that another process has
 * @mem:      the guest's memory
 * @link:     NULL when there is no process any more
 * @opening:  who opens the disk does not wait, and was not told yet
 * @stopped:  server.stop() was called
 * @shared_fd, @shared, @shared_bytes: our own memory: @queue, @slots, @buffers
 * @kick, @call: eventfds
 * @call_watch: of @call
 * @commands: of each slot
 * @free_slots, @nr_free_slots: numbers
 * @free_buffers, @nr_free_buffers: numbers
 * @max_pieces: of a command
 * @max_piece:  bytes of a piece
 * @max_discard, @max_zeroes: bytes of a command
 * @unmap:    zeroes may be written by giving space back
 * @waiting:  requests that have parts to be sent when there is room
 * @copied:   bytes
 * @wrong:    what the process did that it must not, or NULL
 * @limit:    timer of the opening, or 0
 * @watch, @watch_seconds: timer that sees whether there are answers
 * @mute:     what it has seen
 * @resizing: the process is to resize the disk
 * @new_size: what it is to be
 */
struct vhost_disk {
	struct disk disk;
	const struct memory *mem;
	struct vhost_server server;
	struct vhost_user *link;
	gboolean opening;
	gboolean stopped;
	int shared_fd;
	char *shared;
	size_t shared_bytes;
	struct virtq queue;
	struct vhost_slot *slots;
	char *buffers;
	int kick;
	int call;
	struct watch *call_watch;
	struct vhost_command commands[VHOST_SLOTS];
	uint8_t free_slots[VHOST_SLOTS];
	unsigned int nr_free_slots;
	uint8_t free_buffers[VHOST_BUFFERS];
	unsigned int nr_free_buffers;
	unsigned int max_pieces;
	uint32_t max_piece;
	uint32_t max_discard;
	uint32_t max_zeroes;
	gboolean unmap;
	GQueue waiting;
	uint64_t copied;
	const char *wrong;
	guint limit;
	guint watch;
	unsigned int watch_seconds;
	struct disk_mute mute;
	gboolean resizing;
	uint64_t new_size;
};

/** vhost_prepare() - @vhost->queue, slots and buffers, in zeroed shared memory */
void vhost_prepare(struct vhost_disk *vhost);

/** vhost_shared_bytes() - how much shared memory vhost_prepare() needs */
size_t vhost_shared_bytes(void);

/** vhost_submit() - submit() of the engine */
void vhost_submit(struct disk *disk, struct disk_request *req);

/** vhost_commit() - commit() of the engine */
void vhost_commit(struct disk *disk);

/**
 * vhost_serve() - take the answers that there are, and send what waited for room
 *
 * Return: FALSE when @vhost->wrong is set.
 */
gboolean vhost_serve(struct vhost_disk *vhost);

#endif
