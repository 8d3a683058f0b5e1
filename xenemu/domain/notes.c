/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notes.c - Xen's ELF notes: found, read, and put into struct image
 */
#include "domain/notes.h"
#include <string.h>
#include <xen/xen.h>

#include <xen/elfnote.h>

#define NOTES_MAX 65536 /* in a file, of all owners; Xen's loader has the same limit */
#define STRING_MAX 4096

enum note_form {
	FORM_NONE,
	FORM_STRING,
	FORM_ADDRESS,
	FORM_FLAG,
	FORM_OTHER
};

/* The types of note that matter to a PV loader, by number */
static const struct {
	const char *name;
	enum note_form form;
	size_t field; /* where it goes in struct image */
} note_types[] = {
	[XEN_ELFNOTE_ENTRY] = { "ENTRY", FORM_ADDRESS, offsetof(struct image, entry) },
	[XEN_ELFNOTE_HYPERCALL_PAGE] = { "HYPERCALL_PAGE", FORM_ADDRESS,
					 offsetof(struct image, hypercall_page) },
	[XEN_ELFNOTE_VIRT_BASE] = { "VIRT_BASE", FORM_ADDRESS,
				    offsetof(struct image, virt_base) },
	[XEN_ELFNOTE_PADDR_OFFSET] = { "PADDR_OFFSET", FORM_ADDRESS,
				       offsetof(struct image, paddr_offset) },
	[XEN_ELFNOTE_XEN_VERSION] = { "XEN_VERSION", FORM_STRING,
				      offsetof(struct image, xen_version) },
	[XEN_ELFNOTE_GUEST_OS] = { "GUEST_OS", FORM_STRING, offsetof(struct image, guest_os) },
	[XEN_ELFNOTE_GUEST_VERSION] = { "GUEST_VERSION", FORM_STRING,
					offsetof(struct image, guest_version) },
	[XEN_ELFNOTE_LOADER] = { "LOADER", FORM_STRING, offsetof(struct image, loader) },
	[XEN_ELFNOTE_PAE_MODE] = { "PAE_MODE", FORM_STRING, offsetof(struct image, pae_mode) },
	[XEN_ELFNOTE_FEATURES] = { "FEATURES", FORM_STRING, offsetof(struct image, features) },
	[XEN_ELFNOTE_BSD_SYMTAB] = { "BSD_SYMTAB", FORM_OTHER, 0 },
	[XEN_ELFNOTE_HV_START_LOW] = { "HV_START_LOW", FORM_ADDRESS,
				       offsetof(struct image, hv_start_low) },
	[XEN_ELFNOTE_L1_MFN_VALID] = { "L1_MFN_VALID", FORM_OTHER, 0 },
	[XEN_ELFNOTE_SUSPEND_CANCEL] = { "SUSPEND_CANCEL", FORM_FLAG,
					 offsetof(struct image, suspend_cancel) },
	[XEN_ELFNOTE_INIT_P2M] = { "INIT_P2M", FORM_ADDRESS, offsetof(struct image, init_p2m) },
	[XEN_ELFNOTE_MOD_START_PFN] = { "MOD_START_PFN", FORM_FLAG,
					offsetof(struct image, mod_start_pfn) },
	[XEN_ELFNOTE_SUPPORTED_FEATURES] = { "SUPPORTED_FEATURES", FORM_OTHER, 0 },
	[XEN_ELFNOTE_PHYS32_ENTRY] = { "PHYS32_ENTRY", FORM_OTHER, 0 },
};

static gboolean bad_note(const struct notes *notes, uint32_t type, GError **error)
{
	g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
		    "%s: Xen's ELF note %s has an impossible length; the file is corrupt",
		    notes->name, note_types[type].name);
	return FALSE;
}

static gboolean take_string(struct notes *notes, const struct elf_note *note, GError **error)
{
	char **field = (char **)((uint8_t *)notes->image + note_types[note->type].field);

	if (note->desc_len > STRING_MAX)
		return bad_note(notes, note->type, error);
	g_free(*field);
	*field = notes_string(note->desc, note->desc_len);
	return TRUE;
}

/* Pairs of mask and value of the kernel's word size; all kernels have one. */
static gboolean take_l1_mfn_valid(struct notes *notes, const struct elf_note *note,
				  GError **error)
{
	struct image *image = notes->image;
	uint32_t narrow[2];
	uint64_t wide[2];

	if (note->desc_len == sizeof(narrow)) {
		memcpy(narrow, note->desc, sizeof(narrow));
		image->l1_mfn_mask = narrow[0];
		image->l1_mfn_value = narrow[1];
		return TRUE;
	}
	if (note->desc_len < sizeof(wide))
		return bad_note(notes, note->type, error);
	memcpy(wide, note->desc, sizeof(wide));
	image->l1_mfn_mask = wide[0];
	image->l1_mfn_value = wide[1];
	return TRUE;
}

static gboolean take_supported_features(struct notes *notes, const struct elf_note *note,
					GError **error)
{
	uint32_t submap;

	if (note->desc_len < sizeof(submap))
		return bad_note(notes, note->type, error);
	memcpy(&submap, note->desc, sizeof(submap));
	notes->image->features_supported |= submap;
	notes->image->supported_note = TRUE;
	return TRUE;
}

static gboolean take_bsd_symtab(struct notes *notes, const struct elf_note *note)
{
	g_autofree char *text = notes_string(note->desc, note->desc_len);

	notes->image->bsd_symtab = strcmp(text, "yes") == 0;
	return TRUE;
}

