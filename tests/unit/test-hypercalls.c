/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the helper's hypercalls answer, called through the table of xen-4.
 */
#include "fake-domain.h"
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/version.h>

#define BAD FAKE_HOLE_VADDR

/* --- tables --- */

static void test_tables(void)
{
	const struct abi *abi = abi_find("xen-4");
	char *name;

	g_assert_nonnull(abi);
	g_assert_null(abi_find("xen-9"));
	g_assert_null(abi_row(abi, 11, 0));
	g_assert_null(abi_row(abi, NR_HYPERCALLS, 0));
	g_assert_null(abi_row(abi, UINT32_MAX, 0));
	g_assert_cmpstr(abi_row(abi, __HYPERVISOR_mmu_update, 0)->name, ==, "mmu_update");
	/* Xen takes a sub-operation as an int. */
	g_assert_cmpstr(abi_row(abi, __HYPERVISOR_memory_op, 0xffff00000009ULL)->name, ==,
			"memory_map");

	name = abi_call_name(abi, __HYPERVISOR_memory_op, XENMEM_memory_map);
	g_assert_cmpstr(name, ==, "memory_op(memory_map)");
	g_free(name);
	name = abi_call_name(abi, __HYPERVISOR_sched_op, 17);
	g_assert_cmpstr(name, ==, "sched_op(17)");
	g_free(name);
	name = abi_call_name(abi, 60, 1);
	g_assert_cmpstr(name, ==, "hypercall 60");
	g_free(name);
	name = abi_call_name(abi, __HYPERVISOR_mmu_update, 1);
	g_assert_cmpstr(name, ==, "mmu_update");
	g_free(name);
}

/* Every handler survives arguments that point nowhere. */
static void test_wild_arguments(void)
{
	const uint64_t wild[] = { 0, BAD, 0x8000000000000000, UINT64_MAX - 3,
				  FAKE_VADDR + 2 * PAGE_SIZE - 1 };
	struct fake *fake = fake_new(FAKE_PAGES);
	unsigned int nr_called = 0;

	for (unsigned int nr = 0; nr < NR_HYPERCALLS; nr++) {
		const struct hypercall_row *row = &fake->dom.abi->calls[nr];

		for (unsigned int i = 0; row->name && i < row->nr_subs; i++) {
			for (unsigned int w = 0; w < G_N_ELEMENTS(wild); w++) {
				if (row->subs[i].place != PLACE_HELPER || fake_takes_values(nr))
					continue;
				g_assert_cmpint(fake_call(fake, nr, row->subs[i].nr, wild[w],
							  1),
						<=, FAKE_BYTES);
				nr_called++;
			}
		}
	}
	g_assert_cmpint(nr_called, >, 100);
	fake_free(fake);
}

/* --- xen_version --- */

