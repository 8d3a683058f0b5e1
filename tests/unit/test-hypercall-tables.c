/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of all ABIs: numbers against Xen's public headers, and what the
 * ABIs have that others lack.
 */
#include "domain/hypercall-table.h"
#include <string.h>

#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/arch-x86/xen-mca.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xenoprof.h>

/* Each CHECK is what some table says, with the header's number for that name. */
static const struct {
	const char *name;
	int header, table;
} numbers[] = {
#define CHECK(name, header, table) { name, header, table },
#define UNCHECKED(name)
#include "hypercall-checks.h"
#undef CHECK
#undef UNCHECKED
};

/* Names that Xen 4.17's headers have no longer. */
static const char *const unchecked[] = {
#define CHECK(name, header, table)
#define UNCHECKED(name) name,
#include "hypercall-checks.h"
};

static void test_numbers(void)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (numbers[i].header != numbers[i].table)
			g_error("%s is %d, a table says %d", numbers[i].name, numbers[i].header,
				numbers[i].table);
	g_assert_cmpint(G_N_ELEMENTS(numbers), >, 120);
}

static void test_unchecked(void)
{
	static const char *const gone[] = { "acm_op", "memory_op(translate_gpfn_list)" };

	g_assert_cmpint(G_N_ELEMENTS(unchecked), ==, G_N_ELEMENTS(gone));
	for (unsigned int i = 0; i < G_N_ELEMENTS(gone); i++)
		g_assert_cmpstr(unchecked[i], ==, gone[i]);
}

/* Rows come sorted, and every `sub` call has some. */
static void test_order(void)
{
	for (unsigned int i = 0; abis[i]; i++) {
		for (unsigned int nr = 0; nr < NR_HYPERCALLS; nr++) {
			const struct hypercall_row *row = &abis[i]->calls[nr];

			if (!row->name)
				continue;
			g_assert_cmpint(row->nr, ==, nr);
			g_assert_cmpint(row->nr_args, <=, MAX_HYPERCALL_ARGS);
			g_assert_cmpint(row->nr_args, <=, row->nr_args_32);
			if (row->place == PLACE_SUB)
				g_assert_cmpint(row->nr_subs, >, 0);
			for (unsigned int s = 1; s < row->nr_subs; s++)
				g_assert_cmpint(row->subs[s - 1].nr, <, row->subs[s].nr);
		}
	}
}

static gboolean has(const char *abi, unsigned int nr, unsigned int sub)
{
	const struct hypercall_row *row = abi_row(abi_find(abi), nr, sub);

	return row && row->place != PLACE_SUB && row->place != PLACE_NONE;
}

static void test_generations(void)
{
	static const struct {
		unsigned int nr, sub;
		gboolean in_303, in_31, in_4;
	} calls[] = {
		{ __HYPERVISOR_memory_op, XENMEM_memory_map, FALSE, TRUE, TRUE },
		{ __HYPERVISOR_memory_op, XENMEM_maximum_gpfn, FALSE, TRUE, TRUE },
		{ __HYPERVISOR_memory_op, XENMEM_machphys_mapping, TRUE, TRUE, TRUE },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_query_size, FALSE, TRUE, TRUE },
		{ __HYPERVISOR_grant_table_op, GNTTABOP_set_version, FALSE, FALSE, TRUE },
		{ __HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, FALSE, TRUE, TRUE },
		{ __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, FALSE, FALSE, TRUE },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_reset, FALSE, TRUE, TRUE },
		{ __HYPERVISOR_xen_version, XENVER_commandline, FALSE, FALSE, TRUE },
		{ __HYPERVISOR_sched_op, SCHEDOP_watchdog, FALSE, FALSE, TRUE },
		{ __HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, TRUE, TRUE, TRUE },
		{ __HYPERVISOR_sched_op_compat, SCHEDOP_poll, FALSE, FALSE, FALSE },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(calls); i++) {
		g_assert_cmpint(has("xen-3.0.3", calls[i].nr, calls[i].sub), ==,
				calls[i].in_303);
		g_assert_cmpint(has("xen-3.1", calls[i].nr, calls[i].sub), ==, calls[i].in_31);
		g_assert_cmpint(has("xen-4", calls[i].nr, calls[i].sub), ==, calls[i].in_4);
	}
}

/* What a 32-bit guest splits in two it passes as two arguments. */
static void test_arguments(void)
{
	const struct abi *abi = abi_find("xen-3.0.3");

	g_assert_cmpint(abi->calls[__HYPERVISOR_set_timer_op].nr_args, ==, 1);
	g_assert_cmpint(abi->calls[__HYPERVISOR_set_timer_op].nr_args_32, ==, 2);
	g_assert_cmpint(abi->calls[__HYPERVISOR_update_descriptor].nr_args_32, ==, 4);
	g_assert_cmpint(abi->calls[__HYPERVISOR_mmu_update].nr_args_32, ==, 4);
	g_assert_cmpint(abi->calls[__HYPERVISOR_set_segment_base].words, ==, WORDS_64);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hypercall-tables/numbers", test_numbers);
	g_test_add_func("/hypercall-tables/unchecked", test_unchecked);
	g_test_add_func("/hypercall-tables/order", test_order);
	g_test_add_func("/hypercall-tables/generations", test_generations);
	g_test_add_func("/hypercall-tables/arguments", test_arguments);
	return g_test_run();
}
