/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * debugreg.c - debug registers and the TS bit: set_debugreg, get_debugreg,
 * fpu_taskswitch
 *
 * Rules: Xen 4.17 arch/x86/pv/misc-hypercalls.c, 3.1 arch/x86/traps.c.
 */
#include "abi-info.h"
#include "hypercall.h"
#include "trap.h"

#define DR6_RESERVED_ZERO (1UL << 12)
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

/* Old Xen: neither field of any watchpoint may be binary 10. */
static bool is_plain_dr7(u64 value)
{
	for (u32 at = 16; at < 32; at += 2)
		if ((value >> at & 3) == 2)
			return false;
	return true;
}

/* The ports do nothing here, so breakpoints on them never hit: leave them out. */
static long set_dr7(struct vcpu *v, u64 value)
{
	u64 io = 0;

	if (value || ABI_DEBUGREG_EXTENSIONS)
		value = (value & ~DR7_RESERVED_ZERO) | DR7_RESERVED_ONE;
	if (value & DR7_GENERAL_DETECT || (!ABI_DEBUGREG_EXTENSIONS && !is_plain_dr7(value)))
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

/* DR4 and DR5 stand for DR6 and DR7. */
static bool is_alias(const struct vcpu *v, u32 reg)
{
	return ABI_DEBUGREG_EXTENSIONS && (reg == 4 || reg == 5) && !(v->cr4 & CR4_DE);
}

long set_debugreg(struct vcpu *v, u32 reg, u64 value)
{
	if (is_alias(v, reg))
		reg += 2;
	if (!ABI_DEBUGREG_EXTENSIONS && reg >= 6)
		value = (u32)value;
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
		v->dr6 = (value & ~DR6_RESERVED_ZERO) | DR6_DEFAULT;
		WRITE_DR(6, v->dr6);
		return 0;
	case 7:
		return value >> 32 ? -XEN_EINVAL : set_dr7(v, value);
	default:
		return -ABI_DEBUGREG_UNKNOWN;
	}
}

long get_debugreg(struct vcpu *v, u32 reg, u64 *value)
{
	if (is_alias(v, reg))
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
	case 4 ... 5:
		*value = 0; /* with aliases: CR4.DE says that there is none */
		return ABI_DEBUGREG_EXTENSIONS ? -XEN_ENODEV : 0;
	default:
		return -ABI_DEBUGREG_UNKNOWN;
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
