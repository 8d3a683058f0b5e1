/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire-trace.h - messages of the store's protocol as text
 */
#ifndef XENEMU_XENSTORE_WIRE_TRACE_H
#define XENEMU_XENSTORE_WIRE_TRACE_H

#include <stdint.h>
#include <stdio.h>
#include <xen/io/xs_wire.h>

/**
 * wire_trace() - write one line about a message
 * @to:      where to, or NULL for nowhere
 * @domid:   whose connection
 * @kind:    "request", "reply" or "event"
 * @header:  its header
 * @payload: header->len bytes; a nul is shown as |, as in Xen's documentation
 */
void wire_trace(FILE *to, unsigned int domid, const char *kind,
		const struct xsd_sockmsg *header, const char *payload);

#endif
