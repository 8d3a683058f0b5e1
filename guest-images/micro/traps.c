/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traps - delivery of exceptions from kernel mode: vector, error code, the
 * frame's words, cr2, flags in handlers, the event-masking gate flag
 */
#include "guest.h"

#define RCX_MAGIC 0x1111222233334444UL
#define R11_MAGIC 0x5555666677778888UL
#define RAX_MAGIC 0x9999aaaabbbbccccUL
#define R15_MAGIC 0x0123456789abcdefUL
#define NON_CANONICAL 0x8000000000000000UL
#ifdef __x86_64__
#define XENS (HYPERVISOR_VIRT_START + (1UL << 41))
#else
#define XENS 0xfff00000UL
#endif

extern const char fault_ip[], fault_after_bp[];

#ifdef __x86_64__
/*
 * One instruction with known values in rcx, r11, rax, r15; the label fault_ip
 * marks it.  Values are checked in the frame.
 */
static void known_registers_ud(void)
{
	asm volatile("mov %0, %%rcx; mov %1, %%r11; mov %2, %%rax; mov %3, %%r15\n"
		     "fault_ip: ud2\n"
		     :
		     : "i"(RCX_MAGIC), "i"(R11_MAGIC), "i"(RAX_MAGIC), "i"(R15_MAGIC)
		     : "rcx", "r11", "rax", "r15", "memory");
}

static void known_registers(void)
{
	is(catch_trap(known_registers_ud()), TRAP_UD, "ud2 raises #UD");
	is(trap_regs.cx, RCX_MAGIC, "the frame holds rcx");
	is(trap_regs.r11, R11_MAGIC, "the frame holds r11");
	is(trap_regs.ax, RAX_MAGIC, "rax is as it was");
	is(trap_regs.r15, R15_MAGIC, "r15 is as it was");
}
#else
static void known_registers(void)
{
	is(catch_trap(asm volatile("mov $0x11112222, %%ecx; mov $0x33334444, %%eax\n"
				   "fault_ip: ud2"
				   :
				   :
				   : "ecx", "eax", "memory")),
	   TRAP_UD, "ud2 raises #UD");
	is(trap_regs.cx, 0x11112222, "ecx is as it was");
	is(trap_regs.ax, 0x33334444, "eax is as it was");
}
#endif

static void divide_by_zero(void)
{
	unsigned int zero = 0;

	asm volatile("xor %%edx, %%edx; mov $1, %%eax; divl %0" : : "r"(zero) : "eax", "edx");
}

static void frame_layout(void)
{
	unsigned long sp;

	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 1);
	sp = (unsigned long)__builtin_frame_address(0);
	known_registers();
	is(trap_regs.ip, (unsigned long)fault_ip, "rip is that of the instruction");
#ifdef __x86_64__
	is(trap_regs.cs, KERNEL_CS_IN_FRAME, "cs has RPL 0");
	trap_regs.pad1[0] |= trap_regs.pad0 || trap_regs.pad1[1] || trap_regs.pad1[2];
#else
	is(trap_regs.cs, KERNEL_CS_IN_FRAME, "cs has RPL 1");
#endif
	is(trap_regs.pad1[0], 0, "nothing else is in the word of cs and saved mask");
	is(trap_regs.saved_upcall_mask, 1, "saved mask: 1 while upcalls are masked");
	is(trap_regs.flags & FLAG_IF, 0, "IF in the frame: 0 while upcalls are masked");
	is(trap_regs.ss, KERNEL_SS, "ss");
	ok(sp - trap_regs.sp < 512, "rsp is that of the code");
#ifdef __x86_64__
	is(trap_sp, trap_regs.sp & ~15UL, "the frame is on the same stack, 16-byte aligned");
#endif

	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	is(catch_trap(asm volatile("ud2")), TRAP_UD, "ud2 with upcalls unmasked");
	is(trap_regs.saved_upcall_mask, 0, "saved mask: 0");
	is(trap_regs.flags & FLAG_IF, FLAG_IF, "IF in the frame: 1");
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 1);
}

