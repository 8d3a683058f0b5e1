/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vbd.c - virtual disks of a guest: their keys, and the way to and from a frontend
 *
 * Keys as libxl of Xen 4.17 and Linux's xen-blkback write them.
 */
#include "backend/vbd.h"
#include "backend/vbd-private.h"
#include "backend/vdev.h"
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <xen/io/protocols.h>

#define SECTOR_SHIFT 9

/* The store gets so long to take what the guest wrote, when the disk goes. */
#define DRAIN_PATIENCE_S 10

/**
 * struct vbd_config - a disk to be given to a guest
 * @number: of spec->vdev
 * @ready:  what open() has opened, until create(), whose config is const, takes it
 */
struct vbd_config {
	struct device_config base;
	struct disk_spec *spec;
	uint32_t number;
	struct vbd **ready;
};

unsigned int vbd_max_indirect(const struct vbd *vbd)
{
	uint64_t fits = MIN(vbd->info->max_iov, vbd->info->max_transfer / PAGE_SIZE);

	return MIN(fits, VBD_MAX_INDIRECT);
}

/* --- what the frontend reads --- */

static void write_size(struct vbd *vbd)
{
	device_write(vbd->dev, "sectors", "%" G_GUINT64_FORMAT,
		     vbd->info->size >> SECTOR_SHIFT);
}

static void write_features(struct vbd *vbd)
{
	const struct disk_info *info = vbd->info;
	struct device *dev = vbd->dev;

	device_write(dev, "feature-flush-cache", "%d", info->can_flush);
	if (info->can_discard) {
		device_write(dev, "discard-granularity", "%u", info->discard_granularity);
		device_write(dev, "discard-alignment", "0");
		device_write(dev, "discard-secure", "0");
	}
	device_write(dev, "feature-discard", "%d", info->can_discard);
	device_write(dev, "feature-barrier", "%d", info->can_flush);
	/*
	 * Mapping a grant costs us next to nothing, while a frontend that keeps its grants
	 * copies all data: on TCG, large reads took four times as much CPU with it.
	 */
	device_write(dev, "feature-persistent", "%d", vbd->offers_persistent);
	write_size(vbd);
	device_write(dev, "info", "%u", vbd->type | (info->read_only ? VDISK_READONLY : 0));
	device_write(dev, "sector-size", "%u", info->sector_size);
	device_write(dev, "physical-sector-size", "%u", info->physical_sector_size);
}

static const char *disk_name(const struct disk_spec *spec)
{
	return g_str_has_prefix(spec->vdev, "/dev/") ? spec->vdev + strlen("/dev/")
						     : spec->vdev;
}

/* What the toolstack writes; tools of the guest read some of it. */
static void write_toolstack_keys(struct device *dev, const struct vbd_config *config)
{
	const struct disk_spec *spec = config->spec;
	gboolean raw = !g_strcmp0(spec->format, "raw");
	g_autofree char *target = disk_spec_shown(spec);
	struct stat st;

	device_write(dev, "params", "%s%s%s", raw ? "" : spec->format, raw ? "" : ":", target);
	device_write(dev, "removable", "%d", spec->cdrom);
	device_write(dev, "bootable", "1");
	device_write(dev, "dev", "%s", disk_name(spec));
	device_write(dev, "type", raw ? "phy" : "qdisk");
	device_write(dev, "mode", spec->read_only ? "r" : "w");
	device_write(dev, "device-type", spec->cdrom ? "cdrom" : "disk");
	device_write(dev, "discard-enable", "%d", spec->discard);
	device_write(dev, "specification", "xen");
	if (!stat(spec->target, &st) && S_ISBLK(st.st_mode))
		device_write(dev, "physical-device", "%x:%x", major(st.st_rdev),
			     minor(st.st_rdev));
	device_write(dev, "hotplug-status", "connected");
	device_write_frontend(dev, "virtual-device", "%u", config->number);
	device_write_frontend(dev, "device-type", spec->cdrom ? "cdrom" : "disk");
	device_write_frontend(dev, "trusted", "1");
}

static void write_limits(struct vbd *vbd)
{
	device_write(vbd->dev, "feature-max-indirect-segments", "%u", vbd_max_indirect(vbd));
	device_write(vbd->dev, "multi-queue-max-queues", "%u", VBD_MAX_QUEUES);
	device_write(vbd->dev, "max-ring-page-order", "%u", VBD_MAX_RING_ORDER);
}

/* --- connect --- */