static void test_version(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct xen_feature_info info = { 0 };
	struct xen_platform_parameters params = { 0 };
	xen_capabilities_info_t caps = "";
	xen_extraversion_t extra = "";
	xen_domain_handle_t handle = { 0 };
	const unsigned int nr = __HYPERVISOR_xen_version;

	g_assert_cmpint(fake_op(fake, nr, XENVER_get_features, &info, sizeof(info)), ==, 0);
	g_assert_cmphex(info.submap & 0xf, ==, 0);
	g_assert_cmphex(info.submap & (1 << XENFEAT_mmu_pt_update_preserve_ad |
				       1 << XENFEAT_gnttab_map_avail_bits),
			==, 0xa0);
	info.submap_idx = 1;
	g_assert_cmpint(fake_op(fake, nr, XENVER_get_features, &info, sizeof(info)), ==,
			-XEN_EINVAL);

	g_assert_cmpint(fake_op(fake, nr, XENVER_capabilities, caps, sizeof(caps)), ==, 0);
	g_assert_cmpstr(caps, ==, "xen-3.0-x86_64 xen-3.0-x86_32p ");
	g_assert_cmpint(fake_op(fake, nr, XENVER_extraversion, extra, sizeof(extra)), ==, 0);
	g_assert_cmpint(strnlen(extra, sizeof(extra)), <, sizeof(extra));
	g_assert_cmpint(fake_op(fake, nr, XENVER_guest_handle, handle, sizeof(handle)), ==, 0);
	g_assert_cmpmem(handle, 16,
			"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	g_assert_cmpint(fake_op(fake, nr, XENVER_platform_parameters, &params, sizeof(params)),
			==, 0);
	g_assert_cmphex(params.virt_start, ==, 0xffff800000000000);

	g_assert_cmpint(fake_call(fake, nr, XENVER_pagesize, 0, 0), ==, 4096);
	g_assert_cmpint(fake_call(fake, nr, XENVER_pagesize, FAKE_VADDR, 0), ==, -XEN_EINVAL);
	g_assert_cmpint(fake_call(fake, nr, XENVER_build_id, 0, 0), ==, -XEN_EPERM);
	g_assert_cmpint(fake_call(fake, nr, XENVER_extraversion, BAD, 0), ==, -XEN_EFAULT);
	g_assert_cmpint(fake_call(fake, nr, XENVER_extraversion, FAKE_RO_VADDR, 0), ==,
			-XEN_EFAULT);
	fake_free(fake);
}

/* --- memory_op --- */

/* Where extent lists are put: beside the structure. */
#define LIST (FAKE_VADDR + 0x800)

static int64_t reservation(struct fake *fake, unsigned int sub, uint64_t *list, uint64_t nr,
			   unsigned int order)
{
	struct xen_memory_reservation res = { .nr_extents = nr,
					      .extent_order = order,
					      .domid = DOMID_SELF };
	int64_t rc;

	res.extent_start.p = (void *)LIST;
	fake_put(fake, LIST, list, nr * sizeof(*list));
	rc = fake_op(fake, __HYPERVISOR_memory_op, sub, &res, sizeof(res));
	fake_get(fake, LIST, list, nr * sizeof(*list));
	return rc;
}

static int64_t reserved(struct fake *fake, unsigned int sub, uint16_t domid)
{
	struct xen_memory_domain args = { .domid = domid };

	return fake_op(fake, __HYPERVISOR_memory_op, sub, &args, sizeof(args));
}

static void test_balloon(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	uint64_t list[] = { FAKE_FIRST + 200, FAKE_FIRST + 201, FAKE_FIRST + 200 };

	/* The third is gone already: two are done. */
	g_assert_cmpint(reservation(fake, XENMEM_decrease_reservation, list, 3, 0), ==, 2);
	g_assert_cmpint(reserved(fake, XENMEM_current_reservation, DOMID_SELF), ==,
			FAKE_PAGES - 2);
	g_assert_cmpint(reserved(fake, XENMEM_maximum_reservation, DOMID_GUEST), ==,
			FAKE_PAGES);
	g_assert_cmpint(reserved(fake, XENMEM_current_reservation, 0), ==, -XEN_EPERM);
	g_assert_cmpint(reserved(fake, XENMEM_current_reservation, 5), ==, -XEN_ESRCH);

	/* pfns go in, mfns come out; the limit ends it. */
	list[0] = 7;
	list[1] = 8;
	list[2] = 9;
	g_assert_cmpint(reservation(fake, XENMEM_populate_physmap, list, 3, 0), ==, 2);
	g_assert_true(frames_owned(fake->dom.frames, list[0]));
	g_assert_cmpint(fake->build.m2p[list[0]], ==, 7);
	g_assert_cmpint(fake->build.m2p[list[1]], ==, 8);
	g_assert_cmpint(list[2], ==, 9);
	fake_free(fake);
}

