/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that a guest sends, and requests that make no sense.
 */
#include "backend/packet.h"
#include "fake-netfront.h"

/* Ethernet, IPv4 and TCP headers, 54 bytes; then data */
static void make_tcp4(uint8_t *frame, size_t len)
{
	net_fill(frame, len);
	memcpy(frame + 12, "\x08\x00\x45\x00", 4);
	memcpy(frame + 20, "\x40\x00\x40\x06", 4); /* don't fragment, ttl, TCP */
}

static void make_udp6(uint8_t *frame, size_t len)
{
	net_fill(frame, len);
	memcpy(frame + 12, "\x86\xdd\x60\x00\x00\x00\x00\x00\x11\x40", 10);
}

static void test_single(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	struct virtio_net_hdr hdr;
	uint8_t frame[100];

	net_fill(frame, sizeof(frame));
	net_send_bytes(net, frame, sizeof(frame), 0);
	net_assert_sent(net, frame, sizeof(frame), &hdr);
	g_assert_cmpuint(hdr.flags, ==, 0);
	g_assert_cmpuint(hdr.gso_type, ==, VIRTIO_NET_HDR_GSO_NONE);
	g_assert_cmpuint(queue->tx->ring[0].rsp.id, ==, NET_DATA);
	net_assert_answers(queue, 1, NETIF_RSP_OKAY);
	g_assert_true(front_kicked(net->front, queue->tx_port));
	g_assert_cmpuint(front_in_use(net->front, net->front->next_ref - 1), ==, 0);
	net_assert_alive(net);
	net_free(net);
}

/* Events only when they are asked for, and asked for when the ring is empty. */
static void test_events(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	g_assert_cmpuint(queue->tx->req_event, ==, 1);
	queue->tx->rsp_event = 3;
	for (unsigned int i = 1; i <= 3; i++) {
		net_send_bytes(net, frame, sizeof(frame), 0);
		g_assert_cmpint(front_kicked(net->front, queue->tx_port), ==, i == 3);
		g_assert_cmpuint(queue->tx->req_event, ==, i + 1);
		g_assert_cmpuint(queue->tx->rsp_prod, ==, i);
	}
	net_free(net);
}

static void test_long(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	static uint8_t frame[65535];

	net_fill(frame, sizeof(frame));
	net_send_bytes(net, frame, 9000, 0);
	net_assert_sent(net, frame, 9000, NULL);
	net_assert_answers(&net->queues[0], 3, NETIF_RSP_OKAY);
	net_send_bytes(net, frame, sizeof(frame), 0);
	net_assert_sent(net, frame, sizeof(frame), NULL);
	net_assert_answers(&net->queues[0], 16, NETIF_RSP_OKAY);
	net_assert_alive(net);
	net_free(net);
}

/* Headers in pieces, of which one is empty, at odd places of one page. */
static void test_pieces(void)
{
	static const uint16_t sizes[] = { 3, 11, 0, 40, 1, 345 };
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	uint8_t *page = front_page(net->front, NET_DATA), frame[400];
	uint32_t ref = front_grant(net->front, NET_DATA, TRUE);
	unsigned int at = 1;

	net_fill(frame, sizeof(frame));
	memcpy(page + 1, frame, sizeof(frame));
	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++) {
		gboolean last = i + 1 == G_N_ELEMENTS(sizes);

		net_put(queue, &(struct netif_tx_request){
				       .gref = ref,
				       .offset = at,
				       .size = i ? sizes[i] : sizeof(frame),
				       .flags = last ? 0 : NETTXF_more_data,
				       .id = 100 + i,
			       });
		at += sizes[i];
	}
	net_send(net, queue);
	net_assert_sent(net, frame, sizeof(frame), NULL);
	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++)
		g_assert_cmpuint(queue->tx->ring[i].rsp.id, ==, 100 + i);
	net_assert_answers(queue, G_N_ELEMENTS(sizes), NETIF_RSP_OKAY);
	net_free(net);
}

