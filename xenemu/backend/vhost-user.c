/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user.c - the front-end's messages of vhost-user
 *
 * QEMU 7.2, docs/interop/vhost-user.rst.  All that we tell the back-end is sent without
 * waiting; it is asked four questions on the way, the last of which (its features once
 * more) shows that it has taken everything before.
 */
#include "backend/vhost-user.h"
#include "machine/watch.h"
#include <errno.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL_VERSION 1U
#define VERSION_MASK 3U
#define IS_REPLY 4U

/* Feature of the transport in the device's features, and features of the protocol. */
#define F_PROTOCOL_FEATURES (1ULL << 30)
#define PROTOCOL_F_BACKEND_REQ (1ULL << 5)
#define PROTOCOL_F_CONFIG (1ULL << 9)

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
	SET_BACKEND_REQ_FD = 21,
	GET_CONFIG = 24,
};

struct memory_region {
	uint64_t address;
	uint64_t bytes;
	uint64_t user_address;
	uint64_t offset;
};

struct memory_table {
	uint32_t nr;
	uint32_t padding;
	struct memory_region regions[VHOST_USER_MAX_REGIONS];
};

struct config {
	uint32_t offset;
	uint32_t bytes;
	uint32_t flags;
	uint8_t data[VHOST_USER_MAX_CONFIG];
};

struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t bytes;
};

union payload {
	uint64_t number;
	struct vhost_vring_state state;
	struct vhost_vring_addr addr;
	struct memory_table memory;
	struct config config;
};

/**
 * struct vhost_user - see vhost-user.h
 * @notices:  socket for what the back-end has to say unasked, or -1
 * @notices_watch: of that
 * @told:     the state that @moved was called for, or that who waited has seen
 * @question: what it has to answer next, or 0
 * @answer, @header: what was received of that, @have bytes of both
 * @last:     no question is left after this one
 * @features: what both can do
 * @config:   of the device
 * @why:      why it is DOWN, if there is more to say than that it has hung up
 */
struct vhost_user {
	int socket;
	struct vhost_user_setup setup;
	void (*moved)(void *opaque);
	void *opaque;
	struct watch *watch;
	int notices;
	struct watch *notices_watch;
	enum vhost_user_state state;
	enum vhost_user_state told;
	enum request question;
	struct header header;
	union payload answer;
	size_t have;
	gboolean last;
	uint64_t features;
	uint8_t config[VHOST_USER_MAX_CONFIG];
	char *why;
};

static gboolean fail(struct vhost_user *link, const char *why)
{
	if (!link->why)
		link->why = g_strdup(why);
	link->state = VHOST_USER_DOWN;
	return FALSE;
}

/* --- to the back-end --- */

static void attach_fds(struct msghdr *message, const int *fds, unsigned int nr)
{
	struct cmsghdr *control = message->msg_control;

	if (!nr) {
		message->msg_control = NULL;
		return;
	}
	message->msg_controllen = CMSG_SPACE(nr * sizeof(int));
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(control), fds, nr * sizeof(int));
}

