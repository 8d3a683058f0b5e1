/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's ring of the store: both ends of it, honest and hostile guests.
 */
#include "xenstore/xenstore.h"
#include <sched.h>
#include <string.h>
#include <xen/io/xs_wire.h>

/**
 * struct fixture - a store, and a guest that talks to it through a page
 * @received: everything that the guest has taken out of the ring
 * @notified: how often its event channel was raised
 * @failure:  what the owner was told, or NULL
 * @free_on_failure: the owner frees the ring when it is told
 */
struct fixture {
	struct xenstore *xs;
	struct xenstore_domain_interface *page;
	struct xenstore_ring *ring;
	GByteArray *received;
	unsigned int notified;
	char *failure;
	gboolean free_on_failure;
};

static void notify(void *opaque)
{
	((struct fixture *)opaque)->notified++;
}

static void failed(void *opaque, const char *reason)
{
	struct fixture *f = opaque;

	g_assert_null(f->failure);
	f->failure = g_strdup(reason);
	if (f->free_on_failure)
		g_clear_pointer(&f->ring, xenstore_ring_free);
}

/* @data: where all indices start. */
static void set_up(struct fixture *f, const void *data)
{
	uint32_t start = GPOINTER_TO_UINT(data);

	f->xs = xenstore_new(NULL);
	xenstore_write(f->xs, "/local/domain/1", "", 0, 1);
	xenstore_write(f->xs, "/local/domain/1/data", "", 1, -1);
	f->page = g_malloc(4096);
	memset(f->page, 0xa5, 4096);
	f->page->req_cons = f->page->req_prod = start;
	f->page->rsp_cons = f->page->rsp_prod = start + 77;
	f->page->connection = 3;
	f->received = g_byte_array_new();
	f->ring = xenstore_ring_new(f->xs, 1, f->page, notify, failed, f);
	g_assert_cmpuint(f->notified, ==, 0);
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	xenstore_ring_free(f->ring);
	xenstore_free(f->xs);
	g_byte_array_unref(f->received);
	g_free(f->page);
	g_free(f->failure);
}

static uint32_t guest_room(const struct fixture *f)
{
	return XENSTORE_RING_SIZE - (f->page->req_prod - f->page->req_cons);
}

/* Puts as much of @bytes into the ring as fits; no event. */
static size_t guest_put(struct fixture *f, const void *bytes, size_t len)
{
	const char *from = bytes;

	len = MIN(len, guest_room(f));
	for (size_t i = 0; i < len; i++)
		f->page->req[MASK_XENSTORE_IDX(f->page->req_prod + i)] = from[i];
	f->page->req_prod += len;
	return len;
}

/* Takes what is there, at most @max; no event. */
static size_t guest_take(struct fixture *f, size_t max)
{
	size_t len = MIN(max, f->page->rsp_prod - f->page->rsp_cons);

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = f->page->rsp[MASK_XENSTORE_IDX(f->page->rsp_cons + i)];

		g_byte_array_append(f->received, &byte, 1);
	}
	f->page->rsp_cons += len;
	return len;
}

static size_t put_request(struct fixture *f, uint32_t type, uint32_t id, const char *payload,
			  size_t len)
{
	struct xsd_sockmsg header = { type, id, 0, len };

	g_assert_cmpuint(guest_put(f, &header, sizeof(header)), ==, sizeof(header));
	return guest_put(f, payload, len);
}

/* Sends and receives piecewise, as a guest's driver does, until the reply is there. */
static void talk(struct fixture *f, uint32_t type, uint32_t id, const char *payload, size_t len,
		 size_t reply)
{
	size_t done = put_request(f, type, id, payload, len);

	g_byte_array_set_size(f->received, 0);
	while (f->received->len < sizeof(struct xsd_sockmsg) + reply) {
		unsigned int before = f->notified;
		size_t put, taken;

		xenstore_ring_kick(f->ring);
		put = guest_put(f, payload + done, len - done);
		done += put;
		taken = guest_take(f, 1000);
		/* The guest can go on, and was told if it could not before. */
		g_assert_true(put || taken);
		g_assert_true(f->notified > before || !put);
	}
	g_assert_cmpuint(done, ==, len);
	g_assert_cmpuint(f->received->len, ==, sizeof(struct xsd_sockmsg) + reply);
}

