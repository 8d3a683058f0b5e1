/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring.c - a guest's connection to the store through its shared page
 *
 * docs/misc/xenstore-ring.txt of Xen.  The guest may scribble over all of the page at
 * any time: our own indices are kept here and only published there, the guest's are
 * read once and checked, and bytes are copied out before they are looked at.
 */
#include "xenstore/connection.h"
#include "xenstore/xenstore.h"
#include <string.h>

/* Work of one turn, messages or parts of them; the rest of the helper wants a turn too. */
#define BUDGET 256

/* When a ring in which something has moved is looked at once more, without an event */
#define AGAIN_MS 10

/**
 * struct xenstore_ring - see xenstore.h
 * @conn:     the connection, NULL when it is dead
 * @page:     the shared page
 * @req_cons, @rsp_prod: our indices
 * @pumping:  in the middle of pump(), which sends all there is
 * @resume:   source that goes on where a turn ended, or 0
 * @again:    source that looks again, or 0
 * @broken:   why the connection is to die, until it does and the owner is told
 * @report:   source that does both, or 0
 */
struct xenstore_ring {
	struct connection *conn;
	struct xenstore_domain_interface *page;
	XENSTORE_RING_IDX req_cons, rsp_prod;
	gboolean pumping;
	guint resume;
	guint again;
	const char *broken;
	guint report;
	void (*notify)(void *opaque);
	void (*failed)(void *opaque, const char *reason);
	void *opaque;
};

