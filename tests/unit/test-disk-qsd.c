/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-disk-qsd.c - disks by way of qemu-storage-daemon
 */
#include "backend/disk-qsd.h"
#include "backend/disk-vhost.h"
#include "disk-test.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)

static gboolean have_qemu(void)
{
	if (!run_tool(NULL, "command -v qemu-storage-daemon && command -v qemu-img"))
		return TRUE;
	g_test_skip("no qemu-storage-daemon (package qemu-utils)");
	return FALSE;
}

static const char *make_image(const char *format, const char *name)
{
	const char *path = scratch_path(name);

	g_assert_cmpint(run_tool(NULL, "qemu-img create -q -f %s '%s' 16M", format, path), ==,
			0);
	return path;
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

/* The process that serves the disk of @parent: its only child. */
static pid_t daemon_of(pid_t parent)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", parent, parent);
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpint(atoi(text), >, 0);
	return atoi(text);
}

static void wait_for_end(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return;
	g_assert_cmpint(poll(&end, 1, 60000), ==, 1);
	close(fd);
}

/* io_uring may hold on to the file, and its locks, for a moment after the process's end. */
static void wait_for_locks(const char *path)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(TEMP_FAILURE_RETRY(fcntl(fd, F_OFD_SETLKW, &all)), ==, 0);
	close(fd);
}

/* --- formats --- */

/* Taken as raw, it is raw: but the user is told. */
static void check_hint(const char *format, const char *path)
{
	struct disk_spec *spec = test_spec("raw", path);
	const char *word = strcmp(format, "vpc") ? format : "vhd";
	g_autofree char *hint = g_strdup_printf("starts as a %s image", word);
	struct disk *disk;

	spec->read_only = TRUE;
	disk = open_disk(spec);
	g_assert_nonnull(last_message);
	g_assert_nonnull(strstr(last_message, hint));
	disk_close(disk);
}

static void check_format(const char *format)
{
	const char *path = make_image(format, format);
	struct disk *disk = open_disk(test_spec(format, path));
	char *data = aligned_buffer(MIB, 1);

	g_assert_cmpuint(disk_info(disk)->size, >=, 16 * MIB);
	g_assert_true(disk_info(disk)->can_flush);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 3 * MIB, data, MIB), ==, 0);
	g_assert_cmpint(disk_io_fua(disk, 3 * MIB, data, 4096), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_true(reads_as(disk, 3 * MIB, data, MIB));
	disk_close(disk);
	/* Nothing holds it, and it is a whole image of its format. */
	disk = open_disk(test_spec(format, path));
	g_assert_true(reads_as(disk, 3 * MIB, data, MIB));
	disk_close(disk);
	g_assert_cmpint(run_tool(NULL, "qemu-img info -f %s '%s'", format, path), ==, 0);
	check_hint(format, path);
	free(data);
}

static void test_formats(void)
{
	static const char *const formats[] = { "qcow2", "vpc", "vhdx", "vmdk", "vdi", "qed" };

	if (!have_qemu())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		check_format(formats[i]);
}

/* Opened while a guest runs: what the daemon says is waited for in the main loop. */
static void test_later(void)
{
	g_autoptr(GError) error = NULL;
	const char *path;
	struct disk *disk;

	if (!have_qemu())
		return;
	path = make_image("qcow2", "later");
	disk = open_disk_later(test_spec("qcow2", path), &error);
	g_assert_no_error(error);
	g_assert_cmpuint(disk_info(disk)->size, ==, 16 * MIB);
	g_assert_cmpuint(rescan_disk(disk, &error), ==, 0);
	g_assert_error(error, DISK_ERROR, DISK_ERROR_SIZE);
	g_clear_error(&error);
	disk_close(disk);
	g_assert_null(open_disk_later(test_spec("vdi", path), &error));
	g_assert_error(error, DISK_ERROR, DISK_ERROR_OPEN);
	g_assert_nonnull(strstr(error->message, "VDI"));
}

