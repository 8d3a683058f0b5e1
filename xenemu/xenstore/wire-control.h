/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire-control.h - the CONTROL request: what xenstore-control asks
 */
#ifndef XENEMU_XENSTORE_WIRE_CONTROL_H
#define XENEMU_XENSTORE_WIRE_CONTROL_H

#include "xenstore/store.h"

/**
 * wire_control() - serve a CONTROL request
 * @xs:    the store
 * @words: command and parameters, NULL-terminated
 * @reply: receives the payload of the reply
 *
 * Return: 0, or EINVAL when there is no such command; EIO when the store is inconsistent.
 */
int wire_control(struct xenstore *xs, char **words, GByteArray *reply);

#endif
