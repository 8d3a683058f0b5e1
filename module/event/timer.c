/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer.c - a vCPU's timers: single-shot, periodic, and the timeout of poll,
 * all on the one hardware timer
 */
#include "event.h"
#include "trap.h"
#include <xen/vcpu.h>

#define MIN_PERIOD 1000000ULL /* ns: Xen 4.17 common/domain.c, 1 ms */
#define MAX_PERIOD (1ULL << 62) /* ns: STIME_DELTA_MAX */

static void earlier(u64 *next, u64 deadline)
{
	if (deadline && (!*next || deadline < *next))
		*next = deadline;
}

void timer_arm(struct vcpu *v)
{
	u64 next = 0, time;

	earlier(&next, v->deadline);
	earlier(&next, v->next_tick);
	earlier(&next, v->poll_deadline);
	if (!next) {
		apic_timer(0);
		return;
	}
	time = now();
	apic_timer(next > time ? next - time : 1);
}

void timer_fired(struct vcpu *v)
{
	u64 time = now();
	bool due = false;

	if (v->deadline && v->deadline <= time) {
		v->deadline = 0;
		due = true;
	}
	if (v->next_tick && v->next_tick <= time) {
		/* Ticks that were missed are one tick: the guest has the clock. */
		v->next_tick += v->period * ((time - v->next_tick) / v->period + 1);
		due = true;
	}
	if (due)
		event_raise_timer(v);
	timer_arm(v);
}

static void set_single(struct vcpu *v, u64 deadline)
{
	bool past = deadline && deadline <= now();

	v->deadline = past ? 0 : deadline;
	if (past)
		event_raise_timer(v);
	timer_arm(v);
}

/* 32-bit guests pass the time in two halves. */
HANDLE2(do_set_timer_op, a, b)
{
	u64 timeout = guest32 ? b << 32 | a : a;

	/* Absurdly far means never, as for Xen's 64-bit-only guests. */
	set_single(this_vcpu(), (s64)timeout < 0 ? 1 : timeout);
	return 0;
}

HANDLE_VCPU_SUB(do_vcpu_op_set_singleshot_timer, id, arg)
{
	struct vcpu_set_singleshot_timer set;
	struct vcpu *v = this_vcpu();

	if ((u32)id >= boot->nr_vcpus)
		return -XEN_ENOENT;
	if ((u32)id != v->id)
		return -XEN_EINVAL;
	if (copy_from_guest(&set, arg, sizeof(set)))
		return -XEN_EFAULT;
	set_single(v, set.timeout_abs_ns ? set.timeout_abs_ns : 1);
	return 0;
}

HANDLE_VCPU_SUB(do_vcpu_op_stop_singleshot_timer, id, arg)
{
	struct vcpu *v = this_vcpu();

	(void)arg;
	if ((u32)id >= boot->nr_vcpus)
		return -XEN_ENOENT;
	if ((u32)id != v->id)
		return -XEN_EINVAL;
	set_single(v, 0);
	return 0;
}

static void set_periodic(struct vcpu *v, u64 period)
{
	v->period = period;
	v->next_tick = period ? now() + period : 0;
	timer_arm(v);
}

HANDLE_VCPU_SUB(do_vcpu_op_set_periodic_timer, id, arg)
{
	struct vcpu_set_periodic_timer set;

	if ((u32)id >= boot->nr_vcpus)
		return -XEN_ENOENT;
	if (copy_from_guest(&set, arg, sizeof(set)))
		return -XEN_EFAULT;
	if (set.period_ns < MIN_PERIOD || set.period_ns > MAX_PERIOD)
		return -XEN_EINVAL;
	set_periodic(&vcpus[(u32)id], set.period_ns);
	return 0;
}

HANDLE_VCPU_SUB(do_vcpu_op_stop_periodic_timer, id, arg)
{
	(void)arg;
	if ((u32)id >= boot->nr_vcpus)
		return -XEN_ENOENT;
	set_periodic(&vcpus[(u32)id], 0);
	return 0;
}
