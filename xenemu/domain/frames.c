/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames.c - who owns which machine frame
 */
#include "domain/frames.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <xen/errno.h>

/*
 * Frames kept ready: netfront of the 3.x age gives back and takes a receive
 * ring's worth (256) with every batch.
 */
#define CACHE_FRAMES 512

/* Of the frames in use when they were given back, how many are tried at a time */
#define LEFT_TRIES 8

#define BITS_PER_WORD 64

#define PARKED (1U << 31) /* nobody's, but held */

struct frames {
	struct build *build;
	uint64_t end;
	uint64_t current;
	uint64_t maximum;
	uint64_t *owned; /* bitmap: part of the guest's memory */
	uint64_t *free; /* bitmap: nobody's, reads as zero */
	uint64_t cache[CACHE_FRAMES]; /* nobody's, content to be cleared */
	unsigned int nr_cached;
	uint64_t hint; /* no free frame below */
	uint64_t *leaving; /* bitmap: given back while in use */
	GQueue left; /* the same, as pointers, oldest try last */
	uint32_t *holds; /* of each frame: how often it is held, and PARKED */
};

static gboolean test_bit(const uint64_t *map, uint64_t n)
{
	return map[n / BITS_PER_WORD] >> (n % BITS_PER_WORD) & 1;
}

static void set_bit(uint64_t *map, uint64_t n)
{
	map[n / BITS_PER_WORD] |= 1ULL << (n % BITS_PER_WORD);
}

static void clear_bit(uint64_t *map, uint64_t n)
{
	map[n / BITS_PER_WORD] &= ~(1ULL << (n % BITS_PER_WORD));
}

static uint64_t *bitmap_new(uint64_t bits)
{
	return g_new0(uint64_t, (bits + BITS_PER_WORD - 1) / BITS_PER_WORD);
}

struct frames *frames_new(struct build *build, uint64_t maxmem)
{
	struct frames *frames = g_new0(struct frames, 1);
	GArray *free = build->free_frames;

	frames->build = build;
	frames->end = build->mem->end_mfn;
	frames->current = build->nr_pages;
	frames->maximum = MAX(maxmem, build->nr_pages);
	frames->owned = bitmap_new(frames->end);
	frames->free = bitmap_new(frames->end);
	frames->leaving = bitmap_new(frames->end);
	g_queue_init(&frames->left);
	/* Mostly untouched, so that it takes no memory. */
	frames->holds = g_new0(uint32_t, frames->end);
	for (uint64_t pfn = 0; pfn < build->nr_pages; pfn++)
		set_bit(frames->owned, build_pfn_to_mfn(build, pfn));
	for (unsigned int i = 0; free && i < free->len; i++)
		set_bit(frames->free, g_array_index(free, uint64_t, i));
	if (free)
		g_array_set_size(free, 0);
	return frames;
}

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	g_free(frames->owned);
	g_free(frames->free);
	g_free(frames->leaving);
	g_queue_clear(&frames->left);
	g_free(frames->holds);
	g_free(frames);
}

/* The first free frame at or after @from, or frames->end. */
static uint64_t next_free(const struct frames *frames, uint64_t from)
{
	while (from < frames->end) {
		uint64_t word = frames->free[from / BITS_PER_WORD] >> (from % BITS_PER_WORD);

		if (word)
			return from + __builtin_ctzll(word);
		from = (from / BITS_PER_WORD + 1) * BITS_PER_WORD;
	}
	return frames->end;
}

static gboolean run_is_free(const struct frames *frames, uint64_t mfn, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (mfn + i >= frames->end || !test_bit(frames->free, mfn + i))
			return FALSE;
	return TRUE;
}

/* Xen's extents are naturally aligned. */
static gboolean find_run(struct frames *frames, unsigned int order, uint64_t limit,
			 uint64_t *mfn)
{
	uint64_t count = 1ULL << order;
	uint64_t at = next_free(frames, frames->hint);

	frames->hint = at;
	while (at < frames->end) {
		at = (at + count - 1) & ~(count - 1);
		if (at + count > limit)
			return FALSE;
		if (run_is_free(frames, at, count)) {
			*mfn = at;
			return TRUE;
		}
		at = next_free(frames, at + 1);
	}
	return FALSE;
}

