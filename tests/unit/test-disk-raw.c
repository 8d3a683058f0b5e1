/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-disk-raw.c - raw images and block devices
 */
#include "disk-test.h"
#include "machine/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <liburing.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)

static blkcnt_t blocks_of(const char *path)
{
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	return st.st_blocks;
}

static gboolean reads_as(struct disk *disk, uint64_t offset, const void *expected,
			 size_t length)
{
	char *buffer = aligned_buffer(length, 99);
	int error = disk_io(disk, DISK_READ, offset, buffer, length);
	gboolean same = !memcmp(buffer, expected, length);

	g_assert_cmpint(error, ==, 0);
	free(buffer);
	return same;
}

/* --- requests --- */

static void check_read_write(const char *path)
{
	struct disk *disk = open_disk(test_spec("raw", path));
	char *data = aligned_buffer(64 * 1024, 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *file = malloc(64 * 1024);

	g_assert_cmpuint(disk_info(disk)->size, ==, 4 * MIB);
	g_assert_cmpuint(disk_info(disk)->sector_size, ==, 512);
	g_assert_null(last_message);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 512, data, 64 * 1024), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpint(pread(fd, file, 64 * 1024, 512), ==, 64 * 1024);
	g_assert_cmpmem(file, 64 * 1024, data, 64 * 1024);
	g_assert_true(reads_as(disk, 512, data, 64 * 1024));
	/* The last sector, from memory at an odd sector. */
	g_assert_cmpint(disk_io_fua(disk, 4 * MIB - 512, data + 512, 512), ==, 0);
	g_assert_true(reads_as(disk, 4 * MIB - 512, data + 512, 512));
	disk_close(disk);
	free(file);
	close(fd);
	free(data);
}

static void test_read_write(void)
{
	check_read_write(scratch_file("rw.img", 4 * MIB));
}

/* A file system in memory: without O_DIRECT on many kernels. */
static void test_tmpfs(void)
{
	g_autofree char *path = g_strdup_printf("/dev/shm/xenemu-disk-%d.img", getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		g_test_skip("no /dev/shm");
		return;
	}
	g_assert_cmpint(ftruncate(fd, 4 * MIB), ==, 0);
	close(fd);
	check_read_write(path);
	unlink(path);
}

struct batch {
	struct disk_request req;
	struct iovec iov[2];
	unsigned int *left;
	gboolean *all;
};

static void on_batch_done(struct disk_request *req, int error)
{
	struct batch *batch = (struct batch *)req;

	g_assert_cmpint(error, ==, 0);
	*batch->all = !--*batch->left;
}

/* More requests at once than the ring has entries, each of two pieces of memory. */
static void run_batch(struct disk *disk, enum disk_op op, char *memory, unsigned int nr)
{
	struct batch *batch = g_new0(struct batch, nr);
	gboolean all = FALSE;
	unsigned int left = nr;

	for (unsigned int i = 0; i < nr; i++) {
		char *at = memory + i * 4096;

		batch[i] = (struct batch){
			.req = { .op = op, .offset = i * 4096, .length = 4096, .nr_iov = 2 },
			.iov = { { at + 512, 3584 }, { at, 512 } },
			.left = &left,
			.all = &all,
		};
		batch[i].req.iov = batch[i].iov;
		batch[i].req.done = on_batch_done;
		disk_submit(disk, &batch[i].req);
	}
	g_assert_cmpuint(left, ==, nr);
	disk_commit(disk);
	g_assert_cmpuint(left, ==, nr);
	wait_until(&all);
	g_free(batch);
}

static void test_many(void)
{
	const char *path = scratch_file("many.img", 4 * MIB);
	struct disk *disk = open_disk(test_spec("raw", path));
	char *written = aligned_buffer(4 * MIB, 2);
	char *read_back = aligned_buffer(4 * MIB, 3);

	run_batch(disk, DISK_WRITE, written, 1024);
	run_batch(disk, DISK_READ, read_back, 1024);
	g_assert_cmpmem(written, 4 * MIB, read_back, 4 * MIB);
	/* The two pieces are swapped on disk. */
	g_assert_true(reads_as(disk, 0, written + 512, 3584));
	disk_close(disk);
	free(written);
	free(read_back);
}

