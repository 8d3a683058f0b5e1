/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm.h - machine memory, page-table frames and roots
 */
#ifndef MONITOR_MM_H
#define MONITOR_MM_H

#include "hypercall.h"

/** direct() - the monitor's own address of machine address @paddr */
static inline void *direct(u64 paddr)
{
	return (void *)(DIRECT_VA + paddr);
}

/** frame_ptr() - the monitor's own address of frame @mfn */
static inline void *frame_ptr(u64 mfn)
{
	return direct(mfn << 12);
}

static inline u64 pte_mfn(u64 pte)
{
	return (pte & PTE_ADDR) >> 12;
}

extern u64 *frame_table, *m2p;
extern u8 *written; /* boot_info.written, or NULL */
extern u32 *lent; /* boot_info.lent */

/* Bytes of an entry of the guest's tables, and the level of its roots. */
extern u8 pte_bytes, root_level;

/** entry_read() - an entry of a guest's table, in the direct map */
static inline u64 entry_read(const void *slot)
{
	return likely(pte_bytes == 8) ? READ_ONCE(*(const u64 *)slot)
				      : READ_ONCE(*(const u32 *)slot);
}

/* 32-bit guests: what shadow L2 tables hold from the hole on, 2 MiB each */
#define MAX_HOLE_ENTRIES 96
extern u64 hole_entries[MAX_HOLE_ENTRIES];

/* BOOT_SYSCALL_IN_RING3: user-executable page with a hlt; else 0 */
extern u64 syscall_page;
extern u64 master_root[512];

/**
 * map_init() - build the monitor's own map: direct map, M2P, windows
 *
 * Once, on vCPU 0, before anything that uses direct().
 */
void map_init(void);

/** heap_pages() - take zeroed pages of the monitor's heap, for good */
void *heap_pages(u64 pages);

/** heap_left() - pages of the heap that nobody took */
u64 heap_left(void);

/** virt_to_paddr() - machine address of something in the image or direct map */
static inline u64 virt_to_paddr(const void *p)
{
	u64 va = (u64)p;

	return likely(va >= DIRECT_VA) ? va - DIRECT_VA : va - IMAGE_VA;
}

/* ---- frames.c: types ---- */

static inline unsigned int frame_type(u64 word)
{
	return (word & FRAME_TYPE_MASK) >> FRAME_TYPE_SHIFT;
}

/** frame_shadow() - number of the shadow of table @mfn, from 1 on; 0: it has none */
static inline u32 frame_shadow(u64 mfn)
{
	return frame_table[mfn] >> FRAME_SHADOW_SHIFT;
}

/** frame_set_shadow() - set that number */
static inline void frame_set_shadow(u64 mfn, u32 n)
{
	frame_table[mfn] = (u32)frame_table[mfn] | (u64)n << FRAME_SHADOW_SHIFT;
}

/** frames_init() - what entries may be is the ABI's and the paging mode's matter */
void frames_init(void);

/** frame_owned() - does @mfn belong to the guest? */
static inline bool frame_owned(u64 mfn)
{
	return mfn < boot->end_mfn && frame_table[mfn] & FRAME_OWNED;
}

/**
 * frame_get() - take a reference on a frame as a table of a type
 * @mfn:  frame, any number
 * @type: 1 to 4 (a level), FRAME_DESCRIPTORS, FRAME_TOP_L2
 *
 * A frame without a type is walked, checked and gets the type.
 * Return: 0, or -XEN_EINVAL.
 */
long frame_get(u64 mfn, unsigned int type);

/** frame_put() - drop such a reference; with the last one the type ends */
void frame_put(u64 mfn);

/** frame_pin(), frame_unpin() - MMUEXT_PIN_L*_TABLE, MMUEXT_UNPIN_TABLE */
long frame_pin(u64 mfn, unsigned int level);
long frame_unpin(u64 mfn);

/**
 * entry_set() - write an entry of a table, with all checks and references
 * @slot:     entry, in the direct map, of a frame with a type
 * @value:    new value
 * @preserve: keep accessed and dirty bits that hardware set meanwhile
 *
 * Return: 0, or a negative XEN_E* value with nothing changed.
 */
