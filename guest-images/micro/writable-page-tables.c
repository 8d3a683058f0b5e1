/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writable-page-tables - stores to L1 tables that are mapped read-only are
 * carried out by Xen once vm_assist asks for it, whatever the instruction
 */
#include "guest.h"

/* A bit of the available ones that Xen uses itself in 64-bit guests' entries. */
#define XENS_BIT (PAGING_LEVELS == 4 ? 1ULL << 52 : 0)

static volatile unsigned long *page;
static volatile pte_t *pte; /* the L1 entry of page, in its read-only mapping */
static unsigned long other_mfn;
static pte_t writable, read_only;
#if PAGING_LEVELS > 2
static pte_t value; /* operand of the instruction; survives a trap */
#endif

static void check(const char *how, pte_t want)
{
	is(*pte & ~((pte_t)(PTE_A | PTE_D | PTE_G | XENS_BIT)), want & ~(PTE_A | PTE_D), "%s",
	   how);
}

#ifdef __x86_64__
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

#else
/* Instructions of 4 bytes, which is half an entry with PAE. */
static volatile uint32_t *low;
static uint32_t half;

static void store_kinds(void)
{
	low = (volatile uint32_t *)pte;
	is(catch_trap(*low = (uint32_t)read_only), TRAP_NONE, "mov is emulated");
	check("mov", read_only);
	half = (uint32_t)writable;
	is(catch_trap(asm volatile("xchg %0, %1"
				   : "+r"(half), "+m"(*low))),
	   TRAP_NONE, "xchg is emulated");
	check("xchg: new value", writable);
	is(half & (PTE_P | PTE_RW), PTE_P, "xchg: old value");

	half = *low;
	is(catch_trap(asm volatile("lock cmpxchg %2, %1"
				   : "+a"(half), "+m"(*low)
				   : "r"((uint32_t)read_only)
				   : "cc")),
	   TRAP_NONE, "cmpxchg is emulated");
	check("cmpxchg: equal", read_only);
	half = 0x12345;
	is(catch_trap(asm volatile("lock cmpxchg %2, %1"
				   : "+a"(half), "+m"(*low)
				   : "r"((uint32_t)writable)
				   : "cc")),
	   TRAP_NONE, "cmpxchg with another value");
	check("cmpxchg: not equal", read_only);
	is(half, *low, "cmpxchg: the value it found");

	is(catch_trap(asm volatile("lock btsl $1, %0"
				   : "+m"(*low)
				   :
				   : "cc")),
	   TRAP_NONE, "bts is emulated");
	check("bts", writable);
	is(catch_trap(asm volatile("lock btrl $1, %0"
				   : "+m"(*low)
				   :
				   : "cc")),
	   TRAP_NONE, "btr is emulated");
	check("btr", read_only);
	is(catch_trap(asm volatile("lock orl $2, %0"
				   : "+m"(*low)
				   :
				   : "cc")),
	   TRAP_NONE, "or is emulated");
	check("or", writable);
	is(catch_trap(asm volatile("lock andl $~2, %0"
				   : "+m"(*low)
				   :
				   : "cc")),
	   TRAP_NONE, "and is emulated");
	check("and", read_only);
#if PAGING_LEVELS == 3
	value = *pte;
	is(catch_trap(asm volatile("lock cmpxchg8b %1"
				   : "+A"(value), "+m"(*pte)
				   : "b"((uint32_t)writable), "c"((uint32_t)(writable >> 32))
				   : "cc")),
	   TRAP_NONE, "cmpxchg8b is emulated");
	check("cmpxchg8b: equal", writable);
	value = 0x12345;
	is(catch_trap(asm volatile("lock cmpxchg8b %1"
				   : "+A"(value), "+m"(*pte)
				   : "b"(0), "c"(0)
				   : "cc")),
	   TRAP_NONE, "cmpxchg8b with another value");
	check("cmpxchg8b: not equal", writable);
	is(value, *pte, "cmpxchg8b: the value it found");
#endif
	is(catch_trap(asm volatile("movl $0, %0"
				   : "+m"(*low))),
	   TRAP_NONE, "mov of an immediate is emulated");
	is(*low, 0, "mov immediate");
	half = (uint32_t)read_only;
	is(catch_trap(asm volatile("stosl"
				   :
				   : "D"(low), "a"(half)
				   : "memory")),
	   TRAP_NONE, "stos is emulated");
	check("stos", read_only);
	*low = (uint32_t)writable;
}
#endif

/* An instruction on the lower half of an entry: what it leaves there */
#define FORM(how, want, insn, ...)                                                             \
	do {                                                                                   \
		is(catch_trap(asm volatile(insn __VA_ARGS__)), TRAP_NONE, "%s is emulated",    \
		   how);                                                                       \
		is(*word, (uint32_t)(want), "%s", how);                                        \
	} while (0)

#define IN_PLACE : "+m"(*word) : : "cc"

