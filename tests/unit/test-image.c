/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-image.c - kernel files of every packing, good ones and broken ones
 */
#include "domain/decompress.h"
#include "domain/image.h"
#include "make-elf.h"
#include <asm/bootparam.h>
#include <bzlib.h>
#include <glib/gstdio.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <string.h>
#include <sys/stat.h>
#include <xen/xen.h>
#include <zlib.h>
#include <zstd.h>

#include <xen/elfnote.h>
#include <xen/features.h>

static GBytes *joined(const void *head, size_t head_len, const void *tail, size_t tail_len)
{
	GByteArray *all = g_byte_array_new();

	g_byte_array_append(all, head, (guint)head_len);
	g_byte_array_append(all, tail, (guint)tail_len);
	return g_byte_array_free_to_bytes(all);
}

static GBytes *cut(GBytes *bytes, size_t len)
{
	return g_bytes_new(g_bytes_get_data(bytes, NULL), len);
}

/* ------------------------------------------------------------------------
 * Packers, as Linux's build has them
 */
#define ROOM (1U << 20)

static GBytes *pack_gzip(const uint8_t *in, size_t len)
{
	uint8_t *out = g_malloc(ROOM);
	z_stream s = { .next_in = (Bytef *)in, .avail_in = (uInt)len };

	s.next_out = out;
	s.avail_out = ROOM;
	g_assert_cmpint(deflateInit2(&s, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
			==, Z_OK);
	g_assert_cmpint(deflate(&s, Z_FINISH), ==, Z_STREAM_END);
	deflateEnd(&s);
	return g_bytes_new_take(out, s.total_out);
}

static GBytes *pack_bzip2(const uint8_t *in, size_t len)
{
	char *out = g_malloc(ROOM);
	unsigned int out_len = ROOM;

	g_assert_cmpint(BZ2_bzBuffToBuffCompress(out, &out_len, (char *)in, (unsigned int)len,
						 9, 0, 0),
			==, BZ_OK);
	return g_bytes_new_take(out, out_len);
}

static GBytes *pack_lzma(const uint8_t *in, size_t len)
{
	uint8_t *out = g_malloc(ROOM);
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	size_t out_len;

	lzma_lzma_preset(&options, 6);
	g_assert_cmpint(lzma_alone_encoder(&s, &options), ==, LZMA_OK);
	s.next_in = in;
	s.avail_in = len;
	s.next_out = out;
	s.avail_out = ROOM;
	g_assert_cmpint(lzma_code(&s, LZMA_FINISH), ==, LZMA_STREAM_END);
	out_len = s.total_out;
	lzma_end(&s);
	return g_bytes_new_take(out, out_len);
}

/* xz --check=crc32 --x86 --lzma2=dict=32MiB (Linux scripts/xz_wrap.sh) */
static GBytes *pack_xz(const uint8_t *in, size_t len)
{
	uint8_t *out = g_malloc(ROOM);
	lzma_options_lzma options;
	lzma_filter filters[] = { { LZMA_FILTER_X86, NULL },
				  { LZMA_FILTER_LZMA2, &options },
				  { LZMA_VLI_UNKNOWN, NULL } };
	size_t out_len = 0;

	lzma_lzma_preset(&options, 6);
	options.dict_size = 32U << 20;
	g_assert_cmpint(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, in, len, out,
						  &out_len, ROOM),
			==, LZMA_OK);
	return g_bytes_new_take(out, out_len);
}

static GBytes *pack_zstd(const uint8_t *in, size_t len)
{
	uint8_t *out = g_malloc(ROOM);
	size_t out_len = ZSTD_compress(out, ROOM, in, len, 19);

	g_assert_false(ZSTD_isError(out_len));
	return g_bytes_new_take(out, out_len);
}

static void put_be(GByteArray *to, uint32_t value, unsigned int bytes)
{
	while (bytes--) {
		uint8_t byte = (uint8_t)(value >> (8 * bytes));

		g_byte_array_append(to, &byte, 1);
	}
}

/* One block of lzop's container, stored when packing does not help */
static void put_lzo_block(GByteArray *to, const uint8_t *in, size_t len)
{
	g_autofree uint8_t *work = g_malloc(LZO1X_1_MEM_COMPRESS);
	g_autofree uint8_t *out = g_malloc(ROOM);
	lzo_uint out_len = ROOM;

	g_assert_cmpint(lzo1x_1_compress(in, len, out, &out_len, work), ==, LZO_E_OK);
	if (out_len >= len)
		memcpy(out, in, out_len = len);
	put_be(to, (uint32_t)len, 4);
	put_be(to, (uint32_t)out_len, 4);
	put_be(to, (uint32_t)adler32(1, in, (uInt)len), 4);
	g_byte_array_append(to, out, (guint)out_len);
}

