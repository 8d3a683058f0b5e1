/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-vbd.c - virtual disks, with a frontend that is played here and a disk in memory
 */
#include "backend/vbd.h"
#include "fake-disk.h"
#include "fake-frontend.h"
#include <stddef.h>
#include <xen/io/blkif.h>

#define NAME "vbd/51712"
#define HANDLE 51712
#define DATA_PAGE 32 /* first of those that are read and written */

/* The two layouts as Linux's xen-blkback spells them out */
struct segment {
	uint32_t gref;
	uint8_t first, last;
};

struct request64 {
	uint8_t op, nr;
	uint16_t handle;
	uint32_t pad;
	uint64_t id, sector;
	struct segment seg[11];
} __attribute__((packed, aligned(8)));
_Static_assert(sizeof(struct request64) == 112, "x86_64");

struct request32 {
	uint8_t op, nr;
	uint16_t handle;
	uint64_t id, sector;
	struct segment seg[11];
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct request32) == 108, "x86_32");

struct indirect64 {
	uint8_t op, indirect_op;
	uint16_t nr;
	uint32_t pad;
	uint64_t id, sector;
	uint16_t handle, pad2;
	uint32_t grefs[8];
} __attribute__((packed, aligned(8)));

struct indirect32 {
	uint8_t op, indirect_op;
	uint16_t nr;
	uint64_t id, sector;
	uint16_t handle, pad;
	uint32_t grefs[8];
} __attribute__((packed, aligned(4)));

struct discard64 {
	uint8_t op, flag;
	uint16_t handle;
	uint32_t pad;
	uint64_t id, sector, nr_sectors;
} __attribute__((packed, aligned(8)));

struct discard32 {
	uint8_t op, flag;
	uint16_t handle;
	uint64_t id, sector, nr_sectors;
} __attribute__((packed, aligned(4)));

struct response64 {
	uint64_t id;
	uint8_t op;
	int16_t status;
};

struct header {
	uint32_t req_prod, req_event, rsp_prod, rsp_event;
};

/**
 * struct way - how a frontend lays out its ring
 * @narrow_guest: a 32-bit guest
 * @protocol:     its key, or NULL
 * @narrow:       what that means
 * @order:        of the ring
 */
struct way {
	gboolean narrow_guest;
	const char *protocol;
	gboolean narrow;
	unsigned int order;
};

struct ring {
	unsigned int page; /* the guest's, of the first of the ring */
	unsigned int port;
	uint32_t size, req_prod, rsp_cons;
	gboolean narrow;
};

struct fixture {
	struct front *front;
	struct device *dev;
	struct ring ring;
	uint32_t data[64]; /* grants of pages from DATA_PAGE on */
	uint64_t next_id;
};

/* --- frontend --- */

static uint8_t *ring_at(struct fixture *fix, const struct ring *ring, size_t offset)
{
	return (uint8_t *)front_page(fix->front, ring->page + offset / PAGE_SIZE) +
	       offset % PAGE_SIZE;
}

static struct header *header(struct fixture *fix)
{
	return (struct header *)ring_at(fix, &fix->ring, 0);
}

/* Bytes into the ring, which may lie on two pages. */
static void ring_copy(struct fixture *fix, struct ring *ring, size_t at, void *bytes,
		      size_t len, gboolean in)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t *byte = ring_at(fix, ring, at + i);

		if (in)
			*byte = ((uint8_t *)bytes)[i];
		else
			((uint8_t *)bytes)[i] = *byte;
	}
}

static size_t entry_at(const struct ring *ring, uint32_t index)
{
	return 64 + (size_t)(index % ring->size) * (ring->narrow ? 108 : 112);
}

static void put(struct fixture *fix, void *entry, size_t len)
{
	struct ring *ring = &fix->ring;

	ring_copy(fix, ring, entry_at(ring, ring->req_prod++), entry, len, TRUE);
	((struct header *)ring_at(fix, ring, 0))->req_prod = ring->req_prod;
}

static uint64_t put_rw(struct fixture *fix, uint8_t op, uint64_t sector,
		       const struct segment *seg, unsigned int nr)
{
	uint64_t id = fix->next_id++;
	unsigned int there = MIN(nr, 11U);

	if (fix->ring.narrow) {
		struct request32 req = { .op = op, .nr = nr, .id = id, .sector = sector };

		if (there)
			memcpy(req.seg, seg, there * sizeof(*seg));
		put(fix, &req, sizeof(req));
	} else {
		struct request64 req = { .op = op, .nr = nr, .id = id, .sector = sector };

		if (there)
			memcpy(req.seg, seg, there * sizeof(*seg));
		put(fix, &req, sizeof(req));
	}
	return id;
}

static uint64_t put_indirect(struct fixture *fix, uint8_t op, uint64_t sector, unsigned int nr,
			     uint32_t gref)
{
	uint64_t id = fix->next_id++;

	if (fix->ring.narrow) {
		struct indirect32 req = {
			BLKIF_OP_INDIRECT, op, nr, id, sector, 0, 0, { gref }
		};

		put(fix, &req, sizeof(req));
	} else {
		struct indirect64 req = { BLKIF_OP_INDIRECT, op, nr, 0, id, sector, 0, 0,
					  { gref } };

		put(fix, &req, sizeof(req));
	}
	return id;
}

static uint64_t put_discard(struct fixture *fix, uint64_t sector, uint64_t nr)
{
	uint64_t id = fix->next_id++;

	if (fix->ring.narrow) {
		struct discard32 req = { BLKIF_OP_DISCARD, 0, 0, id, sector, nr };

		put(fix, &req, sizeof(req));
	} else {
		struct discard64 req = { BLKIF_OP_DISCARD, 0, 0, 0, id, sector, nr };

		put(fix, &req, sizeof(req));
	}
	return id;
}

static void kick(struct fixture *fix)
{
	front_kick(fix->front, fix->ring.port);
	front_turn();
}

static gboolean answered(struct fixture *fix)
{
	return header(fix)->rsp_prod != fix->ring.rsp_cons;
}

static void get(struct fixture *fix, struct response64 *rsp)
{
	struct ring *ring = &fix->ring;

	g_assert_true(answered(fix));
	ring_copy(fix, ring, entry_at(ring, ring->rsp_cons++), rsp, sizeof(*rsp), FALSE);
	header(fix)->rsp_event = ring->rsp_cons + 1;
}

