/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-builder-32.c - the start of day of 32-bit guests, and what older
 * builders do in another way
 *
 * What Xen 4.17's own builder makes of PAE guests is in test-builder-xen.c.
 * The orders of page tables expected here are those of setup_pg_tables*() in
 * Xen 3.0.3's tools/libxc/xc_linux_build.c, and of count_pgtables() and
 * setup_pgtables_*() in 3.1's tools/libxc/xc_dom_x86.c.
 */
#include "domain/builder-private.h"
#include "domain/domain.h"
#include "make-elf.h"
#include <string.h>
#include <xen/xen.h>
#include <zlib.h>

#include <xen/elfnote.h>
#include <xen/foreign/x86_32.h>

#define MIB (1ULL << 20)
#define KERNEL_BASE 0xffffffff80000000ULL
#define BASE_32 0xc0000000ULL

#define CONSOLE_PORT 2
#define STORE_PORT 1

/* ------------------------------------------------------------------------
 * Layouts
 */
static struct image image_at(enum image_width width, uint64_t base, uint64_t start,
			     uint64_t end)
{
	return (struct image){
		.width = width,
		.virt_base = base,
		.virt_start = base + start,
		.virt_end = base + end,
		.init_p2m = IMAGE_NONE,
		.hypercall_page = IMAGE_NONE,
		.hv_start_low = IMAGE_NONE,
	};
}

/* xl -vvv create, Xen 4.17: memory 128 MiB, ramdisk 0xaa10 bytes */
static void test_logged_layouts(void)
{
	static const struct {
		uint64_t kernel_end, ramdisk, p2m, start_info, tables, stack, alloc_end;
	} logged[] = {
		{ 0x375, 0x375, 0x380, 0x3a0, 0x3a3, 0x3a9, 0x3aa }, /* Xen 3.0.3's 2.6.16 */
		{ 0x38b, 0x38b, 0x396, 0x3b6, 0x3b9, 0x3bf, 0x3c0 }, /* Xen 3.1's 2.6.18 */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(logged); i++) {
		struct image image =
			image_at(IMAGE_X86_32P, BASE_32, 0x100000, logged[i].kernel_end << 12);
		struct layout got;

		g_assert_null(layout_guest(&got, LAYOUT_XEN_4, &image, 0x8000, 0xaa10));
		g_assert_cmphex(got.kernel.pfn, ==, 0x100);
		g_assert_cmphex(got.ramdisk.pfn, ==, logged[i].ramdisk);
		g_assert_cmphex(got.p2m.pfn, ==, logged[i].p2m);
		g_assert_cmphex(got.p2m.pages, ==, 0x20);
		g_assert_cmphex(got.start_info, ==, logged[i].start_info);
		g_assert_cmphex(got.mappings[0].tables_pfn, ==, logged[i].tables);
		g_assert_cmphex(got.mappings[0].nr_tables, ==, 6);
		g_assert_cmphex(got.stack, ==, logged[i].stack);
		g_assert_cmphex(got.alloc_end, ==, logged[i].alloc_end);
		g_assert_cmphex(got.end, ==, 0x800);
	}
}

/**
 * struct order - what a table is at which place after the root
 */
struct order {
	const char *name;
	enum layout_age age;
	enum image_width width;
	uint64_t base, end;
	unsigned int nr;
	struct {
		unsigned int level;
		uint64_t offset; /* of an address that it translates, from @base */
	} table[9];
};

#define L1_PAE 0x200000
#define L1_32 0x400000

