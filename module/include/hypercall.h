/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall.h - dispatch of hypercalls, and access to what they point at
 *
 * A handler do_NAME, or do_NAME_SUB for a sub-operation, runs on the vCPU that
 * asks, interrupts off, in the guest's kernel root.  It returns what the guest
 * gets: 0 or more, or a negative XEN_E* value.
 */
#ifndef MONITOR_HYPERCALL_H
#define MONITOR_HYPERCALL_H

#include "vcpu.h"
#include <xen/errno.h>

#define NR_HYPERCALLS 64

typedef long (*hypercall_fn)(unsigned long a, unsigned long b, unsigned long c, unsigned long d,
			     unsigned long e, unsigned long f);

/* Generated from the ABI's table. */
extern const hypercall_fn hypercall_table[NR_HYPERCALLS];

/** call_unknown() - not in this ABI: -ENOSYS */
long call_unknown(unsigned long a, unsigned long b, unsigned long c, unsigned long d,
		  unsigned long e, unsigned long f);

/** call_forward() - ask the helper, wait for its answer */
long call_forward(unsigned long a, unsigned long b, unsigned long c, unsigned long d,
		  unsigned long e, unsigned long f);

/* The guest's addresses: [0, guest_low_end), and from guest_high_start on */
extern u64 guest_low_end, guest_high_start;

/**
 * guest_range_ok() - may the guest name this range of its addresses?
 * @va:  virtual address
 * @len: bytes, less than 2^39
 *
 * Canonical, and none of it the monitor's.  Mapped or not is another question.
 */
static inline bool guest_range_ok(u64 va, u64 len)
{
	return va < guest_low_end ? len <= guest_low_end - va
				  : va >= guest_high_start && len <= -va;
}

/* entry.S: bytes left, 0 when all were copied */
unsigned long copy_guest(void *to, const void *from, unsigned long bytes);

/** copy_from_guest() - 0, or -XEN_EFAULT with @to undefined */
static inline long copy_from_guest(void *to, u64 from, u64 bytes)
{
	if (!guest_range_ok(from, bytes) || copy_guest(to, (const void *)from, bytes))
		return -XEN_EFAULT;
	return 0;
}

/** copy_to_guest() - 0, or -XEN_EFAULT with part of it written */
static inline long copy_to_guest(u64 to, const void *from, u64 bytes)
{
	if (!guest_range_ok(to, bytes) || copy_guest((void *)to, from, bytes))
		return -XEN_EFAULT;
	return 0;
}

/**
 * trace_call() - note a call in the vCPU's trace ring
 * @v:     vCPU
 * @nr:    hypercall number
 * @flags: TRACE_*
 * @a, @b: its first arguments
 *
 * With BOOT_TRACE the helper drains the ring each time it wraps.
 * Return: the entry, for its result.
 */
struct trace_entry *trace_call(struct vcpu *v, u32 nr, u32 flags, u64 a, u64 b);

/* What the generated tables name: see the files that define them. */
#define HANDLER(name)                                                                          \
	long name(unsigned long a, unsigned long b, unsigned long c, unsigned long d,          \
		  unsigned long e, unsigned long f)
HANDLER(do_set_trap_table);
HANDLER(do_mmu_update);
HANDLER(do_set_gdt);
HANDLER(do_stack_switch);
HANDLER(do_set_callbacks);
HANDLER(do_fpu_taskswitch);
HANDLER(do_set_debugreg);
HANDLER(do_get_debugreg);
HANDLER(do_update_descriptor);
HANDLER(do_multicall);
HANDLER(do_update_va_mapping);
HANDLER(do_set_timer_op);
HANDLER(do_event_channel_op_compat);
HANDLER(do_xen_version_version);
HANDLER(do_physdev_op_compat);
HANDLER(do_vm_assist);
HANDLER(do_iret);
HANDLER(do_vcpu_op_initialise);
HANDLER(do_vcpu_op_up);
HANDLER(do_vcpu_op_down);
HANDLER(do_vcpu_op_is_up);
HANDLER(do_vcpu_op_get_runstate_info);
HANDLER(do_vcpu_op_register_runstate_memory_area);
HANDLER(do_vcpu_op_set_periodic_timer);
HANDLER(do_vcpu_op_stop_periodic_timer);
HANDLER(do_vcpu_op_set_singleshot_timer);
HANDLER(do_vcpu_op_stop_singleshot_timer);
HANDLER(do_vcpu_op_register_vcpu_info);
HANDLER(do_vcpu_op_register_vcpu_time_memory_area);
HANDLER(do_set_segment_base);
HANDLER(do_mmuext_op);
HANDLER(do_nmi_op_register_callback);
HANDLER(do_nmi_op_unregister_callback);
HANDLER(do_sched_op_yield);
HANDLER(do_sched_op_block);
HANDLER(do_sched_op_poll);
HANDLER(do_callback_op_register);
HANDLER(do_callback_op_unregister);
HANDLER(do_event_channel_op_send);
HANDLER(do_event_channel_op_unmask);
HANDLER(do_physdev_op_set_iopl);
HANDLER(do_physdev_op_set_iobitmap);

/*
 * Most handlers take fewer arguments than six: HANDLE1..HANDLE4 define one with
 * the arguments it uses.
 */
#define UNUSED __attribute__((unused))
#define HANDLE0(name)                                                                          \
	long name(UNUSED unsigned long a0, UNUSED unsigned long b0, UNUSED unsigned long c0,   \
		  UNUSED unsigned long d0, UNUSED unsigned long e0, UNUSED unsigned long f0)
#define HANDLE1(name, a)                                                                       \
	long name(unsigned long a, UNUSED unsigned long b0, UNUSED unsigned long c0,           \
		  UNUSED unsigned long d0, UNUSED unsigned long e0, UNUSED unsigned long f0)
#define HANDLE2(name, a, b)                                                                    \
	long name(unsigned long a, unsigned long b, UNUSED unsigned long c0,                   \
		  UNUSED unsigned long d0, UNUSED unsigned long e0, UNUSED unsigned long f0)
#define HANDLE3(name, a, b, c)                                                                 \
	long name(unsigned long a, unsigned long b, unsigned long c, UNUSED unsigned long d0,  \
		  UNUSED unsigned long e0, UNUSED unsigned long f0)
#define HANDLE4(name, a, b, c, d)                                                              \
	long name(unsigned long a, unsigned long b, unsigned long c, unsigned long d,          \
		  UNUSED unsigned long e0, UNUSED unsigned long f0)
/* A sub-operation's first argument is its number, which it knows. */
#define HANDLE_SUB(name, b) HANDLE2(name, UNUSED cmd, b)
#define HANDLE_VCPU_SUB(name, id, arg) HANDLE3(name, UNUSED cmd, id, arg)

#endif
