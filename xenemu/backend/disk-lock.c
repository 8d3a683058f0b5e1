/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-lock.c - image locks in the manner of QEMU's block layer
 *
 * QEMU's docs/system/images.rst tells users of its locks and block/file-posix.c has
 * the scheme: each permission has a byte from 100 on, locked shared by all who use it,
 * and one from 200 on, locked shared by all who can't bear others using it.  After
 * locking one's own, one looks for foreign locks at the opposite bytes.
 */
#include "backend/disk-lock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#define USED_BASE 100
#define UNSHARED_BASE 200

/* QEMU's BLK_PERM_*: bit numbers. */
#define PERM_CONSISTENT_READ 0
#define PERM_WRITE 1
#define PERM_RESIZE 3
#define NR_PERMS 4

/*
 * A process that was killed holds its files a little longer: the kernel ends what its
 * io_uring has in flight after it.  Locks of two kinds are one here, so there is no
 * call that would wait for them.
 */
#define PATIENCE_MS 1000
#define TRY_MS 20

static int lock_byte(int fd, off_t byte)
{
	struct flock lock = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
	};

	return fcntl(fd, F_OFD_SETLK, &lock) ? errno : 0;
}

/* Whether anybody else holds @byte: could it be locked exclusively? */
static int test_byte(int fd, off_t byte)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
	};

	if (fcntl(fd, F_OFD_GETLK, &lock))
		return errno;
	return lock.l_type == F_UNLCK ? 0 : EAGAIN;
}

static int for_each_bit(int fd, uint32_t bits, off_t base, int (*act)(int fd, off_t byte))
{
	int error = 0;

	for (int bit = 0; bit < NR_PERMS && !error; bit++)
		if (bits & 1U << bit)
			error = act(fd, base + bit);
	return error;
}

static int try_lock(int fd, gboolean read_only)
{
	/* What QEMU takes for a disk of a guest: readers don't bear writers either. */
	uint32_t unshared = 1U << PERM_WRITE | 1U << PERM_RESIZE;
	uint32_t used = 1U << PERM_CONSISTENT_READ | (read_only ? 0 : 1U << PERM_WRITE);
	int error = for_each_bit(fd, used, USED_BASE, lock_byte);

	if (!error)
		error = for_each_bit(fd, unshared, UNSHARED_BASE, lock_byte);
	if (!error)
		error = for_each_bit(fd, used, UNSHARED_BASE, test_byte);
	if (!error)
		error = for_each_bit(fd, unshared, USED_BASE, test_byte);
	return error == EACCES ? EAGAIN : error;
}

int disk_lock(int fd, gboolean read_only, gboolean patient)
{
	int error = try_lock(fd, read_only);
	int tries = patient ? PATIENCE_MS / TRY_MS : 0;

	for (; error == EAGAIN && tries > 0; tries--) {
		g_usleep(TRY_MS * 1000);
		error = try_lock(fd, read_only);
	}
	return error;
}
