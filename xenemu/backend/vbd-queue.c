/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vbd-queue.c - requests of a virtual disk, from the ring to the disk and back
 *
 * What is refused, and how, is as in Linux's xen-blkback (drivers/block/xen-blkback/
 * blkback.c): a request that is out of range is answered with an error, a ring that
 * makes no sense ends the device.
 */
#include "backend/vbd-private.h"
#include <errno.h>
#include <xen/grant_table.h>

#define SECTOR_SHIFT 9
#define SECTORS_PER_PAGE (PAGE_SIZE >> SECTOR_SHIFT)

/* Requests that a guest may keep us busy with before others have their turn. */
#define TURN 256

/*
 * With so many transfers under way the disk has enough to do, and the guest need not wake
 * us for each further request: the next transfer that is done does.  Flushes and discards
 * don't count, since they may take seconds.
 */
#define BUSY 8

/**
 * struct vbd_request - a request in flight
 * @disk:      what the disk sees of it at a time
 * @queue:     where it came from
 * @id:        the guest's name for it
 * @op:        what the answer says it was
 * @barrier:   nothing may overtake it
 * @flush:     a flush comes first, and is not over yet
 * @what:      DISK_*; of a flush with data: what follows it
 * @offset, @length, @nr_iov: of the data
 * @nr_grants: grants to be unmapped
 * @grants:    room for one of each segment
 * @iov:       the same, merged where they lie side by side
 */
struct vbd_request {
	struct disk_request disk;
	struct vbd_queue *queue;
	uint64_t id;
	uint8_t op;
	gboolean barrier;
	gboolean flush;
	enum disk_op what;
	uint64_t offset;
	uint64_t length;
	unsigned int nr_iov;
	unsigned int nr_grants;
	struct grant_map *grants;
	struct iovec iov[];
};

static void request_done(struct disk_request *disk, int error);

/* --- the guest's pages --- */

static struct grants *grants_of(const struct vbd *vbd)
{
	return vbd->dev->host->grants;
}

/* Map a grant and keep it: always writable, for it will be used for both. */
static struct grant_map *keep_grant(struct vbd *vbd, uint32_t ref)
{
	struct grant_map *map;

	if (g_hash_table_size(vbd->persistent) >= VBD_MAX_PERSISTENT)
		return NULL;
	map = g_new(struct grant_map, 1);
	if (grants_map(grants_of(vbd), ref, TRUE, map) != GNTST_okay) {
		g_free(map);
		return NULL;
	}
	g_hash_table_insert(vbd->persistent, GUINT_TO_POINTER(ref), map);
	return map;
}

/* Host address of a granted page, or NULL. */
static uint8_t *map_segment(struct vbd_request *req, uint32_t ref, gboolean write)
{
	struct vbd *vbd = req->queue->vbd;
	struct grant_map *map = NULL;

	if (vbd->persistent) {
		map = g_hash_table_lookup(vbd->persistent, GUINT_TO_POINTER(ref));
		if (!map)
			map = keep_grant(vbd, ref);
		if (map)
			return map->page;
	}
	map = &req->grants[req->nr_grants];
	if (grants_map(grants_of(vbd), ref, write, map) != GNTST_okay)
		return NULL;
	req->nr_grants++;
	return map->page;
}

static void unmap_segments(struct vbd_request *req)
{
	while (req->nr_grants)
		grants_unmap(grants_of(req->queue->vbd), &req->grants[--req->nr_grants]);
}

/* --- answers --- */

static void answer(struct vbd_queue *queue, uint64_t id, uint8_t op, int16_t status)
{
	if (blkif_ring_answer(&queue->ring, id, op, status))
		device_notify(&queue->channel);
}

static int16_t status_of(int error)
{
	switch (error) {
	case 0:
		return BLKIF_RSP_OKAY;
	case EOPNOTSUPP:
		return BLKIF_RSP_EOPNOTSUPP;
	default:
		return BLKIF_RSP_ERROR;
	}
}

static void start_disk(struct vbd_request *req);

/* What waited for the others to be done. */
static void resume(struct vbd *vbd)
{
	if (vbd->barrier && vbd->in_flight == 1 && !vbd->barrier->disk.done) {
		start_disk(vbd->barrier);
		disk_commit(vbd->disk);
	}
}

