/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake-domain.h"

static void test_across_pages(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	uint8_t out[64], in[64];

	for (unsigned int i = 0; i < sizeof(out); i++)
		out[i] = i;
	fake_put(fake, FAKE_VADDR + PAGE_SIZE - 32, out, sizeof(out));
	fake_get(fake, FAKE_VADDR + PAGE_SIZE - 32, in, sizeof(in));
	g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
	/* The second half is at the start of the second page, wherever that is. */
	g_assert_cmpmem(memory_page(fake->build.mem, FAKE_DATA + 1), 32, out + 32, 32);
	fake_free(fake);
}

static int from(struct fake *fake, uint64_t vaddr, size_t len)
{
	struct guest_space space = fake_space();
	uint8_t bytes[64];

	return copy_from_guest(&fake->dom, &space, bytes, vaddr, len);
}

static int to(struct fake *fake, uint64_t vaddr, size_t len)
{
	struct guest_space space = fake_space();
	const uint8_t bytes[64] = { 0 };

	return copy_to_guest(&fake->dom, &space, vaddr, bytes, len);
}

static void test_faults(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);

	g_assert_cmpint(from(fake, FAKE_HOLE_VADDR, 1), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, FAKE_HOLE_VADDR - 8, 16), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, 0, 1), ==, -XEN_EFAULT);
	/* Not canonical; past the end of the address space. */
	g_assert_cmpint(from(fake, 0x0000ffff80000000, 1), ==, -XEN_EFAULT);
	g_assert_cmpint(from(fake, UINT64_MAX, 16), ==, -XEN_EFAULT);
	fake_free(fake);
}

static void test_read_only(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);

	g_assert_cmpint(from(fake, FAKE_RO_VADDR, 8), ==, 0);
	g_assert_cmpint(to(fake, FAKE_RO_VADDR, 8), ==, -XEN_EFAULT);
	/* RW counts on every level. */
	fake_set_entry(fake, FAKE_ROOT + 1, 510, FAKE_ROOT + 2, P | US);
	g_assert_cmpint(from(fake, FAKE_VADDR, 8), ==, 0);
	g_assert_cmpint(to(fake, FAKE_VADDR, 8), ==, -XEN_EFAULT);
	fake_free(fake);
}

/* The guest's own entries in Xen's slots mean nothing. */
static void test_monitor_slots(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);

	for (unsigned int slot = 256; slot <= 272; slot++) {
		uint64_t vaddr = 0xffff000000000000 | (uint64_t)slot << 39 | 510ULL << 30;

		fake_set_entry(fake, FAKE_ROOT, slot, FAKE_ROOT + 1, P | RW | US);
		g_assert_cmpint(from(fake, vaddr, 8), ==, slot < 272 ? -XEN_EFAULT : 0);
	}
	fake_free(fake);
}

static void test_wild_tables(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct guest_space space = fake_space();
	uint8_t byte;

	/* Frames that are not memory, on every level and at the root; a large page. */
	fake_set_entry(fake, FAKE_L1, 0, 0xfffffffff, P | RW);
	g_assert_cmpint(from(fake, FAKE_VADDR, 1), ==, -XEN_EFAULT);
	fake_set_entry(fake, FAKE_ROOT + 2, 0, 0xfffffffff, P | RW);
	g_assert_cmpint(from(fake, FAKE_VADDR, 1), ==, -XEN_EFAULT);
	fake_set_entry(fake, FAKE_ROOT + 2, 0, FAKE_DATA, P | RW | 1 << 7);
	g_assert_cmpint(from(fake, FAKE_VADDR, 1), ==, -XEN_EFAULT);
	space.root_mfn = UINT64_MAX;
	g_assert_cmpint(copy_from_guest(&fake->dom, &space, &byte, FAKE_VADDR, 1), ==,
			-XEN_EFAULT);
	space = fake_space();
	space.paging = 77;
	g_assert_cmpint(copy_from_guest(&fake->dom, &space, &byte, FAKE_VADDR, 1), ==,
			-XEN_EFAULT);
	fake_free(fake);
}

/* What the processor would set, the helper's access sets as well. */
static void test_accessed_dirty(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	const uint64_t *l1 = memory_page(fake->build.mem, FAKE_L1);

	g_assert_cmpint(from(fake, FAKE_VADDR, 1), ==, 0);
	g_assert_cmphex(l1[0] & 0x60, ==, 0x20);
	g_assert_cmpint(to(fake, FAKE_VADDR, 1), ==, 0);
	g_assert_cmphex(l1[0] & 0x60, ==, 0x60);
	g_assert_cmphex(l1[1] & 0x60, ==, 0);
	fake_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest-memory/across-pages", test_across_pages);
	g_test_add_func("/guest-memory/faults", test_faults);
	g_test_add_func("/guest-memory/read-only", test_read_only);
	g_test_add_func("/guest-memory/monitor-slots", test_monitor_slots);
	g_test_add_func("/guest-memory/wild-tables", test_wild_tables);
	g_test_add_func("/guest-memory/accessed-dirty", test_accessed_dirty);
	return g_test_run();
}
