/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bad-iret - frames that HYPERVISOR_iret can't load: the exception comes to the
 * kernel as if the code returned to had raised it; before Xen 4 the failsafe
 * callback comes, with the same frame
 */
#include "guest.h"

#define EMPTY_SELECTOR 0x1003 /* in the guest's part of the GDT, which is empty */
#ifdef __x86_64__
#define EMPTY_KERNEL_SELECTOR (EMPTY_SELECTOR & ~3) /* RPL 0 says "kernel" */
#else
#define EMPTY_KERNEL_SELECTOR ((EMPTY_SELECTOR & ~3) | 1)
#endif

/* The failsafe callback has no error code. */
static void error_is_selector(void)
{
	is(trap_regs.error, REFUSED_IRET == TRAP_GP ? EMPTY_SELECTOR & ~3 : 0,
	   "its error code, if it has one, is the selector");
}

static void bad_code_segment(void)
{
	struct regs regs;

	user_regs(&regs);
	regs.cs = EMPTY_SELECTOR;
	regs.cx = 0x1234;
	is(catch_trap(return_to_guest(&regs, 0)), REFUSED_IRET, "cs without a descriptor");
	error_is_selector();
	is(trap_regs.ip, USER_CODE, "frame: rip");
	is(trap_regs.cs, EMPTY_SELECTOR, "frame: cs");
	is(trap_regs.sp, USER_STACK, "frame: rsp");
	is(trap_regs.cx, 0x1234, "rcx is loaded already");
}

static void bad_stack_segment(void)
{
	struct regs regs;

	user_regs(&regs);
	regs.ss = EMPTY_SELECTOR;
	is(catch_trap(return_to_guest(&regs, 0)), REFUSED_IRET, "ss without a descriptor");
	error_is_selector();
	is(trap_regs.ip, USER_CODE, "frame: rip");
	is(trap_regs.ss, EMPTY_SELECTOR, "frame: ss");
}

static void to_kernel(void)
{
	struct regs regs;

	user_regs(&regs);
	regs.cs = EMPTY_KERNEL_SELECTOR;
	regs.sp = (unsigned long)page_alloc() + PAGE_SIZE;
	is(catch_trap(return_to_guest(&regs, 0)), REFUSED_IRET,
	   "cs of the kernel without a descriptor");
	is(trap_regs.cs, EMPTY_KERNEL_SELECTOR, "frame: cs, with the kernel's RPL");
	error_is_selector();
}

void guest_main(void)
{
	struct user user;

	user_create(&user);
	register_callback(CALLBACKTYPE_failsafe, TRAP_FAILSAFE, CALLBACKF_mask_events);
	bad_code_segment();
	bad_stack_segment();
	to_kernel();
}