static GBytes *pack_lzo(const uint8_t *in, size_t len)
{
	GByteArray *to = g_byte_array_new();
	size_t half = len / 2;

	g_assert_cmpint(lzo_init(), ==, LZO_E_OK);
	g_byte_array_append(to, (const uint8_t *)"\x89LZO\0\r\n\x1a\n", 9);
	put_be(to, 0x1040, 2); /* version */
	put_be(to, 0x20a0, 2); /* library */
	put_be(to, 0x0940, 2); /* needed */
	put_be(to, 0x0309, 2); /* LZO1X-999, level 9 */
	put_be(to, 0x03000001, 4); /* Unix, ADLER32 of the unpacked data */
	put_be(to, 0100644, 4); /* mode */
	put_be(to, 0, 4); /* mtime */
	put_be(to, 0, 4); /* mtime's upper half */
	put_be(to, 1, 1); /* name */
	put_be(to, 'k', 1);
	put_be(to, 0, 4); /* the header's checksum */
	put_lzo_block(to, in, half);
	put_lzo_block(to, in + half, len - half);
	put_be(to, 0, 4);
	return g_byte_array_free_to_bytes(to);
}

static GBytes *pack_lz4(const uint8_t *in, size_t len)
{
	g_autofree char *out = g_malloc(ROOM);
	int out_len = LZ4_compress_default((const char *)in, out, (int)len, ROOM);
	GByteArray *to = g_byte_array_new();

	g_assert_cmpint(out_len, >, 0);
	g_byte_array_append(to, (const uint8_t *)"\x02\x21\x4c\x18", 4);
	g_byte_array_append(to, (const uint8_t *)&out_len, 4);
	g_byte_array_append(to, (const uint8_t *)out, (guint)out_len);
	return g_byte_array_free_to_bytes(to);
}

static const struct packer {
	const char *name;
	GBytes *(*pack)(const uint8_t *in, size_t len);
	gboolean checked; /* a checksum finds any change of the data */
} packers[] = {
	{ "gzip", pack_gzip, TRUE },  { "bzip2", pack_bzip2, TRUE },
	{ "lzma", pack_lzma, FALSE }, { "xz", pack_xz, TRUE },
	{ "lzo", pack_lzo, TRUE },    { "lz4", pack_lz4, FALSE },
	{ "zstd", pack_zstd, FALSE },
};

static GBytes *pack(const struct packer *packer, GBytes *bytes)
{
	gsize len;
	const uint8_t *data = g_bytes_get_data(bytes, &len);

	return packer->pack(data, len);
}

/* ------------------------------------------------------------------------
 * A bzImage around a payload, and the length that Linux's build appends
 */
#define SETUP_SECTS 3
#define PAYLOAD_OFFSET 0x340

static GBytes *bzimage_of(GBytes *payload, uint16_t version)
{
	size_t at = (SETUP_SECTS + 1) * 512 + PAYLOAD_OFFSET;
	g_autofree uint8_t *head = g_malloc0(at);
	struct setup_header setup = { .setup_sects = SETUP_SECTS,
				      .boot_flag = 0xaa55,
				      .header = 0x53726448,
				      .version = version,
				      .payload_offset = PAYLOAD_OFFSET,
				      .payload_length = (uint32_t)g_bytes_get_size(payload) };

	memcpy(head + 0x1f1, &setup, sizeof(setup));
	return joined(head, at, g_bytes_get_data(payload, NULL), g_bytes_get_size(payload));
}

static GBytes *with_length(const struct packer *packer, GBytes *packed, uint32_t len)
{
	if (strcmp(packer->name, "gzip") == 0)
		return g_bytes_ref(packed); /* it has its own */
	return joined(g_bytes_get_data(packed, NULL), g_bytes_get_size(packed), &len,
		      sizeof(len));
}

/* ------------------------------------------------------------------------ */

static struct image *parse(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	struct image *image = image_parse("kernel", bytes, &error);

	g_assert_no_error(error);
	g_assert_nonnull(image);
	return image;
}

