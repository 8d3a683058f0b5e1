/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-test.h - what the tests of disks share: waiting for answers, scratch places
 */
#ifndef DISK_TEST_H
#define DISK_TEST_H

#include "backend/disk.h"

/** scratch_path() - a file name in this test's own directory on disk; owned by it */
const char *scratch_path(const char *name);

/** scratch_file() - scratch_path() of a new sparse file of @size bytes */
const char *scratch_file(const char *name, uint64_t size);

/** scratch_remove() - remove the directory */
void scratch_remove(void);

/** run_tool() - run a command line; return its exit status, output in @output if given */
int run_tool(char **output, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** test_spec() - a spec for @target; static, good until the next call */
struct disk_spec *test_spec(const char *format, const char *target);

/** open_disk() - disk_open() that must succeed; messages go to last_message */
struct disk *open_disk(const struct disk_spec *spec);

/**
 * open_disk_later() - disk_open() that does not wait: the main loop turns instead
 * @error: what its listener was told, or disk_open()
 *
 * Return: a disk that is open, or NULL.
 */
struct disk *open_disk_later(const struct disk_spec *spec, GError **error);
extern char *last_message;
extern unsigned int nr_resized;

/** disk_memory - what open_disk() and open_disk_later() give disk_open(); NULL at first */
extern const struct memory *disk_memory;

/** wait_until() - run the main loop until *@flag or, as a failure, a minute is over */
void wait_until(const gboolean *flag);

/** wait_for_message() - the same, until last_message contains @text */
void wait_for_message(const char *text);

/** disk_io() - one request, from submission to answer; return its error */
int disk_io(struct disk *disk, enum disk_op op, uint64_t offset, void *buffer, size_t length);
int disk_io_fua(struct disk *disk, uint64_t offset, void *buffer, size_t length);

/**
 * struct sizing - somebody who waits for a disk's size
 * @over: told
 * @size: what
 * @why:  or why not
 */
struct sizing {
	gboolean over;
	uint64_t size;
	GError *why;
};

/** on_sized() - a disk_sized_fn for a zeroed struct sizing */
void on_sized(void *opaque, uint64_t size, const GError *error);

/** rescan_disk() - disk_rescan() to its end; return the size, or 0 with @error set */
uint64_t rescan_disk(struct disk *disk, GError **error);

/** resize_disk() - the same of disk_resize() */
uint64_t resize_disk(struct disk *disk, uint64_t size, GError **error);

/** aligned_buffer() - memory as guests' pages are, filled with a pattern of @seed */
void *aligned_buffer(size_t length, unsigned int seed);

#endif
