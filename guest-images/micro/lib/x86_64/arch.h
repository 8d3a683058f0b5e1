/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arch.h - x86_64: registers, hypercalls by raw `syscall`, page-table geometry
 *
 * The only header of the library that differs between word sizes; x86_32/ has
 * one of the same name.  Included through guest.h.
 */
#ifndef MICRO_ARCH_H
#define MICRO_ARCH_H

#define VIRT_BASE 0xffffffff80000000UL
#define PAGING_LEVELS 4
#define PTES_PER_TABLE 512
#define ARCH_NAME "x86_64"
#define START_INFO_MAGIC "xen-3.0-x86_64"
#define EVENT_PORTS 4096
#define PIN_ROOT MMUEXT_PIN_L4_TABLE
/* A segment register that code here does not use itself. */
#define SPARE_SEGMENT "es"
/* For asm statements. */
#define PUSHF "pushfq"
#define POPF "popfq"
#define SP "rsp"
#define AX "rax"
#define DI "rdi"

typedef uint64_t pte_t;

/* Never mapped, unless a guest does it. */
#define UNMAPPED 0x7000000000UL
/* A frame number that no machine has. */
#define BEYOND_MFN 0xfffffff000UL

#define PTE_FRAME_MASK 0x000ffffffffff000UL
#define PTE_NX (1UL << 63)

/* Shift of the address bits that select an entry of a level's table. */
#define LEVEL_SHIFT(level) (12 + 9 * ((level)-1))

#define KERNEL_CS FLAT_KERNEL_CS
#define KERNEL_SS FLAT_KERNEL_SS
#define USER_CS FLAT_USER_CS
#define USER_SS FLAT_USER_SS
/* What a frame shows for the kernel's code segment: RPL 0 (Xen's fiction). */
#define KERNEL_CS_IN_FRAME (FLAT_KERNEL_CS & ~3)

/**
 * struct regs - interrupted state as trap stubs save it, and as
 *               return_to_guest() loads it
 *
 * From @ip on it is Xen's bounce frame; @cx and @r11 come from the frame's
 * first two words.  @error is 0 where the vector has none.
 */
struct regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10;
	unsigned long r9, r8, ax, cx, dx, si, di;
	unsigned long vector, error;
	unsigned long ip;
	uint16_t cs, pad0;
	uint8_t saved_upcall_mask, pad1[3];
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
};

/**
 * struct entry_state - registers at the first instruction of the kernel
 */
struct entry_state {
	unsigned long ax, bx, cx, dx, si, di, bp, sp;
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15;
	unsigned long flags;
	unsigned long cs, ss, ds, es, fs, gs;
};

struct jump_context {
	unsigned long rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

/**
 * hypercall5() - a hypercall with up to five arguments
 * @nr: its number
 *
 * Return: as Xen's; rcx and r11 are lost to `syscall`.
 */
static inline long hypercall5(unsigned long nr, unsigned long a1, unsigned long a2,
			      unsigned long a3, unsigned long a4, unsigned long a5)
{
	register unsigned long r10 asm("r10") = a4;
	register unsigned long r8 asm("r8") = a5;
	long ret;

	asm volatile("syscall"
		     : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
		     : "0"(nr)
		     : "rcx", "r11", "memory");
	return ret;
}

/** update_va_mapping() - set the L1 entry that maps @va; @flags: UVMF_* */
static inline long update_va_mapping(unsigned long va, pte_t pte, unsigned long flags)
{
	return hypercall5(__HYPERVISOR_update_va_mapping, va, pte, flags, 0, 0);
}

/** update_descriptor() - write the descriptor at machine address @maddr */
static inline long update_descriptor(uint64_t maddr, uint64_t descriptor)
{
	return hypercall5(__HYPERVISOR_update_descriptor, maddr, descriptor, 0, 0, 0);
}

/** set_timer() - arm (system time in ns) or stop (0) the one-shot timer */
static inline long set_timer(uint64_t timeout)
{
	return hypercall5(__HYPERVISOR_set_timer_op, timeout, 0, 0, 0, 0);
}

/** read_flags() - rflags as they really are */
static inline unsigned long read_flags(void)
{
	unsigned long flags;

	asm volatile("pushfq; popq %0" : "=r"(flags));
	return flags;
}

#endif
