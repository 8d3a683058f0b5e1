/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * map.c - the monitor's own map: what slots 256 to 271 of every root hold
 *
 * Built once from the heap with 2 MiB pages.  Until then machine memory below
 * 1 GiB is reached where the image is mapped (start.S).
 */
#include "mm.h"
#include "trap.h"

u64 hole_entries[MAX_HOLE_ENTRIES];
u8 pte_bytes, root_level;
u64 guest_low_end, guest_high_start;

#define SLOT(va) ((va) >> 39 & 511)
#define TABLE (PTE_P | PTE_RW | PTE_A)
#define LARGE (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_PS | PTE_NX)

u64 *frame_table, *m2p;
u8 *written;
u32 *lent;
u64 syscall_page;

static u64 heap_next, heap_end;
static bool mapped;

static void *early(u64 paddr)
{
	return mapped ? direct(paddr) : (void *)(IMAGE_VA + paddr);
}

void *heap_pages(u64 pages)
{
	u64 paddr = heap_next;

	if (pages > heap_left())
		panic(NULL, "heap exhausted");
	heap_next += pages << 12;
	return early(paddr);
}

u64 heap_left(void)
{
	return (heap_end - heap_next) >> 12;
}

static u64 *table_below(u64 *entry, u64 flags)
{
	if (!*entry)
		*entry = virt_to_paddr(heap_pages(1)) | TABLE | flags;
	return early(*entry & PTE_ADDR);
}

/* Map [paddr, paddr + bytes) at va by 2 MiB pages; all three are multiples. */
static void map_large(u64 va, u64 paddr, u64 bytes, u64 flags)
{
	for (u64 end = va + bytes; va < end; va += 0x200000, paddr += 0x200000) {
		u64 *l3 = table_below(&master_root[SLOT(va)], flags & PTE_U);
		u64 *l2 = table_below(&l3[va >> 30 & 511], flags & PTE_U);

		l2[va >> 21 & 511] = (paddr | LARGE | flags) & ~(flags & PTE_U ? PTE_RW : 0);
	}
}

/* One L1 a vCPU: its GDT and LDT. */
static void map_windows(void)
{
	for (u32 i = 0; i < boot->nr_vcpus; i++) {
		u64 va = WINDOW_GDT(i);
		u64 *l3 = table_below(&master_root[SLOT(va)], 0);
		u64 *l2 = table_below(&l3[va >> 30 & 511], 0);
		u64 *l1 = table_below(&l2[va >> 21 & 511], 0);

		vcpus[i].window = &l1[va >> 12 & 511];
	}
}

/* What the monitor uses inside the hole: local APIC, and QEMU's PCI. */
static void map_devices(void)
{
	static const u64 devices[] = { 0xfee00000, IVSHMEM_ECAM_PADDR, IVSHMEM_BAR_PADDR };

	for (u32 i = 0; i < ARRAY_SIZE(devices); i++)
		map_large(DIRECT_VA + (devices[i] & ~0x1fffffULL), devices[i] & ~0x1fffffULL,
			  0x200000, PTE_PCD | PTE_PWT);
}

/* Behind the M2P, the only other thing that the guest's ring 3 may touch. */
static void map_syscall_page(void)
{
	u64 va = M2P_VADDR(boot->flags) + boot->m2p_bytes;
	u64 *l3 = table_below(&master_root[SLOT(va)], PTE_U);
	u64 *l2 = table_below(&l3[va >> 30 & 511], PTE_U);
	u64 *l1 = table_below(&l2[va >> 21 & 511], PTE_U);
	u8 *code = heap_pages(1);

	*code = 0xf4; /* hlt */
	l1[0] = virt_to_paddr(code) | PTE_P | PTE_U | PTE_A;
	syscall_page = va;
}

/* Xen's part of a 32-bit guest's space: its machine-to-phys table, read-only. */
static void fill_hole(u64 start)
{
	u64 n = min(boot->m2p32_bytes, HOLE_END - start) >> 21;

	for (u64 i = 0; i < n; i++)
		hole_entries[i] = (boot->m2p32 + (i << 21)) | (LARGE & ~PTE_RW);
}

static void find_guest_space(void)
{
	static const u8 levels[] = { 4, 3, 2 };
	u64 hole = boot->paging == PAGING_PV32 ? HOLE32_TWO_LEVEL : HOLE32_PAE;

	guest32 = boot->paging != PAGING_PV64;
	root_level = levels[boot->paging];
	pte_bytes = boot->paging == PAGING_PV32 ? 4 : 8;
	guest_low_end = guest32 ? hole : 0x800000000000;
	guest_high_start = guest32 ? ~0ULL : MONITOR_VA_END;
	if (guest32)
		fill_hole(hole);
}

void map_init(void)
{
	u64 end = ((boot->end_mfn << 12) + 0x1fffff) & ~0x1fffffULL;

	heap_next = boot->heap;
	heap_end = boot->heap + boot->heap_bytes;
	map_large(DIRECT_VA, 0, min(end, HOLE_START), 0);
	if (end > HOLE_END)
		map_large(DIRECT_VA + HOLE_END, HOLE_END, end - HOLE_END, 0);
	map_devices();
	map_large(M2P_VADDR(boot->flags), boot->m2p, boot->m2p_bytes, PTE_U);
	map_windows();
	if (boot->flags & BOOT_SYSCALL_IN_RING3)
		map_syscall_page();
	mapped = true;
	master_root[0] = 0;
	tlb_flush();
	find_guest_space();
	frame_table = direct(boot->frame_table);
	m2p = direct(boot->m2p);
	lent = direct(boot->lent);
	if (boot->written)
		written = direct(boot->written);
}
