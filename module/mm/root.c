/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * root.c - shadow roots: what CR3 really holds
 *
 * 64-bit guests: a copy of the guest's L4 with the monitor's slots filled in.
 * PAE: an L4 with the monitor's slots, an L3 made of the guest's four entries,
 * and the L2 of the top GiB, which has Xen's hole; the guest's other tables are
 * used in place.  Two-level: see shadow32.c.
 *
 * A shadow is made when the root is first loaded and kept until the root ends or
 * another one needs the pages: a fixed pool, so nothing is allocated when a
 * process is born or switched to.
 */
#include "mm.h"
#include "trap.h"

/**
 * struct shadow - one of the pool
 * @mfn: the guest's root table, 0: free
 * @top: PAE: the L2 of its top GiB, whose shadow is here too
 */
static struct shadow {
	u64 mfn;
	u64 top;
} * shadows;
static u64 *pool;
static u32 nr_shadows, next_shadow;
static u32 shadow_words; /* size of a shadow, in words: 512, or some pages */

/* Pages of a PAE root's shadow */
#define PAE_L3 512
#define PAE_TOP (2 * 512)

#define UPPER (PTE_P | PTE_RW | PTE_U | PTE_A)

static u32 pages_of_shadow(void)
{
	switch (boot->paging) {
	case PAGING_PV64:
		return 1;
	case PAGING_PV32PAE:
		return 3;
	default:
		return SHADOW32_PAGES;
	}
}

void roots_init(void)
{
	u32 pages = pages_of_shadow();
	/* A two-level guest needs most of the heap for its L1 tables. */
	u64 share = boot->paging == PAGING_PV32 ? heap_left() / 4 : heap_left() - 16;
	u64 head;

	nr_shadows = share / pages;
	head = (nr_shadows * sizeof(*shadows) + 4095) / 4096;
	nr_shadows -= head / pages + 1;
	shadow_words = pages * 512;
	shadows = heap_pages(head);
	pool = heap_pages((u64)nr_shadows * pages);
	if (share < 4 * pages)
		panic(NULL, "no memory for shadow roots");
	if (boot->paging == PAGING_PV32)
		shadow32_init();
}

static bool loaded(u64 mfn)
{
	for (u32 i = 0; i < boot->nr_vcpus; i++)
		if (vcpus[i].kernel.mfn == mfn || vcpus[i].user.mfn == mfn)
			return true;
	return false;
}

static u64 *pages_of(u32 n)
{
	return pool + (u64)n * shadow_words;
}

u64 *shadow_pages(u64 mfn)
{
	u32 n = frame_shadow(mfn);

	return n ? pages_of(n - 1) : NULL;
}

void shadow_each_root(void (*fn)(u64 *pages))
{
	for (u32 n = 0; n < nr_shadows; n++)
		if (shadows[n].mfn)
			fn(pages_of(n));
}

static void release(struct shadow *s)
{
	if (s->top)
		frame_set_shadow(s->top, 0);
	frame_set_shadow(s->mfn, 0);
	s->mfn = s->top = 0;
}

/* The next in turn that no vCPU has in CR3. */
static u32 take_shadow(void)
{
	u32 n;

	do {
		n = next_shadow;
		next_shadow = n + 1 == nr_shadows ? 0 : n + 1;
	} while (shadows[n].mfn && loaded(shadows[n].mfn));
	if (shadows[n].mfn)
		release(&shadows[n]);
	return n;
}

static void fill_monitor_slots(u64 *l4)
{
	memcpy(l4 + MONITOR_FIRST_SLOT, master_root + MONITOR_FIRST_SLOT, MONITOR_NR_SLOTS * 8);
}

/* The L2 of the top GiB: the guest's entries up to the hole, then Xen's. */
static void fill_top(struct shadow *s, u64 *page)
{
	u32 hole = HOLE32_PAE >> 21 & 511;

	memcpy(page, frame_ptr(s->top), hole * 8);
	memcpy(page + hole, hole_entries, (512 - hole) * 8);
}

