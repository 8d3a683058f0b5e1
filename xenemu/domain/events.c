/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.c - event channels: allocation, binding, and what the guest sends
 *
 * Semantics after Xen 4.17 common/event_channel.c.
 */
#include "domain/events.h"
#include "domain/domain.h"
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/event_channel.h>

#define WORD(port) ((port) / 64)
#define BIT(port) (1ULL << ((port) % 64))

/**
 * struct channel - one port, the helper's own copy
 * @port:   as published
 * @remote: PORT_UNBOUND: domain that may bind to it
 * @kicked, @opaque: PORT_BACKEND
 */
struct channel {
	struct port port;
	uint16_t remote;
	void (*kicked)(void *opaque);
	void *opaque;
};

struct events {
	struct events_config config;
	struct channel channels[MAX_PORTS];
	uint32_t virq_port[MAX_VCPUS][NR_VIRQS];
};

static const char *const kind_names[] = {
	[PORT_FREE] = "free",         [PORT_UNBOUND] = "unbound", [PORT_BACKEND] = "backend",
	[PORT_VIRQ] = "virq",         [PORT_IPI] = "ipi",         [PORT_LOCAL] = "local",
	[PORT_RESERVED] = "reserved",
};

/* The monitor reads entries while the guest runs: one store for a whole entry. */
static void publish(struct events *ev, unsigned int port)
{
	const struct port *entry = &ev->channels[port].port;
	uint32_t word;

	memcpy(&word, entry, sizeof(word));
	__atomic_store_n((uint32_t *)&ev->config.area->ports[port], word, __ATOMIC_RELEASE);
}

static void set_port(struct events *ev, unsigned int port, enum port_kind kind,
		     unsigned int vcpu, uint16_t data)
{
	ev->channels[port].port = (struct port){ .kind = kind, .vcpu = vcpu, .data = data };
	publish(ev, port);
	if (ev->config.trace)
		fprintf(ev->config.trace, "event: port %u: %s %u, vcpu %u\n", port,
			kind_names[kind], data, vcpu);
}

struct events *events_new(const struct events_config *config)
{
	struct events *ev = g_new0(struct events, 1);

	ev->config = *config;
	ev->channels[0].port.kind = PORT_RESERVED;
	publish(ev, 0);
	return ev;
}

void events_free(struct events *ev)
{
	g_free(ev);
}

/* get_free_port(): the lowest free one; guests see the numbers. */
static int free_port(const struct events *ev)
{
	for (unsigned int port = 1; port < ev->config.nr_ports; port++)
		if (ev->channels[port].port.kind == PORT_FREE)
			return port;
	return -XEN_ENOSPC;
}

static enum port_kind kind_of(const struct events *ev, uint32_t port)
{
	return port < MAX_PORTS ? ev->channels[port].port.kind : PORT_FREE;
}

int events_bind_backend(struct events *ev, unsigned int port, void (*kicked)(void *opaque),
			void *opaque)
{
	struct channel *chn = &ev->channels[port < MAX_PORTS ? port : 0];
	enum port_kind kind = chn->port.kind;

	if (kind != PORT_FREE && !(kind == PORT_UNBOUND && chn->remote == 0))
		return -XEN_EINVAL;
	chn->kicked = kicked;
	chn->opaque = opaque;
	set_port(ev, port, PORT_BACKEND, chn->port.vcpu, 0);
	return 0;
}

static void set_pending(struct events *ev, unsigned int port)
{
	unsigned int vcpu = ev->channels[port].port.vcpu;

	if (ev->config.trace)
		fprintf(ev->config.trace, "event: port %u raised, vcpu %u\n", port, vcpu);
	upcalls_raise(ev->config.upcalls, port, vcpu);
}

void events_raise(struct events *ev, unsigned int port)
{
	if (kind_of(ev, port) == PORT_BACKEND)
		set_pending(ev, port);
}

