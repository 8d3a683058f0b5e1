/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu-update - mmu_update on tables of each level, and what it refuses
 */
#include "guest.h"

/* No command: do_mmu_update() of 3.1, and of 3.0.3 */
#define UNKNOWN (xen_since(3, 1) ? -XEN_ENOSYS : -XEN_EINVAL)

#ifdef __x86_64__
#define WINDOW (2UL << 39) /* an L4 slot (2) that start of day leaves empty */
#else
#define WINDOW 0x40000000UL /* start of day leaves it empty, too */
#endif
/* Entries of 4 bytes leave two bits for the command. */
#define UNKNOWN_COMMAND (PAGING_LEVELS == 2 ? 3 : 5)
#define ENTRY 0x12345678 /* any value */
#define FOREIGN_MFN 0x1 /* never a domU's */

static volatile unsigned long *page; /* an ordinary page... */
static pte_t *page_pte; /* ...and the L1 entry that maps it */

static volatile unsigned long *in_window(unsigned long offset)
{
	return (volatile unsigned long *)(WINDOW + offset);
}

static void normal(void)
{
	unsigned long *other = page_alloc();

	page[0] = 1;
	other[0] = 2;
	is(set_pte(page_pte, make_pte(virt_to_mfn(other), PTE_WRITE)), 0,
	   "L1 entry: another frame");
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
	is(page[0], 2, "the other frame is seen");
	is(pte_mfn(*page_pte), virt_to_mfn(other), "the table holds its number");
	is(*page_pte & (PTE_P | PTE_RW), PTE_P | PTE_RW, "and the flags");
	is(set_pte(page_pte, make_pte(virt_to_mfn((void *)page), PTE_WRITE)), 0, "and back");
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
	is(page[0], 1, "the first frame is seen again");
	is(set_pte(page_pte, make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY | PTE_AVAIL)), 0,
	   "available bits are the guest's");
	is(*page_pte & PTE_AVAIL, PTE_AVAIL, "and are kept");
#ifdef __x86_64__
	is(set_pte(page_pte,
		   make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY | 0x7feUL << 52)),
	   0, "and so are bits 53 to 62");
	is(*page_pte >> 52 & 0x7fe, 0x7fe, "and are kept");
#endif
	is(set_pte(page_pte, 0), 0, "an empty entry");
	is(*page_pte, 0, "is 0 in the table");
	is(set_pte(page_pte, make_pte(BEYOND_MFN, PTE_RW)), 0,
	   "an entry that is not present may hold anything");
	is(*page_pte, make_pte(BEYOND_MFN, PTE_RW), "and is kept");
	page_read_write((void *)page);
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
}

/* Linux's kernel entries have no U bit, yet its kernel runs in ring 3. */
static void kernel_bit(void)
{
	is(set_pte(page_pte,
		   make_pte(virt_to_mfn((void *)page), PTE_P | PTE_RW | PTE_A | PTE_D)),
	   0, "an entry without the U bit");
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
	is(catch_trap(page[1] = 3), TRAP_NONE, "maps the page for the kernel");
	page_read_write((void *)page);
}

static void preserve_ad(void)
{
	uint64_t ptr = virt_to_maddr(page_pte);
	pte_t clean = make_pte(virt_to_mfn((void *)page), PTE_P | PTE_RW | PTE_US);

	page_read_write((void *)page);
	is(mmu_update_one(ptr | MMU_PT_UPDATE_PRESERVE_AD, clean),
	   xen_since(4, 0) ? 0 : UNKNOWN, "PRESERVE_AD");
	is(*page_pte & (PTE_A | PTE_D), PTE_A | PTE_D, "accessed and dirty stay");
	is(mmu_update_one(ptr | MMU_NORMAL_PT_UPDATE, clean), 0, "NORMAL");
	is(*page_pte & (PTE_A | PTE_D), 0, "accessed and dirty are cleared");
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
	READ_ONCE(page[0]);
	is(*page_pte & (PTE_A | PTE_D), PTE_A, "a read sets accessed");
	page[0] = 1;
	is(*page_pte & (PTE_A | PTE_D), PTE_A | PTE_D, "a write sets dirty");
}

