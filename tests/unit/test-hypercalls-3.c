/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the helper answers guests of Xen 3.0.3 and 3.1, where it differs from
 * xen-4, and calls that only these use.
 */
#include "fake-domain.h"
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

#define LIST (FAKE_VADDR + 0x800)
#define OUT_LIST (FAKE_VADDR + 0xc00)

static struct fake *fake_old(const char *abi)
{
	struct fake *fake = fake_new(FAKE_PAGES + 16);
	struct domain *dom = &fake->dom;

	dom->abi = abi_find(abi);
	g_assert_nonnull(dom->abi);
	grants_free(dom->grants);
	dom->grants = grants_new(dom->build, dom->frames, dom->abi->grant_frames,
				 dom->abi->grant_frames_max);
	return fake;
}

/* --- xen_version --- */

static uint32_t features(struct fake *fake)
{
	struct xen_feature_info info = { 0 };

	g_assert_cmpint(fake_op(fake, __HYPERVISOR_xen_version, XENVER_get_features, &info,
				sizeof(info)),
			==, 0);
	return info.submap;
}

static void check_version(const char *abi, const char *extra, const char *caps)
{
	struct fake *fake = fake_old(abi);
	xen_capabilities_info_t got_caps = "";
	xen_extraversion_t got_extra = "";
	const unsigned int nr = __HYPERVISOR_xen_version;

	g_assert_cmpint(fake_op(fake, nr, XENVER_extraversion, got_extra, sizeof(got_extra)),
			==, 0);
	g_assert_cmpstr(got_extra, ==, extra);
	g_assert_cmpint(fake_op(fake, nr, XENVER_capabilities, got_caps, sizeof(got_caps)), ==,
			0);
	g_assert_cmpstr(got_caps, ==, caps);
	g_assert_cmphex(features(fake), ==, 0);
	/* Only a PAE guest has a root that may lie too high. */
	fake->build.extended_cr3 = TRUE;
	g_assert_cmphex(features(fake), ==, 0);
	fake_free(fake);
}

static void test_version(void)
{
	check_version("xen-3.0.3", ".3-0", "xen-3.0-x86_64");
	check_version("xen-3.1", ".0", "xen-3.0-x86_64 xen-3.0-x86_32p ");
}

/* --- sched_op_compat --- */

static void test_shutdown(void)
{
	struct fake *fake = fake_old("xen-3.0.3");

	/* The reason is a value: the low byte of the argument. */
	g_assert_cmpint(fake_call(fake, __HYPERVISOR_sched_op_compat, SCHEDOP_shutdown,
				  0xff00 | SHUTDOWN_reboot, 0),
			==, 0);
	g_assert_cmpint(fake->dom.end, ==, DOMAIN_REBOOT);
	g_source_remove(fake->dom.end_source); /* no machine is there to be stopped */
	fake_free(fake);
}

/* --- domain ids --- */

/* A guest of that age can't name itself by number. */
static void test_own_domid(void)
{
	struct fake *fake = fake_old("xen-3.1");
	struct xen_memory_domain memory = { .domid = DOMID_SELF };
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_GUEST };
	struct gnttab_query_size query = { .dom = 77 };

	g_assert_cmpint(fake_op(fake, __HYPERVISOR_memory_op, XENMEM_current_reservation,
				&memory, sizeof(memory)),
			==, FAKE_PAGES);
	memory.domid = DOMID_GUEST;
	g_assert_cmpint(fake_op(fake, __HYPERVISOR_memory_op, XENMEM_current_reservation,
				&memory, sizeof(memory)),
			==, -XEN_EPERM);
	memory.domid = 77;
	g_assert_cmpint(fake_op(fake, __HYPERVISOR_memory_op, XENMEM_maximum_reservation,
				&memory, sizeof(memory)),
			==, -XEN_EPERM);
	g_assert_cmpint(fake_op(fake, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound,
				&alloc, sizeof(alloc)),
			==, -XEN_EPERM);
	g_assert_cmpint(fake_op(fake, __HYPERVISOR_grant_table_op, GNTTABOP_query_size, &query,
				sizeof(query)),
			==, 0);
	g_assert_cmpint(query.status, ==, GNTST_permission_denied);
	fake_free(fake);
}

