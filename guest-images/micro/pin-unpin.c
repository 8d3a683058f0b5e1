/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin-unpin - types of page tables: pinning, what keeps a type alive, when the
 * pages are the guest's again; roots
 */
#include "guest.h"

/* No operation: do_mmuext_op() of 3.1, and of 3.0.3 */
#define UNKNOWN (xen_since(3, 1) ? -XEN_ENOSYS : -XEN_EINVAL)

static const unsigned int PIN[] = { 0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
				    MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE };
/* The highest table that may be pinned with one entry alone in it. */
#define TOP (PAGING_LEVELS == 4 ? 4 : 2)

static pte_t *table[5]; /* by level; an L4 over an L3 over an L2 over an L1 */
static unsigned long *page; /* mapped by the L1 */

static unsigned long mfn(unsigned int level)
{
	return virt_to_mfn(table[level]);
}

static void make_tables(void)
{
	unsigned int level;

	page = page_alloc();
	for (level = 1; level <= TOP; level++)
		table[level] = page_alloc();
	table[1][0] = make_pte(virt_to_mfn(page), PTE_WRITE);
	for (level = 2; level <= TOP; level++)
		table[level][0] = make_pte(mfn(level - 1), PTE_TABLE);
}

static bool writable(unsigned int level)
{
	return page_read_write(table[level]) == 0 && page_read_only(table[level]) == 0;
}

static void pin_once(void)
{
	page_read_only(table[1]);
	is(mmuext(PIN[1], mfn(1)), 0, "an L1 that is mapped read-only can be pinned");
	is(mmuext(PIN[1], mfn(1)), -XEN_EINVAL, "but not twice");
	is(mmuext(PIN[2], mfn(1)), -XEN_EINVAL, "nor as an L2");
	is(page_read_write(table[1]), REFUSED(-XEN_EBUSY),
	   "a pinned table can't be mapped writable");
	is(mmuext(MMUEXT_UNPIN_TABLE, mfn(1)), 0, "unpin");
	is(mmuext(MMUEXT_UNPIN_TABLE, mfn(1)), -XEN_EINVAL, "only once");
	ok(writable(1), "the page can be written again");
}

static void each_level(void)
{
	unsigned int level;

	for (level = 2; level <= TOP; level++)
		page_read_only(table[level]);
	for (level = 1; level <= TOP; level++) {
		is(mmuext(PIN[level], mfn(level)), 0, "pin an L%u", level);
		is(page_read_write(table[1]), REFUSED(-XEN_EBUSY), "its L1 is a table now");
		is(mmuext(MMUEXT_UNPIN_TABLE, mfn(level)), 0, "unpin it");
		ok(writable(1) && writable(level), "and all is free");
	}
}

/* A table lives while anything refers to it. */
static void shared(void)
{
	pte_t *second = page_alloc();

	second[0] = make_pte(mfn(1), PTE_TABLE);
	second[7] = make_pte(mfn(1), PTE_TABLE);
	page_read_only(second);
	is(mmuext(PIN[2], mfn(2)), 0, "pin an L2");
	is(mmuext(PIN[2], virt_to_mfn(second)), 0,
	   "pin another one with the same L1, twice in it");
	is(mmuext(PIN[1], mfn(1)), 0, "pin the L1 as well");
	is(mmuext(MMUEXT_UNPIN_TABLE, mfn(2)), 0, "unpin the first L2");
	ok(!writable(1), "the L1 is still a table");
	is(set_pte(&second[7], 0), 0, "clear one of the entries");
	ok(!writable(1), "the L1 is still a table");
	is(mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(second)), 0, "unpin the second L2");
	ok(!writable(1), "the L1 is still a table: pinned");
	is(mmuext(MMUEXT_UNPIN_TABLE, mfn(1)), 0, "unpin it");
	ok(writable(1), "it is free");
	page_read_write(second);
}

