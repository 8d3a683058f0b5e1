/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-layout.c - the guest's start of day, exactly as Xen's domain builder
 * lays it out (3.0.3 tools/libxc/xc_linux_build.c; 3.1 tools/libxc/xc_dom_core.c,
 * xc_dom_x86.c; 4.17 tools/libs/guest/xg_dom_core.c, xg_dom_x86.c)
 *
 * pfns are handed out one after the other: kernel, ramdisk, p2m list,
 * start_info, xenstore page, console page, page tables, boot stack; the initial
 * mapping ends at the next 4 MiB with 512 KiB to spare; a ramdisk or p2m list
 * that need not be mapped with the kernel follows after that.
 */
#include "domain/builder-layout.h"
#include <inttypes.h>

#define MAP_ALIGN (4ULL << 20)
#define MAP_SPARE_PAGES ((512U << 10) / PAGE_SIZE)
#define MAPPING_PAGES_MAX (1ULL << (47 - PAGE_SHIFT)) /* half of the address space */

#define PAE_LEVELS 3
#define PAE_LAST_GIB 0xc0000000ULL

/* Slots 256-271 of the root are Xen's (arch-x86/xen-x86_64.h). */
static const struct paging_form forms[] = {
	[IMAGE_X86_64] = { .levels = 4,
			   .entry_bits = 9,
			   .va_bits = 48,
			   .word = 8,
			   .low_end = 0x0000800000000000,
			   .high_start = 0xffff880000000000 },
	[IMAGE_X86_32P] = { .levels = PAE_LEVELS,
			    .entry_bits = 9,
			    .va_bits = 32,
			    .word = 4,
			    .low_end = HOLE32_PAE,
			    .high_start = UINT64_MAX },
	[IMAGE_X86_32] = { .levels = 2,
			   .entry_bits = 10,
			   .va_bits = 32,
			   .word = 4,
			   .low_end = HOLE32_TWO_LEVEL,
			   .high_start = UINT64_MAX },
};