static void test_refused(void)
{
	const char *path = scratch_file("refused.img", MIB);
	struct disk_spec *spec = test_spec("raw", path);
	struct disk *disk = open_disk(spec);
	char *data = aligned_buffer(8192, 4);

	g_assert_cmpint(disk_io(disk, DISK_READ, MIB, data, 512), ==, ERANGE);
	g_assert_cmpint(disk_io(disk, DISK_READ, MIB - 512, data, 1024), ==, ERANGE);
	g_assert_cmpint(disk_io(disk, DISK_READ, -512, data, 1024), ==, ERANGE);
	g_assert_cmpint(disk_io(disk, DISK_READ, 1, data, 512), ==, EINVAL);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, 511), ==, EINVAL);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, 0), ==, EINVAL);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, NULL, 512), ==, EINVAL);
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, MIB, NULL, 512), ==, ERANGE);
	disk_close(disk);

	spec->read_only = TRUE;
	disk = open_disk(spec);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, 512), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 512), ==, EROFS);
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, 512), ==, EROFS);
	g_assert_cmpint(disk_io(disk, DISK_WRITE_ZEROES, 0, NULL, 512), ==, EROFS);
	disk_close(disk);

	spec->read_only = FALSE;
	spec->discard = FALSE;
	disk = open_disk(spec);
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, 512), ==, EOPNOTSUPP);
	disk_close(disk);
	free(data);
}

static void test_sparse(void)
{
	static const char zeroes[MIB];
	const char *path = scratch_file("sparse.img", 8 * MIB);
	struct disk *disk = open_disk(test_spec("raw", path));
	char *data = aligned_buffer(MIB, 5);

	g_assert_cmpint(blocks_of(path), ==, 0);
	for (int i = 0; i < 3; i++)
		g_assert_cmpint(disk_io(disk, DISK_WRITE, i * MIB, data, MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpint(blocks_of(path), >=, 3 * MIB / 512);
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE_ZEROES, MIB, NULL, MIB), ==, 0);
	g_assert_cmpint(blocks_of(path), <, 2 * MIB / 512);
	g_assert_true(reads_as(disk, MIB, zeroes, MIB));
	g_assert_true(reads_as(disk, 2 * MIB, data, MIB));
	disk_close(disk);
	free(data);
}

struct counted {
	struct disk_request req;
	struct iovec iov;
	unsigned int *answers;
};

static void count_answer(struct disk_request *req, int error)
{
	struct counted *counted = (struct counted *)req;

	g_assert_true(!error || error == ECANCELED);
	++*counted->answers;
}

/* Requests in flight, and one that was never committed, are answered before it returns. */
static void test_close_in_flight(void)
{
	const char *path = scratch_file("close.img", 4 * MIB);
	struct disk *disk = open_disk(test_spec("raw", path));
	char *data = aligned_buffer(4 * MIB, 6);
	struct counted request[200] = { 0 };
	unsigned int answers = 0;

	for (unsigned int i = 0; i < G_N_ELEMENTS(request); i++) {
		request[i].iov = (struct iovec){ data + i * 4096, 4096 };
		request[i].answers = &answers;
		request[i].req = (struct disk_request){
			.op = i & 1 ? DISK_READ : DISK_WRITE,
			.offset = i * 4096,
			.length = 4096,
			.nr_iov = 1,
			.iov = &request[i].iov,
			.done = count_answer,
		};
		disk_submit(disk, &request[i].req);
	}
	disk_close(disk);
	g_assert_cmpuint(answers, ==, G_N_ELEMENTS(request));
	free(data);
}

/* --- files --- */

