/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-guess.h - does a raw disk look like an image of another format?
 */
#ifndef XENEMU_BACKEND_DISK_GUESS_H
#define XENEMU_BACKEND_DISK_GUESS_H

#include <stddef.h>

/**
 * disk_guess_format() - what an image's first bytes say
 * @head: the bytes
 * @len:  how many, at least 512 to find all
 *
 * Only ever a hint to the user: what is in a raw disk is the guest's to choose, and a
 * format may name other files of the host.
 *
 * Return: a word that --disk takes as a format, or NULL.
 */
const char *disk_guess_format(const void *head, size_t len);

#endif
