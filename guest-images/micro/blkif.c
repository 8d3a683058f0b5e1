/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkif - a disk, xvda of 1 MiB: what its backend offers and answers, and what it makes
 * of a frontend that breaks the rules
 */
#include "block.h"

#define FRONTEND "device/vbd/51712"
#define SECTORS 2048
#define DATA_REF 32
#define DATA_PAGES 4
#define LIST_REF 40 /* segments of indirect requests */

static struct block disk;
static uint8_t *data[DATA_PAGES];
static struct blkif_request_segment *list;

/* --- requests --- */

/* A request for whole pages of data. */
static int transfer(uint8_t op, uint64_t sector, unsigned int pages)
{
	struct blkif_request *req = block_request(&disk, op, sector);

	for (unsigned int i = 0; i < pages; i++)
		block_segment(req, i, DATA_REF + i, 0, 7);
	return block_submit(&disk);
}

static int discard(uint64_t sector, uint64_t count)
{
	struct blkif_request_discard *req =
		(void *)block_request(&disk, BLKIF_OP_DISCARD, sector);

	req->nr_sectors = count;
	return block_submit(&disk);
}

/* --- what is tested --- */

static void keys(void)
{
	is(frontend_offered(&disk.fe, "sectors"), SECTORS, "sectors");
	is(frontend_offered(&disk.fe, "sector-size"), 512, "sector-size");
	is(frontend_offered(&disk.fe, "info"), 0, "info");
	is(frontend_offered(&disk.fe, "feature-barrier"), 1, "feature-barrier");
	is(frontend_offered(&disk.fe, "feature-flush-cache"), 1, "feature-flush-cache");
	is(frontend_offered(&disk.fe, "feature-discard"), 1, "feature-discard");
	is(frontend_offered(&disk.fe, "discard-alignment"), 0, "discard-alignment");
	is(frontend_offered(&disk.fe, "discard-secure"), 0, "discard-secure");
	is(frontend_offered(&disk.fe, "feature-persistent"), 1, "feature-persistent");
	is(frontend_offered(&disk.fe, "feature-max-indirect-segments"), 256,
	   "feature-max-indirect-segments");
	is(frontend_offered(&disk.fe, "max-ring-page-order"), 4, "max-ring-page-order");
	ok(frontend_offered(&disk.fe, "multi-queue-max-queues") >= 1, "multi-queue-max-queues");
}

static bool filled(const uint8_t *page, unsigned int from, unsigned int to, uint8_t byte)
{
	for (unsigned int i = from; i < to; i++)
		if (page[i] != byte)
			return false;
	return true;
}

static void reads_and_writes(void)
{
	for (unsigned int i = 0; i < DATA_PAGES; i++)
		memset(data[i], 'a' + i, PAGE_SIZE);
	is(transfer(BLKIF_OP_WRITE, 8, 4), BLKIF_RSP_OKAY, "write");
	is(block_one(&disk, BLKIF_OP_READ, 20, DATA_REF, 2, 5), BLKIF_RSP_OKAY, "read");
	ok(filled(data[0], 0, 1024, 'a') && filled(data[0], 1024, 3072, 'b') &&
		   filled(data[0], 3072, 4096, 'a'),
	   "what was written there, and nothing else");
	is(transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, 0), BLKIF_RSP_OKAY, "flush");
	is(transfer(BLKIF_OP_WRITE_BARRIER, 64, 2), BLKIF_RSP_OKAY, "barrier with data");
	is(transfer(BLKIF_OP_WRITE_BARRIER, 0, 0), BLKIF_RSP_OKAY, "barrier without");
	is(discard(128, 64), BLKIF_RSP_OKAY, "discard");
	is(transfer(BLKIF_OP_READ, SECTORS - 8, 1), BLKIF_RSP_OKAY, "the last sectors");
	is(grant_in_use(DATA_REF), 0, "no grant is in use");
}