static void serve_all(struct vbd *vbd)
{
	for (unsigned int i = 0; i < vbd->nr_queues && !vbd->stopped; i++)
		vbd_serve(&vbd->queues[i]);
}

/* The queues whose guest sends no events. */
static void serve_awake(struct vbd *vbd)
{
	for (unsigned int i = 0; i < vbd->nr_queues && !vbd->stopped; i++)
		if (!vbd->queues[i].asleep)
			vbd_serve(&vbd->queues[i]);
}

static void finish(struct vbd_request *req, int error)
{
	struct vbd_queue *queue = req->queue;
	struct vbd *vbd = queue->vbd;
	gboolean was_full = vbd->in_flight-- == VBD_MAX_IN_FLIGHT;
	gboolean was_barrier = vbd->barrier == req;

	unmap_segments(req);
	if (was_barrier)
		vbd->barrier = NULL;
	if (!vbd->stopped)
		answer(queue, req->id, req->op, status_of(error));
	g_free(req);
	if (vbd->stopped) {
		if (!vbd->in_flight)
			vbd_drained(vbd);
		return;
	}
	resume(vbd);
	if (was_barrier || was_full)
		serve_all(vbd);
	else
		serve_awake(vbd);
}

static gboolean is_transfer(enum disk_op op)
{
	return op == DISK_READ || op == DISK_WRITE;
}

static void note_written(struct vbd *vbd, const struct disk_request *disk, int error)
{
	if (disk->op == DISK_FLUSH && error)
		vbd->dirty = TRUE;
	if (disk->op != DISK_FLUSH && disk->op != DISK_READ && !disk->fua)
		vbd->dirty = TRUE;
}

static void submit(struct vbd_request *req, gboolean fua)
{
	req->queue->vbd->transfers += is_transfer(req->what);
	req->disk = (struct disk_request){
		.op = req->what,
		.fua = fua,
		.offset = req->offset,
		.length = req->length,
		.iov = req->nr_iov ? req->iov : NULL,
		.nr_iov = req->nr_iov,
		.done = request_done,
	};
	disk_submit(req->queue->vbd->disk, &req->disk);
}

static void request_done(struct disk_request *disk, int error)
{
	struct vbd_request *req = (struct vbd_request *)disk;

	req->queue->vbd->transfers -= is_transfer(disk->op);
	note_written(req->queue->vbd, disk, error);
	if (!error && req->flush && req->length && !req->queue->vbd->stopped) {
		req->flush = FALSE;
		submit(req, TRUE);
		disk_commit(req->queue->vbd->disk);
		return;
	}
	finish(req, error);
}

/* --- requests --- */

/*
 * What precedes the data of a barrier, and what is written with it, is on stable storage
 * when it is answered.  A flush with data is the same, but need not wait for others.
 */
static void start_disk(struct vbd_request *req)
{
	struct vbd *vbd = req->queue->vbd;

	if (!req->flush) {
		submit(req, FALSE);
		return;
	}
	vbd->dirty = FALSE;
	req->disk = (struct disk_request){ .op = DISK_FLUSH, .done = request_done };
	disk_submit(vbd->disk, &req->disk);
}

static void start(struct vbd_request *req)
{
	struct vbd *vbd = req->queue->vbd;

	vbd->in_flight++;
	if (!req->barrier) {
		start_disk(req);
		return;
	}
	vbd->barrier = req;
	if (vbd->in_flight == 1)
		start_disk(req);
}

static struct vbd_request *request_new(struct vbd_queue *queue, const struct blkif_op *op,
				       unsigned int nr)
{
	struct vbd_request *req =
		g_malloc(sizeof(*req) + nr * (sizeof(req->iov[0]) + sizeof(req->grants[0])));

	/* calloc() of glibc 2.36 would not take what was just freed, which costs as much again.
	 */
	*req = (struct vbd_request){
		.queue = queue,
		.id = op->id,
		.op = op->op == BLKIF_OP_INDIRECT ? op->indirect_op : op->op,
		.offset = op->sector << SECTOR_SHIFT,
		.grants = (struct grant_map *)&req->iov[nr],
	};
	return req;
}

