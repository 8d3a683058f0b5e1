/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.c - the guest's own tables, read through the direct map
 */
#include "mm.h"

static unsigned int index_of(u64 va, unsigned int level)
{
	if (unlikely(pte_bytes == 4))
		return va >> (level == 2 ? 22 : 12) & 1023;
	return va >> (12 + 9 * (level - 1)) & 511;
}

void *walk(const struct vcpu *v, u64 va, unsigned int level)
{
	u64 mfn = v->kernel_mode || guest32 ? v->kernel.mfn : v->user.mfn, pte;

	if (!guest_range_ok(va, 1))
		return NULL;
	for (unsigned int at = root_level;; at--) {
		void *slot = direct((mfn << 12) + index_of(va, at) * pte_bytes);

		if (at == level)
			return slot;
		pte = entry_read(slot);
		if (!(pte & PTE_P))
			return NULL;
		mfn = pte_mfn(pte);
	}
}
