/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-compat.c - hypercalls of 32-bit guests: their page tables, and the
 * structures that they lay out in another way.  Everything here is done once
 * with PAE and once with two-level tables.
 *
 * Structures are given as i386 has them, number by number (Xen's public
 * headers, compiled for i386).
 */
#include "domain/compat.h"
#include "fake-domain.h"
#include <xen/features.h>
#include <xen/foreign/x86_32.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

#define LIST (FAKE_VADDR32 + 0x800)

static struct fake *narrow_new(gconstpointer paging, uint64_t maxmem)
{
	struct fake *fake = fake_new(maxmem);

	fake_make_narrow(fake, GPOINTER_TO_UINT(paging));
	return fake;
}

static uint32_t hole_of(gconstpointer paging)
{
	return GPOINTER_TO_UINT(paging) == PAGING_PV32PAE ? 0xf5800000 : 0xfc000000;
}

/* --- page tables --- */

static int from(struct fake *fake, uint64_t vaddr, size_t len)
{
	uint8_t bytes[64];

	return copy_from_guest(&fake->dom, &fake->space, bytes, vaddr, len);
}

static int to(struct fake *fake, uint64_t vaddr, size_t len)
{
	const uint8_t bytes[64] = { 0 };

	return copy_to_guest(&fake->dom, &fake->space, vaddr, bytes, len);
}

static void test_across_pages(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	uint8_t out[64], in[64];

	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)i;
	fake_put(fake, FAKE_VADDR32 + PAGE_SIZE - 32, out, sizeof(out));
	fake_get(fake, FAKE_VADDR32 + PAGE_SIZE - 32, in, sizeof(in));
	g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
	g_assert_cmpmem(memory_page(fake->build.mem, FAKE_DATA + 1), 32, out + 32, 32);
	fake_free(fake);
}

static void test_faults(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);

	g_assert_cmpint(from(fake, FAKE_VADDR32 + 0x2000, 1), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, FAKE_VADDR32 + 0x2000 - 8, 16), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, 0, 1), ==, -XEN_EFAULT);
	/* Addresses do not wrap at 4 GiB. */
	g_assert_cmpint(from(fake, (1ULL << 32) + FAKE_VADDR32, 1), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, FAKE_RO_VADDR32, 8), ==, 0);
	g_assert_cmpint(to(fake, FAKE_RO_VADDR32, 8), ==, -XEN_EFAULT);
	fake->space.root_mfn = UINT64_MAX;
	g_assert_cmpint(from(fake, FAKE_VADDR32, 1), ==, -XEN_EFAULT);
	fake_free(fake);
}

static void set_entry(struct fake *fake, uint64_t table, unsigned int slot, uint64_t mfn,
		      uint32_t flags)
{
	if (fake->space.paging == PAGING_PV32)
		fake_set_entry32(fake, table, slot, mfn, flags);
	else
		fake_set_entry(fake, table, slot, mfn, flags);
}

/* Slot of the table above the L1 */
static void test_upper_entries(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	gboolean pae = fake->space.paging == PAGING_PV32PAE;
	uint64_t table = pae ? FAKE_ROOT + 2 : FAKE_ROOT;
	unsigned int slot = pae ? 0 : FAKE_VADDR32 >> 22;

	set_entry(fake, table, slot, FAKE_L1, P | US);
	g_assert_cmpint(from(fake, FAKE_VADDR32, 8), ==, 0);
	g_assert_cmpint(to(fake, FAKE_VADDR32, 8), ==, -XEN_EFAULT);
	set_entry(fake, table, slot, FAKE_DATA, P | RW | US | 1 << 7 /* large page */);
	g_assert_cmpint(from(fake, FAKE_VADDR32, 8), ==, -XEN_EFAULT);
	set_entry(fake, table, slot, 0xfffff, P | RW | US);
	g_assert_cmpint(from(fake, FAKE_VADDR32, 8), ==, -XEN_EFAULT);
	fake_free(fake);
}

