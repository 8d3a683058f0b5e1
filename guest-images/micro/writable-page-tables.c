/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writable-page-tables - stores to L1 tables that are mapped read-only are
 * carried out by Xen once vm_assist asks for it, whatever the instruction
 */
#include "guest.h"

static volatile unsigned long *page;
static volatile pte_t *pte; /* the L1 entry of page, in its read-only mapping */
static unsigned long other_mfn;
static pte_t writable, read_only;
static pte_t value; /* operand of the instruction; survives a trap */

static void check(const char *how, pte_t want)
{
	is(*pte & ~(PTE_A | PTE_D | PTE_G | 1UL << 52), want & ~(PTE_A | PTE_D), "%s", how);
}

static void store_kinds(void)
{
	is(catch_trap(*pte = read_only), TRAP_NONE, "mov is emulated");
	check("mov", read_only);
	value = writable;
	is(catch_trap(asm volatile("xchg %0, %1"
				   : "+r"(value), "+m"(*pte))),
	   TRAP_NONE, "xchg is emulated");
	check("xchg: new value", writable);
	is(value & (PTE_P | PTE_RW), PTE_P, "xchg: old value");

	value = *pte;
	is(catch_trap(asm volatile("lock cmpxchg %2, %1"
				   : "+a"(value), "+m"(*pte)
				   : "r"(read_only)
				   : "cc")),
	   TRAP_NONE, "cmpxchg is emulated");
	check("cmpxchg: equal", read_only);
	value = 0x12345;
	is(catch_trap(asm volatile("lock cmpxchg %2, %1"
				   : "+a"(value), "+m"(*pte)
				   : "r"(writable)
				   : "cc")),
	   TRAP_NONE, "cmpxchg with another value");
	check("cmpxchg: not equal", read_only);
	is(value, *pte, "cmpxchg: the value it found");

	is(catch_trap(asm volatile("lock btsq $1, %0"
				   : "+m"(*pte)
				   :
				   : "cc")),
	   TRAP_NONE, "bts is emulated");
	check("bts", writable);
	is(catch_trap(asm volatile("lock btrq $1, %0"
				   : "+m"(*pte)
				   :
				   : "cc")),
	   TRAP_NONE, "btr is emulated");
	check("btr", read_only);
	is(catch_trap(asm volatile("lock orq $2, %0"
				   : "+m"(*pte)
				   :
				   : "cc")),
	   TRAP_NONE, "or is emulated");
	check("or", writable);
	is(catch_trap(asm volatile("lock andq $~2, %0"
				   : "+m"(*pte)
				   :
				   : "cc")),
	   TRAP_NONE, "and is emulated");
	check("and", read_only);
	is(catch_trap(asm volatile("movq $0, %0"
				   : "+m"(*pte))),
	   TRAP_NONE, "mov of an immediate is emulated");
	check("mov immediate", 0);
	value = read_only;
	is(catch_trap(asm volatile("stosq"
				   :
				   : "D"(pte), "a"(value)
				   : "memory")),
	   TRAP_NONE, "stos is emulated");
	check("stos", read_only);
	*pte = writable;
}

static unsigned char clear_bit_flag(void)
{
	unsigned char carry;

	asm volatile("lock btrq $1, %0; setc %1" : "+m"(*pte), "=qm"(carry) : : "cc");
	return carry;
}

static void flags(void)
{
	*pte = writable;
	is(clear_bit_flag(), 1, "btr sets carry: the bit was set");
	is(clear_bit_flag(), 0, "btr clears carry: it was clear");
	*pte = writable;
}

static void has_effect(void)
{
	page[0] = 1;
	*pte = read_only;
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
	is(catch_trap(page[0] = 2), TRAP_PF, "the page is read-only after the store");
	*pte = make_pte(other_mfn, PTE_WRITE);
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
	is(page[0], 3, "another frame is seen after a store");
	*pte = writable;
	mmuext(MMUEXT_INVLPG_LOCAL, (unsigned long)page);
	is(page[0], 1, "and the first one again");
}

static void refused(void)
{
	pte_t before = *pte;

	is(catch_trap(*pte = make_pte(1, PTE_WRITE)), TRAP_PF,
	   "a frame that is not ours: the store's own page fault");
	is(trap_regs.error, 3, "error code: protection, write");
	is(trap_cr2, (unsigned long)pte, "cr2: the entry");
	is(*pte, before, "the entry is as before");
	is(catch_trap(*pte_of((void *)page, 2) = 0), TRAP_PF, "a store to an L2");
	is(catch_trap(*pte_of((void *)page, 4) = 0), TRAP_PF, "a store to the root");
	is(catch_trap(*(volatile pte_t *)((unsigned long)pte & ~7UL) = writable), TRAP_NONE,
	   "a good store still works");
}

void guest_main(void)
{
	unsigned long *other = page_alloc();

	page = page_alloc();
	pte = pte_of((void *)page, 1);
	other[0] = 3;
	other_mfn = virt_to_mfn(other);
	writable = make_pte(virt_to_mfn((void *)page), PTE_WRITE);
	read_only = make_pte(virt_to_mfn((void *)page), PTE_READ_ONLY);

	is(catch_trap(*pte = read_only), TRAP_PF, "without vm_assist a store faults");
	is(trap_regs.error, 3, "error code: protection, write");
	is(vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0, "ask for it");
	store_kinds();
	flags();
	has_effect();
	refused();
	is(vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables), 0, "give it up");
	is(catch_trap(*pte = read_only), TRAP_PF, "a store faults again");
}
