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

HYPERCALL(event_channel_op_alloc_unbound)
{
	struct evtchn_alloc_unbound args;
	int port, rc;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	rc = domid_error(dom, args.dom);
	if (rc)
		return rc;
	port = events_alloc_unbound(dom->events,
				    is_self(args.remote_dom) ? DOMID_GUEST : args.remote_dom);
	if (port < 0)
		return port;
	args.port = port;
	return put_args(dom, call, &args, sizeof(args));
}

HYPERCALL(event_channel_op_bind_interdomain)
{
	struct evtchn_bind_interdomain args;
	int port;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	/* Domain 0 has no port that waits for the guest. */
	if (!is_self(args.remote_dom))
		return args.remote_dom == 0 ? -XEN_EINVAL : -XEN_ESRCH;
	port = events_bind_interdomain(dom->events, args.remote_port);
	if (port < 0)
		return port;
	args.local_port = port;
	return put_args(dom, call, &args, sizeof(args));
}

HYPERCALL(event_channel_op_bind_virq)
{
	struct evtchn_bind_virq args;
	int port;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	port = events_bind_virq(dom->events, args.virq, args.vcpu);
	if (port < 0)
		return port;
	args.port = port;
	return put_args(dom, call, &args, sizeof(args));
}

HYPERCALL(event_channel_op_bind_ipi)
{
	struct evtchn_bind_ipi args;
	int port;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	port = events_bind_ipi(dom->events, args.vcpu);
	if (port < 0)
		return port;
	args.port = port;
	return put_args(dom, call, &args, sizeof(args));
}

HYPERCALL(event_channel_op_bind_vcpu)
{
	struct evtchn_bind_vcpu args;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	return events_bind_vcpu(dom->events, args.port, args.vcpu);
}

HYPERCALL(event_channel_op_close)
{
	struct evtchn_close args;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	return events_close(dom->events, args.port);
}

/* Ports that the guest's shared_info has bits for */
static unsigned int nr_ports(const struct domain *dom)
{
	return dom->build->width == IMAGE_X86_64 ? MAX_PORTS : 32 * 32;
}

HYPERCALL(event_channel_op_status)
{
	struct evtchn_status args;
	int rc;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	rc = domid_error(dom, args.dom);
	if (!rc && args.port >= nr_ports(dom))
		rc = -XEN_EINVAL;
	if (!rc)
		rc = events_status(dom->events, &args);
	return rc ? rc : put_args(dom, call, &args, sizeof(args));
}

HYPERCALL(event_channel_op_reset)
{
	struct evtchn_reset args;
	int rc;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	rc = domid_error(dom, args.dom);
	if (!rc)
		events_reset(dom->events);
	return rc;
}