static void test_reservation_refused(void)
{
	struct fake *fake = fake_new(FAKE_PAGES + 64);
	struct xen_memory_reservation res = { .nr_extents = 1, .domid = 0 };
	uint64_t list[] = { FAKE_ROOT, 0 };
	const unsigned int nr = __HYPERVISOR_memory_op;

	/* A frame that is not the guest's; a live table goes, but not yet. */
	list[0] = FAKE_FIRST - 1;
	g_assert_cmpint(reservation(fake, XENMEM_decrease_reservation, list, 1, 0), ==, 0);
	list[0] = FAKE_ROOT;
	fake->build.frame_table[FAKE_ROOT] |= 4ULL << FRAME_TYPE_SHIFT | FRAME_COUNT_ONE;
	g_assert_cmpint(reservation(fake, XENMEM_decrease_reservation, list, 1, 0), ==, 1);
	g_assert_true(frames_owned(fake->dom.frames, FAKE_ROOT));
	/* Another domain, an order or a count beyond what Xen allows. */
	res.extent_start.p = (void *)LIST;
	g_assert_cmpint(fake_op(fake, nr, XENMEM_populate_physmap, &res, sizeof(res)), ==, 0);
	res.domid = DOMID_SELF;
	res.extent_order = 60;
	g_assert_cmpint(fake_op(fake, nr, XENMEM_populate_physmap, &res, sizeof(res)), ==, 0);
	res.extent_order = 0;
	res.nr_extents = UINT64_MAX;
	g_assert_cmpint(fake_op(fake, nr, XENMEM_populate_physmap, &res, sizeof(res)), ==, 0);
	g_assert_cmpint(reserved(fake, XENMEM_current_reservation, DOMID_SELF), ==, FAKE_PAGES);
	/* Address bits are honoured: nothing is free below frame 256. */
	res.nr_extents = 1;
	res.mem_flags = XENMEMF_address_bits(20);
	g_assert_cmpint(fake_op(fake, nr, XENMEM_increase_reservation, &res, sizeof(res)), ==,
			0);
	res.mem_flags = XENMEMF_address_bits(12);
	g_assert_cmpint(fake_op(fake, nr, XENMEM_increase_reservation, &res, sizeof(res)), ==,
			0);
	res.mem_flags = XENMEMF_address_bits(32);
	g_assert_cmpint(fake_op(fake, nr, XENMEM_increase_reservation, &res, sizeof(res)), ==,
			1);
	fake_free(fake);
}

static void test_memory_map(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct xen_memory_map map = { .nr_entries = 128 };
	struct xen_machphys_mapping m2p = { 0 };
	struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) entry = { 1, 1, 1 };
	const unsigned int nr = __HYPERVISOR_memory_op;

	map.buffer.p = (void *)LIST;
	g_assert_cmpint(fake_op(fake, nr, XENMEM_memory_map, &map, sizeof(map)), ==, 0);
	g_assert_cmpint(map.nr_entries, ==, 1);
	fake_get(fake, LIST, &entry, sizeof(entry));
	g_assert_cmpint(entry.addr, ==, 0);
	g_assert_cmpint(entry.size, ==, FAKE_PAGES * PAGE_SIZE);
	g_assert_cmpint(entry.type, ==, 1);
	map.buffer.p = (void *)BAD;
	g_assert_cmpint(fake_op(fake, nr, XENMEM_memory_map, &map, sizeof(map)), ==,
			-XEN_EFAULT);
	g_assert_cmpint(fake_op(fake, nr, XENMEM_machphys_mapping, &m2p, sizeof(m2p)), ==, 0);
	g_assert_cmphex(m2p.v_start, ==, 0xffff800000000000);
	fake_free(fake);
}

/* --- event_channel_op --- */

