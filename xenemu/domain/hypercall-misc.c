/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-misc.c - sched_op, and what several calls check
 */
#include "domain/private.h"
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/sched.h>

/* Another domain's table can't be touched; what does not exist is not there. */
int domid_error(const struct domain *dom, uint16_t domid)
{
	if (domid == DOMID_SELF)
		return 0;
	if (!dom->abi->own_domid)
		return -XEN_EPERM;
	if (domid == DOMID_GUEST)
		return 0;
	return domid == 0 ? -XEN_EPERM : -XEN_ESRCH;
}

static int get_reason(struct domain *dom, const struct hypercall *call, unsigned int *reason)
{
	struct sched_shutdown args;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	*reason = (uint8_t)args.reason;
	return 0;
}

/* Said once, however often it asks. */
static void refuse_suspend(struct domain *dom)
{
	if (!dom->suspend_refused)
		domain_message(dom,
			       "the guest asked to be suspended, which is not yet supported");
	dom->suspend_refused = TRUE;
}

static int64_t shut_down(struct domain *dom, const struct hypercall *call, unsigned int reason)
{
	if (dom->shutdown_code >= 0)
		reason = dom->shutdown_code;
	switch (reason) {
	case SHUTDOWN_poweroff:
		domain_end(dom, DOMAIN_POWEROFF);
		return 0;
	case SHUTDOWN_reboot:
		domain_end(dom, DOMAIN_REBOOT);
		return 0;
	case SHUTDOWN_suspend:
		refuse_suspend(dom);
		return -XEN_EOPNOTSUPP;
	case SHUTDOWN_watchdog:
		domain_fail(dom, DOMAIN_CRASH, "the guest's watchdog expired");
		return 0;
	case SHUTDOWN_crash:
	default:
		crash_report_guest(dom, call->vcpu, "the guest says that it has crashed");
		domain_fail(dom, DOMAIN_CRASH, "the guest crashed (shutdown reason %u)",
			    reason);
		return 0;
	}
}

HYPERCALL(sched_op_shutdown)
{
	unsigned int reason;

	if (get_reason(dom, call, &reason))
		return -XEN_EFAULT;
	return shut_down(dom, call, reason);
}

/* Before 0x00030101 the reason was the argument itself. */
HYPERCALL(sched_op_compat_shutdown)
{
	return shut_down(dom, call, (uint8_t)call->arg[1]);
}

/* The reason that a later shutdown is to have; the first one counts. */
HYPERCALL(sched_op_shutdown_code)
{
	unsigned int reason;

	if (get_reason(dom, call, &reason))
		return -XEN_EFAULT;
	if (dom->shutdown_code < 0)
		dom->shutdown_code = reason;
	return 0;
}

HYPERCALL(sched_op_watchdog)
{
	struct sched_watchdog args;

	if (get_args(dom, call, &args, sizeof(args)))
		return -XEN_EFAULT;
	return watchdogs_set(&dom->watchdogs, args.id, args.timeout);
}
