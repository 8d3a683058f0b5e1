/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.h - the monitor's record of hypercalls, as text
 */
#ifndef XENEMU_DOMAIN_TRACE_H
#define XENEMU_DOMAIN_TRACE_H

#include <glib.h>
#include <stdio.h>

struct domain;
struct trace;

/**
 * trace_new() - follow the trace rings of a domain
 * @dom:  domain; its vcpu areas are read
 * @file: where lines go, or NULL: trace_drain() does nothing
 */
struct trace *trace_new(const struct domain *dom, FILE *file);

/** trace_free() - NULL is allowed */
void trace_free(struct trace *trace);

/**
 * trace_drain() - write what all vCPUs have recorded since the last time
 * @all: also a newest entry without a result, which else waits for it: the
 *       monitor is about to overwrite the ring, or nothing more will come
 *
 * Called at each mailbox call, so that a line comes before those that the
 * helper writes while it serves the call.
 */
void trace_drain(struct trace *trace, gboolean all);

/**
 * trace_last() - write the last hypercalls of a vCPU, oldest first
 * @file: where to
 * @nr:   how many at most
 *
 * For crash reports; independent of tracing.
 */
void trace_last(const struct domain *dom, unsigned int vcpu, FILE *file, unsigned int nr);

#endif
