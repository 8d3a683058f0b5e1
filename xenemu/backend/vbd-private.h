/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vbd-private.h - what vbd.c (the device) and vbd-queue.c (its requests) share
 */
#ifndef XENEMU_BACKEND_VBD_PRIVATE_H
#define XENEMU_BACKEND_VBD_PRIVATE_H

#include "backend/blkif.h"
#include "backend/vbd.h"

struct vbd;
struct vbd_request;

/**
 * struct vbd_queue - a ring and its event channel
 * @vbd:     whose it is
 * @pages:   the ring's
 * @channel: the guest's events
 * @more:    source that goes on with requests, or 0
 * @asleep:  the guest sends an event for its next request; else we look when another is done
 */
struct vbd_queue {
	struct vbd *vbd;
	struct blkif_ring ring;
	struct device_pages pages;
	struct device_channel channel;
	guint more;
	gboolean asleep;
};

/**
 * struct vbd - a virtual disk
 * @dev:       the device; NULL while the disk is opened
 * @host:      what it gets of its domain
 * @disk:      where the data is
 * @info:      of @disk
 * @opened, @opaque: who is told that @disk is open, before there is a device
 * @type:      VDISK_*, but for VDISK_READONLY
 * @offers_persistent: frontends may use persistent grants
 * @queues:    @nr_queues of them while connected
 * @persistent: the guest lets us keep its grants: struct grant_map by reference, or NULL
 * @in_flight: requests taken and not answered, and @last_flush
 * @transfers: those that the disk reads or writes
 * @barrier:   one of them that waits for those before it, or is under way; no other is
 *             taken meanwhile
 * @stopped:   nothing more is done for the guest
 * @draining:  device_idle() is to be called when nothing is in flight
 * @dirty:     something was written that no flush has followed
 * @last_flush: after the last request
 */
struct vbd {
	struct device *dev;
	const struct device_host *host;
	struct disk *disk;
	const struct disk_info *info;
	void (*opened)(void *opaque, const GError *error);
	void *opaque;
	unsigned int type;
	gboolean offers_persistent;
	struct vbd_queue queues[VBD_MAX_QUEUES];
	unsigned int nr_queues;
	GHashTable *persistent;
	unsigned int in_flight;
	unsigned int transfers;
	struct vbd_request *barrier;
	gboolean stopped;
	gboolean draining;
	gboolean dirty;
	struct disk_request last_flush;
};

/** vbd_serve() - take and start what is in a queue's ring; opaque: struct vbd_queue */
void vbd_serve(void *opaque);

/** vbd_serve_later() - the same, from the main loop */
void vbd_serve_later(struct vbd_queue *queue);

/** vbd_stop() - take no more, and forget a barrier that has not begun */
void vbd_stop(struct vbd *vbd);

/** vbd_drained() - nothing is in flight any more, after vbd_stop(); in vbd.c */
void vbd_drained(struct vbd *vbd);

/** vbd_max_indirect() - most segments of an indirect request; 0: none are accepted */
unsigned int vbd_max_indirect(const struct vbd *vbd);

#endif
