/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image-unpack.h - from a kernel file to the ELF file inside it
 */
#ifndef XENEMU_DOMAIN_IMAGE_UNPACK_H
#define XENEMU_DOMAIN_IMAGE_UNPACK_H

#include "domain/image.h"

/**
 * image_unpack() - find the ELF file in a kernel file
 * @name:    for messages
 * @file:    content of an ELF file, a packed ELF file, or a bzImage
 * @packing: how it was packed; caller frees
 * @error:   IMAGE_ERROR_FORMAT, _CORRUPT or _UNSUPPORTED
 *
 * Return: bytes that begin with ELF's magic (a new reference), or NULL.
 */
GBytes *image_unpack(const char *name, GBytes *file, char **packing, GError **error);

#endif
