/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-builder-xen.c - the start of day, byte by byte as Xen's own domain
 * builder makes it
 *
 * libxenguest can build a domain's memory without a hypervisor: for domain 0 it
 * uses memory of its own.  What it builds for a kernel must be what we build.
 */
#include "domain/builder.h"
#include "make-elf.h"
#include <string.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <zlib.h>

#include <xen/elfnote.h>

#define MIB (1ULL << 20)
#define KERNEL_BASE 0xffffffff80000000ULL
#define KERNEL_BASE_32 0xc0000000ULL
#define CMDLINE "console=hvc0 debug"

/* libxenguest clears pages of a domain by a hypercall; these are clear. */
int xc_clear_domain_pages(xc_interface *xch, uint32_t domid, unsigned long pfn, int nr)
{
	(void)xch;
	(void)domid;
	(void)pfn;
	(void)nr;
	return 0;
}

/**
 * struct scene - a kernel and what goes with it
 */
struct scene {
	const char *name;
	uint64_t memory;
	uint64_t segments[3][3]; /* paddr, filesz, memsz */
	uint64_t init_p2m;
	uint64_t ramdisk;
	gboolean gzip;
	gboolean mod_start_pfn;
	uint64_t virt_base;
	gboolean pae;
	size_t symbols, strings; /* BSD_SYMTAB */
};

static const struct scene scenes[] = {
	{ .name = "plain", .memory = 16 * MIB },
	{ .name = "ramdisk", .memory = 32 * MIB, .ramdisk = 3 * MIB + 17 },
	{ .name = "gzip", .memory = 64 * MIB, .ramdisk = 5 * MIB + 1, .gzip = TRUE },
	{ .name = "apart",
	  .memory = 64 * MIB,
	  .ramdisk = 9 * MIB,
	  .init_p2m = 0x8000000000,
	  .mod_start_pfn = TRUE },
	{ .name = "gzip-apart",
	  .memory = 64 * MIB,
	  .ramdisk = 9 * MIB,
	  .gzip = TRUE,
	  .init_p2m = 0xffffff8000000000,
	  .mod_start_pfn = TRUE },
	{ .name = "p2m-below", .memory = 48 * MIB, .init_p2m = KERNEL_BASE - 0x40000000 },
	{ .name = "p2m-above", .memory = 48 * MIB, .init_p2m = KERNEL_BASE + 0x40000000 },
	{ .name = "low", .memory = 96 * MIB, .virt_base = 0x1000000 },
	{ .name = "overlap",
	  .memory = 24 * MIB,
	  .segments = { { 0x101000, 0x4000, 0x8000 }, { 0x102800, 0x1000, 0x2000 } } },
	/* Just too large for the tables to fit below the next 4 MiB */
	{ .name = "edge",
	  .memory = 32 * MIB,
	  .segments = { { 0x102000, 0x1000, 0x400000 - 0x102000 - 0x93000 } } },
	{ .name = "5-gib", .memory = 5120 * MIB, .init_p2m = 0x8000000000 },
	{ .name = "5-gib-p2m-inside", .memory = 5120 * MIB },
	{ .name = "pae", .memory = 128 * MIB, .pae = TRUE },
	{ .name = "pae-low", .memory = 64 * MIB, .pae = TRUE, .virt_base = 0x1000000 },
	/* Over the edge of a GiB: two L2 tables */
	{ .name = "pae-two-l2",
	  .memory = 64 * MIB,
	  .pae = TRUE,
	  .virt_base = 0x3fc00000,
	  .segments = { { 0x102000, 0x1000, 0x1000000 } } },
	{ .name = "pae-up-to-the-last-gib",
	  .memory = 64 * MIB,
	  .pae = TRUE,
	  .virt_base = 0xbfc00000 },
	{ .name = "pae-into-the-last-gib",
	  .memory = 64 * MIB,
	  .pae = TRUE,
	  .virt_base = 0xbfc00000,
	  .segments = { { 0x102000, 0x1000, 0x600000 } } },
	{ .name = "pae-ramdisk", .memory = 64 * MIB, .pae = TRUE, .ramdisk = 3 * MIB + 17 },
	{ .name = "pae-gzip-apart",
	  .memory = 64 * MIB,
	  .pae = TRUE,
	  .ramdisk = 9 * MIB,
	  .gzip = TRUE,
	  .mod_start_pfn = TRUE,
	  /* means nothing to 32-bit guests */
	  .init_p2m = 0x80000000 },
	{ .name = "symbols", .memory = 16 * MIB, .symbols = 0x3453, .strings = 0x121 },
	{ .name = "symbols-aligned", .memory = 16 * MIB, .symbols = 0x18, .strings = 8 },
	{ .name = "pae-symbols",
	  .memory = 16 * MIB,
	  .pae = TRUE,
	  .segments = { { 0x102000, 0x123, 0x345 } },
	  .symbols = 0x321,
	  .strings = 0x123 },
	{ .name = "pae-5-gib", .memory = 5120 * MIB, .pae = TRUE },
};

