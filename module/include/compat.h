/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compat.h - structures as 32-bit guests lay them out, where that differs
 *
 * Names are those of Xen's public headers with 32 appended; the layouts are
 * those of i386, where a 64-bit member is aligned to 4.
 */
#ifndef MONITOR_COMPAT_H
#define MONITOR_COMPAT_H

#include "x86.h"

struct trap_info32 {
	u8 vector, flags;
	u16 cs;
	u32 address;
};

struct mmuext_op32 {
	u32 cmd, arg1, arg2;
};

struct multicall_entry32 {
	u32 op, result, args[6];
};

struct callback_register32 {
	u16 type, flags;
	u32 cs, eip;
};

struct sched_poll32 {
	u32 ports, nr_ports;
	u64 timeout;
};

struct physdev_set_iobitmap32 {
	u32 bitmap, nr_ports;
};

struct vcpu_runstate_info32 {
	u32 state;
	u64 state_entry_time;
	u64 time[4];
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct trap_info32) == 8, "i386 layout");
_Static_assert(sizeof(struct mmuext_op32) == 12, "i386 layout");
_Static_assert(sizeof(struct multicall_entry32) == 32, "i386 layout");
_Static_assert(sizeof(struct callback_register32) == 12, "i386 layout");
_Static_assert(sizeof(struct sched_poll32) == 16, "i386 layout");
_Static_assert(sizeof(struct vcpu_runstate_info32) == 44, "i386 layout");

/* Words of a 32-bit vcpu_info, and byte offsets in a 32-bit shared_info */
#define VCPU_INFO32_SELECTOR 1
#define VCPU_INFO32_CR2 2
#define SHARED_INFO32_PENDING 2048
#define SHARED_INFO32_MASK 2176
#define SHARED_INFO32_WALLCLOCK 2304

#endif
