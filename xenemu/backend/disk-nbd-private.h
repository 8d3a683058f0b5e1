/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-nbd-private.h - what the parts of the NBD engine share: requests, the life of the
 * connection, the size of the export
 */
#ifndef XENEMU_BACKEND_DISK_NBD_PRIVATE_H
#define XENEMU_BACKEND_DISK_NBD_PRIVATE_H

#include "backend/disk-nbd.h"
#include "backend/nbd-link.h"
#include "backend/nbd-log.h"

/**
 * struct nbd_disk - a disk on a server
 * @uri:       of the server, or NULL if it is @server
 * @reconnect: seconds for which requests wait
 * @link:      NULL between attempts to connect
 * @opening:   it has never been up, and who opens the disk does not wait
 * @up:        requests may be sent
 * @failing:   the server is gone for too long: requests fail
 * @lost:      an answer said that the connection is no use any more
 * @can_fua, @max_part: what the server offers
 * @bounced:   bytes of bounce buffers
 * @finished:  requests of which all commands are answered
 * @waiting:   requests for which the server, or room in the log, has to come first
 * @retry, @limit: timers, or 0: when to try again (or that an attempt takes too long),
 *             when to fail
 * @watch:     timer that sees whether there are answers, every @watch_seconds
 * @mute:      what it has seen
 * @delay:     milliseconds until the next attempt
 * @replayed:  entry of the log that was written again last
 * @replay:    writes an entry again, when its done is set; @replay_iov its memory
 * @own_flush: to shorten the log, when its done is set
 * @flush_error: what the next flush has to answer, since something could not be made
 *             durable that the guest took for written
 * @outage:    the user was told that the server is gone
 * @wrong:     and that another one is in its place
 * @second:    another connection, which is to say the export's size; or NULL
 * @holding:   @link is to be replaced when all is answered that was sent by it; nothing
 *             else is sent
 * @patience:  timer, while there is @second or @holding
 * @resizing:  the server is to resize the export, or has; or there is no @link because it
 *             is at it
 * @new_size:  what it is to be
 * @size_error: why it could not be resized, or NULL
 */
struct nbd_disk {
	struct disk disk;
	char *uri;
	struct nbd_server server;
	unsigned int reconnect;
	struct nbd_link *link;
	gboolean opening;
	gboolean up;
	gboolean failing;
	gboolean lost;
	gboolean can_fua;
	uint32_t max_part;
	uint64_t bounced;
	GQueue finished;
	GQueue waiting;
	guint retry;
	guint limit;
	guint watch;
	unsigned int watch_seconds;
	struct disk_mute mute;
	unsigned int delay;
	struct nbd_log log;
	uint64_t replayed;
	struct disk_request replay;
	struct iovec replay_iov;
	struct disk_request own_flush;
	int flush_error;
	gboolean outage;
	gboolean wrong;
	struct nbd_link *second;
	gboolean holding;
	guint patience;
	gboolean resizing;
	uint64_t new_size;
	GError *size_error;
};

/** nbd_submit() - submit() of the engine */
void nbd_submit(struct disk *disk, struct disk_request *req);

/** nbd_start() - issue the commands of @req; the connection is up */
void nbd_start(struct nbd_disk *nbd, struct disk_request *req);

/** nbd_start_waiting() - start what waited and need not wait any more */
void nbd_start_waiting(struct nbd_disk *nbd);

/** nbd_finish() - act on @req, of which all commands are answered */
void nbd_finish(struct nbd_disk *nbd, struct disk_request *req);

/** nbd_free_bounce() - if @req has one */
void nbd_free_bounce(struct nbd_disk *nbd, struct disk_request *req);

/** nbd_drop_log() - what can't be made durable is forgotten; who flushes next is told */
void nbd_drop_log(struct nbd_disk *nbd, int error);

/** nbd_moved() - something was received or sent, by whichever connection */
void nbd_moved(void *nbd);

/**
 * nbd_check_same() - whether @link, which is up, leads to the export that there was
 *
 * Return: what is wrong with it, or NULL.
 */
const char *nbd_check_same(const struct nbd_disk *nbd, const struct nbd_link *link);

/** nbd_resume() - go on with @nbd->link, which is a new one and up */
void nbd_resume(struct nbd_disk *nbd);

/** nbd_close_link() - close the connection, if there is one */
void nbd_close_link(struct nbd_disk *nbd);

/** nbd_down() - there is no connection any more, @nbd->link or none, because of @why */
void nbd_down(struct nbd_disk *nbd, const char *why);

/** nbd_rescan() - rescan() of the engine */
gboolean nbd_rescan(struct disk *disk, GError **error);

/** nbd_resize() - resize() of the engine */
gboolean nbd_resize(struct disk *disk, uint64_t size, GError **error);

/** nbd_size_moved() - the part of nbd_moved() that is about the size; the disk is up */
void nbd_size_moved(struct nbd_disk *nbd);

/** nbd_size_lost() - the server is gone because of @why; whoever waits for a size is told */
void nbd_size_lost(struct nbd_disk *nbd, const char *why);

/** nbd_size_stop() - the disk is closed */
void nbd_size_stop(struct nbd_disk *nbd);

#endif
