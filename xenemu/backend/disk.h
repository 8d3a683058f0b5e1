/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk.h - where a virtual disk's data is: files, block devices, servers
 *
 * A backend turns the guest's requests into struct disk_request and gets an answer
 * for each.  Everything runs on the thread of the default GLib main context; nothing
 * waits but disk_open(), if it is to, and disk_close().
 */
#ifndef XENEMU_BACKEND_DISK_H
#define XENEMU_BACKEND_DISK_H

#include "backend/disk-spec.h"
#include <glib.h>
#include <stdint.h>
#include <sys/uio.h>

struct disk;
struct memory;

/**
 * enum disk_op - what a request does
 * @DISK_READ:         fills @iov from @offset on
 * @DISK_WRITE:        stores @iov from @offset on
 * @DISK_FLUSH:        what was answered before it was submitted is on stable storage
 * @DISK_DISCARD:      @length bytes from @offset are needed no more: what they read as
 *                     afterwards is undefined, space may be given back
 * @DISK_WRITE_ZEROES: @length bytes from @offset read as zeroes, space may be given back
 */
enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH,
	DISK_DISCARD,
	DISK_WRITE_ZEROES,
};

/**
 * struct disk_request - one request
 * @op:     what to do
 * @fua:    DISK_WRITE, DISK_WRITE_ZEROES: answered only when this data is on stable
 *          storage
 * @offset: in bytes, a multiple of the sector size; 0 for DISK_FLUSH
 * @length: in bytes, a multiple of the sector size; for reads and writes the sum of
 *          @iov's lengths; 0 for DISK_FLUSH
 * @iov:    memory of the transfer, normally guest memory, which the kernel reads and
 *          writes directly; NULL for other operations.  The array and the memory must
 *          stay until @done.  Each base and length a multiple of mem_align
 * @nr_iov: elements of @iov, at most max_iov
 * @done:   called once, from the main loop or from disk_close(), never from inside
 *          disk_submit() or disk_commit(); @error is 0 or a positive errno.  ENOSPC
 *          and EIO are the store's own; EINVAL, ERANGE, EROFS, EOPNOTSUPP say that the
 *          request did not fit the disk; ECANCELED that the disk was closed.  After an
 *          error of a write the contents of its range are undefined.  May submit other
 *          requests, or this one again, and may free it
 *
 * What follows @done is the engine's.  The structure is the caller's and must stay
 * until @done; zero it before its first use.  Requests in flight together are carried
 * out in any order.
 */
struct disk_request {
	enum disk_op op;
	gboolean fua;
	uint64_t offset;
	uint64_t length;
	const struct iovec *iov;
	unsigned int nr_iov;
	void (*done)(struct disk_request *req, int error);

	/* private: */
	struct disk *disk;
	GList link;
	uint64_t moved;
	struct iovec *rest;
	char *bounce;
	unsigned int parts;
	int error;
};

/**
 * struct disk_info - what a disk is like
 * @size:                 bytes; whole sectors
 * @sector_size:          logical sector: offsets and lengths are multiples of it
 * @physical_sector_size: what the store writes at once; at least @sector_size
 * @mem_align:            alignment of each iov_base and iov_len, a power of 2, at most
 *                        @sector_size
 * @max_transfer:         most bytes of one read or write
 * @max_iov:              most elements of one read or write
 * @discard_granularity:  discards of less than so many bytes, or not aligned to
 *                        them, may free nothing; 0 if !@can_discard
 * @read_only:            DISK_WRITE and its like give EROFS
 * @can_flush:            FALSE: the store can't promise durability; DISK_FLUSH and fua
 *                        are answered with EOPNOTSUPP.  TRUE for all files and devices
 * @can_discard:          DISK_DISCARD does something; else EOPNOTSUPP
 * @can_write_zeroes:     DISK_WRITE_ZEROES is there; else EOPNOTSUPP
 */
struct disk_info {
	uint64_t size;
	uint32_t sector_size;
	uint32_t physical_sector_size;
	uint32_t mem_align;
	uint32_t max_transfer;
	uint32_t max_iov;
	uint32_t discard_granularity;
	gboolean read_only;
	gboolean can_flush;
	gboolean can_discard;
	gboolean can_write_zeroes;
};