/* Are @nr sectors from @sector on within the disk, and whole sectors of it? */
static gboolean in_range(const struct vbd *vbd, uint64_t sector, uint64_t nr)
{
	uint64_t size = vbd->info->size >> SECTOR_SHIFT;
	uint64_t mask = (vbd->info->sector_size >> SECTOR_SHIFT) - 1;

	return sector <= size && nr <= size - sector && !((sector | nr) & mask);
}

/* Add a segment to what is read or written. */
static gboolean add_segment(struct vbd_request *req, const struct blkif_segment *seg,
			    gboolean write)
{
	const struct disk_info *info = req->queue->vbd->info;
	struct iovec *last = &req->iov[req->nr_iov];
	size_t first = (size_t)seg->first << SECTOR_SHIFT;
	size_t len = (size_t)(seg->last - seg->first + 1) << SECTOR_SHIFT;
	uint8_t *page;

	if (seg->last >= SECTORS_PER_PAGE || seg->last < seg->first)
		return FALSE;
	if ((first | len) & (info->mem_align - 1) || len & (info->sector_size - 1))
		return FALSE;
	page = map_segment(req, seg->ref, write);
	if (!page)
		return FALSE;
	req->length += len;
	if (req->nr_iov && (uint8_t *)last[-1].iov_base + last[-1].iov_len == page + first) {
		last[-1].iov_len += len;
		return TRUE;
	}
	*last = (struct iovec){ page + first, len };
	req->nr_iov++;
	return TRUE;
}

/* The segments of an indirect request, each copied once. */
static gboolean add_indirect(struct vbd_request *req, const struct blkif_op *op, gboolean write)
{
	struct grants *grants = grants_of(req->queue->vbd);
	gboolean good = TRUE;

	for (unsigned int i = 0; good && i < op->nr_segments;) {
		struct grant_map map;

		if (grants_map(grants, op->refs[i / BLKIF_SEGMENTS_PER_PAGE], FALSE, &map))
			return FALSE;
		do {
			const uint8_t *from = (uint8_t *)map.page +
					      i % BLKIF_SEGMENTS_PER_PAGE * BLKIF_SEGMENT_BYTES;
			struct blkif_segment seg = blkif_get_segment(from);

			good = add_segment(req, &seg, write);
			i++;
		} while (good && i < op->nr_segments && i % BLKIF_SEGMENTS_PER_PAGE);
		grants_unmap(grants, &map);
	}
	return good;
}

static gboolean add_direct(struct vbd_request *req, const struct blkif_op *op, gboolean write)
{
	for (unsigned int i = 0; i < op->nr_segments; i++)
		if (!add_segment(req, &op->segments[i], write))
			return FALSE;
	return TRUE;
}

/* READ and WRITE, direct or indirect, and the flushes that may have data with them. */
static int16_t start_transfer(struct vbd_queue *queue, const struct blkif_op *op)
{
	struct vbd *vbd = queue->vbd;
	gboolean indirect = op->op == BLKIF_OP_INDIRECT;
	uint8_t what = indirect ? op->indirect_op : op->op;
	gboolean flush = what == BLKIF_OP_FLUSH_DISKCACHE || what == BLKIF_OP_WRITE_BARRIER;
	gboolean write = what != BLKIF_OP_READ;
	struct vbd_request *req;

	if (flush && !vbd->info->can_flush)
		return BLKIF_RSP_EOPNOTSUPP;
	if (!op->nr_segments && !flush)
		return BLKIF_RSP_ERROR;
	if (op->nr_segments >
	    (indirect ? vbd_max_indirect(vbd) : (unsigned int)BLKIF_MAX_SEGMENTS_PER_REQUEST))
		return BLKIF_RSP_ERROR;
	if (write && op->nr_segments && vbd->info->read_only)
		return BLKIF_RSP_ERROR;
	req = request_new(queue, op, op->nr_segments);
	req->what = write ? DISK_WRITE : DISK_READ;
	req->barrier = what == BLKIF_OP_WRITE_BARRIER;
	req->flush = flush;
	/* The disk writes into what is read: that needs a writable grant. */
	if (!(indirect ? add_indirect : add_direct)(req, op, !write) ||
	    !in_range(vbd, op->nr_segments ? op->sector : 0, req->length >> SECTOR_SHIFT)) {
		unmap_segments(req);
		g_free(req);
		return BLKIF_RSP_ERROR;
	}
	start(req);
	return BLKIF_RSP_OKAY;
}