static void add_table(struct make_elf *elf, const char *name, uint32_t type, size_t len)
{
	g_autofree uint8_t *bytes = g_malloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i + type);
	make_elf_section(elf, name, type, bytes, len);
}

static void add_symbols(struct make_elf *elf, const struct scene *scene)
{
	make_elf_xen_string(elf, XEN_ELFNOTE_BSD_SYMTAB, "yes");
	add_table(elf, ".symtab", SHT_SYMTAB, scene->symbols);
	add_table(elf, ".strtab", SHT_STRTAB, scene->strings);
}

static GBytes *make_kernel(const struct scene *scene)
{
	struct make_elf *elf = scene->pae ? make_elf_kernel32("yes") : make_elf_kernel();
	uint64_t usual = scene->pae ? KERNEL_BASE_32 : KERNEL_BASE;
	uint64_t base = scene->virt_base ? scene->virt_base : usual;

	make_elf_xen_number(elf, XEN_ELFNOTE_VIRT_BASE, base);
	make_elf_xen_number(elf, XEN_ELFNOTE_ENTRY, base + 0x100000);
	make_elf_xen_number(elf, XEN_ELFNOTE_MOD_START_PFN, scene->mod_start_pfn);
	if (scene->init_p2m)
		make_elf_xen_number(elf, XEN_ELFNOTE_INIT_P2M, scene->init_p2m);
	for (size_t i = 0; i < G_N_ELEMENTS(scene->segments) && scene->segments[i][0]; i++) {
		const uint64_t *s = scene->segments[i];
		g_autofree uint8_t *bytes = memset(g_malloc(s[1]), 0x41 + (int)i, s[1]);

		make_elf_segment(elf, s[0], bytes, s[1], s[2]);
	}
	if (scene->symbols)
		add_symbols(elf, scene);
	return make_elf_finish(elf);
}

static GBytes *make_ramdisk(const struct scene *scene)
{
	uint8_t *bytes = g_malloc(scene->ramdisk);
	z_stream s = { .next_in = bytes, .avail_in = (uInt)scene->ramdisk };
	g_autofree uint8_t *plain = bytes;
	uint8_t *packed;

	for (uint64_t i = 0; i < scene->ramdisk; i++)
		bytes[i] = (uint8_t)(i >> 12 ^ i);
	if (!scene->gzip)
		return g_bytes_new_take(g_steal_pointer(&plain), scene->ramdisk);
	packed = g_malloc(scene->ramdisk);
	s.next_out = packed;
	s.avail_out = (uInt)scene->ramdisk;
	g_assert_cmpint(deflateInit2(&s, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
			==, Z_OK);
	g_assert_cmpint(deflate(&s, Z_FINISH), ==, Z_STREAM_END);
	deflateEnd(&s);
	return g_bytes_new_take(packed, s.total_out);
}

static struct build *build_ours(const struct scene *scene, GBytes *kernel, GBytes *ramdisk)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Image) image = image_parse(scene->name, kernel, &error);
	struct make_elf *elf = make_elf_new(TRUE);
	struct module module = { .path = (char *)"module",
				 .info = { .paging_modes = 7, .abi = "xen-4" },
				 .entry = MONITOR_PADDR,
				 .end = MONITOR_PADDR + 0x1000 };
	struct build_config config = { .image = image,
				       .module = &module,
				       .ramdisk = ramdisk,
				       .cmdline = CMDLINE,
				       .memory = scene->memory,
				       .nr_vcpus = 1,
				       .console_port = 2,
				       .store_port = 1 };
	struct build *build;

	g_assert_no_error(error);
	make_elf_segment(elf, MONITOR_PADDR, NULL, 0x10, 0x1000);
	module.elf = make_elf_finish(elf);
	build = domain_build(&config, &error);
	g_assert_no_error(error);
	g_bytes_unref(module.elf);
	return build;
}

