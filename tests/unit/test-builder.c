/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-builder.c - the start of day: layout compared with what Xen's builder
 * logged for real kernels, page tables walked, contents read back
 */
#include "domain/builder-private.h"
#include "domain/domain.h"
#include "make-elf.h"
#include <string.h>
#include <xen/xen.h>
#include <zlib.h>

#include <xen/elfnote.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define KERNEL_BASE 0xffffffff80000000ULL

#define CONSOLE_PORT 2
#define STORE_PORT 1

/* ------------------------------------------------------------------------
 * Layouts that Xen's own builder logged (xl -vvv create, Xen 4.17) for the
 * 64-bit kernels of Xen 3.0.3 and 3.1: memory 128 MiB, ramdisk 0xce10 bytes
 */
struct logged {
	const char *name;
	uint64_t virt_start, virt_end;
	uint64_t kernel, kernel_pages;
	uint64_t ramdisk, p2m, start_info, store, console, tables, stack, alloc_end, end;
	uint64_t nr_tables;
};

static const struct logged logged[] = {
	{
		.name = "2.6.16 of Xen 3.0.3",
		.virt_start = 0xffffffff80100000,
		.virt_end = 0xffffffff8038a000,
		.kernel = 0x100,
		.kernel_pages = 0x28a,
		.ramdisk = 0x38a,
		.p2m = 0x397,
		.start_info = 0x3d7,
		.store = 0x3d8,
		.console = 0x3d9,
		.tables = 0x3da,
		.nr_tables = 7,
		.stack = 0x3e1,
		.alloc_end = 0x3e2,
		.end = 0x800,
	},
	{
		.name = "2.6.18 of Xen 3.1",
		.virt_start = 0xffffffff80200000,
		.virt_end = 0xffffffff804b7000,
		.kernel = 0x200,
		.kernel_pages = 0x2b7,
		.ramdisk = 0x4b7,
		.p2m = 0x4c4,
		.start_info = 0x504,
		.store = 0x505,
		.console = 0x506,
		.tables = 0x507,
		.nr_tables = 7,
		.stack = 0x50e,
		.alloc_end = 0x50f,
		.end = 0x800,
	},
};

static struct image image_at(uint64_t virt_start, uint64_t virt_end)
{
	return (struct image){
		.virt_base = KERNEL_BASE,
		.virt_start = virt_start,
		.virt_end = virt_end,
		.init_p2m = IMAGE_NONE,
		.hypercall_page = IMAGE_NONE,
	};
}

static void assert_run(const struct layout_run *run, uint64_t pfn, uint64_t pages)
{
	g_assert_cmphex(run->pfn, ==, pfn);
	g_assert_cmphex(run->pages, ==, pages);
}

static void test_logged_layout(gconstpointer data)
{
	const struct logged *want = data;
	struct image image = image_at(want->virt_start, want->virt_end);
	struct layout got;

	g_assert_null(layout_guest(&got, LAYOUT_XEN_4, &image, 0x8000, 0xce10));
	assert_run(&got.kernel, want->kernel, want->kernel_pages);
	assert_run(&got.ramdisk, want->ramdisk, 0xd);
	assert_run(&got.p2m, want->p2m, 0x40);
	g_assert_cmphex(got.p2m.vstart, ==, KERNEL_BASE + (want->p2m << 12));
	g_assert_cmphex(got.start_info, ==, want->start_info);
	g_assert_cmphex(got.store, ==, want->store);
	g_assert_cmphex(got.console, ==, want->console);
	g_assert_cmphex(got.mappings[0].tables_pfn, ==, want->tables);
	g_assert_cmphex(got.mappings[0].nr_tables, ==, want->nr_tables);
	g_assert_cmphex(got.stack, ==, want->stack);
	g_assert_cmphex(got.alloc_end, ==, want->alloc_end);
	g_assert_cmphex(got.mappings[0].run.pages, ==, want->end);
	g_assert_cmphex(got.end, ==, want->end);
	/* L4, L3, L2, 4 L1 */
	g_assert_cmphex(layout_table_pfn(&got, 4, KERNEL_BASE), ==, want->tables);
	g_assert_cmphex(layout_table_pfn(&got, 3, KERNEL_BASE), ==, want->tables + 1);
	g_assert_cmphex(layout_table_pfn(&got, 2, KERNEL_BASE), ==, want->tables + 2);
	g_assert_cmphex(layout_table_pfn(&got, 1, KERNEL_BASE), ==, want->tables + 3);
	g_assert_cmphex(layout_table_pfn(&got, 1, KERNEL_BASE + 0x7fffff), ==,
			want->tables + 6);
}

/* Linux 6.1: ramdisk and p2m list behind the initial mapping, unlogged */
static void test_apart_layout(void)
{
	struct image image = image_at(0xffffffff81000000, 0xffffffff84a00000);
	g_autofree char *text = NULL;
	struct layout got;

	image.init_p2m = 0x8000000000;
	image.mod_start_pfn = TRUE;
	g_assert_null(layout_guest(&got, LAYOUT_XEN_4, &image, 0x10000, 0x12345));
	assert_run(&got.kernel, 0x1000, 0x3a00);
	g_assert_cmphex(got.start_info, ==, 0x4a00);
	g_assert_cmphex(got.mappings[0].tables_pfn, ==, 0x4a03);
	g_assert_cmphex(got.mappings[0].nr_tables, ==, 3 + 0x4c00 / 512);
	g_assert_cmphex(got.mappings[0].run.pages, ==, 0x4c00);
	g_assert_true(got.ramdisk_unmapped);
	assert_run(&got.ramdisk, 0x4c00, 0x13);
	g_assert_true(got.p2m_apart);
	assert_run(&got.p2m, 0x4c13, 0x80);
	g_assert_cmphex(got.p2m.vstart, ==, 0x8000000000);
	g_assert_cmphex(got.mappings[1].tables_pfn, ==, 0x4c93);
	g_assert_cmphex(got.mappings[1].nr_tables, ==, 3); /* L3, L2, L1 */
	g_assert_cmphex(got.end, ==, 0x4c96);
	text = layout_describe(&got);
	g_assert_nonnull(strstr(text, "kernel       0xffffffff81000000 -> 0xffffffff84a00000  "
				      "pfn 0x1000 + 0x3a00\n"));
	g_assert_nonnull(strstr(text, "ramdisk      not mapped  pfn 0x4c00 + 0x13\n"));
}

