/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user.c - a minimal user address space
 */
#include "guest.h"

static char trap_stack[8192] __attribute__((aligned(16)));

/* Hang a new, read-only mapped table into @table and return it. */
static pte_t *add_table(pte_t *table, unsigned int level, unsigned long va)
{
	pte_t *below = page_alloc();

	table[va >> LEVEL_SHIFT(level) & (PTES_PER_TABLE - 1)] =
		make_pte(virt_to_mfn(below), PTE_TABLE);
	return below;
}

static void protect(const void *table)
{
	long err = page_read_only(table);

	if (err)
		bail_out("page table can't be made read-only: %ld", err);
}

#ifdef __i386__
/* One root serves both modes: the tables go into the kernel's. */
static void attach(pte_t **tables)
{
	unsigned int level = PAGING_LEVELS;
	pte_t *slot = kernel_root() + (USER_BASE >> LEVEL_SHIFT(level) & (PTES_PER_TABLE - 1));
	long err = set_pte(slot, make_pte(virt_to_mfn(tables[level - 1]),
					  level == 3 ? PTE_P : PTE_TABLE));

	if (err)
		bail_out("user tables can't be hung into the root: %ld", err);
	tables[level] = kernel_root();
}
#else
static void attach(pte_t **tables)
{
	long err;

	protect(tables[PAGING_LEVELS]);
	err = mmuext(PIN_ROOT, virt_to_mfn(tables[PAGING_LEVELS]));
	if (err)
		bail_out("user root can't be pinned: %ld", err);
	err = mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(tables[PAGING_LEVELS]));
	if (err)
		bail_out("user root can't be set: %ld", err);
}
#endif

void user_create(struct user *user)
{
	pte_t *tables[PAGING_LEVELS + 1];
	unsigned int level;
	long err;

	user->code = page_alloc();
	user->data = page_alloc();
	tables[PAGING_LEVELS] = page_alloc();
	for (level = PAGING_LEVELS; level > 1; level--)
		tables[level - 1] = add_table(tables[level], level, USER_BASE);
	user->l1 = tables[1];
	user->l1[USER_CODE >> PAGE_SHIFT & (PTES_PER_TABLE - 1)] =
		make_pte(virt_to_mfn(user->code), PTE_READ_ONLY);
	user->l1[USER_DATA >> PAGE_SHIFT & (PTES_PER_TABLE - 1)] =
		make_pte(virt_to_mfn(user->data), PTE_WRITE);
	for (level = PAGING_LEVELS - 1; level; level--)
		protect(tables[level]);
	attach(tables);
	user->root = tables[PAGING_LEVELS];
	err = stack_switch(KERNEL_SS, (unsigned long)trap_stack + sizeof(trap_stack));
	if (err)
		bail_out("stack_switch: %ld", err);
}

void user_load(struct user *user, const void *start, const void *end)
{
	memcpy(user->code, start, (size_t)((const char *)end - (const char *)start));
}

int run_user(struct user *user, const void *start, const void *end, unsigned long di)
{
	struct regs regs;

	user_load(user, start, end);
	user_regs(&regs);
	regs.di = di;
	return catch_trap(return_to_guest(&regs, 0));
}
