/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unhandled - what user mode may try although the kernel has no handler for it,
 * and a return to address 0 that the processor refuses
 */
#include "guest.h"

USER_SNIPPET(user_int80, "int $0x80");

static struct user user;

static void no_int80(void)
{
	unsigned int vector;
	long err = 0;

	is(set_trap_table(NULL), 0, "no handlers at all");
	for (vector = 0; vector < 32; vector++)
		err |= set_gate(vector, 4);
	is(err, 0, "but those of exceptions");
	is(run_user(&user, user_int80, user_int80_end, 0), TRAP_GP,
	   "int $0x80 without handler: #GP");
	is(trap_regs.error, 0x80 << 3 | 2, "error code of int $0x80: its vector");
}

static void to_nowhere(void)
{
	struct regs regs;

	user_regs(&regs);
	regs.ip = 0;
	regs.cs = 3;
	is(catch_trap(return_to_guest(&regs, 0)), REFUSED_IRET,
	   "address 0 with a null cs is refused");
	is(trap_regs.error, 0, "error code: the null selector");
	is(trap_regs.ip, 0, "frame: address 0");
}

void guest_main(void)
{
	user_create(&user);
	register_callback(CALLBACKTYPE_failsafe, TRAP_FAILSAFE, CALLBACKF_mask_events);
	no_int80();
	to_nowhere();
}
