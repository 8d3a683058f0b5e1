/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entry-state - what a kernel finds at its first instruction: registers,
 * start_info, the order of the boot pages, their mappings, P2M and M2P
 */
#include "guest.h"

#define MIB (1UL << 20)
#define TABLE_BYTES (1UL << LEVEL_SHIFT(2)) /* that an L1 maps */

#if PAGING_LEVELS == 4
#define UPPER_TABLES 3
#define UPPER_TABLE_NAMES "an L4, an L3, an L2"
#elif PAGING_LEVELS == 3
#define UPPER_TABLES 2
#define UPPER_TABLE_NAMES "an L3, an L2"
#else
#define UPPER_TABLES 1
#define UPPER_TABLE_NAMES "an L2"
#endif

static unsigned long boot_pages_end; /* address after the boot stack */

static void registers(void)
{
	const struct entry_state *e = &entry_state;
	unsigned long others = e->ax | e->bx | e->cx | e->dx | e->di | e->bp;

#ifdef __x86_64__
	others |= e->r8 | e->r9 | e->r10 | e->r11 | e->r12 | e->r13 | e->r14 | e->r15;
#endif

	is(e->si, (unsigned long)start_info, "rsi points to start_info");
	is(others, 0, "other registers are 0");
	is(e->cs, FLAT_KERNEL_CS, "cs");
	is(e->ss, FLAT_KERNEL_SS, "ss");
	is(e->ds, FLAT_KERNEL_DS, "ds");
	is(e->es, FLAT_KERNEL_DS, "es");
	is(e->fs, FLAT_KERNEL_DS, "fs");
	is(e->gs, FLAT_KERNEL_DS, "gs");
	is(e->flags & FLAG_IF, FLAG_IF, "rflags.IF is really set");
	is(e->flags & ~FLAG_IF, 2, "no other flag is set");
}

static void upcalls(void)
{
	unsigned int i, masked = 0, pending = 0;

	is(vcpu_info->evtchn_upcall_mask, 1, "upcalls are masked");
	is(vcpu_info->evtchn_upcall_pending, 0, "no upcall is pending");
	for (i = 0; i < EVENT_PORTS; i++) {
		masked += event_masked(i);
		pending += event_pending(i);
	}
	is(masked, 2, "no port is masked but those that our start.c masked");
	ok(pending <= 2, "no port is pending but those of console and store");
}

static void info(void)
{
	const struct start_info *si = start_info;

	ok(!strncmp(si->magic, START_INFO_MAGIC, sizeof(si->magic)), "start_info.magic");
	ok(si->nr_pages >= 16 * MIB / PAGE_SIZE, "start_info.nr_pages is plausible");
	diag("nr_pages %lu", si->nr_pages);
	is(si->shared_info & (PAGE_SIZE - 1), 0, "shared_info is a machine address of a page");
	is(si->flags, 0, "flags");
	ok(si->store_evtchn && si->console.domU.evtchn &&
		   si->store_evtchn != si->console.domU.evtchn,
	   "console and store have event channels");
	is(si->mod_start, 0, "no module: mod_start");
	is(si->mod_len, 0, "no module: mod_len");
	is(si->cmd_line[0], 0, "empty command line");
	is(si->first_p2m_pfn, 0, "first_p2m_pfn is 0 without INIT_P2M");
	is(si->nr_p2m_frames, 0, "nr_p2m_frames is 0 without INIT_P2M");
}

/* Xen 4.17 tools/libs/guest/xg_dom_core.c and xg_dom_x86.c: the segments' order */
static void order(void)
{
	const struct start_info *si = start_info;
	unsigned long p2m_pages = (si->nr_pages * sizeof(long) + PAGE_SIZE - 1) / PAGE_SIZE;
	unsigned long at = ((unsigned long)image_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	is(si->mfn_list, at, "the P2M list follows the image");
	at += p2m_pages * PAGE_SIZE;
	is((unsigned long)si, at, "start_info follows the P2M list");
	at += PAGE_SIZE;
	is((unsigned long)mfn_to_virt(si->store_mfn), at, "the store page follows start_info");
	at += PAGE_SIZE;
	is((unsigned long)mfn_to_virt(si->console.domU.mfn), at,
	   "the console page follows the store page");
	at += PAGE_SIZE;
	is(si->pt_base, at, "the page tables follow the console page");
	at += si->nr_pt_frames * PAGE_SIZE + PAGE_SIZE;
	is(entry_state.sp, at, "the stack is a page after the page tables, rsp its end");
	boot_pages_end = at;
}

static bool is_table(unsigned long va)
{
	return va >= start_info->pt_base &&
	       va < start_info->pt_base + start_info->nr_pt_frames * PAGE_SIZE;
}

static void mappings(void)
{
	unsigned long end = (boot_pages_end + 512 * 1024 + 4 * MIB - 1) & ~(4 * MIB - 1);
	unsigned long va, wrong_frame = 0, wrong_rw = 0;

	for (va = VIRT_BASE; va < end; va += PAGE_SIZE) {
		const pte_t *pte = pte_of((void *)va, 1);

		if (va == (unsigned long)shared_info)
			continue; /* mapped elsewhere by our start.c */
		if (!pte || !(*pte & PTE_P) || pte_mfn(*pte) != virt_to_mfn((void *)va)) {
			wrong_frame++;
			continue;
		}
		if (!(*pte & PTE_RW) != is_table(va))
			wrong_rw++;
	}
	is(wrong_frame, 0, "all up to 4 MiB boundary and 512 KiB of slack is mapped");
	is(wrong_rw, 0, "page tables are mapped read-only, all else read-write");
	ok(!pte_of((void *)end, 1) || !(*pte_of((void *)end, 1) & PTE_P),
	   "nothing is mapped after that");
	is(start_info->nr_pt_frames, UPPER_TABLES + (end - VIRT_BASE) / TABLE_BYTES,
	   "nr_pt_frames: " UPPER_TABLE_NAMES ", the L1s");
	diag("flags of an L1 entry %llx, of an L2 entry %llx",
	     (unsigned long long)*pte_of((void *)VIRT_BASE, 1) & ~PTE_FRAME_MASK,
	     (unsigned long long)*pte_of((void *)VIRT_BASE, 2) & ~PTE_FRAME_MASK);
}

static void frames(void)
{
	const unsigned long *p2m = (const unsigned long *)start_info->mfn_list;
	unsigned long pfn, wrong = 0;

	for (pfn = 0; pfn < start_info->nr_pages; pfn++)
		wrong += machine_to_phys_mapping[p2m[pfn]] != pfn;
	is(wrong, 0, "M2P and P2M agree on every page");
	is(catch_trap(READ_ONCE(machine_to_phys_mapping[0])), TRAP_NONE, "the M2P can be read");
	is(catch_trap(WRITE_ONCE(machine_to_phys_mapping[p2m[0]], 1)), TRAP_PF,
	   "the M2P can't be written");
}

static void root_is_pinned(void)
{
	unsigned long mfn = virt_to_mfn((void *)start_info->pt_base);

	is(mmuext(MMUEXT_UNPIN_TABLE, mfn), 0, "the root is pinned: it can be unpinned");
	is(mmuext(MMUEXT_UNPIN_TABLE, mfn), -XEN_EINVAL, "but only once");
	is(mmuext(PIN_ROOT, mfn), 0, "and pinned again");
}

void guest_main(void)
{
	registers();
	upcalls();
	info();
	order();
	mappings();
	frames();
	root_is_pinned();
}
