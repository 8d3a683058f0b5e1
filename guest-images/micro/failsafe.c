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

/*
 * Xen loads the selectors when it switches to the vCPU: take the descriptor
 * that es names away, and sleep.
 */
static unsigned int provoke(void)
{
	struct sched_poll poll = { .nr_ports = 0 };
	uint64_t *gdt = page_alloc();
	unsigned long frame = virt_to_mfn(gdt);
	unsigned int loaded;

	gdt[2] = DATA;
	page_read_only(gdt);
	set_gdt(&frame, 512);
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	asm volatile("mov %0, %%es" : : "r"(SELECTOR(2)));
	loaded = read_es();
	update_descriptor(virt_to_maddr(&gdt[2]), 0);
	poll.timeout = system_time() + 50 * MSEC;
	sched_op(SCHEDOP_poll, &poll);
	return loaded;
}

void guest_main(void)
{
	unsigned int loaded;

	trap_hook = failsafe;
	if (register_callback(CALLBACKTYPE_failsafe, TRAP_FAILSAFE, CALLBACKF_mask_events))
		bail_out("the callback can't be registered");
	loaded = provoke();
	if (!calls)
		skip_all("no selector was loaded after the sleep");
	is(loaded, SELECTOR(2), "es was loaded");
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
