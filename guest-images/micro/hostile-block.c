/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostile-block - a disk whose frontend does what no frontend should, and is served again
 * each time after it has closed
 *
 * Of the disk, xvda of 2 MiB, it writes only what lies below sector 3072.
 */
#include "block.h"

#define SECTORS 4096
#define WRITTEN 1024 /* sectors at which requests begin; they have 2048 at most */
#define RING_SLOTS 32
#define DATA_REF 32
#define DATA_PAGES 8
#define LIST_REF 48
#define TABLE_REF 50
#define OTHER_REF 51

static struct block disk;
static uint8_t *data[DATA_PAGES];
static struct blkif_request_segment *list;

/* The device works. */
static void is_good(const char *after)
{
	memset(data[0], 'G', PAGE_SIZE);
	is(block_one(&disk, BLKIF_OP_WRITE, 0, DATA_REF, 0, 7), BLKIF_RSP_OKAY,
	   "%s: a good write", after);
	memset(data[0], 0, PAGE_SIZE);
	is(block_one(&disk, BLKIF_OP_READ, 0, DATA_REF, 0, 7), BLKIF_RSP_OKAY,
	   "%s: a good read", after);
	ok(data[0][0] == 'G' && data[0][PAGE_SIZE - 1] == 'G', "%s: of what was written",
	   after);
}

static void again(const char *after)
{
	block_start_over(&disk);
	is(grant_in_use(BLOCK_RING_REF), 0, "%s: the ring is let go of", after);
	block_connect(&disk);
	is_good(after);
}

/* --- indices --- */

static void wild_indices(void)
{
	static const struct {
		const char *name;
		uint32_t ahead;
	} cases[] = {
		{ "one more than the ring has", RING_SLOTS + 1 },
		{ "half of the numbers ahead", 1U << 31 },
		{ "one behind", -1U },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		disk.ring->req_prod += cases[i].ahead;
		frontend_notify(&disk.fe);
		ok(frontend_wait_state(&disk.fe, XenbusStateClosing), "%s: the backend closes",
		   cases[i].name);
		again(cases[i].name);
	}
}

/* Only the guest reads these: the backend goes by its own. */
static void backends_indices(void)
{
	block_segment(block_request(&disk, BLKIF_OP_READ, 0), 0, DATA_REF, 0, 7);
	disk.ring->rsp_event = disk.front.rsp_cons + 1;
	disk.ring->rsp_prod += 1000;
	disk.ring->req_event -= 7;
	block_push(&disk);
	while (READ_ONCE(disk.ring->rsp_prod) != disk.front.req_prod_pvt)
		frontend_wait(&disk.fe);
	is(block_answer(&disk), BLKIF_RSP_OKAY, "the backend's own indices don't matter");
}

/* --- requests --- */

/* Anything at all; where it may make sense, nothing is written above the limit. */
static void random_request(struct blkif_request *req)
{
	struct blkif_request_indirect *indirect = (void *)req;
	uint64_t id = req->id;

	fill_random(req, sizeof(*req));
	req->id = id;
	if (pseudo_random() % 4 == 0)
		return;
	req->operation = pseudo_random() % 8;
	req->nr_segments = pseudo_random() % 14;
	req->sector_number = pseudo_random() % WRITTEN;
	for (unsigned int i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++) {
		uint32_t from = pseudo_random();

		req->seg[i] = (struct blkif_request_segment){ DATA_REF + from % 20,
							      from >> 8 & 7, from >> 12 & 15 };
	}
	if (req->operation != BLKIF_OP_INDIRECT)
		return;
	indirect->indirect_op = pseudo_random() % 3;
	indirect->nr_segments = pseudo_random() % 300;
	indirect->id = id;
	indirect->sector_number = pseudo_random() % WRITTEN;
	indirect->indirect_grefs[0] = DATA_REF + pseudo_random() % 20;
}

static void random_list(void)
{
	for (unsigned int i = 0; i < 512; i++) {
		uint32_t from = pseudo_random();

		list[i] = (struct blkif_request_segment){ DATA_REF + from % DATA_PAGES,
							  from >> 8 & 3, 4 + (from >> 12 & 3) };
	}
}

/* As many answers as requests, whatever they say. */
static void take_all(unsigned int count)
{
	block_wait_answers(&disk, count);
	disk.front.rsp_cons += count;
}

static void garbage(void)
{
	for (unsigned int round = 0; round < 100; round++) {
		random_list();
		for (unsigned int i = 1; i < RING_SLOTS; i++) {
			random_request(block_request(&disk, 0, 0));
			block_add(&disk);
		}
		random_request(block_request(&disk, 0, 0));
		block_push(&disk);
		take_all(RING_SLOTS);
	}
	ok(true, "3200 requests of random bytes are answered");
	is_good("random bytes");
}

