/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network interface's keys, and how both ends come together and part.
 */
#include "backend/vif.h"
#include "fake-netfront.h"
#include "xenstore/store.h"

static gboolean guest_may_write(struct net *net, const char *key)
{
	g_autofree char *path = g_strconcat("/local/domain/1/device/vif/0/", key, NULL);
	struct client guest = { .domid = 1 };
	struct view view = { .xs = net->front->host.store, .client = &guest };
	const struct node *node;

	return !view_node(&view, path, ACCESS_WRITE, &node);
}

/* What a domU sees on Xen 4.17, but for feature-ctrl-ring and feature-xdp-headroom */
static void test_keys(void)
{
	static const struct {
		const char *key;
		const char *value;
	} keys[] = {
		{ "frontend", "/local/domain/1/device/vif/0" },
		{ "frontend-id", "1" },
		{ "online", "1" },
		{ "state", "2" },
		{ "script", "/etc/xen/scripts/vif-bridge" },
		{ "mac", "00:16:3e:00:00:01" },
		{ "bridge", "br7" },
		{ "handle", "0" },
		{ "type", "vif" },
		{ "hotplug-status", "connected" },
		{ "feature-sg", "1" },
		{ "feature-gso-tcpv4", "1" },
		{ "feature-gso-tcpv6", "1" },
		{ "feature-ipv6-csum-offload", "1" },
		{ "feature-rx-copy", "1" },
		{ "feature-rx-flip", "0" },
		{ "feature-multicast-control", "1" },
		{ "feature-dynamic-multicast-control", "1" },
		{ "feature-split-event-channels", "1" },
		{ "multi-queue-max-queues", "8" },
		{ "rate", NULL },
		{ "ip", "10.0.0.7" },
	};
	struct net *net = net_new("bridge=br7,mac=00:16:3E:00:00:01,ip=10.0.0.7,mtu=9000");
	struct device *dev = net->dev;
	g_autofree char *mac = device_read(dev, "mac");
	g_autofree char *handle = device_read(dev, "handle");
	g_autofree char *mtu = device_read(dev, "mtu");
	g_autofree char *trusted = device_read(dev, "trusted");

	for (unsigned int i = 0; i < G_N_ELEMENTS(keys); i++)
		front_expect(net->front, "vif", 0, keys[i].key, keys[i].value);
	g_assert_cmpstr(mac, ==, "00:16:3e:00:00:01");
	g_assert_cmpstr(handle, ==, "0");
	g_assert_cmpstr(mtu, ==, "9000");
	g_assert_cmpstr(trusted, ==, "1");
	g_assert_true(guest_may_write(net, "mac"));
	g_assert_false(guest_may_write(net, "mtu"));
	net_free(net);
}

/* What is not chosen is as the link has it, and 1500 if that doesn't know. */
static void test_mtu(void)
{
	static const struct {
		const char *spec;
		unsigned int link;
		const char *want;
	} cases[] = {
		{ "tap=fake0", 0, "1500" },
		{ "tap=fake0", 65516, "65516" },
		{ "tap=fake0,mtu=1400", 9000, "1400" },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct front *front = front_new(FALSE);
		struct fake_link *link = fake_link_new();
		struct vif_spec *spec = vif_spec_parse(cases[i].spec, NULL);
		g_autofree char *mtu = NULL;
		struct device *dev;

		spec->devid = 0;
		link->link.mtu = cases[i].link;
		dev = vif_new(spec, &link->link, &front->host, NULL);
		mtu = device_read(dev, "mtu");
		g_assert_cmpstr(mtu, ==, cases[i].want);
		device_free(dev);
		front_free(front);
	}
}

/**
 * struct bad_keys - a frontend whose keys make no sense
 * @features: its keys besides the rings'
 * @key, @value: one more, or one changed
 * @reason:   what the user is told
 */
struct bad_keys {
	const char *name;
	const char *features;
	const char *key;
	const char *value;
	const char *reason;
};

