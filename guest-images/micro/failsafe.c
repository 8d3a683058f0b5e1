/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failsafe - the callback for selectors that can't be loaded on the way back
 * to the guest
 */
#include "guest.h"

#define DATA 0x00cff3000000ffffULL
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

static unsigned int read_es(void)
{
	unsigned int es;

	asm volatile("mov %%es, %0" : "=r"(es));
	return es;
}

/* The segment that es names goes away while the vCPU is off its CPU. */
void guest_main(void)
{
	struct sched_poll poll = { .nr_ports = 0 };
	uint64_t *gdt = page_alloc();
	unsigned long frame = virt_to_mfn(gdt);

	gdt[2] = DATA;
	page_read_only(gdt);
	is(set_gdt(&frame, 512), 0, "a GDT of ours");
	is(register_callback(CALLBACKTYPE_failsafe, TRAP_FAILSAFE, CALLBACKF_mask_events), 0,
	   "register the callback");
	trap_hook = failsafe;
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	asm volatile("mov %0, %%es" : : "r"(SELECTOR(2)));
	is(read_es(), SELECTOR(2), "es is loaded");
	is(update_descriptor(virt_to_maddr(&gdt[2]), 0), 0, "its descriptor goes away");
	poll.timeout = system_time() + 50 * MSEC;
	is(sched_op(SCHEDOP_poll, &poll), 0, "sleep");
	if (!calls) {
		skip("the vCPU did not leave its CPU", "the callback");
		return;
	}
	is(calls, 1, "the callback came");
	is(failsafe_selectors[0], 0, "its frame: ds");
	is(failsafe_selectors[1], SELECTOR(2), "its frame: es, as it was");
	is(failsafe_selectors[2], 0, "its frame: fs");
	is(failsafe_selectors[3], 0, "its frame: gs");
	is(at_failsafe.cs, KERNEL_CS_IN_FRAME, "its frame: cs");
	is(at_failsafe.saved_upcall_mask, 0, "its frame: saved mask");
	is(mask_at_failsafe, 1, "upcalls are masked in it");
	is(read_es(), 0, "es is null");
}