int events_bind_frontend(struct events *ev, uint32_t port, void (*kicked)(void *opaque),
			 void *opaque)
{
	if (kind_of(ev, port) != PORT_UNBOUND)
		return -XEN_EINVAL;
	return events_bind_backend(ev, port, kicked, opaque);
}

static gboolean belongs_to(const struct events *ev, uint32_t port, const void *opaque)
{
	return kind_of(ev, port) == PORT_BACKEND && ev->channels[port].opaque == opaque;
}

/* As evtchn_close() of Xen 4.17 leaves the remote end; what is pending stays so. */
void events_unbind(struct events *ev, uint32_t port, void *opaque)
{
	if (!belongs_to(ev, port, opaque))
		return;
	ev->channels[port].kicked = NULL;
	ev->channels[port].opaque = NULL;
	ev->channels[port].remote = 0;
	set_port(ev, port, PORT_UNBOUND, ev->channels[port].port.vcpu, 0);
}

void events_notify(struct events *ev, uint32_t port, const void *opaque)
{
	if (belongs_to(ev, port, opaque))
		set_pending(ev, port);
}

static void deliver(struct events *ev, unsigned int port)
{
	const struct channel *chn = &ev->channels[port];

	if (ev->config.trace)
		fprintf(ev->config.trace, "event: port %u sent by the guest\n", port);
	if (chn->port.kind == PORT_BACKEND)
		chn->kicked(chn->opaque);
}

void events_serve(struct events *ev)
{
	uint64_t *words = ev->config.area->out_pending;

	for (unsigned int i = 0; i < MAX_PORTS / 64; i++) {
		uint64_t bits = 0;

		if (__atomic_load_n(&words[i], __ATOMIC_RELAXED))
			bits = __atomic_exchange_n(&words[i], 0, __ATOMIC_SEQ_CST);
		for (; bits; bits &= bits - 1)
			deliver(ev, i * 64 + __builtin_ctzll(bits));
	}
	upcalls_look(ev->config.upcalls);
}

int events_alloc_unbound(struct events *ev, uint16_t remote)
{
	int port = free_port(ev);

	if (port < 0)
		return port;
	ev->channels[port].remote = remote;
	set_port(ev, port, PORT_UNBOUND, 0, remote);
	return port;
}

int events_bind_interdomain(struct events *ev, uint32_t remote_port)
{
	int port = free_port(ev);

	if (port < 0)
		return port;
	if (kind_of(ev, remote_port) != PORT_UNBOUND ||
	    ev->channels[remote_port].remote != DOMID_GUEST)
		return -XEN_EINVAL;
	set_port(ev, port, PORT_LOCAL, 0, remote_port);
	set_port(ev, remote_port, PORT_LOCAL, ev->channels[remote_port].port.vcpu, port);
	/* Notifications to the unbound port may have been lost (Xen does the same). */
	set_pending(ev, port);
	return port;
}