static void assert_refused(GBytes *bytes, enum image_error code, const char *says)
{
	g_autoptr(GError) error = NULL;
	struct image *image = image_parse("the-file", bytes, &error);

	g_assert_null(image);
	g_assert_error(error, IMAGE_ERROR, (gint)code);
	g_assert_nonnull(strstr(error->message, "the-file"));
	if (!strstr(error->message, says))
		g_error("\"%s\" does not say \"%s\"", error->message, says);
}

static void assert_kernel(const struct image *image, GBytes *elf, const char *packing)
{
	struct image_segment *segment =
		&g_array_index(image->segments, struct image_segment, 0);

	g_assert_cmpstr(image->packing, ==, packing);
	g_assert_true(g_bytes_equal(image->payload, elf));
	g_assert_cmpuint(image->width, ==, IMAGE_X86_64);
	g_assert_cmpuint(image->segments->len, ==, 1);
	g_assert_cmphex(segment->paddr, ==, 0x100000);
	g_assert_cmphex(segment->filesz, ==, 0x1000);
	g_assert_cmphex(segment->memsz, ==, 0x2000);
	g_assert_cmphex(image->virt_base, ==, 0xffffffff80000000);
	g_assert_cmphex(image->entry, ==, 0xffffffff80100000);
	g_assert_cmphex(image->virt_start, ==, 0xffffffff80100000);
	g_assert_cmphex(image->virt_end, ==, 0xffffffff80102000);
	g_assert_cmphex(image->hypercall_page, ==, IMAGE_NONE);
	g_assert_cmphex(image->init_p2m, ==, IMAGE_NONE);
	g_assert_true(image->from_notes);
}

static void test_elf(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(Image) image = parse(elf);

	assert_kernel(image, elf, "ELF");
	g_assert_true(image->payload == elf); /* used as it is, not copied */
}

static void test_packed_elf(gconstpointer data)
{
	const struct packer *packer = data;
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) packed = pack(packer, elf);
	g_autoptr(Image) image = parse(packed);
	g_autofree char *packing = g_strdup_printf("ELF, %s", packer->name);

	assert_kernel(image, elf, packing);
}

static void test_bzimage(gconstpointer data)
{
	const struct packer *packer = data;
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) packed = pack(packer, elf);
	g_autoptr(GBytes)
		payload = with_length(packer, packed, (uint32_t)g_bytes_get_size(elf));
	g_autoptr(GBytes) file = bzimage_of(payload, 0x20f);
	g_autoptr(Image) image = parse(file);
	g_autofree char *packing = g_strdup_printf("bzImage, %s", packer->name);

	assert_kernel(image, elf, packing);
}

static void test_wrong_length(gconstpointer data)
{
	const struct packer *packer = data;
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) packed = pack(packer, elf);
	g_autoptr(GBytes)
		payload = with_length(packer, packed, (uint32_t)g_bytes_get_size(elf) + 1);
	g_autoptr(GBytes) file = bzimage_of(payload, 0x20f);

	if (strcmp(packer->name, "gzip") == 0)
		g_test_skip("gzip checks its own length");
	else
		assert_refused(file, IMAGE_ERROR_CORRUPT, "another length");
}

/* However much is missing, it is noticed. */
static void test_truncated_payload(gconstpointer data)
{
	const struct packer *packer = data;
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) packed = pack(packer, elf);
	g_autoptr(GBytes)
		payload = with_length(packer, packed, (uint32_t)g_bytes_get_size(elf));

	for (size_t len = 1; len < g_bytes_get_size(payload); len++) {
		g_autoptr(GBytes) part = cut(payload, len);
		g_autoptr(GBytes) file = bzimage_of(part, 0x20f);
		g_autoptr(GError) error = NULL;

		g_assert_null(image_parse("kernel", file, &error));
		g_assert_nonnull(error);
	}
}

/* A changed byte is an error, or, where nothing checks it, changes the ELF. */
static void test_changed_payload(gconstpointer data)
{
	const struct packer *packer = data;
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) packed = pack(packer, elf);
	gsize len;
	const uint8_t *bytes = g_bytes_get_data(packed, &len);
	unsigned int noticed = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t changed = bytes[i] ^ 0x55;
		g_autoptr(GBytes) bad = change_bytes(packed, i, &changed, 1);
		g_autoptr(GError) error = NULL;
		g_autoptr(Image) image = image_parse("kernel", bad, &error);

		g_assert_true(image || error);
		if (image && packer->checked)
			g_assert_true(g_bytes_equal(image->payload, elf));
		noticed += error != NULL;
	}
	g_assert_cmpuint(noticed, >, 0);
}

