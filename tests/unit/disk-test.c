/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-test.c - what the tests of disks share
 */
#include "disk-test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *directory;
char *last_message;
unsigned int nr_resized;
const struct memory *disk_memory;

const char *scratch_path(const char *name)
{
	g_autofree char *path = NULL;

	if (!directory) {
		/*
		 * Beside the program, in the build directory.  Not /tmp, which may be
		 * memory: O_DIRECT wants a real file system.
		 */
		g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
		g_autofree char *here = g_path_get_dirname(program);

		directory = g_build_filename(here, "disk-test-XXXXXX", NULL);
		g_assert_nonnull(g_mkdtemp(directory));
	}
	path = g_build_filename(directory, name, NULL);
	return g_intern_string(path);
}

const char *scratch_file(const char *name, uint64_t size)
{
	const char *path = scratch_path(name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(ftruncate(fd, size), ==, 0);
	close(fd);
	return path;
}

void scratch_remove(void)
{
	if (directory)
		run_tool(NULL, "rm -rf '%s'", directory);
	g_clear_pointer(&directory, g_free);
}

int run_tool(char **output, const char *format, ...)
{
	g_autofree char *command = NULL;
	const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
	g_autofree char *ignored = NULL;
	va_list args;
	int status = -1;

	va_start(args, format);
	command = g_strdup_vprintf(format, args);
	va_end(args);
	argv[2] = command;
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL,
				   NULL, output ? output : &ignored, NULL, &status, NULL));
	return status;
}

struct disk_spec *test_spec(const char *format, const char *target)
{
	static struct disk_spec spec;

	spec = (struct disk_spec){
		.target = (char *)target,
		.format = (char *)format,
		.discard = TRUE,
		.locked = TRUE,
		.reconnect = 60,
	};
	return &spec;
}

static void on_message(void *opaque, const char *text)
{
	(void)opaque;
	g_free(last_message);
	last_message = g_strdup(text);
	g_test_message("%s", text);
}

static void on_resized(void *opaque)
{
	(void)opaque;
	nr_resized++;
}

struct disk *open_disk(const struct disk_spec *spec)
{
	static const struct disk_listener listener = { .resized = on_resized,
						       .message = on_message };
	GError *error = NULL;
	struct disk *disk;

	g_clear_pointer(&last_message, g_free);
	nr_resized = 0;
	disk = disk_open(spec, disk_memory, &listener, &error);
	g_assert_no_error(error);
	g_assert_nonnull(disk);
	return disk;
}

/**
 * struct opening - a disk that opens
 * @over: its listener was told
 * @why:  what
 */
struct opening {
	gboolean over;
	GError *why;
};

static void on_opened(void *opaque, const GError *error)
{
	struct opening *opening = opaque;

	g_assert_false(opening->over);
	opening->over = TRUE;
	opening->why = error ? g_error_copy(error) : NULL;
}

struct disk *open_disk_later(const struct disk_spec *spec, GError **error)
{
	struct opening opening = { 0 };
	const struct disk_listener listener = {
		.resized = on_resized,
		.message = on_message,
		.opened = on_opened,
		.opaque = &opening,
	};
	struct disk *disk = disk_open(spec, disk_memory, &listener, error);

	if (!disk)
		return NULL;
	g_assert_false(opening.over);
	wait_until(&opening.over);
	if (!opening.why)
		return disk;
	disk_close(disk);
	g_propagate_error(error, opening.why);
	return NULL;
}

static gboolean on_limit(gpointer flag)
{
	(void)flag;
	g_error("no answer within a minute");
	return G_SOURCE_REMOVE;
}

void wait_until(const gboolean *flag)
{
	guint limit = g_timeout_add_seconds(60, on_limit, NULL);

	while (!*flag)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(limit);
}

void wait_for_message(const char *text)
{
	guint limit = g_timeout_add_seconds(60, on_limit, NULL);

	while (!last_message || !strstr(last_message, text))
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(limit);
}

struct one {
	struct disk_request req;
	struct iovec iov;
	gboolean answered;
	int error;
};

static void on_done(struct disk_request *req, int error)
{
	struct one *one = (struct one *)req;

	g_assert_false(one->answered);
	one->answered = TRUE;
	one->error = error;
}

static int io(struct disk *disk, struct one *one)
{
	one->req.done = on_done;
	disk_submit(disk, &one->req);
	disk_commit(disk);
	g_assert_false(one->answered);
	wait_until(&one->answered);
	return one->error;
}

int disk_io(struct disk *disk, enum disk_op op, uint64_t offset, void *buffer, size_t length)
{
	struct one one = {
		.req = { .op = op, .offset = offset, .length = length },
		.iov = { buffer, length },
	};

	if (buffer) {
		one.req.iov = &one.iov;
		one.req.nr_iov = 1;
	}
	return io(disk, &one);
}

int disk_io_fua(struct disk *disk, uint64_t offset, void *buffer, size_t length)
{
	struct one one = {
		.req = { .op = DISK_WRITE, .fua = TRUE, .offset = offset, .length = length },
		.iov = { buffer, length },
	};

	one.req.iov = &one.iov;
	one.req.nr_iov = 1;
	return io(disk, &one);
}

void on_sized(void *opaque, uint64_t size, const GError *error)
{
	struct sizing *sizing = opaque;

	g_assert_false(sizing->over);
	sizing->over = TRUE;
	sizing->size = size;
	sizing->why = error ? g_error_copy(error) : NULL;
}

static uint64_t finish_sizing(struct sizing *sizing, GError **error)
{
	g_assert_false(sizing->over);
	wait_until(&sizing->over);
	if (!sizing->why)
		return sizing->size;
	g_test_message("%s", sizing->why->message);
	g_propagate_error(error, sizing->why);
	return 0;
}

uint64_t rescan_disk(struct disk *disk, GError **error)
{
	struct sizing sizing = { 0 };

	if (!disk_rescan(disk, on_sized, &sizing, error))
		return 0;
	return finish_sizing(&sizing, error);
}

uint64_t resize_disk(struct disk *disk, uint64_t size, GError **error)
{
	struct sizing sizing = { 0 };

	if (!disk_resize(disk, size, on_sized, &sizing, error))
		return 0;
	return finish_sizing(&sizing, error);
}

void *aligned_buffer(size_t length, unsigned int seed)
{
	uint32_t *words = aligned_alloc(4096, (length + 4095) & ~(size_t)4095);

	g_assert_nonnull(words);
	for (size_t i = 0; i < length / sizeof(*words); i++)
		words[i] = (i + 1) * 2654435761U ^ seed;
	return words;
}
