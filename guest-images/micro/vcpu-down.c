/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu-down - the last vCPU that goes down powers the domain off (Xen 4.17
 * common/domain.c, common_vcpu_op(); before that it just stopped)
 */
#include "guest.h"

void guest_main(void)
{
	is(vcpu_op(VCPUOP_down, 1, NULL), -XEN_ENOENT, "a vCPU that does not exist");
	print("1..1\n");
	console_flush();
	vcpu_op(VCPUOP_down, 0, NULL);
	bail_out("it goes on");
}
