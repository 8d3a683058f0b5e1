/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's socket: several clients, those that don't read, those that break off.
 */
#include "xenstore-client.h"

#include "socket-client.h"
#include <gio/gio.h>

struct fixture {
	char *dir;
	char *path;
	struct xenstore *xs;
	struct xenstore_socket *sock;
};

static void set_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	GError *error = NULL;

	f->dir = socket_dir();
	f->path = g_build_filename(f->dir, "xenstore", NULL);
	f->xs = store_for_guest();
	f->sock = xenstore_socket_new(f->xs, f->path, &error);
	g_assert_no_error(error);
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	xenstore_socket_free(f->sock);
	xenstore_free(f->xs);
	socket_settle();
	/* Fails if the socket were still there. */
	g_assert_cmpint(rmdir(f->dir), ==, 0);
	g_free(f->path);
	g_free(f->dir);
}

static void ask(int fd, uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	struct xsd_sockmsg header = { type, 7, tx, len };

	socket_send(fd, &header, sizeof(header));
	socket_send(fd, payload, len);
}

/* The next message from the helper: its type and payload; 0 is none, as CONTROL is not asked.
 */
static uint32_t next_message(int fd, char payload[XENSTORE_PAYLOAD_MAX + 1])
{
	struct xsd_sockmsg header;

	if (!socket_receive(fd, &header, sizeof(header)))
		return 0;
	g_assert_cmpuint(header.len, <=, XENSTORE_PAYLOAD_MAX);
	g_assert_true(socket_receive(fd, payload, header.len));
	payload[header.len] = '\0';
	return header.type;
}

#define GET(fd, kind, expected)                                                                \
	do {                                                                                   \
		char _payload[XENSTORE_PAYLOAD_MAX + 1];                                       \
		g_assert_cmpuint(next_message(fd, _payload), ==, kind);                        \
		g_assert_cmpstr(_payload, ==, expected);                                       \
	} while (0)

#define ASK(fd, type, payload) ask(fd, type, 0, payload, sizeof(payload) - 1)

static void assert_closed(int fd)
{
	char byte;

	g_assert_false(socket_receive(fd, &byte, 1));
}

static void test_requests(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd = socket_connect(f->path);

	ASK(fd, XS_READ, "/local/domain/1/name\0");
	GET(fd, XS_READ, "guest");
	/* Domain 0: it sees and does all, and that is what relative paths mean. */
	ASK(fd, XS_READ, "secret\0");
	GET(fd, XS_READ, "x");
	ASK(fd, XS_WRITE, "/local/domain/1/name\0new");
	GET(fd, XS_WRITE, "OK");
	ASK(fd, XS_READ, "/nothing\0");
	GET(fd, XS_ERROR, "ENOENT");
	close(fd);
}

static void test_byte_by_byte(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	static const char path[] = "/local/domain/1/name";
	struct xsd_sockmsg header = { XS_READ, 1, 0, sizeof(path) };
	int fd = socket_connect(f->path);

	for (size_t i = 0; i < sizeof(header); i++) {
		socket_send(fd, (char *)&header + i, 1);
		socket_settle();
	}
	for (size_t i = 0; i < sizeof(path); i++) {
		socket_send(fd, path + i, 1);
		socket_settle();
	}
	GET(fd, XS_READ, "guest");
	close(fd);
}

static void test_watch(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int watcher = socket_connect(f->path), writer = socket_connect(f->path);

	ASK(watcher, XS_WATCH, "/local/domain/1/data\0tok\0");
	GET(watcher, XS_WATCH, "OK");
	GET(watcher, XS_WATCH_EVENT, "/local/domain/1/data");
	ASK(writer, XS_WRITE, "/local/domain/1/data/a\0v");
	GET(writer, XS_WRITE, "OK");
	GET(watcher, XS_WATCH_EVENT, "/local/domain/1/data/a");
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/data/b", "", 1, -1));
	GET(watcher, XS_WATCH_EVENT, "/local/domain/1/data/b");
	close(watcher);
	close(writer);
	socket_settle();
	g_assert_cmpuint(f->xs->watches->len, ==, 0);
	g_assert_cmpuint(f->xs->connections->len, ==, 0);
}

/* Whoever goes takes what it had open along. */
static void test_transaction_dropped(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd = socket_connect(f->path);
	char id[XENSTORE_PAYLOAD_MAX + 1];

	ASK(fd, XS_TRANSACTION_START, "\0");
	g_assert_cmpuint(next_message(fd, id), ==, XS_TRANSACTION_START);
	ask(fd, XS_WRITE, g_ascii_strtoull(id, NULL, 10), "/new\0v", 6);
	GET(fd, XS_WRITE, "OK");
	close(fd);
	socket_settle();
	g_assert_cmpuint(f->xs->connections->len, ==, 0);
	g_assert_null(xenstore_read(f->xs, "/new"));
}

static void test_broken_off(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct xsd_sockmsg header = { XS_READ, 1, 0, 100 };
	int in_header = socket_connect(f->path), in_payload = socket_connect(f->path);
	int silent = socket_connect(f->path), good = socket_connect(f->path);

	socket_send(in_header, &header, 7);
	socket_send(in_payload, &header, sizeof(header));
	socket_send(in_payload, "/x", 2);
	socket_settle();
	g_assert_cmpuint(f->xs->connections->len, ==, 4);
	close(in_header);
	close(in_payload);
	close(silent);
	socket_settle();
	g_assert_cmpuint(f->xs->connections->len, ==, 1);
	ASK(good, XS_READ, "/local/domain/1/name\0");
	GET(good, XS_READ, "guest");
	close(good);
}