/* Give a frame's memory back to the host: it reads as zero when next touched. */
static void punch(struct frames *frames, uint64_t mfn)
{
	struct memory *mem = frames->build->mem;
	uint8_t *page = memory_page(mem, mfn);

	if (fallocate(mem->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page - mem->base,
		      PAGE_SIZE))
		memset(page, 0, PAGE_SIZE);
}

static void empty_cache(struct frames *frames, unsigned int keep)
{
	while (frames->nr_cached > keep) {
		uint64_t mfn = frames->cache[--frames->nr_cached];

		punch(frames, mfn);
		set_bit(frames->free, mfn);
		frames->hint = MIN(frames->hint, mfn);
	}
}

static gboolean take_cached(struct frames *frames, uint64_t limit, uint64_t *mfn)
{
	if (!frames->nr_cached || frames->cache[frames->nr_cached - 1] >= limit)
		return FALSE;
	*mfn = frames->cache[--frames->nr_cached];
	memset(memory_page(frames->build->mem, *mfn), 0, PAGE_SIZE);
	return TRUE;
}

/* 2^@order frames that belong to nobody from here on. */
static gboolean take_run(struct frames *frames, unsigned int order, uint64_t limit,
			 uint64_t *mfn)
{
	if (order == 0 && take_cached(frames, limit, mfn))
		return TRUE;
	if (!find_run(frames, order, limit, mfn)) {
		if (!frames->nr_cached)
			return FALSE;
		empty_cache(frames, 0);
		if (!find_run(frames, order, limit, mfn))
			return FALSE;
	}
	for (uint64_t i = 0; i < 1ULL << order; i++)
		clear_bit(frames->free, *mfn + i);
	return TRUE;
}

static void own(struct frames *frames, uint64_t mfn)
{
	__atomic_fetch_or(&frames->build->frame_table[mfn], FRAME_OWNED, __ATOMIC_SEQ_CST);
}

/*
 * Against a vCPU that is just making the frame a page table: whoever is first
 * wins, because both change the same word.
 */
static gboolean disown(struct frames *frames, uint64_t mfn)
{
	const uint64_t busy = FRAME_TYPE_MASK | FRAME_PINNED | FRAME_LOCK | FRAME_COUNT_MASK;
	uint64_t *word = &frames->build->frame_table[mfn];
	uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED);

	do {
		if (old & busy)
			return FALSE;
	} while (!__atomic_compare_exchange_n(word, &old, old & ~FRAME_OWNED, FALSE,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return TRUE;
}

static void put_cached(struct frames *frames, uint64_t mfn)
{
	frames_set_pfn(frames, mfn, M2P_INVALID);
	if (frames->holds[mfn]) {
		frames->holds[mfn] |= PARKED;
		return;
	}
	if (frames->nr_cached == CACHE_FRAMES)
		empty_cache(frames, CACHE_FRAMES / 2);
	frames->cache[frames->nr_cached++] = mfn;
}

/* The frame becomes nobody's, if nothing uses it any more. */
static gboolean take_back(struct frames *frames, uint64_t mfn)
{
	if (!disown(frames, mfn))
		return FALSE;
	clear_bit(frames->owned, mfn);
	frames->current--;
	put_cached(frames, mfn);
	return TRUE;
}

/* Frames that were in use when they were given back: some are tried each time. */
static void take_back_left(struct frames *frames)
{
	for (guint n = MIN(frames->left.length, LEFT_TRIES); n > 0; n--) {
		gpointer frame = g_queue_pop_head(&frames->left);
		uint64_t mfn = GPOINTER_TO_SIZE(frame);

		if (take_back(frames, mfn))
			clear_bit(frames->leaving, mfn);
		else
			g_queue_push_tail(&frames->left, frame);
	}
}

static void give_run(struct frames *frames, unsigned int order, uint64_t mfn)
{
	for (uint64_t i = 0; i < 1ULL << order; i++) {
		set_bit(frames->owned, mfn + i);
		frames_set_pfn(frames, mfn + i, M2P_INVALID);
		own(frames, mfn + i);
	}
}

gboolean frames_populate(struct frames *frames, unsigned int order, uint64_t limit,
			 uint64_t *mfn)
{
	uint64_t count = 1ULL << order;

	take_back_left(frames);
	if (order > FRAMES_MAX_ORDER || frames->current + count > frames->maximum)
		return FALSE;
	if (!take_run(frames, order, limit, mfn))
		return FALSE;
	give_run(frames, order, *mfn);
	frames->current += count;
	return TRUE;
}

void frames_set_pfn(struct frames *frames, uint64_t mfn, uint64_t pfn)
{
	struct build *build = frames->build;

	__atomic_store_n(&build->m2p[mfn], pfn, __ATOMIC_RELAXED);
	if (build->m2p32)
		__atomic_store_n(&build->m2p32[mfn], (uint32_t)pfn, __ATOMIC_RELAXED);
}

gboolean frames_release(struct frames *frames, uint64_t mfn)
{
	if (!frames_owned(frames, mfn))
		return FALSE;
	take_back_left(frames);
	if (test_bit(frames->leaving, mfn) || take_back(frames, mfn))
		return TRUE;
	set_bit(frames->leaving, mfn);
	g_queue_push_tail(&frames->left, GSIZE_TO_POINTER(mfn));
	return TRUE;
}

/* Take all of @in from the guest, with their contents, or none. */
static gboolean take_all(struct frames *frames, const uint64_t *in, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!frames_owned(frames, in[i]) || test_bit(frames->leaving, in[i]) ||
		    !disown(frames, in[i]))
			break;
		clear_bit(frames->owned, in[i]);
	}
	if (i == count)
		return TRUE;
	while (i--) {
		set_bit(frames->owned, in[i]);
		own(frames, in[i]);
	}
	return FALSE;
}