/* All of them together are less than any socket's buffer: a short write is a failure. */
static void send_message(struct vhost_user *link, enum request request, const void *payload,
			 size_t bytes, const int *fds, unsigned int nr_fds)
{
	struct header header = { .request = request,
				 .flags = PROTOCOL_VERSION,
				 .bytes = bytes };
	struct iovec iov[] = { { &header, sizeof(header) }, { (void *)payload, bytes } };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(VHOST_USER_MAX_REGIONS * sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = iov,
				  .msg_iovlen = G_N_ELEMENTS(iov),
				  .msg_control = &control };
	ssize_t sent;

	attach_fds(&message, fds, nr_fds);
	sent = TEMP_FAILURE_RETRY(sendmsg(link->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
	if (sent == (ssize_t)(sizeof(header) + bytes))
		return;
	/* One that has hung up is known better by that, or by its process's last words. */
	if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
		link->state = VHOST_USER_DOWN;
	else
		fail(link, "it does not take our messages");
}

static void send_number(struct vhost_user *link, enum request request, uint64_t number)
{
	send_message(link, request, &number, sizeof(number), NULL, 0);
}

static void ask(struct vhost_user *link, enum request question, const void *payload,
		size_t bytes)
{
	link->question = question;
	link->have = 0;
	send_message(link, question, payload, bytes, NULL, 0);
}

static void send_memory(struct vhost_user *link)
{
	struct memory_table table = { .nr = link->setup.nr_regions };
	int fds[VHOST_USER_MAX_REGIONS];

	for (unsigned int i = 0; i < table.nr; i++) {
		const struct vhost_user_region *region = &link->setup.regions[i];

		table.regions[i] = (struct memory_region){
			.address = region->address,
			.bytes = region->bytes,
			.user_address = (uintptr_t)region->base,
		};
		fds[i] = region->fd;
	}
	send_message(link, SET_MEM_TABLE, &table,
		     offsetof(struct memory_table, regions) +
			     table.nr * sizeof(struct memory_region),
		     fds, table.nr);
}

static void send_state(struct vhost_user *link, enum request request, unsigned int number)
{
	struct vhost_vring_state state = { .index = 0, .num = number };

	send_message(link, request, &state, sizeof(state), NULL, 0);
}

static void send_eventfd(struct vhost_user *link, enum request request, int fd)
{
	uint64_t index = 0;

	send_message(link, request, &index, sizeof(index), &fd, 1);
}

/* The kick's descriptor starts the queue, so it comes when all else is there. */
static void send_queue(struct vhost_user *link)
{
	const struct virtq *queue = link->setup.queue;
	struct vhost_vring_addr addr = {
		.desc_user_addr = (uintptr_t)queue->desc,
		.used_user_addr = (uintptr_t)queue->used,
		.avail_user_addr = (uintptr_t)queue->avail,
	};

	send_state(link, SET_VRING_NUM, queue->size);
	send_state(link, SET_VRING_BASE, 0);
	send_message(link, SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	send_eventfd(link, SET_VRING_CALL, link->setup.call);
	send_eventfd(link, SET_VRING_KICK, link->setup.kick);
	send_state(link, SET_VRING_ENABLE, 1);
}

/* --- its answers --- */

static void got_features(struct vhost_user *link, uint64_t features)
{
	uint64_t needed = link->setup.needed | F_PROTOCOL_FEATURES;

	if ((features & needed) != needed) {
		fail(link, "it lacks features that are needed");
		return;
	}
	if (link->last) {
		link->state = VHOST_USER_UP;
		link->question = 0;
		return;
	}
	link->features = features & (link->setup.wanted | needed);
	ask(link, GET_PROTOCOL_FEATURES, NULL, 0);
}

static gboolean on_notice(int fd, G_GNUC_UNUSED GIOCondition ready, gpointer opaque)
{
	struct vhost_user *link = opaque;
	char ignored[256];

	if (TEMP_FAILURE_RETRY(recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT)) > 0)
		return G_SOURCE_CONTINUE;
	link->notices_watch = NULL;
	return G_SOURCE_REMOVE;
}

/*
 * QEMU from 8.1 on says that a disk has a new size, whether it was told where or not: then
 * it takes its own failure to say so for the end of the device (vu_blk_exp_resize(),
 * vu_message_write()).  Who has it resized knows that anyway.
 */
static void send_notices(struct vhost_user *link)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		fail(link, g_strerror(errno));
		return;
	}
	send_message(link, SET_BACKEND_REQ_FD, NULL, 0, &pair[1], 1);
	close(pair[1]);
	link->notices = pair[0];
	link->notices_watch = watch_new(pair[0], G_IO_IN, on_notice, link);
}

static void got_protocol_features(struct vhost_user *link, uint64_t features)
{
	struct config config = { .bytes = link->setup.config_bytes };

	if (!(features & PROTOCOL_F_CONFIG)) {
		fail(link, "it can't say what the device is like");
		return;
	}
	features &= PROTOCOL_F_CONFIG | PROTOCOL_F_BACKEND_REQ;
	send_number(link, SET_PROTOCOL_FEATURES, features);
	send_message(link, SET_OWNER, NULL, 0, NULL, 0);
	if (features & PROTOCOL_F_BACKEND_REQ)
		send_notices(link);
	send_number(link, SET_FEATURES, link->features);
	ask(link, GET_CONFIG, &config, offsetof(struct config, data) + config.bytes);
}

static void got_config(struct vhost_user *link, const struct config *config)
{
	/* An empty answer is the protocol's refusal. */
	if (config->bytes != link->setup.config_bytes ||
	    link->header.bytes != offsetof(struct config, data) + config->bytes) {
		fail(link, "it does not say what the device is like");
		return;
	}
	memcpy(link->config, config->data, config->bytes);
	send_memory(link);
	send_queue(link);
	link->last = TRUE;
	ask(link, GET_FEATURES, NULL, 0);
}

