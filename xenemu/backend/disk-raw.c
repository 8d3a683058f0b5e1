/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-raw.c - requests to raw files and block devices, by io_uring
 *
 * Data goes between the image and the request's memory with no buffer of ours between.
 * The ring's descriptor is readable while it has answers: the main loop waits for that.
 */
#include "backend/disk-raw.h"
#include "backend/disk-guess.h"
#include "machine/watch.h"
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Requests handed over at once; more wait for the next submission. */
#define RING_ENTRIES 128
/* The kernel has no memory for requests just now. */
#define RETRY_MS 10

/**
 * struct raw_disk - an image behind a ring
 * @taken:    entries taken from the ring and not answered yet
 * @waiting:  requests for which the ring has no entry yet
 * @watch:    wakes us for answers
 * @retry:    wakes us to submit again, or 0
 * @discards:  carries out discards of devices, in a thread; else NULL
 * @discarded: requests that it is done with, their error set
 */
struct raw_disk {
	struct disk disk;
	struct raw_file file;
	struct io_uring ring;
	unsigned int taken;
	GQueue waiting;
	struct watch *watch;
	guint retry;
	GThreadPool *discards;
	GAsyncQueue *discarded;
};

static void commit(struct disk *disk);

/* --- requests into the ring --- */

static void prepare_transfer(const struct raw_disk *raw, const struct disk_request *req,
			     struct io_uring_sqe *sqe)
{
	const struct iovec *iov = req->rest ? req->rest : req->iov;
	unsigned int nr = req->rest ? req->parts : req->nr_iov;
	uint64_t offset = req->offset + req->moved;

	if (req->op == DISK_READ)
		io_uring_prep_readv(sqe, raw->file.fd, iov, nr, offset);
	else
		io_uring_prep_writev2(sqe, raw->file.fd, iov, nr, offset,
				      req->fua ? RWF_DSYNC : 0);
}

static void prepare(const struct raw_disk *raw, const struct disk_request *req,
		    struct io_uring_sqe *sqe)
{
	int fd = raw->file.fd;
	/* Files are to become sparse; devices have discard for that. */
	int zero = raw->file.is_device ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;

	switch (req->op) {
	case DISK_READ:
	case DISK_WRITE:
		prepare_transfer(raw, req, sqe);
		break;
	case DISK_FLUSH:
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
		break;
	case DISK_DISCARD:
		io_uring_prep_fallocate(sqe, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					req->offset, req->length);
		break;
	case DISK_WRITE_ZEROES:
		io_uring_prep_fallocate(sqe, fd, zero | FALLOC_FL_KEEP_SIZE, req->offset,
					req->length);
		break;
	}
}

/* Return: FALSE if the ring is full and the kernel takes nothing now. */
static gboolean start(struct raw_disk *raw, struct disk_request *req)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&raw->ring);

	if (!sqe) {
		commit(&raw->disk);
		sqe = io_uring_get_sqe(&raw->ring);
	}
	if (!sqe)
		return FALSE;
	prepare(raw, req, sqe);
	io_uring_sqe_set_data(sqe, req);
	raw->taken++;
	return TRUE;
}

static void submit(struct disk *disk, struct disk_request *req)
{
	struct raw_disk *raw = (struct raw_disk *)disk;

	if (req->op == DISK_DISCARD && raw->discards)
		g_thread_pool_push(raw->discards, req, NULL);
	else if (raw->waiting.length || !start(raw, req))
		g_queue_push_tail(&raw->waiting, req);
}

static gboolean on_retry(gpointer opaque)
{
	struct raw_disk *raw = opaque;

	raw->retry = 0;
	commit(&raw->disk);
	return G_SOURCE_REMOVE;
}

static void commit(struct disk *disk)
{
	struct raw_disk *raw = (struct raw_disk *)disk;

	/* A refusal passes: the kernel is short of memory, or wants answers taken first. */
	if (io_uring_submit(&raw->ring) < 0 && !raw->retry)
		raw->retry = g_timeout_add(RETRY_MS, on_retry, raw);
}

/* --- answers from the ring --- */

