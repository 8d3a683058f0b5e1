/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user.h - a virtio device in another process, the front-end's side of vhost-user
 *
 * The back-end gets our memory and does the rest by itself: a socket is needed to set the
 * device up, and to learn of its end.  One queue.  It may be hostile.
 */
#ifndef XENEMU_BACKEND_VHOST_USER_H
#define XENEMU_BACKEND_VHOST_USER_H

#include "backend/virtq.h"

struct vhost_user;

/** Most that is read of a device's configuration, bytes */
#define VHOST_USER_MAX_CONFIG 64

/** How many pieces of memory a device may get */
#define VHOST_USER_MAX_REGIONS 2

enum vhost_user_state {
	VHOST_USER_CONNECTING,
	VHOST_USER_UP,
	VHOST_USER_DOWN,
};

/**
 * struct vhost_user_region - memory that the device can read and write
 * @fd:      memfd, all of which it gets
 * @base:    where it is mapped here
 * @bytes:   its size
 * @address: of the first byte in descriptors
 */
struct vhost_user_region {
	int fd;
	void *base;
	uint64_t bytes;
	uint64_t address;
};

/**
 * struct vhost_user_setup - what the device is to be told
 * @regions, @nr_regions: its memory
 * @wanted:       virtio features that we know
 * @needed:       those of them without which it is no use
 * @config_bytes: how much of its configuration is to be read
 * @queue:        its queue, in one of @regions
 * @kick, @call:  eventfds: for the device, for us
 */
struct vhost_user_setup {
	struct vhost_user_region regions[VHOST_USER_MAX_REGIONS];
	unsigned int nr_regions;
	uint64_t wanted;
	uint64_t needed;
	uint32_t config_bytes;
	const struct virtq *queue;
	int kick;
	int call;
};

/**
 * vhost_user_new() - begin to set a device up
 * @socket: connected to the back-end, or about to be accepted by it; taken over
 * @setup:  copied; what it points to must stay
 * @moved:  called from the main loop when the state has changed; may free it
 * @opaque: its argument
 *
 * Return: owned by the caller, vhost_user_free().
 */
struct vhost_user *vhost_user_new(int socket, const struct vhost_user_setup *setup,
				  void (*moved)(void *opaque), void *opaque);

/** vhost_user_state() - UP: the device may be used; DOWN: no more */
enum vhost_user_state vhost_user_state(const struct vhost_user *link);

/** vhost_user_wait() - wait, @ms at most, until it is not CONNECTING; return the state */
enum vhost_user_state vhost_user_wait(struct vhost_user *link, unsigned int ms);

/** vhost_user_why() - why it is DOWN; NULL: the back-end has hung up */
const char *vhost_user_why(const struct vhost_user *link);

/** vhost_user_features() - what both ends can do, once it is UP */
uint64_t vhost_user_features(const struct vhost_user *link);

/** vhost_user_config() - the device's configuration, config_bytes, once it is UP */
const void *vhost_user_config(const struct vhost_user *link);

/**
 * vhost_user_free() - hang up; NULL is allowed
 *
 * The back-end may go on using the memory until its process has ended.
 */
void vhost_user_free(struct vhost_user *link);

#endif
