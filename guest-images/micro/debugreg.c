/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * debugreg - set_debugreg, get_debugreg, and a watchpoint that hits
 *
 * Old Xen's rules: 3.1 arch/x86/traps.c, set_debugreg() and do_get_debugreg().
 */
#include "guest.h"

#define DR7_LOCAL0 1UL
#define DR7_WRITE0 (1UL << 16)
#define DR7_LENGTH4 (3UL << 18)
#define DR7_LENGTH8 (2UL << 18)
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
#ifdef __x86_64__ /* the monitor of a 32-bit guest is out of its reach */
	is(set_debugreg(0, HYPERVISOR_VIRT_START), -XEN_EPERM, "an address of Xen's");
#endif
	is(set_debugreg(8, 0), xen_since(4, 0) ? -XEN_ENODEV : -XEN_EINVAL,
	   "register 8 does not exist");
	is(get_debugreg(8), xen_since(4, 0) ? -XEN_ENODEV : -XEN_EINVAL, "nor can it be read");
	is(set_debugreg(4, 0xffff0ff0), xen_since(4, 0) ? 0 : -XEN_EINVAL,
	   "register 4 is another name of 6, once Xen knew it");
	is(set_debugreg(7, DR7_GENERAL_DETECT), -XEN_EPERM, "general detect is Xen's");
	is(set_debugreg(7, DR7_LENGTH8), xen_since(4, 0) ? 0 : -XEN_EPERM,
	   "a watchpoint of eight bytes");
	is(set_debugreg(7, 0), 0, "none at all");
	is(get_debugreg(7), xen_since(4, 0) ? 0x400 : 0, "the reserved bit is shown today");
	is(get_debugreg(6) & ~0xfUL, 0xffff0ff0, "register 6 at start");
}

static void step(void)
{
	asm volatile(PUSHF "; orl %0, (%%" SP "); " POPF "; nop; nop"
		     :
		     : "i"(FLAG_TF)
		     : "memory", "cc");
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
	is(catch_trap(step()), TRAP_DB, "a single step");
	is(get_debugreg(6) & 0x400f, 0x4001, "register 6 says so, and what it said before");
	is(set_debugreg(6, 0), 0, "clear register 6");
	is(catch_trap(watched[1] = 3), TRAP_DB, "the watchpoint again");
	is(get_debugreg(6) & 0x400f, 1, "register 6 has not kept the step");
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
