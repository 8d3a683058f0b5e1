/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-memory.h - guest virtual addresses, as hypercall arguments carry them
 *
 * The one pair of functions that walks the guest's own page tables.  Honours
 * the RW bit for writes, refuses the hypervisor's part of the address space.
 * Structures that 32-bit guests lay out in another way: see compat.h.
 */
#ifndef XENEMU_DOMAIN_GUEST_MEMORY_H
#define XENEMU_DOMAIN_GUEST_MEMORY_H

#include <glib.h>
#include <stdint.h>

struct domain;

/**
 * struct guest_space - an address space of the guest
 * @root_mfn: its root table
 * @paging:   PAGING_*
 */
struct guest_space {
	uint64_t root_mfn;
	uint32_t paging;
};

/**
 * copy_from_guest() - copy @len bytes from guest virtual address @vaddr
 * Return: 0, or -XEN_EFAULT with @to undefined.
 */
int copy_from_guest(const struct domain *dom, const struct guest_space *space, void *to,
		    uint64_t vaddr, size_t len);

/** copy_to_guest() - the other way; -XEN_EFAULT when a page is not writable */
int copy_to_guest(const struct domain *dom, const struct guest_space *space, uint64_t vaddr,
		  const void *from, size_t len);

/**
 * guest_mapping() - the frame that a guest address is mapped to; 0: none
 * @writable: receives whether it may be written
 */
uint64_t guest_mapping(const struct domain *dom, const struct guest_space *space,
		       uint64_t vaddr, gboolean *writable);

#endif
