/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-netfront.h - the guest's side of a network interface, and a link to see what
 * comes through
 */
#ifndef TESTS_FAKE_NETFRONT_H
#define TESTS_FAKE_NETFRONT_H

#include "backend/vif-private.h"
#include "fake-frontend.h"
#include "fake-link.h"
#include <stdlib.h>

#define NET_MAX_QUEUES 3
#define NET_VIF "vif/0"

/* Pages of the guest: rings of a queue from here on, then those for frames. */
#define NET_RINGS 0
#define NET_DATA 16

/**
 * struct net_queue - a pair of rings as the guest knows it
 * @tx, @rx: pages of the rings
 * @tx_ref, @rx_ref: their grants
 * @tx_port, @rx_port: event channels; the same when not split
 * @tx_prod, @rx_prod: requests written
 * @tx_cons, @rx_cons: responses read
 */
struct net_queue {
	struct netif_tx_sring *tx;
	struct netif_rx_sring *rx;
	uint32_t tx_ref, rx_ref;
	unsigned int tx_port, rx_port;
	RING_IDX tx_prod, rx_prod;
	RING_IDX tx_cons, rx_cons;
};

/**
 * struct net - a guest with an interface
 * @link: the host's end
 * @dev:  the device, started
 * @closed: @link was freed
 */
struct net {
	struct front *front;
	struct fake_link *link;
	struct device *dev;
	gboolean closed;
	struct net_queue queues[NET_MAX_QUEUES];
};

/** net_new() - an interface; the frontend has not done anything yet */
static inline struct net *net_new(const char *text)
{
	struct net *net = g_new0(struct net, 1);
	struct vif_spec *spec = vif_spec_parse(text, NULL);
	GError *error = NULL;

	g_assert_nonnull(spec);
	spec->devid = 0;
	net->front = front_new(FALSE);
	net->link = fake_link_new();
	net->link->closed = &net->closed;
	net->dev = vif_new(spec, &net->link->link, &net->front->host, &error);
	g_assert_no_error(error);
	device_start(net->dev);
	front_turn();
	return net;
}

static inline void net_free(struct net *net)
{
	device_free(net->dev);
	g_assert_true(net->closed);
	front_free(net->front);
	g_free(net);
}

/** net_queue_keys() - make the rings of a queue and write its keys */
static inline void net_queue_keys(struct net *net, unsigned int index, const char *where,
				  gboolean split)
{
	struct net_queue *queue = &net->queues[index];
	g_autofree char *dir = g_strdup_printf("%s%s", NET_VIF, where);
	unsigned int page = NET_RINGS + 2 * index;

	*queue = (struct net_queue){
		.tx = front_page(net->front, page),
		.rx = front_page(net->front, page + 1),
	};
	memset(queue->tx, 0, PAGE_SIZE);
	memset(queue->rx, 0, PAGE_SIZE);
	queue->tx->req_event = queue->tx->rsp_event = 1;
	queue->rx->req_event = queue->rx->rsp_event = 1;
	queue->tx_ref = front_grant(net->front, page, FALSE);
	queue->rx_ref = front_grant(net->front, page + 1, FALSE);
	queue->tx_port = front_port(net->front);
	queue->rx_port = split ? front_port(net->front) : queue->tx_port;
	front_write(net->front, dir, "tx-ring-ref", "%u", queue->tx_ref);
	front_write(net->front, dir, "rx-ring-ref", "%u", queue->rx_ref);
	if (!split) {
		front_write(net->front, dir, "event-channel", "%u", queue->tx_port);
		return;
	}
	front_write(net->front, dir, "event-channel-tx", "%u", queue->tx_port);
	front_write(net->front, dir, "event-channel-rx", "%u", queue->rx_port);
}

/** net_features() - the keys of a frontend; a space-separated list of "key" or "key=0" */
static inline void net_features(struct net *net, const char *features)
{
	g_auto(GStrv) words = g_strsplit(features, " ", -1);

	for (char **word = words; *word && **word; word++) {
		char *value = strchr(*word, '=');

		if (value)
			*value++ = '\0';
		front_write(net->front, NET_VIF, *word, "%s", value ? value : "1");
	}
}

/* What Linux 6.1's frontend writes, and an old one's */
#define NET_LINUX                                                                              \
	"request-rx-copy feature-rx-notify feature-sg feature-gso-tcpv4 feature-gso-tcpv6 "    \
	"feature-ipv6-csum-offload"
#define NET_OLD "request-rx-copy feature-rx-notify"

/** net_connect() - go on to Connected; the backend does as well */
static inline void net_connect(struct net *net)
{
	front_set_state(net->front, NET_VIF, XenbusStateConnected);
	g_assert_cmpint(front_backend_state(net->front, "vif", 0), ==, XenbusStateConnected);
}

/** net_connected() - a connected interface with one queue */
static inline struct net *net_connected(const char *features, gboolean split)
{
	struct net *net = net_new("tap=fake0,mac=00:16:3e:00:00:01");

	net_queue_keys(net, 0, "", split);
	net_features(net, features);
	net_connect(net);
	return net;
}

/** net_assert_failed() - the guest lost its interface for a reason that fits */
static inline void net_assert_failed(struct net *net, const char *reason)
{
	front_turn();
	g_assert_cmpint(front_backend_state(net->front, "vif", 0), ==, XenbusStateClosing);
	g_test_message("%s", net->front->messages->str);
	g_assert_true(g_pattern_match_simple(reason, net->front->messages->str));
	/* Nothing of the guest is in use. */
	for (uint32_t ref = 8; ref < net->front->next_ref; ref++)
		g_assert_cmpuint(front_in_use(net->front, ref), ==, 0);
	g_assert_cmpuint(front_status(net->front, net->queues[0].tx_port), ==,
			 EVTCHNSTAT_unbound);
}

/** net_assert_alive() - and it is still connected, without complaint */
static inline void net_assert_alive(struct net *net)
{
	front_turn();
	g_assert_cmpint(front_backend_state(net->front, "vif", 0), ==, XenbusStateConnected);
	g_assert_cmpstr(net->front->messages->str, ==, "");
}

/** net_fill() - bytes of a frame that differ from place to place */
static inline void net_fill(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = i * 7 + (i >> 8);
	/* No group address, no known protocol */
	if (len >= 14)
		memcpy(bytes, "\x00\x16\x3e\x00\x00\x01\x02\x00\x00\x00\x00\x02\x88\xb5", 14);
}

/* --- sending --- */

/** net_put() - write a request into the tx ring; the guest has not told of it yet */
static inline void net_put(struct net_queue *queue, const struct netif_tx_request *request)
{
	memcpy(&queue->tx->ring[queue->tx_prod++ % VIF_RING_SIZE], request, sizeof(*request));
}

static inline void net_put_extra(struct net_queue *queue, const struct netif_extra_info *info)
{
	memcpy(&queue->tx->ring[queue->tx_prod++ % VIF_RING_SIZE], info, sizeof(*info));
}

/** net_send() - tell of the requests */
static inline void net_send(struct net *net, struct net_queue *queue)
{
	queue->tx->req_prod = queue->tx_prod;
	front_kick(net->front, queue->tx_port);
}

/** net_answer() - read a response; aborts when there is none */
static inline struct netif_tx_response net_answer(struct net_queue *queue)
{
	g_assert_cmpuint(queue->tx->rsp_prod, !=, queue->tx_cons);
	return queue->tx->ring[queue->tx_cons++ % VIF_RING_SIZE].rsp;
}

/** net_assert_answers() - so many responses of this status, and no more */
static inline void net_assert_answers(struct net_queue *queue, unsigned int nr, int status)
{
	for (unsigned int i = 0; i < nr; i++)
		g_assert_cmpint(net_answer(queue).status, ==, status);
	g_assert_cmpuint(queue->tx->rsp_prod, ==, queue->tx_cons);
}

