/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-nbd.c - disks on NBD servers: opening, servers that go away, closing
 *
 * When the server goes away, requests wait while we try to get it back; after a time
 * they fail.  What a server answered but never flushed it may have forgotten when it is
 * back, so that is written again first (nbd-log.h): a guest sees a pause or an error,
 * but never a flush that flushed less than it thinks.
 */
#include "backend/disk-nbd-private.h"
#include <errno.h>

#define OPEN_MS (DISK_OPEN_SECONDS * 1000)
#define RETRY_FIRST_MS 100
#define RETRY_MOST_MS 5000
/* A host that is silent for so long is gone. */
#define PEER_MS 60000

/* --- the server goes away and comes back --- */

static void fail_all(struct nbd_disk *nbd)
{
	nbd->failing = TRUE;
	g_queue_clear(&nbd->waiting);
	while (nbd->disk.in_flight.length)
		disk_complete(nbd->disk.in_flight.head->data, EIO);
}

static gboolean on_limit(gpointer opaque)
{
	struct nbd_disk *nbd = opaque;

	nbd->limit = 0;
	disk_say(&nbd->disk, "the server is still gone; requests fail until it is back");
	fail_all(nbd);
	return G_SOURCE_REMOVE;
}

static void went_down(struct nbd_disk *nbd);

/* The server takes the connection, but says nothing. */
static gboolean on_stuck(gpointer opaque)
{
	struct nbd_disk *nbd = opaque;

	nbd->retry = 0;
	went_down(nbd);
	return G_SOURCE_REMOVE;
}

static gboolean on_retry(gpointer opaque)
{
	struct nbd_disk *nbd = opaque;

	nbd->retry = 0;
	nbd->link = nbd_link_new(nbd->uri, -1, nbd_moved, nbd);
	return G_SOURCE_REMOVE;
}

/* Every request that has no answer is to be sent again, in the order of submission. */
static void take_back(struct nbd_disk *nbd)
{
	g_queue_clear(&nbd->finished);
	g_queue_clear(&nbd->waiting);
	for (GList *at = nbd->disk.in_flight.head; at; at = at->next) {
		nbd_free_bounce(nbd, at->data);
		g_queue_push_tail(&nbd->waiting, at->data);
	}
	nbd->replay.done = NULL;
}

void nbd_close_link(struct nbd_disk *nbd)
{
	nbd->up = FALSE;
	nbd->lost = FALSE;
	g_clear_pointer(&nbd->link, nbd_link_free);
}

static void tell_outage(struct nbd_disk *nbd, const char *why)
{
	nbd->outage = TRUE;
	nbd->delay = RETRY_FIRST_MS;
	if (nbd->reconnect) {
		disk_say(&nbd->disk,
			 "the server is gone (%s); requests wait for it, %u s at most", why,
			 nbd->reconnect);
		nbd->limit = g_timeout_add_seconds(nbd->reconnect, on_limit, nbd);
	} else {
		disk_say(&nbd->disk, "the server is gone (%s); requests fail", why);
		fail_all(nbd);
	}
}

void nbd_down(struct nbd_disk *nbd, const char *why)
{
	nbd_close_link(nbd);
	nbd_size_lost(nbd, why);
	take_back(nbd);
	if (!nbd->outage)
		tell_outage(nbd, why);
	if (!nbd->uri)
		return;
	g_clear_handle_id(&nbd->retry, g_source_remove);
	nbd->retry = g_timeout_add(nbd->delay, on_retry, nbd);
	nbd->delay = MIN(nbd->delay * 2, RETRY_MOST_MS);
}

static void went_down(struct nbd_disk *nbd)
{
	g_autofree char *why = g_strdup(nbd_link_why(nbd->link));
	const char *known = nbd->uri ? NULL : nbd->server.why(nbd->server.owner);

	nbd_down(nbd, known ? known : why);
}

static void replay_next(struct nbd_disk *nbd);

static void replay_done(struct disk_request *req, int error)
{
	struct nbd_disk *nbd = (struct nbd_disk *)req->disk;

	req->done = NULL;
	if (error) {
		disk_say(&nbd->disk, "what it may have forgotten can't be written again (%s)",
			 g_strerror(error));
		nbd_drop_log(nbd, error);
	}
	replay_next(nbd);
}

/* One after the other: they may overlap. */
static void replay_next(struct nbd_disk *nbd)
{
	const struct nbd_log_entry *entry = nbd_log_after(&nbd->log, nbd->replayed);

	if (!entry)
		return;
	nbd->replayed = entry->number;
	nbd->replay_iov = (struct iovec){ entry->data, entry->length };
	nbd->replay = (struct disk_request){
		.op = entry->data ? DISK_WRITE : DISK_WRITE_ZEROES,
		.offset = entry->offset,
		.length = entry->length,
		.iov = &nbd->replay_iov,
		.nr_iov = 1,
		.done = replay_done,
		.disk = &nbd->disk,
	};
	nbd_start(nbd, &nbd->replay);
}

