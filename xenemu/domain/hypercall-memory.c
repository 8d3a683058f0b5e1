/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-memory.c - memory_op: how much, where, more and less
 *
 * Xen 4.17 common/memory.c and arch/x86/mm.c for an untranslated domU.
 */
#include "domain/private.h"
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

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
	return copy_from_guest(ext->dom, &ext->call->space, pfn, ext->list + i * sizeof(*pfn),
			       sizeof(*pfn));
}

static int put_extent(const struct extents *ext, uint64_t i, uint64_t mfn)
{
	return copy_to_guest(ext->dom, &ext->call->space, ext->list + i * sizeof(mfn), &mfn,
			     sizeof(mfn));
}

/* FALSE: the call does nothing and reports no extent done, as Xen has it. */
static gboolean get_extents(struct domain *dom, const struct hypercall *call,
			    struct extents *ext)
{
	struct xen_memory_reservation res;
	unsigned int bits;

	if (get_args(dom, call, &res, sizeof(res)) || !is_self(res.domid))
		return FALSE;
	if (res.nr_extents > EXTENTS_MAX || res.extent_order > FRAMES_MAX_ORDER)
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

/*
 * Wanted for contiguous DMA buffers only (swiotlb-xen, xen_create_contiguous_
 * region); guests without devices passed through take ENOSYS for "no".
 */
HYPERCALL(memory_op_exchange)
{
	return -XEN_ENOSYS;
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
	if (is_self(args.domid))
		return 0;
	return args.domid == 0 ? -XEN_EPERM : -XEN_ESRCH;
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

/* domain_get_maximum_gpfn() of a PV domain: what the guest wrote itself, less one. */
HYPERCALL(memory_op_maximum_gpfn)
{
	const struct shared_info *shared =
		memory_page(dom->build->mem, dom->build->shared_info_mfn);
	uint64_t nr_pfns = __atomic_load_n(&shared->arch.max_pfn, __ATOMIC_RELAXED);
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

/* One region from 0, as libxl gives a PV domU without e820_host. */
HYPERCALL(memory_op_memory_map)
{
	struct xen_memory_map map;
	struct e820_entry ram = {
		.size = frames_maximum(dom->frames) * PAGE_SIZE,
		.type = E820_RAM,
	};

	if (get_args(dom, call, &map, sizeof(map)))
		return -XEN_EFAULT;
	map.nr_entries = MIN(map.nr_entries, 1);
	if (map.nr_entries &&
	    copy_to_guest(dom, &call->space, (uintptr_t)map.buffer.p, &ram, sizeof(ram)))
		return -XEN_EFAULT;
	return put_args(dom, call, &map, sizeof(map));
}

HYPERCALL(memory_op_machphys_mapping)
{
	const uint64_t start = M2P_VADDR(dom->machine->traits.flags);
	struct xen_machphys_mapping map = {
		.v_start = start,
		.v_end = start + (MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START),
		.max_mfn = MACH2PHYS_NR_ENTRIES - 1,
	};

	return put_args(dom, call, &map, sizeof(map));
}

/*
 * The frames of the table, one for each 2 MiB.  Only tools map them (domain 0 of
 * a saving toolstack); a domU gets the same answer.
 */
HYPERCALL(memory_op_machphys_mfn_list)
{
	struct xen_machphys_mfn_list args;
	const uint64_t step = 512;
	uint64_t first = dom->build->boot->m2p >> PAGE_SHIFT;
	uint64_t total = dom->build->boot->m2p_bytes / (step * PAGE_SIZE);
	unsigned int i;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	for (i = 0; i < args.max_extents && i < total; i++) {
		uint64_t mfn = first + i * step;

		if (copy_to_guest(dom, &call->space,
				  (uintptr_t)args.extent_start.p + i * sizeof(mfn), &mfn,
				  sizeof(mfn)))
			return -XEN_EFAULT;
	}
	args.nr_extents = i;
	return put_args(dom, call, &args, sizeof(args));
}