/* What the guest has where Xen is means nothing; just below, it counts. */
static void test_hole(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	gboolean pae = fake->space.paging == PAGING_PV32PAE;
	uint32_t hole = hole_of(paging);
	uint64_t table = pae ? FAKE_ROOT + 2 : FAKE_ROOT;
	unsigned int bits = pae ? 9 : 10, last = (1U << bits) - 1;

	for (unsigned int slot = hole >> (12 + bits) & last; slot <= last; slot++)
		set_entry(fake, table, slot, FAKE_L1, P | RW | US);
	set_entry(fake, table, (hole - 1) >> (12 + bits) & last, FAKE_L1, P | RW | US);
	set_entry(fake, FAKE_L1, last, FAKE_DATA, P | RW);
	g_assert_cmpint(from(fake, hole, 1), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, 0xffffffff, 1), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, hole - 16, 16), ==, 0);
	g_assert_cmpint(from(fake, hole - 16, 17), ==, -XEN_EFAULT);
	fake_free(fake);
}

static uint64_t l1_entry(const struct fake *fake, unsigned int slot)
{
	const void *l1 = memory_page(fake->build.mem, FAKE_L1);

	return fake->space.paging == PAGING_PV32 ? ((const uint32_t *)l1)[slot]
						 : ((const uint64_t *)l1)[slot];
}

static void test_accessed_dirty(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);

	g_assert_cmpint(from(fake, FAKE_VADDR32, 1), ==, 0);
	g_assert_cmphex(l1_entry(fake, 0) & 0x60, ==, 0x20);
	g_assert_cmpint(to(fake, FAKE_VADDR32, 1), ==, 0);
	g_assert_cmphex(l1_entry(fake, 0) & 0x60, ==, 0x60);
	g_assert_cmphex(l1_entry(fake, 1) & 0x60, ==, 0);
	fake_free(fake);
}

static void test_mapping(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	gboolean writable;

	g_assert_cmphex(guest_mapping(&fake->dom, &fake->space, FAKE_VADDR32 + 5, &writable),
			==, FAKE_DATA);
	g_assert_true(writable);
	g_assert_cmphex(guest_mapping(&fake->dom, &fake->space, FAKE_RO_VADDR32, &writable), ==,
			FAKE_DATA);
	g_assert_false(writable);
	g_assert_cmphex(guest_mapping(&fake->dom, &fake->space, 0, &writable), ==, 0);
	g_assert_cmphex(l1_entry(fake, 0) & 0x60, ==, 0); /* it only looked */
	fake_free(fake);
}

/* --- memory_op --- */

static int64_t reservation(struct fake *fake, unsigned int sub, uint32_t *list, uint32_t nr,
			   uint32_t flags)
{
	uint32_t res[] = { LIST, nr, 0 /* order */, flags, DOMID_SELF };
	int64_t rc;

	fake_put(fake, LIST, list, nr * sizeof(*list));
	rc = fake_op(fake, __HYPERVISOR_memory_op, sub, res, sizeof(res));
	fake_get(fake, LIST, list, nr * sizeof(*list));
	return rc;
}

static void test_balloon(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	uint32_t m2p32[FAKE_BYTES / PAGE_SIZE] = { 0 };
	uint32_t list[] = { FAKE_FIRST + 100, FAKE_FIRST + 101, FAKE_FIRST + 102, 0x5a5a };

	fake->build.m2p32 = m2p32;
	g_assert_cmpint(reservation(fake, XENMEM_decrease_reservation, list, 3, 0), ==, 3);
	g_assert_cmphex(m2p32[FAKE_FIRST + 100], ==, UINT32_MAX);
	g_assert_cmpint(frames_current(fake->dom.frames), ==, FAKE_PAGES - 3);

	list[0] = 7;
	list[1] = 8;
	list[2] = 9;
	g_assert_cmpint(reservation(fake, XENMEM_populate_physmap, list, 3, 0), ==, 3);
	for (unsigned int i = 0; i < 3; i++) {
		g_assert_true(frames_owned(fake->dom.frames, list[i]));
		g_assert_cmphex(m2p32[list[i]], ==, 7 + i);
		g_assert_cmphex(fake->build.m2p[list[i]], ==, 7 + i);
	}
	g_assert_cmphex(list[3], ==, 0x5a5a); /* nothing behind the list is touched */

	list[0] = FAKE_FIRST + 200;
	g_assert_cmpint(reservation(fake, XENMEM_decrease_reservation, list, 1, 0), ==, 1);
	g_assert_cmpint(reservation(fake, XENMEM_increase_reservation, list, 1, 20), ==, 0);
	g_assert_cmpint(reservation(fake, XENMEM_increase_reservation, list, 1, 31), ==, 1);
	g_assert_true(frames_owned(fake->dom.frames, list[0]));
	fake->build.m2p32 = NULL;
	fake_free(fake);
}

