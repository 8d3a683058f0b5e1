/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image-symbols.h - the symbol table that a BSD kernel wants in its memory
 */
#ifndef XENEMU_DOMAIN_IMAGE_SYMBOLS_H
#define XENEMU_DOMAIN_IMAGE_SYMBOLS_H

#include "domain/elf.h"
#include <glib.h>

/**
 * image_symbols() - symbols of a kernel that says BSD_SYMTAB
 * @elf: the kernel
 *
 * A 32-bit length and an ELF file that has only a symbol table and its strings,
 * as Xen's builder puts it behind the kernel.
 * Return: owned by the caller; NULL when the kernel has no symbols, or more than
 * 64 MiB of them.
 */
GBytes *image_symbols(const struct elf *elf);

/** image_symbols_align() - alignment of what image_symbols() gives, bytes */
static inline uint64_t image_symbols_align(const struct elf *elf)
{
	return elf->is_64 ? 8 : 4;
}

#endif
