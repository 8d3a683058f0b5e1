/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-vhost.c - disks of a process that has the guest's memory: opening, its end, closing
 *
 * The process reads and writes the guest's pages itself.  So where its end is what keeps
 * it from them (it has hung up, or the disk is closed), it is ended before a request is
 * answered: the guest may use the page for something else then.
 */
#include "backend/disk-vhost-private.h"
#include "machine/watch.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define OPEN_MS (DISK_OPEN_SECONDS * 1000)

#define BIT(n) (1ULL << (n))
#define NEEDED (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC))
#define WANTED                                                                                 \
	(NEEDED | BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_BLK_F_SIZE_MAX) |                  \
	 BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_BLK_SIZE) |       \
	 BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES))
/* What there is of the configuration in QEMU 7.2 as in later ones. */
#define CONFIG_BYTES (offsetof(struct virtio_blk_config, unused1) + 3)

/* --- its end --- */

/* The memory is ours alone again when this returns. */
static void cut_off(struct vhost_disk *vhost)
{
	g_clear_pointer(&vhost->call_watch, watch_free);
	g_clear_pointer(&vhost->link, vhost_user_free);
	if (!vhost->stopped)
		vhost->server.stop(vhost->server.owner);
	vhost->stopped = TRUE;
	g_queue_clear(&vhost->waiting);
}

static void fail_size(struct vhost_disk *vhost, const char *why)
{
	GError *error = NULL;

	if (!vhost->resizing)
		return;
	vhost->resizing = FALSE;
	disk_refuse_size(&vhost->disk, &error, "can't be resized: %s", why);
	disk_sized(&vhost->disk, error);
}

/* Return: the caller's. */
static char *why_down(struct vhost_disk *vhost)
{
	const char *why = vhost->wrong ? vhost->wrong : vhost_user_why(vhost->link);

	return g_strdup(why ? why : vhost->server.why(vhost->server.owner));
}

static void went_down(struct vhost_disk *vhost)
{
	g_autofree char *why = why_down(vhost);

	cut_off(vhost);
	disk_say(&vhost->disk, "the server is gone (%s); requests fail", why);
	fail_size(vhost, why);
	while (vhost->disk.in_flight.length)
		disk_complete(vhost->disk.in_flight.head->data, EIO);
}

static gboolean on_call(int fd, G_GNUC_UNUSED GIOCondition ready, gpointer opaque)
{
	struct vhost_disk *vhost = opaque;
	eventfd_t calls;

	eventfd_read(fd, &calls);
	if (!vhost_serve(vhost))
		went_down(vhost);
	return G_SOURCE_CONTINUE;
}

static gboolean on_watch(gpointer opaque)
{
	struct vhost_disk *vhost = opaque;

	disk_look_mute(&vhost->disk, &vhost->mute, vhost->link != NULL, vhost->link != NULL);
	return G_SOURCE_CONTINUE;
}

/* --- size --- */

static gboolean vhost_rescan(struct disk *disk, GError **error)
{
	return disk_refuse_size(disk, error,
				"the size of this kind of disk can't be looked at again; "
				"block-resize makes it larger");
}

static void on_resized(void *opaque, GError *error)
{
	struct vhost_disk *vhost = opaque;
	g_autoptr(GError) why = error;

	/* Its end was known before. */
	if (!vhost->resizing)
		return;
	if (why) {
		fail_size(vhost, why->message);
		return;
	}
	vhost->resizing = FALSE;
	disk_set_size(&vhost->disk, vhost->new_size);
	disk_sized(&vhost->disk, NULL);
}

static gboolean vhost_resize(struct disk *disk, uint64_t size, GError **error)
{
	struct vhost_disk *vhost = (struct vhost_disk *)disk;

	if (!vhost->link)
		return disk_refuse_size(disk, error, "%s",
					vhost->server.why(vhost->server.owner));
	vhost->resizing = TRUE;
	vhost->new_size = size;
	vhost->server.resize(vhost->server.owner, size, on_resized, vhost);
	return TRUE;
}

/* --- opening and closing --- */

