/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-echo - a line typed on the console arrives; without an event for it
 * the guest would block forever
 */
#include "guest.h"

static size_t read_line(char *line, size_t size)
{
	size_t length = 0, count;

	while (length < size && (!length || line[length - 1] != '\n')) {
		count = console_read(line + length, size - length);
		if (!count)
			sched_op(SCHEDOP_block, NULL);
		events_disable();
		length += count;
	}
	return length;
}

void guest_main(void)
{
	unsigned int port = start_info->console.domU.evtchn;
	char line[64] = "";
	size_t length;

	event_clear(port);
	event_set_mask(port, false);
	print("say: ");
	length = read_line(line, sizeof(line) - 1);
	print("\n");
	if (!is(length, 13, "length of the line that was typed") ||
	    !is(strcmp(line, "Hello, guest\n"), 0, "the line"))
		diag("the line: %s", line);
}
