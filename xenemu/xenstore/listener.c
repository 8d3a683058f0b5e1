/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.c - a Unix socket that somebody may connect to
 *
 * A GSocketService does the same with an asynchronous accept that is always under way,
 * whose descriptor GLib would poll with each request of the guest: machine/watch.h.
 */
#include "xenstore/listener.h"
#include "machine/watch.h"
#include <gio/gunixsocketaddress.h>
#include <unistd.h>

/**
 * struct listener - see listener.h
 * @socket: it
 * @watch:  tells that somebody connects
 * @path:   of the socket
 * @connected, @opaque: whom to tell
 */
struct listener {
	GSocket *socket;
	struct watch *watch;
	char *path;
	void (*connected)(void *opaque, GSocketConnection *stream);
	void *opaque;
};

/* Who hung up before we looked is nobody's business. */
static gboolean on_incoming(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			    gpointer opaque)
{
	struct listener *listener = opaque;
	g_autoptr(GSocket) socket = g_socket_accept(listener->socket, NULL, NULL);
	g_autoptr(GSocketConnection) stream = NULL;

	if (socket) {
		stream = g_socket_connection_factory_create_connection(socket);
		listener->connected(listener->opaque, stream);
	}
	return G_SOURCE_CONTINUE;
}

static GSocket *open_socket(const char *path, GError **error)
{
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
						 G_SOCKET_PROTOCOL_DEFAULT, error);

	if (!socket)
		return NULL;
	g_socket_set_blocking(socket, FALSE);
	if (!g_socket_bind(socket, address, FALSE, error) || !g_socket_listen(socket, error))
		return NULL;
	return g_steal_pointer(&socket);
}

struct listener *listener_new(const char *path,
			      void (*connected)(void *opaque, GSocketConnection *stream),
			      void *opaque, GError **error)
{
	GSocket *socket = open_socket(path, error);
	struct listener *listener;

	if (!socket) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	listener = g_new0(struct listener, 1);
	listener->socket = socket;
	listener->path = g_strdup(path);
	listener->connected = connected;
	listener->opaque = opaque;
	listener->watch = watch_new(g_socket_get_fd(socket), G_IO_IN, on_incoming, listener);
	return listener;
}

void listener_free(struct listener *listener)
{
	watch_free(listener->watch);
	g_object_unref(listener->socket);
	unlink(listener->path);
	g_free(listener->path);
	g_free(listener);
}
