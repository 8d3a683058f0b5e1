/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that a guest receives: straight into its pages when it has posted enough, and
 * by way of a buffer when not.
 */
#include "fake-netfront.h"

/* Pages posted for the one way and the other */
#define PLENTY 30
#define FEW 5

static void test_single(gconstpointer posted)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	uint8_t frame[100];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, GPOINTER_TO_UINT(posted));
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	front_turn();
	g_assert_cmpuint(queue->rx->ring[0].rsp.id, ==, NET_DATA);
	g_assert_cmpuint(net_assert_received(net, 0, frame, sizeof(frame), NULL), ==, 0);
	g_assert_cmpuint(front_in_use(net->front,
				      net->front->next_ref - GPOINTER_TO_UINT(posted)),
			 ==, 0);
	g_assert_cmpuint(queue->rx->rsp_prod, ==, 1);
	g_assert_true(front_kicked(net->front, queue->rx_port));
	net_assert_alive(net);
	net_free(net);
}

static void test_long(gconstpointer posted)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	static uint8_t frame[9000];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, GPOINTER_TO_UINT(posted));
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	fake_link_feed(net->link, frame, 4097, NULL);
	front_turn();
	net_assert_received(net, 0, frame, sizeof(frame), NULL);
	net_assert_received(net, 0, frame, 4097, NULL);
	net_assert_alive(net);
	net_free(net);
}

static void test_longest(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	static uint8_t frame[LINK_MAX_FRAME];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, 2 * PLENTY);
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	fake_link_feed(net->link, frame, 4096, NULL);
	front_turn();
	net_assert_received(net, 0, frame, sizeof(frame), NULL);
	net_assert_received(net, 0, frame, 4096, NULL);
	net_free(net);
}

static void test_gso(gconstpointer posted)
{
	static const struct {
		uint8_t type;
		uint8_t want;
	} types[] = {
		{ VIRTIO_NET_HDR_GSO_TCPV4, XEN_NETIF_GSO_TYPE_TCPV4 },
		{ VIRTIO_NET_HDR_GSO_TCPV6, XEN_NETIF_GSO_TYPE_TCPV6 },
	};
	static const size_t sizes[] = { 2000, 4096, 10000 };
	static uint8_t frame[10000];

	net_fill(frame, sizeof(frame));
	for (unsigned int i = 0; i < 2 * G_N_ELEMENTS(sizes); i++) {
		struct net *net = net_connected(NET_LINUX, FALSE);
		size_t len = sizes[i / 2];
		struct netif_extra_info gso;
		struct virtio_net_hdr hdr = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = types[i % 2].type,
			.gso_size = 1448,
		};

		net_post(net, 0, 0, GPOINTER_TO_UINT(posted));
		fake_link_feed(net->link, frame, len, &hdr);
		front_turn();
		g_assert_cmpuint(net_assert_received(net, 0, frame, len, &gso), ==,
				 NETRXF_extra_info | NETRXF_csum_blank | NETRXF_data_validated);
		g_assert_cmpuint(gso.type, ==, XEN_NETIF_EXTRA_TYPE_GSO);
		g_assert_cmpuint(gso.flags, ==, 0);
		g_assert_cmpuint(gso.u.gso.size, ==, 1448);
		g_assert_cmpuint(gso.u.gso.type, ==, types[i % 2].want);
		g_assert_cmpuint(net->queues[0].rx->rsp_prod, ==, net->queues[0].rx_cons);
		net_assert_alive(net);
		net_free(net);
	}
}

static void test_checksum(gconstpointer posted)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct virtio_net_hdr blank = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					.csum_start = 34,
					.csum_offset = 16 };
	struct virtio_net_hdr valid = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	uint8_t frame[100];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, GPOINTER_TO_UINT(posted));
	fake_link_feed(net->link, frame, sizeof(frame), &blank);
	fake_link_feed(net->link, frame, sizeof(frame), &valid);
	front_turn();
	g_assert_cmpuint(net_assert_received(net, 0, frame, sizeof(frame), NULL), ==,
			 NETRXF_csum_blank | NETRXF_data_validated);
	g_assert_cmpuint(net_assert_received(net, 0, frame, sizeof(frame), NULL), ==,
			 NETRXF_data_validated);
	net_free(net);
}

