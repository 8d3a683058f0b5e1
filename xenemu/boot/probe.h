/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - what a guest's boot loader would start from its disk
 *
 * Parses what may be hostile: call this in a sandbox only.
 */
#ifndef XENEMU_BOOT_PROBE_H
#define XENEMU_BOOT_PROBE_H

#include "boot/disk-files.h"
#include "domain/image.h"

/**
 * struct probe - a kernel found
 * @config: path of the configuration that names it; the caller's
 * @kernel: its path, as there; the caller's
 * @width:  its word size
 * @abi:    what it wants, as image_abi(); a static string
 */
struct probe {
	char *config;
	char *kernel;
	enum image_width width;
	const char *abi;
};

/**
 * probe_disk() - read GRUB's configuration, take the first PV kernel that it names
 * @files: the disk
 * @probe: filled in; probe_clear()
 * @error: BOOT_ERROR_ABSENT: no configuration, or no PV kernel in it
 *
 * Which entry the user of the guest will choose can't be known; a disk seldom holds
 * kernels of different word sizes.
 */
gboolean probe_disk(struct disk_files *files, struct probe *probe, GError **error);

/** probe_clear() - free what @probe owns */
void probe_clear(struct probe *probe);

#endif