static int16_t start_indirect(struct vbd_queue *queue, const struct blkif_op *op)
{
	if (op->indirect_op != BLKIF_OP_READ && op->indirect_op != BLKIF_OP_WRITE)
		return BLKIF_RSP_ERROR;
	return start_transfer(queue, op);
}

static int16_t start_discard(struct vbd_queue *queue, const struct blkif_op *op)
{
	struct vbd *vbd = queue->vbd;
	struct vbd_request *req;

	if (!vbd->info->can_discard)
		return BLKIF_RSP_EOPNOTSUPP;
	if (vbd->info->read_only || !op->nr_sectors ||
	    !in_range(vbd, op->sector, op->nr_sectors))
		return BLKIF_RSP_ERROR;
	req = request_new(queue, op, 0);
	req->what = DISK_DISCARD;
	req->length = op->nr_sectors << SECTOR_SHIFT;
	start(req);
	return BLKIF_RSP_OKAY;
}

/* Anything but BLKIF_RSP_OKAY is the answer; else it comes later. */
static int16_t start_op(struct vbd_queue *queue, const struct blkif_op *op)
{
	switch (op->op) {
	case BLKIF_OP_READ:
	case BLKIF_OP_WRITE:
	case BLKIF_OP_WRITE_BARRIER:
	case BLKIF_OP_FLUSH_DISKCACHE:
		return start_transfer(queue, op);
	case BLKIF_OP_INDIRECT:
		return start_indirect(queue, op);
	case BLKIF_OP_DISCARD:
		return start_discard(queue, op);
	default:
		return BLKIF_RSP_EOPNOTSUPP;
	}
}

static void take_one(struct vbd_queue *queue)
{
	struct blkif_op op;
	int16_t status;

	blkif_ring_take(&queue->ring, &op);
	pace_requests(queue->vbd->host->pace, 1);
	status = start_op(queue, &op);
	if (status != BLKIF_RSP_OKAY)
		answer(queue, op.id, op.op == BLKIF_OP_INDIRECT ? op.indirect_op : op.op,
		       status);
}

/* --- the ring --- */

static gboolean serve_more(gpointer opaque)
{
	struct vbd_queue *queue = opaque;

	queue->more = 0;
	vbd_serve(queue);
	return G_SOURCE_REMOVE;
}

void vbd_serve_later(struct vbd_queue *queue)
{
	queue->more = g_idle_add_full(G_PRIORITY_DEFAULT, serve_more, queue, NULL);
}

void vbd_serve(void *opaque)
{
	struct vbd_queue *queue = opaque;
	struct vbd *vbd = queue->vbd;
	unsigned int turn = 0;
	uint32_t count;

	queue->asleep = FALSE;
	while (!vbd->stopped && !vbd->barrier && !queue->more &&
	       vbd->in_flight < VBD_MAX_IN_FLIGHT) {
		if (!blkif_ring_pending(&queue->ring, &count)) {
			device_fail(vbd->dev, "the guest's ring makes no sense: %u requests",
				    count);
			vbd_stop(vbd);
		} else if (!count) {
			if (vbd->transfers < BUSY)
				queue->asleep = blkif_ring_sleep(&queue->ring);
			if (queue->asleep || vbd->transfers >= BUSY)
				break;
		} else if (turn++ == TURN) {
			queue->more =
				g_idle_add_full(G_PRIORITY_DEFAULT, serve_more, queue, NULL);
		} else {
			take_one(queue);
		}
	}
	disk_commit(vbd->disk);
}

void vbd_stop(struct vbd *vbd)
{
	struct vbd_request *barrier = vbd->barrier;

	vbd->stopped = TRUE;
	for (unsigned int i = 0; i < vbd->nr_queues; i++)
		g_clear_handle_id(&vbd->queues[i].more, g_source_remove);
	if (!barrier || barrier->disk.done)
		return;
	vbd->barrier = NULL;
	vbd->in_flight--;
	unmap_segments(barrier);
	g_free(barrier);
}
