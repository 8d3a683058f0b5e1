/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif.h - network interfaces of a guest: Xen's netif protocol (io/netif.h)
 */
#ifndef XENEMU_BACKEND_VIF_H
#define XENEMU_BACKEND_VIF_H

#include "backend/device.h"
#include "backend/vif-spec.h"

/**
 * vif_config_new() - an interface to be made
 * @spec: taken over; its devid is set
 *
 * Its create() or, before, open() opens what the spec names; LINK_ERROR or DEVICE_ERROR.
 * Return: owned by the caller; its free() frees it.
 */
struct device_config *vif_config_new(struct vif_spec *spec);

/**
 * vif_has_mac() - has the guest's end of a vif that address?
 * @text: as in a specification: six groups of two hexadecimal digits
 */
gboolean vif_has_mac(const struct device *dev, const char *text);

#endif
