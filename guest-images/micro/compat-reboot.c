/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compat-reboot - sched_op_compat(shutdown), whose reason is the argument itself */
#include "guest.h"

void guest_main(void)
{
	ok(true, "running");
	console_flush();
	HYPERCALL2(__HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, SHUTDOWN_reboot);
	for (;;)
		;
}