static void test_checksum(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct virtio_net_hdr hdr;
	uint8_t frame[300];

	make_tcp4(frame, sizeof(frame));
	net_send_bytes(net, frame, sizeof(frame), NETTXF_csum_blank | NETTXF_data_validated);
	net_assert_sent(net, frame, sizeof(frame), &hdr);
	g_assert_cmpuint(hdr.flags, ==, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	g_assert_cmpuint(hdr.csum_start, ==, 34);
	g_assert_cmpuint(hdr.csum_offset, ==, 16);

	make_udp6(frame, sizeof(frame));
	net_send_bytes(net, frame, sizeof(frame), NETTXF_csum_blank);
	net_assert_sent(net, frame, sizeof(frame), &hdr);
	g_assert_cmpuint(hdr.csum_start, ==, 54);
	g_assert_cmpuint(hdr.csum_offset, ==, 6);

	/* Not blank: nobody looks */
	net_send_bytes(net, frame, sizeof(frame), NETTXF_data_validated);
	net_assert_sent(net, frame, sizeof(frame), &hdr);
	g_assert_cmpuint(hdr.flags, ==, 0);
	net_assert_answers(&net->queues[0], 3, NETIF_RSP_OKAY);

	/* Blank in something else: lost, but no error */
	net_fill(frame, sizeof(frame));
	net_send_bytes(net, frame, sizeof(frame), NETTXF_csum_blank);
	g_assert_cmpuint(net->link->out.length, ==, 0);
	net_assert_answers(&net->queues[0], 1, NETIF_RSP_OKAY);
	net_assert_alive(net);
	net_free(net);
}

static void put_gso(struct net *net, uint8_t type, uint16_t size, uint16_t flags)
{
	struct net_queue *queue = &net->queues[0];
	static uint8_t frame[8000];

	make_tcp4(frame, sizeof(frame));
	memcpy(front_page(net->front, NET_DATA), frame, PAGE_SIZE);
	memcpy(front_page(net->front, NET_DATA + 1), frame + PAGE_SIZE, 8000 - PAGE_SIZE);
	net_put(queue, &(struct netif_tx_request){
			       .gref = front_grant(net->front, NET_DATA, TRUE),
			       .flags = flags | NETTXF_extra_info | NETTXF_more_data,
			       .id = 5,
			       .size = 8000,
		       });
	net_put_extra(queue, &(struct netif_extra_info){
				     .type = XEN_NETIF_EXTRA_TYPE_GSO,
				     .u.gso = { .size = size, .type = type },
			     });
	net_put(queue, &(struct netif_tx_request){
			       .gref = front_grant(net->front, NET_DATA + 1, TRUE),
			       .id = 6,
			       .size = 8000 - PAGE_SIZE,
		       });
	net_send(net, queue);
}

static void test_gso(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	struct virtio_net_hdr hdr;
	uint8_t frame[8000];

	make_tcp4(frame, sizeof(frame));
	put_gso(net, XEN_NETIF_GSO_TYPE_TCPV4, 1448, NETTXF_csum_blank);
	net_assert_sent(net, frame, sizeof(frame), &hdr);
	g_assert_cmpuint(hdr.gso_type, ==, VIRTIO_NET_HDR_GSO_TCPV4);
	g_assert_cmpuint(hdr.gso_size, ==, 1448);
	g_assert_cmpuint(hdr.csum_start, ==, 34);
	g_assert_cmpuint(hdr.hdr_len, >=, 54);
	g_assert_cmpuint(hdr.hdr_len, <=, sizeof(frame));
	g_assert_cmpint(net_answer(queue).status, ==, NETIF_RSP_OKAY);
	g_assert_cmpint(net_answer(queue).status, ==, NETIF_RSP_NULL);
	net_assert_answers(queue, 1, NETIF_RSP_OKAY);
	g_assert_cmpuint(queue->tx->ring[0].rsp.id, ==, 5);
	g_assert_cmpuint(queue->tx->ring[2].rsp.id, ==, 6);

	put_gso(net, XEN_NETIF_GSO_TYPE_TCPV6, 1428, NETTXF_csum_blank);
	net_assert_sent(net, frame, sizeof(frame), &hdr);
	g_assert_cmpuint(hdr.gso_type, ==, VIRTIO_NET_HDR_GSO_TCPV6);
	net_assert_alive(net);
	net_free(net);
}

/* RFC 1071, slowly */
static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/*
 * A frame to be segmented whose sender left the checksum blank and did not say so: the
 * field has the sum of addresses, protocol and length then, all else is as it was sent.
 */
static void test_gso_not_blank(gconstpointer opaque)
{
	gboolean ipv6 = opaque != NULL;
	size_t at = ipv6 ? 22 : 26, tcp = ipv6 ? 54 : 34;
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	struct virtio_net_hdr hdr;
	uint8_t frame[1000], *page = front_page(net->front, NET_DATA);
	uint32_t sum;

	make_tcp4(frame, sizeof(frame));
	if (ipv6)
		memcpy(frame + 12, "\x86\xdd\x60\x00\x00\x00\x00\x00\x06\x40", 10);
	memcpy(page, frame, sizeof(frame));
	net_put(queue, &(struct netif_tx_request){
			       .gref = front_grant(net->front, NET_DATA, TRUE),
			       .flags = NETTXF_extra_info,
			       .size = sizeof(frame),
		       });
	net_put_extra(queue, &(struct netif_extra_info){
				     .type = XEN_NETIF_EXTRA_TYPE_GSO,
				     .u.gso = { .size = 100,
						.type = ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6
							     : XEN_NETIF_GSO_TYPE_TCPV4 },
			     });
	net_send(net, queue);
	sum = sum_words(6 + sizeof(frame) - tcp, frame + at, tcp - at);
	frame[tcp + 16] = sum >> 8;
	frame[tcp + 17] = sum;
	net_assert_sent(net, frame, sizeof(frame), &hdr);
	g_assert_cmpuint(hdr.flags, ==, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	g_assert_cmpuint(hdr.csum_start, ==, tcp);
	g_assert_cmpuint(hdr.csum_offset, ==, 16);
	g_assert_cmpuint(hdr.gso_size, ==, 100);
	g_assert_cmpuint(hdr.gso_type, ==,
			 ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
	g_assert_cmpint(net_answer(queue).status, ==, NETIF_RSP_OKAY);
	net_assert_alive(net);
	net_free(net);
}

static void put_multicast(struct net *net, uint8_t type, uint8_t last)
{
	struct net_queue *queue = &net->queues[0];

	net_put(queue, &(struct netif_tx_request){ .flags = NETTXF_extra_info, .id = 7 });
	net_put_extra(queue, &(struct netif_extra_info){
				     .type = type,
				     .u.mcast.addr = { 1, 0, 0x5e, 0, 0, last },
			     });
	net_send(net, queue);
}

static void feed_to(struct net *net, const void *address)
{
	uint8_t frame[60];

	net_fill(frame, sizeof(frame));
	memcpy(frame, address, 6);
	fake_link_feed(net->link, frame, sizeof(frame), NULL);
	front_turn();
}

static void assert_multicast(struct net *net, const char *address, gboolean arrives)
{
	struct net_queue *queue = &net->queues[0];
	RING_IDX before = queue->rx->rsp_prod;

	feed_to(net, address);
	g_assert_cmpuint(queue->rx->rsp_prod - before, ==, arrives);
}

static void test_multicast(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];

	net_post(net, 0, 0, 40);
	/* The list does not count before it is wanted. */
	assert_multicast(net, "\x01\x00\x5e\x00\x00\x01", TRUE);
	front_write(net->front, NET_VIF, "request-multicast-control", "1");
	front_turn();
	assert_multicast(net, "\x01\x00\x5e\x00\x00\x01", FALSE);
	put_multicast(net, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 1);
	put_multicast(net, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 2);
	g_assert_cmpint(net_answer(queue).status, ==, NETIF_RSP_OKAY);
	g_assert_cmpint(net_answer(queue).status, ==, NETIF_RSP_NULL);
	assert_multicast(net, "\x01\x00\x5e\x00\x00\x01", TRUE);
	assert_multicast(net, "\x01\x00\x5e\x00\x00\x02", TRUE);
	assert_multicast(net, "\x01\x00\x5e\x00\x00\x03", FALSE);
	put_multicast(net, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, 1);
	put_multicast(net, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, 9);
	assert_multicast(net, "\x01\x00\x5e\x00\x00\x01", FALSE);
	assert_multicast(net, "\x01\x00\x5e\x00\x00\x02", TRUE);
	assert_multicast(net, "\xff\xff\xff\xff\xff\xff", TRUE);
	assert_multicast(net, "\x00\x16\x3e\x00\x00\x01", TRUE);
	g_assert_cmpuint(net->link->out.length, ==, 0);
	net_assert_alive(net);
	net_free(net);
}

static void test_multicast_bounded(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];

	for (unsigned int i = 0; i < VIF_MAX_MULTICAST + 1; i++) {
		put_multicast(net, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, i);
		g_assert_cmpint(net_answer(queue).status, ==,
				i < VIF_MAX_MULTICAST ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
		g_assert_cmpint(net_answer(queue).status, ==, NETIF_RSP_NULL);
	}
	net_free(net);
}

/* While the link takes nothing, frames stay in the ring; none is lost or sent twice. */
static void test_busy(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	static uint8_t frame[5000];

	net_fill(frame, sizeof(frame));
	net->link->busy = TRUE;
	net_send_bytes(net, frame, sizeof(frame), 0);
	net_send_bytes(net, frame, 60, 0);
	g_assert_cmpuint(net->link->out.length, ==, 0);
	g_assert_cmpuint(queue->tx->rsp_prod, ==, 0);
	for (uint32_t ref = net->front->next_ref - 3; ref < net->front->next_ref; ref++)
		g_assert_cmpuint(front_in_use(net->front, ref), ==, 0);
	net->link->busy = FALSE;
	front_turn();
	net_assert_sent(net, frame, sizeof(frame), NULL);
	net_assert_sent(net, frame, 60, NULL);
	g_assert_cmpuint(net->link->out.length, ==, 0);
	net_assert_answers(queue, 3, NETIF_RSP_OKAY);
	net_free(net);
}

/* A link that is gone swallows. */
static void test_gone(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	uint8_t frame[60];

	link_gone(&net->link->link, "it rusted away");
	front_turn();
	g_assert_true(g_str_has_prefix(net->front->messages->str,
				       "vif 0 (fake0): it rusted away; the guest has no "
				       "network by it any more: "));
	net_fill(frame, sizeof(frame));
	net_send_bytes(net, frame, sizeof(frame), 0);
	g_assert_cmpuint(net->link->out.length, ==, 0);
	net_assert_answers(&net->queues[0], 1, NETIF_RSP_OKAY);
	net_free(net);
}

/* More frames than are served in a turn, and the ring wraps several times. */
static void test_many(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	uint32_t ref = front_grant(net->front, NET_DATA, TRUE);
	uint8_t *page = front_page(net->front, NET_DATA);

	net_fill(page, 60);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < VIF_RING_SIZE; i++)
			net_put(queue,
				&(struct netif_tx_request){ .gref = ref, .id = i, .size = 60 });
		net_send(net, queue);
		g_assert_cmpuint(net->link->out.length, ==, VIF_BUDGET);
		front_turn();
		g_assert_cmpuint(net->link->out.length, ==, VIF_RING_SIZE);
		for (unsigned int i = 0; i < VIF_RING_SIZE; i++) {
			g_assert_cmpuint(net_answer(queue).id, ==, i);
			net_assert_sent(net, page, 60, NULL);
		}
	}
	net_assert_alive(net);
	net_free(net);
}

static gboolean rate_due(gpointer opaque)
{
	*(gboolean *)opaque = TRUE;
	return G_SOURCE_REMOVE;
}

/* 1000 bytes each 20 ms: what is over waits in the ring, and goes out in time. */
static void test_rate(void)
{
	struct net *net = net_new("tap=fake0,rate=50KB/s@20ms");
	struct net_queue *queue = &net->queues[0];
	static uint8_t frame[600];
	gboolean late = FALSE;
	gint64 start;
	guint limit;

	front_expect(net->front, "vif", 0, "rate", "1000,20000");
	net_queue_keys(net, 0, "", FALSE);
	net_features(net, NET_LINUX);
	net_connect(net);
	net_fill(frame, sizeof(frame));
	start = g_get_monotonic_time();
	for (unsigned int i = 0; i < 6; i++)
		net_send_bytes(net, frame, sizeof(frame), 0);
	limit = g_timeout_add_seconds(20, rate_due, &late);
	while (net->link->out.length < 6 && !late)
		g_main_context_iteration(NULL, TRUE);
	g_assert_false(late);
	g_source_remove(limit);
	/* 3600 bytes: 1000 at once, the rest takes three fillings. */
	g_assert_cmpint(g_get_monotonic_time() - start, >=, 59000);
	net_assert_answers(queue, 6, NETIF_RSP_OKAY);
	net_free(net);
}