/* libxc takes INIT_P2M for absent unless it lies below virt_base, on a page. */
static void test_init_p2m_ignored(void)
{
	static const uint64_t ignored[] = { IMAGE_NONE, 0xffffffffc0000000, 0x8000000800 };

	for (size_t i = 0; i < G_N_ELEMENTS(ignored); i++) {
		struct image image = image_at(KERNEL_BASE + 0x100000, KERNEL_BASE + 0x200000);
		struct layout layout;

		image.init_p2m = ignored[i];
		g_assert_null(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
		g_assert_false(layout.p2m_apart);
		g_assert_cmphex(layout.p2m.pfn, ==, 0x200);
	}
}

/* A p2m list in the same 512 GiB, 1 GiB or 2 MiB as the kernel shares tables. */
static void test_shared_tables(void)
{
	static const struct {
		uint64_t init_p2m;
		uint64_t nr_tables;
	} cases[] = {
		{ 0xffffff8000000000, 2 }, /* L2, L1 */
		{ 0xffffffff40000000, 2 },
		{ KERNEL_BASE - 0x200000, 2 }, /* just below: another GiB */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct image image = image_at(KERNEL_BASE + 0x100000, KERNEL_BASE + 0x200000);
		struct layout layout;

		image.init_p2m = cases[i].init_p2m;
		g_assert_null(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
		g_assert_true(layout.p2m_apart);
		g_assert_cmpuint(layout.mappings[1].nr_tables, ==, cases[i].nr_tables);
	}
	{
		/* virt_base in the middle of what an L1 covers, the list before it */
		struct image image = image_at(KERNEL_BASE + 0x100000, KERNEL_BASE + 0x200000);
		struct layout layout;

		image.virt_base = KERNEL_BASE + 0x100000;
		image.init_p2m = KERNEL_BASE;
		g_assert_null(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
		g_assert_cmpuint(layout.mappings[1].nr_tables, ==, 0);
		g_assert_cmphex(layout_table_pfn(&layout, 1, KERNEL_BASE), ==,
				layout_table_pfn(&layout, 1, image.virt_base));
	}
}

static void test_impossible_layouts(void)
{
	struct image image = image_at(KERNEL_BASE + 0x100000, KERNEL_BASE + 0x200000);
	struct layout layout;

	image.init_p2m = KERNEL_BASE - 0x1000; /* 0x40 pages reach into the mapping */
	g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
	image.init_p2m = 0xffff800000000000; /* Xen's */
	g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
	image.init_p2m = 0x0000900000000000; /* not canonical */
	g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
	image.init_p2m = IMAGE_NONE;
	g_assert_null(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));

	image.virt_base = 0xffff800000000000;
	image.virt_start = image.virt_base + 0x100000;
	image.virt_end = image.virt_base + 0x200000;
	g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
	image.virt_base = image.virt_start = 0xfffffffffff00000; /* no room above */
	image.virt_end = 0xfffffffffffff000;
	g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
	image.virt_base = image.virt_start = 0;
	image.virt_end = 0xfffffffffffff000; /* everything */
	g_assert_nonnull(layout_guest(&layout, LAYOUT_XEN_4, &image, 0x8000, 0));
}

/* Least memory is just enough. */
static void test_least_pages(void)
{
	struct image image = image_at(KERNEL_BASE + 0x100000, KERNEL_BASE + 0x2345000);
	uint64_t least;
	struct layout layout;

	for (int apart = 0; apart < 2; apart++) {
		image.init_p2m = apart ? 0x8000000000 : IMAGE_NONE;
		least = layout_least_pages(LAYOUT_XEN_4, &image, 0x1234567);
		g_assert_null(layout_guest(&layout, LAYOUT_XEN_4, &image, least, 0x1234567));
		g_assert_cmpuint(layout.end, <=, least);
		g_assert_null(
			layout_guest(&layout, LAYOUT_XEN_4, &image, least - 1, 0x1234567));
		g_assert_cmpuint(layout.end, >, least - 1);
	}
}

static void test_machine_layout(void)
{
	static const uint64_t sizes[] = { 1 * MIB,   64 * MIB,          256 * MIB,
					  3 * GIB,   3 * GIB - 4 * MIB, 5 * GIB,
					  100 * GIB, LAYOUT_MEMORY_MAX };

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		uint64_t nr_pages = sizes[i] / PAGE_SIZE;
		struct machine_layout m;

		layout_machine(&m, IMAGE_X86_64, MONITOR_PADDR + 0x12000, 4, nr_pages);
		g_assert_cmphex(m.vcpu_area, ==, MONITOR_PADDR + 0x12000);
		g_assert_cmphex(m.event_area, ==, m.vcpu_area + 4 * sizeof(struct vcpu_area));
		g_assert_cmphex(m.frame_table, >=, m.event_area + sizeof(struct event_area));
		g_assert_cmphex(m.m2p, >=, m.frame_table + m.end_mfn * 8);
		g_assert_cmphex(m.m2p % (2 * MIB), ==, 0);
		g_assert_cmphex(m.m2p_bytes, >=, m.end_mfn * 8);
		g_assert_cmphex(m.m2p_bytes % (2 * MIB), ==, 0);
		g_assert_cmphex(m.heap, ==, m.m2p + m.m2p_bytes);
		g_assert_cmphex(m.heap_bytes, >=, 2 * MIB + sizes[i] / 256);
		g_assert_cmphex(m.slack, >=, m.heap + m.heap_bytes);
		g_assert_cmphex(m.guest, ==, m.slack + LAYOUT_SLACK_FRAMES * PAGE_SIZE);
		g_assert_cmphex(m.guest % (2 * MIB), ==, 0);
		g_assert_cmphex(m.guest, <, HOLE_START);
		g_assert_cmphex(m.bytes, >=, m.guest + sizes[i]);
		g_assert_cmphex(m.bytes, <, m.guest + sizes[i] + 2 * MIB);
		g_assert_cmphex(m.end_mfn << 12, ==,
				m.bytes > HOLE_START ? m.bytes + (HOLE_END - HOLE_START)
						     : m.bytes);
	}
}

/* ------------------------------------------------------------------------
 * Builds
 */
struct setup {
	GBytes *kernel;
	GBytes *ramdisk;
	uint64_t memory;
	const char *cmdline;
	uint32_t xen_version;
	uint32_t paging_modes;
	unsigned int nr_vcpus;
};

static struct module make_module(const struct setup *setup)
{
	struct make_elf *elf = make_elf_new(TRUE);
	struct module module = {
		.path = (char *)"the-module",
		.info = { .paging_modes = setup->paging_modes ? setup->paging_modes : 7,
			  .xen_version = setup->xen_version ? setup->xen_version
							    : 4 << 16 | 17 },
		.entry = MONITOR_PADDR + 0x40,
		.end = MONITOR_PADDR + 0x3000,
	};

	make_elf_segment(elf, MONITOR_PADDR, "monitor", 8, 0x2345);
	module.elf = make_elf_finish(elf);
	return module;
}

static struct build *try_build(const struct setup *setup, GError **error)
{
	struct module module = make_module(setup);
	g_autoptr(GError) why = NULL;
	g_autoptr(Image) image = image_parse("kernel", setup->kernel, &why);
	struct build_config config = {
		.image = image,
		.module = &module,
		.ramdisk = setup->ramdisk,
		.cmdline = setup->cmdline ? setup->cmdline : "console=hvc0 quiet",
		.memory = setup->memory ? setup->memory : 16 * MIB,
		.nr_vcpus = setup->nr_vcpus ? setup->nr_vcpus : 1,
		.console_port = CONSOLE_PORT,
		.store_port = STORE_PORT,
	};
	struct build *build;

	g_assert_no_error(why);
	build = domain_build(&config, error);
	g_bytes_unref(module.elf);
	return build;
}

static struct build *build_it(const struct setup *setup)
{
	g_autoptr(GError) error = NULL;
	struct build *build = try_build(setup, &error);

	g_assert_no_error(error);
	g_assert_nonnull(build);
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

static GBytes *kernel_with(uint32_t note, uint64_t value, uint32_t note2, uint64_t value2)
{
	struct make_elf *elf = make_elf_kernel();

	if (note)
		make_elf_xen_number(elf, note, value);
	if (note2)
		make_elf_xen_number(elf, note2, value2);
	return make_elf_finish(elf);
}

static void *page(const struct build *build, uint64_t pfn)
{
	void *ptr = memory_page(build->mem, build_pfn_to_mfn(build, pfn));

	g_assert_nonnull(ptr);
	return ptr;
}

static struct vcpu_guest_context *context(const struct build *build)
{
	return (void *)build->vcpus[0].context;
}

static struct start_info *start_info(const struct build *build)
{
	return memory_page(build->mem, build->start_info_mfn);
}

/* Walks the guest's tables as hardware does; the entry, or 0. */
static uint64_t walk(const struct build *build, uint64_t vaddr)
{
	uint64_t entry = context(build)->ctrlreg[3];

	for (int level = 4; level >= 1; level--) {
		uint64_t *table = memory_page(build->mem, entry >> 12);

		g_assert_nonnull(table);
		entry = table[vaddr >> (12 + 9 * (level - 1)) & 511];
		if (!(entry & 1))
			return 0;
		if (level > 1)
			g_assert_cmphex(entry & 0xfff, ==, 0x67); /* P RW US A D */
	}
	return entry;
}

/* Entries that are present in all tables below @mfn */
static uint64_t count_present(const struct build *build, uint64_t mfn, int level)
{
	uint64_t *table = memory_page(build->mem, mfn);
	uint64_t nr = 0;

	for (int i = 0; i < 512; i++)
		if (table[i] & 1)
			nr += level == 1
				      ? 1
				      : count_present(build, table[i] << 12 >> 24, level - 1);
	return nr;
}

/* Every page where it should be, tables read-only, and nothing else mapped. */
static void check_tables(const struct build *build)
{
	const struct start_info *info = start_info(build);
	uint64_t pt_pfn = (info->pt_base - KERNEL_BASE) >> 12;
	uint64_t mapped = (info->pt_base + (info->nr_pt_frames + 1) * 4096 + (512 << 10) - 1);
	uint64_t pages, p2m_pages = 0, entry;

	mapped = (mapped | (4 * MIB - 1)) + 1 - KERNEL_BASE;
	pages = mapped >> 12;
	for (uint64_t pfn = 0; pfn < pages; pfn++) {
		gboolean table = pfn >= pt_pfn && pfn < pt_pfn + info->nr_pt_frames;

		entry = walk(build, KERNEL_BASE + (pfn << 12));
		g_assert_cmphex(entry >> 12, ==, build_pfn_to_mfn(build, pfn));
		g_assert_cmphex(entry & 0xfff, ==, table ? 0x21 : 0x23); /* P [RW] A */
	}
	if (info->mfn_list < KERNEL_BASE) {
		p2m_pages = (build->nr_pages * 8 + 4095) / 4096;
		for (uint64_t i = 0; i < p2m_pages; i++) {
			entry = walk(build, info->mfn_list + (i << 12));
			g_assert_cmphex(entry >> 12, ==,
					build_pfn_to_mfn(build, info->first_p2m_pfn + i));
			g_assert_cmphex(entry & 0xfff, ==, 0x23);
		}
	}
	g_assert_cmpuint(count_present(build, context(build)->ctrlreg[3] >> 12, 4), ==,
			 pages + p2m_pages);
}

/* phys2mach, machine-to-phys and frame table agree, all over memory. */
static void check_lists(const struct build *build)
{
	const struct start_info *info = start_info(build);
	uint64_t owned = 0, valid = 0;

	for (uint64_t pfn = 0; pfn < build->nr_pages; pfn++) {
		uint64_t mfn = build_pfn_to_mfn(build, pfn);
		uint64_t p2m_pfn = info->mfn_list < KERNEL_BASE
					   ? info->first_p2m_pfn
					   : (info->mfn_list - KERNEL_BASE) >> 12;
		uint64_t *p2m = page(build, p2m_pfn + pfn / 512);

		g_assert_cmphex(p2m[pfn % 512], ==, mfn);
		g_assert_cmphex(build->m2p[mfn], ==, pfn);
		g_assert_cmphex(build->frame_table[mfn], ==, FRAME_OWNED);
	}
	for (uint64_t mfn = 0; mfn < build->boot->m2p_bytes / 8; mfn++)
		valid += build->m2p[mfn] != M2P_INVALID;
	for (uint64_t mfn = 0; mfn < build->boot->end_mfn; mfn++)
		owned += build->frame_table[mfn] != 0;
	g_assert_cmpuint(valid, ==, build->nr_pages);
	g_assert_cmpuint(owned, ==, build->nr_pages + 1);
	g_assert_cmphex(build->m2p[build->shared_info_mfn], ==, M2P_INVALID);
	g_assert_cmphex(build->frame_table[build->shared_info_mfn], ==, FRAME_OWNED);
}

static void check_free_frames(const struct build *build)
{
	uint64_t last = build->shared_info_mfn;

	g_assert_cmpuint(build->free_frames->len, >=, LAYOUT_SLACK_FRAMES - 1);
	for (guint i = 0; i < build->free_frames->len; i++) {
		uint64_t mfn = g_array_index(build->free_frames, uint64_t, i);

		g_assert_cmphex(mfn, >, last); /* highest last */
		g_assert_nonnull(memory_page(build->mem, mfn));
		g_assert_cmphex(build->frame_table[mfn], ==, 0);
		g_assert_cmphex(build->m2p[mfn], ==, M2P_INVALID);
		last = mfn;
	}
	g_assert_cmphex(last, <, build->boot->end_mfn);
}

static void test_simple(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel, .nr_vcpus = 3 };
	g_autoptr(Build) build = build_it(&setup);
	const struct boot_info *boot = build->boot;

	g_assert_cmphex(boot->magic, ==, BOOT_INFO_MAGIC);
	g_assert_cmpuint(boot->version, ==, PROTOCOL_VERSION);
	g_assert_cmpuint(boot->size, ==, sizeof(*boot));
	g_assert_cmphex(boot->monitor_entry, ==, MONITOR_PADDR + 0x40);
	g_assert_cmpuint(boot->paging, ==, PAGING_PV64);
	g_assert_cmpuint(boot->nr_vcpus, ==, 3);
	g_assert_cmpuint(boot->domid, ==, DOMID_GUEST);
	g_assert_cmphex(boot->end_mfn, ==, build->mem->end_mfn);
	g_assert_cmphex(boot->guest_mfn, ==, build->shared_info_mfn);
	g_assert_cmphex(boot->guest_mfn, ==, build->first_mfn - LAYOUT_SLACK_FRAMES);
	g_assert_cmphex(boot->shared_info_mfn, ==, build->shared_info_mfn);
	g_assert_true((void *)boot == memory_ptr(build->mem, BOOT_INFO_PADDR, PAGE_SIZE));
	g_assert_true((void *)build->vcpus == memory_ptr(build->mem, boot->vcpu_area, 1));
	g_assert_true((void *)build->events == memory_ptr(build->mem, boot->event_area, 1));
	g_assert_true((void *)build->m2p == memory_ptr(build->mem, boot->m2p, 1));
	g_assert_true((void *)build->frame_table ==
		      memory_ptr(build->mem, boot->frame_table, 1));
	g_assert_cmphex(boot->vcpu_area, ==, MONITOR_PADDR + 0x3000);
	g_assert_cmpstr(memory_ptr(build->mem, MONITOR_PADDR, 8), ==, "monitor");
	g_assert_cmpuint(build->nr_pages, ==, 4096);
	check_tables(build);
	check_lists(build);
	check_free_frames(build);
}

static void test_traits(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel };
	g_autoptr(Build) build = build_it(&setup);
	struct machine_traits traits = { .transport = TRANSPORT_IVSHMEM,
					 .flags = BOOT_NO_SYSRET,
					 .tsc_khz = 12345,
					 .apic_khz = 67890,
					 .ivshmem_peer = 7 };

	build_set_traits(build, &traits, BOOT_TRACE);
	g_assert_cmpuint(build->boot->transport, ==, TRANSPORT_IVSHMEM);
	g_assert_cmphex(build->boot->flags, ==, BOOT_NO_SYSRET | BOOT_TRACE);
	g_assert_cmpuint(build->boot->tsc_khz, ==, 12345);
	g_assert_cmpuint(build->boot->apic_khz, ==, 67890);
	g_assert_cmpuint(build->boot->ivshmem_peer, ==, 7);
}

