/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events - 2-level event channels: binding, sending, masks and selectors,
 * delivery and its frame, closing, errors
 */
#include "guest.h"

static unsigned int port;

static long send(unsigned int to)
{
	struct evtchn_send arg = { .port = to };

	return event_channel_op(EVTCHNOP_send, &arg);
}

static long close(unsigned int which)
{
	struct evtchn_close arg = { .port = which };

	return event_channel_op(EVTCHNOP_close, &arg);
}

static long unmask(unsigned int which)
{
	struct evtchn_unmask arg = { .port = which };

	return event_channel_op(EVTCHNOP_unmask, &arg);
}

static struct evtchn_status status(unsigned int of)
{
	struct evtchn_status arg = { .dom = DOMID_SELF, .port = of };
	long err = event_channel_op(EVTCHNOP_status, &arg);

	if (err)
		arg.status = (uint32_t)err;
	return arg;
}

static bool selected(void)
{
	return READ_ONCE(vcpu_info->evtchn_pending_sel) >> port / (8 * sizeof(long)) & 1;
}

/* What a send sets, and what stops it. */
static void pending_bits(void)
{
	is(send(port), 0, "send to our own IPI port");
	is(event_pending(port), 1, "pending bit");
	is(selected(), 1, "selector bit");
	is(vcpu_info->evtchn_upcall_pending, 1, "upcall_pending");
	is(event_count[port], 0, "not delivered while upcalls are masked");
	is(send(port), 0, "send again");
	events_enable();
	is(event_count[port], 1, "delivered once by xen_version after unmasking");
	is(event_pending(port), 0, "our handler cleared the bit");
	is(vcpu_info->evtchn_upcall_pending, 0, "upcall_pending is clear");
	is(vcpu_info->evtchn_upcall_mask, 0, "upcalls are unmasked after the handler");

	is(send(port), 0, "send with upcalls unmasked");
	is(event_count[port], 2, "delivered before send returns");
	is(event_upcall_mask, 1, "upcalls were masked in the handler");
	is(event_regs.saved_upcall_mask, 0, "frame: saved mask");
	is(event_regs.flags & FLAG_IF, FLAG_IF, "frame: IF");
	is(event_regs.cs, KERNEL_CS_IN_FRAME, "frame: cs");
	is(event_regs.ss, KERNEL_SS, "frame: ss");
	events_disable();
}

static void port_mask(void)
{
	unsigned int before = event_count[port];

	events_enable();
	event_set_mask(port, true);
	is(send(port), 0, "send to a masked port");
	is(event_pending(port), 1, "pending bit");
	is(selected(), 0, "no selector bit");
	is(vcpu_info->evtchn_upcall_pending, 0, "no upcall_pending");
	is(event_count[port], before, "not delivered");
	is(unmask(port), 0, "EVTCHNOP_unmask");
	is(event_masked(port), 0, "clears the mask bit");
	is(event_count[port], before + 1, "and delivers");
	is(unmask(port), 0, "unmask again");
	is(event_count[port], before + 1, "delivers nothing");

	/* A bit that is pending already: a send has no effect. */
	events_disable();
	event_set_mask(port, true);
	send(port);
	event_set_mask(port, false);
	send(port);
	is(vcpu_info->evtchn_upcall_pending, 0, "a send to a pending port raises no upcall");
	event_clear(port);
}

static bool returned;

static bool send_in_trap(struct regs *regs)
{
	if (regs->vector != TRAP_UD)
		return false;
	send(port);
	returned = event_count[port] == 0;
	regs->ip += 2;
	return true;
}

/* iret unmasks, and takes what is pending. */
static void iret_delivers(void)
{
	event_count[port] = 0;
	set_gate(TRAP_UD, 4);
	trap_hook = send_in_trap;
	events_enable();
	asm volatile("ud2" ::: "memory");
	events_disable();
	trap_hook = NULL;
	set_gate(TRAP_UD, 0);
	is(returned, 1, "no delivery in a handler with upcalls masked");
	is(event_count[port], 1, "delivery when iret unmasks");
}

