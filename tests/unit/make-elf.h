/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make-elf.h - small ELF files made to measure, for tests
 */
#ifndef XENEMU_TESTS_MAKE_ELF_H
#define XENEMU_TESTS_MAKE_ELF_H

#include <elf.h>
#include <glib.h>
#include <stdint.h>

/**
 * struct make_elf - an ELF file in the making
 * @is_64, @machine, @entry: its header
 * @notes:   its notes, in the PT_NOTE segment
 * @notes_in_section: put them into an SHT_NOTE section instead
 * @note_segment_short: bytes that the PT_NOTE segment lacks of its notes
 *
 * What is not here a test does to the finished bytes.
 */
struct make_elf {
	gboolean is_64;
	uint16_t machine;
	uint64_t entry;
	GByteArray *notes;
	gboolean notes_in_section;
	size_t note_segment_short;
	GArray *segments;
	GArray *sections;
};

/** make_elf_new() - an empty file: 64-bit x86_64, or 32-bit 386 */
struct make_elf *make_elf_new(gboolean is_64);

/**
 * make_elf_kernel() - a file with all that a minimal x86_64 PV kernel has: one
 * segment of a page of code and a page of .bss at pfn 0x100, VIRT_BASE
 * 0xffffffff80000000, ENTRY at its start, a generic loader
 */
struct make_elf *make_elf_kernel(void);

/**
 * make_elf_kernel32() - the same of a 32-bit kernel: VIRT_BASE 0xc0000000
 * @pae: its PAE_MODE: "yes", "no"
 */
struct make_elf *make_elf_kernel32(const char *pae);

/** make_elf_segment() - add a PT_LOAD; @bytes is copied, NULL means 0x90 */
void make_elf_segment(struct make_elf *elf, uint64_t paddr, const void *bytes, size_t filesz,
		      uint64_t memsz);

/** make_elf_section() - add a section; @bytes is copied */
void make_elf_section(struct make_elf *elf, const char *name, uint32_t type, const void *bytes,
		      size_t len);

void make_elf_note(struct make_elf *elf, const char *owner, uint32_t type, const void *desc,
		   size_t len);
void make_elf_xen_string(struct make_elf *elf, uint32_t type, const char *text);
void make_elf_xen_number(struct make_elf *elf, uint32_t type, uint64_t value);

/** make_elf_finish() - the file's bytes; @elf is freed */
GBytes *make_elf_finish(struct make_elf *elf);

/** change_bytes() - a copy of @bytes with @len bytes at @offset overwritten */
GBytes *change_bytes(GBytes *bytes, size_t offset, const void *with, size_t len);

#endif