static void test_start_info(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel };
	g_autoptr(Build) build = build_it(&setup);
	const struct start_info *info = start_info(build);

	/* kernel 0x100 + 2, p2m 8, start_info, xenstore, console, tables, stack */
	g_assert_cmpstr(info->magic, ==, "xen-3.0-x86_64");
	g_assert_cmpuint(info->nr_pages, ==, 4096);
	g_assert_cmphex(info->shared_info, ==, build->shared_info_mfn << 12);
	g_assert_cmphex(info->flags, ==, 0);
	g_assert_cmphex(info->store_mfn, ==, build_pfn_to_mfn(build, 0x10b));
	g_assert_cmpuint(info->store_evtchn, ==, STORE_PORT);
	g_assert_cmphex(info->console.domU.mfn, ==, build_pfn_to_mfn(build, 0x10c));
	g_assert_cmpuint(info->console.domU.evtchn, ==, CONSOLE_PORT);
	g_assert_cmphex(info->pt_base, ==, KERNEL_BASE + 0x10d000);
	g_assert_cmpuint(info->nr_pt_frames, ==, 5);
	g_assert_cmphex(info->mfn_list, ==, KERNEL_BASE + 0x102000);
	g_assert_cmphex(info->mod_start, ==, 0);
	g_assert_cmphex(info->mod_len, ==, 0);
	g_assert_cmpstr((const char *)info->cmd_line, ==, "console=hvc0 quiet");
	g_assert_cmphex(info->first_p2m_pfn, ==, 0);
	g_assert_cmphex(info->nr_p2m_frames, ==, 0);
	g_assert_cmphex(build->start_info_mfn, ==, build_pfn_to_mfn(build, 0x10a));
	g_assert_cmphex(build->store_mfn, ==, info->store_mfn);
	g_assert_cmphex(build->console_mfn, ==, info->console.domU.mfn);
}

