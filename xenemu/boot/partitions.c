/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * partitions.c - where on a disk file systems may be: MBR, GPT (UEFI 2.9, chapter 5)
 */
#include "boot/partitions.h"
#include <endian.h>
#include <string.h>

#define MAX_PARTITIONS 256
#define MBR_SIGNATURE 0xaa55
#define MBR_EXTENDED 0x05
#define MBR_EXTENDED_LBA 0x0f
#define MBR_EXTENDED_LINUX 0x85
#define MBR_PROTECTIVE 0xee
#define GPT_SIGNATURE "EFI PART"
#define GPT_ENTRY_MIN 128
#define GPT_ENTRY_MAX 4096

struct mbr_entry {
	uint8_t status;
	uint8_t chs_first[3];
	uint8_t type;
	uint8_t chs_last[3];
	uint32_t first;
	uint32_t sectors;
} __attribute__((packed));

struct mbr {
	uint8_t code[446];
	struct mbr_entry entries[4];
	uint16_t signature;
} __attribute__((packed));
G_STATIC_ASSERT(sizeof(struct mbr) == 512);

struct gpt_header {
	char signature[8];
	uint32_t revision;
	uint32_t header_size;
	uint32_t header_crc;
	uint32_t reserved;
	uint64_t own_lba;
	uint64_t other_lba;
	uint64_t first_usable;
	uint64_t last_usable;
	uint8_t guid[16];
	uint64_t entries_lba;
	uint32_t nr_entries;
	uint32_t entry_size;
	uint32_t entries_crc;
} __attribute__((packed));
G_STATIC_ASSERT(sizeof(struct gpt_header) == 92);

struct gpt_entry {
	uint8_t type[16];
	uint8_t guid[16];
	uint64_t first;
	uint64_t last;
} __attribute__((packed));

/* In sectors; ranges that make no sense are passed over. */
static void add(GArray *found, const struct disk_source *source, uint64_t first,
		uint64_t sectors)
{
	uint64_t all = source->size / source->sector_size;
	struct partition part;

	if (found->len > MAX_PARTITIONS || sectors == 0 || first >= all ||
	    sectors > all - first)
		return;
	part.offset = first * source->sector_size;
	part.length = sectors * source->sector_size;
	g_array_append_val(found, part);
}

static gboolean is_extended(const struct mbr_entry *entry)
{
	return entry->type == MBR_EXTENDED || entry->type == MBR_EXTENDED_LBA ||
	       entry->type == MBR_EXTENDED_LINUX;
}

static gboolean read_mbr(struct disk_source *source, uint64_t sector, struct mbr *mbr)
{
	return sector <= UINT64_MAX / source->sector_size &&
	       disk_source_read(source, sector * source->sector_size, mbr, sizeof(*mbr)) &&
	       le16toh(mbr->signature) == MBR_SIGNATURE;
}

/* A chain of tables, each with a partition and where the next one is. */
static void find_logical(struct disk_source *source, uint32_t base, GArray *found)
{
	uint64_t at = base;
	struct mbr mbr;

	for (int i = 0; i < MAX_PARTITIONS && read_mbr(source, at, &mbr); i++) {
		const struct mbr_entry *next = &mbr.entries[1];

		add(found, source, at + le32toh(mbr.entries[0].first),
		    le32toh(mbr.entries[0].sectors));
		if (!is_extended(next))
			return;
		at = (uint64_t)base + le32toh(next->first);
	}
}

static void find_gpt(struct disk_source *source, GArray *found)
{
	struct gpt_header header;
	uint64_t at;
	uint32_t size, count;

	if (!disk_source_read(source, source->sector_size, &header, sizeof(header)) ||
	    memcmp(header.signature, GPT_SIGNATURE, sizeof(header.signature)) != 0)
		return;
	at = le64toh(header.entries_lba);
	size = le32toh(header.entry_size);
	count = MIN(le32toh(header.nr_entries), MAX_PARTITIONS);
	if (size < GPT_ENTRY_MIN || size > GPT_ENTRY_MAX ||
	    at > source->size / source->sector_size)
		return;
	at *= source->sector_size;
	for (uint32_t i = 0; i < count; i++) {
		struct gpt_entry entry;
		uint64_t first, last;

		if (!disk_source_read(source, at + (uint64_t)i * size, &entry, sizeof(entry)))
			return;
		first = le64toh(entry.first);
		last = le64toh(entry.last);
		if (first != 0 && last >= first && last != UINT64_MAX)
			add(found, source, first, last - first + 1);
	}
}

GArray *partitions_find(struct disk_source *source)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(struct partition));
	const struct partition whole = { .length = source->size };
	struct mbr mbr;

	g_array_append_val(found, whole);
	if (!read_mbr(source, 0, &mbr))
		return found;
	for (guint i = 0; i < G_N_ELEMENTS(mbr.entries); i++) {
		const struct mbr_entry *entry = &mbr.entries[i];

		if (entry->type == MBR_PROTECTIVE)
			find_gpt(source, found);
		else if (is_extended(entry))
			find_logical(source, le32toh(entry->first), found);
		else
			add(found, source, le32toh(entry->first), le32toh(entry->sectors));
	}
	return found;
}
