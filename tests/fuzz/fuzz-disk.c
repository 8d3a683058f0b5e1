/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-disk.c - disks of any content, as the sandboxed reader gets them
 *
 * The input is a disk: partition tables, ext file systems, configurations of GRUB and a
 * kernel are looked for in it.  The corpus holds small file systems with both kinds of
 * configuration, whole disks and behind partition tables.
 */
#include "boot/probe.h"
#include <string.h>

struct bytes {
	struct disk_source source; /* first */
	const uint8_t *data;
};

static gboolean read_bytes(struct disk_source *source, uint64_t offset, void *buf,
			   size_t length)
{
	const struct bytes *bytes = (struct bytes *)source;

	memcpy(buf, bytes->data + offset, length);
	return TRUE;
}

static void read_file(struct disk_files *files, const char *path)
{
	g_autoptr(GBytes) bytes = disk_files_read(files, path, 1 << 20, NULL);

	if (bytes && g_bytes_get_size(bytes) > 1 << 20)
		g_error("more than was asked for");
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libext2fs allocates as much as a symbolic link says it is long, 4 GiB at most.  The
 * reader's limit of memory refuses that; here it must not count as a finding. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char **more = g_new0(char *, *argc + 2);

	memcpy(more, *argv, *argc * sizeof(*more));
	more[(*argc)++] = g_strdup("-malloc_limit_mb=8192");
	*argv = more;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {
		.source = { .size = size, .sector_size = 512, .read = read_bytes },
		.data = data,
	};
	struct probe probe = { 0 };
	g_autoptr(DiskFiles) files = disk_files_open(&bytes.source, NULL);

	if (!files)
		return 0;
	read_file(files, "/boot/file");
	read_file(files, "/link");
	if (probe_disk(files, &probe, NULL) && (!probe.kernel || probe.width > IMAGE_X86_32))
		g_error("a kernel without a path");
	probe_clear(&probe);
	return 0;
}