static const struct order orders[] = {
	{ .name = "3.0 x86_64",
	  .age = LAYOUT_XEN_3_0,
	  .width = IMAGE_X86_64,
	  .base = KERNEL_BASE,
	  .end = 0x500000,
	  .nr = 7,
	  .table = { { 4, 0 },
		     { 1, 0 },
		     { 2, 0 },
		     { 3, 0 },
		     { 1, L1_PAE },
		     { 1, 2 * L1_PAE },
		     { 1, 3 * L1_PAE } } },
	{ .name = "3.0 x86_64, over a GiB",
	  .age = LAYOUT_XEN_3_0,
	  .width = IMAGE_X86_64,
	  .base = 0x7fe00000,
	  .end = 0x200000,
	  .nr = 7,
	  .table = { { 4, 0 },
		     { 1, 0 },
		     { 2, 0 },
		     { 3, 0 },
		     { 1, L1_PAE },
		     { 2, L1_PAE },
		     { 1, 2 * L1_PAE } } },
	{ .name = "3.0 PAE",
	  .age = LAYOUT_XEN_3_0,
	  .width = IMAGE_X86_32P,
	  .base = BASE_32,
	  .end = 0x100000,
	  .nr = 4,
	  .table = { { 3, 0 }, { 2, 0 }, { 1, 0 }, { 1, L1_PAE } } },
	{ .name = "3.0 PAE, low",
	  .age = LAYOUT_XEN_3_0,
	  .width = IMAGE_X86_32P,
	  .base = 0,
	  .end = 0x100000,
	  .nr = 5,
	  .table = { { 3, 0 }, { 2, 0 }, { 1, 0 }, { 1, L1_PAE }, { 2, 0xc0000000 } } },
	{ .name = "3.0 PAE, over a GiB",
	  .age = LAYOUT_XEN_3_0,
	  .width = IMAGE_X86_32P,
	  .base = 0x3fe00000,
	  .end = 0x300000,
	  .nr = 7,
	  .table = { { 3, 0 },
		     { 2, 0 },
		     { 1, 0 },
		     { 2, L1_PAE },
		     { 1, L1_PAE },
		     { 1, 2 * L1_PAE },
		     { 2, 0xc0000000 - 0x3fe00000 } } },
	{ .name = "3.0 two-level",
	  .age = LAYOUT_XEN_3_0,
	  .width = IMAGE_X86_32,
	  .base = BASE_32,
	  .end = 0x500000,
	  .nr = 3,
	  .table = { { 2, 0 }, { 1, 0 }, { 1, L1_32 } } },
	{ .name = "3.1 PAE, low",
	  .age = LAYOUT_XEN_3_1,
	  .width = IMAGE_X86_32P,
	  .base = 0,
	  .end = 0x100000,
	  .nr = 5,
	  .table = { { 3, 0 }, { 2, 0 }, { 2, 0xc0000000 }, { 1, 0 }, { 1, L1_PAE } } },
	{ .name = "3.1 two-level",
	  .age = LAYOUT_XEN_3_1,
	  .width = IMAGE_X86_32,
	  .base = BASE_32,
	  .end = 0x500000,
	  .nr = 3,
	  .table = { { 2, 0 }, { 1, 0 }, { 1, L1_32 } } },
	{ .name = "4 PAE, low",
	  .age = LAYOUT_XEN_4,
	  .width = IMAGE_X86_32P,
	  .base = 0,
	  .end = 0x100000,
	  .nr = 7,
	  .table = { { 3, 0 },
		     { 2, 0 },
		     { 2, 0x40000000 },
		     { 2, 0x80000000 },
		     { 2, 0xc0000000 },
		     { 1, 0 },
		     { 1, L1_PAE } } },
};

static void test_order(gconstpointer data)
{
	const struct order *o = data;
	struct image image = image_at(o->width, o->base, 0x1000, o->end);
	struct layout got;
	uint64_t root;

	g_assert_null(layout_guest(&got, o->age, &image, 0x1000, 0));
	root = got.mappings[0].tables_pfn;
	for (unsigned int i = 0; i < G_N_ELEMENTS(o->table) && o->table[i].level; i++)
		g_assert_cmphex(layout_table_pfn(&got, o->table[i].level,
						 o->base + o->table[i].offset),
				==, root + i);
	g_assert_cmpuint(got.mappings[0].nr_tables, ==, o->nr);
	g_assert_cmphex(got.stack, ==, root + o->nr);
	g_assert_true(layout_is_table(&got, root + o->nr - 1));
	g_assert_false(layout_is_table(&got, root + o->nr));
}

