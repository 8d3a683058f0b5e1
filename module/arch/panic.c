/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * panic.c - the two ways to end: the guest can't go on, or the monitor can't
 *
 * Both leave the registers in vcpu_area.context and tell the helper, which
 * prints them.
 */
#include "mm.h"
#include "trap.h"

/* The guest's data segments stay loaded while the monitor runs. */
#define SELECTOR(reg)                                                                          \
	({                                                                                     \
		u16 s;                                                                         \
		__asm__("mov %%" #reg ", %0" : "=r"(s));                                       \
		s;                                                                             \
	})

void save_context(struct vcpu *v, const struct regs *r)
{
	struct vcpu_guest_context *c = (void *)v->area->context;
	u64 active = guest_gs_base();

	memset(c, 0, sizeof(*c));
	memcpy(&c->user_regs, r, sizeof(*r));
	c->user_regs.ds = SELECTOR(ds);
	c->user_regs.es = SELECTOR(es);
	c->user_regs.fs = SELECTOR(fs);
	c->user_regs.gs = SELECTOR(gs);
	c->flags = VGCF_online | (v->kernel_mode ? VGCF_in_kernel : 0);
	memcpy(c->trap_ctxt, v->traps, sizeof(c->trap_ctxt));
	c->ldt_base = v->ldt_base;
	c->ldt_ents = v->ldt_entries;
	memcpy(c->gdt_frames, v->gdt_frames, sizeof(v->gdt_frames));
	c->gdt_ents = v->gdt_entries;
	c->kernel_ss = v->kernel_ss;
	c->kernel_sp = v->kernel_sp;
	c->ctrlreg[0] = read_cr0();
	c->ctrlreg[1] = v->user.mfn << 12;
	c->ctrlreg[2] = v->cr2;
	c->ctrlreg[3] = v->kernel.mfn << 12;
	c->ctrlreg[4] = v->cr4;
	memcpy(c->debugreg, v->dr, sizeof(v->dr));
	c->debugreg[6] = v->dr6;
	c->debugreg[7] = v->dr7;
	c->event_callback_eip = v->callback[CALLBACKTYPE_event];
	c->failsafe_callback_eip = v->callback[CALLBACKTYPE_failsafe];
	c->syscall_callback_eip = v->callback[CALLBACKTYPE_syscall];
	c->vm_assist = vm_assists;
	c->fs_base = guest_fs_base();
	c->gs_base_kernel = v->kernel_mode ? active : v->gs_kernel;
	c->gs_base_user = v->kernel_mode ? v->gs_user : active;
}

static _Noreturn void stop(struct vcpu *v, u32 call)
{
	mailbox_call(v, call);
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void guest_crash(struct vcpu *v, u32 reason, u32 vector, u32 error)
{
	struct mailbox *m = &v->area->mailbox;

	save_context(v, guest_regs(v));
	m->arg[0] = reason;
	m->arg[1] = vector;
	m->arg[2] = error;
	m->arg[3] = v->cr2;
	stop(v, MAILBOX_GUEST_CRASH);
}

static void save_text(char *to, const char *from, size_t size)
{
	while (size-- > 1 && *from)
		*to++ = *from++;
	*to = 0;
}

static void save_stack(struct mailbox *m, const u64 *rsp)
{
	const u64 *end = (const u64 *)(((u64)rsp | (STACK_BYTES - 1)) + 1);

	for (size_t i = 0; i < ARRAY_SIZE(m->stack); i++)
		m->stack[i] = rsp + i < end ? rsp[i] : 0;
}

_Noreturn void panic(const struct regs *r, const char *what)
{
	struct vcpu *v = this_vcpu();
	struct mailbox *m = &v->area->mailbox;
	struct regs here = {
		.rip = (u64)__builtin_return_address(0),
		.rsp = (u64)__builtin_frame_address(0),
		.rbp = (u64)__builtin_frame_address(0),
		.cs = SEL_CS,
	};

	if (!r)
		r = &here;
	save_context(v, r);
	save_text(m->text, what, sizeof(m->text));
	if (!(r->cs & 3))
		save_stack(m, (const u64 *)r->rsp);
	m->arg[1] = r->vector;
	m->arg[2] = r->error;
	m->arg[3] = read_cr2();
	stop(v, MAILBOX_MONITOR_FAULT);
}
