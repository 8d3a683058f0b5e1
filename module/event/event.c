/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.c - 2-level event channels: raise, send, unmask
 *
 * Only here is it known what pending, mask and selector bits are
 * (Xen 4.17 common/event_2l.c).  Ports are bound and closed by the helper, which
 * sets these bits itself for what it sends (xenemu/domain/upcalls.c).
 */
#include "event.h"
#include "abi-info.h"
#include "compat.h"
#include "mm.h"
#include "trap.h"
#include <xen/event_channel.h>

static struct event_area *events(void)
{
	return direct(boot->event_area);
}

u64 *pending_bits, *mask_bits;
static u32 max_ports;

void event_init(void)
{
	u8 *s = (u8 *)shared_info;

	pending_bits = (u64 *)(guest32 ? s + SHARED_INFO32_PENDING
				       : (u8 *)shared_info->evtchn_pending);
	mask_bits = (u64 *)(guest32 ? s + SHARED_INFO32_MASK : (u8 *)shared_info->evtchn_mask);
	max_ports = guest32 ? 32 * 32 : 64 * 64;
}

/* A port is pending and not masked: make the upcall due. */
static void mark(struct vcpu *v, u32 port)
{
	u32 *words = (u32 *)v->info, bit;
	bool marked;

	if (guest32) {
		bit = 1U << port / 32;
		marked =
			__atomic_fetch_or(&words[VCPU_INFO32_SELECTOR], bit, __ATOMIC_SEQ_CST) &
			bit;
	} else {
		marked = test_and_set_bit((u64 *)&v->info->evtchn_pending_sel, port / 64);
	}
	if (!marked)
		v->info->evtchn_upcall_pending = 1;
}

void event_raise(struct vcpu *v, u32 port)
{
	if (port >= max_ports || test_and_set_bit(pending_bits, port))
		return;
	if (!test_bit(mask_bits, port))
		mark(v, port);
}

/* The exchange is a barrier: the helper sees it, or we see what the helper set before. */
void event_wait(struct vcpu *v)
{
	__atomic_exchange_n(&events()->waits[v->id], 1, __ATOMIC_SEQ_CST);
}

void event_wait_over(struct vcpu *v)
{
	WRITE_ONCE(events()->waits[v->id], 0);
}

void event_info_at(struct vcpu *v, u64 paddr)
{
	__atomic_exchange_n(&events()->info_paddr[v->id], paddr, __ATOMIC_SEQ_CST);
}

static void send_out(struct vcpu *v, u32 port)
{
	/* A bit that is still set was rung for already. */
	if (!test_and_set_bit(events()->out_pending, port))
		doorbell_event(v);
}

static long send(struct vcpu *v, u32 port)
{
	const struct port *p = &events()->ports[port];

	if (port >= max_ports)
		return -XEN_EINVAL;
	switch (p->kind) {
	case PORT_BACKEND:
		send_out(v, port);
		return 0;
	case PORT_IPI:
		event_raise(&vcpus[p->vcpu % MAX_VCPUS], port);
		return 0;
	case PORT_LOCAL:
		event_raise(&vcpus[events()->ports[p->data % MAX_PORTS].vcpu % MAX_VCPUS],
			    p->data);
		return 0;
	case PORT_UNBOUND:
		return 0;
	default:
		return -XEN_EINVAL;
	}
}

HANDLE_SUB(do_event_channel_op_send, arg)
{
	struct evtchn_send op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -XEN_EFAULT;
	return send(this_vcpu(), op.port);
}

HANDLE_SUB(do_event_channel_op_unmask, arg)
{
	struct evtchn_unmask op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -XEN_EFAULT;
	if (op.port >= max_ports)
		return -XEN_EINVAL;
	/* Xen has its ports in buckets; only of the first one it is known here to be there. */
	if (events()->ports[op.port].kind == PORT_FREE) {
		if (op.port >= ABI_EVENT_BUCKET)
			return -XEN_EINVAL;
		if (!ABI_UNMASKS_FREE)
			return 0;
	}
	__atomic_and_fetch(&mask_bits[op.port / 64], ~(1ULL << op.port % 64), __ATOMIC_SEQ_CST);
	if (test_bit(pending_bits, op.port))
		mark(&vcpus[events()->ports[op.port].vcpu % MAX_VCPUS], op.port);
	return 0;
}

void event_raise_timer(struct vcpu *v)
{
	u32 port = events()->timer_port[v->id];

	if (port)
		event_raise(v, port % MAX_PORTS);
}
