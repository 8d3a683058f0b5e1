/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal.c - raw mode of the terminal that is the guest's console
 */
#include "cli/terminal.h"
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static const int fatal_signals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };

static struct {
	volatile sig_atomic_t raw;
	int fd;
	struct termios saved;
	struct sigaction previous[NSIG];
} terminal;

void terminal_restore(void)
{
	if (!terminal.raw)
		return;
	terminal.raw = 0;
	tcsetattr(terminal.fd, TCSADRAIN, &terminal.saved);
}

/* Only what is safe in a signal handler: the terminal, then whoever was there before. */
static void on_fatal(int sig)
{
	terminal_restore();
	sigaction(sig, &terminal.previous[sig], NULL);
	raise(sig);
}

static void catch_fatal_signals(void)
{
	struct sigaction action = { .sa_handler = on_fatal };

	sigemptyset(&action.sa_mask);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fatal_signals); i++)
		sigaction(fatal_signals[i], &action, &terminal.previous[fatal_signals[i]]);
}

void terminal_raw(int fd)
{
	struct termios raw;

	if (terminal.raw || tcgetattr(fd, &terminal.saved))
		return;
	raw = terminal.saved;
	cfmakeraw(&raw);
	/* Our own messages end in a plain newline. */
	raw.c_oflag |= OPOST;
	terminal.fd = fd;
	catch_fatal_signals();
	atexit(terminal_restore);
	terminal.raw = 1;
	tcsetattr(fd, TCSADRAIN, &raw);
}

gboolean terminal_usable(int fd)
{
	return !isatty(fd) || tcgetpgrp(fd) == getpgrp();
}
