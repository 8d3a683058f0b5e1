/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal.h - raw mode of the terminal that is the guest's console
 */
#ifndef XENEMU_CLI_TERMINAL_H
#define XENEMU_CLI_TERMINAL_H

#include <glib.h>

/**
 * terminal_raw() - pass every key to the guest
 * @fd: descriptor; nothing happens when it is no terminal
 *
 * Restored by terminal_restore(), at exit, and when a fatal signal (SIGSEGV,
 * SIGABRT, SIGBUS, SIGFPE, SIGILL) ends the process.
 */
void terminal_raw(int fd);

/** terminal_restore() - as it was; may be called any number of times */
void terminal_restore(void);

/**
 * terminal_usable() - may @fd be read from?
 *
 * A terminal may not while another process group has it: reading would stop us.
 */
gboolean terminal_usable(int fd);

#endif
