/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake-domain.h"

/* The grant table has taken one of the free frames. */
#define SPARE (FAKE_FREE - 1)

static void test_start(void)
{
	struct fake *fake = fake_new(FAKE_PAGES + 8);
	struct frames *frames = fake->dom.frames;

	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES);
	g_assert_cmpint(frames_maximum(frames), ==, FAKE_PAGES + 8);
	g_assert_true(frames_owned(frames, FAKE_FIRST));
	g_assert_true(frames_owned(frames, FAKE_FIRST + FAKE_PAGES - 1));
	g_assert_false(frames_owned(frames, FAKE_FIRST - 1));
	g_assert_false(frames_owned(frames, FAKE_FIRST + FAKE_PAGES));
	g_assert_false(frames_owned(frames, UINT64_MAX));
	g_assert_cmpint(fake->build.free_frames->len, ==, 0);
	fake_free(fake);
}

static void test_release_and_populate(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct frames *frames = fake->dom.frames;
	uint64_t victim = FAKE_FIRST + 100, mfn;

	memset(memory_page(fake->build.mem, victim), 0x5a, PAGE_SIZE);
	/* At the limit there is nothing to be had. */
	g_assert_false(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	g_assert_true(frames_release(frames, victim));
	g_assert_false(frames_release(frames, victim));
	g_assert_cmphex(fake->build.frame_table[victim] & FRAME_OWNED, ==, 0);
	g_assert_cmphex(fake->build.m2p[victim], ==, M2P_INVALID);
	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES - 1);

	g_assert_true(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	g_assert_cmphex(fake->build.frame_table[mfn] & FRAME_OWNED, ==, FRAME_OWNED);
	g_assert_true(frames_owned(frames, mfn));
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		g_assert_cmpint(((uint8_t *)memory_page(fake->build.mem, mfn))[i], ==, 0);
	frames_set_pfn(frames, mfn, 77);
	g_assert_cmpint(fake->build.m2p[mfn], ==, 77);
	g_assert_false(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	fake_free(fake);
}

/* A live page table, or what is just becoming one, goes when it is none any more. */
static void test_live_tables(void)
{
	const uint64_t live[] = { 1ULL << FRAME_TYPE_SHIFT, FRAME_PINNED, FRAME_LOCK,
				  FRAME_COUNT_ONE };
	struct fake *fake = fake_new(FAKE_PAGES);
	struct frames *frames = fake->dom.frames;
	uint64_t *word = &fake->build.frame_table[FAKE_FIRST + 5];
	uint64_t mfn;

	for (unsigned int i = 0; i < G_N_ELEMENTS(live); i++) {
		*word = FRAME_OWNED | live[i];
		g_assert_true(frames_release(frames, FAKE_FIRST + 5));
		g_assert_true(frames_release(frames, FAKE_FIRST + 5)); /* nothing new */
		g_assert_true(frames_owned(frames, FAKE_FIRST + 5));
		g_assert_cmphex(*word, ==, FRAME_OWNED | live[i]);
		g_assert_false(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	}
	*word = FRAME_OWNED;
	g_assert_true(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	g_assert_cmphex(mfn, ==, FAKE_FIRST + 5);
	g_assert_false(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	fake_free(fake);
}

/* More of them than are looked at each time: none is forgotten. */
static void test_many_live_tables(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct frames *frames = fake->dom.frames;
	uint64_t *table = fake->build.frame_table, mfn;

	for (unsigned int i = 0; i < 100; i++) {
		table[FAKE_FIRST + i] |= FRAME_PINNED;
		g_assert_true(frames_release(frames, FAKE_FIRST + i));
	}
	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES);
	for (unsigned int i = 0; i < 100; i += 2)
		table[FAKE_FIRST + i] &= ~FRAME_PINNED;
	for (unsigned int i = 0; i < 100; i++)
		g_assert_true(frames_release(frames, FAKE_FIRST + 1)); /* in use */
	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES - 50);
	for (unsigned int i = 0; i < 50; i++)
		g_assert_true(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	g_assert_false(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	fake_free(fake);
}

/* More frames than the cache holds go back to the host and come again zeroed. */
static void test_many(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct frames *frames = fake->dom.frames;
	uint64_t mfn;

	for (unsigned int round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < FAKE_FIRST + FAKE_PAGES + FAKE_FREE; i++) {
			if (!frames_owned(frames, i))
				continue;
			memset(memory_page(fake->build.mem, i), 0xff, PAGE_SIZE);
			g_assert_true(frames_release(frames, i));
		}
		g_assert_cmpint(frames_current(frames), ==, 0);
		for (unsigned int i = 0; i < FAKE_PAGES; i++) {
			uint64_t *page;

			g_assert_true(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
			page = memory_page(fake->build.mem, mfn);
			g_assert_cmphex(page[0] | page[511], ==, 0);
		}
		g_assert_false(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	}
	fake_free(fake);
}

static void test_extents(void)
{
	struct fake *fake = fake_new(FAKE_PAGES + FAKE_FREE);
	struct frames *frames = fake->dom.frames;
	uint64_t mfn;

	g_assert_true(frames_populate(frames, 5, FRAMES_ANYWHERE, &mfn));
	g_assert_cmpint(mfn % 32, ==, 0);
	for (uint64_t i = 0; i < 32; i++)
		g_assert_true(frames_owned(frames, mfn + i));
	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES + 32);
	/* Not that many in a row, nor so many at all, nor so low. */
	g_assert_false(frames_populate(frames, 7, FRAMES_ANYWHERE, &mfn));
	g_assert_false(frames_populate(frames, FRAMES_MAX_ORDER + 1, FRAMES_ANYWHERE, &mfn));
	g_assert_false(frames_populate(frames, 0, FAKE_FIRST, &mfn));
	/* Freed neighbours make a run again, out of the cache as well. */
	for (uint64_t i = 0; i < 256; i++)
		g_assert_true(frames_release(frames, FAKE_FIRST + 256 + i));
	g_assert_true(frames_populate(frames, 7, FRAMES_ANYWHERE, &mfn));
	g_assert_cmpint(mfn % 128, ==, 0);
	fake_free(fake);
}

/* Frames outside of the guest's memory don't count against it and stay. */
static void test_take(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct frames *frames = fake->dom.frames;
	uint64_t mfn;
	unsigned int nr = 0;

	while (frames_take(frames, FRAMES_ANYWHERE, &mfn)) {
		nr++;
		g_assert_cmphex(fake->build.frame_table[mfn], ==, FRAME_OWNED);
		g_assert_false(frames_owned(frames, mfn));
		g_assert_false(frames_release(frames, mfn));
	}
	g_assert_cmpint(nr, ==, SPARE);
	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES);
	fake_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/frames/start", test_start);
	g_test_add_func("/frames/release-and-populate", test_release_and_populate);
	g_test_add_func("/frames/live-tables", test_live_tables);
	g_test_add_func("/frames/many-live-tables", test_many_live_tables);
	g_test_add_func("/frames/many", test_many);
	g_test_add_func("/frames/extents", test_extents);
	g_test_add_func("/frames/take", test_take);
	return g_test_run();
}