/* A guest that can't do it for IPv6 gets it done. */
static void test_ipv6_completed(gconstpointer posted)
{
	struct net *net = net_connected(NET_OLD " feature-sg", FALSE);
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .csum_start = 54,
				      .csum_offset = 6 };
	uint8_t frame[70], want[70];

	g_assert_cmpuint(net->link->offload, ==, LINK_CHECKSUM);
	memset(frame, 0, sizeof(frame));
	memcpy(frame, "\x00\x16\x3e\x00\x00\x01\x02\x00\x00\x00\x00\x02\x86\xdd\x60", 15);
	memcpy(frame + 54, "\x12\x34\x56\x78\x00\x10\x00\x21", 8);
	memcpy(want, frame, sizeof(want));
	/* ~(1234 + 5678 + 0010 + 0021) */
	memcpy(want + 60, "\x97\x22", 2);
	net_post(net, 0, 0, GPOINTER_TO_UINT(posted));
	fake_link_feed(net->link, frame, sizeof(frame), &hdr);
	front_turn();
	g_assert_cmpuint(net_assert_received(net, 0, want, sizeof(want), NULL), ==, 0);
	net_free(net);
}

/* What the link may leave to a guest */
static void test_offload(void)
{
	static const struct {
		const char *features;
		unsigned int offload;
	} cases[] = {
		{ NET_OLD, LINK_CHECKSUM },
		{ NET_OLD " feature-no-csum-offload", 0 },
		{ NET_OLD " feature-gso-tcpv4", LINK_CHECKSUM },
		{ NET_OLD " feature-sg feature-gso-tcpv4", LINK_CHECKSUM | LINK_TSO4 },
		{ NET_OLD " feature-sg feature-gso-tcpv4 feature-no-csum-offload", 0 },
		{ NET_OLD " feature-sg feature-gso-tcpv6", LINK_CHECKSUM },
		{ NET_LINUX, LINK_CHECKSUM | LINK_TSO4 | LINK_TSO6 },
		{ NET_LINUX " feature-gso-tcpv4=0", LINK_CHECKSUM | LINK_TSO6 },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct net *net = net_connected(cases[i].features, FALSE);

		g_assert_cmpuint(net->link->offload, ==, cases[i].offload);
		net_free(net);
	}
}

/* One page at a time, and frames that are longer never arrive. */
static void test_no_sg(void)
{
	struct net *net = net_connected(NET_OLD, FALSE);
	static uint8_t frame[4097];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, FEW);
	fake_link_feed(net->link, frame, 1514, NULL);
	fake_link_feed(net->link, frame, 4097, NULL);
	fake_link_feed(net->link, frame, 4096, NULL);
	front_turn();
	net_assert_received(net, 0, frame, 1514, NULL);
	net_assert_received(net, 0, frame, 4096, NULL);
	g_assert_cmpuint(net->queues[0].rx->rsp_prod, ==, 2);
	net_assert_alive(net);
	net_free(net);
}

/* A frame of a kind that the guest never said it takes. */
static void test_unwanted_gso(void)
{
	struct net *net = net_connected(NET_OLD " feature-sg", FALSE);
	struct virtio_net_hdr hdr = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 100 };
	static uint8_t frame[3000];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, PLENTY);
	fake_link_feed(net->link, frame, sizeof(frame), &hdr);
	front_turn();
	g_assert_cmpuint(net->queues[0].rx->rsp_prod, ==, 0);
	net_free(net);
}

/* Without pages nothing is taken from the link but one frame; then all come in order. */
static void test_no_room(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	static uint8_t frame[9000];

	net_fill(frame, sizeof(frame));
	for (unsigned int i = 0; i < 10; i++)
		fake_link_feed(net->link, frame, 100 + i, NULL);
	front_turn();
	g_assert_cmpuint(net->link->in.length, ==, 9);
	g_assert_cmpuint(queue->rx->req_event, ==, 1);
	net_post(net, 0, 0, 4);
	g_assert_cmpuint(queue->rx->rsp_prod, ==, 4);
	g_assert_cmpuint(net->link->in.length, ==, 5);
	g_assert_cmpuint(queue->rx->req_event, ==, 5);
	net_post(net, 0, 4, 20);
	for (unsigned int i = 0; i < 10; i++)
		net_assert_received(net, 0, frame, 100 + i, NULL);

	/* One that needs more pages than there are waits for the rest. */
	net_post(net, 0, 24, 1);
	fake_link_feed(net->link, frame, 9000, NULL);
	fake_link_feed(net->link, frame, 7000, NULL);
	front_turn();
	net_assert_alive(net);
	net_post(net, 0, 25, 20);
	net_assert_received(net, 0, frame, 9000, NULL);
	net_assert_received(net, 0, frame, 7000, NULL);
	net_free(net);
}

