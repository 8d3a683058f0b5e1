/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ivshmem-server.c - the doorbells of machine qemu
 */
#include "machine/ivshmem-server.h"
#include "machine/machine.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL 0 /* version of the ivshmem server protocol */
#define MSG_SHARED_MEMORY (-1)

/* One message: a little-endian number and, mostly, a descriptor. */
static gboolean send_msg(int sock, int64_t value, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	int64_t wire = GINT64_TO_LE(value);
	struct iovec iov = { &wire, sizeof(wire) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(wire);
}

/*
 * The device wants shared memory of its own.  The VM's memory is shared
 * already, so it gets a page that nobody looks at.
 */
static gboolean send_dummy_memory(int sock)
{
	int fd = memfd_create("xenemu-ivshmem", MFD_CLOEXEC);
	gboolean ok;

	if (fd < 0)
		return FALSE;
	ok = ftruncate(fd, 4096) == 0 && send_msg(sock, MSG_SHARED_MEMORY, fd);
	close(fd);
	return ok;
}

/* Version, the device's number, memory, its peer's doorbells, its own vectors. */
static gboolean send_handshake(const struct ivshmem_server *s)
{
	unsigned int n;

	if (!send_msg(s->sock, PROTOCOL, -1) || !send_msg(s->sock, IVSHMEM_DEVICE_PEER, -1) ||
	    !send_dummy_memory(s->sock))
		return FALSE;
	G_STATIC_ASSERT(DOORBELL_VECTOR_CALL == 0 && DOORBELL_VECTOR_EVENT == 1);
	if (!send_msg(s->sock, IVSHMEM_HELPER_PEER, s->call) ||
	    !send_msg(s->sock, IVSHMEM_HELPER_PEER, s->event))
		return FALSE;
	for (n = 0; n < s->nr_kick; n++)
		if (!send_msg(s->sock, IVSHMEM_DEVICE_PEER, s->kick[n]))
			return FALSE;
	return TRUE;
}

static gboolean open_eventfds(struct ivshmem_server *s, unsigned int nr_kick)
{
	s->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->call < 0 || s->event < 0)
		return FALSE;
	while (s->nr_kick < nr_kick) {
		s->kick[s->nr_kick] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (s->kick[s->nr_kick] < 0)
			return FALSE;
		s->nr_kick++;
	}
	return TRUE;
}

int ivshmem_server_open(struct ivshmem_server *s, unsigned int nr_kick, GError **error)
{
	int pair[2], err;

	*s = (struct ivshmem_server){ .call = -1, .event = -1, .sock = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
		s->sock = pair[0];
		if (open_eventfds(s, nr_kick) && send_handshake(s))
			return pair[1];
		err = errno;
		close(pair[1]);
	} else {
		err = errno;
	}
	ivshmem_server_close(s);
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED,
		    "qemu: no doorbells: %s; see `ulimit -n`", g_strerror(err));
	return -1;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void ivshmem_server_close(struct ivshmem_server *s)
{
	while (s->nr_kick > 0)
		close_fd(s->kick[--s->nr_kick]);
	close_fd(s->call);
	close_fd(s->event);
	close_fd(s->sock);
	*s = (struct ivshmem_server){ .call = -1, .event = -1, .sock = -1 };
}
