/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segments.c - descriptor tables and segment bases
 *
 * A vCPU's GDT is a window of 16 pages: the guest's frames are mapped into the
 * first 14, the monitor's own page with Xen's flat selectors is the 15th
 * (Xen's public arch-x86/xen.h, FIRST_RESERVED_GDT_PAGE).  The guest's LDT is
 * mapped behind it, page by page as the processor reads it.
 */
#include "abi-info.h"
#include "mm.h"
#include "trap.h"

#define DESC_DPL (3 << 13)
#define DESC_L (1 << 21)
#define DESC_S (1 << 12)
#define DESC_TYPE 0xf00
#define DESC_CALL_GATE 0xc00
#define DESC_P (1 << 15)
#define DESC_LIMIT 0xf0000
#define DESC_G (1 << 23)

static struct segment_descriptor own_gdt[MAX_VCPUS][512]
	__attribute__((aligned(4096), section(".bss.pages")));
bool ldt_mapped;

static u8 ist_stacks[MAX_VCPUS][4][2048] __attribute__((aligned(16)));

#define WINDOW_PTE (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

static void set_system(struct segment_descriptor *d, u32 type, u64 base, u32 limit)
{
	d[0].lo = base << 16 | (limit & 0xffff);
	d[0].hi = (base & 0xff000000) | (base >> 16 & 0xff) | DESC_P | type << 8 |
		  (limit & 0xf0000);
	d[1].lo = base >> 32;
	d[1].hi = 0;
}

static void fill_gdt(struct vcpu *v, struct segment_descriptor *gdt)
{
#define ENTRY(sel) gdt[((sel)-SEL_BASE) >> 3]
	ENTRY(SEL_CS) = (struct segment_descriptor){ 0xffff, 0x00af9b00 };
	ENTRY(SEL_DS) = (struct segment_descriptor){ 0xffff, 0x00cf9300 };
	ENTRY(SEL_RING1_CS) = (struct segment_descriptor){ 0xffff, 0x00cfbb00 };
	ENTRY(SEL_RING1_DS) = (struct segment_descriptor){ 0xffff, 0x00cfb300 };
	if (guest32) {
		ENTRY(SEL32_USER_CS) = (struct segment_descriptor){ 0xffff, 0x00cffb00 };
		ENTRY(SEL32_USER_DS) = (struct segment_descriptor){ 0xffff, 0x00cff300 };
	} else {
		ENTRY(SEL_USER_CS32) = (struct segment_descriptor){ 0xffff, 0x00cffb00 };
		ENTRY(SEL_USER_DS) = (struct segment_descriptor){ 0xffff, 0x00cff300 };
		ENTRY(SEL_USER_CS) = (struct segment_descriptor){ 0xffff, 0x00affb00 };
	}
	set_system(&ENTRY(SEL_TSS), 9, (u64)&v->tss, sizeof(v->tss) - 1);
#undef ENTRY
}

static void init_tss(struct vcpu *v)
{
	/* Which entry of ist[] each vector uses: traps.c, vector_ist() */
	v->tss.rsp[0] = v->stack;
	for (int i = 0; i < 4; i++)
		v->tss.ist[i] = (u64)ist_stacks[v->id][i + 1];
	v->tss.io_bitmap = sizeof(v->tss); /* beyond the limit: no port is allowed */
}

/* What isn't there is empty descriptors: #GP, as in Xen, where #PF would be odd. */
static u64 window_pte(u64 mfn)
{
	static const u8 zeroes[4096] __attribute__((aligned(4096)));

	return mfn ? mfn << 12 | WINDOW_PTE : virt_to_paddr(zeroes) | PTE_P | PTE_A | PTE_NX;
}

void segments_init(struct vcpu *v)
{
	struct segment_descriptor *gdt = own_gdt[v->id];
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) pointer = { GDT_PAGES * 4096 - 1, WINDOW_GDT(v->id) };

	init_tss(v);
	fill_gdt(v, gdt);
	for (u32 i = 0; i < GDT_PAGES; i++)
		v->window[i] = window_pte(0);
	v->window[GUEST_GDT_PAGES] = virt_to_paddr(gdt) | WINDOW_PTE;
	__asm__ volatile("lgdt %0" : : "m"(pointer));
	__asm__ volatile("pushq %0; lea 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
			 :
			 : "i"(SEL_CS)
			 : "rax", "memory");
	/* The guest starts with null selectors but for cs and ss, or with flat ones. */
	__asm__ volatile("mov %0, %%ss; mov %1, %%ds; mov %1, %%es"
			 :
			 : "r"(SEL_DS), "r"(guest32 ? SEL_RING1_DS : 0));
	if (guest32) {
		__asm__ volatile("mov %0, %%fs; mov %0, %%gs" : : "r"(SEL_RING1_DS));
		wrmsr(MSR_GS_BASE, (u64)v);
	}
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
	load_ldt(v);
}

