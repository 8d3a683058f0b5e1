/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * time.c - system time from the TSC, and where guests read it
 *
 * system time = ((tsc - base) << shift) * mul >> 32, as in the public
 * xen.h, struct vcpu_time_info.  The TSC doesn't change its rate, so what is
 * published once stays true.
 */
#include "compat.h"
#include "event.h"
#include "trap.h"
#include <xen/vcpu.h>

#ifndef XEN_PVCLOCK_TSC_STABLE_BIT
#define XEN_PVCLOCK_TSC_STABLE_BIT (1 << 0)
#endif

#define REFRESH_NS 1000000000 /* Xen 4.17 arch/x86/time.c, EPOCH */

static u64 tsc_base;
static u32 tsc_mul;
static s8 tsc_shift;

static u64 scale(u64 delta)
{
	u64 lo, hi;

	delta = tsc_shift < 0 ? delta >> -tsc_shift : delta << tsc_shift;
	__asm__("mulq %3" : "=a"(lo), "=d"(hi) : "0"(delta), "r"((u64)tsc_mul) : "cc");
	return lo >> 32 | hi << 32;
}

/* ns = ticks * 10^6 / khz: the factor as a 32-bit fraction and a shift. */
static void find_scale(u64 khz)
{
	u64 ns = 1000000;

	tsc_shift = 0;
	for (; khz > 2 * ns; tsc_shift--)
		khz >>= 1;
	for (; khz <= ns; tsc_shift++)
		khz <<= 1;
	tsc_mul = (ns << 32) / khz;
}

struct wallclock {
	u32 version, sec, nsec;
};

static void publish_wallclock(u64 ns)
{
	struct wallclock *w = guest32 ? (void *)((u8 *)shared_info + SHARED_INFO32_WALLCLOCK)
				      : (void *)&shared_info->wc_version;

	w->version++;
	barrier();
	w->sec = ns / 1000000000;
	w->nsec = ns % 1000000000;
	barrier();
	w->version++;
}

void time_init(u64 wallclock)
{
	tsc_base = rdtsc();
	find_scale(boot->tsc_khz);
	publish_wallclock(wallclock);
}

u64 now(void)
{
	return scale(rdtsc() - tsc_base);
}

/*
 * Guests that know no "stable" flag compute with fewer bits, and expect a base
 * that is never far away.
 */
static void fill(struct vcpu_time_info *t)
{
	u64 since = ABI_TIME_FLAGS & XEN_PVCLOCK_TSC_STABLE_BIT ? 0 : rdtsc() - tsc_base;

	t->tsc_timestamp = tsc_base + since;
	t->system_time = scale(since);
	t->tsc_to_system_mul = tsc_mul;
	t->tsc_shift = tsc_shift;
	t->flags = ABI_TIME_FLAGS;
}

void time_publish(struct vcpu *v)
{
	struct vcpu_time_info *t = &v->info->time, copy = { .version = 2 };

	t->version++;
	barrier();
	fill(t);
	barrier();
	t->version++;
	fill(&copy);
	if (v->time_area)
		copy_to_guest(v->time_area, &copy, sizeof(copy));
	v->time_published = now();
}

void time_refresh(struct vcpu *v)
{
	if (!(ABI_TIME_FLAGS & XEN_PVCLOCK_TSC_STABLE_BIT) &&
	    now() - v->time_published >= REFRESH_NS)
		time_publish(v);
}

HANDLE_VCPU_SUB(do_vcpu_op_register_vcpu_time_memory_area, id, arg)
{
	struct vcpu_register_time_memory_area area;
	struct vcpu *v = this_vcpu();

	if ((u32)id != v->id)
		return -XEN_ENOENT;
	if (copy_from_guest(&area, arg, sizeof(area)))
		return -XEN_EFAULT;
	if (!guest_range_ok(area.addr.p, sizeof(struct vcpu_time_info)))
		return -XEN_EFAULT;
	v->time_area = area.addr.p;
	time_publish(v);
	return 0;
}
