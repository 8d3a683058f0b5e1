/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * time - vcpu_time_info and the wall clock in the shared info page
 */
#include "guest.h"

static void parameters(void)
{
	const struct vcpu_time_info *time = &vcpu_info->time;

	is(time->version & 1, 0, "version is even");
	ok(time->version > 0, "version is not 0: it has been filled in");
	ok(time->tsc_to_system_mul >= 1U << 31, "the multiplier has its highest bit set");
	ok(time->tsc_shift > -20 && time->tsc_shift < 20, "the shift is plausible");
	ok(time->tsc_timestamp <= read_tsc(), "tsc_timestamp is in the past");
}

static void monotonic(void)
{
	uint64_t last = system_time(), now;
	unsigned int i, backwards = 0, moved = 0;

	for (i = 0; i < 20000; i++) {
		now = system_time();
		backwards += now < last;
		moved += now > last;
		last = now;
	}
	is(backwards, 0, "20000 readings never go back");
	ok(moved > 1000, "and go on");
}

/* The timer and the clock are about the same time: see timer.c for the rest. */
static void agrees_with_timeouts(void)
{
	struct sched_poll arg = { .nr_ports = 0 };
	uint64_t start = system_time(), tsc = read_tsc();

	arg.timeout = start + 50 * MSEC;
	is(sched_op(SCHEDOP_poll, &arg), 0, "sleep by poll for 50 ms");
	ok(system_time() >= start + 50 * MSEC, "by the clock it was that long");
	ok(system_time() < start + 30000 * MSEC, "and not much longer");
	ok(read_tsc() > tsc, "the TSC went on");
}

static void wall_clock(void)
{
	uint64_t now;
	uint32_t version, sec, nsec;

	do {
		version = READ_ONCE(shared_info->wc_version);
		sec = READ_ONCE(shared_info->wc_sec);
		nsec = READ_ONCE(shared_info->wc_nsec);
	} while (version & 1 || version != READ_ONCE(shared_info->wc_version));
	ok(nsec < 1000000000, "wc_nsec is below a second");
	now = sec + (nsec + system_time()) / 1000000000;
	diag("wall clock now: %llu s", (unsigned long long)now);
	ok(now > 1600000000, "boot time and system time make a date after 2020");
#ifdef __x86_64__ /* i386 has it at another place, since Xen 4.6 */
	is(shared_info->wc_sec_hi, 0, "wc_sec_hi");
#endif
}

void guest_main(void)
{
	parameters();
	monotonic();
	agrees_with_timeouts();
	wall_clock();
}