/*
 * Segments from 0 that old kernels end in the hole, below what 32-bit Xen kept
 * there for itself, are flat under 64-bit Xen, whose M2P is larger.
 */
static void extend_limit(struct segment_descriptor *d)
{
	u64 base = (d->hi & 0xff0000ff) | d->lo >> 16;
	u64 size = ((d->hi & DESC_LIMIT) | (d->lo & 0xffff)) + 1;

	if (d->hi & DESC_G)
		size <<= 12;
	if (base == 0 && size > HOLE32_PAE) {
		d->lo |= 0xffff;
		d->hi |= DESC_LIMIT;
	}
}

/*
 * Data and code segments of the guest run at its kernel's ring at least.  A call gate's DPL
 * becomes 0, so that it can't be gone through; other system descriptors are refused, and left
 * as they are (Xen 4.17 arch/x86/pv/descriptor-tables.c, check_descriptor()).
 */
bool fixup_descriptor(struct segment_descriptor *d)
{
	u32 type = d->hi & DESC_TYPE;

	if (!(d->hi & DESC_P) || (!(d->hi & DESC_S) && type == 0))
		return true;
	if (d->hi & DESC_S) {
		if (guest32 && d->hi & DESC_L)
			return false;
		if ((d->hi & DESC_DPL) < guest_rpl() << 13)
			d->hi = (d->hi & ~DESC_DPL) | guest_rpl() << 13;
		if (ABI_EXTENDS_LIMITS && guest32)
			extend_limit(d);
		return true;
	}
	if (type != DESC_CALL_GATE || d->hi & (guest32 ? 0xe0 : 0xff))
		return false;
	d->hi &= ~DESC_DPL;
	return true;
}

long set_gdt(struct vcpu *v, const u64 *frames, u32 entries)
{
	u32 n = (entries + 511) / 512, taken;

	if (n > GUEST_GDT_PAGES)
		return -XEN_EINVAL;
	for (taken = 0; taken < n; taken++)
		if (frame_get(frames[taken], FRAME_DESCRIPTORS))
			goto fail;
	for (u32 i = 0; i < GUEST_GDT_PAGES; i++) {
		if (v->gdt_frames[i])
			frame_put(v->gdt_frames[i]);
		v->gdt_frames[i] = i < n ? frames[i] : 0;
		v->window[i] = window_pte(v->gdt_frames[i]);
		invlpg(WINDOW_GDT(v->id) + i * 4096);
	}
	v->gdt_entries = entries;
	v->reload = guest32;
	return 0;

fail:
	while (taken--)
		frame_put(frames[taken]);
	return -XEN_EINVAL;
}

/* A list of 4-byte numbers, made wide. */
static long copy_list32(u64 *to, u64 from, u32 n)
{
	u32 list[GUEST_GDT_PAGES];

	if (copy_from_guest(list, from, n * sizeof(*list)))
		return -XEN_EFAULT;
	while (n--)
		to[n] = list[n];
	return 0;
}

