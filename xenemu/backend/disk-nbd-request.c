/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-nbd-request.c - requests to NBD servers
 *
 * libnbd wants one piece of memory for a command, from and to which the socket copies.
 * Requests of a single piece go by their own memory, others by a buffer: a command costs
 * tens of microseconds here and in the server, a page's copy a fraction of one.  Only
 * when there are too many buffers is each piece a command of its own.
 */
#include "backend/disk-nbd-private.h"
#include <errno.h>
#include <string.h>

/* The protocol's lengths are 32 bits wide. */
#define MAX_RANGE (1U << 30)
/* Unflushed writes that are kept; beyond, we flush ourselves and writes wait. */
#define LOG_MOST (32U << 20)
/* Memory for buffers, whatever a guest asks for. */
#define BOUNCE_MOST (16U << 20)

/* `moved` of a write: it is answered, its flush is under way; FUA by hand. */
#define FLUSHES 1

/* --- commands --- */

struct command {
	struct nbd_disk *nbd;
	struct disk_request *req;
};

static void end_part(struct nbd_disk *nbd, struct disk_request *req, int error)
{
	if (error && !req->error)
		req->error = error;
	if (--req->parts)
		return;
	g_queue_push_tail(&nbd->finished, req);
	nbd_link_kick(nbd->link);
}

/* From inside libnbd: its handle is locked. */
static int on_answer(void *opaque, int *error)
{
	struct command *command = opaque;

	command->nbd->mute.answers++;
	end_part(command->nbd, command->req, *error);
	return 1;
}

static nbd_completion_callback new_part(struct nbd_disk *nbd, struct disk_request *req)
{
	struct command *command = g_new(struct command, 1);

	*command = (struct command){ nbd, req };
	req->parts++;
	return (nbd_completion_callback){ .callback = on_answer,
					  .user_data = command,
					  .free = g_free };
}

/* A command could not even be issued: @cookie is libnbd's answer. */
static void check_issued(struct nbd_disk *nbd, struct disk_request *req, int64_t cookie)
{
	int error = nbd_get_errno();

	if (cookie >= 0)
		return;
	if (nbd_link_state(nbd->link) == NBD_LINK_DOWN)
		error = ENOTCONN;
	end_part(nbd, req, error ? error : EIO);
}

static void issue_memory(struct nbd_disk *nbd, struct disk_request *req, char *base,
			 uint64_t length, uint64_t offset)
{
	struct nbd_handle *handle = nbd_link_handle(nbd->link);
	uint32_t flags = req->fua && nbd->can_fua ? LIBNBD_CMD_FLAG_FUA : 0;

	while (length) {
		uint64_t part = MIN(length, nbd->max_part);
		nbd_completion_callback done = new_part(nbd, req);

		if (req->op == DISK_READ)
			check_issued(nbd, req,
				     nbd_aio_pread(handle, base, part, offset, done, 0));
		else
			check_issued(nbd, req,
				     nbd_aio_pwrite(handle, base, part, offset, done, flags));
		base += part;
		offset += part;
		length -= part;
	}
}

/* The piece of memory from @req's element @i on.  Return: the first element after it. */
static unsigned int next_piece(const struct disk_request *req, unsigned int i,
			       struct iovec *piece)
{
	*piece = req->iov[i++];
	while (i < req->nr_iov &&
	       req->iov[i].iov_base == (char *)piece->iov_base + piece->iov_len)
		piece->iov_len += req->iov[i++].iov_len;
	return i;
}

static void issue_pieces(struct nbd_disk *nbd, struct disk_request *req)
{
	uint64_t offset = req->offset;
	struct iovec piece;

	for (unsigned int i = 0; i < req->nr_iov;) {
		i = next_piece(req, i, &piece);
		issue_memory(nbd, req, piece.iov_base, piece.iov_len, offset);
		offset += piece.iov_len;
	}
}

static void issue_transfer(struct nbd_disk *nbd, struct disk_request *req)
{
	struct iovec piece;

	if (next_piece(req, 0, &piece) == req->nr_iov ||
	    nbd->bounced + req->length > BOUNCE_MOST) {
		issue_pieces(nbd, req);
		return;
	}
	req->bounce = req->op == DISK_WRITE ? nbd_gather(req) : g_malloc(req->length);
	nbd->bounced += req->length;
	issue_memory(nbd, req, req->bounce, req->length, req->offset);
}

static void scatter(const struct disk_request *req)
{
	const char *from = req->bounce;

	for (unsigned int i = 0; i < req->nr_iov; i++) {
		memcpy(req->iov[i].iov_base, from, req->iov[i].iov_len);
		from += req->iov[i].iov_len;
	}
}

void nbd_free_bounce(struct nbd_disk *nbd, struct disk_request *req)
{
	if (!req->bounce)
		return;
	nbd->bounced -= req->length;
	g_clear_pointer(&req->bounce, g_free);
}