/* Entry @index, not the last, of a PAE guest's L3, in the form that long mode wants. */
static void fill_pae_l3(const struct shadow *s, u64 *pages, u32 index)
{
	u64 pte = ((u64 *)frame_ptr(s->mfn))[index];

	pages[PAE_L3 + index] = pte & PTE_P ? (pte & PTE_ADDR) | UPPER : 0;
}

/* The last entry never changes, and its L2 is no other root's (frames.c, check_top()). */
static void fill_pae(struct shadow *s, u64 *pages)
{
	pages[0] = virt_to_paddr(pages + PAE_L3) | UPPER;
	for (u32 i = 0; i < 3; i++)
		fill_pae_l3(s, pages, i);
	s->top = pte_mfn(((u64 *)frame_ptr(s->mfn))[3]);
	frame_set_shadow(s->top, s - shadows + 1);
	fill_top(s, pages + PAE_TOP);
	pages[PAE_L3 + 3] = virt_to_paddr(pages + PAE_TOP) | UPPER;
}

static void fill(struct shadow *s, u64 *pages)
{
	switch (boot->paging) {
	case PAGING_PV64:
		memcpy(pages, frame_ptr(s->mfn), 4096);
		break;
	case PAGING_PV32PAE:
		fill_pae(s, pages);
		break;
	default:
		shadow32_fill_root(pages);
		break;
	}
	fill_monitor_slots(pages);
	count(this_vcpu(), STAT_SHADOW_FILL);
}

static noinline u64 *make_shadow(u64 mfn)
{
	u32 n = take_shadow();

	shadows[n].mfn = mfn;
	frame_set_shadow(mfn, n + 1);
	fill(&shadows[n], pages_of(n));
	return pages_of(n);
}

u64 root_shadow(u64 mfn)
{
	u64 *pages = shadow_pages(mfn);

	return virt_to_paddr(likely(pages) ? pages : make_shadow(mfn));
}

void shadow_changed(u64 mfn, unsigned int index)
{
	struct shadow *s;
	u64 *pages, pte;

	if (pte_bytes == 4) {
		shadow32_changed(mfn, index);
		return;
	}
	s = &shadows[frame_shadow(mfn) - 1];
	pages = shadow_pages(mfn);
	pte = ((u64 *)frame_ptr(mfn))[index];
	if (boot->paging == PAGING_PV64)
		WRITE_ONCE(pages[index], pte);
	else if (s->mfn == mfn)
		fill_pae_l3(s, pages, index);
	else
		WRITE_ONCE(pages[PAE_TOP + index], pte);
}

void shadow_forget(u64 mfn)
{
	u32 n = frame_shadow(mfn) - 1;

	if (frame_type(frame_table[mfn]) != root_level)
		shadow32_forget(mfn);
	else if (shadows[n].mfn == mfn)
		release(&shadows[n]);
}

long root_set_kernel(struct vcpu *v, u64 mfn)
{
	u64 old = v->kernel.mfn;
	long rc = frame_get(mfn, root_level);

	if (rc)
		return rc;
	/* While the old one is in CR3, its shadow must not be taken for this one. */
	v->kernel.cr3 = root_shadow(mfn);
	v->kernel.mfn = mfn;
	write_cr3(v->kernel.cr3);
	if (old)
		frame_put(old);
	if (unlikely(ldt_mapped))
		drop_ldt(v); /* Xen: new_guest_cr3() */
	return 0;
}

long root_set_user(struct vcpu *v, u64 mfn)
{
	u64 old = v->user.mfn;
	long rc;

	if (mfn == old)
		return 0;
	if (mfn) {
		rc = frame_get(mfn, root_level);
		if (rc)
			return rc;
	}
	v->user.mfn = mfn;
	v->user.cr3 = mfn ? root_shadow(mfn) : 0;
	if (old)
		frame_put(old);
	return 0;
}