HANDLE2(do_set_gdt, list, entries)
{
	u64 frames[GUEST_GDT_PAGES];
	u32 n = ((u32)entries + 511) / 512;

	if ((u32)entries > GUEST_GDT_PAGES * 512)
		return -XEN_EINVAL;
	if (guest32 ? copy_list32(frames, list, n) : copy_from_guest(frames, list, n * 8))
		return -XEN_EFAULT;
	return set_gdt(this_vcpu(), frames, entries);
}

/* The frame that the guest maps at @va, with a reference as descriptors; or 0. */
static u64 ldt_frame(const struct vcpu *v, u64 va)
{
	/* User mode of a 64-bit guest has no mapping of it. */
	const void *slot = walk_kernel(v, va, 1);
	u64 pte = slot ? entry_read(slot) : 0;

	if (!(pte & PTE_P) || frame_get(pte_mfn(pte), FRAME_DESCRIPTORS))
		return 0;
	return pte_mfn(pte);
}

bool ldt_fault(struct vcpu *v, u64 addr)
{
	u64 offset = addr - WINDOW_LDT(v->id), page = offset >> 12, mfn;

	if (offset >= v->ldt_entries * 8UL)
		return false;
	mfn = ldt_frame(v, v->ldt_base + (page << 12));
	if (!mfn)
		return false;
	v->ldt_frames[page] = mfn;
	v->window[GDT_PAGES + page] = window_pte(mfn);
	ldt_mapped = true;
	return true;
}

void drop_ldt(struct vcpu *v)
{
	for (u32 i = 0; i < 16; i++) {
		if (!v->ldt_frames[i])
			continue;
		frame_put(v->ldt_frames[i]);
		v->ldt_frames[i] = 0;
		v->window[GDT_PAGES + i] = 0;
		invlpg(WINDOW_LDT(v->id) + i * 4096);
	}
	ldt_mapped = false;
	v->reload = guest32;
}

void load_ldt(struct vcpu *v)
{
	struct segment_descriptor *ldt = &own_gdt[v->id][(SEL_LDT - SEL_BASE) >> 3];

	drop_ldt(v);
	if (v->ldt_entries)
		set_system(ldt, 2, WINDOW_LDT(v->id), v->ldt_entries * 8 - 1);
	__asm__ volatile("lldt %w0" : : "r"(v->ldt_entries ? SEL_LDT : 0));
}

/* 32-bit guests pass both 64-bit arguments in two halves. */
HANDLE4(do_update_descriptor, a, b, c, e)
{
	u64 paddr = guest32 ? b << 32 | a : a;
	struct segment_descriptor d = { guest32 ? c : b, guest32 ? e : b >> 32 };
	u32 type;

	if ((paddr & 7) || !frame_owned(paddr >> 12) || !fixup_descriptor(&d))
		return -XEN_EINVAL;
	type = frame_type(frame_table[paddr >> 12]);
	if (type && type != FRAME_DESCRIPTORS)
		return -XEN_EINVAL;
	/* One store: the CPU may read the descriptor at any time. */
	WRITE_ONCE(*(u64 *)direct(paddr), (u64)d.hi << 32 | d.lo);
	this_vcpu()->reload = guest32;
	return 0;
}

/*
 * While the monitor runs, the guest's GS base is in MSR_KERNEL_GS_BASE: every
 * entry from the guest did swapgs.
 */
u64 guest_gs_base(void)
{
	return rdmsr(MSR_KERNEL_GS_BASE);
}

void set_guest_gs_base(u64 base)
{
	wrmsr(MSR_KERNEL_GS_BASE, base);
}

