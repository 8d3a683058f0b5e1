/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchdog - SCHEDOP_watchdog and SCHEDOP_shutdown_code, which Xen 3 does not have
 */
#include "guest.h"

#define NEWER(result) (xen_since(4, 0) ? (result) : -XEN_ENOSYS)

static long watchdog(unsigned int id, unsigned int timeout)
{
	struct sched_watchdog arg = { .id = id, .timeout = timeout };

	return sched_op(SCHEDOP_watchdog, &arg);
}

void guest_main(void)
{
	struct sched_shutdown code = { .reason = SHUTDOWN_poweroff };
	long id = watchdog(0, 600);

	is(id, NEWER(1), "a watchdog of ten minutes: the first one");
	is(watchdog(1, 600), NEWER(0), "is prolonged");
	is(watchdog(1, 0), NEWER(0), "and stopped");
	is(watchdog(2, 600), NEWER(-XEN_EINVAL), "there is no second one");
	is(watchdog(99, 600), NEWER(-XEN_EINVAL), "nor a 99th");
	is(sched_op(SCHEDOP_watchdog, (void *)UNMAPPED), NEWER(-XEN_EFAULT),
	   "an argument that can't be read");
	is(sched_op(SCHEDOP_shutdown_code, (void *)UNMAPPED), NEWER(-XEN_EFAULT),
	   "a shutdown code that can't be read");
	is(sched_op(SCHEDOP_shutdown_code, &code), NEWER(0), "a shutdown code");
}
