/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-frontend.h - the guest's side of a device, on a fake domain: its keys, grants
 * and event channels
 */
#ifndef TESTS_FAKE_FRONTEND_H
#define TESTS_FAKE_FRONTEND_H

#include "backend/device.h"
#include "fake-domain.h"
#include <xen/grant_table.h>
#include <xen/xen.h>

#include <xen/event_channel.h>

/* Pages that the guest uses for rings and data */
#define FRONT_PAGES (FAKE_FIRST + 64)

/**
 * struct front - a guest with a store
 * @host:     what devices get
 * @messages: what the user was told, a line each
 * @next_ref: grant to be used next
 */
struct front {
	struct fake *fake;
	struct device_host host;
	GString *messages;
	uint32_t next_ref;
};

static inline void front_message(void *opaque, const char *text)
{
	struct front *front = opaque;

	g_string_append_printf(front->messages, "%s\n", text);
}

static inline struct front *front_new(gboolean narrow)
{
	struct front *front = g_new0(struct front, 1);

	front->fake = fake_new(FAKE_PAGES);
	front->messages = g_string_new(NULL);
	front->next_ref = 8;
	front->fake->dom.store = xenstore_new(NULL);
	front->host = (struct device_host){
		.name = "fake",
		.abi = "xen-4",
		.store = front->fake->dom.store,
		.events = front->fake->dom.events,
		.grants = front->fake->dom.grants,
		.mem = front->fake->build.mem,
		.pace = pace_new(),
		.narrow = narrow,
		.message = front_message,
		.opaque = front,
	};
	return front;
}

/** front_turn() - let everything that waits for the main loop happen */
static inline void front_turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static inline void front_free(struct front *front)
{
	front_turn();
	pace_free(front->host.pace);
	xenstore_free(front->fake->dom.store);
	fake_free(front->fake);
	g_string_free(front->messages, TRUE);
	g_free(front);
}

/** front_page() - the guest's page number @n, and its frame */
static inline uint64_t front_frame(unsigned int n)
{
	return FRONT_PAGES + n;
}

static inline void *front_page(struct front *front, unsigned int n)
{
	return memory_page(front->fake->build.mem, front_frame(n));
}

static inline struct grant_entry_v1 *front_entry(struct front *front, uint32_t ref)
{
	struct grant_entry_v1 *table =
		memory_page(front->fake->build.mem, grants_frame(front->fake->dom.grants, 0));

	return &table[ref];
}

/** front_grant() - grant domain 0 a page.  Return: the reference */
static inline uint32_t front_grant(struct front *front, unsigned int page, gboolean readonly)
{
	uint32_t ref = front->next_ref++;
	struct grant_entry_v1 *entry = front_entry(front, ref);

	*entry = (struct grant_entry_v1){
		.flags = GTF_permit_access | (readonly ? GTF_readonly : 0),
		.frame = front_frame(page),
	};
	return ref;
}

/** front_in_use() - GTF_reading and GTF_writing of a grant */
static inline unsigned int front_in_use(struct front *front, uint32_t ref)
{
	return front_entry(front, ref)->flags & (GTF_reading | GTF_writing);
}

static inline unsigned int front_port(struct front *front)
{
	int port = events_alloc_unbound(front->fake->dom.events, 0);

	g_assert_cmpint(port, >, 0);
	return port;
}

/** front_kick() - the guest sends an event */
static inline void front_kick(struct front *front, unsigned int port)
{
	front->fake->events.out_pending[port / 64] |= 1ULL << port % 64;
	events_serve(front->fake->dom.events);
}

/** front_kicked() - has an event come?  Takes it */
static inline gboolean front_kicked(struct front *front, unsigned int port)
{
	struct shared_info *shared = memory_page(front->fake->build.mem, FAKE_SHARED_INFO);
	uint64_t *word = (uint64_t *)&shared->evtchn_pending[port / 64];
	uint64_t bit = 1ULL << port % 64;
	gboolean kicked = (*word & bit) != 0;

	*word &= ~bit;
	return kicked;
}

/** front_status() - EVTCHNSTAT_* of a port */
static inline uint32_t front_status(struct front *front, unsigned int port)
{
	struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

	g_assert_cmpint(events_status(front->fake->dom.events, &status), ==, 0);
	return status.status;
}

/** front_write() - the guest writes a key of its directory */
G_GNUC_PRINTF(4, 5)
static inline void front_write(struct front *front, const char *device, const char *key,
			       const char *format, ...)
{
	g_autofree char *path = g_strdup_printf("/local/domain/1/device/%s/%s", device, key);
	g_autofree char *value = NULL;
	va_list args;

	va_start(args, format);
	value = g_strdup_vprintf(format, args);
	va_end(args);
	g_assert_true(xenstore_write(front->fake->dom.store, path, value, 1, 0));
}

/** front_set_state() - and the backend has seen it */
static inline void front_set_state(struct front *front, const char *device,
				   enum xenbus_state state)
{
	front_write(front, device, "state", "%u", state);
	front_turn();
}

/** front_read() - the guest reads a key of the backend's directory; caller frees */
static inline char *front_read(struct front *front, const char *kind, unsigned int handle,
			       const char *key)
{
	g_autofree char *path =
		g_strdup_printf("/local/domain/0/backend/%s/1/%u/%s", kind, handle, key);

	return xenstore_read(front->fake->dom.store, path);
}

static inline void front_expect(struct front *front, const char *kind, unsigned int handle,
				const char *key, const char *want)
{
	g_autofree char *value = front_read(front, kind, handle, key);

	g_assert_cmpstr(value, ==, want);
}

/** front_backend_state() - state that the backend has written */
static inline enum xenbus_state front_backend_state(struct front *front, const char *kind,
						    unsigned int handle)
{
	g_autofree char *value = front_read(front, kind, handle, "state");

	return value ? atoi(value) : XenbusStateUnknown;
}

#endif