u64 guest_fs_base(void)
{
	u64 base;

	if (!features.fsgsbase)
		return rdmsr(MSR_FS_BASE);
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

void set_guest_fs_base(u64 base)
{
	if (!features.fsgsbase)
		wrmsr(MSR_FS_BASE, base);
	else
		__asm__ volatile("wrfsbase %0" : : "r"(base));
}

/*
 * Load a selector into %gs and tell the base it came with.  A selector that
 * faults becomes the null selector, as in Xen 4.17 do_set_segment_base().
 */
static u64 load_gs_selector(u16 selector)
{
	u64 own = rdmsr(MSR_GS_BASE), base;

	if (selector <= 3) {
		/* AMD keeps the base when a null selector is loaded. */
		__asm__ volatile("mov %w0, %%gs" : : "r"(selector) : "memory");
		wrmsr(MSR_GS_BASE, own);
		return 0;
	}
	selector |= 3;
	__asm__ volatile("1: mov %w0, %%gs\n"
			 ".pushsection .text.fixup, \"ax\"\n"
			 "2: xor %k0, %k0; jmp 1b\n"
			 ".popsection\n"
			 ".pushsection .extable, \"a\"\n"
			 ".quad 1b, 2b\n"
			 ".popsection"
			 : "+r"(selector)
			 :
			 : "memory");
	base = selector ? rdmsr(MSR_GS_BASE) : 0;
	wrmsr(MSR_GS_BASE, own);
	return base;
}

/* A register again with what is in it; 0 instead if that faults.  true: it did. */
#define RELOAD(reg)                                                                            \
	({                                                                                     \
		u32 failed_ = 0, selector_;                                                    \
		__asm__ volatile("mov %%" #reg ", %k1\n"                                       \
				 "1: mov %k1, %%" #reg "\n"                                    \
				 ".pushsection .text.fixup, \"ax\"\n"                          \
				 "2: inc %k0; xor %k1, %k1; jmp 1b\n"                          \
				 ".popsection\n"                                               \
				 ".pushsection .extable, \"a\"\n"                              \
				 ".quad 1b, 2b\n"                                              \
				 ".popsection"                                                 \
				 : "+r"(failed_), "=&r"(selector_)                             \
				 :                                                             \
				 : "memory");                                                  \
		failed_ != 0;                                                                  \
	})

void read_selectors(u16 selectors[4])
{
	__asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
			 : "=m"(selectors[0]), "=m"(selectors[1]), "=m"(selectors[2]),
			   "=m"(selectors[3]));
}

/*
 * A 32-bit Xen loads them on each way to the guest (Xen 3.1 x86_32/entry.S,
 * restore_all_guest), a 64-bit one now and then: often enough is when the table
 * that they came from has changed.
 */
void reload_segments(struct vcpu *v)
{
	u64 own = rdmsr(MSR_GS_BASE);
	u16 selectors[4];
	bool failed;

	v->reload = false;
	read_selectors(selectors);
	failed = RELOAD(ds) | RELOAD(es) | RELOAD(fs);
	if (selectors[3] > 3) {
		failed |= RELOAD(gs);
		set_guest_gs_base(rdmsr(MSR_GS_BASE));
		wrmsr(MSR_GS_BASE, own);
	}
	if (failed)
		deliver_failsafe(v, guest_regs(v), selectors);
}

HANDLE2(do_set_segment_base, which, base)
{
	struct vcpu *v = this_vcpu();

	if (guest32)
		return -XEN_ENOSYS;
	if (which < SEGBASE_GS_USER_SEL && !is_canonical(base))
		return -ABI_BAD_BASE;
	switch (which) {
	case SEGBASE_FS:
		set_guest_fs_base(base);
		return 0;
	case SEGBASE_GS_USER:
		v->gs_user = base;
		return 0;
	case SEGBASE_GS_KERNEL:
		set_guest_gs_base(base);
		return 0;
	case SEGBASE_GS_USER_SEL:
		v->gs_user = load_gs_selector(base);
		return 0;
	default:
		return -XEN_EINVAL;
	}
}
