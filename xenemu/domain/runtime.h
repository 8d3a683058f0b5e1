/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime.h - a running guest's name, and the directory that holds its sockets
 *
 * The directory is BASE/NAME, mode 0700.  BASE is $XENEMU_RUNTIME_DIR if that is set; else
 * /run/xenemu for root, $XDG_RUNTIME_DIR/xenemu for others, and /tmp/xenemu-UID for those
 * who have none.  Whoever holds the lock on the directory owns the name, so that what a
 * killed helper left behind is in nobody's way.
 *
 * Nothing is ever removed from it but sockets and links with the names that helpers give
 * them: xenstore, control, console, console1...  A directory with anything else in it is
 * taken only if it has a lock.
 */
#ifndef XENEMU_DOMAIN_RUNTIME_H
#define XENEMU_DOMAIN_RUNTIME_H

#include <glib.h>

struct runtime;

#define RUNTIME_ERROR (g_quark_from_static_string("xenemu-runtime"))

enum {
	RUNTIME_ERROR_TAKEN, /* a guest of that name is running */
	RUNTIME_ERROR_DIRECTORY, /* the directory can't be made or used */
};

/**
 * runtime_new() - take a name, make its directory
 * @name:  a name that parse_name() accepts, or NULL for the first of "guest",
 *         "guest-2", "guest-3"... that is free
 * @error: RUNTIME_ERROR; names the directory and says what to do
 *
 * What a killed helper left in the directory is removed.  Return: runtime_free() it.
 */
struct runtime *runtime_new(const char *name, GError **error);

/** runtime_name() - the guest's name; valid as long as @runtime */
const char *runtime_name(const struct runtime *runtime);

/** runtime_file() - path of a file in the directory; caller frees */
char *runtime_file(const struct runtime *runtime, const char *file);

/** runtime_free() - remove the directory, but for what is not ours; NULL is allowed */
void runtime_free(struct runtime *runtime);

/**
 * runtime_base() - the directory that holds those of all guests of this user
 *
 * It need not exist.  Caller frees.
 */
char *runtime_base(void);

/** runtime_guest_file() - path of a file in the directory of guest @name; caller frees */
char *runtime_guest_file(const char *name, const char *file);

/**
 * runtime_guests() - names of the guests that run now, in alphabetical order
 *
 * Return: NULL-terminated, g_strfreev() it.
 */
char **runtime_guests(void);

#endif
