/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtq.h - a split virtqueue of virtio 1.x, the driver's side
 *
 * The queue is in memory that the device can write, and the device may be hostile: what it
 * writes is read once and checked.  What we write is never read back.
 */
#ifndef XENEMU_BACKEND_VIRTQ_H
#define XENEMU_BACKEND_VIRTQ_H

#include <glib.h>
#include <linux/virtio_ring.h>
#include <stdint.h>

/**
 * struct virtq - one queue
 * @size:      elements, a power of 2
 * @desc, @avail, @used: its parts, shared with the device
 * @event_idx: VIRTIO_RING_F_EVENT_IDX was negotiated
 * @added:     how many heads were made available, modulo 65536
 * @shown:     how many of them the device was shown
 * @taken:     how many answers were taken
 */
struct virtq {
	unsigned int size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	gboolean event_idx;
	uint16_t added;
	uint16_t shown;
	uint16_t taken;
};

/** virtq_bytes() - how much memory a queue of @size elements takes */
size_t virtq_bytes(unsigned int size);

/**
 * virtq_init() - a queue in zeroed memory, aligned to a page
 *
 * The caller fills @queue->desc, and sets event_idx before the first use.
 */
void virtq_init(struct virtq *queue, void *memory, unsigned int size);

/** virtq_add() - the descriptor @head is a request; the device sees it at virtq_show() */
void virtq_add(struct virtq *queue, unsigned int head);

/** virtq_show() - show the device what was added; return whether it wants to be kicked */
gboolean virtq_show(struct virtq *queue);

/**
 * virtq_take() - the next answer
 * @head: which the device says it is of: anything
 * @len:  bytes that it says it has written: anything
 *
 * Return: 1; 0 if there is none; -1 if the device's index is further on than there are
 * requests.
 */
int virtq_take(struct virtq *queue, uint32_t *head, uint32_t *len);

/**
 * virtq_ask() - ask for a call when there is another answer
 *
 * Return: TRUE if there is one by now, for which no call may come.
 */
gboolean virtq_ask(struct virtq *queue);

#endif