static void expect_answer(struct fixture *fix, uint64_t id, uint8_t op, int16_t status)
{
	struct response64 rsp;

	get(fix, &rsp);
	g_assert_cmpint(rsp.id, ==, id);
	g_assert_cmpint(rsp.op, ==, op);
	g_assert_cmpint(rsp.status, ==, status);
}

static uint8_t *data_page(struct fixture *fix, unsigned int n)
{
	return front_page(fix->front, DATA_PAGE + n);
}

/* Whole page @n of the data */
static struct segment whole(struct fixture *fix, unsigned int n)
{
	return (struct segment){ fix->data[n], 0, 7 };
}

/* --- connection --- */

static void write_ring(struct fixture *fix, struct ring *ring, const char *prefix,
		       unsigned int order)
{
	struct header *start = (struct header *)ring_at(fix, ring, 0);

	ring->port = front_port(fix->front);
	ring->size = 1;
	for (size_t n = ((PAGE_SIZE << order) - 64) / (ring->narrow ? 108 : 112); n > 1; n /= 2)
		ring->size *= 2;
	ring->req_prod = ring->rsp_cons = 0;
	*start = (struct header){ .req_event = 1, .rsp_event = 1 };
	for (unsigned int i = 0; i < 1U << order; i++) {
		g_autofree char *key = order ? g_strdup_printf("%sring-ref%u", prefix, i)
					     : g_strdup_printf("%sring-ref", prefix);

		front_write(fix->front, NAME, key, "%u",
			    front_grant(fix->front, ring->page + i, FALSE));
	}
	{
		g_autofree char *key = g_strdup_printf("%sevent-channel", prefix);

		front_write(fix->front, NAME, key, "%u", ring->port);
	}
}

static void connect(struct fixture *fix, const struct way *way)
{
	fix->ring.narrow = way->narrow;
	write_ring(fix, &fix->ring, "", way->order);
	if (way->order)
		front_write(fix->front, NAME, "ring-page-order", "%u", way->order);
	if (way->protocol)
		front_write(fix->front, NAME, "protocol", "%s", way->protocol);
	front_set_state(fix->front, NAME, XenbusStateInitialised);
}

static void make_device(struct fixture *fix, gboolean narrow_guest, gboolean persistent)
{
	struct disk_spec *spec = g_new0(struct disk_spec, 1);
	g_autoptr(GError) error = NULL;
	struct device_config *config;

	spec->target = g_strdup("/no/such/disk.img");
	spec->format = g_strdup("raw");
	spec->vdev = g_strdup("xvda");
	spec->read_only = fake_disk.info.read_only;
	spec->discard = TRUE;
	spec->persistent = persistent;
	config = vbd_config_new(spec, &error);
	g_assert_no_error(error);
	fix->front = front_new(narrow_guest);
	fix->dev = config->create(config, &fix->front->host, &error);
	g_assert_no_error(error);
	config->free(config);
	front_turn();
	for (unsigned int i = 0; i < G_N_ELEMENTS(fix->data); i++)
		fix->data[i] = front_grant(fix->front, DATA_PAGE + i, FALSE);
	fix->next_id = 0x123456789abcdef0;
}

static void expect_state(struct fixture *fix, enum xenbus_state state)
{
	g_assert_cmpint(front_backend_state(fix->front, "vbd", HANDLE), ==, state);
}

static const struct way usual = { FALSE, "x86_64-abi", FALSE, 0 };

static void setup_unconnected(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fake_disk_reset();
	make_device(fix, FALSE, FALSE);
}

static void setup(struct fixture *fix, gconstpointer data)
{
	const struct way *way = data ? data : &usual;

	fake_disk_reset();
	make_device(fix, way->narrow_guest, FALSE);
	connect(fix, way);
	expect_state(fix, XenbusStateConnected);
}

static void setup_read_only(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fake_disk_reset();
	fake_disk.info.read_only = TRUE;
	make_device(fix, FALSE, FALSE);
	connect(fix, &usual);
}

static void setup_4k(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fake_disk_reset();
	fake_disk.info.sector_size = fake_disk.info.physical_sector_size = 4096;
	make_device(fix, FALSE, FALSE);
	connect(fix, &usual);
}

static void setup_no_flush(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fake_disk_reset();
	fake_disk.info.can_flush = fake_disk.info.can_discard = FALSE;
	make_device(fix, FALSE, FALSE);
	connect(fix, &usual);
}

static void setup_persistent(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fake_disk_reset();
	make_device(fix, FALSE, TRUE);
	front_write(fix->front, NAME, "feature-persistent", "1");
	connect(fix, &usual);
}

/* No grant may stay in use when a device is gone. */
static void teardown(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	/* Else closing waits for the last flush as long as a disk may take. */
	fake_disk_release();
	device_free(fix->dev);
	for (uint32_t ref = 8; ref < fix->front->next_ref; ref++)
		g_assert_cmpint(front_in_use(fix->front, ref), ==, 0);
	g_assert_true(fake_disk.closed);
	front_free(fix->front);
	fake_disk_clear();
}

/* --- keys --- */

static void expect_key(struct fixture *fix, const char *key, const char *want)
{
	front_expect(fix->front, "vbd", HANDLE, key, want);
}

static void expect_frontend_key(struct fixture *fix, const char *key, const char *want)
{
	g_autofree char *path = g_strdup_printf("/local/domain/1/device/" NAME "/%s", key);
	g_autofree char *value = xenstore_read(fix->front->host.store, path);

	g_assert_cmpstr(value, ==, want);
}

/* What the user need not share with the guest stays with him. */
static void test_secret(void)
{
	struct front *front = front_new(FALSE);
	struct disk_spec *spec = g_new0(struct disk_spec, 1);
	struct device_config *config;
	struct device *dev;

	fake_disk_reset();
	spec->target = g_strdup("http://me:secret@host/disk.qcow2");
	spec->format = g_strdup("qcow2");
	spec->vdev = g_strdup("xvda");
	config = vbd_config_new(spec, NULL);
	dev = config->create(config, &front->host, NULL);
	front_expect(front, "vbd", HANDLE, "params", "qcow2:http://host/disk.qcow2");
	device_free(dev);
	config->free(config);
	front_free(front);
	fake_disk_clear();
}