static void machphys(void)
{
	unsigned long mfn = virt_to_mfn((void *)page);
	unsigned long pfn = machine_to_phys_mapping[mfn];
	uint64_t ptr = (uint64_t)mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;

	is(mmu_update_one(ptr, 0x1234), 0, "MACHPHYS of a frame of ours");
	is(machine_to_phys_mapping[mfn], 0x1234, "the M2P shows it");
	is(mmu_update_one(ptr, pfn), 0, "and back");
	is(machine_to_phys_mapping[mfn], pfn, "the M2P shows it");
	ok(mmu_update_one((uint64_t)FOREIGN_MFN << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1) < 0,
	   "MACHPHYS of a frame that is not ours is refused");
}

#ifdef __x86_64__
/* Hang L1, L2 and L3 tables into the tables above them, take them away. */
static void upper_levels(void)
{
	pte_t *l1 = page_alloc(), *l2 = page_alloc(), *l3 = page_alloc();
	pte_t *slot = &kernel_root()[WINDOW >> LEVEL_SHIFT(4) & 511];

	page[0] = 77;
	l1[0] = make_pte(virt_to_mfn((void *)page), PTE_WRITE);
	l2[0] = make_pte(virt_to_mfn(l1), PTE_TABLE);
	l3[0] = make_pte(virt_to_mfn(l2), PTE_TABLE);
	page_read_only(l3);
	page_read_only(l2);
	page_read_only(l1);
	is(set_pte(slot, make_pte(virt_to_mfn(l3), PTE_TABLE)), 0,
	   "L4 entry: tables that are all read-only are accepted");
	is(*in_window(0), 77, "the page is mapped through them");

	is(set_pte(&l2[1], make_pte(virt_to_mfn(l1), PTE_TABLE)), 0,
	   "L2 entry: the same L1 again");
	is(*in_window(1UL << 21), 77, "the page is seen there");
	is(set_pte(&l3[1], make_pte(virt_to_mfn(l2), PTE_TABLE)), 0,
	   "L3 entry: the same L2 again");
	is(*in_window(1UL << 30), 77, "the page is seen there");
	is(set_pte(&l1[1], make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY)), 0,
	   "L1 entry of the new table");
	is(*in_window(PAGE_SIZE), 77, "the page is seen there");

	ok(page_read_write(l1) < 0, "the L1 in use can't be made writable");
	ok(page_read_write(l3) < 0, "nor the L3");
	ok(set_pte(&l2[2], make_pte(virt_to_mfn(l2), PTE_TABLE)) < 0, "an L2 is no L1");
	ok(set_pte(&l2[2], make_pte(virt_to_mfn((void *)page), PTE_TABLE)) < 0,
	   "nor is a writable page");
	ok(set_pte(&l2[2], make_pte(virt_to_mfn((void *)page), PTE_TABLE | PTE_PSE)) < 0,
	   "PSE in an L2 is refused");
	is(l2[2], 0, "a refused entry is not written");

	is(set_pte(&l3[1], 0), 0, "clear the L3 entry");
	is(set_pte(&l2[1], 0), 0, "clear the L2 entry");
	flush_tlb();
	is(catch_trap(*in_window(1UL << 21)), TRAP_PF, "nothing is mapped there now");
	is(set_pte(slot, 0), 0, "clear the L4 entry");
	flush_tlb();
	is(catch_trap(*in_window(0)), TRAP_PF, "nothing is mapped there now");
	is(page_read_write(l1), 0, "the tables are pages again: L1");
	is(page_read_write(l2), 0, "L2");
	is(page_read_write(l3), 0, "L3");
}
#else
/* An L3 of PAE is 4 entries of few bits, which the 64-bit Xen adjusts while it is one. */
static void pae_l3(pte_t *slot, unsigned long mfn)
{
	pte_t *root = kernel_root(), *other = page_alloc(), *top = page_alloc();

	is(set_pte(slot, make_pte(mfn, PTE_P) | 1ULL << 52), -XEN_EINVAL,
	   "bit 52 in an L3 entry");
	is(set_pte(&root[3], root[3]), -XEN_EINVAL, "the last L3 entry, as it is");
	is(set_pte(&root[4], 0), -XEN_EINVAL, "beyond the L3");
	memcpy(top, mfn_to_virt(pte_mfn(root[3])), PAGE_SIZE);
	other[1] = make_pte(mfn, PTE_P);
	other[3] = make_pte(virt_to_mfn(top), PTE_P);
	page_read_only(top);
	page_read_only(other);
	is(mmuext(MMUEXT_PIN_L3_TABLE, virt_to_mfn(other)), 0, "pin an L3");
	is(other[1] & (PTE_RW | PTE_US), xen_since(3, 1) ? PTE_RW | PTE_US : 0,
	   "its entries have rights, since 3.1");
	is(mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(other)), 0, "unpin it");
	is(other[1], make_pte(mfn, PTE_P), "they are as they were");
	page_read_write(other);
	page_read_write(top);
}

