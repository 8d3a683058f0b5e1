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
#define FIRST_PERIOD 10000000ULL /* ns: Xen 4.17 arch/x86/pv/domain.c, 100 Hz */
#define TOO_FAR (1ULL << 50) /* ns: do_set_timer_op(), about 13 days */
#define INSTEAD 100000000ULL /* ns */

static void earlier(u64 *next, u64 deadline)
{
	if (deadline && (!*next || deadline < *next))
		*next = deadline;
}

void timer_arm(struct vcpu *v)
{
	u64 next = 0, time = now();

	earlier(&next, v->deadline);
	if (!v->asleep)
		earlier(&next, v->next_tick);
	/*
	 * A poll that is over needs no timer; KVM would deliver one in the past
	 * again and again, and poll would never see that it is over.
	 */
	if (v->poll_deadline > time)
		earlier(&next, v->poll_deadline);
	if (!next) {
		apic_timer(0);
		return;
	}
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
	if (!v->asleep && v->next_tick && v->next_tick <= time) {
		/* Ticks that were missed are one tick: the guest has the clock. */
		v->next_tick += v->period * ((time - v->next_tick) / v->period + 1);
		due = true;
	}
	if (due) {
		time_refresh(v);
		event_raise_timer(v);
	}
	timer_arm(v);
}

void timer_sleep(struct vcpu *v)
{
	v->asleep = true;
	if (v->period)
		timer_arm(v);
}

void timer_wake(struct vcpu *v)
{
	v->asleep = false;
	if (v->period)
		timer_fired(v);
}

static void set_single(struct vcpu *v, u64 deadline)
{
	bool past = deadline && deadline <= now();

	v->deadline = past ? 0 : deadline;
	if (past)
		event_raise_timer(v);
	timer_arm(v);
}

/*
 * Linux's way to say "late", or "never": Xen can't tell which, and takes the
 * middle (Xen 4.17 common/sched/core.c, do_set_timer_op()).  32-bit
 * guests pass the time in two halves.
 */
HANDLE2(do_set_timer_op, a, b)
{
	u64 timeout = guest32 ? b << 32 | a : a, time = now();

	if ((s64)timeout < 0 || (timeout > time && timeout - time >= TOO_FAR))
		timeout = time + INSTEAD;
	set_single(this_vcpu(), timeout);
	return 0;
}

HANDLE_VCPU_SUB(do_vcpu_op_set_singleshot_timer, id, arg)
{
	struct vcpu_set_singleshot_timer set;
	struct vcpu *v = this_vcpu();

	if ((u32)id >= boot->nr_vcpus)
		return vcpu_absent(id);
	if ((u32)id != v->id)
		return -XEN_EINVAL;
	if (copy_from_guest(&set, arg, sizeof(set)))
		return -XEN_EFAULT;
	if (ABI_TIMER_FUTURE && set.flags & VCPU_SSHOTTMR_future && set.timeout_abs_ns < now())
		return -XEN_ETIME;
	set_single(v, set.timeout_abs_ns ? set.timeout_abs_ns : 1);
	return 0;
}

HANDLE_VCPU_SUB(do_vcpu_op_stop_singleshot_timer, id, arg)
{
	struct vcpu *v = this_vcpu();

	(void)arg;
	if ((u32)id >= boot->nr_vcpus)
		return vcpu_absent(id);
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

void timer_init(struct vcpu *v)
{
	set_periodic(v, FIRST_PERIOD);
}

HANDLE_VCPU_SUB(do_vcpu_op_set_periodic_timer, id, arg)
{
	struct vcpu_set_periodic_timer set;

	if ((u32)id >= boot->nr_vcpus)
		return vcpu_absent(id);
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
		return vcpu_absent(id);
	set_periodic(&vcpus[(u32)id], 0);
	return 0;
}
