/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segments - set_gdt, update_descriptor, set_ldt, set_segment_base
 */
#include "guest.h"

#define CODE64 0x00affb000000ffffULL /* DPL 3 */
#define CODE32_DPL1 0x00cfbb000000ffffULL
#define DATA 0x00cff3000000ffffULL /* DPL 3, flat */
#define DATA_BASE(base)                                                                        \
	(DATA | ((uint64_t)(base)&0xffffff) << 16 | ((uint64_t)(base)&0xff000000) << 32)
#define DATA_DPL0 0x00cf93000000ffffULL
#ifdef __x86_64__
#define RAISED_DPL 3ULL /* what Xen makes of DPL 0: the ring of the kernel */
#define LRET "lretq"
#else
#define RAISED_DPL 1ULL
#define LRET "lretl"
#endif
#define CALL_GATE 0x0000ec0000080000ULL
#define TSS 0x0000890000000067ULL
/* From a base to the end of a page, 32 bits, DPL 3 */
#define DATA_TO(base, end)                                                                     \
	(0x00c0f30000000000ULL | ((uint64_t)(end) >> 12 & 0xffff) |                            \
	 ((uint64_t)(end) >> 28) << 48 | (uint64_t)(base) << 16)
#define SELECTOR(index) ((index) << 3 | 3)
#define LDT_SELECTOR(index) ((index) << 3 | 7)

static uint64_t *gdt, *ldt;
static unsigned long gdt_frame;

static int load_es(unsigned int selector)
{
	return catch_trap(asm volatile("mov %0, %%" SPARE_SEGMENT : : "r"(selector)));
}

static unsigned int read_es(void)
{
	unsigned int es;

	asm volatile("mov %%" SPARE_SEGMENT ", %0" : "=r"(es));
	return es;
}

/* 64-bit hypercalls by syscall return to Xen's segment: trap before there is one. */
static int trap_in_segment(unsigned long selector)
{
	return catch_trap(asm volatile("push %0; push $1f; " LRET "; 1: ud2"
				       :
				       : "r"(selector)));
}

static void set_and_use_gdt(void)
{
	gdt[1] = PAGING_LEVELS == 4 ? CODE64 : CODE32_DPL1;
	gdt[2] = DATA;
	gdt[3] = DATA_DPL0;
	is(load_es(SELECTOR(2)), TRAP_GP, "without a GDT of ours: #GP");
	page_read_only(gdt);
	is(set_gdt(&gdt_frame, 512), 0, "a GDT that is mapped read-only is accepted");
	is(load_es(SELECTOR(2)), TRAP_NONE, "a data segment of it can be loaded");
	is(read_es(), SELECTOR(2), SPARE_SEGMENT);
	is(gdt[3] >> 45 & 3, RAISED_DPL, "Xen has raised DPL 0 to %llu in the table",
	   RAISED_DPL);
	is(page_read_write(gdt), REFUSED(-XEN_EBUSY),
	   "it can't be made writable while it is loaded");
	is(load_es(SELECTOR(9)), TRAP_GP, "an empty descriptor: #GP");
	is(trap_regs.error, SELECTOR(9) & ~3, "its error code is the selector");
	is(load_es(SELECTOR(600)), TRAP_GP, "beyond the table: #GP");
	is(load_es(0), TRAP_NONE, "the null selector");
}

#ifdef __x86_64__
/* 64-bit handlers run in Xen's own code segment, whatever their gates say. */
static void own_code_segment(void)
{
	struct trap_info table[2] = { { TRAP_UD, 0, 0x8, trap_stub(TRAP_UD) } };
	unsigned long cs;

	is(set_trap_table(table), 0, "a gate through our own code segment, RPL 0");
	is(catch_trap(asm volatile("ud2")), TRAP_UD, "works");
	asm volatile("mov %%cs, %0" : "=r"(cs));
	is(cs, FLAT_KERNEL_CS, "cs is Xen's");
	is(trap_in_segment(SELECTOR(1)), TRAP_UD, "a trap in our own code segment");
	is(trap_regs.cs, SELECTOR(1) & ~3, "cs in the frame, with RPL 0");
	set_gate(TRAP_UD, 0);
}
#else
/* Handlers run in the code segment that their gates name. */
static void own_code_segment(void)
{
	struct trap_info table[2] = { { TRAP_UD, 0, 1 << 3 | 1, trap_stub(TRAP_UD) } };
	unsigned long cs;

	is(set_trap_table(table), 0, "a gate through our own code segment, RPL 1");
	is(catch_trap(asm volatile("ud2")), TRAP_UD, "works");
	asm volatile("mov %%cs, %0" : "=r"(cs));
	is(cs, 1 << 3 | 1, "cs is our own");
	is(trap_in_segment(FLAT_KERNEL_CS), TRAP_UD, "back in Xen's code segment");
	is(trap_regs.cs, FLAT_KERNEL_CS, "cs in the frame");
	set_gate(TRAP_UD, 0);
	is(trap_in_segment(1 << 3 | 1), TRAP_UD, "a trap in our own code segment");
	is(trap_regs.cs, 1 << 3 | 1, "cs in the frame");
	asm volatile("mov %%cs, %0" : "=r"(cs));
	is(cs, FLAT_KERNEL_CS, "through a gate with Xen's");
}
#endif

