/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.c - descriptors that the main loop looks at for as long as a guest runs
 */
#include "machine/watch.h"
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

G_STATIC_ASSERT((int)G_IO_IN == EPOLLIN && (int)G_IO_OUT == EPOLLOUT &&
		(int)G_IO_ERR == EPOLLERR && (int)G_IO_HUP == EPOLLHUP);

#define READY_AT_A_TIME 16

/**
 * struct watch - one descriptor
 * @fd, @func, @opaque: see watch.h
 * @source:  GLib's, where it is not in the set; else 0
 * @is_dead: freed, but something may still point to it
 * @next:    of the dead
 */
struct watch {
	int fd;
	GUnixFDSourceFunc func;
	gpointer opaque;
	guint source;
	gboolean is_dead;
	struct watch *next;
};

/**
 * struct set - all that are watched: one a process, like the default main context
 * @source: GLib's, NULL before the first watch
 * @fd:     the epoll set
 * @tag:    GLib's name for @fd
 * @wakeup: what else GLib polls at all times: wakes it for other threads; -1 at first
 * @ready, @nr_ready: found by wait_for(), and not dispatched yet
 * @turn:   counts dispatch()es
 * @depth:  calls that are under way, one inside the other
 * @dead:   what is to be freed when none runs any more
 */
static struct set {
	GSource *source;
	int fd;
	gpointer tag;
	int wakeup;
	struct epoll_event ready[READY_AT_A_TIME];
	int nr_ready;
	unsigned int turn;
	unsigned int depth;
	struct watch *dead;
} set;

static void bury(void)
{
	while (set.dead) {
		struct watch *watch = set.dead;

		set.dead = watch->next;
		g_free(watch);
	}
}

static void call(struct watch *watch, GIOCondition ready)
{
	if (!watch->is_dead && !watch->func(watch->fd, ready, watch->opaque) && !watch->is_dead)
		watch_free(watch);
}

/* What is freed in a call stays until the last call is over. */
static void leave(void)
{
	if (!--set.depth)
		bury();
}

/* One that epoll would not have. */
static gboolean polled(gint fd G_GNUC_UNUSED, GIOCondition ready, gpointer opaque)
{
	set.depth++;
	call(opaque, ready);
	leave();
	return G_SOURCE_CONTINUE;
}

/* --- in the main loop --- */

/* Without it GLib would be deaf for other threads. */
static gboolean has_wakeup(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

	if (set.wakeup < 0 && !epoll_ctl(set.fd, EPOLL_CTL_ADD, fd, &event))
		set.wakeup = fd;
	return set.wakeup == fd;
}

/* GLib's wakeup is told apart by its data; the others are kept for dispatch(). */
static gboolean sort_out(int nr)
{
	gboolean woken = FALSE;

	set.nr_ready = 0;
	for (int i = 0; i < nr; i++) {
		if (set.ready[i].data.ptr)
			set.ready[set.nr_ready++] = set.ready[i];
		else
			woken = TRUE;
	}
	return woken;
}

/*
 * GLib's poll(): as a rule there is nothing but the set and GLib's wakeup, which is in the
 * set as well, so that one call does for poll() and for dispatch()'s.
 */
static gint wait_for(GPollFD *fds, guint nr, gint timeout)
{
	GPollFD *ours = &fds[nr == 2 && fds[1].fd == set.fd];
	GPollFD *other = &fds[ours == fds];
	int found;

	set.nr_ready = 0;
	if (nr != 2 || ours->fd != set.fd || !has_wakeup(other->fd))
		return g_poll(fds, nr, timeout);
	found = epoll_wait(set.fd, set.ready, READY_AT_A_TIME, timeout);
	other->revents = sort_out(found) ? G_IO_IN : 0;
	ours->revents = set.nr_ready ? G_IO_IN : 0;
	return found < 0 ? found : !!other->revents + !!ours->revents;
}

static gboolean check(GSource *source)
{
	return g_source_query_unix_fd(source, set.tag) != 0;
}

/* What wait_for() found, or if GLib has polled, what there is. */
static int take_ready(struct epoll_event *ready)
{
	int nr = set.nr_ready;

	if (!nr) {
		sort_out(epoll_wait(set.fd, set.ready, READY_AT_A_TIME, 0));
		nr = set.nr_ready;
	}
	memcpy(ready, set.ready, nr * sizeof(*ready));
	set.nr_ready = 0;
	return nr;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct epoll_event ready[READY_AT_A_TIME];
	int nr = take_ready(ready);
	unsigned int turn = ++set.turn;

	(void)source;
	(void)callback;
	(void)opaque;
	set.depth++;
	/* A call that ran the main loop has made the rest old. */
	for (int i = 0; i < nr && set.turn == turn; i++)
		call(ready[i].data.ptr, ready[i].events);
	leave();
	return G_SOURCE_CONTINUE;
}

/*
 * While a source is dispatched GLib takes its descriptors out of what it polls and puts
 * them back afterwards, and wakes itself for each by a write to its own eventfd (GLib
 * 2.74 gmain.c, block_source()).  One that may recurse is spared that.
 */
static gboolean make_set(void)
{
	static GSourceFuncs funcs = { .check = check, .dispatch = dispatch };

	if (set.source)
		return TRUE;
	set.fd = epoll_create1(EPOLL_CLOEXEC);
	if (set.fd < 0)
		return FALSE;
	set.wakeup = -1;
	g_main_context_set_poll_func(NULL, wait_for);
	set.source = g_source_new(&funcs, sizeof(GSource));
	g_source_set_can_recurse(set.source, TRUE);
	set.tag = g_source_add_unix_fd(set.source, set.fd, G_IO_IN);
	g_source_attach(set.source, NULL);
	return TRUE;
}

struct watch *watch_new(int fd, GIOCondition condition, GUnixFDSourceFunc func, gpointer opaque)
{
	struct watch *watch = g_new0(struct watch, 1);
	struct epoll_event event = { .events = condition, .data.ptr = watch };

	watch->fd = fd;
	watch->func = func;
	watch->opaque = opaque;
	if (!make_set() || epoll_ctl(set.fd, EPOLL_CTL_ADD, fd, &event) < 0)
		watch->source = g_unix_fd_add(fd, condition, polled, watch);
	return watch;
}

void watch_free(struct watch *watch)
{
	if (!watch->source)
		epoll_ctl(set.fd, EPOLL_CTL_DEL, watch->fd, NULL);
	else
		g_source_remove(watch->source);
	for (int i = 0; i < set.nr_ready; i++)
		if (set.ready[i].data.ptr == watch)
			set.ready[i--] = set.ready[--set.nr_ready];
	watch->is_dead = TRUE;
	watch->next = set.dead;
	set.dead = watch;
	if (!set.depth)
		bury();
}
