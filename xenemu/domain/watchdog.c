/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchdog.c - the timers by which a guest asks to be ended when it hangs
 *
 * Xen 4.17 common/sched/core.c, domain_watchdog().
 */
#include "domain/watchdog.h"
#include <xen/errno.h>

static gboolean on_timeout(gpointer opaque)
{
	struct watchdogs *dogs = opaque;
	guint self = g_source_get_id(g_main_current_source());

	for (unsigned int i = 0; i < WATCHDOGS; i++)
		if (dogs->source[i] == self)
			dogs->source[i] = 0;
	dogs->expired(dogs->opaque);
	return G_SOURCE_REMOVE;
}

static void stop(struct watchdogs *dogs, unsigned int i)
{
	if (dogs->source[i])
		g_source_remove(dogs->source[i]);
	dogs->source[i] = 0;
}

static void start(struct watchdogs *dogs, unsigned int i, uint32_t seconds)
{
	stop(dogs, i);
	dogs->source[i] = g_timeout_add_seconds(seconds, on_timeout, dogs);
}

int watchdogs_set(struct watchdogs *dogs, uint32_t id, uint32_t seconds)
{
	unsigned int i;

	if (id > WATCHDOGS)
		return -XEN_EINVAL;
	if (id == 0) {
		for (i = 0; i < WATCHDOGS && dogs->used[i]; i++)
			;
		if (i == WATCHDOGS)
			return -XEN_ENOSPC;
		dogs->used[i] = TRUE;
		start(dogs, i, seconds);
		return i + 1;
	}
	i = id - 1;
	if (!dogs->used[i])
		return -XEN_EINVAL;
	if (seconds) {
		start(dogs, i, seconds);
	} else {
		stop(dogs, i);
		dogs->used[i] = FALSE;
	}
	return 0;
}

void watchdogs_stop(struct watchdogs *dogs)
{
	for (unsigned int i = 0; i < WATCHDOGS; i++)
		stop(dogs, i);
}
