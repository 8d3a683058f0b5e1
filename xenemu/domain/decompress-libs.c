/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decompress-libs.c - the formats that their libraries read as they are:
 * gzip, bzip2, lzma (alone), xz, zstd
 */
#include "domain/decompress.h"
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* A dictionary larger than the kernel's own decompressors are ever given */
#define LZMA_MEMORY_MAX (256ULL << 20)

static const char *unpack_gzip(const uint8_t *in, size_t in_len, struct unpacked *out)
{
	z_stream stream = {
		.next_in = (Bytef *)in,
		.avail_in = (uInt)MIN(in_len, UINT_MAX),
		.next_out = out->data,
		.avail_out = (uInt)MIN(out->room, UINT_MAX),
	};
	int status;

	if (inflateInit2(&stream, MAX_WBITS + 16 /* gzip's header wanted */) != Z_OK)
		return "zlib can't be initialised";
	status = inflate(&stream, Z_FINISH);
	out->len = stream.total_out;
	inflateEnd(&stream);
	if (status == Z_STREAM_END)
		return NULL;
	return stream.avail_out == 0 ? UNPACK_TOO_LARGE : UNPACK_CORRUPT;
}

const struct codec codec_gzip = { "gzip", "\x1f\x8b", 2, unpack_gzip };

static const char *unpack_bzip2(const uint8_t *in, size_t in_len, struct unpacked *out)
{
	unsigned int len = (unsigned int)MIN(out->room, UINT_MAX);
	int status = BZ2_bzBuffToBuffDecompress((char *)out->data, &len, (char *)in,
						(unsigned int)MIN(in_len, UINT_MAX), 0, 0);

	out->len = len;
	if (status == BZ_OK)
		return NULL;
	return status == BZ_OUTBUFF_FULL ? UNPACK_TOO_LARGE : UNPACK_CORRUPT;
}

const struct codec codec_bzip2 = { "bzip2", "BZh", 3, unpack_bzip2 };

static const char *lzma_failure(lzma_ret status, gboolean out_full)
{
	if (out_full)
		return UNPACK_TOO_LARGE;
	if (status == LZMA_MEMLIMIT_ERROR || status == LZMA_MEM_ERROR)
		return "unpacking it takes too much memory";
	return UNPACK_CORRUPT;
}

static const char *unpack_lzma(const uint8_t *in, size_t in_len, struct unpacked *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret status = lzma_alone_decoder(&stream, LZMA_MEMORY_MAX);

	if (status != LZMA_OK)
		return lzma_failure(status, FALSE);
	stream.next_in = in;
	stream.avail_in = in_len;
	stream.next_out = out->data;
	stream.avail_out = out->room;
	status = lzma_code(&stream, LZMA_RUN);
	out->len = stream.total_out;
	lzma_end(&stream);
	if (status == LZMA_STREAM_END)
		return NULL;
	return lzma_failure(status, stream.avail_out == 0);
}

/* Properties lc=3 lp=0 pb=2, as every writer of .lzma files sets them */
const struct codec codec_lzma = { "lzma", "\x5d\0\0", 3, unpack_lzma };

static const char *unpack_xz(const uint8_t *in, size_t in_len, struct unpacked *out)
{
	uint64_t limit = LZMA_MEMORY_MAX;
	size_t in_pos = 0;
	lzma_ret status;

	out->len = 0;
	status = lzma_stream_buffer_decode(&limit, 0, NULL, in, &in_pos, in_len, out->data,
					   &out->len, out->room);
	if (status == LZMA_OK)
		return NULL;
	/* LZMA_BUF_ERROR here: the output is full (its documentation). */
	return lzma_failure(status, status == LZMA_BUF_ERROR);
}

const struct codec codec_xz = { "xz",
				"\xfd"
				"7zXZ\0",
				6, unpack_xz };

static const char *unpack_zstd(const uint8_t *in, size_t in_len, struct unpacked *out)
{
	size_t frame = ZSTD_findFrameCompressedSize(in, in_len);
	size_t status;

	if (ZSTD_isError(frame))
		return UNPACK_CORRUPT;
	status = ZSTD_decompress(out->data, out->room, in, frame);
	if (!ZSTD_isError(status)) {
		out->len = status;
		return NULL;
	}
	if (ZSTD_getErrorCode(status) == ZSTD_error_dstSize_tooSmall)
		return UNPACK_TOO_LARGE;
	return UNPACK_CORRUPT;
}

const struct codec codec_zstd = { "zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd };
