/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nbd-log.h - writes that a server has answered but not been told to flush
 *
 * A server that goes away may forget them; so copies are kept, to be written again when
 * it is back.  A flush makes them superfluous.
 */
#ifndef XENEMU_BACKEND_NBD_LOG_H
#define XENEMU_BACKEND_NBD_LOG_H

#include "backend/disk.h"

/**
 * struct nbd_log_entry - a write
 * @data: what was written, or NULL for zeroes
 */
struct nbd_log_entry {
	uint64_t number;
	uint64_t offset;
	uint64_t length;
	char *data;
};

/**
 * struct nbd_log - in the order of answers
 * @entries: of struct nbd_log_entry, numbered upwards
 * @bytes:   of memory that they take
 * @last:    number of the latest
 */
struct nbd_log {
	GQueue entries;
	uint64_t bytes;
	uint64_t last;
};

/** nbd_gather() - a copy of the memory of @req; g_free() it */
char *nbd_gather(const struct disk_request *req);

/** nbd_log_add() - @req, a DISK_WRITE or DISK_WRITE_ZEROES, was answered */
void nbd_log_add(struct nbd_log *log, const struct disk_request *req);

/** nbd_log_trim() - entries up to @number are on stable storage */
void nbd_log_trim(struct nbd_log *log, uint64_t number);

/** nbd_log_after() - the first entry after @number, or NULL */
const struct nbd_log_entry *nbd_log_after(const struct nbd_log *log, uint64_t number);

#endif