static void test_events(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER, .vcpu = 0 };
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct evtchn_close shut = { 0 };
	const unsigned int nr = __HYPERVISOR_event_channel_op;

	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_alloc_unbound, &alloc, sizeof(alloc)), ==,
			0);
	g_assert_cmpint(alloc.port, ==, 1);
	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_bind_virq, &virq, sizeof(virq)), ==, 0);
	g_assert_cmpint(virq.port, ==, 2);
	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_bind_virq, &virq, sizeof(virq)), ==,
			-XEN_EEXIST);
	status.port = 2;
	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_status, &status, sizeof(status)), ==, 0);
	g_assert_cmpint(status.status, ==, EVTCHNSTAT_virq);
	status.dom = 0;
	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_status, &status, sizeof(status)), ==,
			-XEN_EPERM);
	shut.port = 2;
	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_close, &shut, sizeof(shut)), ==, 0);
	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_close, &shut, sizeof(shut)), ==,
			-XEN_EINVAL);
	alloc.dom = 7;
	g_assert_cmpint(fake_op(fake, nr, EVTCHNOP_alloc_unbound, &alloc, sizeof(alloc)), ==,
			-XEN_ESRCH);
	/* FIFO events are not there: the guest falls back to 2-level ones. */
	g_assert_cmpint(abi_row(fake->dom.abi, nr, EVTCHNOP_init_control)->place, !=,
			PLACE_HELPER);
	fake_free(fake);
}

/* --- grant_table_op --- */

static void test_grant_setup(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct gnttab_query_size query = { .dom = DOMID_SELF };
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 4 };
	struct gnttab_set_version version = { .version = 2 };
	uint64_t frames[4] = { 0 };
	struct grant_entry_v1 *entry;
	const unsigned int nr = __HYPERVISOR_grant_table_op;

	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_query_size, &query, sizeof(query)), ==, 0);
	g_assert_cmpint(query.status, ==, GNTST_okay);
	g_assert_cmpint(query.nr_frames, ==, 1);
	g_assert_cmpint(query.max_nr_frames, ==, fake->dom.abi->grant_frames_max);

	setup.frame_list.p = (void *)LIST;
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_setup_table, &setup, sizeof(setup)), ==, 0);
	g_assert_cmpint(setup.status, ==, GNTST_okay);
	fake_get(fake, LIST, frames, sizeof(frames));
	for (unsigned int i = 0; i < 4; i++)
		g_assert_cmphex(fake->build.frame_table[frames[i]], ==, FRAME_OWNED);
	entry = memory_page(fake->build.mem, frames[0]);
	g_assert_cmpint(entry[0].flags, ==, GTF_permit_access);
	g_assert_cmpint(entry[0].domid, ==, 0);
	g_assert_cmpint(entry[0].frame, ==, FAKE_CONSOLE);
	g_assert_cmpint(entry[1].frame, ==, FAKE_STORE);
	g_assert_cmpint(entry[2].flags, ==, 0);

	setup.nr_frames = fake->dom.abi->grant_frames_max + 1;
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_setup_table, &setup, sizeof(setup)), ==, 0);
	g_assert_cmpint(setup.status, ==, GNTST_general_error);
	setup.nr_frames = 4;
	setup.frame_list.p = (void *)BAD;
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_setup_table, &setup, sizeof(setup)), ==, 0);
	g_assert_cmpint(setup.status, ==, GNTST_bad_virt_addr);
	setup.dom = 0;
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_setup_table, &setup, sizeof(setup)), ==, 0);
	g_assert_cmpint(setup.status, ==, GNTST_permission_denied);

	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_set_version, &version, sizeof(version)), ==,
			-XEN_ENOSYS);
	g_assert_cmpint(version.version, ==, 1);
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_set_version, &version, sizeof(version)), ==,
			0);
	fake_free(fake);
}

static int16_t copy(struct fake *fake, struct gnttab_copy op)
{
	g_assert_cmpint(fake_op(fake, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &op,
				sizeof(op)),
			==, 0);
	return op.status;
}

