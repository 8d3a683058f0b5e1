/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-device.c - the states of a device, with a frontend that is played here
 */
#include "domain/devices.h"
#include "fake-frontend.h"

#define HANDLE 7
#define NAME "toy/7"

/* A backend that has one ring page and one event channel. */
struct toy {
	unsigned int connects, disconnects, frees;
	gboolean refuse; /* connect() fails */
	gboolean busy; /* disconnect() takes longer */
	struct device_pages pages;
	struct device_channel channel;
	unsigned int kicks;
};

static void toy_kicked(void *opaque)
{
	((struct toy *)opaque)->kicks++;
}

static void toy_release(struct device *dev)
{
	struct toy *toy = dev->data;

	device_unbind(&toy->channel);
	device_unmap(dev, &toy->pages);
}

static gboolean toy_connect(struct device *dev, GError **error)
{
	struct toy *toy = dev->data;
	uint32_t ref, port;

	toy->connects++;
	if (toy->refuse) {
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_HOST, "not today");
		return FALSE;
	}
	if (!device_need_number(dev, "ring-ref", UINT32_MAX, &ref, error) ||
	    !device_need_number(dev, "event-channel", UINT32_MAX, &port, error) ||
	    !device_map(dev, &ref, 1, &toy->pages, error))
		return FALSE;
	if (device_bind(dev, &toy->channel, port, toy_kicked, toy, error))
		return TRUE;
	device_unmap(dev, &toy->pages);
	return FALSE;
}

static gboolean toy_disconnect(struct device *dev)
{
	struct toy *toy = dev->data;

	toy->disconnects++;
	if (toy->busy)
		return FALSE;
	toy_release(dev);
	return TRUE;
}

static void toy_free(struct device *dev)
{
	((struct toy *)dev->data)->frees++;
	toy_release(dev);
}

static const struct device_ops early_ops = {
	.kind = "toy",
	.initialised = TRUE,
	.connect = toy_connect,
	.disconnect = toy_disconnect,
	.free = toy_free,
};

static const struct device_ops late_ops = {
	.kind = "toy",
	.connect = toy_connect,
	.disconnect = toy_disconnect,
	.free = toy_free,
};

struct fixture {
	struct front *front;
	struct toy toy;
	struct device *dev;
	uint32_t ref;
	unsigned int port;
};

static void setup_with(struct fixture *fix, const struct device_ops *ops)
{
	g_autoptr(GError) error = NULL;

	fix->front = front_new(FALSE);
	fix->dev = device_new(ops, &fix->front->host, HANDLE, "toy0", &fix->toy, &error);
	g_assert_no_error(error);
	device_start(fix->dev);
	front_turn();
	fix->ref = front_grant(fix->front, 0, FALSE);
	fix->port = front_port(fix->front);
	front_write(fix->front, NAME, "ring-ref", "%u", fix->ref);
	front_write(fix->front, NAME, "event-channel", "%u", fix->port);
}

static void setup(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	setup_with(fix, &early_ops);
}

static void teardown(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	device_free(fix->dev);
	front_free(fix->front);
}

static void expect_state(struct fixture *fix, enum xenbus_state state)
{
	g_assert_cmpint(front_backend_state(fix->front, "toy", HANDLE), ==, state);
}

static void go(struct fixture *fix, enum xenbus_state state)
{
	front_set_state(fix->front, NAME, state);
}

static void expect_value(struct fixture *fix, const char *path, const char *want)
{
	g_autofree char *value = xenstore_read(fix->front->host.store, path);

	g_assert_cmpstr(value, ==, want);
}

/* --- */

static void test_directories(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	front_expect(fix->front, "toy", HANDLE, "frontend", "/local/domain/1/device/" NAME);
	front_expect(fix->front, "toy", HANDLE, "frontend-id", "1");
	front_expect(fix->front, "toy", HANDLE, "online", "1");
	expect_value(fix, "/local/domain/1/device/" NAME "/backend",
		     "/local/domain/0/backend/toy/1/7");
	expect_value(fix, "/local/domain/1/device/" NAME "/backend-id", "0");
	expect_value(fix, "/local/domain/1/device/" NAME "/state", "1");
	expect_state(fix, XenbusStateInitWait);
}

static void test_twice(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct toy other = { 0 };

	g_assert_null(device_new(&early_ops, &fix->front->host, HANDLE, NULL, &other, &error));
	g_assert_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG);
	g_assert_cmpint(other.frees, ==, 0);
	test_directories(fix, NULL);
}

