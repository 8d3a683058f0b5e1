/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partition tables, good and broken, in memory.
 */
#include "boot/partitions.h"
#include <endian.h>
#include <string.h>

#define SECTOR 512
#define SECTORS 4096

struct fixture {
	struct disk_source source; /* first */
	uint8_t *bytes;
	unsigned int reads;
};

static gboolean read_bytes(struct disk_source *source, uint64_t offset, void *buf,
			   size_t length)
{
	struct fixture *f = (struct fixture *)source;

	g_assert_cmpuint(offset + length, <=, source->size);
	f->reads++;
	memcpy(buf, f->bytes + offset, length);
	return TRUE;
}

static void set_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	f->source.size = SECTORS * SECTOR;
	f->source.sector_size = SECTOR;
	f->source.read = read_bytes;
	f->bytes = g_malloc0(f->source.size);
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_free(f->bytes);
}

static void put32(struct fixture *f, uint64_t at, uint32_t value)
{
	value = htole32(value);
	memcpy(f->bytes + at, &value, sizeof(value));
}

static void put64(struct fixture *f, uint64_t at, uint64_t value)
{
	value = htole64(value);
	memcpy(f->bytes + at, &value, sizeof(value));
}

/* An entry of the table in @sector. */
static void mbr(struct fixture *f, uint64_t sector, unsigned int entry, uint8_t type,
		uint32_t first, uint32_t sectors)
{
	uint64_t at = sector * SECTOR + 446 + entry * 16;

	f->bytes[at + 4] = type;
	put32(f, at + 8, first);
	put32(f, at + 12, sectors);
	f->bytes[sector * SECTOR + 510] = 0x55;
	f->bytes[sector * SECTOR + 511] = 0xaa;
}

/* "first+sectors ..." of all but the whole disk, which comes first. */
static void expect(struct fixture *f, const char *expected)
{
	g_autoptr(GArray) found = partitions_find(&f->source);
	g_autoptr(GString) text = g_string_new(NULL);
	const struct partition *part = &g_array_index(found, struct partition, 0);

	g_assert_cmpuint(part->offset, ==, 0);
	g_assert_cmpuint(part->length, ==, f->source.size);
	for (guint i = 1; i < found->len; i++) {
		part++;
		g_string_append_printf(text, "%s%u+%u", i > 1 ? " " : "",
				       (unsigned int)(part->offset / SECTOR),
				       (unsigned int)(part->length / SECTOR));
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void test_none(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	expect(f, "");
	memset(f->bytes, 0xff, f->source.size);
	expect(f, "");
	f->source.size = 0;
	expect(f, "");
	f->source.size = 100;
	expect(f, "");
}

static void test_mbr(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	mbr(f, 0, 0, 0x83, 8, 100);
	mbr(f, 0, 3, 0x82, 200, 50);
	expect(f, "8+100 200+50");
	f->bytes[510] = 0;
	expect(f, "");
}

static void test_mbr_beyond(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	mbr(f, 0, 0, 0x83, SECTORS - 1, 1);
	mbr(f, 0, 1, 0x83, SECTORS - 1, 2);
	mbr(f, 0, 2, 0x83, 0xffffffff, 0xffffffff);
	mbr(f, 0, 3, 0x83, 1, 0);
	expect(f, "4095+1");
}

static void test_logical(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	mbr(f, 0, 0, 0x83, 8, 10);
	mbr(f, 0, 1, 0x05, 1000, 2000);
	mbr(f, 1000, 0, 0x83, 1, 100);
	mbr(f, 1000, 1, 0x05, 500, 500);
	mbr(f, 1500, 0, 0x83, 1, 200);
	expect(f, "8+10 1001+100 1501+200");
}

static void test_logical_loop(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	mbr(f, 0, 1, 0x0f, 1000, 2000);
	mbr(f, 1000, 0, 0x83, 0, 0);
	mbr(f, 1000, 1, 0x0f, 0, 500);
	expect(f, "");
	g_assert_cmpuint(f->reads, <, 1000);
	mbr(f, 1000, 1, 0x0f, 0xffffffff, 500);
	expect(f, "");
}

static void gpt(struct fixture *f, uint64_t entries, uint32_t count, uint32_t size)
{
	mbr(f, 0, 0, 0xee, 1, 0xffffffff);
	memcpy(f->bytes + SECTOR, "EFI PART", 8);
	put64(f, SECTOR + 72, entries);
	put32(f, SECTOR + 80, count);
	put32(f, SECTOR + 84, size);
}

static void gpt_entry(struct fixture *f, unsigned int i, uint64_t first, uint64_t last)
{
	put64(f, 2 * SECTOR + i * 128 + 32, first);
	put64(f, 2 * SECTOR + i * 128 + 40, last);
}

static void test_gpt(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	gpt(f, 2, 128, 128);
	gpt_entry(f, 0, 2048, 2147);
	gpt_entry(f, 5, 3000, SECTORS - 1);
	expect(f, "2048+100 3000+1096");
}

static void test_gpt_beyond(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	gpt(f, 2, 128, 128);
	gpt_entry(f, 0, 3000, SECTORS);
	gpt_entry(f, 1, 3000, 2999);
	gpt_entry(f, 2, UINT64_MAX, UINT64_MAX);
	gpt_entry(f, 3, 1, UINT64_MAX);
	gpt_entry(f, 4, UINT64_MAX - 1, UINT64_MAX - 1);
	expect(f, "");
}

static void test_gpt_header(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	static const struct {
		uint64_t entries;
		uint32_t count, size;
	} wrong[] = {
		{ UINT64_MAX, 128, 128 }, { SECTORS, 128, 128 },           { 2, 128, 0 },
		{ 2, 128, 16 },           { 2, 128, 0xffffffff },          { 2, 0, 128 },
		{ SECTORS - 1, 0, 128 },  { UINT64_MAX / SECTOR, 9, 128 },
	};

	gpt_entry(f, 0, 2048, 2147);
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		gpt(f, wrong[i].entries, wrong[i].count, wrong[i].size);
		expect(f, "");
	}
	f->reads = 0;
	gpt(f, 2, 0xffffffff, 128);
	expect(f, "2048+100");
	g_assert_cmpuint(f->reads, <, 1000);
}

#define TEST(name, function)                                                                   \
	g_test_add("/partitions/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TEST("none", test_none);
	TEST("mbr", test_mbr);
	TEST("mbr-beyond", test_mbr_beyond);
	TEST("logical", test_logical);
	TEST("logical-loop", test_logical_loop);
	TEST("gpt", test_gpt);
	TEST("gpt-beyond", test_gpt_beyond);
	TEST("gpt-header", test_gpt_header);
	return g_test_run();
}