static void test_vcpu(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel };
	g_autoptr(Build) build = build_it(&setup);
	const struct vcpu_guest_context *c = context(build);

	g_assert_cmphex(c->user_regs.rip, ==, KERNEL_BASE + 0x100000);
	g_assert_cmphex(c->user_regs.rsp, ==, KERNEL_BASE + 0x113000); /* end of 0x112 */
	g_assert_cmphex(c->user_regs.rsi, ==, KERNEL_BASE + 0x10a000);
	g_assert_cmphex(c->user_regs.rflags, ==, 0x200);
	g_assert_cmphex(c->user_regs.cs, ==, 0xe033);
	g_assert_cmphex(c->user_regs.ss, ==, 0xe02b);
	g_assert_cmphex(c->user_regs.ds, ==, 0);
	g_assert_cmphex(c->kernel_ss, ==, 0xe02b);
	g_assert_cmphex(c->kernel_sp, ==, c->user_regs.rsp);
	g_assert_cmphex(c->flags, ==, VGCF_in_kernel | VGCF_online);
	g_assert_cmphex(c->ctrlreg[3], ==, build_pfn_to_mfn(build, 0x10d) << 12);
	g_assert_cmphex(c->ctrlreg[1], ==, 0);
	g_assert_cmphex(c->debugreg[6], ==, 0xffff0ff0);
	g_assert_cmphex(c->debugreg[7], ==, 0x400);
	g_assert_cmphex(c->vm_assist, ==, 0);
}