/*
 * Without the key a frontend uses its own word size: 32-bit guests of Xen 3.0.3 had a
 * 32-bit dom0 and write none.
 */
static gboolean read_protocol(struct vbd *vbd, gboolean *narrow, GError **error)
{
	g_autofree char *protocol = device_read(vbd->dev, "protocol");

	*narrow = vbd->dev->host->narrow;
	if (!protocol)
		return TRUE;
	*narrow = !strcmp(protocol, XEN_IO_PROTO_ABI_X86_32);
	if (*narrow || !strcmp(protocol, XEN_IO_PROTO_ABI_X86_64))
		return TRUE;
	g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_FRONTEND,
		    "the guest's key protocol names none that we know");
	return FALSE;
}

/* Grant references of a ring; @prefix: "" or "queue-N/".  Return: their number, or 0. */
static unsigned int read_refs(struct vbd *vbd, const char *prefix, uint32_t *refs,
			      GError **error)
{
	g_autofree char *single = g_strdup_printf("%sring-ref", prefix);
	g_autofree char *order_key = device_read(vbd->dev, "ring-page-order");
	uint32_t order = 0;

	if (!order_key)
		return device_need_number(vbd->dev, single, UINT32_MAX, refs, error);
	if (!device_need_number(vbd->dev, "ring-page-order", VBD_MAX_RING_ORDER, &order, error))
		return 0;
	for (unsigned int i = 0; i < 1U << order; i++) {
		g_autofree char *key = g_strdup_printf("%sring-ref%u", prefix, i);

		if (!device_need_number(vbd->dev, key, UINT32_MAX, &refs[i], error))
			return 0;
	}
	return 1U << order;
}

static gboolean connect_queue(struct vbd *vbd, const char *prefix, gboolean narrow,
			      GError **error)
{
	struct vbd_queue *queue = &vbd->queues[vbd->nr_queues];
	g_autofree char *port_key = g_strdup_printf("%sevent-channel", prefix);
	uint32_t refs[DEVICE_MAX_RING_PAGES], port;
	unsigned int nr = read_refs(vbd, prefix, refs, error);

	if (!nr || !device_need_number(vbd->dev, port_key, UINT32_MAX, &port, error))
		return FALSE;
	queue->vbd = vbd;
	if (!device_map(vbd->dev, refs, nr, &queue->pages, error))
		return FALSE;
	if (!device_bind(vbd->dev, &queue->channel, port, vbd_serve, queue, error)) {
		device_unmap(vbd->dev, &queue->pages);
		return FALSE;
	}
	blkif_ring_init(&queue->ring, queue->pages.base, nr * PAGE_SIZE, narrow);
	vbd->nr_queues++;
	return TRUE;
}

static gboolean connect_queues(struct vbd *vbd, GError **error)
{
	uint32_t nr = 1;
	gboolean narrow;

	if (!read_protocol(vbd, &narrow, error))
		return FALSE;
	device_read_number(vbd->dev, "multi-queue-num-queues", UINT32_MAX, &nr);
	if (nr == 0 || nr > VBD_MAX_QUEUES) {
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_FRONTEND,
			    "the guest wants %u queues, more than %u or none", nr,
			    VBD_MAX_QUEUES);
		return FALSE;
	}
	if (nr == 1)
		return connect_queue(vbd, "", narrow, error);
	for (unsigned int i = 0; i < nr; i++) {
		g_autofree char *prefix = g_strdup_printf("queue-%u/", i);

		if (!connect_queue(vbd, prefix, narrow, error))
			return FALSE;
	}
	return TRUE;
}

static void unmap_kept(gpointer opaque, gpointer grants)
{
	grants_unmap(grants, opaque);
}

static void drop_persistent(struct vbd *vbd)
{
	GHashTableIter iter;
	gpointer map;

	if (!vbd->persistent)
		return;
	g_hash_table_iter_init(&iter, vbd->persistent);
	while (g_hash_table_iter_next(&iter, NULL, &map))
		unmap_kept(map, vbd->dev->host->grants);
	g_clear_pointer(&vbd->persistent, g_hash_table_unref);
}

/* Everything of the guest that is not part of a request. */
static void release(struct vbd *vbd)
{
	while (vbd->nr_queues) {
		struct vbd_queue *queue = &vbd->queues[--vbd->nr_queues];

		device_unbind(&queue->channel);
		device_unmap(vbd->dev, &queue->pages);
	}
	drop_persistent(vbd);
}