static void drain(struct disk *disk)
{
	struct vhost_disk *vhost = (struct vhost_disk *)disk;

	vhost->resizing = FALSE;
	cut_off(vhost);
	g_clear_handle_id(&vhost->limit, g_source_remove);
	g_clear_handle_id(&vhost->watch, g_source_remove);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void vhost_free(struct disk *disk)
{
	struct vhost_disk *vhost = (struct vhost_disk *)disk;

	drain(disk);
	vhost->server.free(vhost->server.owner);
	if (vhost->shared)
		munmap(vhost->shared, vhost->shared_bytes);
	close_fd(vhost->shared_fd);
	close_fd(vhost->kick);
	close_fd(vhost->call);
	disk_clear(disk);
	g_free(vhost);
}

static const struct disk_engine engine = { .submit = vhost_submit,
					   .commit = vhost_commit,
					   .rescan = vhost_rescan,
					   .resize = vhost_resize,
					   .drain = drain,
					   .free = vhost_free };

gboolean disk_vhost_is(const struct disk *disk)
{
	return disk->engine == &engine;
}

uint64_t disk_vhost_copied(const struct disk *disk)
{
	return ((const struct vhost_disk *)disk)->copied;
}

static gboolean refuse(const struct vhost_disk *vhost, GError **error, const char *what)
{
	g_set_error(error, DISK_ERROR, DISK_ERROR_OPEN, "%s: %s", vhost->disk.name, what);
	return FALSE;
}

/* It is not the disk that is at fault. */
static gboolean refuse_way(const struct vhost_disk *vhost, GError **error, const char *what)
{
	if (vhost->server.refused)
		vhost->server.refused(vhost->server.owner);
	g_set_error(error, DISK_ERROR, DISK_ERROR_UNSUPPORTED,
		    "%s: its server and vhost-user don't go together (%s); open it again, and "
		    "it is spoken to by NBD",
		    vhost->disk.name, what);
	return FALSE;
}

static gboolean set_limits(struct vhost_disk *vhost, const struct virtio_blk_config *config,
			   GError **error)
{
	uint64_t features = vhost_user_features(vhost->link);
	uint32_t sector = vhost->disk.info.sector_size;

	vhost->max_pieces = VHOST_TABLE - 2;
	if (features & BIT(VIRTIO_BLK_F_SEG_MAX))
		vhost->max_pieces = MIN(config->seg_max, vhost->max_pieces);
	/* QEMU 7.2 offers the feature, and no limit (vhost-user-blk-server.c). */
	vhost->max_piece = DISK_MAX_TRANSFER;
	if (features & BIT(VIRTIO_BLK_F_SIZE_MAX) && config->size_max)
		vhost->max_piece = MIN(config->size_max, vhost->max_piece);
	vhost->max_piece &= ~(sector - 1);
	/* A command's length in bytes has 32 bits. */
	vhost->max_discard = MIN(config->max_discard_sectors, 1U << 22) * 512 & ~(sector - 1);
	vhost->max_zeroes = MIN(config->max_write_zeroes_sectors, 1U << 22) * 512 &
			    ~(sector - 1);
	if (!vhost->max_pieces || !vhost->max_piece)
		return refuse_way(vhost, error, "it takes no data");
	return TRUE;
}

static gboolean set_geometry(struct vhost_disk *vhost, const struct virtio_blk_config *config,
			     GError **error)
{
	gboolean says = (vhost_user_features(vhost->link) & BIT(VIRTIO_BLK_F_BLK_SIZE)) != 0;
	uint32_t sector = says ? config->blk_size : 512;
	struct disk_info *info = &vhost->disk.info;

	if (sector < 512 || sector > 4096 || sector & (sector - 1))
		return refuse_way(vhost, error,
				  "its blocks are larger than 4096 bytes, or odd");
	if (config->capacity > INT64_MAX / 512)
		return refuse_way(vhost, error, "it has more bytes than there can be");
	info->sector_size = sector;
	info->physical_sector_size = sector;
	info->mem_align = 1;
	/* As its NBD server has it; what it says here is only what it must not be below. */
	info->discard_granularity = 4096;
	info->size = config->capacity * 512 & ~(uint64_t)(sector - 1);
	if (!info->size)
		return refuse(vhost, error, "the image has no sectors");
	return TRUE;
}

/* What the user wants of it is there already. */
static gboolean fill_info(struct vhost_disk *vhost, GError **error)
{
	const struct virtio_blk_config *config = vhost_user_config(vhost->link);
	uint64_t features = vhost_user_features(vhost->link);
	struct disk_info *info = &vhost->disk.info;

	if (!set_geometry(vhost, config, error) || !set_limits(vhost, config, error))
		return FALSE;
	if (!info->read_only && features & BIT(VIRTIO_BLK_F_RO))
		return refuse(vhost, error, "the image is read-only; give the mode r");
	info->can_flush = (features & BIT(VIRTIO_BLK_F_FLUSH)) != 0;
	info->can_discard = info->can_discard && features & BIT(VIRTIO_BLK_F_DISCARD) &&
			    vhost->max_discard;
	info->can_write_zeroes = !info->read_only &&
				 features & BIT(VIRTIO_BLK_F_WRITE_ZEROES) && vhost->max_zeroes;
	vhost->unmap = config->write_zeroes_may_unmap && info->can_discard;
	return TRUE;
}

static void start(struct vhost_disk *vhost)
{
	uint64_t features = vhost_user_features(vhost->link);

	vhost->queue.event_idx = (features & BIT(VIRTIO_RING_F_EVENT_IDX)) != 0;
	vhost->call_watch = watch_new(vhost->call, G_IO_IN, on_call, vhost);
	vhost->watch = g_timeout_add_seconds(vhost->watch_seconds, on_watch, vhost);
}

/* @state: what became of the connection, in the time that it had. */
static gboolean finish_open(struct vhost_disk *vhost, enum vhost_user_state state,
			    GError **error)
{
	switch (state) {
	case VHOST_USER_UP:
		break;
	case VHOST_USER_CONNECTING:
		return refuse(vhost, error, "the server doesn't answer");
	case VHOST_USER_DOWN:
		if (vhost_user_why(vhost->link))
			return refuse_way(vhost, error, vhost_user_why(vhost->link));
		return refuse(vhost, error, vhost->server.why(vhost->server.owner));
	}
	if (!fill_info(vhost, error))
		return FALSE;
	start(vhost);
	return TRUE;
}

static void end_opening(struct vhost_disk *vhost, enum vhost_user_state state)
{
	GError *error = NULL;

	vhost->opening = FALSE;
	g_clear_handle_id(&vhost->limit, g_source_remove);
	if (!finish_open(vhost, state, &error))
		cut_off(vhost);
	disk_opened(&vhost->disk, error);
}

static gboolean on_opening_limit(gpointer opaque)
{
	struct vhost_disk *vhost = opaque;

	vhost->limit = 0;
	end_opening(vhost, VHOST_USER_CONNECTING);
	return G_SOURCE_REMOVE;
}

static void on_moved(void *opaque)
{
	struct vhost_disk *vhost = opaque;
	enum vhost_user_state state = vhost_user_state(vhost->link);

	if (vhost->opening)
		end_opening(vhost, state);
	else if (state == VHOST_USER_DOWN)
		went_down(vhost);
}

/* Sealed, since the process could cut it off under our feet. */
static gboolean share_memory(struct vhost_disk *vhost, GError **error)
{
	vhost->shared_bytes = vhost_shared_bytes();
	vhost->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vhost->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vhost->shared_fd = memfd_create("xenemu-disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (vhost->kick >= 0 && vhost->call >= 0 && vhost->shared_fd >= 0 &&
	    !ftruncate(vhost->shared_fd, vhost->shared_bytes) &&
	    !fcntl(vhost->shared_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		void *base = mmap(NULL, vhost->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				  vhost->shared_fd, 0);

		if (base != MAP_FAILED)
			vhost->shared = base;
	}
	if (!vhost->shared)
		return refuse(vhost, error, g_strerror(errno));
	vhost_prepare(vhost);
	return TRUE;
}

static void set_up(struct vhost_disk *vhost, int socket)
{
	struct vhost_user_setup setup = {
		.regions = { { vhost->mem->fd, vhost->mem->base, vhost->mem->bytes, 0 },
			     { vhost->shared_fd, vhost->shared, vhost->shared_bytes,
			       VHOST_SHARED_ADDRESS } },
		.nr_regions = 2,
		.wanted = WANTED,
		.needed = NEEDED,
		.config_bytes = CONFIG_BYTES,
		.queue = &vhost->queue,
		.kick = vhost->kick,
		.call = vhost->call,
	};

	vhost->link = vhost_user_new(socket, &setup, on_moved, vhost);
}

static struct vhost_disk *new_disk(const struct disk_spec *spec, const struct memory *memory,
				   const struct vhost_server *server,
				   const struct disk_listener *listener)
{
	struct vhost_disk *vhost = g_new0(struct vhost_disk, 1);

	disk_init(&vhost->disk, &engine, spec->target, listener);
	vhost->disk.info.read_only = spec->read_only;
	vhost->disk.info.can_discard = spec->discard && !spec->read_only;
	vhost->mem = memory;
	vhost->server = *server;
	vhost->watch_seconds = CLAMP(spec->reconnect, 1, DISK_MUTE_SECONDS);
	vhost->shared_fd = vhost->kick = vhost->call = -1;
	g_queue_init(&vhost->waiting);
	return vhost;
}

struct disk *disk_vhost_open(const struct disk_spec *spec, const struct memory *memory,
			     const struct vhost_server *server,
			     const struct disk_listener *listener, GError **error)
{
	struct vhost_disk *vhost = new_disk(spec, memory, server, listener);

	if (!share_memory(vhost, error)) {
		close(server->socket);
		vhost_free(&vhost->disk);
		return NULL;
	}
	set_up(vhost, server->socket);
	if (listener->opened) {
		vhost->opening = TRUE;
		vhost->limit = g_timeout_add(OPEN_MS, on_opening_limit, vhost);
		return &vhost->disk;
	}
	if (finish_open(vhost, vhost_user_wait(vhost->link, OPEN_MS), error))
		return &vhost->disk;
	vhost_free(&vhost->disk);
	return NULL;
}
