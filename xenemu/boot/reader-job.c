/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader-job.c - the sandboxed reader: asks for pieces of the disk, finds files in them,
 * unpacks kernels
 */
#include "boot/probe.h"
#include "boot/reader-protocol.h"
#include "boot/sandbox.h"
#include <string.h>
#include <unistd.h>

#define NO_PIECE (~0ULL)

/**
 * struct cached_source - the disk, as far as its pieces are in slots
 * @source: first, so that one is the other
 * @slots:  READER_SLOT_SIZE bytes each
 * @piece:  number of the piece in each slot
 * @used:   when it was used last
 * @clock:  counts uses
 */
struct cached_source {
	struct disk_source source;
	const uint8_t *slots;
	uint64_t piece[READER_SLOTS];
	uint64_t used[READER_SLOTS];
	uint64_t clock;
};

static gboolean say(const struct reader_message *msg)
{
	return write(SANDBOX_CHANNEL, msg, sizeof(*msg)) == sizeof(*msg);
}

static gboolean fill_slot(struct cached_source *cached, unsigned int slot, uint64_t piece)
{
	uint64_t offset = piece * READER_SLOT_SIZE;
	const struct reader_message msg = {
		.what = READER_READ,
		.slot = slot,
		.offset = offset,
		.length = MIN(cached->source.size - offset, READER_SLOT_SIZE),
	};
	int32_t failed;

	cached->piece[slot] = NO_PIECE;
	if (!say(&msg) || read(SANDBOX_CHANNEL, &failed, sizeof(failed)) != sizeof(failed) ||
	    failed)
		return FALSE;
	cached->piece[slot] = piece;
	return TRUE;
}

/* The slot of @piece, or NULL. */
static const uint8_t *find_piece(struct cached_source *cached, uint64_t piece)
{
	unsigned int oldest = 0, slot;

	for (slot = 0; slot < READER_SLOTS && cached->piece[slot] != piece; slot++)
		if (cached->used[slot] < cached->used[oldest])
			oldest = slot;
	if (slot == READER_SLOTS) {
		slot = oldest;
		if (!fill_slot(cached, slot, piece))
			return NULL;
	}
	cached->used[slot] = ++cached->clock;
	return cached->slots + (size_t)slot * READER_SLOT_SIZE;
}

static gboolean cached_read(struct disk_source *source, uint64_t offset, void *buf,
			    size_t length)
{
	struct cached_source *cached = (struct cached_source *)source;
	char *to = buf;

	while (length > 0) {
		uint64_t within = offset % READER_SLOT_SIZE;
		size_t n = MIN(length, READER_SLOT_SIZE - within);
		const uint8_t *from = find_piece(cached, offset / READER_SLOT_SIZE);

		if (!from)
			return FALSE;
		memcpy(to, from + within, n);
		to += n;
		offset += n;
		length -= n;
	}
	return TRUE;
}

static gboolean put_out(GBytes *bytes, GError **error)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);

	while (size > 0) {
		ssize_t n = write(SANDBOX_OUTPUT, data, size);

		if (n <= 0) {
			g_set_error(error, BOOT_ERROR, BOOT_ERROR_READER,
				    "no room for the file");
			return FALSE;
		}
		data += n;
		size -= n;
	}
	return TRUE;
}

/* What image_parse() begins its messages with; whose file it is, others know. */
#define NAMELESS "kernel"

/* Whatever is a kernel here, is one for those who get it: a plain ELF file. */
static gboolean unpack(GBytes *file, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(Image) image = image_parse(NAMELESS, file, &why);

	if (image)
		return put_out(image->payload, error);
	g_set_error_literal(error, why->domain, why->code,
			    why->message + strlen(NAMELESS ": "));
	return FALSE;
}

static gboolean read_file(struct disk_files *files, const struct reader_job *job,
			  GError **error)
{
	g_autoptr(GBytes) bytes = disk_files_read(files, job->path, job->max, error);

	if (!bytes)
		return FALSE;
	if (!job->kernel)
		return put_out(bytes, error);
	if (unpack(bytes, error))
		return TRUE;
	g_prefix_error(error, "%s: ", job->path);
	return FALSE;
}

static gboolean probe(struct disk_files *files, struct reader_finding *finding, GError **error)
{
	struct probe found = { 0 };

	if (!probe_disk(files, &found, error))
		return FALSE;
	g_strlcpy(finding->config, found.config, sizeof(finding->config));
	g_strlcpy(finding->kernel, found.kernel, sizeof(finding->kernel));
	g_strlcpy(finding->abi, found.abi, sizeof(finding->abi));
	finding->width = found.width;
	probe_clear(&found);
	return TRUE;
}

static gboolean look_at_disk(const struct reader_job *job, struct reader_finding *finding,
			     GError **error)
{
	struct cached_source cached = { .source.read = cached_read, .slots = job->slots };
	g_autoptr(DiskFiles) files = NULL;
	struct reader_disk disk;

	if (read(SANDBOX_CHANNEL, &disk, sizeof(disk)) != sizeof(disk)) {
		g_set_error(error, BOOT_ERROR, BOOT_ERROR_READER, "there is no disk");
		return FALSE;
	}
	cached.source.size = disk.size;
	cached.source.sector_size = disk.sector_size;
	memset(cached.piece, 0xff, sizeof(cached.piece));
	files = disk_files_open(&cached.source, error);
	if (!files)
		return FALSE;
	return job->path ? read_file(files, job, error) : probe(files, finding, error);
}

void reader_job_run(void *opaque)
{
	const struct reader_job *job = opaque;
	struct reader_message msg = { .what = READER_DONE };
	g_autoptr(GError) error = NULL;

	if (!(job->file ? unpack(job->file, &error)
			: look_at_disk(job, &msg.finding, &error))) {
		msg.what = READER_FAILED;
		g_strlcpy(msg.text, error->message, sizeof(msg.text));
	}
	say(&msg);
}
