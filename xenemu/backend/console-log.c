/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-log.c - a file that keeps what a guest prints
 */
#include "backend/console-log.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * struct console_log - see console-log.h
 * @fd:   -1 after it could not be opened again
 * @size: bytes in the file
 * @lost: output is being lost; said once
 */
struct console_log {
	char *path;
	char *old_path;
	int fd;
	uint64_t size, limit;
	gboolean lost;
};

/* Not blocking: a FIFO without a reader is refused at once. */
static int open_file(const char *path, int flags)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | flags, 0600);
}

static struct console_log *fail(struct console_log *log, int code, GError **error)
{
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
		    "console log %s: %s; name a file that can be written", log->path,
		    code == EINVAL ? "not a regular file" : g_strerror(code));
	console_log_free(log);
	return NULL;
}

struct console_log *console_log_new(const char *path, uint64_t limit, GError **error)
{
	struct console_log *log = g_new0(struct console_log, 1);
	struct stat stat;

	log->path = g_strdup(path);
	log->old_path = g_strconcat(path, ".1", NULL);
	log->limit = limit;
	log->fd = open_file(path, 0);
	if (log->fd < 0 || fstat(log->fd, &stat))
		return fail(log, errno, error);
	if (!S_ISREG(stat.st_mode))
		return fail(log, EINVAL, error);
	log->size = stat.st_size;
	return log;
}

static void lost(struct console_log *log)
{
	if (!log->lost)
		g_printerr("xenemu: console log %s: %s; output is missing there\n", log->path,
			   g_strerror(errno));
	log->lost = TRUE;
}

static void rotate(struct console_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	g_rename(log->path, log->old_path);
	/* Where the renaming failed, the limit counts more than the old text. */
	log->fd = open_file(log->path, O_TRUNC);
	log->size = 0;
}

void console_log_write(struct console_log *log, const char *bytes, size_t len)
{
	while (len) {
		uint64_t room = log->limit ? log->limit - MIN(log->size, log->limit) : len;
		ssize_t done;

		if (!room || log->fd < 0) {
			rotate(log);
			if (log->fd < 0) {
				lost(log);
				return;
			}
			continue;
		}
		done = write(log->fd, bytes, MIN(len, room));
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			lost(log);
			return;
		}
		log->lost = FALSE;
		log->size += done;
		bytes += done;
		len -= done;
	}
}

void console_log_free(struct console_log *log)
{
	if (!log)
		return;
	if (log->fd >= 0)
		close(log->fd);
	g_free(log->path);
	g_free(log->old_path);
	g_free(log);
}