/* Hang an L1, with PAE an L2 as well, into the root, take them away. */
static void upper_levels(void)
{
	pte_t *slot = &kernel_root()[WINDOW >> LEVEL_SHIFT(PAGING_LEVELS)];
	pte_t *l1 = page_alloc(), *l2 = slot, *top = l1;
	unsigned long flags = PTE_TABLE;

	page[0] = 77;
	l1[0] = make_pte(virt_to_mfn((void *)page), PTE_WRITE);
	page_read_only(l1);
	if (PAGING_LEVELS == 3) {
		top = l2 = page_alloc();
		flags = PTE_P; /* RW, U, A and D are reserved in an L3 of PAE */
		l2[0] = make_pte(virt_to_mfn(l1), PTE_TABLE);
		page_read_only(l2);
	}
	if (PAGING_LEVELS == 3) {
		is(set_pte(slot, make_pte(virt_to_mfn(top), PTE_TABLE)),
		   xen_since(4, 0) ? 0 : -XEN_EINVAL, "rights in an L3 entry, refused by 3.x");
		set_pte(slot, 0);
		pae_l3(slot, virt_to_mfn(top));
	}
	is(set_pte(slot, make_pte(virt_to_mfn(top), flags)), 0,
	   "root entry: tables that are all read-only are accepted");
	is(*in_window(0), 77, "the page is mapped through them");
	is(set_pte(&l2[1], make_pte(virt_to_mfn(l1), PTE_TABLE)), 0,
	   "L2 entry: the same L1 again");
	is(*in_window(1UL << LEVEL_SHIFT(2)), 77, "the page is seen there");
	is(set_pte(&l1[1], make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY)), 0,
	   "L1 entry of the new table");
	is(*in_window(PAGE_SIZE), 77, "the page is seen there");

	ok(page_read_write(l1) < 0, "the L1 in use can't be made writable");
	ok(page_read_write(l2) < 0, "nor the L2");
	ok(set_pte(&l2[2], make_pte(virt_to_mfn(kernel_root()), PTE_TABLE)) < 0,
	   "the root is no L1");
	ok(set_pte(&l2[2], make_pte(virt_to_mfn((void *)page), PTE_TABLE)) < 0,
	   "nor is a writable page");
	ok(set_pte(&l2[2], make_pte(virt_to_mfn((void *)page), PTE_TABLE | PTE_PSE)) < 0,
	   "PSE in an L2 is refused");
	is(l2[2], 0, "a refused entry is not written");

	is(set_pte(&l2[1], 0), 0, "clear the L2 entry");
	flush_tlb();
	is(catch_trap(*in_window(1UL << LEVEL_SHIFT(2))), TRAP_PF,
	   "nothing is mapped there now");
	is(set_pte(slot, 0), 0, "clear the root entry");
	flush_tlb();
	is(catch_trap(*in_window(0)), TRAP_PF, "nothing is mapped there now");
	is(page_read_write(l1), 0, "the tables are pages again: L1");
	if (PAGING_LEVELS == 3)
		is(page_read_write(l2), 0, "L2");
}
#endif