static void test_keys(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	expect_key(fix, "params", "/no/such/disk.img");
	expect_key(fix, "removable", "0");
	expect_key(fix, "bootable", "1");
	expect_key(fix, "dev", "xvda");
	expect_key(fix, "type", "phy");
	expect_key(fix, "mode", "w");
	expect_key(fix, "device-type", "disk");
	expect_key(fix, "discard-enable", "1");
	expect_key(fix, "feature-max-indirect-segments", "256");
	expect_key(fix, "multi-queue-max-queues", "4");
	expect_key(fix, "max-ring-page-order", "4");
	expect_key(fix, "feature-flush-cache", "1");
	expect_key(fix, "feature-barrier", "1");
	expect_key(fix, "feature-discard", "1");
	expect_key(fix, "discard-granularity", "4096");
	expect_key(fix, "discard-alignment", "0");
	expect_key(fix, "discard-secure", "0");
	expect_key(fix, "feature-persistent", "0");
	expect_key(fix, "sectors", "2048");
	expect_key(fix, "info", "0");
	expect_key(fix, "sector-size", "512");
	expect_key(fix, "physical-sector-size", "512");
	expect_frontend_key(fix, "virtual-device", "51712");
	expect_frontend_key(fix, "device-type", "disk");
}

static void test_keys_read_only(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	expect_key(fix, "mode", "r");
	expect_key(fix, "info", "4");
}

static void test_keys_no_flush(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	expect_key(fix, "feature-flush-cache", "0");
	expect_key(fix, "feature-barrier", "0");
	expect_key(fix, "feature-discard", "0");
	expect_key(fix, "discard-granularity", NULL);
}

/* --- transfers --- */

/* Each slot of the ring several times, with different places on disk and in pages. */
static void test_round_trips(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	for (unsigned int i = 0; i < 3 * fix->ring.size; i++) {
		struct segment seg = { fix->data[i % 3], i % 8, 7 };
		uint64_t sector = i * 5 % 2000, id;
		size_t len = (8 - i % 8) * 512;
		uint8_t *at = data_page(fix, i % 3) + i % 8 * 512;

		memset(at, i, len);
		id = put_rw(fix, BLKIF_OP_WRITE, sector, &seg, 1);
		kick(fix);
		expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
		g_assert_cmpmem(fake_disk.data + sector * 512, len, at, len);
		g_assert_true(fake_disk.iov_base == at);
		memset(fake_disk.data + sector * 512, i + 1, len);
		id = put_rw(fix, BLKIF_OP_READ, sector, &seg, 1);
		kick(fix);
		expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
		g_assert_cmpmem(fake_disk.data + sector * 512, len, at, len);
		g_assert_cmpint(front_in_use(fix->front, seg.gref), ==, 0);
	}
}

static void test_segments(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg[11];
	uint64_t id;

	for (unsigned int i = 0; i < 11; i++)
		seg[i] = whole(fix, 10 - i);
	id = put_rw(fix, BLKIF_OP_READ, 16, seg, 11);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	g_assert_cmpint(fake_disk.nr_iov, ==, 11);
	for (unsigned int i = 0; i < 11; i++)
		g_assert_cmpmem(data_page(fix, 10 - i), PAGE_SIZE,
				fake_disk.data + 16 * 512 + i * PAGE_SIZE, PAGE_SIZE);
	/* Frames that follow each other are one piece of memory. */
	seg[0] = whole(fix, 0);
	seg[1] = whole(fix, 1);
	seg[2] = (struct segment){ fix->data[2], 0, 3 };
	seg[3] = (struct segment){ fix->data[2], 4, 5 };
	seg[4] = (struct segment){ fix->data[2], 7, 7 };
	id = put_rw(fix, BLKIF_OP_READ, 0, seg, 5);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	g_assert_cmpint(fake_disk.nr_iov, ==, 2);
}

static void test_many(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t first = fix->next_id;

	fake_disk.hold = TRUE;
	for (unsigned int i = 0; i < fix->ring.size; i++)
		put_rw(fix, BLKIF_OP_READ, i, &seg, 1);
	kick(fix);
	g_assert_cmpint(fake_disk.waiting->len, ==, fix->ring.size);
	g_assert_false(answered(fix));
	while (fake_disk.waiting->len)
		fake_disk_answer();
	for (unsigned int i = 0; i < fix->ring.size; i++)
		expect_answer(fix, first + i, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}

/* A ring of 512: what is too much at a time waits there. */
static void test_bound(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	const struct way way = { FALSE, "x86_64-abi", FALSE, 4 };
	struct segment seg = whole(fix, 0);
	uint64_t first = fix->next_id;

	connect(fix, &way);
	g_assert_cmpint(fix->ring.size, ==, 512);
	fake_disk.hold = TRUE;
	for (unsigned int i = 0; i < fix->ring.size; i++)
		put_rw(fix, BLKIF_OP_READ, i, &seg, 1);
	kick(fix);
	g_assert_cmpint(fake_disk.waiting->len, ==, VBD_MAX_IN_FLIGHT);
	fake_disk_answer();
	g_assert_cmpint(fake_disk.waiting->len, ==, VBD_MAX_IN_FLIGHT);
	while (fake_disk.waiting->len)
		fake_disk_answer();
	for (unsigned int i = 0; i < fix->ring.size; i++)
		expect_answer(fix, first + i, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}

static void fill_indirect(struct fixture *fix, unsigned int page, unsigned int nr)
{
	struct segment *seg = (struct segment *)data_page(fix, page);

	for (unsigned int i = 0; i < nr; i++)
		seg[i] = (struct segment){ fix->data[i % 32], i / 32, i / 32 };
}

static void test_indirect(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	uint64_t id;

	fill_indirect(fix, 40, 256);
	for (unsigned int i = 0; i < 256; i++)
		memset(data_page(fix, i % 32) + i / 32 * 512, i, 512);
	id = put_indirect(fix, BLKIF_OP_WRITE, 1000, 256, fix->data[40]);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
	for (unsigned int i = 0; i < 256; i++)
		g_assert_cmpint(fake_disk.data[(1000 + i) * 512 + 5], ==, i);
	id = put_indirect(fix, BLKIF_OP_READ, 0, 200, fix->data[40]);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	for (unsigned int i = 0; i < 200; i++)
		g_assert_cmpmem(data_page(fix, i % 32) + i / 32 * 512, 512,
				fake_disk.data + i * 512, 512);
}

static void test_indirect_errors(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment *seg = (struct segment *)data_page(fix, 40);
	uint32_t ref = fix->data[40];
	uint64_t id;

	fill_indirect(fix, 40, 512);
	id = put_indirect(fix, BLKIF_OP_WRITE, 0, 257, ref);
	put_indirect(fix, BLKIF_OP_READ, 0, 0, ref);
	put_indirect(fix, BLKIF_OP_WRITE_BARRIER, 0, 1, ref);
	put_indirect(fix, BLKIF_OP_INDIRECT, 0, 1, ref);
	put_indirect(fix, BLKIF_OP_READ, 0, 65535, ref);
	put_indirect(fix, BLKIF_OP_READ, 0, 1, 3);
	put_indirect(fix, BLKIF_OP_READ, 0, 1, UINT32_MAX);
	put_indirect(fix, BLKIF_OP_READ, 2047, 2, ref);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 1, BLKIF_OP_READ, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 2, BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 3, BLKIF_OP_INDIRECT, BLKIF_RSP_ERROR);
	for (unsigned int i = 4; i < 8; i++)
		expect_answer(fix, id + i, BLKIF_OP_READ, BLKIF_RSP_ERROR);
	seg[100].last = 8;
	id = put_indirect(fix, BLKIF_OP_READ, 0, 256, ref);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_ERROR);
	g_assert_cmpstr(fake_disk.log->str, ==, "");
	for (unsigned int i = 0; i < 64; i++)
		g_assert_cmpint(front_in_use(fix->front, fix->data[i]), ==, 0);
}

