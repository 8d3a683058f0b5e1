/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-exchange - memory_op(exchange): frames for others, singly and as a
 * contiguous extent, and what is refused
 */
#include "guest.h"

#define BAD ((void *)0x70000000UL)

static xen_pfn_t in[4], out[4];
static char *pages[4];
static struct xen_memory_exchange args;

static xen_pfn_t pfn_of(const void *va)
{
	return ((unsigned long)va - VIRT_BASE) >> PAGE_SHIFT;
}

static long exchange(unsigned int nr_in, unsigned int in_order, unsigned int nr_out,
		     unsigned int out_order)
{
	args = (struct xen_memory_exchange){
		.in = { .nr_extents = nr_in, .extent_order = in_order, .domid = DOMID_SELF },
		.out = { .nr_extents = nr_out, .extent_order = out_order, .domid = DOMID_SELF },
	};
	set_xen_guest_handle(args.in.extent_start, in);
	set_xen_guest_handle(args.out.extent_start, out);
	return memory_op(XENMEM_exchange, &args);
}

/* A page of ours whose frame nothing maps any more */
static void give(unsigned int i)
{
	pages[i] = page_alloc();
	in[i] = virt_to_mfn(pages[i]);
	out[i] = pfn_of(pages[i]);
	update_va_mapping((unsigned long)pages[i], 0, UVMF_INVLPG);
}

static long map(unsigned int i, xen_pfn_t mfn)
{
	return update_va_mapping((unsigned long)pages[i], make_pte(mfn, PTE_WRITE),
				 UVMF_INVLPG);
}

static bool is_zero(const char *page)
{
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		if (page[i])
			return false;
	return true;
}

static void singly(void)
{
	give(0);
	give(1);
	is(exchange(2, 0, 2, 0), 0, "two frames for two others");
	is(args.nr_exchanged, 2, "all of them");
	is(machine_to_phys[out[0]], pfn_of(pages[0]),
	   "the first has the pfn that was asked for");
	is(machine_to_phys[out[1]], pfn_of(pages[1]), "the second too");
	is(map(0, out[0]), 0, "the first can be mapped");
	ok(is_zero(pages[0]), "and holds zeroes");
	is(map(1, out[1]), 0, "the second too");
}

/* A domain without devices, before Xen 4: 3.1 common/memory.c, memory_exchange() */
static bool contiguous_refused(void)
{
	static const char *const names[] = { "both are gone",
					     "the extent is aligned",
					     "the first frame has its pfn",
					     "the second one the next",
					     "the first can be mapped",
					     "the second too" };
	unsigned int i;

	if (xen_since(4, 0))
		return false;
	is(exchange(2, 0, 1, 1), -XEN_EPERM, "two frames for an extent of two");
	for (i = 0; i < ARRAY_SIZE(names); i++)
		skip("Xen 3 gives single frames", "%s", names[i]);
	return true;
}

static void contiguous(void)
{
	give(2);
	give(3);
	in[0] = in[2];
	in[1] = in[3];
	out[0] = pfn_of(pages[2]);
	if (contiguous_refused())
		return;
	is(exchange(2, 0, 1, 1), 0, "two frames for an extent of two");
	is(args.nr_exchanged, 2, "both are gone");
	is(out[0] & 1, 0, "the extent is aligned");
	is(machine_to_phys[out[0]], pfn_of(pages[2]), "the first frame has its pfn");
	is(machine_to_phys[out[0] + 1], pfn_of(pages[2]) + 1, "the second one the next");
	is(map(2, out[0]), 0, "the first can be mapped");
	is(map(3, out[0] + 1), 0, "the second too");
}

static void refused(void)
{
	out[0] = pfn_of(pages[0]);
	in[0] = 1;
	is(exchange(1, 0, 1, 0), -XEN_EINVAL, "a frame that is not ours");
	is(args.nr_exchanged, 0, "none exchanged");
	is(exchange(2, 0, 1, 0), -XEN_EINVAL, "other sizes");
	is(exchange(1, 20, 1, 20), -XEN_EPERM, "too large an extent");
	is(exchange(0, 0, 0, 0), 0, "nothing");
	exchange(0, 0, 0, 0);
	args.in.domid = args.out.domid = 0;
	args.in.nr_extents = args.out.nr_extents = 1;
	is(memory_op(XENMEM_exchange, &args), -XEN_EPERM, "domain 0's");
	args.in.domid = DOMID_SELF;
	is(memory_op(XENMEM_exchange, &args), -XEN_EINVAL, "from one domain to another");
	is(memory_op(XENMEM_exchange, BAD), -XEN_EFAULT, "an argument that can't be read");
}

void guest_main(void)
{
	singly();
	contiguous();
	refused();
}
