/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket-client.h - the other end of a Unix socket of the helper's, in the same process
 */
#ifndef TESTS_SOCKET_CLIENT_H
#define TESTS_SOCKET_CLIENT_H

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/** socket_dir() - a fresh directory; rmdir() and g_free() it */
static inline char *socket_dir(void)
{
	char *dir = g_dir_make_tmp("xenemu-test-XXXXXX", NULL);

	g_assert_nonnull(dir);
	return dir;
}

/** socket_connect() - a non-blocking client of the socket at @path */
static inline int socket_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	g_assert_cmpint(fd, >=, 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	while (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		/* Too many wait to be accepted. */
		g_assert_cmpint(errno, ==, EAGAIN);
		g_main_context_iteration(NULL, TRUE);
	}
	return fd;
}

/** socket_send() - all of @bytes, which are few */
static inline void socket_send(int fd, const void *bytes, size_t len)
{
	g_assert_cmpint(send(fd, bytes, len, MSG_NOSIGNAL), ==, len);
}

/** socket_settle() - let the helper do all that it can do without further input */
static inline void socket_settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/**
 * socket_receive() - wait for exactly @len bytes
 *
 * Return: FALSE when the helper has closed the connection instead.
 */
static inline gboolean socket_receive(int fd, void *bytes, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t got = recv(fd, (char *)bytes + have, len - have, 0);

		if (got > 0) {
			have += got;
			continue;
		}
		if (got == 0 || errno == ECONNRESET)
			return FALSE;
		g_assert_cmpint(errno, ==, EAGAIN);
		/* Nothing came, so the helper has something to do. */
		g_main_context_iteration(NULL, TRUE);
	}
	return TRUE;
}

#endif