static void check_reply(const struct fixture *f, uint32_t type, uint32_t id,
			const char *payload, size_t len)
{
	struct xsd_sockmsg header;

	g_assert_cmpuint(f->received->len, >=, sizeof(header));
	memcpy(&header, f->received->data, sizeof(header));
	g_assert_cmpuint(header.type, ==, type);
	g_assert_cmpuint(header.req_id, ==, id);
	g_assert_cmpmem(f->received->data + sizeof(header), header.len, payload, len);
}

static void test_page(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_assert_cmpuint(f->page->server_features, ==, 0);
	g_assert_cmpuint(f->page->connection, ==, 3);
}

static void test_request(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	talk(f, XS_WRITE, 1, "data/x\0value", 12, 3);
	check_reply(f, XS_WRITE, 1, "OK", 3);
	talk(f, XS_READ, 2, "data/x", 7, 5);
	check_reply(f, XS_READ, 2, "value", 5);
	g_assert_cmpuint(f->page->req_cons, ==, f->page->req_prod);
}

/* Every position in the ring is a message's start, header's middle, payload's middle. */
static void test_wrap(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char payload[64] = "data/x";

	for (unsigned int i = 0; i < 5000; i++) {
		size_t len = 7 + i % 41;

		memset(payload + 7, 'a' + i % 26, sizeof(payload) - 7);
		talk(f, XS_WRITE, i, payload, len, 3);
		check_reply(f, XS_WRITE, i, "OK", 3);
		talk(f, XS_READ, i, payload, 7, len - 7);
		check_reply(f, XS_READ, i, payload + 7, len - 7);
	}
}

/* Longer than the ring, both ways. */
static void test_long(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char payload[7 + 2008] = "data/x";

	for (unsigned int i = 7; i < sizeof(payload); i++)
		payload[i] = i;
	talk(f, XS_WRITE, 1, payload, sizeof(payload), 3);
	check_reply(f, XS_WRITE, 1, "OK", 3);
	talk(f, XS_READ, 2, payload, 7, sizeof(payload) - 7);
	check_reply(f, XS_READ, 2, payload + 7, sizeof(payload) - 7);
}

static void test_pieces(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct xsd_sockmsg header = { XS_READ, 9, 0, 5 };
	char message[sizeof(header) + 5];

	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), "data", 5);
	for (unsigned int i = 0; i < sizeof(message); i++) {
		g_assert_cmpuint(f->page->rsp_prod, ==, f->page->rsp_cons);
		guest_put(f, message + i, 1);
		xenstore_ring_kick(f->ring);
		g_assert_cmpuint(f->notified, ==, i + 1);
	}
	g_assert_cmpuint(guest_take(f, 1024), ==, sizeof(header));
	check_reply(f, XS_READ, 9, "", 0);
}

static void test_quiet(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	for (unsigned int i = 0; i < 3; i++)
		xenstore_ring_kick(f->ring);
	g_assert_cmpuint(f->notified, ==, 0);
}

/* Its event for a request is lost that follows another closely; nothing more is looked for. */
static void test_no_event(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	unsigned int notified;

	put_request(f, XS_READ, 1, "data", 5);
	xenstore_ring_kick(f->ring);
	guest_take(f, 1024);
	g_byte_array_set_size(f->received, 0);
	put_request(f, XS_READ, 2, "data", 5);
	for (notified = f->notified; f->notified == notified;)
		g_main_context_iteration(NULL, TRUE);
	guest_take(f, 1024);
	check_reply(f, XS_READ, 2, "", 0);
	notified = f->notified;
	g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(f->notified, ==, notified);
	g_assert_false(g_main_context_pending(NULL));
}

/* A guest that takes no replies is not served on, and is when it does. */
static void test_full(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	unsigned int sent = 0, replies = 0, before;

	do {
		before = f->notified;
		while (guest_room(f) >= 25)
			put_request(f, XS_WRITE, sent++, "data/x\0y", 9);
		xenstore_ring_kick(f->ring);
		g_assert_cmpuint(sent, <, 200);
	} while (f->notified > before);
	/* The ring of replies is filled to the last byte: only then does a guest say
	 * that it has taken some. */
	g_assert_cmpuint(f->page->rsp_prod - f->page->rsp_cons, ==, XENSTORE_RING_SIZE);
	while (guest_take(f, XENSTORE_RING_SIZE))
		xenstore_ring_kick(f->ring);
	for (size_t at = 0; at < f->received->len; replies++) {
		struct xsd_sockmsg header;

		memcpy(&header, f->received->data + at, sizeof(header));
		g_assert_cmpuint(header.req_id, ==, replies);
		g_assert_cmpuint(header.type, ==, XS_WRITE);
		at += sizeof(header) + header.len;
	}
	g_assert_cmpuint(replies, ==, sent);
}

