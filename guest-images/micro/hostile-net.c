/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostile-net - a network interface whose frontend does what no frontend should, and is
 * served again each time after it has closed
 *
 * Something on the network must answer ARP for any address, as passt does.
 */
#include "frontend.h"
#include <xen/io/netif.h>

#define TX_RING_REF 16
#define RX_RING_REF 17
#define TX_REF 32
#define RX_REF 40
#define RX_PAGES 32
#define RING_SLOTS 256
#define MIN_FRAME 14
#define ARP_FRAME 42

struct net {
	struct frontend fe;
	struct netif_tx_sring *tx_ring;
	struct netif_rx_sring *rx_ring;
	struct netif_tx_front_ring tx;
	struct netif_rx_front_ring rx;
};

static struct net net;
static uint8_t *frame;
static uint8_t *rx_pages[RX_PAGES];
static uint8_t mac[6];

/* --- connection --- */

static void post_page(unsigned int i)
{
	*RING_GET_REQUEST(&net.rx, net.rx.req_prod_pvt) =
		(struct netif_rx_request){ .id = i, .gref = RX_REF + i };
	net.rx.req_prod_pvt++;
}

static void offer_rings(void)
{
	SHARED_RING_INIT(net.tx_ring);
	FRONT_RING_INIT(&net.tx, net.tx_ring, PAGE_SIZE);
	SHARED_RING_INIT(net.rx_ring);
	FRONT_RING_INIT(&net.rx, net.rx_ring, PAGE_SIZE);
	grant(TX_RING_REF, net.tx_ring, 0);
	grant(RX_RING_REF, net.rx_ring, 0);
	grant(TX_REF, frame, GTF_readonly);
	for (unsigned int i = 0; i < RX_PAGES; i++) {
		grant(RX_REF + i, rx_pages[i], 0);
		post_page(i);
	}
	net.rx_ring->req_prod = net.rx.req_prod_pvt;
	frontend_open(&net.fe);
	frontend_put_number(&net.fe, "tx-ring-ref", TX_RING_REF);
	frontend_put_number(&net.fe, "rx-ring-ref", RX_RING_REF);
	frontend_put(&net.fe, "request-rx-copy", "1");
	frontend_put(&net.fe, "feature-rx-notify", "1");
	frontend_put(&net.fe, "feature-sg", "1");
}

static void connect(void)
{
	offer_rings();
	frontend_state(&net.fe, XenbusStateConnected);
	frontend_wait_state(&net.fe, XenbusStateConnected);
}

static void start_over(const char *after)
{
	frontend_start_over(&net.fe);
	is(grant_in_use(TX_RING_REF) | grant_in_use(RX_RING_REF) | grant_in_use(TX_REF), 0,
	   "%s: nothing is in use", after);
}

/* --- frames --- */

static void add_slot(struct netif_tx_request request)
{
	request.id = net.tx.req_prod_pvt;
	*RING_GET_REQUEST(&net.tx, net.tx.req_prod_pvt) = request;
	net.tx.req_prod_pvt++;
}

static void add_extra(uint8_t type, uint8_t flags, uint16_t gso_size, uint8_t gso_type)
{
	struct netif_extra_info info = { .type = type, .flags = flags };

	info.u.gso.size = gso_size;
	info.u.gso.type = gso_type;
	memcpy(RING_GET_REQUEST(&net.tx, net.tx.req_prod_pvt), &info, sizeof(info));
	net.tx.req_prod_pvt++;
}

static void push(void)
{
	RING_PUSH_REQUESTS(&net.tx);
	frontend_notify(&net.fe);
}

/* Of one slot; Return: NETIF_RSP_* */
static int send(unsigned int ref, unsigned int offset, unsigned int size, unsigned int flags)
{
	struct netif_tx_response *rsp;
	int more;

	add_slot((struct netif_tx_request){ ref, offset, flags, 0, size });
	push();
	for (;;) {
		RING_FINAL_CHECK_FOR_RESPONSES(&net.tx, more);
		if (more)
			break;
		frontend_wait(&net.fe);
	}
	rsp = RING_GET_RESPONSE(&net.tx, net.tx.rsp_cons);
	if (rsp->id != (uint16_t)net.tx.rsp_cons)
		bail_out("an answer to another frame: %u", rsp->id);
	net.tx.rsp_cons++;
	return rsp->status;
}

/* Who has 198.51.100.2? tell 198.51.100.1 */
static void make_arp(void)
{
	static const uint8_t rest[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1 };
	static const uint8_t from[] = { 198, 51, 100, 1 }, to[] = { 198, 51, 100, 2 };

	memset(frame, 0, PAGE_SIZE);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, rest, sizeof(rest));
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, from, 4);
	memcpy(frame + 38, to, 4);
}

static bool is_arp_reply(const struct netif_rx_response *rsp)
{
	const uint8_t *page = rx_pages[rsp->id % RX_PAGES];

	return rsp->status >= ARP_FRAME && page[12] == 8 && page[13] == 6 && page[21] == 2 &&
	       !memcmp(page, mac, 6);
}

