/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * requests.c - usage: requests DEVICE read|write seq|random BYTES DEPTH COUNT
 *
 * Runs in the guest: COUNT requests of BYTES to a block device, past the page cache, DEPTH
 * of them in flight; prints how long they took.  Linux's own AIO calls, without a library.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 256

static struct {
	int fd;
	int write;
	int random;
	size_t bytes;
	unsigned int depth;
	unsigned int count;
	uint64_t blocks;
	uint64_t next;
} job;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void parse(char **argv)
{
	uint64_t size;

	job.write = !strcmp(argv[2], "write");
	job.random = !strcmp(argv[3], "random");
	job.bytes = strtoul(argv[4], NULL, 10);
	job.depth = strtoul(argv[5], NULL, 10);
	job.count = strtoul(argv[6], NULL, 10);
	job.fd = open(argv[1], (job.write ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (job.fd < 0 || ioctl(job.fd, BLKGETSIZE64, &size))
		die(argv[1]);
	if (!job.bytes || !job.depth || job.depth > MAX_DEPTH || size < job.bytes)
		die("arguments");
	job.blocks = size / job.bytes;
}

/* The same sequence each time. */
static uint64_t next_offset(void)
{
	if (!job.random)
		return job.next++ % job.blocks * job.bytes;
	job.next = job.next * 6364136223846793005ULL + 1442695040888963407ULL;
	return (job.next >> 33) % job.blocks * job.bytes;
}

static void submit(aio_context_t context, struct iocb *cb)
{
	cb->aio_offset = next_offset();
	if (syscall(SYS_io_submit, context, 1, &cb) != 1)
		die("io_submit");
}

static void prepare(struct iocb *cb)
{
	void *buffer = aligned_alloc(4096, job.bytes);

	if (!buffer)
		die("memory");
	memset(buffer, 0x5a, job.bytes);
	*cb = (struct iocb){
		.aio_lio_opcode = job.write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = job.fd,
		.aio_buf = (uintptr_t)buffer,
		.aio_nbytes = job.bytes,
	};
	cb->aio_data = (uintptr_t)cb;
}

static void run(void)
{
	static struct iocb cbs[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	unsigned int begun = 0, ended = 0;
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, MAX_DEPTH, &context))
		die("io_setup");
	for (; begun < job.depth && begun < job.count; begun++) {
		prepare(&cbs[begun]);
		submit(context, &cbs[begun]);
	}
	while (ended < job.count) {
		int n = syscall(SYS_io_getevents, context, 1, MAX_DEPTH, events, NULL);

		if (n < 0 && errno != EINTR)
			die("io_getevents");
		for (int i = 0; i < n; i++, ended++) {
			if (events[i].res != (int64_t)job.bytes)
				die("a request");
			if (begun++ < job.count)
				submit(context, (struct iocb *)(uintptr_t)events[i].data);
		}
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double start;

	if (argc != 7) {
		fprintf(stderr,
			"usage: requests DEVICE read|write seq|random BYTES DEPTH COUNT\n");
		return 2;
	}
	parse(argv);
	start = now();
	run();
	printf("requests: %u in %.6f s\n", job.count, now() - start);
	return 0;
}
