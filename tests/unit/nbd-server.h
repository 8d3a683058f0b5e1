/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nbd-server.h - an NBD server for tests: nbdkit on a local socket
 */
#ifndef TESTS_NBD_SERVER_H
#define TESTS_NBD_SERVER_H

#include "disk-test.h"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/** start_server() - nbdkit with @arguments; returns when it serves and its pid is known */
static inline void start_server(const char *arguments)
{
	const char *socket = scratch_path("socket");
	const char *pid = scratch_path("pid");

	unlink(socket);
	unlink(pid);
	/* It goes into the background before it writes the file. */
	g_assert_cmpint(
		run_tool(NULL,
			 "nbdkit -U '%s' -P '%s' %s && "
			 "timeout 60 sh -c 'until test -s \"$0\"; do sleep 0.01; done' '%s'",
			 socket, pid, arguments, pid),
		==, 0);
}

static inline int server_pid(void)
{
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(scratch_path("pid"), &text, NULL, NULL));
	return atoi(text);
}

static inline void kill_server(int sig)
{
	g_assert_cmpint(kill(server_pid(), sig), ==, 0);
}

/** have_server() - whether there is an nbdkit; else the test is skipped */
static inline gboolean have_server(void)
{
	if (!run_tool(NULL, "command -v nbdkit"))
		return TRUE;
	g_test_skip("no nbdkit (package nbdkit)");
	return FALSE;
}

#endif