const char *nbd_check_same(const struct nbd_disk *nbd, const struct nbd_link *link)
{
	struct nbd_handle *handle = nbd_link_handle(link);

	if (nbd_get_size(handle) < (int64_t)nbd->disk.info.size)
		return "its export is smaller now";
	if (!nbd->disk.info.read_only && nbd_is_read_only(handle))
		return "its export is read-only now";
	return NULL;
}

void nbd_resume(struct nbd_disk *nbd)
{
	nbd_link_keepalive(nbd->link, PEER_MS);
	nbd->up = TRUE;
	/* The guest may use what is new at once. */
	disk_set_size(&nbd->disk, nbd_get_size(nbd_link_handle(nbd->link)));
	nbd->replayed = 0;
	replay_next(nbd);
}

static void came_back(struct nbd_disk *nbd)
{
	const char *wrong = nbd_check_same(nbd, nbd->link);

	if (wrong) {
		if (!nbd->wrong)
			disk_say(&nbd->disk, "the server is back, but %s", wrong);
		nbd->wrong = TRUE;
		went_down(nbd);
		return;
	}
	if (nbd->outage)
		disk_say(&nbd->disk, "the server is back");
	g_clear_handle_id(&nbd->limit, g_source_remove);
	g_clear_handle_id(&nbd->retry, g_source_remove);
	nbd->outage = FALSE;
	nbd->wrong = FALSE;
	nbd->failing = FALSE;
	nbd_resume(nbd);
}

/*
 * From when the server's name is known: another attempt would only ask once more, and the
 * threads that do would become many.
 */
static void limit_attempt(struct nbd_disk *nbd)
{
	if (nbd->uri && !nbd->retry && !nbd_link_looks_up(nbd->link))
		nbd->retry = g_timeout_add(OPEN_MS, on_stuck, nbd);
}

static void opening_moved(struct nbd_disk *nbd);

void nbd_moved(void *opaque)
{
	struct nbd_disk *nbd = opaque;
	enum nbd_link_state state;

	if (nbd->opening) {
		opening_moved(nbd);
		return;
	}
	for (guint n = nbd->finished.length; n; n--)
		nbd_finish(nbd, g_queue_pop_head(&nbd->finished));
	state = nbd_link_state(nbd->link);
	if (nbd->lost || state == NBD_LINK_DOWN)
		went_down(nbd);
	else if (!nbd->up && state == NBD_LINK_UP)
		came_back(nbd);
	else if (!nbd->up)
		limit_attempt(nbd);
	if (nbd->up)
		nbd_size_moved(nbd);
	if (nbd->up)
		nbd_start_waiting(nbd);
}

static gboolean on_watch(gpointer opaque)
{
	struct nbd_disk *nbd = opaque;

	disk_look_mute(&nbd->disk, &nbd->mute, nbd->up || nbd->resizing, nbd->up);
	return G_SOURCE_CONTINUE;
}

/* --- opening and closing --- */

static void drain(struct disk *disk)
{
	struct nbd_disk *nbd = (struct nbd_disk *)disk;

	nbd_close_link(nbd);
	nbd_size_stop(nbd);
	take_back(nbd);
	g_queue_clear(&nbd->waiting);
	g_clear_handle_id(&nbd->retry, g_source_remove);
	g_clear_handle_id(&nbd->limit, g_source_remove);
	g_clear_handle_id(&nbd->watch, g_source_remove);
}

static void nbd_free(struct disk *disk)
{
	struct nbd_disk *nbd = (struct nbd_disk *)disk;

	nbd_link_free(nbd->link);
	if (nbd->server.free)
		nbd->server.free(nbd->server.owner);
	nbd_log_trim(&nbd->log, nbd->log.last);
	g_free(nbd->uri);
	disk_clear(disk);
	g_free(nbd);
}

static const struct disk_engine engine = { .submit = nbd_submit,
					   .rescan = nbd_rescan,
					   .resize = nbd_resize,
					   .drain = drain,
					   .free = nbd_free };

static gboolean refuse(const struct nbd_disk *nbd, GError **error, const char *what)
{
	g_set_error(error, DISK_ERROR, DISK_ERROR_OPEN, "%s: %s", nbd->disk.name, what);
	return FALSE;
}

static void set_block_sizes(struct nbd_disk *nbd, struct disk_info *info)
{
	struct nbd_handle *handle = nbd_link_handle(nbd->link);
	int64_t least = nbd_get_block_size(handle, LIBNBD_SIZE_MINIMUM);
	int64_t good = nbd_get_block_size(handle, LIBNBD_SIZE_PREFERRED);
	int64_t most = nbd_get_block_size(handle, LIBNBD_SIZE_MAXIMUM);

	/* Powers of 2, says the protocol; 0 if the server says nothing. */
	info->sector_size = MAX(least, 512);
	info->physical_sector_size = info->sector_size;
	info->mem_align = 1;
	info->discard_granularity = MAX(good, info->sector_size);
	nbd->max_part = most > 0 ? MIN(most, DISK_MAX_TRANSFER) : DISK_MAX_TRANSFER;
	nbd->max_part &= ~(info->sector_size - 1);
}

