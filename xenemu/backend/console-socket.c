/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-socket.c - a console that one client at a time connects to
 */
#include "backend/console-io-private.h"
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IN_USE "xenemu: somebody else is at this console\r\n"

static gboolean has_hung_up(int fd)
{
	struct pollfd pollfd = { .fd = fd };

	return poll(&pollfd, 1, 0) == 1;
}

/* A client that is gone counts for nothing, whatever it has left unread. */
static gboolean is_in_use(const struct console_io *io)
{
	return io->out >= 0 && !has_hung_up(io->out);
}

static gboolean on_client(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
	struct console_io *io = opaque;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client < 0)
		return G_SOURCE_CONTINUE;
	if (is_in_use(io)) {
		send(client, IN_USE, strlen(IN_USE), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(client);
		return G_SOURCE_CONTINUE;
	}
	console_io_close(io);
	io->in = io->out = client;
	io->own_in = TRUE;
	console_io_want(io);
	console_io_push(io);
	return G_SOURCE_CONTINUE;
}

/* A socket without a listener is what a killed helper has left. */
static gboolean is_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	gboolean refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
			   errno == ECONNREFUSED;
	struct stat stat;

	close(fd);
	return refused && !lstat(address->sun_path, &stat) && S_ISSOCK(stat.st_mode);
}

static gboolean bind_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return FALSE;
	}
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return TRUE;
	if (errno != EADDRINUSE)
		return FALSE;
	if (!is_stale(&address)) {
		errno = EADDRINUSE;
		return FALSE;
	}
	unlink(path);
	return !bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static gboolean listen_at(struct console_io *io, const char *path)
{
	io->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (io->listener < 0)
		return FALSE;
	/* Linux gives the mode to the file that bind() makes: ours alone from the start. */
	if (fchmod(io->listener, 0600) || !bind_to(io->listener, path))
		return FALSE;
	g_ptr_array_add(io->made, g_strdup(path));
	if (listen(io->listener, 4))
		return FALSE;
	io->listen_watch = watch_new(io->listener, G_IO_IN, on_client, io);
	return TRUE;
}

gboolean console_socket_open(struct console_io *io, const struct console_spec *spec,
			     GError **error)
{
	const char *path = spec->path ? spec->path : spec->place;

	io->keeps = TRUE;
	if (!path) {
		errno = ENOENT;
		return console_io_fail(error, "unix", "no path", "give unix:PATH");
	}
	if (!listen_at(io, path))
		return console_io_fail(error, "unix", path,
				       "name a socket that can be made and nobody uses");
	if (spec->place && spec->path) {
		g_autofree char *target = g_canonicalize_filename(spec->path, NULL);

		if (symlink(target, spec->place))
			return console_io_fail(error, "unix", spec->place,
					       "set XENEMU_RUNTIME_DIR to another directory");
		g_ptr_array_add(io->made, g_strdup(spec->place));
	}
	g_printerr("xenemu: console %u: %s\n", spec->index, path);
	return TRUE;
}
