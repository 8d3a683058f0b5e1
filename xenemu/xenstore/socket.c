/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket.c - tools of the host connect to the store through a Unix socket
 *
 * A client that does not read gets no further requests served (connection.h bounds what
 * waits for it), and costs nobody else anything.
 */
#include "xenstore/connection.h"
#include "xenstore/listener.h"
#include "xenstore/xenstore.h"
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

/* Beyond these, whoever connects is disconnected at once. */
#define MAX_CLIENTS 64
/* Parts of messages taken from one client in a turn of the main loop. */
#define BUDGET 64

/**
 * struct xenstore_socket - see xenstore.h
 * @xs:      the store
 * @listener: our end
 * @clients: GPtrArray of struct socket_client
 */
struct xenstore_socket {
	struct xenstore *xs;
	struct listener *listener;
	GPtrArray *clients;
};

/**
 * struct socket_client - somebody who has connected
 * @owner:   the socket
 * @stream:  the connection; owns @fd
 * @fd:      its descriptor
 * @conn:    what it is to the store
 * @in, @out: sources that wait for requests and for room, or 0
 */
struct socket_client {
	struct xenstore_socket *owner;
	GSocketConnection *stream;
	int fd;
	struct connection *conn;
	guint in, out;
};

static gboolean on_in(int fd, GIOCondition condition, gpointer opaque);
static gboolean on_out(int fd, GIOCondition condition, gpointer opaque);

static void set_source(struct socket_client *client, guint *source, gboolean wanted,
		       GIOCondition condition, GUnixFDSourceFunc function)
{
	if (wanted && !*source)
		*source = g_unix_fd_add(client->fd, condition, function, client);
	else if (!wanted)
		g_clear_handle_id(source, g_source_remove);
}

/* Wait for what can be done next.  A client with full queues is not read from. */
static void client_wait(struct socket_client *client)
{
	size_t len;

	set_source(client, &client->in, connection_wants(client->conn) > 0, G_IO_IN, on_in);
	set_source(client, &client->out, connection_pending(client->conn, &len) != NULL,
		   G_IO_OUT, on_out);
}

/* Somebody else's change has queued an event; nothing may be freed here. */
static void client_ready(void *opaque)
{
	struct socket_client *client = opaque;
	size_t len;

	set_source(client, &client->out, connection_pending(client->conn, &len) != NULL,
		   G_IO_OUT, on_out);
}

static void client_free(struct socket_client *client)
{
	set_source(client, &client->in, FALSE, 0, NULL);
	set_source(client, &client->out, FALSE, 0, NULL);
	connection_free(client->conn);
	g_object_unref(client->stream);
	g_free(client);
}

static void client_drop(struct socket_client *client)
{
	g_ptr_array_remove_fast(client->owner->clients, client);
	client_free(client);
}

/* Sends what the socket takes.  FALSE when the client is gone. */
static gboolean client_send(struct socket_client *client)
{
	const void *bytes;
	size_t len;

	while ((bytes = connection_pending(client->conn, &len))) {
		ssize_t sent = send(client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		connection_sent(client->conn, sent);
	}
	return TRUE;
}

/* Takes a part of a message.  FALSE when there is none; *@alive: the client is there. */
static gboolean client_receive(struct socket_client *client, gboolean *alive)
{
	char bytes[XENSTORE_PAYLOAD_MAX];
	size_t wants = connection_wants(client->conn);
	ssize_t got;

	if (!wants)
		return FALSE;
	got = recv(client->fd, bytes, MIN(wants, sizeof(bytes)), MSG_DONTWAIT);
	if (got > 0)
		*alive = connection_feed(client->conn, bytes, got);
	else
		*alive = got < 0 && (errno == EAGAIN || errno == EINTR);
	return got > 0 && *alive;
}

static gboolean on_in(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
		      gpointer opaque)
{
	struct socket_client *client = opaque;
	unsigned int steps = 0;
	gboolean alive = TRUE;

	while (steps < BUDGET && client_receive(client, &alive))
		steps++;
	if (alive && client_send(client))
		client_wait(client);
	else
		client_drop(client);
	return G_SOURCE_CONTINUE;
}

static gboolean on_out(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
		       gpointer opaque)
{
	struct socket_client *client = opaque;

	if (client_send(client))
		client_wait(client);
	else
		client_drop(client);
	return G_SOURCE_CONTINUE;
}

static void on_connected(void *opaque, GSocketConnection *stream)
{
	struct xenstore_socket *sock = opaque;
	struct socket_client *client;

	if (sock->clients->len >= MAX_CLIENTS)
		return;
	client = g_new0(struct socket_client, 1);
	client->owner = sock;
	client->stream = g_object_ref(stream);
	client->fd = g_socket_get_fd(g_socket_connection_get_socket(stream));
	client->conn = connection_new(sock->xs, 0, client_ready, client);
	g_ptr_array_add(sock->clients, client);
	client_wait(client);
}

struct xenstore_socket *xenstore_socket_new(struct xenstore *xs, const char *path,
					    GError **error)
{
	struct xenstore_socket *sock = g_new0(struct xenstore_socket, 1);

	sock->listener = listener_new(path, on_connected, sock, error);
	if (!sock->listener) {
		g_free(sock);
		return NULL;
	}
	sock->xs = xs;
	sock->clients = g_ptr_array_new();
	return sock;
}

void xenstore_socket_free(struct xenstore_socket *sock)
{
	if (!sock)
		return;
	listener_free(sock->listener);
	/* Their last events, such as that the domain is gone. */
	for (unsigned int i = 0; i < sock->clients->len; i++)
		client_send(sock->clients->pdata[i]);
	while (sock->clients->len)
		client_drop(sock->clients->pdata[0]);
	g_ptr_array_unref(sock->clients);
	g_free(sock);
}
