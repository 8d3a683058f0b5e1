/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices.h - the devices of a domain
 */
#ifndef XENEMU_DOMAIN_DEVICES_H
#define XENEMU_DOMAIN_DEVICES_H

#include "backend/device.h"

struct domain;
struct devices;

/** devices_new() - none yet; the domain's store, events and grants are there */
struct devices *devices_new(struct domain *dom);

/**
 * devices_add() - give the guest another device, at any time
 * @config: not kept
 */
gboolean devices_add(struct devices *devices, const struct device_config *config,
		     GError **error);

/**
 * devices_open() - open what a device needs that is to be added to a running guest, which
 * must not stand still for it
 * @config: stays until @opened
 * @opened: called once from the main loop, with what is wrong or NULL; devices_add() may
 *          follow and does not wait.  Not called when config->free() is before
 *
 * Return: FALSE with @error set: @opened is not called.
 */
gboolean devices_open(struct devices *devices, struct device_config *config,
		      void (*opened)(void *opaque, const GError *error), void *opaque,
		      GError **error);

/** devices_find() - the device of this kind ("vbd") and number, or NULL */
struct device *devices_find(const struct devices *devices, const char *kind,
			    unsigned int handle);

/** devices_nth() - devices of a kind, one after another; NULL behind the last */
struct device *devices_nth(const struct devices *devices, const char *kind, unsigned int nth);

/**
 * devices_remove() - ask the guest to let go of a device, and free it when it has
 * @dev:     not leaving yet
 * @removed: called once when it is gone: from the main loop, or from devices_free();
 *           or NULL
 */
void devices_remove(struct devices *devices, struct device *dev, void (*removed)(void *opaque),
		    void *opaque);

/** devices_is_leaving() - has the guest been asked for it already? */
gboolean devices_is_leaving(const struct devices *devices, const struct device *dev);

/**
 * devices_free() - end all devices, the latest first; NULL is allowed
 *
 * The guest stands still: what it has been told is written, is written.
 */
void devices_free(struct devices *devices);

#endif
