/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arch.h - x86_64: registers, hypercalls by raw `syscall`, page-table geometry
 *
 * The only header of the library that differs between word sizes; x86_32 has
 * one of the same name.  Included through guest.h.
 */
#ifndef MICRO_ARCH_H
#define MICRO_ARCH_H

#define VIRT_BASE 0xffffffff80000000UL
#define PAGING_LEVELS 4
#define PTES_PER_TABLE 512
#define ARCH_NAME "x86_64"
#define START_INFO_MAGIC "xen-3.0-x86_64"

typedef uint64_t pte_t;
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
 * From @rip on it is Xen's bounce frame; @rcx and @r11 come from the frame's
 * first two words.  @error is 0 where the vector has none.
 */
struct regs {
	unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10;
	unsigned long r9, r8, rax, rcx, rdx, rsi, rdi;
	unsigned long vector, error;
	unsigned long rip;
	uint16_t cs, pad0;
	uint8_t saved_upcall_mask, pad1[3];
	unsigned long rflags;
	unsigned long rsp;
	unsigned long ss;
};

#define regs_ip(r) ((r)->rip)
#define regs_sp(r) ((r)->rsp)
#define regs_flags(r) ((r)->rflags)

/**
 * struct entry_state - registers at the first instruction of the kernel
 */
struct entry_state {
	unsigned long rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15;
	unsigned long rflags;
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

/** read_tsc() - the time stamp counter */
static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/** struct cpuid - what a leaf says */
struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/** xen_cpuid() - cpuid as Xen wants the guest to see it (forced emulation) */
static inline struct cpuid xen_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c;

	asm volatile(XEN_EMULATE_PREFIX "cpuid"
		     : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
		     : "0"(leaf), "2"(subleaf));
	return c;
}

/** native_cpuid() - cpuid as the machine answers ring 3 */
static inline struct cpuid native_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid c;

	asm volatile("cpuid"
		     : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
		     : "0"(leaf), "2"(subleaf));
	return c;
}

/** read_msr() - may trap, like write_msr() */
static inline uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

#endif
