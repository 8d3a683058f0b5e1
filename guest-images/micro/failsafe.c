/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failsafe - the callback for selectors that can't be loaded on the way back
 * to the guest
 *
 * A 32-bit Xen loads them each time (3.1 x86_32/entry.S, restore_all_guest), a
 * 64-bit one when it switches to the vCPU (arch/x86/domain.c, load_segments()).
 */
#include "guest.h"

#define DATA 0x00cff3000000ffffULL
#ifdef __x86_64__
#define SPARE 1 /* SPARE_SEGMENT, among ds, es, fs, gs */
#else
#define SPARE 2
#endif
#define SELECTOR(index) ((index) << 3 | 3)

static struct regs at_failsafe;
static bool mask_at_failsafe;
static unsigned int calls;

static bool failsafe(struct regs *regs)
{
	if (regs->vector != TRAP_FAILSAFE)
		return false;
	calls++;
	at_failsafe = *regs;
	mask_at_failsafe = vcpu_info->evtchn_upcall_mask;
	return true;
}

static void read_selectors(unsigned long to[4])
{
	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
		     : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]));
}

/* Take the descriptor that the register names away, and sleep. */
static void provoke(unsigned long loaded[4])
{
	struct sched_poll poll = { .nr_ports = 0 };
	uint64_t *gdt = page_alloc();
	unsigned long frame = virt_to_mfn(gdt);

	gdt[2] = DATA;
	page_read_only(gdt);
	set_gdt(&frame, 512);
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	asm volatile("mov %0, %%" SPARE_SEGMENT : : "r"(SELECTOR(2)));
	read_selectors(loaded);
	update_descriptor(virt_to_maddr(&gdt[2]), 0);
	poll.timeout = system_time() + 50 * MSEC;
	sched_op(SCHEDOP_poll, &poll);
}

void guest_main(void)
{
	static const char *const names[] = { "ds", "es", "fs", "gs" };
	unsigned long loaded[4], now[4];
	unsigned int i;

	trap_hook = failsafe;
	if (register_callback(CALLBACKTYPE_failsafe, TRAP_FAILSAFE, CALLBACKF_mask_events))
		bail_out("the callback can't be registered");
	provoke(loaded);
	if (!calls)
		skip_all("no selector was loaded after the sleep");
	read_selectors(now);
	is(loaded[SPARE], SELECTOR(2), SPARE_SEGMENT " was loaded");
	is(calls, 1, "the callback came");
	for (i = 0; i < 4; i++)
		is(failsafe_selectors[i], loaded[i], "its frame: %s, as it was", names[i]);
	is(at_failsafe.cs, KERNEL_CS_IN_FRAME, "its frame: cs");
	is(at_failsafe.saved_upcall_mask, 0, "its frame: saved mask");
	is(mask_at_failsafe, 1, "upcalls are masked in it");
	is(now[SPARE], 0, SPARE_SEGMENT " is null");
}
