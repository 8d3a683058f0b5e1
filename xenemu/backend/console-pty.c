/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-pty.c - a console that is a terminal of its own
 *
 * As xenconsoled does (tools/console/daemon/io.c), our side keeps the terminal open too:
 * else it would hang up whenever the last reader goes, and forget its raw mode.
 */
#include "backend/console-io-private.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Nothing of the guest's is echoed or changed by the host. */
static gboolean make_raw(int fd)
{
	struct termios termios;

	if (tcgetattr(fd, &termios))
		return FALSE;
	cfmakeraw(&termios);
	return !tcsetattr(fd, TCSANOW, &termios);
}

static gboolean open_pair(struct console_io *io)
{
	char name[PATH_MAX];

	io->in = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (io->in < 0)
		return FALSE;
	io->own_in = TRUE;
	if (grantpt(io->in) || unlockpt(io->in) || ptsname_r(io->in, name, sizeof(name)))
		return FALSE;
	io->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (io->slave < 0 || !make_raw(io->slave))
		return FALSE;
	io->tty = g_strdup(name);
	io->out = io->in;
	return TRUE;
}

/* In place of a link that an earlier run has left, but of nothing else. */
static gboolean make_link(struct console_io *io, const char *path)
{
	struct stat stat;

	if (!lstat(path, &stat) && S_ISLNK(stat.st_mode))
		unlink(path);
	if (symlink(io->tty, path))
		return FALSE;
	g_ptr_array_add(io->made, g_strdup(path));
	return TRUE;
}

/* Does anybody but us have it open?  Else letting go of it hangs up our side. */
static gboolean has_reader(struct console_io *io)
{
	struct pollfd pollfd = { .fd = io->out };
	gboolean hung_up;

	close(io->slave);
	hung_up = poll(&pollfd, 1, 0) == 1 && pollfd.revents & POLLHUP;
	io->slave = open(io->tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return !hung_up && io->slave >= 0;
}

int console_pty_patience(struct console_io *io, int most)
{
	return has_reader(io) ? most : 0;
}

/* What is unread is lost when our side is closed.  That somebody reads shows in the file
 * system only. */
void console_pty_drain(struct console_io *io, int patience_ms)
{
	struct pollfd unread = { .fd = io->slave, .events = POLLIN };
	struct pollfd change = { .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
				 .events = POLLIN };
	char events[4096];

	if (change.fd < 0)
		return;
	inotify_add_watch(change.fd, io->tty, IN_ACCESS | IN_CLOSE);
	while (poll(&unread, 1, 0) == 1 && poll(&change, 1, patience_ms) == 1 &&
	       read(change.fd, events, sizeof(events)) > 0 && has_reader(io))
		unread.fd = io->slave;
	close(change.fd);
}

gboolean console_pty_open(struct console_io *io, const struct console_spec *spec,
			  GError **error)
{
	io->keeps = TRUE;
	if (!open_pair(io))
		return console_io_fail(error, "pty", "no terminal to be had",
				       "see /proc/sys/kernel/pty/max");
	if (spec->path && !make_link(io, spec->path))
		return console_io_fail(error, "pty", spec->path,
				       "name a link that can be made");
	if (spec->place && !make_link(io, spec->place))
		return console_io_fail(error, "pty", spec->place,
				       "set XENEMU_RUNTIME_DIR to another directory");
	g_printerr("xenemu: console %u: %s\n", spec->index, io->tty);
	return TRUE;
}
