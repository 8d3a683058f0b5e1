/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-io.c - a console's descriptors: input when the guest has room, output as the
 * reader takes it
 *
 * Inherited descriptors share their O_NONBLOCK with whoever gave them to us, a shell for
 * instance.  So it is not touched: terminals and pipes are opened again through /proc,
 * which makes a description of our own, and where that fails each read and write is
 * preceded by poll() and small enough not to block after it.
 */
#include "backend/console-io-private.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* While less than this is queued, there is room for more. */
#define QUEUE_SOFT (16 << 10)

#define READ_SIZE 1024 /* the input ring */

#define ESCAPE 0x1d /* Ctrl-] */

#define PATIENCE_MS 10000

/* --- output --- */

size_t console_io_room(const struct console_io *io)
{
	if (io->keeps || io->out < 0)
		return QUEUE_SOFT;
	return io->queue->len < QUEUE_SOFT ? QUEUE_SOFT - io->queue->len : 0;
}

/* More than is needed, so that not each write moves all of it. */
static void drop_oldest(struct console_io *io)
{
	if (io->queue->len > CONSOLE_KEEP)
		g_byte_array_remove_range(io->queue, 0, io->queue->len - CONSOLE_KEEP / 4 * 3);
}

void console_io_write(struct console_io *io, const char *bytes, size_t len)
{
	if (io->log)
		console_log_write(io->log, bytes, len);
	if (!io->keeps && io->out < 0)
		return;
	g_byte_array_append(io->queue, (const guint8 *)bytes, len);
	if (io->keeps)
		drop_oldest(io);
}

static void close_in(struct console_io *io)
{
	g_clear_pointer(&io->in_watch, watch_free);
	if (io->own_in)
		close(io->in);
	io->own_in = FALSE;
	io->in = -1;
}

static void close_out(struct console_io *io)
{
	g_clear_handle_id(&io->out_source, g_source_remove);
	if (io->own_out)
		close(io->out);
	io->own_out = FALSE;
	io->out = -1;
}

void console_io_close(struct console_io *io)
{
	close_in(io);
	close_out(io);
}

/* A client may come back, and gets the rest; nobody else does. */
static void output_gone(struct console_io *io, const char *why)
{
	if (io->listener >= 0) {
		console_io_close(io);
		return;
	}
	g_printerr("xenemu: %s: output is gone (%s), what the guest prints is lost\n",
		   io->label, why);
	close_out(io);
	g_byte_array_set_size(io->queue, 0);
}

/* A file may take what comes next: a full disk is not the end of it. */
static void piece_lost(struct console_io *io, size_t len, int err)
{
	gboolean full = err == ENOSPC || err == EDQUOT;

	if (!io->lost)
		g_printerr(
			"xenemu: %s: %s: %s; output is missing there until it can be written "
			"again%s\n",
			io->label, io->file, g_strerror(err), full ? ": make room" : "");
	io->lost = TRUE;
	g_byte_array_remove_range(io->queue, 0, len);
}

static gboolean writable(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

	return poll(&pollfd, 1, 0) == 1;
}

/*
 * Writes some of the queue without blocking: POLLOUT promises room for PIPE_BUF bytes
 * in a pipe.  FALSE if nothing of it could be got rid of.
 */
static gboolean write_some(struct console_io *io)
{
	size_t len = MIN(io->queue->len, PIPE_BUF);
	ssize_t done;

	if (io->out < 0 || !len || !writable(io->out))
		return FALSE;
	done = write(io->out, io->queue->data, len);
	if (done < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return FALSE;
		if (io->file)
			piece_lost(io, len, errno);
		else
			output_gone(io, g_strerror(errno));
		return TRUE;
	}
	io->lost = FALSE;
	g_byte_array_remove_range(io->queue, 0, done);
	return done > 0;
}

