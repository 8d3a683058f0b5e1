/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.c - pages, frames and page tables
 *
 * The start-of-day mapping (virt_base + pfn * 4096) is never given up, so that
 * every frame of ours that was mapped then can be read through it.
 */
#include "guest.h"

#define POOL_PAGES 256

static char pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static pte_t *root;

void *page_alloc(void)
{
	static unsigned int used;

	if (used == POOL_PAGES)
		bail_out("no page left");
	return pool[used++];
}

unsigned long virt_to_mfn(const void *va)
{
	const unsigned long *p2m = (const unsigned long *)start_info->mfn_list;

	return p2m[((unsigned long)va - VIRT_BASE) >> PAGE_SHIFT];
}

uint64_t virt_to_maddr(const void *va)
{
	return (uint64_t)virt_to_mfn(va) << PAGE_SHIFT | ((unsigned long)va & (PAGE_SIZE - 1));
}

void *mfn_to_virt(unsigned long mfn)
{
	return (void *)(VIRT_BASE + (machine_to_phys_mapping[mfn] << PAGE_SHIFT));
}

pte_t *kernel_root(void)
{
	return root ? root : (pte_t *)start_info->pt_base;
}

long set_kernel_root(pte_t *table)
{
	long err = mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(table));

	if (!err)
		root = table;
	return err;
}

pte_t *walk(const pte_t *table, unsigned long va, unsigned int level)
{
	unsigned int at = PAGING_LEVELS;

	for (;;) {
		const pte_t *pte = &table[va >> LEVEL_SHIFT(at) & (PTES_PER_TABLE - 1)];

		if (at == level)
			return (pte_t *)pte;
		if (!(*pte & PTE_P))
			return NULL;
		table = mfn_to_virt(pte_mfn(*pte));
		at--;
	}
}

pte_t *pte_of(const void *va, unsigned int level)
{
	return walk(kernel_root(), (unsigned long)va, level);
}

long set_page(const void *va, unsigned long flags)
{
	return update_va_mapping((unsigned long)va, make_pte(virt_to_mfn(va), flags),
				 UVMF_INVLPG);
}

void flush_tlb(void)
{
	mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}

long mmu_update_one(uint64_t ptr, uint64_t value)
{
	struct mmu_update req = { .ptr = ptr, .val = value };

	return mmu_update(&req, 1, NULL, DOMID_SELF);
}

long set_pte(const pte_t *pte, pte_t value)
{
	return mmu_update_one(virt_to_maddr(pte) | MMU_NORMAL_PT_UPDATE, value);
}

long mmuext(unsigned int cmd, unsigned long arg)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = arg };

	return mmuext_op(&op, 1, NULL, DOMID_SELF);
}
