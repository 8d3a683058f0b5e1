/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-disk-nbd.c - disks on NBD servers, which break, go away and come back
 */
#include "disk-test.h"
#include "nbd-server.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MIB (1 << 20)

static const char *uri;

/* Every thread of the server is stopped; kill() returns before they are. */
static gboolean all_stopped(void)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", server_pid());
	GDir *threads = g_dir_open(path, 0, NULL);
	gboolean all = TRUE;
	const char *name;

	g_assert_nonnull(threads);
	while ((name = g_dir_read_name(threads))) {
		g_autofree char *stat = g_build_filename(path, name, "stat", NULL);
		g_autofree char *text = NULL;

		g_assert_true(g_file_get_contents(stat, &text, NULL, NULL));
		all = all && g_str_has_prefix(strrchr(text, ')'), ") T");
	}
	g_dir_close(threads);
	return all;
}

/* From here on the server answers nothing. */
static void stop_server(void)
{
	kill_server(SIGSTOP);
	while (!all_stopped())
		g_usleep(1000);
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

static unsigned int count_in_file(const char *path, const char *what)
{
	g_autofree char *text = NULL;
	unsigned int count = 0;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

/* With nothing to do the main loop sleeps: nothing wakes it at once, time after time. */
static void assert_idle(void)
{
	GMainContext *context = g_main_context_default();
	GPollFD fds[16];
	gint nr, timeout, priority, ready = 1;

	g_assert_true(g_main_context_acquire(context));
	for (int round = 0; round < 10 && ready; round++) {
		g_main_context_prepare(context, &priority);
		nr = g_main_context_query(context, priority, &timeout, fds, G_N_ELEMENTS(fds));
		g_assert_cmpint(nr, <=, G_N_ELEMENTS(fds));
		ready = g_poll(fds, nr, 0);
		g_main_context_check(context, priority, fds, nr);
		g_main_context_dispatch(context);
	}
	g_main_context_release(context);
	g_assert_cmpint(ready, ==, 0);
}

/* --- requests --- */

static void test_requests(void)
{
	static const char zeroes[8192];
	char *data = aligned_buffer(MIB, 1);
	g_autofree char *arguments = NULL;
	const char *image;
	struct disk *disk;

	if (!have_server())
		return;
	image = scratch_file("image", 8 * MIB);
	arguments = g_strdup_printf("file '%s'", image);
	start_server(arguments);
	disk = open_disk(test_spec("raw", uri));
	g_assert_cmpuint(disk_info(disk)->size, ==, 8 * MIB);
	g_assert_true(disk_info(disk)->can_flush);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 4096, data, MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_true(reads_as(disk, 4096, data, MIB));
	g_assert_cmpint(disk_io_fua(disk, 8 * MIB - 512, data, 512), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE_ZEROES, 8192, NULL, 8192), ==, 0);
	g_assert_true(reads_as(disk, 8192, zeroes, 8192));
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, 8 * MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_READ, 8 * MIB, data, 512), ==, ERANGE);
	assert_idle();
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

/**
 * struct many - requests in flight together
 * @left: not answered yet
 * @all:  none is left
 * @error: the last one
 */
struct many {
	struct one {
		struct disk_request req;
		struct iovec iov[3];
		struct many *many;
	} one[64];
	unsigned int left;
	gboolean all;
	int error;
};

static void on_one_done(struct disk_request *req, int error)
{
	struct many *many = ((struct one *)req)->many;

	if (error)
		many->error = error;
	many->all = !--many->left;
}

