/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blkif - a disk, xvda of 1 MiB: what its backend offers and answers, and what it makes
 * of a frontend that breaks the rules
 */
#include "guest.h"
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

/* For the macros of io/ring.h */
#define xen_mb() asm volatile("mfence" ::: "memory")
#define xen_rmb() barrier()
#define xen_wmb() barrier()

#define FRONTEND "device/vbd/51712"
#define SECTORS 2048
#define RING_REF 16
#define DATA_REF 32
#define DATA_PAGES 4
#define LIST_REF 40 /* segments of indirect requests */

static volatile struct grant_entry_v1 *table;
static struct blkif_front_ring front;
static struct blkif_sring *ring;
static uint8_t *data[DATA_PAGES];
static struct blkif_request_segment *list;
static char backend[128];
static evtchn_port_t port;

/* --- grants and events --- */

static void map_grants(void)
{
	struct gnttab_setup_table arg = { .dom = DOMID_SELF, .nr_frames = 1 };
	xen_pfn_t frame;

	set_xen_guest_handle(arg.frame_list, &frame);
	table = page_alloc();
	if (grant_table_op(GNTTABOP_setup_table, &arg, 1) || arg.status != GNTST_okay ||
	    update_va_mapping((unsigned long)table, make_pte(frame, PTE_WRITE), UVMF_INVLPG))
		bail_out("no grant table");
}

static void grant(unsigned int ref, const void *page, unsigned int flags)
{
	table[ref].domid = 0;
	table[ref].frame = virt_to_mfn(page);
	barrier();
	table[ref].flags = GTF_permit_access | flags;
}

static unsigned int in_use(unsigned int ref)
{
	return table[ref].flags & (GTF_reading | GTF_writing);
}

static void notify(void)
{
	struct evtchn_send send = { .port = port };

	event_channel_op(EVTCHNOP_send, &send);
}

static void wait_event(void)
{
	struct sched_poll poll = { .nr_ports = 1 };

	set_xen_guest_handle(poll.ports, &port);
	sched_op(SCHEDOP_poll, &poll);
	event_clear(port);
}

/* --- xenstore --- */

static void path_of(char *path, size_t size, const char *directory, const char *key)
{
	size_t used = strlen(directory);

	if (used + strlen(key) + 2 > size)
		bail_out("%s/%s is too long", directory, key);
	memcpy(path, directory, used);
	path[used++] = '/';
	memcpy(path + used, key, strlen(key) + 1);
}

static void put(const char *key, const char *value)
{
	char path[64];
	const char *error;

	path_of(path, sizeof(path), FRONTEND, key);
	error = store_write(path, value);
	if (error)
		bail_out("%s: %s", path, error);
}

static void put_number(const char *key, unsigned int value)
{
	char text[12], *at = text + sizeof(text) - 1;

	*at = '\0';
	do
		*--at = '0' + value % 10;
	while (value /= 10);
	put(key, at);
}

static void forget(const char *key)
{
	static struct store_reply reply;
	char path[64];

	path_of(path, sizeof(path), FRONTEND, key);
	store_call(XS_RM, 0, path, strlen(path) + 1, &reply);
}

/* A number of the backend's, or -1. */
static long offered(const char *key)
{
	char path[192], value[24];
	long number = 0;

	path_of(path, sizeof(path), backend, key);
	if (store_read(path, value, sizeof(value)))
		return -1;
	for (const char *at = value; *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (*at - '0');
	return number;
}

static void find_backend(void)
{
	static struct store_reply reply;
	char path[192];
	const char *error = store_read(FRONTEND "/backend", backend, sizeof(backend));
	size_t length;

	if (error)
		skip_all("there is no disk xvda");
	path_of(path, sizeof(path), backend, "state");
	length = strlen(path) + 1;
	memcpy(path + length, "state", 6);
	if (store_call(XS_WATCH, 0, path, length + 6, &reply))
		bail_out("%s can't be watched", path);
}

/* Until the backend's state is @state. */
static bool backend_is(long state)
{
	static struct store_event event;

	while (offered("state") != state)
		store_event(&event, true);
	return true;
}

/* --- connection --- */

static void set_state(unsigned int state)
{
	put_number("state", state);
}

static void offer_ring(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };

	if (event_channel_op(EVTCHNOP_alloc_unbound, &alloc))
		bail_out("no event channel");
	port = alloc.port;
	SHARED_RING_INIT(ring);
	FRONT_RING_INIT(&front, ring, PAGE_SIZE);
	grant(RING_REF, ring, 0);
	put_number("ring-ref", RING_REF);
	put_number("event-channel", port);
	put("protocol", XEN_IO_PROTO_ABI_NATIVE);
}

