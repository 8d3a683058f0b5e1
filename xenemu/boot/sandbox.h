/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.h - a process that can compute, and nothing else
 */
#ifndef XENEMU_BOOT_SANDBOX_H
#define XENEMU_BOOT_SANDBOX_H

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

/** Descriptors of the process; it has no others */
#define SANDBOX_CHANNEL 0
#define SANDBOX_OUTPUT 1

/**
 * sandbox_start() - fork, lock the child up, and let it do something
 * @channel: becomes SANDBOX_CHANNEL; the child can read and write it
 * @output:  becomes SANDBOX_OUTPUT, which it can write
 * @max:     most bytes of @output
 * @job:     what the child does; its end is the child's, with status 0
 * @opaque:  its argument
 * @error:   BOOT_ERROR_READER
 *
 * The child is another user than root, keeps no privilege, can open, map or execute no
 * file, make no process and no connection, use no more than 2 GiB of address space or 60 s of
 * processor time, and dies with this process.  What of this can't be had, it ends before
 * @job with a status other than 0.
 * Return: the child's id, to be waited for; -1 with @error set.
 */
pid_t sandbox_start(int channel, int output, uint64_t max, void (*job)(void *opaque),
		    void *opaque, GError **error);

#endif
