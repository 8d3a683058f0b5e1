/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accessed-dirty - accessed and dirty bits appear in the guest's own entries at
 * the first read and the first write, and again once they were cleared and the
 * TLB flushed
 *
 * In two-level mode the monitor sets them, as Xen 3.1's shadow code does for
 * itself (arch/x86/mm/shadow/multi.c, guest_walk_tables() and set_ad_bits());
 * otherwise hardware does.
 */
#include "guest.h"

#define BITS (PTE_A | PTE_D)

static volatile unsigned long *page;
static volatile pte_t *pte;

static void clear(void)
{
	pte_t clean = make_pte(virt_to_mfn((void *)page), PTE_P | PTE_RW | PTE_US);

	is(update_va_mapping((unsigned long)page, clean, UVMF_INVLPG), 0, "clear both bits");
	is(*pte & BITS, 0, "they are clear");
}

static void kernel_accesses(void)
{
	clear();
	READ_ONCE(page[0]);
	is(*pte & BITS, PTE_A, "a read sets accessed");
	page[0] = 1;
	is(*pte & BITS, BITS, "a write sets dirty");
	clear();
	page[0] = 2;
	is(*pte & BITS, BITS, "a write first sets both");
	clear();
	__atomic_fetch_add(&page[0], 1, __ATOMIC_SEQ_CST);
	is(*pte & BITS, BITS, "so does a locked read and write");
	is(page[0], 3, "which is done");
}

static void read_only(void)
{
	pte_t clean = make_pte(virt_to_mfn((void *)page), PTE_P | PTE_US);

	is(update_va_mapping((unsigned long)page, clean, UVMF_INVLPG), 0, "a read-only page");
	is(catch_trap(page[0] = 4), TRAP_PF, "a write faults");
	is(trap_regs.error & 3, 3, "error code: protection, write");
	is(*pte & PTE_D, 0, "and does not set dirty");
	page_read_write((void *)page);
	is(page[0], 3, "nor write");
}

static void by_mmu_update(void)
{
	uint64_t ptr = virt_to_maddr((void *)pte);

	is(mmu_update_one(ptr, make_pte(virt_to_mfn((void *)page), PTE_P | PTE_RW | PTE_US)), 0,
	   "clear both bits by mmu_update");
	is(mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page), 0, "and flush");
	page[0] = 5;
	is(*pte & BITS, BITS, "a write sets both");
}

/* From the uppermost table on whose entries have A; of some the processor uses a shadow. */
static void upper_levels(void)
{
	unsigned int top = PAGING_LEVELS == 3 ? 2 : PAGING_LEVELS;

	for (unsigned int level = top; level > 1; level--) {
		pte_t *entry = pte_of((void *)page, level);

		set_pte(entry, *entry & ~(pte_t)PTE_A);
		flush_tlb();
		page[0]++;
		is(*entry & PTE_A, PTE_A, "an access sets accessed %u below the top",
		   top - level);
	}
}

void guest_main(void)
{
	page = page_alloc();
	pte = pte_of((void *)page, 1);
	kernel_accesses();
	read_only();
	by_mmu_update();
	upper_levels();
}
