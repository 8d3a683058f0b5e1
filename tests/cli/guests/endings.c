/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endings.c - a guest whose command line says how it is to end, so that
 * `xenemu run` can be seen to tell
 */
#include "guest.h"

/* Xen knows no handler any more: the next exception is the end. */
static void fault(void)
{
	console_flush();
	set_trap_table(NULL);
	asm volatile("ud2");
}

static void crash(void)
{
	shutdown(SHUTDOWN_crash);
}

static void reboot(void)
{
	shutdown(SHUTDOWN_reboot);
}

static void poweroff(void)
{
	shutdown(SHUTDOWN_poweroff);
}

static void suspend(void)
{
	struct sched_shutdown arg = { .reason = SHUTDOWN_suspend };

	print("suspend: %ld\n", sched_op(SCHEDOP_shutdown, &arg));
	poweroff();
}

/* The reason given ahead wins over the one of the shutdown itself. */
static void code_reboot(void)
{
	struct sched_shutdown arg = { .reason = SHUTDOWN_reboot };

	print("shutdown_code: %ld\n", sched_op(SCHEDOP_shutdown_code, &arg));
	poweroff();
}

/* Output that nobody has asked to be drained when the end comes. */
static void last_words(void)
{
	struct xencons_interface *cons = mfn_to_virt(start_info->console.domU.mfn);
	struct sched_shutdown arg = { .reason = SHUTDOWN_poweroff };
	static const char text[] = "last words\n";

	console_flush();
	for (unsigned int i = 0; i < sizeof(text) - 1; i++)
		cons->out[MASK_XENCONS_IDX(cons->out_prod++, cons->out)] = text[i];
	sched_op(SCHEDOP_shutdown, &arg);
}

static void spin(void)
{
	for (;;)
		barrier();
}

static void idle(void)
{
	for (;;)
		sched_op(SCHEDOP_block, NULL);
}

/* Give back what is typed, in brackets; Q powers off. */
static void echo(void)
{
	struct evtchn_unmask unmask = { .port = start_info->console.domU.evtchn };
	char buffer[64];

	events_init();
	event_channel_op(EVTCHNOP_unmask, &unmask);
	for (;;) {
		size_t count;

		events_disable();
		count = console_read(buffer, sizeof(buffer));
		for (size_t i = 0; i < count; i++) {
			if (buffer[i] == 'Q')
				poweroff();
			print("[%x]", (unsigned char)buffer[i]);
		}
		if (!count)
			sched_op(SCHEDOP_block, NULL);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} endings[] = {
	{ "poweroff", poweroff }, { "reboot", reboot },
	{ "crash", crash },       { "fault", fault },
	{ "suspend", suspend },   { "code-reboot", code_reboot },
	{ "spin", spin },         { "idle", idle },
	{ "echo", echo },         { "last-words", last_words },
};

void guest_main(void)
{
	const char *wanted = (const char *)start_info->cmd_line;

	print("ready: %s\n", wanted);
	for (unsigned int i = 0; i < ARRAY_SIZE(endings); i++)
		if (!strcmp(endings[i].name, wanted))
			endings[i].run();
	bail_out("no such ending");
}
