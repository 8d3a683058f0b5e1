/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap.c - results, as TAP on the console
 */
#include "guest.h"

static unsigned int count;

static void result(const char *text, va_list args, bool pass, const char *directive)
{
	char name[256];

	format(name, sizeof(name), text, args);
	print("%s %u - %s%s\n", pass ? "ok" : "not ok", ++count, name, directive);
}

bool ok(bool pass, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	result(text, args, pass, "");
	va_end(args);
	return pass;
}

bool is_(unsigned long long got, unsigned long long want, const char *text, ...)
{
	bool pass = got == want;
	va_list args;

	va_start(args, text);
	result(text, args, pass, "");
	va_end(args);
	if (!pass)
		print("#   got 0x%llx (%lld), want 0x%llx (%lld)\n", got, (long long)got, want,
		      (long long)want);
	return pass;
}

void skip(const char *why, const char *text, ...)
{
	char directive[128] = " # SKIP ";
	va_list args;

	memcpy(directive + 8, why, strlen(why) < 119 ? strlen(why) + 1 : 119);
	directive[127] = '\0';
	va_start(args, text);
	result(text, args, true, directive);
	va_end(args);
}

void skip_all(const char *why)
{
	print("1..0 # SKIP %s\n", why);
	shutdown(SHUTDOWN_poweroff);
}

void diag(const char *text, ...)
{
	va_list args;

	print("# ");
	va_start(args, text);
	vprint(text, args);
	va_end(args);
	print("\n");
}

void shutdown(unsigned int reason)
{
	struct sched_shutdown arg = { .reason = reason };

	console_flush();
	for (;;)
		sched_op(SCHEDOP_shutdown, &arg);
}

void done(void)
{
	print("1..%u\n", count);
	shutdown(SHUTDOWN_poweroff);
}

void bail_out(const char *text, ...)
{
	va_list args;

	print("Bail out! ");
	va_start(args, text);
	vprint(text, args);
	va_end(args);
	print("\n");
	shutdown(SHUTDOWN_crash);
}