static const struct bad_keys bad_keys[] = {
	{ "tx-ref", NET_LINUX, "tx-ring-ref", "4294967295", "*" },
	{ "tx-ref-word", NET_LINUX, "tx-ring-ref", "x", "*tx-ring-ref*" },
	{ "rx-ref", NET_LINUX, "rx-ring-ref", "400", "*" },
	{ "rx-ref-negative", NET_LINUX, "rx-ring-ref", "-1", "*rx-ring-ref*" },
	{ "port", NET_LINUX, "event-channel", "999", "*event channel 999*" },
	{ "port-huge", NET_LINUX, "event-channel", "4294967295", "*event channel*" },
	{ "queues-0", NET_LINUX, "multi-queue-num-queues", "0", "*wants `0' queues*" },
	{ "queues-9", NET_LINUX, "multi-queue-num-queues", "9", "*wants `9' queues*" },
	{ "queues-word", NET_LINUX, "multi-queue-num-queues", "x", "*wants `x' queues*" },
	{ "queues-escapes", NET_LINUX, "multi-queue-num-queues",
	  "1\n\033]0;owned\007xenemu: forged", "*wants `1??]0;owned?xenemu: forged' queues*" },
	{ "queues-missing", NET_LINUX, "multi-queue-num-queues", "2", "*queue-0/tx-ring-ref*" },
};

/* Tools of the host find the reason, too. */
static void assert_error_node(struct net *net, const char *reason)
{
	g_autofree char *text = xenstore_read(net->front->fake->dom.store,
					      "/local/domain/0/error/backend/vif/1/0/error");

	g_assert_nonnull(text);
	g_assert_true(g_pattern_match_simple(reason, text));
}

static void test_bad_keys(gconstpointer opaque)
{
	const struct bad_keys *bad = opaque;
	struct net *net = net_new("tap=fake0");

	net_queue_keys(net, 0, "", FALSE);
	net_features(net, bad->features);
	front_write(net->front, NET_VIF, bad->key, "%s", bad->value);
	front_set_state(net->front, NET_VIF, XenbusStateConnected);
	g_assert_cmpstr(net->front->messages->str, !=, "");
	net_assert_failed(net, bad->reason);
	assert_error_node(net, bad->reason);
	net_free(net);
}

/* The second queue's ring is bad: the first one's is let go again. */
static void test_bad_second_queue(void)
{
	struct net *net = net_new("tap=fake0");

	front_write(net->front, NET_VIF, "multi-queue-num-queues", "2");
	net_queue_keys(net, 0, "/queue-0", TRUE);
	net_queue_keys(net, 1, "/queue-1", TRUE);
	front_write(net->front, NET_VIF, "queue-1/event-channel-rx", "77");
	net_features(net, NET_LINUX);
	front_set_state(net->front, NET_VIF, XenbusStateConnected);
	net_assert_failed(net, "*event channel 77*");
	g_assert_cmpuint(front_status(net->front, net->queues[1].tx_port), ==,
			 EVTCHNSTAT_unbound);
	net_free(net);
}

static void test_bad_indices(void)
{
	struct net *net = net_new("tap=fake0");

	net_queue_keys(net, 0, "", FALSE);
	net_features(net, NET_LINUX);
	net->queues[0].rx->req_prod = VIF_RING_SIZE + 1;
	front_set_state(net->front, NET_VIF, XenbusStateConnected);
	net_assert_failed(net, "*rx-ring-ref*");
	net_free(net);
}

static void assert_works(struct net *net)
{
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	net_send_bytes(net, frame, sizeof(frame), 0);
	net_assert_sent(net, frame, sizeof(frame), NULL);
	net_assert_answers(&net->queues[0], 1, NETIF_RSP_OKAY);
	net_post(net, 0, 0, 20);
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	front_turn();
	net_assert_received(net, 0, frame, sizeof(frame), NULL);
}

