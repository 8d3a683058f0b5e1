/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-disk.h - a disk in memory in place of backend/disk.c, whose requests are answered
 * when a test says so
 *
 * It takes the place of all of disk.h: what is linked with it gets no other disk.
 */
#ifndef TESTS_FAKE_DISK_H
#define TESTS_FAKE_DISK_H

#include "backend/disk.h"
#include <errno.h>
#include <string.h>

#define FAKE_DISK_BYTES (1 << 20)

/**
 * struct disk - the only one
 * @data:     what is on it
 * @waiting:  GPtrArray of struct disk_request
 * @log:      what was answered, a letter each: r, w, W (fua), f, d
 * @hold:     requests wait for fake_disk_answer(); else they are answered from the main
 *            loop
 * @error:    answer for all but flushes
 * @flush_error: answer for flushes
 * @nr_iov:   of the latest request
 * @iov_base: its first
 * @closed:   there is none any more
 */
struct disk {
	uint8_t data[FAKE_DISK_BYTES];
	struct disk_info info;
	struct disk_listener listener;
	GPtrArray *waiting;
	GString *log;
	guint source;
	gboolean hold;
	int error;
	int flush_error;
	unsigned int nr_iov;
	void *iov_base;
	gboolean closed;
};

static struct disk fake_disk;

GQuark disk_error_quark(void)
{
	return g_quark_from_static_string("fake-disk");
}

/** fake_disk_reset() - before a test */
static inline void fake_disk_reset(void)
{
	memset(&fake_disk, 0, sizeof(fake_disk));
	for (unsigned int i = 0; i < FAKE_DISK_BYTES / 64; i++)
		memset(fake_disk.data + i * 64, i / 8 * 7 + i, 64);
	fake_disk.info = (struct disk_info){
		.size = FAKE_DISK_BYTES,
		.sector_size = 512,
		.physical_sector_size = 512,
		.mem_align = 512,
		.max_transfer = 32 << 20,
		.max_iov = 1024,
		.discard_granularity = 4096,
		.can_flush = TRUE,
		.can_discard = TRUE,
	};
	fake_disk.waiting = g_ptr_array_new();
	fake_disk.log = g_string_new(NULL);
}

static inline void fake_disk_clear(void)
{
	g_ptr_array_unref(fake_disk.waiting);
	g_string_free(fake_disk.log, TRUE);
}

struct disk *disk_open(G_GNUC_UNUSED const struct disk_spec *spec,
		       G_GNUC_UNUSED const struct memory *memory,
		       const struct disk_listener *listener, G_GNUC_UNUSED GError **error)
{
	fake_disk.listener = *listener;
	return &fake_disk;
}

const struct disk_info *disk_info(const struct disk *disk)
{
	return &disk->info;
}

static inline void fake_disk_transfer(const struct disk_request *req)
{
	uint8_t *at = fake_disk.data + req->offset;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < req->nr_iov; i++) {
		const struct iovec *iov = &req->iov[i];

		if (req->op == DISK_READ)
			memcpy(iov->iov_base, at, iov->iov_len);
		else
			memcpy(at, iov->iov_base, iov->iov_len);
		at += iov->iov_len;
		sum += iov->iov_len;
	}
	g_assert_cmpint(sum, ==, req->length);
}

/** fake_disk_answer() - answer the request that has waited longest */
static inline void fake_disk_answer(void)
{
	struct disk_request *req = g_ptr_array_steal_index(fake_disk.waiting, 0);
	static const char letters[] = { 'r', 'w', 'f', 'd' };
	int error = req->op == DISK_FLUSH ? fake_disk.flush_error : fake_disk.error;

	g_string_append_c(fake_disk.log,
			  req->op == DISK_WRITE && req->fua ? 'W' : letters[req->op]);
	if (!error && (req->op == DISK_READ || req->op == DISK_WRITE))
		fake_disk_transfer(req);
	if (!error && req->op == DISK_DISCARD)
		memset(fake_disk.data + req->offset, 0, req->length);
	req->done(req, error);
}

static inline gboolean fake_disk_turn(G_GNUC_UNUSED gpointer opaque)
{
	fake_disk.source = 0;
	for (guint n = fake_disk.hold ? 0 : fake_disk.waiting->len; n; n--)
		fake_disk_answer();
	return G_SOURCE_REMOVE;
}

static inline void fake_disk_wake(void)
{
	if (!fake_disk.source)
		fake_disk.source =
			g_idle_add_full(G_PRIORITY_DEFAULT, fake_disk_turn, NULL, NULL);
}

/** fake_disk_release() - hold requests no longer */
static inline void fake_disk_release(void)
{
	fake_disk.hold = FALSE;
	fake_disk_wake();
}

/* What no backend may do */
static inline void fake_disk_check(const struct disk_info *info, const struct disk_request *req)
{
	if (req->op == DISK_FLUSH) {
		g_assert_true(info->can_flush);
		g_assert_true(!req->offset && !req->length && !req->iov && !req->nr_iov);
		return;
	}
	g_assert_false(req->op != DISK_READ && info->read_only);
	g_assert_cmpint(req->length, >, 0);
	g_assert_cmpint((req->offset | req->length) % info->sector_size, ==, 0);
	g_assert_cmpint(req->offset, <=, info->size);
	g_assert_cmpint(req->length, <=, info->size - req->offset);
	for (unsigned int i = 0; i < req->nr_iov; i++)
		g_assert_cmpint(((uintptr_t)req->iov[i].iov_base | req->iov[i].iov_len) %
					info->mem_align,
				==, 0);
}

void disk_submit(struct disk *disk, struct disk_request *req)
{
	g_assert_false(disk->closed);
	fake_disk_check(&disk->info, req);
	if (req->nr_iov) {
		disk->nr_iov = req->nr_iov;
		disk->iov_base = req->iov[0].iov_base;
	}
	g_ptr_array_add(disk->waiting, req);
	fake_disk_wake();
}

void disk_commit(G_GNUC_UNUSED struct disk *disk)
{
}

gboolean disk_rescan(G_GNUC_UNUSED struct disk *disk, G_GNUC_UNUSED disk_sized_fn sized,
		     G_GNUC_UNUSED void *opaque, G_GNUC_UNUSED GError **error)
{
	return FALSE;
}

gboolean disk_resize(G_GNUC_UNUSED struct disk *disk, G_GNUC_UNUSED uint64_t size,
		     G_GNUC_UNUSED disk_sized_fn sized, G_GNUC_UNUSED void *opaque,
		     G_GNUC_UNUSED GError **error)
{
	return FALSE;
}

void disk_close(struct disk *disk)
{
	g_assert_false(disk->closed);
	while (disk->waiting->len) {
		struct disk_request *req = g_ptr_array_steal_index(disk->waiting, 0);

		req->done(req, ECANCELED);
	}
	g_clear_handle_id(&disk->source, g_source_remove);
	disk->closed = TRUE;
}

#endif
