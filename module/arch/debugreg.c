/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * debugreg.c - debug registers and the TS bit: set_debugreg, get_debugreg,
 * fpu_taskswitch
 *
 * Rules: Xen 4.17 arch/x86/pv/misc-hypercalls.c.
 */
#include "hypercall.h"
#include "trap.h"

#define DR6_RESERVED_ZERO (1UL << 12)
#define DR6_RESERVED_ONE 0xffff0ff0UL
#define DR7_RESERVED_ZERO 0xd800UL
#define DR7_RESERVED_ONE 0x400UL
#define DR7_GENERAL_DETECT (1UL << 13)
#define DR7_ACTIVE 0xffUL
#define DR7_IO 2 /* type of a breakpoint: I/O, with CR4.DE */

#define WRITE_DR(n, value) __asm__ volatile("mov %0, %%dr" #n : : "r"(value))

static void write_address(u32 reg, u64 value)
{
	switch (reg) {
	case 0:
		WRITE_DR(0, value);
		break;
	case 1:
		WRITE_DR(1, value);
		break;
	case 2:
		WRITE_DR(2, value);
		break;
	case 3:
		WRITE_DR(3, value);
		break;
	}
}

/* The ports do nothing here, so breakpoints on them never hit: leave them out. */
static long set_dr7(struct vcpu *v, u64 value)
{
	u64 io = 0;

	value = (value & ~DR7_RESERVED_ZERO) | DR7_RESERVED_ONE;
	if (value & DR7_GENERAL_DETECT)
		return -XEN_EPERM;
	for (u32 i = 0; (value & DR7_ACTIVE) && i < 4; i++) {
		if ((value >> (16 + 4 * i) & 3) != DR7_IO)
			continue;
		if (!(v->cr4 & CR4_DE))
			return -XEN_EPERM;
		io |= 3UL << (2 * i);
	}
	v->dr7 = value & ~io;
	WRITE_DR(7, v->dr7);
	return 0;
}

long set_debugreg(struct vcpu *v, u32 reg, u64 value)
{
	if ((reg == 4 || reg == 5) && !(v->cr4 & CR4_DE))
		reg += 2;
	switch (reg) {
	case 0 ... 3:
		if (!is_canonical(value) ||
		    (value >= MONITOR_VA_START && value < MONITOR_VA_END))
			return -XEN_EPERM;
		v->dr[reg] = value;
		write_address(reg, value);
		return 0;
	case 6:
		if (value >> 32)
			return -XEN_EINVAL;
		v->dr6 = (value & ~DR6_RESERVED_ZERO) | DR6_RESERVED_ONE;
		WRITE_DR(6, v->dr6);
		return 0;
	case 7:
		return value >> 32 ? -XEN_EINVAL : set_dr7(v, value);
	default:
		return -XEN_ENODEV;
	}
}

long get_debugreg(struct vcpu *v, u32 reg, u64 *value)
{
	if ((reg == 4 || reg == 5) && !(v->cr4 & CR4_DE))
		reg += 2;
	switch (reg) {
	case 0 ... 3:
		*value = v->dr[reg];
		return 0;
	case 6:
		*value = v->dr6;
		return 0;
	case 7:
		*value = v->dr7;
		return 0;
	default:
		return -XEN_ENODEV;
	}
}

HANDLE2(do_set_debugreg, reg, value)
{
	return set_debugreg(this_vcpu(), reg, value);
}

HANDLE1(do_get_debugreg, reg)
{
	u64 value;
	long rc = get_debugreg(this_vcpu(), reg, &value);

	return rc ? rc : (long)value;
}

HANDLE1(do_fpu_taskswitch, set)
{
	struct vcpu *v = this_vcpu();

	v->cr0_ts = set;
	if (set)
		write_cr0(read_cr0() | CR0_TS);
	else
		__asm__ volatile("clts");
	return 0;
}
