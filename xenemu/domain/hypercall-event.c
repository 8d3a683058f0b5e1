/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-event.c - event_channel_op: everything but send and unmask
 *
 * Only this guest and domain 0, the helper, exist.  After Xen 4.17
 * common/event_channel.c.
 */
#include "domain/private.h"
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/event_channel.h>

/*
 * One operation: its argument is read, the body that follows acts on it, and if it
 * returns 0 and @answers, the argument is written back.
 */
#define EVENT_OP(sub, answers)                                                                 \
	static int event_##sub(struct domain *dom, struct evtchn_##sub *args);                 \
                                                                                               \
	HYPERCALL(event_channel_op_##sub)                                                      \
	{                                                                                      \
		struct evtchn_##sub args;                                                      \
		int rc;                                                                        \
                                                                                               \
		if (get_args(dom, call, &args, sizeof(args)))                                  \
			return -XEN_EFAULT;                                                    \
		rc = event_##sub(dom, &args);                                                  \
		if (rc || !(answers))                                                          \
			return rc;                                                             \
		return put_args(dom, call, &args, sizeof(args));                               \
	}                                                                                      \
                                                                                               \
	static int event_##sub(struct domain *dom, struct evtchn_##sub *args)

/* @port, or an error: the answer, and what the call returns */
static int answer_port(int port, evtchn_port_t *to)
{
	if (port < 0)
		return port;
	*to = port;
	return 0;
}

EVENT_OP(alloc_unbound, TRUE)
{
	int rc = domid_error(dom, args->dom);

	if (rc)
		return rc;
	return answer_port(events_alloc_unbound(dom->events, is_self(args->remote_dom)
								     ? DOMID_GUEST
								     : args->remote_dom),
			   &args->port);
}

EVENT_OP(bind_interdomain, TRUE)
{
	/* Domain 0 has no port that waits for the guest. */
	if (!is_self(args->remote_dom))
		return args->remote_dom == 0 ? -XEN_EINVAL : -XEN_ESRCH;
	return answer_port(events_bind_interdomain(dom->events, args->remote_port),
			   &args->local_port);
}

EVENT_OP(bind_virq, TRUE)
{
	return answer_port(events_bind_virq(dom->events, args->virq, args->vcpu), &args->port);
}

EVENT_OP(bind_ipi, TRUE)
{
	return answer_port(events_bind_ipi(dom->events, args->vcpu), &args->port);
}

EVENT_OP(bind_vcpu, FALSE)
{
	return events_bind_vcpu(dom->events, args->port, args->vcpu);
}

EVENT_OP(close, FALSE)
{
	return events_close(dom->events, args->port);
}

/* Ports that the guest's shared_info has bits for */
static unsigned int nr_ports(const struct domain *dom)
{
	return dom->build->width == IMAGE_X86_64 ? MAX_PORTS : 32 * 32;
}

EVENT_OP(status, TRUE)
{
	int rc = domid_error(dom, args->dom);

	if (!rc && args->port >= nr_ports(dom))
		rc = -XEN_EINVAL;
	return rc ? rc : events_status(dom->events, args);
}

EVENT_OP(reset, FALSE)
{
	int rc = domid_error(dom, args->dom);

	if (!rc)
		events_reset(dom->events);
	return rc;
}