/* Kernels below Xen's part of the address space, the initial mapping, too */
static void test_hole(void)
{
	static const struct {
		enum image_width width;
		uint64_t hole;
	} cases[] = { { IMAGE_X86_32P, 0xf5800000 }, { IMAGE_X86_32, 0xfc000000 } };
	struct layout layout;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint64_t base = cases[i].hole - 8 * MIB;
		struct image image = image_at(cases[i].width, base, 0x1000, 0x500000);

		g_assert_null(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x4000, 0));
		g_assert_cmphex(layout.end, ==, 8 * MIB >> 12);
		image.virt_end = base + 0x780000;
		g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x4000, 0));
		image = image_at(cases[i].width, KERNEL_BASE, 0x1000, 0x100000);
		g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x4000, 0));
	}
}

/* What builders before INIT_P2M and MOD_START_PFN do with these notes */
static void test_unknown_notes(void)
{
	struct image image = image_at(IMAGE_X86_64, KERNEL_BASE, 0x1000, 0x100000);
	struct layout layout;

	image.init_p2m = 0x8000000000;
	image.mod_start_pfn = TRUE;
	for (enum layout_age age = LAYOUT_XEN_3_0; age <= LAYOUT_XEN_3_1; age++) {
		g_assert_null(layout_guest(&layout, age, &image, 0x4000, 0x4000));
		g_assert_false(layout.p2m_apart);
		g_assert_false(layout.ramdisk_unmapped);
		g_assert_cmphex(layout.ramdisk.pfn, ==, 0x100);
	}
}

static void test_machine_layout(void)
{
	static const enum image_width narrow[] = { IMAGE_X86_32P, IMAGE_X86_32 };

	for (size_t i = 0; i < G_N_ELEMENTS(narrow); i++) {
		struct machine_layout m;

		layout_machine(&m, narrow[i], MONITOR_PADDR + 0x12000, 1, 2048 * MIB / 4096);
		g_assert_cmphex(m.m2p32, ==, m.m2p + m.m2p_bytes);
		g_assert_cmphex(m.m2p32 % (2 * MIB), ==, 0);
		g_assert_cmphex(m.m2p32_bytes, >=, m.end_mfn * 4);
		g_assert_cmphex(m.m2p32_bytes, <, m.end_mfn * 4 + 2 * MIB);
		g_assert_cmphex(m.m2p32_bytes % (2 * MIB), ==, 0);
		g_assert_cmphex(m.heap, ==, m.m2p32 + m.m2p32_bytes);
	}
}

/* ------------------------------------------------------------------------
 * Builds
 */
struct setup {
	GBytes *kernel;
	GBytes *ramdisk;
	uint64_t memory;
	uint32_t xen_version; /* 0: 4.17 */
	uint32_t paging_modes; /* 0: all */
};

static struct build *try_build(const struct setup *setup, GError **error)
{
	struct make_elf *elf = make_elf_new(TRUE);
	struct module module = {
		.path = (char *)"the-module",
		.info = { .paging_modes = setup->paging_modes ? setup->paging_modes : 7,
			  .xen_version = setup->xen_version ? setup->xen_version
							    : 4 << 16 | 17 },
		.end = MONITOR_PADDR + 0x3000,
	};
	g_autoptr(GError) why = NULL;
	g_autoptr(Image) image = image_parse("kernel", setup->kernel, &why);
	struct build_config config = {
		.image = image,
		.module = &module,
		.ramdisk = setup->ramdisk,
		.cmdline = "console=xvc0",
		.memory = setup->memory ? setup->memory : 16 * MIB,
		.nr_vcpus = 1,
		.console_port = CONSOLE_PORT,
		.store_port = STORE_PORT,
	};
	struct build *build;

