/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stale-translation - a page becomes a table although the TLB still has it
 * writable: the guest leaves the flush to Xen, as XenLinux does
 */
#include "guest.h"

#ifdef __x86_64__
static volatile unsigned long *page;

void guest_main(void)
{
	pte_t *table = page_alloc(), *l2;
	unsigned long unused;

	page = page_alloc();
	vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
	/* The last 2 MiB of the image's GiB: nothing is mapped there. */
	l2 = pte_of(image_start, 2);
	unused = (unsigned long)image_start & ~((1UL << LEVEL_SHIFT(3)) - 1);
	unused += (PTES_PER_TABLE - 1) << LEVEL_SHIFT(2);
	l2 = (pte_t *)((unsigned long)l2 & ~(PAGE_SIZE - 1)) + PTES_PER_TABLE - 1;
	is(*l2, 0, "a free L2 entry");

	table[0] = 0; /* now the TLB has it writable */
	is(update_va_mapping((unsigned long)table, make_pte(virt_to_mfn(table), PTE_READ_ONLY),
			     0),
	   0, "made read-only without a flush");
	is(set_pte(l2, make_pte(virt_to_mfn(table), PTE_TABLE)), 0, "it becomes a table");
	/* Without U, as a kernel makes its own pages: Xen adds it. */
	is(catch_trap(*(volatile pte_t *)table =
			      make_pte(virt_to_mfn((void *)page), PTE_WRITE & ~PTE_US)),
	   TRAP_NONE, "a store to it is carried out");
	is(*table & (PTE_P | PTE_US), PTE_P | PTE_US, "by Xen, which adds U");
	*page = 42;
	is(catch_trap(is(*(volatile unsigned long *)unused, 42, "the page is seen there")),
	   TRAP_NONE, "without a fault");
	is(set_pte(l2, 0), 0, "it is no table any more");
	is(page_read_write(table), 0, "and may be written again");
}
#else
void guest_main(void)
{
	skip_all("a store through the translation leaves the same entry: ring 1 needs no U");
}
#endif