/* While the backend reads it; where requests write to stays as it is. */
static void scribble(void)
{
	uint32_t from = pseudo_random();
	struct blkif_request *req = &disk.ring->ring[from % RING_SLOTS].req;

	WRITE_ONCE(req->operation, from >> 5 & 7);
	WRITE_ONCE(req->nr_segments, from >> 8 & 15);
	WRITE_ONCE(req->seg[from >> 12 & 7].gref, DATA_REF + (from >> 15 & 31));
	WRITE_ONCE(req->seg[from >> 20 & 7].first_sect, from >> 23 & 7);
	WRITE_ONCE(req->seg[from >> 26 & 7].last_sect, from >> 28);
	WRITE_ONCE(list[from >> 4 & 511].gref, DATA_REF + (from >> 15 & 31));
	WRITE_ONCE(list[from >> 4 & 511].last_sect, from >> 28);
}

static void changing(void)
{
	for (unsigned int round = 0; round < 100; round++) {
		random_list();
		for (unsigned int i = 1; i < RING_SLOTS; i++) {
			random_request(block_request(&disk, 0, 0));
			block_add(&disk);
		}
		random_request(block_request(&disk, 0, 0));
		block_push(&disk);
		while (READ_ONCE(disk.ring->rsp_prod) != disk.front.req_prod_pvt)
			scribble();
		disk.front.rsp_cons += RING_SLOTS;
	}
	is_good("requests that change after they were sent");
}

/* --- what requests refer to --- */

static void loops(void)
{
	for (unsigned int i = 0; i < 512; i++)
		list[i] = (struct blkif_request_segment){ LIST_REF, 0, 7 };
	is(block_indirect(&disk, BLKIF_OP_READ, 3072, 100, LIST_REF), BLKIF_RSP_OKAY,
	   "a list that is read over itself");
	is(list[0].gref, 0x48484848, "it was");
	is(block_indirect(&disk, BLKIF_OP_READ, 0, 100, LIST_REF), BLKIF_RSP_ERROR,
	   "a list of what was read");
}

static void own_ring(void)
{
	block_segment(block_request(&disk, BLKIF_OP_READ, SECTORS - 8), 0, BLOCK_RING_REF, 0,
		      7);
	block_push(&disk);
	while (!frontend_is(&disk.fe, XenbusStateClosing))
		frontend_notify(&disk.fe);
	ok(true, "a read into the ring: the backend closes");
	again("a read into the ring");
}

static void bad_frames(void)
{
	static const unsigned long frames[] = { 0, 0x7fffffff, 0xffffffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
		grant_frame(OTHER_REF, frames[i], 0);
		is(block_one(&disk, BLKIF_OP_WRITE, 8, OTHER_REF, 0, 7), BLKIF_RSP_ERROR,
		   "frame 0x%lx", frames[i]);
	}
	grant(OTHER_REF, data[1], 0);
	grant_table[OTHER_REF].domid = 1;
	is(block_one(&disk, BLKIF_OP_WRITE, 8, OTHER_REF, 0, 7), BLKIF_RSP_ERROR,
	   "a grant for another domain");
	grant_table[OTHER_REF].domid = 0;
	grant_table[OTHER_REF].flags = GTF_accept_transfer;
	is(block_one(&disk, BLKIF_OP_WRITE, 8, OTHER_REF, 0, 7), BLKIF_RSP_ERROR,
	   "a grant for a transfer");
	grant_table[OTHER_REF].flags = 0;
}

/* A backend may read a page table, but never write it. */
static void page_table(void)
{
	grant(TABLE_REF, kernel_root(), 0);
	is(block_one(&disk, BLKIF_OP_READ, 0, TABLE_REF, 0, 7), BLKIF_RSP_ERROR,
	   "read into a page table");
	is(block_one(&disk, BLKIF_OP_WRITE, 8, TABLE_REF, 0, 7), BLKIF_RSP_OKAY,
	   "write from it");
	block_segment(block_request(&disk, BLKIF_OP_WRITE, 8), 0, TABLE_REF, 0, 7);
	block_add(&disk);
	block_segment(block_request(&disk, BLKIF_OP_READ, 0), 0, TABLE_REF, 0, 7);
	block_push(&disk);
	block_wait_answers(&disk, 2);
	for (unsigned int i = 0; i < 2; i++) {
		const struct blkif_response *rsp =
			RING_GET_RESPONSE(&disk.front, disk.front.rsp_cons + i);

		/* As both have different operations: in whatever order they are done. */
		is(rsp->status,
		   rsp->operation == BLKIF_OP_READ ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY,
		   "both at once: only one is done");
	}
	disk.front.rsp_cons += 2;
	grant_table[TABLE_REF].flags = 0;
	is_good("page tables");
}

/* --- taken back while in use --- */

static void give_back(void *page)
{
	xen_pfn_t frame = virt_to_mfn(page);
	struct xen_memory_reservation arg = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(arg.extent_start, &frame);
	if (update_va_mapping((unsigned long)page, 0, UVMF_INVLPG))
		bail_out("a page can't be unmapped");
	is(memory_op(XENMEM_decrease_reservation, &arg), 1, "a frame is given back");
}

