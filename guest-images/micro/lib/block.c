/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.c - a frontend of a disk
 */
#include "block.h"

#define ID(index) (0xb10c0000 + (index))

void block_offer(struct block *block)
{
	SHARED_RING_INIT(block->ring);
	FRONT_RING_INIT(&block->front, block->ring, PAGE_SIZE);
	grant(BLOCK_RING_REF, block->ring, 0);
	frontend_open(&block->fe);
	frontend_put_number(&block->fe, "ring-ref", BLOCK_RING_REF);
	frontend_put(&block->fe, "protocol", XEN_IO_PROTO_ABI_NATIVE);
}

void block_connect(struct block *block)
{
	block_offer(block);
	frontend_state(&block->fe, XenbusStateInitialised);
	frontend_wait_state(&block->fe, XenbusStateConnected);
	frontend_state(&block->fe, XenbusStateConnected);
}

void block_start_over(struct block *block)
{
	frontend_start_over(&block->fe);
}

struct blkif_request *block_request(struct block *block, uint8_t op, uint64_t sector)
{
	struct blkif_request *req = RING_GET_REQUEST(&block->front, block->front.req_prod_pvt);

	memset(req, 0, sizeof(*req));
	req->operation = op;
	req->id = ID(block->front.req_prod_pvt);
	req->sector_number = sector;
	return req;
}

void block_add(struct block *block)
{
	block->front.req_prod_pvt++;
}

void block_push(struct block *block)
{
	block_add(block);
	RING_PUSH_REQUESTS(&block->front);
	frontend_notify(&block->fe);
}

void block_wait_answers(struct block *block, unsigned int count)
{
	block->ring->rsp_event = block->front.rsp_cons + count;
	xen_mb();
	while (READ_ONCE(block->ring->rsp_prod) - block->front.rsp_cons < count)
		frontend_wait(&block->fe);
	xen_rmb();
}

int block_answer(struct block *block)
{
	struct blkif_response *rsp;

	block_wait_answers(block, 1);
	rsp = RING_GET_RESPONSE(&block->front, block->front.rsp_cons);
	if (rsp->id != ID(block->front.rsp_cons))
		bail_out("an answer to another request: %llx", (unsigned long long)rsp->id);
	block->front.rsp_cons++;
	return rsp->status;
}

int block_submit(struct block *block)
{
	block_push(block);
	return block_answer(block);
}

void block_segment(struct blkif_request *req, unsigned int i, unsigned int ref, uint8_t first,
		   uint8_t last)
{
	req->nr_segments = i + 1;
	req->seg[i] = (struct blkif_request_segment){ ref, first, last };
}

int block_one(struct block *block, uint8_t op, uint64_t sector, unsigned int ref, uint8_t first,
	      uint8_t last)
{
	block_segment(block_request(block, op, sector), 0, ref, first, last);
	return block_submit(block);
}

int block_indirect(struct block *block, uint8_t op, uint64_t sector, unsigned int count,
		   unsigned int ref)
{
	struct blkif_request_indirect *req = (void *)block_request(block, BLKIF_OP_INDIRECT, 0);

	req->indirect_op = op;
	req->nr_segments = count;
	req->id = ID(block->front.req_prod_pvt);
	req->sector_number = sector;
	req->indirect_grefs[0] = ref;
	return block_submit(block);
}
