/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-vhost-request.c - requests as commands of virtio-blk
 *
 * A command's descriptors point to the guest's memory, which the process has.  What lies
 * outside of it, or is not whole sectors, goes by way of a buffer in our own shared
 * memory.  A request becomes as many commands as it needs, as there is room for them.
 *
 * The process reads images that a guest may have made, so it may be hostile: whatever it
 * writes to shared memory is read once and checked.
 */
#include "backend/disk-vhost-private.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

/* `moved` of a request: bytes that were sent, or one of these. */
#define TO_FLUSH (UINT64_MAX - 1)
#define FLUSHED UINT64_MAX

/* No device answers this. */
#define NO_STATUS 0xff

#define ALIGN_PAGE(n) (((n) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

/* --- shared memory --- */

static size_t slots_offset(void)
{
	return ALIGN_PAGE(virtq_bytes(VHOST_SLOTS));
}

static size_t buffers_offset(void)
{
	return slots_offset() + ALIGN_PAGE(VHOST_SLOTS * sizeof(struct vhost_slot));
}

size_t vhost_shared_bytes(void)
{
	return buffers_offset() + (size_t)VHOST_BUFFERS * VHOST_BUFFER_BYTES;
}

static uint64_t shared_address(const struct vhost_disk *vhost, const void *pointer)
{
	return VHOST_SHARED_ADDRESS + ((const char *)pointer - vhost->shared);
}

void vhost_prepare(struct vhost_disk *vhost)
{
	virtq_init(&vhost->queue, vhost->shared, VHOST_SLOTS);
	vhost->slots = (struct vhost_slot *)(vhost->shared + slots_offset());
	vhost->buffers = vhost->shared + buffers_offset();
	for (unsigned int i = 0; i < VHOST_SLOTS; i++) {
		vhost->queue.desc[i].addr = shared_address(vhost, vhost->slots[i].table);
		vhost->queue.desc[i].flags = VRING_DESC_F_INDIRECT;
		vhost->free_slots[vhost->nr_free_slots++] = VHOST_SLOTS - 1 - i;
	}
	for (unsigned int i = 0; i < VHOST_BUFFERS; i++)
		vhost->free_buffers[vhost->nr_free_buffers++] = VHOST_BUFFERS - 1 - i;
}

/* --- commands --- */

/**
 * struct draft - a command while it is made
 * @number: of its slot
 * @nr:     elements in its table
 */
struct draft {
	struct vhost_disk *vhost;
	struct vhost_slot *slot;
	struct vhost_command *command;
	unsigned int number;
	unsigned int nr;
};

static void add_piece(struct draft *draft, uint64_t address, uint32_t length, gboolean writable)
{
	struct vring_desc *desc = &draft->slot->table[draft->nr];

	*desc = (struct vring_desc){ .addr = address,
				     .len = length,
				     .flags = writable ? VRING_DESC_F_WRITE : 0 };
	if (draft->nr) {
		desc[-1].next = draft->nr;
		desc[-1].flags |= VRING_DESC_F_NEXT;
	}
	draft->nr++;
	if (writable)
		draft->command->writable += length;
}

static struct draft begin(struct vhost_disk *vhost, struct disk_request *req, uint32_t type)
{
	unsigned int number = vhost->free_slots[vhost->nr_free_slots - 1];
	struct draft draft = { .vhost = vhost,
			       .slot = &vhost->slots[number],
			       .command = &vhost->commands[number],
			       .number = number };

	*draft.command = (struct vhost_command){ .req = req, .at = req->moved, .buffer = -1 };
	draft.slot->header = (struct virtio_blk_outhdr){ .type = type };
	add_piece(&draft, shared_address(vhost, &draft.slot->header),
		  sizeof(draft.slot->header), FALSE);
	return draft;
}

/* It has all but its status; the process sees it with the next commit. */
static void end(struct draft *draft)
{
	struct vhost_disk *vhost = draft->vhost;

	draft->slot->status = NO_STATUS;
	add_piece(draft, shared_address(vhost, &draft->slot->status), 1, TRUE);
	vhost->nr_free_slots--;
	vhost->queue.desc[draft->number].len = draft->nr * sizeof(struct vring_desc);
	draft->command->req->parts++;
	virtq_add(&vhost->queue, draft->number);
}

static void send_flush(struct vhost_disk *vhost, struct disk_request *req)
{
	struct draft draft = begin(vhost, req, VIRTIO_BLK_T_FLUSH);

	end(&draft);
	req->moved = FLUSHED;
}