static void got_answer(struct vhost_user *link)
{
	if (link->question == GET_CONFIG) {
		got_config(link, &link->answer.config);
		return;
	}
	if (link->header.bytes != sizeof(uint64_t))
		fail(link, "an answer of a wrong size");
	else if (link->question == GET_FEATURES)
		got_features(link, link->answer.number);
	else
		got_protocol_features(link, link->answer.number);
}

/* The header is there: is it what may follow? */
static gboolean check_header(struct vhost_user *link)
{
	const struct header *header = &link->header;

	if (header->request != link->question || !(header->flags & IS_REPLY) ||
	    (header->flags & VERSION_MASK) != PROTOCOL_VERSION)
		return fail(link, "something else than an answer to our question");
	if (header->bytes > sizeof(link->answer))
		return fail(link, "an answer of a wrong size");
	return TRUE;
}

/* What is missing of an answer: its header first.  Return: FALSE if no more is there. */
static gboolean receive(struct vhost_user *link)
{
	size_t head = sizeof(link->header);
	gboolean in_head = link->have < head;
	char *to = in_head ? (char *)&link->header + link->have
			   : (char *)&link->answer + (link->have - head);
	size_t want = (in_head ? head : head + link->header.bytes) - link->have;
	ssize_t got = TEMP_FAILURE_RETRY(recv(link->socket, to, want, MSG_DONTWAIT));

	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return FALSE;
	if (got <= 0) {
		link->state = VHOST_USER_DOWN;
		return FALSE;
	}
	link->have += got;
	if (in_head && link->have == head && !check_header(link))
		return FALSE;
	return TRUE;
}

static gboolean is_whole(const struct vhost_user *link)
{
	return link->have >= sizeof(link->header) &&
	       link->have == sizeof(link->header) + link->header.bytes;
}

/* It has nothing to say when it is not asked: only its end is heard. */
static void receive_end(struct vhost_user *link)
{
	char byte;
	ssize_t got = TEMP_FAILURE_RETRY(recv(link->socket, &byte, 1, MSG_DONTWAIT));

	if (got > 0)
		fail(link, "an answer without a question");
	else if (!got || (errno != EAGAIN && errno != EWOULDBLOCK))
		link->state = VHOST_USER_DOWN;
}

static void serve(struct vhost_user *link)
{
	if (link->state == VHOST_USER_UP) {
		receive_end(link);
		return;
	}
	while (link->state == VHOST_USER_CONNECTING && receive(link))
		if (is_whole(link))
			got_answer(link);
}

static gboolean on_socket(G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition ready,
			  gpointer opaque)
{
	struct vhost_user *link = opaque;

	serve(link);
	if (link->state == VHOST_USER_DOWN)
		g_clear_pointer(&link->watch, watch_free);
	if (link->state != link->told) {
		link->told = link->state;
		link->moved(link->opaque);
	}
	return G_SOURCE_CONTINUE;
}

/* --- life --- */

struct vhost_user *vhost_user_new(int socket, const struct vhost_user_setup *setup,
				  void (*moved)(void *opaque), void *opaque)
{
	struct vhost_user *link = g_new0(struct vhost_user, 1);

	link->socket = socket;
	link->notices = -1;
	link->setup = *setup;
	link->moved = moved;
	link->opaque = opaque;
	link->watch = watch_new(socket, G_IO_IN, on_socket, link);
	/* If that fails the socket says so to who looks at it. */
	ask(link, GET_FEATURES, NULL, 0);
	return link;
}

enum vhost_user_state vhost_user_wait(struct vhost_user *link, unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	gint64 left = ms;

	while (link->state == VHOST_USER_CONNECTING && left > 0) {
		struct pollfd fd = { .fd = link->socket, .events = POLLIN };

		if (poll(&fd, 1, left) > 0)
			serve(link);
		left = (end - g_get_monotonic_time() + 999) / 1000;
	}
	link->told = link->state;
	return link->state;
}

enum vhost_user_state vhost_user_state(const struct vhost_user *link)
{
	return link->state;
}

const char *vhost_user_why(const struct vhost_user *link)
{
	return link->why;
}

uint64_t vhost_user_features(const struct vhost_user *link)
{
	return link->features;
}

const void *vhost_user_config(const struct vhost_user *link)
{
	return link->config;
}

void vhost_user_free(struct vhost_user *link)
{
	if (!link)
		return;
	g_clear_pointer(&link->watch, watch_free);
	g_clear_pointer(&link->notices_watch, watch_free);
	if (link->notices >= 0)
		close(link->notices);
	close(link->socket);
	g_free(link->why);
	g_free(link);
}