struct bad {
	const char *what;
	uint8_t op;
	uint64_t sector;
	unsigned int nr;
	struct segment seg; /* all alike; gref 0: a good one */
	int16_t status;
};

static void test_bad(struct fixture *fix, gconstpointer data)
{
	const struct bad *bad = data;
	struct segment seg[11], good;
	uint64_t id;

	connect(fix, &usual);
	for (unsigned int i = 0; i < 11; i++) {
		seg[i] = bad->seg;
		if (!seg[i].gref)
			seg[i].gref = fix->data[i];
	}
	id = put_rw(fix, bad->op, bad->sector, seg, bad->nr);
	kick(fix);
	expect_answer(fix, id, bad->op, bad->status);
	g_assert_cmpstr(fake_disk.log->str, ==, "");
	/* And nothing else is different. */
	good = whole(fix, 0);
	id = put_rw(fix, BLKIF_OP_READ, 0, &good, 1);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	g_assert_cmpstr(fix->front->messages->str, ==, "");
}

static void test_grants(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg[2] = { whole(fix, 0), whole(fix, 1) };
	uint64_t id;

	/* What is read is written into: not with a read-only grant. */
	front_entry(fix->front, seg[1].gref)->flags |= GTF_readonly;
	id = put_rw(fix, BLKIF_OP_READ, 0, seg, 2);
	put_rw(fix, BLKIF_OP_WRITE, 0, seg, 2);
	front_entry(fix->front, fix->data[2])->flags = 0;
	seg[1] = whole(fix, 2);
	put_rw(fix, BLKIF_OP_WRITE, 0, seg, 2);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 2, BLKIF_OP_WRITE, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 1, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
}

/* Grants are held as long as the disk works on them, whatever the guest does. */
static void test_revoked(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_READ, 8, &seg, 1);

	fake_disk.hold = TRUE;
	kick(fix);
	g_assert_cmpint(front_in_use(fix->front, seg.gref), ==, GTF_reading | GTF_writing);
	memset(front_entry(fix->front, seg.gref), 0, sizeof(struct grant_entry_v1));
	g_assert_true(frames_release(fix->front->fake->dom.frames, front_frame(DATA_PAGE)));
	fake_disk_answer();
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	g_assert_cmpint(front_in_use(fix->front, seg.gref), ==, 0);
}

/* A request is what it was when it was read. */
static void test_changed(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_WRITE, 8, &seg, 1);

	fake_disk.hold = TRUE;
	memset(data_page(fix, 0), 'd', PAGE_SIZE);
	kick(fix);
	memset(ring_at(fix, &fix->ring, 64), 0xff, 112);
	fake_disk_answer();
	expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
	g_assert_cmpint(fake_disk.data[8 * 512], ==, 'd');
}

static void test_disk_error(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_WRITE, 8, &seg, 1);

	fake_disk.error = ENOSPC;
	put_rw(fix, BLKIF_OP_READ, 8, &seg, 1);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 1, BLKIF_OP_READ, BLKIF_RSP_ERROR);
}

static void test_read_only(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_WRITE, 8, &seg, 1);

	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 8, &seg, 1);
	put_discard(fix, 0, 8);
	put_rw(fix, BLKIF_OP_READ, 8, &seg, 1);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 1, BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 2, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 3, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}

static void test_4k(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = { fix->data[0], 0, 3 };
	uint64_t id;

	expect_key(fix, "sectors", "2048");
	expect_key(fix, "sector-size", "4096");
	id = put_rw(fix, BLKIF_OP_READ, 8, &seg, 1);
	seg.last = 7;
	put_rw(fix, BLKIF_OP_READ, 4, &seg, 1);
	put_discard(fix, 4, 8);
	put_rw(fix, BLKIF_OP_READ, 8, &seg, 1);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 1, BLKIF_OP_READ, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 2, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR);
	expect_answer(fix, id + 3, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}

/* --- order --- */

static void test_flush(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_WRITE, 0, &seg, 1);

	put_rw(fix, BLKIF_OP_FLUSH_DISKCACHE, 0, NULL, 0);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
	expect_answer(fix, id + 1, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_OKAY);
	g_assert_cmpstr(fake_disk.log->str, ==, "wf");
	/* With data: what came before is stored, then the data, too. */
	put_rw(fix, BLKIF_OP_FLUSH_DISKCACHE, 5, &seg, 1);
	kick(fix);
	expect_answer(fix, id + 2, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_OKAY);
	g_assert_cmpstr(fake_disk.log->str, ==, "wffW");
	fake_disk.flush_error = EIO;
	put_rw(fix, BLKIF_OP_FLUSH_DISKCACHE, 5, &seg, 1);
	kick(fix);
	expect_answer(fix, id + 3, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_ERROR);
	g_assert_cmpstr(fake_disk.log->str, ==, "wffWf");
	fake_disk.flush_error = 0;
}

