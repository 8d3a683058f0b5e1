/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * time.c - the clock that Xen keeps for a vCPU
 */
#include "guest.h"

/* (value * mul) >> 32 without 128-bit arithmetic, which 32-bit code lacks */
static uint64_t scale(uint64_t value, uint32_t mul)
{
	return (value >> 32) * mul + (((value & 0xffffffff) * mul) >> 32);
}

uint64_t system_time(void)
{
	const volatile struct vcpu_time_info *time = &vcpu_info->time;
	uint64_t delta, now;
	uint32_t version;

	do {
		version = time->version;
		barrier();
		delta = read_tsc() - time->tsc_timestamp;
		if (time->tsc_shift < 0)
			delta >>= -time->tsc_shift;
		else
			delta <<= time->tsc_shift;
		now = time->system_time + scale(delta, time->tsc_to_system_mul);
		barrier();
	} while (version & 1 || version != time->version);
	return now;
}
