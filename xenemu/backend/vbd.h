/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vbd.h - virtual disks of a guest: what Linux's xen-blkback does
 */
#ifndef XENEMU_BACKEND_VBD_H
#define XENEMU_BACKEND_VBD_H

#include "backend/device.h"
#include "backend/disk.h"

/** What is offered to frontends; they may take less */
#define VBD_MAX_QUEUES 4
#define VBD_MAX_RING_ORDER 4
#define VBD_MAX_INDIRECT 256

/** Requests in flight, of each disk; further ones wait in their rings */
#define VBD_MAX_IN_FLIGHT 256

/** Grants that stay mapped, of each disk; as Linux's max_persistent_grants */
#define VBD_MAX_PERSISTENT 1056

/**
 * vbd_config_new() - a disk to be given to a guest
 * @spec: owned by the result, or freed on error; vdev must be set
 *
 * Its create(), or open() before it, opens and locks the disk.
 * Return: NULL when vdev is no name of a disk.
 */
struct device_config *vbd_config_new(struct disk_spec *spec, GError **error);

/** vbd_rescan() - disk_rescan(); the guest is told when the size is new */
gboolean vbd_rescan(struct device *dev, disk_sized_fn sized, void *opaque, GError **error);

/** vbd_resize() - disk_resize(); the guest is told */
gboolean vbd_resize(struct device *dev, uint64_t size, disk_sized_fn sized, void *opaque,
		    GError **error);

/** vbd_size() - of the disk, in bytes */
uint64_t vbd_size(const struct device *dev);

/**
 * vbd_name_disks() - give names to disks whose user chose none: the first free of
 * xvda, xvdb...
 * @specs: struct disk_spec
 *
 * hda and sda take xvda as well, see vdev_same_disk().
 */
void vbd_name_disks(const GPtrArray *specs);

#endif
