/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.c - the monitor's record of hypercalls, as text
 *
 * A line: vCPU, call, first arguments, result, guest rip.
 */
#include "domain/trace.h"
#include "domain/private.h"
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

struct trace {
	const struct domain *dom;
	FILE *file;
	uint64_t tail[MAX_VCPUS];
};

static const char *const mmuext_names[] = {
	[MMUEXT_PIN_L1_TABLE] = "pin_l1_table",
	[MMUEXT_PIN_L2_TABLE] = "pin_l2_table",
	[MMUEXT_PIN_L3_TABLE] = "pin_l3_table",
	[MMUEXT_PIN_L4_TABLE] = "pin_l4_table",
	[MMUEXT_UNPIN_TABLE] = "unpin_table",
	[MMUEXT_NEW_BASEPTR] = "new_baseptr",
	[MMUEXT_TLB_FLUSH_LOCAL] = "tlb_flush_local",
	[MMUEXT_INVLPG_LOCAL] = "invlpg_local",
	[MMUEXT_TLB_FLUSH_MULTI] = "tlb_flush_multi",
	[MMUEXT_INVLPG_MULTI] = "invlpg_multi",
	[MMUEXT_TLB_FLUSH_ALL] = "tlb_flush_all",
	[MMUEXT_INVLPG_ALL] = "invlpg_all",
	[MMUEXT_FLUSH_CACHE] = "flush_cache",
	[MMUEXT_SET_LDT] = "set_ldt",
	[MMUEXT_NEW_USER_BASEPTR] = "new_user_baseptr",
	[MMUEXT_CLEAR_PAGE] = "clear_page",
	[MMUEXT_COPY_PAGE] = "copy_page",
	[MMUEXT_FLUSH_CACHE_GLOBAL] = "flush_cache_global",
	[MMUEXT_MARK_SUPER] = "mark_super",
	[MMUEXT_UNMARK_SUPER] = "unmark_super",
};

/* Some numbers have two names; the first one listed is meant. */
#define XEN_ERRNO(name, value) { value, "-" #name },
static const struct {
	int value;
	const char *name;
} error_names[] = {
#include <xen/errno.h>
};

static const char *error_name(int32_t result)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(error_names); i++)
		if (error_names[i].value == -(int64_t)result)
			return error_names[i].name;
	return NULL;
}

struct trace *trace_new(const struct domain *dom, FILE *file)
{
	struct trace *trace = g_new0(struct trace, 1);

	trace->dom = dom;
	trace->file = file;
	return trace;
}

void trace_free(struct trace *trace)
{
	g_free(trace);
}

static char *mmuext_name(uint64_t cmd)
{
	if (cmd < G_N_ELEMENTS(mmuext_names) && mmuext_names[cmd])
		return g_strdup_printf("mmuext_op/%s", mmuext_names[cmd]);
	return g_strdup_printf("mmuext_op/%u", (uint32_t)cmd);
}

static void print_result(FILE *file, int32_t result)
{
	const char *error = error_name(result);

	if (result == TRACE_NO_RESULT)
		fputs(" ...", file);
	else if (error)
		fprintf(file, " = %s", error);
	else
		fprintf(file, " = %d", result);
}

/* One command of an mmuext_op: has no result of its own. */
static void print_mmuext(const struct trace_entry *entry, FILE *file)
{
	char *name = mmuext_name(entry->arg[0]);

	fprintf(file, "  %s %#" G_GINT64_MODIFIER "x\n", name, entry->arg[1]);
	g_free(name);
}

/* Of its arguments, what was recorded and is not said by the name already. */
static void print_arguments(const struct domain *dom, const struct trace_entry *entry,
			    FILE *file)
{
	const struct hypercall_row *call = abi_row(dom->abi, entry->nr, UINT32_MAX);
	unsigned int nr = call ? call->nr_args : G_N_ELEMENTS(entry->arg);

	for (unsigned int i = 0; i < MIN(nr, G_N_ELEMENTS(entry->arg)); i++)
		if (i > 0 || !call || !call->nr_subs)
			fprintf(file, " %#" G_GINT64_MODIFIER "x", entry->arg[i]);
}

static void print_call(const struct domain *dom, const struct trace_entry *entry, FILE *file)
{
	char *name = abi_call_name(dom->abi, entry->nr, entry->arg[0]);

	fprintf(file, "%s%s", entry->flags & TRACE_IN_MULTICALL ? "  " : "", name);
	print_arguments(dom, entry, file);
	/* iret does not return: what is there is the guest's rax. */
	if (entry->nr != __HYPERVISOR_iret)
		print_result(file, entry->result);
	fprintf(file, " rip %#" G_GINT64_MODIFIER "x\n", entry->rip);
	g_free(name);
}

static void print_entry(const struct domain *dom, unsigned int vcpu,
			const struct trace_entry *entry, FILE *file)
{
	fprintf(file, "hypercall: v%u ", vcpu);
	if (entry->flags & TRACE_MMUEXT)
		print_mmuext(entry, file);
	else
		print_call(dom, entry, file);
}

static struct trace_entry copy_entry(const struct vcpu_area *area, uint64_t index)
{
	struct trace_entry entry;

	memcpy(&entry, &area->trace[index % TRACE_ENTRIES], sizeof(entry));
	/* Used from here on, not read again by the compiler. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return entry;
}

static void drain_vcpu(struct trace *trace, unsigned int vcpu, gboolean all)
{
	const struct vcpu_area *area = &trace->dom->build->vcpus[vcpu];
	uint64_t head = __atomic_load_n(&area->trace_head, __ATOMIC_ACQUIRE);
	uint64_t *tail = &trace->tail[vcpu];

	if (head - *tail > TRACE_ENTRIES) {
		fprintf(trace->file, "hypercall: v%u %" G_GUINT64_FORMAT " lost\n", vcpu,
			head - *tail - TRACE_ENTRIES);
		*tail = head - TRACE_ENTRIES;
	}
	for (; *tail != head; (*tail)++) {
		struct trace_entry entry = copy_entry(area, *tail);

		if (!all && *tail + 1 == head && entry.result == TRACE_NO_RESULT)
			break;
		print_entry(trace->dom, vcpu, &entry, trace->file);
	}
}

void trace_drain(struct trace *trace, gboolean all)
{
	if (!trace || !trace->file)
		return;
	for (unsigned int vcpu = 0; vcpu < trace->dom->nr_vcpus; vcpu++)
		drain_vcpu(trace, vcpu, all);
}

void trace_last(const struct domain *dom, unsigned int vcpu, FILE *file, unsigned int nr)
{
	const struct vcpu_area *area = &dom->build->vcpus[vcpu];
	uint64_t head = __atomic_load_n(&area->trace_head, __ATOMIC_ACQUIRE);
	uint64_t count = MIN(MIN(head, TRACE_ENTRIES), nr);

	for (uint64_t i = head - count; i != head; i++) {
		struct trace_entry entry = copy_entry(area, i);

		print_entry(dom, vcpu, &entry, file);
	}
}