/* Take what was received and give the pages again; Return: was an ARP reply there? */
static bool receive(void)
{
	bool found = false;
	int more;

	for (;;) {
		RING_FINAL_CHECK_FOR_RESPONSES(&net.rx, more);
		if (!more)
			break;
		struct netif_rx_response rsp = *RING_GET_RESPONSE(&net.rx, net.rx.rsp_cons);

		net.rx.rsp_cons++;
		if (rsp.id >= RX_PAGES)
			bail_out("a page that was never posted: %u", rsp.id);
		found |= is_arp_reply(&rsp);
		post_page(rsp.id);
	}
	RING_PUSH_REQUESTS(&net.rx);
	return found;
}

static void is_good(const char *after)
{
	make_arp();
	is(send(TX_REF, 0, ARP_FRAME, 0), NETIF_RSP_OKAY, "%s: a good frame", after);
	while (!receive())
		frontend_wait(&net.fe);
	ok(true, "%s: is answered", after);
}

/* --- what costs the guest its interface --- */

static void closes(const char *what)
{
	push();
	while (!frontend_is(&net.fe, XenbusStateClosing))
		frontend_notify(&net.fe);
	ok(true, "%s: the backend closes", what);
	start_over(what);
	connect();
}

#define SLOT(offset, size, flags)                                                              \
	add_slot((struct netif_tx_request){ TX_REF, offset, flags, 0, size })

static void bad_frames(void)
{
	SLOT(4000, 97, 0);
	closes("past the page");
	SLOT(0xffff, 0xffff, 0);
	closes("far past the page");
	SLOT(0, 1000, NETTXF_more_data);
	closes("more that does not come");
	for (unsigned int i = 0; i < RING_SLOTS; i++)
		SLOT(0, 1, NETTXF_more_data);
	closes("more without end");
	SLOT(0, 100, NETTXF_extra_info);
	closes("extra information that does not come");
	SLOT(0, 100, NETTXF_extra_info);
	add_extra(0, 0, 0, 0);
	closes("of no type");
	SLOT(0, 100, NETTXF_extra_info);
	for (unsigned int i = 1; i < RING_SLOTS; i++)
		add_extra(XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE, 100, 1);
	closes("without end");
	SLOT(0, 100, NETTXF_extra_info);
	add_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, 0, XEN_NETIF_GSO_TYPE_TCPV4);
	closes("segments of no bytes");
	SLOT(0, 100, NETTXF_extra_info);
	add_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, 1000, 77);
	closes("segments of an unknown type");
	is_good("bad frames");
}

static void wild_indices(void)
{
	net.tx_ring->req_prod += RING_SLOTS + 1;
	net.tx.req_prod_pvt = net.tx_ring->req_prod;
	closes("one more to send than the ring has");
	net.tx_ring->req_prod--;
	net.tx.req_prod_pvt = net.tx_ring->req_prod;
	closes("one less than was sent");
	is_good("indices to send");
}

/* Only a frame that arrives shows it; the replies to these do. */
static void bad_receive(const char *what)
{
	make_arp();
	while (!frontend_is(&net.fe, XenbusStateClosing)) {
		if (net.tx.req_prod_pvt - READ_ONCE(net.tx_ring->rsp_prod) < RING_SLOTS)
			SLOT(0, ARP_FRAME, 0);
		push();
	}
	ok(true, "%s: the backend closes", what);
	start_over(what);
	connect();
}

static void receive_into_nothing(void)
{
	for (unsigned int i = 0; i < RX_PAGES; i++)
		grant_table[RX_REF + i].flags = 0;
	for (unsigned int i = 0; i < RX_PAGES; i++)
		post_page(i);
	net.rx_ring->req_prod = net.rx.req_prod_pvt;
	bad_receive("pages that are not granted");
	net.rx_ring->req_prod += 2 * RING_SLOTS;
	bad_receive("more pages than the ring has");
	grant_frame(RX_REF, virt_to_mfn(kernel_root()), 0);
	for (unsigned int i = 0; i < 2 * RX_PAGES; i++)
		post_page(0);
	net.rx_ring->req_prod = net.rx.req_prod_pvt;
	bad_receive("a page table to receive into");
	is_good("pages to receive into");
}

/* --- what costs it the frame --- */

static void refused_frames(void)
{
	is(send(4000000, 0, 100, 0), NETIF_RSP_ERROR, "a wild grant");
	is(send(TX_REF + 1, 0, 100, 0), NETIF_RSP_ERROR, "no grant");
	is(send(TX_REF, 0, 0, 0), NETIF_RSP_ERROR, "no bytes");
	is(send(TX_REF, 0, MIN_FRAME - 1, 0), NETIF_RSP_ERROR, "less than a header");
	grant_table[TX_REF].flags = 0;
	is(send(TX_REF, 0, 100, 0), NETIF_RSP_ERROR, "a grant that was revoked");
	grant(TX_REF, frame, GTF_readonly);
	is(send(TX_RING_REF, 0, PAGE_SIZE, 0), NETIF_RSP_OKAY, "the ring itself");
	is_good("refused frames");
}

