/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-memory.c - memory_op: how much, where, more and less
 *
 * Xen 4.17 common/memory.c and arch/x86/mm.c for an untranslated domU.
 */
#include "domain/compat.h"
#include "domain/private.h"
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/foreign/x86_32.h>
#include <xen/memory.h>

/* Xen's continuation keeps the extents done in the upper bits of the command. */
#define EXTENTS_MAX (UINT32_MAX >> 6)

/* --- increase, decrease, populate --- */

struct extents {
	struct domain *dom;
	const struct hypercall *call;
	uint64_t list;
	uint64_t count;
	unsigned int order;
	uint64_t limit;
};

static int get_extent(const struct extents *ext, uint64_t i, uint64_t *pfn)
{
	return get_word(ext->dom, ext->call, ext->list, i, pfn);
}

static int put_extent(const struct extents *ext, uint64_t i, uint64_t mfn)
{
	return put_word(ext->dom, ext->call, ext->list, i, mfn);
}

/* Giving back is not limited but by what one can have got. */
static unsigned int max_order(const struct domain *dom, const struct hypercall *call)
{
	if ((uint32_t)call->arg[0] == XENMEM_decrease_reservation)
		return FRAMES_MAX_ORDER;
	return dom->abi->max_extent_order;
}

/* FALSE: the call does nothing and reports no extent done, as Xen has it. */
static gboolean get_extents(struct domain *dom, const struct hypercall *call,
			    struct extents *ext)
{
	struct xen_memory_reservation res;
	unsigned int bits;

	if (get_reservation(dom, call, &res) || domid_error(dom, res.domid))
		return FALSE;
	if (res.nr_extents > EXTENTS_MAX || res.extent_order > max_order(dom, call))
		return FALSE;
	bits = XENMEMF_get_address_bits(res.mem_flags);
	if (bits && bits <= PAGE_SHIFT)
		return FALSE;
	*ext = (struct extents){
		.dom = dom,
		.call = call,
		.list = (uint64_t)(uintptr_t)res.extent_start.p,
		.count = res.nr_extents,
		.order = res.extent_order,
		.limit = bits && bits < 64 ? 1ULL << (bits - PAGE_SHIFT) : FRAMES_ANYWHERE,
	};
	return TRUE;
}

HYPERCALL(memory_op_increase_reservation)
{
	struct extents ext;
	uint64_t done = 0;

	if (!get_extents(dom, call, &ext))
		return 0;
	for (; done < ext.count; done++) {
		uint64_t mfn;

		if (!frames_populate(dom->frames, ext.order, ext.limit, &mfn))
			break;
		if (ext.list && put_extent(&ext, done, mfn))
			break;
	}
	return done;
}

HYPERCALL(memory_op_populate_physmap)
{
	struct extents ext;
	uint64_t done = 0;

	if (!get_extents(dom, call, &ext))
		return 0;
	for (; done < ext.count; done++) {
		uint64_t pfn, mfn;

		if (get_extent(&ext, done, &pfn))
			break;
		if (!frames_populate(dom->frames, ext.order, ext.limit, &mfn))
			break;
		for (uint64_t i = 0; i < 1ULL << ext.order; i++)
			frames_set_pfn(dom->frames, mfn + i, pfn + i);
		if (put_extent(&ext, done, mfn))
			break;
	}
	return done;
}

static gboolean release_extent(struct domain *dom, uint64_t mfn, unsigned int order)
{
	for (uint64_t i = 0; i < 1ULL << order; i++)
		if (!frames_release(dom->frames, mfn + i))
			return FALSE;
	return TRUE;
}

HYPERCALL(memory_op_decrease_reservation)
{
	struct extents ext;
	uint64_t done = 0;

	if (!get_extents(dom, call, &ext))
		return 0;
	for (; done < ext.count; done++) {
		uint64_t mfn;

		if (get_extent(&ext, done, &mfn) || !release_extent(dom, mfn, ext.order))
			break;
	}
	return done;
}

/* --- how much --- */

HYPERCALL(memory_op_maximum_ram_page)
{
	return dom->build->mem->end_mfn;
}

/* The argument's domain id: 0, or what the caller gets. */
static int check_domain(struct domain *dom, const struct hypercall *call)
{
	struct xen_memory_domain args;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	return domid_error(dom, args.domid);
}

