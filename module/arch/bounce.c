/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bounce.c - run a handler of the guest's kernel: exceptions, callbacks, events
 *
 * The frame on the guest's kernel stack is that of Xen 4.17
 * x86_64/entry.S, create_bounce_frame: rcx, r11, [error], rip, cs and saved
 * upcall mask, rflags with the virtual IF, rsp, ss.
 */
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
 * @mask:    events are masked when it runs
 * @has_error, @error: an error code is pushed
 * @vector:  for a crash report
 */
struct bounce {
	u64 handler;
	bool mask;
	bool has_error;
	u32 error;
	u32 vector;
};

static void bounce(struct vcpu *v, struct regs *r, const struct bounce *b)
{
	u8 masked = v->info->evtchn_upcall_mask;
	u64 frame[8], *p = frame, rsp, cs = (u16)r->cs;

	if (unlikely(!b->handler))
		guest_crash(v, CRASH_NO_HANDLER, b->vector, b->error);
	if (v->kernel_mode) {
		rsp = r->rsp;
		cs &= ~3ULL; /* says "kernel" to the guest */
	} else {
		to_kernel(v);
		rsp = v->kernel_sp;
		masked = v->info->evtchn_upcall_mask;
	}
	*p++ = r->rcx;
	*p++ = r->r11;
	if (b->has_error)
		*p++ = b->error;
	*p++ = r->rip;
	*p++ = cs | (u64)masked << 32;
	*p++ = (r->rflags & ~(u64)(RFLAGS_IF | RFLAGS_IOPL)) | (masked ? 0 : RFLAGS_IF);
	*p++ = r->rsp;
	*p++ = (u16)r->ss;
	rsp = (rsp & ~15ULL) - (u64)((char *)p - (char *)frame);
	if (unlikely(copy_to_guest(rsp, frame, (char *)p - (char *)frame)))
		guest_crash(v, CRASH_BAD_STACK, b->vector, b->error);

	if (b->mask)
		v->info->evtchn_upcall_mask = 1;
	r->rip = b->handler;
	r->cs = SEL_USER_CS;
	r->rflags &= ~(u64)(RFLAGS_AC | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF);
	r->rsp = rsp;
	r->ss = SEL_USER_DS;
	/* rcx and r11 are in the frame: sysretq may clobber them. */
	r->vector = ENTRY_SYSCALL;
}

void deliver_exception(struct vcpu *v, struct regs *r, u32 vector, u32 error)
{
	const struct trap_info *t = &v->traps[vector & 255];
	struct bounce b = {
		.handler = t->address,
		.mask = t->flags & 4,
		.has_error = vector < 32 && TRAPS_WITH_ERROR >> vector & 1,
		.error = error,
		.vector = vector,
	};

	count(v, STAT_EXCEPTION);
	bounce(v, r, &b);
}

void deliver_page_fault(struct vcpu *v, struct regs *r, u64 addr, u32 error)
{
	const struct trap_info *t = &v->traps[TRAP_PF];
	/* Both of its modes are ring 3 to the CPU: U says which one it was. */
	struct bounce b = {
		.handler = t->address,
		.mask = t->flags & 4,
		.has_error = true,
		.error = (error & ~PF_U) | (v->kernel_mode ? 0 : PF_U),
		.vector = TRAP_PF,
	};

	v->cr2 = addr;
	v->info->arch.cr2 = addr;
	bounce(v, r, &b);
}

void deliver_callback(struct vcpu *v, struct regs *r, u32 type)
{
	struct bounce b = {
		.handler = v->callback[type],
		.mask = v->callback_masks >> type & 1,
	};

	if (!b.handler)
		guest_crash(v, CRASH_BAD_CALLBACK, type, 0);
	bounce(v, r, &b);
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

HANDLE0(do_iret)
{
	struct vcpu *v = this_vcpu();
	struct regs *r = guest_regs(v);
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
	v->info->evtchn_upcall_mask = !(f.rflags & RFLAGS_IF);
	return f.rax;
}
