/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-netif.c - a network interface under a guest that does anything with its rings,
 * grants, events and keys, while frames come from the host
 *
 * The input is a sequence of steps of 8 bytes.  Rings and grants are those of a guest
 * that works, so that most of what is done to them means something.
 */
#include "../unit/fake-netfront.h"
#include "backend/vif-private.h"

#define PAGES 8
#define STEP 8

/* Grants of all pages, read-only and not, those that accept pages, and some of none */
static uint32_t a_grant(uint8_t byte)
{
	return 16 + byte % (4 * PAGES);
}

static void make_grants(struct net *net)
{
	net->front->next_ref = 16;
	for (unsigned int i = 0; i < PAGES; i++)
		front_grant(net->front, NET_DATA + i, TRUE);
	for (unsigned int i = 0; i < PAGES; i++)
		front_grant(net->front, NET_DATA + i, FALSE);
	/* Those that accept pages, and room for as many */
	for (unsigned int i = 0; i < PAGES; i++) {
		front_entry(net->front, net->front->next_ref++)->flags = GTF_accept_transfer;
		frames_release(net->front->fake->dom.frames, front_frame(NET_DATA + 100 + i));
	}
}

/* Frames that have headers: what is sent is made of these pages. */
static void make_pages(struct net *net)
{
	static const char *const headers[] = {
		"\x08\x00\x45\x00\x00\x00\x00\x00\x40\x00\x40\x06",
		"\x86\xdd\x60\x00\x00\x00\x00\x00\x06\x40\x00\x00",
		"\x08\x00\x4f\x00\x00\x00\x00\x00\x40\x00\x40\x11",
		"\x86\xdd\x60\x00\x00\x00\x00\x00\x3c\x40\x00\x00",
	};

	for (unsigned int i = 0; i < PAGES; i++)
		memcpy((uint8_t *)front_page(net->front, NET_DATA + i) + 12,
		       headers[i % G_N_ELEMENTS(headers)], 12);
}

static void put_request(struct net_queue *queue, const uint8_t *data)
{
	net_put(queue, &(struct netif_tx_request){
			       .gref = a_grant(data[1]),
			       .offset = data[2] << 4,
			       .flags = data[3] & 15,
			       .id = data[4],
			       .size = data[5] << (data[6] & 8) | data[7],
		       });
}

static void put_extra(struct net_queue *queue, const uint8_t *data)
{
	struct netif_extra_info info;

	memcpy(&info, data + 1, 7);
	info.type %= XEN_NETIF_EXTRA_TYPE_MAX + 1;
	info.flags &= 1;
	net_put_extra(queue, &info);
}

static void post(struct net_queue *queue, const uint8_t *data)
{
	for (unsigned int i = 0; i <= data[1] % 32; i++) {
		struct netif_rx_request request = { .id = i, .gref = a_grant(data[2] + i) };

		queue->rx->ring[queue->rx_prod++ % VIF_RING_SIZE].req = request;
	}
}

static void feed(struct net *net, const uint8_t *data)
{
	static const uint8_t types[] = { VIRTIO_NET_HDR_GSO_NONE, VIRTIO_NET_HDR_GSO_TCPV4,
					 VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_HDR_GSO_UDP };
	static uint8_t frame[LINK_MAX_FRAME];
	struct virtio_net_hdr hdr = {
		.flags = data[1] & 3,
		.gso_type = types[data[2] % G_N_ELEMENTS(types)],
		.gso_size = 1448,
		.csum_start = data[3],
		.csum_offset = data[4],
	};

	net_fill(frame, 64);
	frame[0] = data[5];
	if (net->link->in.length < 100)
		fake_link_feed(net->link, frame, 14 + (data[6] << 8 | data[7]), &hdr);
}

/* Changes a flag or a frame number of a grant. */
static void regrant(struct net *net, const uint8_t *data)
{
	struct grant_entry_v1 *entry = front_entry(net->front, a_grant(data[1]));

	if (data[2] & 1)
		entry->flags ^= 1 << data[3] % 3; /* type and read-only */
	else
		entry->frame ^= 1 << data[3] % 16;
}

static void turns(void)
{
	for (unsigned int i = 0; i < 8 && g_main_context_iteration(NULL, FALSE); i++)
		;
}

static void reconnect(struct net *net, const uint8_t *data)
{
	static const char *const features[] = { NET_LINUX,
						NET_OLD,
						NET_OLD " feature-sg",
						"request-rx-copy",
						"request-rx-copy=0 feature-rx-notify",
						NET_LINUX " request-multicast-control" };

	net->link->busy = FALSE; /* or the main loop never rests */
	front_set_state(net->front, NET_VIF, XenbusStateClosing);
	front_set_state(net->front, NET_VIF, XenbusStateClosed);
	if (data[1] & 0x80)
		return;
	front_set_state(net->front, NET_VIF, XenbusStateInitialising);
	events_reset(net->front->fake->dom.events);
	net->front->next_ref = 8;
	net_queue_keys(net, 0, "", data[1] & 1);
	net_features(net, features[data[2] % G_N_ELEMENTS(features)]);
	front_set_state(net->front, NET_VIF, XenbusStateConnected);
}

/* A bit of the rings' pages, indices included */
static void scribble(struct net_queue *queue, const uint8_t *data)
{
	uint8_t *page = data[1] & 1 ? (uint8_t *)queue->tx : (uint8_t *)queue->rx;

	page[(data[2] << 8 | data[3]) % PAGE_SIZE] = data[4];
}

static void step(struct net *net, const uint8_t *data)
{
	struct net_queue *queue = &net->queues[0];

	switch (data[0] % 12) {
	case 0:
	case 1:
		put_request(queue, data);
		break;
	case 2:
		put_extra(queue, data);
		break;
	case 3:
	case 4:
		queue->tx->req_prod = queue->tx_prod;
		front_kick(net->front, queue->tx_port);
		break;
	case 5:
		post(queue, data);
		queue->rx->req_prod = queue->rx_prod;
		front_kick(net->front, queue->rx_port);
		break;
	case 6:
	case 7:
		feed(net, data);
		break;
	case 8:
		turns();
		break;
	case 9:
		regrant(net, data);
		break;
	case 10:
		if (data[1] < 0x20)
			reconnect(net, data + 1);
		else if (data[1] < 0x40)
			net->link->busy = FALSE;
		else if (data[1] < 0x50)
			net->link->busy = TRUE;
		break;
	case 11:
		scribble(queue, data);
		break;
	}
	g_queue_clear_full(&net->link->out, fake_frame_free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net *net = net_new("tap=fake0");

	make_pages(net);
	make_grants(net);
	net->front->next_ref = 8;
	net_queue_keys(net, 0, "", TRUE);
	net_features(net, NET_LINUX);
	front_set_state(net->front, NET_VIF, XenbusStateConnected);
	for (; size >= STEP; data += STEP, size -= STEP)
		step(net, data);
	net->link->busy = FALSE;
	device_free(net->dev);
	/* What the guest had granted is not in use any more. */
	for (uint32_t ref = 8; ref < 16 + 2 * PAGES; ref++) /* not those that accept pages */
		if (front_in_use(net->front, ref))
			g_error("grant %u is still in use", ref);
	front_free(net->front);
	g_free(net);
	return 0;
}
