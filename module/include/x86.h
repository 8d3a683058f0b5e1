/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86.h - the processor: bits, and instructions as functions
 *
 * Numbers are those of the SDM, volume 3.
 */
#ifndef MONITOR_X86_H
#define MONITOR_X86_H

#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_TS (1 << 3)
#define CR0_ET (1 << 4)
#define CR0_NE (1 << 5)
#define CR0_WP (1 << 16)
#define CR0_AM (1 << 18)
#define CR0_PG (1 << 31)

#define CR4_TSD (1 << 2)
#define CR4_DE (1 << 3)
#define CR4_PAE (1 << 5)
#define CR4_MCE (1 << 6)
#define CR4_OSFXSR (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define CR4_FSGSBASE (1 << 16)
#define CR4_OSXSAVE (1 << 18)

#define XCR0_X87 (1 << 0)
#define XCR0_SSE (1 << 1)

#define RFLAGS_CF (1 << 0)
#define RFLAGS_ZF (1 << 6)
#define RFLAGS_TF (1 << 8)
#define RFLAGS_IF (1 << 9)
#define RFLAGS_DF (1 << 10)
#define RFLAGS_OF (1 << 11)
#define RFLAGS_IOPL (3 << 12)
#define IOPL_SHIFT 12
#define RFLAGS_NT (1 << 14)
#define RFLAGS_RF (1 << 16)
#define RFLAGS_VM (1 << 17)
#define RFLAGS_AC (1 << 18)
#define DR6_DEFAULT 0xffff0ff0UL
#define RFLAGS_ARITHMETIC 0x8d5 /* CF PF AF ZF SF OF */

#define MSR_APIC_BASE 0x1b
#define MSR_TSC 0x10
#define MSR_UCODE_REV 0x8b
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_MISC_ENABLE 0x1a0
#define MSR_PAT 0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_HYPERCALL_PAGE 0x40000000 /* Xen's own, as CPUID says */
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_SCE (1 << 0)
#define EFER_LME (1 << 8)
#define EFER_LMA (1 << 10)
#define EFER_NXE (1 << 11)

/* Page-table entries; the same for all levels but for L1's PAT. */
#define PTE_P (1ULL << 0)
#define PTE_RW (1ULL << 1)
#define PTE_U (1ULL << 2)
#define PTE_PWT (1ULL << 3)
#define PTE_PCD (1ULL << 4)
#define PTE_A (1ULL << 5)
#define PTE_D (1ULL << 6)
#define PTE_PS (1ULL << 7) /* L2, L3; in L1: PAT */
#define PTE_G (1ULL << 8)
#define PTE_NX (1ULL << 63)
#define PTE_HIGH (0xfffULL << 52) /* NX and what else is above the address */
#define PTE_ADDR 0x000ffffffffff000ULL

/* Error code of a page fault */
#define PF_P (1 << 0)
#define PF_W (1 << 1)
#define PF_U (1 << 2)
#define PF_RSVD (1 << 3)
#define PF_I (1 << 4)

/* Exceptions */
#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_BP 3
#define TRAP_OF 4
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_DF 8
#define TRAP_TS 10
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_AC 17
#define TRAP_MC 18
/* Those that push an error code: #DF #TS #NP #SS #GP #PF #AC */
#define TRAPS_WITH_ERROR 0x27d00

/* Not a vector: regs.vector of an entry by the SYSCALL instruction */
#define ENTRY_SYSCALL 0x100

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define barrier() __asm__ volatile("" ::: "memory")
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define CR_ACCESSORS(n)                                                                        \
	static inline u64 read_cr##n(void)                                                     \
	{                                                                                      \
		u64 v;                                                                         \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v));                              \
		return v;                                                                      \
	}                                                                                      \
	static inline void write_cr##n(u64 v)                                                  \
	{                                                                                      \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory");                     \
	}
CR_ACCESSORS(0)
CR_ACCESSORS(2)
CR_ACCESSORS(3)
CR_ACCESSORS(4)

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static inline void cpuid(u32 leaf, u32 sub, u32 out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(sub));
}

static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

/* Interrupts on for exactly the wait: nothing is lost between sti and hlt. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

static inline bool is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* Atomic: set a bit, tell whether it was set. */
static inline bool test_and_set_bit(u64 *words, u32 bit)
{
	return __atomic_fetch_or(&words[bit / 64], 1ULL << (bit % 64), __ATOMIC_SEQ_CST) >>
		       (bit % 64) &
	       1;
}

static inline bool test_bit(const u64 *words, u32 bit)
{
	return READ_ONCE(words[bit / 64]) >> (bit % 64) & 1;
}

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

#endif
#endif