static void test_grant_copy(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct grant_entry_v1 *table =
		memory_page(fake->build.mem, grants_frame(fake->dom.grants, 0));
	char *from = memory_page(fake->build.mem, FAKE_FIRST + 300);
	char *to = memory_page(fake->build.mem, FAKE_FIRST + 301);
	struct gnttab_copy op = {
		.source = { .u.gmfn = FAKE_FIRST + 300, .domid = DOMID_SELF, .offset = 4 },
		.dest = { .u.gmfn = FAKE_FIRST + 301, .domid = DOMID_SELF, .offset = 8 },
		.len = 6,
	};

	strcpy(from, "abc-defgh");
	g_assert_cmpint(copy(fake, op), ==, GNTST_okay);
	g_assert_cmpstr(to + 8, ==, "defgh");

	op.len = PAGE_SIZE;
	g_assert_cmpint(copy(fake, op), ==, GNTST_bad_copy_arg);
	op.len = 6;
	op.dest.u.gmfn = 3; /* the monitor's */
	g_assert_cmpint(copy(fake, op), ==, GNTST_bad_page);
	op.dest.u.gmfn = FAKE_ROOT;
	fake->build.frame_table[FAKE_ROOT] |= 4ULL << FRAME_TYPE_SHIFT;
	g_assert_cmpint(copy(fake, op), ==, GNTST_general_error);
	op.dest.domid = 0;
	g_assert_cmpint(copy(fake, op), ==, GNTST_permission_denied);

	/* By reference: the entry decides. */
	op.dest.domid = DOMID_SELF;
	op.flags = GNTCOPY_dest_gref;
	op.dest.u.ref = 100000;
	g_assert_cmpint(copy(fake, op), ==, GNTST_bad_gntref);
	op.dest.u.ref = 9;
	g_assert_cmpint(copy(fake, op), ==, GNTST_general_error);
	table[9] = (struct grant_entry_v1){ GTF_permit_access | GTF_readonly, DOMID_GUEST,
					    FAKE_FIRST + 302 };
	g_assert_cmpint(copy(fake, op), ==, GNTST_general_error);
	table[9].flags = GTF_permit_access;
	g_assert_cmpint(copy(fake, op), ==, GNTST_okay);
	g_assert_cmpstr((char *)memory_page(fake->build.mem, FAKE_FIRST + 302) + 8, ==,
			"defgh");
	table[9].frame = 5;
	g_assert_cmpint(copy(fake, op), ==, GNTST_bad_page);
	fake_free(fake);
}

static void test_grant_map(void)
{
	struct fake *fake = fake_new(FAKE_PAGES);
	struct gnttab_map_grant_ref map = { .flags = GNTMAP_host_map, .dom = 9 };
	struct gnttab_unmap_grant_ref unmap = { .handle = 3 };
	const unsigned int nr = __HYPERVISOR_grant_table_op;

	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_map_grant_ref, &map, sizeof(map)), ==, 0);
	g_assert_cmpint(map.status, ==, GNTST_bad_domain);
	g_assert_cmpint(fake_op(fake, nr, GNTTABOP_unmap_grant_ref, &unmap, sizeof(unmap)), ==,
			0);
	g_assert_cmpint(unmap.status, ==, GNTST_bad_handle);
	g_assert_cmpint(fake_call(fake, nr, GNTTABOP_copy, FAKE_VADDR, UINT32_MAX), ==,
			-XEN_EINVAL);
	fake_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hypercalls/tables", test_tables);
	g_test_add_func("/hypercalls/wild-arguments", test_wild_arguments);
	g_test_add_func("/hypercalls/version", test_version);
	g_test_add_func("/hypercalls/balloon", test_balloon);
	g_test_add_func("/hypercalls/reservation-refused", test_reservation_refused);
	g_test_add_func("/hypercalls/memory-map", test_memory_map);
	g_test_add_func("/hypercalls/events", test_events);
	g_test_add_func("/hypercalls/grant-setup", test_grant_setup);
	g_test_add_func("/hypercalls/grant-copy", test_grant_copy);
	g_test_add_func("/hypercalls/grant-map", test_grant_map);
	return g_test_run();
}
