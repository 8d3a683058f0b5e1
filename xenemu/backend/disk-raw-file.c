/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-raw-file.c - opens raw images and block devices, and looks at what they can
 */
#include "backend/disk-lock.h"
#include "backend/disk-raw.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SECTOR 512

static gboolean fail(GError **error, enum disk_error code, const char *target, const char *what)
{
	g_set_error(error, DISK_ERROR, code, "%s: %s", target, what);
	return FALSE;
}

static gboolean fail_errno(GError **error, const char *target, const char *what)
{
	int saved = errno;

	g_set_error(error, DISK_ERROR, DISK_ERROR_OPEN, "%s: %s: %s", target, what,
		    g_strerror(saved));
	return FALSE;
}

/* Refused before open(), which would wait for a FIFO's other end or rewind a tape. */
static gboolean check_kind(const char *target, gboolean *is_device, GError **error)
{
	struct stat st;

	if (stat(target, &st))
		return fail_errno(error, target, "can't be a disk");
	*is_device = S_ISBLK(st.st_mode);
	if (*is_device || S_ISREG(st.st_mode))
		return TRUE;
	return fail(error, DISK_ERROR_OPEN, target,
		    "neither a file nor a block device; name a disk image");
}

static gboolean open_fd(const struct disk_spec *spec, struct raw_file *file, GError **error)
{
	int flags = O_CLOEXEC | O_NOCTTY | (spec->read_only ? O_RDONLY : O_RDWR);

	/* For block devices: not while it is mounted or part of another device. */
	if (file->is_device && !spec->read_only && spec->locked)
		flags |= O_EXCL;
	file->direct = TRUE;
	file->fd = open(spec->target, flags | O_DIRECT);
	if (file->fd < 0 && errno == EINVAL) {
		file->direct = FALSE;
		file->fd = open(spec->target, flags);
	}
	if (file->fd >= 0)
		return TRUE;
	if (errno == EBUSY)
		return fail(error, DISK_ERROR_LOCKED, spec->target,
			    "the host or another guest uses this device; unmount it, or "
			    "give the mode w! to share it");
	if (!spec->read_only && (errno == EACCES || errno == EROFS || errno == EPERM))
		return fail(error, DISK_ERROR_OPEN, spec->target,
			    "can't be opened for writing; give the mode r, or permission");
	return fail_errno(error, spec->target, "can't be opened");
}

static gboolean lock(const struct disk_spec *spec, gboolean patient, struct raw_file *file,
		     GError **error)
{
	int problem = spec->locked ? disk_lock(file->fd, spec->read_only, patient) : 0;

	/* Some file systems have no locks at all; QEMU goes on without, too. */
	file->locked = !problem;
	if (problem != EAGAIN)
		return TRUE;
	return fail(error, DISK_ERROR_LOCKED, spec->target,
		    spec->read_only
			    ? "another process writes to this image; end it first"
			    : "another process uses this image; end it, or give the mode r if "
			      "it only reads, too");
}

uint64_t raw_file_size(const struct raw_file *file)
{
	struct stat st;
	uint64_t size = 0;

	if (file->is_device)
		return ioctl(file->fd, BLKGETSIZE64, &size) ? 0 : size;
	return fstat(file->fd, &st) ? 0 : st.st_size;
}

/*
 * Whether the file system and the device take O_DIRECT transfers of single sectors to
 * memory that is aligned to a sector and not more.  Only a try tells on all kernels.
 */
static gboolean direct_works(const struct raw_file *file, uint32_t sector)
{
	char *buffer = aligned_alloc((size_t)2 * sector, (size_t)2 * sector);
	ssize_t got = -1;

	if (buffer)
		got = pread(file->fd, buffer + sector, sector, sector);
	free(buffer);
	return got == (ssize_t)sector;
}

static gboolean drop_direct(struct raw_file *file)
{
	int flags = fcntl(file->fd, F_GETFL);

	file->direct = FALSE;
	return flags >= 0 && !fcntl(file->fd, F_SETFL, flags & ~O_DIRECT);
}

/* A device's attribute of sysfs; 0 if there is none. */
static uint64_t queue_attribute(int fd, const char *name)
{
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	struct stat st;

	if (fstat(fd, &st))
		return 0;
	path = g_strdup_printf("/sys/dev/block/%u:%u/queue/%s", major(st.st_rdev),
			       minor(st.st_rdev), name);
	if (!g_file_get_contents(path, &text, NULL, NULL)) {
		/* A partition's are its disk's. */
		g_free(path);
		path = g_strdup_printf("/sys/dev/block/%u:%u/../queue/%s", major(st.st_rdev),
				       minor(st.st_rdev), name);
		if (!g_file_get_contents(path, &text, NULL, NULL))
			return 0;
	}
	return g_ascii_strtoull(text, NULL, 10);
}

static void device_info(int fd, struct disk_info *info)
{
	unsigned int physical = 0;
	int logical = 0;

	if (!ioctl(fd, BLKSSZGET, &logical) && logical > SECTOR)
		info->sector_size = logical;
	info->physical_sector_size = info->sector_size;
	if (!ioctl(fd, BLKPBSZGET, &physical) && physical > info->sector_size)
		info->physical_sector_size = physical;
	info->discard_granularity = queue_attribute(fd, "discard_granularity");
	info->can_discard = queue_attribute(fd, "discard_max_bytes") != 0;
}

static void file_info(int fd, struct disk_info *info)
{
	struct stat st;

	/* Whether holes can be punched is found out when one is. */
	info->can_discard = TRUE;
	info->discard_granularity = fstat(fd, &st) ? SECTOR : st.st_blksize;
}

static gboolean fill_info(const struct disk_spec *spec, struct raw_file *file,
			  struct disk_info *info, uint64_t *tail, GError **error)
{
	uint64_t size = raw_file_size(file);

	info->sector_size = SECTOR;
	info->physical_sector_size = SECTOR;
	info->mem_align = 1;
	info->read_only = spec->read_only;
	info->can_flush = TRUE;
	info->can_write_zeroes = !spec->read_only;
	if (file->is_device)
		device_info(file->fd, info);
	else
		file_info(file->fd, info);
	info->can_discard = info->can_discard && spec->discard && !spec->read_only;
	*tail = size & (info->sector_size - 1);
	info->size = size - *tail;
	if (!info->size)
		return fail(error, DISK_ERROR_OPEN, spec->target,
			    "has no sectors; make it larger, or name another file");
	if (file->direct && !direct_works(file, info->sector_size) && !drop_direct(file))
		return fail_errno(error, spec->target, "can't leave O_DIRECT");
	if (file->direct)
		info->mem_align = info->sector_size;
	return TRUE;
}

gboolean raw_file_open(const struct disk_spec *spec, gboolean patient, struct raw_file *file,
		       struct disk_info *info, uint64_t *tail, GError **error)
{
	if (!check_kind(spec->target, &file->is_device, error) || !open_fd(spec, file, error))
		return FALSE;
	if (lock(spec, patient, file, error) && fill_info(spec, file, info, tail, error))
		return TRUE;
	close(file->fd);
	return FALSE;
}
