/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-vhost.h - a vhost-user-blk back-end for tests, a thread, which does one thing wrong
 */
#ifndef TESTS_FAKE_VHOST_H
#define TESTS_FAKE_VHOST_H

#include "backend/disk-vhost.h"
#include <linux/vhost_types.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/** enum fault - what it does wrong: while it is set up, or when it has its first requests */
enum fault {
	NO_FAULT,
	HANGS_UP,
	ENDS_SHORT,
	SMALL_ANSWER,
	HUGE_ANSWER,
	LONG_ANSWER,
	OTHER_ANSWER,
	NO_REPLY,
	NO_FEATURES,
	NO_PROTOCOL,
	NO_CONFIG,
	ODD_BLOCKS,
	HUGE_DISK,
	NO_SECTORS,
	NO_SEGMENTS,
	READ_ONLY,
	SMALL_PIECES,
	BAD_ID,
	FREE_ID,
	ANSWERS_TWICE,
	LONG_LENGTH,
	BAD_STATUS,
	NO_STATUS,
	FAR_AHEAD,
	TALKS,
	HANGS_UP_LATE,
	SCRIBBLES,
};

/**
 * struct fake - one
 * @fault:  what it does wrong
 * @socket: its end
 * @regions, @maps: memory that it got, and where it has that
 * @desc, @avail, @used: the queue
 * @taken:  requests
 * @longest: largest piece of data that it saw
 */
struct fake {
	enum fault fault;
	int socket;
	GThread *thread;
	struct {
		uint64_t address, bytes, user, offset;
	} regions[2];
	char *maps[2];
	uint32_t size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	int kick, call;
	uint16_t taken;
	uint32_t longest;
};

struct fake_message {
	uint32_t request, flags, bytes;
	char payload[256];
};

/* The front-end may have hung up. */
static inline void fake_send(struct fake *fake, const void *data, size_t bytes)
{
	ssize_t sent = send(fake->socket, data, bytes, MSG_NOSIGNAL);

	g_assert_true(sent == (ssize_t)bytes || sent < 0);
}

static inline void fake_answer(struct fake *fake, const struct fake_message *message)
{
	fake_send(fake, message, 12 + message->bytes);
}

static inline void fake_number(struct fake *fake, struct fake_message *message, uint64_t number)
{
	message->bytes = 8;
	memcpy(message->payload, &number, 8);
	if (fake->fault == SMALL_ANSWER)
		message->bytes = 4;
	if (fake->fault == LONG_ANSWER)
		message->bytes = 40;
	if (fake->fault == OTHER_ANSWER)
		message->request++;
	if (fake->fault == NO_REPLY)
		message->flags = 1;
	if (fake->fault == HUGE_ANSWER) {
		message->bytes = UINT32_MAX;
		fake_send(fake, message, 20);
	} else if (fake->fault == ENDS_SHORT) {
		fake_send(fake, message, 7);
		shutdown(fake->socket, SHUT_RDWR);
	} else {
		fake_answer(fake, message);
	}
}

static inline void fake_config(struct fake *fake, struct fake_message *message)
{
	struct virtio_blk_config config = {
		.capacity = 1 << 15,
		.seg_max = 126,
		.blk_size = 512,
		.max_discard_sectors = 100,
		.max_write_zeroes_sectors = 100,
	};

	if (fake->fault == ODD_BLOCKS)
		config.blk_size = 1000;
	if (fake->fault == HUGE_DISK)
		config.capacity = UINT64_MAX;
	if (fake->fault == NO_SECTORS)
		config.capacity = 0;
	if (fake->fault == NO_SEGMENTS)
		config.seg_max = 0;
	if (fake->fault == SMALL_PIECES) {
		config.seg_max = 3;
		config.size_max = 2000;
	}
	if (fake->fault == NO_CONFIG)
		message->bytes = 0;
	else
		memcpy(message->payload + 12, &config, message->bytes - 12);
	fake_answer(fake, message);
}

static inline void fake_features(struct fake *fake, struct fake_message *message)
{
	uint64_t features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_INDIRECT_DESC |
			    1ULL << 30 | 1ULL << VIRTIO_BLK_F_SEG_MAX |
			    1ULL << VIRTIO_BLK_F_SIZE_MAX | 1ULL << VIRTIO_BLK_F_BLK_SIZE |
			    1ULL << VIRTIO_BLK_F_FLUSH | 1ULL << VIRTIO_BLK_F_DISCARD |
			    1ULL << VIRTIO_BLK_F_WRITE_ZEROES;

	if (fake->fault == NO_FEATURES)
		features &= ~(1ULL << VIRTIO_F_VERSION_1);
	if (fake->fault == READ_ONLY)
		features |= 1ULL << VIRTIO_BLK_F_RO;
	fake_number(fake, message, features);
}

