/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.c - a process that can compute, and nothing else
 */
#include "boot/sandbox.h"
#include "boot/disk-source.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define MAX_CPU_SECONDS 60
#define MAX_MEMORY (2UL << 30)
#define STATUS_NOT_LOCKED_UP 125

/* Sanitizers' shadow is terabytes of address space. */
#ifdef __SANITIZE_ADDRESS__
#define LIMITS_MEMORY FALSE
#else
#define LIMITS_MEMORY TRUE
#endif

static gboolean keep_two_descriptors(int channel, int output)
{
	/* First out of the way of each other. */
	int a = fcntl(channel, F_DUPFD, 3), b = fcntl(output, F_DUPFD, 3);

	return a >= 0 && b >= 0 && dup2(a, SANDBOX_CHANNEL) >= 0 &&
	       dup2(b, SANDBOX_OUTPUT) >= 0 && close_range(SANDBOX_OUTPUT + 1, ~0U, 0) == 0;
}

static gboolean limit(int what, uint64_t value)
{
	const struct rlimit rlimit = { value, value };

	return setrlimit(what, &rlimit) == 0;
}

static gboolean set_limits(uint64_t max_output)
{
	return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, max_output) &&
	       limit(RLIMIT_CPU, MAX_CPU_SECONDS) &&
	       (!LIMITS_MEMORY || limit(RLIMIT_AS, MAX_MEMORY));
}

/* Root in a world of one user (a container) has nobody else to be: EINVAL. */
static gboolean leave_root(void)
{
	if (geteuid() != 0)
		return TRUE;
	if (setresgid(NOBODY, NOBODY, NOBODY) || setgroups(0, NULL) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return errno == EINVAL;
	return TRUE;
}

static gboolean allow_memory(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp not_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_code) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_code) == 0;
}

static gboolean allow_descriptors(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp channel = SCMP_A0(SCMP_CMP_EQ, SANDBOX_CHANNEL);
	const struct scmp_arg_cmp output = SCMP_A0(SCMP_CMP_EQ, SANDBOX_OUTPUT);

	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(read), 1, channel) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, channel) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, output) == 0;
}

/* Anything else is refused, not deadly: libraries ask for more than they need. */
static gboolean filter_calls(void)
{
	static const int allowed[] = {
		SCMP_SYS(brk),          SCMP_SYS(munmap),      SCMP_SYS(mremap),
		SCMP_SYS(madvise),      SCMP_SYS(futex),       SCMP_SYS(exit),
		SCMP_SYS(exit_group),   SCMP_SYS(getrandom),   SCMP_SYS(clock_gettime),
		SCMP_SYS(gettimeofday), SCMP_SYS(sched_yield),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	gboolean ok = filter && allow_memory(filter) && allow_descriptors(filter);

	for (guint i = 0; ok && i < G_N_ELEMENTS(allowed); i++)
		ok = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
	ok = ok && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return ok;
}

/* PDEATHSIG is lost with every change of user, so it comes after that. */
static gboolean lock_up(pid_t parent, int channel, int output, uint64_t max)
{
	return keep_two_descriptors(channel, output) && set_limits(max) && leave_root() &&
	       prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
	       getppid() == parent && filter_calls();
}

pid_t sandbox_start(int channel, int output, uint64_t max, void (*job)(void *opaque),
		    void *opaque, GError **error)
{
	pid_t parent = getpid(), child = fork();

	if (child < 0) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_READER, "fork: %s",
			    g_strerror(errno));
		return -1;
	}
	if (child > 0)
		return child;
	if (!lock_up(parent, channel, output, max))
		_exit(STATUS_NOT_LOCKED_UP);
	job(opaque);
	/* Not _exit(): a leak sanitizer's starts a process. */
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}
