/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader.c - what a disk holds, found out by a process that can do no harm
 *
 * Our part of it: starts that process, reads for it, and takes what it says with
 * suspicion.
 */
#include "boot/reader.h"
#include "backend/disk.h"
#include "boot/reader-protocol.h"
#include "boot/sandbox.h"
#include "domain/printable.h"
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS_SIZE ((size_t)READER_SLOTS * READER_SLOT_SIZE)
#define TIME_LIMIT_SECONDS 60

/**
 * struct reader - one job
 * @job:      what the child does
 * @child:    the process
 * @channel:  our end of the socket
 * @output:   memfd with the file
 * @disk:     open while the child runs; NULL when it unpacks a file of the host's
 * @request:  what it wants read; under way while @reading
 * @message:  the last that it said
 * @finished: no more is to come
 * @why:      what went wrong, or NULL
 */
struct reader {
	struct reader_job job;
	pid_t child;
	int channel;
	int output;
	struct disk *disk;
	struct disk_request request;
	struct iovec iov;
	gboolean reading;
	struct reader_message message;
	gboolean finished;
	GError *why;
};

static void failed(struct reader *r, const char *what)
{
	if (!r->why)
		g_set_error(&r->why, BOOT_ERROR, BOOT_ERROR_READER, "the process that %s %s",
			    r->job.file ? "unpacks it" : "reads its file systems", what);
	r->finished = TRUE;
}

/* --- reading for it --- */

