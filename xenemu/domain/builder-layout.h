/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-layout.h - where everything goes: arithmetic only, no memory touched
 *
 * Two layouts: the guest's, in pseudo-physical frames and virtual addresses,
 * which is what the guest sees at its start of day and must be exactly what
 * Xen's domain builder makes; and the machine's, which is ours (protocol.h).
 */
#ifndef XENEMU_DOMAIN_BUILDER_LAYOUT_H
#define XENEMU_DOMAIN_BUILDER_LAYOUT_H

#include "domain/image.h"
#include "machine/memory.h"
#include "protocol.h"

#define LAYOUT_LEVELS_MAX 4
#define LAYOUT_MAPPINGS_MAX 2

/**
 * struct layout_run - pages that belong together
 * @pfn:    the first
 * @pages:  how many
 * @vstart: its virtual address; meaningless for what is not mapped
 */
struct layout_run {
	uint64_t pfn;
	uint64_t pages;
	uint64_t vstart;
};

/**
 * struct layout_tables - page tables of one level for one mapping
 * @first: number of the first table: the number of a table is the part of the
 *         (truncated) virtual address above what one table of its level covers
 * @nr:    how many, consecutive in number
 */
struct layout_tables {
	uint64_t first;
	uint64_t nr;
};

/**
 * struct layout_mapping - a range of virtual addresses that is mapped at start
 * @run:    pages mapped, and where
 * @tables: by level - 1: tables that this mapping brings along (those that an
 *          earlier mapping has brought already are left out)
 * @top_l2: PAE: one more L2 table, for the last GiB alone, where Xen has its
 *          part (order before Xen 4)
 * @nr_tables: how many in all
 * @tables_pfn: pfn of the first of them, the root; they are consecutive
 */
struct layout_mapping {
	struct layout_run run;
	struct layout_tables tables[LAYOUT_LEVELS_MAX];
	gboolean top_l2;
	uint64_t nr_tables;
	uint64_t tables_pfn;
};

/**
 * struct paging_form - how page tables are built, what addresses there are
 * @levels:  number of levels
 * @entry_bits: log2 of the number of entries in a table
 * @va_bits: address bits that the tables translate
 * @word:    bytes of a word of the guest, as in the p2m list
 * @low_end: end of the guest's addresses from 0 on
 * @high_start: the guest's addresses from here to the end of 64 bits, or
 *           UINT64_MAX
 */
struct paging_form {
	unsigned int levels;
	unsigned int entry_bits;
	unsigned int va_bits;
	unsigned int word;
	uint64_t low_end;
	uint64_t high_start;
};

/**
 * enum layout_age - whose builder a guest must be laid out by
 * @LAYOUT_XEN_3_0: tables in the order in which they are first needed
 * @LAYOUT_XEN_3_1: tables by level; PAE: an L2 table for the last GiB
 * @LAYOUT_XEN_4:   tables by level; PAE: L2 tables up to 4 GiB; INIT_P2M and
 *                  MOD_START_PFN are honoured
 */
enum layout_age {
	LAYOUT_XEN_3_0,
	LAYOUT_XEN_3_1,
	LAYOUT_XEN_4,
};

/**
 * struct layout - a guest's start of day
 * @form:       its paging
 * @age:        whose builder lays it out
 * @nr_pages:   its memory
 * @virt_base:  virtual address of pfn 0
 * @kernel, @ramdisk, @p2m: as placed; @ramdisk.pages is 0 without one
 * @ramdisk_unmapped: the ramdisk lies outside of the initial mapping
 * @p2m_apart:  the p2m list is mapped at the image's INIT_P2M; @p2m.pages then
 *              counts the list's pages only
 * @start_info, @store, @console, @stack: pfns
 * @mappings, @nr_mappings: [0] kernel and all that follows it, [1] the p2m list
 * @alloc_end:  first pfn after the boot stack
 * @end:        first pfn after all that has been placed; free memory follows
 */
