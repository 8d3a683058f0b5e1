/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenstore-client.h - a client at the other end of a connection, for tests
 *
 * It checks of every message it gets that it is well-formed and that each request is
 * answered by exactly one reply with its id.
 */
#ifndef TESTS_XENSTORE_CLIENT_H
#define TESTS_XENSTORE_CLIENT_H

#include <errno.h>

#include "xenstore/connection.h"
#include "xenstore/xenstore.h"
#include <string.h>

/**
 * struct end - the client
 * @conn:   the connection
 * @ready:  how often it was told that there are bytes to fetch
 * @req_id: of the latest request
 * @type, @payload: of the latest reply
 * @events: strings "path|token" that have arrived, oldest first
 */
struct end {
	struct connection *conn;
	unsigned int ready;
	uint32_t req_id;
	uint32_t type;
	GByteArray *payload;
	GQueue events;
};

static inline void end_ready(void *opaque)
{
	((struct end *)opaque)->ready++;
}

static inline struct end *end_new(struct xenstore *xs, unsigned int domid)
{
	struct end *end = g_new0(struct end, 1);

	end->payload = g_byte_array_new();
	g_queue_init(&end->events);
	end->conn = connection_new(xs, domid, end_ready, end);
	return end;
}

static inline void end_free(struct end *end)
{
	connection_free(end->conn);
	g_byte_array_unref(end->payload);
	g_queue_clear_full(&end->events, g_free);
	g_free(end);
}

static inline void end_take_event(struct end *end, const struct xsd_sockmsg *header,
				  const char *payload)
{
	const char *token = memchr(payload, '\0', header->len);

	g_assert_nonnull(token);
	token++;
	g_assert_cmpuint(token + strlen(token) + 1 - payload, ==, header->len);
	g_assert_cmpuint(header->req_id, ==, 0);
	g_assert_cmpuint(header->tx_id, ==, 0);
	g_queue_push_tail(&end->events, g_strdup_printf("%s|%s", payload, token));
}

/* Fetches all that waits; returns how many replies were among it. */
static inline unsigned int end_fetch(struct end *end)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	unsigned int replies = 0;
	const void *chunk;
	size_t len;

	while ((chunk = connection_pending(end->conn, &len))) {
		g_byte_array_append(bytes, chunk, len);
		connection_sent(end->conn, len);
	}
	for (size_t at = 0; at < bytes->len;) {
		struct xsd_sockmsg header;
		const char *payload;

		g_assert_cmpuint(bytes->len - at, >=, sizeof(header));
		memcpy(&header, bytes->data + at, sizeof(header));
		payload = (const char *)bytes->data + at + sizeof(header);
		g_assert_cmpuint(header.len, <=, XENSTORE_PAYLOAD_MAX);
		at += sizeof(header) + header.len;
		g_assert_cmpuint(at, <=, bytes->len);
		if (header.type == XS_WATCH_EVENT) {
			end_take_event(end, &header, payload);
			continue;
		}
		replies++;
		end->type = header.type;
		g_assert_cmpuint(header.req_id, ==, end->req_id);
		g_byte_array_set_size(end->payload, 0);
		g_byte_array_append(end->payload, (const guint8 *)payload, header.len);
	}
	return replies;
}

/* Sends a request in pieces as small as they are wanted, without fetching the reply. */
static inline void end_send(struct end *end, uint32_t type, uint32_t tx, const void *payload,
			    size_t len)
{
	struct xsd_sockmsg header = { type, ++end->req_id, tx, len };

	g_assert_cmpuint(connection_wants(end->conn), ==, sizeof(header));
	g_assert_true(connection_feed(end->conn, &header, sizeof(header)));
	if (!len)
		return;
	g_assert_cmpuint(connection_wants(end->conn), ==, len);
	g_assert_true(connection_feed(end->conn, payload, len));
}

static inline void end_call(struct end *end, uint32_t type, uint32_t tx, const void *payload,
			    size_t len)
{
	end_fetch(end);
	end_send(end, type, tx, payload, len);
	g_assert_cmpuint(end_fetch(end), ==, 1);
}

static inline void end_check(const struct end *end, uint32_t type, const char *reply,
			     size_t len)
{
	if (end->type == XS_ERROR && type != XS_ERROR)
		g_error("error %s in place of a reply", (const char *)end->payload->data);
	g_assert_cmpuint(end->type, ==, type);
	g_assert_cmpmem(end->payload->data, end->payload->len, reply, len);
}

/* All nuls are written: "device\0" is what a guest sends for `device`. */
#define EXPECT(end, request, tx, payload, reply)                                               \
	do {                                                                                   \
		end_call(end, request, tx, payload, sizeof(payload) - 1);                      \
		end_check(end, request, reply, sizeof(reply) - 1);                             \
	} while (0)

#define EXPECT_OK(end, request, tx, payload) EXPECT(end, request, tx, payload, "OK\0")

#define EXPECT_ERROR(end, request, tx, payload, error)                                         \
	do {                                                                                   \
		end_call(end, request, tx, payload, sizeof(payload) - 1);                      \
		end_check(end, XS_ERROR, error, sizeof(error));                                \
	} while (0)

/* The next event, or "" when there is none; valid until the next call. */
static inline const char *end_event(struct end *end)
{
	static char *event;

	end_fetch(end);
	g_free(event);
	event = g_queue_pop_head(&end->events);
	return event ? event : "";
}

static inline uint32_t end_start(struct end *end)
{
	end_call(end, XS_TRANSACTION_START, 0, "", 1);
	g_assert_cmpuint(end->type, ==, XS_TRANSACTION_START);
	return g_ascii_strtoull((const char *)end->payload->data, NULL, 10);
}

/* A store with what a toolstack makes for domain 1. */
static inline struct xenstore *store_for_guest(void)
{
	struct xenstore *xs = xenstore_new(NULL);

	g_assert_true(xenstore_write(xs, "/local/domain/1", "", 0, 1));
	g_assert_true(xenstore_write(xs, "/local/domain/1/name", "guest", 0, 1));
	g_assert_true(xenstore_write(xs, "/local/domain/1/device", "", 0, 1));
	g_assert_true(xenstore_write(xs, "/local/domain/1/data", "", 1, -1));
	g_assert_true(xenstore_write(xs, "/local/domain/0/secret", "x", 0, -1));
	return xs;
}

#endif
