/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ext-files.h - files of an ext2, ext3 or ext4 file system, by libext2fs
 *
 * The library parses what may be hostile: call this in a sandbox only.
 */
#ifndef XENEMU_BOOT_EXT_FILES_H
#define XENEMU_BOOT_EXT_FILES_H

#include "boot/partitions.h"

struct ext_files;

/**
 * ext_files_open() - find a file system in a part of a disk
 * @source: the disk; must stay until ext_files_close()
 * @part:   which part
 * @error:  BOOT_ERROR_DISK: none of this kind, or damaged
 */
struct ext_files *ext_files_open(struct disk_source *source, const struct partition *part,
				 GError **error);

/**
 * ext_files_read() - read a whole file
 * @path: as seen from the file system's root; symbolic links are followed in it
 * @max:  most bytes
 * @error: BOOT_ERROR_ABSENT: no such regular file; else BOOT_ERROR_DISK
 */
GBytes *ext_files_read(struct ext_files *files, const char *path, uint64_t max, GError **error);

/** ext_files_close() - NULL is allowed */
void ext_files_close(struct ext_files *files);

typedef struct ext_files ExtFiles; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExtFiles, ext_files_close)

#endif