/* What no kernel is known to use on page tables, but Xen's emulators have. */
static void other_forms(void)
{
	volatile uint32_t *word = (volatile uint32_t *)pte;
	static uint32_t source;
	uint32_t present;

	*pte = read_only;
	present = *word;
	FORM("es: mov", present, ".byte 0x26; movl %1, %0", : "+m"(*word) : "r"(present));
	FORM("ss: mov", present, ".byte 0x36; movl %1, %0", : "+m"(*word) : "r"(present));
	FORM("inc", present + 1, "incl %0", IN_PLACE);
	FORM("dec", present, "decl %0", IN_PLACE);
	FORM("adc", present + 1, "stc; adcl $0, %0", IN_PLACE);
	FORM("sbb", present, "stc; sbbl $0, %0", IN_PLACE);
	*word = ~present;
	FORM("not", present, "notl %0", IN_PLACE);
	*word = 2;
	FORM("neg", -2, "negl %0", IN_PLACE);
	source = present;
	FORM("movs", present, "movsl", : : "D"(word), "S"(&source) : "memory");
	*word = present & ~0xffU;
	FORM("mov of ah", present, "movb %%ah, (%0)",
	     :
	     : "D"(word), "a"((present & 0xff) << 8)
	     : "memory");
#ifdef __x86_64__
	*word = present & ~0xffffU;
	FORM("REX that is no prefix: mov of ax", present, ".byte 0x48, 0x66, 0x89, 0x07",
	     :
	     : "D"(word), "a"(present)
	     : "memory");
#endif
	*pte = writable;
}

static unsigned char clear_bit_flag(void)
{
	unsigned char carry;

	asm volatile("lock btrl $1, %0; setc %1"
		     : "+m"(*(volatile uint32_t *)pte), "=qm"(carry)
		     :
		     : "cc");
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

/* With PAE a plain store of half an entry is another matter: halves(). */
static void store_bad_frame(void)
{
#if PAGING_LEVELS == 3
	uint32_t bad = make_pte(1, PTE_WRITE);

	asm volatile("xchg %0, %1" : "+r"(bad), "+m"(*low));
#else
	*pte = make_pte(1, PTE_WRITE);
#endif
}

static void refused(void)
{
	pte_t before = *pte;

	is(catch_trap(store_bad_frame()), TRAP_PF,
	   "a frame that is not ours: the store's own page fault");
	is(trap_regs.error, 3, "error code: protection, write");
	is(trap_cr2, (unsigned long)pte, "cr2: the entry");
	is(*pte, before, "the entry is as before");
	is(catch_trap(*pte_of((void *)page, 2) = 0), TRAP_PF, "a store to an L2");
	is(catch_trap(*kernel_root() = 0), TRAP_PF, "a store to the root");
	is(catch_trap(*(volatile pte_t *)((unsigned long)pte & ~7UL) = writable), TRAP_NONE,
	   "a good store still works");
}

/* What maps the table was not used yet: two-level guests' shadow has nothing of it. */
static void first_use(void)
{
	pte_t *table = (pte_t *)((unsigned long)pte & ~4095UL), *slot = pte_of(table, 1);

	set_pte(slot, make_pte(virt_to_mfn(table), PTE_READ_ONLY & ~PTE_A));
	flush_tlb();
	is(catch_trap(*pte = writable), TRAP_NONE, "a store through a mapping without A");
	check("mapping without A", writable);
	set_pte(slot, make_pte(virt_to_mfn(table), PTE_READ_ONLY));
}

static unsigned char two[2 * PAGE_SIZE] __attribute__((aligned(4096)));

/* %cr2 is the start of the table then, which is not where the operand is. */
static void page_crossing(void)
{
	volatile pte_t *table = (pte_t *)((unsigned long)pte & ~4095UL);
	volatile pte_t *alias = (pte_t *)(two + PAGE_SIZE);
	pte_t before = table[0];

	set_page((void *)alias, 0);
	set_pte(pte_of((void *)alias, 1), make_pte(virt_to_mfn((void *)table), PTE_READ_ONLY));
	flush_tlb();
	is(catch_trap(*(volatile uint32_t *)(two + 4094) = 0x55667700), TRAP_PF,
	   "a store that begins on a writable page and ends in a table");
	is(trap_cr2, (unsigned long)alias, "cr2: the table");
	is(table[0], before, "the table is as before");
	is(catch_trap(asm volatile("lock btsl $1, 4(%0, %1, 4)"
				   :
				   : "r"(two), "r"(PAGE_SIZE / 4 - 1)
				   : "cc", "memory")),
	   TRAP_NONE, "the table's first entry by base, index, displacement");
	is(catch_trap(alias[0] = before), TRAP_NONE, "and by its address");
	page_read_write((void *)alias);
}

#if PAGING_LEVELS == 3
/*
 * Half an entry that is no good one, by a plain store: the other half is expected,
 * and the entry not present until then (ptwr_emulated_update(); 3.0.3: both halves).
 */
static void halves(void)
{
	volatile uint32_t *high = low + 1;
	pte_t before;

	*pte = writable;
	before = *pte;
	is(catch_trap(*high = 1), TRAP_NONE,
	   "the upper half first, of a frame that is not ours");
	is(*pte, (before | 1ULL << 32) & ~(pte_t)PTE_P, "it is stored, but not present");
	is(catch_trap(*high = 0), TRAP_NONE, "the upper half again");
	is(catch_trap(*low = (uint32_t)writable), TRAP_NONE, "and the lower one");
	check("a good entry", writable);
	half = 1;
	is(catch_trap(asm volatile("xchg %0, %1"
				   : "+r"(half), "+m"(*high))),
	   TRAP_PF, "not by xchg");
	is(catch_trap(*low = make_pte(1, PTE_WRITE)), xen_since(3, 1) ? TRAP_PF : TRAP_NONE,
	   "the lower half of a frame that is not ours");
	is(*low & PTE_P, xen_since(3, 1) ? PTE_P : 0,
	   "present as before; on 3.0.3 not present");
	*low = (uint32_t)writable;
}
#endif

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
	other_forms();
	flags();
	has_effect();
	refused();
	first_use();
	page_crossing();
#if PAGING_LEVELS == 3
	halves();
#endif
	is(vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables), 0, "give it up");
	is(catch_trap(*pte = read_only), TRAP_PF, "a store faults again");
}
