/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * partitions.h - where on a disk file systems may be
 */
#ifndef XENEMU_BOOT_PARTITIONS_H
#define XENEMU_BOOT_PARTITIONS_H

#include "boot/disk-source.h"

/** struct partition - a range of a disk, bytes */
struct partition {
	uint64_t offset;
	uint64_t length;
};

/**
 * partitions_find() - the partitions of an MBR (logical ones too) or GPT, in their order
 * @source: the disk; anything may be on it
 *
 * The whole disk comes first: it may hold a file system itself.  Partitions that reach
 * beyond the disk are left out.
 * Return: array of struct partition, at least one element, at most 257; the caller's.
 */
GArray *partitions_find(struct disk_source *source);

#endif