static gboolean vbd_connect(struct device *dev, GError **error)
{
	struct vbd *vbd = dev->data;
	uint32_t persistent = 0;

	if (!connect_queues(vbd, error)) {
		release(vbd);
		return FALSE;
	}
	/* Frontends say so whether we have offered it or not. */
	device_read_number(dev, "feature-persistent", UINT32_MAX, &persistent);
	if (persistent && vbd->offers_persistent)
		vbd->persistent = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	write_features(vbd);
	vbd->stopped = FALSE;
	/* From the main loop: the device can't fail before it is connected. */
	for (unsigned int i = 0; i < vbd->nr_queues; i++)
		vbd_serve_later(&vbd->queues[i]);
	return TRUE;
}

/* --- disconnect --- */

static void flushed(struct disk_request *disk, int error)
{
	struct vbd *vbd = (struct vbd *)((char *)disk - offsetof(struct vbd, last_flush));

	vbd->in_flight--;
	if (error)
		device_message(vbd->dev, "what the guest wrote last may be lost: %s",
			       g_strerror(error));
	vbd_drained(vbd);
}

/* A guest that is gone can't flush any more.  Return: FALSE when there is nothing to. */
static gboolean start_flush(struct vbd *vbd)
{
	if (!vbd->dirty || !vbd->info->can_flush)
		return FALSE;
	vbd->dirty = FALSE;
	vbd->in_flight++;
	vbd->last_flush = (struct disk_request){ .op = DISK_FLUSH, .done = flushed };
	disk_submit(vbd->disk, &vbd->last_flush);
	disk_commit(vbd->disk);
	return TRUE;
}

static gboolean vbd_disconnect(struct device *dev)
{
	struct vbd *vbd = dev->data;

	vbd_stop(vbd);
	for (unsigned int i = 0; i < vbd->nr_queues; i++)
		device_unbind(&vbd->queues[i].channel);
	if (!vbd->in_flight && !start_flush(vbd)) {
		release(vbd);
		return TRUE;
	}
	vbd->draining = TRUE;
	return FALSE;
}

void vbd_drained(struct vbd *vbd)
{
	if (!vbd->draining || start_flush(vbd))
		return;
	vbd->draining = FALSE;
	release(vbd);
	device_idle(vbd->dev);
}

static gboolean no_patience(gpointer opaque)
{
	*(guint *)opaque = 0;
	return G_SOURCE_REMOVE;
}

/* A store that is gone is not waited for for ever. */
static void wait_drained(struct vbd *vbd)
{
	guint patience = g_timeout_add_seconds(DRAIN_PATIENCE_S, no_patience, &patience);

	while (patience && vbd->draining)
		g_main_context_iteration(NULL, TRUE);
	if (vbd->draining)
		device_message(vbd->dev, "not everything that the guest wrote was stored");
	g_clear_handle_id(&patience, g_source_remove);
}

static void vbd_free(struct device *dev)
{
	struct vbd *vbd = dev->data;

	wait_drained(vbd);
	/* Answers what is left. */
	disk_close(vbd->disk);
	release(vbd);
	g_free(vbd);
}

/* --- start --- */

static const struct device_ops vbd_ops = {
	.kind = "vbd",
	.initialised = TRUE,
	.connect = vbd_connect,
	.disconnect = vbd_disconnect,
	.free = vbd_free,
};

static void disk_resized(void *opaque)
{
	struct vbd *vbd = opaque;

	if (!vbd->dev || device_state(vbd->dev) != XenbusStateConnected)
		return;
	write_size(vbd);
	device_announce(vbd->dev);
}

static void disk_message(void *opaque, const char *text)
{
	struct vbd *vbd = opaque;

	if (vbd->dev)
		device_message(vbd->dev, "%s", text);
	else
		vbd->host->message(vbd->host->opaque, text);
}

gboolean vbd_rescan(struct device *dev, disk_sized_fn sized, void *opaque, GError **error)
{
	struct vbd *vbd = dev->data;

	return disk_rescan(vbd->disk, sized, opaque, error);
}

gboolean vbd_resize(struct device *dev, uint64_t size, disk_sized_fn sized, void *opaque,
		    GError **error)
{
	struct vbd *vbd = dev->data;

	return disk_resize(vbd->disk, size, sized, opaque, error);
}

uint64_t vbd_size(const struct device *dev)
{
	const struct vbd *vbd = dev->data;

	return vbd->info->size;
}