/* A frontend that sends no events for its pages is not waited for. */
static void test_no_notify(void)
{
	struct net *net = net_connected("request-rx-copy feature-sg", FALSE);
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	for (unsigned int i = 0; i < 3; i++)
		fake_link_feed(net->link, frame, 60, NULL);
	front_turn();
	g_assert_cmpuint(net->link->in.length, ==, 0);
	net->queues[0].rx->req_event = 1000; /* no event: */
	net_post(net, 0, 0, 2);
	fake_link_feed(net->link, frame, 60, NULL);
	front_turn();
	net_assert_received(net, 0, frame, 60, NULL);
	g_assert_cmpuint(net->queues[0].rx->rsp_prod, ==, 1);
	net_free(net);
}

/* More than are served in a turn; the ring wraps. */
static void test_many(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	for (unsigned int round = 0; round < 8; round++) {
		net_post(net, 0, 0, 100);
		net->front->next_ref = 20;
		for (unsigned int i = 0; i < 100; i++) {
			frame[50] = i;
			fake_link_feed(net->link, frame, 60, NULL);
		}
		front_turn();
		for (unsigned int i = 0; i < 100; i++) {
			frame[50] = i;
			net_assert_received(net, 0, frame, 60, NULL);
		}
	}
	net_assert_alive(net);
	net_free(net);
}

static void test_events(void)
{
	struct net *net = net_connected(NET_LINUX, TRUE);
	struct net_queue *queue = &net->queues[0];
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, PLENTY);
	queue->rx->rsp_event = 3;
	for (unsigned int i = 1; i <= 4; i++) {
		fake_link_feed(net->link, frame, 60, NULL);
		front_turn();
		g_assert_cmpint(front_kicked(net->front, queue->rx_port), ==, i == 3);
		g_assert_false(front_kicked(net->front, queue->tx_port));
	}
	net_send_bytes(net, frame, sizeof(frame), 0);
	g_assert_true(front_kicked(net->front, queue->tx_port));
	g_assert_false(front_kicked(net->front, queue->rx_port));
	net_free(net);
}

/* --- several queues --- */

static void make_flow(uint8_t *frame, uint8_t port)
{
	net_fill(frame, 60);
	memcpy(frame + 12, "\x08\x00\x45\x00", 4);
	memcpy(frame + 20, "\x40\x00\x40\x06\x00\x00", 6);
	memcpy(frame + 26, "\x0a\x00\x00\x01\x0a\x00\x00\x02\x30\x39\x00", 11);
	frame[37] = port;
}

static void test_queues(void)
{
	struct net *net = net_new("tap=fake0");
	unsigned int used = 0;
	uint8_t frame[60];

	front_write(net->front, NET_VIF, "multi-queue-num-queues", "3");
	for (unsigned int i = 0; i < 3; i++) {
		g_autofree char *where = g_strdup_printf("/queue-%u", i);

		net_queue_keys(net, i, where, TRUE);
	}
	net_features(net, NET_LINUX);
	net_connect(net);
	for (unsigned int i = 0; i < 3; i++)
		net_post(net, i, 100 * i, 100);
	/* Each flow keeps its queue; they are spread. */
	for (unsigned int port = 0; port < 20; port++) {
		unsigned int queue;
		RING_IDX before[3];

		make_flow(frame, port);
		for (unsigned int i = 0; i < 3; i++)
			before[i] = net->queues[i].rx->rsp_prod;
		fake_link_feed(net->link, frame, 60, NULL);
		fake_link_feed(net->link, frame, 60, NULL);
		front_turn();
		for (queue = 0; net->queues[queue].rx->rsp_prod == before[queue];)
			g_assert_cmpuint(++queue, <, 3);
		net_assert_received(net, queue, frame, 60, NULL);
		net_assert_received(net, queue, frame, 60, NULL);
		g_assert_true(front_kicked(net->front, net->queues[queue].rx_port) ||
			      before[queue]);
		used |= 1 << queue;
	}
	g_assert_cmpuint(used, ==, 7);
	/* And all can send. */
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t ref = front_grant(net->front, NET_DATA + 300, TRUE);

		net_put(&net->queues[i], &(struct netif_tx_request){ .gref = ref, .size = 60 });
		net_send(net, &net->queues[i]);
		net_assert_answers(&net->queues[i], 1, NETIF_RSP_OKAY);
		g_assert_true(front_kicked(net->front, net->queues[i].tx_port));
	}
	g_assert_cmpuint(net->link->out.length, ==, 3);
	net_assert_alive(net);
	net_free(net);
}

