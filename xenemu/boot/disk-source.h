/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-source.h - bytes of a disk, for those who look for files on it
 */
#ifndef XENEMU_BOOT_DISK_SOURCE_H
#define XENEMU_BOOT_DISK_SOURCE_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_ERROR (boot_error_quark())
GQuark boot_error_quark(void);
enum boot_error {
	BOOT_ERROR_ABSENT, /* the disk has no such file, or nothing to boot */
	BOOT_ERROR_DISK, /* it can't be read, or makes no sense */
	BOOT_ERROR_GRUB, /* no GRUB to boot it with */
	BOOT_ERROR_READER, /* the process that reads it failed */
};

/**
 * struct disk_source - where bytes come from
 * @size:        bytes
 * @sector_size: of the partition table's units
 * @read:        fill @buf from @offset on; FALSE if the store fails.  Never called
 *               for bytes beyond @size
 */
struct disk_source {
	uint64_t size;
	uint32_t sector_size;
	gboolean (*read)(struct disk_source *source, uint64_t offset, void *buf, size_t length);
};

/** disk_source_read() - the same, FALSE beyond the end */
static inline gboolean disk_source_read(struct disk_source *source, uint64_t offset, void *buf,
					size_t length)
{
	return offset <= source->size && length <= source->size - offset &&
	       source->read(source, offset, buf, length);
}

#endif
