/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames.c - types of frames: which are page tables, of which level, or hold
 * descriptors, and how often they are used
 *
 * A frame gets a type when it is pinned, loaded or hung below a table: then its
 * entries are checked and adjusted once.  The type ends when the last of these
 * uses ends; after that the frame is ordinary memory to the guest.  Unlike Xen
 * the monitor doesn't count writable mappings: KVM isolates the VM, and a guest
 * that writes to its tables behind the monitor's back harms itself only.
 *
 * The checks are those whose results guests can observe (Xen 4.17
 * arch/x86/mm.c: get_page_from_l1e, mod_l*_entry).
 */
#include "mm.h"
#include "trap.h"

/* Xen lets the guest set P RW U A D, the available bits, and NX. */
#define UPPER_FORBIDDEN (PTE_PWT | PTE_PCD | PTE_PS | PTE_G)
#define L1_FORBIDDEN (PTE_PWT | PTE_PCD | PTE_PS)
/* Xen's _PAGE_GUEST_KERNEL: U was not the guest's wish. */
#define PTE_GUEST_KERNEL (1ULL << 52)

#define INVALID_ENTRY_MFN (PTE_ADDR >> 12)

/*
 * The guest's kernel runs in ring 3: its pages need U, in every level.  What
 * the guest made a kernel page is marked; user pages become global, as in Xen.
 */
static u64 adjust(u64 pte, unsigned int level)
{
	if (level > 1)
		return pte | PTE_U;
	if (!(pte & PTE_U))
		pte |= PTE_GUEST_KERNEL | PTE_U;
	if (!(pte & PTE_GUEST_KERNEL))
		pte |= PTE_G;
	return pte;
}

/* Neither the guest's nor the monitor's: to Xen, device memory. */
static bool is_device(u64 mfn)
{
	return mfn < 0x100 || mfn - (HOLE_START >> 12) < (HOLE_END - HOLE_START) >> 12 ||
	       mfn >= boot->end_mfn;
}

/* May an L1 entry with this value exist? */
static inline long check_l1(u64 pte)
{
	u64 mfn = pte_mfn(pte);

	if (unlikely(pte & L1_FORBIDDEN))
		return -XEN_EINVAL;
	if (unlikely(!frame_owned(mfn))) {
		if (mfn == INVALID_ENTRY_MFN)
			return -XEN_EINVAL;
		return is_device(mfn) ? -XEN_EPERM : -XEN_EBUSY;
	}
	if (unlikely((pte & PTE_RW) && frame_type(frame_table[mfn])))
		return -XEN_EBUSY;
	return 0;
}

static bool monitor_slot(unsigned int level, unsigned int index)
{
	return level == 4 && index - MONITOR_FIRST_SLOT < MONITOR_NR_SLOTS;
}

static long take_entry(u64 *slot, unsigned int level)
{
	long rc;

	if (level == 1)
		rc = check_l1(*slot);
	else if (*slot & UPPER_FORBIDDEN)
		rc = -XEN_EINVAL;
	else
		rc = frame_get(pte_mfn(*slot), level - 1);
	if (!rc)
		*slot = adjust(*slot, level);
	return rc;
}

static void drop_entries(u64 mfn, unsigned int level, unsigned int from, unsigned int to)
{
	const u64 *table = frame_ptr(mfn);

	for (unsigned int i = from; i < to; i++)
		if (table[i] & PTE_P && !monitor_slot(level, i))
			frame_put(pte_mfn(table[i]));
}

static long take_descriptors(struct segment_descriptor *d)
{
	for (unsigned int i = 0; i < 512; i++)
		if (!fixup_descriptor(&d[i]))
			return -XEN_EINVAL;
	return 0;
}

static long take_table(u64 mfn, unsigned int level)
{
	u64 *table = frame_ptr(mfn);
	long rc;

	if (level == FRAME_DESCRIPTORS)
		return take_descriptors(frame_ptr(mfn));
	for (unsigned int i = 0; i < 512; i++) {
		if (!(table[i] & PTE_P) || monitor_slot(level, i))
			continue;
		rc = take_entry(&table[i], level);
		if (rc) {
			if (level > 1)
				drop_entries(mfn, level, 0, i);
			return rc;
		}
	}
	return 0;
}

