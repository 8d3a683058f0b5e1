/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk.c - checks requests, hands them to the engine, delivers answers
 */
#include "backend/disk.h"
#include "backend/disk-engine.h"
#include "backend/disk-nbd.h"
#include "backend/disk-qsd.h"
#include "backend/disk-raw.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

G_DEFINE_QUARK(disk - error - quark, disk_error)

/* Plain files and devices; by io_uring if there is one. */
static struct disk *open_plain(const struct disk_spec *spec, const struct memory *memory,
			       const struct disk_listener *listener, GError **error)
{
	GError *why = NULL;
	struct disk *disk = disk_raw_open(spec, listener, &why);

	if (disk || !g_error_matches(why, DISK_ERROR, DISK_ERROR_UNSUPPORTED)) {
		if (why)
			g_propagate_error(error, why);
		return disk;
	}
	disk = disk_qsd_open(spec, memory, listener, error);
	if (disk)
		disk_say(disk, "read and written by qemu-storage-daemon, slower (%s)",
			 why->message);
	g_error_free(why);
	return disk;
}

struct disk *disk_open(const struct disk_spec *spec, const struct memory *memory,
		       const struct disk_listener *listener, GError **error)
{
	if (strcmp(spec->format, "raw") != 0)
		return disk_qsd_open(spec, memory, listener, error);
	if (disk_nbd_is_uri(spec->target))
		return disk_nbd_open(spec, listener, error);
	if (disk_spec_is_file(spec))
		return open_plain(spec, memory, listener, error);
	return disk_qsd_open(spec, memory, listener, error);
}

const struct disk_info *disk_info(const struct disk *disk)
{
	return &disk->info;
}

void disk_init(struct disk *disk, const struct disk_engine *engine, const char *name,
	       const struct disk_listener *listener)
{
	disk->engine = engine;
	disk->listener = *listener;
	disk->name = g_strdup(name);
	disk->info.max_transfer = DISK_MAX_TRANSFER;
	disk->info.max_iov = IOV_MAX;
	g_queue_init(&disk->in_flight);
	g_queue_init(&disk->late);
}

void disk_clear(struct disk *disk)
{
	g_clear_handle_id(&disk->opened_id, g_source_remove);
	g_clear_error(&disk->opened_error);
	g_free(disk->name);
}

static gboolean tell_opened(gpointer opaque)
{
	struct disk *disk = opaque;
	g_autoptr(GError) error = g_steal_pointer(&disk->opened_error);

	disk->opened_id = 0;
	disk->listener.opened(disk->listener.opaque, error);
	return G_SOURCE_REMOVE;
}

/* From the main loop, so that who listens may close the disk. */
void disk_opened(struct disk *disk, GError *error)
{
	if (!disk->listener.opened)
		return;
	disk->opened_error = error;
	disk->opened_id = g_idle_add_full(G_PRIORITY_DEFAULT, tell_opened, disk, NULL);
}

/* --- answers --- */

void disk_complete(struct disk_request *req, int error)
{
	g_queue_unlink(&req->disk->in_flight, &req->link);
	req->done(req, error);
}

/* Answer what is late; an answer may lead to further late ones, left for next time. */
static void answer_late(struct disk *disk)
{
	for (guint n = disk->late.length; n; n--) {
		struct disk_request *req = g_queue_pop_head_link(&disk->late)->data;

		req->done(req, req->error);
	}
}

static gboolean on_late(gpointer opaque)
{
	struct disk *disk = opaque;

	answer_late(disk);
	if (disk->late.length)
		return G_SOURCE_CONTINUE;
	disk->late_id = 0;
	return G_SOURCE_REMOVE;
}

void disk_complete_later(struct disk_request *req, int error)
{
	struct disk *disk = req->disk;

	g_queue_unlink(&disk->in_flight, &req->link);
	req->error = error;
	g_queue_push_tail_link(&disk->late, &req->link);
	if (!disk->late_id)
		disk->late_id = g_idle_add_full(G_PRIORITY_DEFAULT, on_late, disk, NULL);
}

/* --- requests --- */

static int check_iov(const struct disk_info *info, const struct disk_request *req)
{
	uint64_t sum = 0;

	if (!req->nr_iov || req->nr_iov > info->max_iov || req->length > info->max_transfer)
		return EINVAL;
	for (unsigned int i = 0; i < req->nr_iov; i++) {
		const struct iovec *iov = &req->iov[i];

		if (((uintptr_t)iov->iov_base | iov->iov_len) & (info->mem_align - 1))
			return EINVAL;
		/* Sums of guest-sized lengths, each at most max_transfer, fit easily. */
		if (iov->iov_len > info->max_transfer)
			return EINVAL;
		sum += iov->iov_len;
	}
	return sum == req->length ? 0 : EINVAL;
}

static int check_range(const struct disk_info *info, const struct disk_request *req)
{
	if (!req->length || (req->offset | req->length) & (info->sector_size - 1))
		return EINVAL;
	if (req->offset > info->size || req->length > info->size - req->offset)
		return ERANGE;
	return 0;
}

/* The operation itself, whatever its range. */
static int check_op(const struct disk_info *info, const struct disk_request *req)
{
	if (req->op == DISK_READ)
		return 0;
	if (req->op == DISK_FLUSH)
		return info->can_flush ? 0 : EOPNOTSUPP;
	if (info->read_only)
		return EROFS;
	if ((req->op == DISK_DISCARD && !info->can_discard) ||
	    (req->op == DISK_WRITE_ZEROES && !info->can_write_zeroes) ||
	    (req->fua && !info->can_flush))
		return EOPNOTSUPP;
	return 0;
}

