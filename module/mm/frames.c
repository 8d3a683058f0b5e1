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
#include "abi-info.h"
#include "mm.h"
#include "trap.h"

/* Xen's _PAGE_GUEST_KERNEL: U was not the guest's wish. */
#define PTE_GUEST_KERNEL (1ULL << 52)

/* PAE: the L3 entry whose L2 has the hole */
#define TOP_L2_SLOT 3

#define INVALID_ENTRY_MFN (PTE_ADDR >> 12)

bool tlb_stale;
static u64 l1_forbidden;
static u32 linear_types; /* bit n: a table of type n may map itself */

/**
 * struct table_kind - what a frame of some type holds, by paging mode
 * @entries: entries that are the guest's; in a 64-bit L4 also those behind the
 *           monitor's slots
 * @child:   type of the frames they point to; 0: of any page
 */
struct table_kind {
	u16 entries;
	u8 child;
};

static const struct table_kind kinds[][8] = {
	[PAGING_PV64] = { [1] = { 512, 0 },
			  [2] = { 512, 1 },
			  [3] = { 512, 2 },
			  [4] = { 512, 3 } },
	[PAGING_PV32PAE] = { [1] = { 512, 0 },
			     [2] = { 512, 1 },
			     [3] = { 4, 2 },
			     [FRAME_TOP_L2] = { HOLE32_PAE >> 21 & 511, 1 } },
	[PAGING_PV32] = { [1] = { 1024, 0 }, [2] = { HOLE32_TWO_LEVEL >> 22, 1 } },
};

static inline struct table_kind kind_of(unsigned int type)
{
	return kinds[boot->paging][type];
}

/* The fourth L3 entry of a PAE guest points to the L2 that has the hole. */
static inline unsigned int child_type(unsigned int type, unsigned int index)
{
	if (type == 3 && index == TOP_L2_SLOT && boot->paging == PAGING_PV32PAE)
		return FRAME_TOP_L2;
	return kind_of(type).child;
}

/*
 * A 64-bit guest's kernel runs in ring 3: its pages need U, in every level.
 * What the guest made a kernel page is marked; user pages become global, as in
 * Xen.  Ring 1 needs none of it; but the L3 entries of a PAE guest have what they
 * need in long mode while they are in use.  Hardware sets A in the shadow, where
 * the guest doesn't see it: what has one has A from the start.
 */
static u64 adjust(u64 pte, unsigned int type)
{
	if (type == 4 || type == FRAME_TOP_L2)
		pte |= PTE_A;
	if (guest32)
		return type == 3 ? pte | ABI_PAE_L3_RIGHTS : pte;
	if (type > 1)
		return pte | PTE_U;
	if (!(pte & PTE_U))
		pte |= PTE_GUEST_KERNEL | PTE_U;
	if (!(pte & PTE_GUEST_KERNEL))
		pte |= PTE_G;
	return pte;
}

void frames_init(void)
{
	l1_forbidden = ABI_L1_FORBIDDEN;
	linear_types = ABI_LINEAR_TYPES;
}

/* Neither the guest's nor the monitor's: to Xen, device memory. */
static bool is_device(u64 mfn)
{
	return mfn < 0x100 || mfn - (HOLE_START >> 12) < (HOLE_END - HOLE_START) >> 12 ||
	       mfn >= boot->end_mfn;
}

/*
 * TCG runs translations of code, and forgets those of a page when its own CPU writes
 * there, but knows nothing of what the helper writes.  A backend's data can't be code
 * before the guest maps it: then each word is written as it is.
 */
static void forget_translations(u64 mfn)
{
	u64 *page = frame_ptr(mfn);

	WRITE_ONCE(written[mfn], 0);
	for (unsigned int i = 0; i < 512; i++)
		asm volatile("lock orq $0, %0" : "+m"(page[i]));
}

/* May an L1 entry with this value exist? */
static inline long check_l1(u64 pte)
{
	u64 mfn = pte_mfn(pte);

	if (unlikely(pte & l1_forbidden))
		return -XEN_EINVAL;
	if (unlikely(!frame_owned(mfn))) {
		if (mfn == INVALID_ENTRY_MFN)
			return -XEN_EINVAL;
		return is_device(mfn) ? -XEN_EPERM : -XEN_EBUSY;
	}
	if (unlikely((pte & PTE_RW) && frame_type(frame_table[mfn])))
		return -XEN_EBUSY;
	if (unlikely(written && written[mfn]) && !(pte & PTE_NX))
		forget_translations(mfn);
	return 0;
}

/* Is entry @index of a table of this type not the guest's? */
static inline bool monitor_slot(unsigned int type, unsigned int index)
{
	if (type == 4)
		return index - MONITOR_FIRST_SLOT < MONITOR_NR_SLOTS;
	return index >= kind_of(type).entries;
}

