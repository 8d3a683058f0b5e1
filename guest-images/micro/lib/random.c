/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random.c - numbers that are the same in each run (xorshift32)
 */
#include "guest.h"

uint32_t pseudo_random(void)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

void fill_random(void *bytes, size_t length)
{
	uint8_t *to = bytes;

	while (length--)
		*to++ = pseudo_random() >> 24;
}
