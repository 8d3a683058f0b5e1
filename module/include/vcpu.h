/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu.h - what the monitor knows of a vCPU
 */
#ifndef MONITOR_VCPU_H
#define MONITOR_VCPU_H

#include "layout.h"
#include "x86.h"

/* Offsets that entry.S uses; asserted below. */
#define VCPU_GUEST_RSP 8
#define VCPU_STACK 16
#define VCPU_KERNEL_MODE 24
#define VCPU_NO_SYSRET 25
#define VCPU_INFO 32

#define REGS_RCX (11 * 8)
#define REGS_VECTOR (15 * 8 + 4)
#define REGS_RIP (16 * 8)
#define REGS_CS (17 * 8)
#define REGS_RFLAGS (18 * 8)
#define REGS_RSP (19 * 8)
#define REGS_BYTES (21 * 8)

#ifndef __ASSEMBLER__

#include "decode.h"
#include "protocol.h"
#include <xen/callback.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

/**
 * struct regs - registers as entry.S saves them: the beginning of Xen's
 * struct cpu_user_regs
 *
 * A guest's are always at the top of its vCPU's stack.
 */
struct regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u32 error;
	u32 vector; /* or ENTRY_SYSCALL: rcx and r11 are free to be lost */
	u64 rip, cs, rflags, rsp, ss;
};

/**
 * struct root - one of the two page-table roots of a vCPU
 * @mfn: the guest's L4, which this holds a reference on; 0: none
 * @cr3: its shadow
 */
struct root {
	u64 mfn;
	u64 cr3;
};

struct segment_descriptor {
	u32 lo, hi;
};

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 io_bitmap;
} __attribute__((packed));

#define RECENT_STORES 8

/**
 * struct vcpu - one vCPU; only the vCPU itself writes it
 * @self:         itself, for this_vcpu()
 * @guest_rsp:    entry.S: rsp at SYSCALL
 * @stack:        top of its stack
 * @kernel_mode:  the guest runs its kernel (pv64: both run in ring 3)
 * @no_sysret:    return by iretq only
 * @info:         vcpu_info, in the direct map
 * @id:           number
 * @area:         what it shares with the helper
 * @kernel, @user: roots
 * @gs_kernel, @gs_user: guest's GS base of the mode that it is not in now
 * @traps:        trap table
 * @callback:     event, failsafe, syscall... addresses by CALLBACKTYPE_*
 * @callback_cs: 32-bit guests: their code segments
 * @callback_masks: bit n: callback n is entered with events masked
 * @kernel_sp, @kernel_ss: stack of entries from user mode
 * @iopl:         virtual I/O privilege level
 * @io_bitmap, @io_ports: guest's bitmap and its size in ports
 * @cr0_ts, @cr2, @cr4: virtual control registers
 * @dr, @dr6, @dr7: debug registers
 * @gdt_frames, @gdt_entries, @ldt_frames, @ldt_base, @ldt_entries: descriptor tables
 * @reload:       32-bit guests: a descriptor changed, segment registers may hold the old one
 * @hypercall:    number of the one that runs
 * @trace_next:   index of the next entry of its trace ring
 * @deadline:     single-shot timer, system time in ns; 0: off
 * @period, @next_tick: periodic timer, ns; 0: off
 * @asleep:       it waits, and gets no ticks
 * @poll_deadline: timeout of SCHEDOP_poll; 0: none
 * @runstate:     guest's virtual address of its runstate area, or 0
 * @runstate_now, @runstate_since: what it is doing, and since when
 * @runstate_time: ns in each state
 * @time_area:    guest's virtual address of its second vcpu_time_info, or 0
 * @time_published: system time when vcpu_time_info was last filled
 * @recent_stores: decoded stores to page tables, by a hash of rip
 */
struct vcpu {
	struct vcpu *self;
	u64 guest_rsp;
	u64 stack;
	bool kernel_mode;
	bool no_sysret;
	struct vcpu_info *info;

	u32 id;
	struct vcpu_area *area;
	struct root kernel, user;
	u64 gs_kernel, gs_user;

	struct trap_info traps[256];
	u64 callback[16];
	u16 callback_cs[16];
	u32 callback_masks;
	u64 kernel_sp;
	u64 kernel_ss;
	u32 iopl;
	u64 io_bitmap;
	u32 io_ports;
	bool cr0_ts;
	u64 cr2;
	u64 cr4;
	u64 dr[4];
	u64 dr6, dr7;
	u64 gdt_frames[GUEST_GDT_PAGES];
	u32 gdt_entries;
	u64 ldt_frames[16];
	u64 ldt_base;
	u32 ldt_entries;
	bool reload;

	u32 hypercall;
	u32 trace_next;

	u64 deadline;
	u64 period, next_tick;
	bool asleep;
	u64 poll_deadline;
	bool info_placed;
	u64 runstate;
	u32 runstate_now;
	u64 runstate_since;
	u64 runstate_time[4];
	u64 time_area;
	u64 time_published;

	struct tss tss;
	u64 *window; /* L1 of its GDT and LDT window */
	struct store_insn recent_stores[RECENT_STORES + 1]; /* the last one: ptwr.c, movs */
};

_Static_assert(offsetof(struct vcpu, guest_rsp) == VCPU_GUEST_RSP, "entry.S");
_Static_assert(offsetof(struct vcpu, stack) == VCPU_STACK, "entry.S");
_Static_assert(offsetof(struct vcpu, kernel_mode) == VCPU_KERNEL_MODE, "entry.S");
_Static_assert(offsetof(struct vcpu, no_sysret) == VCPU_NO_SYSRET, "entry.S");
_Static_assert(offsetof(struct vcpu, info) == VCPU_INFO, "entry.S");
_Static_assert(offsetof(struct regs, rip) == offsetof(struct cpu_user_regs, rip), "regs");
_Static_assert(offsetof(struct regs, ss) == offsetof(struct cpu_user_regs, ss), "regs");
_Static_assert(offsetof(struct regs, rcx) == REGS_RCX, "entry.S");
_Static_assert(offsetof(struct regs, vector) == REGS_VECTOR, "entry.S");
_Static_assert(offsetof(struct regs, rip) == REGS_RIP, "entry.S");
_Static_assert(offsetof(struct regs, rsp) == REGS_RSP, "entry.S");
_Static_assert(sizeof(struct regs) == REGS_BYTES, "entry.S");

/** this_vcpu() - the vCPU that runs this */
static inline struct vcpu *this_vcpu(void)
{
	struct vcpu *v;

	__asm__("mov %%gs:0, %0" : "=r"(v));
	return v;
}

/** guest_regs() - the guest's registers, as of its last entry */
static inline struct regs *guest_regs(const struct vcpu *v)
{
	return (struct regs *)v->stack - 1;
}

static inline void count(struct vcpu *v, enum vcpu_stat what)
{
	v->area->stat[what]++;
}

extern struct vcpu vcpus[];
extern const struct boot_info *boot;
extern struct shared_info *shared_info;

/* A 32-bit guest: its kernel runs in ring 1, and there is one root for both modes. */
extern bool guest32;

/* Ring of the guest's kernel: what selectors of its own get at least. */
static inline u64 guest_rpl(void)
{
	return guest32 ? 1 : 3;
}

static inline u64 fix_selector(u64 selector)
{
	return (selector & 3) >= guest_rpl() ? (u16)selector
					     : (selector & 0xfffc) | guest_rpl();
}

/* What the guest asked for by vm_assist(): bit n is VMASST_TYPE n. */
extern u64 vm_assists;

static inline bool vm_assist(u32 type)
{
	return vm_assists >> type & 1;
}

#endif
#endif
