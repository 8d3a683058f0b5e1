/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bounce.c - run a handler of the guest's kernel: exceptions, callbacks, events
 *
 * The frame on the guest's kernel stack is that of Xen 4.17
 * x86_64/entry.S, create_bounce_frame: rcx, r11, [error], rip, cs and saved
 * upcall mask, rflags with the virtual IF, rsp, ss; and for 32-bit guests that of
 * x86_64/compat/entry.S.
 */
#include "compat.h"
#include "event.h"
#include "mm.h"
#include "trap.h"

#define KERNEL_CS (SEL_USER_CS & ~3) /* what the guest sees of its kernel's CS */

void to_kernel(struct vcpu *v)
{
	v->gs_user = guest_gs_base();
	set_guest_gs_base(v->gs_kernel);
	v->kernel_mode = true;
	write_cr3(v->kernel.cr3);
}

void to_user(struct vcpu *v)
{
	v->gs_kernel = guest_gs_base();
	set_guest_gs_base(v->gs_user);
	v->kernel_mode = false;
	write_cr3(v->user.cr3);
}

/**
 * struct bounce - a handler to be run
 * @handler: its address; 0: the guest has none
 * @cs:      32-bit guests: its code segment
 * @mask:    events are masked when it runs
 * @has_error, @error: an error code is pushed
 * @selectors: ds, es, fs, gs to be pushed, or NULL
 * @vector:  for a crash report
 */
struct bounce {
	u64 handler;
	u16 cs;
	bool mask;
	bool has_error;
	u32 error;
	const u16 *selectors;
	u32 vector;
};

/* What the guest's flags look like to it, with its virtual IF and perhaps IOPL. */
static u64 guest_rflags(const struct vcpu *v, const struct regs *r, u8 masked)
{
	u64 flags = (r->rflags & ~(u64)(RFLAGS_IF | RFLAGS_IOPL)) | (masked ? 0 : RFLAGS_IF);

	if (unlikely(vm_assist(VMASST_TYPE_architectural_iopl)))
		flags |= v->iopl << IOPL_SHIFT;
	return flags;
}

/* The guest's iret sets its IOPL if it asked for that (Xen 4.17 pv/iret.c). */
static void set_guest_iopl(struct vcpu *v, u64 rflags)
{
	if (unlikely(vm_assist(VMASST_TYPE_architectural_iopl)))
		v->iopl = (rflags & RFLAGS_IOPL) >> IOPL_SHIFT;
}

/* The stack that the handler runs on, and the switch to it. */
static u64 enter_kernel(struct vcpu *v, const struct regs *r)
{
	if (v->kernel_mode)
		return r->rsp;
	if (guest32)
		v->kernel_mode = true;
	else
		to_kernel(v);
	return v->kernel_sp;
}

/*
 * 32-bit frames are smaller: [error], eip, cs and saved upcall mask, eflags, and
 * esp and ss only when the ring changes.
 */
static u64 push_frame32(struct vcpu *v, const struct regs *r, const struct bounce *b)
{
	u8 masked = v->info->evtchn_upcall_mask;
	bool from_user = !v->kernel_mode;
	u32 frame[10], *p = frame, bytes;
	u64 sp = enter_kernel(v, r);

	if (unlikely(b->selectors))
		for (int i = 0; i < 4; i++)
			*p++ = b->selectors[i];
	if (b->has_error)
		*p++ = b->error;
	*p++ = r->rip;
	*p++ = (u16)r->cs | masked << 16;
	*p++ = guest_rflags(v, r, masked);
	if (from_user) {
		*p++ = r->rsp;
		*p++ = (u16)r->ss;
	}
	bytes = (char *)p - (char *)frame;
	sp = (u32)(sp - bytes);
	if (unlikely(copy_to_guest(sp, frame, bytes)))
		guest_crash(v, CRASH_BAD_STACK, b->vector, b->error);
	return sp;
}

