/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notes.h - what a kernel says of itself to Xen: ELF notes of owner "Xen", or
 * the older __xen_guest string
 */
#ifndef XENEMU_DOMAIN_NOTES_H
#define XENEMU_DOMAIN_NOTES_H

#include "domain/elf.h"
#include "domain/image.h"

/**
 * struct notes - what has been said, and where it goes
 * @image: filled; must have IMAGE_NONE in the addresses and "" in the strings
 * @name:  of the file, for messages
 * @seen:  bit n: XEN_ELFNOTE_* n has been said (under its older name, too)
 * @phys32_entry: the kernel can be started as PVH
 */
struct notes {
	struct image *image;
	const char *name;
	uint32_t seen;
	gboolean phys32_entry;
};

#define NOTE_BIT(note) (1U << XEN_ELFNOTE_##note)

/**
 * notes_read() - find and read whichever description a kernel has
 * @notes: @image and @name are set, the rest is filled
 * @elf:   the kernel
 * @error: IMAGE_ERROR_CORRUPT; _NOT_XEN when there is no description at all;
 *         _UNSUPPORTED when it requires what PV guests don't get
 *
 * As Xen's tools do (4.17 libelf-dominfo.c): notes of PT_NOTE segments; only if
 * those hold none of Xen's, notes of SHT_NOTE sections; only then __xen_guest.
 */
gboolean notes_read(struct notes *notes, const struct elf *elf, GError **error);

/** notes_read_guest_string() - the part for the content of __xen_guest */
gboolean notes_read_guest_string(struct notes *notes, const char *text, GError **error);

/**
 * notes_add_features() - add a FEATURES string, "a|b|!c", to the image's masks
 * @features: NUL-terminated
 * @error:    IMAGE_ERROR_UNSUPPORTED: it requires (!) what no PV guest gets
 */
gboolean notes_add_features(struct notes *notes, const char *features, GError **error);

/**
 * notes_string() - a copy of a kernel's string that is fit to be printed
 * @bytes: not necessarily NUL-terminated
 * @len:   most that belongs to it
 */
char *notes_string(const void *bytes, size_t len);

#endif
