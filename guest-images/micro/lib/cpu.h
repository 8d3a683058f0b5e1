/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu.h - instructions that are the same for all word sizes
 */
#ifndef MICRO_CPU_H
#define MICRO_CPU_H

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
