/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.c - the PV console's ring
 *
 * Works from the first instruction on: it needs nothing but start_info and the
 * M2P table.
 */
#include "guest.h"

static struct xencons_interface *ring(void)
{
	return mfn_to_virt(start_info->console.domU.mfn);
}

static void notify(void)
{
	struct evtchn_send send = { .port = start_info->console.domU.evtchn };

	event_channel_op(EVTCHNOP_send, &send);
}

void console_write(const char *text, size_t length)
{
	struct xencons_interface *cons = ring();
	XENCONS_RING_IDX prod = cons->out_prod;

	while (length) {
		if (prod - READ_ONCE(cons->out_cons) == sizeof(cons->out)) {
			notify();
			sched_op(SCHEDOP_yield, NULL);
			continue;
		}
		cons->out[MASK_XENCONS_IDX(prod++, cons->out)] = *text++;
		length--;
		barrier();
		WRITE_ONCE(cons->out_prod, prod);
	}
	notify();
}

void console_flush(void)
{
	struct xencons_interface *cons = ring();

	while (READ_ONCE(cons->out_cons) != cons->out_prod)
		sched_op(SCHEDOP_yield, NULL);
}

size_t console_read(char *buffer, size_t size)
{
	struct xencons_interface *cons = ring();
	XENCONS_RING_IDX index = cons->in_cons;
	size_t count = 0;

	while (count < size && index != READ_ONCE(cons->in_prod)) {
		barrier();
		buffer[count++] = cons->in[MASK_XENCONS_IDX(index++, cons->in)];
	}
	barrier();
	WRITE_ONCE(cons->in_cons, index);
	if (count)
		notify();
	return count;
}

void vprint(const char *text, va_list args)
{
	char buffer[512];

	console_write(buffer, format(buffer, sizeof(buffer), text, args));
}

void print(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vprint(text, args);
	va_end(args);
}
