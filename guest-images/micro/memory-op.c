/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-op - giving pages back and getting others, reservations, the M2P's
 * place, the memory map
 */
#include "guest.h"

#define COUNT 4

static char *pages[COUNT];
static xen_pfn_t frames[COUNT];

static long reservation(unsigned int cmd, unsigned int count)
{
	struct xen_memory_reservation arg = { .nr_extents = count, .domid = DOMID_SELF };

	set_xen_guest_handle(arg.extent_start, frames);
	return memory_op(cmd, &arg);
}

static long query(unsigned int cmd)
{
	domid_t self = DOMID_SELF;

	return memory_op(cmd, &self);
}

static unsigned long pfn_of(const void *va)
{
	return ((unsigned long)va - VIRT_BASE) >> PAGE_SHIFT;
}

static void give_back(void)
{
	long before = query(XENMEM_current_reservation);
	unsigned int i;

	is(before, start_info->nr_pages, "current_reservation: nr_pages");
	ok(query(XENMEM_maximum_reservation) >= before,
	   "maximum_reservation is not below that");
	for (i = 0; i < COUNT; i++) {
		pages[i] = page_alloc();
		frames[i] = virt_to_mfn(pages[i]);
		set_page(pages[i], 0);
	}
	is(reservation(XENMEM_decrease_reservation, COUNT), COUNT, "decrease_reservation");
	is(query(XENMEM_current_reservation), before - COUNT, "current_reservation is less");
	ok(machine_to_phys_mapping[frames[0]] != pfn_of(pages[0]), "the M2P has forgotten it");
	ok(update_va_mapping((unsigned long)pages[0], make_pte(frames[0], PTE_WRITE),
			     UVMF_INVLPG) < 0,
	   "a frame that was given back can't be mapped");
	is(reservation(XENMEM_decrease_reservation, 1), 0, "nor given back again");
}

/* A frame without a pfn, which there is room for now. */
static void increase(void)
{
	long before = query(XENMEM_current_reservation);

	is(reservation(XENMEM_increase_reservation, 1), 1, "increase_reservation");
	is(query(XENMEM_current_reservation), before + 1, "current_reservation is more");
	is(update_va_mapping((unsigned long)pages[0], make_pte(frames[0], PTE_WRITE),
			     UVMF_INVLPG),
	   0, "the frame can be mapped");
	set_page(pages[0], 0);
	update_va_mapping((unsigned long)pages[0], 0, UVMF_INVLPG);
	is(reservation(XENMEM_decrease_reservation, 1), 1, "and given back");
}

static void get_others(void)
{
	long before = query(XENMEM_current_reservation);
	unsigned int i, mapped = 0, known = 0, wrong = 0;

	for (i = 0; i < COUNT; i++)
		frames[i] = pfn_of(pages[i]);
	is(reservation(XENMEM_populate_physmap, COUNT), COUNT, "populate_physmap");
	is(query(XENMEM_current_reservation), before + COUNT, "current_reservation is more");
	for (i = 0; i < COUNT; i++) {
		known += machine_to_phys_mapping[frames[i]] == pfn_of(pages[i]);
		mapped += !update_va_mapping((unsigned long)pages[i],
					     make_pte(frames[i], PTE_WRITE), UVMF_INVLPG);
		WRITE_ONCE(*(unsigned int *)pages[i], i);
	}
	for (i = 0; i < COUNT; i++)
		wrong += READ_ONCE(*(unsigned int *)pages[i]) != i;
	is(known, COUNT, "the M2P knows the new frames");
	is(mapped, COUNT, "they can be mapped");
	is(wrong, 0, "and written");
}

static void limits(void)
{
	struct xen_memory_reservation arg = { .nr_extents = 1, .domid = DOMID_SELF };

	frames[0] = 0x1;
	is(reservation(XENMEM_decrease_reservation, 1), 0, "a frame that is not ours: 0 done");
	is(reservation(XENMEM_decrease_reservation, 0), 0, "nothing to do: 0 done");
	set_xen_guest_handle(arg.extent_start, (void *)UNMAPPED);
	is(memory_op(XENMEM_decrease_reservation, &arg), 0,
	   "a list that can't be read: 0 done");
	is(memory_op(XENMEM_decrease_reservation, (void *)UNMAPPED), 0,
	   "an argument that can't be read: 0 done");
	is(memory_op(63, &arg), -XEN_ENOSYS, "an unknown operation");
}

