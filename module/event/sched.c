/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sched.c - a vCPU that has nothing to do: block, poll, yield; and what it did
 * with its time
 */
#include "compat.h"
#include "event.h"
#include "trap.h"
#include <xen/sched.h>
#include <xen/vcpu.h>

#define MAX_POLL_PORTS 128 /* Xen 4.17 common/sched/core.c, do_poll() */

long runstate_copy(const struct vcpu *v, u64 to)
{
	struct vcpu_runstate_info32 info32;
	struct vcpu_runstate_info info;

	if (guest32) {
		info32.state = v->runstate_now;
		info32.state_entry_time = v->runstate_since;
		memcpy(info32.time, v->runstate_time, sizeof(info32.time));
		return copy_to_guest(to, &info32, sizeof(info32));
	}
	info.state = v->runstate_now;
	info.state_entry_time = v->runstate_since;
	memcpy(info.time, v->runstate_time, sizeof(info.time));
	return copy_to_guest(to, &info, sizeof(info));
}

void runstate_change(struct vcpu *v, u32 state)
{
	u64 time = now();

	v->runstate_time[v->runstate_now] += time - v->runstate_since;
	v->runstate_now = state;
	v->runstate_since = time;
	if (v->runstate)
		runstate_copy(v, v->runstate);
}

static void fall_asleep(struct vcpu *v)
{
	runstate_change(v, RUNSTATE_blocked);
	timer_sleep(v);
	event_wait(v);
}

static void wake_up(struct vcpu *v)
{
	event_wait_over(v);
	runstate_change(v, RUNSTATE_running);
	timer_wake(v);
}

HANDLE_SUB(do_sched_op_yield, arg)
{
	(void)arg;
	/* The guest may wait for a backend: let the helper serve it now. */
	mailbox_call(this_vcpu(), MAILBOX_YIELD);
	return 0;
}

HANDLE_SUB(do_sched_op_block, arg)
{
	struct vcpu *v = this_vcpu();

	(void)arg;
	v->info->evtchn_upcall_mask = 0;
	if (event_due(v))
		return 0;
	fall_asleep(v);
	while (!event_due(v))
		wait_for_interrupt();
	wake_up(v);
	return 0;
}

#define MAX_PORTS32 1024 /* 32 words of 32 bits */

static long any_pending(u64 ports, u32 n)
{
	evtchn_port_t port;

	while (n--) {
		if (copy_from_guest(&port, ports + n * sizeof(port), sizeof(port)))
			return -XEN_EFAULT;
		if (port >= (guest32 ? MAX_PORTS32 : MAX_PORTS))
			return -XEN_EINVAL;
		if (test_bit(pending_bits, port))
			return 1;
	}
	return 0;
}

static long copy_poll(struct sched_poll *poll, u64 from)
{
	struct sched_poll32 poll32;

	if (!guest32)
		return copy_from_guest(poll, from, sizeof(*poll));
	if (copy_from_guest(&poll32, from, sizeof(poll32)))
		return -XEN_EFAULT;
	poll->ports.p = (void *)(u64)poll32.ports;
	poll->nr_ports = poll32.nr_ports;
	poll->timeout = poll32.timeout;
	return 0;
}

/* Until a port is pending, masked or not, or the time has come. */
HANDLE_SUB(do_sched_op_poll, arg)
{
	struct vcpu *v = this_vcpu();
	struct sched_poll poll;
	long rc;

	if (copy_poll(&poll, arg))
		return -XEN_EFAULT;
	if (poll.nr_ports > MAX_POLL_PORTS)
		return -XEN_EINVAL;
	v->poll_deadline = poll.timeout;
	timer_arm(v);
	fall_asleep(v);
	for (;;) {
		rc = any_pending((u64)poll.ports.p, poll.nr_ports);
		if (rc || (v->poll_deadline && v->poll_deadline <= now()))
			break;
		/* An upcall that is due ends it too, as the guest must see it. */
		if (event_due(v) && !v->info->evtchn_upcall_mask)
			break;
		wait_for_interrupt();
	}
	wake_up(v);
	v->poll_deadline = 0;
	timer_arm(v);
	return rc < 0 ? rc : 0;
}
