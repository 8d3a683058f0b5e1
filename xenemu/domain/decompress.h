/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decompress.h - unpacks kernels: every compression that Linux uses for them
 *
 * The packed bytes are hostile.  What they unpack to is bounded, and is kept
 * apart from the heap so that it goes back to the host when it is dropped.
 */
#ifndef XENEMU_DOMAIN_DECOMPRESS_H
#define XENEMU_DOMAIN_DECOMPRESS_H

#include <glib.h>
#include <stdint.h>

/**
 * struct unpacked - where a codec writes to
 * @data:  room for @room bytes
 * @room:  most that is accepted, bytes
 * @len:   bytes written; set by the codec
 */
struct unpacked {
	uint8_t *data;
	size_t room;
	size_t len;
};

/**
 * struct codec - one compression format
 * @name:   "gzip", "xz" ...
 * @magic, @magic_len: what the packed bytes begin with
 * @unpack: unpack one stream from @in; bytes that follow it are ignored.
 *          Return: NULL, or what is wrong (a static string)
 */
struct codec {
	const char *name;
	const char *magic;
	size_t magic_len;
	const char *(*unpack)(const uint8_t *in, size_t in_len, struct unpacked *out);
};

extern const struct codec codec_gzip, codec_bzip2, codec_lzma, codec_xz, codec_zstd;
extern const struct codec codec_lzo; /* lzop's container */
extern const struct codec codec_lz4; /* lz4's legacy frame */

#define UNPACK_TOO_LARGE "it unpacks to more than is accepted"
#define UNPACK_CORRUPT "the packed data is corrupt or cut off"

/** codec_of() - the codec that these bytes are packed with, or NULL */
const struct codec *codec_of(const uint8_t *in, size_t len);

/**
 * decompress() - unpack with a codec
 * @codec: from codec_of()
 * @in:    packed bytes
 * @len:   how many
 * @max:   most that is accepted, bytes
 * @why:   on failure, what is wrong (a static string)
 *
 * Return: the unpacked bytes, never none, in pages of their own; or NULL.
 */
GBytes *decompress(const struct codec *codec, const uint8_t *in, size_t len, size_t max,
		   const char **why);

#endif
