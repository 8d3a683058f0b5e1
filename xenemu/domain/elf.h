/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elf.h - a checked reader of ELF files in memory, 32 and 64 bits
 *
 * For guest kernels and monitor modules alike.  The bytes are hostile and, as
 * they may be a file's mapping, may even change: every header is copied out
 * once, and every range is checked before it is handed on.
 */
#ifndef XENEMU_DOMAIN_ELF_H
#define XENEMU_DOMAIN_ELF_H

#include <elf.h>
#include <glib.h>
#include <stdint.h>

/**
 * struct elf - an ELF file
 * @data, @size: its bytes; they must outlive the reader
 * @is_64:   ELFCLASS64
 * @machine: EM_*
 * @entry:   e_entry
 * @nr_segments: number of program headers, all of them within the file
 * @nr_sections: number of section headers, all of them within the file
 * @sections_lost: there is a section header table, but not within the file:
 *           @nr_sections is 0
 *
 * The rest is the reader's own.
 */
struct elf {
	const uint8_t *data;
	size_t size;
	gboolean is_64;
	uint16_t machine;
	uint64_t entry;
	unsigned int nr_segments;
	unsigned int nr_sections;
	gboolean sections_lost;

	uint64_t segments_at;
	uint64_t sections_at;
	unsigned int segment_size;
	unsigned int section_size;
	unsigned int names_index;
};

/**
 * elf_init() - read and check the ELF header
 * @elf:  filled
 * @data: the file's bytes
 * @size: how many
 *
 * Return: NULL, or what is wrong with it (a static string).
 */
const char *elf_init(struct elf *elf, const void *data, size_t size);

/** elf_is_elf() - do these bytes claim to be an ELF file? */
gboolean elf_is_elf(const void *data, size_t size);

/**
 * elf_bytes() - a range of the file
 * Return: @len bytes from @offset on, or NULL when they are not all there.
 */
const uint8_t *elf_bytes(const struct elf *elf, uint64_t offset, uint64_t len);

/**
 * elf_segment() - a program header, in the 64-bit form
 * @index: less than nr_segments
 *
 * What it says of the file is not checked: see elf_bytes().
 */
Elf64_Phdr elf_segment(const struct elf *elf, unsigned int index);

/** elf_section() - a section header likewise; @index is less than nr_sections */
Elf64_Shdr elf_section(const struct elf *elf, unsigned int index);

/**
 * elf_find_section() - the section with a name
 * @section: filled
 * Return: FALSE when there is none.
 */
gboolean elf_find_section(const struct elf *elf, const char *name, Elf64_Shdr *section);

/**
 * elf_is_loadable() - is this a segment that occupies memory?
 *
 * Xen's loaders want access rights as well (Xen 4.17 libelf-tools.c).
 */
gboolean elf_is_loadable(const Elf64_Phdr *segment);

/**
 * struct elf_note - one note
 * @type:   as its owner defines it
 * @owner:  name of the owner with its length, the terminating NUL not counted
 * @desc:   descriptor: what of it is within the file
 * @desc_len: how much that is, bytes
 * @clipped: the descriptor should be longer than the file has it
 */
struct elf_note {
	uint32_t type;
	const char *owner;
	size_t owner_len;
	const uint8_t *desc;
	size_t desc_len;
	gboolean clipped;
};

/**
 * elf_next_note() - walk over a note segment or section
 * @pos: offset in the file, advanced to the next note
 * @end: offset of the end of the segment or section
 * @note: filled
 *
 * Return: 1 a note; 0 the end; -1 a note's header or name lies outside the file.
 *
 * A descriptor may exceed @end and even the file: Debian's grub-i386-xen.bin
 * ends with such a note, and Xen's tools load it.
 */
int elf_next_note(const struct elf *elf, uint64_t *pos, uint64_t end, struct elf_note *note);

/** elf_note_is() - does a note have this owner? */
gboolean elf_note_is(const struct elf_note *note, const char *owner);

/**
 * elf_note_number() - a note's descriptor as a number
 * @value: filled
 * Return: FALSE when it is not 1, 2, 4 or 8 bytes.
 */
gboolean elf_note_number(const struct elf_note *note, uint64_t *value);

#endif
