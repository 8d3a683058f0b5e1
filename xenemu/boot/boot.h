/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot.h - what a guest starts with: files of the host's, files of its disk, or GRUB
 */
#ifndef XENEMU_BOOT_BOOT_H
#define XENEMU_BOOT_BOOT_H

#include "backend/disk-spec.h"
#include "boot/disk-source.h"
#include "domain/image.h"

/** Before the path of a kernel or ramdisk that is on the guest's disk */
#define BOOT_DISK_PREFIX "disk:"

/** Largest ramdisk on a disk that is accepted, bytes */
#define BOOT_MAX_RAMDISK (1UL << 30)

/**
 * struct boot_config - what the user said
 * @kernel:  file; "disk:PATH" on @disk; NULL: GRUB boots @disk
 * @ramdisk: file; "disk:PATH" on @disk; NULL: none
 * @grub:    without @kernel: "64", "32" or an image's file; NULL or "auto": what suits
 *           the kernel on @disk
 * @disk:    the guest's first disk, or NULL
 * @message: a line for the user, without a newline
 */
struct boot_config {
	const char *kernel;
	const char *ramdisk;
	const char *grub;
	const struct disk_spec *disk;
	void (*message)(const char *text);
};

/**
 * struct boot - what the guest starts with
 * @image:   kernel, or GRUB
 * @name:    what @image is, for messages
 * @ramdisk: or NULL
 * @abi:     what the guest wants: GRUB runs with any, so its kernel's counts
 *
 * Owned by the structure; boot_clear().
 */
struct boot {
	struct image *image;
	char *name;
	GBytes *ramdisk;
	char *abi;
};

/**
 * boot_load() - get it
 * @boot:  filled in
 * @error: BOOT_ERROR, IMAGE_ERROR, DISK_ERROR, G_FILE_ERROR: names option or file
 */
gboolean boot_load(const struct boot_config *config, struct boot *boot, GError **error);

/** boot_clear() - free what @boot owns */
void boot_clear(struct boot *boot);

#endif