static XENSTORE_RING_IDX load(const XENSTORE_RING_IDX *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/*
 * The full barrier after it is for the guest's habit to notify only when the ring was
 * full or empty: it reads our index after it wrote its own, we the other way round,
 * so one of us sees the other's.  If the guest has a barrier there, too: see look_again().
 */
static void publish(XENSTORE_RING_IDX *index, XENSTORE_RING_IDX value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The connection stays until ring_report(): its watches may be just being looked at. */
static gboolean ring_fail(struct xenstore_ring *ring, const char *reason)
{
	ring->broken = reason;
	return FALSE;
}

static gboolean ring_works(const struct xenstore_ring *ring)
{
	return ring->conn && !ring->broken;
}

/* Copies what fits of one message to the guest.  FALSE if nothing was or the ring is dead. */
static gboolean ring_send(struct xenstore_ring *ring)
{
	size_t len;
	const void *bytes = connection_pending(ring->conn, &len);
	uint32_t used, at = MASK_XENSTORE_IDX(ring->rsp_prod);

	if (!bytes)
		return FALSE;
	used = ring->rsp_prod - load(&ring->page->rsp_cons);
	if (used > XENSTORE_RING_SIZE)
		return ring_fail(ring, "the guest consumed replies that were never sent");
	len = MIN(len, XENSTORE_RING_SIZE - used);
	len = MIN(len, XENSTORE_RING_SIZE - at);
	if (!len)
		return FALSE;
	memcpy(ring->page->rsp + at, bytes, len);
	ring->rsp_prod += len;
	publish(&ring->page->rsp_prod, ring->rsp_prod);
	connection_sent(ring->conn, len);
	return TRUE;
}

/* Feeds what there is of one message.  FALSE if nothing was or the ring is dead. */
static gboolean ring_receive(struct xenstore_ring *ring)
{
	size_t len = connection_wants(ring->conn);
	uint32_t used, at = MASK_XENSTORE_IDX(ring->req_cons);
	char bytes[XENSTORE_RING_SIZE];

	if (!len)
		return FALSE;
	used = load(&ring->page->req_prod) - ring->req_cons;
	if (used > XENSTORE_RING_SIZE)
		return ring_fail(ring, "the guest's request index is far ahead");
	len = MIN(len, used);
	len = MIN(len, XENSTORE_RING_SIZE - at);
	if (!len)
		return FALSE;
	memcpy(bytes, ring->page->req + at, len);
	ring->req_cons += len;
	publish(&ring->page->req_cons, ring->req_cons);
	if (!connection_feed(ring->conn, bytes, len))
		return ring_fail(ring, "the guest sent a message that is too long");
	return TRUE;
}

/* Last of all, as the owner may free the ring. */
static void ring_report(struct xenstore_ring *ring)
{
	const char *reason = ring->broken;

	g_clear_handle_id(&ring->report, g_source_remove);
	ring->broken = NULL;
	g_clear_pointer(&ring->conn, connection_free);
	ring->failed(ring->opaque, reason);
}

static gboolean report_later(gpointer opaque)
{
	struct xenstore_ring *ring = opaque;

	ring->report = 0;
	ring_report(ring);
	return G_SOURCE_REMOVE;
}

static gboolean resume(gpointer opaque)
{
	struct xenstore_ring *ring = opaque;

	ring->resume = 0;
	xenstore_ring_kick(ring);
	return G_SOURCE_REMOVE;
}

static gboolean look_again(gpointer opaque)
{
	struct xenstore_ring *ring = opaque;

	ring->again = 0;
	xenstore_ring_kick(ring);
	return G_SOURCE_REMOVE;
}

/*
 * Linux's xb_write() and xb_read() have none between writing their index and reading ours,
 * only the comment that there is one, and the processor may do the second first: then the
 * guest sees a ring that is not empty yet and sends no event, while we have seen nothing new
 * in it.  What it wrote arrives a moment later.
 */
static void look_again_later(struct xenstore_ring *ring)
{
	if (!ring->again)
		ring->again = g_timeout_add(AGAIN_MS, look_again, ring);
}

/* Sends all that fits and, if asked, serves requests in between. */
static void pump(struct xenstore_ring *ring, gboolean receive)
{
	unsigned int steps = 0;
	gboolean moved = TRUE;

	ring->pumping = TRUE;
	while (moved && ring_works(ring) && steps < BUDGET) {
		moved = ring_send(ring);
		if (ring_works(ring) && receive)
			moved |= ring_receive(ring);
		steps += moved;
	}
	ring->pumping = FALSE;
	if (steps) {
		look_again_later(ring);
		ring->notify(ring->opaque);
	}
	if (steps == BUDGET && !ring->resume)
		ring->resume = g_idle_add_full(G_PRIORITY_DEFAULT, resume, ring, NULL);
	if (ring->broken && receive)
		ring_report(ring);
	else if (ring->broken)
		ring->report = g_idle_add_full(G_PRIORITY_DEFAULT, report_later, ring, NULL);
}

/*
 * Somebody else's change queued an event.  Requests are not served from here, and nothing
 * is freed: who made the change is not done with it, nor with the watches that it fires.
 */
static void ring_ready(void *opaque)
{
	struct xenstore_ring *ring = opaque;

	if (!ring->pumping && ring_works(ring))
		pump(ring, FALSE);
}

struct xenstore_ring *xenstore_ring_new(struct xenstore *xs, unsigned int domid, void *page,
					void (*notify)(void *opaque),
					void (*failed)(void *opaque, const char *reason),
					void *opaque)
{
	struct xenstore_ring *ring = g_new0(struct xenstore_ring, 1);

	ring->page = page;
	ring->notify = notify;
	ring->failed = failed;
	ring->opaque = opaque;
	ring->req_cons = load(&ring->page->req_cons);
	ring->rsp_prod = load(&ring->page->rsp_prod);
	ring->page->server_features = 0;
	ring->conn = connection_new(xs, domid, ring_ready, ring);
	return ring;
}

void xenstore_ring_kick(struct xenstore_ring *ring)
{
	if (ring_works(ring) && !ring->pumping)
		pump(ring, TRUE);
}

void xenstore_ring_free(struct xenstore_ring *ring)
{
	if (!ring)
		return;
	g_clear_handle_id(&ring->resume, g_source_remove);
	g_clear_handle_id(&ring->again, g_source_remove);
	g_clear_handle_id(&ring->report, g_source_remove);
	connection_free(ring->conn);
	g_free(ring);
}