/* --- pages given away and others taken, as before Xen 3.0.3 --- */

#define NET_FLIP "feature-rx-notify"

/* Gives away @nr pages, and posts what accepts as many.  Return: the first reference */
static uint32_t post_flips(struct net *net, unsigned int nr)
{
	struct net_queue *queue = &net->queues[0];
	uint32_t first = net->front->next_ref;

	for (unsigned int i = 0; i < nr; i++, queue->rx_prod++) {
		uint32_t ref = net->front->next_ref++;
		struct netif_rx_request request = { .id = i, .gref = ref };

		g_assert_true(frames_release(net->front->fake->dom.frames,
					     front_frame(NET_DATA + i)));
		*front_entry(net->front, ref) = (struct grant_entry_v1){
			.flags = GTF_accept_transfer,
			.frame = i,
		};
		queue->rx->ring[queue->rx_prod % VIF_RING_SIZE].req = request;
	}
	queue->rx->req_prod = queue->rx_prod;
	front_kick(net->front, queue->rx_port);
	return first;
}

static void test_flip(void)
{
	struct net *net = net_connected(NET_FLIP, FALSE);
	struct frames *frames = net->front->fake->dom.frames;
	uint64_t before = frames_current(frames);
	uint32_t ref = post_flips(net, 3);
	uint8_t frame[1514];

	net_fill(frame, sizeof(frame));
	for (unsigned int i = 0; i < 3; i++) {
		struct grant_entry_v1 *entry = front_entry(net->front, ref + i);
		struct netif_rx_response rsp;

		g_assert_cmpuint(frames_current(frames), ==, before - 3 + i);
		g_assert_cmpuint(entry->flags, ==, GTF_accept_transfer);
		frame[100] = i;
		fake_link_feed(net->link, frame, sizeof(frame), NULL);
		front_turn();
		rsp = net_got(&net->queues[0]);
		g_assert_cmpuint(rsp.id, ==, i);
		g_assert_cmpint(rsp.status, ==, sizeof(frame));
		g_assert_cmpuint(rsp.offset, ==, 0);
		g_assert_cmpuint(entry->flags, ==,
				 GTF_accept_transfer | GTF_transfer_committed |
					 GTF_transfer_completed);
		g_assert_true(frames_owned(frames, entry->frame));
		g_assert_cmpmem(memory_page(net->front->fake->build.mem, entry->frame),
				sizeof(frame), frame, sizeof(frame));
	}
	g_assert_cmpuint(frames_current(frames), ==, before);
	net_assert_alive(net);
	net_free(net);
}

