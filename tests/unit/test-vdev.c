/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-vdev.c - names and numbers of virtual disks, after xen-vbd-interface(7) and
 * xend 3.1's blkdev_name_to_number()
 */
#include "backend/vdev.h"

static void test_names(void)
{
	static const struct {
		const char *name;
		uint32_t number;
	} good[] = {
		{ "xvda", 51712 },
		{ "xvda1", 51713 },
		{ "xvdb", 51728 },
		{ "xvdp15", 202 << 8 | 15 << 4 | 15 },
		{ "/dev/xvdc2", 51746 },
		{ "xvdq", 1 << 28 | 16 << 8 },
		{ "xvda16", 1 << 28 | 16 },
		{ "xvdz", 1 << 28 | 25 << 8 },
		{ "xvdaa", 1 << 28 | 26 << 8 },
		{ "xvdab3", 1 << 28 | 27 << 8 | 3 },
		{ "d0", 51712 },
		{ "d0p2", 51714 },
		{ "d16p1", 1 << 28 | 16 << 8 | 1 },
		{ "hda", 768 },
		{ "hda1", 769 },
		{ "hdb", 832 },
		{ "hdc", 5632 },
		{ "hdd63", 5632 | 64 | 63 },
		{ "hdt", 91 << 8 | 64 },
		{ "sda", 2048 },
		{ "sda1", 2049 },
		{ "sdb15", 2048 | 16 | 15 },
		{ "sdp", 2048 | 240 },
		{ "sdq", 65 << 8 },
		{ "sdaa1", 65 << 8 | 160 | 1 },
		{ "51712", 51712 },
		{ "0x801", 2049 },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(good); i++) {
		uint32_t number = 0;

		g_assert_true(vdev_parse(good[i].name, &number));
		g_assert_cmpint(number, ==, good[i].number);
	}
}

static void test_wrong(void)
{
	static const char *const wrong[] = {
		"",       "xvd",         "xvda0",         "xvda01", "xvda256", "xvdA",
		"xvd1",   "xvda1p",      "xvda-1",        "sda16",  "hda64",   "hdu",
		"sdzzz",  "d",           "dp1",           "d0p",    "d00",     "d1x",
		"0",      "-1",          "xvdzzzzzzzzzz", "vda",    "/dev/",   "0x",
		"1 ",     "99999999999", "xvda ",         "d0p256", "hda0",    "d0p0001",
		"cdrom0", "d1048576",
	};
	uint32_t number;

	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++)
		if (vdev_parse(wrong[i], &number))
			g_error("\"%s\" was taken for %u", wrong[i], number);
}

static void test_same_disk(void)
{
	static const struct {
		const char *a, *b;
		gboolean same;
	} pairs[] = {
		{ "xvda", "xvda", TRUE },
		{ "xvda", "xvdb", FALSE },
		{ "xvda", "xvda1", TRUE },
		{ "xvda15", "xvda16", TRUE },
		{ "xvda", "hda", TRUE },
		{ "xvdb", "hda", FALSE },
		{ "xvdb", "hdb2", TRUE },
		{ "xvdc", "hdc", TRUE },
		{ "xvdd1", "hdd1", TRUE },
		{ "xvda", "sda", TRUE },
		{ "hda", "sda", TRUE },
		{ "xvdp", "sdp1", TRUE },
		{ "xvdq", "sdq", TRUE },
		{ "xvdp", "sdq", FALSE },
		{ "xvdz", "sdz", TRUE },
		{ "xvdaa", "sdaa15", TRUE },
		/* The last disk of one major, the first of the next */
		{ "xvddx", "sddx", TRUE },
		{ "xvddy", "sddy", TRUE },
		{ "xvdiv", "sdiv", TRUE },
		{ "xvdiv", "sdiu", FALSE },
		/* xen-blkfront knows no further IDE disks. */
		{ "xvde", "hde", FALSE },
		{ "hde", "hde", TRUE },
		{ "1", "xvda", FALSE },
		{ "0xca10", "hdb", TRUE },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(pairs); i++) {
		uint32_t a = 0, b = 0;

		g_assert_true(vdev_parse(pairs[i].a, &a) && vdev_parse(pairs[i].b, &b));
		g_test_message("%s %s", pairs[i].a, pairs[i].b);
		g_assert_cmpint(vdev_same_disk(a, b), ==, pairs[i].same);
		g_assert_cmpint(vdev_same_disk(b, a), ==, pairs[i].same);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vdev/names", test_names);
	g_test_add_func("/vdev/wrong", test_wrong);
	g_test_add_func("/vdev/same-disk", test_same_disk);
	return g_test_run();
}
