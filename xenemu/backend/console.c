/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.c - the PV console: a ring in guest memory against two descriptors
 *
 * Our own indices are kept here and only published in the page; the guest's are read
 * once and checked.
 *
 * Descriptors are inherited, and their O_NONBLOCK is shared with whoever gave them to
 * us, a shell for instance.  So it is not touched: terminals and pipes are opened
 * again through /proc, which makes a description of our own, and where that fails each
 * read and write is preceded by poll() and small enough not to block after it.
 */
#include "backend/console.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/io/console.h>

#define IN_SIZE sizeof(((struct xencons_interface *)NULL)->in)
#define OUT_SIZE sizeof(((struct xencons_interface *)NULL)->out)

/* The ring is drained while less than this is queued; then the guest waits. */
#define QUEUE_SOFT (16 << 10)
/* console_io can't wait: above this its output is lost. */
#define QUEUE_HARD (256 << 10)

#define ESCAPE 0x1d /* Ctrl-] */

/* A reader that takes nothing for so long is not waited for at the end. */
#define FLUSH_PATIENCE_MS 10000

/**
 * struct console - see console.h
 * @page:     the shared page
 * @in_prod, @out_cons: our indices
 * @in, @out: descriptors, -1 for none (any more)
 * @own_in, @own_out: we opened them
 * @in_is_tty: look for the escape character
 * @queue:    what is to be written
 * @heard:    the guest has sent an event: it listens to ours
 * @broken:   the guest's indices were nonsense: no longer served
 * @lossy:    output was lost; said once
 * @in_source, @out_source: GLib sources that wait for the descriptors, or 0
 */
struct console {
	struct xencons_interface *page;
	XENCONS_RING_IDX in_prod, out_cons;
	int in, out;
	gboolean own_in, own_out;
	gboolean in_is_tty;
	GByteArray *queue;
	gboolean heard;
	gboolean broken;
	gboolean lossy;
	guint in_source, out_source;
	void (*notify)(void *opaque);
	void (*escape)(void *opaque);
	void *opaque;
};

