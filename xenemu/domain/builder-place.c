/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-place.c - kernel and ramdisk, from their files into memory
 */
#include "domain/builder-private.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_TRAILER 8 /* CRC-32 and unpacked length */
#define GZIP_LEAST 18 /* with its header */

/* Since 3.1 an unpacked ramdisk gets 16 bytes more (xc_dom_check_gzip()). */
#define UNPACKED_SLACK 16

uint64_t builder_linear(const struct builder *b, uint64_t pfn)
{
	return b->machine.guest + (pfn << PAGE_SHIFT);
}

uint64_t builder_piece(uint64_t linear, uint64_t *len)
{
	if (linear >= HOLE_START)
		return linear + (HOLE_END - HOLE_START);
	*len = MIN(*len, HOLE_START - linear);
	return linear;
}

void *builder_page(const struct builder *b, uint64_t pfn)
{
	return memory_page(b->build->mem, build_pfn_to_mfn(b->build, pfn));
}

static gboolean write_failed(int err, GError **error)
{
	g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_MEMORY,
		    "memory: can't fill the guest's memory: %s", g_strerror(err));
	return FALSE;
}

gboolean builder_write(struct builder *b, uint64_t linear, const void *from, uint64_t len,
		       GError **error)
{
	const struct memory *mem = b->build->mem;

	while (len > 0) {
		uint64_t piece = len;
		uint64_t paddr = builder_piece(linear, &piece);
		const uint8_t *to = memory_ptr(mem, paddr, piece);
		ssize_t done;

		if (!to)
			return write_failed(EFAULT, error);
		done = pwrite(mem->fd, from, piece, to - mem->base);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return write_failed(done < 0 ? errno : ENOSPC, error);
		linear += (uint64_t)done;
		from = (const uint8_t *)from + done;
		len -= (uint64_t)done;
	}
	return TRUE;
}

/* Whole pages are scanned by words: most of a vmlinux's zeroes are such. */
static gboolean is_zero(const uint8_t *bytes, uint64_t len)
{
	uint64_t word[8];

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(word, bytes, sizeof(word));
		if (word[0] | word[1] | word[2] | word[3] | word[4] | word[5] | word[6] |
		    word[7])
			return FALSE;
	}
	while (len > 0)
		if (bytes[--len])
			return FALSE;
	return TRUE;
}

/*
 * Fresh memory is zero already: zeroes are not copied.  A vmlinux has its .bss
 * in the file, a third of it.
 */
static gboolean write_sparse(struct builder *b, uint64_t linear, const uint8_t *from,
			     uint64_t len, GError **error)
{
	uint64_t start = 0, pos = 0;

	while (pos < len) {
		uint64_t page = MIN(len - pos, PAGE_SIZE - ((linear + pos) & (PAGE_SIZE - 1)));

		if (is_zero(from + pos, page)) {
			if (!builder_write(b, linear + start, from + start, pos - start, error))
				return FALSE;
			start = pos + page;
		}
		pos += page;
	}
	return builder_write(b, linear + start, from + start, len - start, error);
}

static gboolean write_zeroes(struct builder *b, uint64_t linear, uint64_t len, GError **error)
{
	static const uint8_t zeroes[16 * PAGE_SIZE];

	for (uint64_t piece; len > 0; len -= piece, linear += piece) {
		piece = MIN(len, sizeof(zeroes));
		if (!builder_write(b, linear, zeroes, piece, error))
			return FALSE;
	}
	return TRUE;
}

/* Segments may overlap (Xen 3.0.3's Linux): the later one wins. */
gboolean builder_place_kernel(struct builder *b, GError **error)
{
	const struct image *image = b->config->image;
	const uint8_t *payload = g_bytes_get_data(image->payload, NULL);
	uint64_t written = 0;

	for (guint i = 0; i < image->segments->len; i++) {
		const struct image_segment *s =
			&g_array_index(image->segments, struct image_segment, i);
		uint64_t vaddr = s->paddr - image->paddr_offset + image->virt_base;
		uint64_t offset = vaddr - image->virt_base;
		uint64_t linear = builder_linear(b, 0) + offset;
		const uint8_t *from = payload + s->offset;

		if (offset >= written) {
			if (!write_sparse(b, linear, from, s->filesz, error))
				return FALSE;
		} else if (!builder_write(b, linear, from, s->filesz, error) ||
			   !write_zeroes(b, linear + s->filesz, s->memsz - s->filesz, error)) {
			return FALSE;
		}
		written = MAX(written, offset + s->memsz);
	}
	return TRUE;
}