/* One that was built without io_uring, as some are. */
static void test_old_daemon(void)
{
	g_autofree char *real = g_find_program_in_path("qemu-storage-daemon");
	g_autofree char *path = g_strdup(g_getenv("PATH"));
	g_autofree char *first = NULL;
	char *data = aligned_buffer(4096, 1);
	const char *image, *program;
	struct disk *disk;

	if (!have_qemu())
		return;
	image = make_image("qcow2", "old-daemon");
	program = scratch_path("qemu-storage-daemon");
	g_assert_cmpint(run_tool(NULL,
				 "printf '#!/bin/sh\\ncase $* in *io_uring*) exit 1; esac\\n"
				 "exec %s \"$@\"\\n' >'%s' && chmod +x '%s'",
				 real, program, program),
			==, 0);
	first = g_strdup_printf("%.*s:%s", (int)(strrchr(program, '/') - program), program,
				path);
	g_setenv("PATH", first, TRUE);
	disk = open_disk(test_spec("qcow2", image));
	g_setenv("PATH", path, TRUE);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, MIB, data, 4096), ==, 0);
	g_assert_true(reads_as(disk, MIB, data, 4096));
	disk_close(disk);
	free(data);
}

/* --- resizing --- */

static void no_resize(struct disk *disk, uint64_t size, const char *target, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(resize_disk(disk, size, &error), ==, 0);
	g_assert_error(error, DISK_ERROR, DISK_ERROR_SIZE);
	g_assert_true(g_str_has_prefix(error->message, target));
	g_assert_nonnull(strstr(error->message, why));
	g_assert_null(strchr(error->message, '\n'));
}

static void check_resize(const char *format)
{
	g_autofree char *name = g_strdup_printf("resize.%s", format);
	const char *path = make_image(format, name);
	struct disk *disk = open_disk(test_spec(format, path));
	char *data = aligned_buffer(MIB, 5);

	g_assert_cmpint(disk_io(disk, DISK_WRITE, 15 * MIB, data, MIB), ==, 0);
	g_assert_cmpuint(resize_disk(disk, 24 * MIB, NULL), ==, 24 * MIB);
	g_assert_cmpuint(nr_resized, ==, 1);
	g_assert_cmpuint(disk_info(disk)->size, ==, 24 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 23 * MIB, data, MIB), ==, 0);
	/* Not only once. */
	g_assert_cmpuint(resize_disk(disk, 32 * MIB, NULL), ==, 32 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 31 * MIB, data, MIB), ==, 0);
	g_assert_true(reads_as(disk, 15 * MIB, data, MIB));
	no_resize(disk, 16 * MIB, path, "would be lost");
	g_assert_null(last_message);
	disk_close(disk);
	disk = open_disk(test_spec(format, path));
	g_assert_cmpuint(disk_info(disk)->size, ==, 32 * MIB);
	g_assert_true(reads_as(disk, 15 * MIB, data, MIB));
	g_assert_true(reads_as(disk, 23 * MIB, data, MIB));
	g_assert_true(reads_as(disk, 31 * MIB, data, MIB));
	disk_close(disk);
	free(data);
}

static void test_resize(void)
{
	static const char *const formats[] = { "qcow2", "qed" };

	if (!have_qemu())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		check_resize(formats[i]);
}

/* A format that can't: nothing has happened to the disk. */
static void test_resize_refused(void)
{
	char *data = aligned_buffer(MIB, 6);
	const char *path;
	struct disk *disk;

	if (!have_qemu())
		return;
	path = make_image("vdi", "fixed.vdi");
	disk = open_disk(test_spec("vdi", path));
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, MIB), ==, 0);
	no_resize(disk, 32 * MIB, path, "does not support resize");
	g_assert_cmpuint(disk_info(disk)->size, ==, 16 * MIB);
	g_assert_true(reads_as(disk, 0, data, MIB));
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpuint(nr_resized, ==, 0);
	g_assert_null(last_message);
	disk_close(disk);
	free(data);
}

