/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domain.h - a running guest: serves the monitor's calls and owns the backends
 *
 * Everything here runs on the thread of the default GMainContext.
 */
#ifndef XENEMU_DOMAIN_DOMAIN_H
#define XENEMU_DOMAIN_DOMAIN_H

#include "backend/console-io.h"
#include "domain/builder.h"
#include "domain/runtime.h"
#include "machine/machine.h"
#include <glib.h>
#include <stdio.h>

#define DOMID_GUEST 1 /* what the guest sees as its own id */

/** What a domain ended with; the values are exit statuses of `xenemu run`. */
enum domain_end {
	DOMAIN_RUNNING = -1,
	DOMAIN_POWEROFF = 0,
	DOMAIN_REBOOT = 3,
	DOMAIN_CRASH = 4,
	DOMAIN_FAILED = 5, /* the monitor, the machine or the helper failed */
	DOMAIN_TIMEOUT = 6,
};

enum domain_trace {
	TRACE_HYPERCALLS = 1 << 0,
	TRACE_EVENTS = 1 << 1,
	TRACE_XENSTORE = 1 << 2,
};

/**
 * struct domain_config - how to run a guest
 * @name:     for messages and xenstore
 * @runtime:  where the sockets are made; outlives the domain; NULL for none
 * @build:    the built memory; the domain takes ownership
 * @module:   monitor module, for symbols; outlives the domain
 * @machine_ops, @machine: kind of machine and its configuration (mem, events
 *            and opaque are filled in by the domain)
 * @maxmem:   most memory the guest may have, pages
 * @trace:    enum domain_trace bits
 * @boot_flags: further BOOT_* flags for the monitor
 * @trace_file: where the trace goes; not closed
 * @devices:  GPtrArray of struct device_config, in the order of creation, or NULL; may
 *            be freed when the domain is there
 * @console:  where the primary console leads; the domain takes ownership
 * @ended:    called once, when @end is known, on the main thread
 */
struct domain_config {
	const char *name;
	struct runtime *runtime;
	struct build *build;
	const struct module *module;
	const struct machine_ops *machine_ops;
	struct machine_config machine;
	uint64_t maxmem;
	uint32_t trace;
	uint32_t boot_flags;
	FILE *trace_file;
	const GPtrArray *devices;
	struct console_io *console;
	void (*ended)(void *opaque, enum domain_end end);
	void *opaque;
};

struct domain;

/**
 * domain_new() - make a domain, ready to start
 * @config: not kept; what its pointers name must outlive the domain
 * @error:  what failed
 *
 * On error config->build and config->console are freed as well.  Return: domain_free() it.
 */
struct domain *domain_new(const struct domain_config *config, GError **error);

/** domain_start() - let it run */
gboolean domain_start(struct domain *dom, GError **error);

/**
 * domain_fail() - the one way to stop a domain for a reason of ours
 * @dom:    the domain
 * @end:    DOMAIN_CRASH when the guest is to blame, else DOMAIN_FAILED
 * @format: one line for the user, without a newline
 *
 * Prints the reason, stops the machine and reports @end.  A second call, or a
 * call after the end, does nothing.
 */
void domain_fail(struct domain *dom, enum domain_end end, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/** domain_end() - stop a domain without a message: timeout, poweroff */
void domain_end(struct domain *dom, enum domain_end end);

/** domain_free() - stop the machine, release everything; NULL is allowed */
void domain_free(struct domain *dom);
typedef struct domain Domain; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Domain, domain_free)

#endif