	g_assert_no_error(why);
	make_elf_segment(elf, MONITOR_PADDR, "monitor", 8, 0x2345);
	module.elf = make_elf_finish(elf);
	build = domain_build(&config, error);
	g_bytes_unref(module.elf);
	return build;
}

static struct build *build_it(const struct setup *setup)
{
	g_autoptr(GError) error = NULL;
	struct build *build = try_build(setup, &error);

	g_assert_no_error(error);
	return build;
}

static void assert_refused(const struct setup *setup, enum builder_error code, const char *says)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(try_build(setup, &error));
	g_assert_error(error, BUILDER_ERROR, (gint)code);
	if (!strstr(error->message, says))
		g_error("\"%s\" does not say \"%s\"", error->message, says);
}

static GBytes *kernel(const char *pae, uint32_t note, uint64_t value)
{
	struct make_elf *elf = make_elf_kernel32(pae);

	if (note)
		make_elf_xen_number(elf, note, value);
	return make_elf_finish(elf);
}

static struct vcpu_guest_context *context(const struct build *build)
{
	return (void *)build->vcpus[0].context;
}

static struct start_info_x86_32 *start_info(const struct build *build)
{
	return memory_page(build->mem, build->start_info_mfn);
}

/* Walks the guest's tables; the last entry, or 0.  @above: flags of the others */
static uint64_t walk(const struct build *build, uint32_t vaddr, unsigned int root_flags)
{
	unsigned int bits = build->width == IMAGE_X86_32P ? 9 : 10;
	unsigned int levels = build->width == IMAGE_X86_32P ? 3 : 2;
	uint64_t entry = context(build)->ctrlreg[3];

	for (unsigned int level = levels; level >= 1; level--) {
		void *table = memory_page(build->mem, entry >> 12);
		unsigned int n = vaddr >> (12 + bits * (level - 1)) & ((1U << bits) - 1);

		g_assert_nonnull(table);
		entry = bits == 9 ? ((uint64_t *)table)[n] : ((uint32_t *)table)[n];
		if (!(entry & 1))
			return 0;
		if (level > 1)
			g_assert_cmphex(entry & 0xfff, ==, level == levels ? root_flags : 0x67);
	}
	return entry;
}

/* Every page of the initial mapping, tables read-only, none behind it */
static void check_tables(const struct build *build, unsigned int root_flags)
{
	const struct start_info_x86_32 *info = start_info(build);
	uint64_t pt_pfn = (info->pt_base - BASE_32) >> 12;
	uint64_t pages = pt_pfn + info->nr_pt_frames + 1 + 128;

	pages = (pages + 1023) & ~1023ULL;
	for (uint64_t pfn = 0; pfn < pages; pfn++) {
		gboolean table = pfn >= pt_pfn && pfn < pt_pfn + info->nr_pt_frames;
		uint64_t entry = walk(build, (uint32_t)(BASE_32 + (pfn << 12)), root_flags);

		g_assert_cmphex(entry >> 12, ==, build_pfn_to_mfn(build, pfn));
		g_assert_cmphex(entry & 0xfff, ==, table ? 0x21 : 0x23); /* P [RW] A */
	}
	g_assert_cmphex(walk(build, (uint32_t)(BASE_32 + (pages << 12)), root_flags), ==, 0);
}

