/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.h - a client of QEMU's machine protocol, on the main loop
 *
 * A QEMU that a guest has taken over may send anything: messages are bounded
 * in length and depth, and the worst that one does is to close the client.
 */
#ifndef XENEMU_MACHINE_QMP_H
#define XENEMU_MACHINE_QMP_H

#include <glib.h>
#include <json-glib/json-glib.h>

struct qmp;

/**
 * struct qmp_events - callbacks, on the main thread
 * @event:  QEMU sent event @name; @data is its data member or NULL
 * @reply:  QEMU answered the command @name with @value: its return member, or
 *          NULL when it failed, with @failure saying how
 * @broken: the last callback: QEMU hung up (@garbage FALSE) or sent what is
 *          not QMP
 * All may call qmp_execute(), but only @broken may call qmp_free().
 */
struct qmp_events {
	void (*event)(void *opaque, const char *name, JsonObject *data);
	void (*reply)(void *opaque, const char *name, JsonNode *value, const char *failure);
	void (*broken)(void *opaque, gboolean garbage);
};

/**
 * qmp_new() - talk to QEMU over a connected socket
 * @fd:     our end; taken over
 * @events: callbacks
 * @opaque: their first argument
 *
 * Capabilities are negotiated at once; commands may follow without waiting.
 */
struct qmp *qmp_new(int fd, const struct qmp_events *events, void *opaque);

/**
 * qmp_execute() - send a command
 * @q:         the client
 * @name:      command, also what its reply is known by
 * @arguments: JSON object in text form, or NULL
 *
 * Return: FALSE when QEMU is gone.
 */
gboolean qmp_execute(struct qmp *q, const char *name, const char *arguments);

/** qmp_free() - hang up; NULL is allowed */
void qmp_free(struct qmp *q);

#endif
