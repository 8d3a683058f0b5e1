/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fpu - SSE and x87 state is the guest's own and survives; fpu_taskswitch
 */
#include "guest.h"

#ifdef __x86_64__
#define LAST_XMM "%%xmm15"
#else
#define LAST_XMM "%%xmm7"
#endif

static uint64_t pattern[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
static uint64_t result[2];

static void load(void)
{
	asm volatile("movdqu %0, %%xmm0; movdqu %0, " LAST_XMM : : "m"(pattern));
}

static bool kept(void)
{
	asm volatile("movdqu %%xmm0, %0" : "=m"(result));
	if (memcmp(result, pattern, sizeof(result)))
		return false;
	asm volatile("movdqu " LAST_XMM ", %0" : "=m"(result));
	return !memcmp(result, pattern, sizeof(result));
}

static void survives(void)
{
	struct sched_poll poll = { .nr_ports = 0, .timeout = system_time() + 20 * MSEC };
	unsigned short control = 0x27f, seen;

	load();
	ok(kept(), "SSE registers hold what is loaded");
	xen_version(XENVER_version, NULL);
	ok(kept(), "after a hypercall");
	sched_op(SCHEDOP_yield, NULL);
	ok(kept(), "after a yield");
	sched_op(SCHEDOP_poll, &poll);
	ok(kept(), "after a sleep");
	catch_trap(asm volatile("ud2"));
	ok(kept(), "after a trap");
	asm volatile("fldcw %0" : : "m"(control));
	sched_op(SCHEDOP_yield, NULL);
	asm volatile("fnstcw %0" : "=m"(seen));
	is(seen, control, "the x87 control word is kept");
	asm volatile("fninit");
}

static void start_values(void)
{
	unsigned int mxcsr;
	unsigned short control;

	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	asm volatile("fnstcw %0" : "=m"(control));
	is(mxcsr, 0x1f80, "MXCSR at start");
	is(control, 0x37f, "x87 control word at start");
}

/* #NM arrives with TS already clear: the handler may use the FPU at once. */
static void task_switched(void)
{
	load();
	is(fpu_taskswitch(1), 0, "fpu_taskswitch(1)");
	is(catch_trap(asm volatile("movdqa %%xmm0, %%xmm1" ::
					   : "memory")),
	   TRAP_NM, "the next SSE instruction raises #NM");
	is(trap_regs.error, 0, "without an error code");
	is(catch_trap(kept()), TRAP_NONE, "TS is clear in the handler");
	ok(kept(), "the registers are kept");
	is(catch_trap(asm volatile("fnop")), TRAP_NONE, "x87 works, too");

	fpu_taskswitch(1);
	is(catch_trap(asm volatile("fnop")), TRAP_NM, "an x87 instruction raises #NM");
	fpu_taskswitch(1);
	is(fpu_taskswitch(0), 0, "fpu_taskswitch(0)");
	is(catch_trap(asm volatile("fnop")), TRAP_NONE, "clears TS");
	fpu_taskswitch(1);
	is(catch_trap(asm volatile("clts")), TRAP_NONE, "clts is emulated");
	is(catch_trap(asm volatile("fnop")), TRAP_NONE, "and clears TS");
}

/* A sleep with TS set, and one after it was used lazily. */
static void across_sleep(void)
{
	struct sched_poll poll = { .nr_ports = 0 };

	load();
	fpu_taskswitch(1);
	poll.timeout = system_time() + 10 * MSEC;
	sched_op(SCHEDOP_poll, &poll);
	is(catch_trap(asm volatile("fnop")), TRAP_NM, "TS survives a sleep");
	ok(kept(), "and so do the registers");
}

void guest_main(void)
{
	start_values();
	survives();
	task_switched();
	across_sleep();
}
