/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-echo - a line typed on the console arrives, with an event
 */
#include "guest.h"

void guest_main(void)
{
	unsigned int port = start_info->console.domU.evtchn;
	char line[64];
	size_t length = 0;

	event_clear(port);
	event_set_mask(port, false);
	print("say: ");
	while (!length || line[length - 1] != '\n') {
		size_t count = console_read(line + length, sizeof(line) - 1 - length);

		if (!count)
			sched_op(SCHEDOP_block, NULL);
		events_disable();
		length += count;
		if (length == sizeof(line) - 1)
			break;
	}
	line[length ? length - 1 : 0] = '\0';
	print("\n");
	is(strcmp(line, "Hello, guest"), 0, "the line that was typed");
	ok(event_count[port] > 0, "came with an event");
	if (strcmp(line, "Hello, guest"))
		diag("the line: %s", line);
}
