/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-log.h - a file that keeps what a guest prints
 */
#ifndef XENEMU_BACKEND_CONSOLE_LOG_H
#define XENEMU_BACKEND_CONSOLE_LOG_H

#include <glib.h>
#include <stdint.h>

struct console_log;

/**
 * console_log_new() - open a log
 * @path:  a regular file, made when it is missing (mode 0600), appended to when not
 * @limit: the file never gets longer, bytes: it is renamed to PATH.1, over the one
 *         that was there, and begun anew; 0: no limit
 * @error: G_FILE_ERROR; names the file
 */
struct console_log *console_log_new(const char *path, uint64_t limit, GError **error);

/**
 * console_log_write() - append
 *
 * What the file system does not take is lost, which is said on stderr.
 */
void console_log_write(struct console_log *log, const char *bytes, size_t len);

/** console_log_free() - NULL is allowed */
void console_log_free(struct console_log *log);

#endif
