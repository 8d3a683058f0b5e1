/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.h - counters of a domain, for people and benchmarks
 */
#ifndef XENEMU_DOMAIN_STATS_H
#define XENEMU_DOMAIN_STATS_H

#include <stdio.h>

struct domain;

/**
 * domain_print_stats() - one `stat: NAME VALUE` a line
 *
 * The monitor's counters (all vCPUs), the guest's pages, and the helper's own
 * memory: RssAnon, and private dirty pages without guest memory, in KiB.
 */
void domain_print_stats(const struct domain *dom, FILE *file);

#endif
