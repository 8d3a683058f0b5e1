/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz-blkif.c - a virtual disk and the grant table under a guest that does anything
 *
 * The input is what the guest does, a byte for each thing and the bytes that it needs:
 * requests that are nearly right, writes anywhere into the ring, the grant table and
 * pages of segments, indices moved, states and keys, frames given back; and when the
 * disk answers.
 */
#include "../unit/fake-disk.h"
#include "../unit/fake-frontend.h"
#include "backend/vbd.h"
#include <stddef.h>
#include <xen/io/blkif.h>

#define NAME "vbd/51712"
#define RING_PAGE 0
#define RING_PAGES 2
#define DATA_PAGE 8
#define DATA_PAGES 8

/**
 * struct input - what is left of it
 * @at, @end: bytes
 */
struct input {
	const uint8_t *at, *end;
};

struct state {
	struct front *front;
	struct device *dev;
	unsigned int port;
	uint32_t refs; /* the first of the data's */
	gboolean narrow;
};

static uint8_t byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static void take(struct input *in, void *to, size_t len)
{
	size_t there = MIN(len, (size_t)(in->end - in->at));

	memset(to, 0, len);
	if (there)
		memcpy(to, in->at, there);
	in->at += there;
}

/* --- the guest --- */

static void connect(struct state *s, struct input *in)
{
	static const char *const protocols[] = { NULL, "x86_64-abi", "x86_32-abi", "none" };
	uint8_t how = byte(in);
	const char *protocol = protocols[how & 3];
	struct blkif_sring *ring = front_page(s->front, RING_PAGE);

	s->narrow = protocol && !strcmp(protocol, "x86_32-abi");
	ring->req_prod = ring->rsp_prod = 0;
	if (protocol)
		front_write(s->front, NAME, "protocol", "%s", protocol);
	if (how & 4)
		front_write(s->front, NAME, "feature-persistent", "1");
	if (how & 8) {
		front_write(s->front, NAME, "ring-page-order", "1");
		for (unsigned int i = 0; i < RING_PAGES; i++) {
			g_autofree char *key = g_strdup_printf("ring-ref%u", i);

			front_write(s->front, NAME, key, "%u",
				    front_grant(s->front, RING_PAGE + i, FALSE));
		}
	}
	front_write(s->front, NAME, "ring-ref", "%u", front_grant(s->front, RING_PAGE, FALSE));
	s->port = front_port(s->front);
	front_write(s->front, NAME, "event-channel", "%u", s->port);
	front_set_state(s->front, NAME, XenbusStateInitialised);
}

/* A request where the guest would put it, of a kind that is known. */
static void put_request(struct state *s, struct input *in)
{
	uint8_t *page = front_page(s->front, RING_PAGE);
	struct blkif_sring *ring = (struct blkif_sring *)page;
	size_t entry = s->narrow ? 108 : 112, id = s->narrow ? 4 : 8;
	uint8_t *at = page + 64 + ring->req_prod % 32 * entry;
	uint8_t what = byte(in);

	memset(at, 0, entry);
	at[0] = what & 7;
	at[1] = what >> 3;
	take(in, at + id + 8, 2);
	if (at[0] == BLKIF_OP_INDIRECT) {
		uint32_t ref = s->refs + byte(in) % DATA_PAGES;

		at[1] = what >> 3 & 3;
		take(in, at + 2, 2);
		memcpy(at + id + 20, &ref, sizeof(ref));
	} else if (at[0] == BLKIF_OP_DISCARD) {
		take(in, at + id + 16, 2);
	} else {
		for (unsigned int i = 0; i < MIN(at[1], 11); i++) {
			uint8_t seg = byte(in);
			uint32_t ref = s->refs + seg % DATA_PAGES;

			memcpy(at + id + 16 + i * 8, &ref, sizeof(ref));
			at[id + 16 + i * 8 + 4] = seg >> 5;
			at[id + 16 + i * 8 + 5] = byte(in) % 9;
		}
	}
	ring->req_prod++;
}

static void scribble(struct input *in, void *where, size_t size)
{
	uint8_t bytes[16];
	uint8_t place[2];
	size_t len = byte(in) % sizeof(bytes), at;

	take(in, place, sizeof(place));
	take(in, bytes, len);
	at = (place[0] << 8 | place[1]) % size;
	memcpy((uint8_t *)where + at, bytes, MIN(len, size - at));
}

static void fill_segments(struct state *s, struct input *in)
{
	struct blkif_request_segment *seg =
		front_page(s->front, DATA_PAGE + byte(in) % DATA_PAGES);
	uint8_t how = byte(in);

	for (unsigned int i = 0; i < 512; i++)
		seg[i] = (struct blkif_request_segment){
			.gref = s->refs + (i + how) % DATA_PAGES,
			.first_sect = how & 7,
			.last_sect = 7,
		};
}