/** net_send_bytes() - send a frame from pages NET_DATA on, granted read-only */
static inline void net_send_bytes(struct net *net, const void *bytes, size_t len,
				  uint16_t flags)
{
	struct net_queue *queue = &net->queues[0];

	for (size_t at = 0, page = NET_DATA; at == 0 || at < len; at += PAGE_SIZE, page++) {
		size_t part = MIN(PAGE_SIZE, len - at);

		memcpy(front_page(net->front, page), (const uint8_t *)bytes + at, part);
		net_put(queue, &(struct netif_tx_request){
				       .gref = front_grant(net->front, page, TRUE),
				       .flags = (at ? 0 : flags) |
						(at + part < len ? NETTXF_more_data : 0),
				       .id = page,
				       .size = at ? part : len,
			       });
	}
	net_send(net, queue);
}

/** net_assert_sent() - the link got this next; @hdr receives what was beside it */
static inline void net_assert_sent(struct net *net, const void *bytes, size_t len,
				   struct virtio_net_hdr *hdr)
{
	struct fake_frame *frame = g_queue_pop_head(&net->link->out);
	const void *got;
	gsize got_len;

	g_assert_nonnull(frame);
	got = g_bytes_get_data(frame->bytes, &got_len);
	g_assert_cmpmem(got, got_len, bytes, len);
	if (hdr)
		*hdr = frame->hdr;
	fake_frame_free(frame);
}

/* --- receiving --- */

/** net_post() - post @nr pages from NET_DATA + @first on */
static inline void net_post(struct net *net, unsigned int index, unsigned int first,
			    unsigned int nr)
{
	struct net_queue *queue = &net->queues[index];

	for (unsigned int i = 0; i < nr; i++, queue->rx_prod++) {
		unsigned int page = NET_DATA + first + i;
		struct netif_rx_request request = {
			.id = page,
			.gref = front_grant(net->front, page, FALSE),
		};

		memset(front_page(net->front, page), 0xee, PAGE_SIZE);
		queue->rx->ring[queue->rx_prod % VIF_RING_SIZE].req = request;
	}
	queue->rx->req_prod = queue->rx_prod;
	front_kick(net->front, queue->rx_port);
	front_turn();
}

/** net_got() - read a response; aborts when there is none */
static inline struct netif_rx_response net_got(struct net_queue *queue)
{
	g_assert_cmpuint(queue->rx->rsp_prod, !=, queue->rx_cons);
	return queue->rx->ring[queue->rx_cons++ % VIF_RING_SIZE].rsp;
}

/**
 * net_assert_received() - the next responses are this frame
 * @gso: receives the extra slot; NULL: there must be none
 *
 * Return: flags of the first slot.
 */
static inline uint16_t net_assert_received(struct net *net, unsigned int index,
					   const uint8_t *bytes, size_t len,
					   struct netif_extra_info *gso)
{
	struct net_queue *queue = &net->queues[index];
	uint16_t flags = 0;
	gboolean more = TRUE;

	for (size_t at = 0; more; at += PAGE_SIZE) {
		struct netif_rx_response rsp = net_got(queue);
		size_t part = MIN(PAGE_SIZE, len - at);

		g_assert_cmpuint(at, <, len);
		g_assert_cmpint(rsp.offset, ==, 0);
		g_assert_cmpint(rsp.status, ==, part);
		g_assert_cmpmem(front_page(net->front, rsp.id), part, bytes + at, part);
		more = (rsp.flags & NETRXF_more_data) != 0;
		g_assert_cmpint(more, ==, at + part < len);
		if (at)
			continue;
		flags = rsp.flags;
		g_assert_cmpint((flags & NETRXF_extra_info) != 0, ==, gso != NULL);
		if (gso) {
			rsp = net_got(queue);
			memcpy(gso, &rsp, sizeof(*gso));
		}
	}
	return flags & ~NETRXF_more_data;
}

#endif
