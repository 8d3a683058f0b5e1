/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif-tx.c - frames that the guest sends
 *
 * What is refused, what is only dropped and what costs the guest its interface follows
 * Linux's xen-netback (xenvif_tx_build_gops()).  Headers are copied, so that they stay
 * what was looked at; the rest goes to the host's kernel from the guest's pages.
 */
#include "backend/packet.h"
#include "backend/vif-private.h"
#include <string.h>

/* Slots behind the first: XEN_NETBK_LEGACY_SLOTS_MAX, fatal_skb_slots of xen-netback. */
#define MAX_MORE_SLOTS 18
#define FATAL_MORE_SLOTS 20

/* A queue that was quiet may send so much at once, whatever its rate. */
#define MIN_BURST 131072

/**
 * struct tx_packet - a frame as the guest describes it
 * @slots:     its pieces; the first one's size is its own by now
 * @nr_slots:  how many
 * @size:      of the whole
 * @extras:    by type - 1; a type of 0: not there
 * @nr_extras: slots that they took
 * @bad:       not to be sent, but answered
 */
struct tx_packet {
	struct netif_tx_request slots[1 + FATAL_MORE_SLOTS];
	unsigned int nr_slots;
	unsigned int size;
	struct netif_extra_info extras[XEN_NETIF_EXTRA_TYPE_MAX - 1];
	unsigned int nr_extras;
	gboolean bad;
};

static const struct netif_extra_info *extra(const struct tx_packet *packet, uint8_t type)
{
	const struct netif_extra_info *info = &packet->extras[type - 1];

	return info->type ? info : NULL;
}

/* --- what the guest says --- */