/* A packed bomb: much larger than is accepted */
static void test_too_large(gconstpointer data)
{
	const struct packer *packer = data;
	g_autofree uint8_t *zeroes = g_malloc0(ROOM);
	g_autoptr(GBytes) packed = packer->pack(zeroes, ROOM / 2);
	const struct codec *codec;
	const char *why = NULL;
	gsize len;
	const uint8_t *in = g_bytes_get_data(packed, &len);
	GBytes *out;

	codec = codec_of(in, len);
	g_assert_nonnull(codec);
	g_assert_cmpstr(codec->name, ==, packer->name);
	g_assert_null(decompress(codec, in, len, ROOM / 2 - 1, &why));
	g_assert_cmpstr(why, ==, UNPACK_TOO_LARGE);
	out = decompress(codec, in, len, ROOM / 2, &why); /* just fits */
	g_assert_cmpstr(why, ==, NULL);
	g_assert_cmpuint(g_bytes_get_size(out), ==, ROOM / 2);
	g_assert_cmpmem(g_bytes_get_data(out, NULL), ROOM / 2, zeroes, ROOM / 2);
	g_bytes_unref(out);
}

static void test_lzo_checksum(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) packed = pack_lzo(g_bytes_get_data(elf, NULL), g_bytes_get_size(elf));
	/* header 9+8+16+1+1+4 = 39 bytes, lengths 8, then the first checksum */
	g_autoptr(GBytes) bad = change_bytes(packed, 39 + 8, "\x12\x34", 2);

	assert_refused(bad, IMAGE_ERROR_CORRUPT, "corrupt");
}

/* ------------------------------------------------------------------------ */

static void test_not_a_kernel(void)
{
	g_autoptr(GBytes) text = g_bytes_new_static("#!/bin/sh\n", 10);
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
	g_autoptr(GBytes) packed_text = pack_gzip((const uint8_t *)"#!/bin/sh\n", 10);

	assert_refused(text, IMAGE_ERROR_FORMAT, "not a kernel image");
	assert_refused(empty, IMAGE_ERROR_FORMAT, "not a kernel image");
	assert_refused(packed_text, IMAGE_ERROR_FORMAT, "not a kernel image");
}

static void test_bzimage_header(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes)
		payload = pack_gzip(g_bytes_get_data(elf, NULL), g_bytes_get_size(elf));
	g_autoptr(GBytes) file = bzimage_of(payload, 0x20f);
	g_autoptr(GBytes) old = bzimage_of(payload, 0x207);
	uint32_t wild = 0xfffffff0, none = 0;
	size_t offset_at = 0x1f1 + offsetof(struct setup_header, payload_offset);
	size_t length_at = 0x1f1 + offsetof(struct setup_header, payload_length);
	g_autoptr(GBytes) wild_offset = change_bytes(file, offset_at, &wild, 4);
	g_autoptr(GBytes) wild_length = change_bytes(file, length_at, &wild, 4);
	g_autoptr(GBytes) no_length = change_bytes(file, length_at, &none, 4);
	g_autoptr(GBytes) no_codec = change_bytes(file, 4 * 512 + PAYLOAD_OFFSET, "??", 2);
	g_autoptr(GBytes) short_file = cut(file, g_bytes_get_size(file) - 1);
	g_autoptr(GBytes) only_header = cut(file, 0x202 + 4);

	assert_refused(old, IMAGE_ERROR_UNSUPPORTED, "boot protocol 2.07");
	assert_refused(wild_offset, IMAGE_ERROR_CORRUPT, "outside the file");
	assert_refused(wild_length, IMAGE_ERROR_CORRUPT, "outside the file");
	assert_refused(no_length, IMAGE_ERROR_CORRUPT, "outside the file");
	assert_refused(no_codec, IMAGE_ERROR_FORMAT, "not a kernel image");
	assert_refused(short_file, IMAGE_ERROR_CORRUPT, "outside the file");
	assert_refused(only_header, IMAGE_ERROR_FORMAT, "not a kernel image");
}

/* setup_sects 0 means 4, from the days of floppy disks. */
static void test_setup_sects_default(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes)
		payload = pack_gzip(g_bytes_get_data(elf, NULL), g_bytes_get_size(elf));
	g_autoptr(GBytes) file = bzimage_of(payload, 0x20f);
	uint8_t sects = 0;
	uint32_t offset = PAYLOAD_OFFSET - 512;
	g_autoptr(GBytes) half = NULL, whole = NULL;
	g_autoptr(Image) image = NULL;

	G_STATIC_ASSERT(SETUP_SECTS == 3);
	/* One sector more before the payload: the offset is one sector less. */
	half = change_bytes(file, 0x1f1, &sects, 1);
	whole = change_bytes(half, 0x1f1 + offsetof(struct setup_header, payload_offset),
			     &offset, 4);
	image = parse(whole);
	assert_kernel(image, elf, "bzImage, gzip");
}

