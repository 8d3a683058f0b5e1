/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qsd-control.h - has a qemu-storage-daemon resize its image, over QMP
 */
#ifndef XENEMU_BACKEND_QSD_CONTROL_H
#define XENEMU_BACKEND_QSD_CONTROL_H

#include <glib.h>
#include <stdint.h>

struct qsd_control;

/**
 * qsd_control_new() - of a process that has a node and an export of it, both called "disk"
 * @monitor:  our end of its monitor's socket; taken over
 * @address:  what its NBD socket was before it lost its name (O_PATH); taken over
 * @writable: the export is
 */
struct qsd_control *qsd_control_new(int monitor, int address, gboolean writable);

/**
 * qsd_control_resize() - let the image be of @size bytes
 * @done: called once, possibly from inside: @socket is a new connection to the export, or
 *        -1: there is no export any more.  @error: why the size is not the new one, or
 *        there is no export; taken over; NULL if it is
 *
 * The export has no client and must not get one meanwhile: it is taken away, since it has
 * the size that the image had when it was made, and keeps the image from being resized.
 */
void qsd_control_resize(struct qsd_control *control, uint64_t size,
			void (*done)(void *opaque, int socket, GError *error), void *opaque);

/**
 * qsd_control_grow() - let the image be of @size bytes while its export is in use
 * @grown: called once, possibly from inside; @error: why the size is not the new one, taken
 *         over; NULL if it is
 *
 * For an export that does not keep the image from being resized, as vhost-user-blk's.
 */
void qsd_control_grow(struct qsd_control *control, uint64_t size,
		      void (*grown)(void *opaque, GError *error), void *opaque);

/** qsd_control_free() - done() is not called any more; NULL is allowed */
void qsd_control_free(struct qsd_control *control);

#endif
