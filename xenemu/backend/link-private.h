/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link-private.h - what the kinds of links share; only they include this
 */
#ifndef XENEMU_BACKEND_LINK_PRIVATE_H
#define XENEMU_BACKEND_LINK_PRIVATE_H

#include "backend/link.h"

/**
 * struct link_ops - a kind of link; the functions are those of link.h
 * @writable: the descriptor takes data again.  Return: nothing waits any more
 */
struct link_ops {
	void (*set_offload)(struct link *link, unsigned int offload);
	enum link_status (*send)(struct link *link, const struct virtio_net_hdr *hdr,
				 struct iovec *iov, unsigned int nr_iov);
	size_t (*receive)(struct link *link, struct virtio_net_hdr *hdr, struct iovec *iov,
			  unsigned int nr_iov);
	gboolean (*writable)(struct link *link);
	void (*free)(struct link *link);
};

/**
 * struct link - head of what a kind has
 * @ops:      its kind
 * @listener: whom to tell
 * @name:     of the host's interface, or NULL
 * @mtu:      longest IP packet that the other end sends, or 0
 * @fd:       the descriptor, not blocking
 * @is_gone:  the other end is no more
 * @in_watch:  waits for frames, or NULL
 * @out_source: source that waits for room, or 0
 * @gone_source: source that tells listener.gone, or 0
 * @reason:   its argument
 */
struct link {
	const struct link_ops *ops;
	struct link_listener listener;
	char *name;
	unsigned int mtu;
	int fd;
	gboolean is_gone;
	struct watch *in_watch;
	guint out_source;
	guint gone_source;
	char *reason;
};

/** link_wait_writable() - have ops.writable() called, then listener.writable() */
void link_wait_writable(struct link *link);

/** link_gone() - the other end is no more: tell the listener */
void link_gone(struct link *link, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** tap_open(), passt_open() - see link_open() */
struct link *tap_open(const struct vif_spec *spec, char **warning, GError **error);
struct link *passt_open(const struct vif_spec *spec, GError **error);

/** passt_new() - a link to what speaks as passt does; @fd is taken over */
struct link *passt_new(int fd);

#endif