static XENCONS_RING_IDX load(const XENCONS_RING_IDX *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/* With a full barrier: the guest may notify depending on what it reads here. */
static void publish(XENCONS_RING_IDX *index, XENCONS_RING_IDX value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void console_break(struct console *con, const char *reason)
{
	con->broken = TRUE;
	g_clear_handle_id(&con->in_source, g_source_remove);
	g_printerr("xenemu: console: %s; the guest's console is no longer served\n", reason);
}

/* Bytes that the guest has put into its ring; 0 when the console is broken. */
static uint32_t ring_used(struct console *con)
{
	uint32_t used;

	if (con->broken)
		return 0;
	used = load(&con->page->out_prod) - con->out_cons;
	if (used <= OUT_SIZE)
		return used;
	console_break(con, "the guest's output index is more than a ring ahead");
	return 0;
}

/* Moves up to @max bytes from the ring to the queue; returns how many. */
static size_t drain(struct console *con, size_t max)
{
	size_t done = 0;
	uint32_t used;

	while (done < max && (used = ring_used(con))) {
		uint32_t at = MASK_XENCONS_IDX(con->out_cons, con->page->out);
		size_t len = MIN(MIN(used, OUT_SIZE - at), max - done);

		g_byte_array_append(con->queue, (const guint8 *)con->page->out + at, len);
		con->out_cons += len;
		publish(&con->page->out_cons, con->out_cons);
		done += len;
	}
	return done;
}

static void output_gone(struct console *con, const char *why)
{
	g_printerr("xenemu: console: output is gone (%s), what the guest prints is lost\n",
		   why);
	g_clear_handle_id(&con->out_source, g_source_remove);
	if (con->own_out)
		close(con->out);
	con->out = -1;
	con->own_out = FALSE;
	g_byte_array_set_size(con->queue, 0);
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
static gboolean write_some(struct console *con)
{
	size_t len = MIN(con->queue->len, PIPE_BUF);
	ssize_t done;

	if (!len || !writable(con->out))
		return FALSE;
	done = write(con->out, con->queue->data, len);
	if (done < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return FALSE;
		output_gone(con, g_strerror(errno));
		return TRUE;
	}
	g_byte_array_remove_range(con->queue, 0, done);
	return done > 0;
}

/* Moves output on as far as it goes now; returns how many bytes left the ring. */
static size_t move_output(struct console *con)
{
	size_t room, drained, total = 0;

	do {
		room = con->queue->len < QUEUE_SOFT ? QUEUE_SOFT - con->queue->len : 0;
		drained = drain(con, MIN(room, OUT_SIZE));
		total += drained;
		if (con->out < 0)
			g_byte_array_set_size(con->queue, 0);
	} while ((write_some(con) || drained) && total < QUEUE_SOFT);
	return total;
}

static gboolean out_ready(gint fd, GIOCondition condition, gpointer opaque);

/*
 * The guest may wait for room in the ring.  But before it has sent an event
 * itself it need not be ready for ours: Mini-OS of Xen 3.0.3 fills the ring
 * before it has any handler.
 */
static void tell_room(struct console *con, size_t drained)
{
	if (drained && con->heard)
		con->notify(con->opaque);
}

static void console_output(struct console *con)
{
	tell_room(con, move_output(con));
	if (con->out >= 0 && !con->out_source && (con->queue->len || ring_used(con)))
		con->out_source =
			g_unix_fd_add(con->out, G_IO_OUT | G_IO_ERR | G_IO_HUP, out_ready, con);
}

static gboolean out_ready(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			  gpointer opaque)
{
	struct console *con = opaque;

	con->out_source = 0;
	console_output(con);
	return G_SOURCE_REMOVE;
}

void console_write(struct console *con, const char *bytes, size_t len)
{
	size_t drained = 0;

	if (con->queue->len + OUT_SIZE + len <= QUEUE_HARD) {
		/* What is in the ring was written before. */
		drained = drain(con, OUT_SIZE);
		g_byte_array_append(con->queue, (const guint8 *)bytes, len);
	} else if (!con->lossy) {
		con->lossy = TRUE;
		g_printerr("xenemu: console: the reader is too slow, output was lost\n");
	}
	tell_room(con, drained);
	console_output(con);
}

/* Room in the input ring, bytes; 0 when the console is broken. */
static uint32_t input_room(struct console *con)
{
	uint32_t used;

	if (con->broken)
		return 0;
	used = con->in_prod - load(&con->page->in_cons);
	if (used <= IN_SIZE)
		return IN_SIZE - used;
	console_break(con, "the guest consumed input that was never sent");
	return 0;
}

/* @len is at most the room that there is. */
static void put_input(struct console *con, const char *bytes, size_t len)
{
	uint32_t at = MASK_XENCONS_IDX(con->in_prod, con->page->in);
	size_t first = MIN(len, IN_SIZE - at);

	if (!len)
		return;
	memcpy(con->page->in + at, bytes, first);
	memcpy(con->page->in, bytes + first, len - first);
	con->in_prod += len;
	publish(&con->page->in_prod, con->in_prod);
	con->notify(con->opaque);
}

static size_t without_escape(char *bytes, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != ESCAPE)
			bytes[kept++] = bytes[i];
	return kept;
}

static void input_ended(struct console *con)
{
	if (con->own_in)
		close(con->in);
	con->own_in = FALSE;
	con->in = -1;
}

static gboolean readable(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

/* Reads what there is and fits; -1 when there is nothing now, 0 at the end of input. */
static ssize_t read_input(struct console *con, char *bytes, size_t room)
{
	ssize_t len;

	if (!readable(con->in))
		return -1;
	len = read(con->in, bytes, room);
	if (len < 0 && errno != EAGAIN && errno != EINTR)
		return 0;
	return len;
}

static gboolean in_ready(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			 gpointer opaque)
{
	struct console *con = opaque;
	char bytes[IN_SIZE];
	uint32_t room = input_room(con);
	ssize_t len;
	size_t kept;

	if (con->broken)
		return G_SOURCE_REMOVE;
	len = room ? read_input(con, bytes, room) : -1;
	if (len < 0 && room)
		return G_SOURCE_CONTINUE;
	if (len <= 0) {
		/* The end, or a full ring: then console_kick() goes on. */
		con->in_source = 0;
		if (!len)
			input_ended(con);
		return G_SOURCE_REMOVE;
	}
	kept = con->in_is_tty ? without_escape(bytes, len) : (size_t)len;
	put_input(con, bytes, kept);
	/* Last, as the console may be gone after it. */
	if (kept < (size_t)len && con->escape)
		con->escape(con->opaque);
	return G_SOURCE_CONTINUE;
}

static void console_input(struct console *con)
{
	if (con->in >= 0 && !con->in_source && input_room(con))
		con->in_source =
			g_unix_fd_add(con->in, G_IO_IN | G_IO_ERR | G_IO_HUP, in_ready, con);
}

void console_kick(struct console *con)
{
	con->heard = TRUE;
	console_output(con);
	console_input(con);
}

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

struct console *console_new(void *page, int in, int out, void (*notify)(void *opaque),
			    void (*escape)(void *opaque), void *opaque)
{
	struct console *con = g_new0(struct console, 1);
	int own_in = reopen(in, O_RDONLY), own_out = reopen(out, O_WRONLY);

	con->page = page;
	con->in_prod = load(&con->page->in_prod);
	con->out_cons = load(&con->page->out_cons);
	con->own_in = own_in >= 0;
	con->own_out = own_out >= 0;
	con->in = con->own_in ? own_in : in;
	con->out = con->own_out ? own_out : out;
	con->in_is_tty = in >= 0 && isatty(in);
	con->queue = g_byte_array_new();
	con->notify = notify;
	con->escape = escape;
	con->opaque = opaque;
	console_input(con);
	return con;
}

/* FALSE when the reader took nothing for too long. */
static gboolean wait_writable(struct console *con)
{
	struct pollfd pollfd = { .fd = con->out, .events = POLLOUT };
	int ready;

	do
		ready = poll(&pollfd, 1, FLUSH_PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

void console_flush(struct console *con)
{
	/* Not what a guest that still runs adds meanwhile: this must end. */
	size_t left = ring_used(con);

	while (con->out >= 0 && (left || con->queue->len)) {
		left -= drain(con, MIN(left, OUT_SIZE));
		if (con->broken)
			left = 0;
		if (write_some(con) || wait_writable(con))
			continue;
		g_printerr("xenemu: console: nobody reads the output, %u bytes are lost\n",
			   con->queue->len);
		return;
	}
}

void console_free(struct console *con)
{
	if (!con)
		return;
	g_clear_handle_id(&con->in_source, g_source_remove);
	g_clear_handle_id(&con->out_source, g_source_remove);
	if (con->own_in)
		close(con->in);
	if (con->own_out)
		close(con->out);
	g_byte_array_unref(con->queue);
	g_free(con);
}
