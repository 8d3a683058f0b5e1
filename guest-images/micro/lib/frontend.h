/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frontend.h - frontends of devices: grants, event channel, keys and states
 *
 * No function returns an error: what can't fail bails out, what a backend may refuse
 * shows in its state.
 */
#ifndef MICRO_FRONTEND_H
#define MICRO_FRONTEND_H

#include "guest.h"
#include <xen/io/xenbus.h>

/* For the macros of io/ring.h */
#define xen_mb() asm volatile("mfence" ::: "memory")
#define xen_rmb() barrier()
#define xen_wmb() barrier()

/* -- grants -------------------------------------------------------------- */

/** The first frame of the table, once grants_init() has mapped it */
extern volatile struct grant_entry_v1 *grant_table;

/** grants_init() - map the first frame of the grant table, version 1 */
void grants_init(void);
/** grant_frame() - let domain 0 use a frame; @flags: GTF_readonly or 0 */
void grant_frame(unsigned int ref, unsigned long mfn, unsigned int flags);
/** grant() - let domain 0 use a page of ours */
void grant(unsigned int ref, const void *page, unsigned int flags);
/** grant_in_use() - GTF_reading, GTF_writing: does domain 0 have it mapped? */
unsigned int grant_in_use(unsigned int ref);

/* -- devices ------------------------------------------------------------- */

/**
 * struct frontend - a device
 * @path:    its directory, "device/KIND/ID"
 * @backend: the other end's
 * @port:    event channel, after frontend_open()
 */
struct frontend {
	const char *path;
	char backend[128];
	evtchn_port_t port;
};

/** frontend_find() - read where the backend is, and watch its state; false: no such device */
bool frontend_find(struct frontend *fe, const char *path);
/** frontend_offered() - a number that the backend has written, or -1 */
long frontend_offered(const struct frontend *fe, const char *key);
/** frontend_put() - write a key */
void frontend_put(const struct frontend *fe, const char *key, const char *value);
void frontend_put_number(const struct frontend *fe, const char *key, unsigned int value);
/** frontend_forget() - remove a key, if it is there */
void frontend_forget(const struct frontend *fe, const char *key);
/** frontend_get() - read a key of ours; Return: NULL, or the name of the error */
const char *frontend_get(const struct frontend *fe, const char *key, char *value, size_t size);
/** frontend_state() - XenbusState* */
void frontend_state(const struct frontend *fe, unsigned int state);
/** frontend_is() - is the backend in this state now?  Watch events are dropped. */
bool frontend_is(const struct frontend *fe, long state);
/** frontend_wait_state() - until the backend is in this state; Return: true */
bool frontend_wait_state(const struct frontend *fe, long state);
/** frontend_open() - an event channel for domain 0, with its key */
void frontend_open(struct frontend *fe);
/** frontend_notify() - send an event */
void frontend_notify(const struct frontend *fe);
/** frontend_wait() - until an event has come since the last time; may be sooner */
void frontend_wait(const struct frontend *fe);
/** frontend_start_over() - from whatever state, to one in which it may connect again */
void frontend_start_over(struct frontend *fe);

#endif