static bool send_and_unmask(struct regs *regs)
{
	if (regs->vector != TRAP_UD)
		return false;
	send(port);
	regs->ip += 2;
	regs->flags &= ~FLAG_IF;
	return true;
}

static void iret_masks(void)
{
	event_count[port] = 0;
	set_gate(TRAP_UD, 4);
	trap_hook = send_and_unmask;
	events_enable();
	asm volatile("ud2" ::: "memory");
	trap_hook = NULL;
	set_gate(TRAP_UD, 0);
	is(vcpu_info->evtchn_upcall_mask, 1, "iret with IF clear masks upcalls");
	is(event_count[port], 0, "and delivers nothing");
	events_enable();
	is(event_count[port], 1, "which the next xen_version does");
	events_disable();
}

USER_SNIPPET(user_spin, "pause; jmp user_spin");

static bool leave_user(struct regs *regs)
{
	if (regs->vector != TRAP_EVENT)
		return false;
	event_upcall_mask = vcpu_info->evtchn_upcall_mask;
	event_dispatch(regs);
	regs->vector = TRAP_INT80; /* don't go back: end the catch */
	return false;
}

/* An event interrupts user code; its frame shows it. */
static void from_user(void)
{
	struct user user;

	user_create(&user);
	event_count[port] = 0;
	events_disable();
	send(port);
	trap_hook = leave_user;
	is(run_user(&user, user_spin, user_spin_end, 0), TRAP_INT80,
	   "an event pending at iret to user");
	trap_hook = NULL;
	is(event_count[port], 1, "is delivered");
	is(event_regs.cs, USER_CS, "frame: cs is the user's");
	is(event_regs.ip, USER_CODE, "frame: rip is the user's");
	is(event_regs.sp, USER_STACK, "frame: rsp is the user's");
	is(event_regs.saved_upcall_mask, 0, "frame: saved mask");
	events_disable();
}

static void statuses(void)
{
	struct evtchn_status s = status(port);
	struct evtchn_bind_vcpu bind = { .port = port, .vcpu = 0 };

	is(s.status, EVTCHNSTAT_ipi, "status of an IPI port");
	is(s.vcpu, 0, "its vCPU");
	is(status(start_info->console.domU.evtchn).status, EVTCHNSTAT_interdomain,
	   "status of the console's port");
	is(status(start_info->store_evtchn).status, EVTCHNSTAT_interdomain,
	   "status of the store's port");
	is(status(0).status, EVTCHNSTAT_closed, "status of port 0");
	is((int32_t)status(EVENT_PORTS).status, -XEN_EINVAL, "status of a port beyond all");
	is(event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL,
	   "an IPI port can't be bound to a vCPU");
	bind.port = start_info->store_evtchn;
	is(event_channel_op(EVTCHNOP_bind_vcpu, &bind), 0, "the store's port can");
	bind.vcpu = 1;
	is(event_channel_op(EVTCHNOP_bind_vcpu, &bind), -XEN_ENOENT,
	   "but not to a vCPU that does not exist");
}

static void virqs(void)
{
	long timer = bind_virq(VIRQ_TIMER), debug;

	ok(timer > 0, "bind VIRQ_TIMER");
	is(bind_virq(VIRQ_TIMER), -XEN_EEXIST, "but not twice");
	debug = bind_virq(VIRQ_DEBUG);
	ok(debug > 0 && debug != timer, "bind VIRQ_DEBUG");
	is(status((unsigned int)timer).status, EVTCHNSTAT_virq, "status of a VIRQ port");
	is(status((unsigned int)timer).u.virq, VIRQ_TIMER, "its VIRQ");
	is(send((unsigned int)timer), -XEN_EINVAL, "nothing can be sent to a VIRQ");
	is(bind_virq(99), -XEN_EINVAL, "an unknown VIRQ");
	is(close((unsigned int)debug), 0, "close VIRQ_DEBUG");
	is(status((unsigned int)debug).status, EVTCHNSTAT_closed, "its port is free");
	is(bind_virq(VIRQ_DEBUG), debug, "bind it again: the lowest free port");
}

