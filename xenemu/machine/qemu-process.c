/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-process.c - QEMU as a child process: its start, its last words, its end
 */
#include "machine/qemu-process.h"
#include "machine/machine.h"
#include "machine/watch.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_PROGRAM "qemu-system-x86_64"
#define KEPT_OUTPUT 4096
#define FIRST_CHILD_FD 3
#define MAX_CHILD_FDS 8
#define GRACE_MS 2000

struct qemu_process {
	GPid pid;
	int pidfd;
	struct watch *child_watch;
	guint child_source;
	int output_fd;
	struct watch *output_watch;
	GString *output;
	void (*ended)(void *opaque, int wait_status);
	void *opaque;
};

char *qemu_process_find(const char *wanted, GError **error)
{
	const char *name = wanted ? wanted : g_getenv("XENEMU_QEMU");
	char *path;

	if (!name || !*name)
		name = DEFAULT_PROGRAM;
	path = g_find_program_in_path(name);
	if (!path)
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_ABSENT,
			    "qemu: there is no program %s; install the package "
			    "qemu-system-x86, or name the program in $XENEMU_QEMU",
			    name);
	return path;
}

/* -1 before Linux 5.3 */
static int open_pidfd(GPid pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * Keeps the end of what QEMU says: that is where it says why it ends.
 * Return: as read()'s, from a pipe that does not block.
 */
static ssize_t read_output(struct qemu_process *p)
{
	char buf[KEPT_OUTPUT];
	ssize_t n = read(p->output_fd, buf, sizeof(buf));

	if (n > 0)
		g_string_append_len(p->output, buf, n);
	if (p->output->len > KEPT_OUTPUT)
		g_string_erase(p->output, 0, p->output->len - KEPT_OUTPUT);
	return n;
}

static gboolean on_output(int fd, GIOCondition condition, gpointer data)
{
	struct qemu_process *p = data;

	(void)fd;
	(void)condition;
	if (read_output(p) != 0)
		return G_SOURCE_CONTINUE;
	p->output_watch = NULL;
	return G_SOURCE_REMOVE;
}

static void on_child(GPid pid, int wait_status, gpointer data)
{
	struct qemu_process *p = data;

	(void)pid;
	p->pid = 0;
	p->child_source = 0;
	while (read_output(p) > 0)
		;
	p->ended(p->opaque, wait_status);
}

static gboolean on_pidfd(int fd, GIOCondition condition, gpointer data)
{
	struct qemu_process *p = data;
	int wait_status = 0;

	(void)fd;
	(void)condition;
	if (waitpid(p->pid, &wait_status, WNOHANG) == 0)
		return G_SOURCE_CONTINUE;
	g_clear_pointer(&p->child_watch, watch_free);
	on_child(p->pid, wait_status, p); /* may free p */
	return G_SOURCE_CONTINUE;
}

/* GLib's way would be one more descriptor for it to poll at all times. */
static void watch_child(struct qemu_process *p)
{
	p->pidfd = open_pidfd(p->pid);
	if (p->pidfd >= 0)
		p->child_watch = watch_new(p->pidfd, G_IO_IN, on_pidfd, p);
	else
		p->child_source = g_child_watch_add(p->pid, on_child, p);
}

/*
 * Runs in the child: only async-signal-safe calls.  QEMU gets a process group
 * of its own, so that Ctrl-C at the terminal is xenemu's to act upon.
 */
static void child_setup(gpointer parent)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != GPOINTER_TO_INT(parent))
		_exit(1);
}

static gboolean spawn(struct qemu_process *p, char **argv, const int *fds, unsigned int nr_fds,
		      int output, GError **error)
{
	int targets[MAX_CHILD_FDS];
	unsigned int i;

	g_return_val_if_fail(nr_fds <= MAX_CHILD_FDS, FALSE);
	for (i = 0; i < nr_fds; i++)
		targets[i] = FIRST_CHILD_FD + (int)i;
	return g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)argv, NULL,
						G_SPAWN_DO_NOT_REAP_CHILD, child_setup,
						GINT_TO_POINTER(getpid()), -1, output, output,
						fds, targets, nr_fds, &p->pid, NULL, NULL, NULL,
						error);
}

struct qemu_process *qemu_process_spawn(char **argv, const int *fds, unsigned int nr_fds,
					void (*ended)(void *opaque, int wait_status),
					void *opaque, GError **error)
{
	struct qemu_process *p = g_new0(struct qemu_process, 1);
	g_autoptr(GError) why = NULL;
	int output[2];
	gboolean ok;

	p->output = g_string_new(NULL);
	p->output_fd = -1;
	p->pidfd = -1;
	p->ended = ended;
	p->opaque = opaque;
	if (!g_unix_open_pipe(output, FD_CLOEXEC, &why))
		goto failed;
	p->output_fd = output[0];
	g_unix_set_fd_nonblocking(p->output_fd, TRUE, NULL);
	ok = spawn(p, argv, fds, nr_fds, output[1], &why);
	close(output[1]);
	if (!ok)
		goto failed;
	watch_child(p);
	p->output_watch = watch_new(p->output_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_output, p);
	return p;

failed:
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED, "qemu: can't run %s: %s",
		    argv[0], why->message);
	qemu_process_free(p);
	return NULL;
}

const char *qemu_process_output(struct qemu_process *p)
{
	while (p->output_watch && read_output(p) > 0)
		;
	g_strchomp(p->output->str);
	g_string_set_size(p->output, strlen(p->output->str));
	return p->output->str;
}

/* It has files of the user's to close, where its arguments named such. */
static void end_child(GPid pid)
{
	int pidfd = open_pidfd(pid);
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };

	kill(pid, SIGTERM);
	if (pidfd < 0 || TEMP_FAILURE_RETRY(poll(&gone, 1, GRACE_MS)) != 1)
		kill(pid, SIGKILL);
	if (pidfd >= 0)
		close(pidfd);
	TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
}

void qemu_process_free(struct qemu_process *p)
{
	if (!p)
		return;
	g_clear_handle_id(&p->child_source, g_source_remove);
	g_clear_pointer(&p->child_watch, watch_free);
	g_clear_pointer(&p->output_watch, watch_free);
	if (p->pid)
		end_child(p->pid);
	if (p->output_fd >= 0)
		close(p->output_fd);
	if (p->pidfd >= 0)
		close(p->pidfd);
	g_string_free(p->output, TRUE);
	g_free(p);
}
