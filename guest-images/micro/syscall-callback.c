/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscall-callback - a system call of user mode reaches the kernel's callback,
 * with a frame to return by
 */
#include "guest.h"

extern const char user_code[], user_code_after[], user_code_end[];

asm(".text\n"
    "user_code: syscall\n"
    "user_code_after: ud2\n"
    "user_code_end:\n");

static struct regs at_syscall;
static bool mask_at_syscall;
static unsigned int calls;

static bool system_call(struct regs *regs)
{
	if (regs->vector != TRAP_SYSCALL)
		return false;
	mask_at_syscall = vcpu_info->evtchn_upcall_mask;
	at_syscall = *regs;
	regs->ax = 0x7777;
	calls++;
	return true;
}

static void run(unsigned long flags)
{
	unsigned long after = USER_CODE + (unsigned long)(user_code_after - user_code);
	struct regs regs;
	unsigned int i;

	user_regs(&regs);
	for (i = 0; i < offsetof(struct regs, vector) / sizeof(long); i++)
		((unsigned long *)&regs)[i] = 0x2000 + i;
	iret_flags = flags;
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_UD,
	   "syscall, callback, back to user code");
	iret_flags = 0;

	is(at_syscall.ip, after, "callback: rip is after the instruction");
	is(at_syscall.cx, after, "rcx is what the instruction left in it");
	is(at_syscall.r11 & 0xffff, (FLAG_IF | 2), "r11 is the flags");
	is(at_syscall.flags & 0xffff, (FLAG_IF | 2), "rflags");
	is(at_syscall.cs, USER_CS, "cs is the user's");
	is(at_syscall.ss, USER_SS, "ss is the user's");
	is(at_syscall.sp, USER_STACK, "rsp is the user's");
	is(at_syscall.ax, regs.ax, "rax is the user's");
	is(at_syscall.di, regs.di, "rdi is the user's");
	is(at_syscall.r10, regs.r10, "r10 is the user's");
	is(at_syscall.r15, regs.r15, "r15 is the user's");
	is(trap_regs.ip, after, "back in user code: rip");
	is(trap_regs.ax, 0x7777, "rax is the kernel's answer");
	is(trap_regs.di, regs.di, "rdi is kept");
	is(trap_regs.r15, regs.r15, "r15 is kept");
	is(trap_regs.sp, USER_STACK, "rsp is kept");
}

void guest_main(void)
{
	struct user user;
	long unknown;

	user_create(&user);
	user_load(&user, user_code, user_code_end);
	trap_hook = system_call;

	is(register_callback(CALLBACKTYPE_syscall, TRAP_SYSCALL, 0), 0,
	   "register the callback");
	run(0);
	is(mask_at_syscall, 0, "without the mask flag upcalls stay unmasked");

	is(register_callback(CALLBACKTYPE_syscall, TRAP_SYSCALL, CALLBACKF_mask_events), 0,
	   "register it with CALLBACKF_mask_events");
	run(VGCF_in_syscall);
	is(mask_at_syscall, 1, "upcalls are masked in the callback");
	is(at_syscall.saved_upcall_mask, 0, "saved mask in the frame");
	is(trap_regs.saved_upcall_mask, 0, "iret has unmasked them");
	is(calls, 2, "one callback each");

	/* x86_64/traps.c, register_guest_callback() of 3.0.3 and of 3.1 */
	unknown = xen_since(3, 1) ? -XEN_ENOSYS : -XEN_EINVAL;
	is(register_callback(CALLBACKTYPE_syscall32, TRAP_SYSCALL32, CALLBACKF_mask_events),
	   xen_since(4, 0) ? 0 : unknown, "the syscall32 callback is accepted, today");
	is(register_callback(CALLBACKTYPE_sysenter, TRAP_SYSENTER, CALLBACKF_mask_events),
	   xen_since(4, 0) ? 0 : unknown, "the sysenter callback is accepted, today");
	is(register_callback(99, TRAP_SYSCALL, 0), unknown, "an unknown type is not");
}
