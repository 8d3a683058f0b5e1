/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notes-guest.c - the __xen_guest string: KEY=VALUE,KEY=VALUE,...
 *
 * Kernels of the Xen 3.0 age have nothing else, some later ones have it beside
 * their notes.
 */
#include "domain/notes.h"
#include <errno.h>
#include <string.h>
#include <xen/xen.h>

#include <xen/elfnote.h>

static gboolean read_number(struct notes *notes, const char *key, const char *text,
			    uint64_t *value, GError **error)
{
	char *end;

	errno = 0;
	*value = g_ascii_strtoull(text, &end, 0);
	if (errno == 0 && end != text && *end == '\0')
		return TRUE;
	g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
		    "%s: __xen_guest says %s=%s, which is not a number; the file is corrupt",
		    notes->name, key, text);
	return FALSE;
}

static void set_string(struct notes *notes, char **field, const char *value, uint32_t bit)
{
	g_free(*field);
	*field = g_strdup(value);
	notes->seen |= bit;
}

static gboolean set_address(struct notes *notes, uint64_t *field, const char *key,
			    const char *value, uint32_t bit, GError **error)
{
	notes->seen |= bit;
	return read_number(notes, key, value, field, error);
}

/* PAE=yes means a root below 4 GiB; the note PAE_MODE=yes does not. */
static void set_pae(struct notes *notes, const char *value)
{
	notes->image->extended_cr3 = strcmp(value, "yes[extended-cr3]") == 0;
	set_string(notes, &notes->image->pae_mode, value, NOTE_BIT(PAE_MODE));
}

static gboolean take_pair(struct notes *notes, const char *key, const char *value,
			  GError **error)
{
	struct image *image = notes->image;

	if (strcmp(key, "LOADER") == 0)
		set_string(notes, &image->loader, value, NOTE_BIT(LOADER));
	else if (strcmp(key, "GUEST_OS") == 0)
		set_string(notes, &image->guest_os, value, NOTE_BIT(GUEST_OS));
	else if (strcmp(key, "GUEST_VER") == 0 || strcmp(key, "GUEST_VERSION") == 0)
		set_string(notes, &image->guest_version, value, NOTE_BIT(GUEST_VERSION));
	else if (strcmp(key, "XEN_VER") == 0)
		set_string(notes, &image->xen_version, value, NOTE_BIT(XEN_VERSION));
	else if (strcmp(key, "PAE") == 0)
		set_pae(notes, value);
	else if (strcmp(key, "BSD_SYMTAB") == 0)
		image->bsd_symtab = TRUE; /* said is yes */
	else if (strcmp(key, "VIRT_BASE") == 0)
		return set_address(notes, &image->virt_base, key, value, NOTE_BIT(VIRT_BASE),
				   error);
	else if (strcmp(key, "VIRT_ENTRY") == 0)
		return set_address(notes, &image->entry, key, value, NOTE_BIT(ENTRY), error);
	else if (strcmp(key, "ELF_PADDR_OFFSET") == 0)
		return set_address(notes, &image->paddr_offset, key, value,
				   NOTE_BIT(PADDR_OFFSET), error);
	else if (strcmp(key, "HYPERCALL_PAGE") == 0)
		return set_address(notes, &image->hypercall_page, key, value,
				   NOTE_BIT(HYPERCALL_PAGE), error);
	else if (strcmp(key, "FEATURES") == 0) {
		set_string(notes, &image->features, value, NOTE_BIT(FEATURES));
		return notes_add_features(notes, value, error);
	}
	return TRUE; /* nothing that a loader needs */
}

/* Here HYPERCALL_PAGE is a page number relative to virt_base. */
static gboolean place_hypercall_page(struct notes *notes, GError **error)
{
	struct image *image = notes->image;
	uint64_t base = notes->seen & NOTE_BIT(VIRT_BASE) ? image->virt_base : 0;

	if (!(notes->seen & NOTE_BIT(HYPERCALL_PAGE)))
		return TRUE;
	if (image->hypercall_page <= (UINT64_MAX - base) >> 12) {
		image->hypercall_page = base + (image->hypercall_page << 12);
		return TRUE;
	}
	g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
		    "%s: __xen_guest says HYPERCALL_PAGE=0x%" G_GINT64_MODIFIER
		    "x, a page that can't exist; the file is corrupt",
		    notes->name, image->hypercall_page);
	return FALSE;
}

gboolean notes_read_guest_string(struct notes *notes, const char *text, GError **error)
{
	g_auto(GStrv) pairs = g_strsplit(text, ",", -1);

	for (char **pair = pairs; *pair; pair++) {
		char *value = strchr(*pair, '=');

		if (value)
			*value++ = '\0';
		if (!take_pair(notes, *pair, value ? value : "", error))
			return FALSE;
	}
	return place_hypercall_page(notes, error);
}