static void check_lists(const struct build *build)
{
	uint64_t p2m_pfn = (start_info(build)->mfn_list - BASE_32) >> 12, valid = 0;

	g_assert_nonnull(build->m2p32);
	g_assert_true((void *)build->m2p32 ==
		      memory_ptr(build->mem, build->boot->m2p32, build->boot->m2p32_bytes));
	for (uint64_t pfn = 0; pfn < build->nr_pages; pfn++) {
		uint64_t mfn = build_pfn_to_mfn(build, pfn);
		uint32_t *p2m =
			memory_page(build->mem, build_pfn_to_mfn(build, p2m_pfn + pfn / 1024));

		g_assert_cmphex(p2m[pfn % 1024], ==, mfn);
		g_assert_cmphex(build->m2p[mfn], ==, pfn);
		g_assert_cmphex(build->m2p32[mfn], ==, pfn);
	}
	for (uint64_t mfn = 0; mfn < build->boot->m2p32_bytes / 4; mfn++)
		valid += build->m2p32[mfn] != M2P32_INVALID;
	g_assert_cmpuint(valid, ==, build->nr_pages);
}

static void test_pae(void)
{
	g_autoptr(GBytes) image = kernel("yes", 0, 0);
	struct setup setup = { .kernel = image };
	g_autoptr(Build) build = build_it(&setup);

	g_assert_cmpuint(build->boot->paging, ==, PAGING_PV32PAE);
	g_assert_cmpstr(start_info(build)->magic, ==, "xen-3.0-x86_32p");
	g_assert_cmpuint(start_info(build)->nr_pt_frames, ==, 4);
	check_tables(build, 0x67);
	check_lists(build);
}

/* The root of PAE as hardware wants it */
static void test_old_pae(void)
{
	static const uint32_t versions[] = { 3 << 16 | 0, 3 << 16 | 1 };
	g_autoptr(GBytes) image = kernel("yes", 0, 0);

	for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
		struct setup setup = { .kernel = image, .xen_version = versions[i] };
		g_autoptr(Build) build = build_it(&setup);

		check_tables(build, 0x01);
		check_lists(build);
	}
}

/* Mini-OS: all from address 0 on */
static void test_low_pae(void)
{
	struct make_elf *elf = make_elf_kernel32("yes");
	g_autoptr(GBytes) image = NULL;
	struct setup setup = { .xen_version = 3 << 16 | 0 };
	g_autoptr(Build) build = NULL;
	uint64_t *l3;

	make_elf_xen_number(elf, XEN_ELFNOTE_VIRT_BASE, 0);
	make_elf_xen_number(elf, XEN_ELFNOTE_ENTRY, 0x100000);
	setup.kernel = image = make_elf_finish(elf);
	build = build_it(&setup);
	l3 = memory_page(build->mem, context(build)->ctrlreg[3] >> 12);
	g_assert_cmpuint(start_info(build)->nr_pt_frames, ==, 3 + 2);
	g_assert_cmphex(l3[0] & 0xfff, ==, 1);
	g_assert_cmphex(l3[1], ==, 0);
	g_assert_cmphex(l3[2], ==, 0);
	g_assert_cmphex(l3[3], ==, context(build)->ctrlreg[3] + (4 << 12) + 1);
	g_assert_cmphex(walk(build, 0x100000, 1) >> 12, ==, build_pfn_to_mfn(build, 0x100));
	g_assert_cmphex(walk(build, 0xc0000000, 1), ==, 0);
}

static void test_two_level(void)
{
	g_autoptr(GBytes) image = kernel("no", 0, 0);
	struct setup setup = { .kernel = image, .xen_version = 3 << 16 | 0 };
	g_autoptr(Build) build = build_it(&setup);

	g_assert_cmpuint(build->boot->paging, ==, PAGING_PV32);
	g_assert_cmpstr(start_info(build)->magic, ==, "xen-3.0-x86_32");
	g_assert_cmpuint(start_info(build)->nr_pt_frames, ==, 2);
	check_tables(build, 0x67);
	check_lists(build);
}