static void test_memory_map(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	uint32_t map[] = { 2, LIST };
	struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) entry;

	g_assert_cmpint(fake_op(fake, __HYPERVISOR_memory_op, XENMEM_memory_map, map,
				sizeof(map)),
			==, 0);
	g_assert_cmpuint(map[0], ==, 1);
	g_assert_cmphex(map[1], ==, LIST);
	fake_get(fake, LIST, &entry, sizeof(entry));
	g_assert_cmphex(entry.addr, ==, 0);
	g_assert_cmphex(entry.size, ==, FAKE_PAGES * PAGE_SIZE);
	g_assert_cmpuint(entry.type, ==, 1);
	fake_free(fake);
}

static void test_machphys(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	uint32_t map[4] = { 0, 0, 0, 0x5a5a }, list[3] = { 8, LIST, 0 }, frames[2] = { 0 };
	const unsigned int nr = __HYPERVISOR_memory_op;
	uint64_t end = fake->build.mem->end_mfn;

	g_assert_cmpint(fake_op(fake, nr, XENMEM_machphys_mapping, map, sizeof(map)), ==, 0);
	g_assert_cmphex(map[0], ==, hole_of(paging));
	g_assert_cmphex(map[1], ==, hole_of(paging) + end * 4);
	g_assert_cmphex(map[2], ==, end - 1);
	g_assert_cmphex(map[3], ==, 0x5a5a);

	fake->boot.m2p32 = 6 << 20;
	fake->boot.m2p32_bytes = 4 << 20;
	g_assert_cmpint(fake_op(fake, nr, XENMEM_machphys_mfn_list, list, sizeof(list)), ==, 0);
	g_assert_cmpuint(list[0], ==, 8);
	g_assert_cmphex(list[1], ==, LIST);
	g_assert_cmpuint(list[2], ==, 2);
	fake_get(fake, LIST, frames, sizeof(frames));
	g_assert_cmphex(frames[0], ==, 0x600);
	g_assert_cmphex(frames[1], ==, 0x800);
	fake_free(fake);
}

/* max_pfn is where i386 has it in shared_info. */
static void test_maximum_gpfn(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	struct shared_info_x86_32 *shared = memory_page(fake->build.mem, FAKE_SHARED_INFO);
	uint16_t domid[2] = { DOMID_SELF };

	shared->arch.max_pfn = 0x1234;
	g_assert_cmphex((uint8_t *)&shared->arch.max_pfn - (uint8_t *)shared, ==, 2316);
	g_assert_cmpint(fake_op(fake, __HYPERVISOR_memory_op, XENMEM_maximum_gpfn, domid,
				sizeof(domid)),
			==, 0x1233);
	fake_free(fake);
}

/* --- grant_table_op --- */

static void test_setup_table(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	uint32_t op[] = { DOMID_SELF, 4, 0x77770000 | 0x1234, LIST };
	uint32_t frames[5] = { 0, 0, 0, 0, 0x5a5a };
	const unsigned int nr = __HYPERVISOR_grant_table_op;

	fake_put(fake, LIST, frames, sizeof(frames));
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_setup_table, op, sizeof(op)), ==, 0);
	g_assert_cmpint((int16_t)op[2], ==, GNTST_okay);
	g_assert_cmphex(op[3], ==, LIST);
	fake_get(fake, LIST, frames, sizeof(frames));
	for (unsigned int i = 0; i < 4; i++)
		g_assert_cmphex(frames[i], ==, grants_frame(fake->dom.grants, i));
	g_assert_cmphex(frames[4], ==, 0x5a5a);

	op[3] = FAKE_RO_VADDR32;
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_setup_table, op, sizeof(op)), ==, 0);
	g_assert_cmpint((int16_t)op[2], ==, GNTST_bad_virt_addr);
	fake_free(fake);
}

