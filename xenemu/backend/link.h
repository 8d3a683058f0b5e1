/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.h - where Ethernet frames go to and come from on the host: taps, passt
 *
 * Frames travel with a struct virtio_net_hdr beside them, which says what of a checksum
 * or of segmentation is still to be done.  Everything runs on the main thread but
 * link_open(), which alone waits.
 */
#ifndef XENEMU_BACKEND_LINK_H
#define XENEMU_BACKEND_LINK_H

#include "backend/vif-spec.h"
#include <glib.h>
#include <linux/virtio_net.h>
#include <sys/types.h>
#include <sys/uio.h>

/** Longest frame: the longest IP packet with a header and a VLAN tag before it */
#define LINK_MAX_FRAME (65535 + 18)
/** Ethernet's header */
#define LINK_MIN_FRAME 14

struct link;

/**
 * struct link_listener - whom a link tells; none of these is called from inside a
 * function of the link
 * @readable: there may be a frame, see link_want()
 * @writable: frames can be sent again after LINK_BUSY
 * @gone:     there will be no more frames; the reason is for the user, without advice
 * @opaque:   for all
 */
struct link_listener {
	void (*readable)(void *opaque);
	void (*writable)(void *opaque);
	void (*gone)(void *opaque, const char *reason);
	void *opaque;
};

enum link_status {
	LINK_SENT,
	LINK_BUSY, /* not sent; writable() will be called */
	LINK_DROPPED, /* the host did not want it: down, no memory, malformed */
};

/** What link_set_offload() lets through: work left to the guest */
enum link_offload {
	LINK_CHECKSUM = 1 << 0,
	LINK_TSO4 = 1 << 1, /* with LINK_CHECKSUM only */
	LINK_TSO6 = 1 << 2,
};

/** Why a link can't be had */
#define LINK_ERROR (link_error_quark())
GQuark link_error_quark(void);
enum link_error {
	LINK_ERROR_HOST, /* missing on the host, or no permission */
};

/**
 * link_open() - open what @spec names
 * @spec:    copied as far as needed
 * @warning: receives something that the user should know, or NULL; g_free() it
 * @error:   LINK_ERROR; names the word of the specification and what to do
 *
 * Waits for passt to be ready, ten seconds at most.  Any thread.
 * Return: owned by the caller, link_close(); NULL with @error set.
 */
struct link *link_open(const struct vif_spec *spec, char **warning, GError **error);

/** link_listen() - who is told, before anything else is done; @listener is copied */
void link_listen(struct link *link, const struct link_listener *listener);

/** link_name() - of the host's interface, or NULL */
const char *link_name(const struct link *link);

/** link_mtu() - longest IP packet that the other end sends; 0: not known */
unsigned int link_mtu(const struct link *link);

/** link_set_offload() - enum link_offload bits of what the receiver of frames can do */
void link_set_offload(struct link *link, unsigned int offload);

/**
 * link_send() - send a frame
 * @hdr:    what is left to be done; its hdr_len may be 0
 * @iov:    element 0 is the link's to fill in; the frame starts in element 1, which
 *          holds all up to and with the checksum field that @hdr names; contents may be
 *          changed to complete the checksum.  The rest is only read
 * @nr_iov: elements, with element 0
 */
enum link_status link_send(struct link *link, const struct virtio_net_hdr *hdr,
			   struct iovec *iov, unsigned int nr_iov);

/**
 * link_receive() - take the next frame
 * @hdr:    receives what is left to be done
 * @iov:    element 0 is the link's to fill in; the frame is written from element 1 on
 * @nr_iov: elements, with element 0; room for LINK_MAX_FRAME bytes in the others
 *
 * Return: length of the frame; 0 when there is none now.
 */
size_t link_receive(struct link *link, struct virtio_net_hdr *hdr, struct iovec *iov,
		    unsigned int nr_iov);

/** link_want() - whether readable() is called, as long as there is something to read */
void link_want(struct link *link, gboolean want);

/** link_close() - NULL is allowed; not from inside a callback */
void link_close(struct link *link);

#endif