static void connect(void)
{
	offer_ring();
	set_state(XenbusStateInitialised);
	backend_is(XenbusStateConnected);
	set_state(XenbusStateConnected);
}

static void close_port(void)
{
	struct evtchn_close close = { .port = port };

	event_channel_op(EVTCHNOP_close, &close);
	event_clear(port);
}

/* From whatever state, to one in which it may connect again. */
static void start_over(void)
{
	set_state(XenbusStateClosed);
	backend_is(XenbusStateClosed);
	close_port();
	set_state(XenbusStateInitialising);
	backend_is(XenbusStateInitWait);
}

/* --- requests --- */

static struct blkif_request *next_request(uint8_t op, uint64_t sector)
{
	struct blkif_request *req = RING_GET_REQUEST(&front, front.req_prod_pvt);

	memset(req, 0, sizeof(*req));
	req->operation = op;
	req->id = 0xb10c0000 + front.req_prod_pvt;
	req->sector_number = sector;
	return req;
}

static void push(void)
{
	front.req_prod_pvt++;
	RING_PUSH_REQUESTS(&front);
	notify();
}

/* Wait for the answer to the only request, and take it. */
static int take_answer(void)
{
	struct blkif_response *rsp;
	int more;

	for (;;) {
		RING_FINAL_CHECK_FOR_RESPONSES(&front, more);
		if (more)
			break;
		wait_event();
	}
	rsp = RING_GET_RESPONSE(&front, front.rsp_cons);
	if (rsp->id != 0xb10c0000 + front.rsp_cons)
		bail_out("an answer to another request: %llx", (unsigned long long)rsp->id);
	front.rsp_cons++;
	return rsp->status;
}

static int submit(void)
{
	push();
	return take_answer();
}

static void set_segment(struct blkif_request *req, unsigned int i, unsigned int ref,
			uint8_t first, uint8_t last)
{
	req->nr_segments = i + 1;
	req->seg[i] = (struct blkif_request_segment){ ref, first, last };
}

/* A request for whole pages of data. */
static int transfer(uint8_t op, uint64_t sector, unsigned int pages)
{
	struct blkif_request *req = next_request(op, sector);

	for (unsigned int i = 0; i < pages; i++)
		set_segment(req, i, DATA_REF + i, 0, 7);
	return submit();
}

static int one_segment(uint8_t op, uint64_t sector, unsigned int ref, uint8_t first,
		       uint8_t last)
{
	set_segment(next_request(op, sector), 0, ref, first, last);
	return submit();
}

static int discard(uint64_t sector, uint64_t count)
{
	struct blkif_request_discard *req = (void *)next_request(BLKIF_OP_DISCARD, sector);

	req->nr_sectors = count;
	return submit();
}

static int indirect(uint8_t op, uint64_t sector, unsigned int count, unsigned int ref)
{
	struct blkif_request_indirect *req = (void *)next_request(BLKIF_OP_INDIRECT, 0);

	req->indirect_op = op;
	req->nr_segments = count;
	req->id = 0xb10c0000 + front.req_prod_pvt;
	req->sector_number = sector;
	req->indirect_grefs[0] = ref;
	return submit();
}

/* --- what is tested --- */

