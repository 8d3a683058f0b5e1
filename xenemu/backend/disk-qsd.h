/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-qsd.h - disks in formats and places that QEMU's block layer knows
 */
#ifndef XENEMU_BACKEND_DISK_QSD_H
#define XENEMU_BACKEND_DISK_QSD_H

#include "backend/disk-engine.h"
#include "machine/memory.h"

/**
 * disk_qsd_open() - as disk_open(), by a qemu-storage-daemon of its own
 *
 * With memory, and a daemon that can, it is given that and spoken to by vhost-user; else by
 * NBD.
 */
struct disk *disk_qsd_open(const struct disk_spec *spec, const struct memory *memory,
			   const struct disk_listener *listener, GError **error);

/**
 * qsd_blockdev() - what qemu-storage-daemon's --blockdev is to be told
 * @spec:     the disk
 * @io_uring: files and devices by io_uring, which wakes fewer threads than QEMU's own way
 * @error:    DISK_ERROR_UNSUPPORTED: a target that it can't be told of
 *
 * The target is a file, a block device, a URI of NBD, HTTP or FTP, or "json:" with the
 * options of a node of QEMU's block layer.
 * Return: JSON, the caller's; the node's name is "disk".
 */
char *qsd_blockdev(const struct disk_spec *spec, gboolean io_uring, GError **error);

#endif