static void issue_range(struct nbd_disk *nbd, struct disk_request *req)
{
	struct nbd_handle *handle = nbd_link_handle(nbd->link);
	uint32_t flags = req->fua && nbd->can_fua ? LIBNBD_CMD_FLAG_FUA : 0;

	for (uint64_t at = 0; at < req->length; at += MAX_RANGE) {
		uint64_t part = MIN(req->length - at, MAX_RANGE);
		nbd_completion_callback done = new_part(nbd, req);

		if (req->op == DISK_DISCARD)
			check_issued(nbd, req,
				     nbd_aio_trim(handle, part, req->offset + at, done, 0));
		else
			check_issued(nbd, req,
				     nbd_aio_zero(handle, part, req->offset + at, done, flags));
	}
}

static void issue_flush(struct nbd_disk *nbd, struct disk_request *req)
{
	nbd_completion_callback done = new_part(nbd, req);

	check_issued(nbd, req, nbd_aio_flush(nbd_link_handle(nbd->link), done, 0));
}

void nbd_start(struct nbd_disk *nbd, struct disk_request *req)
{
	/* Answers may come while the rest is being issued. */
	req->parts = 1;
	req->moved = 0;
	req->error = 0;
	switch (req->op) {
	case DISK_READ:
	case DISK_WRITE:
		issue_transfer(nbd, req);
		break;
	case DISK_FLUSH:
		/* What it flushes, at least. */
		req->moved = nbd->log.last;
		issue_flush(nbd, req);
		break;
	case DISK_DISCARD:
	case DISK_WRITE_ZEROES:
		issue_range(nbd, req);
		break;
	}
	end_part(nbd, req, 0);
}

/* --- the log of unflushed writes --- */

static gboolean keeps_log(const struct nbd_disk *nbd)
{
	return nbd->uri && nbd->disk.info.can_flush && !nbd->disk.info.read_only;
}

static gboolean is_write(const struct disk_request *req)
{
	return req->op == DISK_WRITE || req->op == DISK_WRITE_ZEROES;
}

/* @req was answered without an error. */
static void note_answer(struct nbd_disk *nbd, const struct disk_request *req)
{
	if (!keeps_log(nbd))
		return;
	if (req->op == DISK_FLUSH)
		nbd_log_trim(&nbd->log, req->moved);
	/* One with FUA must come after the older ones if those are written again. */
	else if (is_write(req) && (!req->fua || nbd->log.entries.length))
		nbd_log_add(&nbd->log, req);
}

void nbd_drop_log(struct nbd_disk *nbd, int error)
{
	nbd->flush_error = error;
	nbd_log_trim(&nbd->log, nbd->log.last);
}

static void own_flush_done(struct disk_request *req, int error)
{
	struct nbd_disk *nbd = (struct nbd_disk *)req->disk;

	req->done = NULL;
	if (error && !nbd->failing)
		nbd_drop_log(nbd, error);
}

static void shorten_log(struct nbd_disk *nbd)
{
	if (nbd->log.bytes < LOG_MOST / 2 || nbd->own_flush.done || nbd->disk.closing)
		return;
	nbd->own_flush = (struct disk_request){ .op = DISK_FLUSH, .done = own_flush_done };
	disk_submit(&nbd->disk, &nbd->own_flush);
}

/* --- requests --- */

static gboolean may_start(const struct nbd_disk *nbd, const struct disk_request *req)
{
	return nbd->up && !nbd->holding && !nbd->replay.done &&
	       (!is_write(req) || nbd->log.bytes < LOG_MOST);
}

void nbd_submit(struct disk *disk, struct disk_request *req)
{
	struct nbd_disk *nbd = (struct nbd_disk *)disk;

	if (nbd->failing)
		disk_complete_later(req, EIO);
	else if (may_start(nbd, req))
		nbd_start(nbd, req);
	else
		g_queue_push_tail(&nbd->waiting, req);
}

/* In its order; a request may have to wait for room again. */
void nbd_start_waiting(struct nbd_disk *nbd)
{
	for (guint n = nbd->waiting.length; n; n--) {
		struct disk_request *req = g_queue_pop_head(&nbd->waiting);

		if (may_start(nbd, req))
			nbd_start(nbd, req);
		else
			g_queue_push_tail(&nbd->waiting, req);
	}
}

static gboolean is_loss(int error)
{
	/* Of libnbd for commands that had no answer; of a server about to leave. */
	return error == ENOTCONN || error == ESHUTDOWN;
}

static void answer(struct nbd_disk *nbd, struct disk_request *req)
{
	int error = req->error;

	if (!error && req->bounce && req->op == DISK_READ)
		scatter(req);
	nbd_free_bounce(nbd, req);
	if (!error)
		note_answer(nbd, req);
	if (req->op == DISK_FLUSH && req != &nbd->own_flush && nbd->flush_error) {
		error = nbd->flush_error;
		nbd->flush_error = 0;
	}
	disk_complete(req, error);
	shorten_log(nbd);
}

void nbd_finish(struct nbd_disk *nbd, struct disk_request *req)
{
	if (is_loss(req->error)) {
		nbd->lost = TRUE;
	} else if (!req->error && is_write(req) && req->fua && !nbd->can_fua &&
		   req->moved != FLUSHES) {
		req->moved = FLUSHES;
		req->parts = 1;
		issue_flush(nbd, req);
		end_part(nbd, req, 0);
	} else if (req == &nbd->replay) {
		req->done(req, req->error);
	} else {
		answer(nbd, req);
	}
}