static void test_start_info(void)
{
	g_autoptr(GBytes) image = kernel("yes", 0, 0);
	g_autoptr(GBytes) ramdisk = g_bytes_new_take(g_malloc0(0x2345), 0x2345);
	struct setup setup = { .kernel = image, .ramdisk = ramdisk };
	g_autoptr(Build) build = build_it(&setup);
	const struct start_info_x86_32 *info = start_info(build);

	/* kernel 0x100 + 2, ramdisk 3, p2m 4, start_info, xenstore, console, tables */
	g_assert_cmpuint(info->nr_pages, ==, 4096);
	g_assert_cmphex(info->shared_info, ==, build->shared_info_mfn << 12);
	g_assert_cmphex(info->flags, ==, 0);
	g_assert_cmphex(info->store_mfn, ==, build_pfn_to_mfn(build, 0x10a));
	g_assert_cmpuint(info->store_evtchn, ==, STORE_PORT);
	g_assert_cmphex(info->console.domU.mfn, ==, build_pfn_to_mfn(build, 0x10b));
	g_assert_cmpuint(info->console.domU.evtchn, ==, CONSOLE_PORT);
	g_assert_cmphex(info->pt_base, ==, BASE_32 + 0x10c000);
	g_assert_cmpuint(info->nr_pt_frames, ==, 4);
	g_assert_cmphex(info->mfn_list, ==, BASE_32 + 0x105000);
	g_assert_cmphex(info->mod_start, ==, BASE_32 + 0x102000);
	g_assert_cmphex(info->mod_len, ==, 0x2345);
	g_assert_cmpstr((const char *)info->cmd_line, ==, "console=xvc0");
}

static void test_vcpu(void)
{
	g_autoptr(GBytes) image = kernel("yes", 0, 0);
	g_autoptr(GBytes) old = kernel("no", 0, 0);
	struct setup setup = { .kernel = image };
	g_autoptr(Build) build = build_it(&setup);
	g_autoptr(Build) two_level = NULL;
	const struct vcpu_guest_context *c = context(build);

	g_assert_cmphex(c->user_regs.rip, ==, BASE_32 + 0x100000);
	g_assert_cmphex(c->user_regs.rsp, ==, BASE_32 + 0x10e000); /* end of 0x10d */
	g_assert_cmphex(c->user_regs.rsi, ==, BASE_32 + 0x106000);
	g_assert_cmphex(c->user_regs.rflags, ==, 0x200);
	g_assert_cmphex(c->user_regs.cs, ==, 0xe019);
	g_assert_cmphex(c->user_regs.ss, ==, 0xe021);
	g_assert_cmphex(c->user_regs.ds, ==, 0xe021);
	g_assert_cmphex(c->user_regs.es, ==, 0xe021);
	g_assert_cmphex(c->user_regs.fs, ==, 0xe021);
	g_assert_cmphex(c->user_regs.gs, ==, 0xe021);
	g_assert_cmphex(c->kernel_ss, ==, 0xe021);
	g_assert_cmphex(c->kernel_sp, ==, c->user_regs.rsp);
	g_assert_cmphex(c->flags, ==, VGCF_in_kernel | VGCF_online);
	g_assert_cmphex(c->ctrlreg[3], ==, build_pfn_to_mfn(build, 0x109) << 12);
	/* Xen rotates this; the monitor takes it plain. */
	g_assert_cmphex(c->vm_assist, ==, 1 << VMASST_TYPE_pae_extended_cr3);
	setup.kernel = old;
	two_level = build_it(&setup);
	g_assert_cmphex(context(two_level)->vm_assist, ==, 0);
}

static void test_shared_info(void)
{
	g_autoptr(GBytes) image = kernel("no", 0, 0);
	struct setup setup = { .kernel = image };
	g_autoptr(Build) build = build_it(&setup);
	uint8_t want[PAGE_SIZE] = { 0 };

	for (int i = 0; i < 32; i++)
		want[i * 64 + 1] = 1; /* evtchn_upcall_mask */
	g_assert_cmpmem(memory_page(build->mem, build->shared_info_mfn), PAGE_SIZE, want,
			PAGE_SIZE);
	g_assert_cmphex(build->shared_info_mfn, <, build->first_mfn);
}

