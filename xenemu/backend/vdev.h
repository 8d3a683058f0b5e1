/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vdev.h - names and numbers of virtual disks (Xen's xen-vbd-interface(7))
 */
#ifndef XENEMU_BACKEND_VDEV_H
#define XENEMU_BACKEND_VDEV_H

#include <glib.h>
#include <stdint.h>

/** Numbers from here on are unknown to kernels of the 3.x age */
#define VDEV_EXTENDED (1U << 28)

/**
 * vdev_parse() - number of a virtual disk
 * @name:   "xvda", "xvda1", "sda2", "hdc", "d0p1", or the number itself; a leading
 *          "/dev/" is allowed
 * @number: receives it
 *
 * Return: FALSE when it is none of these.
 */
gboolean vdev_parse(const char *name, uint32_t *number);

/**
 * vdev_same_disk() - can a guest have only one of two numbers?
 *
 * Besides equal numbers these are a disk and its partitions, and disks that Linux's
 * xen-blkfront shows by the same name: it has hda, sda and xvda all as xvda.
 */
gboolean vdev_same_disk(uint32_t a, uint32_t b);

#endif
