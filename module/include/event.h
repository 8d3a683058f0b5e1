/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h - event channels, timers, time
 */
#ifndef MONITOR_EVENT_H
#define MONITOR_EVENT_H

#include "abi-info.h"
#include "hypercall.h"

/* The bitmaps of shared_info, whose place depends on the guest's word size. */
extern u64 *pending_bits, *mask_bits;

/** event_init() - find them; once, when shared_info is known */
void event_init(void);

#define TIMER_VECTOR 0xf1
#define SPURIOUS_VECTOR 0xff

/** event_raise() - set a port pending on @v, its vCPU */
void event_raise(struct vcpu *v, u32 port);

/** event_raise_timer() - VIRQ_TIMER of @v, if it is bound */
void event_raise_timer(struct vcpu *v);

/** event_due() - is an upcall due? */
static inline bool event_due(const struct vcpu *v)
{
	return READ_ONCE(v->info->evtchn_upcall_pending);
}

/**
 * event_wait(), event_wait_over() - @v is about to halt until something is pending; it
 * goes on.  Between them it looks at what is pending before it halts.
 */
void event_wait(struct vcpu *v);
void event_wait_over(struct vcpu *v);

/** event_info_at() - @v->info is at @paddr now: the helper is to use that, too */
void event_info_at(struct vcpu *v, u64 paddr);

/** guest_upcall() - entry.S: pending and not masked: run the guest's callback */
void guest_upcall(struct regs *r);

/** apic_init() - local APIC and its timer; each vCPU */
void apic_init(void);
void apic_eoi(void);

/** apic_timer() - interrupt at TIMER_VECTOR in @ns; 0: none */
void apic_timer(u64 ns);

/** time_init() - start system time; @wallclock: ns since 1970 now */
void time_init(u64 wallclock);

/** now() - system time, ns */
u64 now(void);

/** time_publish() - fill @v's vcpu_time_info where the guest sees it */
void time_publish(struct vcpu *v);

/** time_refresh() - the same, if it has been a while and the ABI wants it */
void time_refresh(struct vcpu *v);

/** timer_init() - start the tick that every vCPU has until it asks for another */
void timer_init(struct vcpu *v);

/**
 * timer_sleep(), timer_wake() - the vCPU waits; it goes on
 *
 * One that does not run gets no ticks, and one for all that it missed when it
 * runs again (Xen 4.17 common/sched/core.c, vcpu_periodic_timer_work()).
 */
void timer_sleep(struct vcpu *v);
void timer_wake(struct vcpu *v);

/** vcpu_absent() - what an operation on a vCPU that is not there answers */
static inline long vcpu_absent(u64 id)
{
	u64 number = (u32)id;

	return number < ABI_VCPU_NUMBERS ? -XEN_ENOENT : -XEN_EINVAL;
}

/** timer_fired() - TIMER_VECTOR */
void timer_fired(struct vcpu *v);

/** timer_arm() - have the hardware timer fire for the next of @v's deadlines */
void timer_arm(struct vcpu *v);

/** runstate_copy() - write what @v did with its time to guest address @to */
long runstate_copy(const struct vcpu *v, u64 to);

/** runstate_change() - account the time in the last state, enter @state */
void runstate_change(struct vcpu *v, u32 state);

#endif
