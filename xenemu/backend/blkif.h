/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkif.h - rings of the block protocol (Xen's io/blkif.h) in the layouts of 32-bit and
 * 64-bit guests, as the backend uses them
 *
 * The page is shared with a hostile guest: our indices are kept here and only published
 * there, its own are read once, requests are copied out once and then used.
 */
#ifndef XENEMU_BACKEND_BLKIF_H
#define XENEMU_BACKEND_BLKIF_H

#include <glib.h>
#include <stdint.h>
#include <xen/xen.h>

#include <xen/io/blkif.h>

/**
 * struct blkif_ring - one ring
 * @page:     its pages, side by side
 * @size:     number of entries, a power of 2
 * @entry:    bytes of an entry
 * @id:       where requests have their id; all that follows it lies alike in all layouts
 * @req_cons: requests taken
 * @rsp_prod: responses given
 */
struct blkif_ring {
	uint8_t *page;
	uint32_t size;
	uint32_t entry;
	uint32_t id;
	uint32_t req_cons;
	uint32_t rsp_prod;
};

/** struct blkif_segment - sectors @first to @last of a granted page */
struct blkif_segment {
	uint32_t ref;
	uint8_t first;
	uint8_t last;
};

/**
 * struct blkif_op - a request, whatever its layout; nothing of it is checked
 * @op:          BLKIF_OP_*
 * @indirect_op: BLKIF_OP_INDIRECT: what it really is
 * @id:          the guest's name for it
 * @sector:      where, in sectors of 512 bytes
 * @nr_segments: number of segments
 * @nr_sectors:  BLKIF_OP_DISCARD: how much
 * @segments:    if not indirect
 * @refs:        BLKIF_OP_INDIRECT: pages of segments
 */
struct blkif_op {
	uint8_t op;
	uint8_t indirect_op;
	uint16_t nr_segments;
	uint64_t id;
	uint64_t sector;
	uint64_t nr_sectors;
	struct blkif_segment segments[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	uint32_t refs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
};

/** Bytes of a segment in requests and indirect pages; the same in all layouts */
#define BLKIF_SEGMENT_BYTES 8
#define BLKIF_SEGMENTS_PER_PAGE (4096 / BLKIF_SEGMENT_BYTES)

/**
 * blkif_ring_init() - begin with a ring that is empty
 * @page:   memory shared with the guest
 * @bytes:  its size
 * @narrow: layout of 32-bit guests
 */
void blkif_ring_init(struct blkif_ring *ring, void *page, size_t bytes, gboolean narrow);

/**
 * blkif_ring_pending() - requests that wait to be taken
 * @count: receives the number
 *
 * Return: FALSE when the guest's index makes no sense.
 */
gboolean blkif_ring_pending(const struct blkif_ring *ring, uint32_t *count);

/** blkif_ring_take() - copy out the next request, which is there */
void blkif_ring_take(struct blkif_ring *ring, struct blkif_op *op);

/**
 * blkif_ring_sleep() - ask for an event with the next request
 * Return: FALSE when there is one already.
 */
gboolean blkif_ring_sleep(struct blkif_ring *ring);

/**
 * blkif_ring_answer() - give a response; each request taken makes room for one
 * Return: whether the guest wants an event.
 */
gboolean blkif_ring_answer(struct blkif_ring *ring, uint64_t id, uint8_t op, int16_t status);

/** blkif_get_segment() - copy the segment at @from, in shared memory */
struct blkif_segment blkif_get_segment(const void *from);

#endif
