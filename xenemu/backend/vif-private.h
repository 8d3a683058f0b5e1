/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif-private.h - what the files of the network backend share
 *
 * "tx" is what the guest sends, "rx" what it receives, as in Xen's headers.
 */
#ifndef XENEMU_BACKEND_VIF_PRIVATE_H
#define XENEMU_BACKEND_VIF_PRIVATE_H

#include "backend/device.h"
#include "backend/link.h"
#include "backend/vif-spec.h"
#include <xen/xen.h>

#include <xen/io/netif.h>

#define VIF_MAX_QUEUES 8
#define VIF_MAX_MULTICAST 64 /* as XEN_NETBK_MCAST_MAX of Linux's xen-netback */

/** Most pages of a frame to the guest, and one slot for what goes beside it */
#define VIF_RX_PAGES DIV_ROUND_UP_CONST(LINK_MAX_FRAME, PAGE_SIZE)
#define VIF_RX_SLOTS (VIF_RX_PAGES + 1)
#define DIV_ROUND_UP_CONST(n, by) (((n) + (by)-1) / (by))

/** Frames one way that are handled before others get their turn */
#define VIF_BUDGET 64

/**
 * struct vif_ring - one ring of one page, tx or rx
 * @shared:     its indices, in guest memory
 * @slots:      behind them, of @slot_size bytes each
 * @req_cons:   requests taken
 * @rsp_prod:   responses written
 * @rsp_pushed: responses that the guest has been told of
 */
struct vif_ring {
	struct vif_indices {
		RING_IDX req_prod, req_event, rsp_prod, rsp_event;
	} * shared;
	uint8_t *slots;
	size_t slot_size;
	RING_IDX req_cons;
	RING_IDX rsp_prod;
	RING_IDX rsp_pushed;
};

/** Slots of both rings: what fits, rounded down to a power of 2 */
#define VIF_RING_SIZE 256

/**
 * struct rx_slot - a page that the guest has posted
 * @id:  of its request
 * @map: the page; without a mapping, only its reference, of a guest that flips
 */
struct rx_slot {
	uint16_t id;
	struct grant_map map;
};

/**
 * struct vif_queue - a pair of rings
 * @vif:     its interface
 * @tx, @rx: the rings
 * @tx_pages, @rx_pages: their mappings
 * @channel: events of both, or of tx
 * @rx_channel: events of rx when they are split
 * @split:   they are
 * @more:    source that goes on with tx, or 0
 * @posted:  pages for the next frames, the first @nr_posted of them
 * @credit:  bytes it may still send now
 * @credit_from: when the credit was last filled up, monotonic us
 * @credit_timer: source that fills it up, or 0: tx stands still meanwhile
 */
struct vif_queue {
	struct vif *vif;
	struct vif_ring tx;
	struct vif_ring rx;
	struct device_pages tx_pages;
	struct device_pages rx_pages;
	struct device_channel channel;
	struct device_channel rx_channel;
	gboolean split;
	guint more;
	struct rx_slot posted[VIF_RX_SLOTS];
	unsigned int nr_posted;
	uint64_t credit;
	gint64 credit_from;
	guint credit_timer;
};

/**
 * struct vif - a network interface
 * @dev:      its device
 * @spec:     what the user said; owned
 * @link:     the host's end
 * @queues:   the first @nr_queues are connected
 * @failed:   the guest broke the rules: nothing is served any more
 * @flip:     the guest gives pages away and wants others with its frames, as before
 *            Xen 3.0.3
 * @can_sg:   the guest takes frames of several slots
 * @gso4, @gso6: ... that are to be segmented
 * @ip_csum, @ipv6_csum: ... without a checksum
 * @rx_notify: the guest sends events when it posts pages
 * @multicast_control: only multicast of @multicast is wanted
 * @multicast_watch: on the guest's wish, or 0
 * @multicast: addresses, the first @nr_multicast of them
 * @held:     length of the frame in @frame that waits for room, or 0
 * @held_hdr: what is beside it
 * @held_queue: where it goes
 * @patience: source that drops it, or 0
 * @more:     source that goes on with rx, or 0
 * @frame:    a frame that could not be put into the guest's pages at once
 */
struct vif {
	struct device *dev;
	struct vif_spec *spec;
	struct link *link;
	struct vif_queue queues[VIF_MAX_QUEUES];
	unsigned int nr_queues;
	gboolean failed;
	gboolean flip;
	gboolean can_sg;
	gboolean gso4, gso6;
	gboolean ip_csum, ipv6_csum;
	gboolean rx_notify;
	gboolean multicast_control;
	unsigned int multicast_watch;
	uint8_t multicast[VIF_MAX_MULTICAST][6];
	unsigned int nr_multicast;
	size_t held;
	struct virtio_net_hdr held_hdr;
	struct vif_queue *held_queue;
	guint patience;
	guint more;
	uint8_t frame[VIF_RX_PAGES * PAGE_SIZE];
};

/**
 * vif_new() - make an interface of a link
 * @spec: taken over
 * @link: taken over
 *
 * Not started yet.  Return: NULL with @error set when there is one of this devid; both
 * are gone then.
 */
struct device *vif_new(struct vif_spec *spec, struct link *link, const struct device_host *host,
		       GError **error);

/**
 * vif_fail() - the guest broke the rules; the caller returns to the main loop
 *
 * The link is not listened to any more: nobody would take what it has.
 */
#define vif_fail(vif, ...)                                                                     \
	do {                                                                                   \
		(vif)->failed = TRUE;                                                          \
		link_want((vif)->link, FALSE);                                                 \
		device_fail((vif)->dev, __VA_ARGS__);                                          \
	} while (0)

/* --- rings (vif-ring.c) --- */

/**
 * vif_ring_attach() - start where the guest's ring stands
 * Return: FALSE when its indices make no sense.
 */
gboolean vif_ring_attach(struct vif_ring *ring, void *page, size_t slot_size);

/**
 * vif_ring_requests() - how many requests there are
 * @nr: receives it, at most VIF_RING_SIZE
 *
 * Return: FALSE when the guest's index is further ahead than the ring is long.
 */
gboolean vif_ring_requests(const struct vif_ring *ring, RING_IDX *nr);

/** vif_ring_take() - copy the next request: once, as the guest may change it */
void vif_ring_take(struct vif_ring *ring, void *request);

/** vif_ring_respond() - write the next response */
void vif_ring_respond(struct vif_ring *ring, const void *response, size_t len);

/** vif_ring_push() - show the responses.  Return: does the guest want an event? */
gboolean vif_ring_push(struct vif_ring *ring);

/**
 * vif_ring_ask() - ask for an event for the next request
 * Return: there is one more than @seen already.
 */
gboolean vif_ring_ask(struct vif_ring *ring, RING_IDX seen);

/* --- both ways --- */

/** vif_tx_run() - send what the guest has put into its ring */
void vif_tx_run(struct vif_queue *queue);

/**
 * vif_tx_start() - the same from the main loop
 *
 * A device can't fail before connect() has returned, so its requests are not looked at
 * from in there.
 */
void vif_tx_start(struct vif_queue *queue);

/** vif_tx_stop() - no more of it */
void vif_tx_stop(struct vif_queue *queue);

/** vif_rx_start() - forget what came before, and listen to the link */
void vif_rx_start(struct vif *vif);

/** vif_rx_run() - give the guest what there is, as far as it has room */
void vif_rx_run(struct vif *vif);

/** vif_rx_stop() - no more of it: what waits is dropped, posted pages are let go */
void vif_rx_stop(struct vif *vif);

#endif
