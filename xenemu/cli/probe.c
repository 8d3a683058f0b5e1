/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.c - `xenemu probe`: which machines this host offers
 */
#include "cli/cli.h"
#include "machine/machine.h"
#include <stdio.h>

static const struct machine_ops *const machines[] = { &machine_kvm, &machine_qemu };

static void print_machine(const struct machine_ops *ops, gboolean wide)
{
	const char *guests = wide ? "32-bit" : "64-bit";
	char *detail = NULL;
	GError *error = NULL;

	if (ops->probe(wide, &detail, &error))
		printf("%s: %s guests: yes%s%s\n", ops->name, guests, detail ? ": " : "",
		       detail ? detail : "");
	else
		printf("%s: %s guests: no: %s\n", ops->name, guests, error->message);
	g_clear_error(&error);
	g_free(detail);
}

/* Return: is there one? */
static gboolean print_choice(gboolean wide)
{
	const char *guests = wide ? "32-bit" : "64-bit";
	char *why = NULL;
	GError *error = NULL;
	const struct machine_ops *ops = machine_select("auto", wide, &why, &error);

	if (ops)
		printf("--machine auto takes %s for %s guests%s%s\n", ops->name, guests,
		       why ? ": " : "", why ? why : "");
	else
		printf("--machine auto finds none for %s guests: %s\n", guests, error->message);
	g_clear_error(&error);
	g_free(why);
	return ops != NULL;
}

static int run(int argc, char **argv)
{
	const GOptionEntry none[] = { G_OPTION_ENTRY_NULL };
	gboolean usable;

	if (!cli_parse(argc, argv, none, "Shows which machines this host can run guests on.",
		       "Status 0 when a 64-bit guest can run, else 2."))
		return CLI_USAGE;
	for (unsigned int i = 0; i < G_N_ELEMENTS(machines); i++)
		for (int wide = FALSE; wide <= TRUE; wide++)
			print_machine(machines[i], wide);
	usable = print_choice(FALSE);
	print_choice(TRUE);
	return usable ? CLI_OK : CLI_USAGE;
}

const struct cli_command command_probe = {
	.name = "probe",
	.summary = "show which machines this host offers, and why not",
	.run = run,
};
