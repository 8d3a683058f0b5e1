/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watchdog.h - the timers by which a guest asks to be ended when it hangs
 */
#ifndef XENEMU_DOMAIN_WATCHDOG_H
#define XENEMU_DOMAIN_WATCHDOG_H

#include <glib.h>
#include <stdint.h>

/** Timers a domain can have: NR_DOMAIN_WATCHDOG_TIMERS of Xen */
#define WATCHDOGS 2

/**
 * struct watchdogs - a domain's timers
 * @used:    taken by the guest
 * @source:  main-loop source that runs @expired, 0: stopped
 * @expired: called when a timer runs out, on the main thread
 * @opaque:  its argument
 */
struct watchdogs {
	gboolean used[WATCHDOGS];
	guint source[WATCHDOGS];
	void (*expired)(void *opaque);
	void *opaque;
};

/**
 * watchdogs_set() - SCHEDOP_watchdog
 * @id:      1 or 2, or 0 for a new one
 * @seconds: from now; 0 gives the timer @id back
 *
 * Return: the new timer's id, or 0; -XEN_EINVAL, -XEN_ENOSPC.
 */
int watchdogs_set(struct watchdogs *dogs, uint32_t id, uint32_t seconds);

/** watchdogs_stop() - stop all */
void watchdogs_stop(struct watchdogs *dogs);

#endif
