/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-memory.c - the VM's memory: sizes, the hole, what is refused
 */
#include "machine/machine.h"
#include "machine/memory.h"
#include "protocol.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static struct memory *make(uint64_t bytes)
{
	GError *error = NULL;
	struct memory *mem = memory_new(bytes, &error);

	g_assert_no_error(error);
	g_assert_nonnull(mem);
	return mem;
}

static void test_size(void)
{
	g_autoptr(Memory) mem = make(3 * MIB + 1);
	struct stat st;

	g_assert_cmpuint(mem->bytes, ==, 4 * MIB);
	g_assert_cmpuint(mem->end_mfn, ==, 1024);
	g_assert_cmpint(fstat(mem->fd, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, 4 * MIB);
	g_assert_cmpint(st.st_blocks, ==, 0); /* nothing taken before it is touched */
}

/* By whoever gets the descriptor: its size stays, its pages can be given back. */
static void test_sealed(void)
{
	g_autoptr(Memory) mem = make(4 * MIB);

	g_assert_cmpint(ftruncate(mem->fd, MIB), ==, -1);
	g_assert_cmpint(ftruncate(mem->fd, 8 * MIB), ==, -1);
	mem->base[2 * MIB] = 1;
	g_assert_cmpint(fallocate(mem->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				  4 * MIB),
			==, 0);
	g_assert_cmpint(mem->base[2 * MIB], ==, 0);
}

static void test_ranges(void)
{
	g_autoptr(Memory) mem = make(4 * MIB);

	g_assert_true(memory_ptr(mem, 0, 4 * MIB) == mem->base);
	g_assert_true(memory_ptr(mem, 4 * MIB - 1, 1) == mem->base + 4 * MIB - 1);
	g_assert_null(memory_ptr(mem, 4 * MIB - 1, 2));
	g_assert_null(memory_ptr(mem, 4 * MIB, 1));
	g_assert_null(memory_ptr(mem, 0, 4 * MIB + 1));
	g_assert_null(memory_ptr(mem, 4096, UINT64_MAX));
	g_assert_null(memory_ptr(mem, UINT64_MAX, 2));
	g_assert_null(memory_ptr(mem, HOLE_END, 1));
	g_assert_true(memory_page(mem, 1023) == mem->base + 4 * MIB - PAGE_SIZE);
	g_assert_null(memory_page(mem, 1024));
	/* a frame number whose address wraps around to 0 */
	g_assert_null(memory_page(mem, 1ULL << 52));
	g_assert_null(memory_page(mem, UINT64_MAX));
}

static void test_hole(void)
{
	g_autoptr(Memory) mem = make(5 * GIB);
	uint64_t low = HOLE_START, high = HOLE_END;

	g_assert_cmpuint(mem->bytes, ==, 5 * GIB);
	g_assert_cmpuint(mem->end_mfn, ==, (5 * GIB + HOLE_END - HOLE_START) >> PAGE_SHIFT);
	g_assert_true(memory_ptr(mem, low - 8, 8) == mem->base + low - 8);
	g_assert_null(memory_ptr(mem, low - 8, 9));
	g_assert_null(memory_ptr(mem, low, 1));
	g_assert_null(memory_ptr(mem, high - 1, 1));
	g_assert_true(memory_ptr(mem, high, 8) == mem->base + low);
	g_assert_true(memory_page(mem, mem->end_mfn - 1) == mem->base + 5 * GIB - PAGE_SIZE);
	g_assert_null(memory_page(mem, mem->end_mfn));
	g_assert_null(memory_page(mem, low >> PAGE_SHIFT));
}

static void test_refused(void)
{
	static const uint64_t sizes[] = { 0, 1ULL << 60, UINT64_MAX };
	guint i;

	for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(memory_new(sizes[i], &error));
		g_assert_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED);
	}
	memory_free(NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/memory/size", test_size);
	g_test_add_func("/memory/sealed", test_sealed);
	g_test_add_func("/memory/ranges", test_ranges);
	g_test_add_func("/memory/hole", test_hole);
	g_test_add_func("/memory/refused", test_refused);
	return g_test_run();
}