/* What the user wants of it is there already. */
static gboolean fill_info(struct nbd_disk *nbd, GError **error)
{
	struct nbd_handle *handle = nbd_link_handle(nbd->link);
	struct disk_info *info = &nbd->disk.info;
	int64_t size = nbd_get_size(handle);

	set_block_sizes(nbd, info);
	if (size < info->sector_size)
		return refuse(nbd, error, "the export has no sectors");
	if (info->sector_size > 4096 || !nbd->max_part)
		return refuse(nbd, error, "the export's blocks are larger than 4096 bytes");
	if (!info->read_only && nbd_is_read_only(handle))
		return refuse(nbd, error, "the export is read-only; give the mode r");
	info->size = size & ~(uint64_t)(info->sector_size - 1);
	info->can_flush = nbd_can_flush(handle) > 0;
	info->can_discard = info->can_discard && nbd_can_trim(handle) > 0;
	info->can_write_zeroes = !info->read_only && nbd_can_zero(handle) > 0;
	nbd->can_fua = nbd_can_fua(handle) > 0;
	return TRUE;
}

/* @state: what became of the first connection, in the time that it had. */
static gboolean finish_open(struct nbd_disk *nbd, enum nbd_link_state state, GError **error)
{
	g_autofree char *what = NULL;
	const char *known = NULL;

	switch (state) {
	case NBD_LINK_UP:
		break;
	case NBD_LINK_CONNECTING:
		if (nbd_link_looks_up(nbd->link))
			return refuse(nbd, error,
				      "the server's name is still being looked up; see to "
				      "the host's name servers, or give an address");
		return refuse(nbd, error, "the server doesn't answer");
	case NBD_LINK_DOWN:
		if (!nbd->uri)
			known = nbd->server.why(nbd->server.owner);
		what = g_strdup_printf("can't connect: %s", nbd_link_why(nbd->link));
		return refuse(nbd, error, known ? known : what);
	}
	if (!fill_info(nbd, error))
		return FALSE;
	nbd->up = TRUE;
	nbd_link_keepalive(nbd->link, PEER_MS);
	nbd->watch = g_timeout_add_seconds(nbd->watch_seconds, on_watch, nbd);
	return TRUE;
}

static void end_opening(struct nbd_disk *nbd, enum nbd_link_state state)
{
	GError *error = NULL;

	nbd->opening = FALSE;
	g_clear_handle_id(&nbd->limit, g_source_remove);
	if (!finish_open(nbd, state, &error))
		nbd_close_link(nbd);
	disk_opened(&nbd->disk, error);
}

static void opening_moved(struct nbd_disk *nbd)
{
	enum nbd_link_state state = nbd_link_state(nbd->link);

	if (state != NBD_LINK_CONNECTING)
		end_opening(nbd, state);
}

static gboolean on_opening_limit(gpointer opaque)
{
	struct nbd_disk *nbd = opaque;

	nbd->limit = 0;
	end_opening(nbd, NBD_LINK_CONNECTING);
	return G_SOURCE_REMOVE;
}

static struct disk *open_link(struct nbd_disk *nbd, const struct disk_spec *spec,
			      const struct disk_listener *listener, GError **error)
{
	disk_init(&nbd->disk, &engine, spec->target, listener);
	nbd->disk.info.read_only = spec->read_only;
	nbd->disk.info.can_discard = spec->discard && !spec->read_only;
	nbd->watch_seconds = CLAMP(spec->reconnect, 1, DISK_MUTE_SECONDS);
	nbd->link = nbd_link_new(nbd->uri, nbd->server.socket, nbd_moved, nbd);
	if (listener->opened) {
		nbd->opening = TRUE;
		nbd->limit = g_timeout_add(OPEN_MS, on_opening_limit, nbd);
		return &nbd->disk;
	}
	if (finish_open(nbd, nbd_link_wait(nbd->link, OPEN_MS), error))
		return &nbd->disk;
	nbd_free(&nbd->disk);
	return NULL;
}

gboolean disk_nbd_is_uri(const char *target)
{
	static const char *const schemes[] = { "nbd://", "nbds://", "nbd+unix://",
					       "nbds+unix://" };

	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (g_str_has_prefix(target, schemes[i]))
			return TRUE;
	return FALSE;
}

struct disk *disk_nbd_open(const struct disk_spec *spec, const struct disk_listener *listener,
			   GError **error)
{
	struct nbd_disk *nbd = g_new0(struct nbd_disk, 1);

	nbd->uri = g_strdup(spec->target);
	nbd->reconnect = spec->reconnect;
	return open_link(nbd, spec, listener, error);
}

struct disk *disk_nbd_open_server(const struct disk_spec *spec, const struct nbd_server *server,
				  const struct disk_listener *listener, GError **error)
{
	struct nbd_disk *nbd = g_new0(struct nbd_disk, 1);

	nbd->server = *server;
	return open_link(nbd, spec, listener, error);
}
