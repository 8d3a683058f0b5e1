/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu-info - registering vcpu_info at another place, which Xen since 3.2 can
 */
#include "guest.h"

static long register_vcpu_info(unsigned long mfn, unsigned int offset)
{
	struct vcpu_register_vcpu_info arg = { .mfn = mfn, .offset = offset };

	return vcpu_op(VCPUOP_register_vcpu_info, 0, &arg);
}

static void bad_places(void *page)
{
	unsigned long mfn = virt_to_mfn(page);

	is(register_vcpu_info(mfn, PAGE_SIZE - sizeof(struct vcpu_info) + 1), -XEN_ENXIO,
	   "vcpu_info across the end of a page");
	is(register_vcpu_info(0x1, 0), -XEN_EINVAL, "a frame that is not ours");
	is(register_vcpu_info(virt_to_mfn(kernel_root()), 0), -XEN_EINVAL, "a page table");
	is(vcpu_op(VCPUOP_register_vcpu_info, 0, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
}

static void placement(char *page)
{
	struct vcpu_info *old = vcpu_info, *new = (struct vcpu_info *)(page + 256);
	unsigned int port = (unsigned int)bind_ipi();
	struct evtchn_send send = { .port = port };
	uint64_t before;

	WRITE_ONCE(old->evtchn_upcall_mask, 1);
	before = system_time();
	is(register_vcpu_info(virt_to_mfn(page), 256), 0, "register vcpu_info");
	is(new->evtchn_upcall_mask, 1, "the mask was copied");
	ok(new->time.version && !(new->time.version & 1), "the time was copied");
	/* Xen has marked everything pending, so that no event gets lost. */
	is(new->evtchn_upcall_pending, 1, "upcall_pending is set");
	is(new->evtchn_pending_sel, ~0UL, "all selectors are set");
	vcpu_info = new;
	ok(system_time() >= before, "the clock goes on");

	event_upcalls = 0;
	events_enable();
	is(event_upcalls, 1, "the spurious upcall comes");
	is(event_channel_op(EVTCHNOP_send, &send), 0, "send an event");
	is(event_count[port], 1, "it is delivered through the new place");
	events_disable();
	is(catch_trap(READ_ONCE(*(char *)UNMAPPED)), TRAP_PF, "a page fault");
	is(new->arch.cr2, UNMAPPED, "its cr2 is in the new place");
	is(register_vcpu_info(virt_to_mfn(page), 256), -XEN_EINVAL, "it can't be moved again");
}

/*
 * What Xen may write to at any time can't become a page table.  To be one it would have
 * to be of entries that are not present.
 */
static void no_page_table(void *page)
{
	const size_t head = 8; /* upcall_mask, which is set, is no bit of PTE_PRESENT */
	struct vcpu_info saved = *vcpu_info;
	long rc;

	memset((char *)vcpu_info + head, 0, sizeof(*vcpu_info) - head);
	page_read_only(page);
	rc = mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(page));
	if (!rc)
		mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(page));
	page_read_write(page);
	is(rc, -XEN_EINVAL, "its page as a page table");
	memcpy((char *)vcpu_info + head, (char *)&saved + head, sizeof(saved) - head);
}

static void time_goes_on(void)
{
	uint32_t version = vcpu_info->time.version;
	uint64_t end = system_time() + 3000 * MSEC;

	/* Xen refreshes the parameters now and then, or at each schedule. */
	while (vcpu_info->time.version == version && system_time() < end)
		sched_op(SCHEDOP_yield, NULL);
	ok(system_time() < end + 30000 * MSEC, "time parameters stay usable");
	is(vcpu_info->time.version & 1, 0, "their version is even");
}

void guest_main(void)
{
	char *page = page_alloc();

	bad_places(page);
	placement(page);
	no_page_table(page);
	time_goes_on();
}