/**
 * struct writes - one after the other, until they are to stop
 * @req:  writes @iov again and again, each time further on
 * @nr:   how many were answered
 * @stop: no more is wanted
 * @over: and there is none
 */
struct writes {
	struct disk_request req;
	struct iovec iov;
	unsigned int nr;
	gboolean stop;
	gboolean over;
	int error;
};

static void write_on(struct disk_request *req, int error)
{
	struct writes *writes = (struct writes *)req;

	writes->nr++;
	writes->error = error;
	writes->over = writes->stop || error;
	if (writes->over)
		return;
	req->offset = writes->nr % 256 * 65536;
	disk_submit(req->disk, req);
	disk_commit(req->disk);
}

/* While the guest writes, and no write is lost. */
static void test_resize_busy(void)
{
	struct writes writes[4] = { 0 };
	struct disk *disk;
	char *data = aligned_buffer(65536, 7);

	if (!have_qemu())
		return;
	disk = open_disk(test_spec("qcow2", make_image("qcow2", "busy")));
	for (size_t i = 0; i < G_N_ELEMENTS(writes); i++) {
		writes[i].iov = (struct iovec){ data, 65536 };
		writes[i].req = (struct disk_request){ .op = DISK_WRITE,
						       .length = 65536,
						       .iov = &writes[i].iov,
						       .nr_iov = 1,
						       .done = write_on };
		disk_submit(disk, &writes[i].req);
	}
	disk_commit(disk);
	for (uint64_t size = 17; size < 25; size++)
		g_assert_cmpuint(resize_disk(disk, size * MIB, NULL), ==, size * MIB);
	for (size_t i = 0; i < G_N_ELEMENTS(writes); i++) {
		writes[i].stop = TRUE;
		wait_until(&writes[i].over);
		g_assert_cmpint(writes[i].error, ==, 0);
		g_assert_true(reads_as(disk, 0, data, 65536));
	}
	disk_close(disk);
	free(data);
}

/* Its daemon is asked, and has stopped before. */
static void begin_resize(struct disk *disk, struct sizing *sizing)
{
	pid_t pid = daemon_of(getpid());
	siginfo_t info;

	g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
	g_assert_cmpint(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), ==, 0);
	g_assert_true(disk_resize(disk, 32 * MIB, on_sized, sizing, NULL));
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_false(sizing->over);
}

/* The process is gone, while it is asked or before; or the disk is closed. */
static void test_resize_killed(void)
{
	struct sizing sizing = { 0 };
	const char *path;
	struct disk *disk;
	char *data = aligned_buffer(4096, 8);

	if (!have_qemu())
		return;
	path = make_image("qcow2", "resize-killed");
	disk = open_disk(test_spec("qcow2", path));
	begin_resize(disk, &sizing);
	g_assert_cmpint(kill(daemon_of(getpid()), SIGKILL), ==, 0);
	wait_until(&sizing.over);
	g_assert_error(sizing.why, DISK_ERROR, DISK_ERROR_SIZE);
	g_assert_true(g_str_has_prefix(sizing.why->message, path));
	g_assert_nonnull(strstr(sizing.why->message, "qemu-storage-daemon ended"));
	g_clear_error(&sizing.why);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, 4096), ==, EIO);
	g_assert_nonnull(strstr(last_message, "qemu-storage-daemon ended"));
	no_resize(disk, 32 * MIB, path, "qemu-storage-daemon ended");
	disk_close(disk);
	disk = open_disk(test_spec("qcow2", path));
	sizing.over = FALSE;
	begin_resize(disk, &sizing);
	disk_close(disk);
	g_assert_true(sizing.over);
	g_assert_error(sizing.why, DISK_ERROR, DISK_ERROR_SIZE);
	g_clear_error(&sizing.why);
	free(data);
}

