/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compat.c - structures of hypercalls, for guests of both word sizes
 */
#include "domain/compat.h"
#include "domain/private.h"
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/memory.h>

static void *handle(uint32_t vaddr)
{
	return (void *)(uintptr_t)vaddr;
}

static uint32_t vaddr(const void *pointer)
{
	return (uint32_t)(uintptr_t)pointer;
}

int get_word(const struct domain *dom, const struct hypercall *call, uint64_t list, uint64_t i,
	     uint64_t *word)
{
	size_t size = is_narrow(call) ? sizeof(uint32_t) : sizeof(uint64_t);

	*word = 0;
	return copy_from_guest(dom, &call->space, word, list + i * size, size);
}

int put_word(const struct domain *dom, const struct hypercall *call, uint64_t list, uint64_t i,
	     uint64_t word)
{
	size_t size = is_narrow(call) ? sizeof(uint32_t) : sizeof(uint64_t);

	return copy_to_guest(dom, &call->space, list + i * size, &word, size);
}

static void widen_reservation(struct xen_memory_reservation *to,
			      const struct xen_memory_reservation32 *from)
{
	*to = (struct xen_memory_reservation){
		.nr_extents = from->nr_extents,
		.extent_order = from->extent_order,
		.mem_flags = from->mem_flags,
		.domid = from->domid,
	};
	to->extent_start.p = handle(from->extent_start);
}

int get_reservation(const struct domain *dom, const struct hypercall *call,
		    struct xen_memory_reservation *res)
{
	struct xen_memory_reservation32 narrow;

	if (!is_narrow(call))
		return get_args(dom, call, res, sizeof(*res));
	if (get_args(dom, call, &narrow, sizeof(narrow)))
		return -XEN_EFAULT;
	widen_reservation(res, &narrow);
	return 0;
}

int get_exchange(const struct domain *dom, const struct hypercall *call,
		 struct xen_memory_exchange *exchange)
{
	struct xen_memory_exchange32 narrow;

	if (!is_narrow(call))
		return get_args(dom, call, exchange, sizeof(*exchange));
	if (get_args(dom, call, &narrow, sizeof(narrow)))
		return -XEN_EFAULT;
	widen_reservation(&exchange->in, &narrow.in);
	widen_reservation(&exchange->out, &narrow.out);
	exchange->nr_exchanged = narrow.nr_exchanged;
	return 0;
}

int put_exchanged(const struct domain *dom, const struct hypercall *call, uint64_t nr)
{
	size_t at = is_narrow(call) ? offsetof(struct xen_memory_exchange32, nr_exchanged)
				    : offsetof(struct xen_memory_exchange, nr_exchanged);

	return put_word(dom, call, call->arg[1] + at, 0, nr);
}

int get_mfn_list(const struct domain *dom, const struct hypercall *call,
		 struct xen_machphys_mfn_list *list)
{
	struct xen_machphys_mfn_list32 narrow;

	if (!is_narrow(call))
		return get_args(dom, call, list, sizeof(*list));
	if (get_args(dom, call, &narrow, sizeof(narrow)))
		return -XEN_EFAULT;
	*list = (struct xen_machphys_mfn_list){ .max_extents = narrow.max_extents };
	list->extent_start.p = handle(narrow.extent_start);
	return 0;
}

int put_mfn_list(const struct domain *dom, const struct hypercall *call,
		 const struct xen_machphys_mfn_list *list)
{
	struct xen_machphys_mfn_list32 narrow = {
		.max_extents = list->max_extents,
		.extent_start = vaddr(list->extent_start.p),
		.nr_extents = list->nr_extents,
	};

	return is_narrow(call) ? put_args(dom, call, &narrow, sizeof(narrow))
			       : put_args(dom, call, list, sizeof(*list));
}

int put_mapping(const struct domain *dom, const struct hypercall *call,
		const struct xen_machphys_mapping *map)
{
	struct xen_machphys_mapping32 narrow = {
		.v_start = (uint32_t)map->v_start,
		.v_end = (uint32_t)map->v_end,
		.max_mfn = (uint32_t)map->max_mfn,
	};

	return is_narrow(call) ? put_args(dom, call, &narrow, sizeof(narrow))
			       : put_args(dom, call, map, sizeof(*map));
}

int get_memory_map(const struct domain *dom, const struct hypercall *call,
		   struct xen_memory_map *map)
{
	struct xen_memory_map32 narrow;

	if (!is_narrow(call))
		return get_args(dom, call, map, sizeof(*map));
	if (get_args(dom, call, &narrow, sizeof(narrow)))
		return -XEN_EFAULT;
	*map = (struct xen_memory_map){ .nr_entries = narrow.nr_entries };
	map->buffer.p = handle(narrow.buffer);
	return 0;
}

int put_memory_map(const struct domain *dom, const struct hypercall *call,
		   const struct xen_memory_map *map)
{
	struct xen_memory_map32 narrow = {
		.nr_entries = map->nr_entries,
		.buffer = vaddr(map->buffer.p),
	};

	return is_narrow(call) ? put_args(dom, call, &narrow, sizeof(narrow))
			       : put_args(dom, call, map, sizeof(*map));
}

int get_setup_table(const struct domain *dom, const struct hypercall *call,
		    struct gnttab_setup_table *op)
{
	struct gnttab_setup_table32 narrow;

	if (!is_narrow(call))
		return get_args(dom, call, op, sizeof(*op));
	if (get_args(dom, call, &narrow, sizeof(narrow)))
		return -XEN_EFAULT;
	*op = (struct gnttab_setup_table){
		.dom = narrow.dom,
		.nr_frames = narrow.nr_frames,
		.status = narrow.status,
	};
	op->frame_list.p = handle(narrow.frame_list);
	return 0;
}

int put_setup_table(const struct domain *dom, const struct hypercall *call,
		    const struct gnttab_setup_table *op)
{
	struct gnttab_setup_table32 narrow = {
		.dom = op->dom,
		.nr_frames = op->nr_frames,
		.status = op->status,
		.frame_list = vaddr(op->frame_list.p),
	};

	return is_narrow(call) ? put_args(dom, call, &narrow, sizeof(narrow))
			       : put_args(dom, call, op, sizeof(*op));
}

void widen_transfer(struct gnttab_transfer *to, const struct gnttab_transfer32 *from)
{
	*to = (struct gnttab_transfer){ .mfn = from->mfn,
					.domid = from->domid,
					.ref = from->ref };
}

void widen_copy(struct gnttab_copy *to, const struct gnttab_copy32 *from)
{
	*to = (struct gnttab_copy){
		.source = { .domid = from->source.domid, .offset = from->source.offset },
		.dest = { .domid = from->dest.domid, .offset = from->dest.offset },
		.len = from->len,
		.flags = from->flags,
	};
	/* A reference is the low half of the union. */
	to->source.u.gmfn = from->source.page;
	to->dest.u.gmfn = from->dest.page;
}