long entry_set(void *slot, u64 value, bool preserve);

/**
 * entry_exchange() - the same for an L1 entry that must still hold @old
 * Return: 0; -XEN_EAGAIN when it holds something else by now.
 */
long entry_exchange(void *slot, u64 old, u64 value);

/* ---- root.c: shadow roots ---- */

/** roots_init() - give what is left of the heap to shadow roots */
void roots_init(void);

/** root_shadow() - machine address of the shadow of root table @mfn, filled */
u64 root_shadow(u64 mfn);

/** shadow_changed() - entry @index of table @mfn, which has a shadow, is new */
void shadow_changed(u64 mfn, unsigned int index);

/** shadow_forget() - table @mfn, which has a shadow, is no table any more */
void shadow_forget(u64 mfn);

/** root_set_kernel() - MMUEXT_NEW_BASEPTR, cr3 writes: load a kernel root */
long root_set_kernel(struct vcpu *v, u64 mfn);

/** root_set_user() - MMUEXT_NEW_USER_BASEPTR; 0: none */
long root_set_user(struct vcpu *v, u64 mfn);

/* ---- shadow32.c: two-level guests, whose tables are shadowed in full ---- */

#define SHADOW32_PAGES 6 /* of a root: L4, L3, four L2 */

/** shadow32_init() - give the rest of the heap to shadows of L1 tables */
void shadow32_init(void);

/** shadow32_fill_root() - begin a shadow root: empty but for monitor and hole */
void shadow32_fill_root(u64 *pages);

/** shadow32_changed(), shadow32_forget() - as shadow_changed(), shadow_forget() */
void shadow32_changed(u64 mfn, unsigned int index);
void shadow32_forget(u64 mfn);

/**
 * shadow32_fault() - a page fault that may be the shadow's, not the guest's
 * @v:     vCPU
 * @addr:  address
 * @error: its error code
 *
 * Sets accessed and dirty bits in the guest's entries as hardware would.
 * Return: true when the access may be tried again.
 */
bool shadow32_fault(struct vcpu *v, u64 addr, u32 error);

/**
 * shadow32_error() - the error code that the guest's own tables give
 * @addr, @error: a fault that is the guest's, as hardware saw it in the shadow
 *
 * Return: @error with PF_P as the guest's entries say
 */
u32 shadow32_error(struct vcpu *v, u64 addr, u32 error);

/** shadow_pages() - pages of the shadow of @mfn, or NULL */
u64 *shadow_pages(u64 mfn);

/** shadow_each_root() - call @fn with the pages of each shadow root */
void shadow_each_root(void (*fn)(u64 *pages));

/* ---- walk.c ---- */

/**
 * walk() - the entry that maps a guest address at a level
 * @v:     vCPU, whose present mode says which root
 * @va:    guest virtual address
 * @level: 1 to 4
 * Return: the entry in the direct map, or NULL when a table above is missing.
 */
void *walk(const struct vcpu *v, u64 va, unsigned int level);

/** walk_kernel() - the same by the kernel's root, whatever the mode */
void *walk_kernel(const struct vcpu *v, u64 va, unsigned int level);

/* ---- ptwr.c: writable page tables ---- */

/**
 * ptwr_emulate() - emulate a guest's write to a page table it maps read-only
 * @v:    vCPU
 * @r:    guest's registers, advanced when it worked
 * @addr: faulting address
 * Return: true when the fault is dealt with.
 */
bool ptwr_emulate(struct vcpu *v, struct regs *r, u64 addr);

/*
 * A page may still be writable in the TLB although no entry says so any more.
 * Guests leave the flush to Xen when such a page becomes a table (Xen 4.17
 * arch/x86/mm.c, get_page_type()).
 */
extern bool tlb_stale;

/** tlb_flush() - drop this CPU's translations of the guest */
static inline void tlb_flush(void)
{
	write_cr3(read_cr3());
	tlb_stale = false;
}

#endif