gboolean builder_place_symbols(struct builder *b, GError **error)
{
	const struct image *image = b->config->image;
	uint64_t linear;
	gsize len;
	gconstpointer bytes;

	if (!image->symbols)
		return TRUE;
	linear = builder_linear(b, 0) + image->symbols_vaddr - image->virt_base;
	bytes = g_bytes_get_data(image->symbols, &len);
	return builder_write(b, linear, bytes, len, error);
}

/* The unpacked length that a gzip file claims, 0 for what is not one */
static uint32_t gzip_length(const uint8_t *data, size_t len)
{
	uint32_t length;

	if (len < GZIP_LEAST || data[0] != 0x1f || data[1] != 0x8b)
		return 0;
	memcpy(&length, data + len - sizeof(length), sizeof(length));
	return length;
}

/*
 * Xen's builder unpacks gzip.  Unlike it, we leave a ramdisk packed that would
 * fill much of the memory: the guest would have no room to take it apart.
 */
void builder_size_ramdisk(struct builder *b)
{
	uint32_t slack = b->age == LAYOUT_XEN_3_0 ? 0 : UNPACKED_SLACK;
	struct ramdisk *ramdisk = &b->ramdisk;
	uint64_t unpacked;

	if (!b->config->ramdisk)
		return;
	ramdisk->data = g_bytes_get_data(b->config->ramdisk, &ramdisk->len);
	ramdisk->bytes = ramdisk->len;
	unpacked = gzip_length(ramdisk->data, ramdisk->len);
	if (unpacked == 0 || unpacked > b->config->memory / 4)
		return;
	ramdisk->unpack = TRUE;
	ramdisk->bytes = MAX(unpacked + slack, ramdisk->len);
}

/* One stream that ends with the file, or nothing: members may be chained. */
static gboolean inflate_ramdisk(struct builder *b, z_stream *stream)
{
	const struct ramdisk *ramdisk = &b->ramdisk;
	uint64_t linear = builder_linear(b, b->layout.ramdisk.pfn);
	uint64_t done = 0;
	int status = Z_OK;

	stream->next_in = (Bytef *)ramdisk->data;
	stream->avail_in = (uInt)MIN(ramdisk->len, UINT_MAX);
	while (status == Z_OK && done < ramdisk->bytes) {
		uint64_t piece = MIN(ramdisk->bytes - done, UINT_MAX);
		uint64_t paddr = builder_piece(linear + done, &piece);

		stream->next_out = memory_ptr(b->build->mem, paddr, piece);
		stream->avail_out = (uInt)piece;
		if (!stream->next_out)
			return FALSE;
		status = inflate(stream, Z_NO_FLUSH);
		done += piece - stream->avail_out;
	}
	return status == Z_STREAM_END && stream->total_in == ramdisk->len;
}

static gboolean unpack_ramdisk(struct builder *b)
{
	z_stream stream = { 0 };
	gboolean ok;

	if (inflateInit2(&stream, MAX_WBITS + 16 /* gzip's header wanted */) != Z_OK)
		return FALSE;
	ok = inflate_ramdisk(b, &stream);
	inflateEnd(&stream);
	return ok;
}

gboolean builder_place_ramdisk(struct builder *b, GError **error)
{
	const struct ramdisk *ramdisk = &b->ramdisk;
	uint64_t linear = builder_linear(b, b->layout.ramdisk.pfn);

	if (!ramdisk->len || (ramdisk->unpack && unpack_ramdisk(b)))
		return TRUE;
	if (!builder_write(b, linear, ramdisk->data, ramdisk->len, error))
		return FALSE;
	/* What a failed attempt to unpack has left */
	return !ramdisk->unpack ||
	       write_zeroes(b, linear + ramdisk->len, ramdisk->bytes - ramdisk->len, error);
}