static blkcnt_t blocks_of(const char *path)
{
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	return st.st_blocks;
}

/* Discarded clusters are given back to the file system. */
static void test_discard(void)
{
	char *data = aligned_buffer(MIB, 2);
	const char *path;
	struct disk *disk;

	if (!have_qemu())
		return;
	path = make_image("qcow2", "discard");
	disk = open_disk(test_spec("qcow2", path));
	for (int i = 0; i < 8; i++)
		g_assert_cmpint(disk_io(disk, DISK_WRITE, i * MIB, data, MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpint(blocks_of(path), >=, 8 * MIB / 512);
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, 7 * MIB), ==, 0);
	g_assert_cmpint(blocks_of(path), <, 2 * MIB / 512);
	g_assert_true(reads_as(disk, 7 * MIB, data, MIB));
	disk_close(disk);
	free(data);
}

/* As containers do it. */
static gboolean forbid_io_uring(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	gboolean ok =
		filter &&
		!seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(io_uring_setup), 0) &&
		!seccomp_load(filter);

	seccomp_release(filter);
	return ok;
}

/* Where there is no io_uring, plain files go this way, too. */
static void test_no_io_uring(void)
{
	struct disk *disk;
	char *data;

	if (!have_qemu())
		return;
	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
		g_test_trap_assert_passed();
		return;
	}
	g_assert_true(forbid_io_uring());
	data = aligned_buffer(4096, 3);
	disk = open_disk(test_spec("raw", scratch_file("raw", MIB / 2)));
	g_assert_nonnull(strstr(last_message, "io_uring: Operation not permitted"));
	g_assert_cmpuint(resize_disk(disk, MIB, NULL), ==, MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, MIB - 4096, data, 4096), ==, 0);
	g_assert_true(reads_as(disk, MIB - 4096, data, 4096));
	disk_close(disk);
	free(data);
}

/* --- what it is told --- */

static void told(const char *format, const char *target, const char *expected)
{
	GError *error = NULL;
	g_autofree char *json = qsd_blockdev(test_spec(format, target), TRUE, &error);

	if (expected) {
		g_assert_no_error(error);
		g_assert_cmpstr(json, ==, expected);
		return;
	}
	g_assert_null(json);
	g_assert_error(error, DISK_ERROR, DISK_ERROR_UNSUPPORTED);
	g_assert_true(g_str_has_prefix(error->message, target));
	g_error_free(error);
}

#define HEAD                                                                                   \
	"{\"driver\":\"qcow2\",\"node-name\":\"disk\",\"read-only\":false,"                    \
	"\"discard\":\"unmap\",\"file\":"

static void test_told(void)
{
	told("qcow2", "/a\"},b=c",
	     HEAD "{\"discard\":\"unmap\",\"driver\":\"file\","
		  "\"filename\":\"/a\\\"},b=c\",\"locking\":\"auto\","
		  "\"aio\":\"io_uring\"}}");
	told("qcow2", "nbd://host/a",
	     HEAD "{\"discard\":\"unmap\",\"driver\":\"nbd\",\"export\":\"a\","
		  "\"reconnect-delay\":60,\"server\":{\"type\":\"inet\",\"host\":\"host\","
		  "\"port\":\"10809\"}}}");
	told("qcow2", "nbd+unix:///a?socket=/s",
	     HEAD "{\"discard\":\"unmap\",\"driver\":\"nbd\",\"export\":\"a\","
		  "\"reconnect-delay\":60,\"server\":{\"type\":\"unix\",\"path\":\"/s\"}}}");
	told("qcow2", "https://host/a",
	     HEAD "{\"discard\":\"unmap\",\"driver\":\"https\",\"url\":\"https://host/a\"}}");
	told("qcow2", "json:{\"driver\":\"null-co\"}", HEAD "{\"driver\":\"null-co\"}}");
	told("qcow2", "json:[]", NULL);
	told("qcow2", "json:{", NULL);
	told("qcow2", "gopher://host/a", NULL);
	told("qcow2", "nbd+unix:///a", NULL);
}

