/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-raw.h - raw files and block devices, by io_uring
 */
#ifndef XENEMU_BACKEND_DISK_RAW_H
#define XENEMU_BACKEND_DISK_RAW_H

#include "backend/disk-engine.h"

/**
 * struct raw_file - an opened image
 * @fd:        opened with O_DIRECT if @direct
 * @locked:    as the user wanted it; FALSE where the file system has no locks
 * @is_device: a block device, else a regular file
 */
struct raw_file {
	int fd;
	gboolean locked;
	gboolean direct;
	gboolean is_device;
};

/**
 * raw_file_open() - open and lock what @spec names, find out what it is like
 * @patient: the lock may be waited for, see disk_lock()
 * @info: filled, but for max_*
 * @tail: bytes after the last whole sector, which the guest will not see
 *
 * Return: TRUE, and @file->fd is the caller's to close; FALSE with @error of DISK_ERROR.
 */
gboolean raw_file_open(const struct disk_spec *spec, gboolean patient, struct raw_file *file,
		       struct disk_info *info, uint64_t *tail, GError **error);

/** raw_file_size() - bytes, now; or 0 with errno set */
uint64_t raw_file_size(const struct raw_file *file);

/**
 * disk_raw_open() - as disk_open()
 *
 * DISK_ERROR_UNSUPPORTED: this host has no io_uring, or doesn't let us use it.
 */
struct disk *disk_raw_open(const struct disk_spec *spec, const struct disk_listener *listener,
			   GError **error);

#endif