static void test_connect(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	g_assert_cmpint(fix->toy.connects, ==, 0);
	go(fix, XenbusStateInitialised);
	expect_state(fix, XenbusStateConnected);
	g_assert_cmpint(front_in_use(fix->front, fix->ref), ==, GTF_reading | GTF_writing);
	g_assert_cmpint(front_status(fix->front, fix->port), ==, EVTCHNSTAT_interdomain);
	go(fix, XenbusStateConnected);
	g_assert_cmpint(fix->toy.connects, ==, 1);
	front_kick(fix->front, fix->port);
	g_assert_cmpint(fix->toy.kicks, ==, 1);
	device_notify(&fix->toy.channel);
	g_assert_true(front_kicked(fix->front, fix->port));
}

static void test_late(void)
{
	struct fixture fix = { 0 };

	setup_with(&fix, &late_ops);
	go(&fix, XenbusStateInitialised);
	expect_state(&fix, XenbusStateInitWait);
	go(&fix, XenbusStateConnected);
	expect_state(&fix, XenbusStateConnected);
	teardown(&fix, NULL);
	g_assert_cmpint(fix.toy.disconnects, ==, 1);
	g_assert_cmpint(fix.toy.frees, ==, 1);
}

static void test_reconnect(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	for (unsigned int i = 1; i <= 3; i++) {
		go(fix, XenbusStateInitialised);
		expect_state(fix, XenbusStateConnected);
		go(fix, XenbusStateClosing);
		expect_state(fix, XenbusStateClosing);
		go(fix, XenbusStateClosed);
		expect_state(fix, XenbusStateClosed);
		g_assert_cmpint(fix->toy.disconnects, ==, i);
		g_assert_cmpint(front_in_use(fix->front, fix->ref), ==, 0);
		/* evtchn_close() of Xen: the other end waits again. */
		g_assert_cmpint(front_status(fix->front, fix->port), ==, EVTCHNSTAT_unbound);
		go(fix, XenbusStateInitialising);
		expect_state(fix, XenbusStateInitWait);
	}
	g_assert_cmpstr(fix->front->messages->str, ==, "");
}

/* Watches tell of the last of several states only. */
static void test_states_missed(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	go(fix, XenbusStateInitialised);
	go(fix, XenbusStateClosed);
	front_write(fix->front, NAME, "state", "1");
	go(fix, XenbusStateInitialised);
	expect_state(fix, XenbusStateConnected);
	g_assert_cmpint(fix->toy.connects, ==, 2);
}

static void test_drain(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fix->toy.busy = TRUE;
	go(fix, XenbusStateInitialised);
	go(fix, XenbusStateClosing);
	go(fix, XenbusStateClosed);
	g_assert_cmpint(fix->toy.disconnects, ==, 1);
	/* Its pages are in use: the guest must not be told anything else. */
	expect_state(fix, XenbusStateClosing);
	go(fix, XenbusStateInitialised);
	g_assert_cmpint(fix->toy.connects, ==, 1);
	front_write(fix->front, NAME, "state", "6");
	toy_release(fix->dev);
	device_idle(fix->dev);
	expect_state(fix, XenbusStateClosed);
	fix->toy.busy = FALSE;
}

static void test_refused(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fix->toy.refuse = TRUE;
	go(fix, XenbusStateInitialised);
	expect_state(fix, XenbusStateClosing);
	g_assert_cmpstr(fix->front->messages->str, ==, "toy 7 (toy0): not today\n");
	expect_value(fix, "/local/domain/0/error/backend/toy/1/7/error", "not today");
	/* Not again before the frontend has closed. */
	go(fix, XenbusStateConnected);
	g_assert_cmpint(fix->toy.connects, ==, 1);
	fix->toy.refuse = FALSE;
	go(fix, XenbusStateClosed);
	expect_state(fix, XenbusStateClosed);
	go(fix, XenbusStateInitialising);
	go(fix, XenbusStateInitialised);
	expect_state(fix, XenbusStateConnected);
}

static void test_wrong_keys(struct fixture *fix, gconstpointer data)
{
	const char *const *key = data;

	front_write(fix->front, NAME, key[0], "%s", key[1]);
	go(fix, XenbusStateInitialised);
	expect_state(fix, XenbusStateClosing);
	g_assert_cmpint(front_in_use(fix->front, fix->ref), ==, 0);
	g_assert_cmpint(front_status(fix->front, fix->port), ==, EVTCHNSTAT_unbound);
	g_assert_nonnull(strstr(fix->front->messages->str, key[2]));
}

