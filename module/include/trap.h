/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trap.h - exceptions to the guest, mailbox calls to the helper, panics
 */
#ifndef MONITOR_TRAP_H
#define MONITOR_TRAP_H

#include "vcpu.h"

/** guest_hypercall() - the guest's kernel made a hypercall; also entry.S */
void guest_hypercall(struct regs *r);

/**
 * deliver_exception() - make the guest's handler of @vector run next
 * @v, @r:  vCPU and its guest registers, which become those of the handler
 * @vector: exception, or software interrupt
 * @error:  error code; pushed for the vectors that have one
 */
void deliver_exception(struct vcpu *v, struct regs *r, u32 vector, u32 error);

/** deliver_page_fault() - the same for #PF at @addr; @error as hardware gave it */
void deliver_page_fault(struct vcpu *v, struct regs *r, u64 addr, u32 error);

/** set_guest_cr2() - where the guest reads CR2: vcpu_info, or by mov */
void set_guest_cr2(struct vcpu *v, u64 addr);

/** deliver_callback() - the same for CALLBACKTYPE_* @type */
void deliver_callback(struct vcpu *v, struct regs *r, u32 type);

/** read_selectors() - the guest's ds, es, fs, gs, in that order */
void read_selectors(u16 selectors[4]);

/** deliver_failsafe() - the failsafe callback, whose frame has such selectors, too */
void deliver_failsafe(struct vcpu *v, struct regs *r, const u16 selectors[4]);

/** to_kernel(), to_user() - switch between the guest's two modes (pv64) */
void to_kernel(struct vcpu *v);
void to_user(struct vcpu *v);

/** trap_init() - IDT, and where SYSCALL enters; each vCPU */
void trap_init(struct vcpu *v);

/** segments_init() - GDT, TSS and the window of @v */
void segments_init(struct vcpu *v);

/** load_ldt() - make the guest's LDT the hardware's; its pages come by faults */
void load_ldt(struct vcpu *v);

/**
 * drop_ldt() - the LDT's pages may be others by now: leave them to faults
 *
 * For whom it is worth asking is @ldt_mapped: some page is there.
 */
void drop_ldt(struct vcpu *v);
extern bool ldt_mapped;

/**
 * ldt_fault() - the processor read a page of the LDT that isn't mapped
 * @v:    vCPU
 * @addr: faulting address
 * Return: true when it is now; false: no page of the LDT, or none that may be.
 */
bool ldt_fault(struct vcpu *v, u64 addr);

/**
 * reload_segments() - a 32-bit guest's ds, es, fs, gs, after a descriptor changed
 *
 * What can't be loaded becomes null, and the failsafe callback is next.
 */
void reload_segments(struct vcpu *v);

/** fixup_descriptor() - lift a descriptor's DPL to ring 3, refuse system types */
bool fixup_descriptor(struct segment_descriptor *d);

/** set_gdt() - install @n frames that hold @entries descriptors */
long set_gdt(struct vcpu *v, const u64 *frames, u32 entries);

/** emulate_privileged() - an instruction ring 3 may not run, after #GP */
bool emulate_privileged(struct vcpu *v, struct regs *r);

/** emulate_forced() - ud2a; .ascii "xen"; cpuid, after #UD */
bool emulate_forced(struct vcpu *v, struct regs *r);

/** set_xcr0() - false: the CPU refuses @value */
bool set_xcr0(struct vcpu *v, u64 value);

/** guest_cpuid() - CPUID as this ABI's guest sees it */
void guest_cpuid(const struct vcpu *v, u32 leaf, u32 sub, u32 out[4]);

/** guest_cr4() - what CR4 becomes when the guest writes @wanted */
u64 guest_cr4(u64 wanted);

/** guest_rdmsr(), guest_wrmsr() - false: the guest gets #GP */
bool guest_rdmsr(struct vcpu *v, u32 msr, u64 *value);
bool guest_wrmsr(struct vcpu *v, u32 msr, u64 value);

/* GS base of the guest's present mode is in MSR_KERNEL_GS_BASE meanwhile. */
u64 guest_gs_base(void);
void set_guest_gs_base(u64 base);
u64 guest_fs_base(void);
void set_guest_fs_base(u64 base);

/** set_debugreg(), get_debugreg() - the virtual debug registers */
long set_debugreg(struct vcpu *v, u32 reg, u64 value);
long get_debugreg(struct vcpu *v, u32 reg, u64 *value);

/* ---- mailbox.c ---- */

/** transport_init() - find the doorbells */
void transport_init(void);

/**
 * mailbox_call() - ask the helper and wait
 * @v:    vCPU
 * @call: enum mailbox_call; vcpu_area.mailbox's nr and arg[] are filled in
 * Return: its result.
 */
s64 mailbox_call(struct vcpu *v, u32 call);

/** doorbell_event() - tell the helper to look at out_pending */
void doorbell_event(struct vcpu *v);

/* ---- panic.c ---- */

/** save_context() - write the vCPU's state, with registers @r, to vcpu_area.context */
void save_context(struct vcpu *v, const struct regs *r);

/** guest_crash() - the guest can't go on; reported with its registers */
_Noreturn void guest_crash(struct vcpu *v, u32 reason, u32 vector, u32 error);

/** panic() - the monitor can't go on; @r: registers where it was, or NULL */
_Noreturn void panic(const struct regs *r, const char *what);

/* ---- features of this machine, by CPUID ---- */
struct features {
	bool fsgsbase, xsave, x2apic, tsc_deadline, sep;
};
extern struct features features;

#endif
