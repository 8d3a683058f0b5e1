/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-rings.c - the pages of xenstore and console under a guest that writes anything
 *
 * The input is a sequence of writes into one of the pages, each with a place, a length
 * and so many bytes, and of events.  Indices are often moved by a little, since most
 * others end the connection.
 */
#include "backend/console.h"
#include "xenstore/xenstore.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>

#define PAGE 4096

static void notify(void *opaque)
{
	(void)opaque;
}

static void failed(void *opaque, const char *reason)
{
	++*(unsigned int *)opaque;
	if (!reason || *(unsigned int *)opaque > 1)
		g_error("told twice, or not why");
}

/* Moves an index of @page by a little. */
static void advance(uint8_t *page, size_t index, uint8_t by)
{
	uint32_t value;

	memcpy(&value, page + index, sizeof(value));
	value += by;
	memcpy(page + index, &value, sizeof(value));
}

static size_t scribble(uint8_t *page, const uint8_t *data, size_t size)
{
	size_t at, len;

	if (size < 3)
		return size;
	at = (data[0] << 8 | data[1]) % PAGE;
	len = MIN(data[2], MIN(size - 3, PAGE - at));
	memcpy(page + at, data + 3, len);
	return 3 + len;
}

static void turns(void)
{
	for (unsigned int i = 0; i < 8 && g_main_context_iteration(NULL, FALSE); i++)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t store_indices[] = {
		offsetof(struct xenstore_domain_interface, req_prod),
		offsetof(struct xenstore_domain_interface, rsp_cons),
	};
	static const size_t console_indices[] = {
		offsetof(struct xencons_interface, out_prod),
		offsetof(struct xencons_interface, in_cons),
	};
	/* Of their own, so that what is beyond is noticed. */
	uint8_t *store_page = g_malloc0(PAGE), *console_page = g_malloc0(PAGE);
	struct xenstore *xs = xenstore_new(NULL);
	unsigned int failures = 0;
	struct xenstore_ring *ring =
		xenstore_ring_new(xs, 1, store_page, notify, failed, &failures);
	int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);
	struct console_io *io = console_io_new(in, out, NULL, NULL);
	struct console *con = console_new(console_page, io, notify, NULL);

	xenstore_write(xs, "/local/domain/1/data", "", 1, -1);
	while (size >= 2) {
		uint8_t what = data[0], by = data[1];

		data += 2;
		size -= 2;
		if (what < 0x40) {
			advance(store_page, store_indices[what & 1], by);
			xenstore_ring_kick(ring);
		} else if (what < 0x60) {
			advance(console_page, console_indices[what & 1], by);
			console_kick(con);
		} else if (what < 0x70) {
			xenstore_write(xs, "/local/domain/1/data/x", "", 1, -1);
		} else if (what < 0x80) {
			turns();
		} else {
			size_t used =
				scribble(what & 1 ? store_page : console_page, data, size);

			data += used;
			size -= used;
		}
	}
	console_flush(con);
	console_free(con);
	console_io_free(io);
	xenstore_ring_free(ring);
	xenstore_free(xs);
	close(in);
	close(out);
	g_free(store_page);
	g_free(console_page);
	return 0;
}
