/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - the requests of the store's protocol
 */
#ifndef XENEMU_XENSTORE_WIRE_H
#define XENEMU_XENSTORE_WIRE_H

#include "xenstore/connection.h"

/**
 * wire_serve() - serve the request in conn->header and conn->payload
 *
 * Queues exactly one reply, and watch events.
 */
void wire_serve(struct connection *conn);

/** wire_name() - name of a type of message, "unknown" if there is none */
const char *wire_name(uint32_t type);

#endif
