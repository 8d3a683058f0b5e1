/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-grant.c - grant_table_op of a guest that has only its own table
 *
 * Xen 4.17 common/grant_table.c.
 */
#include "domain/compat.h"
#include "domain/private.h"
#include <stddef.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/grant_table.h>

/* The status of an operation that names a domain other than the guest. */
static int16_t foreign_status(uint16_t domid)
{
	return domid == 0 ? GNTST_permission_denied : GNTST_bad_domain;
}

/* The same of an operation on a whole table, which may be asked for the guest's own. */
static int16_t table_status(const struct domain *dom, uint16_t domid)
{
	switch (domid_error(dom, domid)) {
	case 0:
		return GNTST_okay;
	case -XEN_EPERM:
		return GNTST_permission_denied;
	default:
		return GNTST_bad_domain;
	}
}

HYPERCALL(grant_table_op_query_size)
{
	struct gnttab_query_size op;

	if (call->arg[2] != 1)
		return -XEN_EINVAL;
	if (get_args(dom, call, &op, sizeof(op)))
		return -XEN_EFAULT;
	op.status = table_status(dom, op.dom);
	if (op.status == GNTST_okay) {
		op.nr_frames = grants_count(dom->grants);
		op.max_nr_frames = grants_most(dom->grants);
	}
	return put_args(dom, call, &op, sizeof(op));
}

/* Said once: a guest that gives up then is one for a newer Xen than its image told. */
static void refuse_frames(struct domain *dom, unsigned int nr_frames)
{
	if (!dom->frames_refused)
		domain_message(dom,
			       "the guest asked for %u frames of grant table; under --abi %s "
			       "it can have %u (if it stops for that: try a newer ABI)",
			       nr_frames, dom->abi->name, grants_most(dom->grants));
	dom->frames_refused = TRUE;
}

static int16_t setup_table(struct domain *dom, const struct hypercall *call,
			   const struct gnttab_setup_table *op)
{
	int16_t status = table_status(dom, op->dom);

	if (status != GNTST_okay)
		return status;
	if (!grants_grow(dom->grants, op->nr_frames)) {
		refuse_frames(dom, op->nr_frames);
		return GNTST_general_error;
	}
	for (unsigned int i = 0; i < op->nr_frames; i++)
		if (put_word(dom, call, (uintptr_t)op->frame_list.p, i,
			     grants_frame(dom->grants, i)))
			status = GNTST_bad_virt_addr;
	return status;
}

HYPERCALL(grant_table_op_setup_table)
{
	struct gnttab_setup_table op;

	if (call->arg[2] != 1)
		return -XEN_EINVAL;
	if (get_setup_table(dom, call, &op))
		return -XEN_EFAULT;
	op.status = setup_table(dom, call, &op);
	return put_setup_table(dom, call, &op);
}

HYPERCALL(grant_table_op_get_version)
{
	struct gnttab_get_version op;
	int rc;

	if (get_args(dom, call, &op, sizeof(op)))
		return -XEN_EFAULT;
	rc = domid_error(dom, op.dom);
	if (rc)
		return rc;
	op.version = 1;
	return put_args(dom, call, &op, sizeof(op));
}

/* A domain whose max_grant_version is 1: 2 is answered as by older Xen. */
HYPERCALL(grant_table_op_set_version)
{
	struct gnttab_set_version op;
	int64_t rc = 0;

	if (get_args(dom, call, &op, sizeof(op)))
		return -XEN_EFAULT;
	if (op.version == 2)
		rc = -XEN_ENOSYS;
	else if (op.version != 1)
		rc = -XEN_EINVAL;
	op.version = 1;
	return put_args(dom, call, &op, sizeof(op)) ? -XEN_EFAULT : rc;
}

/* --- lists of operations, each with its own status --- */

typedef int16_t (*grant_op)(struct domain *dom, const void *op);

/*
 * Run @one on each of arg[2] operations of @size bytes and store its status at
 * @status_at.  @op: room for one of them.
 */
static int64_t for_each(struct domain *dom, const struct hypercall *call, void *op, size_t size,
			size_t status_at, grant_op one)
{
	uint32_t count = call->arg[2];

	if (count > dom->abi->grant_batch_max)
		return -XEN_EINVAL;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = call->arg[1] + i * size;
		int16_t status;

		if (copy_from_guest(dom, &call->space, op, at, size))
			return -XEN_EFAULT;
		status = one(dom, op);
		if (copy_to_guest(dom, &call->space, at + status_at, &status, sizeof(status)))
			return -XEN_EFAULT;
	}
	return 0;
}

/*
 * A domU maps what other domUs grant it; there are none.  Its own grants, which
 * Xen would let it map, are refused.
 */
