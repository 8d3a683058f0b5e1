/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decompress.c - finds the codec, provides and bounds its output
 */
#include "domain/decompress.h"
#include "machine/memory.h"
#include <string.h>
#include <sys/mman.h>

/* lzma's "magic" is the weakest (its properties): it comes last. */
static const struct codec *const codecs[] = {
	&codec_gzip, &codec_xz, &codec_zstd, &codec_lz4, &codec_lzo, &codec_bzip2, &codec_lzma,
};

const struct codec *codec_of(const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++)
		if (len >= codecs[i]->magic_len &&
		    memcmp(in, codecs[i]->magic, codecs[i]->magic_len) == 0)
			return codecs[i];
	return NULL;
}

static size_t whole_pages(size_t bytes)
{
	return (bytes + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static void drop(gpointer data)
{
	struct unpacked *out = data;

	munmap(out->data, out->room);
	g_free(out);
}

/*
 * Address space for the largest output is reserved at once, so that nothing
 * grows or moves: only what is written takes memory.
 */
static gboolean reserve(struct unpacked *out, size_t max)
{
	out->room = max;
	out->data = mmap(NULL, whole_pages(max), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return out->data != MAP_FAILED;
}

static void give_back_rest(struct unpacked *out)
{
	size_t all = whole_pages(out->room);

	out->room = whole_pages(out->len);
	if (out->room < all)
		munmap(out->data + out->room, all - out->room);
}

GBytes *decompress(const struct codec *codec, const uint8_t *in, size_t len, size_t max,
		   const char **why)
{
	struct unpacked out = { 0 };

	if (!reserve(&out, max)) {
		*why = "the host has no memory to unpack it";
		return NULL;
	}
	*why = codec->unpack(in, len, &out);
	if (!*why && out.len == 0)
		*why = "it unpacks to nothing";
	if (*why) {
		munmap(out.data, whole_pages(max));
		return NULL;
	}
	give_back_rest(&out);
	return g_bytes_new_with_free_func(out.data, out.len, drop,
					  g_memdup2(&out, sizeof(out)));
}
