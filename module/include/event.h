/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h - event channels, timers, time
 */
#ifndef MONITOR_EVENT_H
#define MONITOR_EVENT_H

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

/** event_kick() - KICK_VECTOR: take in what the helper has set */
void event_kick(struct vcpu *v);

/** event_due() - is an upcall due? */
static inline bool event_due(const struct vcpu *v)
{
	return READ_ONCE(v->info->evtchn_upcall_pending);
}

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

/** timer_fired() - TIMER_VECTOR */
void timer_fired(struct vcpu *v);

/** timer_arm() - have the hardware timer fire for the next of @v's deadlines */
void timer_arm(struct vcpu *v);

/** runstate_copy() - write what @v did with its time to guest address @to */
long runstate_copy(const struct vcpu *v, u64 to);

/** runstate_change() - account the time in the last state, enter @state */
void runstate_change(struct vcpu *v, u32 state);

#endif
