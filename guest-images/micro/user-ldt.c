/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user-ldt - user mode uses segments of an LDT that only the kernel has mapped, and
 * whose pages nobody has used before
 */
#include "guest.h"

#define DATA 0x00cff3000000ffffULL /* DPL 3, flat */
#define LDT_SELECTOR(index) ((index) << 3 | 7)
#define SECOND_PAGE (PAGE_SIZE / 8)

USER_SNIPPET(user_load_fs, "mov %edi, %fs; xor %edi, %edi; mov %fs:(%" DI "), %al; ud2");

static struct user user;
static uint64_t table[1024] __attribute__((aligned(4096)));

static long set_ldt(unsigned int entries)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT,
				.arg1.linear_addr = (unsigned long)table,
				.arg2.nr_ents = entries };

	return mmuext_op(&op, 1, NULL, DOMID_SELF);
}

/* Loads %fs in user mode; what it reads through it is not mapped. */
static int load_fs(unsigned int index)
{
	return run_user(&user, user_load_fs, user_load_fs_end, LDT_SELECTOR(index));
}

void guest_main(void)
{
	user_create(&user);
	table[1] = table[SECOND_PAGE] = DATA;
	page_read_only(&table[0]);
	page_read_only(&table[SECOND_PAGE]);
	is(set_ldt(ARRAY_SIZE(table)), 0, "an LDT of two pages");
	is(load_fs(2), TRAP_GP, "a segment that is not there");
	is(trap_regs.error, LDT_SELECTOR(2) & ~3, "the fault names it");
	is(load_fs(1), TRAP_PF, "a segment of the first page");
	is(trap_cr2, 0, "is flat");
	is(load_fs(SECOND_PAGE), TRAP_PF, "a segment of the second");
	is(trap_cr2, 0, "is flat, too");
	asm volatile("mov %0, %%fs" : : "r"(0)); /* or it fails to be loaded again */
	is(set_ldt(0), 0, "no LDT");
	is(load_fs(1), TRAP_GP, "its segments are gone");
}