static void test_barrier(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_WRITE, 0, &seg, 1);

	fake_disk.hold = TRUE;
	put_rw(fix, BLKIF_OP_READ, 9, &seg, 1);
	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 1, &seg, 1);
	put_rw(fix, BLKIF_OP_WRITE, 2, &seg, 1);
	kick(fix);
	g_assert_cmpint(fake_disk.waiting->len, ==, 2);
	fake_disk_answer();
	g_assert_cmpint(fake_disk.waiting->len, ==, 1);
	fake_disk_answer();
	for (unsigned int i = 0; i < 2; i++) {
		/* The flush, then the data; the last write waits for both. */
		g_assert_cmpint(fake_disk.waiting->len, ==, 1);
		kick(fix);
		fake_disk_answer();
	}
	g_assert_cmpint(fake_disk.waiting->len, ==, 1);
	fake_disk_answer();
	g_assert_cmpstr(fake_disk.log->str, ==, "wrfWw");
	expect_answer(fix, id, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
	expect_answer(fix, id + 1, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	expect_answer(fix, id + 2, BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_OKAY);
	expect_answer(fix, id + 3, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
	fake_disk_release();
	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 0, NULL, 0);
	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 0, NULL, 0);
	kick(fix);
	expect_answer(fix, id + 4, BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_OKAY);
	expect_answer(fix, id + 5, BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_OKAY);
	g_assert_cmpstr(fake_disk.log->str, ==, "wrfWwff");
}

static void test_no_flush(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_FLUSH_DISKCACHE, 0, NULL, 0);

	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 0, &seg, 1);
	put_discard(fix, 0, 8);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_FLUSH_DISKCACHE, BLKIF_RSP_EOPNOTSUPP);
	expect_answer(fix, id + 1, BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_EOPNOTSUPP);
	expect_answer(fix, id + 2, BLKIF_OP_DISCARD, BLKIF_RSP_EOPNOTSUPP);
}

static void test_discard(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	uint64_t id = put_discard(fix, 16, 8);

	put_discard(fix, 2047, 2);
	put_discard(fix, 0, UINT64_MAX);
	put_discard(fix, UINT64_MAX, 2);
	put_discard(fix, UINT64_MAX >> 9, 2);
	put_discard(fix, 0, 0);
	put_discard(fix, 0, 2048);
	kick(fix);
	for (unsigned int i = 1; i < 6; i++)
		expect_answer(fix, id + i, BLKIF_OP_DISCARD, BLKIF_RSP_ERROR);
	expect_answer(fix, id, BLKIF_OP_DISCARD, BLKIF_RSP_OKAY);
	expect_answer(fix, id + 6, BLKIF_OP_DISCARD, BLKIF_RSP_OKAY);
	g_assert_cmpstr(fake_disk.log->str, ==, "dd");
}

/* --- events --- */

static void test_events(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id;

	g_assert_cmpint(header(fix)->req_event, ==, 1);
	put_rw(fix, BLKIF_OP_READ, 0, &seg, 1);
	id = put_rw(fix, BLKIF_OP_READ, 0, &seg, 1);
	fake_disk.hold = TRUE;
	kick(fix);
	g_assert_cmpint(header(fix)->req_event, ==, 3);
	g_assert_false(front_kicked(fix->front, fix->ring.port));
	/* The guest wants to be told of the second answer only. */
	header(fix)->rsp_event = 2;
	fake_disk_answer();
	g_assert_false(front_kicked(fix->front, fix->ring.port));
	fake_disk_answer();
	g_assert_true(front_kicked(fix->front, fix->ring.port));
	expect_answer(fix, id - 1, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	front_kick(fix->front, fix->ring.port);
	g_assert_cmpint(header(fix)->req_event, ==, 3);
}

/* A busy disk needs no event for further requests; one that is about to fall idle does. */
static void test_events_busy(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);

	fake_disk.hold = TRUE;
	for (unsigned int i = 0; i < 8; i++)
		put_rw(fix, BLKIF_OP_READ, i, &seg, 1);
	kick(fix);
	g_assert_cmpint(fake_disk.waiting->len, ==, 8);
	g_assert_cmpint(header(fix)->req_event, ==, 1);
	put_rw(fix, BLKIF_OP_READ, 8, &seg, 1);
	put_rw(fix, BLKIF_OP_READ, 9, &seg, 1);
	front_turn();
	g_assert_cmpint(fake_disk.waiting->len, ==, 8);
	fake_disk_answer();
	g_assert_cmpint(fake_disk.waiting->len, ==, 9);
	fake_disk_answer();
	g_assert_cmpint(header(fix)->req_event, ==, 1);
	fake_disk_answer();
	g_assert_cmpint(fake_disk.waiting->len, ==, 7);
	g_assert_cmpint(header(fix)->req_event, ==, 11);
}

/* Flushes may take so long that nobody waits for them. */
static void test_events_flushes(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fake_disk.hold = TRUE;
	for (unsigned int i = 0; i < 20; i++)
		put_rw(fix, BLKIF_OP_FLUSH_DISKCACHE, 0, NULL, 0);
	kick(fix);
	g_assert_cmpint(fake_disk.waiting->len, ==, 20);
	g_assert_cmpint(header(fix)->req_event, ==, 21);
}

/* --- a guest that breaks the rules --- */

static void test_index(struct fixture *fix, uint32_t ahead)
{
	struct segment seg = whole(fix, 0);

	fake_disk.hold = TRUE;
	put_rw(fix, BLKIF_OP_READ, 0, &seg, 1);
	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 0, &seg, 1);
	put_rw(fix, BLKIF_OP_READ, 0, &seg, 1);
	kick(fix);
	fake_disk_answer();
	fake_disk_answer();
	fake_disk_answer();
	header(fix)->req_prod = fix->ring.req_prod + ahead;
	kick(fix);
	expect_state(fix, XenbusStateClosing);
	g_assert_true(g_str_has_prefix(fix->front->messages->str, "vbd 51712 (xvda): "));
	g_assert_true(strchr(fix->front->messages->str, '\n')[1] == '\0');
	kick(fix);
	fake_disk_release();
	front_turn();
	/* It may behave, and have another. */
	front_set_state(fix->front, NAME, XenbusStateClosed);
	front_set_state(fix->front, NAME, XenbusStateInitialising);
	expect_state(fix, XenbusStateInitWait);
	connect(fix, &usual);
	expect_state(fix, XenbusStateConnected);
}

static void test_index_ahead(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	test_index(fix, 33);
}

static void test_index_far(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	test_index(fix, 1U << 31);
}

static void test_index_back(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	test_index(fix, -1U);
}

