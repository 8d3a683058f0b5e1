/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * multicall - several calls in one, each with its result
 */
#include "guest.h"

static struct multicall_entry entry(unsigned long op, unsigned long a0, unsigned long a1,
				    unsigned long a2, unsigned long a3)
{
	struct multicall_entry e = { .op = op,
				     .result = 12345,
				     .args = { a0, a1, a2, a3, 5, 6 } };

	return e;
}

static void results(void)
{
	unsigned long *page = page_alloc();
	unsigned int done_count = 99;
	struct mmu_update req = { .ptr = virt_to_maddr(pte_of(page, 1)),
				  .val = make_pte(virt_to_mfn(page), PTE_READ_ONLY) };
	struct mmuext_op flush = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
	struct multicall_entry list[] = {
		entry(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0),
		entry(__HYPERVISOR_mmu_update, (unsigned long)&req, 1,
		      (unsigned long)&done_count, DOMID_SELF),
		entry(__HYPERVISOR_mmuext_op, (unsigned long)&flush, 1, 0, DOMID_SELF),
		entry(63, 0, 0, 0, 0),
#ifdef __i386__ /* the entry is two arguments */
		entry(__HYPERVISOR_update_va_mapping, UNMAPPED, 0, 0, UVMF_INVLPG),
#else
		entry(__HYPERVISOR_update_va_mapping, UNMAPPED, 0, UVMF_INVLPG, 0),
#endif
		entry(__HYPERVISOR_xen_version, 999, 0, 0, 0),
		entry(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0),
	};

	is(multicall(list, ARRAY_SIZE(list)), 0, "seven calls");
	is((long)list[0].result, xen_version(XENVER_version, NULL), "0: xen_version");
	is((long)list[1].result, 0, "1: mmu_update");
	is(done_count, 1, "1: its done count");
	is((long)list[2].result, 0, "2: mmuext_op");
	is(catch_trap(WRITE_ONCE(page[0], 1)), TRAP_PF, "the page is read-only now");
	is((long)list[3].result, -XEN_ENOSYS, "3: an unknown hypercall");
	is((long)list[4].result, -XEN_EINVAL, "4: an error");
	is((long)list[5].result, -XEN_ENOSYS, "5: an unknown sub-operation, after the error");
	is((long)list[6].result, 0, "6: yield");
	is(list[0].op, __HYPERVISOR_xen_version, "op is kept");
	page_read_write(page);
}

static void limits(void)
{
	struct multicall_entry nested =
		entry(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
	struct multicall_entry list =
		entry(__HYPERVISOR_multicall, (unsigned long)&nested, 1, 0, 0);

	is(multicall(NULL, 0), 0, "an empty list");
	is(multicall((void *)UNMAPPED, 1), -XEN_EFAULT, "a list that can't be read");
	is(multicall((void *)HYPERVISOR_VIRT_START, 1), -XEN_EFAULT, "a list in Xen's range");
	is(multicall(&list, 1), 0, "a multicall in a multicall");
	is((long)list.result, -XEN_EINVAL, "is an error");
	is(nested.result, 12345, "and is not done");
}

/* More than Xen would do without looking up. */
static void many(void)
{
	static struct multicall_entry list[256];
	unsigned int i, good = 0;

	for (i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = entry(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
	is(multicall(list, ARRAY_SIZE(list)), 0, "256 calls");
	for (i = 0; i < ARRAY_SIZE(list); i++)
		good += list[i].result == list[0].result;
	is(good, ARRAY_SIZE(list), "all of them answered");
}

void guest_main(void)
{
	results();
	limits();
	many();
}
