/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elf.c - a checked reader of ELF files in memory
 */
#include "domain/elf.h"
#include <string.h>

gboolean elf_is_elf(const void *data, size_t size)
{
	return size >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0;
}

const uint8_t *elf_bytes(const struct elf *elf, uint64_t offset, uint64_t len)
{
	if (offset > elf->size || len > elf->size - offset)
		return NULL;
	return elf->data + offset;
}

static void take_header_64(struct elf *elf)
{
	Elf64_Ehdr head;

	memcpy(&head, elf->data, sizeof(head));
	elf->machine = head.e_machine;
	elf->entry = head.e_entry;
	elf->segments_at = head.e_phoff;
	elf->segment_size = head.e_phentsize;
	elf->nr_segments = head.e_phnum;
	elf->sections_at = head.e_shoff;
	elf->section_size = head.e_shentsize;
	elf->nr_sections = head.e_shnum;
	elf->names_index = head.e_shstrndx;
}

static void take_header_32(struct elf *elf)
{
	Elf32_Ehdr head;

	memcpy(&head, elf->data, sizeof(head));
	elf->machine = head.e_machine;
	elf->entry = head.e_entry;
	elf->segments_at = head.e_phoff;
	elf->segment_size = head.e_phentsize;
	elf->nr_segments = head.e_phnum;
	elf->sections_at = head.e_shoff;
	elf->section_size = head.e_shentsize;
	elf->nr_sections = head.e_shnum;
	elf->names_index = head.e_shstrndx;
}

static gboolean table_fits(const struct elf *elf, uint64_t at, unsigned int nr,
			   unsigned int size, size_t least)
{
	return nr == 0 || (size >= least && elf_bytes(elf, at, (uint64_t)nr * size));
}

const char *elf_init(struct elf *elf, const void *data, size_t size)
{
	*elf = (struct elf){ .data = data, .size = size };
	if (size < EI_NIDENT || !elf_is_elf(data, size))
		return "not an ELF file";
	elf->is_64 = elf->data[EI_CLASS] == ELFCLASS64;
	if (!elf->is_64 && elf->data[EI_CLASS] != ELFCLASS32)
		return "an ELF file of an unknown word size";
	if (elf->data[EI_DATA] != ELFDATA2LSB)
		return "a big-endian ELF file";
	if (size < (elf->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return "the ELF header is cut off";
	if (elf->is_64)
		take_header_64(elf);
	else
		take_header_32(elf);

	if (!table_fits(elf, elf->segments_at, elf->nr_segments, elf->segment_size,
			elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return "the program headers lie outside the file";
	if (!table_fits(elf, elf->sections_at, elf->nr_sections, elf->section_size,
			elf->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr))) {
		elf->sections_lost = TRUE;
		elf->nr_sections = 0;
	}
	return NULL;
}

Elf64_Phdr elf_segment(const struct elf *elf, unsigned int index)
{
	const uint8_t *at = elf->data + elf->segments_at + (uint64_t)index * elf->segment_size;
	Elf64_Phdr wide;
	Elf32_Phdr narrow;

	if (elf->is_64) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return (Elf64_Phdr){
		.p_type = narrow.p_type,
		.p_flags = narrow.p_flags,
		.p_offset = narrow.p_offset,
		.p_vaddr = narrow.p_vaddr,
		.p_paddr = narrow.p_paddr,
		.p_filesz = narrow.p_filesz,
		.p_memsz = narrow.p_memsz,
		.p_align = narrow.p_align,
	};
}

Elf64_Shdr elf_section(const struct elf *elf, unsigned int index)
{
	const uint8_t *at = elf->data + elf->sections_at + (uint64_t)index * elf->section_size;
	Elf64_Shdr wide;
	Elf32_Shdr narrow;

	if (elf->is_64) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return (Elf64_Shdr){
		.sh_name = narrow.sh_name,
		.sh_type = narrow.sh_type,
		.sh_flags = narrow.sh_flags,
		.sh_addr = narrow.sh_addr,
		.sh_offset = narrow.sh_offset,
		.sh_size = narrow.sh_size,
		.sh_link = narrow.sh_link,
		.sh_info = narrow.sh_info,
		.sh_addralign = narrow.sh_addralign,
		.sh_entsize = narrow.sh_entsize,
	};
}

gboolean elf_find_section(const struct elf *elf, const char *name, Elf64_Shdr *section)
{
	size_t len = strlen(name) + 1;
	Elf64_Shdr names;

	if (elf->names_index >= elf->nr_sections)
		return FALSE;
	names = elf_section(elf, elf->names_index);
	for (unsigned int i = 0; i < elf->nr_sections; i++) {
		const uint8_t *is;

		*section = elf_section(elf, i);
		if (section->sh_name > names.sh_size || len > names.sh_size - section->sh_name)
			continue;
		/* Neither term can wrap: sh_name has 32 bits, see elf_bytes(). */
		if (names.sh_offset > elf->size)
			return FALSE;
		is = elf_bytes(elf, names.sh_offset + section->sh_name, len);
		if (is && memcmp(is, name, len) == 0)
			return TRUE;
	}
	return FALSE;
}

gboolean elf_is_loadable(const Elf64_Phdr *segment)
{
	return segment->p_type == PT_LOAD && (segment->p_flags & (PF_R | PF_W | PF_X));
}

/* Notes are padded to 4 bytes in both word sizes, whatever the gABI says. */
static uint64_t padded(uint32_t len)
{
	return ((uint64_t)len + 3) & ~3ULL;
}

int elf_next_note(const struct elf *elf, uint64_t *pos, uint64_t end, struct elf_note *note)
{
	const uint8_t *head = elf_bytes(elf, *pos, sizeof(Elf64_Nhdr));
	uint64_t desc_at;
	Elf64_Nhdr n; /* the same in both word sizes */

	if (*pos >= end || end - *pos < sizeof(n))
		return 0; /* what is left can only be padding */
	if (!head)
		return -1;
	memcpy(&n, head, sizeof(n));
	note->type = n.n_type;
	note->owner = (const char *)elf_bytes(elf, *pos + sizeof(n), n.n_namesz);
	if (!note->owner)
		return -1;
	note->owner_len = strnlen(note->owner, n.n_namesz);

	desc_at = *pos + sizeof(n) + padded(n.n_namesz);
	note->desc_len = desc_at < elf->size ? MIN(n.n_descsz, elf->size - desc_at) : 0;
	note->desc = note->desc_len ? elf->data + desc_at : elf->data;
	note->clipped = note->desc_len < n.n_descsz;
	*pos = desc_at + padded(n.n_descsz);
	return 1;
}

gboolean elf_note_is(const struct elf_note *note, const char *owner)
{
	return note->owner_len == strlen(owner) &&
	       memcmp(note->owner, owner, note->owner_len) == 0;
}

gboolean elf_note_number(const struct elf_note *note, uint64_t *value)
{
	size_t len = note->desc_len;

	if (note->clipped || (len != 1 && len != 2 && len != 4 && len != 8))
		return FALSE;
	*value = 0;
	memcpy(value, note->desc, len); /* little endian, as we are */
	return TRUE;
}