static gboolean take_extras(struct vif_queue *queue, struct tx_packet *packet, RING_IDX *left)
{
	struct netif_extra_info info;
	uint8_t slot[sizeof(struct netif_tx_request)];

	do {
		if (!*left) {
			vif_fail(queue->vif, "the guest announced more about a frame than it "
					     "sent");
			return FALSE;
		}
		vif_ring_take(&queue->tx, slot);
		memcpy(&info, slot, sizeof(info));
		(*left)--;
		packet->nr_extras++;
		if (!info.type || info.type >= XEN_NETIF_EXTRA_TYPE_MAX) {
			vif_fail(queue->vif, "the guest sent information of an unknown type %u",
				 info.type);
			return FALSE;
		}
		packet->extras[info.type - 1] = info;
	} while (info.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	return TRUE;
}

static gboolean take_slot(struct vif_queue *queue, struct tx_packet *packet, RING_IDX *left)
{
	struct netif_tx_request *first = &packet->slots[0];
	struct netif_tx_request *slot = &packet->slots[packet->nr_slots];

	if (!*left) {
		vif_fail(queue->vif, "the guest announced more of a frame than it sent");
		return FALSE;
	}
	if (packet->nr_slots > FATAL_MORE_SLOTS) {
		vif_fail(queue->vif, "the guest sent a frame of more than %u slots",
			 FATAL_MORE_SLOTS);
		return FALSE;
	}
	vif_ring_take(&queue->tx, slot);
	(*left)--;
	packet->nr_slots++;
	if (slot->offset + slot->size > PAGE_SIZE) {
		vif_fail(queue->vif, "the guest sent %u bytes from %u of a page on", slot->size,
			 slot->offset);
		return FALSE;
	}
	/* Frontends that sent 64 KiB and more said a size of 16 bits: no hostility. */
	if (packet->nr_slots > 1 + MAX_MORE_SLOTS || slot->size > first->size)
		packet->bad = TRUE;
	else
		first->size -= slot->size;
	return TRUE;
}

static gboolean check_gso(struct vif_queue *queue, const struct tx_packet *packet)
{
	const struct netif_extra_info *gso = extra(packet, XEN_NETIF_EXTRA_TYPE_GSO);

	if (!gso)
		return TRUE;
	if (gso->u.gso.size && (gso->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ||
				gso->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6))
		return TRUE;
	vif_fail(queue->vif, "the guest wants segments of %u bytes, type %u", gso->u.gso.size,
		 gso->u.gso.type);
	return FALSE;
}

static gboolean is_multicast_change(const struct tx_packet *packet)
{
	return extra(packet, XEN_NETIF_EXTRA_TYPE_MCAST_ADD) ||
	       extra(packet, XEN_NETIF_EXTRA_TYPE_MCAST_DEL);
}

/* The next frame of @left requests; FALSE when the interface has failed. */
static gboolean take_packet(struct vif_queue *queue, struct tx_packet *packet, RING_IDX left)
{
	struct netif_tx_request *first = &packet->slots[0];
	uint16_t flags;

	memset(packet, 0, sizeof(*packet));
	vif_ring_take(&queue->tx, first);
	left--;
	packet->nr_slots = 1;
	packet->size = first->size;
	flags = first->flags;
	if (flags & NETTXF_extra_info && !take_extras(queue, packet, &left))
		return FALSE;
	if (is_multicast_change(packet))
		return TRUE;
	for (; flags & NETTXF_more_data; flags = packet->slots[packet->nr_slots - 1].flags)
		if (!take_slot(queue, packet, &left))
			return FALSE;
	if (packet->bad)
		return TRUE;
	if (first->offset + first->size > PAGE_SIZE) {
		vif_fail(queue->vif, "the guest sent %u bytes from %u of a page on",
			 first->size, first->offset);
		return FALSE;
	}
	packet->bad = packet->size < LINK_MIN_FRAME;
	return check_gso(queue, packet);
}

/* In the order of the requests: the first slot, what is beside it, the others. */
static void respond(struct vif_queue *queue, const struct tx_packet *packet, int16_t status)
{
	struct netif_tx_response rsp = { .id = packet->slots[0].id, .status = status };

	vif_ring_respond(&queue->tx, &rsp, sizeof(rsp));
	rsp = (struct netif_tx_response){ .status = NETIF_RSP_NULL };
	for (unsigned int i = 0; i < packet->nr_extras; i++)
		vif_ring_respond(&queue->tx, &rsp, sizeof(rsp));
	rsp.status = status;
	for (unsigned int i = 1; i < packet->nr_slots; i++) {
		rsp.id = packet->slots[i].id;
		vif_ring_respond(&queue->tx, &rsp, sizeof(rsp));
	}
}

/* --- multicast --- */

static int find_multicast(const struct vif *vif, const uint8_t *address)
{
	for (unsigned int i = 0; i < vif->nr_multicast; i++)
		if (!memcmp(vif->multicast[i], address, 6))
			return i;
	return -1;
}

static int16_t change_multicast(struct vif *vif, const struct tx_packet *packet)
{
	const struct netif_extra_info *add = extra(packet, XEN_NETIF_EXTRA_TYPE_MCAST_ADD);
	const struct netif_extra_info *del = extra(packet, XEN_NETIF_EXTRA_TYPE_MCAST_DEL);
	int at;

	if (add) {
		if (vif->nr_multicast == VIF_MAX_MULTICAST)
			return NETIF_RSP_ERROR;
		memcpy(vif->multicast[vif->nr_multicast++], add->u.mcast.addr, 6);
		return NETIF_RSP_OKAY;
	}
	at = find_multicast(vif, del->u.mcast.addr);
	if (at >= 0)
		memcpy(vif->multicast[at], vif->multicast[--vif->nr_multicast], 6);
	return NETIF_RSP_OKAY;
}

/* --- rate --- */

static void add_credit(struct vif_queue *queue)
{
	const struct vif_spec *spec = queue->vif->spec;
	uint64_t burst = MAX(spec->rate_bytes, MIN_BURST);
	gint64 now = g_get_monotonic_time();
	/* Timers come late, and not more often than each millisecond. */
	uint64_t intervals = (now - queue->credit_from) / spec->rate_usec;

	/* Both factors are below 2^32. */
	intervals = CLAMP(intervals, 1, G_MAXUINT32);
	queue->credit = MIN(queue->credit + spec->rate_bytes * intervals, burst);
	queue->credit_from = now;
}

static gboolean credit_due(gpointer opaque)
{
	struct vif_queue *queue = opaque;

	queue->credit_timer = 0;
	add_credit(queue);
	vif_tx_run(queue);
	return G_SOURCE_REMOVE;
}

/* FALSE: not now; a timer has been set. */
static gboolean has_credit(struct vif_queue *queue, unsigned int size)
{
	const struct vif_spec *spec = queue->vif->spec;
	gint64 now, due;

	if (!spec->rate_bytes || size <= queue->credit)
		return TRUE;
	now = g_get_monotonic_time();
	due = queue->credit_from + (gint64)spec->rate_usec;
	if (now >= due)
		add_credit(queue);
	if (size <= queue->credit)
		return TRUE;
	due = now >= due ? (gint64)spec->rate_usec : due - now;
	queue->credit_timer = g_timeout_add((due + 999) / 1000, credit_due, queue);
	return FALSE;
}

/* --- sending --- */

/**
 * struct tx_frame - a frame on its way to the link
 * @maps:   the pages of its slots
 * @nr_maps: how many
 * @head:   its first bytes
 * @iov:    element 0 for the link, 1 is @head, then what is left of the pages
 * @nr_iov: elements
 */
struct tx_frame {
	struct grant_map maps[1 + MAX_MORE_SLOTS];
	unsigned int nr_maps;
	uint8_t head[PACKET_HEAD];
	struct iovec iov[2 + 1 + MAX_MORE_SLOTS];
	unsigned int nr_iov;
};

static void unmap(struct vif *vif, struct tx_frame *frame)
{
	for (unsigned int i = 0; i < frame->nr_maps; i++)
		grants_unmap(vif->dev->host->grants, &frame->maps[i]);
}

static void add_piece(struct tx_frame *frame, uint8_t *bytes, size_t len)
{
	struct iovec *head = &frame->iov[1];
	size_t copied = MIN(len, PACKET_HEAD - head->iov_len);

	memcpy(frame->head + head->iov_len, bytes, copied);
	head->iov_len += copied;
	if (len > copied)
		frame->iov[frame->nr_iov++] = (struct iovec){ bytes + copied, len - copied };
}

static gboolean map(struct vif *vif, const struct tx_packet *packet, struct tx_frame *frame)
{
	frame->nr_maps = 0;
	frame->iov[1] = (struct iovec){ frame->head, 0 };
	frame->nr_iov = 2;
	for (unsigned int i = 0; i < packet->nr_slots; i++) {
		const struct netif_tx_request *slot = &packet->slots[i];
		struct grant_map *page = &frame->maps[frame->nr_maps];

		if (!slot->size)
			continue;
		if (grants_map(vif->dev->host->grants, slot->gref, FALSE, page) != GNTST_okay) {
			unmap(vif, frame);
			return FALSE;
		}
		frame->nr_maps++;
		add_piece(frame, (uint8_t *)page->page + slot->offset, slot->size);
	}
	return TRUE;
}

/*
 * FALSE: a frame whose checksum is left to us, but not one that we know.
 *
 * Some frontends have frames segmented and forget to say that the checksum is blank.  As
 * in xen-netback's checksum_setup() it is begun anew then.
 */
static gboolean describe(const struct tx_packet *packet, struct tx_frame *frame,
			 struct virtio_net_hdr *hdr)
{
	gboolean blank = (packet->slots[0].flags & NETTXF_csum_blank) != 0;
	const struct netif_extra_info *gso = extra(packet, XEN_NETIF_EXTRA_TYPE_GSO);
	size_t head = frame->iov[1].iov_len;
	struct packet_checksum sum;

	/* So much Linux takes as the frame's linear part. */
	*hdr = (struct virtio_net_hdr){ .hdr_len = head };
	if (!blank && !gso)
		return TRUE;
	if (!packet_find_checksum(frame->head, head, &sum))
		return FALSE;
	if (!blank)
		packet_start_checksum(frame->head, &sum, packet->size);
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = sum.start;
	hdr->csum_offset = sum.offset;
	if (gso) {
		hdr->gso_type = gso->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4
					? VIRTIO_NET_HDR_GSO_TCPV4
					: VIRTIO_NET_HDR_GSO_TCPV6;
		hdr->gso_size = gso->u.gso.size;
	}
	return TRUE;
}

/* FALSE: the link takes nothing now.  @status: what the guest is told. */
static gboolean send_packet(struct vif *vif, const struct tx_packet *packet, int16_t *status)
{
	enum link_status sent = LINK_DROPPED;
	struct tx_frame frame;
	struct virtio_net_hdr hdr;

	*status = NETIF_RSP_ERROR;
	if (packet->bad || !map(vif, packet, &frame))
		return TRUE;
	/* What is lost behind the interface is no error of it. */
	*status = NETIF_RSP_OKAY;
	if (describe(packet, &frame, &hdr))
		sent = link_send(vif->link, &hdr, frame.iov, frame.nr_iov);
	unmap(vif, &frame);
	return sent != LINK_BUSY;
}

/* FALSE: no more now.  The frame stays in the ring when it has to wait. */
static gboolean run_one(struct vif_queue *queue)
{
	struct vif *vif = queue->vif;
	RING_IDX nr, before = queue->tx.req_cons;
	struct tx_packet packet;
	int16_t status;

	if (!vif_ring_requests(&queue->tx, &nr)) {
		vif_fail(vif, "the guest's index of frames to send is more than a ring ahead");
		return FALSE;
	}
	if (!nr)
		return vif_ring_ask(&queue->tx, queue->tx.req_cons);
	if (!take_packet(queue, &packet, nr))
		return FALSE;
	if (is_multicast_change(&packet)) {
		status = change_multicast(vif, &packet);
	} else if (!has_credit(queue, packet.size) || !send_packet(vif, &packet, &status)) {
		queue->tx.req_cons = before;
		return FALSE;
	} else if (vif->spec->rate_bytes) {
		queue->credit -= packet.size;
	}
	respond(queue, &packet, status);
	return TRUE;
}

static gboolean go_on(gpointer opaque)
{
	struct vif_queue *queue = opaque;

	queue->more = 0;
	vif_tx_run(queue);
	return G_SOURCE_REMOVE;
}

void vif_tx_start(struct vif_queue *queue)
{
	if (!queue->more)
		queue->more = g_idle_add_full(G_PRIORITY_DEFAULT, go_on, queue, NULL);
}

void vif_tx_run(struct vif_queue *queue)
{
	unsigned int budget = VIF_BUDGET;

	if (queue->vif->failed || queue->credit_timer || queue->more)
		return;
	while (budget && run_one(queue))
		budget--;
	pace_requests(queue->vif->dev->host->pace, VIF_BUDGET - budget);
	if (vif_ring_push(&queue->tx))
		device_notify(&queue->channel);
	if (!budget)
		vif_tx_start(queue);
}

void vif_tx_stop(struct vif_queue *queue)
{
	g_clear_handle_id(&queue->more, g_source_remove);
	g_clear_handle_id(&queue->credit_timer, g_source_remove);
}