/* An entry that accepts nothing, is another's, or was used; more memory than it may have. */
static void test_bad_flip(gconstpointer opaque)
{
	const char *how = opaque;
	struct net *net = net_connected(NET_FLIP, FALSE);
	struct frames *frames = net->front->fake->dom.frames;
	uint32_t ref = post_flips(net, 1);
	struct grant_entry_v1 *entry = front_entry(net->front, ref);
	uint64_t mfn, before = frames_current(frames);
	uint8_t frame[60];

	if (!strcmp(how, "access"))
		entry->flags = GTF_permit_access;
	else if (!strcmp(how, "domain"))
		entry->domid = 3;
	else if (!strcmp(how, "used"))
		entry->flags |= GTF_transfer_committed;
	else if (!strcmp(how, "reference"))
		net->queues[0].rx->ring[0].req.gref = 0xffffffff;
	else
		g_assert_true(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	before = frames_current(frames);
	net_fill(frame, sizeof(frame));
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	net_assert_failed(net, "*can't be given*");
	g_assert_cmpuint(frames_current(frames), ==, before);
	g_assert_cmpuint(net->queues[0].rx->rsp_prod, ==, 0);
	net_free(net);
}

/* --- what makes no sense --- */

static void test_bad_grant(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, 3);
	queue->rx->ring[queue->rx_prod++].req.gref = 0xffffff;
	queue->rx->req_prod = queue->rx_prod;
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	net_assert_failed(net, "*has not granted (16777215)*");
	g_assert_cmpuint(queue->rx->rsp_prod, ==, 0);
	net_free(net);
}

static void test_read_only_grant(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, 1);
	front_entry(net->front, net->front->next_ref - 1)->flags |= GTF_readonly;
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	net_assert_failed(net, "*has not granted*");
	net_free(net);
}

static void test_index(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, PLENTY);
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	front_turn();
	net->queues[0].rx->req_prod = VIF_RING_SIZE + 20;
	for (unsigned int i = 0; i < PLENTY; i++)
		fake_link_feed(net->link, frame, sizeof(frame), NULL);
	net_assert_failed(net, "*more than a ring ahead*");
	net_free(net);
}

/* The same page granted and posted many times over: its own loss. */
static void test_same_page(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	static uint8_t frame[9000];

	net_fill(frame, sizeof(frame));
	net_post(net, 0, 0, PLENTY);
	for (unsigned int i = 1; i < PLENTY; i++)
		queue->rx->ring[i].req.gref = queue->rx->ring[0].req.gref;
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	front_turn();
	g_assert_cmpuint(queue->rx->rsp_prod, ==, 3);
	net_assert_alive(net);
	device_free(net->dev);
	for (uint32_t ref = 8; ref < net->front->next_ref; ref++)
		g_assert_cmpuint(front_in_use(net->front, ref), ==, 0);
	front_free(net->front);
	g_free(net);
}

static void add(const char *name, void (*test)(gconstpointer posted), unsigned int few)
{
	g_autofree char *straight = g_strdup_printf("/vif/rx/%s/straight", name);
	g_autofree char *held = g_strdup_printf("/vif/rx/%s/held", name);

	g_test_add_data_func(straight, GUINT_TO_POINTER(PLENTY), test);
	g_test_add_data_func(held, GUINT_TO_POINTER(few), test);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("single", test_single, 1);
	add("long", test_long, FEW);
	add("gso", test_gso, FEW);
	add("checksum", test_checksum, FEW);
	add("ipv6-completed", test_ipv6_completed, FEW);
	g_test_add_func("/vif/rx/longest", test_longest);
	g_test_add_func("/vif/rx/offload", test_offload);
	g_test_add_func("/vif/rx/no-sg", test_no_sg);
	g_test_add_func("/vif/rx/unwanted-gso", test_unwanted_gso);
	g_test_add_func("/vif/rx/no-room", test_no_room);
	g_test_add_func("/vif/rx/no-notify", test_no_notify);
	g_test_add_func("/vif/rx/many", test_many);
	g_test_add_func("/vif/rx/events", test_events);
	g_test_add_func("/vif/rx/queues", test_queues);
	g_test_add_func("/vif/rx/flip", test_flip);
	g_test_add_data_func("/vif/rx/bad/flip-access", "access", test_bad_flip);
	g_test_add_data_func("/vif/rx/bad/flip-domain", "domain", test_bad_flip);
	g_test_add_data_func("/vif/rx/bad/flip-used", "used", test_bad_flip);
	g_test_add_data_func("/vif/rx/bad/flip-reference", "reference", test_bad_flip);
	g_test_add_data_func("/vif/rx/bad/flip-memory", "memory", test_bad_flip);
	g_test_add_func("/vif/rx/bad/grant", test_bad_grant);
	g_test_add_func("/vif/rx/bad/read-only-grant", test_read_only_grant);
	g_test_add_func("/vif/rx/bad/index", test_index);
	g_test_add_func("/vif/rx/bad/same-page", test_same_page);
	return g_test_run();
}
