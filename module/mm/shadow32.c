/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shadow32.c - two-level guests: 4-byte entries, shadowed in full
 *
 * A root's shadow is L4, L3 and four L2 of the hardware's format; guest L2 entry
 * n (4 MiB) is shadow L2 entries 2n and 2n + 1.  A guest L1 table (1024 entries)
 * has two shadow L1 pages.  All is filled by faults: an entry is there once the
 * guest's has its accessed bit, and writable once it has its dirty bit, which
 * are set here as hardware would.
 *
 * Shadow L1 tables are a pool; when it is empty all of them are dropped and come
 * back fault by fault.
 */
#include "mm.h"
#include "trap.h"

#define UPPER (PTE_P | PTE_RW | PTE_U | PTE_A)
#define FIRST_L2 (2 * 512) /* words: L4, L3, then the L2 pages */
#define HOLE_ENTRY (HOLE32_TWO_LEVEL >> 21)

static u64 *l1_owner; /* of each pair of shadow pages: the guest's L1, 0: free */
static u64 *l1_pool;
static u32 nr_l1, next_l1;

void shadow32_init(void)
{
	u64 pages = heap_left() - 8, head;

	nr_l1 = pages / 2;
	head = (nr_l1 * sizeof(*l1_owner) + 4095) / 4096;
	nr_l1 -= head;
	l1_owner = heap_pages(head);
	l1_pool = heap_pages(2UL * nr_l1);
}

void shadow32_fill_root(u64 *pages)
{
	pages[0] = virt_to_paddr(pages + 512) | UPPER;
	for (u32 i = 0; i < 4; i++)
		pages[512 + i] = virt_to_paddr(pages + FIRST_L2 + i * 512) | UPPER;
	memset(pages + FIRST_L2, 0, 4 * 4096);
	memcpy(pages + FIRST_L2 + HOLE_ENTRY, hole_entries, (2048 - HOLE_ENTRY) * 8);
}

static void drop_l2(u64 *pages)
{
	memset(pages + FIRST_L2, 0, HOLE_ENTRY * 8);
}

static u64 *l1_shadow(u64 mfn)
{
	u32 n = frame_shadow(mfn);

	return n ? l1_pool + (n - 1) * 1024UL : NULL;
}

static void drop_all(void)
{
	shadow_each_root(drop_l2);
	for (u32 n = 0; n < nr_l1; n++) {
		if (l1_owner[n])
			frame_set_shadow(l1_owner[n], 0);
		l1_owner[n] = 0;
	}
	tlb_flush();
}

static u32 take_l1(void)
{
	for (u32 tries = 0; tries < nr_l1; tries++) {
		u32 n = next_l1;

		next_l1 = n + 1 == nr_l1 ? 0 : n + 1;
		if (!l1_owner[n])
			return n;
	}
	drop_all();
	return 0;
}

/* What may be in the shadow of a guest's entry without hiding anything from it. */
static u64 expand(u32 pte)
{
	if ((pte & (PTE_P | PTE_A)) != (PTE_P | PTE_A))
		return 0;
	return (pte & 0xfffff000) | PTE_P | PTE_A | (pte & (PTE_U | PTE_D)) |
	       (pte & PTE_D ? pte & PTE_RW : 0);
}

static u64 *make_l1(u64 mfn)
{
	const u32 *guest = frame_ptr(mfn);
	u64 *shadow = l1_shadow(mfn);
	u32 n;

	if (shadow)
		return shadow;
	n = take_l1();
	l1_owner[n] = mfn;
	frame_set_shadow(mfn, n + 1);
	shadow = l1_shadow(mfn);
	for (u32 i = 0; i < 1024; i++)
		shadow[i] = expand(guest[i]);
	return shadow;
}

void shadow32_changed(u64 mfn, unsigned int index)
{
	u64 *root;

	if (frame_type(frame_table[mfn]) == 1) {
		WRITE_ONCE(l1_shadow(mfn)[index], expand(((u32 *)frame_ptr(mfn))[index]));
		return;
	}
	root = shadow_pages(mfn);
	root[FIRST_L2 + 2 * index] = 0;
	root[FIRST_L2 + 2 * index + 1] = 0;
}

/* The tables above it forgot it before: no shadow L2 entry points there. */
void shadow32_forget(u64 mfn)
{
	l1_owner[frame_shadow(mfn) - 1] = 0;
	frame_set_shadow(mfn, 0);
}

/* Would hardware allow it, by the guest's entry? */
static bool allowed(u32 pte, u32 error)
{
	if (!(pte & PTE_P))
		return false;
	if ((error & PF_W) && !(pte & PTE_RW))
		return false;
	return !(error & PF_U) || (pte & PTE_U);
}

/* The guest's L1 entry below its L2 entry, or NULL */
static u32 *l1_entry(const u32 *l2, u64 addr)
{
	if (!l2 || !(*l2 & PTE_P))
		return NULL;
	return direct((*l2 & PTE_ADDR) + (addr >> 12 & 1023) * 4);
}

u32 shadow32_error(struct vcpu *v, u64 addr, u32 error)
{
	const u32 *l1 = l1_entry(walk(v, addr, 2), addr);
	bool present = l1 && (*l1 & PTE_P);

	return (error & ~(u32)PF_P) | (present ? PF_P : 0);
}

bool shadow32_fault(struct vcpu *v, u64 addr, u32 error)
{
	u32 *l2 = walk(v, addr, 2), *l1 = l1_entry(l2, addr);
	u64 *root, *shadow;

	if (!l1 || !allowed(*l2, error) || !allowed(*l1, error) || (error & PF_RSVD))
		return false;
	if (frame_type(frame_table[virt_to_paddr(l1) >> 12]) != 1)
		return false;
	__atomic_or_fetch(l2, PTE_A, __ATOMIC_SEQ_CST);
	__atomic_or_fetch(l1, PTE_A | (error & PF_W ? PTE_D : 0), __ATOMIC_SEQ_CST);
	/* First the L1: making one may drop every L2 entry. */
	shadow = make_l1(virt_to_paddr(l1) >> 12);
	root = shadow_pages(v->kernel.mfn) + FIRST_L2 + (addr >> 22) * 2;
	root[0] = virt_to_paddr(shadow) | PTE_P | PTE_A | (*l2 & (PTE_RW | PTE_U));
	root[1] = virt_to_paddr(shadow + 512) | PTE_P | PTE_A | (*l2 & (PTE_RW | PTE_U));
	shadow[addr >> 12 & 1023] = expand(*l1);
	return true;
}