#if PAGING_LEVELS > 2
/* A table at WINDOW that maps itself by entry 5: is it seen there? */
static void linear_at(pte_t *table, unsigned int level)
{
	unsigned long at = WINDOW;

	for (unsigned int l = 1; l <= level; l++)
		at |= 5UL << LEVEL_SHIFT(l);
	is(set_pte(&table[5], make_pte(virt_to_mfn(table), PTE_TABLE)), -XEN_EINVAL,
	   "an L%u entry for the L%u itself, writable", level, level);
	is(set_pte(&table[5], make_pte(virt_to_mfn(table), PTE_READ_ONLY)),
	   xen_since(3, 1) ? 0 : -XEN_EINVAL, "and read-only, since 3.1");
	if (!xen_since(3, 1))
		skip("refused", "the L%u is seen through it", level);
	else
		is(pte_mfn(((pte_t *)at)[5]), virt_to_mfn(table), "the L%u is seen through it",
		   level);
	set_pte(&table[5], 0);
	flush_tlb();
}

/* 3.1, 4.17 define_get_linear_pagetable(); 3.0.3 has it for roots alone. */
static void linear_below(void)
{
	pte_t *slot = &kernel_root()[WINDOW >> LEVEL_SHIFT(PAGING_LEVELS) & 511];
	pte_t *l2 = page_alloc(), *l3 = PAGING_LEVELS == 4 ? page_alloc() : slot;

	page_read_only(l2);
	if (PAGING_LEVELS == 4) {
		l3[0] = make_pte(virt_to_mfn(l2), PTE_TABLE);
		page_read_only(l3);
		set_pte(slot, make_pte(virt_to_mfn(l3), PTE_TABLE));
		linear_at(l3, 3);
	} else {
		set_pte(slot, make_pte(virt_to_mfn(l2), PTE_P));
	}
	linear_at(l2, 2);
	set_pte(slot, 0);
	flush_tlb();
	is(page_read_write(l2), 0, "the L2 is a page again");
}
#else
static void linear_below(void)
{
}
#endif

#ifdef __x86_64__
/*
 * A root that maps itself, as NetBSD's does: 4.17 get_l4_linear_pagetable(), 3.1
 * get_linear_pagetable().
 */
static void linear(void)
{
	unsigned long slot = WINDOW >> LEVEL_SHIFT(4), at = -(1UL << 48) * (slot >> 8);
	pte_t *root = kernel_root();
	unsigned int level;

	for (level = 1; level <= 4; level++)
		at |= slot << LEVEL_SHIFT(level);
	is(set_pte(&root[slot], make_pte(virt_to_mfn(root), PTE_TABLE)), -XEN_EINVAL,
	   "an L4 entry for the L4 itself, writable");
	is(set_pte(&root[slot], make_pte(virt_to_mfn(root), PTE_READ_ONLY)), 0,
	   "and read-only");
	is(pte_mfn(((pte_t *)at)[slot]), virt_to_mfn(root), "the L4 is seen through it");
	is(set_pte(&root[slot], 0), 0, "and no more");
	flush_tlb();
	is(catch_trap(READ_ONCE(*(pte_t *)at)), TRAP_PF, "nothing is mapped there now");
}
#else
static void linear(void)
{
}
#endif

/* L1_DISALLOW_MASK: 64-bit Xen, which is 3.1's for PAE, has it without G. */
#define GLOBAL                                                                                 \
	(PAGING_LEVELS == 2 || (PAGING_LEVELS == 3 && !xen_since(3, 1)) ? -XEN_EINVAL : 0)