/* Every truncation of an ELF file is refused, and for a reason. */
static void test_truncated_elf(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	gsize len = g_bytes_get_size(elf);
	g_autoptr(GBytes) no_sections = cut(elf, len - sizeof(Elf64_Shdr));
	g_autoptr(Image) image = NULL;

	for (size_t i = 0; i < 0x1000; i++) {
		g_autoptr(GBytes) part = cut(elf, i);
		g_autoptr(GError) error = NULL;

		g_assert_null(image_parse("kernel", part, &error));
		g_assert_nonnull(error);
	}
	/* Section headers are not needed where there are notes. */
	image = parse(no_sections);
	g_assert_cmpuint(image->segments->len, ==, 1);
}

static size_t field(unsigned int segment, size_t offset)
{
	return sizeof(Elf64_Ehdr) + segment * sizeof(Elf64_Phdr) + offset;
}

static void assert_refused_with(GBytes *elf, size_t at, uint64_t value, size_t len,
				enum image_error code, const char *says)
{
	g_autoptr(GBytes) bad = change_bytes(elf, at, &value, len);

	assert_refused(bad, code, says);
}

static void test_elf_header(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());

	assert_refused_with(elf, EI_CLASS, 3, 1, IMAGE_ERROR_CORRUPT, "word size");
	assert_refused_with(elf, EI_DATA, ELFDATA2MSB, 1, IMAGE_ERROR_CORRUPT, "big-endian");
	assert_refused_with(elf, offsetof(Elf64_Ehdr, e_machine), EM_AARCH64, 2,
			    IMAGE_ERROR_FORMAT, "processor");
	assert_refused_with(elf, offsetof(Elf64_Ehdr, e_machine), EM_386, 2, IMAGE_ERROR_FORMAT,
			    "processor");
	assert_refused_with(elf, offsetof(Elf64_Ehdr, e_phnum), 0xffff, 2, IMAGE_ERROR_CORRUPT,
			    "program headers");
	assert_refused_with(elf, offsetof(Elf64_Ehdr, e_phentsize), 8, 2, IMAGE_ERROR_CORRUPT,
			    "program headers");
	assert_refused_with(elf, offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX - 8, 8,
			    IMAGE_ERROR_CORRUPT, "program headers");
}

static void test_segments(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());

	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_offset)), 1ULL << 40, 8,
			    IMAGE_ERROR_CORRUPT, "outside the file");
	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_offset)), UINT64_MAX - 0xff, 8,
			    IMAGE_ERROR_CORRUPT, "outside the file");
	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_filesz)), 0x2000, 8,
			    IMAGE_ERROR_CORRUPT, "outside the file");
	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_memsz)), 0xfff, 8,
			    IMAGE_ERROR_CORRUPT, "impossible size");
	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_memsz)), UINT64_MAX - 0xfffff,
			    8, IMAGE_ERROR_CORRUPT, "impossible size");
	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_memsz)), UINT64_MAX - 0x100000,
			    8, IMAGE_ERROR_CORRUPT, "impossible addresses");
	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_memsz)), 0, 8,
			    IMAGE_ERROR_FORMAT, "anything to load");
	assert_refused_with(elf, field(0, offsetof(Elf64_Phdr, p_flags)), 0, 4,
			    IMAGE_ERROR_FORMAT, "anything to load");
	assert_refused_with(elf, field(1, offsetof(Elf64_Phdr, p_offset)), 1ULL << 40, 8,
			    IMAGE_ERROR_CORRUPT, "notes lie outside");
	assert_refused_with(elf, field(1, offsetof(Elf64_Phdr, p_filesz)), UINT64_MAX, 8,
			    IMAGE_ERROR_CORRUPT, "notes lie outside");
}

/* Segments that would be copied over each other again and again (XSA-25) */
static void test_overlap_bomb(void)
{
	struct make_elf *elf = make_elf_kernel();
	g_autoptr(GBytes) bytes = NULL;

	for (int i = 0; i < 8; i++)
		make_elf_segment(elf, 0x100000, NULL, 0x1000, 0x2000);
	bytes = make_elf_finish(elf);
	assert_refused(bytes, IMAGE_ERROR_CORRUPT, "impossible addresses");
}

