/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection.h - one client's stream of requests, replies and watch events
 *
 * A connection knows nothing of what carries it.  The carrier (the guest's ring; a
 * socket) feeds it the bytes that come in, takes the bytes that are to go out when it
 * can, and is told when there are some.
 */
#ifndef XENEMU_XENSTORE_CONNECTION_H
#define XENEMU_XENSTORE_CONNECTION_H

#include "xenstore/store.h"
#include <xen/io/xs_wire.h>

/* With so many replies waiting no further request is taken (quota_req_outstanding). */
#define CONNECTION_MAX_REPLIES 20

/**
 * struct connection - a connection
 * @xs:       the store
 * @client:   who it is
 * @base:     "/local/domain/<domid>", which relative paths start from
 * @transactions: GPtrArray of struct transaction
 * @next_transaction: id that is tried next
 * @header:   header of the message that is coming in
 * @payload:  its payload, and room for a nul
 * @received: bytes of header and payload that are there
 * @out:      queue of GBytes, whole messages
 * @sent:     bytes of the first of them that the carrier has taken
 * @replies:  replies among them
 * @events:   set of the watch events among them
 * @event_bytes: their size
 * @lost:     a watch has dropped events
 * @ready:    there is something to send, after there was nothing
 * @opaque:   for @ready
 */
struct connection {
	struct xenstore *xs;
	struct client client;
	char *base;
	GPtrArray *transactions;
	uint32_t next_transaction;
	struct xsd_sockmsg header;
	char payload[XENSTORE_PAYLOAD_MAX + 1];
	size_t received;
	GQueue out;
	size_t sent;
	unsigned int replies;
	GHashTable *events;
	size_t event_bytes;
	gboolean lost;
	void (*ready)(void *opaque);
	void *opaque;
};

/**
 * connection_new() - connect a client
 * @xs:     the store, which outlives the connection or frees it
 * @domid:  its domain; domain 0 is privileged
 * @ready:  called when the first bytes are queued; may send, must not feed
 * @opaque: for @ready
 *
 * Fires @introduceDomain for a domain other than 0.
 */
struct connection *connection_new(struct xenstore *xs, unsigned int domid,
				  void (*ready)(void *opaque), void *opaque);

/** connection_free() - with its watches and transactions.  Fires @releaseDomain likewise. */
void connection_free(struct connection *conn);

/**
 * connection_wants() - how many bytes connection_feed() takes now
 *
 * Return: what is missing of the header or of the payload; 0 while so many replies
 * wait that the client gets no further ones.
 */
size_t connection_wants(const struct connection *conn);

/**
 * connection_feed() - bytes from the client
 * @bytes: are copied, not kept
 * @len:   at most connection_wants()
 *
 * Serves the request when it is complete.
 * Return: FALSE when the client broke the protocol and must be disconnected.
 */
gboolean connection_feed(struct connection *conn, const void *bytes, size_t len);

/**
 * connection_pending() - bytes for the client
 * @len: how many are there at the returned address; more may follow them
 *
 * Return: address, valid until the connection is used again; NULL if there are none.
 */
const void *connection_pending(const struct connection *conn, size_t *len);

/** connection_sent() - the client has got @len of the bytes that are pending */
void connection_sent(struct connection *conn, size_t len);

/** connection_reply() - queue a reply to the request in conn->header */
void connection_reply(struct connection *conn, uint32_t type, const void *payload, size_t len);

/** connection_event() - the event function of the client's watches */
void connection_event(struct watch *watch, const char *path);

/** connection_transaction() - its open transaction with @id, or NULL */
struct transaction *connection_transaction(const struct connection *conn, uint32_t id);

/** connection_close_transaction() - forget one */
void connection_close_transaction(struct connection *conn, struct transaction *t);

/** connection_reset() - forget all watches and transactions */
void connection_reset(struct connection *conn);

#endif