static void test_shared_info(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel };
	g_autoptr(Build) build = build_it(&setup);
	struct shared_info *info = memory_page(build->mem, build->shared_info_mfn);
	struct shared_info want = { 0 };

	for (int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		want.vcpu_info[i].evtchn_upcall_mask = 1;
	g_assert_cmpmem(info, sizeof(*info), &want, sizeof(want));
}

static void test_hypercall_page(void)
{
	static const uint8_t call_12[] = { 0x51, 0x41, 0x53, 0xb8, 12,   0,    0,
					   0,    0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3 };
	static const uint8_t call_iret[] = { 0x51, 0x41, 0x53, 0x50, 0xb8, 23,
					     0,    0,    0,    0x0f, 0x05 };
	g_autoptr(GBytes)
		kernel = kernel_with(XEN_ELFNOTE_HYPERCALL_PAGE, KERNEL_BASE + 0x101000, 0, 0);
	struct setup setup = { .kernel = kernel };
	g_autoptr(Build) build = build_it(&setup);
	const uint8_t *code = page(build, 0x101);

	g_assert_cmpmem(code + 12 * 32, sizeof(call_12), call_12, sizeof(call_12));
	g_assert_cmphex(code[12 * 32 + sizeof(call_12)], ==, 0xcc);
	g_assert_cmpmem(code + 23 * 32, sizeof(call_iret), call_iret, sizeof(call_iret));
	g_assert_cmphex(code[23 * 32 + sizeof(call_iret)], ==, 0xcc);
	g_assert_cmphex(code[127 * 32 + 4], ==, 127);
	g_assert_cmphex(code[4095], ==, 0xcc);
}

static void test_long_cmdline(void)
{
	g_autofree char *cmdline = g_strnfill(3000, 'x');
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel, .cmdline = cmdline };
	g_autoptr(Build) build = NULL;

	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "extra: *cut to 1023 bytes");
	build = build_it(&setup);
	g_test_assert_expected_messages();
	g_assert_cmpuint(strlen((const char *)start_info(build)->cmd_line), ==, 1023);
	g_assert_cmphex(start_info(build)->first_p2m_pfn, ==, 0); /* nothing behind it is hit */
}