static void keep_grants(void)
{
	block_start_over(&disk);
	frontend_put(&disk.fe, "feature-persistent", "1");
	block_connect(&disk);
	is(block_one(&disk, BLKIF_OP_READ, 0, OTHER_REF, 0, 7), BLKIF_RSP_OKAY,
	   "read into a grant that is kept");
	is(grant_in_use(OTHER_REF), GTF_reading | GTF_writing, "in use");
}

/* What a backend may write to at any time can't become a page table. */
static void pinned(void)
{
	uint8_t *page = data[DATA_PAGES - 1];

	grant(OTHER_REF, page, 0);
	keep_grants();
	memset(page, 0, PAGE_SIZE);
	page_read_only(page);
	is(mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(page)), -XEN_EINVAL,
	   "a page in use as a page table");
	block_start_over(&disk);
	is(mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(page)), 0, "and when it is not any more");
	is(mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(page)), 0, "unpin");
	page_read_write(page);
}

static void revoked(void)
{
	grant(OTHER_REF, data[DATA_PAGES - 1], 0);
	keep_grants();
	grant_table[OTHER_REF].flags = 0;
	is(block_one(&disk, BLKIF_OP_READ, 0, OTHER_REF, 0, 7), BLKIF_RSP_OKAY,
	   "revoked meanwhile");
	give_back(data[DATA_PAGES - 1]);
	is(block_one(&disk, BLKIF_OP_READ, 0, OTHER_REF, 0, 7), BLKIF_RSP_OKAY,
	   "and its frame is given back");
	frontend_forget(&disk.fe, "feature-persistent");
	again("frames given back");
	grant_frame(OTHER_REF, grant_table[OTHER_REF].frame, 0);
	is(block_one(&disk, BLKIF_OP_READ, 0, OTHER_REF, 0, 7), BLKIF_RSP_ERROR,
	   "which is not ours any more");
	grant_table[OTHER_REF].flags = 0;
}

static void ring_given_back(void)
{
	grant_table[BLOCK_RING_REF].flags = 0;
	give_back(disk.ring);
	for (unsigned int i = 0; i < 100; i++)
		frontend_notify(&disk.fe);
	disk.ring = page_alloc();
	block_start_over(&disk);
	block_connect(&disk);
	is_good("the ring itself given back");
}

/* --- keys and states --- */

static void wild_keys(void)
{
	static const char *const cases[][2] = {
		{ "ring-ref", "" },
		{ "ring-ref", "-1" },
		{ "ring-ref", "99999999999999999999999" },
		{ "ring-ref", "16 " },
		{ "event-channel", "0" },
		{ "event-channel", "4294967296" },
		{ "protocol", "" },
		{ "ring-page-order", "4" },
		{ "multi-queue-num-queues", "0" },
		{ "multi-queue-num-queues", "2" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		block_start_over(&disk);
		block_offer(&disk);
		frontend_put(&disk.fe, cases[i][0], cases[i][1]);
		frontend_state(&disk.fe, XenbusStateInitialised);
		ok(frontend_wait_state(&disk.fe, XenbusStateClosing),
		   "%s = \"%s\": the backend closes", cases[i][0], cases[i][1]);
		frontend_forget(&disk.fe, cases[i][0]);
	}
	block_start_over(&disk);
	block_connect(&disk);
	is_good("wild keys");
}

/* Without ever waiting for the other side. */
static void state_flood(void)
{
	struct store_event event;

	for (unsigned int i = 0; i < 1000; i++) {
		frontend_state(&disk.fe, pseudo_random() % 10);
		if (i % 16 == 0)
			frontend_forget(&disk.fe, "state");
		if (i % 64 == 0)
			frontend_put(&disk.fe, "state", "what?");
		while (store_event(&event, false))
			;
	}
	block_start_over(&disk);
	block_connect(&disk);
	is_good("states without order");
}

static void event_flood(void)
{
	for (unsigned int i = 0; i < 20000; i++)
		frontend_notify(&disk.fe);
	is_good("events for nothing");
}

/* There is no way back from this. */
static void directory_removed(void)
{
	static struct store_reply reply;

	ok(!store_call(XS_RM, 0, disk.fe.path, strlen(disk.fe.path) + 1, &reply),
	   "the device's directory is removed");
	ok(frontend_wait_state(&disk.fe, XenbusStateClosed), "the backend closes");
	is(grant_in_use(BLOCK_RING_REF), 0, "and lets go of the ring");
}

void guest_main(void)
{
	if (!frontend_find(&disk.fe, "device/vbd/51712"))
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
	is_good("at first");
	wild_indices();
	backends_indices();
	garbage();
	changing();
	loops();
	own_ring();
	bad_frames();
	page_table();
	pinned();
	revoked();
	ring_given_back();
	wild_keys();
	state_flood();
	event_flood();
	directory_removed();
	done();
}