static void test_too_long(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct xsd_sockmsg header = { XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1 };
	int fd = socket_connect(f->path);

	socket_send(fd, &header, sizeof(header));
	assert_closed(fd);
	g_assert_cmpuint(f->xs->connections->len, ==, 0);
	close(fd);
}

static void test_too_many(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd[64], more;

	for (unsigned int i = 0; i < G_N_ELEMENTS(fd); i++)
		fd[i] = socket_connect(f->path);
	more = socket_connect(f->path);
	assert_closed(more);
	close(more);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fd); i++) {
		ASK(fd[i], XS_READ, "/local/domain/1/name\0");
		GET(fd[i], XS_READ, "guest");
		close(fd[i]);
	}
	socket_settle();
	more = socket_connect(f->path);
	ASK(more, XS_READ, "/local/domain/1/name\0");
	GET(more, XS_READ, "guest");
	close(more);
}

/* Sends requests without reading replies, as many as the helper takes; how many they were. */
static unsigned int flood(int fd)
{
	static const char path[] = "/bigger"; /* no padding after it */
	struct {
		struct xsd_sockmsg header;
		char path[sizeof(path)];
	} request = { .header = { XS_READ, 1, 0, sizeof(path) } };
	unsigned int sent = 0;
	ssize_t got;

	G_STATIC_ASSERT(sizeof(request) == sizeof(request.header) + sizeof(path));
	memcpy(request.path, path, sizeof(path));
	while ((got = send(fd, &request, sizeof(request), MSG_NOSIGNAL)) == sizeof(request)) {
		sent++;
		socket_settle();
	}
	g_assert_cmpint(got, ==, -1);
	g_assert_cmpint(errno, ==, EAGAIN);
	return sent;
}

/* A client that doesn't read is not served further, and nobody else suffers. */
static void test_slow_reader(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *big = g_strnfill(XENSTORE_PAYLOAD_MAX, 'x');
	int slow = socket_connect(f->path), other = socket_connect(f->path);
	const struct connection *conn;
	unsigned int sent;

	xenstore_write(f->xs, "/bigger", big, 0, -1);
	socket_settle();
	conn = f->xs->connections->pdata[0];
	sent = flood(slow);
	g_assert_cmpuint(conn->replies, ==, CONNECTION_MAX_REPLIES);
	ASK(other, XS_READ, "/local/domain/1/name\0");
	GET(other, XS_READ, "guest");
	while (sent--)
		GET(slow, XS_READ, big);
	ASK(slow, XS_READ, "/local/domain/1/name\0");
	GET(slow, XS_READ, "guest");
	close(slow);
	close(other);
}

/* Events for one that doesn't read: bounded, and made up for when it reads again. */
static void test_slow_watcher(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int slow = socket_connect(f->path);
	char payload[XENSTORE_PAYLOAD_MAX + 1];
	const struct connection *conn;
	gboolean told = FALSE;

	ASK(slow, XS_WATCH, "/many\0tok\0");
	GET(slow, XS_WATCH, "OK");
	GET(slow, XS_WATCH_EVENT, "/many");
	conn = f->xs->connections->pdata[0];
	for (unsigned int i = 0; i < 10000; i++) {
		g_autofree char *path = g_strdup_printf("/many/%0200u", i);

		xenstore_write(f->xs, path, "", 0, -1);
		xenstore_remove(f->xs, path);
		g_main_context_iteration(NULL, FALSE);
	}
	g_assert_cmpuint(conn->event_bytes, <=, (256 << 10) + XENSTORE_PAYLOAD_MAX);
	g_assert_true(conn->lost);
	while (!told) {
		g_assert_cmpuint(next_message(slow, payload), ==, XS_WATCH_EVENT);
		told = !strcmp(payload, "/many");
	}
	close(slow);
}

/* The last it hears is that the domain is gone. */
static void test_end(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd = socket_connect(f->path);
	struct end *guest = end_new(f->xs, 1);

	ASK(fd, XS_WATCH, "@releaseDomain\0tok\0");
	GET(fd, XS_WATCH, "OK");
	GET(fd, XS_WATCH_EVENT, "@releaseDomain");
	end_free(guest);
	g_clear_pointer(&f->sock, xenstore_socket_free);
	GET(fd, XS_WATCH_EVENT, "@releaseDomain");
	assert_closed(fd);
	close(fd);
}

static void test_no_place(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(f->dir, "none", "xenstore", NULL);

	g_assert_null(xenstore_socket_new(f->xs, path, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
	g_assert_true(g_str_has_prefix(error->message, path));
	xenstore_socket_free(NULL);
}

#define ADD(name, function)                                                                    \
	g_test_add("/xenstore/socket/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Where a message is missing, a test waits for it: not for ever. */
	alarm(120);
	ADD("requests", test_requests);
	ADD("byte-by-byte", test_byte_by_byte);
	ADD("watch", test_watch);
	ADD("transaction-dropped", test_transaction_dropped);
	ADD("broken-off", test_broken_off);
	ADD("too-long", test_too_long);
	ADD("too-many", test_too_many);
	ADD("slow-reader", test_slow_reader);
	ADD("slow-watcher", test_slow_watcher);
	ADD("end", test_end);
	ADD("no-place", test_no_place);
	return g_test_run();
}