static void indirect_requests(void)
{
	for (unsigned int i = 0; i < 512; i++)
		list[i] = (struct blkif_request_segment){ DATA_REF + i % DATA_PAGES, 0, 0 };
	for (unsigned int i = 0; i < DATA_PAGES; i++)
		memset(data[i], 'A' + i, PAGE_SIZE);
	is(block_indirect(&disk, BLKIF_OP_WRITE, 256, 256, LIST_REF), BLKIF_RSP_OKAY,
	   "indirect write");
	memset(data[0], 0, PAGE_SIZE);
	is(block_one(&disk, BLKIF_OP_READ, 504, DATA_REF, 0, 7), BLKIF_RSP_OKAY, "read it");
	ok(data[0][0] == 'A' && data[0][512] == 'B' && data[0][4095] == 'D', "it is there");
	is(block_indirect(&disk, BLKIF_OP_READ, 0, 257, LIST_REF), BLKIF_RSP_ERROR,
	   "too many segments");
	is(block_indirect(&disk, BLKIF_OP_READ, 0, 65535, LIST_REF), BLKIF_RSP_ERROR,
	   "far too many");
	is(block_indirect(&disk, BLKIF_OP_READ, 0, 0, LIST_REF), BLKIF_RSP_ERROR, "none");
	is(block_indirect(&disk, BLKIF_OP_INDIRECT, 0, 1, LIST_REF), BLKIF_RSP_ERROR,
	   "indirect twice");
	is(block_indirect(&disk, BLKIF_OP_READ, 0, 1, 4000000), BLKIF_RSP_ERROR,
	   "a list without a grant");
	list[200].last_sect = 8;
	is(block_indirect(&disk, BLKIF_OP_READ, 0, 256, LIST_REF), BLKIF_RSP_ERROR,
	   "one of them past its page");
	is(grant_in_use(LIST_REF) | grant_in_use(DATA_REF), 0, "no grant is in use");
}

static void bad_requests(void)
{
	struct blkif_request *req;

	is(transfer(BLKIF_OP_READ, 0, 0), BLKIF_RSP_ERROR, "read of no segments");
	req = block_request(&disk, BLKIF_OP_READ, 0);
	req->nr_segments = 12;
	is(block_submit(&disk), BLKIF_RSP_ERROR, "12 segments");
	req = block_request(&disk, BLKIF_OP_WRITE, 0);
	req->nr_segments = 255;
	is(block_submit(&disk), BLKIF_RSP_ERROR, "255 segments");
	is(block_one(&disk, BLKIF_OP_READ, 0, DATA_REF, 0, 8), BLKIF_RSP_ERROR,
	   "past the page");
	is(block_one(&disk, BLKIF_OP_READ, 0, DATA_REF, 5, 4), BLKIF_RSP_ERROR, "backwards");
	is(block_one(&disk, BLKIF_OP_READ, 0, DATA_REF, 255, 255), BLKIF_RSP_ERROR, "far past");
	is(block_one(&disk, BLKIF_OP_READ, 0, 100, 0, 7), BLKIF_RSP_ERROR, "no grant");
	is(block_one(&disk, BLKIF_OP_WRITE, 0, 4000000, 0, 7), BLKIF_RSP_ERROR, "a wild grant");
	is(transfer(BLKIF_OP_READ, SECTORS, 1), BLKIF_RSP_ERROR, "behind the end");
	is(transfer(BLKIF_OP_WRITE, SECTORS - 7, 1), BLKIF_RSP_ERROR, "over the end");
	is(transfer(BLKIF_OP_READ, -1ULL, 1), BLKIF_RSP_ERROR, "a sector that wraps");
	is(transfer(BLKIF_OP_READ, 1ULL << 55, 1), BLKIF_RSP_ERROR, "bytes that wrap");
	is(discard(SECTORS - 1, 2), BLKIF_RSP_ERROR, "discard over the end");
	is(transfer(4, 0, 1), BLKIF_RSP_EOPNOTSUPP, "reserved operation");
	is(transfer(99, 0, 1), BLKIF_RSP_EOPNOTSUPP, "unknown operation");
	grant(DATA_REF + 1, data[1], GTF_readonly);
	is(block_one(&disk, BLKIF_OP_READ, 0, DATA_REF + 1, 0, 7), BLKIF_RSP_ERROR,
	   "read into a read-only grant");
	is(block_one(&disk, BLKIF_OP_WRITE, 0, DATA_REF + 1, 0, 7), BLKIF_RSP_OKAY,
	   "write from it");
	grant(DATA_REF + 1, data[1], 0);
	is(transfer(BLKIF_OP_READ, 0, 4), BLKIF_RSP_OKAY, "a good one is served");
}