static inline void fake_memory(struct fake *fake, const struct fake_message *message,
			       const int *fds)
{
	memcpy(fake->regions, message->payload + 8, sizeof(fake->regions));
	for (unsigned int i = 0; i < 2; i++) {
		fake->maps[i] = mmap(NULL, fake->regions[i].bytes, PROT_READ | PROT_WRITE,
				     MAP_SHARED, fds[i], 0);
		g_assert_true(fake->maps[i] != MAP_FAILED);
		close(fds[i]);
	}
}

static inline void *fake_user(struct fake *fake, uint64_t user)
{
	for (unsigned int i = 0; i < 2; i++)
		if (user - fake->regions[i].user < fake->regions[i].bytes)
			return fake->maps[i] + (user - fake->regions[i].user);
	g_assert_not_reached();
}

static inline void *fake_address(struct fake *fake, const struct vring_desc *desc)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t into = desc->addr - fake->regions[i].address;

		if (into < fake->regions[i].bytes) {
			g_assert_cmpuint(desc->len, <=, fake->regions[i].bytes - into);
			return fake->maps[i] + into;
		}
	}
	g_assert_not_reached();
}

/* One message.  Return: FALSE when the front-end has hung up. */
static inline gboolean fake_take_message(struct fake *fake)
{
	struct fake_message message;
	struct vhost_vring_addr addr;
	struct iovec iov = { &message, 12 };
	char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	struct msghdr header = { .msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control) };
	int fds[2] = { -1, -1 };

	if (recvmsg(fake->socket, &header, MSG_WAITALL) != 12)
		return FALSE;
	if (CMSG_FIRSTHDR(&header))
		memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&header)),
		       CMSG_FIRSTHDR(&header)->cmsg_len - CMSG_LEN(0));
	g_assert_cmpuint(message.bytes, <=, sizeof(message.payload));
	if (message.bytes &&
	    recv(fake->socket, message.payload, message.bytes, MSG_WAITALL) != message.bytes)
		return FALSE;
	message.flags = 5;
	switch (message.request) {
	case 1:
		fake_features(fake, &message);
		break;
	case 5:
		fake_memory(fake, &message, fds);
		break;
	case 8:
		memcpy(&fake->size, message.payload + 4, 4);
		break;
	case 9:
		memcpy(&addr, message.payload, sizeof(addr));
		fake->desc = fake_user(fake, addr.desc_user_addr);
		fake->avail = fake_user(fake, addr.avail_user_addr);
		fake->used = fake_user(fake, addr.used_user_addr);
		break;
	case 12:
		fake->kick = fds[0];
		break;
	case 13:
		fake->call = fds[0];
		break;
	case 15:
		fake_number(fake, &message, fake->fault == NO_PROTOCOL ? 0 : 1 << 9);
		break;
	case 24:
		fake_config(fake, &message);
		break;
	}
	return TRUE;
}

/* Carry a request out: reads are of 0x5a.  Return: bytes written. */
static inline uint32_t fake_carry_out(struct fake *fake, const struct vring_desc *head)
{
	const struct vring_desc *table = fake_address(fake, head);
	unsigned int nr = head->len / sizeof(*table);
	uint32_t written = 0;

	g_assert_cmpuint(head->flags, ==, VRING_DESC_F_INDIRECT);
	for (unsigned int i = 0; i < nr; i++) {
		void *data = fake_address(fake, &table[i]);

		g_assert_cmpint(table[i].flags & VRING_DESC_F_NEXT, ==, i < nr - 1);
		if (i && i < nr - 1)
			fake->longest = MAX(fake->longest, table[i].len);
		if (!(table[i].flags & VRING_DESC_F_WRITE))
			continue;
		memset(data, i == nr - 1 ? 0 : 0x5a, table[i].len);
		if (i == nr - 1 && fake->fault == BAD_STATUS)
			memset(data, 77, 1);
		if (i == nr - 1 && fake->fault == NO_STATUS)
			memset(data, 0xff, 1);
		written += table[i].len;
	}
	return written;
}

