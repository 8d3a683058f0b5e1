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

void user_create(struct user *user)
{
	pte_t *tables[PAGING_LEVELS + 1];
	unsigned int level;
	long err;

	user->code = page_alloc();
	user->data = page_alloc();
	user->root = tables[PAGING_LEVELS] = page_alloc();
	for (level = PAGING_LEVELS; level > 1; level--)
		tables[level - 1] = add_table(tables[level], level, USER_BASE);
	user->l1 = tables[1];
	user->l1[USER_CODE >> PAGE_SHIFT & (PTES_PER_TABLE - 1)] =
		make_pte(virt_to_mfn(user->code), PTE_READ_ONLY);
	user->l1[USER_DATA >> PAGE_SHIFT & (PTES_PER_TABLE - 1)] =
		make_pte(virt_to_mfn(user->data), PTE_WRITE);
	for (level = PAGING_LEVELS; level; level--)
		protect(tables[level]);

	err = mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(user->root));
	if (err)
		bail_out("user root can't be pinned: %ld", err);
	err = mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(user->root));
	if (err)
		bail_out("user root can't be set: %ld", err);
	err = stack_switch(KERNEL_SS, (unsigned long)trap_stack + sizeof(trap_stack));
	if (err)
		bail_out("stack_switch: %ld", err);
}

void user_load(struct user *user, const void *start, const void *end)
{
	memcpy(user->code, start, (size_t)((const char *)end - (const char *)start));
}