/* virq_is_global() with arch_virq_is_global() of x86; ARCH_0 is the debug VIRQ of MCE. */
static gboolean virq_is_global(uint32_t virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

/* VIRQ_TIMER is raised by the monitor, which wants to know its port. */
static void book_virq(struct events *ev, uint32_t virq, uint32_t vcpu, uint32_t port)
{
	ev->virq_port[vcpu][virq] = port;
	if (virq == VIRQ_TIMER)
		__atomic_store_n(&ev->config.area->timer_port[vcpu], port, __ATOMIC_RELEASE);
}

int events_bind_virq(struct events *ev, uint32_t virq, uint32_t vcpu)
{
	int port;

	if (virq >= NR_VIRQS || (virq_is_global(virq) && vcpu != 0))
		return -XEN_EINVAL;
	if (vcpu >= ev->config.nr_vcpus)
		return -XEN_ENOENT;
	if (ev->virq_port[vcpu][virq])
		return -XEN_EEXIST;
	port = free_port(ev);
	if (port < 0)
		return port;
	book_virq(ev, virq, vcpu, port);
	set_port(ev, port, PORT_VIRQ, vcpu, virq);
	return port;
}

int events_bind_ipi(struct events *ev, uint32_t vcpu)
{
	int port;

	if (vcpu >= ev->config.nr_vcpus)
		return -XEN_ENOENT;
	port = free_port(ev);
	if (port >= 0)
		set_port(ev, port, PORT_IPI, vcpu, 0);
	return port;
}

int events_bind_vcpu(struct events *ev, uint32_t port, uint32_t vcpu)
{
	enum port_kind kind = kind_of(ev, port);
	struct port *entry;

	if (vcpu >= ev->config.nr_vcpus)
		return -XEN_ENOENT;
	if (kind == PORT_FREE || kind == PORT_RESERVED || kind == PORT_IPI)
		return -XEN_EINVAL;
	entry = &ev->channels[port].port;
	if (kind == PORT_VIRQ && !virq_is_global(entry->data))
		return -XEN_EINVAL;
	set_port(ev, port, kind, vcpu, entry->data);
	return 0;
}

/* What was sent must not show up when the number is given out again. */
static void clear_pending(struct events *ev, unsigned int port)
{
	__atomic_fetch_and(&ev->config.area->out_pending[WORD(port)], ~BIT(port),
			   __ATOMIC_SEQ_CST);
	upcalls_clear(ev->config.upcalls, port);
}

/* A global VIRQ is booked on vCPU 0 wherever it has been moved since. */
static void forget_virq(struct events *ev, const struct port *entry)
{
	unsigned int vcpu = virq_is_global(entry->data) ? 0 : entry->vcpu;

	book_virq(ev, entry->data, vcpu, 0);
}

int events_close(struct events *ev, uint32_t port)
{
	enum port_kind kind = kind_of(ev, port);
	struct channel *chn;

	if (kind == PORT_FREE || kind == PORT_RESERVED)
		return -XEN_EINVAL;
	chn = &ev->channels[port];
	if (kind == PORT_VIRQ)
		forget_virq(ev, &chn->port);
	if (kind == PORT_LOCAL) {
		unsigned int other = chn->port.data;

		ev->channels[other].remote = DOMID_GUEST;
		set_port(ev, other, PORT_UNBOUND, ev->channels[other].port.vcpu, DOMID_GUEST);
	}
	*chn = (struct channel){ 0 };
	set_port(ev, port, PORT_FREE, 0, 0);
	clear_pending(ev, port);
	return 0;
}

void events_reset(struct events *ev)
{
	for (unsigned int port = 1; port < MAX_PORTS; port++)
		events_close(ev, port);
}

int events_status(struct events *ev, struct evtchn_status *status)
{
	const struct channel *chn;

	if (status->port >= MAX_PORTS)
		return -XEN_EINVAL;
	chn = &ev->channels[status->port];
	status->vcpu = chn->port.vcpu;
	switch ((enum port_kind)chn->port.kind) {
	case PORT_FREE:
	case PORT_RESERVED:
		status->status = EVTCHNSTAT_closed;
		break;
	case PORT_UNBOUND:
		status->status = EVTCHNSTAT_unbound;
		status->u.unbound.dom = chn->remote;
		break;
	case PORT_BACKEND:
		/* The port number on dom0's side is nobody's business; it has none. */
		status->status = EVTCHNSTAT_interdomain;
		status->u.interdomain.dom = 0;
		status->u.interdomain.port = status->port;
		break;
	case PORT_LOCAL:
		status->status = EVTCHNSTAT_interdomain;
		status->u.interdomain.dom = DOMID_GUEST;
		status->u.interdomain.port = chn->port.data;
		break;
	case PORT_VIRQ:
		status->status = EVTCHNSTAT_virq;
		status->u.virq = chn->port.data;
		break;
	case PORT_IPI:
		status->status = EVTCHNSTAT_ipi;
		break;
	}
	return 0;
}
