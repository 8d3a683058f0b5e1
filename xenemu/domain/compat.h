/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compat.h - structures of hypercalls that 32-bit guests lay out in another way
 *
 * Each is known here and in compat.c only: what reads one for a handler gives
 * it the public header's structure, whatever the guest's word size; what writes
 * one takes it from there.  Structures without words or pointers are the same
 * for all guests (an uint64_t in them stands at a multiple of 8 anyway).
 */
#ifndef XENEMU_DOMAIN_COMPAT_H
#define XENEMU_DOMAIN_COMPAT_H

#include "domain/hypercall-table.h"
#include "protocol.h"
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct domain;
struct gnttab_copy;
struct gnttab_setup_table;
struct gnttab_transfer;
struct xen_machphys_mapping;
struct xen_machphys_mfn_list;
struct xen_memory_exchange;
struct xen_memory_map;
struct xen_memory_reservation;

/* As i386 has them; names are those of the public headers with 32 appended. */

struct xen_memory_reservation32 {
	uint32_t extent_start;
	uint32_t nr_extents;
	uint32_t extent_order;
	uint32_t mem_flags;
	uint16_t domid;
};

struct xen_memory_exchange32 {
	struct xen_memory_reservation32 in, out;
	uint32_t nr_exchanged;
};

struct xen_machphys_mfn_list32 {
	uint32_t max_extents;
	uint32_t extent_start;
	uint32_t nr_extents;
};

struct xen_machphys_mapping32 {
	uint32_t v_start;
	uint32_t v_end;
	uint32_t max_mfn;
};

struct xen_memory_map32 {
	uint32_t nr_entries;
	uint32_t buffer;
};

struct gnttab_setup_table32 {
	uint16_t dom;
	uint32_t nr_frames;
	int16_t status;
	uint32_t frame_list;
};

struct gnttab_transfer32 {
	uint32_t mfn;
	uint16_t domid;
	uint32_t ref;
	int16_t status;
};

struct gnttab_copy32 {
	struct {
		uint32_t page; /* reference or frame */
		uint16_t domid;
		uint16_t offset;
	} source, dest;
	uint16_t len;
	uint16_t flags;
	int16_t status;
};

G_STATIC_ASSERT(sizeof(struct xen_memory_reservation32) == 20);
G_STATIC_ASSERT(offsetof(struct xen_memory_reservation32, domid) == 16);
G_STATIC_ASSERT(sizeof(struct xen_memory_exchange32) == 44);
G_STATIC_ASSERT(sizeof(struct xen_machphys_mfn_list32) == 12);
G_STATIC_ASSERT(sizeof(struct xen_machphys_mapping32) == 12);
G_STATIC_ASSERT(sizeof(struct xen_memory_map32) == 8);
G_STATIC_ASSERT(sizeof(struct gnttab_setup_table32) == 16);
G_STATIC_ASSERT(offsetof(struct gnttab_setup_table32, frame_list) == 12);
G_STATIC_ASSERT(sizeof(struct gnttab_transfer32) == 16);
G_STATIC_ASSERT(sizeof(struct gnttab_copy32) == 24);
G_STATIC_ASSERT(offsetof(struct gnttab_copy32, len) == 16);

/** is_narrow() - does a 32-bit guest make the call? */
static inline gboolean is_narrow(const struct hypercall *call)
{
	return call->space.paging != PAGING_PV64;
}

/**
 * get_word() - read item @i of a guest's list of words (frame numbers)
 * @list: guest address
 * Return: 0 or -XEN_EFAULT.
 */
int get_word(const struct domain *dom, const struct hypercall *call, uint64_t list, uint64_t i,
	     uint64_t *word);

/** put_word() - write it; what does not fit into the guest's word is cut off */
int put_word(const struct domain *dom, const struct hypercall *call, uint64_t list, uint64_t i,
	     uint64_t word);

/*
 * The argument of a *_op, call->arg[1], which is one of these: 0 or -XEN_EFAULT.
 * A put writes what Xen writes back.
 */
int get_reservation(const struct domain *dom, const struct hypercall *call,
		    struct xen_memory_reservation *res);
int get_exchange(const struct domain *dom, const struct hypercall *call,
		 struct xen_memory_exchange *exchange);
int put_exchanged(const struct domain *dom, const struct hypercall *call, uint64_t nr);
int get_mfn_list(const struct domain *dom, const struct hypercall *call,
		 struct xen_machphys_mfn_list *list);
int put_mfn_list(const struct domain *dom, const struct hypercall *call,
		 const struct xen_machphys_mfn_list *list);
int put_mapping(const struct domain *dom, const struct hypercall *call,
		const struct xen_machphys_mapping *map);
int get_memory_map(const struct domain *dom, const struct hypercall *call,
		   struct xen_memory_map *map);
int put_memory_map(const struct domain *dom, const struct hypercall *call,
		   const struct xen_memory_map *map);
int get_setup_table(const struct domain *dom, const struct hypercall *call,
		    struct gnttab_setup_table *op);
int put_setup_table(const struct domain *dom, const struct hypercall *call,
		    const struct gnttab_setup_table *op);

/** widen_transfer(), widen_copy() - one of a list */
void widen_transfer(struct gnttab_transfer *to, const struct gnttab_transfer32 *from);
void widen_copy(struct gnttab_copy *to, const struct gnttab_copy32 *from);

#endif
