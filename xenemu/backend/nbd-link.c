/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nbd-link.c - one connection to an NBD server, served by the main loop
 */
#include "backend/nbd-link.h"
#include "backend/nbd-dial.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/**
 * struct nbd_link - a GSource around a handle of libnbd
 * @dial:     has the handle while the server's name is looked up, or NULL
 * @fd, @events, @tag: what is polled: libnbd may change its descriptor while it connects
 * @kicked:   moved() is to be called
 * @why:      first error
 */
struct nbd_link {
	GSource source;
	struct nbd_dial *dial;
	struct nbd_handle *nbd;
	int fd;
	GIOCondition events;
	gpointer tag;
	gboolean kicked;
	char *why;
	void (*moved)(void *opaque);
	void *opaque;
};

enum nbd_link_state nbd_link_state(const struct nbd_link *link)
{
	if (link->dial)
		return NBD_LINK_CONNECTING;
	if (!link->nbd || nbd_aio_is_dead(link->nbd) || nbd_aio_is_closed(link->nbd))
		return NBD_LINK_DOWN;
	if (nbd_aio_is_ready(link->nbd) || nbd_aio_is_processing(link->nbd))
		return NBD_LINK_UP;
	return link->why ? NBD_LINK_DOWN : NBD_LINK_CONNECTING;
}

gboolean nbd_link_looks_up(const struct nbd_link *link)
{
	return link->dial != NULL;
}

static void keep_error(struct nbd_link *link)
{
	const char *error = nbd_get_error();

	if (!link->why)
		link->why = g_strdup(error ? error : "connection closed");
}

const char *nbd_link_why(const struct nbd_link *link)
{
	return link->why ? link->why : "connection closed by the server";
}

/* --- in the main loop --- */

static GIOCondition wanted(const struct nbd_link *link)
{
	unsigned int direction = nbd_aio_get_direction(link->nbd);

	return (direction & LIBNBD_AIO_DIRECTION_READ ? G_IO_IN | G_IO_HUP : 0) |
	       (direction & LIBNBD_AIO_DIRECTION_WRITE ? G_IO_OUT : 0);
}

/* Only what changed: to tell GLib wakes the main loop, and would keep it awake. */
static void watch(struct nbd_link *link)
{
	int fd = nbd_aio_get_fd(link->nbd);
	GIOCondition events = wanted(link);

	if (fd == link->fd && events == link->events)
		return;
	if (fd != link->fd && link->tag)
		g_source_remove_unix_fd(&link->source, g_steal_pointer(&link->tag));
	if (link->tag)
		g_source_modify_unix_fd(&link->source, link->tag, events);
	else if (fd >= 0)
		link->tag = g_source_add_unix_fd(&link->source, fd, events);
	link->fd = fd;
	link->events = events;
}

static gboolean prepare(GSource *source, gint *timeout)
{
	struct nbd_link *link = (struct nbd_link *)source;

	*timeout = -1;
	if (link->dial || nbd_link_state(link) == NBD_LINK_DOWN)
		return link->kicked;
	watch(link);
	return link->kicked;
}

static gboolean check(GSource *source)
{
	struct nbd_link *link = (struct nbd_link *)source;

	return link->kicked || (link->tag && g_source_query_unix_fd(source, link->tag) != 0);
}

/* Let libnbd do what the descriptor is ready for. */
static void serve(struct nbd_link *link, GIOCondition ready)
{
	unsigned int direction = nbd_aio_get_direction(link->nbd);
	int ret = 0;

	if (ready & (G_IO_IN | G_IO_HUP | G_IO_ERR) && direction & LIBNBD_AIO_DIRECTION_READ)
		ret = nbd_aio_notify_read(link->nbd);
	else if (ready & (G_IO_OUT | G_IO_HUP | G_IO_ERR) &&
		 direction & LIBNBD_AIO_DIRECTION_WRITE)
		ret = nbd_aio_notify_write(link->nbd);
	if (ret)
		keep_error(link);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
	struct nbd_link *link = (struct nbd_link *)source;
	GIOCondition ready = link->tag ? g_source_query_unix_fd(source, link->tag) : 0;

	(void)callback;
	(void)user_data;
	link->kicked = FALSE;
	if (ready && nbd_link_state(link) != NBD_LINK_DOWN)
		serve(link, ready);
	link->moved(link->opaque);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs functions = { .prepare = prepare, .check = check, .dispatch = dispatch };

/* --- life --- */

static void dialed(void *opaque)
{
	struct nbd_link *link = opaque;

	link->nbd = nbd_dial_take(g_steal_pointer(&link->dial), &link->why);
	link->kicked = TRUE;
}

/* Those of a local socket have none to be looked up. */
static gboolean has_host(const char *uri)
{
	return g_str_has_prefix(uri, "nbd://") || g_str_has_prefix(uri, "nbds://");
}

/* Return: the handle, if it can be used already. */
static struct nbd_handle *connect_handle(struct nbd_link *link, const char *uri, int socket)
{
	struct nbd_handle *nbd = nbd_create();
	int ret;

	if (!nbd) {
		keep_error(link);
		if (!uri)
			close(socket);
		return NULL;
	}
	if (uri && has_host(uri)) {
		link->dial = nbd_dial_new(nbd, uri, dialed, link);
		return NULL;
	}
	if (uri)
		ret = nbd_aio_connect_uri(nbd, uri);
	else
		ret = nbd_set_export_name(nbd, "disk") || nbd_aio_connect_socket(nbd, socket);
	if (ret)
		keep_error(link);
	return nbd;
}

struct nbd_link *nbd_link_new(const char *uri, int socket, void (*moved)(void *opaque),
			      void *opaque)
{
	struct nbd_link *link =
		(struct nbd_link *)g_source_new(&functions, sizeof(struct nbd_link));

	link->fd = -1;
	link->moved = moved;
	link->opaque = opaque;
	link->nbd = connect_handle(link, uri, socket);
	link->kicked = TRUE;
	g_source_attach(&link->source, NULL);
	return link;
}

enum nbd_link_state nbd_link_wait(struct nbd_link *link, unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	gint64 left;

	if (link->dial && !nbd_dial_wait(link->dial, ms))
		return NBD_LINK_CONNECTING;
	if (link->dial)
		dialed(link);
	left = (end - g_get_monotonic_time()) / 1000;
	while (nbd_link_state(link) == NBD_LINK_CONNECTING && left > 0) {
		if (nbd_poll(link->nbd, left) < 0)
			keep_error(link);
		left = (end - g_get_monotonic_time()) / 1000;
	}
	return nbd_link_state(link);
}

struct nbd_handle *nbd_link_handle(const struct nbd_link *link)
{
	return link->nbd;
}

void nbd_link_keepalive(struct nbd_link *link, unsigned int ms)
{
	int fd = nbd_aio_get_fd(link->nbd);
	int on = 1, idle = ms / 3000, interval = ms / 6000;

	/* These are TCP's; on a local socket they fail, where they aren't needed. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

void nbd_link_kick(struct nbd_link *link)
{
	link->kicked = TRUE;
}

void nbd_link_free(struct nbd_link *link)
{
	if (!link)
		return;
	g_source_destroy(&link->source);
	nbd_dial_free(link->dial);
	if (link->nbd) {
		if (nbd_aio_is_ready(link->nbd))
			nbd_aio_disconnect(link->nbd, 0);
		nbd_close(link->nbd);
	}
	g_free(link->why);
	g_source_unref(&link->source);
}
