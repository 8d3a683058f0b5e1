/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apic.c - the local APIC and its timer: x2APIC and TSC deadline where the
 * machine has them, else xAPIC and one-shot
 */
#include "event.h"
#include "mm.h"
#include "trap.h"

#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_TIMER 0x320
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_DIVIDE 0x3e0

#define APIC_ENABLE (1 << 8)
#define TIMER_TSC_DEADLINE (2 << 17)
#define DIVIDE_BY_1 0xb

#define APIC_BASE_X2APIC (1 << 10)

static void apic_write(u32 reg, u32 value)
{
	if (features.x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile u32 *)direct(0xfee00000 + reg) = value;
}

void apic_init(void)
{
	if (features.x2apic)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	apic_write(APIC_SPURIOUS, APIC_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER, TIMER_VECTOR | (features.tsc_deadline ? TIMER_TSC_DEADLINE : 0));
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/* ns to ticks of @khz; bounded so that it doesn't overflow: 2^43 ns are 2.4 hours */
static u64 ticks(u64 ns, u64 khz)
{
	return min(ns, 1ULL << 43) / 1000 * khz / 1000 + 1;
}

void apic_timer(u64 ns)
{
	u64 n;

	if (features.tsc_deadline) {
		wrmsr(MSR_TSC_DEADLINE, ns ? rdtsc() + ticks(ns, boot->tsc_khz) : 0);
		return;
	}
	/* Too far for the counter: it fires early and is armed again. */
	n = ns ? ticks(ns, boot->apic_khz) : 0;
	apic_write(APIC_TIMER_INITIAL, min(n, 0xffffffffULL));
}
