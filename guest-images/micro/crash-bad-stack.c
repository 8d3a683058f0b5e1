/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash-bad-stack - an exception whose frame can't be written ends the domain
 */
#include "guest.h"

void guest_main(void)
{
	ok(true, "about to lose the stack");
	console_flush();
	asm volatile("xor %esp, %esp; ud2");
	ok(false, "the guest lives on");
}