/* Taken back as soon as it was sent: whoever is first, there is an answer. */
static void revoked(void)
{
	int status;

	block_segment(block_request(&disk, BLKIF_OP_READ, 0), 0, DATA_REF, 0, 7);
	block_push(&disk);
	grant_table[DATA_REF].flags = 0;
	status = block_answer(&disk);
	ok(status == BLKIF_RSP_OKAY || status == BLKIF_RSP_ERROR, "a grant that is taken back");
	grant(DATA_REF, data[0], 0);
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "and given again");
}

static void flood(void)
{
	for (unsigned int i = 0; i < 20000; i++)
		frontend_notify(&disk.fe);
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "after 20000 events for nothing");
}

static void wild_index(void)
{
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "before the index is wild");
	disk.ring->req_prod += 1000;
	frontend_notify(&disk.fe);
	block_start_over(&disk);
	is(grant_in_use(BLOCK_RING_REF), 0, "the ring is let go of");
	block_connect(&disk);
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "a new ring works");
}

static void wild_key(const char *key, const char *value, bool there_before)
{
	block_start_over(&disk);
	block_offer(&disk);
	frontend_put(&disk.fe, key, value);
	frontend_state(&disk.fe, XenbusStateInitialised);
	ok(frontend_wait_state(&disk.fe, XenbusStateClosing), "%s = %s: the backend closes",
	   key, value);
	if (!there_before)
		frontend_forget(&disk.fe, key);
}

static void wild_keys(void)
{
	wild_key("ring-ref", "4000000", true);
	wild_key("event-channel", "4000", true);
	wild_key("protocol", "alpha-abi", true);
	wild_key("ring-page-order", "9", false);
	wild_key("multi-queue-num-queues", "1000", false);
	block_start_over(&disk);
	block_connect(&disk);
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "after all that");
}

static void persistent(void)
{
	block_start_over(&disk);
	frontend_put(&disk.fe, "feature-persistent", "1");
	block_connect(&disk);
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "read with persistent grants");
	is(grant_in_use(DATA_REF), GTF_reading | GTF_writing, "the grant stays in use");
	is(transfer(BLKIF_OP_WRITE, 0, 1), BLKIF_RSP_OKAY, "and is used again");
	block_start_over(&disk);
	is(grant_in_use(DATA_REF), 0, "until the frontend closes");
}

void guest_main(void)
{
	if (!frontend_find(&disk.fe, FRONTEND))
		skip_all("there is no disk xvda");
	grants_init();
	disk.ring = page_alloc();
	list = page_alloc();
	grant(LIST_REF, list, 0);
	for (unsigned int i = 0; i < DATA_PAGES; i++) {
		data[i] = page_alloc();
		grant(DATA_REF + i, data[i], 0);
	}
	frontend_wait_state(&disk.fe, XenbusStateInitWait);
	block_connect(&disk);
	keys();
	reads_and_writes();
	indirect_requests();
	bad_requests();
	revoked();
	flood();
	wild_index();
	wild_keys();
	persistent();
	done();
}
