/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traps.c - what happens when the CPU enters the monitor by a vector
 *
 * From the guest: interrupts are the monitor's own; exceptions are the guest's,
 * but for the few that it causes by design (privileged instructions, writes to
 * read-only page tables, forced emulation).  From the monitor: interrupts while
 * it waits, faults of copy_guest(), and bugs.
 */
#include "abi-info.h"
#include "event.h"
#include "mm.h"
#include "trap.h"
#include <xen/callback.h>

#define HYPERCALL32_VECTOR 0x82

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, zero;
};

static struct gate idt[256] __attribute__((aligned(16)));

extern char idt_stubs[], syscall_entry[], syscall32_entry[];
extern char sysenter_entry[], sysenter_flags_saved[];
extern const struct {
	u64 fault, fixup;
} extable_start[], extable_end[];

void guest_trap(struct regs *r);
void monitor_trap(struct regs *r);
struct regs *iretq_fault_frame(const struct regs *saved, const u64 *frame, struct regs *to);
void guest_iret_fault(struct regs *r);
void guest_syscall(struct regs *r);
void guest_sysenter(struct regs *r);

/* These may come at any instruction, also with a stack that is not ours. */
static u8 vector_ist(unsigned int vector)
{
	switch (vector) {
	case TRAP_DB:
		return 1;
	case TRAP_NMI:
		return 2;
	case TRAP_DF:
		return 3;
	case TRAP_MC:
		return 4;
	default:
		return 0;
	}
}

static void set_gate(unsigned int vector, unsigned int dpl)
{
	u64 stub = (u64)idt_stubs + vector * 16;

	idt[vector] = (struct gate){
		.offset_low = stub,
		.selector = SEL_CS,
		.ist = vector_ist(vector),
		.type = 0x8e | dpl << 5,
		.offset_mid = stub >> 16,
		.offset_high = stub >> 32,
	};
}

/*
 * For user mode's 32-bit code, where the processor has it in long mode.  Left alone
 * it raises #UD, or #GP, as under 3.x and to 32-bit guests.
 */
static void sysenter_init(const struct vcpu *v)
{
	if (guest32 || !features.sep || !((ABI_CALLBACKS) >> CALLBACKTYPE_sysenter & 1))
		return;
	wrmsr(MSR_SYSENTER_CS, SEL_CS);
	wrmsr(MSR_SYSENTER_ESP, v->stack);
	wrmsr(MSR_SYSENTER_EIP, (u64)sysenter_entry);
}

void trap_init(struct vcpu *v)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (u64)idt };

	if (v->id == 0) {
		for (unsigned int i = 0; i < 256; i++)
			set_gate(i, 0);
		/* int3 and into trap by themselves; int $0x80 is the old system call. */
		set_gate(TRAP_BP, 3);
		set_gate(TRAP_OF, 3);
		set_gate(0x80, 3);
		if (guest32)
			set_gate(HYPERCALL32_VECTOR, 1);
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
	wrmsr(MSR_STAR, STAR_VALUE);
	wrmsr(MSR_LSTAR,
	      boot->flags & BOOT_SYSCALL_IN_RING3 ? syscall_page : (u64)syscall_entry);
	wrmsr(MSR_CSTAR, (u64)syscall32_entry);
	wrmsr(MSR_SYSCALL_MASK,
	      RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC);
	sysenter_init(v);
	/* CPUID says that 32-bit guests have no SYSCALL: #UD. */
	if (guest32)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SCE);
}

static bool interrupt(struct vcpu *v, u32 vector)
{
	switch (vector) {
	case KICK_VECTOR:
		apic_eoi();
		return true;
	case TIMER_VECTOR:
		apic_eoi();
		timer_fired(v);
		return true;
	case SPURIOUS_VECTOR:
		return true;
	default:
		return false;
	}
}

/* Do the guest's own tables allow this access?  Then the TLB was stale. */
static bool justified(const struct vcpu *v, u64 addr, u32 error)
{
	for (unsigned int level = root_level; level > 0; level--) {
		const void *slot = walk(v, addr, level);
		u64 pte = slot ? entry_read(slot) : 0;

		if (!(pte & PTE_P))
			return true;
		if (guest32 && level == 3)
			continue; /* PAE's top level gives no rights */
		if ((error & PF_U) && !(pte & PTE_U))
			return true;
		if ((error & PF_W) && !(pte & PTE_RW))
			return true;
		if ((error & PF_I) && (pte & PTE_NX))
			return true;
	}
	return false;
}

/*
 * The address that a fault at one of the monitor's means to the guest: the LDT's
 * shadow has the LDT's (Xen 4.17 handle_ldt_mapping_fault()).  0: try it again.
 */