static gboolean check_number(const struct vbd_config *config, const struct device_host *host,
			     GError **error)
{
	if (config->number < VDEV_EXTENDED || !g_strcmp0(host->abi, "xen-4"))
		return TRUE;
	g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
		    "disk %s: guests of %s don't know such a number; use xvda to xvdp, with "
		    "partitions up to 15",
		    config->spec->vdev, host->abi);
	return FALSE;
}

static void disk_is_open(void *opaque, const GError *error)
{
	struct vbd *vbd = opaque;

	vbd->opened(vbd->opaque, error);
}

/* @opened: NULL: wait.  Return: a disk without a device. */
static struct vbd *open_vbd(const struct vbd_config *config, const struct device_host *host,
			    void (*opened)(void *opaque, const GError *error), void *opaque,
			    GError **error)
{
	struct vbd *vbd;
	struct disk_listener listener = {
		.resized = disk_resized,
		.message = disk_message,
		.opened = opened ? disk_is_open : NULL,
	};

	if (!check_number(config, host, error))
		return NULL;
	vbd = g_new0(struct vbd, 1);
	vbd->host = host;
	vbd->stopped = TRUE;
	vbd->opened = opened;
	vbd->opaque = opaque;
	listener.opaque = vbd;
	vbd->disk = disk_open(config->spec, host->mem, &listener, error);
	if (vbd->disk)
		return vbd;
	g_free(vbd);
	return NULL;
}

static void close_vbd(struct vbd *vbd)
{
	disk_close(vbd->disk);
	g_free(vbd);
}

static gboolean vbd_open(struct device_config *base, const struct device_host *host,
			 void (*opened)(void *opaque, const GError *error), void *opaque,
			 GError **error)
{
	struct vbd_config *config = (struct vbd_config *)base;

	*config->ready = open_vbd(config, host, opened, opaque, error);
	return *config->ready != NULL;
}

static struct device *vbd_create(const struct device_config *base,
				 const struct device_host *host, GError **error)
{
	const struct vbd_config *config = (const struct vbd_config *)base;
	struct vbd *vbd = g_steal_pointer(config->ready);

	if (!vbd)
		vbd = open_vbd(config, host, NULL, NULL, error);
	if (!vbd)
		return NULL;
	vbd->info = disk_info(vbd->disk);
	vbd->offers_persistent = config->spec->persistent;
	vbd->type = config->spec->cdrom ? VDISK_CDROM | VDISK_REMOVABLE : 0;
	vbd->dev =
		device_new(&vbd_ops, host, config->number, disk_name(config->spec), vbd, error);
	if (!vbd->dev) {
		close_vbd(vbd);
		return NULL;
	}
	write_toolstack_keys(vbd->dev, config);
	write_limits(vbd);
	device_start(vbd->dev);
	return vbd->dev;
}

static void vbd_config_free(struct device_config *base)
{
	struct vbd_config *config = (struct vbd_config *)base;

	if (*config->ready)
		close_vbd(*config->ready);
	g_free(config->ready);
	disk_spec_free(config->spec);
	g_free(config);
}

struct device_config *vbd_config_new(struct disk_spec *spec, GError **error)
{
	struct vbd_config *config = g_new0(struct vbd_config, 1);

	config->base.create = vbd_create;
	config->base.open = vbd_open;
	config->base.free = vbd_config_free;
	config->ready = g_new0(struct vbd *, 1);
	config->spec = spec;
	if (!spec->target)
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
			    "disk %s: drives without a medium are not supported; name an image",
			    spec->vdev);
	else if (!vdev_parse(spec->vdev, &config->number))
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
			    "disk %s: there is no such name; use xvda, xvdb, ...", spec->vdev);
	else
		return &config->base;
	vbd_config_free(&config->base);
	return NULL;
}

static gboolean name_taken(const GPtrArray *specs, uint32_t number)
{
	for (unsigned int i = 0; i < specs->len; i++) {
		const struct disk_spec *spec = specs->pdata[i];
		uint32_t other;

		if (spec->vdev && vdev_parse(spec->vdev, &other) &&
		    vdev_same_disk(other, number))
			return TRUE;
	}
	return FALSE;
}

void vbd_name_disks(const GPtrArray *specs)
{
	for (unsigned int i = 0; i < specs->len; i++) {
		struct disk_spec *spec = specs->pdata[i];

		for (char c = 'a'; !spec->vdev && c <= 'z'; c++) {
			char name[] = { 'x', 'v', 'd', c, '\0' };
			uint32_t number;

			if (vdev_parse(name, &number) && !name_taken(specs, number))
				spec->vdev = g_strdup(name);
		}
	}
}
