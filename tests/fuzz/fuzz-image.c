/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-image.c - kernel files of any content
 *
 * The input is a file as image_parse() gets it.  What is accepted must hold together:
 * every segment within the payload and within the range, and a layout that comes to an
 * end.  The corpus holds small kernels as tests/unit/test-image.c makes them.
 */
#include "domain/builder-layout.h"
#include "domain/image.h"

static void check_segments(const struct image *image)
{
	gsize size;
	const uint8_t *payload = g_bytes_get_data(image->payload, &size);
	volatile uint8_t last;

	for (guint i = 0; i < image->segments->len; i++) {
		const struct image_segment *s =
			&g_array_index(image->segments, struct image_segment, i);
		uint64_t vaddr = s->paddr - image->paddr_offset + image->virt_base;

		if (s->filesz > s->memsz || s->offset > size || s->filesz > size - s->offset)
			g_error("a segment outside the payload was accepted");
		if (vaddr < image->virt_start || s->memsz > image->virt_end - vaddr)
			g_error("a segment outside the kernel's range was accepted");
		if (s->filesz)
			last = payload[s->offset + s->filesz - 1];
	}
	(void)last;
}

/* What xenemu itself gets is unpacked by another process: the same comes out of it. */
static void check_unpacked(const struct image *image)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Image) again = image_parse_elf("input", image->payload, &error);

	if (!again)
		g_error("%s, but only when it is unpacked", error->message);
	if (again->virt_start != image->virt_start || again->virt_end != image->virt_end ||
	    again->entry != image->entry)
		g_error("it is another kernel when it is unpacked");
}

static void check_layout(const struct image *image, enum layout_age age)
{
	static const uint64_t pages[] = { 4096, 1 << 20 };
	struct layout layout;

	for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
		if (layout_guest(&layout, age, image, pages[i], 12345) || layout.end > pages[i])
			continue;
		if (layout.kernel.pfn + layout.kernel.pages > layout.start_info ||
		    layout.alloc_end > layout.mappings[0].run.pages)
			g_error("a layout that overlaps");
	}
	layout_least_pages(age, image, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(GError) error = NULL;
	g_autoptr(Image) image = image_parse("input", bytes, &error);
	g_autoptr(Image) plain = image_parse_elf("input", bytes, NULL);

	if (!image != !!error)
		g_error("neither an image nor an error, or both");
	/* Whatever unpacks kernels may hand over anything. */
	if (image_is_packed(bytes) && plain)
		g_error("a packed kernel was taken unpacked");
	if (!image)
		return 0;
	image_abi(image);
	check_segments(image);
	check_unpacked(image);
	for (enum layout_age age = LAYOUT_XEN_3_0; age <= LAYOUT_XEN_4; age++)
		check_layout(image, age);
	return 0;
}
