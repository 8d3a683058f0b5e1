/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vdev.c - names and numbers of virtual disks (Xen's xen-vbd-interface(7))
 */
#include "backend/vdev.h"
#include <string.h>

/* Disks and partitions that an extended number has room for */
#define MAX_DISK ((1U << 20) - 1)
#define MAX_PARTITION 255

/*
 * Disk number of "a", "z", "aa", "ab"...: 26 letters without a zero.  Return: what
 * follows, or NULL.
 */
static const char *parse_letters(const char *text, unsigned int *disk)
{
	unsigned int value = 0;
	const char *at = text;

	for (; g_ascii_islower(*at); at++) {
		value = value * 26 + (*at - 'a' + 1);
		if (value > MAX_DISK)
			return NULL;
	}
	*disk = value - 1;
	return at == text ? NULL : at;
}

/* A decimal number without a leading zero.  Return: what follows, or NULL. */
static const char *parse_decimal(const char *text, unsigned int max, unsigned int *value)
{
	guint64 number = 0;
	const char *at = text;

	for (; g_ascii_isdigit(*at); at++) {
		number = number * 10 + (*at - '0');
		if (number > max)
			return NULL;
	}
	*value = number;
	return at == text || (*text == '0' && at != text + 1) ? NULL : at;
}

/* "", or a partition from 1 on to the end of @text. */
static gboolean parse_partition(const char *text, unsigned int max, unsigned int *partition)
{
	const char *end;

	*partition = 0;
	if (!*text)
		return TRUE;
	end = parse_decimal(text, max, partition);
	return end && !*end && *partition > 0;
}

static gboolean xvd_number(unsigned int disk, unsigned int partition, uint32_t *number)
{
	if (disk < 16 && partition < 16)
		*number = 202 << 8 | disk << 4 | partition;
	else
		*number = VDEV_EXTENDED | disk << 8 | partition;
	return TRUE;
}

/* Majors of Linux's disks as far as xend 3.1 (tools/python/xen/util/blkif.py) knows them */
static gboolean sd_number(unsigned int disk, unsigned int partition, uint32_t *number)
{
	static const uint8_t majors[] = { 8,   65,  66,  67,  68,  69,  70,  71,
					  128, 129, 130, 131, 132, 133, 134, 135 };

	if (disk >= G_N_ELEMENTS(majors) * 16 || partition >= 16)
		return FALSE;
	*number = majors[disk / 16] << 8 | (disk % 16) << 4 | partition;
	return TRUE;
}

static gboolean hd_number(unsigned int disk, unsigned int partition, uint32_t *number)
{
	static const uint8_t majors[] = { 3, 22, 33, 34, 56, 57, 88, 89, 90, 91 };

	if (disk >= G_N_ELEMENTS(majors) * 2 || partition >= 64)
		return FALSE;
	*number = majors[disk / 2] << 8 | (disk % 2) << 6 | partition;
	return TRUE;
}

/* "d0", "d16p3" */
static gboolean parse_plain(const char *name, uint32_t *number)
{
	unsigned int disk, partition = 0;
	const char *at = *name == 'd' ? parse_decimal(name + 1, MAX_DISK, &disk) : NULL;

	if (at && *at == 'p')
		at = parse_decimal(at + 1, MAX_PARTITION, &partition);
	return at && !*at && xvd_number(disk, partition, number);
}

static gboolean parse_number(const char *name, uint32_t *number)
{
	gboolean hex = g_str_has_prefix(name, "0x");
	guint64 value;

	if (!g_ascii_string_to_unsigned(hex ? name + 2 : name, hex ? 16 : 10, 1, G_MAXINT32,
					&value, NULL))
		return FALSE;
	*number = value;
	return TRUE;
}

gboolean vdev_parse(const char *name, uint32_t *number)
{
	static const struct {
		const char *prefix;
		gboolean (*number)(unsigned int disk, unsigned int partition, uint32_t *number);
	} kinds[] = { { "xvd", xvd_number }, { "sd", sd_number }, { "hd", hd_number } };

	if (g_str_has_prefix(name, "/dev/"))
		name += strlen("/dev/");
	for (unsigned int i = 0; i < G_N_ELEMENTS(kinds); i++) {
		unsigned int disk, partition;
		const char *rest;

		if (!g_str_has_prefix(name, kinds[i].prefix))
			continue;
		rest = parse_letters(name + strlen(kinds[i].prefix), &disk);
		return rest && parse_partition(rest, MAX_PARTITION, &partition) &&
		       kinds[i].number(disk, partition, number);
	}
	return parse_plain(name, number) || parse_number(name, number);
}

/* Majors from @first on, each with 16 disks of 16 partitions */
static gboolean is_scsi(unsigned int major, unsigned int first, unsigned int nr)
{
	return major >= first && major < first + nr;
}

/* The n-th xvd of Linux's xen_translate_vdev(); FALSE: it takes no such number. */
static gboolean linux_disk(uint32_t number, unsigned int *disk)
{
	unsigned int major = number >> 8, minor = number & 0xff;

	if (number >= VDEV_EXTENDED)
		*disk = (number - VDEV_EXTENDED) >> 8;
	else if (major == 202 || major == 8)
		*disk = minor >> 4;
	else if (major == 3 || major == 22)
		*disk = (minor >> 6) + (major == 3 ? 0 : 2);
	else if (is_scsi(major, 65, 7))
		*disk = (major - 65 + 1) * 16 + (minor >> 4);
	else if (is_scsi(major, 128, 8))
		*disk = (major - 128 + 8) * 16 + (minor >> 4);
	else
		return FALSE;
	return TRUE;
}

gboolean vdev_same_disk(uint32_t a, uint32_t b)
{
	unsigned int disk_a, disk_b;

	return a == b || (linux_disk(a, &disk_a) && linux_disk(b, &disk_b) && disk_a == disk_b);
}
