/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash-no-user-root - HYPERVISOR_iret to user mode without a user root ends
 * the domain
 */
#include "guest.h"

void guest_main(void)
{
	struct regs regs;

	ok(true, "about to leave for nowhere");
	console_flush();
	user_regs(&regs);
	return_to_guest(&regs, 0);
}