static void write_key(struct state *s, struct input *in)
{
	static const char *const keys[] = { "ring-ref",           "event-channel",
					    "protocol",           "ring-page-order",
					    "ring-ref1",          "multi-queue-num-queues",
					    "feature-persistent", "state" };
	const char *key = keys[byte(in) % G_N_ELEMENTS(keys)];
	char value[4] = { 0 };

	take(in, value, byte(in) % sizeof(value));
	front_write(s->front, NAME, key, "%s", value);
}

static void set_state(struct state *s, struct input *in)
{
	front_set_state(s->front, NAME, byte(in) % 8);
}

/* The guest gives a page back, and takes one. */
static void swap_page(struct state *s, struct input *in)
{
	struct frames *frames = s->front->fake->dom.frames;
	uint64_t mfn;

	frames_release(frames, front_frame(DATA_PAGE + byte(in) % DATA_PAGES));
	frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn);
}

/* --- the disk --- */

static void answer(struct input *in)
{
	static const int errors[] = { 0, 0, 0, EIO, EOPNOTSUPP, ENOSPC };

	fake_disk.error = errors[byte(in) % G_N_ELEMENTS(errors)];
	fake_disk.flush_error = errors[byte(in) % G_N_ELEMENTS(errors)];
	if (fake_disk.waiting->len)
		fake_disk_answer();
	fake_disk.error = fake_disk.flush_error = 0;
}

/* It grows only: what is out of range when it is submitted, a real disk refuses itself. */
static void resize(struct input *in)
{
	uint64_t size = byte(in) * 4096U;

	fake_disk.info.size = MAX(fake_disk.info.size, size);
	fake_disk.listener.resized(fake_disk.listener.opaque);
}

static void step(struct state *s, struct input *in)
{
	struct blkif_sring *ring = front_page(s->front, RING_PAGE);

	switch (byte(in) % 16) {
	case 0:
		connect(s, in);
		break;
	case 1:
		scribble(in, ring, PAGE_SIZE);
		break;
	case 2:
		scribble(in, front_entry(s->front, 8), 64 * sizeof(struct grant_entry_v1));
		break;
	case 3:
		scribble(in, front_page(s->front, DATA_PAGE), PAGE_SIZE);
		break;
	case 4:
		ring->req_prod += (int8_t)byte(in);
		break;
	case 5:
		write_key(s, in);
		break;
	case 6:
		set_state(s, in);
		break;
	case 7:
		swap_page(s, in);
		break;
	case 8:
		answer(in);
		break;
	case 9:
		fake_disk.hold = byte(in) & 1;
		fake_disk_wake();
		break;
	case 10:
		resize(in);
		break;
	case 11:
		fill_segments(s, in);
		break;
	case 12:
		front_turn();
		break;
	case 13:
		front_kick(s->front, s->port);
		break;
	default:
		put_request(s, in);
		front_kick(s->front, s->port);
	}
}

/* --- */

static void make_device(struct state *s, uint8_t how)
{
	struct disk_spec *spec = g_new0(struct disk_spec, 1);
	struct device_config *config;

	fake_disk_reset();
	fake_disk.info.size = 64 << 10;
	fake_disk.info.read_only = how & 1;
	fake_disk.info.can_flush = !(how & 2);
	fake_disk.info.can_discard = !(how & 4);
	if (how & 8)
		fake_disk.info.sector_size = fake_disk.info.physical_sector_size = 4096;
	spec->target = g_strdup("disk");
	spec->format = g_strdup("raw");
	spec->vdev = g_strdup("xvda");
	spec->persistent = how & 32;
	config = vbd_config_new(spec, NULL);
	s->front = front_new(how & 16);
	s->narrow = how & 16;
	s->dev = config->create(config, &s->front->host, NULL);
	config->free(config);
	s->refs = s->front->next_ref;
	for (unsigned int i = 0; i < DATA_PAGES; i++)
		front_grant(s->front, DATA_PAGE + i, FALSE);
}

const char *__asan_default_options(void);

/* The store allocates a lot; whole stacks of each allocation make it five times slower. */
const char *__asan_default_options(void)
{
	return "malloc_context_size=3";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct state s = { 0 };

	make_device(&s, byte(&in));
	connect(&s, &in);
	/* Each connection takes a grant or two and a port. */
	for (unsigned int i = 0; in.at < in.end && i < 200 && s.front->next_ref < 400; i++)
		step(&s, &in);
	/* The disk answers what it has; nothing may be left of the guest's then. */
	fake_disk_release();
	front_turn();
	device_free(s.dev);
	if (!fake_disk.closed || fake_disk.waiting->len)
		g_error("the disk is still in use");
	for (uint32_t mfn = FRONT_PAGES; mfn < FRONT_PAGES + DATA_PAGE + DATA_PAGES; mfn++)
		if (frames_held(s.front->fake->dom.frames, mfn))
			g_error("frame %u is still held", mfn);
	front_free(s.front);
	fake_disk_clear();
	return 0;
}