static gboolean out_ready(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			  gpointer opaque)
{
	struct console_io *io = opaque;

	io->out_source = 0;
	console_io_push(io);
	if (io->user)
		io->user->writable(io->user_opaque);
	return G_SOURCE_REMOVE;
}

gboolean console_io_push(struct console_io *io)
{
	gboolean some = FALSE;

	while (write_some(io))
		some = TRUE;
	if (io->out >= 0 && io->queue->len && !io->out_source)
		io->out_source =
			g_unix_fd_add(io->out, G_IO_OUT | G_IO_ERR | G_IO_HUP, out_ready, io);
	return some;
}

/* FALSE when the reader took nothing for too long. */
static gboolean wait_writable(struct console_io *io, int patience_ms)
{
	struct pollfd pollfd = { .fd = io->out, .events = POLLOUT };
	int ready;

	do
		ready = poll(&pollfd, 1, patience_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

void console_io_flush(struct console_io *io)
{
	int patience_ms = io->tty ? console_pty_patience(io, PATIENCE_MS) : PATIENCE_MS;

	while (io->out >= 0 && io->queue->len) {
		if (write_some(io) || wait_writable(io, patience_ms))
			continue;
		if (patience_ms)
			g_printerr("xenemu: %s: nobody reads the output, %u bytes are lost\n",
				   io->label, io->queue->len);
		return;
	}
	if (io->tty && patience_ms)
		console_pty_drain(io, patience_ms);
}

/* --- input --- */

static size_t without_escape(char *bytes, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != ESCAPE)
			bytes[kept++] = bytes[i];
	return kept;
}

/* A client that has sent all it wants to may still read. */
static void input_ended(struct console_io *io)
{
	if (io->in != io->out) {
		close_in(io);
		return;
	}
	io->own_out = io->own_in;
	io->own_in = FALSE;
	io->in = -1;
}

static gboolean readable(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

/* Reads what there is and fits; -1 when there is nothing now, 0 at the end of input. */
static ssize_t read_input(struct console_io *io, char *bytes, size_t room)
{
	ssize_t len;

	if (!readable(io->in))
		return -1;
	len = read(io->in, bytes, room);
	if (len < 0 && errno != EAGAIN && errno != EINTR)
		return 0;
	return len;
}

static gboolean in_ready(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			 gpointer opaque)
{
	struct console_io *io = opaque;
	size_t room = io->user ? io->user->room(io->user_opaque) : 0;
	char bytes[READ_SIZE];
	ssize_t len;
	size_t kept;

	if (!room) {
		/* console_io_want() goes on. */
		io->in_watch = NULL;
		return G_SOURCE_REMOVE;
	}
	len = read_input(io, bytes, MIN(room, sizeof(bytes)));
	if (len < 0)
		return G_SOURCE_CONTINUE;
	if (!len) {
		g_clear_pointer(&io->in_watch, watch_free);
		input_ended(io);
		return G_SOURCE_CONTINUE;
	}
	kept = io->in_is_tty ? without_escape(bytes, len) : (size_t)len;
	if (kept)
		io->user->input(io->user_opaque, bytes, kept);
	/* Last, as this may be gone after it. */
	if (kept < (size_t)len && io->escape)
		io->escape(io->escape_opaque);
	return G_SOURCE_CONTINUE;
}

void console_io_want(struct console_io *io)
{
	if (io->user && io->in >= 0 && !io->in_watch)
		io->in_watch = watch_new(io->in, G_IO_IN | G_IO_ERR | G_IO_HUP, in_ready, io);
}

void console_io_attach(struct console_io *io, const struct console_io_user *user, void *opaque)
{
	io->user = user;
	io->user_opaque = opaque;
	if (user)
		console_io_want(io);
	else
		g_clear_pointer(&io->in_watch, watch_free);
}

/* --- making it --- */

/*
 * A description of our own for a terminal or pipe, or -1.  Not for files: it would
 * have its own position, and overwrite what others write through the inherited one.
 */
static int reopen(int fd, int flags)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) || !(S_ISFIFO(stat.st_mode) || isatty(fd)))
		return -1;
	return open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static gboolean is_file(int fd)
{
	struct stat stat;

	return fd >= 0 && !fstat(fd, &stat) && S_ISREG(stat.st_mode);
}