static void refused_open(const struct disk_spec *spec, int code, const char *what)
{
	static const struct disk_listener nobody;
	GError *error = NULL;

	g_assert_null(disk_open(spec, NULL, &nobody, &error));
	g_assert_error(error, DISK_ERROR, code);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, spec->target));
	g_assert_nonnull(strstr(error->message, what));
	g_error_free(error);
}

static void test_bad_files(void)
{
	refused_open(test_spec("raw", scratch_path("missing.img")), DISK_ERROR_OPEN, "No such");
	refused_open(test_spec("raw", "/"), DISK_ERROR_OPEN, "neither a file nor");
	refused_open(test_spec("raw", "/dev/null"), DISK_ERROR_OPEN, "neither a file nor");
	refused_open(test_spec("raw", scratch_file("empty", 0)), DISK_ERROR_OPEN, "no sectors");
	refused_open(test_spec("raw", scratch_file("short", 511)), DISK_ERROR_OPEN,
		     "no sectors");
}

static void test_tail(void)
{
	struct disk *disk = open_disk(test_spec("raw", scratch_file("tail.img", MIB + 100)));

	g_assert_cmpuint(disk_info(disk)->size, ==, MIB);
	g_assert_nonnull(strstr(last_message, "last 100 bytes"));
	disk_close(disk);
}

/* Refused, with a reason that names the disk. */
static void no_resize(struct disk *disk, uint64_t size, const char *target, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(resize_disk(disk, size, &error), ==, 0);
	g_assert_error(error, DISK_ERROR, DISK_ERROR_SIZE);
	g_assert_true(g_str_has_prefix(error->message, target));
	g_assert_nonnull(strstr(error->message, why));
}

/* By us, as the user wants it */
static void test_grow(void)
{
	const char *path = scratch_file("grow.img", MIB);
	struct disk_spec *spec = test_spec("raw", path);
	struct disk *disk = open_disk(spec);
	char *data = aligned_buffer(4096, 8);

	g_assert_cmpuint(resize_disk(disk, 2 * MIB, NULL), ==, 2 * MIB);
	g_assert_cmpuint(nr_resized, ==, 1);
	g_assert_cmpuint(disk_info(disk)->size, ==, 2 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 2 * MIB - 4096, data, 4096), ==, 0);
	g_assert_cmpuint(resize_disk(disk, 2 * MIB, NULL), ==, 2 * MIB);
	g_assert_cmpuint(nr_resized, ==, 1);
	no_resize(disk, 2 * MIB - 512, path, "would be lost");
	no_resize(disk, 3 * MIB + 1, path, "multiple of 512");
	no_resize(disk, UINT64_MAX - 511, path, "that large");
	no_resize(disk, INT64_MAX - 511, path, "can't be made larger");
	/* What others have put there meanwhile is not cut off. */
	g_assert_cmpint(truncate(path, 4 * MIB), ==, 0);
	no_resize(disk, 3 * MIB, path, "block-rescan");
	g_assert_cmpuint(rescan_disk(disk, NULL), ==, 4 * MIB);
	disk_close(disk);
	spec->read_only = TRUE;
	disk = open_disk(spec);
	no_resize(disk, 5 * MIB, path, "read-only");
	disk_close(disk);
	free(data);
}

static void test_resize(void)
{
	const char *path = scratch_file("resize.img", MIB);
	g_autoptr(GError) error = NULL;
	struct disk *disk = open_disk(test_spec("raw", path));
	char *data = aligned_buffer(4096, 7);

	g_assert_cmpuint(rescan_disk(disk, NULL), ==, MIB);
	g_assert_cmpuint(nr_resized, ==, 0);
	g_assert_cmpint(truncate(path, 2 * MIB + 7), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, MIB, data, 4096), ==, ERANGE);
	g_assert_cmpuint(rescan_disk(disk, NULL), ==, 2 * MIB);
	g_assert_cmpuint(nr_resized, ==, 1);
	g_assert_cmpuint(disk_info(disk)->size, ==, 2 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, MIB, data, 4096), ==, 0);
	/* Shrunk and not told: no data is made up. */
	g_assert_cmpint(truncate(path, MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_READ, MIB, data, 4096), ==, EIO);
	g_assert_cmpint(disk_io(disk, DISK_READ, MIB - 512, data, 1024), ==, EIO);
	g_assert_cmpint(truncate(path, 0), ==, 0);
	g_assert_cmpuint(rescan_disk(disk, &error), ==, 0);
	g_assert_error(error, DISK_ERROR, DISK_ERROR_SIZE);
	g_assert_true(g_str_has_prefix(error->message, path));
	disk_close(disk);
	free(data);
}

