/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second console, with a frontend that is played here as Linux's hvc_xen is one.
 */
#include "backend/console-device.h"
#include "fake-frontend.h"
#include "socket-client.h"
#include <signal.h>
#include <xen/io/console.h>

#define NAME "console/1"

struct fixture {
	struct front *front;
	char *dir, *path;
	struct console_spec *spec;
	struct device *dev;
	struct xencons_interface *page;
	uint32_t ref;
	unsigned int port;
	int client;
};

static void set_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *text = NULL;
	struct device_config *config;
	g_autoptr(GError) error = NULL;

	f->front = front_new(FALSE);
	f->dir = socket_dir();
	f->path = g_build_filename(f->dir, "socket", NULL);
	text = g_strdup_printf("unix:%s,name=org.test", f->path);
	f->spec = console_spec_parse(text, &error);
	g_assert_no_error(error);
	f->spec->index = 1;
	config = console_config_new(f->spec);
	f->dev = config->create(config, &f->front->host, &error);
	config->free(config);
	g_assert_no_error(error);
	f->page = front_page(f->front, 0);
	memset(f->page, 0, 4096);
	f->ref = front_grant(f->front, 0, FALSE);
	f->port = front_port(f->front);
	f->client = socket_connect(f->path);
	front_turn();
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	close(f->client);
	device_free(f->dev);
	front_free(f->front);
	console_spec_free(f->spec);
	g_assert_cmpint(rmdir(f->dir), ==, 0);
	g_free(f->dir);
	g_free(f->path);
}

static void expect_state(struct fixture *f, enum xenbus_state state)
{
	g_assert_cmpint(front_backend_state(f->front, "console", 1), ==, state);
}

static void expect_key(struct fixture *f, const char *key, const char *want)
{
	g_autofree char *path = g_strdup_printf("/local/domain/1/device/" NAME "/%s", key);
	g_autofree char *value = xenstore_read(f->front->host.store, path);

	g_assert_cmpstr(value, ==, want);
}

static void connect_guest(struct fixture *f)
{
	front_write(f->front, NAME, "ring-ref", "%u", f->ref);
	front_write(f->front, NAME, "port", "%u", f->port);
	front_set_state(f->front, NAME, XenbusStateInitialised);
}

static void put(struct fixture *f, const char *text)
{
	for (; *text; text++)
		f->page->out[MASK_XENCONS_IDX(f->page->out_prod++, f->page->out)] = *text;
}

static void expect_output(struct fixture *f, const char *want)
{
	char seen[64] = "";

	while (strlen(seen) < strlen(want)) {
		ssize_t len = read(f->client, seen + strlen(seen), sizeof(seen) - 1);

		if (len < 0)
			g_main_context_iteration(NULL, TRUE);
		else
			g_assert_cmpint(len, >, 0);
	}
	g_assert_cmpstr(seen, ==, want);
}

/* --- */

static void test_keys(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	expect_state(f, XenbusStateInitWait);
	front_expect(f->front, "console", 1, "frontend", "/local/domain/1/device/" NAME);
	front_expect(f->front, "console", 1, "protocol", "vt100");
	front_expect(f->front, "console", 1, "connection", "socket");
	front_expect(f->front, "console", 1, "path", f->path);
	front_expect(f->front, "console", 1, "name", "org.test");
	expect_key(f, "name", "org.test");
	expect_key(f, "limit", "1048576");
	expect_key(f, "type", "ioemu");
	expect_key(f, "output", "chardev");
	expect_key(f, "tty", "");
	expect_key(f, "state", "1");
}

static void test_talk(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	/* Before anybody could hear the event. */
	put(f, "early ");
	connect_guest(f);
	expect_state(f, XenbusStateConnected);
	put(f, "late");
	front_kick(f->front, f->port);
	expect_output(f, "early late");
	g_assert_cmpuint(f->page->out_cons, ==, f->page->out_prod);
	g_assert_true(front_kicked(f->front, f->port));
	g_assert_cmpint(write(f->client, "typed", 5), ==, 5);
	while (f->page->in_prod != 5)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpmem(f->page->in, 5, "typed", 5);
	g_assert_true(front_kicked(f->front, f->port));
}

/* The other end stays where it is when the guest's end goes and comes back. */
static void test_reconnect(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	for (unsigned int i = 0; i < 3; i++) {
		connect_guest(f);
		expect_state(f, XenbusStateConnected);
		g_assert_cmpint(front_in_use(f->front, f->ref), !=, 0);
		put(f, "hello");
		front_set_state(f->front, NAME, XenbusStateClosing);
		front_set_state(f->front, NAME, XenbusStateClosed);
		expect_state(f, XenbusStateClosed);
		/* What was in the ring is not lost, though no event came. */
		expect_output(f, "hello");
		g_assert_cmpint(front_in_use(f->front, f->ref), ==, 0);
		/* Typed to nobody: it waits. */
		g_assert_cmpint(write(f->client, "x", 1), ==, 1);
		front_turn();
		g_assert_cmpuint(f->page->in_prod, ==, 0);
		memset(f->page, 0, 4096);
		front_set_state(f->front, NAME, XenbusStateInitialising);
		expect_state(f, XenbusStateInitWait);
		connect_guest(f);
		front_turn();
		g_assert_cmpuint(f->page->in_prod, ==, 1);
		front_set_state(f->front, NAME, XenbusStateClosed);
		memset(f->page, 0, 4096);
		front_set_state(f->front, NAME, XenbusStateInitialising);
	}
}

static void refuses(struct fixture *f, const char *why)
{
	front_set_state(f->front, NAME, XenbusStateInitialised);
	expect_state(f, XenbusStateClosing);
	if (!strstr(f->front->messages->str, why))
		g_error("no %s in: %s", why, f->front->messages->str);
	g_string_truncate(f->front->messages, 0);
	g_assert_cmpint(front_in_use(f->front, f->ref), ==, 0);
	front_set_state(f->front, NAME, XenbusStateClosed);
	front_set_state(f->front, NAME, XenbusStateInitialising);
}

static void test_bad_keys(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	refuses(f, "ring-ref");
	front_write(f->front, NAME, "ring-ref", "%u", f->ref);
	refuses(f, "port");
	front_write(f->front, NAME, "port", "%u", f->port + 1);
	refuses(f, "event channel");
	front_write(f->front, NAME, "port", "%u", f->port);
	front_write(f->front, NAME, "ring-ref", "4294967295");
	refuses(f, "grant");
	connect_guest(f);
	expect_state(f, XenbusStateConnected);
}

static void test_bad_ring(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	connect_guest(f);
	f->page->out_prod = 5000;
	front_kick(f->front, f->port);
	f->page->out_prod = 3;
	front_kick(f->front, f->port);
	front_turn();
	g_assert_cmpuint(f->page->out_cons, ==, 0);
	/* It may close, and begin again. */
	front_set_state(f->front, NAME, XenbusStateClosed);
	memset(f->page, 0, 4096);
	front_set_state(f->front, NAME, XenbusStateInitialising);
	connect_guest(f);
	put(f, "fine");
	front_kick(f->front, f->port);
	expect_output(f, "fine");
}

#define TEST(name, func)                                                                       \
	g_test_add("/console-device/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	TEST("keys", test_keys);
	TEST("talk", test_talk);
	TEST("reconnect", test_reconnect);
	TEST("bad-keys", test_bad_keys);
	TEST("bad-ring", test_bad_ring);
	return g_test_run();
}
