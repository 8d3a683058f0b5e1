/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.h - a frontend of a disk, with one ring of one page
 */
#ifndef MICRO_BLOCK_H
#define MICRO_BLOCK_H

#include "frontend.h"
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>

#define BLOCK_RING_REF 16

/**
 * struct block - a disk
 * @fe:    the device
 * @ring:  the shared page
 * @front: our side of it
 */
struct block {
	struct frontend fe;
	struct blkif_sring *ring;
	struct blkif_front_ring front;
};

/** block_offer() - an empty ring and an event channel, with their keys; no state */
void block_offer(struct block *block);
/** block_connect() - offer them and wait until the backend has connected */
void block_connect(struct block *block);
/** block_start_over() - close, and get ready to connect again */
void block_start_over(struct block *block);
/** block_request() - the next request of the ring, empty but for its @op and id */
struct blkif_request *block_request(struct block *block, uint8_t op, uint64_t sector);
/** block_add() - put it on the ring, without telling */
void block_add(struct block *block);
/** block_push() - put it on the ring, show what is there, and notify */
void block_push(struct block *block);
/** block_wait_answers() - until so many are there that were not taken */
void block_wait_answers(struct block *block, unsigned int count);
/** block_answer() - wait for the answer to the oldest request; Return: BLKIF_RSP_* */
int block_answer(struct block *block);
/** block_submit() - push the request, which is the only one, and take its answer */
int block_submit(struct block *block);
/** block_segment() - set segment @i, which becomes the last one */
void block_segment(struct blkif_request *req, unsigned int i, unsigned int ref, uint8_t first,
		   uint8_t last);
/** block_one() - a request of one segment, and its answer */
int block_one(struct block *block, uint8_t op, uint64_t sector, unsigned int ref, uint8_t first,
	      uint8_t last);
/** block_indirect() - an indirect request whose list is at @ref, and its answer */
int block_indirect(struct block *block, uint8_t op, uint64_t sector, unsigned int count,
		   unsigned int ref);

#endif