static uint64_t pages_of(uint64_t bytes)
{
	return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

uint64_t layout_vaddr(const struct layout *layout, uint64_t pfn)
{
	return layout->virt_base + (pfn << PAGE_SHIFT);
}

/* Address bits that one table of a level covers */
static unsigned int table_shift(const struct paging_form *form, unsigned int level)
{
	return PAGE_SHIFT + level * form->entry_bits;
}

static uint64_t truncated(const struct paging_form *form, uint64_t vaddr)
{
	return vaddr & ((1ULL << form->va_bits) - 1);
}

static uint64_t table_number(const struct paging_form *form, unsigned int level, uint64_t vaddr)
{
	return level == form->levels ? 0 : truncated(form, vaddr) >> table_shift(form, level);
}

static struct layout_tables *tables_of(struct layout_mapping *mapping, unsigned int level)
{
	return &mapping->tables[level - 1];
}

/* Leaves out the tables that @other has as well; it lies above in memory. */
static void share_tables(struct layout_tables *tables, const struct layout_tables *other)
{
	if (other->nr && tables->first + tables->nr > other->first)
		tables->nr = other->first > tables->first ? other->first - tables->first : 0;
}

/*
 * With PAE the last GiB, part of which is Xen's, always has an L2 table.  Xen's
 * builder since 4.7 makes those before it, too; Mini-OS up to 3.3 can't stand
 * that.
 */
static void add_top_l2(const struct layout *layout, struct layout_mapping *mapping,
		       uint64_t last)
{
	struct layout_tables *tables = tables_of(mapping, 2);

	if (layout->form->levels != PAE_LEVELS || last >= PAE_LAST_GIB)
		return;
	if (layout->age == LAYOUT_XEN_4)
		tables->nr = LAYOUT_TOP_L2 + 1 - tables->first;
	else
		mapping->top_l2 = TRUE;
}

/* Which tables a mapping needs; they get the pfns from @pfn on. */
static void count_tables(struct layout *layout, struct layout_mapping *mapping, uint64_t pfn)
{
	const struct layout_run *run = &mapping->run;
	uint64_t last = run->vstart + (run->pages << PAGE_SHIFT) - 1;
	gboolean is_first = mapping == &layout->mappings[0];

	for (unsigned int level = layout->form->levels; level >= 1; level--) {
		struct layout_tables *tables = tables_of(mapping, level);

		tables->first = table_number(layout->form, level, run->vstart);
		tables->nr = table_number(layout->form, level, last) - tables->first + 1;
		if (!is_first)
			share_tables(tables, tables_of(&layout->mappings[0], level));
	}
	mapping->top_l2 = FALSE;
	if (is_first)
		add_top_l2(layout, mapping, last);
	mapping->tables_pfn = pfn;
	mapping->nr_tables = mapping->top_l2;
	for (unsigned int level = 1; level <= layout->form->levels; level++)
		mapping->nr_tables += tables_of(mapping, level)->nr;
}

/* --- the order of the tables: index of one among those of its mapping --- */

/* By level, the root first; the L2 table for the last GiB is the last of its level. */
static uint64_t index_by_level(const struct layout *layout,
			       const struct layout_mapping *mapping, unsigned int level,
			       uint64_t number)
{
	uint64_t index = number - mapping->tables[level - 1].first;

	for (unsigned int above = level + 1; above <= layout->form->levels; above++)
		index += mapping->tables[above - 1].nr;
	return index + (mapping->top_l2 && level == 1);
}

/* Tables of a level that a walk through the mapping's pages has needed before @vaddr */
static uint64_t needed_before(const struct layout *layout, const struct layout_mapping *mapping,
			      unsigned int level, uint64_t vaddr)
{
	if (vaddr == truncated(layout->form, mapping->run.vstart))
		return 0;
	return table_number(layout->form, level, vaddr - 1) - mapping->tables[level - 1].first +
	       1;
}

/*
 * Xen 3.0.3 walks through the pages and takes tables when it needs them; those
 * needed at the same address from the lowest level up, with PAE from the highest
 * down.  The L2 table for the last GiB comes last.
 */
static uint64_t index_by_need(const struct layout *layout, const struct layout_mapping *mapping,
			      unsigned int level, uint64_t number)
{
	const struct paging_form *form = layout->form;
	uint64_t start = truncated(form, mapping->run.vstart);
	uint64_t vaddr = MAX(start, number << table_shift(form, level));
	uint64_t index = 1; /* the root */

	if (level == form->levels)
		return 0;
	for (unsigned int other = 1; other < form->levels; other++) {
		gboolean sooner = form->levels == PAE_LEVELS ? other > level : other < level;

		/* Just after its first page, a table has been needed. */
		index += needed_before(layout, mapping, other, vaddr + sooner);
	}
	return index;
}

static uint64_t table_pfn(const struct layout *layout, const struct layout_mapping *mapping,
			  unsigned int level, uint64_t number)
{
	const struct layout_tables *tables = &mapping->tables[level - 1];

	if (mapping->top_l2 && level == 2 && number == LAYOUT_TOP_L2)
		return mapping->tables_pfn + (layout->age == LAYOUT_XEN_3_0
						      ? mapping->nr_tables - 1
						      : 1 + tables->nr);
	if (layout->age == LAYOUT_XEN_3_0)
		return mapping->tables_pfn + index_by_need(layout, mapping, level, number);
	return mapping->tables_pfn + index_by_level(layout, mapping, level, number);
}

uint64_t layout_table_pfn(const struct layout *layout, unsigned int level, uint64_t vaddr)
{
	uint64_t number = table_number(layout->form, level, vaddr);

	for (unsigned int i = 0; i < layout->nr_mappings; i++) {
		const struct layout_mapping *mapping = &layout->mappings[i];
		const struct layout_tables *tables = &mapping->tables[level - 1];

		if ((number >= tables->first && number - tables->first < tables->nr) ||
		    (mapping->top_l2 && level == 2 && number == LAYOUT_TOP_L2))
			return table_pfn(layout, mapping, level, number);
	}
	g_return_val_if_reached(0);
}

gboolean layout_is_table(const struct layout *layout, uint64_t pfn)
{
	for (unsigned int i = 0; i < layout->nr_mappings; i++) {
		const struct layout_mapping *mapping = &layout->mappings[i];

		if (pfn >= mapping->tables_pfn &&
		    pfn - mapping->tables_pfn < mapping->nr_tables)
			return TRUE;
	}
	return FALSE;
}

/* The next @pages pfns */
static struct layout_run take(struct layout *layout, uint64_t pages)
{
	struct layout_run run = { .pfn = layout->end,
				  .pages = pages,
				  .vstart = layout_vaddr(layout, layout->end) };

	layout->end += pages;
	return run;
}

static uint64_t take_page(struct layout *layout)
{
	return take(layout, 1).pfn;
}

/* Addresses that a guest may map: canonical, and not Xen's */
static gboolean is_guest_range(const struct paging_form *form, const struct layout_run *run)
{
	uint64_t last = run->vstart + (run->pages << PAGE_SHIFT) - 1;

	if (run->pages > MAPPING_PAGES_MAX || last < run->vstart)
		return FALSE;
	return last < form->low_end || run->vstart >= form->high_start;
}

/*
 * The tables map themselves, so their number depends on itself.  Ends when they
 * fit, which they do: 4 MiB more take only two or three pages more.
 */
static gboolean take_tables(struct layout *layout)
{
	struct layout_mapping *mapping = &layout->mappings[0];
	uint64_t extra = 1 /* boot stack */ + MAP_SPARE_PAGES;
	uint64_t pages = extra;

	mapping->run = (struct layout_run){ .vstart = layout->virt_base };
	do {
		/* As libxc rounds: up to the last byte of 4 MiB. */
		uint64_t last = layout_vaddr(layout, layout->end + pages) | (MAP_ALIGN - 1);

		if (layout->end + pages > MAPPING_PAGES_MAX)
			return FALSE; /* also because addresses would wrap */
		mapping->run.pages = (last - layout->virt_base + 1) >> PAGE_SHIFT;
		if (!is_guest_range(layout->form, &mapping->run))
			return FALSE;
		count_tables(layout, mapping, layout->end);
		pages = mapping->nr_tables + extra;
	} while (layout->end + pages > mapping->run.pages);
	layout->nr_mappings = 1;
	layout->end += mapping->nr_tables;
	return TRUE;
}

/* The p2m list at an address of its own; its tables follow it. */
static gboolean take_p2m_apart(struct layout *layout, uint64_t vaddr, uint64_t pages)
{
	struct layout_mapping *mapping = &layout->mappings[1];

	layout->p2m = take(layout, pages);
	layout->p2m.vstart = vaddr;
	mapping->run = layout->p2m;
	/* It begins below the first mapping: see layout_guest(). */
	if (!is_guest_range(layout->form, &mapping->run) ||
	    vaddr + (pages << PAGE_SHIFT) > layout->mappings[0].run.vstart)
		return FALSE;
	count_tables(layout, mapping, layout->end);
	layout->nr_mappings = 2;
	layout->end += mapping->nr_tables;
	return TRUE;
}

const char *layout_guest(struct layout *layout, enum layout_age age, const struct image *image,
			 uint64_t nr_pages, uint64_t ramdisk_bytes)
{
	const struct paging_form *form = &forms[image->width];
	uint64_t p2m_pages = pages_of(nr_pages * form->word);
	uint64_t ramdisk_pages = pages_of(ramdisk_bytes);

	*layout = (struct layout){
		.form = form,
		.age = age,
		.nr_pages = nr_pages,
		.virt_base = image->virt_base,
		.ramdisk_unmapped = ramdisk_bytes && image->mod_start_pfn &&
				    age == LAYOUT_XEN_4,
		/* libxc honours INIT_P2M for 64 bits, and only below virt_base. */
		.p2m_apart = image->init_p2m < image->virt_base &&
			     !(image->init_p2m & (PAGE_SIZE - 1)) && age == LAYOUT_XEN_4 &&
			     image->width == IMAGE_X86_64,
	};
	layout->end = (image->virt_start - image->virt_base) >> PAGE_SHIFT;
	layout->kernel = take(layout, (image->virt_end - image->virt_start) >> PAGE_SHIFT);
	if (!layout->ramdisk_unmapped)
		layout->ramdisk = take(layout, ramdisk_pages);
	if (!layout->p2m_apart)
		layout->p2m = take(layout, p2m_pages);
	layout->start_info = take_page(layout);
	layout->store = take_page(layout);
	layout->console = take_page(layout);
	if (!take_tables(layout))
		return "its initial mapping reaches into addresses that are not a guest's";
	layout->stack = take_page(layout);
	layout->alloc_end = layout->end;
	layout->end = layout->mappings[0].run.pages;
	if (layout->ramdisk_unmapped)
		layout->ramdisk = take(layout, ramdisk_pages);
	if (layout->p2m_apart && !take_p2m_apart(layout, image->init_p2m, p2m_pages))
		return "its p2m list would lie at addresses that are not free (INIT_P2M)";
	return NULL;
}

/* More memory takes a longer p2m list, which takes more memory. */
uint64_t layout_least_pages(enum layout_age age, const struct image *image,
			    uint64_t ramdisk_bytes)
{
	struct layout layout = { .end = 1 };
	uint64_t pages;

	do {
		pages = layout.end;
		if (layout_guest(&layout, age, image, pages, ramdisk_bytes))
			break;
	} while (layout.end > pages);
	return pages;
}

static void describe(GString *text, const char *what, uint64_t vstart, uint64_t pfn,
		     uint64_t pages)
{
	g_string_append_printf(text,
			       "%-12s 0x%016" PRIx64 " -> 0x%016" PRIx64 "  pfn 0x%" PRIx64
			       " + 0x%" PRIx64 "\n",
			       what, vstart, vstart + (pages << PAGE_SHIFT), pfn, pages);
}

static void describe_page(GString *text, const struct layout *layout, const char *what,
			  uint64_t pfn)
{
	describe(text, what, layout_vaddr(layout, pfn), pfn, 1);
}

static void describe_unmapped(GString *text, const char *what, uint64_t pfn, uint64_t pages)
{
	g_string_append_printf(text, "%-12s not mapped  pfn 0x%" PRIx64 " + 0x%" PRIx64 "\n",
			       what, pfn, pages);
}

static void describe_run(GString *text, const char *what, const struct layout_run *run)
{
	describe(text, what, run->vstart, run->pfn, run->pages);
}

char *layout_describe(const struct layout *layout)
{
	GString *text = g_string_new(NULL);
	const struct layout_mapping *first = &layout->mappings[0],
				    *second = &layout->mappings[1];

	describe_run(text, "kernel", &layout->kernel);
	if (layout->ramdisk.pages && !layout->ramdisk_unmapped)
		describe_run(text, "ramdisk", &layout->ramdisk);
	if (!layout->p2m_apart)
		describe_run(text, "phys2mach", &layout->p2m);
	describe_page(text, layout, "start_info", layout->start_info);
	describe_page(text, layout, "xenstore", layout->store);
	describe_page(text, layout, "console", layout->console);
	describe(text, "page tables", layout_vaddr(layout, first->tables_pfn),
		 first->tables_pfn, first->nr_tables);
	describe_page(text, layout, "boot stack", layout->stack);
	describe_run(text, "mapping", &first->run);
	if (layout->ramdisk.pages && layout->ramdisk_unmapped)
		describe_unmapped(text, "ramdisk", layout->ramdisk.pfn, layout->ramdisk.pages);
	if (layout->p2m_apart) {
		describe_run(text, "phys2mach", &layout->p2m);
		describe_unmapped(text, "p2m tables", second->tables_pfn, second->nr_tables);
	}
	return g_string_free(text, FALSE);
}
