/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printable.h - text from a guest, fit for a terminal
 */
#ifndef XENEMU_DOMAIN_PRINTABLE_H
#define XENEMU_DOMAIN_PRINTABLE_H

/**
 * make_printable() - replace what is not to be shown by question marks
 * @text: changed in place, keeps its length
 *
 * Afterwards it is one line of valid UTF-8 without control or format characters: it can
 * neither move the cursor nor look like a message that somebody else has written.
 */
void make_printable(char *text);

#endif