static void test_init_p2m(void)
{
	g_autoptr(GBytes) kernel = kernel_with(XEN_ELFNOTE_INIT_P2M, 0x8000000000, 0, 0);
	struct setup setup = { .kernel = kernel };
	g_autoptr(Build) build = build_it(&setup);
	const struct start_info *info = start_info(build);

	g_assert_cmphex(info->mfn_list, ==, 0x8000000000);
	g_assert_cmphex(info->first_p2m_pfn, ==, 0x400); /* after the 4 MiB that are mapped */
	g_assert_cmphex(info->nr_p2m_frames, ==, 8 + 3);
	check_tables(build);
	check_lists(build);
}

/* ------------------------------------------------------------------------
 * More memory than lies below the hole
 */
static void test_large(void)
{
	g_autoptr(GBytes) kernel = kernel_with(XEN_ELFNOTE_INIT_P2M, 0x8000000000, 0, 0);
	struct setup setup = { .kernel = kernel, .memory = 5 * GIB };
	g_autoptr(Build) build = build_it(&setup);
	uint64_t below = (HOLE_START >> 12) - build->first_mfn;

	g_assert_cmphex(build_pfn_to_mfn(build, below - 1), ==, (HOLE_START >> 12) - 1);
	g_assert_cmphex(build_pfn_to_mfn(build, below), ==, HOLE_END >> 12);
	g_assert_cmpuint(build->nr_pages, ==, 5 * GIB / 4096);
	g_assert_cmphex(build->m2p[(HOLE_START >> 12) + 5], ==, M2P_INVALID);
	g_assert_cmphex(build->frame_table[(HOLE_START >> 12) + 5], ==, 0);
	check_tables(build);
	check_lists(build);
	check_free_frames(build);
}

static void test_large_p2m_inside(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel, .memory = 5 * GIB };
	g_autoptr(Build) build = build_it(&setup);

	check_tables(build);
	check_lists(build);
}

/* Around the size where memory begins to reach beyond the hole */
static void test_at_the_hole(void)
{
	g_autoptr(GBytes) kernel = kernel_with(XEN_ELFNOTE_INIT_P2M, 0x8000000000, 0, 0);
	struct setup setup = { .kernel = kernel };
	unsigned int beyond = 0;

	for (uint64_t less = 20; less <= 40; less += 4) {
		g_autoptr(Build) build = NULL;
		uint64_t last;

		setup.memory = HOLE_START - less * MIB;
		build = build_it(&setup);
		last = build_pfn_to_mfn(build, build->nr_pages - 1);
		beyond += last >= HOLE_END >> 12;
		g_assert_nonnull(memory_page(build->mem, last));
		g_assert_cmphex(build->m2p[last], ==, build->nr_pages - 1);
		g_assert_cmphex(build->frame_table[last], ==, FRAME_OWNED);
		g_assert_nonnull(memory_page(build->mem, build->shared_info_mfn));
		check_free_frames(build);
	}
	g_assert_cmpuint(beyond, >, 0);
	g_assert_cmpuint(beyond, <, 6);
}

static void test_write_across_hole(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree struct build *build = g_new0(struct build, 1);
	g_autoptr(Memory) mem = memory_new(HOLE_START + 4 * MIB, &error);
	struct builder b = { .build = build };

	g_assert_no_error(error);
	build->mem = mem;
	g_assert_true(builder_write(&b, HOLE_START - 4, "abcdefgh", 8, &error));
	g_assert_cmpmem(memory_ptr(mem, HOLE_START - 4, 4), 4, "abcd", 4);
	g_assert_cmpmem(memory_ptr(mem, HOLE_END, 4), 4, "efgh", 4);
	g_assert_false(builder_write(&b, HOLE_START + 4 * MIB - 4, "abcdefgh", 8, &error));
	g_assert_error(error, BUILDER_ERROR, BUILDER_ERROR_MEMORY);
}

/* ------------------------------------------------------------------------
 * What is loaded
 */
static void test_kernel_bytes(void)
{
	struct make_elf *elf = make_elf_kernel();
	g_autofree uint8_t *bytes = g_malloc0(0x9000);
	g_autofree uint8_t *all = g_malloc0(0xa000);
	g_autoptr(GBytes) kernel = NULL;
	g_autoptr(Build) build = NULL;
	struct setup setup = { 0 };

	/* Zero pages between others, at an odd address, with .bss behind */
	bytes[0] = 1;
	bytes[0x2fff] = 2;
	bytes[0x3000] = 3;
	bytes[0x8fff] = 4;
	make_elf_segment(elf, 0x102123, bytes, 0x9000, 0xa000);
	kernel = make_elf_finish(elf);
	setup.kernel = kernel;
	build = build_it(&setup);
	memcpy(all, bytes, 0x9000);
	g_assert_cmpmem((uint8_t *)page(build, 0x102) + 0x123, 0xa000, all, 0xa000);
	g_assert_cmphex(*(uint8_t *)page(build, 0x100), ==, 0x90);
	g_assert_cmphex(*(uint8_t *)page(build, 0x101), ==, 0);
}

/* The later segment wins, its zeroes and its .bss too. */
static void test_overlapping_segments(void)
{
	struct make_elf *elf = make_elf_kernel();
	g_autofree uint8_t *ones = memset(g_malloc(0x4000), 1, 0x4000);
	g_autofree uint8_t *zeroes = g_malloc0(0x1000);
	g_autoptr(GBytes) kernel = NULL;
	g_autoptr(Build) build = NULL;
	struct setup setup = { 0 };
	const uint8_t *got;

	make_elf_segment(elf, 0x102000, ones, 0x4000, 0x4000);
	make_elf_segment(elf, 0x103000, zeroes, 0x1000, 0x1800);
	kernel = make_elf_finish(elf);
	setup.kernel = kernel;
	build = build_it(&setup);
	got = page(build, 0x102);
	g_assert_cmpmem(got, 0x1000, ones, 0x1000);
	g_assert_cmpmem(got + 0x1000, 0x1000, zeroes, 0x1000);
	g_assert_cmpmem(got + 0x2000, 0x800, zeroes, 0x800);
	g_assert_cmpmem(got + 0x2800, 0x1800, ones, 0x1800);
}

