/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot.c - what a guest starts with: files of the host's, files of its disk, or GRUB
 */
#include "boot/boot.h"
#include "backend/disk.h"
#include "boot/pvgrub.h"
#include "boot/reader.h"
#include <string.h>

static G_GNUC_PRINTF(2, 3) void say(const struct boot_config *config, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	config->message(text);
}

/* The path after "disk:", or NULL for a file of the host's. */
static const char *path_on_disk(const char *name)
{
	return g_str_has_prefix(name, BOOT_DISK_PREFIX) ? name + strlen(BOOT_DISK_PREFIX)
							: NULL;
}

static gboolean can_load(const struct boot_config *config, const char *option, const char *path,
			 GError **error)
{
	if (!config->disk) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_ABSENT,
			    "%s: there is no disk; give one with --disk", option);
		return FALSE;
	}
	if (path[0] != '/') {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_ABSENT,
			    "%s: give an absolute path: " BOOT_DISK_PREFIX "/%s", option, path);
		return FALSE;
	}
	return TRUE;
}

/* --- a kernel and a ramdisk that the user has named --- */

static GBytes *map_file(const char *path, GError **error)
{
	g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, error);

	return file ? g_mapped_file_get_bytes(file) : NULL;
}

static GBytes *ramdisk_of_disk(const struct boot_config *config, const char *path,
			       GError **error)
{
	return can_load(config, "--ramdisk", path, error)
		       ? reader_file(config->disk, path, BOOT_MAX_RAMDISK, error)
		       : NULL;
}

static gboolean load_ramdisk(const struct boot_config *config, struct boot *boot,
			     GError **error)
{
	const char *path = path_on_disk(config->ramdisk);

	boot->ramdisk = path ? ramdisk_of_disk(config, path, error)
			     : map_file(config->ramdisk, error);
	if (!boot->ramdisk)
		g_prefix_error(error, path ? "" : "--ramdisk: ");
	return boot->ramdisk != NULL;
}

/* A plain ELF file takes no other process, and no time. */
static GBytes *kernel_of_host(const char *path, GError **error)
{
	g_autoptr(GBytes) file = image_map(path, error);

	if (!file || !image_is_packed(file))
		return g_steal_pointer(&file);
	return reader_unpack(path, file, error);
}

/* What is packed has been unpacked elsewhere: only ELF and its notes are read here. */
static gboolean take_kernel(struct boot *boot, GBytes *bytes, GError **error)
{
	boot->image = bytes ? image_parse_elf(boot->name, bytes, error) : NULL;
	return boot->image != NULL;
}

static gboolean load_kernel(const struct boot_config *config, struct boot *boot, GError **error)
{
	const char *path = path_on_disk(config->kernel);
	g_autoptr(GBytes) bytes = NULL;

	boot->name = g_strdup(config->kernel);
	if (!path)
		bytes = kernel_of_host(config->kernel, error);
	else if (can_load(config, "--kernel", path, error))
		bytes = reader_kernel(config->disk, path, error);
	if (!take_kernel(boot, bytes, error))
		return FALSE;
	boot->abi = g_strdup(image_abi(boot->image));
	return TRUE;
}

/* --- GRUB --- */

/* A disk that we can't look into may well be one that GRUB can. */
static gboolean assume_64_bits(const struct boot_config *config, const GError *why)
{
	if (why->domain != BOOT_ERROR)
		return FALSE;
	say(config, "%s; taking GRUB in 64 bits: --grub 32 if the guest's kernel has 32",
	    why->message);
	return TRUE;
}

static gboolean probe(const struct boot_config *config, enum image_width *width, char **abi,
		      GError **error)
{
	g_autoptr(GError) why = NULL;
	struct reader_finding found;

	if (!reader_probe(config->disk, &found, &why)) {
		if (assume_64_bits(config, why))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (found.width == IMAGE_X86_32) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_GRUB,
			    "%s: %s is a 32-bit kernel without PAE, which GRUB does not start; "
			    "give --kernel " BOOT_DISK_PREFIX
			    "%s, with --ramdisk and --extra as in %s",
			    config->disk->target, found.kernel, found.kernel, found.config);
		return FALSE;
	}
	*width = found.width;
	*abi = g_strdup(found.abi);
	return TRUE;
}

/* Path of the GRUB image that is to boot the disk. */
static char *choose_grub(const struct boot_config *config, char **abi, GError **error)
{
	enum image_width width = IMAGE_X86_64;

	if (!config->grub || !strcmp(config->grub, "auto")) {
		if (!probe(config, &width, abi, error))
			return NULL;
	} else if (!strcmp(config->grub, "32")) {
		width = IMAGE_X86_32P;
	} else if (strcmp(config->grub, "64") != 0) {
		return g_strdup(config->grub);
	}
	return pvgrub_find(width, error);
}

static gboolean load_grub(const struct boot_config *config, struct boot *boot, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (!config->disk) {
		g_set_error(
			error, BOOT_ERROR, BOOT_ERROR_ABSENT,
			"nothing to boot; name a kernel with --kernel, or a disk with --disk");
		return FALSE;
	}
	boot->name = choose_grub(config, &boot->abi, error);
	bytes = boot->name ? kernel_of_host(boot->name, error) : NULL;
	if (!take_kernel(boot, bytes, error))
		return FALSE;
	if (!boot->abi)
		boot->abi = g_strdup(image_abi(boot->image));
	return TRUE;
}

gboolean boot_load(const struct boot_config *config, struct boot *boot, GError **error)
{
	memset(boot, 0, sizeof(*boot));
	if (!(config->kernel ? load_kernel : load_grub)(config, boot, error) ||
	    (config->ramdisk && !load_ramdisk(config, boot, error))) {
		boot_clear(boot);
		return FALSE;
	}
	return TRUE;
}

void boot_clear(struct boot *boot)
{
	g_clear_pointer(&boot->image, image_free);
	g_clear_pointer(&boot->name, g_free);
	g_clear_pointer(&boot->ramdisk, g_bytes_unref);
	g_clear_pointer(&boot->abi, g_free);
}
