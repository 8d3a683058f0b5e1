/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sandboxed process can't do: it tries, and says what became of it.
 */
#include "boot/disk-source.h"
#include "boot/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_OUTPUT 1000

struct sandbox {
	pid_t child;
	int channel;
	int output;
};

static struct sandbox start(void (*job)(void *opaque), void *opaque)
{
	struct sandbox s = { .output = memfd_create("output", MFD_CLOEXEC) };
	GError *error = NULL;
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
	s.child = sandbox_start(pair[1], s.output, MAX_OUTPUT, job, opaque, &error);
	g_assert_no_error(error);
	close(pair[1]);
	s.channel = pair[0];
	return s;
}

/* Return: wait status */
static int finish(struct sandbox *s)
{
	int status;

	g_assert_cmpint(waitpid(s->child, &status, 0), ==, s->child);
	close(s->channel);
	close(s->output);
	return status;
}

/* The errno of each attempt; 0 if it succeeded */
enum attempt {
	OPEN,
	SOCKET,
	FORK,
	EXEC,
	KILL,
	CODE,
	OTHER_FD,
	ROOT,
	NR_ATTEMPTS
};

static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

static void try_everything(void *opaque)
{
	char *const argv[] = { "true", NULL };
	int errors[NR_ATTEMPTS];

	errors[OPEN] = outcome(open("/dev/null", O_RDONLY));
	errors[SOCKET] = outcome(socket(AF_INET, SOCK_STREAM, 0));
	errors[FORK] = outcome(fork());
	errors[EXEC] = outcome(execv("/bin/true", argv));
	errors[KILL] = outcome(kill(*(pid_t *)opaque, 0));
	errors[CODE] = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0) == MAP_FAILED
			       ? errno
			       : 0;
	errors[OTHER_FD] = outcome(write(2, "x", 1));
	errors[ROOT] = outcome(setuid(0));
	if (write(SANDBOX_CHANNEL, errors, sizeof(errors)) < 0)
		_exit(1);
}

static void test_refused(void)
{
	pid_t self = getpid();
	struct sandbox s = start(try_everything, &self);
	int errors[NR_ATTEMPTS] = { 0 };

	g_assert_cmpint(recv(s.channel, errors, sizeof(errors), 0), ==, sizeof(errors));
	for (int i = 0; i < NR_ATTEMPTS; i++)
		g_assert_cmpint(errors[i], ==, EPERM);
	g_assert_cmpint(finish(&s), ==, 0);
}

/* What we can see of it from outside */
static void wait_for_message(void *opaque G_GNUC_UNUSED)
{
	char byte = 1;

	if (write(SANDBOX_CHANNEL, &byte, 1) < 0 || read(SANDBOX_CHANNEL, &byte, 1) < 0)
		_exit(1);
}

static void test_status(void)
{
	struct sandbox s = start(wait_for_message, NULL);
	g_autofree char *path = g_strdup_printf("/proc/%d/status", s.child);
	g_autofree char *status = NULL;
	char byte = 0;

	g_assert_cmpint(recv(s.channel, &byte, 1, 0), ==, 1);
	g_assert_true(g_file_get_contents(path, &status, NULL, NULL));
	g_assert_nonnull(strstr(status, "\nNoNewPrivs:\t1\n"));
	g_assert_nonnull(strstr(status, "\nSeccomp:\t2\n"));
	if (geteuid() == 0) {
		g_assert_nonnull(strstr(status, "\nUid:\t65534\t65534\t65534\t65534\n"));
		g_assert_nonnull(strstr(status, "\nGid:\t65534\t65534\t65534\t65534\n"));
		g_assert_nonnull(strstr(status, "\nCapPrm:\t0000000000000000\n"));
	}
	g_assert_cmpint(send(s.channel, &byte, 1, 0), ==, 1);
	g_assert_cmpint(finish(&s), ==, 0);
}

static void write_much(void *opaque G_GNUC_UNUSED)
{
	char buf[MAX_OUTPUT + 1] = { 0 };

	/* The rest gives EFBIG, with SIGXFSZ. */
	if (write(SANDBOX_OUTPUT, buf, sizeof(buf)) != MAX_OUTPUT)
		_exit(1);
	if (write(SANDBOX_OUTPUT, buf, 1) == 1)
		_exit(2);
}

static void test_output_limit(void)
{
	struct sandbox s = start(write_much, NULL);
	int status;

	g_assert_cmpint(waitpid(s.child, &status, 0), ==, s.child);
	g_assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ) ||
		      (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	g_assert_cmpint(lseek(s.output, 0, SEEK_END), ==, MAX_OUTPUT);
	close(s.channel);
	close(s.output);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sandbox/refused", test_refused);
	g_test_add_func("/sandbox/status", test_status);
	g_test_add_func("/sandbox/output-limit", test_output_limit);
	return g_test_run();
}
