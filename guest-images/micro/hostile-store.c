/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostile-store - requests to xenstore of random bytes, in pieces, for far more than
 * anybody gets, with nobody who reads the events; in the end, replies taken that were
 * never sent
 */
#include "guest.h"

#define MANY 10000

static struct store_reply message;
static char payload[XENSTORE_PAYLOAD_MAX];

/* The reply to request @id; events are dropped. */
static void take_reply(uint32_t id)
{
	struct xsd_sockmsg header;

	do {
		store_get(&header, sizeof(header));
		if (header.len > XENSTORE_PAYLOAD_MAX)
			bail_out("a message of %u bytes", header.len);
		store_get(message.data, header.len);
	} while (header.type == XS_WATCH_EVENT);
	message.data[header.len] = '\0';
	message.type = header.type;
	message.len = header.len;
	if (header.req_id != id)
		bail_out("a reply to %u, not to %u", header.req_id, id);
}

/* Return: was it done? */
static bool call(uint32_t type, uint32_t tx, const void *bytes, size_t length)
{
	static uint32_t id = 1000;
	struct xsd_sockmsg header = { type, ++id, tx, length };

	store_put(&header, sizeof(header));
	store_put(bytes, length);
	take_reply(id);
	return message.type != XS_ERROR;
}

#define CALL(type, string) call(type, 0, string, sizeof(string) - 1)

static void is_good(const char *after)
{
	bool written = CALL(XS_RESET_WATCHES, "\0") && CALL(XS_WRITE, "data/good\0value");

	ok(written && CALL(XS_READ, "data/good\0") && !strcmp(message.data, "value"),
	   "%s: xenstore is as it was", after);
}

/* @text and five digits */
static size_t numbered(char *to, const char *text, unsigned int number)
{
	size_t length = strlen(text);

	memcpy(to, text, length);
	for (unsigned int unit = 10000; unit; unit /= 10)
		to[length++] = '0' + number / unit % 10;
	to[length++] = '\0';
	return length;
}

/* --- what is sent --- */

/* Every type, random bytes behind what may be a path */
static void random_messages(void)
{
	for (unsigned int i = 0; i < 3000; i++) {
		size_t length = pseudo_random() % (i % 8 ? 40 : sizeof(payload) + 1);
		size_t path = length < 5 || i % 3 ? 0 : 5;

		fill_random(payload, length);
		memcpy(payload, "data/", path);
		call(i % 4 ? pseudo_random() % (XS_TYPE_COUNT + 2) : pseudo_random(),
		     i % 5 ? 0 : pseudo_random() % 12, payload, length);
	}
	is_good("3000 random requests");
}

/* An event for every byte */
static void in_pieces(void)
{
	static const char path[] = "data/good";
	struct xsd_sockmsg header = { XS_READ, 77, 0, sizeof(path) };

	for (unsigned int i = 0; i < sizeof(header); i++)
		store_put((const char *)&header + i, 1);
	for (unsigned int i = 0; i < sizeof(path); i++)
		store_put(path + i, 1);
	take_reply(77);
	is(message.type, XS_READ, "a request in pieces");
	is_good("a request in pieces");
}

static void paths(void)
{
	memset(payload, 'x', sizeof(payload));
	payload[0] = '/';
	payload[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	ok(!call(XS_MKDIR, 0, payload, XENSTORE_ABS_PATH_MAX + 2), "a path that is too long");
	payload[sizeof(payload) - 1] = '\0';
	ok(!call(XS_MKDIR, 0, payload, sizeof(payload)), "a path that is far too long");
	memcpy(payload, "data", 4);
	for (unsigned int i = 4; i < 2004; i++)
		payload[i] = i % 2 ? 'd' : '/';
	payload[2004] = '\0';
	call(XS_MKDIR, 0, payload, 2005);
	diag("a thousand levels: %s", message.data);
	call(XS_RM, 0, "data/d", 7);
	is_good("paths");
}

/* --- more than there is --- */

static void too_many(uint32_t type, const char *prefix, const char *rest, size_t rest_length,
		     const char *error, const char *name)
{
	unsigned int accepted = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		size_t length = numbered(payload, prefix, i);

		memcpy(payload + length, rest, rest_length);
		accepted += call(type, 0, payload, length + rest_length);
	}
	ok(accepted < MANY / 10 && !strcmp(message.data, error), "%s, of %u: %s", name, MANY,
	   error);
	diag("accepted: %u", accepted);
}

static void quotas(void)
{
	too_many(XS_MKDIR, "data/many/n", "", 0, "ENOSPC", "nodes");
	CALL(XS_RM, "data/many\0");
	is_good("too many nodes");
	too_many(XS_WATCH, "data/w", "token", 6, "E2BIG", "watches");
	is_good("too many watches");
	for (unsigned int i = 0; i < MANY; i++)
		CALL(XS_TRANSACTION_START, "\0");
	ok(!strcmp(message.data, "ENOSPC"), "transactions, of %u: ENOSPC", MANY);
	is_good("too many transactions");
}

/* 100 watches fire for each request, whose replies nobody takes until there is no room. */
static void unread(void)
{
	struct xenstore_domain_interface *ring = store_ring();
	unsigned int sent = 0;

	for (unsigned int i = 0; i < 100; i++) {
		memcpy(payload, "data", 5);
		call(XS_WATCH, 0, payload, 5 + numbered(payload + 5, "token", i));
	}
	for (;;) {
		size_t length = numbered(payload, "data/u", sent % 100);
		struct xsd_sockmsg header = { XS_WRITE, sent, 0, length };

		if (ring->req_prod - READ_ONCE(ring->req_cons) + sizeof(header) + length >
		    XENSTORE_RING_SIZE)
			break;
		store_put(&header, sizeof(header));
		store_put(payload, length);
		sent++;
	}
	for (unsigned int i = 0; i < sent; i++)
		take_reply(i);
	diag("%u requests", sent);
	ok(sent > 20, "requests without reading are answered in the end");
	is_good("events that nobody reads");
}

/* The store hangs up; all else goes on. */
static void never_sent(void)
{
	WRITE_ONCE(store_ring()->rsp_cons, store_ring()->rsp_cons + 5000);
	payload[0] = '\0';
	store_send(XS_TRANSACTION_START, 0, payload, 1);
	for (unsigned int i = 0; i < 1000; i++)
		store_notify();
	ok(true, "replies taken that were never sent");
}

void guest_main(void)
{
	is_good("at first");
	random_messages();
	in_pieces();
	paths();
	quotas();
	unread();
	never_sent();
	done();
}