static void test_nonsense_states(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	const char *states[] = { "7", "", "x", "-1", "4294967300", " 4", "4 ", "+4", "0x4" };

	for (unsigned int i = 0; i < G_N_ELEMENTS(states); i++) {
		front_write(fix->front, NAME, "state", "%s", states[i]);
		front_turn();
		g_assert_cmpint(fix->toy.connects, ==, 0);
	}
	go(fix, XenbusStateInitialising);
	go(fix, XenbusStateInitialised);
	expect_state(fix, XenbusStateConnected);
	/* A connected device ends when its frontend's state does. */
	front_write(fix->front, NAME, "state", "nonsense");
	front_turn();
	expect_state(fix, XenbusStateClosed);
	g_assert_cmpint(fix->toy.disconnects, ==, 1);
}

static void test_guest_removes(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	go(fix, XenbusStateInitialised);
	g_assert_true(xenstore_remove(fix->front->host.store, "/local/domain/1/device/" NAME));
	front_turn();
	expect_state(fix, XenbusStateClosed);
	g_assert_cmpint(front_in_use(fix->front, fix->ref), ==, 0);
}

static void test_fail(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	device_fail(fix->dev, "no effect: not connected");
	go(fix, XenbusStateInitialised);
	device_fail(fix->dev, "ring %d is broken", 3);
	device_fail(fix->dev, "no effect: once is enough");
	/* Who called is still at it. */
	g_assert_cmpint(fix->toy.disconnects, ==, 0);
	front_turn();
	g_assert_cmpint(fix->toy.disconnects, ==, 1);
	expect_state(fix, XenbusStateClosing);
	g_assert_cmpstr(fix->front->messages->str, ==, "toy 7 (toy0): ring 3 is broken\n");
	g_assert_cmpint(front_in_use(fix->front, fix->ref), ==, 0);
}

static void test_fail_for_ever(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	unsigned int lines = 0;

	for (unsigned int i = 0; i < 100; i++) {
		go(fix, XenbusStateInitialised);
		device_fail(fix->dev, "again");
		go(fix, XenbusStateClosed);
		go(fix, XenbusStateInitialising);
	}
	g_assert_cmpint(fix->toy.connects, ==, 100);
	for (const char *at = fix->front->messages->str; *at; at++)
		lines += *at == '\n';
	g_assert_cmpint(lines, <=, 11);
}

/* The guest's port is something else now: it gets none of our events. */
static void test_port_reused(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct events *events = fix->front->host.events;

	go(fix, XenbusStateInitialised);
	g_assert_cmpint(events_close(events, fix->port), ==, 0);
	device_notify(&fix->toy.channel);
	g_assert_cmpint(events_bind_ipi(events, 0), ==, fix->port);
	device_notify(&fix->toy.channel);
	g_assert_false(front_kicked(fix->front, fix->port));
	go(fix, XenbusStateClosed);
	g_assert_cmpint(front_status(fix->front, fix->port), ==, EVTCHNSTAT_ipi);
}

/* --- detach --- */

static void count_removed(void *opaque, G_GNUC_UNUSED struct device *dev)
{
	++*(unsigned int *)opaque;
}

static void test_remove(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	unsigned int removed = 0;

	go(fix, XenbusStateInitialised);
	device_remove(fix->dev, count_removed, &removed);
	front_turn();
	expect_state(fix, XenbusStateClosing);
	front_expect(fix->front, "toy", HANDLE, "online", "0");
	g_assert_cmpint(removed, ==, 0);
	go(fix, XenbusStateClosing);
	go(fix, XenbusStateClosed);
	g_assert_cmpint(removed, ==, 1);
	expect_state(fix, XenbusStateClosed);
	device_free(g_steal_pointer(&fix->dev));
	expect_state(fix, XenbusStateUnknown);
	expect_value(fix, "/local/domain/1/device/" NAME, NULL);
}

static void test_remove_unused(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	unsigned int removed = 0;

	device_remove(fix->dev, count_removed, &removed);
	g_assert_cmpint(removed, ==, 0);
	front_turn();
	g_assert_cmpint(removed, ==, 1);
}

/* The guest is late, or wants it back: it does not get it. */
static void test_remove_then_connect(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	unsigned int removed = 0;

	device_remove(fix->dev, count_removed, &removed);
	go(fix, XenbusStateInitialised);
	g_assert_cmpint(fix->toy.connects, ==, 0);
	g_assert_cmpint(removed, ==, 1);
}