/* Closed and connected again, with other rings, as a driver that is loaded again. */
static void test_reconnect(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	uint8_t stale[60];

	for (unsigned int i = 0; i < 3; i++) {
		assert_works(net);
		front_set_state(net->front, NET_VIF, XenbusStateClosing);
		front_set_state(net->front, NET_VIF, XenbusStateClosed);
		g_assert_cmpint(front_backend_state(net->front, "vif", 0), ==,
				XenbusStateClosed);
		for (uint32_t ref = 8; ref < net->front->next_ref; ref++)
			g_assert_cmpuint(front_in_use(net->front, ref), ==, 0);
		g_assert_cmpuint(front_status(net->front, net->queues[0].tx_port), ==,
				 EVTCHNSTAT_unbound);
		g_assert_cmpuint(net->link->offload, ==, 0);
		/* What comes meanwhile is for nobody. */
		net_fill(stale, sizeof(stale));
		fake_link_feed(net->link, stale, sizeof(stale), NULL);
		front_turn();
		front_set_state(net->front, NET_VIF, XenbusStateInitialising);
		g_assert_cmpint(front_backend_state(net->front, "vif", 0), ==,
				XenbusStateInitWait);
		net_queue_keys(net, 0, "", FALSE);
		net_connect(net);
		g_assert_cmpuint(net->link->in.length, ==, 0);
	}
	assert_works(net);
	net_assert_alive(net);
	net_free(net);
}

/* After it was lost for bad behaviour, a driver that is loaded again gets it back. */
static void test_after_failure(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);

	net->queues[0].tx_prod = 1000;
	net_send(net, &net->queues[0]);
	net_assert_failed(net, "*ring ahead*");
	front_set_state(net->front, NET_VIF, XenbusStateClosed);
	g_assert_cmpint(front_backend_state(net->front, "vif", 0), ==, XenbusStateClosed);
	front_set_state(net->front, NET_VIF, XenbusStateInitialising);
	net_queue_keys(net, 0, "", TRUE);
	net_connect(net);
	assert_works(net);
	net_free(net);
}

/* Requests that were there before the other end was: there is no event for them. */
static void test_early(void)
{
	struct net *net = net_new("tap=fake0");
	struct net_queue *queue = &net->queues[0];
	uint8_t *page = front_page(net->front, NET_DATA);

	net_queue_keys(net, 0, "", FALSE);
	net_features(net, NET_LINUX);
	net_fill(page, 60);
	net_put(queue, &(struct netif_tx_request){
			       .gref = front_grant(net->front, NET_DATA, TRUE), .size = 60 });
	queue->tx->req_prod = queue->tx_prod;
	net_connect(net);
	net_assert_sent(net, page, 60, NULL);
	net_assert_answers(queue, 1, NETIF_RSP_OKAY);
	net_free(net);
}

/* The same, but past the page: the interface is lost as it is by a later one. */
static void test_early_bad(void)
{
	struct net *net = net_new("tap=fake0");
	struct net_queue *queue = &net->queues[0];
	uint8_t frame[60];

	net_queue_keys(net, 0, "", FALSE);
	net_features(net, NET_LINUX);
	net_put(queue, &(struct netif_tx_request){
			       .gref = front_grant(net->front, NET_DATA, TRUE),
			       .offset = 4090,
			       .size = 60,
		       });
	queue->tx->req_prod = queue->tx_prod;
	front_set_state(net->front, NET_VIF, XenbusStateConnected);
	net_assert_failed(net, "*60 bytes from 4090*");
	/* Nobody would take it: the main loop comes to rest. */
	net_fill(frame, sizeof(frame));
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	front_turn();
	g_assert_null(net->link->link.in_watch);
	front_set_state(net->front, NET_VIF, XenbusStateClosed);
	front_set_state(net->front, NET_VIF, XenbusStateInitialising);
	net_queue_keys(net, 0, "", FALSE);
	net_connect(net);
	assert_works(net);
	net_free(net);
}

