/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif-ring.c - a ring as the backend sees it (io/ring.h)
 *
 * Xen's macros read the shared indices as often as the compiler likes; these read them
 * once, and what was written by us is kept by us.
 */
#include "backend/vif-private.h"
#include <string.h>

G_STATIC_ASSERT(sizeof(struct netif_tx_request) == 12);
G_STATIC_ASSERT(sizeof(union netif_rx_sring_entry) == 8);
G_STATIC_ASSERT(offsetof(struct netif_tx_sring, ring) == 64);
G_STATIC_ASSERT(offsetof(struct netif_rx_sring, ring) == 64);
G_STATIC_ASSERT(offsetof(struct netif_tx_sring, rsp_event) ==
		offsetof(struct vif_indices, rsp_event));
G_STATIC_ASSERT(__CONST_RING_SIZE(netif_tx, PAGE_SIZE) == VIF_RING_SIZE);
G_STATIC_ASSERT(__CONST_RING_SIZE(netif_rx, PAGE_SIZE) == VIF_RING_SIZE);

static RING_IDX load(const RING_IDX *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void *slot(const struct vif_ring *ring, RING_IDX index)
{
	return ring->slots + index % VIF_RING_SIZE * ring->slot_size;
}

gboolean vif_ring_attach(struct vif_ring *ring, void *page, size_t slot_size)
{
	RING_IDX nr;

	ring->shared = page;
	ring->slots = (uint8_t *)page + offsetof(struct netif_tx_sring, ring);
	ring->slot_size = slot_size;
	ring->rsp_prod = ring->rsp_pushed = ring->req_cons = load(&ring->shared->rsp_prod);
	return vif_ring_requests(ring, &nr);
}

gboolean vif_ring_requests(const struct vif_ring *ring, RING_IDX *nr)
{
	*nr = load(&ring->shared->req_prod) - ring->req_cons;
	/* What is not answered yet takes room as well. */
	return *nr <= VIF_RING_SIZE - (ring->req_cons - ring->rsp_prod);
}

void vif_ring_take(struct vif_ring *ring, void *request)
{
	memcpy(request, slot(ring, ring->req_cons++), ring->slot_size);
}

void vif_ring_respond(struct vif_ring *ring, const void *response, size_t len)
{
	memcpy(slot(ring, ring->rsp_prod++), response, len);
}

gboolean vif_ring_push(struct vif_ring *ring)
{
	RING_IDX before = ring->rsp_pushed, event;

	if (before == ring->rsp_prod)
		return FALSE;
	__atomic_store_n(&ring->shared->rsp_prod, ring->rsp_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring->rsp_pushed = ring->rsp_prod;
	event = load(&ring->shared->rsp_event);
	return ring->rsp_prod - event < ring->rsp_prod - before;
}

gboolean vif_ring_ask(struct vif_ring *ring, RING_IDX seen)
{
	__atomic_store_n(&ring->shared->req_event, seen + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load(&ring->shared->req_prod) != seen;
}
