/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu-op - vCPUs that are there or not, the runstate area, and what older Xen
 * does not have
 */
#include "guest.h"

static void runstate(void)
{
	static struct vcpu_runstate_info area;
	struct vcpu_register_runstate_memory_area arg;
	struct vcpu_runstate_info info = { 0 };
	struct sched_poll poll = { .nr_ports = 0 };
	uint64_t blocked;

	is(vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0, "get_runstate_info");
	is(info.state, RUNSTATE_running, "we are running");
	ok(info.time[RUNSTATE_running] > 0, "and have been");
	set_xen_guest_handle(arg.addr.h, &area);
	is(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &arg), 0, "register an area");
	is(area.state, RUNSTATE_running, "it is filled in at once: state");
	ok(area.state_entry_time > 0, "state_entry_time");
	blocked = area.time[RUNSTATE_blocked];
	poll.timeout = system_time() + 20 * MSEC;
	sched_op(SCHEDOP_poll, &poll);
	is(area.state, RUNSTATE_running, "after 20 ms of sleep: running");
	ok(area.time[RUNSTATE_blocked] >= blocked + 10 * MSEC, "blocked time has grown");
	ok(area.state_entry_time <= system_time(), "state_entry_time is in the past");
	is(vcpu_op(VCPUOP_register_runstate_memory_area, 0, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
	is(vcpu_op(VCPUOP_get_runstate_info, 0, (void *)UNMAPPED), -XEN_EFAULT,
	   "an answer that can't be written");
	is(vcpu_op(VCPUOP_get_runstate_info, 1, &info), -XEN_ENOENT,
	   "of a vCPU that is not there");
	is(vcpu_op(VCPUOP_register_runstate_memory_area, 1, &arg), -XEN_ENOENT, "its area");
}

static void others(void)
{
	is(vcpu_op(VCPUOP_is_up, 0, NULL), 1, "vCPU 0 is up");
	is(vcpu_op(VCPUOP_is_up, 1, NULL), -XEN_ENOENT, "vCPU 1 does not exist");
	/* Beyond MAX_VIRT_CPUS: do_vcpu_op() of 3.1 common/domain.c */
	is(vcpu_op(VCPUOP_is_up, 8191, NULL), xen_since(4, 0) ? -XEN_ENOENT : -XEN_EINVAL,
	   "nor does 8191");
	is(vcpu_op(VCPUOP_up, 0, NULL), 0, "vCPU 0 up again: nothing happens");
	is(vcpu_op(VCPUOP_up, 1, NULL), -XEN_ENOENT, "vCPU 1 up: there is none");
	is(vcpu_op(VCPUOP_down, 1, NULL), -XEN_ENOENT, "vCPU 1 down: there is none");
	is(vcpu_op(99, 0, NULL), -XEN_ENOSYS, "an unknown operation");
}

static void initialise(void)
{
	static struct vcpu_guest_context context;

	is(vcpu_op(VCPUOP_initialise, 1, &context), -XEN_ENOENT, "initialise vCPU 1");
	is(vcpu_op(VCPUOP_initialise, 0, &context), -XEN_EEXIST,
	   "initialise vCPU 0, which runs");
	is(vcpu_op(VCPUOP_initialise, 0, (void *)UNMAPPED), -XEN_EFAULT,
	   "a context that can't be read");
}

/* 3.1 common/domain.c, do_vcpu_op(), and arch_do_vcpu_op(): no such case */
static void newer(void)
{
	static struct vcpu_time_info time;
	struct vcpu_register_time_memory_area area = { .addr.p = (unsigned long)&time };

	is(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area),
	   xen_since(4, 0) ? 0 : -XEN_ENOSYS, "register a vcpu_time_info of our own");
	is(!time.version, !xen_since(4, 0), "it is filled in");
	is(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, (void *)UNMAPPED),
	   xen_since(4, 0) ? -XEN_EFAULT : -XEN_ENOSYS, "one that can't be read");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL),
	   xen_since(3, 1) ? -XEN_ENOENT : -XEN_ENOSYS, "stop_periodic_timer of no vCPU");
	is(vcpu_op(VCPUOP_register_vcpu_info, 0, (void *)UNMAPPED),
	   xen_since(3, 2) ? -XEN_EFAULT : -XEN_ENOSYS, "register_vcpu_info");
	is(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), xen_since(3, 1) ? 0 : -XEN_ENOSYS,
	   "stop_periodic_timer");
}

void guest_main(void)
{
	runstate();
	others();
	initialise();
	newer();
}