/* Gives Xen's builder the machine frames, ports and shared_info that we chose. */
static void build_theirs(struct xc_dom_image *dom, const struct scene *scene,
			 const struct build *ours, GBytes *kernel, GBytes *ramdisk)
{
	gsize len;
	gconstpointer bytes = g_bytes_get_data(kernel, &len);

	dom->container_type = XC_DOM_PV_CONTAINER;
	dom->flags = 0; /* as libxl sets it, whatever libxenguest presets */
	g_strlcpy(dom->xen_caps, "xen-3.0-x86_64 xen-3.0-x86_32p ", sizeof(dom->xen_caps));
	g_assert_cmpint(xc_dom_kernel_mem(dom, bytes, len), ==, 0);
	if (ramdisk) {
		bytes = g_bytes_get_data(ramdisk, &len);
		g_assert_cmpint(xc_dom_module_mem(dom, bytes, len, NULL), ==, 0);
	}
	g_assert_cmpint(xc_dom_parse_image(dom), ==, 0);
	g_assert_cmpint(xc_dom_mem_init(dom, (unsigned int)(scene->memory / MIB)), ==, 0);
	dom->p2m_size = dom->total_pages;
	dom->pv_p2m = malloc(dom->p2m_size * sizeof(*dom->pv_p2m)); /* freed by us */
	for (xen_pfn_t pfn = 0; pfn < dom->p2m_size; pfn++)
		dom->pv_p2m[pfn] = build_pfn_to_mfn(ours, pfn);
	g_assert_cmpint(xc_dom_build_image(dom), ==, 0);
	dom->shared_info_mfn = ours->shared_info_mfn;
	dom->xenstore_evtchn = 1;
	dom->console_evtchn = 2;
	g_assert_cmpint(dom->arch_hooks->setup_pgtables(dom), ==, 0);
	g_assert_cmpint(dom->arch_hooks->start_info(dom), ==, 0);
}

/* All pages that Xen's builder touched, and no other of ours is not zero. */
static void compare(const struct build *ours, const struct xc_dom_image *dom)
{
	g_autofree uint8_t *zero = g_malloc0(PAGE_SIZE);
	g_autofree uint8_t *seen = g_malloc0(ours->nr_pages);

	for (const struct xc_dom_phys *phys = dom->phys_pages; phys; phys = phys->next) {
		for (xen_pfn_t i = 0; i < phys->count; i++) {
			uint64_t pfn = phys->first + i;
			const uint8_t *page =
				memory_page(ours->mem, build_pfn_to_mfn(ours, pfn));

			seen[pfn] = 1;
			if (memcmp(page, (uint8_t *)phys->ptr + i * PAGE_SIZE, PAGE_SIZE) != 0)
				g_error("pfn 0x%" G_GINT64_MODIFIER "x differs in\n%s", pfn,
					ours->layout);
		}
	}
	/* A look at every page of a large guest would take its memory. */
	for (uint64_t pfn = 0; pfn < MIN(ours->nr_pages, 64 * MIB / PAGE_SIZE); pfn++)
		if (!seen[pfn])
			g_assert_cmpmem(memory_page(ours->mem, build_pfn_to_mfn(ours, pfn)),
					PAGE_SIZE, zero, PAGE_SIZE);
}

static void test_scene(gconstpointer data)
{
	const struct scene *scene = data;
	g_autoptr(GBytes) kernel = make_kernel(scene);
	g_autoptr(GBytes) ramdisk = scene->ramdisk ? make_ramdisk(scene) : NULL;
	g_autoptr(Build) ours = build_ours(scene, kernel, ramdisk);
	xc_interface *xch = xc_interface_open(NULL, NULL, XC_OPENFLAG_DUMMY);
	struct xc_dom_image *dom = xc_dom_allocate(xch, CMDLINE, NULL);
	xen_pfn_t *p2m;

	build_theirs(dom, scene, ours, kernel, ramdisk);
	compare(ours, dom);
	p2m = dom->pv_p2m;
	xc_dom_release(dom);
	xc_interface_close(xch);
	free(p2m);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(scenes); i++) {
		g_autofree char *path = g_strdup_printf("/builder/xen/%s", scenes[i].name);

		g_test_add_data_func(path, &scenes[i], test_scene);
	}
	return g_test_run();
}
