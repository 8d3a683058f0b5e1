/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-spec.h - what `--console` says
 *
 *     stdio                   standard input and output of `xenemu run`
 *     pty[:LINK]              a terminal of its own, and a link to it
 *     unix[:PATH]             a Unix socket that one client at a time connects to
 *     file:PATH               output only, appended
 *
 * each followed by any of ,log=PATH ,log-size=SIZE ,name=NAME.  A path can't hold a
 * comma.
 */
#ifndef XENEMU_BACKEND_CONSOLE_SPEC_H
#define XENEMU_BACKEND_CONSOLE_SPEC_H

#include <glib.h>
#include <stdint.h>

/** Linux's xen-hvc takes the last digit of a path for the number. */
#define CONSOLE_MAX 10

#define CONSOLE_LOG_SIZE (16ULL << 20) /* bytes, when only log= is given */

enum console_kind {
	CONSOLE_STDIO,
	CONSOLE_PTY,
	CONSOLE_UNIX,
	CONSOLE_FILE,
};

/**
 * struct console_spec - one console
 * @kind:     where it goes
 * @path:     LINK or PATH; NULL when not given
 * @log:      file that gets all output as well, or NULL
 * @log_size: when it is as long as that it becomes PATH.1, bytes; 0: never
 * @name:     what the guest's tools know it by (xl's channels), or NULL
 *
 * Not parsed, but filled in by who opens it:
 * @guest:    name of the guest, for messages; NULL: they don't say
 * @index:    0 for the primary console
 * @place:    path at which a pty's link or a socket is made besides, or NULL; it need
 *            not be removed
 * @no_input: CONSOLE_STDIO: don't read
 * @escape:   Ctrl-] was typed at a terminal; may free the console; may be NULL
 * @opaque:   for @escape
 */
struct console_spec {
	enum console_kind kind;
	char *path;
	char *log;
	uint64_t log_size;
	char *name;

	char *guest;
	unsigned int index;
	char *place;
	gboolean no_input;
	void (*escape)(void *opaque);
	void *opaque;
};

/**
 * console_spec_parse() - read the value of one `--console`
 * @error: G_OPTION_ERROR; says what is wrong and what may be given
 *
 * Return: console_spec_free() it.
 */
struct console_spec *console_spec_parse(const char *text, GError **error);

/**
 * console_file_name() - what in the guest's runtime directory leads to a console:
 * "console", "console1"...; caller frees
 */
char *console_file_name(unsigned int index);

/** console_spec_free() - NULL is allowed */
void console_spec_free(struct console_spec *spec);

#endif
