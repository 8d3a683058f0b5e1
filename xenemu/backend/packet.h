/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h - what has to be known of a frame's contents: where its checksum is
 */
#ifndef XENEMU_BACKEND_PACKET_H
#define XENEMU_BACKEND_PACKET_H

#include <glib.h>
#include <stdint.h>
#include <sys/uio.h>

/** Of a frame, so much is looked at to find the checksum */
#define PACKET_HEAD 256

/**
 * struct packet_checksum - the checksum of a TCP or UDP frame
 * @start:  first byte that it covers, from the start of the frame; it covers all after
 * @offset: of the checksum field, from @start
 * @ip:     where the IP header is
 * @ipv6:   it is not IPv4
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 */
struct packet_checksum {
	uint16_t start;
	uint16_t offset;
	uint16_t ip;
	gboolean ipv6;
	uint8_t protocol;
};

/**
 * packet_find_checksum() - look where it is
 * @head: the first bytes of the frame
 * @len:  how many, all or PACKET_HEAD of them
 * @sum:  filled in
 *
 * Return: FALSE when it isn't TCP or UDP over IP, a fragment other than a first and
 * only one, or its headers are longer than @len.
 */
gboolean packet_find_checksum(const uint8_t *head, size_t len, struct packet_checksum *sum);

/**
 * packet_start_checksum() - put the sum of the pseudo header into the checksum field, as
 * a sender does who leaves the rest to others
 * @head: the first bytes of the frame
 * @sum:  what packet_find_checksum() has found there
 * @size: of the whole frame, at least up to @sum->start
 */
void packet_start_checksum(uint8_t *head, const struct packet_checksum *sum, size_t size);

/**
 * packet_is_ipv6() - is it an IPv6 frame?
 * @head: the first bytes of the frame, @len of them
 */
gboolean packet_is_ipv6(const uint8_t *head, size_t len);

/**
 * packet_flow() - a number that the frames of one connection share
 * @head: the first bytes of the frame, @len of them
 */
uint32_t packet_flow(const uint8_t *head, size_t len);

/**
 * packet_complete_checksum() - compute what a sender left out
 * @iov:    the frame; the field holds the sum of the pseudo header
 * @nr_iov: elements of it
 * @start:  as in struct packet_checksum
 * @offset: likewise
 *
 * Nothing happens when the field is not within the frame.
 */
void packet_complete_checksum(const struct iovec *iov, unsigned int nr_iov, uint16_t start,
			      uint16_t offset);

#endif
