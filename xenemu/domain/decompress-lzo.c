/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decompress-lzo.c - lzop's container, as `lzop -9` writes it for kernels
 *
 * A magic number, a header whose fields depend on its version and flags, then
 * blocks: unpacked length (0: the end), packed length, checksums as the flags
 * say, data.  Numbers are big endian (lzop's own description is its source;
 * Linux's lib/decompress_unlzo.c reads the same).
 */
#include "domain/decompress.h"
#include <lzo/lzo1x.h>
#include <string.h>
#include <zlib.h>

#define LZOP_MAGIC "\x89LZO\0\r\n\x1a\n"
#define LZOP_MAGIC_LEN 9
#define LZOP_BLOCK_MAX (64U << 20)

/* What the header's flags add */
#define LZOP_ADLER32_UNPACKED 0x1
#define LZOP_ADLER32_PACKED 0x2
#define LZOP_EXTRA_FIELD 0x40
#define LZOP_CRC32_UNPACKED 0x100
#define LZOP_CRC32_PACKED 0x200
#define LZOP_FILTER 0x800
#define LZOP_MULTIPART 0x400

#define LZOP_VERSION_0_94 0x0940 /* from here on: needed version, level, 64-bit mtime */

/**
 * struct reader - the container's bytes; @failed once they did not suffice
 */
struct reader {
	const uint8_t *at;
	size_t left;
	gboolean failed;
};

static const uint8_t *take(struct reader *r, size_t len)
{
	const uint8_t *bytes = r->at;

	if (r->failed || len > r->left) {
		r->failed = TRUE;
		return NULL;
	}
	r->at += len;
	r->left -= len;
	return bytes;
}

/* A number of @len bytes; 0 when they are not there. */
static uint32_t number(struct reader *r, size_t len)
{
	const uint8_t *bytes = take(r, len);
	uint32_t value = 0;

	for (size_t i = 0; bytes && i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Returns the header's flags. */
static uint32_t read_header(struct reader *r)
{
	uint32_t version, flags;

	take(r, LZOP_MAGIC_LEN);
	version = number(r, 2);
	take(r, 2); /* the library's version */
	if (version >= LZOP_VERSION_0_94)
		take(r, 2); /* the version needed */
	take(r, 1); /* method: all are LZO1X */
	if (version >= LZOP_VERSION_0_94)
		take(r, 1); /* level */
	flags = number(r, 4);
	take(r, 4); /* mode; a filter would come before it, see unpack_lzo() */
	take(r, version >= LZOP_VERSION_0_94 ? 8 : 4); /* mtime */
	take(r, number(r, 1)); /* name */
	take(r, 4); /* checksum */
	if (flags & LZOP_EXTRA_FIELD) {
		take(r, number(r, 4));
		take(r, 4);
	}
	return flags;
}

/**
 * struct block - a block's head
 */
struct block {
	uint32_t unpacked;
	uint32_t packed;
	uint32_t adler32;
	uint32_t crc32;
};

static struct block read_block(struct reader *r, uint32_t flags)
{
	struct block b = { .unpacked = number(r, 4) };

	if (b.unpacked == 0)
		return b;
	b.packed = number(r, 4);
	if (flags & LZOP_ADLER32_UNPACKED)
		b.adler32 = number(r, 4);
	if (flags & LZOP_CRC32_UNPACKED)
		b.crc32 = number(r, 4);
	/* Stored blocks have no second pair: it would be the same. */
	if (flags & LZOP_ADLER32_PACKED && b.packed < b.unpacked)
		take(r, 4);
	if (flags & LZOP_CRC32_PACKED && b.packed < b.unpacked)
		take(r, 4);
	return b;
}

static const char *unpack_block(struct reader *r, const struct block *b, uint32_t flags,
				struct unpacked *out)
{
	const uint8_t *in = take(r, b->packed);
	uint8_t *to = out->data + out->len;
	lzo_uint got = b->unpacked;

	if (!in || b->packed > b->unpacked || b->unpacked > LZOP_BLOCK_MAX)
		return UNPACK_CORRUPT;
	if (b->unpacked > out->room - out->len)
		return UNPACK_TOO_LARGE;
	if (b->packed == b->unpacked)
		memcpy(to, in, b->unpacked);
	else if (lzo1x_decompress_safe(in, b->packed, to, &got, NULL) != LZO_E_OK ||
		 got != b->unpacked)
		return UNPACK_CORRUPT;
	if (flags & LZOP_ADLER32_UNPACKED && adler32(1, to, b->unpacked) != b->adler32)
		return UNPACK_CORRUPT;
	if (flags & LZOP_CRC32_UNPACKED && crc32(0, to, b->unpacked) != b->crc32)
		return UNPACK_CORRUPT;
	out->len += b->unpacked;
	return NULL;
}

static const char *unpack_lzo(const uint8_t *in, size_t in_len, struct unpacked *out)
{
	struct reader r = { .at = in, .left = in_len };
	uint32_t flags = read_header(&r);

	if (flags & (LZOP_MULTIPART | LZOP_FILTER))
		return "it uses features of lzop that kernels are not packed with";
	if (lzo_init() != LZO_E_OK)
		return "liblzo2 can't be initialised";
	out->len = 0;
	for (;;) {
		struct block b = read_block(&r, flags);
		const char *why;

		if (r.failed)
			return UNPACK_CORRUPT;
		if (b.unpacked == 0)
			return NULL;
		why = unpack_block(&r, &b, flags, out);
		if (why)
			return why;
	}
}

const struct codec codec_lzo = { "lzo", LZOP_MAGIC, LZOP_MAGIC_LEN, unpack_lzo };
