/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tick - the periodic VIRQ_TIMER: 100 Hz from the start without a call, at
 * another rate when asked for, none while the vCPU is blocked
 *
 * A busy machine delays ticks and makes one of several: they are counted, and only
 * known to take no less than their time.
 */
#include "guest.h"

static unsigned int port;

static long set_periodic(uint64_t period)
{
	struct vcpu_set_periodic_timer arg = { .period_ns = period };

	return vcpu_op(VCPUOP_set_periodic_timer, 0, &arg);
}

/* Time that @count deliveries take after a first one, with the vCPU busy */
static uint64_t time_of(unsigned int count)
{
	uint64_t start = 0;

	event_count[port] = 0;
	events_enable();
	while (event_count[port] <= count) {
		xen_version(XENVER_version, NULL);
		if (!start && event_count[port])
			start = system_time();
	}
	events_disable();
	return system_time() - start;
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

/* The same, blocked; the timer that ends it is one. */
static unsigned int blocked(uint64_t ns)
{
	uint64_t end = system_time() + ns;

	event_count[port] = 0;
	set_timer(end);
	while (system_time() < end)
		sched_op(SCHEDOP_block, NULL);
	events_disable();
	return event_count[port];
}

/* 3.0.3 common/domain.c, do_vcpu_op(): the tick can't be changed. */
static void fixed(void)
{
	is(set_periodic(100 * MSEC), -XEN_ENOSYS, "ask for one every 100 ms");
	skip("before Xen 3.1", "it comes as often");
	is(set_periodic(1 * MSEC - 1), -XEN_ENOSYS, "less than 1 ms is refused");
	is(vcpu_op(VCPUOP_set_periodic_timer, 1, NULL), -XEN_ENOSYS,
	   "a vCPU that does not exist");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), -XEN_ENOSYS, "stop it");
	skip("before Xen 3.1", "it comes no more");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), -XEN_ENOSYS,
	   "stop it though it is stopped");
}

static void other_rate(void)
{
	uint64_t time;

	is(set_periodic(100 * MSEC), 0, "ask for one every 100 ms");
	time = time_of(5);
	ok(time >= 400 * MSEC, "it comes as often");
	diag("5 in %llu ms", (unsigned long long)(time / MSEC));
	is(set_periodic(1 * MSEC - 1), -XEN_EINVAL, "less than 1 ms is refused");
	is(vcpu_op(VCPUOP_set_periodic_timer, 1, NULL), -XEN_ENOENT,
	   "a vCPU that does not exist");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "stop it");
	event_clear(port); /* one that was due before */
	is(busy(300 * MSEC), 0, "it comes no more");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "stop it though it is stopped");
}

void guest_main(void)
{
	long bound = bind_virq(VIRQ_TIMER);
	unsigned int n;
	uint64_t time;

	ok(bound > 0, "VIRQ_TIMER has a port");
	port = (unsigned int)bound;
	time = time_of(20);
	ok(time >= 190 * MSEC, "it comes every 10 ms without a call");
	diag("20 in %llu ms", (unsigned long long)(time / MSEC));
	n = blocked(300 * MSEC);
	ok(n >= 1 && n <= 15, "but not while the vCPU is blocked");
	diag("%u in 300 ms", n);
	if (xen_since(3, 1))
		other_rate();
	else
		fixed();
}