static void keys(void)
{
	is(offered("sectors"), SECTORS, "sectors");
	is(offered("sector-size"), 512, "sector-size");
	is(offered("info"), 0, "info");
	is(offered("feature-barrier"), 1, "feature-barrier");
	is(offered("feature-flush-cache"), 1, "feature-flush-cache");
	is(offered("feature-discard"), 1, "feature-discard");
	is(offered("discard-alignment"), 0, "discard-alignment");
	is(offered("discard-secure"), 0, "discard-secure");
	is(offered("feature-persistent"), 1, "feature-persistent");
	is(offered("feature-max-indirect-segments"), 256, "feature-max-indirect-segments");
	is(offered("max-ring-page-order"), 4, "max-ring-page-order");
	ok(offered("multi-queue-max-queues") >= 1, "multi-queue-max-queues");
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
	is(one_segment(BLKIF_OP_READ, 20, DATA_REF, 2, 5), BLKIF_RSP_OKAY, "read");
	ok(filled(data[0], 0, 1024, 'a') && filled(data[0], 1024, 3072, 'b') &&
		   filled(data[0], 3072, 4096, 'a'),
	   "what was written there, and nothing else");
	is(transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, 0), BLKIF_RSP_OKAY, "flush");
	is(transfer(BLKIF_OP_WRITE_BARRIER, 64, 2), BLKIF_RSP_OKAY, "barrier with data");
	is(transfer(BLKIF_OP_WRITE_BARRIER, 0, 0), BLKIF_RSP_OKAY, "barrier without");
	is(discard(128, 64), BLKIF_RSP_OKAY, "discard");
	is(transfer(BLKIF_OP_READ, SECTORS - 8, 1), BLKIF_RSP_OKAY, "the last sectors");
	is(in_use(DATA_REF), 0, "no grant is in use");
}

static void indirect_requests(void)
{
	for (unsigned int i = 0; i < 512; i++)
		list[i] = (struct blkif_request_segment){ DATA_REF + i % DATA_PAGES, 0, 0 };
	for (unsigned int i = 0; i < DATA_PAGES; i++)
		memset(data[i], 'A' + i, PAGE_SIZE);
	is(indirect(BLKIF_OP_WRITE, 256, 256, LIST_REF), BLKIF_RSP_OKAY, "indirect write");
	memset(data[0], 0, PAGE_SIZE);
	is(one_segment(BLKIF_OP_READ, 504, DATA_REF, 0, 7), BLKIF_RSP_OKAY, "read it");
	ok(data[0][0] == 'A' && data[0][512] == 'B' && data[0][4095] == 'D', "it is there");
	is(indirect(BLKIF_OP_READ, 0, 257, LIST_REF), BLKIF_RSP_ERROR, "too many segments");
	is(indirect(BLKIF_OP_READ, 0, 65535, LIST_REF), BLKIF_RSP_ERROR, "far too many");
	is(indirect(BLKIF_OP_READ, 0, 0, LIST_REF), BLKIF_RSP_ERROR, "none");
	is(indirect(BLKIF_OP_INDIRECT, 0, 1, LIST_REF), BLKIF_RSP_ERROR, "indirect twice");
	is(indirect(BLKIF_OP_READ, 0, 1, 4000000), BLKIF_RSP_ERROR, "a list without a grant");
	list[200].last_sect = 8;
	is(indirect(BLKIF_OP_READ, 0, 256, LIST_REF), BLKIF_RSP_ERROR,
	   "one of them past its page");
	is(in_use(LIST_REF) | in_use(DATA_REF), 0, "no grant is in use");
}