static void assert_address_refused(uint32_t note, uint64_t value, const char *says)
{
	struct make_elf *elf = make_elf_kernel();
	g_autoptr(GBytes) bytes = NULL;

	make_elf_xen_number(elf, note, value);
	bytes = make_elf_finish(elf);
	assert_refused(bytes, IMAGE_ERROR_CORRUPT, says);
}

static void test_addresses(void)
{
	assert_address_refused(XEN_ELFNOTE_ENTRY, 0xffffffff800fffff, "entry");
	assert_address_refused(XEN_ELFNOTE_ENTRY, 0xffffffff80102000, "entry");
	assert_address_refused(XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000001, "VIRT_BASE");
	assert_address_refused(XEN_ELFNOTE_PADDR_OFFSET, 0x200000, "VIRT_BASE");
	assert_address_refused(XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff80102000,
			       "hypercall page");
	assert_address_refused(XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff80101001,
			       "hypercall page");
	assert_address_refused(XEN_ELFNOTE_HYPERCALL_PAGE, 0x1000, "hypercall page");
	assert_address_refused(XEN_ELFNOTE_INIT_P2M, 0xffffffff80101000, "p2m list");
	assert_address_refused(XEN_ELFNOTE_VIRT_BASE, 0xfffffffffff00000, "VIRT_BASE");
	assert_address_refused(XEN_ELFNOTE_VIRT_BASE, 0xffffffffffeff000,
			       "impossible addresses");
}

/* p_vaddr is not looked at: Linux's percpu segment has 0 there. */
static void test_range(void)
{
	struct make_elf *elf = make_elf_kernel();
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(Image) image = NULL;

	make_elf_segment(elf, 0x102800, NULL, 0x10, 0x810);
	bytes = make_elf_finish(elf);
	image = parse(bytes);
	g_assert_cmpuint(image->segments->len, ==, 2);
	g_assert_cmphex(image->virt_start, ==, 0xffffffff80100000);
	g_assert_cmphex(image->virt_end, ==, 0xffffffff80104000);
}

static void test_load(void)
{
	g_autofree char *dir = g_dir_make_tmp("xenemu-test-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "vmlinux", NULL);
	g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(Image) image = NULL;
	const char *bad[] = { dir, fifo, "/nonexistent/vmlinux" };

	g_assert_true(g_file_set_contents(path, g_bytes_get_data(elf, NULL),
					  (gssize)g_bytes_get_size(elf), NULL));
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	bytes = image_map(path, &error);
	g_assert_no_error(error);
	g_assert_false(image_is_packed(bytes));
	image = image_parse_elf(path, bytes, &error);
	g_assert_no_error(error);
	assert_kernel(image, elf, "ELF");
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) why = NULL;

		g_assert_null(image_map(bad[i], &why));
		g_assert_error(why, IMAGE_ERROR, IMAGE_ERROR_READ);
		g_assert_nonnull(strstr(why->message, bad[i]));
	}
	g_unlink(path);
	g_unlink(fifo);
	g_rmdir(dir);
}

static void add_packer_tests(const struct packer *packer)
{
	static const struct {
		const char *name;
		GTestDataFunc test;
	} tests[] = {
		{ "packed-elf", test_packed_elf },     { "bzimage", test_bzimage },
		{ "wrong-length", test_wrong_length }, { "truncated", test_truncated_payload },
		{ "changed", test_changed_payload },   { "too-large", test_too_large },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *path =
			g_strdup_printf("/image/%s/%s", packer->name, tests[i].name);

		g_test_add_data_func(path, packer, tests[i].test);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/image/elf", test_elf);
	for (size_t i = 0; i < G_N_ELEMENTS(packers); i++)
		add_packer_tests(&packers[i]);
	g_test_add_func("/image/lzo/checksum", test_lzo_checksum);
	g_test_add_func("/image/not-a-kernel", test_not_a_kernel);
	g_test_add_func("/image/bzimage-header", test_bzimage_header);
	g_test_add_func("/image/setup-sects-default", test_setup_sects_default);
	g_test_add_func("/image/truncated-elf", test_truncated_elf);
	g_test_add_func("/image/elf-header", test_elf_header);
	g_test_add_func("/image/segments", test_segments);
	g_test_add_func("/image/overlap-bomb", test_overlap_bomb);
	g_test_add_func("/image/addresses", test_addresses);
	g_test_add_func("/image/range", test_range);
	g_test_add_func("/image/load", test_load);
	return g_test_run();
}
