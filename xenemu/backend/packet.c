/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.c - what has to be known of a frame's contents
 *
 * xen_netif says "the checksum is blank" where Linux wants to know where it is; so
 * Linux's xen-netback looks at the headers (skb_checksum_setup()), and this does.
 */
#include "backend/packet.h"
#include <netinet/in.h>
#include <string.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8

#define ETHERTYPE_AT 12
#define VLAN_TAG 4
#define MAX_TAGS 2
#define IPV4_MIN 20
#define IPV6_HEADER 40
/* Both of them, one behind the other */
#define IPV4_ADDRESSES 12
#define IPV6_ADDRESSES 8
#define TCP_CHECKSUM 16
#define UDP_CHECKSUM 6

/**
 * struct reader - what is left to be looked at
 * @head: the frame's first bytes
 * @len:  how many
 * @at:   position
 */
struct reader {
	const uint8_t *head;
	size_t len;
	size_t at;
};

static gboolean has(const struct reader *r, size_t len)
{
	return len <= r->len - r->at;
}

static uint16_t word(const struct reader *r, size_t at)
{
	return r->head[r->at + at] << 8 | r->head[r->at + at + 1];
}

/* Stands behind the type then; 0 when the frame is too short. */
static uint16_t read_type(struct reader *r)
{
	uint16_t type;

	if (r->len < ETHERTYPE_AT + 2)
		return 0;
	r->at = ETHERTYPE_AT;
	type = word(r, 0);
	r->at += 2;
	for (unsigned int i = 0; i < MAX_TAGS; i++) {
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ)
			break;
		if (!has(r, VLAN_TAG))
			return 0;
		type = word(r, 2);
		r->at += VLAN_TAG;
	}
	return type;
}

/* The protocol behind an IPv4 header; -1 when there is none to look at. */
static int skip_ipv4(struct reader *r)
{
	size_t len;
	int protocol;

	if (!has(r, IPV4_MIN))
		return -1;
	len = (r->head[r->at] & 15) * 4;
	protocol = r->head[r->at + 9];
	/* More fragments, or an offset */
	if (len < IPV4_MIN || !has(r, len) || word(r, 6) & 0x3fff)
		return -1;
	r->at += len;
	return protocol;
}

/* The same of an IPv6 header and what extends it. */
static int skip_ipv6(struct reader *r)
{
	int protocol;

	if (!has(r, IPV6_HEADER))
		return -1;
	protocol = r->head[r->at + 6];
	r->at += IPV6_HEADER;
	while (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS) {
		size_t len;

		if (!has(r, 2))
			return -1;
		len = (r->head[r->at + 1] + 1) * 8;
		protocol = r->head[r->at];
		if (!has(r, len))
			return -1;
		r->at += len;
	}
	return protocol;
}

gboolean packet_find_checksum(const uint8_t *head, size_t len, struct packet_checksum *sum)
{
	struct reader r = { head, len, 0 };
	uint16_t type = read_type(&r);
	int protocol;

	if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
		return FALSE;
	sum->ip = r.at;
	protocol = type == ETHERTYPE_IPV4 ? skip_ipv4(&r) : skip_ipv6(&r);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return FALSE;
	sum->ipv6 = type == ETHERTYPE_IPV6;
	sum->protocol = protocol;
	sum->start = r.at;
	sum->offset = protocol == IPPROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM;
	return has(&r, sum->offset + 2);
}

gboolean packet_is_ipv6(const uint8_t *head, size_t len)
{
	struct reader r = { head, len, 0 };

	return read_type(&r) == ETHERTYPE_IPV6;
}

static uint32_t mix(uint32_t flow, const uint8_t *bytes, size_t len)
{
	/* FNV-1a */
	for (size_t i = 0; i < len; i++)
		flow = (flow ^ bytes[i]) * 16777619;
	return flow;
}

uint32_t packet_flow(const uint8_t *head, size_t len)
{
	struct reader r = { head, len, 0 };
	uint16_t type = read_type(&r);
	size_t ip = r.at;
	uint32_t flow = 2166136261;
	int protocol = -1;

	if (type == ETHERTYPE_IPV4)
		protocol = skip_ipv4(&r);
	else if (type == ETHERTYPE_IPV6)
		protocol = skip_ipv6(&r);
	if (protocol < 0)
		return flow;
	flow = type == ETHERTYPE_IPV4 ? mix(flow, head + ip + IPV4_ADDRESSES, 8)
				      : mix(flow, head + ip + IPV6_ADDRESSES, 32);
	if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) && has(&r, 4))
		flow = mix(flow, head + r.at, 4);
	return flow ^ flow >> 16;
}

/* --- the sum --- */

/* RFC 1071: the order of bytes does not matter as long as it is the same throughout. */
static uint64_t add(uint64_t sum, const uint8_t *bytes, size_t len)
{
	uint32_t four;
	uint16_t two;

	for (; len >= 4; len -= 4, bytes += 4) {
		memcpy(&four, bytes, 4);
		sum += four;
	}
	if (len >= 2) {
		memcpy(&two, bytes, 2);
		sum += two;
		bytes += 2;
		len -= 2;
	}
	return len ? sum + *bytes : sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void packet_start_checksum(uint8_t *head, const struct packet_checksum *sum, size_t size)
{
	const uint8_t *ip = head + sum->ip;
	uint32_t rest[] = { htonl(size - sum->start), htonl(sum->protocol) };
	uint64_t total = sum->ipv6 ? add(0, ip + IPV6_ADDRESSES, 32)
				   : add(0, ip + IPV4_ADDRESSES, 8);
	uint16_t start = fold(add(total, (const uint8_t *)rest, sizeof(rest)));

	memcpy(head + sum->start + sum->offset, &start, sizeof(start));
}

/* The address of two bytes at @at that lie in one element, or NULL. */
static uint8_t *find(const struct iovec *iov, unsigned int nr_iov, size_t at)
{
	for (; nr_iov; at -= iov->iov_len, iov++, nr_iov--)
		if (at < iov->iov_len)
			return iov->iov_len - at >= 2 ? (uint8_t *)iov->iov_base + at : NULL;
	return NULL;
}

void packet_complete_checksum(const struct iovec *iov, unsigned int nr_iov, uint16_t start,
			      uint16_t offset)
{
	uint8_t *field = find(iov, nr_iov, (size_t)start + offset);
	size_t skip = start, done = 0;
	uint64_t sum = 0;
	uint16_t result;

	if (!field)
		return;
	for (unsigned int i = 0; i < nr_iov; i++) {
		size_t from = MIN(skip, iov[i].iov_len), len = iov[i].iov_len - from;
		uint16_t part = fold(add(0, (const uint8_t *)iov[i].iov_base + from, len));

		/* A part that starts at an odd place has its bytes the other way round. */
		sum += done & 1 ? GUINT16_SWAP_LE_BE(part) : part;
		skip -= from;
		done += len;
	}
	/* 0 says "no checksum" in UDP, and is the same number as 0xffff */
	result = ~fold(sum);
	result = result ? result : 0xffff;
	memcpy(field, &result, 2);
}
