/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkif.c - rings of the block protocol in the layouts of 32-bit and 64-bit guests
 *
 * A 64-bit field is aligned to 4 bytes in one and to 8 in the other; so a request's id
 * is at 4 or 8, what follows it follows alike, and an entry has 108 or 112 bytes.
 */
#include "backend/blkif.h"
#include <stddef.h>
#include <string.h>

#define HEADER_BYTES 64
#define ENTRY_64 sizeof(struct blkif_request)
#define ENTRY_32 108

_Static_assert(sizeof(struct blkif_request) == 112, "entry of x86_64");
_Static_assert(offsetof(struct blkif_request, id) == 8, "id of x86_64");
_Static_assert(offsetof(struct blkif_request, seg) == 24, "segments of x86_64");
_Static_assert(offsetof(struct blkif_request_indirect, indirect_grefs) == 28, "indirect");
_Static_assert(offsetof(struct blkif_request_discard, nr_sectors) == 24, "discard");
_Static_assert(sizeof(struct blkif_request_segment) == BLKIF_SEGMENT_BYTES, "segment");
_Static_assert(offsetof(struct blkif_sring, ring) == HEADER_BYTES, "header");

/* What follows the id, from its first byte on */
enum {
	AT_SECTOR = 8,
	AT_SEGMENTS = 16,
	AT_NR_SECTORS = 16,
	AT_REFS = 20,
};

static uint32_t *index_at(const struct blkif_ring *ring, size_t offset)
{
	return (uint32_t *)(void *)(ring->page + offset);
}

#define INDEX(ring, name) index_at(ring, offsetof(struct blkif_sring, name))

void blkif_ring_init(struct blkif_ring *ring, void *page, size_t bytes, gboolean narrow)
{
	uint32_t room;

	*ring = (struct blkif_ring){
		.page = page,
		.entry = narrow ? ENTRY_32 : ENTRY_64,
		.id = narrow ? 4 : 8,
		.size = 1,
	};
	for (room = (bytes - HEADER_BYTES) / ring->entry; room >= 2; room /= 2)
		ring->size *= 2;
}

static uint8_t *entry_at(const struct blkif_ring *ring, uint32_t index)
{
	return ring->page + HEADER_BYTES + (size_t)(index & (ring->size - 1)) * ring->entry;
}

gboolean blkif_ring_pending(const struct blkif_ring *ring, uint32_t *count)
{
	uint32_t prod = __atomic_load_n(INDEX(ring, req_prod), __ATOMIC_ACQUIRE);

	*count = prod - ring->req_cons;
	return prod - ring->rsp_prod <= ring->size && *count <= ring->size;
}

static uint64_t get64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

struct blkif_segment blkif_get_segment(const void *from)
{
	struct blkif_request_segment seg;

	memcpy(&seg, from, sizeof(seg));
	return (struct blkif_segment){ seg.gref, seg.first_sect, seg.last_sect };
}

/* @copy: a request that nobody changes any more. */
static void decode(const struct blkif_ring *ring, const uint8_t *copy, struct blkif_op *op)
{
	const uint8_t *rest = copy + ring->id;

	memset(op, 0, sizeof(*op));
	op->op = copy[0];
	op->id = get64(rest);
	op->sector = get64(rest + AT_SECTOR);
	switch (op->op) {
	case BLKIF_OP_DISCARD:
		op->nr_sectors = get64(rest + AT_NR_SECTORS);
		break;
	case BLKIF_OP_INDIRECT:
		op->indirect_op = copy[1];
		memcpy(&op->nr_segments, copy + 2, sizeof(op->nr_segments));
		memcpy(op->refs, rest + AT_REFS, sizeof(op->refs));
		break;
	default:
		op->nr_segments = copy[1];
		for (unsigned int i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
			op->segments[i] =
				blkif_get_segment(rest + AT_SEGMENTS + i * BLKIF_SEGMENT_BYTES);
	}
}

void blkif_ring_take(struct blkif_ring *ring, struct blkif_op *op)
{
	uint8_t copy[ENTRY_64];

	memcpy(copy, entry_at(ring, ring->req_cons), ring->entry);
	/* The compiler must not look at the guest's copy again. */
	__asm__ volatile("" : : "r"(copy) : "memory");
	ring->req_cons++;
	decode(ring, copy, op);
}

gboolean blkif_ring_sleep(struct blkif_ring *ring)
{
	__atomic_store_n(INDEX(ring, req_event), ring->req_cons + 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(INDEX(ring, req_prod), __ATOMIC_SEQ_CST) == ring->req_cons;
}

gboolean blkif_ring_answer(struct blkif_ring *ring, uint64_t id, uint8_t op, int16_t status)
{
	uint8_t *entry = entry_at(ring, ring->rsp_prod++);

	memcpy(entry + offsetof(struct blkif_response, id), &id, sizeof(id));
	entry[offsetof(struct blkif_response, operation)] = op;
	memcpy(entry + offsetof(struct blkif_response, status), &status, sizeof(status));
	__atomic_store_n(INDEX(ring, rsp_prod), ring->rsp_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* RING_PUSH_RESPONSES_AND_CHECK_NOTIFY() for one response */
	return __atomic_load_n(INDEX(ring, rsp_event), __ATOMIC_SEQ_CST) == ring->rsp_prod;
}