/* --- what makes no sense --- */

/**
 * struct bad - requests of which the last one starts nothing
 * @requests: grant GOOD stands for a good one
 * @nr:       how many
 * @reason:   the interface is lost because of it; NULL: answered with errors
 */
struct bad {
	const char *name;
	struct netif_tx_request requests[3];
	unsigned int nr;
	const char *reason;
};

#define GOOD 0x600d0000

/* An extra slot as the request that it overlays: type and flags, then 6 bytes. */
#define EXTRA(type, flags, first, second)                                                      \
	{                                                                                      \
		.gref = (type) | (flags) << 8 | (uint32_t)(first) << 16, .offset = (second)    \
	}

static const struct bad bads[] = {
	{ "more-missing", { { GOOD, 0, NETTXF_more_data, 0, 100 } }, 1, "*more of a frame*" },
	{ "extra-missing",
	  { { GOOD, 0, NETTXF_extra_info, 0, 100 } },
	  1,
	  "*more about a frame*" },
	{ "extra-more-missing",
	  { { GOOD, 0, NETTXF_extra_info, 0, 100 }, EXTRA(1, 1, 1448, 1) },
	  2,
	  "*more about a frame*" },
	{ "extra-type-0",
	  { { GOOD, 0, NETTXF_extra_info, 0, 100 }, EXTRA(0, 0, 0, 0) },
	  2,
	  "*unknown type 0*" },
	{ "extra-type-5",
	  { { GOOD, 0, NETTXF_extra_info, 0, 100 }, EXTRA(5, 0, 0, 0) },
	  2,
	  "*unknown type 5*" },
	{ "gso-size-0",
	  { { GOOD, 0, NETTXF_extra_info | NETTXF_csum_blank, 0, 100 }, EXTRA(1, 0, 0, 1) },
	  2,
	  "*segments of 0*" },
	{ "gso-type-3",
	  { { GOOD, 0, NETTXF_extra_info | NETTXF_csum_blank, 0, 100 }, EXTRA(1, 0, 1448, 3) },
	  2,
	  "*type 3*" },
	{ "past-the-page", { { GOOD, 4000, 0, 0, 97 } }, 1, "*97 bytes from 4000*" },
	{ "far-past-the-page",
	  { { GOOD, 65535, 0, 0, 65535 } },
	  1,
	  "*65535 bytes from 65535*" },
	{ "more-past-the-page",
	  { { GOOD, 0, NETTXF_more_data, 0, 200 }, { GOOD, 4090, 0, 1, 100 } },
	  2,
	  "*100 bytes from 4090*" },
	{ "first-past-the-page",
	  { { GOOD, 4000, NETTXF_more_data, 0, 200 }, { GOOD, 0, 0, 1, 100 } },
	  2,
	  "*100 bytes from 4000*" },
	{ "smaller-than-its-parts",
	  { { GOOD, 0, NETTXF_more_data, 0, 100 }, { GOOD, 0, 0, 1, 101 } },
	  2,
	  NULL },
	{ "too-short", { { GOOD, 0, 0, 0, 13 } }, 1, NULL },
	{ "empty", { { GOOD, 0, 0, 0, 0 } }, 1, NULL },
	{ "grant-out-of-range", { { 0xffffffff, 0, 0, 0, 100 } }, 1, NULL },
	{ "grant-never-made", { { 500, 0, 0, 0, 100 } }, 1, NULL },
	{ "second-grant-never-made",
	  { { GOOD, 0, NETTXF_more_data, 0, 200 }, { 500, 0, 0, 1, 100 } },
	  2,
	  NULL },
};