/* Let @req->rest be what is left of its memory after @req->moved bytes. */
static void set_rest(struct disk_request *req)
{
	uint64_t skip = req->moved;
	unsigned int i = 0;

	while (skip >= req->iov[i].iov_len)
		skip -= req->iov[i++].iov_len;
	req->parts = req->nr_iov - i;
	g_free(req->rest);
	req->rest = g_memdup2(&req->iov[i], req->parts * sizeof(*req->rest));
	req->rest[0].iov_base = (char *)req->rest[0].iov_base + skip;
	req->rest[0].iov_len -= skip;
}

static void finish(struct disk_request *req, int error)
{
	g_clear_pointer(&req->rest, g_free);
	disk_complete(req, error);
}

/* The kernel's answer @res to a transfer.  Return: TRUE if it has to go on. */
static gboolean transfer_goes_on(struct disk_request *req, int res)
{
	if (res < 0)
		return res == -EAGAIN || res == -EINTR;
	req->moved += res;
	if (!res || req->moved >= req->length)
		return FALSE;
	set_rest(req);
	return TRUE;
}

static void take_answer(struct raw_disk *raw, struct disk_request *req, int res)
{
	gboolean transfer = req->op == DISK_READ || req->op == DISK_WRITE;

	if (!transfer) {
		finish(req, -res);
	} else if (transfer_goes_on(req, res)) {
		if (!start(raw, req))
			g_queue_push_tail(&raw->waiting, req);
	} else {
		/* No bytes and no error: the file has shrunk. */
		finish(req, res < 0 ? -res : req->moved < req->length ? EIO : 0);
	}
}

static void take_answers(struct raw_disk *raw)
{
	struct io_uring_cqe *cqe;
	/* Answers that the kernel kept back appear only when one asks. */
	unsigned int most = MAX(io_uring_cq_ready(&raw->ring), 1);

	for (; most && !io_uring_peek_cqe(&raw->ring, &cqe); most--) {
		struct disk_request *req = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&raw->ring, cqe);
		raw->taken--;
		take_answer(raw, req, res);
	}
	while (raw->waiting.length && start(raw, raw->waiting.head->data))
		g_queue_pop_head(&raw->waiting);
	commit(&raw->disk);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer raw)
{
	(void)fd;
	(void)condition;
	take_answers(raw);
	return G_SOURCE_CONTINUE;
}

/* --- BLKDISCARD, which has no asynchronous form --- */

static gboolean on_discarded(gpointer discarded)
{
	struct disk_request *req;

	while ((req = g_async_queue_try_pop(discarded)))
		disk_complete(req, req->error);
	return G_SOURCE_REMOVE;
}

/* In the pool's thread. */
static void discard_device(gpointer data, gpointer opaque)
{
	struct raw_disk *raw = opaque;
	struct disk_request *req = data;
	uint64_t range[2] = { req->offset, req->length };

	req->error = ioctl(raw->file.fd, BLKDISCARD, range) ? errno : 0;
	g_async_queue_push(raw->discarded, req);
	g_idle_add_full(G_PRIORITY_DEFAULT, on_discarded, raw->discarded, NULL);
}

static void start_discards(struct raw_disk *raw)
{
	raw->discarded = g_async_queue_new();
	raw->discards = g_thread_pool_new(discard_device, raw, 1, FALSE, NULL);
}

/* Wait for all, and answer them. */
static void end_discards(struct raw_disk *raw)
{
	g_thread_pool_free(raw->discards, FALSE, TRUE);
	while (g_idle_remove_by_data(raw->discarded))
		;
	on_discarded(raw->discarded);
	g_async_queue_unref(raw->discarded);
}

/* --- the rest --- */

static gboolean rescan(struct disk *disk, GError **error)
{
	struct raw_disk *raw = (struct raw_disk *)disk;
	uint64_t size = raw_file_size(&raw->file);

	if (size < disk->info.sector_size)
		return disk_refuse_size(disk, error, "has no sectors any more; make it larger");
	disk_set_size(disk, size);
	disk_sized(disk, NULL);
	return TRUE;
}

