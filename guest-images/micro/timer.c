/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer - VIRQ_TIMER by VCPUOP_set_singleshot_timer and set_timer_op, and
 * SCHEDOP_block and SCHEDOP_poll, which wait for it
 */
#include "guest.h"

#define NEVER (1ULL << 62)

static unsigned int port;

static long singleshot(uint64_t timeout, unsigned int flags)
{
	struct vcpu_set_singleshot_timer arg = { .timeout_abs_ns = timeout,
						 .flags = (uint32_t)flags };

	return vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg);
}

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

static void one_shot(long (*arm)(uint64_t), const char *name)
{
	uint64_t start = system_time();
	bool pending;

	event_count[port] = 0;
	is(arm(start + 20 * MSEC), 0, "%s: arm for 20 ms from now", name);
	/* A busy host may have taken the 20 ms meanwhile. */
	pending = event_pending(port);
	ok(!pending || system_time() >= start + 20 * MSEC, "%s: nothing yet", name);
	wait_for(1);
	ok(system_time() >= start + 20 * MSEC, "%s: block wakes when it is time, not before",
	   name);
	is(deliveries_until(system_time() + 30 * MSEC), 0, "%s: it fires once", name);

	event_count[port] = 0;
	is(arm(system_time() - 5 * MSEC), 0, "%s: arm for the past", name);
	wait_for(1);
	is(event_count[port], 1, "%s: fires at once", name);
	is(arm(1), 0, "%s: arm for 1 ns after boot", name);
	wait_for(2);
	is(event_count[port], 2, "%s: fires at once", name);

	start = system_time();
	is(arm(NEVER), 0, "%s: arm for the far future", name);
	is(arm(start + 10 * MSEC), 0, "%s: arm again for 10 ms", name);
	wait_for(3);
	ok(system_time() >= start + 10 * MSEC, "%s: the new time counts", name);
}

static long arm_singleshot(uint64_t timeout)
{
	return singleshot(timeout, 0);
}

static long arm_timer_op(uint64_t timeout)
{
	return set_timer(timeout);
}

static long stop_singleshot(void)
{
	return vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
}

static long stop_timer_op(void)
{
	return set_timer(0);
}

/* Arm for 20 ms and stop; again, when that was too slow to be in time. */
static long arm_and_stop(long (*arm)(uint64_t), long (*stop)(void))
{
	uint64_t end;
	long rc;

	do {
		event_clear(port);
		end = system_time() + 20 * MSEC;
		arm(end);
		rc = stop();
	} while (!rc && system_time() >= end);
	return rc;
}

static void stopped(void)
{
	event_count[port] = 0;
	is(arm_and_stop(arm_singleshot, stop_singleshot), 0, "stop the single-shot timer");
	is(deliveries_until(system_time() + 40 * MSEC), 0, "it does not fire");
	is(stop_singleshot(), 0, "stop it though it is not armed");
	is(arm_and_stop(arm_timer_op, stop_timer_op), 0, "set_timer_op(0)");
	is(deliveries_until(system_time() + 40 * MSEC), 0, "stops it");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "stop the periodic timer");
}

static void arguments(void)
{
	is(singleshot(system_time() + NEVER, VCPU_SSHOTTMR_future), 0,
	   "VCPU_SSHOTTMR_future with a future time");
	vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
	is(vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
	is(vcpu_op(VCPUOP_set_singleshot_timer, 1, NULL), -XEN_ENOENT,
	   "a vCPU that does not exist");
}

/* The event sets the pending bit even where it is not delivered. */
static void masked(void)
{
	event_count[port] = 0;
	event_set_mask(port, true);
	arm_singleshot(system_time() + 10 * MSEC);
	events_enable();
	while (!event_pending(port))
		xen_version(XENVER_version, NULL);
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
	arm_singleshot(system_time() + 10 * MSEC);
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
	arm_singleshot(1);
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

	ok(bound > 0, "VIRQ_TIMER has a port");
	port = (unsigned int)bound;
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_clear(port); /* a tick from before */
	one_shot(arm_singleshot, "VCPUOP_set_singleshot_timer");
	one_shot(arm_timer_op, "set_timer_op");
	stopped();
	arguments();
	masked();
	poll();
	block_unmasks();
}