static void test_bad(gconstpointer opaque)
{
	const struct bad *bad = opaque;
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];
	uint32_t ref = front_grant(net->front, NET_DATA, TRUE);

	for (unsigned int i = 0; i < bad->nr; i++) {
		struct netif_tx_request request = bad->requests[i];

		if (request.gref == GOOD)
			request.gref = ref;
		net_put(queue, &request);
	}
	net_send(net, queue);
	g_assert_cmpuint(net->link->out.length, ==, 0);
	if (bad->reason) {
		net_assert_failed(net, bad->reason);
	} else {
		uint8_t frame[60];

		net_assert_answers(queue, bad->nr, NETIF_RSP_ERROR);
		/* And the next one goes through. */
		net_fill(frame, sizeof(frame));
		net_send_bytes(net, frame, sizeof(frame), 0);
		net_assert_sent(net, frame, sizeof(frame), NULL);
		net_assert_alive(net);
	}
	net_free(net);
}

/* @nr slots, as many as a ring if need be; the last says more, too, if it is @endless. */
static void put_chain(struct net *net, unsigned int nr, gboolean endless)
{
	struct net_queue *queue = &net->queues[0];
	uint32_t ref = front_grant(net->front, NET_DATA, TRUE);

	for (unsigned int i = 0; i < nr; i++)
		net_put(queue, &(struct netif_tx_request){
				       .gref = ref,
				       .flags = i + 1 < nr || endless ? NETTXF_more_data : 0,
				       .size = i ? 10 : 1000,
			       });
	net_send(net, queue);
}