static void test_hypercall_page(void)
{
	static const uint8_t call_12[] = { 0xb8, 12, 0, 0, 0, 0xcd, 0x82, 0xc3, 0xcc };
	static const uint8_t call_iret[] = { 0x50, 0xb8, 23, 0, 0, 0, 0xcd, 0x82, 0xcc };
	g_autoptr(GBytes) image = kernel("yes", XEN_ELFNOTE_HYPERCALL_PAGE, BASE_32 + 0x101000);
	struct setup setup = { .kernel = image };
	g_autoptr(Build) build = build_it(&setup);
	const uint8_t *code = memory_page(build->mem, build_pfn_to_mfn(build, 0x101));

	g_assert_cmpmem(code + 12 * 32, sizeof(call_12), call_12, sizeof(call_12));
	g_assert_cmpmem(code + 23 * 32, sizeof(call_iret), call_iret, sizeof(call_iret));
	g_assert_cmphex(code[127 * 32 + 1], ==, 127);
	g_assert_cmphex(code[4095], ==, 0xcc);
}

/* More memory than such kernels can name the frames of */
static void test_memory_limits(void)
{
	static const char guest_string[] =
		"GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,"
		"ELF_PADDR_OFFSET=0,PAE=yes,LOADER=generic";
	struct make_elf *elf = make_elf_new(FALSE);
	g_autoptr(GBytes) pae = kernel("yes", 0, 0);
	g_autoptr(GBytes) two_level = kernel("no", 0, 0);
	g_autoptr(GBytes) old_pae = NULL;
	struct setup setup = { .kernel = pae, .memory = 15 * 1024 * MIB };
	g_autoptr(Build) build = NULL;

	elf->entry = BASE_32 + 0x100000;
	make_elf_segment(elf, 0x100000, NULL, 0x1000, 0x2000);
	make_elf_section(elf, "__xen_guest", SHT_PROGBITS, guest_string, sizeof(guest_string));
	old_pae = make_elf_finish(elf);

	assert_refused(&setup, BUILDER_ERROR_MEMORY,
		       "15360 MiB are more than this 32-bit PAE kernel can have; up to ");
	setup.memory = 15 * 1024 * MIB - 256 * MIB;
	build = build_it(&setup);
	g_assert_cmphex(build_pfn_to_mfn(build, build->nr_pages - 1), <, 0x400000);
	setup.memory = 3072 * MIB;
	setup.kernel = two_level;
	assert_refused(&setup, BUILDER_ERROR_MEMORY, "(without PAE) kernel can have");
	setup.kernel = old_pae;
	assert_refused(&setup, BUILDER_ERROR_MEMORY, "32-bit PAE kernel can have");
	setup.memory = 2900 * MIB;
	build_free(build_it(&setup));
	setup.kernel = two_level;
	build_free(build);
	build = build_it(&setup);
	g_assert_cmphex(build->boot->end_mfn, <=, HOLE_START >> 12);
}

/* What is said to be possible is. */
static void test_said_limit(void)
{
	g_autoptr(GBytes) image = kernel("no", 0, 0);
	struct setup setup = { .kernel = image, .memory = 4096 * MIB };
	g_autoptr(GError) error = NULL;
	const char *number;

	g_assert_null(try_build(&setup, &error));
	number = strstr(error->message, "up to ");
	g_assert_nonnull(number);
	setup.memory = g_ascii_strtoull(number + strlen("up to "), NULL, 10) * MIB;
	g_assert_cmpuint(setup.memory, >, 2900 * MIB);
	build_free(build_it(&setup));
}