/*
 * A table that maps itself read-only as if it were of the level below: a linear page
 * table, which Xen allows (get_linear_pagetable()).  It is no reference.
 */
static inline bool is_linear(u64 pte, unsigned int type, u64 mfn)
{
	return pte_mfn(pte) == mfn && !(pte & PTE_RW) && linear_types >> type & 1;
}

/* The table below entry @index of table @mfn */
static long get_child(u64 pte, unsigned int type, u64 mfn, unsigned int index)
{
	return is_linear(pte, type, mfn) ? 0 : frame_get(pte_mfn(pte), child_type(type, index));
}

static void put_child(u64 pte, unsigned int type, u64 mfn)
{
	if (!is_linear(pte, type, mfn))
		frame_put(pte_mfn(pte));
}

static u64 upper_forbidden(unsigned int type)
{
	return guest32 && type == 3 ? ABI_PAE_L3_FORBIDDEN : ABI_UPPER_FORBIDDEN;
}

/* Check and take what an entry refers to; the value it is to have, or an error. */
static long take_entry(u64 *pte, unsigned int type, u64 mfn, unsigned int index)
{
	long rc;

	if (type == 1)
		rc = check_l1(*pte);
	else if (*pte & upper_forbidden(type))
		rc = -XEN_EINVAL;
	else
		rc = get_child(*pte, type, mfn, index);
	*pte = adjust(*pte, type);
	return rc;
}

static void *entry_ptr(u64 mfn, unsigned int index)
{
	return direct((mfn << 12) + index * pte_bytes);
}

static void drop_entries(u64 mfn, unsigned int type, unsigned int end)
{
	u64 pte;

	for (unsigned int i = 0; i < end; i++) {
		pte = entry_read(entry_ptr(mfn, i));
		if (!(pte & PTE_P) || monitor_slot(type, i))
			continue;
		put_child(pte, type, mfn);
		if (guest32 && type == 3 && ABI_PAE_L3_RIGHTS) /* Xen: unadjust_guest_l3e() */
			*(u64 *)entry_ptr(mfn, i) = pte & ~ABI_PAE_L3_RIGHTS;
	}
}

static long take_descriptors(struct segment_descriptor *d)
{
	for (unsigned int i = 0; i < 512; i++)
		if (!fixup_descriptor(&d[i]))
			return -XEN_EINVAL;
	return 0;
}

/*
 * The L2 of a PAE guest's top GiB has Xen's hole: it must be there, and be no other
 * root's (Xen 3.1 arch/x86/mm.c, create_pae_xen_mappings(); 4.17
 * pae_xen_mappings_check()).
 */
static long check_top(u64 mfn)
{
	u64 top = entry_read(entry_ptr(mfn, TOP_L2_SLOT));

	if (top & PTE_P && (frame_table[pte_mfn(top)] & FRAME_COUNT_MASK) == FRAME_COUNT_ONE)
		return 0;
	drop_entries(mfn, 3, kind_of(3).entries);
	return -XEN_EINVAL;
}

static long take_table(u64 mfn, unsigned int type)
{
	unsigned int end = kind_of(type).entries;
	u64 pte, old;
	long rc;

	if (type == FRAME_DESCRIPTORS)
		return take_descriptors(frame_ptr(mfn));
	for (unsigned int i = 0; i < end; i++) {
		pte = old = entry_read(entry_ptr(mfn, i));
		if (!(pte & PTE_P) || monitor_slot(type, i))
			continue;
		rc = take_entry(&pte, type, mfn, i);
		if (rc) {
			if (type > 1)
				drop_entries(mfn, type, i);
			return rc;
		}
		if (pte != old)
			*(u64 *)entry_ptr(mfn, i) = pte;
	}
	return type == 3 && guest32 ? check_top(mfn) : 0;
}

long frame_get(u64 mfn, unsigned int type)
{
	u64 word;
	long rc;

	if (!frame_owned(mfn))
		return -XEN_EINVAL;
	word = frame_table[mfn];
	if (likely(frame_type(word) == type)) {
		frame_table[mfn] = word + FRAME_COUNT_ONE;
		return 0;
	}
	if (frame_type(word))
		return -XEN_EINVAL;
	/* Typed before it is walked: a table can't map itself writable. */
	frame_table[mfn] = word | (u64)type << FRAME_TYPE_SHIFT | FRAME_COUNT_ONE;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	rc = READ_ONCE(lent[mfn]) ? -XEN_EINVAL : take_table(mfn, type);
	if (rc)
		frame_table[mfn] = word;
	else if (tlb_stale)
		tlb_flush();
	return rc;
}

static inline bool ldt_follows(void)
{
	return ABI_LDT_FOLLOWS && unlikely(ldt_mapped);
}

