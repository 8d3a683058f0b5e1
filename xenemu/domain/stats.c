/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.c - counters of a domain, for people and benchmarks
 */
#include "domain/stats.h"
#include "domain/private.h"
#include <string.h>

static const char *const stat_names[STAT_NR] = {
	[STAT_PAGE_FAULT] = "page-fault",   [STAT_PTWR] = "table-write",
	[STAT_SPURIOUS] = "spurious-fault", [STAT_PRIVOP] = "privileged",
	[STAT_PORT_IO] = "port-io",         [STAT_CPUID] = "cpuid",
	[STAT_UPCALL] = "upcall",           [STAT_CALL] = "helper-call",
	[STAT_SYSCALL] = "syscall",         [STAT_EXCEPTION] = "exception",
	[STAT_SHADOW_FILL] = "shadow-fill",
};

static void print_counters(const struct domain *dom, FILE *file)
{
	for (unsigned int stat = 0; stat < STAT_NR; stat++) {
		uint64_t sum = 0;

		for (unsigned int vcpu = 0; vcpu < dom->nr_vcpus; vcpu++)
			sum += __atomic_load_n(&dom->build->vcpus[vcpu].stat[stat],
					       __ATOMIC_RELAXED);
		if (stat_names[stat])
			fprintf(file, "stat: %s %" G_GUINT64_FORMAT "\n", stat_names[stat],
				sum);
	}
}

/* "RssAnon:  1234 kB" and "VmHWM: ...", the most there ever was, of /proc/self/status */
static void print_rss(FILE *file)
{
	char line[256];
	unsigned long kib;
	FILE *status = fopen("/proc/self/status", "re");

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "RssAnon: %lu", &kib) == 1)
			fprintf(file, "stat: helper-rss-anon-kib %lu\n", kib);
		else if (sscanf(line, "VmHWM: %lu", &kib) == 1)
			fprintf(file, "stat: helper-rss-peak-kib %lu\n", kib);
	if (status)
		fclose(status);
}

/* Mappings of a memfd hold guest memory; all others are the helper's own. */
static void print_private_dirty(FILE *file)
{
	char line[512];
	unsigned long kib, sum = 0;
	gboolean guest = FALSE;
	FILE *smaps = fopen("/proc/self/smaps", "re");

	while (smaps && fgets(line, sizeof(line), smaps)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			guest = strstr(line, "memfd:") != NULL;
		else if (!guest && sscanf(line, "Private_Dirty: %lu", &kib) == 1)
			sum += kib;
	}
	if (smaps)
		fclose(smaps);
	fprintf(file, "stat: helper-private-dirty-kib %lu\n", sum);
}

void domain_print_stats(const struct domain *dom, FILE *file)
{
	print_counters(dom, file);
	fprintf(file, "stat: guest-pages %" G_GUINT64_FORMAT "\n", frames_current(dom->frames));
	print_rss(file);
	print_private_dirty(file);
}
