/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-lock.h - image locks that QEMU's tools respect, as we respect theirs
 */
#ifndef XENEMU_BACKEND_DISK_LOCK_H
#define XENEMU_BACKEND_DISK_LOCK_H

#include <glib.h>

/**
 * disk_lock() - lock an image for one writer, or for any number of readers
 * @fd:        open for reading at least; the lock lasts until its last duplicate is
 *             closed
 * @read_only: whether the user of the lock only reads
 * @patient:   wait up to a second for a process that is just ending
 *
 * Return: 0; EAGAIN if others use the image in a way that excludes this one; another
 * errno if this file can't be locked.
 */
int disk_lock(int fd, gboolean read_only, gboolean patient);

#endif