/* Validation reads the whole tree: what it must find. */
static void bad_contents(void)
{
	page_read_write(table[1]);
	table[1][5] = make_pte(0x1, PTE_WRITE);
	page_read_only(table[1]);
	ok(mmuext(PIN[1], mfn(1)) < 0, "an L1 with a frame that is not ours");
	ok(mmuext(PIN[TOP], mfn(TOP)) < 0, "or an L%u that leads to it", TOP);
	ok(writable(1) && writable(TOP), "leave no type behind");
	page_read_write(table[1]);
	table[1][5] = make_pte(mfn(2), PTE_WRITE);
	page_read_only(table[1]);
	ok(mmuext(PIN[2], mfn(2)) < 0, "an L2 that its own L1 maps writable");
	page_read_write(table[1]);
	table[1][5] = make_pte(mfn(2), PTE_READ_ONLY);
	page_read_only(table[1]);
	is(mmuext(PIN[2], mfn(2)), 0, "an L2 that its own L1 maps read-only");
	is(mmuext(MMUEXT_UNPIN_TABLE, mfn(2)), 0, "unpin it");
	page_read_write(table[1]);
	table[1][5] = 0;
	page_read_only(table[1]);
	page_read_write(table[2]);
	table[2][1] = make_pte(virt_to_mfn(page), PTE_TABLE | PTE_PSE);
	page_read_only(table[2]);
	is(mmuext(PIN[2], mfn(2)), -XEN_EINVAL, "an L2 with a PSE entry");
	page_read_write(table[2]);
	table[2][1] = 0;
	page_read_only(table[2]);
	ok(mmuext(PIN[1], 0x1) < 0, "a frame that is not ours");
	ok(mmuext(PIN[1], BEYOND_MFN) < 0, "a frame that does not exist");
}

#ifdef __x86_64__
/* A root in use stays one though it is unpinned. */
static void roots(void)
{
	pte_t *old = kernel_root();
	unsigned int i;

	page_read_write(table[4]);
	for (i = 0; i < 512; i++)
		table[4][i] = i < 256 || i > 271 ? old[i] : 0;
	table[4][0] = make_pte(mfn(3), PTE_TABLE);
	page_read_only(table[4]);

	page[0] = 4711;
	is(mmuext(PIN[4], mfn(4)), 0, "pin a root");
	is(set_kernel_root(table[4]), 0, "load it");
	is(READ_ONCE(*(unsigned long *)0), 4711, "it maps address 0");
	is(mmuext(MMUEXT_UNPIN_TABLE, mfn(4)), 0, "unpin it while it is loaded");
	is(READ_ONCE(*(unsigned long *)0), 4711, "it is in use");
	ok(!writable(4), "and no ordinary page");
	is(set_kernel_root(old), 0, "load the old one");
	ok(writable(4), "now the page is free");
	is(catch_trap(READ_ONCE(*(unsigned long *)0)), TRAP_PF, "address 0 is not mapped");
	is(set_kernel_root(table[4]), 0, "load a root that was never pinned");
	is(READ_ONCE(*(unsigned long *)0), 4711, "it works");
	is(set_kernel_root(old), 0, "and back");
	ok(mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(page)) < 0, "a writable page is no root");
	ok(mmuext(MMUEXT_NEW_BASEPTR, mfn(1)) == 0 || true, "an empty table is a root");
	is(mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(old)), 0, "the old root again");
	is(mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(old)), 0,
	   "the user root may be the kernel's");
	is(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn(4)), 0, "or another");
	ok(!writable(4), "which is in use then");
	is(mmuext(MMUEXT_NEW_USER_BASEPTR, 0), 0, "or none");
	ok(writable(4), "which frees it");
}
#else
/* A second root: the kernel's part as it is, @low at address 0. */
static pte_t *make_root(pte_t *low)
{
	const pte_t *old = kernel_root();
	pte_t *new = page_alloc(), *l2 = new;
	unsigned int i, first = 0, last = HYPERVISOR_VIRT_START >> LEVEL_SHIFT(2);

	if (PAGING_LEVELS == 3) {
		old = mfn_to_virt(pte_mfn(old[3])); /* has Xen's hole: never shared */
		l2 = page_alloc();
		last &= PTES_PER_TABLE - 1;
		new[0] = make_pte(virt_to_mfn(low), PTE_P);
		new[3] = make_pte(virt_to_mfn(l2), PTE_P);
	} else {
		first = VIRT_BASE >> LEVEL_SHIFT(2);
		new[0] = low[0];
	}
	for (i = first; i < last; i++)
		l2[i] = old[i];
	page_read_only(new);
	page_read_only(l2);
	return new;
}

