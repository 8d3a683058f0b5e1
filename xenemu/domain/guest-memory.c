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

static unsigned int slot(uint64_t vaddr, int level)
{
	return vaddr >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

static gboolean is_canonical(uint64_t vaddr)
{
	return (uint64_t)((int64_t)(vaddr << 16) >> 16) == vaddr;
}

/* Set A, and D for a write, as the processor does on an access of the guest. */
static void mark_accessed(uint64_t *entry, uint64_t pte, gboolean write)
{
	uint64_t bits = PTE_ACCESSED | (write ? PTE_DIRTY : 0);

	if ((pte & bits) != bits)
		__atomic_fetch_or(entry, bits, __ATOMIC_RELAXED);
}

/* Host address of @vaddr, valid to the end of its page; NULL for a fault. */
static uint8_t *translate_pv64(const struct domain *dom, uint64_t root, uint64_t vaddr,
			       gboolean write)
{
	uint64_t need = PTE_PRESENT | (write ? PTE_RW : 0);
	unsigned int top = slot(vaddr, 4);
	uint64_t mfn = root;

	if (!is_canonical(vaddr) || (top >= HV_SLOT_FIRST && top <= HV_SLOT_LAST))
		return NULL;
	for (int level = 4; level > 0; level--) {
		uint64_t *table = memory_page(dom->build->mem, mfn);
		uint64_t *entry, pte;

		if (!table)
			return NULL;
		entry = &table[slot(vaddr, level)];
		pte = __atomic_load_n(entry, __ATOMIC_RELAXED);
		if ((pte & need) != need || (level > 1 && pte & PTE_PSE))
			return NULL;
		if (level == 1)
			mark_accessed(entry, pte, write);
		mfn = PTE_MFN(pte);
	}
	uint8_t *page = memory_page(dom->build->mem, mfn);

	return page ? page + vaddr % PAGE_SIZE : NULL;
}

static uint8_t *translate(const struct domain *dom, const struct guest_space *space,
			  uint64_t vaddr, gboolean write)
{
	if (space->paging != PAGING_PV64)
		return NULL;
	return translate_pv64(dom, space->root_mfn, vaddr, write);
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
