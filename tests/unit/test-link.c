/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums, and frames through a stream as passt's.  Taps need privileges: they are
 * tested with whole guests.
 */
#include "backend/link-private.h"
#include "backend/packet.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- checksums --- */

/* @pseudo: what the field held before */
static uint16_t plain_sum(const uint8_t *bytes, size_t len, uint16_t pseudo)
{
	uint32_t sum = pseudo;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* However the frame is cut, the sum is that of the whole. */
static void test_sum(void)
{
	uint8_t frame[301];

	for (unsigned int cut = 40; cut < 300; cut++) {
		struct iovec iov[3] = { { frame, cut },
					{ frame + cut, (301 - cut) / 3 },
					{ frame + cut + (301 - cut) / 3, 0 } };
		uint16_t pseudo;

		iov[2].iov_len = 301 - cut - iov[1].iov_len;
		for (unsigned int i = 0; i < sizeof(frame); i++)
			frame[i] = i * 31 + cut;
		pseudo = frame[36] << 8 | frame[37];
		packet_complete_checksum(iov, 3, 20, 16);
		g_assert_cmpuint(plain_sum(frame + 20, sizeof(frame) - 20, pseudo), ==, 0xffff);
	}
}

/* 0 means that there is none. */
static void test_sum_zero(void)
{
	uint8_t frame[40] = { [30] = 0xff, [31] = 0xff };
	struct iovec iov = { frame, sizeof(frame) };

	packet_complete_checksum(&iov, 1, 20, 6);
	g_assert_cmpuint(frame[26], ==, 0xff);
	g_assert_cmpuint(frame[27], ==, 0xff);
}

static void test_sum_outside(void)
{
	uint8_t frame[41] = { 0 };
	struct iovec iov[2] = { { frame, 20 }, { frame + 20, 20 } };

	packet_complete_checksum(iov, 2, 30, 9);
	packet_complete_checksum(iov, 2, 10, 9); /* over the end of a part */
	packet_complete_checksum(iov, 2, 65535, 65535);
	for (unsigned int i = 0; i < sizeof(frame); i++)
		g_assert_cmpuint(frame[i], ==, 0);
}

/**
 * struct header - a frame's start
 * @bytes: from the type on; what is not given is 0
 * @start, @offset: where its checksum is; 0: none
 */
static const struct header {
	const char *name;
	const char *bytes;
	size_t len;
	uint16_t start, offset;
	gboolean ipv6;
} headers[] = {
#define H(bytes) bytes, sizeof(bytes) - 1
	{ "tcp4", H("\x08\x00\x45\0\0\0\0\0\0\0\x40\x06"), 34, 16, FALSE },
	{ "udp4", H("\x08\x00\x45\0\0\0\0\0\x40\0\x40\x11"), 34, 6, FALSE },
	{ "tcp4-options", H("\x08\x00\x4f\0\0\0\0\0\0\0\x40\x06"), 74, 16, FALSE },
	{ "icmp", H("\x08\x00\x45\0\0\0\0\0\0\0\x40\x01"), 0, 0, FALSE },
	{ "short-ip", H("\x08\x00\x44\0\0\0\0\0\0\0\x40\x06"), 0, 0, FALSE },
	{ "fragment", H("\x08\x00\x45\0\0\0\0\0\x20\0\x40\x06"), 0, 0, FALSE },
	{ "later-fragment", H("\x08\x00\x45\0\0\0\0\0\0\1\x40\x06"), 0, 0, FALSE },
	{ "vlan", H("\x81\x00\0\5\x08\x00\x45\0\0\0\0\0\0\0\x40\x06"), 38, 16, FALSE },
	{ "two-vlans", H("\x88\xa8\0\5\x81\x00\0\5\x08\x00\x45\0\0\0\0\0\0\0\x40\x06"), 42, 16,
	  FALSE },
	{ "three-vlans",
	  H("\x88\xa8\0\5\x81\x00\0\5\x81\x00\0\5\x08\x00\x45\0\0\0\0\0\0\0\x40\x06"), 0, 0,
	  FALSE },
	{ "tcp6", H("\x86\xdd\x60\0\0\0\0\0\x06\x40"), 54, 16, TRUE },
	{ "udp6", H("\x86\xdd\x60\0\0\0\0\0\x11\x40"), 54, 6, TRUE },
	{ "icmp6", H("\x86\xdd\x60\0\0\0\0\0\x3a\x40"), 0, 0, TRUE },
	{ "arp", H("\x08\x06"), 0, 0, FALSE },
#undef H
};

static void test_headers(void)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(headers); i++) {
		const struct header *header = &headers[i];
		struct packet_checksum sum;
		uint8_t frame[200] = { 0 };
		gboolean found;

		g_test_message("%s", header->name);
		memcpy(frame + 12, header->bytes, header->len);
		found = packet_find_checksum(frame, sizeof(frame), &sum);
		g_assert_cmpint(found, ==, header->start != 0);
		g_assert_cmpint(packet_is_ipv6(frame, sizeof(frame)), ==, header->ipv6);
		if (!found)
			continue;
		g_assert_cmpuint(sum.start, ==, header->start);
		g_assert_cmpuint(sum.offset, ==, header->offset);
		g_assert_cmpint(sum.ipv6, ==, header->ipv6);
		/* Cut anywhere before the end of the checksum: not found, nothing read */
		for (size_t len = 0; len <= header->start + header->offset + 1U; len++) {
			g_autofree uint8_t *cut = g_memdup2(frame, len ? len : 1);

			g_assert_false(packet_find_checksum(cut, len, &sum));
			packet_flow(cut, len);
		}
	}
}

