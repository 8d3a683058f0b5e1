/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer - VIRQ_TIMER by set_timer_op, and SCHEDOP_block and SCHEDOP_poll, which
 * wait for it
 */
#include "guest.h"

#define NEVER (1ULL << 62)

static unsigned int port;

/* Block until the timer's event was delivered @count times. */
static void wait_for(unsigned int count)
{
	while (event_count[port] < count) {
		events_disable();
		if (event_count[port] < count)
			sched_op(SCHEDOP_block, NULL);
		events_enable();
	}
	events_disable();
}

static unsigned int deliveries_until(uint64_t end)
{
	unsigned int before = event_count[port];

	events_enable();
	while (system_time() < end)
		xen_version(XENVER_version, NULL);
	events_disable();
	return event_count[port] - before;
}

/* Armed for so far away that a busy machine gets through the next calls before. */
#define FAR (10000 * MSEC)

#define LATER (30 * MSEC)

/* For soon, and for LATER than that.  Again with more time if the machine was too slow. */
static uint64_t arm_twice(void)
{
	uint64_t delay = 10 * MSEC, soon;

	do {
		set_timer(0);
		event_clear(port);
		event_count[port] = 0;
		soon = system_time() + delay;
		set_timer(soon);
		set_timer(soon + LATER);
		delay *= 4;
	} while (system_time() >= soon);
	return soon;
}

static void one_shot(void)
{
	uint64_t start = system_time();

	is(set_timer(start + FAR), 0, "set_timer_op: arm for some time from now");
	is(event_pending(port), 0, "nothing yet");
	start = system_time();
	event_count[port] = 0;
	is(set_timer(start + 20 * MSEC), 0, "arm again for 20 ms from now");
	wait_for(1);
	ok(system_time() >= start + 20 * MSEC, "block wakes when it is time, not before");
	is(deliveries_until(system_time() + 30 * MSEC), 0, "it fires once");

	event_count[port] = 0;
	is(set_timer(system_time() - 5 * MSEC), 0, "arm for the past");
	wait_for(1);
	is(event_count[port], 1, "fires at once");
	is(set_timer(1), 0, "arm for 1 ns after boot");
	wait_for(2);
	is(event_count[port], 2, "fires at once");

	start = system_time();
	is(set_timer(NEVER), 0, "arm for the far future");
	is(set_timer(start + 10 * MSEC), 0, "arm again for 10 ms");
	wait_for(3);
	ok(system_time() >= start + 10 * MSEC, "the new time counts");

	start = arm_twice();
	wait_for(1);
	ok(system_time() >= start + LATER, "armed again for later: then it fires");
	is(event_count[port], 1, "once");
}

/* Arm and stop; again with more time if the machine was too slow for it. */
static uint64_t arm_and_stop(long *err)
{
	uint64_t delay = 20 * MSEC, end;

	do {
		end = system_time() + delay;
		set_timer(end);
		*err = set_timer(0);
		delay *= 4;
	} while (system_time() >= end);
	event_clear(port);
	event_count[port] = 0;
	return end;
}

static void stop(void)
{
	uint64_t end;
	long err;

	end = arm_and_stop(&err);
	is(err, 0, "set_timer_op(0)");
	is(deliveries_until(end + 20 * MSEC), 0, "stops it");
	is(set_timer(0), 0, "stop it though it is not armed");
}

/* The event sets the pending bit even where it is not delivered. */
static void masked(void)
{
	uint64_t end;

	event_count[port] = 0;
	event_set_mask(port, true);
	end = system_time() + 10 * MSEC;
	set_timer(end);
	events_enable();
	while (!event_pending(port) && system_time() < end + FAR)
		xen_version(XENVER_version, NULL);
	is(event_count[port], 0, "a masked port is not delivered");
	is(event_pending(port), 1, "but pending");
	event_clear(port);
	event_set_mask(port, false);
	events_disable();
}

static void poll(void)
{
	struct sched_poll arg = { .nr_ports = 1, .timeout = system_time() + 20 * MSEC };
	evtchn_port_t ports[1] = { port };

	set_xen_guest_handle(arg.ports, ports);
	event_clear(port);
	is(sched_op(SCHEDOP_poll, &arg), 0, "poll for the port for 20 ms");
	ok(system_time() >= arg.timeout, "returns at its timeout");
	is(event_pending(port), 0, "nothing is pending");
	set_timer(system_time() + 10 * MSEC);
	arg.timeout = system_time() + 100000 * MSEC;
	is(sched_op(SCHEDOP_poll, &arg), 0, "poll with the timer armed");
	is(event_pending(port), 1, "returns with the event pending");
	ok(system_time() < arg.timeout, "before the timeout");
	is(sched_op(SCHEDOP_poll, &arg), 0, "poll with the event pending returns at once");
	event_clear(port);
	ports[0] = EVENT_PORTS + 1;
	is(sched_op(SCHEDOP_poll, &arg), -XEN_EINVAL, "poll for a port beyond all");
}

/* SCHEDOP_block unmasks upcalls: an event that is pending already must not be slept over. */
static void block_unmasks(void)
{
	event_count[port] = 0;
	events_disable();
	set_timer(1);
	while (!event_pending(port))
		xen_version(XENVER_version, NULL);
	is(sched_op(SCHEDOP_block, NULL), 0, "block with an event pending returns");
	is(vcpu_info->evtchn_upcall_mask, 0, "with upcalls unmasked");
	is(event_count[port], 1, "and the event delivered");
	events_disable();
}

void guest_main(void)
{
	long bound = bind_virq(VIRQ_TIMER);

	/* 3.0.3 can't stop its tick, which comes to the same port. */
	if (vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL))
		skip_all("the tick can't be stopped");
	ok(bound > 0, "VIRQ_TIMER has a port");
	port = (unsigned int)bound;
	event_clear(port); /* a tick that was due before it was stopped */
	one_shot();
	stop();
	masked();
	poll();
	block_unmasks();
}
