/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-exchange.c - memory_op(exchange): frames for others that lie better
 *
 * Xen 4.17 common/memory.c, memory_exchange().  Kernels of the 3.x age do it for
 * each page directory that must lie below 4 GiB.
 */
#include "domain/compat.h"
#include "domain/private.h"
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/memory.h>

#define CHUNK_MAX (1U << FRAMES_MAX_ORDER)

/**
 * struct exchange - a call on its way
 * @in, @out: guest's lists of extents
 * @in_order, @out_order: their sizes
 * @order: size of what is exchanged at a time: the larger of the two
 * @limit: frames given out lie below
 */
struct exchange {
	struct domain *dom;
	const struct hypercall *call;
	uint64_t in, out;
	unsigned int in_order, out_order, order;
	uint64_t limit;
};

static gboolean sizes_match(const struct xen_memory_exchange *args)
{
	uint64_t in = args->in.nr_extents, out = args->out.nr_extents;

	return args->nr_exchanged <= in && in <= UINT64_MAX >> args->in.extent_order &&
	       out <= UINT64_MAX >> args->out.extent_order &&
	       in << args->in.extent_order == out << args->out.extent_order;
}

/* More than the guest has can't all be its own. */
static gboolean is_possible(const struct domain *dom, const struct xen_memory_exchange *args)
{
	return args->in.nr_extents << args->in.extent_order <= frames_current(dom->frames);
}

static int check_args(const struct domain *dom, const struct xen_memory_exchange *args)
{
	unsigned int most = MIN(dom->abi->max_extent_order, FRAMES_MAX_ORDER);
	unsigned int bits = XENMEMF_get_address_bits(args->out.mem_flags);

	if (args->in.extent_order > most || args->out.extent_order > most)
		return -XEN_EPERM;
	if (!sizes_match(args) || !is_possible(dom, args) || args->in.domid != args->out.domid)
		return -XEN_EINVAL;
	if (bits && bits <= PAGE_SHIFT)
		return -XEN_ENOMEM;
	return domid_error(dom, args->in.domid);
}

/* Tell the guest of one extent that it got.  If it can't be told it has it anyway. */
static int hand_out(const struct exchange *ex, uint64_t n, uint64_t mfn)
{
	uint64_t pfn;

	if (get_word(ex->dom, ex->call, ex->out, n, &pfn))
		return -XEN_EFAULT;
	for (uint64_t i = 0; i < 1ULL << ex->out_order; i++)
		frames_set_pfn(ex->dom->frames, mfn + i, pfn + i);
	return put_word(ex->dom, ex->call, ex->out, n, mfn);
}

static int exchange_chunk(const struct exchange *ex, uint64_t n)
{
	const unsigned int nr_in = 1U << (ex->order - ex->in_order);
	const unsigned int nr_out = 1U << (ex->order - ex->out_order);
	uint64_t in[CHUNK_MAX], out[CHUNK_MAX], mfn;
	unsigned int count = 0;
	int rc;

	for (unsigned int i = 0; i < nr_in; i++) {
		if (get_word(ex->dom, ex->call, ex->in, n * nr_in + i, &mfn))
			return -XEN_EFAULT;
		for (uint64_t j = 0; j < 1ULL << ex->in_order; j++)
			in[count++] = mfn + j;
	}
	rc = frames_exchange(ex->dom->frames, in, out, count, ex->out_order, ex->limit);
	for (unsigned int i = 0; !rc && i < nr_out; i++)
		rc = hand_out(ex, n * nr_out + i, out[i]);
	return rc;
}

HYPERCALL(memory_op_exchange)
{
	struct xen_memory_exchange args;
	struct exchange ex = { .dom = dom, .call = call };
	unsigned int bits, in_chunk;
	int rc;

	if (get_exchange(dom, call, &args))
		return -XEN_EFAULT;
	rc = check_args(dom, &args);
	if (rc)
		return rc;
	bits = XENMEMF_get_address_bits(args.out.mem_flags);
	ex.in = (uintptr_t)args.in.extent_start.p;
	ex.out = (uintptr_t)args.out.extent_start.p;
	ex.in_order = args.in.extent_order;
	ex.out_order = args.out.extent_order;
	ex.order = MAX(ex.in_order, ex.out_order);
	ex.limit = bits && bits < 64 ? 1ULL << (bits - PAGE_SHIFT) : FRAMES_ANYWHERE;
	in_chunk = ex.order - ex.in_order;
	for (uint64_t n = args.nr_exchanged >> in_chunk; !rc; n++) {
		args.nr_exchanged = n << in_chunk;
		if (n >= args.in.nr_extents >> in_chunk)
			break;
		rc = exchange_chunk(&ex, n);
	}
	return put_exchanged(dom, call, args.nr_exchanged) ? -XEN_EFAULT : rc;
}
