/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-engine.h - what disk.c and the engines behind it share
 *
 * An engine embeds struct disk as its first member.  It sees only requests that fit
 * disk_info(), and answers each by disk_complete() from the main loop, or by
 * disk_complete_later() from anywhere.
 */
#ifndef XENEMU_BACKEND_DISK_ENGINE_H
#define XENEMU_BACKEND_DISK_ENGINE_H

#include "backend/disk.h"

/* Longest single read or write: what an NBD server must accept at most (the protocol's
 * recommendation), and more than any ring's largest request. */
#define DISK_MAX_TRANSFER (32U << 20)

/**
 * struct disk_engine - a kind of store
 * @submit: take a checked request
 * @commit: start what was taken; may be NULL
 * @rescan: look at the size, tell by disk_set_size() and then by disk_sized(), now or
 *          later; FALSE with @error when it can't
 * @resize: let the store be of @size bytes, at least as many as now; the rest as @rescan
 * @drain:  return when nothing touches memory of requests any more; those not answered
 *          meanwhile are answered with ECANCELED
 * @free:   free the engine's structure, with the struct disk in it
 */
struct disk_engine {
	void (*submit)(struct disk *disk, struct disk_request *req);
	void (*commit)(struct disk *disk);
	gboolean (*rescan)(struct disk *disk, GError **error);
	gboolean (*resize)(struct disk *disk, uint64_t size, GError **error);
	void (*drain)(struct disk *disk);
	void (*free)(struct disk *disk);
};

/**
 * struct disk - the part that all engines have
 * @name:      the target, for messages; owned
 * @in_flight: requests that the engine has, by their link
 * @late:      requests to be answered with their @error by @late_id
 * @late_id:   source of the main loop, 0 if @late is empty
 * @opened_id: source that calls listener.opened, or 0
 * @opened_error: what it is to say, or NULL
 * @sized, @sized_opaque: who waits for the size; NULL when nobody does
 * @sized_id: source that calls it, or 0
 * @sized_error: what it is to say, or NULL
 */
struct disk {
	const struct disk_engine *engine;
	struct disk_info info;
	struct disk_listener listener;
	char *name;
	GQueue in_flight;
	GQueue late;
	guint late_id;
	guint opened_id;
	GError *opened_error;
	disk_sized_fn sized;
	void *sized_opaque;
	guint sized_id;
	GError *sized_error;
	gboolean closing;
};

/* A server that takes longer for an answer is worth a message; it may just be slow. */
#define DISK_MUTE_SECONDS 30

/**
 * struct disk_mute - does a server answer?
 * @answers: how many there were, counted by the engine
 * @seen:    how many at the last look
 * @busy:    there were requests at the last look
 * @is_mute: the user was told that there are no answers
 */
struct disk_mute {
	uint64_t answers;
	uint64_t seen;
	gboolean busy;
	gboolean is_mute;
};

/**
 * disk_look_mute() - tell the user if the server has stopped to answer, or answers again
 * @mute:    of @disk
 * @expects: answers are expected for the requests that there are
 * @is_up:   the server is there
 *
 * At intervals of DISK_MUTE_SECONDS at most.
 */
void disk_look_mute(struct disk *disk, struct disk_mute *mute, gboolean expects,
		    gboolean is_up);

/** disk_init() - fill a zeroed @disk; info.max_* get their usual values */
void disk_init(struct disk *disk, const struct disk_engine *engine, const char *name,
	       const struct disk_listener *listener);

/** disk_clear() - the opposite; for an engine's @free */
void disk_clear(struct disk *disk);

/**
 * disk_opened() - the disk can be used, or not because of @error, which is taken over
 *
 * For an engine whose opening does not wait, when it is over; nothing else may be done
 * with the disk after an error.  No effect when nobody listens.
 */
void disk_opened(struct disk *disk, GError *error);

/** disk_complete() - answer @req; it must not be used afterwards */
void disk_complete(struct disk_request *req, int error);

/** disk_complete_later() - the same, from the main loop */
void disk_complete_later(struct disk_request *req, int error);

/** disk_say() - tell the user, as "NAME: text" */
void disk_say(struct disk *disk, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** disk_set_size() - the store has so many bytes now; tells who listens if that is new */
void disk_set_size(struct disk *disk, uint64_t size);

/**
 * disk_sized() - the size was looked at or changed, or could not be because of @error
 *
 * Once for each @rescan and @resize that began; @error is taken over.
 */
void disk_sized(struct disk *disk, GError *error);

/** disk_refuse_size() - set an error of DISK_ERROR_SIZE, as "NAME: text"; return FALSE */
gboolean disk_refuse_size(const struct disk *disk, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

#endif
