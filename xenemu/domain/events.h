/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.h - event channels: allocation, binding, and what the guest sends
 *
 * The helper alone binds and closes ports.  Its own table is the truth; the
 * one in struct event_area is what the monitor reads to deliver and is never
 * read back.  Errors are negative XEN_E* values as Xen 4.17 gives them.
 */
#ifndef XENEMU_DOMAIN_EVENTS_H
#define XENEMU_DOMAIN_EVENTS_H

#include "domain/upcalls.h"
#include "protocol.h"
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

/** Ports that exist at start of day, as libxl makes them for a PV domU */
#define STORE_PORT 1
#define CONSOLE_PORT 2

/** Ports of 32-bit guests: 32 words of 32 bits */
#define PORTS_32 1024

struct events;
struct evtchn_status;

/**
 * struct events_config - surroundings of the event channels of a domain
 * @area:     shared with the monitor
 * @upcalls:  where events for the guest go
 * @nr_ports: as many as the guest's bitmaps have bits, at most MAX_PORTS
 * @nr_vcpus: 1 to MAX_VCPUS
 * @trace:    where binds, closes and events are written as text, or NULL
 */
struct events_config {
	struct event_area *area;
	struct upcalls *upcalls;
	unsigned int nr_ports;
	unsigned int nr_vcpus;
	FILE *trace;
};

/** events_new() - all ports free but port 0, which is reserved */
struct events *events_new(const struct events_config *config);

/** events_free() - NULL is allowed */
void events_free(struct events *ev);

/**
 * events_bind_backend() - make the helper the other end of a port
 * @port:   a free port, or one the guest allocated for domain 0
 * @kicked: the guest sent an event; from events_serve()
 * @opaque: its argument
 *
 * Return: 0, or -XEN_EINVAL when the port is neither.
 */
int events_bind_backend(struct events *ev, unsigned int port, void (*kicked)(void *opaque),
			void *opaque);

/**
 * events_raise() - send an event to the guest through a backend's port
 *
 * No effect when the guest has closed the port.
 */
void events_raise(struct events *ev, unsigned int port);

/**
 * events_bind_frontend() - become the other end of a port that a frontend allocated
 * @port:   allocated by the guest for domain 0; from its xenstore keys
 * @kicked: the guest sent an event; from events_serve()
 * @opaque: its argument, and who the binding belongs to
 *
 * Return: 0, or -XEN_EINVAL when it is no such port.
 */
int events_bind_frontend(struct events *ev, uint32_t port, void (*kicked)(void *opaque),
			 void *opaque);

/**
 * events_unbind() - close our end: the guest's port waits for domain 0 again
 *
 * No effect when the guest has closed it, whatever it is used for since.
 */
void events_unbind(struct events *ev, uint32_t port, void *opaque);

/** events_notify() - events_raise(), unless the port is not @opaque's any more */
void events_notify(struct events *ev, uint32_t port, const void *opaque);

/** events_serve() - the doorbell rang: call the backends of all pending ports */
void events_serve(struct events *ev);

/** events_alloc_unbound() - a port that @remote may bind to.  Return: port */
int events_alloc_unbound(struct events *ev, uint16_t remote);

/**
 * events_bind_interdomain() - bind to @remote_port of the guest's own
 * Return: the new port
 */
int events_bind_interdomain(struct events *ev, uint32_t remote_port);

/** events_bind_virq() - Return: port; -XEN_EEXIST when it is bound already */
int events_bind_virq(struct events *ev, uint32_t virq, uint32_t vcpu);

/** events_bind_ipi() - Return: port */
int events_bind_ipi(struct events *ev, uint32_t vcpu);

/** events_bind_vcpu() - choose the vCPU that is told of @port */
int events_bind_vcpu(struct events *ev, uint32_t port, uint32_t vcpu);

/** events_close() - as EVTCHNOP_close of the guest */
int events_close(struct events *ev, uint32_t port);

/** events_reset() - close all ports of the guest */
void events_reset(struct events *ev);

/** events_status() - fill @status, whose port is given */
int events_status(struct events *ev, struct evtchn_status *status);

#endif
