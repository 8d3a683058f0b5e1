/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ext-files.c - files of an ext2, ext3 or ext4 file system, by libext2fs
 */
#include "boot/ext-files.h"
#include <com_err.h>
#include <ext2fs/ext2fs.h>
#include <string.h>

#define READ_AT_ONCE (1U << 20)

struct ext_files {
	struct disk_source *source;
	struct partition part;
	ext2_filsys fs;
};

/* --- the library's way to the disk --- */

/* The library's open() has a name only; this is what it stands for. */
static __thread struct ext_files *being_opened;

static errcode_t io_close(io_channel channel)
{
	g_free(channel);
	return 0;
}

static errcode_t io_set_blksize(io_channel channel, int size)
{
	channel->block_size = size;
	return 0;
}

/* A negative @count is in bytes, not blocks. */
static errcode_t io_read64(io_channel channel, unsigned long long block, int count, void *data)
{
	const struct ext_files *files = channel->private_data;
	uint64_t size = channel->block_size;
	uint64_t length = count < 0 ? (uint64_t) - (int64_t)count : (uint64_t)count * size;

	if (block > files->part.length / size || length > files->part.length - block * size)
		return EXT2_ET_SHORT_READ;
	if (!disk_source_read(files->source, files->part.offset + block * size, data, length))
		return EXT2_ET_SHORT_READ;
	return 0;
}

static errcode_t io_read(io_channel channel, unsigned long block, int count, void *data)
{
	return io_read64(channel, block, count, data);
}

static errcode_t io_write64(G_GNUC_UNUSED io_channel channel,
			    G_GNUC_UNUSED unsigned long long block, G_GNUC_UNUSED int count,
			    G_GNUC_UNUSED const void *data)
{
	return EXT2_ET_RO_FILSYS;
}

static errcode_t io_write(io_channel channel, unsigned long block, int count, const void *data)
{
	return io_write64(channel, block, count, data);
}

static errcode_t io_flush(G_GNUC_UNUSED io_channel channel)
{
	return 0;
}

static errcode_t io_open(G_GNUC_UNUSED const char *name, G_GNUC_UNUSED int flags,
			 io_channel *channel);

static struct struct_io_manager io_manager_here = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "part of a disk",
	.open = io_open,
	.close = io_close,
	.set_blksize = io_set_blksize,
	.read_blk = io_read,
	.write_blk = io_write,
	.flush = io_flush,
	.read_blk64 = io_read64,
	.write_blk64 = io_write64,
};

static errcode_t io_open(G_GNUC_UNUSED const char *name, G_GNUC_UNUSED int flags,
			 io_channel *channel)
{
	io_channel io = g_new0(struct struct_io_channel, 1);

	io->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	io->manager = &io_manager_here;
	io->block_size = 1024;
	io->refcount = 1;
	io->private_data = being_opened;
	*channel = io;
	return 0;
}

/* --- files --- */

struct ext_files *ext_files_open(struct disk_source *source, const struct partition *part,
				 GError **error)
{
	struct ext_files *files = g_new0(struct ext_files, 1);
	errcode_t failed;

	files->source = source;
	files->part = *part;
	initialize_ext2_error_table();
	being_opened = files;
	failed = ext2fs_open2("disk", NULL, EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP, 0, 0,
			      &io_manager_here, &files->fs);
	being_opened = NULL;
	if (!failed)
		return files;
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_DISK, "no ext2, ext3 or ext4 file system: %s",
		    error_message(failed));
	files->fs = NULL;
	ext_files_close(files);
	return NULL;
}

static gboolean file_size(struct ext_files *files, ext2_ino_t ino, ext2_file_t file,
			  uint64_t max, uint64_t *size, GError **error)
{
	struct ext2_inode inode;
	__u64 length = 0;

	if (ext2fs_read_inode(files->fs, ino, &inode) || !LINUX_S_ISREG(inode.i_mode)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_ABSENT, "not a regular file");
		return FALSE;
	}
	if (ext2fs_file_get_lsize(file, &length) || length > max) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_DISK,
			    "%" G_GUINT64_FORMAT " bytes are more than the %" G_GUINT64_FORMAT
			    " that are accepted",
			    (guint64)length, max);
		return FALSE;
	}
	*size = length;
	return TRUE;
}

static gboolean read_all(ext2_file_t file, char *buf, uint64_t size, GError **error)
{
	errcode_t failed = 0;
	uint64_t done = 0;

	while (done < size) {
		unsigned int got = 0;

		failed = ext2fs_file_read(file, buf + done, MIN(size - done, READ_AT_ONCE),
					  &got);
		if (failed || got == 0)
			break;
		done += got;
	}
	if (done == size)
		return TRUE;
	g_set_error(error, BOOT_ERROR, BOOT_ERROR_DISK, "can't be read: %s",
		    failed ? error_message(failed) : "it ends too early");
	return FALSE;
}

static GBytes *read_inode(struct ext_files *files, ext2_ino_t ino, uint64_t max, GError **error)
{
	g_autofree char *buf = NULL;
	ext2_file_t file;
	uint64_t size = 0;
	gboolean ok;

	if (ext2fs_file_open(files->fs, ino, 0, &file)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_DISK, "can't be opened");
		return NULL;
	}
	ok = file_size(files, ino, file, max, &size, error);
	if (ok) {
		buf = g_try_malloc(size + 1);
		ok = buf && read_all(file, buf, size, error);
		if (!buf)
			g_set_error(error, BOOT_ERROR, BOOT_ERROR_DISK, "no memory for it");
	}
	ext2fs_file_close(file);
	return ok ? g_bytes_new_take(g_steal_pointer(&buf), size) : NULL;
}

GBytes *ext_files_read(struct ext_files *files, const char *path, uint64_t max, GError **error)
{
	ext2_ino_t ino;
	errcode_t failed =
		ext2fs_namei_follow(files->fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &ino);
	gboolean absent = failed == EXT2_ET_FILE_NOT_FOUND || failed == EXT2_ET_NO_DIRECTORY;
	GBytes *bytes;

	if (failed) {
		g_set_error(error, BOOT_ERROR, absent ? BOOT_ERROR_ABSENT : BOOT_ERROR_DISK,
			    "%s: %s", path, error_message(failed));
		return NULL;
	}
	bytes = read_inode(files, ino, max, error);
	if (!bytes)
		g_prefix_error(error, "%s: ", path);
	return bytes;
}

void ext_files_close(struct ext_files *files)
{
	if (!files)
		return;
	/* Not ext2fs_close(): there is nothing to write back. */
	if (files->fs)
		ext2fs_free(files->fs);
	g_free(files);
}