static u64 push_frame64(struct vcpu *v, const struct regs *r, const struct bounce *b)
{
	u8 masked = v->info->evtchn_upcall_mask;
	/* RPL 0 says "kernel" to the guest. */
	u64 cs = (u16)r->cs & (v->kernel_mode ? ~3ULL : ~0ULL);
	u64 frame[12], *p = frame, bytes;
	u64 sp = enter_kernel(v, r);

	*p++ = r->rcx;
	*p++ = r->r11;
	if (unlikely(b->selectors))
		for (int i = 0; i < 4; i++)
			*p++ = b->selectors[i];
	if (b->has_error)
		*p++ = b->error;
	*p++ = r->rip;
	*p++ = cs | (u64)masked << 32;
	*p++ = guest_rflags(v, r, masked);
	*p++ = r->rsp;
	*p++ = (u16)r->ss;
	bytes = (char *)p - (char *)frame;
	sp = (sp & ~15ULL) - bytes;
	if (unlikely(copy_to_guest(sp, frame, bytes)))
		guest_crash(v, CRASH_BAD_STACK, b->vector, b->error);
	return sp;
}

static void bounce(struct vcpu *v, struct regs *r, const struct bounce *b)
{
	bool ring_changes = !v->kernel_mode;

	if (unlikely(!b->handler))
		guest_crash(v, CRASH_NO_HANDLER, b->vector, b->error);
	if (guest32) {
		r->rsp = push_frame32(v, r, b);
		r->cs = fix_selector(b->cs);
		r->ss = ring_changes ? v->kernel_ss : r->ss;
	} else {
		r->rsp = push_frame64(v, r, b);
		r->cs = SEL_USER_CS;
		r->ss = SEL_USER_DS;
	}
	if (b->mask)
		v->info->evtchn_upcall_mask = 1;
	r->rip = b->handler;
	r->rflags &= ~(u64)(RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF);
	/* Xen leaves it to 32-bit handlers (create_bounce_frame() of x86_32, and compat). */
	if (!guest32)
		r->rflags &= ~(u64)RFLAGS_AC;
	/* rcx and r11 are in the frame: sysretq may clobber them. */
	r->vector = ENTRY_SYSCALL;
}

void deliver_exception(struct vcpu *v, struct regs *r, u32 vector, u32 error)
{
	const struct trap_info *t = &v->traps[vector & 255];
	struct bounce b = {
		.handler = t->address,
		.cs = t->cs,
		.mask = t->flags & 4,
		.has_error = vector < 32 && TRAPS_WITH_ERROR >> vector & 1,
		.error = error,
		.vector = vector,
	};

	count(v, STAT_EXCEPTION);
	bounce(v, r, &b);
}

void set_guest_cr2(struct vcpu *v, u64 addr)
{
	v->cr2 = addr;
	if (guest32)
		((u32 *)v->info)[VCPU_INFO32_CR2] = addr;
	else
		v->info->arch.cr2 = addr;
}

void deliver_page_fault(struct vcpu *v, struct regs *r, u64 addr, u32 error)
{
	const struct trap_info *t = &v->traps[TRAP_PF];
	/* Both of its modes are ring 3 to the CPU: U says which one it was. */
	struct bounce b = {
		.handler = t->address,
		.cs = t->cs,
		.mask = t->flags & 4,
		.has_error = true,
		.error = (error & ~PF_U) | (v->kernel_mode ? 0 : PF_U),
		.vector = TRAP_PF,
	};

	if (boot->paging == PAGING_PV32)
		b.error = shadow32_error(v, addr, b.error);

	set_guest_cr2(v, addr);
	bounce(v, r, &b);
}

static void callback(struct vcpu *v, struct regs *r, u32 type, const u16 *selectors)
{
	struct bounce b = {
		.handler = v->callback[type],
		.cs = v->callback_cs[type],
		.mask = v->callback_masks >> type & 1,
		.selectors = selectors,
	};

	if (!b.handler)
		guest_crash(v, CRASH_BAD_CALLBACK, type, 0);
	bounce(v, r, &b);
}

void deliver_callback(struct vcpu *v, struct regs *r, u32 type)
{
	callback(v, r, type, NULL);
}

