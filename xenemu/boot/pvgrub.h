/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvgrub.h - GRUB's images that are Xen PV guests
 */
#ifndef XENEMU_BOOT_PVGRUB_H
#define XENEMU_BOOT_PVGRUB_H

#include "domain/image.h"

/**
 * pvgrub_find() - the GRUB image that starts kernels of a word size
 * @width: IMAGE_X86_64 or IMAGE_X86_32P: GRUB starts kernels of its own only
 * @error: BOOT_ERROR_GRUB, names the places that were looked at and the package
 *
 * $XENEMU_GRUB is a directory of such images; without it: pvgrub/ beside the program or
 * where it is installed, which reads menu.lst too, then where Debian's grub-xen-host is.
 * Return: path, the caller's; NULL with @error set.
 */
char *pvgrub_find(enum image_width width, GError **error);

#endif