static void watch_data(struct fixture *f)
{
	size_t event = sizeof(struct xsd_sockmsg) + 7;

	put_request(f, XS_WATCH, 1, "data\0t", 7);
	xenstore_ring_kick(f->ring);
	g_assert_cmpuint(guest_take(f, 1024), ==, sizeof(struct xsd_sockmsg) + 3 + event);
	g_byte_array_set_size(f->received, 0);
	f->notified = 0;
}

static void test_event(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	watch_data(f);
	xenstore_write(f->xs, "/local/domain/1/data/x", "", 1, -1);
	g_assert_cmpuint(f->notified, ==, 1);
	guest_take(f, 1024);
	check_reply(f, XS_WATCH_EVENT, 0, "data/x\0t", 9);
}

/* Somebody else's change doesn't have the guest's requests served in the middle of it. */
static void test_not_reentered(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	watch_data(f);
	put_request(f, XS_RM, 5, "data/x", 7);
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/data/x", "", 1, -1));
	guest_take(f, 1024);
	check_reply(f, XS_WATCH_EVENT, 0, "data/x\0t", 9);
	g_assert_cmpuint(f->page->req_cons, !=, f->page->req_prod);
	xenstore_ring_kick(f->ring);
	g_assert_cmpuint(f->page->req_cons, ==, f->page->req_prod);
	g_assert_null(xenstore_read(f->xs, "/local/domain/1/data/x"));
}

/* Our own indices in the page are no input. */
static void test_scribbled(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t cons = f->page->req_cons, prod = f->page->rsp_prod;

	put_request(f, XS_READ, 1, "data", 5);
	f->page->req_cons = 0x12345;
	f->page->rsp_prod = 0x54321;
	xenstore_ring_kick(f->ring);
	g_assert_null(f->failure);
	g_assert_cmpuint(f->page->req_cons, ==, cons + sizeof(struct xsd_sockmsg) + 5);
	g_assert_cmpuint(f->page->rsp_prod, ==, prod + sizeof(struct xsd_sockmsg));
}