void deliver_failsafe(struct vcpu *v, struct regs *r, const u16 selectors[4])
{
	callback(v, r, CALLBACKTYPE_failsafe, selectors);
}

void guest_upcall(struct regs *r)
{
	struct vcpu *v = this_vcpu();

	count(v, STAT_UPCALL);
	deliver_callback(v, r, CALLBACKTYPE_event);
}

/* The frame that HYPERVISOR_iret finds on the guest's stack. */
struct iret_frame {
	u64 rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

static long iret64(struct vcpu *v, struct regs *r)
{
	struct iret_frame f;

	if (copy_from_guest(&f, r->rsp, sizeof(f)))
		guest_crash(v, CRASH_BAD_IRET, 0, 0);
	if ((f.cs & 3) == 3) {
		if (!v->user.mfn)
			guest_crash(v, CRASH_BAD_IRET, 0, 0);
		to_user(v);
	}
	r->rip = f.rip;
	r->cs = f.cs | 3;
	r->rflags = f.rflags;
	r->rsp = f.rsp;
	r->ss = f.ss | 3;
	if (!(f.flags & VGCF_in_syscall)) {
		r->vector = 0; /* the full frame, by iretq */
		r->r11 = f.r11;
		r->rcx = f.rcx;
	}
	set_guest_iopl(v, f.rflags);
	v->info->evtchn_upcall_mask = !(f.rflags & RFLAGS_IF);
	return f.rax;
}

/*
 * There is no vm86 mode: VM set gives #GP at the place it wanted to go to, on the
 * kernel's stack (Xen 4.17 pv/iret.c, compat_iret()): 0 for an error code, and the
 * frame as it is, with es, ds, fs, gs at its end.
 */
static void refuse_vm86(struct vcpu *v, struct regs *r)
{
	const struct trap_info *t = &v->traps[TRAP_GP];
	u32 f[10], sp = v->kernel_sp - sizeof(f);

	if (copy_from_guest(f, (u32)r->rsp, sizeof(f)))
		guest_crash(v, CRASH_BAD_IRET, 0, 0);
	f[0] = 0;
	if (copy_to_guest(sp, f, sizeof(f)))
		guest_crash(v, CRASH_BAD_STACK, TRAP_GP, 0);
	r->rsp = sp;
	r->ss = v->kernel_ss;
	r->rip = t->address;
	r->cs = t->cs;
	r->rflags = f[3] & ~(RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF);
	v->info->evtchn_upcall_mask = t->flags & 4 || !(f[3] & RFLAGS_IF);
}

/* eax, eip, cs, eflags, and esp and ss when the ring changes */
static long iret32(struct vcpu *v, struct regs *r)
{
	u32 f[6], n = 4;

	if (copy_from_guest(f, (u32)r->rsp, n * 4))
		guest_crash(v, CRASH_BAD_IRET, 0, 0);
	set_guest_iopl(v, f[3]);
	if (f[3] & RFLAGS_VM) {
		refuse_vm86(v, r);
		return f[0];
	}
	if (!(f[2] & 3))
		guest_crash(v, CRASH_BAD_IRET, 0, 0);
	if (f[2] & 2) {
		n = 6;
		if (copy_from_guest(f, (u32)r->rsp, n * 4))
			guest_crash(v, CRASH_BAD_IRET, 0, 0);
		r->ss = f[5] & 0xffff;
	}
	r->rsp = n == 6 ? f[4] : (u32)(r->rsp + n * 4);
	r->rip = f[1];
	r->cs = (u16)f[2];
	r->rflags = f[3];
	/* An event that is due comes before ring 3 does: its frame needs to know. */
	v->kernel_mode = (r->cs & 3) != 3;
	v->info->evtchn_upcall_mask = !(f[3] & RFLAGS_IF);
	return f[0];
}

HANDLE0(do_iret)
{
	struct vcpu *v = this_vcpu();

	return guest32 ? iret32(v, guest_regs(v)) : iret64(v, guest_regs(v));
}
