/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decompress-lz4.c - lz4's legacy frame, as `lz4 -l` writes it for kernels
 *
 * A magic number, then blocks: 4 bytes of packed length, little endian, and
 * that many bytes, which unpack to 8 MiB each, the last to less (lz4's
 * lz4_Frame_format.md).  The end is not marked.  Linux's build appends the 4
 * bytes of unpacked length: a last "length" with nothing behind it.
 */
#include "domain/decompress.h"
#include <lz4.h>
#include <string.h>

#define LEGACY_MAGIC "\x02\x21\x4c\x18"
#define LEGACY_MAGIC_LEN 4
#define LEGACY_BLOCK (8U << 20)

static uint32_t le32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static const char *unpack_block(const uint8_t *in, uint32_t len, struct unpacked *out)
{
	size_t room = out->room - out->len;
	int got;

	if (len > (uint32_t)LZ4_COMPRESSBOUND(LEGACY_BLOCK))
		return UNPACK_CORRUPT;
	got = LZ4_decompress_safe((const char *)in, (char *)out->data + out->len, (int)len,
				  (int)MIN(room, LEGACY_BLOCK));
	if (got < 0)
		return room < LEGACY_BLOCK ? UNPACK_TOO_LARGE : UNPACK_CORRUPT;
	out->len += (size_t)got;
	return NULL;
}

static const char *unpack_lz4(const uint8_t *in, size_t in_len, struct unpacked *out)
{
	size_t pos = LEGACY_MAGIC_LEN;

	out->len = 0;
	while (in_len - pos > sizeof(uint32_t)) {
		uint32_t len = le32(in + pos);
		const char *why;

		pos += sizeof(len);
		if (len > in_len - pos)
			return UNPACK_CORRUPT;
		why = unpack_block(in + pos, len, out);
		if (why)
			return why;
		pos += len;
	}
	return NULL;
}

const struct codec codec_lz4 = { "lz4", LEGACY_MAGIC, LEGACY_MAGIC_LEN, unpack_lz4 };
