/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall.c - dispatch, multicall, and forwarding to the helper
 *
 * hypercall_table[] is generated from the ABI's table.
 */
#include "hypercall.h"
#include "abi-info.h"
#include "compat.h"
#include "trap.h"
#include <xen/event_channel.h>
#include <xen/physdev.h>

struct trace_entry *trace_call(struct vcpu *v, u32 nr, u32 flags, u64 a, u64 b)
{
	u64 head = v->area->trace_head;
	u32 slot = v->trace_next;
	struct trace_entry *t = &v->area->trace[slot];

	if (unlikely(slot == 0 && head && boot->flags & BOOT_TRACE))
		mailbox_call(v, MAILBOX_TRACE);
	t->nr = nr;
	t->flags = flags;
	t->result = TRACE_NO_RESULT;
	t->arg[0] = a;
	t->arg[1] = b;
	t->rip = guest_regs(v)->rip;
	v->area->trace_head = head + 1;
	v->trace_next = slot + 1 == TRACE_ENTRIES ? 0 : slot + 1;
	return t;
}

static long dispatch(struct vcpu *v, u64 nr, u32 flags, const u64 arg[6])
{
	struct trace_entry *t = trace_call(v, nr, flags, arg[0], arg[1]);
	long rc = -XEN_ENOSYS;

	if (likely(nr < NR_HYPERCALLS)) {
		v->hypercall = nr;
		rc = hypercall_table[nr](arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	}
	t->result = rc;
	return rc;
}

/* entry.S: SYSCALL from the guest's kernel */
void guest_hypercall(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	const u64 arg64[6] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	if (likely(!guest32)) {
		r->rax = dispatch(v, (u32)r->rax, 0, arg64);
	} else {
		const u64 arg32[6] = { (u32)r->rbx, (u32)r->rcx, (u32)r->rdx,
				       (u32)r->rsi, (u32)r->rdi, (u32)r->rbp };

		r->rax = (u32)dispatch(v, (u32)r->rax, 0, arg32);
		if (unlikely(v->reload))
			reload_segments(v);
	}
}

/* One of a list.  A list in a list is refused, and iret makes no sense in one. */
static long listed_call(struct vcpu *v, u64 op, const u64 args[6])
{
	if (op == __HYPERVISOR_multicall)
		return -XEN_EINVAL;
	if (op == __HYPERVISOR_iret)
		return -XEN_ENOSYS;
	return dispatch(v, op, TRACE_IN_MULTICALL, args);
}

static long multicall32(struct vcpu *v, u64 list, u32 n)
{
	struct multicall_entry32 call;
	u64 args[6];
	u32 result;

	for (; n--; list += sizeof(call)) {
		if (copy_from_guest(&call, list, sizeof(call)))
			return -XEN_EFAULT;
		for (u32 i = 0; i < 6; i++)
			args[i] = call.args[i];
		result = listed_call(v, call.op, args);
		if (copy_to_guest(list + offsetof(struct multicall_entry32, result), &result,
				  sizeof(result)))
			return -XEN_EFAULT;
	}
	return 0;
}

static long multicall64(struct vcpu *v, u64 list, u32 n)
{
	struct multicall_entry call;
	u64 result;

	for (; n--; list += sizeof(call)) {
		if (copy_from_guest(&call, list, sizeof(call)))
			return -XEN_EFAULT;
		result = listed_call(v, call.op, call.args);
		if (copy_to_guest(list + offsetof(struct multicall_entry, result), &result,
				  sizeof(result)))
			return -XEN_EFAULT;
	}
	return 0;
}

HANDLE2(do_multicall, list, nr)
{
	u64 size = guest32 ? sizeof(struct multicall_entry32) : sizeof(struct multicall_entry);
	u32 n = nr;

	if (!guest_range_ok(list, n * size))
		return -XEN_EFAULT;
	return guest32 ? multicall32(this_vcpu(), list, n) : multicall64(this_vcpu(), list, n);
}

/*
 * Before 0x00030202 a command and its arguments came in one structure: the same
 * call in another form (Xen 4.17 arch/x86/compat.c).
 */
static long compat_call(u32 nr, u64 op, u32 args_at)
{
	u64 arg[6] = { 0 };
	u32 cmd;

	if (copy_from_guest(&cmd, op, sizeof(cmd)))
		return -XEN_EFAULT;
	arg[0] = cmd;
	arg[1] = op + args_at;
	return dispatch(this_vcpu(), nr, 0, arg);
}

HANDLE1(do_event_channel_op_compat, op)
{
	return compat_call(__HYPERVISOR_event_channel_op, op, offsetof(struct evtchn_op, u));
}

HANDLE1(do_physdev_op_compat, op)
{
	return compat_call(__HYPERVISOR_physdev_op, op,
			   guest32 ? sizeof(u32) : offsetof(struct physdev_op, u));
}

HANDLE0(call_unknown)
{
	return -XEN_ENOSYS;
}

HANDLER(call_forward)
{
	struct vcpu *v = this_vcpu();
	struct mailbox *m = &v->area->mailbox;

	/* A guest that shuts down may say that it has crashed: where is shown. */
	if (v->hypercall == __HYPERVISOR_sched_op ||
	    v->hypercall == __HYPERVISOR_sched_op_compat)
		save_context(v, guest_regs(v));
	m->nr = v->hypercall;
	m->arg[0] = a;
	m->arg[1] = b;
	m->arg[2] = c;
	m->arg[3] = d;
	m->arg[4] = e;
	m->arg[5] = f;
	return mailbox_call(v, MAILBOX_HYPERCALL);
}

HANDLE_SUB(do_xen_version_version, arg)
{
	(void)arg;
	return ABI_VERSION;
}
