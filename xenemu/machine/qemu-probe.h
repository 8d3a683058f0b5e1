/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-probe.h - what the QEMU of this host is
 */
#ifndef XENEMU_MACHINE_QEMU_PROBE_H
#define XENEMU_MACHINE_QEMU_PROBE_H

#include <glib.h>

/**
 * qemu_probe() - machine_ops.probe of machine qemu
 *
 * TCG runs every guest, so it is enough that the program is there; with
 * @detail it is run as well and asked for its version and accelerators.
 */
gboolean qemu_probe(gboolean wide, char **detail, GError **error);

#endif