/* A checksum that is wanted, of packets of every kind and length. */
static void random_frames(void)
{
	static const uint16_t types[] = { 0x0008, 0xdd86, 0x0608, 0x0081 };
	unsigned int answered = 0;

	for (unsigned int i = 0; i < 2000; i++) {
		unsigned int size = MIN_FRAME + pseudo_random() % (i % 2 ? 80 : 4000);

		fill_random(frame, size < 100 ? size : 100);
		memcpy(frame + 12, &types[i % 4], 2);
		if (i % 3)
			frame[14] = i % 4 ? 0x60 : 0x45;
		if (i % 5)
			frame[23] = frame[20] = i % 2 ? 6 : 17;
		answered += send(TX_REF, 0, size, pseudo_random() % 4) == NETIF_RSP_OKAY;
	}
	is(answered, 2000, "random frames are taken");
	is_good("random frames");
}

/* Whatever they are; an interface that is closed for them is opened again. */
static void random_round(bool change)
{
	bool closed = false;

	for (unsigned int i = 0; i < RING_SLOTS; i++) {
		struct netif_tx_request request;

		fill_random(&request, sizeof(request));
		if (pseudo_random() % 16)
			request = (struct netif_tx_request){ TX_REF, request.offset % 2048,
							     request.flags % 16, 0,
							     request.size % 2048 };
		add_slot(request);
	}
	push();
	while (READ_ONCE(net.tx_ring->rsp_prod) != net.tx.req_prod_pvt && !closed) {
		for (unsigned int i = 0; change && i < 1000; i++)
			net.tx_ring->ring[pseudo_random() % RING_SLOTS].req.flags =
				pseudo_random() % 16;
		closed = frontend_is(&net.fe, XenbusStateClosing);
		frontend_notify(&net.fe);
		receive();
	}
	net.tx.rsp_cons = net.tx.req_prod_pvt;
	if (!closed)
		return;
	frontend_start_over(&net.fe);
	connect();
}

static void random_requests(void)
{
	for (unsigned int i = 0; i < 20; i++)
		random_round(false);
	is_good("requests of random bytes");
	for (unsigned int i = 0; i < 20; i++)
		random_round(true);
	is_good("requests that change after they were sent");
}

static void multicast(void)
{
	for (unsigned int i = 0; i < 1000; i++) {
		SLOT(0, 0, NETTXF_extra_info);
		add_extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0, i, i);
		push();
		while (READ_ONCE(net.tx_ring->rsp_prod) != net.tx.req_prod_pvt)
			frontend_notify(&net.fe);
		net.tx.rsp_cons += 2;
	}
	is_good("a thousand multicast addresses");
}

/* --- keys and states --- */

static void wild_keys(void)
{
	static const char *const cases[][2] = {
		{ "tx-ring-ref", "4000000" },
		{ "rx-ring-ref", "" },
		{ "multi-queue-num-queues", "0" },
		{ "multi-queue-num-queues", "100000" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		frontend_start_over(&net.fe);
		offer_rings();
		frontend_put(&net.fe, cases[i][0], cases[i][1]);
		frontend_state(&net.fe, XenbusStateConnected);
		ok(frontend_wait_state(&net.fe, XenbusStateClosing),
		   "%s = \"%s\": the backend closes", cases[i][0], cases[i][1]);
		frontend_forget(&net.fe, cases[i][0]);
	}
	frontend_start_over(&net.fe);
	connect();
	is_good("wild keys");
}

/* There before the backend has looked at the ring for the first time. */
static void early_frame(void)
{
	frontend_start_over(&net.fe);
	offer_rings();
	SLOT(4090, 60, 0);
	RING_PUSH_REQUESTS(&net.tx);
	frontend_state(&net.fe, XenbusStateConnected);
	ok(frontend_wait_state(&net.fe, XenbusStateClosing),
	   "past the page before connecting: the backend closes");
	start_over("past the page before connecting");
	connect();
	is_good("a bad frame before connecting");
}

static void state_flood(void)
{
	struct store_event event;

	for (unsigned int i = 0; i < 1000; i++) {
		frontend_state(&net.fe, pseudo_random() % 10);
		while (store_event(&event, false))
			;
	}
	frontend_start_over(&net.fe);
	connect();
	is_good("states without order");
}

static uint8_t hex(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static void read_mac(void)
{
	char text[24];

	if (frontend_get(&net.fe, "mac", text, sizeof(text)) || strlen(text) != 17)
		bail_out("no address");
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = hex(text[3 * i]) << 4 | hex(text[3 * i + 1]);
}

void guest_main(void)
{
	if (!frontend_find(&net.fe, "device/vif/0"))
		skip_all("there is no network interface");
	grants_init();
	read_mac();
	net.tx_ring = page_alloc();
	net.rx_ring = page_alloc();
	frame = page_alloc();
	for (unsigned int i = 0; i < RX_PAGES; i++)
		rx_pages[i] = page_alloc();
	frontend_wait_state(&net.fe, XenbusStateInitWait);
	connect();
	is_good("at first");
	bad_frames();
	wild_indices();
	receive_into_nothing();
	refused_frames();
	random_frames();
	random_requests();
	multicast();
	wild_keys();
	early_frame();
	state_flood();
	done();
}