/* --- rings of several pages --- */

static void test_pages(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	const unsigned int order[] = { 5, 2, 9, 3 };
	g_autoptr(GError) error = NULL;
	struct device_pages pages;
	uint32_t refs[4];

	for (unsigned int i = 0; i < 4; i++) {
		refs[i] = front_grant(fix->front, order[i], FALSE);
		memset(front_page(fix->front, order[i]), 'a' + i, PAGE_SIZE);
	}
	g_assert_true(device_map(fix->dev, refs, 4, &pages, &error));
	for (unsigned int i = 0; i < 4 * PAGE_SIZE; i += 1000)
		g_assert_cmpint(((char *)pages.base)[i], ==, 'a' + i / PAGE_SIZE);
	((char *)pages.base)[2 * PAGE_SIZE + 1] = 'x';
	g_assert_cmpint(((char *)front_page(fix->front, 9))[1], ==, 'x');
	device_unmap(fix->dev, &pages);
	device_unmap(fix->dev, &pages);
	for (unsigned int i = 0; i < 4; i++)
		g_assert_cmpint(front_in_use(fix->front, refs[i]), ==, 0);
	front_entry(fix->front, refs[3])->flags |= GTF_readonly;
	g_assert_false(device_map(fix->dev, refs, 4, &pages, &error));
	g_assert_error(error, DEVICE_ERROR, DEVICE_ERROR_FRONTEND);
	for (unsigned int i = 0; i < 4; i++)
		g_assert_cmpint(front_in_use(fix->front, refs[i]), ==, 0);
}

/* What Linux's frontends write where they fail; a guest may write more of it. */
static void complain(struct fixture *fix, const char *text)
{
	g_assert_true(xenstore_write(fix->front->host.store,
				     "/local/domain/1/error/device/toy/7/error", text, 1, -1));
	front_turn();
}

static void test_complaint(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	g_autofree char *endless = g_strnfill(1000, 'x');
	g_autoptr(GError) error = NULL;

	complain(fix, "");
	g_assert_cmpstr(fix->front->messages->str, ==, "");
	complain(fix, "16 xlvbd_add at \033[2J/local\n");
	complain(fix, "another");
	g_assert_cmpstr(fix->front->messages->str, ==,
			"toy 7 (toy0): the guest's driver says: 16 xlvbd_add at ?[2J/local?\n");
	/* It does not concern the next device of this number. */
	device_free(fix->dev);
	g_string_set_size(fix->front->messages, 0);
	fix->dev = device_new(&early_ops, &fix->front->host, HANDLE, NULL, &fix->toy, &error);
	device_start(fix->dev);
	front_turn();
	g_assert_cmpstr(fix->front->messages->str, ==, "");
	complain(fix, endless);
	g_assert_cmpuint(fix->front->messages->len, <, 300);
	g_assert_cmpuint(fix->front->messages->len, >, 200);
}

int main(int argc, char **argv)
{
	static const char *const wrong[][3] = {
		{ "ring-ref", "9", "grant 9" },
		{ "ring-ref", "4000000000", "grant 4000000000" },
		{ "ring-ref", "4294967296", "ring-ref" },
		{ "ring-ref", "", "ring-ref" },
		{ "event-channel", "0", "event channel 0" },
		{ "event-channel", "77", "event channel 77" },
		{ "event-channel", "4294967295", "event channel 4294967295" },
		{ "event-channel", "one", "event-channel" },
	};

	g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/device/" name, struct fixture, NULL, setup, test, teardown)
	ADD("directories", test_directories);
	ADD("twice", test_twice);
	ADD("connect", test_connect);
	g_test_add_func("/device/late", test_late);
	ADD("reconnect", test_reconnect);
	ADD("states-missed", test_states_missed);
	ADD("drain", test_drain);
	ADD("refused", test_refused);
	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *name = g_strdup_printf("/device/wrong-keys/%u", i);

		g_test_add(name, struct fixture, wrong[i], setup, test_wrong_keys, teardown);
	}
	ADD("nonsense-states", test_nonsense_states);
	ADD("guest-removes", test_guest_removes);
	ADD("fail", test_fail);
	ADD("fail-for-ever", test_fail_for_ever);
	ADD("port-reused", test_port_reused);
	ADD("remove", test_remove);
	ADD("remove-unused", test_remove_unused);
	ADD("remove-then-connect", test_remove_then_connect);
	ADD("pages", test_pages);
	ADD("complaint", test_complaint);
	return g_test_run();
}