#if PAGING_LEVELS == 3
/*
 * The L2 with Xen's hole must be there, is no other root's, and stays: 3.1
 * arch/x86/mm.c, create_pae_xen_mappings() and mod_l3_entry().
 */
static void last_entry(void)
{
	pte_t *root = page_alloc();

	page_read_only(root);
	is(mmuext(PIN_ROOT, virt_to_mfn(root)), -XEN_EINVAL, "a root without its last entry");
	page_read_write(root);
	root[3] = kernel_root()[3];
	page_read_only(root);
	is(mmuext(PIN_ROOT, virt_to_mfn(root)), -XEN_EINVAL, "or with that of another root");
	page_read_write(root);
	is(set_pte(&kernel_root()[3], kernel_root()[3]), -XEN_EINVAL,
	   "the last entry can't be changed");
}
#else
static void last_entry(void)
{
}
#endif

/* A root in use stays one though it is unpinned. */
static void roots(void)
{
	pte_t *old = kernel_root(), *new = make_root(table[2]);

	last_entry();

	page[0] = 4711;
	is(mmuext(PIN_ROOT, virt_to_mfn(new)), 0, "pin a root");
	is(set_kernel_root(new), 0, "load it");
	is(READ_ONCE(*(unsigned long *)0), 4711, "it maps address 0");
	is(mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(new)), 0, "unpin it while it is loaded");
	is(READ_ONCE(*(unsigned long *)0), 4711, "it is in use");
	ok(page_read_write(new) < 0, "and no ordinary page");
	is(set_kernel_root(old), 0, "load the old one");
	is(page_read_write(new), 0, "now the page is free");
	is(page_read_only(new), 0, "and read-only");
	is(catch_trap(READ_ONCE(*(unsigned long *)0)), TRAP_PF, "address 0 is not mapped");
	is(set_kernel_root(new), 0, "load a root that was never pinned");
	is(READ_ONCE(*(unsigned long *)0), 4711, "it works");
	is(set_kernel_root(old), 0, "and back");
	ok(mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(page)) < 0, "a writable page is no root");
	is(mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(old)), 0, "the old root again");
}
#endif

/* The loaded kernel root is the same frame as before: nothing is freed. */
static void reuse(void)
{
	unsigned int level;

	for (level = 1; level <= TOP; level++) {
		is(page_read_write(table[level]), 0, "make the L%u writable", level);
		memset(table[level], 0, PAGE_SIZE);
	}
	is(mmuext(99, 0), UNKNOWN, "an unknown operation");
}

