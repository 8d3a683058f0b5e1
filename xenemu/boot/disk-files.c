/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-files.c - files of a disk, whichever partition they are in
 */
#include "boot/disk-files.h"
#include "boot/ext-files.h"

#define BOOT "/boot/"

struct disk_files {
	GPtrArray *systems; /* struct ext_files */
};

GQuark boot_error_quark(void)
{
	return g_quark_from_static_string("xenemu-boot-error");
}

struct disk_files *disk_files_open(struct disk_source *source, GError **error)
{
	g_autoptr(GArray) parts = partitions_find(source);
	struct disk_files *files = g_new0(struct disk_files, 1);

	files->systems = g_ptr_array_new_with_free_func((GDestroyNotify)ext_files_close);
	for (guint i = 0; i < parts->len; i++) {
		const struct partition *part = &g_array_index(parts, struct partition, i);
		struct ext_files *system = ext_files_open(source, part, NULL);

		if (system)
			g_ptr_array_add(files->systems, system);
	}
	if (files->systems->len > 0)
		return files;
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_DISK,
		    "no ext2, ext3 or ext4 file system, neither in a partition nor on the "
		    "whole disk");
	disk_files_close(files);
	return NULL;
}

/* The first that has it; what is wrong with one that can't be read goes before absence. */
static GBytes *read_any(struct disk_files *files, const char *path, uint64_t max, GError **why)
{
	for (guint i = 0; i < files->systems->len; i++) {
		g_autoptr(GError) failed = NULL;
		GBytes *bytes = ext_files_read(files->systems->pdata[i], path, max, &failed);

		if (bytes)
			return bytes;
		if (!*why || g_error_matches(*why, BOOT_ERROR, BOOT_ERROR_ABSENT)) {
			g_clear_error(why);
			*why = g_steal_pointer(&failed);
		}
	}
	return NULL;
}

GBytes *disk_files_read(struct disk_files *files, const char *path, uint64_t max,
			GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GError) ignored = NULL;
	GBytes *bytes = read_any(files, path, max, &why);

	if (!bytes && g_str_has_prefix(path, BOOT))
		bytes = read_any(files, path + strlen(BOOT) - 1, max, &ignored);
	if (!bytes)
		g_propagate_error(error, g_steal_pointer(&why));
	return bytes;
}

void disk_files_close(struct disk_files *files)
{
	if (!files)
		return;
	g_ptr_array_unref(files->systems);
	g_free(files);
}
