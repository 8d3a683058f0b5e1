/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arch.h - x86_32: registers, hypercalls by `int $0x82`, page-table geometry
 *
 * One source for both paging modes: PAGING_LEVELS is given on the command line,
 * 3 (PAE, 8-byte entries) or 2 (4-byte entries).
 */
#ifndef MICRO_ARCH_H
#define MICRO_ARCH_H

#define VIRT_BASE 0xc0000000UL

#if PAGING_LEVELS == 3
typedef uint64_t pte_t;
#define PTES_PER_TABLE 512
#define PTE_BITS 9
#define PTE_FRAME_MASK 0x000ffffffffff000ULL
#define PTE_NX (1ULL << 63)
/* A frame number that no machine has. */
#define BEYOND_MFN 0x7fffff00UL
#define ARCH_NAME "x86_32p"
#define START_INFO_MAGIC "xen-3.0-x86_32p"
#define PIN_ROOT MMUEXT_PIN_L3_TABLE
#else
typedef uint32_t pte_t;
#define PTES_PER_TABLE 1024
#define PTE_BITS 10
#define PTE_FRAME_MASK 0xfffff000UL
#define BEYOND_MFN 0xfff00UL
#define ARCH_NAME "x86_32"
#define START_INFO_MAGIC "xen-3.0-x86_32"
#define PIN_ROOT MMUEXT_PIN_L2_TABLE
/* Today's headers know the PAE hole only. */
#undef HYPERVISOR_VIRT_START
#define HYPERVISOR_VIRT_START HYPERVISOR_VIRT_START_NONPAE
#undef MACH2PHYS_VIRT_START
#define MACH2PHYS_VIRT_START MACH2PHYS_VIRT_START_NONPAE
#endif
#define HYPERVISOR_VIRT_END 0UL /* the end of the address space */

/* Never mapped, unless a guest does it. */
#define UNMAPPED 0x70000000UL

/* Shift of the address bits that select an entry of a level's table. */
#define LEVEL_SHIFT(level) (12 + PTE_BITS * ((level)-1))

#define EVENT_PORTS 1024
/* A segment register that code here does not use itself. */
#define SPARE_SEGMENT "fs"
/* For asm statements. */
#define PUSHF "pushfl"
#define POPF "popfl"
#define SP "esp"
#define AX "eax"
#define DI "edi"

#define KERNEL_CS FLAT_KERNEL_CS
#define KERNEL_SS FLAT_KERNEL_SS
#define USER_CS FLAT_USER_CS
#define USER_SS FLAT_USER_SS
/* What a frame shows for the kernel's code segment: ring 1, as it is. */
#define KERNEL_CS_IN_FRAME FLAT_KERNEL_CS

/**
 * struct regs - interrupted state as trap stubs save it, and as
 *               return_to_guest() loads it
 *
 * From @ip on it is Xen's bounce frame, which has @sp and @ss only when the
 * ring changed; the stubs add them otherwise.  @error is 0 where the vector has
 * none.
 */
struct regs {
	unsigned long bx, cx, dx, si, di, bp, ax;
	unsigned long ds, es;
	unsigned long vector, error;
	unsigned long ip;
	uint16_t cs;
	uint8_t saved_upcall_mask, pad1[1];
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
};

/**
 * struct entry_state - registers at the first instruction of the kernel
 */
struct entry_state {
	unsigned long ax, bx, cx, dx, si, di, bp, sp;
	unsigned long flags;
	unsigned long cs, ss, ds, es, fs, gs;
};

struct jump_context {
	unsigned long bx, bp, si, di, sp, ip;
};

/**
 * hypercall5() - a hypercall with up to five arguments
 * @nr: its number
 *
 * Return: as Xen's
 */
static inline long hypercall5(unsigned long nr, unsigned long a1, unsigned long a2,
			      unsigned long a3, unsigned long a4, unsigned long a5)
{
	long ret;

	asm volatile("int $0x82"
		     : "=a"(ret), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
		     : "0"(nr)
		     : "memory");
	return ret;
}

/** update_va_mapping() - set the L1 entry that maps @va; @flags: UVMF_* */
static inline long update_va_mapping(unsigned long va, pte_t pte, unsigned long flags)
{
	return hypercall5(__HYPERVISOR_update_va_mapping, va, (uint32_t)pte,
			  (uint32_t)((uint64_t)pte >> 32), flags, 0);
}

/** update_descriptor() - write the descriptor at machine address @maddr */
static inline long update_descriptor(uint64_t maddr, uint64_t descriptor)
{
	return hypercall5(__HYPERVISOR_update_descriptor, (uint32_t)maddr,
			  (uint32_t)(maddr >> 32), (uint32_t)descriptor,
			  (uint32_t)(descriptor >> 32), 0);
}

/** set_timer() - arm (system time in ns) or stop (0) the one-shot timer */
static inline long set_timer(uint64_t timeout)
{
	return hypercall5(__HYPERVISOR_set_timer_op, (uint32_t)timeout,
			  (uint32_t)(timeout >> 32), 0, 0, 0);
}

/** read_flags() - eflags as they really are */
static inline unsigned long read_flags(void)
{
	unsigned long flags;

	asm volatile("pushfl; popl %0" : "=r"(flags));
	return flags;
}

#endif
