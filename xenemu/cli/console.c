/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.c - `xenemu console`: this terminal at a console of a running guest
 */
#include "backend/console-spec.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "domain/runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ESCAPE 0x1d /* Ctrl-] */

/* Typed and not taken by the guest; then no more is read. */
#define QUEUE_MAX (64 << 10)

/**
 * struct session - somebody at a console
 * @fd:     the console: a terminal or a socket
 * @typed:  what it has not taken yet
 * @keys, @more: sources that read what is typed and send it, or 0
 * @deaf:   nothing more will be typed
 */
struct session {
	GMainLoop *loop;
	int fd;
	int status;
	GByteArray *typed;
	guint keys, more;
	gboolean deaf;
};

static void end(struct session *session, int status)
{
	session->status = status;
	g_main_loop_quit(session->loop);
}

static gboolean write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno != EINTR)
			return FALSE;
		bytes += MAX(done, 0);
		len -= MAX(done, 0);
	}
	return TRUE;
}

/* The guest has printed something, or is gone. */
static gboolean on_output(int fd, G_GNUC_UNUSED GIOCondition condition, gpointer opaque)
{
	struct session *session = opaque;
	char bytes[4096];
	ssize_t len = read(fd, bytes, sizeof(bytes));

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (len > 0 && write_all(STDOUT_FILENO, bytes, len))
		return G_SOURCE_CONTINUE;
	end(session, CLI_OK);
	return G_SOURCE_REMOVE;
}

static gboolean on_keys(int fd, GIOCondition condition, gpointer opaque);

static void read_keys(struct session *session)
{
	if (!session->keys && !session->deaf)
		session->keys = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_ERR | G_IO_HUP,
					      on_keys, session);
}

static gboolean on_room(int fd, G_GNUC_UNUSED GIOCondition condition, gpointer opaque)
{
	struct session *session = opaque;
	ssize_t done = write(fd, session->typed->data, session->typed->len);

	if (done > 0)
		g_byte_array_remove_range(session->typed, 0, done);
	if (session->typed->len)
		return G_SOURCE_CONTINUE;
	session->more = 0;
	read_keys(session);
	return G_SOURCE_REMOVE;
}

static void send_typed(struct session *session, const char *bytes, size_t len)
{
	g_byte_array_append(session->typed, (const guint8 *)bytes, len);
	if (session->typed->len && !session->more)
		session->more = g_unix_fd_add(session->fd, G_IO_OUT, on_room, session);
}

static gboolean on_keys(int fd, G_GNUC_UNUSED GIOCondition condition, gpointer opaque)
{
	struct session *session = opaque;
	char bytes[1024];
	ssize_t len;

	session->keys = 0;
	len = read(fd, bytes, sizeof(bytes));
	session->deaf = !len || (len < 0 && errno != EAGAIN && errno != EINTR);
	if (len <= 0) {
		read_keys(session);
		return G_SOURCE_REMOVE;
	}
	if (isatty(fd) && memchr(bytes, ESCAPE, len)) {
		end(session, CLI_OK);
		return G_SOURCE_REMOVE;
	}
	/* A guest that does not listen: the typist must get away all the same. */
	if (session->typed->len < QUEUE_MAX)
		send_typed(session, bytes, len);
	if (session->typed->len < QUEUE_MAX || isatty(fd))
		read_keys(session);
	return G_SOURCE_REMOVE;
}

static gboolean on_signal(gpointer opaque)
{
	end(opaque, CLI_FAILED);
	return G_SOURCE_CONTINUE;
}

static int connect_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* What a helper that was killed has left may lead to another's terminal by now. */
static gboolean check_guest(const char *name)
{
	g_auto(GStrv) running = runtime_guests();

	if (g_strv_contains((const char *const *)running, name))
		return TRUE;
	cli_error("no guest named %s is running; see `xenemu list`", name);
	return FALSE;
}

/* Return: a descriptor, or -1 after a message. */
static int open_console(const char *name, unsigned int index)
{
	g_autofree char *file = console_file_name(index);
	g_autofree char *path = runtime_guest_file(name, file);
	struct stat stat_buf;
	int fd = -1;

	if (!stat(path, &stat_buf))
		fd = S_ISSOCK(stat_buf.st_mode)
			     ? connect_socket(path)
			     : open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		cli_error("%s: its console %u is no pty and no socket; it is where "
			  "`xenemu run --console` has put it",
			  name, index);
	else
		cli_error("%s: %s: %s", name, path, g_strerror(errno));
	return -1;
}

static int serve(int fd)
{
	struct session session = { .fd = fd };

	session.loop = g_main_loop_new(NULL, FALSE);
	session.typed = g_byte_array_new();
	g_unix_fd_add(fd, G_IO_IN | G_IO_ERR | G_IO_HUP, on_output, &session);
	if (terminal_usable(STDIN_FILENO)) {
		terminal_raw(STDIN_FILENO);
		read_keys(&session);
	}
	g_unix_signal_add(SIGINT, on_signal, &session);
	g_unix_signal_add(SIGTERM, on_signal, &session);
	g_unix_signal_add(SIGHUP, on_signal, &session);
	g_main_loop_run(session.loop);
	terminal_restore();
	g_byte_array_unref(session.typed);
	g_main_loop_unref(session.loop);
	return session.status;
}

static int run(int argc, char **argv)
{
	int index = 0, fd, status;
	const GOptionEntry entries[] = {
		{ "num", 'n', 0, G_OPTION_ARG_INT, &index,
		  "Number of the console (default 0, the primary one)", "N" },
		G_OPTION_ENTRY_NULL,
	};
	char **words = cli_parse_words(argc, argv, "NAME", entries,
				       "Attaches to a guest's console; Ctrl-] leaves it.",
				       "For consoles that `xenemu run --console pty` or `unix` "
				       "has made.  Ends when the\n"
				       "guest does.");

	if (!words || !check_guest(words[0]))
		return CLI_USAGE;
	fd = open_console(words[0], MAX(index, 0));
	if (fd < 0)
		return CLI_USAGE;
	status = serve(fd);
	close(fd);
	return status;
}

const struct cli_command command_console = {
	.name = "console",
	.summary = "attach to a console of a running guest",
	.run = run,
};