/* 64 requests of 12 KiB; two of the three pieces of each lie one after the other. */
static void submit_many(struct disk *disk, struct many *many, enum disk_op op, char *memory)
{
	*many = (struct many){ .left = G_N_ELEMENTS(many->one) };
	for (unsigned int i = 0; i < G_N_ELEMENTS(many->one); i++) {
		char *at = memory + i * 12288;
		struct disk_request *req = &many->one[i].req;

		many->one[i].many = many;
		many->one[i].iov[0] = (struct iovec){ at + 8192, 4096 };
		many->one[i].iov[1] = (struct iovec){ at, 512 };
		many->one[i].iov[2] = (struct iovec){ at + 512, 7680 };
		*req = (struct disk_request){ .op = op,
					      .offset = i * 12288,
					      .length = 12288,
					      .iov = many->one[i].iov,
					      .nr_iov = 3,
					      .done = on_one_done };
		disk_submit(disk, req);
	}
	disk_commit(disk);
	g_assert_cmpuint(many->left, ==, G_N_ELEMENTS(many->one));
}

static void finish_many(struct many *many)
{
	wait_until(&many->all);
	g_assert_cmpint(many->error, ==, 0);
}

/* Requests of many pieces, more than there may be buffers for. */
static void test_many_large(void)
{
	static struct iovec iov[20][256];
	char *data = aligned_buffer(2 * MIB, 14);
	struct many many = { .left = 20 };
	struct one one[20];
	struct disk *disk;

	if (!have_server())
		return;
	start_server("memory 32M");
	disk = open_disk(test_spec("raw", uri));
	for (int i = 0; i < 20; i++) {
		for (int j = 0; j < 256; j++)
			iov[i][j] = (struct iovec){ data + j * 8192, 4096 };
		one[i] = (struct one){ .many = &many };
		one[i].req = (struct disk_request){ .op = DISK_WRITE,
						    .offset = i * MIB,
						    .length = MIB,
						    .iov = iov[i],
						    .nr_iov = 256,
						    .done = on_one_done };
		disk_submit(disk, &one[i].req);
	}
	finish_many(&many);
	for (int j = 0; j < 256; j++) {
		g_assert_true(reads_as(disk, j * 4096, data + j * 8192, 4096));
		g_assert_true(reads_as(disk, 19 * MIB + j * 4096, data + j * 8192, 4096));
	}
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

static void test_many(void)
{
	char *written = aligned_buffer(MIB, 2);
	char *read_back = aligned_buffer(MIB, 3);
	struct many many;
	struct disk *disk;

	if (!have_server())
		return;
	/* A server of small requests only: large ones are split. */
	start_server("--filter=blocksize-policy memory 4M blocksize-minimum=512 "
		     "blocksize-preferred=4096 blocksize-maximum=8192 "
		     "blocksize-error-policy=error");
	disk = open_disk(test_spec("raw", uri));
	submit_many(disk, &many, DISK_WRITE, written);
	finish_many(&many);
	submit_many(disk, &many, DISK_READ, read_back);
	finish_many(&many);
	g_assert_cmpmem(written, 64 * 12288, read_back, 64 * 12288);
	g_assert_true(reads_as(disk, 0, written + 8192, 4096));
	disk_close(disk);
	kill_server(SIGTERM);
	free(written);
	free(read_back);
}

/* A server without FUA: then a flush follows the write, and comes before the answer. */
static void test_fua_by_hand(void)
{
	char *data = aligned_buffer(4096, 4);
	g_autofree char *arguments = NULL;
	const char *log;
	struct disk *disk;

	if (!have_server())
		return;
	log = scratch_path("fua.log");
	arguments = g_strdup_printf("--filter=log eval get_size='echo 4M' can_write='exit 0' "
				    "can_flush='exit 0' can_fua='echo none' "
				    "pwrite='cat >/dev/null' flush='exit 0' pread='exit 1' "
				    "logfile='%s'",
				    log);
	start_server(arguments);
	disk = open_disk(test_spec("raw", uri));
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	g_assert_cmpuint(count_in_file(log, " Flush "), ==, 0);
	g_assert_cmpint(disk_io_fua(disk, 0, data, 4096), ==, 0);
	g_assert_cmpuint(count_in_file(log, " Write "), ==, 2);
	g_assert_cmpuint(count_in_file(log, " Flush "), ==, 1);
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

/* --- bad servers --- */

static void refused(const struct disk_spec *spec, const char *what)
{
	static const struct disk_listener nobody;
	GError *error = NULL;

	g_assert_null(disk_open(spec, NULL, &nobody, &error));
	g_assert_error(error, DISK_ERROR, DISK_ERROR_OPEN);
	g_test_message("%s", error->message);
	g_assert_true(g_str_has_prefix(error->message, spec->target));
	g_assert_nonnull(strstr(error->message, what));
	g_error_free(error);
}

static void test_refused(void)
{
	struct disk_spec *spec;
	struct disk *disk;

	if (!have_server())
		return;
	spec = test_spec("raw", uri);
	unlink(scratch_path("socket"));
	refused(spec, "can't connect");
	refused(test_spec("raw", "nbd+unix://nonsense"), "can't connect");
	start_server("-r memory 1M");
	spec = test_spec("raw", uri);
	refused(spec, "give the mode r");
	spec->read_only = TRUE;
	disk = open_disk(spec);
	g_assert_cmpint(disk_io(disk, DISK_WRITE_ZEROES, 0, NULL, 512), ==, EROFS);
	disk_close(disk);
	kill_server(SIGTERM);
	start_server("memory 511");
	refused(spec, "no sectors");
	kill_server(SIGTERM);
}

static void test_errors(void)
{
	char *data = aligned_buffer(4096, 5);
	g_autofree char *arguments = NULL;
	const char *trigger;
	struct disk *disk;

	if (!have_server())
		return;
	trigger = scratch_path("trigger");
	arguments = g_strdup_printf("--filter=error memory 4M error-file='%s' error-rate=100%% "
				    "error-pread=EIO error-pwrite=ENOSPC",
				    trigger);
	start_server(arguments);
	disk = open_disk(test_spec("raw", uri));
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	g_assert_true(g_file_set_contents(trigger, "", 0, NULL));
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, 4096), ==, EIO);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, ENOSPC);
	unlink(trigger);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	g_assert_true(reads_as(disk, 0, data, 4096));
	g_assert_null(last_message);
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