HYPERCALL(memory_op_current_reservation)
{
	int rc = check_domain(dom, call);

	return rc ? rc : (int64_t)frames_current(dom->frames);
}

HYPERCALL(memory_op_maximum_reservation)
{
	int rc = check_domain(dom, call);

	return rc ? rc : (int64_t)frames_maximum(dom->frames);
}

/* What the guest wrote into its shared_info: frames it has */
static uint64_t max_pfn(const struct domain *dom)
{
	const void *page = memory_page(dom->build->mem, dom->build->shared_info_mfn);
	const struct shared_info *shared = page;
	const struct shared_info_x86_32 *narrow = page;

	return dom->build->width == IMAGE_X86_64
		       ? __atomic_load_n(&shared->arch.max_pfn, __ATOMIC_RELAXED)
		       : __atomic_load_n(&narrow->arch.max_pfn, __ATOMIC_RELAXED);
}

/* domain_get_maximum_gpfn() of a PV domain: what the guest wrote itself, less one. */
HYPERCALL(memory_op_maximum_gpfn)
{
	uint64_t nr_pfns = max_pfn(dom);
	int rc = check_domain(dom, call);

	return rc ? rc : (int64_t)(nr_pfns ? nr_pfns - 1 : 0);
}

/* --- where --- */

/* struct e820entry of xen/include/asm-x86/e820.h is not in the public headers. */
struct e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

#define E820_RAM 1

/*
 * One region from 0, as libxl gives a PV domU without e820_host.  What xend of 3.1
 * adds is room for frames that a guest gets from backends, not more of its own.
 */
HYPERCALL(memory_op_memory_map)
{
	struct xen_memory_map map;
	struct e820_entry ram = {
		.size = frames_maximum(dom->frames) * PAGE_SIZE + dom->abi->map_slack,
		.type = E820_RAM,
	};

	if (get_memory_map(dom, call, &map))
		return -XEN_EFAULT;
	map.nr_entries = MIN(map.nr_entries, 1);
	if (map.nr_entries &&
	    copy_to_guest(dom, &call->space, (uintptr_t)map.buffer.p, &ram, sizeof(ram)))
		return -XEN_EFAULT;
	return put_memory_map(dom, call, &map);
}

/* Of 32-bit guests: from the start of Xen's part on, as long as the table is. */
static struct xen_machphys_mapping narrow_mapping(const struct build *build)
{
	uint64_t start = build->width == IMAGE_X86_32P ? HOLE32_PAE : HOLE32_TWO_LEVEL;
	uint64_t nr = build->mem->end_mfn;

	return (struct xen_machphys_mapping){
		.v_start = start,
		.v_end = start + nr * sizeof(uint32_t),
		.max_mfn = nr - 1,
	};
}

HYPERCALL(memory_op_machphys_mapping)
{
	const uint64_t start = M2P_VADDR(dom->machine->traits.flags);
	struct xen_machphys_mapping map = {
		.v_start = start,
		.v_end = start + (MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START),
		.max_mfn = MACH2PHYS_NR_ENTRIES - 1,
	};

	if (is_narrow(call))
		map = narrow_mapping(dom->build);
	return put_mapping(dom, call, &map);
}

/*
 * The frames of the table, one for each 2 MiB.  Only tools map them (domain 0 of
 * a saving toolstack); a domU gets the same answer.
 */
HYPERCALL(memory_op_machphys_mfn_list)
{
	const struct boot_info *boot = dom->build->boot;
	uint64_t table = is_narrow(call) ? boot->m2p32 : boot->m2p;
	uint64_t bytes = is_narrow(call) ? boot->m2p32_bytes : boot->m2p_bytes;
	const uint64_t step = 512;
	struct xen_machphys_mfn_list args;
	unsigned int i;

	if (get_mfn_list(dom, call, &args))
		return -XEN_EFAULT;
	for (i = 0; i < args.max_extents && i < bytes / (step * PAGE_SIZE); i++)
		if (put_word(dom, call, (uintptr_t)args.extent_start.p, i,
			     (table >> PAGE_SHIFT) + i * step))
			return -XEN_EFAULT;
	args.nr_extents = i;
	return put_mfn_list(dom, call, &args);
}