long frame_get(u64 mfn, unsigned int level)
{
	u64 word;
	long rc;

	if (!frame_owned(mfn))
		return -XEN_EINVAL;
	word = frame_table[mfn];
	if (likely(frame_type(word) == level)) {
		frame_table[mfn] = word + FRAME_COUNT_ONE;
		return 0;
	}
	if (frame_type(word))
		return -XEN_EINVAL;
	/* Typed before it is walked: a table can't map itself writable. */
	frame_table[mfn] = word | (u64)level << FRAME_TYPE_SHIFT | FRAME_COUNT_ONE;
	rc = take_table(mfn, level);
	if (rc)
		frame_table[mfn] = word;
	return rc;
}

void frame_put(u64 mfn)
{
	u64 word = frame_table[mfn] - FRAME_COUNT_ONE;
	unsigned int level = frame_type(word);

	frame_table[mfn] = word;
	if (word & FRAME_COUNT_MASK)
		return;
	if (level == 4)
		root_forget(mfn);
	frame_table[mfn] &= ~FRAME_TYPE_MASK;
	if (level > 1 && level <= 4)
		drop_entries(mfn, level, 0, 512);
}

long frame_pin(u64 mfn, unsigned int level)
{
	long rc = frame_get(mfn, level);

	if (rc)
		return rc;
	if (frame_table[mfn] & FRAME_PINNED) {
		frame_put(mfn);
		return -XEN_EINVAL;
	}
	frame_table[mfn] |= FRAME_PINNED;
	return 0;
}

long frame_unpin(u64 mfn)
{
	if (!frame_owned(mfn) || !(frame_table[mfn] & FRAME_PINNED))
		return -XEN_EINVAL;
	frame_table[mfn] &= ~FRAME_PINNED;
	frame_put(mfn);
	return 0;
}

/* Store; with @preserve, hardware's A and D bits of the old value stay. */
static void store(u64 *slot, u64 value, bool preserve)
{
	u64 old = *slot;

	if (!preserve) {
		WRITE_ONCE(*slot, value);
		return;
	}
	while (!__atomic_compare_exchange_n(slot, &old, value | (old & (PTE_A | PTE_D)), false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static long set_upper(u64 *slot, u64 value, unsigned int level, bool preserve)
{
	unsigned int index = (u64)slot / 8 % 512;
	u64 mfn = virt_to_paddr(slot) >> 12, old = *slot;
	bool same = (value & PTE_P) && (old & PTE_P) && !((value ^ old) & PTE_ADDR);
	long rc;

	if (monitor_slot(level, index))
		return -XEN_EINVAL;
	if (value & PTE_P) {
		if (value & UPPER_FORBIDDEN)
			return -XEN_EINVAL;
		value = adjust(value, level);
		rc = same ? 0 : frame_get(pte_mfn(value), level - 1);
		if (rc)
			return rc;
	}
	store(slot, value, preserve);
	if (level == 4)
		root_changed(mfn, index, *slot);
	if ((old & PTE_P) && !same)
		frame_put(pte_mfn(old));
	return 0;
}

long entry_set(u64 *slot, u64 value, bool preserve)
{
	unsigned int level = frame_type(frame_table[virt_to_paddr(slot) >> 12]);
	long rc;

	if (level == FRAME_DESCRIPTORS)
		return -XEN_EINVAL;
	if (level > 1)
		return set_upper(slot, value, level, preserve);
	if (level == 1 && (value & PTE_P)) {
		rc = check_l1(value);
		if (rc)
			return rc;
		value = adjust(value, 1);
	}
	/* No table: ordinary memory of the guest, written as it is. */
	store(slot, value, preserve);
	return 0;
}

long entry_exchange(u64 *slot, u64 old, u64 value)
{
	long rc;

	if (value & PTE_P) {
		rc = check_l1(value);
		if (rc)
			return rc;
		value = adjust(value, 1);
	}
	if (!__atomic_compare_exchange_n(slot, &old, value, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return -XEN_EAGAIN;
	return 0;
}