/* --- servers that go away --- */

static void test_comes_back(void)
{
	char *written = aligned_buffer(MIB, 6);
	char *read_back = aligned_buffer(MIB, 7);
	g_autofree char *arguments = NULL;
	struct many many;
	struct disk *disk;

	if (!have_server())
		return;
	arguments = g_strdup_printf("file '%s'", scratch_file("back", 4 * MIB));
	start_server(arguments);
	disk = open_disk(test_spec("raw", uri));
	/* Gone with requests under way, and others that come while it is gone. */
	submit_many(disk, &many, DISK_WRITE, written);
	kill_server(SIGKILL);
	wait_for_message("is gone");
	start_server(arguments);
	finish_many(&many);
	kill_server(SIGKILL);
	submit_many(disk, &many, DISK_READ, read_back);
	wait_for_message("is gone");
	g_assert_false(many.all);
	start_server(arguments);
	finish_many(&many);
	g_assert_nonnull(strstr(last_message, "is back"));
	g_assert_cmpmem(written, 64 * 12288, read_back, 64 * 12288);
	disk_close(disk);
	kill_server(SIGTERM);
	free(written);
	free(read_back);
}

/*
 * A server in memory comes back empty.  What the guest had flushed is the server's
 * affair; what it had not must be there, in the order in which it was written.
 */
static void test_forgets(void)
{
	static const char zeroes[4096];
	char *old = aligned_buffer(4096, 8);
	char *new = aligned_buffer(4096, 9);
	struct disk *disk;

	if (!have_server())
		return;
	start_server("memory 4M");
	disk = open_disk(test_spec("raw", uri));
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, old, 4096), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 4096, old, 4096), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 8192, old, 4096), ==, 0);
	g_assert_cmpint(disk_io_fua(disk, 4096, new, 4096), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE_ZEROES, 8192, NULL, 4096), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 8192 + 512, new, 512), ==, 0);
	kill_server(SIGKILL);
	start_server("memory 4M");
	g_assert_true(reads_as(disk, 0, zeroes, 4096));
	g_assert_true(reads_as(disk, 4096, new, 4096));
	g_assert_true(reads_as(disk, 8192, zeroes, 512));
	g_assert_true(reads_as(disk, 8192 + 512, new, 512));
	g_assert_true(reads_as(disk, 8192 + 1024, zeroes, 512));
	/* Once more, before any flush. */
	kill_server(SIGKILL);
	start_server("memory 4M");
	g_assert_true(reads_as(disk, 4096, new, 4096));
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	kill_server(SIGKILL);
	start_server("memory 4M");
	g_assert_true(reads_as(disk, 4096, zeroes, 4096));
	disk_close(disk);
	kill_server(SIGTERM);
	free(old);
	free(new);
}

