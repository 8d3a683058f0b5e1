/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-xenstore.c - requests from two guests and domain 0 against one store
 *
 * The input is a sequence of steps: a byte that says who and what, and for a request
 * type, transaction (counted from the latest one) and a length with so many bytes of
 * payload.  After the last step the store must be consistent, and all that was charged to
 * the guests must be given back when it goes.
 */
#include <errno.h>

#include "xenstore/connection.h"
#include "xenstore/transaction.h"
#include "xenstore/xenstore.h"
#include <string.h>

#define NR_CLIENTS 3
#define CHECK(condition)                                                                       \
	do {                                                                                   \
		if (!(condition))                                                              \
			g_error("%s:%d: not so: %s", __FILE__, __LINE__, #condition);          \
	} while (0)

struct input {
	const uint8_t *bytes;
	size_t len;
};

static unsigned int take(struct input *input)
{
	if (!input->len)
		return 0;
	input->len--;
	return *input->bytes++;
}

static void ready(void *opaque)
{
	(void)opaque;
}

/* Takes what waits for a client, at most @max messages; returns how many replies. */
static unsigned int fetch(struct connection *conn, unsigned int max)
{
	unsigned int before = conn->replies;
	size_t len;

	while (max-- && connection_pending(conn, &len))
		connection_sent(conn, len);
	return before - conn->replies;
}

static void request(struct connection *conn, struct input *input)
{
	unsigned int back, replies = conn->replies;
	struct xsd_sockmsg header;

	header.type = take(input);
	header.req_id = 1;
	back = take(input);
	header.tx_id = back && back < conn->next_transaction ? conn->next_transaction - back
							     : 0;
	header.len = take(input) * (back & 0x80 ? 16 : 1);
	header.len = MIN(header.len, input->len);
	if (!connection_wants(conn))
		return;
	if (!connection_feed(conn, &header, sizeof(header))) {
		CHECK(header.len > XENSTORE_PAYLOAD_MAX);
		return;
	}
	if (header.len)
		CHECK(connection_feed(conn, input->bytes, header.len));
	input->bytes += header.len;
	input->len -= header.len;
	CHECK(conn->replies == replies + 1);
}

static void fired(void *opaque, const char *path)
{
	(void)opaque;
	CHECK(path);
}

/* The toolstack's own calls. */
static void toolstack(struct xenstore *xs, struct input *input)
{
	static const char *const paths[] = { "/local/domain/1/data/by-us",
					     "/local/domain/1/data", "/local/domain/2/data",
					     "/local/domain/1" };
	const char *path = paths[take(input) % G_N_ELEMENTS(paths)];

	switch (take(input) % 4) {
	case 0:
		xenstore_remove(xs, path);
		break;
	case 1:
		g_strfreev(xenstore_list(xs, path));
		break;
	default:
		xenstore_write(xs, path, "", 0, 1);
	}
}

/* Goes with all it has open, perhaps in the middle of a message, and comes again. */
static struct connection *reconnect(struct xenstore *xs, struct connection *conn)
{
	unsigned int domid = conn->client.domid;

	connection_free(conn);
	return connection_new(xs, domid, ready, NULL);
}

static void step(struct xenstore *xs, struct connection **clients, struct input *input)
{
	unsigned int what = take(input);
	struct connection **conn = &clients[what % NR_CLIENTS];

	switch (what >> 4) {
	case 0:
		fetch(*conn, 1);
		break;
	case 1:
		fetch(*conn, UINT_MAX);
		break;
	case 2:
		while (g_main_context_iteration(NULL, FALSE))
			;
		break;
	case 3:
		toolstack(xs, input);
		break;
	case 4:
		*conn = reconnect(xs, *conn);
		break;
	default:
		request(*conn, input);
	}
}

static void check_tree(const struct tree *tree)
{
	CHECK(tree_check(tree));
	for (unsigned int guest = 1; guest < NR_CLIENTS; guest++)
		CHECK(tree_owned(tree, guest) <= QUOTA_NODES);
}

/* Without its nodes and connection, a guest costs nothing. */
static void check_accounts(struct xenstore *xs)
{
	static const char *const roots[] = { "/local", "/other" };
	struct view view = { .xs = xs, .client = &xs->self };
	struct blob *empty = blob_new(xs->self.account, NULL, 0);

	for (unsigned int i = 0; i < G_N_ELEMENTS(roots); i++)
		view_remove(&view, roots[i]);
	tree_set_value(xs->tree, "/", empty, ++xs->generation);
	blob_unref(empty);
	for (unsigned int guest = 1; guest < NR_CLIENTS; guest++)
		CHECK(xs->tree->root->children->len || !store_account(xs, guest)->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct xenstore *xs = xenstore_new(NULL);
	struct connection *clients[NR_CLIENTS];

	xenstore_write(xs, "/local/domain/1", "", 0, 1);
	xenstore_write(xs, "/local/domain/1/data", "", 1, 2);
	xenstore_write(xs, "/local/domain/2/data", "", 2, -1);
	xenstore_watch(xs, "/local", fired, NULL);
	for (unsigned int i = 0; i < NR_CLIENTS; i++)
		clients[i] = connection_new(xs, i, ready, NULL);
	while (input.len)
		step(xs, clients, &input);
	check_tree(xs->tree);
	for (unsigned int i = 0; i < NR_CLIENTS; i++) {
		for (unsigned int t = 0; t < clients[i]->transactions->len; t++)
			check_tree(((struct transaction *)clients[i]->transactions->pdata[t])
					   ->tree);
		connection_free(clients[i]);
	}
	check_accounts(xs);
	xenstore_free(xs);
	return 0;
}
