/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysenter - SYSENTER in user mode's 32-bit code reaches the kernel's callback
 *
 * 4.17 x86_64/entry.S, sysenter_entry.  AMD's processors have none in long mode.
 */
#include "guest.h"

extern const char user_code[], user_code_after[], user_code_end[];

asm(".text\n"
    ".code32\n"
    "user_code: sysenter\n"
    "user_code_after: ud2\n"
    "user_code_end:\n"
    ".code64\n");

#define AFTER (USER_CODE + (unsigned long)(user_code_after - user_code))
#define NULL_CS 3 /* the instruction does not tell where it was */

static struct regs at_sysenter;
static bool mask_at_sysenter;
static unsigned int calls;

static bool system_call(struct regs *regs)
{
	if (regs->vector != TRAP_SYSENTER)
		return false;
	mask_at_sysenter = vcpu_info->evtchn_upcall_mask;
	at_sysenter = *regs;
	regs->ax = 0x7777;
	regs->ip = AFTER;
	regs->cs = FLAT_RING3_CS32;
	regs->sp = USER_STACK;
	regs->flags &= ~FLAG_TF;
	calls++;
	return true;
}

static int run(unsigned long flags)
{
	struct regs regs;

	user_regs(&regs);
	regs.cs = FLAT_RING3_CS32;
	regs.flags |= flags;
	regs.ax = 0x1111;
	regs.di = 0x2222;
	return catch_trap(return_to_guest(&regs, 0));
}

static void callback(void)
{
	is(register_callback(CALLBACKTYPE_sysenter, TRAP_SYSENTER, 0), 0,
	   "register the callback");
	is(run(0), TRAP_UD, "sysenter, callback, back to user code");
	is(at_sysenter.ip, 0, "callback: rip is 0");
	is(at_sysenter.cs, NULL_CS, "cs is null, of ring 3");
	is(at_sysenter.sp, 0, "rsp is 0");
	is(at_sysenter.ss, USER_SS, "ss is the user's");
	is(at_sysenter.flags & 0xffff, FLAG_IF | 2, "rflags");
	is(at_sysenter.ax, 0x1111, "rax is the user's");
	is(at_sysenter.di, 0x2222, "rdi is the user's");
	is(mask_at_sysenter, 0, "without the mask flag upcalls stay unmasked");
	is(trap_regs.ip, AFTER, "back in user code: rip");
	is(trap_regs.cs, FLAT_RING3_CS32, "cs is its 32-bit one");
	is(trap_regs.ax, 0x7777, "rax is the kernel's answer");

	is(register_callback(CALLBACKTYPE_sysenter, TRAP_SYSENTER, CALLBACKF_mask_events), 0,
	   "register it with CALLBACKF_mask_events");
	is(run(FLAG_TF), TRAP_UD, "also from an instruction that is a single step");
	is(at_sysenter.flags & FLAG_TF, FLAG_TF, "the frame has TF");
	is(mask_at_sysenter, 1, "upcalls are masked in the callback");
	is(at_sysenter.saved_upcall_mask, 0, "saved mask in the frame");
	is(calls, 2, "one callback each");
	is(get_debugreg(6) & 1 << 14, 0, "and no step is left in DR6");
}

void guest_main(void)
{
	struct user user;
	int trap;

	user_create(&user);
	user_load(&user, user_code, user_code_end);
	trap_hook = system_call;
	trap = run(0);
	if (trap == TRAP_UD)
		skip_all("the processor has no SYSENTER in long mode");
	if (trap == TRAP_GP && trap_regs.ip)
		skip_all("Xen uses no SYSENTER here");
	is(trap, TRAP_GP, "without a callback: #GP");
	is(trap_regs.error, 0, "error code 0");
	is(trap_regs.cs, NULL_CS, "cs is null, of ring 3");
	callback();
}
