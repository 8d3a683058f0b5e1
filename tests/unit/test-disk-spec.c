/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-disk-spec.c - what `--disk` means, compared with what it means to xl
 */
#include "backend/disk-spec.h"
#include <libxlutil.h>
#include <stdio.h>
#include <string.h>

/**
 * struct expected - a specification and what it means
 * @text:   as typed
 * @target: NULL: none
 * @format: NULL: the specification is refused
 * @vdev:   NULL: none
 * @mode:   r, w, each with ! if not locked, c before it if a CD-ROM
 */
struct expected {
	const char *text;
	const char *target;
	const char *format;
	const char *vdev;
	const char *mode;
};

/* xl understands all of these, or refuses them, as we do. */
static const struct expected as_xl[] = {
	/* xl-disk-configuration(5) */
	{ "/dev/vg/guest-volume,,hda", "/dev/vg/guest-volume", "raw", "hda", "w" },
	{ "/dev/vg/guest-volume,raw,hda,rw", "/dev/vg/guest-volume", "raw", "hda", "w" },
	{ "format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume",
	  "/dev/vg/guest-volume", "raw", "hda", "w" },
	{ "raw:/dev/vg/guest-volume,hda,w", "/dev/vg/guest-volume", "raw", "hda", "w" },
	{ "/root/image.iso,,hdc,cdrom", "/root/image.iso", "raw", "hdc", "cr" },
	{ "/root/image.iso,,hdc,,cdrom", "/root/image.iso", "raw", "hdc", "cr" },
	{ "/root/image.iso,raw,hdc,devtype=cdrom", "/root/image.iso", "raw", "hdc", "cr" },
	{ "format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso",
	  "/root/image.iso", "raw", "hdc", "cr" },
	{ "raw:/root/image.iso,hdc:cdrom,ro", "/root/image.iso", "raw", "hdc", "cr" },
	{ ",hdc:cdrom,r", NULL, "raw", "hdc", "cr" },
	{ ",,hdc,cdrom", NULL, "raw", "hdc", "cr" },
	{ "vdev=hdc,cdrom", NULL, "raw", "hdc", "cr" },
	/* xm */
	{ "phy:/dev/vg/a,sda1,w", "/dev/vg/a", "raw", "sda1", "w" },
	{ "file:/images/a.img,xvda1,r", "/images/a.img", "raw", "xvda1", "r" },
	{ "tap:aio:/images/a.img,xvda,w", "/images/a.img", "raw", "xvda", "w" },
	{ "tap:qcow2:/images/a.img,xvda,w", "/images/a.img", "qcow2", "xvda", "w" },
	{ "tap2:tapdisk:vhd:/images/a.vhd,xvda,w", "/images/a.vhd", "vpc", "xvda", "w" },
	{ "ioemu:file:/a,hda:disk,w", "/a", "raw", "hda", "w" },
	{ "qcow:/a,xvda,w", "/a", "qcow", "xvda", "w" },
	/* order, emptiness, white space */
	{ "vdev=xvda,/a", "/a", "raw", "xvda", "w" },
	{ "/a,vdev=xvda,qcow2", "/a", "qcow2", "xvda", "w" },
	{ "format=qcow2,/a,xvda,r", "/a", "qcow2", "xvda", "r" },
	{ "/a,qcow2,xvda,", "/a", "qcow2", "xvda", "w" },
	{ "/a,,xvda,,", "/a", "raw", "xvda", "w" },
	{ "/a,,xvda,,,", NULL, NULL, NULL, NULL },
	{ " /a, qcow2,\txvda, r", "/a", "qcow2", "xvda", "r" },
	{ "/a ,,xvda", "/a ", "raw", "xvda", "w" },
	{ "/a,raw,xvda,target=", NULL, NULL, NULL, NULL },
	{ ",raw,xvda,target=/a,b=c:d ", "/a,b=c:d ", "raw", "xvda", "w" },
	{ "xvda,target=raw:/a", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,format=raw", "/a", "raw", "xvda", "w" },
	{ "/a,qed,xvda,format=qed", "/a", "qed", "xvda", "w" },
	{ "a:b,,xvda", "a:b", "raw", "xvda", "w" },
	{ "/a:b,,xvda", "/a:b", "raw", "xvda", "w" },
	{ "/a,,xvda,r,discard,direct-io-safe", "/a", "raw", "xvda", "r" },
	{ "/a,,xvda,backendtype=qdisk,specification=xen", "/a", "raw", "xvda", "w" },
	{ "/a,,xvda,cdrom,rw", "/a", "raw", "xvda", "cr" },
	{ "/a,,xvda,devtype=cdrom,devtype=disk", "/a", "raw", "xvda", "w" },
	/* refused */
	{ "/a,,xvda,rx", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,r,w", NULL, NULL, NULL, NULL },
	{ "/a,qcow3,xvda", NULL, NULL, NULL, NULL },
	{ "/a,raw,xvda,format=qcow2", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,vdev=xvdb", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,target=/b", NULL, NULL, NULL, NULL },
	{ "/a,,xvda:floppy", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,devtype=floppy", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,backendtype=foo", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,specification=foo", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,speed=9", NULL, NULL, NULL, NULL },
	{ "/a=b,,xvda", NULL, NULL, NULL, NULL },
	{ "zip:/a,xvda,w", NULL, NULL, NULL, NULL },
	{ "zip:,xvda,w", NULL, NULL, NULL, NULL },
	{ "vdev=xvda", NULL, NULL, NULL, NULL },
	{ "nbd:/a,xvda,w,r,r", NULL, NULL, NULL, NULL },
};

/* xl refuses these, or means something else. */
static const struct expected our_own[] = {
	{ "disk.img", "disk.img", "raw", NULL, "w" },
	{ "phy:vg/a,xvda,w", "/dev/vg/a", "raw", "xvda", "w" },
	{ "file:vg/a,xvda,w", "vg/a", "raw", "xvda", "w" },
	{ "qcow2:disk.qcow2", "disk.qcow2", "qcow2", NULL, "w" },
	{ "/a,,,r", "/a", "raw", NULL, "r" },
	{ "/a,,xvda,trusted", "/a", "raw", "xvda", "w" },
	{ "/a,,xvda,w!", "/a", "raw", "xvda", "w!" },
	{ "phy:/a,xvda,r!", "/a", "raw", "xvda", "r!" },
	{ "vmdk:/a,xvda,w", "/a", "vmdk", "xvda", "w" },
	{ "tap:sync:/a,xvda,w", "/a", "raw", "xvda", "w" },
	{ "/a,vhdx,xvda", "/a", "vhdx", "xvda", "w" },
	{ "nbd://host:10809/export,,xvda", "nbd://host:10809/export", "raw", "xvda", "w" },
	{ "raw:nbd://host/export,xvda,r", "nbd://host/export", "raw", "xvda", "r" },
	{ "nbd+unix:///e?socket=/s,,xvda", "nbd+unix:///e?socket=/s", "raw", "xvda", "w" },
	{ "", NULL, NULL, NULL, NULL },
	{ ",,xvda", NULL, NULL, NULL, NULL },
	{ "nbd:host:1234,xvda,w", NULL, NULL, NULL, NULL },
	{ "iscsi:iqn,xvda,w", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,script=block-x", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,backend=driver", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,untrusted", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,specification=virtio", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,colo", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,reconnect=-1", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,reconnect=x", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,w!!", NULL, NULL, NULL, NULL },
	{ "/a,,xvda,!", NULL, NULL, NULL, NULL },
};

static void check(const struct expected *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(DiskSpec) spec = disk_spec_parse(expected->text, &error);
	g_autofree char *mode = NULL;

	g_test_message("%s -> %s", expected->text, error ? error->message : "accepted");
	if (!expected->format) {
		g_assert_null(spec);
		g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
		g_assert_true(g_str_has_prefix(error->message, "--disk "));
		g_assert_nonnull(strstr(error->message, expected->text));
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpstr(spec->target, ==, expected->target);
	g_assert_cmpstr(spec->format, ==, expected->format);
	g_assert_cmpstr(spec->vdev, ==, expected->vdev);
	mode = g_strdup_printf("%s%s%s", spec->cdrom ? "c" : "", spec->read_only ? "r" : "w",
			       spec->locked ? "" : "!");
	g_assert_cmpstr(mode, ==, expected->mode);
}

static void test_meaning(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(as_xl); i++)
		check(&as_xl[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(our_own); i++)
		check(&our_own[i]);
}

static const char *format_of(const libxl_device_disk *disk)
{
	switch (disk->format) {
	case LIBXL_DISK_FORMAT_VHD:
		return "vpc";
	case LIBXL_DISK_FORMAT_EMPTY:
		return "raw";
	default:
		return libxl_disk_format_to_string(disk->format);
	}
}

static void check_xl(XLU_Config *config, const struct expected *expected)
{
	libxl_device_disk disk;
	int error;

	g_test_message("%s", expected->text);
	libxl_device_disk_init(&disk);
	error = xlu_disk_parse(config, 1, &expected->text, &disk);
	g_assert_cmpint(error != 0, ==, expected->format == NULL);
	if (!error) {
		const char *target = disk.pdev_path && *disk.pdev_path ? disk.pdev_path : NULL;

		g_assert_cmpstr(target, ==, expected->target);
		g_assert_cmpstr(format_of(&disk), ==, expected->format);
		g_assert_cmpstr(disk.vdev, ==, expected->vdev);
		g_assert_cmpint(disk.readwrite, ==, strchr(expected->mode, 'w') != NULL);
		g_assert_cmpint(disk.is_cdrom, ==, expected->mode[0] == 'c');
	}
	libxl_device_disk_dispose(&disk);
}

/* The table says what xl does. */
static void test_xl(void)
{
	FILE *report = tmpfile();
	XLU_Config *config = xlu_cfg_init(report, "test");

	for (size_t i = 0; i < G_N_ELEMENTS(as_xl); i++)
		check_xl(config, &as_xl[i]);
	xlu_cfg_destroy(config);
	fclose(report);
}

static void test_options(void)
{
	g_autoptr(DiskSpec) defaults = disk_spec_parse("/a", NULL);
	g_autoptr(DiskSpec) set = disk_spec_parse("/a,no-discard,persistent,reconnect=7", NULL);

	g_assert_true(defaults->discard);
	g_assert_cmpuint(defaults->reconnect, ==, DISK_RECONNECT);
	g_assert_false(set->discard);
	g_assert_false(defaults->persistent);
	g_assert_true(set->persistent);
	g_assert_cmpuint(set->reconnect, ==, 7);
}

/* What a guest may know of where its disk is */
static void test_shown(void)
{
	static const char *const targets[][2] = {
		{ "/images/a@b?c.img", "/images/a@b?c.img" },
		{ "http://host/a@b.img", "http://host/a@b.img" },
		{ "http://me:secret@host:80/a.img", "http://host:80/a.img" },
		{ "https://me:s@cret@host/a.img?token=secret", "https://host/a.img" },
		{ "ftp://me@host", "ftp://host" },
		{ "http://host?secret@x/y", "http://host" },
		{ "nbd://server:10809/export", "nbd://server:10809/export" },
		{ "nbd+unix:///export?socket=/run/nbd", "nbd+unix:///export" },
		{ "json:{\"driver\":\"ssh\",\"password\":\"secret\"}", "json:" },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(targets); i++) {
		g_autofree char *shown = NULL;
		struct disk_spec spec = { .target = (char *)targets[i][0] };

		shown = disk_spec_shown(&spec);
		g_assert_cmpstr(shown, ==, targets[i][1]);
	}
}

/* What a relative path may be put before, and what the helper opens by itself. */
static void test_is_file(void)
{
	static const struct {
		const char *text;
		gboolean is_file;
	} specs[] = {
		{ "disk.img", TRUE },
		{ "/dev/vg/guest,,xvda", TRUE },
		{ "json.img,qcow2", TRUE },
		{ "a:b.img", TRUE },
		{ "nbd://server/export", FALSE },
		{ "nbd+unix:///?socket=s", FALSE },
		{ "https://server/disk.img", FALSE },
		{ "format=raw,target=json:{\"driver\":\"file\",\"filename\":\"/a\"}", FALSE },
		{ ",hdc:cdrom,r", FALSE },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(DiskSpec) spec = disk_spec_parse(specs[i].text, &error);

		g_assert_no_error(error);
		g_assert_cmpint(disk_spec_is_file(spec), ==, specs[i].is_file);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/disk-spec/meaning", test_meaning);
	g_test_add_func("/disk-spec/xl", test_xl);
	g_test_add_func("/disk-spec/options", test_options);
	g_test_add_func("/disk-spec/shown", test_shown);
	g_test_add_func("/disk-spec/is-file", test_is_file);
	return g_test_run();
}