/* --- locks --- */

static void test_lock(void)
{
	const char *path = scratch_file("lock.img", MIB);
	struct disk_spec writer = *test_spec("raw", path);
	struct disk_spec reader = writer;
	struct disk_spec sharer = writer;
	struct disk *disk, *other;

	reader.read_only = TRUE;
	sharer.locked = FALSE;
	disk = open_disk(&writer);
	refused_open(&writer, DISK_ERROR_LOCKED, "another process");
	refused_open(&reader, DISK_ERROR_LOCKED, "another process");
	other = open_disk(&sharer);
	disk_close(other);
	disk_close(disk);
	disk = open_disk(&reader);
	other = open_disk(&reader);
	refused_open(&writer, DISK_ERROR_LOCKED, "another process");
	disk_close(other);
	disk_close(disk);
	disk = open_disk(&writer);
	disk_close(disk);
}

/* For a guest that runs, a lock is not waited for: it would stand still. */
static void test_lock_later(void)
{
	const char *path = scratch_file("later.img", MIB);
	struct disk_spec spec = *test_spec("raw", path);
	g_autoptr(GError) error = NULL;
	struct disk *disk = open_disk_later(&spec, &error);
	gint64 before = g_get_monotonic_time();

	g_assert_no_error(error);
	g_assert_null(open_disk_later(&spec, &error));
	g_assert_error(error, DISK_ERROR, DISK_ERROR_LOCKED);
	g_assert_cmpint(g_get_monotonic_time() - before, <, G_USEC_PER_SEC);
	disk_close(disk);
}

static gboolean qemu_accepts(const char *arguments, const char *path)
{
	return run_tool(NULL, "qemu-io -f raw %s -c 'read 0 512' '%s'", arguments, path) == 0;
}

/* Return: a qemu-io that has opened @path for writing. */
static GSubprocess *start_qemu_io(const char *path)
{
	GError *error = NULL;
	GSubprocess *qemu =
		g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
				 &error, "qemu-io", "-f", "raw", path, NULL);
	char answer[256];

	g_assert_no_error(error);
	g_assert_true(g_output_stream_write_all(g_subprocess_get_stdin_pipe(qemu),
						"read 0 512\n", 11, NULL, NULL, &error));
	g_assert_cmpint(g_input_stream_read(g_subprocess_get_stdout_pipe(qemu), answer,
					    sizeof(answer), NULL, &error),
			>, 0);
	g_assert_no_error(error);
	return qemu;
}

/* QEMU respects our locks, and we those of a process of QEMU's. */
static void test_lock_qemu(void)
{
	const char *path = scratch_file("lock-qemu.img", MIB);
	struct disk_spec writer = *test_spec("raw", path);
	struct disk_spec reader = writer;
	GSubprocess *qemu;
	struct disk *disk;

	if (run_tool(NULL, "command -v qemu-io")) {
		g_test_skip("no qemu-io (package qemu-utils)");
		return;
	}
	reader.read_only = TRUE;
	disk = open_disk(&writer);
	g_assert_false(qemu_accepts("", path));
	disk_close(disk);
	g_assert_true(qemu_accepts("", path));
	disk = open_disk(&reader);
	g_assert_false(qemu_accepts("", path));
	g_assert_true(qemu_accepts("-r", path));
	disk_close(disk);

	/* Now qemu-io has it, until its input ends. */
	qemu = start_qemu_io(path);
	refused_open(&writer, DISK_ERROR_LOCKED, "another process");
	refused_open(&reader, DISK_ERROR_LOCKED, "another process");
	g_assert_true(g_output_stream_close(g_subprocess_get_stdin_pipe(qemu), NULL, NULL));
	g_assert_true(g_subprocess_wait(qemu, NULL, NULL));
	g_object_unref(qemu);
	disk = open_disk(&writer);
	disk_close(disk);
}

