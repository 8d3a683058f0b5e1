/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif-rx.c - frames that the guest receives
 *
 * With one queue and enough pages posted, the link writes a frame straight into the
 * guest's pages.  Otherwise it is read into a buffer of ours, one at a time; while that
 * one waits for room nothing is read from the link, so that it is the host's kernel that
 * drops what is too much.
 *
 * A guest whose driver is older than copying has given pages away with its requests, and
 * gets others with the frames in them, always by way of the buffer.
 *
 * A frame that is to be segmented has a slot with that information behind its first
 * one.  Responses must lie where the requests lay, so what is written straight leaves
 * out the second page posted.
 */
#include "backend/packet.h"
#include "backend/vif-private.h"
#include <string.h>

/* As rx_drain_timeout_msecs of xen-netback */
#define PATIENCE_SECONDS 10

/* Frames that lay about while the guest was not connected */
#define MAX_STALE 4096

/* --- pages that the guest has posted --- */

/* Has up to VIF_RX_SLOTS of them ready; FALSE: fewer than @want, an event will come. */
static gboolean fill(struct vif_queue *queue, unsigned int want)
{
	struct vif *vif = queue->vif;
	struct netif_rx_request request;
	RING_IDX nr;

	while (queue->nr_posted < want) {
		struct rx_slot *slot = &queue->posted[queue->nr_posted];

		if (!vif_ring_requests(&queue->rx, &nr)) {
			vif_fail(vif, "the guest's index of pages to receive is more than a "
				      "ring ahead");
			return FALSE;
		}
		if (!nr && !vif_ring_ask(&queue->rx, queue->rx.req_cons))
			return FALSE;
		if (!nr)
			continue;
		vif_ring_take(&queue->rx, &request);
		slot->map.ref = request.gref;
		if (!vif->flip && grants_map(vif->dev->host->grants, request.gref, TRUE,
					     &slot->map) != GNTST_okay) {
			vif_fail(vif,
				 "the guest wants to receive into a page that it has not "
				 "granted (%u)",
				 request.gref);
			return FALSE;
		}
		slot->id = request.id;
		queue->nr_posted++;
	}
	return TRUE;
}

/* The first @nr are the guest's again. */
static void let_go(struct vif_queue *queue, unsigned int nr)
{
	for (unsigned int i = 0; i < nr && !queue->vif->flip; i++)
		grants_unmap(queue->vif->dev->host->grants, &queue->posted[i].map);
	queue->nr_posted -= nr;
	memmove(queue->posted, queue->posted + nr, queue->nr_posted * sizeof(*queue->posted));
}

/* --- what a frame is like --- */

static gboolean is_gso(const struct virtio_net_hdr *hdr)
{
	return hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

static unsigned int pages_of(size_t len)
{
	return (len + PAGE_SIZE - 1) / PAGE_SIZE;
}

static gboolean wants_multicast(const struct vif *vif, const uint8_t *address)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (!vif->multicast_control || !(address[0] & 1) || !memcmp(address, broadcast, 6))
		return TRUE;
	for (unsigned int i = 0; i < vif->nr_multicast; i++)
		if (!memcmp(vif->multicast[i], address, 6))
			return TRUE;
	return FALSE;
}

/* Can the guest be given this frame, whose first bytes are @head? */
static gboolean is_wanted(const struct vif *vif, const uint8_t *head, size_t len,
			  const struct virtio_net_hdr *hdr)
{
	if (!vif->can_sg && len > PAGE_SIZE)
		return FALSE;
	/* Left from before the link was told what it may send */
	if (is_gso(hdr) && !(hdr->gso_type == VIRTIO_NET_HDR_GSO_TCPV4   ? vif->gso4
			     : hdr->gso_type == VIRTIO_NET_HDR_GSO_TCPV6 ? vif->gso6
									 : FALSE))
		return FALSE;
	return wants_multicast(vif, head);
}

/* Completes the checksum when the guest can't; what is left is in @hdr. */
static void complete(const struct vif *vif, const struct iovec *iov, unsigned int nr_iov,
		     struct virtio_net_hdr *hdr)
{
	gboolean ipv6 = packet_is_ipv6(iov->iov_base, iov->iov_len);

	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
	    (ipv6 ? vif->ipv6_csum : vif->ip_csum))
		return;
	packet_complete_checksum(iov, nr_iov, hdr->csum_start, hdr->csum_offset);
	hdr->flags = 0;
}

/* --- answers --- */