/**
 * struct disk_listener - whom a disk tells
 * @resized: disk_info() has a new size; from the main loop or disk_rescan(); may be NULL
 * @message: something the user should know, one line without a newline: server gone,
 *           server back, ...; may be NULL.  From the main loop or disk_open()
 * @opened:  if there is one, disk_open() does not wait, and this is called once, from the
 *           main loop: the disk can be used, or @error says why not, and all that can be
 *           done with it is to close it
 * @opaque:  for all
 *
 * None but @opened may close the disk.
 */
struct disk_listener {
	void (*resized)(void *opaque);
	void (*message)(void *opaque, const char *text);
	void (*opened)(void *opaque, const GError *error);
	void *opaque;
};

/** The longest that opening a disk takes, seconds */
#define DISK_OPEN_SECONDS 10

enum disk_error {
	DISK_ERROR_OPEN, /* missing, no permission, not a disk, server refuses */
	DISK_ERROR_LOCKED, /* another process uses the image */
	DISK_ERROR_UNSUPPORTED, /* format or host feature */
	DISK_ERROR_SIZE, /* it can't be looked at, or be what was asked for */
};

#define DISK_ERROR disk_error_quark()
GQuark disk_error_quark(void);

/**
 * disk_open() - open and lock what a disk is stored in
 * @spec:     copied; target must not be NULL
 * @memory:   of the guest that the requests will be for, or NULL.  A process that serves
 *            the disk may be given all of it, so that it transfers from and to it
 *            directly; iov may point elsewhere, but is copied then.  Outlives the disk
 * @listener: copied
 * @error:    DISK_ERROR; the message names target, reason and what to do
 *
 * May wait for a server or a process that it starts, DISK_OPEN_SECONDS at most, and a
 * second for the lock of a process that is just ending; not with listener->opened: then
 * what is returned must not be used before that was called, but may be closed.
 * Return: owned by the caller, disk_close(); NULL with @error set.
 */
struct disk *disk_open(const struct disk_spec *spec, const struct memory *memory,
		       const struct disk_listener *listener, GError **error);

/**
 * disk_info() - what the disk is like; valid until disk_close()
 *
 * Only the size ever changes.
 */
const struct disk_info *disk_info(const struct disk *disk);

/**
 * disk_submit() - queue a request
 *
 * It may start at once or with the next disk_commit().  Requests that don't fit
 * disk_info() are answered with an error, from the main loop like all others.
 */
void disk_submit(struct disk *disk, struct disk_request *req);

/** disk_commit() - start what was queued, as one batch */
void disk_commit(struct disk *disk);

/**
 * disk_sized_fn - what came of a look at the size, or a change of it
 * @opaque: whose it is
 * @size:   the disk's now, in bytes
 * @error:  why it could not be looked at or changed; names the target.  NULL: it could
 *
 * Called once, from the main loop or disk_close(), after resized().
 */
typedef void (*disk_sized_fn)(void *opaque, uint64_t size, const GError *error);

/**
 * disk_rescan() - look at the size again
 * @sized:  told what it is, if the look could begin
 * @opaque: its first argument
 * @error:  DISK_ERROR
 *
 * An NBD server says its export's size to who connects, and then only: so it is connected
 * to a second time.  One look or change at a time.
 * Return: FALSE for what can't be looked at again, or not now.
 */
gboolean disk_rescan(struct disk *disk, disk_sized_fn sized, void *opaque, GError **error);

/**
 * disk_resize() - make what the disk is stored in larger
 * @size:   bytes, whole sectors; not less than now
 * @sized:  as of disk_rescan(), as are @opaque and @error
 *
 * Of files, raw and of formats that can grow.  Devices and servers grow by other means,
 * disk_rescan() comes after that.
 */
gboolean disk_resize(struct disk *disk, uint64_t size, disk_sized_fn sized, void *opaque,
		     GError **error);

/**
 * disk_close() - close and unlock; NULL is allowed
 *
 * Requests in flight are answered from here: those that the kernel has are waited for,
 * those of a server are given up with ECANCELED.  Afterwards nothing touches their
 * memory.  So is who waits for a size.  Does not flush.  Not from a callback of the disk.
 */
void disk_close(struct disk *disk);

#endif