/* --- faults of the host --- */

/*
 * A small file system at scratch_path("mnt"), which nobody else sees.
 * Return: FALSE if we may not.
 */
static gboolean mount_small(const char *type, const char *source, const char *options)
{
	const char *mnt = scratch_path("mnt");

	g_mkdir(mnt, 0700);
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount(source, mnt, type, 0, options);
}

/* Writes until there is an error, which is returned. */
static int fill(struct disk *disk, char *data, uint64_t length)
{
	int error = 0;

	for (uint64_t at = 0; at < disk_info(disk)->size && !error; at += length)
		error = disk_io(disk, DISK_WRITE, at, data, length);
	return error;
}

static void check_full(void)
{
	const char *path = scratch_file("mnt/full.img", 64 * MIB);
	struct disk *disk = open_disk(test_spec("raw", path));
	char *data = aligned_buffer(MIB / 4, 8);
	char *head = aligned_buffer(4096, 9);

	g_assert_cmpint(disk_io_fua(disk, 0, head, 4096), ==, 0);
	g_assert_cmpint(fill(disk, data, MIB / 4), ==, ENOSPC);
	/* What is there can still be read and written; room makes it go on. */
	g_assert_cmpint(disk_io_fua(disk, 0, head, 4096), ==, 0);
	g_assert_true(reads_as(disk, 0, head, 4096));
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, disk_info(disk)->size), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 32 * MIB, data, MIB / 4), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_true(reads_as(disk, 32 * MIB, data, MIB / 4));
	disk_close(disk);
	free(data);
	free(head);
	g_assert_cmpint(umount2(scratch_path("mnt"), MNT_DETACH), ==, 0);
}

static void test_full_tmpfs(void)
{
	if (mount_small("tmpfs", "full", "size=1m"))
		check_full();
	else
		g_test_skip("may not mount a tmpfs");
}

/* Return: a loop device of @path, or NULL; owned by the caller. */
static char *loop_device(const char *path)
{
	char *device = NULL;

	if (run_tool(&device, "losetup -f --show '%s'", path))
		g_clear_pointer(&device, g_free);
	return device ? g_strchomp(device) : NULL;
}

static void free_loop(char *device)
{
	g_assert_cmpint(run_tool(NULL, "losetup -d %s", device), ==, 0);
	g_free(device);
}

static void test_full_ext4(void)
{
	const char *image = scratch_file("ext4.img", 4 * MIB);
	char *device;

	if (run_tool(NULL, "mkfs.ext4 -q -O ^has_journal '%s'", image)) {
		g_test_skip("no mkfs.ext4");
		return;
	}
	device = loop_device(image);
	if (device && mount_small("ext4", device, NULL))
		check_full();
	else
		g_test_skip("may not mount a loop device");
	if (device)
		free_loop(device);
}

/* --- block devices --- */

/* Flushes that the device @path got since it was made: field 16 of its statistics. */
static unsigned long nr_flushes(const char *device)
{
	g_autofree char *path = g_strdup_printf("/sys/block/%s/stat", device + strlen("/dev/"));
	g_autofree char *text = NULL;
	unsigned long flushes = 0;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpint(
		sscanf(text, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu",
		       &flushes),
		==, 1);
	return flushes;
}