static void turns(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void check_dead(struct fixture *f)
{
	unsigned int notified = f->notified;
	g_autofree char *value = NULL;

	g_assert_nonnull(f->failure);
	/* Told once, silent from then on; the store goes on. */
	f->page->req_prod = f->page->req_cons;
	f->page->rsp_cons = f->page->rsp_prod;
	put_request(f, XS_READ, 1, "data", 5);
	xenstore_ring_kick(f->ring);
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/data/x", "v", 1, -1));
	g_assert_cmpuint(f->notified, ==, notified);
	g_assert_cmpuint(f->page->rsp_cons, ==, f->page->rsp_prod);
	value = xenstore_read(f->xs, "/local/domain/1/data/x");
	g_assert_cmpstr(value, ==, "v");
}

static void test_request_index(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	watch_data(f);
	f->page->req_prod = f->page->req_cons + XENSTORE_RING_SIZE + 1;
	xenstore_ring_kick(f->ring);
	check_dead(f);
}

static void test_request_index_behind(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	f->page->req_prod = f->page->req_cons - 1;
	xenstore_ring_kick(f->ring);
	check_dead(f);
}

static void test_reply_index(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	watch_data(f);
	f->page->rsp_cons = f->page->rsp_prod + 1;
	put_request(f, XS_READ, 1, "data", 5);
	xenstore_ring_kick(f->ring);
	check_dead(f);
}

/* Found while somebody else changes the store. */
static void test_reply_index_event(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	watch_data(f);
	f->page->rsp_cons = f->page->rsp_prod + 1;
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/data/y", "v", 1, -1));
	turns();
	check_dead(f);
}

static void count(void *opaque, G_GNUC_UNUSED const char *path)
{
	(*(unsigned int *)opaque)++;
}

/* The same: other watches on what was changed fire all the same. */
static void test_reply_index_others(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	unsigned int fired[3] = { 0 }, ids[3];

	watch_data(f);
	put_request(f, XS_WATCH, 2, "data/y\0z", 9);
	xenstore_ring_kick(f->ring);
	guest_take(f, 1024);
	for (unsigned int i = 0; i < 3; i++)
		ids[i] = xenstore_watch(f->xs, "/local/domain/1/data", count, &fired[i]);
	turns();
	f->page->rsp_cons = f->page->rsp_prod + 1;
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/data/y", "v", 1, -1));
	g_assert_null(f->failure);
	turns();
	for (unsigned int i = 0; i < 3; i++) {
		/* Once when it was made */
		g_assert_cmpuint(fired[i], ==, 2);
		xenstore_unwatch(f->xs, ids[i]);
	}
	check_dead(f);
}

/* Its owner has it no longer when it is to be told. */
static void test_reply_index_freed(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	watch_data(f);
	f->page->rsp_cons = f->page->rsp_prod + 1;
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/data/y", "v", 1, -1));
	g_clear_pointer(&f->ring, xenstore_ring_free);
	turns();
	g_assert_null(f->failure);
}

static void test_too_long(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct xsd_sockmsg header = { XS_WRITE, 1, 0, XENSTORE_PAYLOAD_MAX + 1 };

	watch_data(f);
	guest_put(f, &header, sizeof(header));
	xenstore_ring_kick(f->ring);
	check_dead(f);
}

static void test_freed_on_failure(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	f->free_on_failure = TRUE;
	f->page->req_prod = f->page->req_cons + XENSTORE_RING_SIZE + 1;
	xenstore_ring_kick(f->ring);
	g_assert_nonnull(f->failure);
	g_assert_null(f->ring);
}

#define FLOOD 20000 /* requests */

/* Keeps the ring full of requests, and takes all replies, from another thread. */
static void *flood(void *opaque)
{
	struct xenstore_domain_interface *page = opaque;
	const struct xsd_sockmsg header = { XS_READ, 0, 0, 0 };
	uint32_t prod = page->req_prod, end = prod + FLOOD * sizeof(header);
	uint32_t cons = prod;

	while (cons != end) {
		uint32_t rsp = __atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE);

		__atomic_store_n(&page->rsp_cons, rsp, __ATOMIC_RELEASE);
		cons = __atomic_load_n(&page->req_cons, __ATOMIC_ACQUIRE);
		if (prod == end || XENSTORE_RING_SIZE - (prod - cons) < sizeof(header)) {
			sched_yield();
			continue;
		}
		for (unsigned int i = 0; i < sizeof(header); i++)
			page->req[MASK_XENSTORE_IDX(prod + i)] = ((const char *)&header)[i];
		prod += sizeof(header);
		__atomic_store_n(&page->req_prod, prod, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The rest of the helper gets its turns, and no request is forgotten. */
static void test_flood(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t start = f->page->req_cons, end = start + FLOOD * sizeof(struct xsd_sockmsg);
	GThread *guest = g_thread_new("guest", flood, f->page);
	unsigned int turns = 0;

	while (__atomic_load_n(&f->page->req_cons, __ATOMIC_ACQUIRE) != end) {
		uint32_t before = f->page->req_cons;

		xenstore_ring_kick(f->ring);
		g_assert_cmpuint(f->page->req_cons - before, <=, 300 * 16);
		/* Replies that the guest has not taken yet hold it up. */
		while (g_main_context_iteration(NULL, FALSE))
			turns++;
	}
	g_thread_join(guest);
	g_assert_null(f->failure);
	g_test_message("%u further turns", turns);
}

#define ADD(name, start, function)                                                             \
	g_test_add("/xenstore/ring/" name, struct fixture, GUINT_TO_POINTER(start), set_up,    \
		   function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("page", 0, test_page);
	ADD("request", 0, test_request);
	ADD("request-at-wrap", 0xfffffff8, test_request);
	ADD("wrap", 0xffff0000, test_wrap);
	ADD("long", 1000, test_long);
	ADD("long-at-wrap", 0xfffffff0, test_long);
	ADD("pieces", 1010, test_pieces);
	ADD("quiet", 5, test_quiet);
	ADD("no-event", 0xfffffff0, test_no_event);
	ADD("full", 0xfffffe00, test_full);
	ADD("event", 0, test_event);
	ADD("not-reentered", 0, test_not_reentered);
	ADD("scribbled", 0, test_scribbled);
	ADD("request-index", 0, test_request_index);
	ADD("request-index-behind", 0, test_request_index_behind);
	ADD("reply-index", 0, test_reply_index);
	ADD("reply-index-event", 0, test_reply_index_event);
	ADD("reply-index-others", 0, test_reply_index_others);
	ADD("reply-index-freed", 0, test_reply_index_freed);
	ADD("too-long", 0, test_too_long);
	ADD("freed-on-failure", 0, test_freed_on_failure);
	ADD("flood", 0xffffff00, test_flood);
	return g_test_run();
}
