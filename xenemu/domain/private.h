/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * private.h - struct domain as the files of this directory share it
 *
 * Nothing outside domain/ (and its unit tests) includes this.
 */
#ifndef XENEMU_DOMAIN_PRIVATE_H
#define XENEMU_DOMAIN_PRIVATE_H

#include "backend/console.h"
#include "domain/control.h"
#include "domain/devices.h"
#include "domain/domain.h"
#include "domain/events.h"
#include "domain/frames.h"
#include "domain/grants.h"
#include "domain/guest-memory.h"
#include "domain/hypercall-table.h"
#include "domain/trace.h"
#include "domain/watchdog.h"
#include "xenstore/xenstore.h"

/**
 * struct domain - a running guest
 * @name, @uuid: for messages, xenstore and XENVER_guest_handle
 * @build:    memory and what is in it; owned
 * @nr_vcpus: copied from boot_info before the guest could change it
 * @module:   monitor module, not owned
 * @abi:      the tables of @module's ABI
 * @ops, @machine: what runs it; @machine is NULL once stopped
 * @end:      DOMAIN_RUNNING, or what it ended with
 * @shutdown_code: reason given ahead by SCHEDOP_shutdown_code, or -1
 * @suspend_refused, @frames_refused: the user has been told
 * @end_source: idle source that completes the end, 0 if none
 * @ended, @opaque: whom to tell
 * @events, @upcalls: event channels, and what the guest is told by them
 * @control:  requests from outside, NULL without a runtime directory
 * @asked:    a request that the guest has not acknowledged yet, or NULL
 * @asked_watch: the helper's watch on the guest's acknowledgement, 0 if none
 * @attaching: disks that hotplug.c is opening; NULL if it was never started
 * @devices:  NULL once they have been let go of
 * @store_socket: the store's, for tools; NULL without a runtime directory
 */
struct domain {
	char *name;
	char *uuid;
	struct build *build;
	unsigned int nr_vcpus;
	const struct module *module;
	const struct abi *abi;
	const struct machine_ops *ops;
	struct machine *machine;
	enum domain_end end;
	int shutdown_code;
	gboolean suspend_refused, frames_refused;
	guint end_source;
	void (*ended)(void *opaque, enum domain_end end);
	void *opaque;

	struct events *events;
	struct upcalls *upcalls;
	struct frames *frames;
	struct grants *grants;
	struct trace *trace;
	struct watchdogs watchdogs;
	struct xenstore *store;
	struct xenstore_ring *store_ring;
	struct xenstore_socket *store_socket;
	struct control *control;
	struct control_request *asked;
	unsigned int asked_watch;
	GPtrArray *attaching;
	struct console_io *console_io;
	struct console *console;
	struct devices *devices;
};

/**
 * HYPERCALL() - head of the handler of a row marked `helper`
 *
 * Declares what the generated tables declare too, so that a handler without a
 * row or with another type does not build.
 */
#define HYPERCALL(name)                                                                        \
	int64_t helper_##name(struct domain *dom, const struct hypercall *call);               \
	int64_t helper_##name(G_GNUC_UNUSED struct domain *dom,                                \
			      G_GNUC_UNUSED const struct hypercall *call)

/**
 * domain_message() - one line for the user, on stderr
 * @dom: prefixes its name
 *
 * What is not printable is replaced, newlines as well.
 */
void domain_message(const struct domain *dom, const char *format, ...) G_GNUC_PRINTF(2, 3);

/**
 * mailbox_serve() - answer the posted call of a vCPU, if there is one
 * @vcpu: below dom->nr_vcpus
 */
void mailbox_serve(struct domain *dom, unsigned int vcpu);

/** requests_start() - answer what `xenemu list`, `xenemu shutdown` and others ask */
void requests_start(struct domain *dom);

/** hotplug_start() - the same for `xenemu block-attach`, `network-attach` and their like */
void hotplug_start(struct domain *dom);

/** hotplug_stop() - disks that are not attached yet won't be; no other is from now on */
void hotplug_stop(struct domain *dom);

/** requests_stop() - whoever waits for an answer gets one; may be called twice */
void requests_stop(struct domain *dom);

/** store_tree_write() - fill the store with what a toolstack writes for a domU */
void store_tree_write(struct domain *dom);

/** crash_report_guest() - what Xen's console shows of a crashed guest, on stderr */
void crash_report_guest(struct domain *dom, unsigned int vcpu, const char *reason);

/** crash_report_monitor() - a fault of the monitor, with symbols, on stderr */
void crash_report_monitor(struct domain *dom, unsigned int vcpu);

/** is_self() - does a domain id in a hypercall name the calling domain? */
static inline gboolean is_self(uint16_t domid)
{
	return domid == 0x7ff0 /* DOMID_SELF */ || domid == DOMID_GUEST;
}

/**
 * domid_error() - may the guest ask about this domain?
 *
 * Return: 0 when it is itself, else what it is told: -XEN_EPERM or -XEN_ESRCH.
 */
int domid_error(const struct domain *dom, uint16_t domid);

/** get_args() - copy the structure that the second argument of a *_op points to */
static inline int get_args(const struct domain *dom, const struct hypercall *call, void *args,
			   size_t len)
{
	return copy_from_guest(dom, &call->space, args, call->arg[1], len);
}

/** put_args() - the other way */
static inline int put_args(const struct domain *dom, const struct hypercall *call,
			   const void *args, size_t len)
{
	return copy_to_guest(dom, &call->space, call->arg[1], args, len);
}

#endif