static void check_device(const char *device, const char *image)
{
	struct disk_spec *spec = test_spec("raw", device);
	struct disk *disk = open_disk(spec);
	char *data = aligned_buffer(MIB, 10);
	unsigned long flushes;

	g_assert_cmpuint(disk_info(disk)->size, ==, 8 * MIB);
	refused_open(spec, DISK_ERROR_LOCKED, "uses this device");
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, MIB), ==, 0);
	/* A flush, and a write with FUA, are one to the device, too; plain writes are not. */
	flushes = nr_flushes(device);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, MIB, data, MIB), ==, 0);
	g_assert_cmpuint(nr_flushes(device), ==, flushes);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpuint(nr_flushes(device), ==, flushes + 1);
	g_assert_cmpint(disk_io_fua(disk, 0, data, 4096), ==, 0);
	g_assert_cmpuint(nr_flushes(device), ==, flushes + 2);

	g_assert_true(disk_info(disk)->can_discard);
	g_assert_cmpint(blocks_of(image), >=, 2 * MIB / 512);
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, MIB), ==, 0);
	g_assert_cmpint(blocks_of(image), <, 2 * MIB / 512);
	g_assert_true(reads_as(disk, MIB, data, MIB));
	g_assert_cmpint(disk_io(disk, DISK_WRITE_ZEROES, MIB, NULL, 4096), ==, 0);
	g_assert_false(reads_as(disk, MIB, data, 4096));
	no_resize(disk, 16 * MIB, device, "block-rescan");
	/* The device's own store is cut off: errors come through. */
	g_assert_cmpint(truncate(image, 4 * MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_READ, 6 * MIB, data, MIB), ==, EIO);
	g_assert_cmpint(run_tool(NULL, "losetup -c %s", device), ==, 0);
	g_assert_cmpuint(rescan_disk(disk, NULL), ==, 4 * MIB);
	g_assert_cmpuint(disk_info(disk)->size, ==, 4 * MIB);
	disk_close(disk);
	free(data);
}

static void test_device(void)
{
	const char *image = scratch_file("device.img", 8 * MIB);
	char *device = loop_device(image);

	if (!device) {
		g_test_skip("may not make a loop device");
		return;
	}
	check_device(device, image);
	free_loop(device);
}

/* A device with large sectors says so, and refuses less. */
static void test_large_sectors(void)
{
	const char *image = scratch_file("4k.img", MIB);
	char *data = aligned_buffer(4096, 11);
	char *device = NULL;
	struct disk *disk;

	if (run_tool(&device, "losetup -b 4096 -f --show '%s'", image)) {
		g_free(device);
		g_test_skip("may not make a loop device");
		return;
	}
	disk = open_disk(test_spec("raw", g_strchomp(device)));
	g_assert_cmpuint(disk_info(disk)->sector_size, ==, 4096);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 4096, data, 4096), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 4096, data, 512), ==, EINVAL);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 512, data, 4096), ==, EINVAL);
	g_assert_true(reads_as(disk, 4096, data, 4096));
	disk_close(disk);
	free_loop(device);
	free(data);
}

/* --- killed --- */

/*
 * Writes block after block, each with its number in every word, flushes, and says the
 * number; until it is killed.
 */
static void G_GNUC_NORETURN write_until_killed(const char *path, int out)
{
	struct disk *disk = open_disk(test_spec("raw", path));
	uint32_t *block = aligned_buffer(65536, 0);

	for (uint32_t i = 0;; i++) {
		uint64_t at = (uint64_t)i * 65536 % disk_info(disk)->size;

		for (int word = 0; word < 16384; word++)
			block[word] = i;
		if (disk_io(disk, DISK_WRITE, at, block, 65536) ||
		    disk_io(disk, DISK_FLUSH, 0, NULL, 0) ||
		    write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void test_killed(void)
{
	const char *path = scratch_file("killed.img", 16 * MIB);
	uint32_t *block = aligned_buffer(65536, 0);
	uint32_t last = 0, next;
	int fds[2], status, fd;
	pid_t pid;

	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	pid = fork();
	if (!pid)
		write_until_killed(path, fds[1]);
	close(fds[1]);
	while (last < 50 && read(fds[0], &next, sizeof(next)) == sizeof(next))
		last = next;
	kill(pid, SIGKILL);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status));
	while (read(fds[0], &next, sizeof(next)) == sizeof(next))
		last = next;
	g_assert_cmpuint(last, >=, 50);
	g_test_message("killed after block %u", last);

	/* Its lock is gone with it, and what it said is there. */
	disk_close(open_disk(test_spec("raw", path)));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (uint32_t i = last < 256 ? 0 : last - 200; i <= last; i++) {
		g_assert_cmpint(pread(fd, block, 65536, i % 256 * 65536), ==, 65536);
		g_assert_cmpuint(block[0], ==, i);
		g_assert_cmpuint(block[16383], ==, i);
	}
	close(fd);
	close(fds[0]);
	free(block);
}

/* --- zero copy --- */

static unsigned int pages_cached(const char *path, size_t length)
{
	unsigned char resident[256];
	unsigned int count = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);

	g_assert_true(map != MAP_FAILED);
	g_assert_cmpuint(length / 4096, <=, sizeof(resident));
	g_assert_cmpint(mincore(map, length, resident), ==, 0);
	for (size_t i = 0; i < length / 4096; i++)
		count += resident[i] & 1;
	munmap(map, length);
	close(fd);
	return count;
}

