/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-process.h - QEMU as a child process: its start, its last words, its end
 */
#ifndef XENEMU_MACHINE_QEMU_PROCESS_H
#define XENEMU_MACHINE_QEMU_PROCESS_H

#include <glib.h>

struct qemu_process;

/**
 * qemu_process_find() - the QEMU program to run
 * @wanted: program of the user's choice, or NULL for $XENEMU_QEMU, or where
 *          that is not set qemu-system-x86_64
 * @error:  MACHINE_ERROR_ABSENT, with the package to install
 *
 * Return: path, the caller's; NULL with @error set.
 */
char *qemu_process_find(const char *wanted, GError **error);

/**
 * qemu_process_spawn() - run QEMU
 * @argv:   program and arguments, NULL-terminated
 * @fds:    descriptors that become 3, 4, ... of the child; they stay the
 *          caller's
 * @nr_fds: how many
 * @ended:  called on the main thread when QEMU has ended by itself;
 *          @wait_status as of waitpid()
 * @opaque: its first argument
 * @error:  set when it can't be run
 *
 * QEMU's end of the terminal is /dev/null, what it prints is kept for
 * qemu_process_output(), and it dies with this process.
 */
struct qemu_process *qemu_process_spawn(char **argv, const int *fds, unsigned int nr_fds,
					void (*ended)(void *opaque, int wait_status),
					void *opaque, GError **error);

/**
 * qemu_process_output() - the last lines that QEMU printed
 *
 * Return: text without a final newline, at most some 4 KiB, the process's own;
 * "" when it printed nothing.
 */
const char *qemu_process_output(struct qemu_process *p);

/** qemu_process_free() - end QEMU, wait for its end; NULL is allowed */
void qemu_process_free(struct qemu_process *p);

#endif