static void test_told_without_io_uring(void)
{
	g_autofree char *json = qsd_blockdev(test_spec("qcow2", "/a"), FALSE, NULL);

	g_assert_cmpstr(json, ==,
			HEAD "{\"discard\":\"unmap\",\"driver\":\"file\","
			     "\"filename\":\"/a\",\"locking\":\"auto\"}}");
}

/* --- faults --- */

static void refused(const struct disk_spec *spec, const char *what)
{
	static const struct disk_listener nobody;
	GError *error = NULL;

	g_assert_null(disk_open(spec, disk_memory, &nobody, &error));
	g_test_message("%s", error->message);
	g_assert_true(g_str_has_prefix(error->message, spec->target));
	g_assert_nonnull(strstr(error->message, what));
	g_assert_null(strchr(error->message, '\n'));
	g_error_free(error);
}

static void test_refused(void)
{
	struct disk *disk;
	const char *path;

	if (!have_qemu())
		return;
	refused(test_spec("qcow2", scratch_path("missing")), "No such file");
	refused(test_spec("qcow2", scratch_file("no-qcow2", MIB)), "not in qcow2 format");
	refused(test_spec("nonsense", scratch_path("no-qcow2")), "nonsense");
	path = make_image("qcow2", "locked");
	disk = open_disk(test_spec("qcow2", path));
	refused(test_spec("qcow2", path), "lock");
	disk_close(disk);
}

static void test_daemon_killed(void)
{
	char *data = aligned_buffer(4096, 4);
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_disk(test_spec("qcow2", make_image("qcow2", "daemon")));
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	kill(daemon_of(getpid()), SIGKILL);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, 4096), ==, EIO);
	g_assert_nonnull(strstr(last_message, "qemu-storage-daemon ended"));
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, EIO);
	disk_close(disk);
	free(data);
}