/* A guest that never flushes: we do, so that what has to be kept is bounded. */
static void test_never_flushed(void)
{
	char *data = aligned_buffer(MIB, 10);
	g_autofree char *arguments = NULL;
	const char *log;
	struct disk *disk;

	if (!have_server())
		return;
	log = scratch_path("never.log");
	arguments = g_strdup_printf("--filter=log memory 128M logfile='%s'", log);
	start_server(arguments);
	disk = open_disk(test_spec("raw", uri));
	for (uint64_t i = 0; i < 100; i++)
		g_assert_cmpint(disk_io(disk, DISK_WRITE, i * MIB, data, MIB), ==, 0);
	g_assert_cmpuint(count_in_file(log, " Flush "), >=, 3);
	g_assert_cmpuint(count_in_file(log, " Flush "), <, 50);
	g_assert_true(reads_as(disk, 99 * MIB, data, MIB));
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

/* --- exports that grow: a server tells only who connects --- */

static void no_size(struct disk *disk, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(rescan_disk(disk, &error), ==, 0);
	g_assert_error(error, DISK_ERROR, DISK_ERROR_SIZE);
	g_assert_true(g_str_has_prefix(error->message, uri));
	g_assert_nonnull(strstr(error->message, why));
}

static void no_resize(struct disk *disk, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(resize_disk(disk, disk_info(disk)->size + MIB, &error), ==, 0);
	g_assert_error(error, DISK_ERROR, DISK_ERROR_SIZE);
	g_assert_true(g_str_has_prefix(error->message, uri));
	g_assert_nonnull(strstr(error->message, why));
}

/* It is gone while it grows. */
static void test_grows(void)
{
	char *data = aligned_buffer(4096, 15);
	struct disk *disk;

	if (!have_server())
		return;
	start_server("memory 4M");
	disk = open_disk(test_spec("raw", uri));
	kill_server(SIGKILL);
	wait_for_message("is gone");
	no_size(disk, "looked at when it is back");
	start_server("memory 6M");
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	g_assert_cmpuint(nr_resized, ==, 1);
	g_assert_cmpuint(disk_info(disk)->size, ==, 6 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 5 * MIB, data, 4096), ==, 0);
	g_assert_true(reads_as(disk, 5 * MIB, data, 4096));
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

/* It grows while it serves, and requests are under way. */
static void test_rescan(void)
{
	char *written = aligned_buffer(MIB, 17);
	char *read_back = aligned_buffer(MIB, 18);
	g_autofree char *arguments = NULL;
	const char *image, *log;
	struct sizing sizing = { 0 }, second = { 0 };
	struct disk *disk;
	struct many many;

	if (!have_server())
		return;
	image = scratch_file("rescan", 4 * MIB);
	log = scratch_path("rescan.log");
	arguments = g_strdup_printf("--filter=log file '%s' logfile='%s'", image, log);
	start_server(arguments);
	disk = open_disk(test_spec("raw", uri));
	g_assert_cmpuint(rescan_disk(disk, NULL), ==, 4 * MIB);
	no_resize(disk, "block-rescan");
	g_assert_cmpint(truncate(image, 6 * MIB), ==, 0);
	submit_many(disk, &many, DISK_WRITE, written);
	g_assert_true(disk_rescan(disk, on_sized, &sizing, NULL));
	g_assert_false(disk_rescan(disk, on_sized, &second, NULL));
	finish_many(&many);
	wait_until(&sizing.over);
	g_assert_no_error(sizing.why);
	g_assert_cmpuint(sizing.size, ==, 6 * MIB);
	g_assert_cmpuint(nr_resized, ==, 1);
	submit_many(disk, &many, DISK_READ, read_back);
	finish_many(&many);
	g_assert_cmpmem(written, 64 * 12288, read_back, 64 * 12288);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 5 * MIB, written, 4096), ==, 0);
	g_assert_true(reads_as(disk, 5 * MIB, written, 4096));
	g_assert_cmpuint(rescan_disk(disk, NULL), ==, 6 * MIB);
	g_assert_cmpuint(nr_resized, ==, 1);
	/* What was looked at without an effect was not kept. */
	g_assert_cmpuint(count_in_file(log, " Connect "), ==, 4);
	g_assert_cmpint(truncate(image, 5 * MIB), ==, 0);
	no_size(disk, "smaller");
	g_assert_null(last_message);
	assert_idle();
	disk_close(disk);
	g_assert_false(second.over);
	kill_server(SIGTERM);
	free(written);
	free(read_back);
}