static int check(const struct disk *disk, const struct disk_request *req)
{
	int error = disk->closing ? ECANCELED : check_op(&disk->info, req);

	if (!error && req->op != DISK_FLUSH)
		error = check_range(&disk->info, req);
	if (!error && (req->op == DISK_READ || req->op == DISK_WRITE))
		error = check_iov(&disk->info, req);
	return error;
}

void disk_submit(struct disk *disk, struct disk_request *req)
{
	int error = check(disk, req);

	req->disk = disk;
	req->link = (GList){ .data = req };
	req->moved = 0;
	req->bounce = NULL;
	req->parts = 0;
	req->error = 0;
	g_queue_push_tail_link(&disk->in_flight, &req->link);
	if (error)
		disk_complete_later(req, error);
	else
		disk->engine->submit(disk, req);
}

void disk_commit(struct disk *disk)
{
	if (disk->engine->commit)
		disk->engine->commit(disk);
}

void disk_look_mute(struct disk *disk, struct disk_mute *mute, gboolean expects, gboolean is_up)
{
	gboolean busy = expects && disk->in_flight.length;
	gboolean is_mute = busy && mute->busy && mute->answers == mute->seen;

	mute->busy = busy;
	mute->seen = mute->answers;
	if (is_mute && !mute->is_mute)
		disk_say(disk, "the server doesn't answer; requests wait for it");
	else if (is_up && mute->is_mute && !is_mute)
		disk_say(disk, "the server answers again");
	mute->is_mute = is_mute;
}

/* --- the size --- */

static gboolean tell_sized(gpointer opaque)
{
	struct disk *disk = opaque;
	g_autoptr(GError) error = g_steal_pointer(&disk->sized_error);
	disk_sized_fn sized = g_steal_pointer(&disk->sized);

	disk->sized_id = 0;
	sized(disk->sized_opaque, disk->info.size, error);
	return G_SOURCE_REMOVE;
}

/* From the main loop, as answers are. */
void disk_sized(struct disk *disk, GError *error)
{
	disk->sized_error = error;
	disk->sized_id = g_idle_add_full(G_PRIORITY_DEFAULT, tell_sized, disk, NULL);
}

gboolean disk_refuse_size(const struct disk *disk, GError **error, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, DISK_ERROR, DISK_ERROR_SIZE, "%s: %s", disk->name, what);
	return FALSE;
}

/* Return: FALSE with @error if somebody waits already, or nobody can. */
static gboolean wait_for_size(struct disk *disk, disk_sized_fn sized, void *opaque,
			      GError **error)
{
	if (disk->closing)
		return disk_refuse_size(disk, error, "is being closed");
	if (disk->sized)
		return disk_refuse_size(disk, error,
					"its size is being looked at already; try again when "
					"that is over");
	disk->sized = sized;
	disk->sized_opaque = opaque;
	return TRUE;
}

gboolean disk_rescan(struct disk *disk, disk_sized_fn sized, void *opaque, GError **error)
{
	if (!wait_for_size(disk, sized, opaque, error))
		return FALSE;
	if (disk->engine->rescan(disk, error))
		return TRUE;
	disk->sized = NULL;
	return FALSE;
}

static gboolean check_size(const struct disk *disk, uint64_t size, GError **error)
{
	const struct disk_info *info = &disk->info;

	if (info->read_only)
		return disk_refuse_size(disk, error, "the guest has it read-only");
	if (size > INT64_MAX)
		return disk_refuse_size(disk, error, "nothing is that large");
	if (size & (info->sector_size - 1))
		return disk_refuse_size(disk, error,
					"%" G_GUINT64_FORMAT
					" bytes are not whole sectors; give a multiple of %u",
					size, info->sector_size);
	if (size < info->size)
		return disk_refuse_size(disk, error,
					"has %" G_GUINT64_FORMAT
					" bytes, and what the guest has in them would be "
					"lost; give a size that is larger",
					info->size);
	return TRUE;
}

gboolean disk_resize(struct disk *disk, uint64_t size, disk_sized_fn sized, void *opaque,
		     GError **error)
{
	if (!check_size(disk, size, error) || !wait_for_size(disk, sized, opaque, error))
		return FALSE;
	if (disk->engine->resize(disk, size, error))
		return TRUE;
	disk->sized = NULL;
	return FALSE;
}

/* It will not be looked at any more. */
static void give_up_size(struct disk *disk)
{
	if (!disk->sized)
		return;
	if (!disk->sized_id)
		disk_refuse_size(disk, &disk->sized_error, "was closed meanwhile");
	g_clear_handle_id(&disk->sized_id, g_source_remove);
	tell_sized(disk);
}

void disk_set_size(struct disk *disk, uint64_t size)
{
	size &= ~(uint64_t)(disk->info.sector_size - 1);
	if (size == disk->info.size)
		return;
	disk->info.size = size;
	if (disk->listener.resized)
		disk->listener.resized(disk->listener.opaque);
}

/* --- the rest --- */

void disk_say(struct disk *disk, const char *format, ...)
{
	g_autofree char *what = NULL;
	g_autofree char *text = NULL;
	va_list args;

	if (!disk->listener.message)
		return;
	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	text = g_strdup_printf("%s: %s", disk->name, what);
	disk->listener.message(disk->listener.opaque, text);
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	disk->closing = TRUE;
	disk->engine->drain(disk);
	while (disk->in_flight.length)
		disk_complete(disk->in_flight.head->data, ECANCELED);
	while (disk->late.length)
		answer_late(disk);
	if (disk->late_id)
		g_source_remove(disk->late_id);
	give_up_size(disk);
	disk->engine->free(disk);
}
