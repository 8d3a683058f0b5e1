/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.c - xenstore's ring and requests
 *
 * Waits by SCHEDOP_poll: the port stays masked.
 */
#include "guest.h"

#define EVENTS 64

/* Watch events that came while a reply was waited for. */
static struct store_event events[EVENTS];
static unsigned int event_in, event_out;

struct xenstore_domain_interface *store_ring(void)
{
	return mfn_to_virt(start_info->store_mfn);
}

void store_notify(void)
{
	struct evtchn_send send = { .port = start_info->store_evtchn };

	event_channel_op(EVTCHNOP_send, &send);
}

/* Until the store has sent an event since the last time; may be sooner. */
static void wait_for_event(void)
{
	evtchn_port_t port = start_info->store_evtchn;
	struct sched_poll poll = { .nr_ports = 1 };

	set_xen_guest_handle(poll.ports, &port);
	sched_op(SCHEDOP_poll, &poll);
	event_clear(port);
}

void store_put(const void *bytes, size_t length)
{
	struct xenstore_domain_interface *ring = store_ring();
	const char *from = bytes;

	while (length) {
		if (ring->req_prod - READ_ONCE(ring->req_cons) == XENSTORE_RING_SIZE) {
			store_notify();
			wait_for_event();
			continue;
		}
		ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = *from++;
		length--;
		barrier();
		WRITE_ONCE(ring->req_prod, ring->req_prod + 1);
	}
	store_notify();
}

size_t store_ready(void)
{
	struct xenstore_domain_interface *ring = store_ring();

	return READ_ONCE(ring->rsp_prod) - ring->rsp_cons;
}

void store_get(void *bytes, size_t length)
{
	struct xenstore_domain_interface *ring = store_ring();
	char *to = bytes;

	while (length) {
		if (!store_ready()) {
			wait_for_event();
			continue;
		}
		barrier();
		*to++ = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
		length--;
		barrier();
		WRITE_ONCE(ring->rsp_cons, ring->rsp_cons + 1);
	}
	store_notify();
}

void store_send(uint32_t type, uint32_t tx, const void *payload, size_t length)
{
	struct xsd_sockmsg header = { .type = type, .req_id = 1, .tx_id = tx, .len = length };

	store_put(&header, sizeof(header));
	store_put(payload, length);
}

static void keep_event(const struct store_reply *message)
{
	struct store_event *event = &events[event_in % EVENTS];
	size_t path = strlen(message->data) + 1;

	if (event_in - event_out == EVENTS)
		bail_out("more than %d watch events", EVENTS);
	if (path > sizeof(event->path) || message->len - path > sizeof(event->token))
		bail_out("a watch event is too long");
	event_in++;
	memcpy(event->path, message->data, path);
	memcpy(event->token, message->data + path, message->len - path);
}

/* One message, whatever it is. */
static void receive(struct store_reply *message)
{
	struct xsd_sockmsg header;

	store_get(&header, sizeof(header));
	if (header.len > XENSTORE_PAYLOAD_MAX)
		bail_out("a message of %u bytes from the store", header.len);
	message->type = header.type;
	message->len = header.len;
	store_get(message->data, header.len);
	message->data[header.len] = '\0';
	if (header.type == XS_WATCH_EVENT)
		keep_event(message);
}

void store_reply(struct store_reply *reply)
{
	do
		receive(reply);
	while (reply->type == XS_WATCH_EVENT);
}

const char *store_call(uint32_t type, uint32_t tx, const void *payload, size_t length,
		       struct store_reply *reply)
{
	store_send(type, tx, payload, length);
	store_reply(reply);
	return reply->type == XS_ERROR ? reply->data : NULL;
}

bool store_event(struct store_event *event, bool wait)
{
	static struct store_reply message;

	while (event_in == event_out && (wait || store_ready())) {
		receive(&message);
		if (message.type != XS_WATCH_EVENT)
			bail_out("a reply to nothing");
	}
	if (event_in == event_out)
		return false;
	*event = events[event_out++ % EVENTS];
	return true;
}

const char *store_read(const char *path, char *value, size_t size)
{
	static struct store_reply reply;
	const char *error = store_call(XS_READ, 0, path, strlen(path) + 1, &reply);

	if (error)
		return error;
	if (reply.len >= size)
		return "E2BIG";
	memcpy(value, reply.data, reply.len + 1);
	return NULL;
}

const char *store_write(const char *path, const char *value)
{
	static struct store_reply reply;
	static char payload[XENSTORE_PAYLOAD_MAX];
	size_t length = strlen(path) + 1;

	if (length + strlen(value) > sizeof(payload))
		return "E2BIG";
	memcpy(payload, path, length);
	memcpy(payload + length, value, strlen(value));
	return store_call(XS_WRITE, 0, payload, length + strlen(value), &reply);
}
