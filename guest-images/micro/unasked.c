/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unasked - an event of the store interrupts a guest that makes no call and looks
 * at nothing
 *
 * The tick, which would let the event in as well, is stopped; 3.0.3 can't.
 */
#include "guest.h"

#define ROUNDS 200
#define LONG_ENOUGH (60000 * MSEC)

static unsigned int port;

/* Without a call; system_time() makes none. */
static bool spin_until(unsigned int count)
{
	uint64_t end = system_time() + LONG_ENOUGH;

	while (event_count[port] < count)
		if (system_time() >= end)
			return false;
	return true;
}

/* A request, whose reply comes with an event. */
static bool round(void)
{
	static const char path[] = "domid";
	static struct store_reply reply;
	bool came;

	events_disable();
	event_clear(port);
	event_count[port] = 0;
	store_send(XS_READ, 0, path, sizeof(path));
	events_enable();
	came = spin_until(1);
	events_disable();
	store_reply(&reply);
	return came;
}

void guest_main(void)
{
	unsigned int came = 0;

	port = start_info->store_evtchn;
	if (xen_since(3, 1))
		vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_set_mask(port, false);
	for (unsigned int i = 0; i < ROUNDS; i++)
		came += round();
	is(came, ROUNDS, "events that came");
}