static void on_read(struct disk_request *request, int error)
{
	struct reader *r =
		(struct reader *)((char *)request - G_STRUCT_OFFSET(struct reader, request));
	int32_t answer = error;

	r->reading = FALSE;
	if (r->finished)
		return;
	if (error && !r->why)
		g_set_error(&r->why, BOOT_ERROR, BOOT_ERROR_DISK, "can't be read: %s",
			    g_strerror(error));
	/* A child that doesn't listen must not hold us up. */
	if (send(r->channel, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		failed(r, "does not listen");
}

static gboolean request_fits(const struct reader *r, const struct reader_message *msg)
{
	const struct disk_info *info = r->disk ? disk_info(r->disk) : NULL;

	return info && msg->slot < READER_SLOTS && msg->length > 0 &&
	       msg->length <= READER_SLOT_SIZE && msg->offset % info->sector_size == 0 &&
	       msg->length % info->sector_size == 0 && msg->offset < info->size &&
	       msg->length <= info->size - msg->offset;
}

static void start_read(struct reader *r)
{
	const struct reader_message *msg = &r->message;

	if (r->reading || !request_fits(r, msg)) {
		failed(r, "asks for what can't be");
		return;
	}
	r->iov = (struct iovec){ r->job.slots + (size_t)msg->slot * READER_SLOT_SIZE,
				 msg->length };
	memset(&r->request, 0, sizeof(r->request));
	r->request.op = DISK_READ;
	r->request.offset = msg->offset;
	r->request.length = msg->length;
	r->request.iov = &r->iov;
	r->request.nr_iov = 1;
	r->request.done = on_read;
	r->reading = TRUE;
	disk_submit(r->disk, &r->request);
	disk_commit(r->disk);
}

/* A string of the child's, fit for a terminal. */
static void make_string(char *text, size_t size)
{
	text[size - 1] = '\0';
	make_printable(text);
}

static void take_answer(struct reader *r)
{
	struct reader_message *msg = &r->message;

	r->finished = TRUE;
	make_string(msg->text, sizeof(msg->text));
	make_string(msg->finding.config, sizeof(msg->finding.config));
	make_string(msg->finding.kernel, sizeof(msg->finding.kernel));
	make_string(msg->finding.abi, sizeof(msg->finding.abi));
	if (msg->what == READER_FAILED && !r->why)
		g_set_error_literal(&r->why, BOOT_ERROR, BOOT_ERROR_ABSENT, msg->text);
	else if (msg->finding.width > IMAGE_X86_32)
		failed(r, "makes no sense");
}

static gboolean on_message(G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition,
			   gpointer opaque)
{
	struct reader *r = opaque;
	ssize_t n = recv(r->channel, &r->message, sizeof(r->message), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n != sizeof(r->message))
		failed(r, n > 0 ? "makes no sense" : "ended without an answer");
	else if (r->message.what == READER_READ)
		start_read(r);
	else
		take_answer(r);
	return G_SOURCE_CONTINUE;
}

static gboolean on_time_limit(gpointer opaque)
{
	struct reader *r = opaque;

	failed(r, r->job.file ? "takes too long; give an unpacked kernel"
			      : "takes too long; name the kernel with --kernel");
	return G_SOURCE_CONTINUE;
}

/* --- its life --- */

static gboolean start_child(struct reader *r, GError **error)
{
	int pair[2];

	r->job.slots = mmap(NULL, SLOTS_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	r->output = memfd_create("file of a disk", MFD_CLOEXEC);
	if (r->job.slots == MAP_FAILED || r->output < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_READER, "starting a process: %s",
			    g_strerror(errno));
		return FALSE;
	}
	r->channel = pair[0];
	r->child =
		sandbox_start(pair[1], r->output, r->job.max, reader_job_run, &r->job, error);
	close(pair[1]);
	return r->child > 0;
}

static gboolean open_disk(struct reader *r, const struct disk_spec *spec, GError **error)
{
	const struct disk_listener nobody = { 0 };
	struct disk_spec to_read = *spec;
	struct reader_disk disk;

	to_read.read_only = TRUE;
	r->disk = disk_open(&to_read, NULL, &nobody, error);
	if (!r->disk)
		return FALSE;
	disk.size = disk_info(r->disk)->size;
	disk.sector_size = disk_info(r->disk)->sector_size;
	if (send(r->channel, &disk, sizeof(disk), MSG_NOSIGNAL) < 0)
		failed(r, "could not be locked up");
	return TRUE;
}

/* Until the child has answered, or failed. */
static void serve(struct reader *r)
{
	guint message = g_unix_fd_add(r->channel, G_IO_IN | G_IO_HUP, on_message, r);
	guint time_limit = g_timeout_add_seconds(TIME_LIMIT_SECONDS, on_time_limit, r);

	while (!r->finished)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(message);
	g_source_remove(time_limit);
}

static void clear(struct reader *r)
{
	if (r->child > 0) {
		kill(r->child, SIGKILL);
		TEMP_FAILURE_RETRY(waitpid(r->child, NULL, 0));
	}
	disk_close(r->disk);
	if (r->channel >= 0)
		close(r->channel);
	if (r->output >= 0)
		close(r->output);
	if (r->job.slots != MAP_FAILED)
		munmap(r->job.slots, SLOTS_SIZE);
	g_clear_error(&r->why);
}

/* @spec: NULL: no disk.  @name: what is looked at, for messages. */
static gboolean run(struct reader *r, const struct disk_spec *spec, const char *name,
		    GError **error)
{
	r->channel = r->output = -1;
	r->job.slots = MAP_FAILED;
	/* The child first: what opening the disk starts is not its business. */
	if (!start_child(r, error) || (spec && !open_disk(r, spec, error)))
		return FALSE;
	serve(r);
	if (!r->why)
		return TRUE;
	g_propagate_prefixed_error(error, g_steal_pointer(&r->why), "%s: ", name);
	return FALSE;
}

gboolean reader_probe(const struct disk_spec *spec, struct reader_finding *finding,
		      GError **error)
{
	struct reader r = { 0 };
	gboolean ok = run(&r, spec, spec->target, error);

	if (ok)
		*finding = r.message.finding;
	clear(&r);
	return ok;
}

/* The child is gone by then, and nobody else has the memfd. */
static GBytes *map_output(int output, GError **error)
{
	g_autoptr(GMappedFile) file = g_mapped_file_new_from_fd(output, FALSE, error);

	return file ? g_mapped_file_get_bytes(file) : NULL;
}

/* Runs a job that ends with a file. */
static GBytes *run_for_file(struct reader_job job, const struct disk_spec *spec,
			    const char *name, GError **error)
{
	struct reader r = { .job = job };
	GBytes *bytes = NULL;

	if (run(&r, spec, name, error)) {
		kill(r.child, SIGKILL);
		TEMP_FAILURE_RETRY(waitpid(r.child, NULL, 0));
		r.child = 0;
		bytes = map_output(r.output, error);
	}
	clear(&r);
	return bytes;
}

GBytes *reader_file(const struct disk_spec *spec, const char *path, uint64_t max,
		    GError **error)
{
	const struct reader_job job = { .path = path, .max = max };

	return run_for_file(job, spec, spec->target, error);
}

GBytes *reader_kernel(const struct disk_spec *spec, const char *path, GError **error)
{
	const struct reader_job job = { .path = path, .kernel = TRUE, .max = IMAGE_MAX_BYTES };

	return run_for_file(job, spec, spec->target, error);
}

GBytes *reader_unpack(const char *name, GBytes *file, GError **error)
{
	const struct reader_job job = { .file = file, .max = IMAGE_MAX_BYTES };

	return run_for_file(job, NULL, name, error);
}