/* A destination option of 8 bytes, then UDP; one that is longer than the frame */
static void test_extensions(void)
{
	uint8_t frame[100] = { 0 };
	struct packet_checksum sum;

	memcpy(frame + 12, "\x86\xdd\x60\0\0\0\0\0\x3c\x40", 10);
	frame[54] = 17;
	g_assert_true(packet_find_checksum(frame, sizeof(frame), &sum));
	g_assert_cmpuint(sum.start, ==, 62);
	frame[55] = 255;
	g_assert_false(packet_find_checksum(frame, sizeof(frame), &sum));
	/* Options without end */
	memset(frame + 54, 0, 46);
	g_assert_false(packet_find_checksum(frame, sizeof(frame), &sum));
}

/* --- passt's stream --- */

/**
 * struct stream - a link, and the other end of it
 * @reads, @writes: how often there was something to read, or room
 */
struct stream {
	struct link *link;
	int fd;
	unsigned int reads, writes;
	char *gone;
};

static void readable(void *opaque)
{
	((struct stream *)opaque)->reads++;
}

static void writable(void *opaque)
{
	((struct stream *)opaque)->writes++;
}

static void gone(void *opaque, const char *reason)
{
	struct stream *stream = opaque;

	g_assert_null(stream->gone);
	stream->gone = g_strdup(reason);
}

static void stream_open(struct stream *stream)
{
	struct link_listener listener = { readable, writable, gone, stream };
	int fds[2], size = 16384;

	*stream = (struct stream){ 0 };
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	stream->link = passt_new(fds[0]);
	stream->fd = fds[1];
	link_listen(stream->link, &listener);
}

static void stream_close(struct stream *stream)
{
	link_close(stream->link);
	close(stream->fd);
	g_free(stream->gone);
}

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void feed(struct stream *stream, const void *bytes, size_t len)
{
	g_assert_cmpint(write(stream->fd, bytes, len), ==, len);
}

static void feed_frame(struct stream *stream, const uint8_t *frame, uint32_t len)
{
	uint32_t prefix = htonl(len);

	feed(stream, &prefix, 4);
	feed(stream, frame, len);
}

static size_t receive(struct stream *stream, uint8_t *frame, size_t len)
{
	struct iovec iov[3] = { { 0 }, { frame, 100 }, { frame + 100, len - 100 } };
	struct virtio_net_hdr hdr = { .flags = 0xff, .gso_type = 0xff };
	size_t got = link_receive(stream->link, &hdr, iov, 3);

	if (got) {
		g_assert_cmpuint(hdr.flags, ==, 0);
		g_assert_cmpuint(hdr.gso_type, ==, VIRTIO_NET_HDR_GSO_NONE);
	}
	return got;
}

static void test_receive(void)
{
	struct stream stream;
	uint8_t frame[2000], got[2000];
	uint32_t prefix = htonl(1500);

	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = i * 3;
	stream_open(&stream);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 0);
	link_want(stream.link, TRUE);
	turn();
	g_assert_cmpuint(stream.reads, ==, 0);
	/* Several at once, then one in pieces */
	feed_frame(&stream, frame, 60);
	feed_frame(&stream, frame + 7, 1514);
	g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(stream.reads, >, 0);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 60);
	g_assert_cmpmem(got, 60, frame, 60);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 1514);
	g_assert_cmpmem(got, 1514, frame + 7, 1514);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 0);
	feed(&stream, &prefix, 3);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 0);
	feed(&stream, (uint8_t *)&prefix + 3, 1);
	feed(&stream, frame, 1499);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 0);
	feed(&stream, frame + 1499, 1);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 1500);
	g_assert_cmpmem(got, 1500, frame, 1500);
	stream_close(&stream);
}

static void test_nonsense(gconstpointer opaque)
{
	uint32_t prefix = htonl(GPOINTER_TO_UINT(opaque));
	struct stream stream;
	uint8_t got[200];

	stream_open(&stream);
	feed(&stream, &prefix, 4);
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 0);
	turn();
	g_assert_cmpstr(stream.gone, ==, "passt has ended (it sent nonsense)");
	g_assert_cmpuint(receive(&stream, got, sizeof(got)), ==, 0);
	stream_close(&stream);
}