void frame_put(u64 mfn)
{
	u64 word = frame_table[mfn] - FRAME_COUNT_ONE;
	unsigned int type = frame_type(word);

	frame_table[mfn] = word;
	if (word & FRAME_COUNT_MASK)
		return;
	if (word >> FRAME_SHADOW_SHIFT)
		shadow_forget(mfn);
	frame_table[mfn] &= ~FRAME_TYPE_MASK;
	if (kind_of(type).child)
		drop_entries(mfn, type, kind_of(type).entries);
	else if (ldt_follows() && type == 1)
		drop_ldt(this_vcpu()); /* it may have mapped some of it */
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

static bool exchange(void *slot, u64 *old, u64 value)
{
	u32 old32 = *old;
	bool done;

	if (likely(pte_bytes == 8))
		return __atomic_compare_exchange_n((u64 *)slot, old, value, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	done = __atomic_compare_exchange_n((u32 *)slot, &old32, (u32)value, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	*old = old32;
	return done;
}

/* Store; with @preserve, hardware's A and D bits of the old value stay. */
static void store(void *slot, u64 value, bool preserve)
{
	u64 old;

	if (preserve) {
		old = entry_read(slot);
		while (!exchange(slot, &old, value | (old & (PTE_A | PTE_D))))
			;
	} else if (likely(pte_bytes == 8)) {
		WRITE_ONCE(*(u64 *)slot, value);
	} else {
		WRITE_ONCE(*(u32 *)slot, value);
	}
}

/* An L1 entry gets this value: it may take the right to write from a page. */
static inline void note_l1(u64 value)
{
	if ((value & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW))
		tlb_stale = true;
}

/* With a mapping of descriptors, all that was read of the LDT goes. */
static noinline void mapping_gone(u64 old)
{
	u64 mfn = pte_mfn(old);

	if ((old & (PTE_P | PTE_RW)) == PTE_P && frame_owned(mfn) &&
	    frame_type(frame_table[mfn]) == FRAME_DESCRIPTORS)
		drop_ldt(this_vcpu());
}

static long set_upper(void *slot, u64 value, unsigned int type, bool preserve)
{
	u64 paddr = virt_to_paddr(slot), old = entry_read(slot);
	unsigned int index = (paddr & 4095) / pte_bytes;
	bool same = (value & PTE_P) && (old & PTE_P) && !((value ^ old) & PTE_ADDR);
	long rc;

	if (guest32 && type == 3 && index >= TOP_L2_SLOT)
		return -XEN_EINVAL; /* Xen: mod_l3_entry() */
	if (monitor_slot(type, index))
		return type == 4 ? -XEN_EINVAL : -XEN_EPERM;
	if (value & PTE_P) {
		if (value & upper_forbidden(type))
			return -XEN_EINVAL;
		value = adjust(value, type);
		same = same && !((value ^ old) & PTE_RW); /* may be linear */
		rc = same ? 0 : get_child(value, type, paddr >> 12, index);
		if (rc)
			return rc;
	}
	store(slot, value, preserve);
	if (frame_shadow(paddr >> 12))
		shadow_changed(paddr >> 12, index);
	if ((old & PTE_P) && !same)
		put_child(old, type, paddr >> 12);
	return 0;
}

long entry_set(void *slot, u64 value, bool preserve)
{
	u64 mfn = virt_to_paddr(slot) >> 12;
	unsigned int type = frame_type(frame_table[mfn]);
	long rc;

	if (type == FRAME_DESCRIPTORS)
		return -XEN_EINVAL;
	if (type > 1)
		return set_upper(slot, value, type, preserve);
	if (type == 1 && (value & PTE_P)) {
		rc = check_l1(value);
		if (rc)
			return rc;
		value = adjust(value, 1);
	}
	if (ldt_follows() && type == 1)
		mapping_gone(entry_read(slot));
	/* No table: ordinary memory of the guest, written as it is. */
	store(slot, value, preserve);
	note_l1(value);
	if (unlikely(frame_shadow(mfn)))
		shadow_changed(mfn, (virt_to_paddr(slot) & 4095) / pte_bytes);
	return 0;
}

long entry_exchange(void *slot, u64 old, u64 value)
{
	u64 mfn = virt_to_paddr(slot) >> 12;
	long rc;

	if (value & PTE_P) {
		rc = check_l1(value);
		if (rc)
			return rc;
		value = adjust(value, 1);
	}
	if (!exchange(slot, &old, value))
		return -XEN_EAGAIN;
	if (ldt_follows())
		mapping_gone(old);
	note_l1(value);
	if (unlikely(frame_shadow(mfn)))
		shadow_changed(mfn, (virt_to_paddr(slot) & 4095) / pte_bytes);
	return 0;
}
