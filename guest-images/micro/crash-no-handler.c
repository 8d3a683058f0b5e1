/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash-no-handler - an exception without a handler ends the domain: crashed
 */
#include "guest.h"

void guest_main(void)
{
	is(set_trap_table(NULL), 0, "no trap table");
	console_flush();
	asm volatile("ud2");
	ok(false, "the guest lives on");
}
