/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event-reset - EVTCHNOP_reset: all ports are closed, those of console and store,
 * too, so that the result is how the domain ends
 */
#include "guest.h"

static long reset(domid_t dom)
{
	struct evtchn_reset arg = { .dom = dom };

	return event_channel_op(EVTCHNOP_reset, &arg);
}

/* Without the console: it may be deaf by now. */
static void end(unsigned int reason)
{
	struct sched_shutdown arg = { .reason = reason };

	for (;;)
		sched_op(SCHEDOP_shutdown, &arg);
}

void guest_main(void)
{
	struct evtchn_status status = { .dom = DOMID_SELF };
	long bound = bind_ipi();

	ok(bound > 0, "bind an IPI");
	is(reset(0), -XEN_EPERM, "reset domain 0's ports");
	is(event_channel_op(EVTCHNOP_reset, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
	print("1..3\n");
	console_flush();
	status.port = (evtchn_port_t)bound;
	if (reset(DOMID_SELF) || event_channel_op(EVTCHNOP_status, &status) ||
	    status.status != EVTCHNSTAT_closed)
		end(SHUTDOWN_crash);
	end(SHUTDOWN_poweroff);
}