static void test_index_at_start(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	fix->ring.page = 0;
	write_ring(fix, &fix->ring, "", 0);
	header(fix)->req_prod = 33;
	front_set_state(fix->front, NAME, XenbusStateInitialised);
	expect_state(fix, XenbusStateClosing);
}

struct wrong_key {
	const char *key, *value, *says;
};

static void test_wrong_key(struct fixture *fix, gconstpointer data)
{
	const struct wrong_key *wrong = data;

	front_write(fix->front, NAME, wrong->key, "%s", wrong->value);
	fix->ring.narrow = FALSE;
	write_ring(fix, &fix->ring, "", 0);
	front_set_state(fix->front, NAME, XenbusStateInitialised);
	expect_state(fix, XenbusStateClosing);
	g_assert_nonnull(strstr(fix->front->messages->str, wrong->says));
	g_assert_cmpint(front_status(fix->front, fix->ring.port), ==, EVTCHNSTAT_unbound);
}

/* --- persistent grants --- */

static void test_persistent(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);

	expect_key(fix, "feature-persistent", "1");
	for (unsigned int i = 0; i < 5; i++) {
		uint64_t id = put_rw(fix, i % 2 ? BLKIF_OP_READ : BLKIF_OP_WRITE, i, &seg, 1);

		kick(fix);
		expect_answer(fix, id, i % 2 ? BLKIF_OP_READ : BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
		g_assert_cmpint(front_in_use(fix->front, seg.gref), ==,
				GTF_reading | GTF_writing);
	}
	/* A grant that can't be kept is used as others use it. */
	front_entry(fix->front, fix->data[1])->flags |= GTF_readonly;
	seg = whole(fix, 1);
	put_rw(fix, BLKIF_OP_WRITE, 0, &seg, 1);
	kick(fix);
	expect_answer(fix, fix->next_id - 1, BLKIF_OP_WRITE, BLKIF_RSP_OKAY);
	g_assert_cmpint(front_in_use(fix->front, seg.gref), ==, 0);
	front_set_state(fix->front, NAME, XenbusStateClosed);
	g_assert_cmpint(front_in_use(fix->front, fix->data[0]), ==, 0);
}

/* Linux of the 3.8 age says that it would whether it is offered or not. */
static void test_not_offered(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id;

	front_write(fix->front, NAME, "feature-persistent", "1");
	connect(fix, &usual);
	id = put_rw(fix, BLKIF_OP_READ, 0, &seg, 1);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	g_assert_cmpint(front_in_use(fix->front, seg.gref), ==, 0);
}

static void test_persistent_bound(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	unsigned int kept = 0;
	uint32_t ref = 0;

	/* More references than may be kept, all to one page. */
	g_assert_true(grants_grow(fix->front->host.grants, 4));
	for (unsigned int i = 0; i < VBD_MAX_PERSISTENT + 64; i++) {
		struct grant_entry_v1 *table;
		struct segment seg = { .last = 7 };

		ref = 512 + i;
		table = memory_page(fix->front->fake->build.mem,
				    grants_frame(fix->front->host.grants, ref / 512));
		table[ref % 512] = (struct grant_entry_v1){
			.flags = GTF_permit_access,
			.frame = front_frame(DATA_PAGE),
		};
		seg.gref = ref;
		put_rw(fix, BLKIF_OP_READ, 0, &seg, 1);
		kick(fix);
		expect_answer(fix, fix->next_id - 1, BLKIF_OP_READ, BLKIF_RSP_OKAY);
		kept += (table[ref % 512].flags & GTF_reading) != 0;
	}
	g_assert_cmpint(kept, ==, VBD_MAX_PERSISTENT);
}

/* --- queues --- */

static void connect_queues(struct fixture *fix, struct ring rings[2], unsigned int order)
{
	front_write(fix->front, NAME, "multi-queue-num-queues", "2");
	write_ring(fix, &rings[0], "queue-0/", order);
	write_ring(fix, &rings[1], "queue-1/", order);
	front_set_state(fix->front, NAME, XenbusStateInitialised);
}

static void test_queues(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct ring rings[2] = { { .page = 0 }, { .page = 4 } };
	struct segment seg = whole(fix, 0);

	front_write(fix->front, NAME, "ring-page-order", "1");
	connect_queues(fix, rings, 1);
	expect_state(fix, XenbusStateConnected);
	g_assert_cmpint(rings[0].size, ==, 64);
	for (unsigned int i = 0; i < 300; i++) {
		fix->ring = rings[i % 2];
		put_rw(fix, i % 5 ? BLKIF_OP_READ : BLKIF_OP_WRITE_BARRIER, i, &seg, 1);
		kick(fix);
		expect_answer(fix, fix->next_id - 1,
			      i % 5 ? BLKIF_OP_READ : BLKIF_OP_WRITE_BARRIER, BLKIF_RSP_OKAY);
		rings[i % 2] = fix->ring;
	}
}

/* A barrier on one queue holds up the other, and lets it go on. */
static void test_queues_barrier(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct ring rings[2] = { { .page = 0 }, { .page = 4 } };
	struct segment seg = whole(fix, 0);

	connect_queues(fix, rings, 0);
	fake_disk.hold = TRUE;
	fix->ring = rings[0];
	put_rw(fix, BLKIF_OP_WRITE, 0, &seg, 1);
	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 1, &seg, 1);
	kick(fix);
	fix->ring = rings[1];
	put_rw(fix, BLKIF_OP_READ, 2, &seg, 1);
	kick(fix);
	g_assert_cmpint(fake_disk.waiting->len, ==, 1);
	for (unsigned int i = 0; i < 3; i++)
		fake_disk_answer();
	g_assert_cmpint(fake_disk.waiting->len, ==, 1);
	fake_disk_answer();
	g_assert_cmpstr(fake_disk.log->str, ==, "wfWr");
	expect_answer(fix, fix->next_id - 1, BLKIF_OP_READ, BLKIF_RSP_OKAY);
}

