/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update-va-mapping - the L1 entry of an address, its flush flags, what is
 * refused
 */
#include "guest.h"

#define FOREIGN_MFN 0x1

static volatile unsigned long *page;
static unsigned long va;

static void flushes(void)
{
	static const struct {
		unsigned long flags;
		const char *name;
	} kinds[] = {
		{ UVMF_INVLPG, "INVLPG" },
		{ UVMF_TLB_FLUSH, "TLB_FLUSH" },
		{ UVMF_INVLPG | UVMF_ALL, "INVLPG|ALL" },
		{ UVMF_TLB_FLUSH | UVMF_ALL, "TLB_FLUSH|ALL" },
	};
	unsigned long *other = page_alloc(), mask = 1;
	unsigned int i;

	page[0] = 1;
	other[0] = 2;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		unsigned long *target = i & 1 ? (unsigned long *)page : other;

		is(update_va_mapping(va, make_pte(virt_to_mfn(target), PTE_WRITE),
				     kinds[i].flags),
		   0, "another frame with %s", kinds[i].name);
		is(page[0], i & 1 ? 1 : 2, "is seen at once");
	}
	is(update_va_mapping(va, make_pte(virt_to_mfn(other), PTE_WRITE),
			     UVMF_INVLPG | UVMF_MULTI | (unsigned long)&mask),
	   0, "with INVLPG|MULTI and a mask of vCPUs");
	is(page[0], 2, "is seen at once");
	is(update_va_mapping(va, make_pte(virt_to_mfn((void *)page), PTE_WRITE),
			     UVMF_TLB_FLUSH | UVMF_MULTI | (unsigned long)&mask),
	   0, "with TLB_FLUSH|MULTI and a mask of vCPUs");
	is(page[0], 1, "is seen at once");
	is(update_va_mapping(va, make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY), UVMF_NONE),
	   0, "with NONE");
	flush_tlb();
	is(catch_trap(page[0] = 3), TRAP_PF, "is seen after TLB_FLUSH_LOCAL");
	page_read_write((void *)page);
}

static void refused(void)
{
	pte_t before = *pte_of((void *)page, 1);
	const char *table = (const char *)start_info->pt_base;

	is(update_va_mapping(va, make_pte(FOREIGN_MFN, PTE_WRITE), UVMF_INVLPG),
	   REFUSED(-XEN_EPERM), "a frame that is not ours");
	is(update_va_mapping(va, make_pte(virt_to_mfn(table), PTE_WRITE), UVMF_INVLPG),
	   REFUSED(-XEN_EBUSY), "a writable mapping of a live page table");
	is(update_va_mapping(va, make_pte(virt_to_mfn((void *)page), PTE_WRITE | PTE_PSE),
			     UVMF_INVLPG),
	   -XEN_EINVAL, "PAT");
	is(*pte_of((void *)page, 1), before, "the entry is as before");
	is(update_va_mapping(UNMAPPED, make_pte(virt_to_mfn((void *)page), PTE_WRITE),
			     UVMF_INVLPG),
	   -XEN_EINVAL, "an address without an L1 table");
	is(update_va_mapping(HYPERVISOR_VIRT_START, 0, UVMF_INVLPG), -XEN_EINVAL,
	   "an address of Xen's");
	is(update_va_mapping(va, before, UVMF_INVLPG | UVMF_MULTI | UNMAPPED), -XEN_EFAULT,
	   "a mask of vCPUs that can't be read");
}

static void table_read_only(void)
{
	const char *table = (const char *)start_info->pt_base;

	is(update_va_mapping(va, make_pte(virt_to_mfn(table), PTE_READ_ONLY), UVMF_INVLPG), 0,
	   "a read-only mapping of a page table");
	is(memcmp((void *)page, table, 256), 0, "shows the table");
	page_read_write((void *)page);
}

static void unaligned(void)
{
	is(update_va_mapping(va + 0x123, make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY),
			     UVMF_INVLPG),
	   0, "an address inside the page");
	is(catch_trap(page[0] = 4), TRAP_PF, "means the page");
	page_read_write((void *)page);
}

void guest_main(void)
{
	page = page_alloc();
	va = (unsigned long)page;
	flushes();
	refused();
	table_read_only();
	unaligned();
}
