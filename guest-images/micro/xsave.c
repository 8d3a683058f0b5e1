/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xsave - CR4.OSXSAVE, xgetbv and xsetbv, where the CPU has XSAVE
 */
#include "guest.h"

#define CR4_OSXSAVE (1UL << 18)
#define CPUID_XSAVE (1U << 26)

static uint32_t low, high;
static unsigned long cr4;

static void read_xcr0(void)
{
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
}

static void write_xcr0(uint32_t value)
{
	asm volatile("xsetbv" : : "a"(value), "d"(0), "c"(0));
}

void guest_main(void)
{
	if (!(xen_cpuid(1, 0).ecx & CPUID_XSAVE))
		skip_all("no XSAVE in cpuid");
	is(catch_trap(write_xcr0(3)), TRAP_UD, "xsetbv without CR4.OSXSAVE: #UD");
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	is(catch_trap(asm volatile("mov %0, %%cr4"
				   :
				   : "r"(cr4 | CR4_OSXSAVE))),
	   TRAP_NONE, "set CR4.OSXSAVE");
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	is(cr4 & CR4_OSXSAVE, CR4_OSXSAVE, "CR4 shows it");
	ok(xen_cpuid(1, 0).ecx & 1 << 27, "cpuid shows OSXSAVE");
	is(catch_trap(read_xcr0()), TRAP_NONE, "xgetbv");
	is(low & 3, 3, "x87 and SSE are enabled");
	is(catch_trap(write_xcr0(3)), TRAP_NONE, "xsetbv");
	read_xcr0();
	is(low, 3, "takes effect");
	is(catch_trap(write_xcr0(0)), TRAP_GP, "xsetbv of 0: #GP");
}