/* A queue whose guest sends no events is looked at when a request of another is done. */
static void test_queues_busy(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct ring rings[2] = { { .page = 0 }, { .page = 4 } };
	struct segment seg = whole(fix, 0);

	connect_queues(fix, rings, 0);
	fake_disk.hold = TRUE;
	fix->ring = rings[0];
	for (unsigned int i = 0; i < 8; i++)
		put_rw(fix, BLKIF_OP_READ, i, &seg, 1);
	kick(fix);
	fix->ring = rings[1];
	put_rw(fix, BLKIF_OP_READ, 8, &seg, 1);
	kick(fix);
	put_rw(fix, BLKIF_OP_READ, 9, &seg, 1);
	g_assert_cmpint(fake_disk.waiting->len, ==, 9);
	g_assert_cmpint(header(fix)->req_event, ==, 1);
	fake_disk_answer();
	g_assert_cmpint(fake_disk.waiting->len, ==, 9);
	g_assert_cmpint(header(fix)->req_event, ==, 1);
	fake_disk_answer();
	fake_disk_answer();
	g_assert_cmpint(fake_disk.waiting->len, ==, 7);
	g_assert_cmpint(header(fix)->req_event, ==, 3);
}

/* --- life --- */

static void test_reconnect(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t id = put_rw(fix, BLKIF_OP_READ, i, &seg, 1);

		kick(fix);
		expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
		front_set_state(fix->front, NAME, XenbusStateClosing);
		front_set_state(fix->front, NAME, XenbusStateClosed);
		expect_state(fix, XenbusStateClosed);
		front_set_state(fix->front, NAME, XenbusStateInitialising);
		connect(fix, &usual);
		expect_state(fix, XenbusStateConnected);
	}
}

/* The guest goes while requests are under way: its pages are kept until they are done. */
static void test_close_in_flight(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);

	fake_disk.hold = TRUE;
	put_rw(fix, BLKIF_OP_WRITE, 0, &seg, 1);
	put_rw(fix, BLKIF_OP_WRITE_BARRIER, 0, &seg, 1);
	put_rw(fix, BLKIF_OP_READ, 0, &seg, 1);
	kick(fix);
	front_set_state(fix->front, NAME, XenbusStateClosed);
	expect_state(fix, XenbusStateConnected);
	g_assert_cmpint(front_in_use(fix->front, seg.gref), !=, 0);
	fake_disk_answer();
	/* What it wrote is made durable before it is told that all is over. */
	expect_state(fix, XenbusStateConnected);
	fake_disk_answer();
	expect_state(fix, XenbusStateClosed);
	g_assert_cmpstr(fake_disk.log->str, ==, "wf");
	g_assert_cmpint(front_in_use(fix->front, seg.gref), ==, 0);
}

static void test_free_in_flight(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);

	fake_disk.hold = TRUE;
	put_rw(fix, BLKIF_OP_WRITE, 0, &seg, 1);
	kick(fix);
	fake_disk_release();
	device_free(g_steal_pointer(&fix->dev));
	g_assert_cmpstr(fake_disk.log->str, ==, "wf");
}

static void count_watch(void *opaque, G_GNUC_UNUSED const char *path)
{
	++*(unsigned int *)opaque;
}

static void test_resize(struct fixture *fix, G_GNUC_UNUSED gconstpointer data)
{
	struct segment seg = whole(fix, 0);
	uint64_t id = put_rw(fix, BLKIF_OP_READ, 2000, &seg, 1);
	unsigned int seen = 0;
	unsigned int watch;

	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_OKAY);
	watch = xenstore_watch(fix->front->host.store,
			       "/local/domain/0/backend/vbd/1/51712/state", count_watch, &seen);
	front_turn();
	seen = 0;
	fake_disk.info.size = 512 << 10;
	fake_disk.listener.resized(fake_disk.listener.opaque);
	front_turn();
	/* The frontend looks at the size when the state is written. */
	g_assert_cmpint(seen, ==, 1);
	expect_key(fix, "sectors", "1024");
	expect_state(fix, XenbusStateConnected);
	id = put_rw(fix, BLKIF_OP_READ, 2000, &seg, 1);
	kick(fix);
	expect_answer(fix, id, BLKIF_OP_READ, BLKIF_RSP_ERROR);
	xenstore_unwatch(fix->front->host.store, watch);
}

/* --- configuration --- */

static void test_old_guest(void)
{
	struct disk_spec *spec = g_new0(struct disk_spec, 1);
	g_autoptr(GError) error = NULL;
	struct device_config *config;
	struct front *front = front_new(TRUE);

	fake_disk_reset();
	spec->target = g_strdup("x");
	spec->format = g_strdup("raw");
	spec->vdev = g_strdup("xvdq");
	config = vbd_config_new(spec, &error);
	front->host.abi = "xen-3.0.3";
	g_assert_null(config->create(config, &front->host, &error));
	g_assert_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG);
	config->free(config);
	front_free(front);
	fake_disk_clear();
}

static void test_names(void)
{
	const char *const given[] = { "xvdb", NULL, "hda", NULL, "51744", NULL };
	/* Linux shows hda as xvda, 51744 is xvdc. */
	const char *const want[] = { "xvdb", "xvdd", "hda", "xvde", "51744", "xvdf" };
	GPtrArray *specs = g_ptr_array_new_with_free_func((GDestroyNotify)disk_spec_free);
	struct disk_spec *wrong = g_new0(struct disk_spec, 1);
	g_autoptr(GError) error = NULL;

	for (unsigned int i = 0; i < G_N_ELEMENTS(given); i++) {
		struct disk_spec *spec = g_new0(struct disk_spec, 1);

		spec->vdev = g_strdup(given[i]);
		g_ptr_array_add(specs, spec);
	}
	vbd_name_disks(specs);
	for (unsigned int i = 0; i < G_N_ELEMENTS(given); i++)
		g_assert_cmpstr(((struct disk_spec *)specs->pdata[i])->vdev, ==, want[i]);
	g_ptr_array_unref(specs);
	wrong->target = g_strdup("disk.img");
	wrong->vdev = g_strdup("vda");
	g_assert_null(vbd_config_new(wrong, &error));
	g_assert_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG);
}