/*
 * Guest memory to the device and back without the page cache: then there is no place
 * from which or to which the kernel could copy.
 */
static void test_zero_copy(void)
{
	const char *path = scratch_file("zero-copy.img", MIB);
	struct disk *disk = open_disk(test_spec("raw", path));
	struct memory *mem = memory_new(4 * MIB, NULL);
	char *from = memory_ptr(mem, 0, MIB);
	char *to = memory_ptr(mem, MIB, MIB);
	char *pattern = aligned_buffer(MIB, 12);

	if (disk_info(disk)->mem_align == 1) {
		g_test_skip("no O_DIRECT on this file system");
	} else {
		memcpy(from, pattern, MIB);
		g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, from, MIB), ==, 0);
		g_assert_cmpuint(pages_cached(path, MIB), ==, 0);
		g_assert_cmpint(disk_io(disk, DISK_READ, 0, to, MIB), ==, 0);
		g_assert_cmpuint(pages_cached(path, MIB), ==, 0);
		g_assert_cmpmem(to, MIB, pattern, MIB);
	}
	disk_close(disk);
	memory_free(mem);
	free(pattern);
}

static gboolean have_io_uring(void)
{
	struct io_uring ring;

	if (io_uring_queue_init(1, &ring, 0))
		return FALSE;
	io_uring_queue_exit(&ring);
	return TRUE;
}

int main(int argc, char **argv)
{
	int status;

	if (!have_io_uring()) {
		printf("1..0 # SKIP this host has no io_uring for us\n");
		return 0;
	}
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/disk/raw/read-write", test_read_write);
	g_test_add_func("/disk/raw/tmpfs", test_tmpfs);
	g_test_add_func("/disk/raw/many", test_many);
	g_test_add_func("/disk/raw/refused", test_refused);
	g_test_add_func("/disk/raw/sparse", test_sparse);
	g_test_add_func("/disk/raw/close-in-flight", test_close_in_flight);
	g_test_add_func("/disk/raw/bad-files", test_bad_files);
	g_test_add_func("/disk/raw/tail", test_tail);
	g_test_add_func("/disk/raw/resize", test_resize);
	g_test_add_func("/disk/raw/grow", test_grow);
	g_test_add_func("/disk/raw/lock", test_lock);
	g_test_add_func("/disk/raw/lock-later", test_lock_later);
	g_test_add_func("/disk/raw/lock-qemu", test_lock_qemu);
	g_test_add_func("/disk/raw/full-tmpfs", test_full_tmpfs);
	g_test_add_func("/disk/raw/full-ext4", test_full_ext4);
	g_test_add_func("/disk/raw/device", test_device);
	g_test_add_func("/disk/raw/large-sectors", test_large_sectors);
	g_test_add_func("/disk/raw/killed", test_killed);
	g_test_add_func("/disk/raw/zero-copy", test_zero_copy);
	status = g_test_run();
	scratch_remove();
	return status;
}