static void send_range(struct vhost_disk *vhost, struct disk_request *req)
{
	gboolean discard = req->op == DISK_DISCARD;
	struct draft draft =
		begin(vhost, req, discard ? VIRTIO_BLK_T_DISCARD : VIRTIO_BLK_T_WRITE_ZEROES);
	uint64_t most = discard ? vhost->max_discard : vhost->max_zeroes;
	uint64_t length = MIN(req->length - req->moved, most);

	draft.slot->range = (struct virtio_blk_discard_write_zeroes){
		.sector = (req->offset + req->moved) / 512,
		.num_sectors = length / 512,
		.flags = !discard && vhost->unmap ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0,
	};
	add_piece(&draft, shared_address(vhost, &draft.slot->range), sizeof(draft.slot->range),
		  FALSE);
	draft.command->length = length;
	end(&draft);
	req->moved += length;
}

/* --- memory of transfers --- */

/* The process has it, and it is whole sectors, so that a command may end after it. */
static gboolean is_in_reach(const struct vhost_disk *vhost, const char *base, size_t length)
{
	uint64_t from = (uintptr_t)base - (uintptr_t)vhost->mem->base;

	return from < vhost->mem->bytes && length <= vhost->mem->bytes - from &&
	       !(length & (vhost->disk.info.sector_size - 1));
}

/**
 * struct cursor - a place in a request's memory
 * @i:    element
 * @into: bytes of it that are behind the place
 */
struct cursor {
	const struct disk_request *req;
	unsigned int i;
	size_t into;
};

static struct cursor cursor_at(const struct disk_request *req, uint64_t at)
{
	struct cursor cursor = { .req = req };

	while (at >= req->iov[cursor.i].iov_len && cursor.i < req->nr_iov - 1)
		at -= req->iov[cursor.i++].iov_len;
	cursor.into = at;
	return cursor;
}

/* The memory from the place on, as far as it is in one piece; the place moves behind it. */
static struct iovec next_piece(struct cursor *cursor)
{
	const struct iovec *iov = cursor->req->iov;
	struct iovec piece = { (char *)iov[cursor->i].iov_base + cursor->into,
			       iov[cursor->i].iov_len - cursor->into };

	cursor->into = 0;
	while (++cursor->i < cursor->req->nr_iov &&
	       iov[cursor->i].iov_base == (char *)piece.iov_base + piece.iov_len)
		piece.iov_len += iov[cursor->i].iov_len;
	return piece;
}

/* As much of @piece as there is room for. */
static void add_memory(struct draft *draft, struct iovec piece)
{
	const struct vhost_disk *vhost = draft->vhost;
	uint64_t address = (uintptr_t)piece.iov_base - (uintptr_t)vhost->mem->base;

	while (piece.iov_len && draft->nr <= vhost->max_pieces) {
		uint32_t length = MIN(piece.iov_len, vhost->max_piece);

		add_piece(draft, address, length, draft->command->req->op == DISK_READ);
		draft->command->length += length;
		address += length;
		piece.iov_len -= length;
	}
}

static void add_reachable(struct draft *draft)
{
	const struct disk_request *req = draft->command->req;
	struct cursor cursor = cursor_at(req, req->moved);

	while (cursor.i < req->nr_iov && draft->nr <= draft->vhost->max_pieces) {
		struct iovec piece = next_piece(&cursor);

		if (!is_in_reach(draft->vhost, piece.iov_base, piece.iov_len))
			return;
		add_memory(draft, piece);
	}
}

/* Between @command's buffer and its request's memory. */
static void copy(struct vhost_disk *vhost, const struct vhost_command *command)
{
	char *buffer = vhost->buffers + (size_t)command->buffer * VHOST_BUFFER_BYTES;
	struct cursor cursor = cursor_at(command->req, command->at);

	for (size_t left = command->length; left;) {
		struct iovec piece = next_piece(&cursor);
		size_t length = MIN(piece.iov_len, left);

		if (command->req->op == DISK_READ)
			memcpy(piece.iov_base, buffer, length);
		else
			memcpy(buffer, piece.iov_base, length);
		buffer += length;
		left -= length;
	}
	vhost->copied += command->length;
}

/* Return: FALSE if there is no buffer now. */
static gboolean add_buffer(struct draft *draft)
{
	struct vhost_disk *vhost = draft->vhost;
	struct vhost_command *command = draft->command;
	struct disk_request *req = command->req;
	uint64_t from;

	if (!vhost->nr_free_buffers)
		return FALSE;
	command->buffer = vhost->free_buffers[--vhost->nr_free_buffers];
	command->length = MIN(req->length - req->moved, VHOST_BUFFER_BYTES);
	command->length = MIN(command->length, (uint64_t)vhost->max_pieces * vhost->max_piece);
	if (req->op == DISK_WRITE)
		copy(vhost, command);
	from = shared_address(vhost, vhost->buffers) +
	       (uint64_t)command->buffer * VHOST_BUFFER_BYTES;
	for (uint32_t done = 0, length; done < command->length; done += length) {
		length = MIN(command->length - done, vhost->max_piece);
		add_piece(draft, from + done, length, req->op == DISK_READ);
	}
	return TRUE;
}