static void set_size(const char *text)
{
	g_assert_true(g_file_set_contents(scratch_path("size"), text, -1, NULL));
}

/* A server whose writes take until the file @go is there; its size is what set_size() said. */
static void start_slow_server(const char *log, const char *go)
{
	g_autofree char *arguments = g_strdup_printf(
		"--filter=log eval thread_model='echo parallel' get_size='cat \"%s\"' "
		"can_write='exit 0' can_flush='exit 0' flush='exit 0' pread='exit 1' "
		"pwrite='until test -e \"%s\"; do sleep 0.01; done; cat >/dev/null' "
		"logfile='%s'",
		scratch_path("size"), go, log);

	start_server(arguments);
}

static void submit_one(struct disk *disk, struct many *many, uint64_t offset, void *data)
{
	struct one *one = &many->one[many->left++];

	*one = (struct one){ .many = many, .iov = { { data, 4096 } } };
	one->req = (struct disk_request){ .op = DISK_WRITE,
					  .offset = offset,
					  .length = 4096,
					  .iov = one->iov,
					  .nr_iov = 1,
					  .done = on_one_done };
	disk_submit(disk, &one->req);
}

static void wait_in_file(const char *path, const char *what, unsigned int count)
{
	while (count_in_file(path, what) < count) {
		while (g_main_context_iteration(NULL, FALSE))
			;
		g_usleep(1000);
	}
}

/*
 * A new connection is used when the old one has answered everything, and not before; and
 * what was not flushed by then is written again.
 */
