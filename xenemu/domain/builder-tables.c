/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-tables.c - the lists of frames and the bootstrap page tables
 */
#include "domain/builder-private.h"
#include <string.h>

/* What Xen 4.17's builder puts into entries (alloc_pgtables_x86_64()) */
#define PTE_PRESENT (1U << 0)
#define PTE_RW (1U << 1)
#define PTE_USER (1U << 2)
#define PTE_ACCESSED (1U << 5)
#define PTE_DIRTY (1U << 6)
#define PTE_PAGE (PTE_PRESENT | PTE_RW | PTE_ACCESSED)
#define PTE_TABLE (PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY | PTE_USER)

/* The root of PAE, where hardware wants all else to be 0, up to Xen 4.6 */
#define PTE_PAE_ROOT PTE_PRESENT
#define PAE_LEVELS 3

#define NOT_A_GUESTS (~0ULL)

/**
 * struct words - a long list of words on its way into memory
 * @linear: where the next go
 * @size:   of a word, 4 or 8 bytes
 * @used:   bytes that wait in @bytes
 */
struct words {
	struct builder *b;
	uint64_t linear;
	unsigned int size;
	unsigned int used;
	uint8_t bytes[32768];
};

static gboolean words_flush(struct words *words, GError **error)
{
	uint64_t linear = words->linear;
	unsigned int used = words->used;

	words->linear += used;
	words->used = 0;
	return builder_write(words->b, linear, words->bytes, used, error);
}

/* Little endian: the low half of a word comes first. */
static gboolean words_add(struct words *words, uint64_t word, GError **error)
{
	memcpy(&words->bytes[words->used], &word, words->size);
	words->used += words->size;
	return words->used < sizeof(words->bytes) || words_flush(words, error);
}

/* The pfn that a machine frame has at start of day, or NOT_A_GUESTS */
static uint64_t mfn_to_pfn(const struct build *build, uint64_t mfn)
{
	uint64_t frame = mfn;

	if (mfn >= HOLE_END >> PAGE_SHIFT)
		frame -= (HOLE_END - HOLE_START) >> PAGE_SHIFT;
	else if (mfn >= HOLE_START >> PAGE_SHIFT)
		return NOT_A_GUESTS;
	if (frame < build->first_mfn || frame - build->first_mfn >= build->nr_pages)
		return NOT_A_GUESTS;
	return frame - build->first_mfn;
}

static gboolean write_p2m(struct builder *b, GError **error)
{
	struct words words = { .b = b,
			       .linear = builder_linear(b, b->layout.p2m.pfn),
			       .size = b->layout.form->word };

	for (uint64_t pfn = 0; pfn < b->build->nr_pages; pfn++)
		if (!words_add(&words, build_pfn_to_mfn(b->build, pfn), error))
			return FALSE;
	return words_flush(&words, error);
}

/* A table of words of @size; none, when it has no @bytes */
static gboolean write_m2p(struct builder *b, uint64_t linear, uint64_t bytes, unsigned int size,
			  GError **error)
{
	struct words words = { .b = b, .linear = linear, .size = size };

	G_STATIC_ASSERT(NOT_A_GUESTS == M2P_INVALID);
	G_STATIC_ASSERT((uint32_t)NOT_A_GUESTS == M2P32_INVALID);
	for (uint64_t mfn = 0; mfn < bytes / size; mfn++)
		if (!words_add(&words, mfn_to_pfn(b->build, mfn), error))
			return FALSE;
	return words_flush(&words, error);
}

static gboolean is_owned(const struct build *build, uint64_t mfn)
{
	return mfn == build->shared_info_mfn || mfn_to_pfn(build, mfn) != NOT_A_GUESTS;
}

/* Frames that the guest can't have belong to nobody: zero, as memory is. */
static gboolean write_frame_table(struct builder *b, GError **error)
{
	uint64_t first = b->machine.slack >> PAGE_SHIFT;
	struct words words = { .b = b,
			       .linear = b->machine.frame_table + first * sizeof(uint64_t),
			       .size = sizeof(uint64_t) };

	for (uint64_t mfn = first; mfn < b->machine.end_mfn; mfn++)
		if (!words_add(&words, is_owned(b->build, mfn) ? FRAME_OWNED : 0, error))
			return FALSE;
	return words_flush(&words, error);
}

gboolean builder_write_lists(struct builder *b, GError **error)
{
	const struct machine_layout *machine = &b->machine;

	return write_p2m(b, error) &&
	       write_m2p(b, machine->m2p, machine->m2p_bytes, sizeof(uint64_t), error) &&
	       write_m2p(b, machine->m2p32, machine->m2p32_bytes, sizeof(uint32_t), error) &&
	       write_frame_table(b, error);
}

/* Entries are 4 bytes in the two-level form, where frame numbers are small. */
static void set_entry(struct builder *b, uint64_t table, uint64_t slot, uint64_t pfn,
		      uint64_t flags)
{
	uint64_t entry = build_pfn_to_mfn(b->build, pfn) << PAGE_SHIFT | flags;
	size_t size = PAGE_SIZE >> b->layout.form->entry_bits;

	memcpy((uint8_t *)builder_page(b, table) + slot * size, &entry, size);
}

/* Hangs a table into its parent. */
static void link_table(struct builder *b, unsigned int level, uint64_t number)
{
	const struct layout *layout = &b->layout;
	const struct paging_form *form = layout->form;
	uint64_t vaddr = number << (PAGE_SHIFT + level * form->entry_bits);
	gboolean bare = form->levels == PAE_LEVELS && level == 2 && layout->age != LAYOUT_XEN_4;

	set_entry(b, layout_table_pfn(layout, level + 1, vaddr),
		  number & ((1ULL << form->entry_bits) - 1),
		  layout_table_pfn(layout, level, vaddr), bare ? PTE_PAE_ROOT : PTE_TABLE);
}

/* Hangs the tables of a level that a mapping brought along into their parents. */
static void link_tables(struct builder *b, const struct layout_mapping *mapping,
			unsigned int level)
{
	const struct layout_tables *tables = &mapping->tables[level - 1];

	for (uint64_t i = 0; i < tables->nr; i++)
		link_table(b, level, tables->first + i);
	if (mapping->top_l2 && level == 2)
		link_table(b, level, LAYOUT_TOP_L2);
}

/* Maps a mapping's pages; tables are read-only, as no guest may write them. */
static void map_pages(struct builder *b, const struct layout_mapping *mapping)
{
	uint64_t mask = (1ULL << b->layout.form->entry_bits) - 1;
	uint64_t table = 0;

	for (uint64_t i = 0; i < mapping->run.pages; i++) {
		uint64_t vaddr = mapping->run.vstart + (i << PAGE_SHIFT);
		uint64_t pfn = mapping->run.pfn + i;
		uint64_t slot = vaddr >> PAGE_SHIFT & mask;
		uint64_t flags = layout_is_table(&b->layout, pfn) ? PTE_PAGE & ~PTE_RW
								  : PTE_PAGE;

		if (i == 0 || slot == 0)
			table = layout_table_pfn(&b->layout, 1, vaddr);
		set_entry(b, table, slot, pfn, flags);
	}
}

void builder_write_tables(struct builder *b)
{
	for (unsigned int i = 0; i < b->layout.nr_mappings; i++) {
		const struct layout_mapping *mapping = &b->layout.mappings[i];

		for (unsigned int level = b->layout.form->levels - 1; level >= 1; level--)
			link_tables(b, mapping, level);
		map_pages(b, mapping);
	}
}