static int16_t map_one(G_GNUC_UNUSED struct domain *dom, const void *opaque)
{
	const struct gnttab_map_grant_ref *op = opaque;

	if (!(op->flags & (GNTMAP_device_map | GNTMAP_host_map)))
		return GNTST_bad_gntref;
	return op->dom == DOMID_GUEST ? GNTST_permission_denied : foreign_status(op->dom);
}

HYPERCALL(grant_table_op_map_grant_ref)
{
	struct gnttab_map_grant_ref op;

	return for_each(dom, call, &op, sizeof(op), offsetof(typeof(op), status), map_one);
}

/* Nothing can have been mapped. */
static int16_t unmap_one(G_GNUC_UNUSED struct domain *dom, G_GNUC_UNUSED const void *opaque)
{
	return GNTST_bad_handle;
}

HYPERCALL(grant_table_op_unmap_grant_ref)
{
	struct gnttab_unmap_grant_ref op;

	return for_each(dom, call, &op, sizeof(op), offsetof(typeof(op), status), unmap_one);
}

static gboolean is_page_table(const struct domain *dom, uint64_t mfn)
{
	return __atomic_load_n(&dom->build->frame_table[mfn], __ATOMIC_RELAXED) &
	       FRAME_TYPE_MASK;
}

/*
 * The page is lost to the guest whether the other domain takes it or not, unless
 * it was no page to give: dom0 has not asked for any, other domains are not there.
 */
static int16_t transfer_one(struct domain *dom, const void *opaque)
{
	const struct gnttab_transfer *op = opaque;

	if (!frames_owned(dom->frames, op->mfn) || is_page_table(dom, op->mfn) ||
	    !frames_release(dom->frames, op->mfn))
		return GNTST_bad_page;
	return op->domid == 0 || op->domid == DOMID_GUEST ? GNTST_general_error
							  : GNTST_bad_domain;
}

static int16_t transfer_one32(struct domain *dom, const void *narrow)
{
	struct gnttab_transfer op;

	widen_transfer(&op, narrow);
	return transfer_one(dom, &op);
}

HYPERCALL(grant_table_op_transfer)
{
	struct gnttab_transfer32 narrow;
	struct gnttab_transfer op;

	if (is_narrow(call))
		return for_each(dom, call, &narrow, sizeof(narrow),
				offsetof(typeof(narrow), status), transfer_one32);
	return for_each(dom, call, &op, sizeof(op), offsetof(typeof(op), status), transfer_one);
}

/* One end of a copy: the page that it names. */
static int16_t copy_end(struct domain *dom, uint16_t domid, uint64_t gmfn, uint32_t ref,
			gboolean by_ref, gboolean write, uint64_t *mfn)
{
	if (!by_ref) {
		if (domid != DOMID_SELF)
			return GNTST_permission_denied;
		*mfn = gmfn;
		return frames_owned(dom->frames, gmfn) ? GNTST_okay : dom->abi->grant_bad_frame;
	}
	if (!is_self(domid))
		return foreign_status(domid);
	return grants_lookup(dom->grants, ref, DOMID_GUEST, write, mfn);
}

static int16_t copy_one(struct domain *dom, const void *opaque)
{
	const struct gnttab_copy *op = opaque;
	uint64_t from, to;
	int16_t status;

	status = copy_end(dom, op->source.domid, op->source.u.gmfn, op->source.u.ref,
			  op->flags & GNTCOPY_source_gref, FALSE, &from);
	if (status == GNTST_okay)
		status = copy_end(dom, op->dest.domid, op->dest.u.gmfn, op->dest.u.ref,
				  op->flags & GNTCOPY_dest_gref, TRUE, &to);
	if (status != GNTST_okay)
		return status;
	if (op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	if (is_page_table(dom, to))
		return GNTST_general_error;
	memmove((uint8_t *)memory_page(dom->build->mem, to) + op->dest.offset,
		(uint8_t *)memory_page(dom->build->mem, from) + op->source.offset, op->len);
	frames_wrote(dom->frames, to);
	return GNTST_okay;
}

static int16_t copy_one32(struct domain *dom, const void *narrow)
{
	struct gnttab_copy op;

	widen_copy(&op, narrow);
	return copy_one(dom, &op);
}

HYPERCALL(grant_table_op_copy)
{
	struct gnttab_copy32 narrow;
	struct gnttab_copy op;

	if (is_narrow(call))
		return for_each(dom, call, &narrow, sizeof(narrow),
				offsetof(typeof(narrow), status), copy_one32);
	return for_each(dom, call, &op, sizeof(op), offsetof(typeof(op), status), copy_one);
}