static void maximum(void)
{
	long room = query(XENMEM_maximum_reservation) - query(XENMEM_current_reservation);
	static xen_pfn_t list[4096];
	struct xen_memory_reservation arg = { .domid = DOMID_SELF };
	unsigned int i;

	set_xen_guest_handle(arg.extent_start, list);
	if (room >= (long)ARRAY_SIZE(list))
		bail_out("maximum_reservation is %ld pages away", room);
	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = start_info->nr_pages + i;
	arg.nr_extents = (unsigned long)room + 1;
	is(memory_op(XENMEM_populate_physmap, &arg), room,
	   "no more than the maximum can be had");
	arg.nr_extents = (unsigned long)room;
	is(memory_op(XENMEM_decrease_reservation, &arg), room, "and given back");
}

static void machphys(void)
{
	struct xen_machphys_mapping map;

	is(memory_op(XENMEM_machphys_mapping, &map), 0, "machphys_mapping");
	is(map.v_start, (unsigned long)machine_to_phys_mapping, "where the M2P is");
	ok(map.v_end > map.v_start, "its end");
	ok(map.max_mfn >= virt_to_mfn(pages[0]), "max_mfn is not below a frame of ours");
}

/* What is said of the machine and of us, and to whom */
static void queries(void)
{
	static xen_pfn_t list[4];
	struct xen_machphys_mfn_list arg = { .max_extents = ARRAY_SIZE(list) };
	domid_t domain_0 = 0, self = DOMID_SELF;
	long err;

	ok(memory_op(XENMEM_maximum_ram_page, NULL) > (long)virt_to_mfn(pages[0]),
	   "maximum_ram_page is beyond our frames");
	set_xen_guest_handle(arg.extent_start, list);
	is(memory_op(XENMEM_machphys_mfn_list, &arg), 0, "machphys_mfn_list");
	ok(arg.nr_extents >= 1 && list[0], "has a frame at least");
	is(memory_op(XENMEM_machphys_mfn_list, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
	is(memory_op(XENMEM_current_reservation, &domain_0), -XEN_EPERM,
	   "current_reservation of domain 0");
	is(memory_op(XENMEM_maximum_reservation, &domain_0), -XEN_EPERM,
	   "maximum_reservation of domain 0");
	/* Newer than 3.0.3: common/memory.c, do_memory_op() */
	err = memory_op(XENMEM_maximum_gpfn, &self);
	ok(xen_since(3, 1) ? err >= 0 : err == -XEN_ENOSYS, "maximum_gpfn");
	is(memory_op(XENMEM_maximum_gpfn, &domain_0),
	   xen_since(3, 1) ? -XEN_EPERM : -XEN_ENOSYS, "maximum_gpfn of domain 0");
	is(memory_op(XENMEM_memory_map, (void *)UNMAPPED),
	   xen_since(3, 1) ? -XEN_EFAULT : -XEN_ENOSYS, "a memory_map that can't be written");
}

static void memory_map(void)
{
	static struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) entries[32];
	struct xen_memory_map map = { .nr_entries = ARRAY_SIZE(entries) };
	long err, max = query(XENMEM_maximum_reservation), slack = 8 << 20; /* xend's */

	set_xen_guest_handle(map.buffer, entries);
	err = memory_op(XENMEM_memory_map, &map);
	/* 3.0.3 arch/x86/mm.c, arch_memory_op(): -ENOSYS for a PV guest with no map of its own
	 */
	is(err, xen_since(3, 1) ? 0 : -XEN_ENOSYS, "memory_map");
	if (err) {
		skip("no map", "it has entries");
		skip("no map", "the first starts at 0");
		skip("no map", "and holds our memory, in 3.1 8 MiB more than we may have");
		skip("no map", "which is RAM");
		return;
	}
	ok(map.nr_entries >= 1 && map.nr_entries <= ARRAY_SIZE(entries), "it has entries");
	is(entries[0].addr, 0, "the first starts at 0");
	ok(xen_since(4, 0) ? entries[0].size >= start_info->nr_pages * PAGE_SIZE
			   : entries[0].size == slack + (uint64_t)max * PAGE_SIZE,
	   "and holds our memory, in 3.1 8 MiB more than we may have");
	is(entries[0].type, 1, "which is RAM");
}

void guest_main(void)
{
	give_back();
	increase();
	get_others();
	machphys();
	queries();
	memory_map();
	limits();
	maximum();
}
