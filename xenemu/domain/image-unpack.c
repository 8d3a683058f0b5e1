/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image-unpack.c - from a kernel file to the ELF file inside it: ELF as it is
 * or packed, or the payload of a Linux bzImage
 */
#include "domain/image-unpack.h"
#include "domain/decompress.h"
#include "domain/elf.h"
#include <asm/bootparam.h>
#include <string.h>

/* Linux Documentation/arch/x86/boot.rst */
#define SETUP_HEADER_AT 0x1f1
#define SETUP_MAGIC 0x53726448 /* "HdrS" */
#define SETUP_VERSION_PAYLOAD 0x0208 /* payload_offset and _length are there */
#define SETUP_SECTOR 512
#define SETUP_SECTORS_DEFAULT 4 /* what 0 means */

/**
 * struct packed - the packed bytes within a file
 */
struct packed {
	const uint8_t *data;
	size_t len;
};

static gboolean read_setup_header(const uint8_t *file, size_t size, struct setup_header *setup)
{
	if (size < SETUP_HEADER_AT + sizeof(*setup))
		return FALSE;
	memcpy(setup, file + SETUP_HEADER_AT, sizeof(*setup));
	return setup->header == SETUP_MAGIC;
}

static gboolean find_payload(const char *name, const struct setup_header *setup,
			     struct packed *packed, GError **error)
{
	uint64_t sectors = setup->setup_sects ? setup->setup_sects : SETUP_SECTORS_DEFAULT;
	uint64_t at = (sectors + 1) * SETUP_SECTOR + setup->payload_offset;
	uint32_t len = setup->payload_length;

	if (setup->version < SETUP_VERSION_PAYLOAD) {
		g_set_error(
			error, IMAGE_ERROR, IMAGE_ERROR_UNSUPPORTED,
			"%s: a bzImage of boot protocol %u.%02u, whose kernel can't be found "
			"in it (2.08 is needed); use the kernel's vmlinux file instead",
			name, setup->version >> 8, setup->version & 0xff);
		return FALSE;
	}
	if (len == 0 || at > packed->len || len > packed->len - at) {
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
			    "%s: the bzImage's kernel lies outside the file; "
			    "the file is cut off or corrupt, copy it again",
			    name);
		return FALSE;
	}
	packed->data += at;
	packed->len = len;
	return TRUE;
}

/*
 * Every bzImage since the payload has a header ends with the unpacked length:
 * gzip's own trailer has it, Linux's build appends it for the other formats.
 */
static gboolean length_agrees(const struct packed *packed, GBytes *unpacked)
{
	uint32_t says;

	if (packed->len < sizeof(says))
		return FALSE;
	memcpy(&says, packed->data + packed->len - sizeof(says), sizeof(says));
	return says == (uint32_t)g_bytes_get_size(unpacked);
}

static GBytes *unpack(const char *name, const struct packed *packed, const struct codec *codec,
		      gboolean has_length, GError **error)
{
	const char *why;
	g_autoptr(GBytes)
		unpacked = decompress(codec, packed->data, packed->len, IMAGE_MAX_BYTES, &why);

	if (!unpacked) {
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
			    "%s: can't unpack the kernel (%s): %s", name, codec->name, why);
		return NULL;
	}
	if (has_length && !length_agrees(packed, unpacked)) {
		g_set_error(
			error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
			"%s: the kernel (%s) unpacks to another length than it should have; "
			"the file is corrupt, copy it again",
			name, codec->name);
		return NULL;
	}
	return g_steal_pointer(&unpacked);
}

static GBytes *not_a_kernel(const char *name, GError **error)
{
	g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_FORMAT,
		    "%s: not a kernel image that is known here; give a vmlinux (ELF, which may "
		    "be compressed) or a Linux bzImage",
		    name);
	return NULL;
}

GBytes *image_unpack(const char *name, GBytes *file, char **packing, GError **error)
{
	g_autoptr(GBytes) unpacked = NULL;
	const struct codec *codec;
	struct setup_header setup;
	struct packed packed;
	gboolean is_bzimage;

	packed.data = g_bytes_get_data(file, &packed.len);
	if (elf_is_elf(packed.data, packed.len)) {
		*packing = g_strdup("ELF");
		return g_bytes_ref(file);
	}
	is_bzimage = read_setup_header(packed.data, packed.len, &setup);
	if (is_bzimage && !find_payload(name, &setup, &packed, error))
		return NULL;
	codec = codec_of(packed.data, packed.len);
	if (!codec)
		return not_a_kernel(name, error);
	unpacked = unpack(name, &packed, codec, is_bzimage, error);
	if (!unpacked)
		return NULL;
	if (!elf_is_elf(g_bytes_get_data(unpacked, NULL), g_bytes_get_size(unpacked)))
		return not_a_kernel(name, error);
	*packing = g_strdup_printf("%s, %s", is_bzimage ? "bzImage" : "ELF", codec->name);
	return g_steal_pointer(&unpacked);
}