static gboolean send_transfer(struct vhost_disk *vhost, struct disk_request *req)
{
	struct draft draft =
		begin(vhost, req, req->op == DISK_READ ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT);

	draft.slot->header.sector = (req->offset + req->moved) / 512;
	add_reachable(&draft);
	if (!draft.command->length && !add_buffer(&draft)) {
		draft.command->req = NULL;
		return FALSE;
	}
	end(&draft);
	req->moved += draft.command->length;
	return TRUE;
}

/* --- requests --- */

static gboolean is_sent(const struct disk_request *req)
{
	return req->moved == FLUSHED || req->moved == req->length;
}

/* As many commands as there is room for.  Return: FALSE if that is not all. */
static gboolean send_request(struct vhost_disk *vhost, struct disk_request *req)
{
	while (!is_sent(req)) {
		if (!vhost->nr_free_slots)
			return FALSE;
		if (req->moved == TO_FLUSH)
			send_flush(vhost, req);
		else if (req->op == DISK_DISCARD || req->op == DISK_WRITE_ZEROES)
			send_range(vhost, req);
		else if (!send_transfer(vhost, req))
			return FALSE;
	}
	return TRUE;
}

static void send_or_wait(struct vhost_disk *vhost, struct disk_request *req)
{
	if (vhost->waiting.length || !send_request(vhost, req))
		g_queue_push_tail(&vhost->waiting, req);
}

void vhost_submit(struct disk *disk, struct disk_request *req)
{
	struct vhost_disk *vhost = (struct vhost_disk *)disk;

	if (!vhost->link) {
		disk_complete_later(req, EIO);
		return;
	}
	if (req->op == DISK_FLUSH)
		req->moved = TO_FLUSH;
	send_or_wait(vhost, req);
}

void vhost_commit(struct disk *disk)
{
	struct vhost_disk *vhost = (struct vhost_disk *)disk;

	/* It can't be full: the process would have to leave 2^64 - 2 kicks alone. */
	if (virtq_show(&vhost->queue))
		eventfd_write(vhost->kick, 1);
}

/* --- answers --- */

/* All its commands are answered. */
static void finish(struct vhost_disk *vhost, struct disk_request *req)
{
	gboolean writes = req->op == DISK_WRITE || req->op == DISK_WRITE_ZEROES;

	/* virtio-blk has no FUA. */
	if (writes && req->fua && !req->error && req->moved != FLUSHED) {
		req->moved = TO_FLUSH;
		send_or_wait(vhost, req);
		return;
	}
	disk_complete(req, req->error);
}

static int error_of(uint8_t status)
{
	return status == VIRTIO_BLK_S_OK ? 0 : status == VIRTIO_BLK_S_UNSUPP ? EOPNOTSUPP : EIO;
}

static gboolean is_wrong(struct vhost_disk *vhost, const char *what)
{
	vhost->wrong = what;
	return FALSE;
}

/* The process says that it is done with command @number, and has written @len bytes. */
static gboolean take_answer(struct vhost_disk *vhost, uint32_t number, uint32_t len)
{
	struct vhost_command command;
	struct disk_request *req;
	uint8_t status;

	if (number >= VHOST_SLOTS || !vhost->commands[number].req)
		return is_wrong(vhost, "it answers what it was not asked");
	command = vhost->commands[number];
	req = command.req;
	status = *(volatile uint8_t *)&vhost->slots[number].status;
	if (len > command.writable)
		return is_wrong(vhost, "it says that it has written more than it may");
	if (status > VIRTIO_BLK_S_UNSUPP)
		return is_wrong(vhost, "it gives answers that there are not");
	if (command.buffer >= 0 && req->op == DISK_READ && !status)
		copy(vhost, &command);
	if (command.buffer >= 0)
		vhost->free_buffers[vhost->nr_free_buffers++] = command.buffer;
	vhost->commands[number].req = NULL;
	vhost->free_slots[vhost->nr_free_slots++] = number;
	vhost->mute.answers++;
	if (!req->error)
		req->error = error_of(status);
	if (!--req->parts && is_sent(req))
		finish(vhost, req);
	return TRUE;
}

static void send_waiting(struct vhost_disk *vhost)
{
	while (vhost->waiting.length && send_request(vhost, vhost->waiting.head->data))
		g_queue_pop_head(&vhost->waiting);
}

gboolean vhost_serve(struct vhost_disk *vhost)
{
	uint32_t number, len;
	int got = 1;

	/* Others have their turn, however fast it answers. */
	for (unsigned int n = 0; got > 0 && n < VHOST_SLOTS; n += got) {
		got = virtq_take(&vhost->queue, &number, &len);
		if (got < 0)
			return is_wrong(vhost, "it answers more than it was asked");
		if (got && !take_answer(vhost, number, len))
			return FALSE;
		if (!got)
			got = virtq_ask(&vhost->queue);
	}
	if (got)
		eventfd_write(vhost->call, 1);
	send_waiting(vhost);
	vhost_commit(&vhost->disk);
	return TRUE;
}
