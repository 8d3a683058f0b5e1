/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tick - the periodic VIRQ_TIMER: 100 Hz from the start without a call, at
 * another rate when asked for, none while the vCPU is blocked
 */
#include "guest.h"

static unsigned int port;

static long set_periodic(uint64_t period)
{
	struct vcpu_set_periodic_timer arg = { .period_ns = period };

	return vcpu_op(VCPUOP_set_periodic_timer, 0, &arg);
}

/* Deliveries in so long, with the vCPU busy */
static unsigned int busy(uint64_t ns)
{
	uint64_t end = system_time() + ns;

	event_count[port] = 0;
	events_enable();
	while (system_time() < end)
		xen_version(XENVER_version, NULL);
	events_disable();
	return event_count[port];
}

/*
 * How long it takes, busy, until so many are delivered.  On a busy host more than
 * count times the period, as ticks that are missed are one.  Less by up to two, as
 * the first may come at once, and the second too when the first came late.
 */
static uint64_t time_of(unsigned int count)
{
	uint64_t start = system_time();

	event_count[port] = 0;
	events_enable();
	while (event_count[port] < count)
		xen_version(XENVER_version, NULL);
	events_disable();
	return system_time() - start;
}

/* Deliveries in so long, blocked; the single-shot timer that ends it is one. */
static unsigned int blocked(uint64_t ns)
{
	struct vcpu_set_singleshot_timer arg = { .timeout_abs_ns = system_time() + ns };

	event_count[port] = 0;
	vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg);
	while (system_time() < arg.timeout_abs_ns)
		sched_op(SCHEDOP_block, NULL);
	events_disable();
	return event_count[port];
}

void guest_main(void)
{
	long bound = bind_virq(VIRQ_TIMER);
	unsigned int n;
	uint64_t time;

	ok(bound > 0, "VIRQ_TIMER has a port");
	port = (unsigned int)bound;
	time = time_of(30);
	ok(time >= 28 * 10 * MSEC, "it comes every 10 ms without a call");
	diag("30 in %u ms", (unsigned int)(time / MSEC));
	n = blocked(300 * MSEC);
	ok(n >= 1 && n <= 4, "but not while the vCPU is blocked");
	diag("%u in 300 ms", n);

	is(set_periodic(100 * MSEC), 0, "ask for one every 100 ms");
	time = time_of(6);
	ok(time >= 4 * 100 * MSEC, "it comes as often");
	diag("6 in %u ms", (unsigned int)(time / MSEC));
	is(set_periodic(1 * MSEC - 1), -XEN_EINVAL, "less than 1 ms is refused");
	is(vcpu_op(VCPUOP_set_periodic_timer, 1, NULL), -XEN_ENOENT,
	   "a vCPU that does not exist");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "stop it");
	event_clear(port); /* one that was due before */
	is(busy(300 * MSEC), 0, "it comes no more");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "stop it though it is stopped");
}
