/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ivshmem-server.h - the doorbells of machine qemu
 *
 * The helper is both the server of QEMU's ivshmem-doorbell device and its one
 * peer (protocol: QEMU docs/specs/ivshmem-spec.rst).  All doorbells are
 * eventfds: QEMU's device writes the helper's two, the helper writes those of
 * the device's interrupt vectors.
 */
#ifndef XENEMU_MACHINE_IVSHMEM_SERVER_H
#define XENEMU_MACHINE_IVSHMEM_SERVER_H

#include "protocol.h"
#include <glib.h>

#define IVSHMEM_DEVICE_PEER 0
#define IVSHMEM_HELPER_PEER 1

/**
 * struct ivshmem_server - eventfds, all non-blocking
 * @call:    readable when the device rang DOORBELL_VECTOR_CALL
 * @event:   readable when the device rang DOORBELL_VECTOR_EVENT
 * @kick:    write to raise vector n of the device
 * @nr_kick: number of vectors of the device
 * @sock:    our end of the connection to the device
 */
struct ivshmem_server {
	int call;
	int event;
	int kick[MAX_VCPUS];
	unsigned int nr_kick;
	int sock;
};

/**
 * ivshmem_server_open() - make the eventfds and a connection for the device
 * @s:       filled in
 * @nr_kick: vectors wanted, 1 to MAX_VCPUS
 * @error:   set when the host has no more descriptors
 *
 * The whole handshake waits in the socket: the device reads it when it comes
 * up, and nobody need serve it.  On error @s holds nothing.
 * Return: the device's end of the connection, the caller's; -1 with @error set.
 */
int ivshmem_server_open(struct ivshmem_server *s, unsigned int nr_kick, GError **error);

/** ivshmem_server_close() - close everything that open made */
void ivshmem_server_close(struct ivshmem_server *s);

#endif