static void descriptors(void)
{
	uint64_t at = virt_to_maddr(gdt);

	is(update_descriptor(at + 9 * 8, DATA_DPL0), 0, "update_descriptor");
	is(gdt[9], DATA_DPL0 | RAISED_DPL << 45, "writes the descriptor with DPL %llu",
	   RAISED_DPL);
	is(load_es(9 << 3 | RAISED_DPL), TRAP_NONE, "and it can be loaded");
	load_es(0);
	is(update_descriptor(at + 9 * 8, 0), 0, "an empty descriptor");
	is(load_es(SELECTOR(9)), TRAP_GP, "it is gone");
	is(update_descriptor(at + 10 * 8, CALL_GATE & ~(3ULL << 45)), 0, "a call gate");
	is(update_descriptor(at + 10 * 8, TSS), -XEN_EINVAL, "a TSS is refused");
	is(update_descriptor(at + 10 * 8 + 4, DATA), -XEN_EINVAL, "an unaligned address");
	is(update_descriptor(0x1000, DATA), -XEN_EINVAL, "a frame that is not ours");
	update_descriptor(at + 10 * 8, 0);
}

static long set_ldt(const void *table, unsigned int entries)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT,
				.arg1.linear_addr = (unsigned long)table,
				.arg2.nr_ents = entries };

	return mmuext_op(&op, 1, NULL, DOMID_SELF);
}

/* Pages of an LDT count when they are used, whatever was there when it was set. */
static void late_page(void)
{
	uint64_t *pages = page_alloc(), *second = page_alloc();

	if (second != pages + 512)
		bail_out("pages are not adjacent");
	second[0] = DATA;
	page_read_only(pages);
	set_page(second, 0);
	is(set_ldt(pages, 1024), 0, "an LDT whose second page is not mapped");
	is(load_es(LDT_SELECTOR(512)), TRAP_PF, "a segment of that page: #PF");
	is(trap_cr2, (unsigned long)second, "at its address in the LDT");
	is(page_read_only(second), 0, "the page is mapped");
	is(load_es(LDT_SELECTOR(512)), TRAP_NONE, "its segment can be loaded");
	load_es(0);
	set_ldt(NULL, 0);
	is(page_read_write(second), 0, "the page is free");
}

/*
 * An entry that maps a page of the LDT changes: 3.x follows (put_page_from_l1e()),
 * today's Xen keeps what it has read.
 */
static void remapped(void)
{
	bool follows = !xen_since(4, 0);
	uint64_t *first = page_alloc(), *second = page_alloc();
	pte_t *pte = pte_of(first, 1), to_first = make_pte(virt_to_mfn(first), PTE_READ_ONLY);

	first[1] = second[2] = DATA;
	page_read_only(first);
	page_read_only(second);
	is(set_ldt(first, 512), 0, "an LDT");
	is(load_es(LDT_SELECTOR(1)), TRAP_NONE, "its segment can be loaded");
	load_es(0);
	is(set_pte(pte, make_pte(virt_to_mfn(second), PTE_READ_ONLY)), 0,
	   "another frame there");
	is(load_es(LDT_SELECTOR(1)), follows ? TRAP_GP : TRAP_NONE,
	   "in 3.x the segment is gone");
	is(load_es(LDT_SELECTOR(2)), follows ? TRAP_NONE : TRAP_GP,
	   "the other frame's is there");
	load_es(0);
	vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
	*(volatile unsigned long *)pte = to_first;
	vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
	is(load_es(LDT_SELECTOR(2)), TRAP_GP, "the first frame again, by a store");
	is(load_es(LDT_SELECTOR(1)), TRAP_NONE, "its segment is there");
	load_es(0);
	is(set_pte(pte, 0), 0, "no frame there");
	is(load_es(LDT_SELECTOR(1)), follows ? TRAP_PF : TRAP_NONE, "its segment: in 3.x #PF");
	load_es(0);
	is(set_page(first, PTE_WRITE), follows ? 0 : -XEN_EBUSY, "in 3.x the frame is free");
	set_ldt(NULL, 0);
	page_read_write(first);
	page_read_write(second);
}

