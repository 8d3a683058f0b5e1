/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader-protocol.h - what the sandboxed reader (reader-job.c) and xenemu (reader.c) say
 *
 * Over a SOCK_SEQPACKET pair: first struct reader_disk to the reader, if it is to read
 * one; then the reader
 * sends struct reader_message, and gets an int32_t for each READER_READ, an errno or 0,
 * when the slot is filled.  READER_DONE or READER_FAILED come last.
 */
#ifndef XENEMU_BOOT_READER_PROTOCOL_H
#define XENEMU_BOOT_READER_PROTOCOL_H

#include "boot/reader.h"

/** Pieces of the disk are read into slots of memory that both map */
#define READER_SLOTS 16
#define READER_SLOT_SIZE (256U << 10)

struct reader_disk {
	uint64_t size;
	uint32_t sector_size;
};

enum reader_what {
	READER_READ, /* fill slot @slot with @length bytes from @offset */
	READER_DONE, /* the file is in SANDBOX_OUTPUT, or @finding is filled in */
	READER_FAILED, /* @text says why */
};

struct reader_message {
	uint32_t what;
	uint32_t slot;
	uint64_t offset;
	uint32_t length;
	struct reader_finding finding;
	char text[512];
};

/**
 * struct reader_job - what the reader is to do
 * @slots: READER_SLOTS * READER_SLOT_SIZE bytes, shared
 * @file:  a packed kernel to be unpacked; NULL: look at the disk
 * @path:  there, file to be read; NULL: probe
 * @kernel: it is a kernel, to be unpacked
 * @max:   most bytes of it, and of what it unpacks to
 */
struct reader_job {
	uint8_t *slots;
	GBytes *file;
	const char *path;
	gboolean kernel;
	uint64_t max;
};

/** reader_job_run() - the sandboxed process's part; @opaque is a struct reader_job */
void reader_job_run(void *opaque);

#endif
