/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.c - what a guest's boot loader would start from its disk
 */
#include "boot/probe.h"
#include <string.h>

#define MAX_CONFIG (4UL << 20)
#define MAX_KERNEL (128UL << 20)
/* Kernels that are looked at before we give up */
#define MAX_TRIES 16

/* In the order in which pvgrub.cfg looks for them. */
static const char *const configs[] = {
	"/boot/grub/grub.cfg",
	"/boot/grub2/grub.cfg",
	"/boot/grub/menu.lst",
	"/boot/grub/grub.conf",
};

/* Commands that name a kernel; a multiboot entry has its kernel as a module. */
static const char *const commands[] = {
	"linux",      "linux16", "linuxefi", "kernel", "multiboot",
	"multiboot2", "module",  "module2",  NULL,
};

/* "(hd0,0)/vmlinuz" is "/vmlinuz": we look in all partitions. */
static const char *without_device(const char *path)
{
	const char *end = path[0] == '(' ? strchr(path, ')') : NULL;

	return end ? end + 1 : path;
}

/* The kernel that a line of a configuration names, or NULL. */
static char *kernel_of_line(const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line, " \t\r", -1);
	const char *command = NULL;

	for (char **word = words; *word; word++) {
		if (!**word || g_str_has_prefix(*word, "--"))
			continue;
		if (command) {
			const char *path = without_device(*word);

			return path[0] == '/' ? g_strdup(path) : NULL;
		}
		if (!g_strv_contains(commands, *word))
			return NULL;
		command = *word;
	}
	return NULL;
}

static gboolean try_kernel(struct disk_files *files, const char *path, struct probe *probe)
{
	g_autoptr(GBytes) bytes = disk_files_read(files, path, MAX_KERNEL, NULL);
	g_autofree char *in_boot = NULL;
	g_autoptr(Image) image = NULL;

	/* A boot partition's own configuration names files without /boot. */
	if (!bytes) {
		in_boot = g_strconcat("/boot", path, NULL);
		bytes = disk_files_read(files, in_boot, MAX_KERNEL, NULL);
	}
	image = bytes ? image_parse(path, bytes, NULL) : NULL;
	if (!image)
		return FALSE;
	probe->width = image->width;
	probe->abi = image_abi(image);
	return TRUE;
}

static gboolean try_config(struct disk_files *files, GBytes *bytes, int *tries,
			   struct probe *probe)
{
	g_autofree char *text =
		g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line && *tries > 0; line++) {
		g_autofree char *kernel = kernel_of_line(*line);

		if (!kernel)
			continue;
		--*tries;
		if (try_kernel(files, kernel, probe)) {
			probe->kernel = g_steal_pointer(&kernel);
			return TRUE;
		}
	}
	return FALSE;
}

gboolean probe_disk(struct disk_files *files, struct probe *probe, GError **error)
{
	const char *seen = NULL;
	int tries = MAX_TRIES;

	for (guint i = 0; i < G_N_ELEMENTS(configs); i++) {
		g_autoptr(GBytes) bytes = disk_files_read(files, configs[i], MAX_CONFIG, NULL);

		if (!bytes)
			continue;
		seen = seen ? seen : configs[i];
		if (try_config(files, bytes, &tries, probe)) {
			probe->config = g_strdup(configs[i]);
			return TRUE;
		}
	}
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_ABSENT,
		    seen ? "%s names no Xen PV kernel that can be read"
			 : "there is no %s, nor another GRUB configuration",
		    seen ? seen : configs[0]);
	return FALSE;
}

void probe_clear(struct probe *probe)
{
	g_clear_pointer(&probe->config, g_free);
	g_clear_pointer(&probe->kernel, g_free);
}