static void free_runs(struct frames *frames, const uint64_t *run, unsigned int nr,
		      unsigned int order)
{
	for (unsigned int i = 0; i < nr; i++)
		for (uint64_t j = 0; j < 1ULL << order; j++)
			put_cached(frames, run[i] + j);
}

int frames_exchange(struct frames *frames, const uint64_t *in, uint64_t *out,
		    unsigned int count, unsigned int order, uint64_t limit)
{
	unsigned int nr = 0;

	for (; nr < count >> order; nr++) {
		if (!take_run(frames, order, limit, &out[nr])) {
			free_runs(frames, out, nr, order);
			return -XEN_ENOMEM;
		}
	}
	if (!take_all(frames, in, count)) {
		free_runs(frames, out, nr, order);
		return -XEN_EINVAL;
	}
	for (unsigned int i = 0; i < count; i++)
		put_cached(frames, in[i]);
	for (unsigned int i = 0; i < nr; i++)
		give_run(frames, order, out[i]);
	return 0;
}

gboolean frames_take(struct frames *frames, uint64_t limit, uint64_t *mfn)
{
	if (!take_run(frames, 0, limit, mfn))
		return FALSE;
	frames_set_pfn(frames, *mfn, M2P_INVALID);
	own(frames, *mfn);
	return TRUE;
}

gboolean frames_owned(const struct frames *frames, uint64_t mfn)
{
	return mfn < frames->end && test_bit(frames->owned, mfn);
}

void frames_hold(struct frames *frames, uint64_t mfn)
{
	frames->holds[mfn]++;
}

void frames_unhold(struct frames *frames, uint64_t mfn)
{
	if (--frames->holds[mfn] != PARKED)
		return;
	frames->holds[mfn] = 0;
	put_cached(frames, mfn);
}

static gboolean is_table(const struct frames *frames, uint64_t mfn)
{
	return __atomic_load_n(&frames->build->frame_table[mfn], __ATOMIC_SEQ_CST) &
	       FRAME_TYPE_MASK;
}

gboolean frames_lend(struct frames *frames, uint64_t mfn)
{
	uint32_t *lent = frames->build->lent;

	if (lent)
		__atomic_fetch_add(&lent[mfn], 1, __ATOMIC_SEQ_CST);
	if (!is_table(frames, mfn))
		return TRUE;
	frames_return(frames, mfn);
	return FALSE;
}

void frames_return(struct frames *frames, uint64_t mfn)
{
	uint32_t *lent = frames->build->lent;

	if (lent)
		__atomic_fetch_sub(&lent[mfn], 1, __ATOMIC_SEQ_CST);
}

void frames_wrote(struct frames *frames, uint64_t mfn)
{
	if (frames->build->written && mfn < frames->end)
		__atomic_store_n(&frames->build->written[mfn], 1, __ATOMIC_RELEASE);
}

gboolean frames_held(const struct frames *frames, uint64_t mfn)
{
	return mfn < frames->end && frames->holds[mfn] != 0;
}

uint64_t frames_current(const struct frames *frames)
{
	return frames->current;
}

uint64_t frames_maximum(const struct frames *frames)
{
	return frames->maximum;
}
