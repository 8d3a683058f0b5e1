/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nbd-log.c - writes that a server has answered but not been told to flush
 */
#include "backend/nbd-log.h"
#include <string.h>

char *nbd_gather(const struct disk_request *req)
{
	char *data = g_malloc(req->length);
	char *at = data;

	for (unsigned int i = 0; i < req->nr_iov; i++) {
		memcpy(at, req->iov[i].iov_base, req->iov[i].iov_len);
		at += req->iov[i].iov_len;
	}
	return data;
}

void nbd_log_add(struct nbd_log *log, const struct disk_request *req)
{
	struct nbd_log_entry *entry = g_new(struct nbd_log_entry, 1);

	*entry = (struct nbd_log_entry){
		.number = ++log->last,
		.offset = req->offset,
		.length = req->length,
		.data = req->op == DISK_WRITE ? nbd_gather(req) : NULL,
	};
	log->bytes += sizeof(*entry) + (entry->data ? entry->length : 0);
	g_queue_push_tail(&log->entries, entry);
}

void nbd_log_trim(struct nbd_log *log, uint64_t number)
{
	struct nbd_log_entry *entry;

	while ((entry = g_queue_peek_head(&log->entries)) && entry->number <= number) {
		log->bytes -= sizeof(*entry) + (entry->data ? entry->length : 0);
		g_free(entry->data);
		g_free(g_queue_pop_head(&log->entries));
	}
}

const struct nbd_log_entry *nbd_log_after(const struct nbd_log *log, uint64_t number)
{
	const GList *at = log->entries.head;

	while (at && ((const struct nbd_log_entry *)at->data)->number <= number)
		at = at->next;
	return at ? at->data : NULL;
}
