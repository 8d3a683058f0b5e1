/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-probe.c - what the QEMU of this host is
 */
#include "machine/qemu-probe.h"
#include "machine/machine.h"
#include "machine/qemu-process.h"
#include <string.h>

/* What QEMU prints for a question, or NULL with @error set. */
static char *ask(const char *program, const char *option, const char *what, GError **error)
{
	const char *argv[] = { program, option, what, NULL };
	g_autoptr(GError) why = NULL;
	g_autofree char *answer = NULL;
	int status;

	if (g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
			 &answer, NULL, &status, &why) &&
	    g_spawn_check_wait_status(status, &why))
		return g_steal_pointer(&answer);
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED, "qemu: `%s %s` fails: %s",
		    program, option, why->message);
	return NULL;
}

/* "QEMU emulator version 7.2.22 (...)\nCopyright..." -> "QEMU 7.2.22" */
static char *short_version(const char *answer)
{
	const char *number = strstr(answer, "version ");

	if (!number)
		return g_strdup("QEMU of unknown version");
	number += strlen("version ");
	return g_strdup_printf("QEMU %.*s", (int)strcspn(number, " \n"), number);
}

/* "Accelerators supported in QEMU binary:\ntcg\nkvm\n" -> "tcg, kvm" */
static char *accelerators(const char *answer)
{
	g_autofree char *text = g_strchomp(g_strdup(answer));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	return lines[0] && lines[1] ? g_strjoinv(", ", lines + 1) : g_strdup("none");
}

static char *describe(const char *program, GError **error)
{
	g_autofree char *version = ask(program, "-version", NULL, error);
	g_autofree char *accel = version ? ask(program, "-accel", "help", error) : NULL;
	g_autofree char *devices = accel ? ask(program, "-device", "help", error) : NULL;
	g_autofree char *number = NULL, *names = NULL;

	if (!devices)
		return NULL;
	if (!strstr(devices, "\"ivshmem-doorbell\"")) {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
			    "qemu: %s has no ivshmem-doorbell device; install a QEMU "
			    "that was built with it, as distributions do",
			    program);
		return NULL;
	}
	number = short_version(version);
	names = accelerators(accel);
	return g_strdup_printf("%s (%s), accelerators: %s", number, program, names);
}

gboolean qemu_probe(gboolean wide, char **detail, GError **error)
{
	g_autofree char *program = qemu_process_find(NULL, error);

	(void)wide;
	if (!program)
		return FALSE;
	if (!detail)
		return TRUE;
	*detail = describe(program, error);
	return *detail != NULL;
}
