/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * debugreg - set_debugreg, get_debugreg, and a watchpoint that hits
 */
#include "guest.h"

#define DR7_LOCAL0 1UL
#define DR7_WRITE0 (1UL << 16)
#define DR7_LENGTH4 (3UL << 18)
#define DR7_GENERAL_DETECT (1UL << 13)

static volatile unsigned int watched[4];

static void registers(void)
{
	unsigned int i;

	is(get_debugreg(7) & 0xff, 0, "nothing is enabled at start");
	for (i = 0; i < 4; i++) {
		is(set_debugreg((int)i, 0x1000 + i), 0, "set register %u", i);
		is(get_debugreg((int)i), 0x1000 + i, "get it");
	}
	is(set_debugreg(0, HYPERVISOR_VIRT_START), -XEN_EPERM, "an address of Xen's");
	is(set_debugreg(8, 0), -XEN_ENODEV, "register 8 does not exist");
	is(get_debugreg(8), -XEN_ENODEV, "nor can it be read");
	is(get_debugreg(6) & ~0xfUL, 0xffff0ff0, "register 6 at start");
}

static void watchpoint(void)
{
	unsigned long value = DR7_LOCAL0 | DR7_WRITE0 | DR7_LENGTH4;

	is(set_debugreg(0, (unsigned long)&watched[1]), 0, "watch a word");
	is(set_debugreg(7, value), 0, "for writes");
	is(get_debugreg(7) & 0xf00ff, value, "register 7 holds that");
	is(catch_trap(watched[0] = 1), TRAP_NONE, "a write beside it");
	is(catch_trap(watched[1] = 2), TRAP_DB, "a write to it raises #DB");
	is(watched[1], 2, "after the write");
	is(get_debugreg(6) & 0xf, 1, "register 6 names the watchpoint");
	is(catch_trap(READ_ONCE(watched[1])), TRAP_NONE, "a read of it");
	is(set_debugreg(6, 0), 0, "clear register 6");
	is(get_debugreg(6) & 0xf, 0, "it is clear");
	is(set_debugreg(7, 0), 0, "disable the watchpoint");
	is(catch_trap(watched[1] = 3), TRAP_NONE, "a write to the word");
}

/* mov to and from debug registers is emulated. */
static void by_instruction(void)
{
	static unsigned long v;

	is(catch_trap(asm volatile("mov %0, %%db1"
				   :
				   : "r"(0x4321UL))),
	   TRAP_NONE, "mov to dr1");
	is(get_debugreg(1), 0x4321, "the hypercall shows it");
	is(catch_trap(asm volatile("mov %%db1, %0" : "=r"(v))), TRAP_NONE, "mov from dr1");
	is(v, 0x4321, "the value");
}

void guest_main(void)
{
	registers();
	watchpoint();
	by_instruction();
}
