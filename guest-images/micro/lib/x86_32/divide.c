/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * divide.c - x86_32: 64-bit division, which the compiler takes from libgcc
 * where there is one
 */
#include "guest.h"

uint64_t __udivmoddi4(uint64_t value, uint64_t by, uint64_t *rest);
uint64_t __udivdi3(uint64_t value, uint64_t by);
uint64_t __umoddi3(uint64_t value, uint64_t by);

uint64_t __udivmoddi4(uint64_t value, uint64_t by, uint64_t *rest)
{
	uint64_t left = 0, quotient = 0;
	int bit;

	for (bit = 63; bit >= 0; bit--) {
		left = left << 1 | (value >> bit & 1);
		if (left >= by) {
			left -= by;
			quotient |= 1ULL << bit;
		}
	}
	if (rest)
		*rest = left;
	return quotient;
}

uint64_t __udivdi3(uint64_t value, uint64_t by)
{
	return __udivmoddi4(value, by, NULL);
}

uint64_t __umoddi3(uint64_t value, uint64_t by)
{
	uint64_t rest;

	__udivmoddi4(value, by, &rest);
	return rest;
}
