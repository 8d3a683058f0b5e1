/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.c - the guest's own tables, read through the direct map
 */
#include "mm.h"

u64 *walk(const struct vcpu *v, u64 va, unsigned int level)
{
	u64 mfn = v->kernel_mode ? v->kernel.mfn : v->user.mfn;

	if (!guest_range_ok(va, 1))
		return NULL;
	for (unsigned int at = 4;; at--) {
		u64 *slot = (u64 *)frame_ptr(mfn) + (va >> (12 + 9 * (at - 1)) & 511);

		if (at == level)
			return slot;
		if (!(*slot & PTE_P))
			return NULL;
		mfn = pte_mfn(*slot);
	}
}
