/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection.c - one client's stream of requests, replies and watch events
 */
#include "xenstore/connection.h"
#include "xenstore/transaction.h"
#include "xenstore/watch.h"
#include "xenstore/wire-trace.h"
#include "xenstore/wire.h"
#include <string.h>

/* Above either of these, watches that fire are noted as such and told again later. */
#define MAX_EVENTS 1024
#define MAX_EVENT_BYTES (256 << 10)

struct connection *connection_new(struct xenstore *xs, unsigned int domid,
				  void (*ready)(void *opaque), void *opaque)
{
	struct connection *conn = g_new0(struct connection, 1);

	conn->xs = xs;
	conn->client.domid = domid;
	conn->client.privileged = domid == 0;
	conn->client.account = store_account(xs, domid);
	conn->base = g_strdup_printf("/local/domain/%u", domid);
	conn->transactions = g_ptr_array_new();
	conn->next_transaction = 1;
	g_queue_init(&conn->out);
	conn->events = g_hash_table_new(g_bytes_hash, g_bytes_equal);
	conn->ready = ready;
	conn->opaque = opaque;
	g_ptr_array_add(xs->connections, conn);
	if (domid)
		watches_fire_special(xs, "@introduceDomain");
	return conn;
}

static void drop_message(gpointer message)
{
	g_bytes_unref(message);
}

void connection_free(struct connection *conn)
{
	if (!conn)
		return;
	connection_reset(conn);
	g_ptr_array_remove(conn->xs->connections, conn);
	if (conn->client.domid)
		watches_fire_special(conn->xs, "@releaseDomain");
	g_ptr_array_unref(conn->transactions);
	g_hash_table_unref(conn->events);
	g_queue_clear_full(&conn->out, drop_message);
	g_free(conn->base);
	g_free(conn);
}

void connection_reset(struct connection *conn)
{
	watches_remove(conn->xs, &conn->client);
	while (conn->transactions->len)
		connection_close_transaction(conn, conn->transactions->pdata[0]);
}

struct transaction *connection_transaction(const struct connection *conn, uint32_t id)
{
	for (unsigned int i = 0; i < conn->transactions->len; i++) {
		struct transaction *t = conn->transactions->pdata[i];

		if (t->id == id)
			return t;
	}
	return NULL;
}

void connection_close_transaction(struct connection *conn, struct transaction *t)
{
	g_ptr_array_remove(conn->transactions, t);
	transaction_free(t);
}

size_t connection_wants(const struct connection *conn)
{
	if (conn->replies >= CONNECTION_MAX_REPLIES)
		return 0;
	if (conn->received < sizeof(conn->header))
		return sizeof(conn->header) - conn->received;
	return sizeof(conn->header) + conn->header.len - conn->received;
}

static void message_complete(struct connection *conn)
{
	conn->received = 0;
	conn->payload[conn->header.len] = '\0';
	wire_trace(conn->xs->trace, conn->client.domid, "request", &conn->header,
		   conn->payload);
	wire_serve(conn);
}

gboolean connection_feed(struct connection *conn, const void *bytes, size_t len)
{
	g_return_val_if_fail(len <= connection_wants(conn), FALSE);
	if (conn->received < sizeof(conn->header))
		memcpy((char *)&conn->header + conn->received, bytes, len);
	else
		memcpy(conn->payload + conn->received - sizeof(conn->header), bytes, len);
	conn->received += len;
	if (conn->received < sizeof(conn->header))
		return TRUE;
	if (conn->header.len > XENSTORE_PAYLOAD_MAX)
		return FALSE;
	if (conn->received == sizeof(conn->header) + conn->header.len)
		message_complete(conn);
	return TRUE;
}

const void *connection_pending(const struct connection *conn, size_t *len)
{
	const char *bytes;

	if (!conn->out.head)
		return NULL;
	bytes = g_bytes_get_data(conn->out.head->data, len);
	*len -= conn->sent;
	return bytes + conn->sent;
}

static void enqueue(struct connection *conn, GBytes *message)
{
	gboolean first = g_queue_is_empty(&conn->out);

	g_queue_push_tail(&conn->out, message);
	if (first)
		conn->ready(conn->opaque);
}

/* A watch that lost events is told of its own path: something happened there or below. */
static void recover_lost(struct connection *conn)
{
	GPtrArray *watches = conn->xs->watches;

	conn->lost = FALSE;
	for (unsigned int i = 0; i < watches->len; i++) {
		struct watch *watch = watches->pdata[i];

		if (watch->client != &conn->client || !watch->lost)
			continue;
		watch->lost = FALSE;
		connection_event(watch, watch_path(watch, watch->path));
	}
}

void connection_sent(struct connection *conn, size_t len)
{
	GBytes *message = g_queue_peek_head(&conn->out);

	conn->sent += len;
	if (conn->sent < g_bytes_get_size(message))
		return;
	conn->sent = 0;
	g_queue_pop_head(&conn->out);
	if (g_hash_table_remove(conn->events, message))
		conn->event_bytes -= g_bytes_get_size(message);
	else
		conn->replies--;
	g_bytes_unref(message);
	if (conn->lost && !g_hash_table_size(conn->events))
		recover_lost(conn);
}

void connection_reply(struct connection *conn, uint32_t type, const void *payload, size_t len)
{
	struct xsd_sockmsg header = conn->header;
	GByteArray *message = g_byte_array_sized_new(sizeof(header) + len);

	header.type = type;
	header.len = len;
	wire_trace(conn->xs->trace, conn->client.domid, "reply", &header, payload);
	g_byte_array_append(message, (const guint8 *)&header, sizeof(header));
	if (len)
		g_byte_array_append(message, payload, len);
	conn->replies++;
	enqueue(conn, g_byte_array_free_to_bytes(message));
}

static GBytes *event_message(const struct watch *watch, const char *path,
			     struct xsd_sockmsg *header)
{
	size_t path_len = strlen(path) + 1, token_len = strlen(watch->token) + 1;
	GByteArray *message = g_byte_array_new();

	*header = (struct xsd_sockmsg){ .type = XS_WATCH_EVENT, .len = path_len + token_len };
	g_byte_array_append(message, (const guint8 *)header, sizeof(*header));
	g_byte_array_append(message, (const guint8 *)path, path_len);
	g_byte_array_append(message, (const guint8 *)watch->token, token_len);
	return g_byte_array_free_to_bytes(message);
}

void connection_event(struct watch *watch, const char *path)
{
	struct connection *conn = watch->opaque;
	struct xsd_sockmsg header;
	GBytes *message = event_message(watch, path, &header);

	/* Too long for any client, or on its way already. */
	if (header.len > XENSTORE_PAYLOAD_MAX || g_hash_table_contains(conn->events, message)) {
		g_bytes_unref(message);
		return;
	}
	if (g_hash_table_size(conn->events) >= MAX_EVENTS ||
	    conn->event_bytes >= MAX_EVENT_BYTES) {
		watch->lost = conn->lost = TRUE;
		g_bytes_unref(message);
		return;
	}
	wire_trace(conn->xs->trace, conn->client.domid, "event", &header,
		   (const char *)g_bytes_get_data(message, NULL) + sizeof(header));
	g_hash_table_add(conn->events, message);
	conn->event_bytes += g_bytes_get_size(message);
	enqueue(conn, message);
}
