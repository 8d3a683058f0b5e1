/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-link.h - a link whose other end is the test
 */
#ifndef TESTS_FAKE_LINK_H
#define TESTS_FAKE_LINK_H

#include "backend/link-private.h"
#include <string.h>
#include <sys/eventfd.h>

/** struct fake_frame - a frame and what is beside it */
struct fake_frame {
	struct virtio_net_hdr hdr;
	GBytes *bytes;
};

/**
 * struct fake_link - a link
 * @in:      frames for the guest
 * @out:     frames that the guest sent
 * @busy:    takes nothing
 * @offload: as set last
 * @closed:  set when it is freed
 */
struct fake_link {
	struct link link;
	GQueue in;
	GQueue out;
	gboolean busy;
	unsigned int offload;
	gboolean *closed;
};

static inline void fake_frame_free(gpointer opaque)
{
	struct fake_frame *frame = opaque;

	g_bytes_unref(frame->bytes);
	g_free(frame);
}

static inline void fake_link_set_offload(struct link *link, unsigned int offload)
{
	((struct fake_link *)link)->offload = offload;
}

static inline enum link_status fake_link_send(struct link *link,
					      const struct virtio_net_hdr *hdr,
					      struct iovec *iov, unsigned int nr_iov)
{
	struct fake_link *fake = (struct fake_link *)link;
	struct fake_frame *frame;
	GByteArray *bytes;

	if (fake->busy) {
		link_wait_writable(link);
		return LINK_BUSY;
	}
	bytes = g_byte_array_new();
	for (unsigned int i = 1; i < nr_iov; i++)
		g_byte_array_append(bytes, iov[i].iov_base, iov[i].iov_len);
	frame = g_new0(struct fake_frame, 1);
	frame->hdr = *hdr;
	frame->bytes = g_byte_array_free_to_bytes(bytes);
	g_queue_push_tail(&fake->out, frame);
	return LINK_SENT;
}

static inline size_t fake_link_receive(struct link *link, struct virtio_net_hdr *hdr,
				       struct iovec *iov, unsigned int nr_iov)
{
	struct fake_link *fake = (struct fake_link *)link;
	struct fake_frame *frame = g_queue_pop_head(&fake->in);
	const uint8_t *bytes;
	uint64_t count;
	gsize len, at = 0;

	if (!frame) {
		(void)!read(link->fd, &count, sizeof(count));
		return 0;
	}
	*hdr = frame->hdr;
	bytes = g_bytes_get_data(frame->bytes, &len);
	for (unsigned int i = 1; i < nr_iov && at < len; i++) {
		size_t part = MIN(iov[i].iov_len, len - at);

		memcpy(iov[i].iov_base, bytes + at, part);
		at += part;
	}
	fake_frame_free(frame);
	return at;
}

static inline gboolean fake_link_writable(struct link *link)
{
	return !((struct fake_link *)link)->busy;
}

static inline void fake_link_free(struct link *link)
{
	struct fake_link *fake = (struct fake_link *)link;

	if (fake->closed)
		*fake->closed = TRUE;
	g_queue_clear_full(&fake->in, fake_frame_free);
	g_queue_clear_full(&fake->out, fake_frame_free);
	g_free(fake);
}

/** fake_link_new() - a link; link_close() it */
static inline struct fake_link *fake_link_new(void)
{
	static const struct link_ops ops = {
		.set_offload = fake_link_set_offload,
		.send = fake_link_send,
		.receive = fake_link_receive,
		.writable = fake_link_writable,
		.free = fake_link_free,
	};
	struct fake_link *fake = g_new0(struct fake_link, 1);

	fake->link.ops = &ops;
	fake->link.name = g_strdup("fake0");
	fake->link.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return fake;
}

/** fake_link_feed() - a frame for the guest; @hdr may be NULL */
static inline void fake_link_feed(struct fake_link *fake, const void *bytes, size_t len,
				  const struct virtio_net_hdr *hdr)
{
	struct fake_frame *frame = g_new0(struct fake_frame, 1);
	uint64_t one = 1;

	if (hdr)
		frame->hdr = *hdr;
	frame->bytes = g_bytes_new(bytes, len);
	g_queue_push_tail(&fake->in, frame);
	(void)!write(fake->link.fd, &one, sizeof(one));
}

#endif
