/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upcalls.h - tell the guest of an event: the bits that it looks at, and the kick
 *
 * The bits are set here as Xen sets them, so that a vCPU that runs finds its event by
 * itself when it next looks: its kernel whenever it unmasks upcalls, the monitor whenever
 * it returns to the guest.  Where a kick is dear (TCG: it wakes QEMU's main loop, which
 * stops the vCPU) one that runs is given a moment to do so, and kicked only if it has not
 * looked by then.  A guest that computes for long does not look: after such a late kick the
 * next ones come at once, and ever more of them the more often that happens.
 */
#ifndef XENEMU_DOMAIN_UPCALLS_H
#define XENEMU_DOMAIN_UPCALLS_H

#include "machine/memory.h"
#include "protocol.h"
#include <glib.h>

struct upcalls;

/**
 * struct upcalls_config - surroundings of the upcalls of a domain
 * @area:     shared with the monitor
 * @mem:      the VM's memory
 * @shared_info_mfn: Xen's shared_info
 * @is_32bit: the guest's words have 32 bits
 * @kick:     interrupts a vCPU
 * @opaque:   its first argument
 */
struct upcalls_config {
	struct event_area *area;
	const struct memory *mem;
	uint64_t shared_info_mfn;
	gboolean is_32bit;
	void (*kick)(void *opaque, unsigned int vcpu);
	void *opaque;
};

/**
 * upcalls_new() - before the guest runs
 *
 * Every vCPU's vcpu_info is said to be in shared_info, until the monitor says otherwise.
 *
 * Return: owned by the caller, upcalls_free().
 */
struct upcalls *upcalls_new(const struct upcalls_config *config);

/** upcalls_be_patient() - kicks are dear from now on: give a vCPU that runs a moment */
void upcalls_be_patient(struct upcalls *up);

/** upcalls_look() - the guest has done something: does it still need its late kick? */
void upcalls_look(struct upcalls *up);

/** upcalls_free() - NULL is allowed */
void upcalls_free(struct upcalls *up);

/**
 * upcalls_raise() - make a port pending, and have the guest look
 * @up:   from upcalls_new()
 * @port: below MAX_PORTS, and what the guest's bitmaps have
 * @vcpu: is told, below MAX_VCPUS
 *
 * No effect where the port is pending already.  Main thread.
 */
void upcalls_raise(struct upcalls *up, unsigned int port, unsigned int vcpu);

/** upcalls_clear() - a port is closed: what came by it is not pending any more */
void upcalls_clear(struct upcalls *up, unsigned int port);

#endif