/* A ring that does not start at 0, as after a guest's resume */
static void test_odd_start(void)
{
	struct net *net = net_new("tap=fake0");
	struct net_queue *queue = &net->queues[0];

	net_queue_keys(net, 0, "", FALSE);
	net_features(net, NET_LINUX);
	queue->tx->req_prod = queue->tx->rsp_prod = queue->tx_prod = queue->tx_cons = -2;
	queue->rx->req_prod = queue->rx->rsp_prod = queue->rx_prod = queue->rx_cons = -5;
	queue->tx->rsp_event = -1;
	net_connect(net);
	for (unsigned int i = 0; i < 4; i++)
		assert_works(net);
	net_assert_alive(net);
	net_free(net);
}

/* While frames wait on both ways */
static void test_leave_busy(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	static uint8_t frame[9000];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, 2);
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	front_turn();
	net->link->busy = TRUE;
	net_send_bytes(net, frame, sizeof(frame), 0);
	net_free(net);
}

static void gone(void *opaque, struct device *dev)
{
	struct net *net = opaque;

	g_assert_true(net->dev == dev);
	device_free(dev);
	net->dev = NULL;
}

static void test_remove(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);

	device_remove(net->dev, gone, net);
	front_turn();
	front_expect(net->front, "vif", 0, "online", "0");
	g_assert_cmpint(front_backend_state(net->front, "vif", 0), ==, XenbusStateClosing);
	front_set_state(net->front, NET_VIF, XenbusStateClosed);
	g_assert_null(net->dev);
	g_assert_true(net->closed);
	front_expect(net->front, "vif", 0, "state", NULL);
	net_free(net);
}

static void test_twice(void)
{
	struct net *net = net_new("tap=fake0");
	struct fake_link *other = fake_link_new();
	struct vif_spec *spec = vif_spec_parse("tap=fake1", NULL);
	gboolean closed = FALSE;
	GError *error = NULL;

	other->closed = &closed;
	spec->devid = 0;
	g_assert_null(vif_new(spec, &other->link, &net->front->host, &error));
	g_assert_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG);
	g_error_free(error);
	g_assert_true(closed);
	front_expect(net->front, "vif", 0, "state", "2");
	net_free(net);
}

/* What --vif names is missing. */
static void test_config(void)
{
	struct front *front = front_new(FALSE);
	struct vif_spec *spec = vif_spec_parse("tap=no-such-tap0", NULL);
	struct device_config *config;
	GError *error = NULL;

	spec->devid = 0;
	config = vif_config_new(spec);
	g_assert_null(config->create(config, &front->host, &error));
	g_assert_error(error, LINK_ERROR, LINK_ERROR_HOST);
	g_assert_nonnull(strstr(error->message, "--vif tap=no-such-tap0: "));
	g_error_free(error);
	front_expect(front, "vif", 0, "state", NULL);
	config->free(config);
	front_free(front);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vif/keys", test_keys);
	g_test_add_func("/vif/mtu", test_mtu);
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad_keys); i++) {
		g_autofree char *path = g_strconcat("/vif/bad/", bad_keys[i].name, NULL);

		g_test_add_data_func(path, &bad_keys[i], test_bad_keys);
	}
	g_test_add_func("/vif/bad/second-queue", test_bad_second_queue);
	g_test_add_func("/vif/bad/indices", test_bad_indices);
	g_test_add_func("/vif/reconnect", test_reconnect);
	g_test_add_func("/vif/after-failure", test_after_failure);
	g_test_add_func("/vif/early", test_early);
	g_test_add_func("/vif/early-bad", test_early_bad);
	g_test_add_func("/vif/odd-start", test_odd_start);
	g_test_add_func("/vif/leave-busy", test_leave_busy);
	g_test_add_func("/vif/remove", test_remove);
	g_test_add_func("/vif/twice", test_twice);
	g_test_add_func("/vif/config", test_config);
	return g_test_run();
}