/* Writes a mark after the other, flushes, and says so; until it is killed. */
static void G_GNUC_NORETURN write_until_killed(const char *path, int out)
{
	struct disk *disk = open_disk(test_spec("qcow2", path));
	unsigned char *block = aligned_buffer(65536, 0);

	for (unsigned int i = 0;; i++) {
		memset(block, i % 255 + 1, 65536);
		if (disk_io(disk, DISK_WRITE, i % 256 * 65536, block, 65536) ||
		    disk_io(disk, DISK_FLUSH, 0, NULL, 0) ||
		    write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void test_killed(void)
{
	unsigned int last = 0, next;
	pid_t pid, server;
	GString *check;
	const char *path;
	int fds[2];

	if (!have_qemu())
		return;
	path = make_image("qcow2", "killed");
	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	pid = fork();
	if (!pid)
		write_until_killed(path, fds[1]);
	close(fds[1]);
	while (last < 20 && read(fds[0], &next, sizeof(next)) == sizeof(next))
		last = next;
	server = daemon_of(pid);
	kill(pid, SIGKILL);
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
	while (read(fds[0], &next, sizeof(next)) == sizeof(next))
		last = next;
	g_assert_cmpuint(last, >=, 20);
	close(fds[0]);
	/* It did not stay behind. */
	wait_for_end(server);
	wait_for_locks(path);
	check = g_string_new("qemu-io -f qcow2");
	for (unsigned int i = last < 200 ? 0 : last - 200; i <= last; i++)
		g_string_append_printf(check, " -c 'read -P %u %u 65536'", i % 255 + 1,
				       i % 256 * 65536);
	g_assert_cmpint(run_tool(NULL, "%s '%s'", check->str, path), ==, 0);
	g_string_free(check, TRUE);
	/*
	 * A cluster may be counted and not used yet when the end comes: a leak, which harms
	 * nobody and is repaired here.  Errors are not, and fail.
	 */
	g_assert_cmpint(run_tool(NULL, "qemu-img check -q -r leaks '%s'", path), ==, 0);
}

/* --- daemons that can't do vhost-user --- */

/* @body: of a program that is found in place of the daemon, which it has as $real. */
static void replace_daemon(const char *body)
{
	const char *directory = scratch_path("bin");
	g_autofree char *real = g_find_program_in_path("qemu-storage-daemon");
	g_autofree char *program = g_build_filename(directory, "qemu-storage-daemon", NULL);
	g_autofree char *text = g_strdup_printf("#!/bin/sh\nreal=%s\n%s\n", real, body);
	g_autofree char *path = g_strdup_printf("%s:%s", directory, g_getenv("PATH"));

	g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
	g_assert_true(g_file_set_contents_full(program, text, -1, G_FILE_SET_CONTENTS_NONE,
					       0700, NULL));
	g_setenv("PATH", path, TRUE);
}

/* A process of its own, since what the daemon can do is asked once. */
static void without_vhost(const char *body)
{
	struct disk *disk;
	char *data;

	if (!have_qemu())
		return;
	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
		g_test_trap_assert_passed();
		return;
	}
	replace_daemon(body);
	data = aligned_buffer(4096, 9);
	for (int i = 0; i < 2; i++) {
		disk = open_disk(test_spec("qcow2", make_image("qcow2", "without")));
		g_assert_false(disk_vhost_is(disk));
		g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
		g_assert_true(reads_as(disk, 0, data, 4096));
		disk_close(disk);
	}
	free(data);
	scratch_remove();
}

static void test_older(void)
{
	without_vhost("[ \"$1\" = --help ] || exec $real \"$@\"\n"
		      "$real --help | grep -v vhost-user");
}

/* It says that it can, and then does not know what to say. */
static void test_unable(void)
{
	without_vhost("case $* in *vhost-user-blk*) exec perl -MSocket -e '\n"
		      "open(my $server, \"+<&=3\"); accept(my $client, $server) or die;\n"
		      "sysread($client, my $question, 12); syswrite($client, \"\\0\" x 12); "
		      "sleep 60'\n"
		      "esac\n"
		      "exec $real \"$@\"");
}

/* --- either way --- */

static struct memory *memory;

static void run_by_nbd(gconstpointer test)
{
	disk_memory = NULL;
	((void (*)(void))test)();
}

static void run_by_vhost(gconstpointer test)
{
	disk_memory = memory;
	((void (*)(void))test)();
	disk_memory = NULL;
}

static void add(const char *name, void (*test)(void))
{
	g_autofree char *by_nbd = g_strdup_printf("/disk/qsd/nbd/%s", name);
	g_autofree char *by_vhost = g_strdup_printf("/disk/qsd/vhost/%s", name);

	g_test_add_data_func(by_nbd, (void *)test, run_by_nbd);
	g_test_add_data_func(by_vhost, (void *)test, run_by_vhost);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	memory = memory_new(64 * MIB, NULL);
	g_test_add_func("/disk/qsd/told", test_told);
	g_test_add_func("/disk/qsd/told-without-io-uring", test_told_without_io_uring);
	add("formats", test_formats);
	add("later", test_later);
	add("old-daemon", test_old_daemon);
	add("resize", test_resize);
	add("resize-refused", test_resize_refused);
	add("resize-busy", test_resize_busy);
	add("resize-killed", test_resize_killed);
	add("discard", test_discard);
	add("no-io_uring", test_no_io_uring);
	add("refused", test_refused);
	add("daemon-killed", test_daemon_killed);
	add("killed", test_killed);
	g_test_add_data_func("/disk/qsd/vhost/older", (void *)test_older, run_by_vhost);
	g_test_add_data_func("/disk/qsd/vhost/unable", (void *)test_unable, run_by_vhost);
	status = g_test_run();
	memory_free(memory);
	scratch_remove();
	return status;
}