static void test_chains(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];

	put_chain(net, 19, FALSE);
	g_assert_cmpuint(net->link->out.length, ==, 1);
	net_assert_answers(queue, 19, NETIF_RSP_OKAY);
	put_chain(net, 20, FALSE);
	net_assert_answers(queue, 20, NETIF_RSP_ERROR);
	put_chain(net, 21, FALSE);
	net_assert_answers(queue, 21, NETIF_RSP_ERROR);
	g_assert_cmpuint(net->link->out.length, ==, 1);
	net_assert_alive(net);
	put_chain(net, 22, FALSE);
	net_assert_failed(net, "*more than 20 slots*");
	net_free(net);
}

static void test_endless(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);

	put_chain(net, VIF_RING_SIZE, TRUE);
	net_assert_failed(net, "*more than 20 slots*");
	net_free(net);
}

static void test_index(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	struct net_queue *queue = &net->queues[0];

	queue->tx_prod = VIF_RING_SIZE + 1;
	net_send(net, queue);
	net_assert_failed(net, "*more than a ring ahead*");
	/* Nothing is served any more. */
	net_send(net, queue);
	front_turn();
	g_assert_cmpuint(queue->tx->rsp_prod, ==, 0);
	net_free(net);
}

/* A page that stops being granted between two frames. */
static void test_revoked(void)
{
	struct net *net = net_connected(NET_LINUX, FALSE);
	uint8_t frame[60];
	uint32_t ref;

	net_fill(frame, sizeof(frame));
	net_send_bytes(net, frame, sizeof(frame), 0);
	net_assert_answers(&net->queues[0], 1, NETIF_RSP_OKAY);
	ref = net->front->next_ref - 1;
	front_entry(net->front, ref)->flags = 0;
	net_put(&net->queues[0], &(struct netif_tx_request){ .gref = ref, .size = 60 });
	net_send(net, &net->queues[0]);
	net_assert_answers(&net->queues[0], 1, NETIF_RSP_ERROR);
	net_assert_alive(net);
	net_free(net);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vif/tx/single", test_single);
	g_test_add_func("/vif/tx/events", test_events);
	g_test_add_func("/vif/tx/long", test_long);
	g_test_add_func("/vif/tx/pieces", test_pieces);
	g_test_add_func("/vif/tx/checksum", test_checksum);
	g_test_add_func("/vif/tx/gso", test_gso);
	g_test_add_data_func("/vif/tx/gso-not-blank/ipv4", NULL, test_gso_not_blank);
	g_test_add_data_func("/vif/tx/gso-not-blank/ipv6", "", test_gso_not_blank);
	g_test_add_func("/vif/tx/multicast", test_multicast);
	g_test_add_func("/vif/tx/multicast-bounded", test_multicast_bounded);
	g_test_add_func("/vif/tx/busy", test_busy);
	g_test_add_func("/vif/tx/gone", test_gone);
	g_test_add_func("/vif/tx/many", test_many);
	g_test_add_func("/vif/tx/rate", test_rate);
	for (unsigned int i = 0; i < G_N_ELEMENTS(bads); i++) {
		g_autofree char *path = g_strconcat("/vif/tx/bad/", bads[i].name, NULL);

		g_test_add_data_func(path, &bads[i], test_bad);
	}
	g_test_add_func("/vif/tx/bad/chains", test_chains);
	g_test_add_func("/vif/tx/bad/endless", test_endless);
	g_test_add_func("/vif/tx/bad/index", test_index);
	g_test_add_func("/vif/tx/bad/revoked", test_revoked);
	return g_test_run();
}