static void refused(void)
{
	uint64_t ptr = virt_to_maddr(page_pte);
	unsigned long mfn = virt_to_mfn((void *)page);
	pte_t before;

	page_read_write((void *)page);
	before = *page_pte;
	is(mmu_update_one(ptr | UNKNOWN_COMMAND, 0), UNKNOWN, "an unknown command");
	is(set_pte(page_pte, make_pte(FOREIGN_MFN, PTE_WRITE)), REFUSED(-XEN_EPERM),
	   "a frame that is not ours");
	is(set_pte(page_pte, make_pte(BEYOND_MFN, PTE_WRITE)), REFUSED(-XEN_EPERM),
	   "a frame that does not exist");
	is(set_pte(page_pte, make_pte(mfn, PTE_WRITE | PTE_PSE)), -XEN_EINVAL,
	   "PAT (bit 7) in an L1 entry");
	is(set_pte(page_pte, make_pte(mfn, PTE_WRITE | PTE_PCD)),
	   xen_since(4, 0) ? -XEN_EINVAL : 0, "PCD without a device, which 3.x accepts");
	is(set_pte(page_pte, make_pte(mfn, PTE_WRITE | PTE_G)), GLOBAL,
	   "G in an L1 entry, which a 32-bit Xen refuses");
	page_read_write((void *)page);
	is(set_pte(page_pte, make_pte(virt_to_mfn(page_pte), PTE_WRITE)), REFUSED(-XEN_EBUSY),
	   "a writable mapping of a live L1");
	is(set_pte(page_pte, make_pte(virt_to_mfn(kernel_root()), PTE_WRITE)),
	   REFUSED(-XEN_EBUSY), "a writable mapping of the root");
	is(set_pte(page_pte, make_pte(virt_to_mfn(page_pte), PTE_READ_ONLY)), 0,
	   "a read-only mapping of a live L1 is allowed");
	page_read_write((void *)page);
	is(*page_pte, before, "the entry is as before");
#ifdef __x86_64__
	is(set_pte(&kernel_root()[256], 0), -XEN_EINVAL, "an L4 slot of Xen's (256)");
	is(set_pte(&kernel_root()[271], 0), -XEN_EINVAL, "an L4 slot of Xen's (271)");
#else
	is(set_pte(pte_of((void *)HYPERVISOR_VIRT_START, 2), 0), REFUSED(-XEN_EPERM),
	   "the first L2 slot of Xen's");
	is(set_pte(pte_of((void *)0xffe00000UL, 2), 0), REFUSED(-XEN_EPERM), "the last one");
#endif
	is(mmu_update_one((uint64_t)FOREIGN_MFN << PAGE_SHIFT, 0), -XEN_EINVAL,
	   "an entry in a frame that is not ours");
}

static void batches(void)
{
	uint64_t ptr = virt_to_maddr(page_pte);
	pte_t writable = make_pte(virt_to_mfn((void *)page), PTE_WRITE);
	pte_t read_only = make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY);
	struct mmu_update req[3] = {
		{ .ptr = ptr, .val = read_only },
		{ .ptr = ptr, .val = make_pte(FOREIGN_MFN, PTE_WRITE) },
		{ .ptr = ptr, .val = writable },
	};
	unsigned int done_count = 99;

	ok(mmu_update(req, 3, &done_count, DOMID_SELF) < 0, "a batch with a bad second entry");
	is(done_count, 1, "done count: 1");
	is(*page_pte & PTE_RW, 0, "the first was done, the third not");
	req[1].val = read_only;
	is(mmu_update(req, 3, &done_count, DOMID_SELF), 0, "a good batch");
	is(done_count, 3, "done count: 3");
	is(mmu_update(req, 3, NULL, DOMID_SELF), 0, "the done count may be NULL");
	is(mmu_update(req, 0, &done_count, DOMID_SELF), 0, "an empty batch");
	is(done_count, 0, "done count: 0");
	is(mmu_update((void *)UNMAPPED, 1, NULL, DOMID_SELF), -XEN_EFAULT,
	   "a batch that can't be read");
	is(mmu_update(req, 1, NULL, 77), -XEN_ESRCH, "for a domain that does not exist");
	/* 4.17 get_page_from_l1e(), 3.1 arch/x86/mm.c, set_foreigndom() and the same */
	is(mmu_update(req, 1, NULL, DOMID_IO), REFUSED(-XEN_EBUSY),
	   "our own page as one of DOMID_IO");
	req[0].val = make_pte(FOREIGN_MFN, PTE_WRITE);
	is(mmu_update(req, 1, NULL, DOMID_IO), REFUSED(-XEN_EPERM),
	   "a device's page, which we must not have");
	req[0].val = 0;
	is(mmu_update(req, 1, NULL, DOMID_IO), 0, "no page of DOMID_IO's");
	page_read_write((void *)page);
}

static void ordinary_page(void)
{
	pte_t *words = page_alloc();

	is(mmu_update_one(virt_to_maddr(&words[3]), ENTRY), 0,
	   "an entry in a page that is no table");
	is(words[3], ENTRY, "is simply written");
}

void guest_main(void)
{
	page = page_alloc();
	page_pte = pte_of((void *)page, 1);
	normal();
	kernel_bit();
	preserve_ad();
	machphys();
	upper_levels();
	linear();
	linear_below();
	refused();
	batches();
	ordinary_page();
}
