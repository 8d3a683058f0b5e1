/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compat-calls - calls in the form that they had before 0x00030202: command and
 * arguments in one structure, or the argument a value; set_callbacks, what
 * callback_op takes back, and nmi_op
 */
#include "guest.h"
#include <xen/nmi.h>

#define BAD ((void *)0x70000000UL)

static struct evtchn_op event;

static long event_call(unsigned int cmd)
{
	event.cmd = cmd;
	return HYPERCALL1(__HYPERVISOR_event_channel_op_compat, &event);
}

static void event_channels(void)
{
	unsigned int port;

	event.u.bind_ipi.vcpu = 0;
	is(event_call(EVTCHNOP_bind_ipi), 0, "event_channel_op_compat(bind_ipi)");
	port = event.u.bind_ipi.port;
	ok(port > 2, "gives a port");
	event.u.status.dom = DOMID_SELF;
	event.u.status.port = port;
	is(event_call(EVTCHNOP_status), 0, "status");
	is(event.u.status.status, EVTCHNSTAT_ipi, "is that of an IPI");
	event.u.send.port = port;
	is(event_call(EVTCHNOP_send), 0, "send");
	is(event_pending(port), 1, "sets the port pending");
	event_set_mask(port, true);
	event.u.unmask.port = port;
	is(event_call(EVTCHNOP_unmask), 0, "unmask");
	is(event_masked(port), 0, "clears the mask bit");
	event_clear(port);
	event.u.close.port = port;
	is(event_call(EVTCHNOP_close), 0, "close");
	is(event_call(EVTCHNOP_close), -XEN_EINVAL, "close again");
	event.u.send.port = port;
	is(event_call(EVTCHNOP_send), -XEN_EINVAL, "send to a closed port");
	is(event_call(99), -XEN_ENOSYS, "an unknown command");
	is(HYPERCALL1(__HYPERVISOR_event_channel_op_compat, BAD), -XEN_EFAULT,
	   "a structure that can't be read");
	/* Of a PAE guest's, today's 64-bit Xen reads the M2P, as hypercall-errors has it. */
	if (PAGING_LEVELS == 3 && xen_since(4, 0))
		skip("Xen reads it", "a structure of Xen's");
	else
		is(HYPERCALL1(__HYPERVISOR_event_channel_op_compat, HYPERVISOR_VIRT_START),
		   -XEN_EFAULT, "a structure of Xen's");
}

static long physdev_call(unsigned int cmd, unsigned int iopl)
{
	struct physdev_op op = { .cmd = cmd, .u.set_iopl.iopl = iopl };

	return HYPERCALL1(__HYPERVISOR_physdev_op_compat, &op);
}

static void physdev(void)
{
	is(physdev_call(PHYSDEVOP_set_iopl, 4), -XEN_EINVAL, "physdev_op_compat(set_iopl 4)");
	is(physdev_call(PHYSDEVOP_set_iopl, 1), 0, "set_iopl 1");
	is(catch_trap(asm volatile("inb $0x80, %%al"
				   :
				   :
				   : "al")),
	   TRAP_NONE, "a port can be read then");
	is(physdev_call(PHYSDEVOP_set_iopl, 0), 0, "set_iopl 0");
	is(catch_trap(asm volatile("inb $0x80, %%al"
				   :
				   :
				   : "al")),
	   TRAP_GP, "a port can't be read any more");
	is(HYPERCALL1(__HYPERVISOR_physdev_op_compat, BAD), -XEN_EFAULT,
	   "a structure that can't be read");
}

static long sched_call(int cmd, unsigned long arg)
{
	return HYPERCALL2(__HYPERVISOR_sched_op_compat, cmd, arg);
}

static void sched(void)
{
	long port = bind_ipi();
	struct evtchn_send send = { .port = (evtchn_port_t)port };

	is(sched_call(SCHEDOP_yield, 0), 0, "sched_op_compat(yield)");
	event_channel_op(EVTCHNOP_send, &send);
	is(sched_call(SCHEDOP_block, 0), 0, "block with an event pending returns");
	is(vcpu_info->evtchn_upcall_mask, 0, "with upcalls unmasked");
	is(event_count[port], 1, "and the event delivered");
	events_disable();
	is(sched_call(SCHEDOP_poll, 0), -XEN_ENOSYS, "poll, which is newer");
}

static long set_callbacks(void)
{
#ifdef __i386__
	return HYPERCALL4(__HYPERVISOR_set_callbacks, KERNEL_CS, trap_stub(TRAP_EVENT),
			  KERNEL_CS, trap_stub(TRAP_FAILSAFE));
#else
	return HYPERCALL3(__HYPERVISOR_set_callbacks, trap_stub(TRAP_EVENT),
			  trap_stub(TRAP_FAILSAFE), trap_stub(TRAP_SYSCALL));
#endif
}

static long unregister(unsigned int type)
{
	struct callback_unregister arg = { .type = (uint16_t)type };

	return callback_op(CALLBACKOP_unregister, &arg);
}

static void callbacks(void)
{
	long port = bind_ipi();
	struct evtchn_send send = { .port = (evtchn_port_t)port };

	is(set_callbacks(), 0, "set_callbacks");
	events_enable();
	event_channel_op(EVTCHNOP_send, &send);
	events_disable();
	is(event_count[port], 1, "an event comes through it");
	is(event_upcall_mask, 1, "with upcalls masked");
	is(unregister(CALLBACKTYPE_event), -XEN_EINVAL,
	   "the event callback can't be taken back");
	is(unregister(CALLBACKTYPE_nmi), 0, "that for NMIs can");
	/* 3.0.3 x86_32/traps.c and x86_64/traps.c, unregister_guest_callback() */
	is(unregister(99), xen_since(3, 1) ? -XEN_ENOSYS : -XEN_EINVAL, "an unknown one");
	is(callback_op(CALLBACKOP_unregister, BAD), -XEN_EFAULT, "one that can't be read");
}

static void nmi(void)
{
	struct xennmi_callback callback = { .handler_address = trap_stub(TRAP_NMI) };

	is(HYPERCALL2(__HYPERVISOR_nmi_op, XENNMI_register_callback, BAD), -XEN_EFAULT,
	   "nmi_op(register_callback): a structure that can't be read");
	/* 3.1 common/kernel.c, register_guest_nmi_callback(): domain 0's first vCPU only */
	is(HYPERCALL2(__HYPERVISOR_nmi_op, XENNMI_register_callback, &callback),
	   xen_since(4, 0) ? 0 : -XEN_EINVAL, "a good one, for any domain today");
	is(HYPERCALL2(__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0), 0,
	   "unregister_callback");
	is(HYPERCALL2(__HYPERVISOR_nmi_op, 99, 0), -XEN_ENOSYS, "an unknown command");
}

void guest_main(void)
{
	event_channels();
	physdev();
	sched();
	callbacks();
	nmi();
}