static struct console_io *new_io(char *label)
{
	struct console_io *io = g_new0(struct console_io, 1);

	io->label = label;
	io->in = io->out = io->slave = io->listener = -1;
	io->queue = g_byte_array_new();
	io->made = g_ptr_array_new_with_free_func(g_free);
	return io;
}

static void use_inherited(struct console_io *io, int in, int out)
{
	int own_in = reopen(in, O_RDONLY), own_out = reopen(out, O_WRONLY);

	io->own_in = own_in >= 0;
	io->own_out = own_out >= 0;
	io->in = io->own_in ? own_in : in;
	io->out = io->own_out ? own_out : out;
	io->in_is_tty = in >= 0 && isatty(in);
	if (is_file(io->out)) {
		g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", io->out);

		io->file = g_file_read_link(link, NULL);
		if (!io->file)
			io->file = g_strdup("its file");
	}
}

struct console_io *console_io_new(int in, int out, void (*escape)(void *opaque), void *opaque)
{
	struct console_io *io = new_io(g_strdup("console"));

	use_inherited(io, in, out);
	io->escape = escape;
	io->escape_opaque = opaque;
	return io;
}

gboolean console_io_fail(GError **error, const char *what, const char *path, const char *advice)
{
	g_set_error(error, CONSOLE_IO_ERROR, 0, "--console %s: %s: %s; %s", what, path,
		    g_strerror(errno), advice);
	return FALSE;
}

/* Not blocking: a FIFO without a reader is refused at once. */
static gboolean open_output(struct console_io *io, const char *path, GError **error)
{
	io->out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		       0600);
	io->own_out = io->out >= 0;
	if (is_file(io->out))
		io->file = g_strdup(path);
	return io->own_out ||
	       console_io_fail(error, "file", path, "name a file that can be written");
}

static gboolean open_kind(struct console_io *io, const struct console_spec *spec,
			  GError **error)
{
	switch (spec->kind) {
	case CONSOLE_STDIO:
		use_inherited(io, spec->no_input ? -1 : STDIN_FILENO, STDOUT_FILENO);
		io->escape = spec->escape;
		io->escape_opaque = spec->opaque;
		return TRUE;
	case CONSOLE_FILE:
		return open_output(io, spec->path, error);
	case CONSOLE_PTY:
		return console_pty_open(io, spec, error);
	case CONSOLE_UNIX:
		return console_socket_open(io, spec, error);
	}
	return FALSE;
}

struct console_io *console_io_open(const struct console_spec *spec, GError **error)
{
	struct console_io *io =
		new_io(g_strdup_printf("%s%sconsole %u", spec->guest ? spec->guest : "",
				       spec->guest ? ": " : "", spec->index));

	if (spec->log)
		io->log = console_log_new(spec->log, spec->log_size, error);
	if ((!spec->log || io->log) && open_kind(io, spec, error))
		return io;
	console_io_free(io);
	return NULL;
}

const char *console_io_tty(const struct console_io *io)
{
	return io->tty;
}

void console_io_free(struct console_io *io)
{
	if (!io)
		return;
	console_io_close(io);
	g_clear_pointer(&io->listen_watch, watch_free);
	if (io->slave >= 0)
		close(io->slave);
	if (io->listener >= 0)
		close(io->listener);
	for (unsigned int i = 0; i < io->made->len; i++)
		unlink(io->made->pdata[i]);
	g_ptr_array_unref(io->made);
	console_log_free(io->log);
	g_byte_array_unref(io->queue);
	g_free(io->tty);
	g_free(io->label);
	g_free(io->file);
	g_free(io);
}
