/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event-flood - events of every kind, far more than anybody needs, while console and
 * xenstore still work
 */
#include "guest.h"

#define MANY 50000

static const uint32_t bad_ports[] = { 0, EVENT_PORTS - 1, EVENT_PORTS, 1U << 31, -1U };

static long send(uint32_t port)
{
	struct evtchn_send arg = { .port = port };

	return event_channel_op(EVTCHNOP_send, &arg);
}

static long close_port(uint32_t port)
{
	struct evtchn_close arg = { .port = port };

	return event_channel_op(EVTCHNOP_close, &arg);
}

static long alloc(unsigned int remote)
{
	struct evtchn_alloc_unbound arg = { .dom = DOMID_SELF, .remote_dom = remote };
	long err = event_channel_op(EVTCHNOP_alloc_unbound, &arg);

	return err ? err : (long)arg.port;
}

static void is_good(const char *after)
{
	char name[64];

	ok(!store_read("name", name, sizeof(name)), "%s: xenstore answers", after);
	console_flush();
}

static unsigned int send_many(uint32_t port)
{
	unsigned int sent = 0;

	for (unsigned int i = 0; i < MANY; i++)
		sent += send(port) == 0;
	return sent;
}

/* The helper has a look each time, and finds nothing. */
static void backends(void)
{
	is(send_many(start_info->store_evtchn), MANY, "the store's port");
	is_good("the store's port");
	is(send_many(start_info->console.domU.evtchn), MANY, "the console's port");
	is_good("the console's port");
}

static void nobody(void)
{
	long port = alloc(0);

	is(send_many(port), MANY, "a port that nobody is bound to");
	is(close_port(port), 0, "close");
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_ports); i++) {
		is(send_many(bad_ports[i]), 0, "port %u: send", bad_ports[i]);
		ok(close_port(bad_ports[i]) < 0, "port %u: close", bad_ports[i]);
	}
	is_good("ports of nobody");
}

/* Upcalls that each raise the next */
static void own_ports(void)
{
	long ipi = bind_ipi();

	event_set_mask(ipi, false);
	events_enable();
	is(send_many(ipi), MANY, "an IPI to ourselves");
	events_disable();
	ok(event_count[ipi] > 0, "it arrives");
	is(close_port(ipi), 0, "close");
	is_good("IPIs");
}

static void all_ports(void)
{
	static long ports[EVENT_PORTS];
	unsigned int count = 0;

	while (count < EVENT_PORTS && (ports[count] = alloc(count % 4)) > 0)
		count++;
	diag("%u ports", count);
	ok(count > 500 && count < EVENT_PORTS, "all ports there are");
	is(ports[count], -XEN_ENOSPC, "and no more");
	for (unsigned int i = 0; i < count; i++)
		close_port(ports[i]);
	is_good("all ports");
	for (unsigned int i = 0; i < MANY / 25; i++)
		close_port(alloc(0));
	is_good("ports that come and go");
}

/* Due long ago, now, and never, again and again */
static void timers(void)
{
	static const uint64_t when[] = { 1, 0, ~0ULL >> 1, ~0ULL };

	for (unsigned int i = 0; i < MANY; i++)
		HYPERCALL1(__HYPERVISOR_set_timer_op, when[i % ARRAY_SIZE(when)]);
	HYPERCALL1(__HYPERVISOR_set_timer_op, 0);
	is_good("timers");
}

static void polls(void)
{
	evtchn_port_t port = start_info->store_evtchn;
	struct sched_poll poll = { .nr_ports = 1, .timeout = 1 };
	unsigned int polled = 0;

	set_xen_guest_handle(poll.ports, &port);
	for (unsigned int i = 0; i < MANY / 10; i++)
		polled += sched_op(SCHEDOP_poll, &poll) == 0;
	is(polled, MANY / 10, "polls of what was due long ago");
	poll.nr_ports = 129;
	is(sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL, "too many ports");
	poll.nr_ports = 1;
	port = EVENT_PORTS;
	is(sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL, "a port that is none");
	is_good("polls");
}

void guest_main(void)
{
	backends();
	nobody();
	own_ports();
	all_ports();
	timers();
	polls();
	done();
}