/* --- memory_op --- */

static int64_t populate(struct fake *fake, unsigned int order)
{
	struct xen_memory_reservation res = { .nr_extents = 1,
					      .extent_order = order,
					      .domid = DOMID_SELF };
	uint64_t pfn = 600;

	res.extent_start.p = (void *)LIST;
	fake_put(fake, LIST, &pfn, sizeof(pfn));
	return fake_op(fake, __HYPERVISOR_memory_op, XENMEM_populate_physmap, &res,
		       sizeof(res));
}

static void test_single_pages(void)
{
	struct fake *fake = fake_old("xen-3.0.3");

	g_assert_cmpint(populate(fake, 0), ==, 1);
	g_assert_cmpint(populate(fake, 1), ==, 0);
	fake->dom.abi = abi_find("xen-4");
	g_assert_cmpint(populate(fake, 1), ==, 1);
	fake_free(fake);
}

static int64_t exchange(struct fake *fake, struct xen_memory_exchange *args)
{
	args->in.extent_start.p = (void *)LIST;
	args->out.extent_start.p = (void *)OUT_LIST;
	return fake_op(fake, __HYPERVISOR_memory_op, XENMEM_exchange, args, sizeof(*args));
}

static void test_exchange(void)
{
	struct fake *fake = fake_old("xen-3.0.3");
	struct xen_memory_exchange args = {
		.in = { .nr_extents = 2, .domid = DOMID_SELF },
		.out = { .nr_extents = 2,
			 .mem_flags = XENMEMF_address_bits(32),
			 .domid = DOMID_SELF },
	};
	uint64_t in[2] = { FAKE_FIRST + 40, FAKE_FIRST + 41 }, out[2] = { 40, 41 };

	fake_put(fake, LIST, in, sizeof(in));
	fake_put(fake, OUT_LIST, out, sizeof(out));
	g_assert_cmpint(exchange(fake, &args), ==, 0);
	g_assert_cmpint(args.nr_exchanged, ==, 2);
	fake_get(fake, OUT_LIST, out, sizeof(out));
	for (unsigned int i = 0; i < 2; i++) {
		g_assert_true(frames_owned(fake->dom.frames, out[i]));
		g_assert_cmpint(fake->build.m2p[out[i]], ==, 40 + i);
	}
	/* The first may have been given out again as the second. */
	g_assert_false(frames_owned(fake->dom.frames, in[1]));
	g_assert_cmphex(fake->build.m2p[in[1]], ==, M2P_INVALID);
	g_assert_cmpint(frames_current(fake->dom.frames), ==, FAKE_PAGES);
	fake_free(fake);
}

/* What is refused changes nothing; what was done before is said. */
static void test_exchange_refused(void)
{
	struct fake *fake = fake_old("xen-3.1");
	const struct xen_memory_exchange good = {
		.in = { .nr_extents = 2, .domid = DOMID_SELF },
		.out = { .nr_extents = 2, .domid = DOMID_SELF }
	};
	struct xen_memory_exchange args = good;
	uint64_t in[2] = { FAKE_FIRST + 40, 3 }, out[2] = { 40, 41 };

	fake_put(fake, LIST, in, sizeof(in));
	fake_put(fake, OUT_LIST, out, sizeof(out));
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_EINVAL);
	g_assert_cmpint(args.nr_exchanged, ==, 1);
	g_assert_false(frames_owned(fake->dom.frames, FAKE_FIRST + 40));

	args = good;
	args.out.extent_order = 1;
	args.out.nr_extents = 1;
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_EPERM);
	args = good;
	args.out.nr_extents = 1;
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_EINVAL);
	args = good;
	args.in.nr_extents = args.out.nr_extents = UINT64_MAX;
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_EINVAL);
	args = good;
	args.in.extent_order = args.out.extent_order = 64;
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_EPERM);
	args = good;
	args.in.domid = args.out.domid = 0;
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_EPERM);
	args = good;
	args.out.mem_flags = XENMEMF_address_bits(12);
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_ENOMEM);
	args.out.mem_flags = XENMEMF_address_bits(22); /* nothing is free there */
	in[0] = FAKE_FIRST + 50;
	fake_put(fake, LIST, in, sizeof(in));
	g_assert_cmpint(exchange(fake, &args), ==, -XEN_ENOMEM);
	g_assert_true(frames_owned(fake->dom.frames, FAKE_FIRST + 50));
	g_assert_cmpint(frames_current(fake->dom.frames), ==, FAKE_PAGES);
	fake_free(fake);
}

