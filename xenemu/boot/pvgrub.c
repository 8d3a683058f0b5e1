/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvgrub.c - GRUB's images that are Xen PV guests
 */
#include "boot/pvgrub.h"
#include "boot/disk-source.h"

#ifndef XENEMU_GRUB_DIR
#define XENEMU_GRUB_DIR "/usr/local/lib/xenemu/pvgrub"
#endif
#define GRUB_XEN_HOST "/usr/lib/grub-xen"

/* Directories in the order of search; NULL-terminated, the caller's. */
static char **directories(void)
{
	g_autoptr(GStrvBuilder) dirs = g_strv_builder_new();
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	const char *wanted = g_getenv("XENEMU_GRUB");

	if (wanted && *wanted) {
		g_strv_builder_add(dirs, wanted);
		return g_strv_builder_end(dirs);
	}
	if (program) {
		g_autofree char *at = g_path_get_dirname(program);
		g_autofree char *beside = g_build_filename(at, "pvgrub", NULL);

		g_strv_builder_add(dirs, beside);
	}
	g_strv_builder_add_many(dirs, XENEMU_GRUB_DIR, GRUB_XEN_HOST, NULL);
	return g_strv_builder_end(dirs);
}

char *pvgrub_find(enum image_width width, GError **error)
{
	const char *name = width == IMAGE_X86_64 ? "grub-x86_64-xen.bin" : "grub-i386-xen.bin";
	g_auto(GStrv) dirs = directories();
	g_autofree char *places = g_strjoinv(", ", dirs);

	for (char **dir = dirs; *dir; dir++) {
		g_autofree char *path = g_build_filename(*dir, name, NULL);

		if (g_file_test(path, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&path);
	}
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_GRUB,
		    "booting from a disk needs GRUB: no %s in %s; install the package "
		    "grub-xen-host, name such a file with --grub, or a kernel with --kernel",
		    name, places);
	return NULL;
}
