/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grant-ops - copies between pages of our own, by frame and by reference, and what
 * a domU is refused: mapping, giving away, other domains
 *
 * Old Xen: 3.1 common/grant_table.c, do_grant_table_op() (mapping and giving away
 * need access to hardware there, grant_operation_permitted()) and __gnttab_copy().
 */
#include "guest.h"

#define REF 8 /* the first that is free, as Linux has it */
#define NOBODY 77 /* a domain that is not there */
#define BAD ((void *)UNMAPPED)

static volatile struct grant_entry_v1 *table;
static char *from, *to;

/* Our own number, as the other end of a channel to ourselves. */
static domid_t own_domid(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
	struct evtchn_status status = { .dom = DOMID_SELF };

	event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	bind.remote_port = alloc.port;
	event_channel_op(EVTCHNOP_bind_interdomain, &bind);
	status.port = bind.local_port;
	event_channel_op(EVTCHNOP_status, &status);
	return status.u.interdomain.dom;
}

static void map_table(void)
{
	static xen_pfn_t frame;
	struct gnttab_setup_table arg = { .dom = DOMID_SELF, .nr_frames = 1 };
	char *page = page_alloc();

	set_xen_guest_handle(arg.frame_list, &frame);
	if (grant_table_op(GNTTABOP_setup_table, &arg, 1) || arg.status ||
	    update_va_mapping((unsigned long)page, make_pte(frame, PTE_WRITE), UVMF_INVLPG))
		bail_out("no grant table");
	table = (volatile struct grant_entry_v1 *)page;
}

static void grant(const char *page, unsigned int flags)
{
	table[REF].frame = (uint32_t)virt_to_mfn(page);
	table[REF].domid = own_domid();
	barrier();
	table[REF].flags = (uint16_t)(GTF_permit_access | flags);
}

static struct gnttab_copy by_frame(void)
{
	return (struct gnttab_copy){
		.source = { .u.gmfn = virt_to_mfn(from), .domid = DOMID_SELF, .offset = 16 },
		.dest = { .u.gmfn = virt_to_mfn(to), .domid = DOMID_SELF, .offset = 32 },
		.len = 100,
	};
}

static int status_of(struct gnttab_copy op)
{
	op.status = 55;
	if (grant_table_op(GNTTABOP_copy, &op, 1))
		return 99;
	return op.status;
}

static void copies(void)
{
	struct gnttab_copy op = by_frame();

	memset(from, 0x11, PAGE_SIZE);
	is(status_of(op), GNTST_okay, "copy from frame to frame");
	ok(!to[31] && to[32] == 0x11 && to[131] == 0x11 && !to[132], "100 bytes are there");
	memset(from, 0x22, PAGE_SIZE);
	grant(from, GTF_readonly);
	op.flags = GNTCOPY_source_gref;
	op.source.u.ref = REF;
	is(status_of(op), GNTST_okay, "from a page that we grant ourselves, to read");
	is(to[32], 0x22, "it is there");
	op = by_frame();
	op.flags = GNTCOPY_dest_gref;
	op.dest.u.ref = REF;
	is(status_of(op), GNTST_general_error, "but not to it");
	grant(to, 0);
	is(status_of(op), GNTST_okay, "to a page that we grant ourselves, to write");
}

static void refused_copies(void)
{
	struct gnttab_copy op = by_frame();

	op.len = PAGE_SIZE - 15;
	is(status_of(op), GNTST_bad_copy_arg, "beyond the end of the page");
	op = by_frame();
	op.source.u.gmfn = 0x1;
	is(status_of(op), xen_since(4, 0) ? GNTST_bad_page : GNTST_general_error,
	   "from a frame that is not ours");
	op = by_frame();
	op.dest.u.gmfn = virt_to_mfn(kernel_root());
	is(status_of(op), GNTST_general_error, "to a page table");
	op = by_frame();
	op.source.domid = 0;
	is(status_of(op), GNTST_permission_denied, "from a frame of domain 0");
	op.flags = GNTCOPY_source_gref;
	op.source.domid = NOBODY;
	op.source.u.ref = REF;
	is(status_of(op), GNTST_bad_domain, "from a domain that is not there");
	op.source.domid = DOMID_SELF;
	op.source.u.ref = REF + 1;
	is(status_of(op), GNTST_general_error, "from an entry that is empty");
	op.source.u.ref = 1U << 30;
	is(status_of(op), GNTST_bad_gntref, "from an entry beyond all");
}

/* The answer of the call, where it is no longer the operation's. */
#define HARDWARE_ONLY (xen_since(3, 1) && !xen_since(4, 0))

static void mapping(void)
{
	struct gnttab_map_grant_ref map = { .dom = NOBODY, .flags = GNTMAP_host_map };
	struct gnttab_unmap_grant_ref unmap = { .handle = 0xffff };

	is(grant_table_op(GNTTABOP_map_grant_ref, &map, 1), HARDWARE_ONLY ? -XEN_EPERM : 0,
	   "map a grant of a domain that is not there");
	is(map.status, HARDWARE_ONLY ? 0 : GNTST_bad_domain, "its status");
	is(grant_table_op(GNTTABOP_map_grant_ref, BAD, 1),
	   HARDWARE_ONLY ? -XEN_EPERM : -XEN_EFAULT, "an operation that can't be read");
	is(grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1), HARDWARE_ONLY ? -XEN_EPERM : 0,
	   "unmap what is not mapped");
	is(unmap.status, HARDWARE_ONLY ? 0 : GNTST_bad_handle, "its status");
	is(grant_table_op(GNTTABOP_unmap_grant_ref, BAD, 1),
	   HARDWARE_ONLY ? -XEN_EPERM : -XEN_EFAULT, "an operation that can't be read");
}

static void transfer(void)
{
	struct gnttab_transfer op = { .mfn = 0x1, .domid = 0 };

	is(grant_table_op(GNTTABOP_transfer, &op, 1), HARDWARE_ONLY ? -XEN_EPERM : 0,
	   "give away a frame that is not ours");
	is(op.status, HARDWARE_ONLY ? 0 : GNTST_bad_page, "its status");
	is(grant_table_op(GNTTABOP_transfer, BAD, 1), HARDWARE_ONLY ? -XEN_EPERM : -XEN_EFAULT,
	   "an operation that can't be read");
}

static void calls(void)
{
	struct gnttab_copy op = by_frame();

	is(grant_table_op(GNTTABOP_copy, &op, 0), 0, "no copy at all");
	is(grant_table_op(GNTTABOP_copy, BAD, 1), -XEN_EFAULT, "a copy that can't be read");
	if (!xen_since(4, 0)) /* later Xen does part of it, and goes on */
		is(grant_table_op(GNTTABOP_copy, &op, 513), -XEN_EINVAL, "more than 512");
	else
		skip("Xen 4 takes longer lists", "more than 512");
}

void guest_main(void)
{
	map_table();
	from = page_alloc();
	to = page_alloc();
	copies();
	refused_copies();
	mapping();
	transfer();
	calls();
}