struct layout {
	const struct paging_form *form;
	enum layout_age age;
	uint64_t nr_pages;
	uint64_t virt_base;
	struct layout_run kernel;
	struct layout_run ramdisk;
	struct layout_run p2m;
	gboolean ramdisk_unmapped;
	gboolean p2m_apart;
	uint64_t start_info;
	uint64_t store;
	uint64_t console;
	uint64_t stack;
	struct layout_mapping mappings[LAYOUT_MAPPINGS_MAX];
	unsigned int nr_mappings;
	uint64_t alloc_end;
	uint64_t end;
};

/**
 * layout_guest() - lay a guest out as Xen's builder does
 * @layout:   filled
 * @age:      which Xen's
 * @image:    the kernel
 * @nr_pages: guest memory
 * @ramdisk_bytes: size of the ramdisk, 0 without one
 *
 * Memory is taken to be unlimited: when layout.end exceeds @nr_pages, the
 * guest's memory is too small.
 * Return: NULL, or why the image can't be where it wants to be.
 */
const char *layout_guest(struct layout *layout, enum layout_age age, const struct image *image,
			 uint64_t nr_pages, uint64_t ramdisk_bytes);

/** layout_least_pages() - guest memory that suffices for layout_guest() */
uint64_t layout_least_pages(enum layout_age age, const struct image *image,
			    uint64_t ramdisk_bytes);

/** layout_vaddr() - virtual address of a page of the first mapping */
uint64_t layout_vaddr(const struct layout *layout, uint64_t pfn);

/**
 * layout_table_pfn() - the table of a level that translates an address
 * @level: 1 to form->levels
 * @vaddr: within one of the mappings
 */
uint64_t layout_table_pfn(const struct layout *layout, unsigned int level, uint64_t vaddr);

/** PAE: number of the L2 table for the last GiB */
#define LAYOUT_TOP_L2 3

/** layout_is_table() - does @pfn hold a page table? */
gboolean layout_is_table(const struct layout *layout, uint64_t pfn);

/**
 * layout_describe() - the guest's layout as text, a line a segment
 * Return: caller frees.
 */
char *layout_describe(const struct layout *layout);

/**
 * struct machine_layout - machine memory (protocol.h), addresses in bytes
 * @bytes:   of memory in all, the hole not counted
 * @end_mfn: first frame after it, the hole counted
 * @m2p32, @m2p32_bytes: 0 for 64-bit guests
 * @slack:   where frames begin that the guest may have, 2 MiB aligned
 * @guest:   where its memory begins, 2 MiB aligned, below the hole
 */
struct machine_layout {
	uint64_t vcpu_area;
	uint64_t event_area;
	uint64_t frame_table;
	uint64_t written;
	uint64_t lent;
	uint64_t m2p;
	uint64_t m2p_bytes;
	uint64_t m2p32;
	uint64_t m2p32_bytes;
	uint64_t heap;
	uint64_t heap_bytes;
	uint64_t slack;
	uint64_t guest;
	uint64_t bytes;
	uint64_t end_mfn;
};

/*
 * Frames before the guest's memory: shared_info, grant table (64 frames, Xen's
 * own default limit), and what a guest may take before it gives some back.
 * Before it, because 32-bit guests take the address of shared_info for one of
 * 32 bits, and old ones the numbers of the grant table's frames for 20 bits.
 */
#define LAYOUT_SLACK_FRAMES 512

/** Most guest memory: what the monitor needs for it must lie below the hole */
#define LAYOUT_MEMORY_MAX (256ULL << 30)

/**
 * layout_machine() - lay the machine's memory out
 * @layout:     filled
 * @width:      of the guest
 * @module_end: first address after the monitor's image
 * @nr_vcpus:   1 to MAX_VCPUS
 * @nr_pages:   guest memory, at most LAYOUT_MEMORY_MAX
 */
void layout_machine(struct machine_layout *layout, enum image_width width, uint64_t module_end,
		    unsigned int nr_vcpus, uint64_t nr_pages);

#endif