/* Half of their bits are random: gzip makes less of them. */
static GBytes *random_bytes(size_t len)
{
	uint8_t *bytes = g_malloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)g_test_rand_int() & 0x0f;
	return g_bytes_new_take(bytes, len);
}

static GBytes *gzip(GBytes *bytes)
{
	gsize len;
	gconstpointer data = g_bytes_get_data(bytes, &len);
	uint8_t *out = g_malloc(len + 1000);
	z_stream s = { .next_in = (Bytef *)data, .avail_in = (uInt)len };

	s.next_out = out;
	s.avail_out = (uInt)len + 1000;
	g_assert_cmpint(deflateInit2(&s, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
			==, Z_OK);
	g_assert_cmpint(deflate(&s, Z_FINISH), ==, Z_STREAM_END);
	deflateEnd(&s);
	return g_bytes_new_take(out, s.total_out);
}

/* The ramdisk in memory is @want and then zeroes up to its end. */
static void check_ramdisk(const struct build *build, GBytes *want)
{
	const struct start_info *info = start_info(build);
	uint64_t pfn = info->flags & SIF_MOD_START_PFN ? info->mod_start
						       : (info->mod_start - KERNEL_BASE) >> 12;
	gsize len = g_bytes_get_size(want);
	const uint8_t *got = page(build, pfn);

	g_assert_cmpuint(info->mod_len, >=, len);
	g_assert_cmpmem(got, len, g_bytes_get_data(want, NULL), len);
	for (uint64_t i = len; i < info->mod_len; i++)
		g_assert_cmphex(got[i], ==, 0);
}

static void test_ramdisk(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	g_autoptr(GBytes) ramdisk = random_bytes(0x2345);
	struct setup setup = { .kernel = kernel, .ramdisk = ramdisk };
	g_autoptr(Build) build = build_it(&setup);
	const struct start_info *info = start_info(build);

	g_assert_cmphex(info->mod_start, ==, KERNEL_BASE + 0x102000);
	g_assert_cmphex(info->mod_len, ==, 0x2345);
	g_assert_cmphex(info->mfn_list, ==, KERNEL_BASE + 0x105000);
	g_assert_cmphex(info->flags, ==, 0);
	check_ramdisk(build, ramdisk);
	check_tables(build);
}

/* As Xen's builder does: unpacked, with 16 bytes to spare. */
static void test_gzip_ramdisk(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	g_autoptr(GBytes) ramdisk = random_bytes(0x12345);
	g_autoptr(GBytes) packed = gzip(ramdisk);
	struct setup setup = { .kernel = kernel, .ramdisk = packed };
	g_autoptr(Build) build = build_it(&setup);

	g_assert_cmphex(start_info(build)->mod_len, ==, 0x12345 + 16);
	check_ramdisk(build, ramdisk);
}

static void test_unmapped_ramdisk(void)
{
	g_autoptr(GBytes) kernel =
		kernel_with(XEN_ELFNOTE_MOD_START_PFN, 1, XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	g_autoptr(GBytes) ramdisk = random_bytes(8 * MIB + 5); /* twice what is mapped */
	struct setup setup = { .kernel = kernel, .ramdisk = ramdisk };
	g_autoptr(Build) build = build_it(&setup);
	const struct start_info *info = start_info(build);

	g_assert_cmphex(info->flags, ==, SIF_MOD_START_PFN);
	g_assert_cmphex(info->mod_start, ==, 0x400);
	g_assert_cmphex(info->mod_len, ==, 8 * MIB + 4096);
	g_assert_cmphex(info->first_p2m_pfn, ==, 0x400 + 0x801);
	check_ramdisk(build, ramdisk);
	check_tables(build);
	check_lists(build);
}

/* Initramfs archives of several gzip members must arrive whole. */
static void test_chained_ramdisk(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	g_autoptr(GBytes) first = random_bytes(1000), second = random_bytes(2000);
	g_autoptr(GBytes) packed = gzip(first), more = gzip(second), both = NULL;
	GByteArray *all = g_bytes_unref_to_array(g_bytes_ref(packed));
	struct setup setup = { .kernel = kernel };
	g_autoptr(Build) build = NULL;

	g_byte_array_append(all, g_bytes_get_data(more, NULL), (guint)g_bytes_get_size(more));
	both = g_byte_array_free_to_bytes(all);
	setup.ramdisk = both;
	build = build_it(&setup);
	check_ramdisk(build, both);
}

static void test_broken_gzip_ramdisk(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	g_autoptr(GBytes) ramdisk = random_bytes(0x12345);
	g_autoptr(GBytes) packed = gzip(ramdisk);
	uint32_t huge = 0xfffffff0, small = 1, none = 0;
	size_t length_at = g_bytes_get_size(packed) - 4;
	GBytes *bad[] = {
		change_bytes(packed, 0x8000, "\0\0\0\0\0\0\0", 8), /* data */
		change_bytes(packed, length_at - 4, "crc?", 4),
		change_bytes(packed, length_at, &huge, 4),
		change_bytes(packed, length_at, &small, 4),
		change_bytes(packed, length_at, &none, 4),
		g_bytes_new_static("\x1f\x8b", 2),
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct setup setup = { .kernel = kernel, .ramdisk = bad[i] };
		g_autoptr(Build) build = build_it(&setup);

		check_ramdisk(build, bad[i]); /* the guest gets to see what is wrong */
		g_bytes_unref(bad[i]);
	}
}

/* Unpacked it would fill the memory that the guest needs to take it apart. */
static void test_ramdisk_stays_packed(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	g_autoptr(GBytes) ramdisk = g_bytes_new_take(g_malloc0(5 * MIB), 5 * MIB);
	g_autoptr(GBytes) packed = gzip(ramdisk);
	struct setup setup = { .kernel = kernel, .ramdisk = packed };
	g_autoptr(Build) build = build_it(&setup);

	g_assert_cmphex(start_info(build)->mod_len, ==, g_bytes_get_size(packed));
	check_ramdisk(build, packed);
}

/* ------------------------------------------------------------------------ */

static void test_bad_memory(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	struct setup setup = { .kernel = kernel };

	setup.memory = LAYOUT_MEMORY_MAX + 4096;
	assert_refused(&setup, BUILDER_ERROR_MEMORY,
		       "memory: a guest can have up to 262144 MiB");
	setup.memory = UINT64_MAX;
	assert_refused(&setup, BUILDER_ERROR_MEMORY, "memory:");
	setup.memory = 16 * MIB + 1;
	assert_refused(&setup, BUILDER_ERROR_MEMORY, "whole pages");
	setup.memory = 4096;
	assert_refused(&setup, BUILDER_ERROR_MEMORY, "at least 4 MiB");
	setup.memory = 4 * MIB - 4096;
	assert_refused(&setup, BUILDER_ERROR_MEMORY, "memory: 3 MiB are too little");
	setup.memory = 4 * MIB;
	build_free(build_it(&setup));
}

static void test_bad_ramdisk(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	g_autoptr(GBytes) ramdisk = g_bytes_new_take(g_malloc0(20 * MIB), 20 * MIB);
	g_autoptr(GBytes) most = g_bytes_new(g_bytes_get_data(ramdisk, NULL), 15 * MIB);
	struct setup setup = { .kernel = kernel, .ramdisk = ramdisk };

	assert_refused(&setup, BUILDER_ERROR_RAMDISK, "ramdisk: its 20 MiB don't fit");
	setup.ramdisk = most;
	assert_refused(&setup, BUILDER_ERROR_RAMDISK, "at least 20 MiB are needed");
	setup.memory = 20 * MIB;
	build_free(build_it(&setup));
	setup.memory = 2 * MIB; /* the kernel alone does not fit either */
	assert_refused(&setup, BUILDER_ERROR_MEMORY, "memory:");
}

static void test_bad_image(void)
{
	g_autoptr(GBytes) kernel = kernel_with(0, 0, 0, 0);
	g_autoptr(GBytes) p2m = kernel_with(XEN_ELFNOTE_INIT_P2M, 0xffff800000000000, 0, 0);
	g_autoptr(GBytes) base = kernel_with(XEN_ELFNOTE_VIRT_BASE, 0xffff800000000000,
					     XEN_ELFNOTE_ENTRY, 0xffff800000100000);
	struct setup setup = { .kernel = kernel, .paging_modes = 1U << PAGING_PV32 };

	assert_refused(&setup, BUILDER_ERROR_IMAGE, "the-module");
	setup.paging_modes = 0;
	setup.kernel = p2m;
	assert_refused(&setup, BUILDER_ERROR_IMAGE, "INIT_P2M");
	setup.kernel = base;
	assert_refused(&setup, BUILDER_ERROR_IMAGE, "addresses");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(logged); i++) {
		g_autofree char *path = g_strdup_printf("/layout/logged/%s", logged[i].name);

		g_test_add_data_func(path, &logged[i], test_logged_layout);
	}
	g_test_add_func("/layout/apart", test_apart_layout);
	g_test_add_func("/layout/init-p2m-ignored", test_init_p2m_ignored);
	g_test_add_func("/layout/shared-tables", test_shared_tables);
	g_test_add_func("/layout/impossible", test_impossible_layouts);
	g_test_add_func("/layout/least-pages", test_least_pages);
	g_test_add_func("/layout/machine", test_machine_layout);
	g_test_add_func("/builder/simple", test_simple);
	g_test_add_func("/builder/traits", test_traits);
	g_test_add_func("/builder/start-info", test_start_info);
	g_test_add_func("/builder/vcpu", test_vcpu);
	g_test_add_func("/builder/shared-info", test_shared_info);
	g_test_add_func("/builder/hypercall-page", test_hypercall_page);
	g_test_add_func("/builder/long-cmdline", test_long_cmdline);
	g_test_add_func("/builder/init-p2m", test_init_p2m);
	g_test_add_func("/builder/large", test_large);
	g_test_add_func("/builder/large-p2m-inside", test_large_p2m_inside);
	g_test_add_func("/builder/at-the-hole", test_at_the_hole);
	g_test_add_func("/builder/write-across-hole", test_write_across_hole);
	g_test_add_func("/builder/kernel-bytes", test_kernel_bytes);
	g_test_add_func("/builder/overlapping-segments", test_overlapping_segments);
	g_test_add_func("/builder/ramdisk", test_ramdisk);
	g_test_add_func("/builder/gzip-ramdisk", test_gzip_ramdisk);
	g_test_add_func("/builder/unmapped-ramdisk", test_unmapped_ramdisk);
	g_test_add_func("/builder/chained-ramdisk", test_chained_ramdisk);
	g_test_add_func("/builder/broken-gzip-ramdisk", test_broken_gzip_ramdisk);
	g_test_add_func("/builder/ramdisk-stays-packed", test_ramdisk_stays_packed);
	g_test_add_func("/builder/bad-memory", test_bad_memory);
	g_test_add_func("/builder/bad-ramdisk", test_bad_ramdisk);
	g_test_add_func("/builder/bad-image", test_bad_image);
	return g_test_run();
}