static void test_rescan_order(void)
{
	char *data = aligned_buffer(4096, 19);
	const char *log, *go;
	g_autofree char *text = NULL;
	struct sizing sizing = { 0 };
	struct many many = { 0 };
	struct disk *disk;

	if (!have_server())
		return;
	log = scratch_path("order.log");
	go = scratch_path("go");
	set_size("1M");
	start_slow_server(log, go);
	disk = open_disk(test_spec("raw", uri));
	set_size("2M");
	submit_one(disk, &many, 0, data);
	wait_in_file(log, " Write ", 1);
	g_assert_true(disk_rescan(disk, on_sized, &sizing, NULL));
	/* The new connection is made, and says the new size. */
	wait_in_file(log, " size=0x200000 ", 1);
	submit_one(disk, &many, 4096, data);
	g_assert_true(g_file_set_contents(go, "", 0, NULL));
	wait_until(&sizing.over);
	g_assert_no_error(sizing.why);
	g_assert_cmpuint(sizing.size, ==, 2 * MIB);
	wait_until(&many.all);
	g_assert_cmpint(many.error, ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
	g_assert_cmpuint(count_in_file(log, "connection=2 Write "), ==, 2);
	g_assert_cmpuint(count_in_file(log, "connection=2 Flush "), ==, 1);
	g_assert_true(g_strrstr(text, "connection=1 ...Write ") <
		      strstr(text, "connection=2 Write "));
	/* Flushed: there is nothing to be written again. */
	set_size("3M");
	g_assert_cmpuint(rescan_disk(disk, NULL), ==, 3 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, 0);
	g_assert_cmpuint(count_in_file(log, "connection=3 Write "), ==, 0);
	g_assert_cmpuint(count_in_file(log, "connection=3 Flush "), ==, 1);
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

/* Whoever waits for the size of a server that says nothing is told, and so at the end. */
static void test_rescan_mute(void)
{
	char *data = aligned_buffer(MIB, 20);
	struct sizing sizing = { 0 };
	struct many many;
	struct disk *disk;

	if (!have_server())
		return;
	start_server("memory 4M");
	disk = open_disk(test_spec("raw", uri));
	stop_server();
	submit_many(disk, &many, DISK_WRITE, data);
	no_size(disk, "doesn't answer a second connection");
	g_assert_true(disk_rescan(disk, on_sized, &sizing, NULL));
	kill_server(SIGKILL);
	wait_until(&sizing.over);
	g_assert_nonnull(sizing.why);
	g_assert_nonnull(strstr(sizing.why->message, "is gone"));
	g_clear_error(&sizing.why);
	start_server("memory 4M");
	finish_many(&many);
	stop_server();
	sizing.over = FALSE;
	g_assert_true(disk_rescan(disk, on_sized, &sizing, NULL));
	disk_close(disk);
	g_assert_true(sizing.over);
	g_assert_error(sizing.why, DISK_ERROR, DISK_ERROR_SIZE);
	g_clear_error(&sizing.why);
	kill_server(SIGKILL);
	free(data);
}

/* --- opening while a guest runs --- */

static void refused_later(const struct disk_spec *spec, const char *what)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(open_disk_later(spec, &error));
	g_assert_error(error, DISK_ERROR, DISK_ERROR_OPEN);
	g_test_message("%s", error->message);
	g_assert_true(g_str_has_prefix(error->message, spec->target));
	g_assert_nonnull(strstr(error->message, what));
}

static void test_later(void)
{
	char *data = aligned_buffer(4096, 16);
	GError *error = NULL;
	struct disk_spec *spec;
	struct disk *disk;

	if (!have_server())
		return;
	spec = test_spec("raw", uri);
	unlink(scratch_path("socket"));
	refused_later(spec, "can't connect");
	start_server("-r memory 1M");
	refused_later(spec, "give the mode r");
	kill_server(SIGTERM);
	start_server("memory 4M");
	disk = open_disk_later(spec, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(disk_info(disk)->size, ==, 4 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	/* And from then on it is as any other. */
	kill_server(SIGKILL);
	start_server("memory 4M");
	g_assert_true(reads_as(disk, 0, data, 4096));
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

static gboolean on_turn(gpointer turns)
{
	++*(unsigned int *)turns;
	return G_SOURCE_CONTINUE;
}

static void never_opened(void *opaque, const GError *error)
{
	(void)opaque;
	g_error("a disk that was closed has opened: %s", error ? error->message : "fine");
}

/* One that takes the connection and says nothing: the main loop turns meanwhile. */
static void test_later_silent(void)
{
	const struct disk_listener never = { .opened = never_opened };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned int turns = 0;
	guint source;
	struct disk_spec *spec;
	struct disk *disk;
	GError *error = NULL;

	if (!have_server()) {
		close(fd);
		return;
	}
	unlink(scratch_path("socket"));
	g_strlcpy(address.sun_path, scratch_path("socket"), sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(fd, 4), ==, 0);
	spec = test_spec("raw", uri);
	/* Given up right away, and after a while. */
	disk_close(disk_open(spec, NULL, &never, &error));
	g_assert_no_error(error);
	disk = disk_open(spec, NULL, &never, &error);
	g_assert_no_error(error);
	source = g_timeout_add(10, on_turn, &turns);
	while (turns < 10)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(source);
	disk_close(disk);
	close(fd);
}

/* --- waiting --- */

/* Waiting has an end, and so has failing. */
static void test_limit(void)
{
	char *data = aligned_buffer(4096, 11);
	struct disk_spec *spec;
	struct disk *disk;

	if (!have_server())
		return;
	start_server("memory 4M");
	spec = test_spec("raw", uri);
	spec->reconnect = 1;
	disk = open_disk(spec);
	kill_server(SIGKILL);
	unlink(scratch_path("socket"));
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, EIO);
	g_assert_nonnull(strstr(last_message, "still gone"));
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, 4096), ==, EIO);
	start_server("memory 4M");
	wait_for_message("the server is back");
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	disk_close(disk);
	kill_server(SIGTERM);

	/* Another server in its place is not taken for it. */
	start_server("memory 4M");
	spec->reconnect = 100;
	disk = open_disk(spec);
	kill_server(SIGKILL);
	start_server("memory 2M");
	wait_for_message("smaller");
	kill_server(SIGKILL);
	start_server("memory 4M");
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

/* One that is there and says nothing: no error, but not silence either. */
static void test_mute(void)
{
	char *data = aligned_buffer(MIB, 13);
	struct disk_spec *spec;
	struct many many;
	struct disk *disk;

	if (!have_server())
		return;
	start_server("memory 4M");
	spec = test_spec("raw", uri);
	spec->reconnect = 1;
	disk = open_disk(spec);
	stop_server();
	submit_many(disk, &many, DISK_WRITE, data);
	wait_for_message("doesn't answer");
	kill_server(SIGCONT);
	finish_many(&many);
	wait_for_message("answers again");
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

static void test_close_while_gone(void)
{
	char *data = aligned_buffer(MIB, 12);
	struct many many;
	struct disk *disk;

	if (!have_server())
		return;
	start_server("memory 4M");
	disk = open_disk(test_spec("raw", uri));
	submit_many(disk, &many, DISK_WRITE, data);
	disk_close(disk);
	g_assert_true(many.all);
	g_assert_cmpint(many.error, ==, ECANCELED);
	/* nbdkit of Debian 12 may end when a client goes in the middle of requests. */
	run_tool(NULL, "kill -9 $(cat '%s') 2>/dev/null", scratch_path("pid"));
	start_server("memory 4M");
	disk = open_disk(test_spec("raw", uri));
	kill_server(SIGKILL);
	wait_for_message("is gone");
	submit_many(disk, &many, DISK_WRITE, data);
	disk_close(disk);
	g_assert_true(many.all);
	g_assert_cmpint(many.error, ==, ECANCELED);
	free(data);
}

int main(int argc, char **argv)
{
	g_autofree char *text =
		g_strdup_printf("nbd+unix:///?socket=%s", scratch_path("socket"));
	int status;

	uri = text;
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/disk/nbd/requests", test_requests);
	g_test_add_func("/disk/nbd/many", test_many);
	g_test_add_func("/disk/nbd/many-large", test_many_large);
	g_test_add_func("/disk/nbd/fua-by-hand", test_fua_by_hand);
	g_test_add_func("/disk/nbd/refused", test_refused);
	g_test_add_func("/disk/nbd/errors", test_errors);
	g_test_add_func("/disk/nbd/comes-back", test_comes_back);
	g_test_add_func("/disk/nbd/forgets", test_forgets);
	g_test_add_func("/disk/nbd/never-flushed", test_never_flushed);
	g_test_add_func("/disk/nbd/grows", test_grows);
	g_test_add_func("/disk/nbd/rescan", test_rescan);
	g_test_add_func("/disk/nbd/rescan-order", test_rescan_order);
	g_test_add_func("/disk/nbd/rescan-mute", test_rescan_mute);
	g_test_add_func("/disk/nbd/later", test_later);
	g_test_add_func("/disk/nbd/later-silent", test_later_silent);
	g_test_add_func("/disk/nbd/limit", test_limit);
	g_test_add_func("/disk/nbd/mute", test_mute);
	g_test_add_func("/disk/nbd/close-while-gone", test_close_while_gone);
	status = g_test_run();
	scratch_remove();
	return status;
}