static uint16_t first_flags(const struct virtio_net_hdr *hdr)
{
	uint16_t flags = is_gso(hdr) ? NETRXF_extra_info : 0;

	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		flags |= NETRXF_csum_blank | NETRXF_data_validated;
	if (hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		flags |= NETRXF_data_validated;
	return flags;
}

static void respond_gso(struct vif_queue *queue, const struct virtio_net_hdr *hdr)
{
	struct netif_extra_info info = {
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.u.gso.size = hdr->gso_size,
		.u.gso.type = hdr->gso_type == VIRTIO_NET_HDR_GSO_TCPV4
				      ? XEN_NETIF_GSO_TYPE_TCPV4
				      : XEN_NETIF_GSO_TYPE_TCPV6,
	};

	vif_ring_respond(&queue->rx, &info, sizeof(info));
}

/* The frame's data is in the pages: that of the extra slot, if any, is left out. */
static void respond(struct vif_queue *queue, size_t len, const struct virtio_net_hdr *hdr)
{
	unsigned int slots = pages_of(len) + is_gso(hdr);

	for (unsigned int i = 0; i < slots; i++) {
		size_t part = MIN(len, PAGE_SIZE);
		struct netif_rx_response rsp = {
			.id = queue->posted[i].id,
			.flags = i ? 0 : first_flags(hdr),
			.status = part,
		};

		if (i == 1 && is_gso(hdr)) {
			respond_gso(queue, hdr);
			continue;
		}
		len -= part;
		if (len)
			rsp.flags |= NETRXF_more_data;
		vif_ring_respond(&queue->rx, &rsp, sizeof(rsp));
	}
	let_go(queue, slots);
}

static void push(struct vif *vif)
{
	for (unsigned int i = 0; i < vif->nr_queues; i++) {
		struct vif_queue *queue = &vif->queues[i];

		if (vif_ring_push(&queue->rx))
			device_notify(queue->split ? &queue->rx_channel : &queue->channel);
	}
}

/* --- straight into the guest's pages --- */

/*
 * Where the frame goes: the pages in the order in which they are filled, with a hole for
 * a GSO slot.  A guest that takes one page only gets nothing that is longer; such a
 * frame ends in our buffer.
 */
static unsigned int list_pages(struct vif *vif, struct iovec *iov, gboolean hole)
{
	const struct rx_slot *posted = vif->queues[0].posted;
	unsigned int nr = 0;

	if (!vif->can_sg) {
		iov[0] = (struct iovec){ posted[0].map.page, PAGE_SIZE };
		iov[1] = (struct iovec){ vif->frame, sizeof(vif->frame) };
		return 2;
	}
	for (unsigned int i = 0; nr < VIF_RX_PAGES; i++)
		if (!(hole && i == 1))
			iov[nr++] = (struct iovec){ posted[i].map.page, PAGE_SIZE };
	return nr;
}

/* A long frame came that is not to be segmented: the second page is used after all. */
static void close_hole(struct vif_queue *queue, size_t len)
{
	for (unsigned int i = 1; i < pages_of(len); i++)
		memcpy(queue->posted[i].map.page, queue->posted[i + 1].map.page, PAGE_SIZE);
}

/* Return: whether there was a frame. */
static gboolean receive_straight(struct vif *vif)
{
	struct vif_queue *queue = &vif->queues[0];
	gboolean hole = vif->gso4 || vif->gso6;
	struct iovec iov[1 + VIF_RX_PAGES];
	unsigned int nr = list_pages(vif, iov + 1, hole);
	struct virtio_net_hdr hdr;
	size_t len = link_receive(vif->link, &hdr, iov, 1 + nr);
	unsigned int pages = pages_of(len);

	if (!len)
		return FALSE;
	if (!is_wanted(vif, iov[1].iov_base, len, &hdr))
		return TRUE;
	iov[pages].iov_len = len - (pages - 1) * PAGE_SIZE;
	complete(vif, iov + 1, pages, &hdr);
	if (hole && !is_gso(&hdr))
		close_hole(queue, len);
	respond(queue, len, &hdr);
	return TRUE;
}

/* --- by way of our buffer --- */

static void forget(struct vif *vif)
{
	vif->held = 0;
	g_clear_handle_id(&vif->patience, g_source_remove);
}

static gboolean patience_over(gpointer opaque)
{
	struct vif *vif = opaque;

	vif->patience = 0;
	forget(vif);
	vif_rx_run(vif);
	return G_SOURCE_REMOVE;
}

/* Return: whether there was a frame; it is held if the guest wants it. */
static gboolean hold(struct vif *vif)
{
	struct iovec iov[2] = { { 0 }, { vif->frame, sizeof(vif->frame) } };
	size_t len = link_receive(vif->link, &vif->held_hdr, iov, 2);

	if (!len)
		return FALSE;
	if (!is_wanted(vif, vif->frame, len, &vif->held_hdr))
		return TRUE;
	vif->held = len;
	vif->held_queue = &vif->queues[packet_flow(vif->frame, len) % vif->nr_queues];
	iov[1].iov_len = len;
	complete(vif, iov + 1, 1, &vif->held_hdr);
	return TRUE;
}

/* What the held frame has from @at on goes to the guest with the page of @slot. */
static gboolean put_page(struct vif *vif, const struct rx_slot *slot, size_t at)
{
	size_t len = MIN(PAGE_SIZE, vif->held - at);

	if (!vif->flip) {
		memcpy(slot->map.page, vif->frame + at, len);
		return TRUE;
	}
	if (grants_transfer(vif->dev->host->grants, slot->map.ref, vif->frame + at, len) ==
	    GNTST_okay)
		return TRUE;
	vif_fail(vif, "the guest wants to receive a page that it can't be given (%u)",
		 slot->map.ref);
	return FALSE;
}

/* FALSE: it has to wait. */
static gboolean deliver(struct vif *vif)
{
	struct vif_queue *queue = vif->held_queue;
	unsigned int pages = pages_of(vif->held), page = 0;
	gboolean gso = is_gso(&vif->held_hdr);

	if (!fill(queue, pages + gso)) {
		if (vif->failed)
			return FALSE;
		/* A guest that doesn't tell of pages would leave us waiting for ever. */
		if (!vif->rx_notify) {
			forget(vif);
			return TRUE;
		}
		if (!vif->patience)
			vif->patience =
				g_timeout_add_seconds(PATIENCE_SECONDS, patience_over, vif);
		return FALSE;
	}
	for (size_t at = 0; at < vif->held; at += PAGE_SIZE, page++)
		if (!put_page(vif, &queue->posted[page + (gso && page)], at))
			return FALSE;
	respond(queue, vif->held, &vif->held_hdr);
	forget(vif);
	return TRUE;
}

/* --- both --- */

/* FALSE: no more now, and who will tell is arranged. */
static gboolean run_one(struct vif *vif)
{
	gboolean any;

	if (vif->held)
		any = TRUE;
	else if (vif->nr_queues == 1 && !vif->flip &&
		 fill(&vif->queues[0], vif->can_sg ? VIF_RX_SLOTS : 1))
		any = receive_straight(vif);
	else
		any = !vif->failed && hold(vif);
	if (vif->failed)
		return FALSE;
	if (!any) {
		link_want(vif->link, TRUE);
		return FALSE;
	}
	if (!vif->held || deliver(vif))
		return TRUE;
	link_want(vif->link, FALSE);
	return FALSE;
}

static gboolean go_on(gpointer opaque)
{
	struct vif *vif = opaque;

	vif->more = 0;
	vif_rx_run(vif);
	return G_SOURCE_REMOVE;
}

void vif_rx_run(struct vif *vif)
{
	unsigned int budget = VIF_BUDGET;

	if (vif->failed || vif->more)
		return;
	while (budget && run_one(vif))
		budget--;
	pace_requests(vif->dev->host->pace, VIF_BUDGET - budget);
	push(vif);
	if (!budget) {
		link_want(vif->link, FALSE);
		vif->more = g_idle_add_full(G_PRIORITY_DEFAULT, go_on, vif, NULL);
	}
}

void vif_rx_start(struct vif *vif)
{
	struct virtio_net_hdr hdr;
	struct iovec iov[2];

	for (unsigned int i = 0; i < MAX_STALE; i++) {
		iov[1] = (struct iovec){ vif->frame, sizeof(vif->frame) };
		if (!link_receive(vif->link, &hdr, iov, 2))
			break;
	}
	link_want(vif->link, TRUE);
}

void vif_rx_stop(struct vif *vif)
{
	link_want(vif->link, FALSE);
	g_clear_handle_id(&vif->more, g_source_remove);
	forget(vif);
	for (unsigned int i = 0; i < vif->nr_queues; i++)
		let_go(&vif->queues[i], vif->queues[i].nr_posted);
}