static gboolean take_number(struct notes *notes, const struct elf_note *note, GError **error)
{
	void *field = (uint8_t *)notes->image + note_types[note->type].field;
	uint64_t value;

	if (!elf_note_number(note, &value))
		return bad_note(notes, note->type, error);
	if (note_types[note->type].form == FORM_FLAG)
		*(gboolean *)field = value != 0;
	else
		*(uint64_t *)field = value;
	return TRUE;
}

static gboolean take_other(struct notes *notes, const struct elf_note *note, GError **error)
{
	switch (note->type) {
	case XEN_ELFNOTE_L1_MFN_VALID:
		return take_l1_mfn_valid(notes, note, error);
	case XEN_ELFNOTE_BSD_SYMTAB:
		return take_bsd_symtab(notes, note);
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		return take_supported_features(notes, note, error);
	default:
		notes->phys32_entry = TRUE;
		return TRUE;
	}
}

static gboolean take_note(struct notes *notes, const struct elf_note *note, GError **error)
{
	struct image *image = notes->image;

	if (note->type >= G_N_ELEMENTS(note_types))
		return TRUE;
	notes->seen |= 1U << note->type;
	switch (note_types[note->type].form) {
	case FORM_NONE:
		return TRUE;
	case FORM_STRING:
		if (!take_string(notes, note, error))
			return FALSE;
		break;
	case FORM_ADDRESS:
	case FORM_FLAG:
		return take_number(notes, note, error);
	case FORM_OTHER:
		return take_other(notes, note, error);
	}
	if (note->type == XEN_ELFNOTE_FEATURES)
		return notes_add_features(notes, image->features, error);
	if (note->type == XEN_ELFNOTE_PAE_MODE)
		image->extended_cr3 = strcmp(image->pae_mode, "yes") == 0 ||
				      strstr(image->pae_mode, "bimodal");
	return TRUE;
}

/* Reads a range of notes; @left bounds how many there may be in all. */
static gboolean read_range(struct notes *notes, const struct elf *elf, uint64_t pos,
			   uint64_t len, unsigned int *left, GError **error)
{
	uint64_t end = pos + len;
	struct elf_note note;
	int more = elf_bytes(elf, pos, len) ? 1 : -1;

	while (more > 0 && *left) {
		more = elf_next_note(elf, &pos, end, &note);
		if (more <= 0)
			break;
		--*left;
		if (elf_note_is(&note, "Xen") && !take_note(notes, &note, error))
			return FALSE;
	}
	if (more == 0)
		return TRUE;
	g_set_error(
		error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
		more < 0 ? "%s: its ELF notes lie outside the file, which is cut off or corrupt"
			 : "%s: it has more ELF notes than any kernel; the file is corrupt",
		notes->name);
	return FALSE;
}

static gboolean read_segments(struct notes *notes, const struct elf *elf, unsigned int *left,
			      GError **error)
{
	for (unsigned int i = 0; i < elf->nr_segments; i++) {
		Elf64_Phdr segment = elf_segment(elf, i);

		/* Some binutils leave p_offset 0 (Xen 4.17 libelf-dominfo.c). */
		if (segment.p_type != PT_NOTE || segment.p_offset == 0)
			continue;
		if (!read_range(notes, elf, segment.p_offset, segment.p_filesz, left, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_sections(struct notes *notes, const struct elf *elf, unsigned int *left,
			      GError **error)
{
	for (unsigned int i = 0; i < elf->nr_sections; i++) {
		Elf64_Shdr section = elf_section(elf, i);

		if (section.sh_type != SHT_NOTE)
			continue;
		if (!read_range(notes, elf, section.sh_offset, section.sh_size, left, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_guest_section(struct notes *notes, const struct elf *elf,
				   const Elf64_Shdr *section, GError **error)
{
	const uint8_t *bytes = elf_bytes(elf, section->sh_offset, section->sh_size);
	g_autofree char *text = NULL;

	if (!bytes || section->sh_size > STRING_MAX) {
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
			    "%s: its __xen_guest section lies outside the file or is too long; "
			    "the file is cut off or corrupt",
			    notes->name);
		return FALSE;
	}
	text = notes_string(bytes, section->sh_size);
	return notes_read_guest_string(notes, text, error);
}

static gboolean no_description(const struct notes *notes, const struct elf *elf, GError **error)
{
	if (elf->sections_lost)
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
			    "%s: its section headers lie outside the file, which is cut off or "
			    "corrupt",
			    notes->name);
	else
		g_set_error(
			error, IMAGE_ERROR, IMAGE_ERROR_NOT_XEN,
			"%s: this kernel has no Xen PV entry: neither Xen's ELF notes nor a "
			"__xen_guest section (Linux has them when built with CONFIG_XEN_PV)",
			notes->name);
	return FALSE;
}

gboolean notes_read(struct notes *notes, const struct elf *elf, GError **error)
{
	unsigned int left = NOTES_MAX;
	Elf64_Shdr section;

	notes->seen = 0;
	notes->phys32_entry = FALSE;
	if (!read_segments(notes, elf, &left, error))
		return FALSE;
	if (!notes->seen && !read_sections(notes, elf, &left, error))
		return FALSE;
	notes->image->from_notes = notes->seen != 0;
	if (notes->seen)
		return TRUE;
	if (!elf_find_section(elf, "__xen_guest", &section))
		return no_description(notes, elf, error);
	return read_guest_section(notes, elf, &section, error);
}