#if PAGING_LEVELS != 3
#define ELSEWHERE 0x40000000UL /* of the root, and nothing else is there */

static void other_root(void)
{
	pte_t *old = kernel_root(), *root = page_alloc(), *below, *table;
	unsigned long slot = ELSEWHERE >> LEVEL_SHIFT(PAGING_LEVELS);
	uint64_t *page = page_alloc();

	memcpy(root, old, PAGE_SIZE);
	page_read_only(root);
	page[1] = DATA;
	page_read_only(page);
	below = (pte_t *)page;
	for (unsigned int level = 1; level < PAGING_LEVELS; level++) {
		table = page_alloc();
		table[ELSEWHERE >> LEVEL_SHIFT(level) & (PTES_PER_TABLE - 1)] =
			make_pte(virt_to_mfn(below), level > 1 ? PTE_TABLE : PTE_READ_ONLY);
		page_read_only(table);
		below = table;
	}
	is(set_pte(&old[slot], make_pte(virt_to_mfn(below), PTE_TABLE)), 0,
	   "an LDT that only this root maps");
	set_ldt((void *)ELSEWHERE, 512);
	is(load_es(LDT_SELECTOR(1)), TRAP_NONE, "its segment can be loaded");
	load_es(0);
	is(set_kernel_root(root), 0, "another root");
	is(load_es(LDT_SELECTOR(1)), TRAP_PF, "its segment: #PF");
	set_kernel_root(old);
	is(load_es(LDT_SELECTOR(1)), TRAP_NONE, "the first root: it can be loaded");
	load_es(0);
	set_ldt(NULL, 0);
	set_pte(&old[slot], 0);
}
#endif

/* An LDT with a descriptor that is refused: it is none, and nothing in it was changed. */
static void bad_descriptor(void)
{
	uint64_t *table = page_alloc();

	table[1] = DATA;
	table[2] = TSS | 3ULL << 45;
	page_read_only(table);
	is(set_ldt(table, 512), 0, "an LDT with a TSS in it");
	is(load_es(LDT_SELECTOR(1)), TRAP_PF, "is not read: #PF");
	set_ldt(NULL, 0);
	is(page_read_write(table), 0, "it is a page still");
	is(table[2], TSS | 3ULL << 45, "the TSS is as it was");
}

static void local_table(void)
{
	ldt[1] = DATA;
	is(load_es(LDT_SELECTOR(1)), TRAP_GP, "without an LDT: #GP");
	page_read_only(ldt);
	is(set_ldt(ldt, 512), 0, "MMUEXT_SET_LDT");
	is(load_es(LDT_SELECTOR(1)), TRAP_NONE, "a segment of it can be loaded");
	is(read_es(), LDT_SELECTOR(1), SPARE_SEGMENT);
	is(load_es(LDT_SELECTOR(2)), TRAP_GP, "an empty descriptor: #GP");
	is(update_descriptor(virt_to_maddr(&ldt[2]), DATA), 0, "update_descriptor in the LDT");
	is(load_es(LDT_SELECTOR(2)), TRAP_NONE, "it can be loaded");
	load_es(0);
	is(set_ldt(ldt, 8193), -XEN_EINVAL, "more than 8192 entries");
	is(set_ldt(ldt + 1, 16), -XEN_EINVAL, "an unaligned table");
	is(set_ldt(NULL, 0), 0, "no LDT");
	is(load_es(LDT_SELECTOR(1)), TRAP_GP, "its segments are gone");
	is(page_read_write(ldt), 0, "the page is free");
}

#ifdef __x86_64__
static void bases(void)
{
	static unsigned long words[3] = { 0x1111, 0x2222, 0x3333 };
	unsigned long v;

	is(set_segment_base(SEGBASE_FS, (unsigned long)&words[0]), 0, "SEGBASE_FS");
	asm volatile("mov %%fs:0, %0" : "=r"(v));
	is(v, 0x1111, "is the base of fs");
	is(set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)&words[1]), 0,
	   "SEGBASE_GS_KERNEL");
	asm volatile("mov %%gs:0, %0" : "=r"(v));
	is(v, 0x2222, "is the base of gs in the kernel");
	is(set_segment_base(SEGBASE_GS_USER, (unsigned long)&words[2]), 0, "SEGBASE_GS_USER");
	asm volatile("mov %%gs:0, %0" : "=r"(v));
	is(v, 0x2222, "leaves the kernel's alone");
	is(set_segment_base(SEGBASE_FS, 1UL << 63), xen_since(4, 0) ? -XEN_EINVAL : -XEN_EFAULT,
	   "a non-canonical base");
	is(set_segment_base(99, 0), -XEN_EINVAL, "an unknown segment");
	is(set_segment_base(SEGBASE_GS_USER_SEL, SELECTOR(2)), 0, "SEGBASE_GS_USER_SEL");
	is(set_segment_base(SEGBASE_GS_USER_SEL, SELECTOR(9)), 0, "with a bad selector, too");
	asm volatile("mov %%gs:0, %0" : "=r"(v));
	is(v, 0x2222, "leaves the kernel's base alone");
}

