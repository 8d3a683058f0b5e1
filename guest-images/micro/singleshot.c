/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * singleshot - VIRQ_TIMER by VCPUOP_set_singleshot_timer, which Xen since 3.1 has
 */
#include "guest.h"

#define FAR (10000 * MSEC)

static unsigned int port;

static long singleshot(uint64_t timeout, unsigned int flags)
{
	struct vcpu_set_singleshot_timer arg = { .timeout_abs_ns = timeout,
						 .flags = (uint32_t)flags };

	return vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg);
}

static void wait_for_event(void)
{
	while (!event_pending(port))
		xen_version(XENVER_version, NULL);
	event_clear(port);
}

#define LATER (30 * MSEC)

/* For soon, and for LATER than that.  Again with more time if the machine was too slow. */
static uint64_t arm_twice(void)
{
	uint64_t delay = 10 * MSEC, soon;

	do {
		event_clear(port);
		soon = system_time() + delay;
		singleshot(soon, 0);
		singleshot(soon + LATER, 0);
		delay *= 4;
	} while (system_time() >= soon);
	return soon;
}

static void fires(void)
{
	uint64_t start = system_time();

	is(singleshot(start + FAR, 0), 0, "arm for some time from now");
	is(event_pending(port), 0, "nothing yet");
	start = system_time();
	is(singleshot(start + 20 * MSEC, 0), 0, "arm again for 20 ms from now");
	wait_for_event();
	ok(system_time() >= start + 20 * MSEC, "it fires when it is time, not before");
	start = arm_twice();
	wait_for_event();
	ok(system_time() >= start + LATER, "armed again for later: then it fires");
	is(event_pending(port), 0, "once");
	is(singleshot(system_time() - 5 * MSEC, 0), 0, "arm for the past");
	wait_for_event();
	is(event_pending(port), 0, "fires at once, and once");
}

static void stops(void)
{
	is(singleshot(system_time() + FAR, 0), 0, "arm it");
	is(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0, "stop the single-shot timer");
	is(event_pending(port), 0, "it has not fired");
	is(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0, "stop it though it is not armed");
}

/* VCPU_SSHOTTMR_future was obeyed by 3.1 (do_vcpu_op()); 4.17 takes it for a hint. */
static void arguments(void)
{
	is(singleshot(system_time() + FAR, VCPU_SSHOTTMR_future), 0,
	   "VCPU_SSHOTTMR_future with a future time");
	vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
	is(singleshot(1, VCPU_SSHOTTMR_future), xen_since(4, 0) ? 0 : -XEN_ETIME,
	   "and with one in the past");
	is(vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
	is(vcpu_op(VCPUOP_set_singleshot_timer, 1, NULL), -XEN_ENOENT,
	   "a vCPU that does not exist");
	is(vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL), -XEN_ENOENT, "to be stopped");
}

void guest_main(void)
{
	long bound = bind_virq(VIRQ_TIMER);

	ok(bound > 0, "VIRQ_TIMER has a port");
	port = (unsigned int)bound;
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_clear(port);
	fires();
	stops();
	arguments();
}
