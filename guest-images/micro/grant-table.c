/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grant-table - set-up, sizes and version of the guest's own table, and the
 * entries that the builder left in it
 */
#include "guest.h"

static xen_pfn_t frames[64];
static volatile struct grant_entry_v1 *table;

static int16_t setup(unsigned int count, long *err)
{
	struct gnttab_setup_table arg = { .dom = DOMID_SELF, .nr_frames = count, .status = 77 };

	set_xen_guest_handle(arg.frame_list, frames);
	*err = grant_table_op(GNTTABOP_setup_table, &arg, 1);
	return arg.status;
}

static void sizes(void)
{
	struct gnttab_query_size arg = { .dom = DOMID_SELF };

	if (!xen_since(3, 1)) {
		is(grant_table_op(GNTTABOP_query_size, &arg, 1), -XEN_ENOSYS, "query_size");
		skip("before Xen 3.1", "its status");
		skip("before Xen 3.1", "there is at least a frame");
		skip("before Xen 3.1", "the maximum is plausible");
		skip("before Xen 3.1", "query_size of another domain");
		skip("before Xen 3.1", "is refused by its status");
		return;
	}
	is(grant_table_op(GNTTABOP_query_size, &arg, 1), 0, "query_size");
	is(arg.status, GNTST_okay, "its status");
	ok(arg.nr_frames >= 1, "there is at least a frame");
	ok(arg.max_nr_frames >= arg.nr_frames && arg.max_nr_frames <= ARRAY_SIZE(frames),
	   "the maximum is plausible");
	diag("%u frames, at most %u", arg.nr_frames, arg.max_nr_frames);
	arg.dom = 77;
	is(grant_table_op(GNTTABOP_query_size, &arg, 1), 0, "query_size of another domain");
	ok(arg.status < 0, "is refused by its status");
}

static void map_table(void)
{
	char *page = page_alloc();
	long err;

	is(setup(2, &err), GNTST_okay, "setup_table of two frames: status");
	is(err, 0, "setup_table: result");
	ok(frames[0] && frames[1] && frames[0] != frames[1], "two frames");
	is(update_va_mapping((unsigned long)page, make_pte(frames[0], PTE_WRITE), UVMF_INVLPG),
	   0, "the first can be mapped writable");
	table = (volatile struct grant_entry_v1 *)page;
	is(setup(10000, &err), GNTST_general_error, "more than the maximum: status");
	ok(setup(1, &err) == GNTST_okay && frames[0] == pte_mfn(*pte_of(page, 1)),
	   "setup again gives the same frame");
}

/* Xen 4.17 tools/libs/guest/xg_dom_boot.c: xc_dom_gnttab_seed() */
static void reserved_entries(void)
{
	is(table[GNTTAB_RESERVED_CONSOLE].frame, start_info->console.domU.mfn,
	   "entry 0 grants the console page");
	is(table[GNTTAB_RESERVED_CONSOLE].domid, 0, "to domain 0");
	is(table[GNTTAB_RESERVED_CONSOLE].flags & GTF_type_mask, GTF_permit_access, "its type");
	is(table[GNTTAB_RESERVED_XENSTORE].frame, start_info->store_mfn,
	   "entry 1 grants the store's page");
	is(table[GNTTAB_RESERVED_XENSTORE].domid, 0, "to domain 0");
	is(table[GNTTAB_RESERVED_XENSTORE].flags & GTF_type_mask, GTF_permit_access,
	   "its type");
	is(table[8].flags, 0, "entry 8 is free");
}

/* Newer than 3.1: do_grant_table_op() of common/grant_table.c says ENOSYS to them there. */
static void version(void)
{
	bool has = xen_since(4, 0);
	struct gnttab_get_version get = { .dom = DOMID_SELF };
	struct gnttab_set_version set = { .version = 1 };
	long err;

	is(grant_table_op(GNTTABOP_get_version, &get, 1), has ? 0 : -XEN_ENOSYS, "get_version");
	is(get.version, has, "version 1 at start");
	is(grant_table_op(GNTTABOP_set_version, &set, 1), has ? 0 : -XEN_ENOSYS,
	   "set_version(1)");
	is(set.version, 1, "it is version 1");
	set.version = 3;
	err = grant_table_op(GNTTABOP_set_version, &set, 1);
	is(err, has ? -XEN_EINVAL : -XEN_ENOSYS, "set_version(3)");
	is(table[GNTTAB_RESERVED_CONSOLE].frame, start_info->console.domU.mfn,
	   "the entries are as before");
}

static void errors(void)
{
	struct gnttab_query_size arg = { .dom = DOMID_SELF };
	struct gnttab_get_version get = { .dom = 0 };

	is(grant_table_op(GNTTABOP_get_version, &get, 1),
	   xen_since(4, 0) ? -XEN_EPERM : -XEN_ENOSYS, "get_version of domain 0");
	is(grant_table_op(99, &arg, 1), -XEN_ENOSYS, "an unknown operation");
	is(grant_table_op(GNTTABOP_query_size, (void *)UNMAPPED, 1),
	   xen_since(3, 1) ? -XEN_EFAULT : -XEN_ENOSYS, "an argument that can't be read");
	is(grant_table_op(GNTTABOP_query_size, &arg, 2),
	   xen_since(3, 1) ? -XEN_EINVAL : -XEN_ENOSYS, "two query_size at once");
	is(grant_table_op(GNTTABOP_setup_table, (void *)UNMAPPED, 1), -XEN_EFAULT,
	   "a setup_table that can't be read");
	is(grant_table_op(GNTTABOP_setup_table, &arg, 2), -XEN_EINVAL,
	   "two setup_table at once");
}

void guest_main(void)
{
	sizes();
	map_table();
	reserved_entries();
	version();
	errors();
}
