/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.c - the PV console: a ring in guest memory
 *
 * Our own indices are kept here and only published in the page; the guest's are read
 * once and checked.
 */
#include "backend/console.h"
#include <stdint.h>
#include <string.h>
#include <xen/io/console.h>

#define IN_SIZE sizeof(((struct xencons_interface *)NULL)->in)
#define OUT_SIZE sizeof(((struct xencons_interface *)NULL)->out)

/* Moved in one go at most; then others have their turn. */
#define BUDGET (16 << 10)

/**
 * struct console - see console.h
 * @page:     the shared page
 * @io:       where it leads
 * @in_prod, @out_cons: our indices
 * @heard:    the guest has sent an event: it listens to ours
 * @broken:   the guest's indices were nonsense: no longer served
 * @more:     source that goes on after BUDGET, or 0
 */
struct console {
	struct xencons_interface *page;
	struct console_io *io;
	XENCONS_RING_IDX in_prod, out_cons;
	gboolean heard;
	gboolean broken;
	guint more;
	void (*notify)(void *opaque);
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

		console_io_write(con->io, con->page->out + at, len);
		con->out_cons += len;
		publish(&con->page->out_cons, con->out_cons);
		done += len;
	}
	return done;
}

/* Moves output on as far as it goes now; returns how many bytes left the ring. */
static size_t move_output(struct console *con)
{
	size_t drained, total = 0;

	do {
		drained = drain(con, MIN(console_io_room(con->io), OUT_SIZE));
		total += drained;
	} while ((console_io_push(con->io) || drained) && total < BUDGET);
	return total;
}

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

static gboolean go_on(gpointer opaque);

static void console_output(void *opaque)
{
	struct console *con = opaque;

	tell_room(con, move_output(con));
	/* Without room, the descriptors' side calls again. */
	if (!con->more && ring_used(con) && console_io_room(con->io))
		con->more = g_idle_add(go_on, con);
}

static gboolean go_on(gpointer opaque)
{
	struct console *con = opaque;

	con->more = 0;
	console_output(con);
	return G_SOURCE_REMOVE;
}

/* Room in the input ring, bytes.  A broken console takes what is typed and forgets it:
 * there may be Ctrl-] in it. */
static size_t input_room(void *opaque)
{
	struct console *con = opaque;
	uint32_t used;

	if (con->broken)
		return IN_SIZE;
	used = con->in_prod - load(&con->page->in_cons);
	if (used <= IN_SIZE)
		return IN_SIZE - used;
	console_break(con, "the guest consumed input that was never sent");
	return IN_SIZE;
}

/* @len is at most the room that there is. */
static void put_input(void *opaque, const char *bytes, size_t len)
{
	struct console *con = opaque;
	uint32_t at = MASK_XENCONS_IDX(con->in_prod, con->page->in);
	size_t first = MIN(len, IN_SIZE - at);

	if (con->broken)
		return;
	memcpy(con->page->in + at, bytes, first);
	memcpy(con->page->in, bytes + first, len - first);
	con->in_prod += len;
	publish(&con->page->in_prod, con->in_prod);
	con->notify(con->opaque);
}

static const struct console_io_user ring = {
	.room = input_room,
	.input = put_input,
	.writable = console_output,
};

void console_kick(struct console *con)
{
	con->heard = TRUE;
	console_output(con);
	if (input_room(con))
		console_io_want(con->io);
}

struct console *console_new(void *page, struct console_io *io, void (*notify)(void *opaque),
			    void *opaque)
{
	struct console *con = g_new0(struct console, 1);

	con->page = page;
	con->io = io;
	con->in_prod = load(&con->page->in_prod);
	con->out_cons = load(&con->page->out_cons);
	con->notify = notify;
	con->opaque = opaque;
	console_io_attach(io, &ring, con);
	return con;
}

void console_flush(struct console *con)
{
	/* Once, not what a guest that still runs adds meanwhile: this must end. */
	drain(con, ring_used(con));
	console_io_flush(con->io);
}

void console_free(struct console *con)
{
	if (!con)
		return;
	g_clear_handle_id(&con->more, g_source_remove);
	drain(con, ring_used(con));
	console_io_push(con->io);
	console_io_attach(con->io, NULL, NULL);
	g_free(con);
}
