/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.c - the guest's own tables, read through the direct map
 */
#include "mm.h"

/* The same for entries of four bytes, in two levels */
static void *walk_two_level(u64 mfn, u64 va, unsigned int level)
{
	void *slot = direct((mfn << 12) + (va >> 22 & 1023) * 4);
	u64 pte;

	if (level == 2)
		return slot;
	pte = entry_read(slot);
	if (!(pte & PTE_P))
		return NULL;
	return direct((pte & PTE_ADDR) + (va >> 12 & 1023) * 4);
}

/* One level: the entry is the answer, or leads to the next table. */
#define STEP(n)                                                                                \
	do {                                                                                   \
		slot = direct(table + (va >> (9 * (n)) & 0xff8));                              \
		if (level == (n))                                                              \
			return slot;                                                           \
		table = READ_ONCE(*slot);                                                      \
		if (unlikely(!(table & PTE_P)))                                                \
			return NULL;                                                           \
		table &= PTE_ADDR;                                                             \
	} while (0)

static void *walk_from(u64 mfn, u64 va, unsigned int level)
{
	u64 table = mfn << 12, *slot;

	if (unlikely(!guest_range_ok(va, 1)))
		return NULL;
	if (unlikely(pte_bytes == 4))
		return walk_two_level(mfn, va, level);
	if (likely(root_level == 4))
		STEP(4);
	STEP(3);
	STEP(2);
	return direct(table + (va >> 9 & 0xff8));
}

void *walk(const struct vcpu *v, u64 va, unsigned int level)
{
	return walk_from(v->kernel_mode || guest32 ? v->kernel.mfn : v->user.mfn, va, level);
}

void *walk_kernel(const struct vcpu *v, u64 va, unsigned int level)
{
	return walk_from(v->kernel.mfn, va, level);
}