/* --- grant_table_op --- */

static int16_t setup(struct fake *fake, uint32_t nr_frames)
{
	struct gnttab_setup_table args = { .dom = DOMID_SELF, .nr_frames = nr_frames };

	args.frame_list.p = (void *)LIST;
	g_assert_cmpint(fake_op(fake, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &args,
				sizeof(args)),
			==, 0);
	return args.status;
}

static void test_grant_frames(void)
{
	struct fake *fake = fake_old("xen-3.0.3");

	g_assert_cmpint(grants_count(fake->dom.grants), ==, 4);
	g_assert_cmpint(setup(fake, 4), ==, GNTST_okay);
	g_assert_cmpint(setup(fake, 5), ==, GNTST_general_error);
	g_assert_cmpint(fake_call(fake, __HYPERVISOR_grant_table_op, GNTTABOP_copy, FAKE_VADDR,
				  513),
			==, -XEN_EINVAL);
	fake_free(fake);

	fake = fake_old("xen-3.1");
	g_assert_cmpint(grants_count(fake->dom.grants), ==, 4);
	g_assert_cmpint(setup(fake, 32), ==, GNTST_okay);
	g_assert_cmpint(setup(fake, 33), ==, GNTST_general_error);
	fake_free(fake);
}

static int16_t transfer(struct fake *fake, uint64_t mfn, uint16_t domid)
{
	struct gnttab_transfer args = { .mfn = mfn, .domid = domid, .ref = 8 };

	g_assert_cmpint(fake_op(fake, __HYPERVISOR_grant_table_op, GNTTABOP_transfer, &args,
				sizeof(args)),
			==, 0);
	return args.status;
}

static void test_transfer(void)
{
	struct fake *fake = fake_old("xen-3.0.3");
	struct frames *frames = fake->dom.frames;

	/* Not its own, and a page table: nothing happens. */
	g_assert_cmpint(transfer(fake, 3, 0), ==, GNTST_bad_page);
	g_assert_cmpint(transfer(fake, UINT64_MAX, 0), ==, GNTST_bad_page);
	fake->build.frame_table[FAKE_ROOT] |= 4ULL << FRAME_TYPE_SHIFT | FRAME_COUNT_ONE;
	g_assert_cmpint(transfer(fake, FAKE_ROOT, 0), ==, GNTST_bad_page);
	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES);
	/* Otherwise the page is gone, whoever was to get it. */
	g_assert_cmpint(transfer(fake, FAKE_FIRST + 60, 9), ==, GNTST_bad_domain);
	g_assert_cmpint(transfer(fake, FAKE_FIRST + 61, 0), ==, GNTST_general_error);
	g_assert_false(frames_owned(frames, FAKE_FIRST + 60));
	g_assert_cmpint(frames_current(frames), ==, FAKE_PAGES - 2);
	fake_free(fake);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hypercalls-3/version", test_version);
	g_test_add_func("/hypercalls-3/shutdown", test_shutdown);
	g_test_add_func("/hypercalls-3/own-domid", test_own_domid);
	g_test_add_func("/hypercalls-3/single-pages", test_single_pages);
	g_test_add_func("/hypercalls-3/exchange", test_exchange);
	g_test_add_func("/hypercalls-3/exchange-refused", test_exchange_refused);
	g_test_add_func("/hypercalls-3/grant-frames", test_grant_frames);
	g_test_add_func("/hypercalls-3/transfer", test_transfer);
	return g_test_run();
}
