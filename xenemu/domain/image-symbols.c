/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image-symbols.c - the symbol table that a BSD kernel wants in its memory
 *
 * As Xen 4.17 lays it out (libelf-loader.c, elf_load_bsdsyms()): length, ELF
 * header, three section headers (none, symbols, strings), symbols, strings; the
 * room for the headers is that of the 64-bit form in both.  Older builders copy
 * all section headers; kernels find the tables by them in either case.
 */
#include "domain/image-symbols.h"
#include <string.h>

#define NR_SECTIONS 3
#define SYMBOLS 1
#define STRINGS 2

#define LENGTH_BYTES sizeof(uint32_t)
#define HEADERS_BYTES (sizeof(Elf64_Ehdr) + NR_SECTIONS * sizeof(Elf64_Shdr))
#define SECTIONS_AT sizeof(Elf64_Ehdr) /* from the ELF header on */

#define TABLE_MAX (32U << 20)

/**
 * struct symbols - the parts
 * @section: headers of the tables, as in the kernel
 * @bytes:   the tables
 */
struct symbols {
	Elf64_Shdr section[NR_SECTIONS];
	const uint8_t *bytes[NR_SECTIONS];
};

static gboolean take_table(struct symbols *sym, const struct elf *elf, unsigned int which,
			   unsigned int index)
{
	Elf64_Shdr *section = &sym->section[which];

	*section = elf_section(elf, index);
	if (section->sh_size > TABLE_MAX)
		return FALSE;
	sym->bytes[which] = elf_bytes(elf, section->sh_offset, section->sh_size);
	return sym->bytes[which] != NULL;
}

/* The first symbol table, and the strings that it refers to */
static gboolean find(struct symbols *sym, const struct elf *elf)
{
	unsigned int index = 0, strings;

	while (index < elf->nr_sections && elf_section(elf, index).sh_type != SHT_SYMTAB)
		index++;
	if (index == elf->nr_sections || !take_table(sym, elf, SYMBOLS, index))
		return FALSE;
	strings = sym->section[SYMBOLS].sh_link;
	return strings < elf->nr_sections && elf_section(elf, strings).sh_type == SHT_STRTAB &&
	       take_table(sym, elf, STRINGS, strings);
}

static void put_header(const struct elf *elf, uint8_t *to)
{
	if (elf->is_64) {
		Elf64_Ehdr header;

		memcpy(&header, elf->data, sizeof(header));
		header.e_version = EV_CURRENT;
		header.e_ehsize = sizeof(header);
		header.e_phoff = header.e_phentsize = header.e_phnum = 0;
		header.e_shoff = SECTIONS_AT;
		header.e_shentsize = sizeof(Elf64_Shdr);
		header.e_shnum = NR_SECTIONS;
		header.e_shstrndx = SHN_UNDEF;
		memcpy(to, &header, sizeof(header));
	} else {
		Elf32_Ehdr header;

		memcpy(&header, elf->data, sizeof(header));
		header.e_version = EV_CURRENT;
		header.e_ehsize = sizeof(header);
		header.e_phoff = header.e_phentsize = header.e_phnum = 0;
		header.e_shoff = SECTIONS_AT;
		header.e_shentsize = sizeof(Elf32_Shdr);
		header.e_shnum = NR_SECTIONS;
		header.e_shstrndx = SHN_UNDEF;
		memcpy(to, &header, sizeof(header));
	}
}

static void put_section(const struct elf *elf, uint8_t *to, const Elf64_Shdr *section)
{
	Elf32_Shdr narrow = {
		.sh_name = section->sh_name,
		.sh_type = section->sh_type,
		.sh_flags = (uint32_t)section->sh_flags,
		.sh_addr = (uint32_t)section->sh_addr,
		.sh_offset = (uint32_t)section->sh_offset,
		.sh_size = (uint32_t)section->sh_size,
		.sh_link = section->sh_link,
		.sh_info = section->sh_info,
		.sh_addralign = (uint32_t)section->sh_addralign,
		.sh_entsize = (uint32_t)section->sh_entsize,
	};

	if (elf->is_64)
		memcpy(to, section, sizeof(*section));
	else
		memcpy(to, &narrow, sizeof(narrow));
}

GBytes *image_symbols(const struct elf *elf)
{
	uint64_t align = image_symbols_align(elf);
	size_t shdr = elf->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	struct symbols sym = { 0 };
	uint64_t at[NR_SECTIONS], end;
	uint32_t length;
	uint8_t *all;

	if (!find(&sym, elf))
		return NULL;
	at[SYMBOLS] = (LENGTH_BYTES + HEADERS_BYTES + align - 1) & -align;
	at[STRINGS] = (at[SYMBOLS] + sym.section[SYMBOLS].sh_size + align - 1) & -align;
	end = at[STRINGS] + sym.section[STRINGS].sh_size;
	all = g_malloc0(end);
	length = (uint32_t)(end - LENGTH_BYTES);
	memcpy(all, &length, sizeof(length));
	put_header(elf, all + LENGTH_BYTES);
	sym.section[SYMBOLS].sh_link = STRINGS;
	for (unsigned int i = SYMBOLS; i < NR_SECTIONS; i++) {
		sym.section[i].sh_offset = at[i] - LENGTH_BYTES;
		put_section(elf, all + LENGTH_BYTES + SECTIONS_AT + i * shdr, &sym.section[i]);
		memcpy(all + at[i], sym.bytes[i], sym.section[i].sh_size);
	}
	return g_bytes_new_take(all, end);
}