static noinline u64 monitor_address(struct vcpu *v, u64 addr)
{
	if (ldt_fault(v, addr))
		return 0;
	if (addr - WINDOW_LDT(v->id) < v->ldt_entries * 8UL)
		return addr - WINDOW_LDT(v->id) + v->ldt_base;
	return addr;
}

static noinline void other_page_fault(struct vcpu *v, struct regs *r, u64 addr)
{
	u32 error = r->error;

	if (boot->paging == PAGING_PV32) {
		if (shadow32_fault(v, addr, error))
			return;
		/* What the shadow lacks may be a read-only mapping of a table. */
		if ((error & (PF_P | PF_W)) == PF_W && v->kernel_mode &&
		    ptwr_emulate(v, r, addr))
			return;
	}
	if (unlikely(!guest_range_ok(addr, 1))) {
		addr = monitor_address(v, addr);
		if (!addr)
			return;
	} else if ((error & (PF_P | PF_RSVD)) == PF_P) {
		/* Old guests die of a fault that their tables don't explain. */
		if (!justified(v, addr, error)) {
			count(v, STAT_SPURIOUS);
			invlpg(addr);
			return;
		}
	}
	count(v, STAT_PAGE_FAULT);
	deliver_page_fault(v, r, addr, error);
}

static inline void page_fault(struct vcpu *v, struct regs *r)
{
	u64 addr = read_cr2();

	if ((r->error & (PF_P | PF_W | PF_RSVD)) == (PF_P | PF_W) && v->kernel_mode &&
	    ptwr_emulate(v, r, addr))
		return;
	other_page_fault(v, r, addr);
}

/* #GP with the vector in its error code: int $n through a gate of ring 0. */
static bool software_interrupt(struct vcpu *v, struct regs *r)
{
	/* QEMU's TCG, up to 9.0, counts descriptors of 16 bytes here. */
	u32 vector = r->error >> (r->error > 0x7ff ? 4 : 3) & 255;
	const struct trap_info *t = &v->traps[vector];

	if ((r->error & 7) != 2 || !t->address)
		return false;
	if ((t->flags & 3) < (v->kernel_mode ? 1 : 3))
		return false;
	r->rip += 2;
	deliver_exception(v, r, vector, 0);
	return true;
}

/* A user may try it on a kernel without it (Xen 4.17 entry.S, int80_slow_path). */
static void int80(struct vcpu *v, struct regs *r)
{
	if (v->traps[0x80].address) {
		deliver_exception(v, r, 0x80, 0);
		return;
	}
	r->rip -= 2;
	deliver_exception(v, r, TRAP_GP, 0x80 << 3 | 2);
}

/*
 * BOOT_SYSCALL_IN_RING3: SYSCALL jumped to syscall_page, which holds a hlt, and
 * did all else that it does but for changing the ring.
 */
static void late_syscall(struct vcpu *v, struct regs *r)
{
	r->rip = r->rcx;
	r->rflags = r->r11;
	r->cs = SEL_USER_CS;
	r->ss = SEL_USER_DS;
	r->vector = ENTRY_SYSCALL;
	if (v->kernel_mode)
		guest_hypercall(r);
	else
		guest_syscall(r);
}

static void general_protection(struct vcpu *v, struct regs *r)
{
	if (unlikely(syscall_page) && r->rip == syscall_page) {
		late_syscall(v, r);
		return;
	}
	if (r->error ? software_interrupt(v, r) : emulate_privileged(v, r))
		return;
	deliver_exception(v, r, TRAP_GP, r->error);
}

/* #NM comes with the guest's TS already clear (Xen: do_device_not_available). */
static void device_not_available(struct vcpu *v, struct regs *r)
{
	v->cr0_ts = false;
	__asm__ volatile("clts");
	deliver_exception(v, r, TRAP_NM, 0);
}

static void debug_exception(struct vcpu *v, struct regs *r)
{
	u64 dr6;

	/* The processor only ever sets bits (Xen 4.17 do_debug() clears them, too). */
	__asm__ volatile("mov %%dr6, %0; mov %1, %%dr6" : "=&r"(dr6) : "r"(DR6_DEFAULT));
	v->dr6 |= dr6 & ~DR6_DEFAULT;
	deliver_exception(v, r, TRAP_DB, 0);
}