USER_SNIPPET(user_gs, "mov %gs:0, %rax; ud2");

/* Between kernel and user mode gs changes by itself. */
static void user_base(void)
{
	struct user user;
	unsigned long v;
	static unsigned long word = 0x2222;

	user_create(&user);
	*(unsigned long *)user.data = 0x4444;
	set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)&word);
	set_segment_base(SEGBASE_GS_USER, USER_DATA);
	is(run_user(&user, user_gs, user_gs_end, 0), TRAP_UD, "user code reads through gs");
	is(trap_regs.ax, 0x4444, "with its own base");
	asm volatile("mov %%gs:0, %0" : "=r"(v));
	is(v, 0x2222, "the kernel has its own again");
}

#else
static void descriptor_becomes(uint64_t value, uint64_t want, const char *name)
{
	update_descriptor(virt_to_maddr(&gdt[5]), value);
	if (xen_since(4, 0))
		is(gdt[5], want, "%s", name);
	else
		skip("Xen 3 cuts segments", "%s", name);
}

/*
 * Old PAE kernels end their segments in Xen's hole, below what 32-bit Xen had
 * there for itself; Xen 4 gives them all of its larger M2P.
 */
static void extended(void)
{
	descriptor_becomes(DATA_TO(0, 0xf67fffff), DATA,
			   "a segment from 0 into Xen's hole reaches to 4 GiB");
	descriptor_becomes(DATA_TO(0, 0xf57fffff), DATA_TO(0, 0xf57fffff),
			   "one that ends below it is kept");
	descriptor_becomes(DATA_TO(0x1000, 0xf67fffff), DATA_TO(0x1000, 0xf67fffff),
			   "and one from elsewhere");
}

/* The base of a descriptor counts. */
static void bases(void)
{
	static unsigned long word = 0x1111;
	unsigned long v;

	is(update_descriptor(virt_to_maddr(&gdt[5]), DATA_BASE((unsigned long)&word)), 0,
	   "a descriptor with a base");
	is(load_es(SELECTOR(5)), TRAP_NONE, "it can be loaded");
	asm volatile("mov %%" SPARE_SEGMENT ":0, %0" : "=r"(v));
	is(v, 0x1111, "its base is used");
	load_es(0);
	is(HYPERCALL2(__HYPERVISOR_set_segment_base, 0, 0), -XEN_ENOSYS,
	   "set_segment_base is for 64-bit guests");
	if (PAGING_LEVELS == 3)
		extended();
}

USER_SNIPPET(user_fs, "mov $0x2b, %ecx; mov %ecx, %fs; mov %fs:0, %eax; ud2");

/* User mode loads its own, as thread-local storage does. */
static void user_base(void)
{
	struct user user;

	user_create(&user);
	*(unsigned long *)user.data = 0x4444;
	update_descriptor(virt_to_maddr(&gdt[5]), DATA_BASE(USER_DATA));
	is(run_user(&user, user_fs, user_fs_end, 0), TRAP_UD, "user code reads through fs");
	is(trap_regs.ax, 0x4444, "with its own base");
	load_es(0);
}
#endif

static void give_up(void)
{
	is(set_gdt(NULL, 0), 0, "no GDT");
	is(load_es(SELECTOR(2)), TRAP_GP, "its segments are gone");
	is(page_read_write(gdt), 0, "the page is free");
	is(set_gdt(&gdt_frame, 14 * 512 + 1), -XEN_EINVAL, "more than 14 pages");
	gdt[1] = TSS;
	page_read_only(gdt);
	ok(set_gdt(&gdt_frame, 512) < 0, "a GDT with a TSS is refused");
}

void guest_main(void)
{
	gdt = page_alloc();
	ldt = page_alloc();
	gdt_frame = virt_to_mfn(gdt);
	set_and_use_gdt();
	own_code_segment();
	descriptors();
	bad_descriptor();
	local_table();
	late_page();
	remapped();
#if PAGING_LEVELS != 3
	other_root();
#endif
	bases();
	user_base();
	give_up();
}
