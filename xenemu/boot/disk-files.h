/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-files.h - files of a disk, whichever partition they are in
 *
 * Parses what may be hostile: call this in a sandbox only.
 */
#ifndef XENEMU_BOOT_DISK_FILES_H
#define XENEMU_BOOT_DISK_FILES_H

#include "boot/disk-source.h"

struct disk_files;

/**
 * disk_files_open() - find the file systems of a disk
 * @source: the disk; must stay until disk_files_close()
 * @error:  BOOT_ERROR_DISK: there is none that can be read
 */
struct disk_files *disk_files_open(struct disk_source *source, GError **error);

/**
 * disk_files_read() - read a whole file
 * @path: absolute, as the guest sees it.  Where /boot is a partition of its own,
 *        "/boot/NAME" is found as "/NAME" there
 * @max:  most bytes
 * @error: BOOT_ERROR_ABSENT: no file system has such a regular file; else BOOT_ERROR_DISK
 */
GBytes *disk_files_read(struct disk_files *files, const char *path, uint64_t max,
			GError **error);

/** disk_files_close() - NULL is allowed */
void disk_files_close(struct disk_files *files);

typedef struct disk_files DiskFiles; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DiskFiles, disk_files_close)

#endif