static noinline void other_trap(struct vcpu *v, struct regs *r)
{
	switch (r->vector) {
	case TRAP_GP:
		general_protection(v, r);
		return;
	case TRAP_UD:
		if (!emulate_forced(v, r))
			deliver_exception(v, r, TRAP_UD, 0);
		return;
	case HYPERCALL32_VECTOR:
		if (guest32)
			guest_hypercall(r);
		return;
	case 0x80:
		int80(v, r);
		return;
	case TRAP_NM:
		device_not_available(v, r);
		return;
	case TRAP_DB:
		debug_exception(v, r);
		return;
	case TRAP_NMI:
		return; /* nobody sends one */
	case TRAP_DF:
	case TRAP_MC:
		panic(r, "double fault or machine check in the guest");
	default:
		if (!interrupt(v, r->vector) && r->vector < 32)
			deliver_exception(v, r, r->vector, r->error);
	}
}

/* entry.S: the guest was interrupted, or did something. */
void guest_trap(struct regs *r)
{
	struct vcpu *v = this_vcpu();

	if (guest32)
		v->kernel_mode = (r->cs & 3) != 3;
	if (r->vector == TRAP_PF)
		page_fault(v, r);
	else
		other_trap(v, r);
}

/* entry.S: SYSCALL from user mode */
void guest_syscall(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	bool wide = (u16)r->cs == SEL_USER_CS;
	u32 type = wide ? CALLBACKTYPE_syscall : CALLBACKTYPE_syscall32;

	count(v, STAT_SYSCALL);
	if (!v->callback[type]) {
		r->rip -= 2;
		deliver_exception(v, r, TRAP_UD, 0);
		return;
	}
	deliver_callback(v, r, type);
	/* The ABI's virtual SYSCALL_MASK clears DF and nothing else. */
	r->rflags &= ~(u64)RFLAGS_DF;
}

/* entry.S: SYSENTER */
void guest_sysenter(struct regs *r)
{
	struct vcpu *v = this_vcpu();

	count(v, STAT_SYSCALL);
	if (v->callback[CALLBACKTYPE_sysenter])
		deliver_callback(v, r, CALLBACKTYPE_sysenter);
	else
		deliver_exception(v, r, TRAP_GP, 0);
}

/*
 * A guest's watchpoint on what copy_guest() touched: the guest is not told (Xen 4.17
 * do_debug()).  Or a step that began before SYSENTER: it ends once TF was saved.
 */
static void monitor_debug(struct regs *r)
{
	__asm__ volatile("mov %0, %%dr6" : : "r"(DR6_DEFAULT));
	if (r->rip < (u64)sysenter_entry || r->rip >= (u64)sysenter_flags_saved)
		r->rflags &= ~(u64)RFLAGS_TF;
}

static bool fix_up(struct regs *r)
{
	for (size_t i = 0; &extable_start[i] < extable_end; i++) {
		if (extable_start[i].fault == r->rip) {
			r->rip = extable_start[i].fixup;
			return true;
		}
	}
	return false;
}

/* entry.S: the monitor itself was interrupted, or made a mistake. */
void monitor_trap(struct regs *r)
{
	/* An NMI is from nobody. */
	if (r->vector == TRAP_DB)
		monitor_debug(r);
	if (r->vector == TRAP_DB || r->vector == TRAP_NMI)
		return;
	if (interrupt(this_vcpu(), r->vector))
		return;
	if (r->vector == TRAP_PF && boot->paging == PAGING_PV32 &&
	    shadow32_fault(this_vcpu(), read_cr2(), r->error))
		return;
	if (r->vector == TRAP_PF && ldt_fault(this_vcpu(), read_cr2()))
		return;
	if ((r->vector == TRAP_PF || r->vector == TRAP_GP || r->vector == TRAP_NP ||
	     r->vector == TRAP_SS) &&
	    fix_up(r))
		return;
	panic(r, "unexpected exception in the monitor");
}

/*
 * entry.S: iretq to the guest faulted.  Its registers are those saved, its place
 * is the frame that iretq refused; all three may overlap.
 */
struct regs *iretq_fault_frame(const struct regs *saved, const u64 *frame, struct regs *to)
{
	struct regs r = *saved;

	r.rip = frame[0];
	r.cs = frame[1];
	r.rflags = frame[2];
	r.rsp = frame[3];
	r.ss = frame[4];
	*to = r;
	return to;
}

/* entry.S: the frame that iretq refused is @r, its reason an exception. */
void guest_iret_fault(struct regs *r)
{
	struct vcpu *v = this_vcpu();
	u16 selectors[4];

	if (r->vector == TRAP_PF && ldt_fault(v, read_cr2()))
		return;
	if (!ABI_IRET_FAILSAFE) {
		guest_trap(r);
		return;
	}
	if (guest32)
		v->kernel_mode = (r->cs & 3) != 3;
	read_selectors(selectors);
	deliver_failsafe(v, r, selectors);
}