static void bad_requests(void)
{
	struct blkif_request *req;

	is(transfer(BLKIF_OP_READ, 0, 0), BLKIF_RSP_ERROR, "read of no segments");
	req = next_request(BLKIF_OP_READ, 0);
	req->nr_segments = 12;
	is(submit(), BLKIF_RSP_ERROR, "12 segments");
	req = next_request(BLKIF_OP_WRITE, 0);
	req->nr_segments = 255;
	is(submit(), BLKIF_RSP_ERROR, "255 segments");
	is(one_segment(BLKIF_OP_READ, 0, DATA_REF, 0, 8), BLKIF_RSP_ERROR, "past the page");
	is(one_segment(BLKIF_OP_READ, 0, DATA_REF, 5, 4), BLKIF_RSP_ERROR, "backwards");
	is(one_segment(BLKIF_OP_READ, 0, DATA_REF, 255, 255), BLKIF_RSP_ERROR, "far past");
	is(one_segment(BLKIF_OP_READ, 0, 100, 0, 7), BLKIF_RSP_ERROR, "no grant");
	is(one_segment(BLKIF_OP_WRITE, 0, 4000000, 0, 7), BLKIF_RSP_ERROR, "a wild grant");
	is(transfer(BLKIF_OP_READ, SECTORS, 1), BLKIF_RSP_ERROR, "behind the end");
	is(transfer(BLKIF_OP_WRITE, SECTORS - 7, 1), BLKIF_RSP_ERROR, "over the end");
	is(transfer(BLKIF_OP_READ, -1ULL, 1), BLKIF_RSP_ERROR, "a sector that wraps");
	is(transfer(BLKIF_OP_READ, 1ULL << 55, 1), BLKIF_RSP_ERROR, "bytes that wrap");
	is(discard(SECTORS - 1, 2), BLKIF_RSP_ERROR, "discard over the end");
	is(transfer(4, 0, 1), BLKIF_RSP_EOPNOTSUPP, "reserved operation");
	is(transfer(99, 0, 1), BLKIF_RSP_EOPNOTSUPP, "unknown operation");
	grant(DATA_REF + 1, data[1], GTF_readonly);
	is(one_segment(BLKIF_OP_READ, 0, DATA_REF + 1, 0, 7), BLKIF_RSP_ERROR,
	   "read into a read-only grant");
	is(one_segment(BLKIF_OP_WRITE, 0, DATA_REF + 1, 0, 7), BLKIF_RSP_OKAY, "write from it");
	grant(DATA_REF + 1, data[1], 0);
	is(transfer(BLKIF_OP_READ, 0, 4), BLKIF_RSP_OKAY, "a good one is served");
}

/* Taken back as soon as it was sent: whoever is first, there is an answer. */
static void revoked(void)
{
	int status;

	set_segment(next_request(BLKIF_OP_READ, 0), 0, DATA_REF, 0, 7);
	push();
	table[DATA_REF].flags = 0;
	status = take_answer();
	ok(status == BLKIF_RSP_OKAY || status == BLKIF_RSP_ERROR, "a grant that is taken back");
	grant(DATA_REF, data[0], 0);
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "and given again");
}

static void flood(void)
{
	for (unsigned int i = 0; i < 20000; i++)
		notify();
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "after 20000 events for nothing");
}

static void wild_index(void)
{
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "before the index is wild");
	ring->req_prod += 1000;
	notify();
	start_over();
	is(in_use(RING_REF), 0, "the ring is let go of");
	connect();
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "a new ring works");
}

static void wild_key(const char *key, const char *value, bool there_before)
{
	start_over();
	offer_ring();
	put(key, value);
	set_state(XenbusStateInitialised);
	ok(backend_is(XenbusStateClosing), "%s = %s: the backend closes", key, value);
	if (!there_before)
		forget(key);
}

static void wild_keys(void)
{
	wild_key("ring-ref", "4000000", true);
	wild_key("event-channel", "4000", true);
	wild_key("protocol", "alpha-abi", true);
	wild_key("ring-page-order", "9", false);
	wild_key("multi-queue-num-queues", "1000", false);
	start_over();
	connect();
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "after all that");
}

static void persistent(void)
{
	start_over();
	put("feature-persistent", "1");
	connect();
	is(transfer(BLKIF_OP_READ, 0, 1), BLKIF_RSP_OKAY, "read with persistent grants");
	is(in_use(DATA_REF), GTF_reading | GTF_writing, "the grant stays in use");
	is(transfer(BLKIF_OP_WRITE, 0, 1), BLKIF_RSP_OKAY, "and is used again");
	start_over();
	is(in_use(DATA_REF), 0, "until the frontend closes");
}

void guest_main(void)
{
	find_backend();
	map_grants();
	ring = page_alloc();
	list = page_alloc();
	grant(LIST_REF, list, 0);
	for (unsigned int i = 0; i < DATA_PAGES; i++) {
		data[i] = page_alloc();
		grant(DATA_REF + i, data[i], 0);
	}
	backend_is(XenbusStateInitWait);
	connect();
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
