/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root.c - shadow roots: what CR3 really holds
 *
 * The shadow of a guest's L4 is a copy of it with the monitor's slots filled in.
 * It is made when the L4 is first loaded and kept until the L4 ends or another
 * root needs the page: a fixed pool, so nothing is allocated when a process is
 * born or switched to.
 */
#include "mm.h"
#include "trap.h"

static struct shadow {
	u64 mfn; /* the guest's L4, 0: free */
} * shadows;
static u64 *shadow_pages;
static u32 nr_shadows, next_shadow;

void roots_init(void)
{
	u64 head = (heap_left() / 512) + 1;

	shadows = heap_pages(head);
	nr_shadows = min(heap_left(), head * 4096 / sizeof(*shadows));
	shadow_pages = heap_pages(nr_shadows);
	if (nr_shadows < 4)
		panic(NULL, "no memory for shadow roots");
}

static bool loaded(u64 mfn)
{
	for (u32 i = 0; i < boot->nr_vcpus; i++)
		if (vcpus[i].kernel.mfn == mfn || vcpus[i].user.mfn == mfn)
			return true;
	return false;
}

/* The next page in turn that no vCPU has in CR3. */
static u32 take_shadow(void)
{
	u32 n;

	do {
		n = next_shadow;
		next_shadow = n + 1 == nr_shadows ? 0 : n + 1;
	} while (shadows[n].mfn && loaded(shadows[n].mfn));
	if (shadows[n].mfn)
		root_forget(shadows[n].mfn);
	return n;
}

static u64 *shadow_of(u64 mfn)
{
	u32 n = frame_table[mfn] >> FRAME_SHADOW_SHIFT;

	return n ? shadow_pages + (n - 1) * 512UL : NULL;
}

u64 root_shadow(u64 mfn)
{
	u64 *shadow = shadow_of(mfn);
	const u64 *guest = frame_ptr(mfn);
	u32 n;

	if (likely(shadow))
		return virt_to_paddr(shadow);
	n = take_shadow();
	shadows[n].mfn = mfn;
	frame_table[mfn] |= (u64)(n + 1) << FRAME_SHADOW_SHIFT;
	shadow = shadow_of(mfn);
	memcpy(shadow, guest, 4096);
	memcpy(shadow + MONITOR_FIRST_SLOT, master_root + MONITOR_FIRST_SLOT,
	       MONITOR_NR_SLOTS * 8);
	count(this_vcpu(), STAT_SHADOW_FILL);
	return virt_to_paddr(shadow);
}

void root_changed(u64 mfn, unsigned int index, u64 value)
{
	u64 *shadow = shadow_of(mfn);

	if (shadow)
		WRITE_ONCE(shadow[index], value);
}

void root_forget(u64 mfn)
{
	u32 n = frame_table[mfn] >> FRAME_SHADOW_SHIFT;

	if (!n)
		return;
	shadows[n - 1].mfn = 0;
	frame_table[mfn] &= (1ULL << FRAME_SHADOW_SHIFT) - 1;
}

long root_set_kernel(struct vcpu *v, u64 mfn)
{
	u64 old = v->kernel.mfn;
	long rc = frame_get(mfn, 4);

	if (rc)
		return rc;
	v->kernel.mfn = mfn;
	v->kernel.cr3 = root_shadow(mfn);
	write_cr3(v->kernel.cr3);
	if (old)
		frame_put(old);
	return 0;
}

long root_set_user(struct vcpu *v, u64 mfn)
{
	u64 old = v->user.mfn;
	long rc;

	if (mfn == old)
		return 0;
	if (mfn) {
		rc = frame_get(mfn, 4);
		if (rc)
			return rc;
	}
	v->user.mfn = mfn;
	v->user.cr3 = mfn ? root_shadow(mfn) : 0;
	if (old)
		frame_put(old);
	return 0;
}