static void each_vector(void)
{
	is(catch_trap(divide_by_zero()), TRAP_DE, "div by 0 raises #DE");
	is(trap_regs.error, 0, "#DE has no error code");
	is(catch_trap(asm volatile("int3\nfault_after_bp:")), TRAP_BP, "int3 raises #BP");
	is(trap_regs.ip, (unsigned long)fault_after_bp, "its rip is after the instruction");
	is(catch_trap(asm volatile("int $0x80")), TRAP_INT80, "int 0x80 goes to its gate");
	is(catch_trap(asm volatile("int $0x90")), TRAP_GP, "int 0x90, no gate, raises #GP");
	/* QEMU's TCG, up to 9.0, counts descriptors of 16 bytes here. */
	ok(trap_regs.error == (0x90 << 3 | 2) || trap_regs.error == (0x90 << 4 | 2),
	   "its error code names the vector");
	is(catch_trap(asm volatile("int $13")), TRAP_GP, "int 13, DPL 0, raises #GP");
#ifdef __x86_64__
	is(catch_trap(READ_ONCE(*(unsigned long *)NON_CANONICAL)), TRAP_GP,
	   "a read of a non-canonical address raises #GP");
	is(trap_regs.error, 0, "its error code is 0");
#endif
	is(catch_trap(asm volatile("mov %0, %%es"
				   :
				   : "r"(0xfff8))),
	   TRAP_GP, "loading es with a selector beyond the GDT raises #GP");
	is(trap_regs.error, 0xfff8, "its error code is the selector");
	is(catch_trap(asm volatile("mov %0, %%ss"
				   :
				   : "r"(0))),
	   TRAP_GP, "loading ss with 0 raises #GP");
}

static void page_faults(void)
{
	char *page = page_alloc();

	is(catch_trap(READ_ONCE(*(char *)UNMAPPED)), TRAP_PF, "a read of nothing raises #PF");
	is(trap_regs.error, 0, "error code: not present, read, kernel");
	is(trap_cr2, UNMAPPED, "cr2 in vcpu_info");
	is(catch_trap(WRITE_ONCE(*(char *)(UNMAPPED + 5), 1)), TRAP_PF, "a write to nothing");
	is(trap_regs.error, 2, "error code: not present, write, kernel");
	is(trap_cr2, UNMAPPED + 5, "cr2 is the byte's address");

	page_read_only(page);
	is(catch_trap(WRITE_ONCE(page[1], 1)), TRAP_PF, "a write to a read-only page");
	is(trap_regs.error, 3, "error code: protection, write, kernel");
	is(trap_cr2, (unsigned long)page + 1, "cr2");
	is(page[1], 0, "nothing was written");
	set_page(page, 0);
	is(catch_trap(READ_ONCE(page[2])), TRAP_PF, "a read of a page that is gone");
	is(trap_regs.error, 0, "error code");
	is(catch_trap(((void (*)(void))UNMAPPED)()), TRAP_PF, "a jump to nothing");
	is(trap_regs.error & ~0x10UL, 0, "error code: not present, perhaps a fetch");
	is(trap_regs.ip, UNMAPPED, "rip");
	is(trap_cr2, UNMAPPED, "cr2");
	page_read_write(page);
	is(catch_trap(WRITE_ONCE(page[1], 1)), TRAP_NONE, "the page is back");
	is(catch_trap(READ_ONCE(*(char *)(XENS))), TRAP_PF,
	   "a read of Xen's own range raises #PF");
}

static void handler_flags(void)
{
	unsigned long sp_flags = FLAG_TF;

	/* popf can't set IF or IOPL here; AC and NT stay until changed. */
	is(catch_trap(asm volatile(PUSHF "; orl $0x44000, (%%" SP "); " POPF "; ud2" ::
					   : "memory", "cc")),
	   TRAP_UD, "#UD with AC and NT set");
	is(trap_regs.flags & 0x44000, 0x44000, "the frame shows AC and NT");
#ifdef __x86_64__
	is(read_flags() & 0x44000, 0, "in the handler AC and NT are clear");
#else
	is(read_flags() & 0x44000, FLAG_AC, "in the handler NT is clear, AC is not");
#endif
	is(catch_trap(asm volatile(PUSHF "; or %0, (%%" SP "); " POPF "; nop; nop"
				   :
				   : "r"(sp_flags)
				   : "memory", "cc")),
	   TRAP_DB, "TF raises #DB");
	is(trap_regs.flags & FLAG_TF, FLAG_TF, "the frame shows TF");
	is(read_flags() & FLAG_TF, 0, "in the handler TF is clear");
	is(read_flags() & FLAG_IF, FLAG_IF, "in the handler IF is really set");
}

static void event_masking(void)
{
	set_gate(TRAP_UD, 0);
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	is(catch_trap(asm volatile("ud2")), TRAP_UD, "through a gate without the mask flag");
	is(trap_upcall_mask, 0, "upcalls stay unmasked");

	set_gate(TRAP_UD, 4);
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	is(catch_trap(asm volatile("ud2")), TRAP_UD, "through a gate with the mask flag");
	is(trap_upcall_mask, 1, "upcalls are masked in the handler");
	is(trap_regs.saved_upcall_mask, 0, "the frame's saved mask is as before");
	is(trap_regs.flags & FLAG_IF, FLAG_IF, "and so is IF");
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 1);
}

void guest_main(void)
{
	frame_layout();
	each_vector();
	page_faults();
	handler_flags();
	event_masking();
}
