/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtq.c - a split virtqueue, the driver's side
 *
 * Virtio 1.1, 2.6 "Split Virtqueues".  x86 is little-endian, as the queue is.
 */
#include "backend/virtq.h"

/* The rings' alignments are at most 16; a cache line keeps the two sides apart. */
#define APART 64

static size_t avail_bytes(unsigned int size)
{
	/* flags, idx, ring, used_event */
	return (3 + size) * sizeof(uint16_t);
}

static size_t used_offset(unsigned int size)
{
	size_t end = size * sizeof(struct vring_desc) + avail_bytes(size);

	return (end + APART - 1) & ~(size_t)(APART - 1);
}

size_t virtq_bytes(unsigned int size)
{
	/* flags, idx, ring, avail_event */
	return used_offset(size) + 3 * sizeof(uint16_t) + size * sizeof(struct vring_used_elem);
}

void virtq_init(struct virtq *queue, void *memory, unsigned int size)
{
	char *base = memory;

	*queue = (struct virtq){
		.size = size,
		.desc = memory,
		.avail = (struct vring_avail *)(base + size * sizeof(struct vring_desc)),
		.used = (struct vring_used *)(base + used_offset(size)),
	};
}

void virtq_add(struct virtq *queue, unsigned int head)
{
	queue->avail->ring[queue->added++ & (queue->size - 1)] = head;
}

static uint16_t load(const uint16_t *shared)
{
	return __atomic_load_n(shared, __ATOMIC_ACQUIRE);
}

static void store(uint16_t *shared, uint16_t value)
{
	__atomic_store_n(shared, value, __ATOMIC_RELEASE);
}

/* What the device writes to say when it wants a kick: after used's ring. */
static uint16_t avail_event(const struct virtq *queue)
{
	return load((const uint16_t *)&queue->used->ring[queue->size]);
}

gboolean virtq_show(struct virtq *queue)
{
	uint16_t before = queue->shown;

	if (queue->added == before)
		return FALSE;
	store(&queue->avail->idx, queue->added);
	queue->shown = queue->added;
	/* The device says that it wants a kick, then looks at idx: one of us sees. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (queue->event_idx)
		return vring_need_event(avail_event(queue), queue->shown, before);
	return !(load(&queue->used->flags) & VRING_USED_F_NO_NOTIFY);
}

int virtq_take(struct virtq *queue, uint32_t *head, uint32_t *len)
{
	uint16_t there = load(&queue->used->idx) - queue->taken;
	const volatile struct vring_used_elem *answer;

	if (!there)
		return 0;
	if (there > (uint16_t)(queue->shown - queue->taken))
		return -1;
	answer = &queue->used->ring[queue->taken & (queue->size - 1)];
	*head = answer->id;
	*len = answer->len;
	queue->taken++;
	return 1;
}

gboolean virtq_ask(struct virtq *queue)
{
	/* used_event, after avail's ring; without EVENT_IDX calls are never forbidden. */
	if (queue->event_idx)
		store(&queue->avail->ring[queue->size], queue->taken);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load(&queue->used->idx) != queue->taken;
}
