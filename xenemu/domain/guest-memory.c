/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-memory.c - walks the guest's page tables for hypercall arguments
 */
#include "domain/guest-memory.h"
#include "domain/private.h"
#include <string.h>
#include <xen/errno.h>

#define PTE_PRESENT (1ULL << 0)
#define PTE_RW (1ULL << 1)
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY (1ULL << 6)
#define PTE_PSE (1ULL << 7)
#define PTE_MFN(pte) (((pte) >> PAGE_SHIFT) & 0xffffffffffULL)

/* Xen's part of a 64-bit address space (xen/arch-x86/xen-x86_64.h). */
#define HV_SLOT_FIRST 256
#define HV_SLOT_LAST 271

/**
 * struct form - page tables of a PAGING_*
 * @levels:     how many
 * @slot_bits:  log2 of the number of entries in a table; entries are 8 bytes,
 *              or 4 when there are 1024 of them
 * @rw_levels:  the RW bit counts in those up to this one: the root of PAE, of
 *              four entries, has none
 * @hole:       end of the guest's addresses; 0: slots of the root are Xen's
 */
struct form {
	unsigned int levels;
	unsigned int slot_bits;
	unsigned int rw_levels;
	uint64_t hole;
};

static const struct form forms[] = {
	[PAGING_PV64] = { .levels = 4, .slot_bits = 9, .rw_levels = 4 },
	[PAGING_PV32PAE] = { .levels = 3, .slot_bits = 9, .rw_levels = 2, .hole = HOLE32_PAE },
	[PAGING_PV32] = { .levels = 2,
			  .slot_bits = 10,
			  .rw_levels = 2,
			  .hole = HOLE32_TWO_LEVEL },
};

static unsigned int slot(const struct form *form, uint64_t vaddr, unsigned int level)
{
	return vaddr >> (PAGE_SHIFT + form->slot_bits * (level - 1)) &
	       ((1U << form->slot_bits) - 1);
}

static gboolean is_canonical(uint64_t vaddr)
{
	return (uint64_t)((int64_t)(vaddr << 16) >> 16) == vaddr;
}

static gboolean is_guests(const struct form *form, uint64_t vaddr)
{
	unsigned int top = slot(form, vaddr, form->levels);

	if (form->hole)
		return vaddr < form->hole;
	return is_canonical(vaddr) && (top < HV_SLOT_FIRST || top > HV_SLOT_LAST);
}

static uint64_t get_entry(const struct form *form, void *table, unsigned int n)
{
	if (form->slot_bits == 10)
		return __atomic_load_n((uint32_t *)table + n, __ATOMIC_RELAXED);
	return __atomic_load_n((uint64_t *)table + n, __ATOMIC_RELAXED);
}

/* Set A, and D for a write, as the processor does on an access of the guest. */
static void mark_accessed(const struct form *form, void *table, unsigned int n, gboolean write)
{
	uint32_t bits = PTE_ACCESSED | (write ? PTE_DIRTY : 0);

	if ((get_entry(form, table, n) & bits) == bits)
		return;
	if (form->slot_bits == 10)
		__atomic_fetch_or((uint32_t *)table + n, bits, __ATOMIC_RELAXED);
	else
		__atomic_fetch_or((uint64_t *)table + n, bits, __ATOMIC_RELAXED);
}

/* The entry that maps @vaddr, and allows a write if one is wanted; 0: none does. */
static uint64_t walk(const struct domain *dom, const struct guest_space *space, uint64_t vaddr,
		     gboolean write, void **table)
{
	const struct form *form = &forms[space->paging];
	uint64_t mfn = space->root_mfn, pte = 0;

	for (unsigned int level = form->levels; level > 0; level--) {
		uint64_t need = PTE_PRESENT | (write && level <= form->rw_levels ? PTE_RW : 0);

		*table = memory_page(dom->build->mem, mfn);
		if (!*table)
			return 0;
		pte = get_entry(form, *table, slot(form, vaddr, level));
		if ((pte & need) != need || (level > 1 && pte & PTE_PSE))
			return 0;
		mfn = PTE_MFN(pte);
	}
	return pte;
}

static gboolean can_walk(const struct guest_space *space, uint64_t vaddr)
{
	return space->paging < G_N_ELEMENTS(forms) && is_guests(&forms[space->paging], vaddr);
}

/* Host address of @vaddr, valid to the end of its page; NULL for a fault. */
static uint8_t *translate(const struct domain *dom, const struct guest_space *space,
			  uint64_t vaddr, gboolean write)
{
	uint8_t *page;
	uint64_t pte;
	void *table;

	if (!can_walk(space, vaddr))
		return NULL;
	pte = walk(dom, space, vaddr, write, &table);
	page = pte ? memory_page(dom->build->mem, PTE_MFN(pte)) : NULL;
	if (!page)
		return NULL;
	mark_accessed(&forms[space->paging], table, slot(&forms[space->paging], vaddr, 1),
		      write);
	return page + vaddr % PAGE_SIZE;
}

uint64_t guest_mapping(const struct domain *dom, const struct guest_space *space,
		       uint64_t vaddr, gboolean *writable)
{
	void *table;
	uint64_t pte;

	if (!can_walk(space, vaddr))
		return 0;
	*writable = walk(dom, space, vaddr, TRUE, &table) != 0;
	pte = walk(dom, space, vaddr, FALSE, &table);
	return pte ? PTE_MFN(pte) : 0;
}

int copy_from_guest(const struct domain *dom, const struct guest_space *space, void *to,
		    uint64_t vaddr, size_t len)
{
	uint8_t *out = to;

	while (len) {
		size_t part = MIN(len, PAGE_SIZE - vaddr % PAGE_SIZE);
		const uint8_t *from = translate(dom, space, vaddr, FALSE);

		if (!from)
			return -XEN_EFAULT;
		memcpy(out, from, part);
		out += part;
		vaddr += part;
		len -= part;
	}
	return 0;
}

int copy_to_guest(const struct domain *dom, const struct guest_space *space, uint64_t vaddr,
		  const void *from, size_t len)
{
	const uint8_t *in = from;

	while (len) {
		size_t part = MIN(len, PAGE_SIZE - vaddr % PAGE_SIZE);
		uint8_t *to = translate(dom, space, vaddr, TRUE);

		if (!to)
			return -XEN_EFAULT;
		memcpy(to, in, part);
		in += part;
		vaddr += part;
		len -= part;
	}
	return 0;
}
