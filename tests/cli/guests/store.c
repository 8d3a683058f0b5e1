/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.c - a guest that uses its xenstore as its command line says: as a good one
 * that is asked to shut down, or as a hostile one.  The hostile ones say what they got
 * and idle.
 */
#include "guest.h"

#define MANY 10000

static struct store_reply reply;

static void idle(void)
{
	for (;;)
		sched_op(SCHEDOP_block, NULL);
}

static void call(uint32_t type, uint32_t tx, const char *payload, size_t length)
{
	store_call(type, tx, payload, length, &reply);
}

/* Acknowledge and obey, as Linux does. */
static void serve(void)
{
	static const char watch[] = "control/shutdown\0x";
	struct store_event event;
	char what[16];

	call(XS_WATCH, 0, watch, sizeof(watch));
	print("watching\n");
	for (;;) {
		store_event(&event, true);
		if (store_read("control/shutdown", what, sizeof(what)) || !*what)
			continue;
		print("asked: %s\n", what);
		if (store_write("control/shutdown", ""))
			bail_out("it can't be acknowledged");
		shutdown(strcmp(what, "reboot") ? SHUTDOWN_poweroff : SHUTDOWN_reboot);
	}
}

/* Acknowledge, and go on. */
static void ignore(void)
{
	static const char watch[] = "control/shutdown\0x";
	struct store_event event;

	call(XS_WATCH, 0, watch, sizeof(watch));
	print("watching\n");
	for (;;) {
		store_event(&event, true);
		store_write("control/shutdown", "");
	}
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

static void report(const char *what, unsigned int accepted)
{
	char name[32];

	print("%s: %u of %u accepted, then %s\n", what, accepted, MANY, reply.data);
	if (store_read("name", name, sizeof(name)))
		bail_out("the store is not what it was");
	print("still served\n");
}

/* Nodes of the largest size that goes, a hundred in a directory. */
static void nodes(void)
{
	static char payload[XENSTORE_PAYLOAD_MAX];
	unsigned int accepted = 0;

	memset(payload, 'x', sizeof(payload));
	for (unsigned int i = 0; i < MANY; i++) {
		size_t path = numbered(payload, "data/d", i / 100);

		payload[path - 1] = '/';
		path += numbered(payload + path, "n", i);

		call(XS_WRITE, 0, payload, path + 2000);
		accepted += reply.type != XS_ERROR;
	}
	report("nodes", accepted);
}

static void transactions(void)
{
	static char payload[256];
	unsigned int accepted = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		uint32_t tx = 0;

		call(XS_TRANSACTION_START, 0, "", 1);
		if (reply.type == XS_ERROR)
			continue;
		accepted++;
		for (const char *digit = reply.data; *digit; digit++)
			tx = tx * 10 + *digit - '0';
		for (unsigned int n = 0; n < 1100; n++)
			call(XS_WRITE, tx, payload, numbered(payload, "data/t", n));
	}
	call(XS_TRANSACTION_START, 0, "", 1);
	report("transactions", accepted);
}

/* Room for a reply, but not for the events before it: they must wait, not pile up. */
static void watches(void)
{
	struct xenstore_domain_interface *ring = store_ring();
	static char payload[64];
	struct store_event event;
	unsigned int accepted = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		size_t length;

		memcpy(payload, "data", 5);
		length = 5 + numbered(payload + 5, "t", i);
		call(XS_WATCH, 0, payload, length);
		accepted += reply.type != XS_ERROR;
		while (store_event(&event, false))
			;
	}
	/* Each fires all of them; nobody reads, until the ring takes no more requests. */
	for (unsigned int i = 0; i < MANY; i++) {
		size_t length = numbered(payload, "data/w", i % 100);
		struct xsd_sockmsg header = { .type = XS_WRITE, .len = length };

		if (ring->req_prod - READ_ONCE(ring->req_cons) + sizeof(header) + length >
		    XENSTORE_RING_SIZE)
			break;
		store_put(&header, sizeof(header));
		store_put(payload, length);
		sched_op(SCHEDOP_yield, NULL);
	}
	print("watches: %u of %u accepted\nring full\n", accepted, MANY);
}

/* Every type with every length, most of which are wrong; the ring must stay in step. */
static void lengths(void)
{
	static char payload[XENSTORE_PAYLOAD_MAX];
	struct store_event event;
	unsigned int replies = 0;

	memset(payload, 'x', sizeof(payload));
	for (uint32_t type = 0; type <= XS_TYPE_COUNT; type++) {
		for (size_t length = 0; length <= sizeof(payload); length += 1 + length / 8) {
			payload[length / 2] = '\0';
			call(type, type % 3, payload, length);
			payload[length / 2] = 'x';
			replies++;
			while (store_event(&event, false))
				;
		}
	}
	print("lengths: %u replies\n", replies);
	report("lengths", 0);
}

/* More than a message may have: the connection is closed, the guest goes on. */
static void too_long(void)
{
	struct xsd_sockmsg header = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1 };

	store_put(&header, sizeof(header));
	print("sent\n");
}

static void far_ahead(void)
{
	WRITE_ONCE(store_ring()->req_prod, store_ring()->req_prod + XENSTORE_RING_SIZE + 1);
	store_notify();
	print("sent\n");
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "serve", serve },
	{ "ignore", ignore },
	{ "idle", idle },
	{ "nodes", nodes },
	{ "transactions", transactions },
	{ "watches", watches },
	{ "lengths", lengths },
	{ "too-long", too_long },
	{ "far-ahead", far_ahead },
};

void guest_main(void)
{
	const char *way = (const char *)start_info->cmd_line;

	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(way, ways[i].name))
			continue;
		print("ready\n");
		ways[i].run();
		print("idle\n");
		idle();
	}
	bail_out("no such way: %s", way);
}