static gboolean resize(struct disk *disk, uint64_t size, GError **error)
{
	struct raw_disk *raw = (struct raw_disk *)disk;

	if (raw->file.is_device)
		return disk_refuse_size(disk, error,
					"a block device; let it grow on the host, then use "
					"block-rescan");
	/* Larger than the guest knows: to cut it off would lose what others put there. */
	if (raw_file_size(&raw->file) > size)
		return disk_refuse_size(disk, error,
					"the file is larger already; use block-rescan");
	if (ftruncate(raw->file.fd, size))
		return disk_refuse_size(disk, error, "can't be made larger: %s",
					g_strerror(errno));
	disk_set_size(disk, size);
	disk_sized(disk, NULL);
	return TRUE;
}

/* Memory of requests belongs to the kernel until it has answered: no way but to wait. */
static void drain(struct disk *disk)
{
	struct raw_disk *raw = (struct raw_disk *)disk;

	g_queue_clear(&raw->waiting);
	while (raw->taken) {
		io_uring_submit_and_wait(&raw->ring, 1);
		take_answers(raw);
	}
	if (raw->retry)
		g_source_remove(raw->retry);
	raw->retry = 0;
	if (raw->discards)
		end_discards(raw);
}

static void raw_free(struct disk *disk)
{
	struct raw_disk *raw = (struct raw_disk *)disk;

	watch_free(raw->watch);
	io_uring_queue_exit(&raw->ring);
	close(raw->file.fd);
	disk_clear(disk);
	g_free(raw);
}

static const struct disk_engine engine = {
	.submit = submit,
	.commit = commit,
	.rescan = rescan,
	.resize = resize,
	.drain = drain,
	.free = raw_free,
};

/* Return: 0 or a negative errno. */
static int open_ring(struct io_uring *ring)
{
	int ret = io_uring_queue_init(RING_ENTRIES, ring, 0);

	/* Answers must not be lost, however many requests are in flight: Linux 5.5. */
	if (ret || ring->features & IORING_FEAT_NODROP)
		return ret;
	io_uring_queue_exit(ring);
	return -ENOSYS;
}

/* A user who forgot the format would find the image destroyed. */
static void tell_format(struct raw_disk *raw)
{
	size_t len = raw->disk.info.sector_size;
	void *head = aligned_alloc(len, len);
	const char *format = NULL;

	if (head && pread(raw->file.fd, head, len, 0) == (ssize_t)len)
		format = disk_guess_format(head, len);
	if (format)
		disk_say(&raw->disk,
			 "taken as raw, but it starts as a %s image does; if it is one, give "
			 "%s as its format",
			 format, format);
	free(head);
}

struct disk *disk_raw_open(const struct disk_spec *spec, const struct disk_listener *listener,
			   GError **error)
{
	struct raw_disk *raw = g_new0(struct raw_disk, 1);
	uint64_t tail;
	int ret;

	disk_init(&raw->disk, &engine, spec->target, listener);
	if (!raw_file_open(spec, !listener->opened, &raw->file, &raw->disk.info, &tail, error))
		goto fail;
	ret = open_ring(&raw->ring);
	if (ret) {
		g_set_error(error, DISK_ERROR, DISK_ERROR_UNSUPPORTED, "io_uring: %s",
			    g_strerror(-ret));
		close(raw->file.fd);
		goto fail;
	}
	raw->watch = watch_new(raw->ring.ring_fd, G_IO_IN, on_readable, raw);
	if (raw->file.is_device && raw->disk.info.can_discard)
		start_discards(raw);
	tell_format(raw);
	if (!raw->file.locked)
		disk_say(&raw->disk,
			 "its file system has no locks; see that nobody else uses it");
	if (tail)
		disk_say(&raw->disk,
			 "the last %" G_GUINT64_FORMAT
			 " bytes are not a whole sector; the guest will not see them",
			 tail);
	disk_opened(&raw->disk, NULL);
	return &raw->disk;
fail:
	disk_clear(&raw->disk);
	g_free(raw);
	return NULL;
}