/* Two copies: the second list item is at the right place. */
static void test_grant_copy(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	struct gnttab_copy32 ops[] = {
		{ .source = { FAKE_FIRST + 100, DOMID_SELF, 16 },
		  .dest = { FAKE_FIRST + 101, DOMID_SELF, 32 },
		  .len = 8,
		  .status = 99 },
		{ .source = { FAKE_FIRST + 100, DOMID_SELF, 17 },
		  .dest = { FAKE_FIRST + 101, DOMID_SELF, 4090 },
		  .len = 8,
		  .status = 99 },
	};
	char *source = memory_page(fake->build.mem, FAKE_FIRST + 100);
	char *dest = memory_page(fake->build.mem, FAKE_FIRST + 101);

	memcpy(source + 16, "eight by", 8);
	fake_put(fake, fake->args, ops, sizeof(ops));
	g_assert_cmpint(fake_call(fake, __HYPERVISOR_grant_table_op, GNTTABOP_copy, fake->args,
				  2),
			==, 0);
	fake_get(fake, fake->args, ops, sizeof(ops));
	g_assert_cmpint(ops[0].status, ==, GNTST_okay);
	g_assert_cmpmem(dest + 32, 8, "eight by", 8);
	g_assert_cmpint(ops[1].status, ==, GNTST_bad_copy_arg);
	fake_free(fake);
}

/* --- xen_version --- */

static void test_version(gconstpointer paging)
{
	struct fake *fake = narrow_new(paging, FAKE_PAGES);
	uint32_t params[] = { 0, 0x5a5a }, features[] = { 0, 0 };
	const unsigned int nr = __HYPERVISOR_xen_version;

	g_assert_cmpint(fake_op(fake, nr, XENVER_platform_parameters, params, sizeof(params)),
			==, 0);
	g_assert_cmphex(params[0], ==, hole_of(paging));
	g_assert_cmphex(params[1], ==, 0x5a5a);
	g_assert_cmpint(fake_op(fake, nr, XENVER_get_features, features, sizeof(features)), ==,
			0);
	g_assert_cmphex(features[1] & 0xf, ==, 0);
	g_assert_cmphex(features[1] & 1 << XENFEAT_pae_pgdir_above_4gb, !=, 0);
	fake_free(fake);
}

/* Every handler survives arguments that point nowhere. */
static void test_wild_arguments(gconstpointer paging)
{
	const uint64_t wild[] = { 0, FAKE_VADDR32 + 0x2000, 0xfffffffc, UINT64_MAX - 3,
				  FAKE_VADDR32 + 2 * PAGE_SIZE - 1 };
	struct fake *fake = narrow_new(paging, FAKE_PAGES);

	for (unsigned int nr = 0; nr < NR_HYPERCALLS; nr++) {
		const struct hypercall_row *row = &fake->dom.abi->calls[nr];

		for (unsigned int i = 0; row->name && i < row->nr_subs; i++)
			for (unsigned int w = 0; w < G_N_ELEMENTS(wild); w++)
				if (row->subs[i].place == PLACE_HELPER &&
				    !fake_takes_values(nr))
					g_assert_cmpint(fake_call(fake, nr, row->subs[i].nr,
								  wild[w], 1),
							<=, FAKE_BYTES);
	}
	fake_free(fake);
}

static void add(const char *name, GTestDataFunc test)
{
	g_autofree char *pae = g_strdup_printf("/compat/pae/%s", name);
	g_autofree char *two_level = g_strdup_printf("/compat/two-level/%s", name);

	g_test_add_data_func(pae, GUINT_TO_POINTER(PAGING_PV32PAE), test);
	g_test_add_data_func(two_level, GUINT_TO_POINTER(PAGING_PV32), test);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("across-pages", test_across_pages);
	add("faults", test_faults);
	add("upper-entries", test_upper_entries);
	add("hole", test_hole);
	add("accessed-dirty", test_accessed_dirty);
	add("mapping", test_mapping);
	add("balloon", test_balloon);
	add("memory-map", test_memory_map);
	add("machphys", test_machphys);
	add("maximum-gpfn", test_maximum_gpfn);
	add("setup-table", test_setup_table);
	add("grant-copy", test_grant_copy);
	add("version", test_version);
	add("wild-arguments", test_wild_arguments);
	return g_test_run();
}