/* A channel between two ports of our own. */
static void local_channel(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
	unsigned int a, b;

	is(event_channel_op(EVTCHNOP_alloc_unbound, &alloc), 0, "alloc_unbound");
	a = alloc.port;
	is(status(a).status, EVTCHNSTAT_unbound, "status: unbound");
	is(send(a), 0, "a send to an unbound port goes nowhere");
	bind.remote_port = a;
	is(event_channel_op(EVTCHNOP_bind_interdomain, &bind), 0, "bind it to ourselves");
	b = bind.local_port;
	is(status(b).status, EVTCHNSTAT_interdomain, "status: interdomain");
	is(status(b).u.interdomain.port, a, "its other end");
	event_clear(a);
	event_clear(b);
	is(send(b), 0, "send to one end");
	is(event_pending(a), 1, "is pending at the other");
	event_clear(a);
	is(send(a), 0, "send back");
	is(event_pending(b), 1, "is pending here");
	event_clear(b);
	is(close(b), 0, "close one end");
	is(status(a).status, EVTCHNSTAT_unbound, "the other is unbound");
	is(close(a), 0, "close the other");
}

static void errors(void)
{
	struct evtchn_bind_ipi bind = { .vcpu = 1 };
	struct evtchn_alloc_unbound alloc = { .dom = 0, .remote_dom = 0 };
	unsigned int free = 40, bucket = xen_since(4, 0) ? 64 : 128; /* EVTCHNS_PER_BUCKET */

	struct evtchn_bind_interdomain inter = { .remote_dom = DOMID_SELF,
						 .remote_port = port };

	is(event_channel_op(EVTCHNOP_bind_interdomain, &inter), -XEN_EINVAL,
	   "our IPI port waits for nobody");
	inter.remote_dom = 77;
	is(event_channel_op(EVTCHNOP_bind_interdomain, &inter), -XEN_ESRCH,
	   "a port of a domain that is not there");
	is(send(EVENT_PORTS - 48), -XEN_EINVAL, "send to a closed port");
	is(send(0), -XEN_EINVAL, "send to port 0");
	is(send(EVENT_PORTS), -XEN_EINVAL, "send to a port beyond all");
	is(close(EVENT_PORTS - 48), -XEN_EINVAL, "close a closed port");
	is(close(0), -XEN_EINVAL, "close port 0");
	is(unmask(EVENT_PORTS), -XEN_EINVAL, "unmask a port beyond all");
	event_set_mask(free, true);
	is(unmask(free), 0, "unmask a port of the first bucket that is free");
	/* 3.1 evtchn_unmask(), 4.17 evtchn_port_unmask() */
	is(event_masked(free), xen_since(4, 0), "it is masked as before; in 3.x not");
	event_set_mask(free, true);
	is(unmask(bucket - 1), 0, "unmask the last one of it");
	is(unmask(bucket), -XEN_EINVAL, "unmask one of a bucket that is not there");
	is(event_channel_op(EVTCHNOP_bind_ipi, &bind), -XEN_ENOENT,
	   "an IPI for a vCPU that does not exist");
	is(event_channel_op(EVTCHNOP_alloc_unbound, &alloc), -XEN_EPERM,
	   "a port of another domain");
	is(event_channel_op(EVTCHNOP_send, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
	is(event_channel_op(99, &alloc), -XEN_ENOSYS, "an unknown operation");
	is(close(port), 0, "close our IPI port");
	is(send(port), -XEN_EINVAL, "nothing can be sent to it now");
}

void guest_main(void)
{
	long bound = bind_ipi();

	ok(bound > 0, "bind an IPI");
	port = (unsigned int)bound;
	is(event_masked(port), 0, "its port is not masked");
	pending_bits();
	port_mask();
	iret_delivers();
	iret_masks();
	from_user();
	statuses();
	virqs();
	local_channel();
	errors();
}
