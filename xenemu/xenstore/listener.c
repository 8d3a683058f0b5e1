/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.c - a Unix socket that somebody may connect to
 */
#include "xenstore/listener.h"
#include <gio/gunixsocketaddress.h>
#include <unistd.h>

/**
 * struct listener - see listener.h
 * @service: GLib's
 * @path:    of the socket
 * @connected, @opaque: whom to tell
 */
struct listener {
	GSocketService *service;
	char *path;
	void (*connected)(void *opaque, GSocketConnection *stream);
	void *opaque;
};

static gboolean on_incoming(GSocketService *service G_GNUC_UNUSED, GSocketConnection *stream,
			    GObject *source G_GNUC_UNUSED, gpointer opaque)
{
	struct listener *listener = opaque;

	listener->connected(listener->opaque, stream);
	return TRUE;
}

struct listener *listener_new(const char *path,
			      void (*connected)(void *opaque, GSocketConnection *stream),
			      void *opaque, GError **error)
{
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocketService) service = g_socket_service_new();
	struct listener *listener;

	if (!g_socket_listener_add_address(G_SOCKET_LISTENER(service), address,
					   G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
					   NULL, NULL, error)) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	listener = g_new0(struct listener, 1);
	listener->path = g_strdup(path);
	listener->connected = connected;
	listener->opaque = opaque;
	g_signal_connect(service, "incoming", G_CALLBACK(on_incoming), listener);
	listener->service = g_steal_pointer(&service);
	return listener;
}

void listener_free(struct listener *listener)
{
	/* The service lives on until the main loop has ended its accept. */
	g_signal_handlers_disconnect_by_data(listener->service, listener);
	g_socket_service_stop(listener->service);
	g_socket_listener_close(G_SOCKET_LISTENER(listener->service));
	g_object_unref(listener->service);
	unlink(listener->path);
	g_free(listener->path);
	g_free(listener);
}
