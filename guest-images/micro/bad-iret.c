/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bad-iret - frames that HYPERVISOR_iret can't load: the exception comes to the
 * kernel as if the code returned to had raised it
 */
#include "guest.h"

#define EMPTY_SELECTOR 0x1003 /* in the guest's part of the GDT, which is empty */

static void bad_code_segment(void)
{
	struct regs regs;

	user_regs(&regs);
	regs.cs = EMPTY_SELECTOR;
	regs.cx = 0x1234;
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_GP, "cs without a descriptor: #GP");
	is(trap_regs.error, EMPTY_SELECTOR & ~3, "its error code is the selector");
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
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_GP, "ss without a descriptor: #GP");
	is(trap_regs.error, EMPTY_SELECTOR & ~3, "its error code is the selector");
	is(trap_regs.ip, USER_CODE, "frame: rip");
	is(trap_regs.ss, EMPTY_SELECTOR, "frame: ss");
}

static void to_kernel(void)
{
	struct regs regs;

	user_regs(&regs);
	regs.cs = EMPTY_SELECTOR & ~3;
	regs.sp = (unsigned long)page_alloc() + PAGE_SIZE;
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_GP,
	   "cs of the kernel without a descriptor");
	is(trap_regs.cs, EMPTY_SELECTOR & ~3, "frame: cs, RPL 0");
	is(trap_regs.error, EMPTY_SELECTOR & ~3, "error code");
}

void guest_main(void)
{
	struct user user;

	user_create(&user);
	bad_code_segment();
	bad_stack_segment();
	to_kernel();
}