static inline void fake_use(struct fake *fake, uint32_t id, uint32_t len)
{
	uint16_t at = fake->used->idx;

	fake->used->ring[at % fake->size] = (struct vring_used_elem){ id, len };
	__atomic_store_n(&fake->used->idx,
			 (uint16_t)(at + (fake->fault == FAR_AHEAD ? 200 : 1)),
			 __ATOMIC_RELEASE);
}

static inline void fake_take_request(struct fake *fake)
{
	uint16_t head = fake->avail->ring[fake->taken++ % fake->size];
	uint32_t len = fake_carry_out(fake, &fake->desc[head]);

	if (fake->fault == BAD_ID)
		fake_use(fake, UINT32_MAX - 5, len);
	else if (fake->fault == FREE_ID)
		fake_use(fake, head + 60, len);
	else if (fake->fault == LONG_LENGTH)
		fake_use(fake, head, len + 1);
	else
		fake_use(fake, head, len);
	/* Then no more, so that it does not answer more than it was asked. */
	if (fake->fault == ANSWERS_TWICE) {
		fake_use(fake, head, len);
		fake->taken = fake->avail->idx;
	}
}

/* All that it can write of what is not the guest's, at random, but not its own way there. */
static inline void fake_scribble(struct fake *fake)
{
	char *from = (char *)fake->used;
	size_t bytes = fake->maps[1] + fake->regions[1].bytes - from;

	for (unsigned int i = 0; i < 20000; i++) {
		size_t at = g_random_int_range(0, i % 4 ? 1100 : (int)bytes);

		from[at] = g_random_int();
		/* Half of them what it might say. */
		if (i % 2)
			fake->used->ring[g_random_int_range(0, 128)] =
				(struct vring_used_elem){ g_random_int_range(0, 128),
							  g_random_int_range(0, 5000) };
		if (i % 16 == 0)
			fake->used->idx = fake->avail->idx - g_random_int_range(0, 4);
		eventfd_write(fake->call, 1);
	}
	shutdown(fake->socket, SHUT_RDWR);
}

static inline void fake_serve_queue(struct fake *fake)
{
	eventfd_t kicks;

	eventfd_read(fake->kick, &kicks);
	if (fake->fault == SCRIBBLES)
		fake_scribble(fake);
	else if (fake->fault == HANGS_UP_LATE)
		shutdown(fake->socket, SHUT_RDWR);
	else if (fake->fault == TALKS)
		fake_send(fake, "hello", 5);
	else
		while (fake->taken != __atomic_load_n(&fake->avail->idx, __ATOMIC_ACQUIRE))
			fake_take_request(fake);
	eventfd_write(fake->call, 1);
}

static inline gpointer fake_run(gpointer opaque)
{
	struct fake *fake = opaque;
	gboolean more = fake->fault != HANGS_UP;

	while (more) {
		struct pollfd fds[] = { { .fd = fake->socket, .events = POLLIN },
					{ .fd = fake->kick, .events = POLLIN } };

		poll(fds, 2, -1);
		if (fds[1].revents)
			fake_serve_queue(fake);
		if (fds[0].revents)
			more = fake_take_message(fake);
	}
	shutdown(fake->socket, SHUT_RDWR);
	return NULL;
}

static inline const char *fake_why(G_GNUC_UNUSED void *opaque)
{
	return "the fake has ended";
}

static inline void fake_stop(void *opaque)
{
	struct fake *fake = opaque;

	shutdown(fake->socket, SHUT_RDWR);
	g_thread_join(fake->thread);
}

static inline void fake_free(void *opaque)
{
	struct fake *fake = opaque;

	for (unsigned int i = 0; i < 2; i++)
		if (fake->maps[i])
			munmap(fake->maps[i], fake->regions[i].bytes);
	close(fake->socket);
	if (fake->kick >= 0)
		close(fake->kick);
	if (fake->call >= 0)
		close(fake->call);
}

/** fake_open() - disk_vhost_open() of one; *@fake must stay until the disk is closed */
static inline struct disk *fake_open(struct fake *fake, enum fault fault,
				     const struct disk_spec *spec, const struct memory *memory,
				     const struct disk_listener *listener, GError **error)
{
	struct vhost_server server = {
		.owner = fake, .why = fake_why, .stop = fake_stop, .free = fake_free
	};
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	*fake = (struct fake){ .fault = fault, .socket = pair[1], .kick = -1, .call = -1 };
	server.socket = pair[0];
	fake->thread = g_thread_new("fake", fake_run, fake);
	return disk_vhost_open(spec, memory, &server, listener, error);
}

#endif