static enum link_status send_frame(struct stream *stream, uint8_t *frame, size_t len)
{
	struct virtio_net_hdr hdr = { 0 };
	struct iovec iov[3] = { { 0 }, { frame, 50 }, { frame + 50, len - 50 } };

	return link_send(stream->link, &hdr, iov, 3);
}

/* Until the other end does not read any more; then all that was sent arrives. */
static void test_send(void)
{
	struct stream stream;
	static uint8_t frame[65535], got[65535];
	unsigned int sent = 0, arrived = 0;
	uint32_t prefix;

	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = i * 5 + (i >> 8);
	stream_open(&stream);
	while (send_frame(&stream, frame, sizeof(frame)) == LINK_SENT)
		g_assert_cmpuint(++sent, <, 1000);
	g_assert_cmpuint(sent, >, 0);
	g_assert_cmpint(send_frame(&stream, frame, 100), ==, LINK_BUSY);
	turn();
	g_assert_cmpuint(stream.writes, ==, 0);
	while (arrived < sent) {
		size_t at = 0;

		while (at < 4 + sizeof(frame)) {
			ssize_t len = at < 4 ? recv(stream.fd, &prefix, 4, MSG_DONTWAIT)
					     : recv(stream.fd, got + at - 4,
						    4 + sizeof(frame) - at, MSG_DONTWAIT);

			at += MAX(len, 0);
			turn();
		}
		g_assert_cmpuint(ntohl(prefix), ==, sizeof(frame));
		g_assert_cmpmem(got, sizeof(got), frame, sizeof(frame));
		arrived++;
	}
	turn();
	g_assert_cmpuint(stream.writes, >, 0);
	g_assert_cmpint(send_frame(&stream, frame, 100), ==, LINK_SENT);
	stream_close(&stream);
}

/* What the guest left out is done here. */
static void test_send_checksum(void)
{
	struct stream stream;
	uint8_t frame[101], got[105];
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .csum_start = 34,
				      .csum_offset = 6 };
	struct iovec iov[3] = { { 0 }, { frame, 64 }, { frame + 64, 37 } };

	memset(frame, 0x5a, sizeof(frame));
	stream_open(&stream);
	g_assert_cmpint(link_send(stream.link, &hdr, iov, 3), ==, LINK_SENT);
	g_assert_cmpint(read(stream.fd, got, sizeof(got)), ==, sizeof(got));
	g_assert_cmpuint(plain_sum(got + 4 + 34, 101 - 34, 0x5a5a), ==, 0xffff);
	stream_close(&stream);
}

/* passt's end is noticed whether something is read, written, or only waited for. */
static void test_gone(gconstpointer opaque)
{
	const char *how = opaque;
	struct stream stream;
	uint8_t frame[200] = { 0 };

	stream_open(&stream);
	if (!strcmp(how, "busy"))
		while (send_frame(&stream, frame, sizeof(frame)) == LINK_SENT)
			;
	close(stream.fd);
	stream.fd = -1;
	if (!strcmp(how, "read"))
		g_assert_cmpuint(receive(&stream, frame, sizeof(frame)), ==, 0);
	else if (!strcmp(how, "write"))
		g_assert_cmpint(send_frame(&stream, frame, 100), ==, LINK_DROPPED);
	turn();
	if (!strcmp(how, "busy")) {
		/* It was told that there is room again. */
		g_assert_cmpuint(stream.writes, ==, 1);
		send_frame(&stream, frame, 100);
		turn();
	}
	g_assert_nonnull(stream.gone);
	g_assert_nonnull(strstr(stream.gone, "passt has ended"));
	g_assert_cmpint(send_frame(&stream, frame, 100), ==, LINK_DROPPED);
	g_assert_cmpuint(receive(&stream, frame, sizeof(frame)), ==, 0);
	link_want(stream.link, TRUE);
	turn();
	stream_close(&stream);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packet/sum", test_sum);
	g_test_add_func("/packet/sum-zero", test_sum_zero);
	g_test_add_func("/packet/sum-outside", test_sum_outside);
	g_test_add_func("/packet/headers", test_headers);
	g_test_add_func("/packet/extensions", test_extensions);
	g_test_add_func("/link/passt/receive", test_receive);
	g_test_add_data_func("/link/passt/length-0", GUINT_TO_POINTER(0), test_nonsense);
	g_test_add_data_func("/link/passt/length-13", GUINT_TO_POINTER(13), test_nonsense);
	g_test_add_data_func("/link/passt/length-huge", GUINT_TO_POINTER(0xffffffff),
			     test_nonsense);
	g_test_add_func("/link/passt/send", test_send);
	g_test_add_func("/link/passt/send-checksum", test_send_checksum);
	g_test_add_data_func("/link/passt/gone-read", "read", test_gone);
	g_test_add_data_func("/link/passt/gone-write", "write", test_gone);
	g_test_add_data_func("/link/passt/gone-busy", "busy", test_gone);
	return g_test_run();
}