static void test_bad_image(void)
{
	g_autoptr(GBytes) image = kernel("yes", 0, 0);
	g_autoptr(GBytes) high = kernel("yes", XEN_ELFNOTE_HV_START_LOW, 0xf5c00000);
	g_autoptr(GBytes) fits = kernel("yes", XEN_ELFNOTE_HV_START_LOW, 0xf5800000);
	struct setup setup = { .kernel = image, .paging_modes = 1 << PAGING_PV64 };

	assert_refused(&setup, BUILDER_ERROR_IMAGE, "does not run 32-bit PAE guests");
	setup.paging_modes = 0;
	setup.kernel = high;
	assert_refused(&setup, BUILDER_ERROR_IMAGE, "0xf5c00000");
	setup.kernel = fits;
	build_free(build_it(&setup));
}

/* ------------------------------------------------------------------------
 * Ramdisks of older builders, whatever the word size
 */
static GBytes *gzip(const uint8_t *bytes, size_t len)
{
	z_stream s = { .next_in = (Bytef *)bytes, .avail_in = (uInt)len };
	uint8_t *out = g_malloc(len + 1000);

	s.next_out = out;
	s.avail_out = (uInt)len + 1000;
	g_assert_cmpint(deflateInit2(&s, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
			==, Z_OK);
	g_assert_cmpint(deflate(&s, Z_FINISH), ==, Z_STREAM_END);
	deflateEnd(&s);
	return g_bytes_new_take(out, s.total_out);
}

static void test_old_ramdisks(void)
{
	static const struct {
		uint32_t version, plain, packed;
	} cases[] = {
		{ 3 << 16 | 0, 0x12345, 0x12345 },
		{ 3 << 16 | 1, 0x13000, 0x13000 },
		{ 4 << 16 | 17, 0x12345, 0x12345 + 16 },
	};
	g_autofree uint8_t *bytes = memset(g_malloc(0x12345), 0x5a, 0x12345);
	g_autoptr(GBytes) image = kernel("yes", 0, 0);
	g_autoptr(GBytes) plain = g_bytes_new(bytes, 0x12345);
	g_autoptr(GBytes) packed = gzip(bytes, 0x12345);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (int pack = 0; pack < 2; pack++) {
			struct setup setup = { .kernel = image,
					       .ramdisk = pack ? packed : plain,
					       .xen_version = cases[i].version };
			g_autoptr(Build) build = build_it(&setup);
			const uint8_t *got =
				memory_page(build->mem, build_pfn_to_mfn(build, 0x102));

			g_assert_cmphex(start_info(build)->mod_len, ==,
					pack ? cases[i].packed : cases[i].plain);
			g_assert_cmpmem(got, 0x12345, bytes, 0x12345);
			g_assert_cmphex(got[0x12345], ==, 0);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/layout-32/logged", test_logged_layouts);
	for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
		g_autofree char *path = g_strdup_printf("/layout-32/order/%s", orders[i].name);

		g_test_add_data_func(path, &orders[i], test_order);
	}
	g_test_add_func("/layout-32/hole", test_hole);
	g_test_add_func("/layout-32/unknown-notes", test_unknown_notes);
	g_test_add_func("/layout-32/machine", test_machine_layout);
	g_test_add_func("/builder-32/pae", test_pae);
	g_test_add_func("/builder-32/old-pae", test_old_pae);
	g_test_add_func("/builder-32/low-pae", test_low_pae);
	g_test_add_func("/builder-32/two-level", test_two_level);
	g_test_add_func("/builder-32/start-info", test_start_info);
	g_test_add_func("/builder-32/vcpu", test_vcpu);
	g_test_add_func("/builder-32/shared-info", test_shared_info);
	g_test_add_func("/builder-32/hypercall-page", test_hypercall_page);
	g_test_add_func("/builder-32/memory-limits", test_memory_limits);
	g_test_add_func("/builder-32/said-limit", test_said_limit);
	g_test_add_func("/builder-32/bad-image", test_bad_image);
	g_test_add_func("/builder-32/old-ramdisks", test_old_ramdisks);
	return g_test_run();
}