static void batch(void)
{
	struct mmuext_op op[3] = {
		{ .cmd = MMUEXT_TLB_FLUSH_LOCAL },
		{ .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = virt_to_mfn(page) },
		{ .cmd = MMUEXT_TLB_FLUSH_LOCAL },
	};
	unsigned int done_count = 99;

	is(mmuext_op(op, 3, &done_count, DOMID_SELF), -XEN_EINVAL, "a bad second operation");
	is(done_count, 1, "done count: 1");
	is(mmuext_op(op, 1, &done_count, DOMID_SELF), 0, "a good one");
	is(done_count, 1, "done count: 1");
	is(mmuext_op(op, 0, NULL, DOMID_SELF), 0, "none at all");
	is(mmuext_op((void *)UNMAPPED, 1, NULL, DOMID_SELF), -XEN_EFAULT,
	   "operations that can't be read");
	is(mmuext_op(op, 1, NULL, 77), -XEN_ESRCH, "for a domain that does not exist");
	/* 3.1 set_foreigndom() lets it be named, and most operations don't care. */
	is(mmuext_op(op, 1, NULL, DOMID_IO), xen_since(4, 0) ? -XEN_EPERM : 0, "for DOMID_IO");
	/* 3.1 do_mmuext_op(): "Non-physdev domain tried to FLUSH_CACHE", and no other number */
	is(mmuext(MMUEXT_FLUSH_CACHE, 0), xen_since(4, 0) ? -XEN_EACCES : -XEN_EINVAL,
	   "FLUSH_CACHE");
	is(mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0), xen_since(4, 0) ? -XEN_EINVAL : UNKNOWN,
	   "FLUSH_CACHE_GLOBAL");
	is(mmuext(MMUEXT_MARK_SUPER, 0), xen_since(4, 0) ? -XEN_EOPNOTSUPP : UNKNOWN,
	   "MARK_SUPER");
#ifdef __i386__
	/* A 64-bit Xen, since 3.1: x86_64/compat/mm.c, compat_mmuext_op() */
	is(mmuext(MMUEXT_NEW_USER_BASEPTR, 0),
	   PAGING_LEVELS == 3 && xen_since(3, 1) ? -XEN_EINVAL : UNKNOWN, "NEW_USER_BASEPTR");
#endif
}

static void flushes(void)
{
	static const unsigned int cmd[] = { MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_TLB_FLUSH_ALL,
					    MMUEXT_INVLPG_LOCAL, MMUEXT_INVLPG_ALL };
	unsigned long mask = 1;
	struct mmuext_op op = { .cmd = MMUEXT_INVLPG_MULTI,
				.arg1.linear_addr = (unsigned long)page };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmd); i++)
		is(mmuext(cmd[i], (unsigned long)page), 0, "flush operation %u", cmd[i]);
	set_xen_guest_handle(op.arg2.vcpumask, &mask);
	is(mmuext_op(&op, 1, NULL, DOMID_SELF), 0, "INVLPG_MULTI");
	op.cmd = MMUEXT_TLB_FLUSH_MULTI;
	is(mmuext_op(&op, 1, NULL, DOMID_SELF), 0, "TLB_FLUSH_MULTI");
	set_xen_guest_handle(op.arg2.vcpumask, (void *)UNMAPPED);
	is(mmuext_op(&op, 1, NULL, DOMID_SELF), -XEN_EINVAL, "with a mask that can't be read");
}

/* Newer than 3.1. */
static void clear_and_copy(void)
{
	unsigned long *other = page_alloc();
	struct mmuext_op op = { .cmd = MMUEXT_COPY_PAGE, .arg1.mfn = virt_to_mfn(other) };

	page[9] = 99;
	op.arg2.src_mfn = virt_to_mfn(page);
	is(mmuext_op(&op, 1, NULL, DOMID_SELF), xen_since(3, 2) ? 0 : UNKNOWN, "COPY_PAGE");
	is(other[9], xen_since(3, 2) ? 99 : 0, "copies");
	is(mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn(other)), xen_since(3, 2) ? 0 : UNKNOWN,
	   "CLEAR_PAGE");
	is(other[9], 0, "clears");
	ok(mmuext(MMUEXT_CLEAR_PAGE, virt_to_mfn(kernel_root())) < 0, "but not a page table");
}

void guest_main(void)
{
	make_tables();
	pin_once();
	each_level();
	shared();
	bad_contents();
	roots();
	reuse();
	batch();
	flushes();
	clear_and_copy();
}