int main(int argc, char **argv)
{
	static const struct way ways[] = {
		{ FALSE, NULL, FALSE, 0 },         { FALSE, "x86_64-abi", FALSE, 0 },
		{ FALSE, "x86_32-abi", TRUE, 0 },  { TRUE, NULL, TRUE, 0 },
		{ TRUE, "x86_32-abi", TRUE, 0 },   { TRUE, "x86_64-abi", FALSE, 0 },
		{ FALSE, "x86_64-abi", FALSE, 2 }, { TRUE, "x86_32-abi", TRUE, 2 },
	};
	static const struct bad bad[] = {
		{ "no-segments", BLKIF_OP_READ, 0, 0, { 0, 0, 7 }, BLKIF_RSP_ERROR },
		{ "no-segments-write", BLKIF_OP_WRITE, 0, 0, { 0, 0, 7 }, BLKIF_RSP_ERROR },
		{ "12-segments", BLKIF_OP_READ, 0, 12, { 0, 0, 7 }, BLKIF_RSP_ERROR },
		{ "255-segments", BLKIF_OP_WRITE, 0, 255, { 0, 0, 7 }, BLKIF_RSP_ERROR },
		{ "past-the-page", BLKIF_OP_READ, 0, 1, { 0, 0, 8 }, BLKIF_RSP_ERROR },
		{ "far-past", BLKIF_OP_WRITE, 0, 1, { 0, 0, 255 }, BLKIF_RSP_ERROR },
		{ "backwards", BLKIF_OP_READ, 0, 1, { 0, 5, 4 }, BLKIF_RSP_ERROR },
		{ "both-far", BLKIF_OP_READ, 0, 1, { 0, 200, 200 }, BLKIF_RSP_ERROR },
		{ "no-such-grant", BLKIF_OP_READ, 0, 1, { 400, 0, 7 }, BLKIF_RSP_ERROR },
		{ "wild-grant", BLKIF_OP_WRITE, 0, 2, { UINT32_MAX, 0, 7 }, BLKIF_RSP_ERROR },
		{ "at-the-end", BLKIF_OP_READ, 2048, 1, { 0, 0, 0 }, BLKIF_RSP_ERROR },
		{ "over-the-end", BLKIF_OP_READ, 2041, 1, { 0, 0, 7 }, BLKIF_RSP_ERROR },
		{ "far-away", BLKIF_OP_WRITE, 1ULL << 40, 1, { 0, 0, 7 }, BLKIF_RSP_ERROR },
		{ "overflow", BLKIF_OP_WRITE, UINT64_MAX, 1, { 0, 0, 7 }, BLKIF_RSP_ERROR },
		{ "overflow-bytes",
		  BLKIF_OP_READ,
		  1ULL << 55,
		  1,
		  { 0, 0, 7 },
		  BLKIF_RSP_ERROR },
		{ "barrier-far",
		  BLKIF_OP_WRITE_BARRIER,
		  5000,
		  1,
		  { 0, 0, 7 },
		  BLKIF_RSP_ERROR },
		{ "packet", 4, 0, 1, { 0, 0, 7 }, BLKIF_RSP_EOPNOTSUPP },
		{ "unknown", 99, 0, 1, { 0, 0, 7 }, BLKIF_RSP_EOPNOTSUPP },
	};
	static const struct wrong_key wrong[] = {
		{ "protocol", "alpha-abi", "protocol" },
		{ "protocol", "", "protocol" },
		{ "ring-page-order", "5", "ring-page-order" },
		{ "ring-page-order", "1", "ring-ref0" },
		{ "multi-queue-num-queues", "0", "queues" },
		{ "multi-queue-num-queues", "5", "5 queues" },
		{ "multi-queue-num-queues", "4294967295", "queues" },
		{ "multi-queue-num-queues", "2", "queue-0/ring-ref" },
	};

	g_test_init(&argc, &argv, NULL);
#define ADD(name, up, test) g_test_add("/vbd/" name, struct fixture, NULL, up, test, teardown)
	ADD("keys", setup, test_keys);
	ADD("keys-read-only", setup_read_only, test_keys_read_only);
	ADD("keys-no-flush", setup_no_flush, test_keys_no_flush);
	for (unsigned int i = 0; i < G_N_ELEMENTS(ways); i++) {
		const struct way *way = &ways[i];
		g_autofree char *name =
			g_strdup_printf("%s-bit/%s/%u", way->narrow_guest ? "32" : "64",
					way->protocol ? way->protocol : "none", way->order);
		g_autofree char *trips = g_strdup_printf("/vbd/round-trips/%s", name);
		g_autofree char *indirect = g_strdup_printf("/vbd/indirect/%s", name);
		g_autofree char *discard = g_strdup_printf("/vbd/discard/%s", name);

		g_test_add(trips, struct fixture, way, setup, test_round_trips, teardown);
		g_test_add(indirect, struct fixture, way, setup, test_indirect, teardown);
		g_test_add(discard, struct fixture, way, setup, test_discard, teardown);
	}
	ADD("segments", setup, test_segments);
	ADD("many", setup, test_many);
	ADD("bound", setup_unconnected, test_bound);
	ADD("indirect-errors", setup, test_indirect_errors);
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *name = g_strdup_printf("/vbd/bad/%s", bad[i].what);

		g_test_add(name, struct fixture, &bad[i], setup_unconnected, test_bad,
			   teardown);
	}
	ADD("grants", setup, test_grants);
	ADD("revoked", setup, test_revoked);
	ADD("changed", setup, test_changed);
	ADD("disk-error", setup, test_disk_error);
	ADD("read-only", setup_read_only, test_read_only);
	ADD("4k", setup_4k, test_4k);
	ADD("flush", setup, test_flush);
	ADD("barrier", setup, test_barrier);
	ADD("no-flush", setup_no_flush, test_no_flush);
	ADD("events", setup, test_events);
	ADD("events/busy", setup, test_events_busy);
	ADD("events/flushes", setup, test_events_flushes);
	ADD("index/ahead", setup, test_index_ahead);
	ADD("index/far", setup, test_index_far);
	ADD("index/back", setup, test_index_back);
	ADD("index/at-start", setup_unconnected, test_index_at_start);
	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *name =
			g_strdup_printf("/vbd/wrong-key/%s-%s", wrong[i].key, wrong[i].value);

		g_test_add(name, struct fixture, &wrong[i], setup_unconnected, test_wrong_key,
			   teardown);
	}
	ADD("persistent", setup_persistent, test_persistent);
	ADD("persistent-not-offered", setup_unconnected, test_not_offered);
	ADD("persistent-bound", setup_persistent, test_persistent_bound);
	ADD("queues", setup_unconnected, test_queues);
	ADD("queues-barrier", setup_unconnected, test_queues_barrier);
	ADD("queues-busy", setup_unconnected, test_queues_busy);
	ADD("reconnect", setup, test_reconnect);
	ADD("close-in-flight", setup, test_close_in_flight);
	ADD("free-in-flight", setup, test_free_in_flight);
	ADD("resize", setup, test_resize);
	g_test_add_func("/vbd/secret", test_secret);
	g_test_add_func("/vbd/old-guest", test_old_guest);
	g_test_add_func("/vbd/names", test_names);
	return g_test_run();
}
