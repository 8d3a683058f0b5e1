/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modules.c - `xenemu modules`: which ABIs can be run
 */
#include "cli/cli.h"
#include "domain/hypercall-table.h"
#include "domain/module.h"
#include <stdio.h>
#include <string.h>

static const struct {
	unsigned int mode;
	const char *name;
} paging_names[] = {
	{ PAGING_PV64, "x86_64" },
	{ PAGING_PV32PAE, "x86_32p" },
	{ PAGING_PV32, "x86_32" },
};

static void print_guests(uint32_t modes)
{
	printf("  guests:   ");
	for (unsigned int i = 0; i < G_N_ELEMENTS(paging_names); i++)
		if (modes & 1U << paging_names[i].mode)
			printf(" %s", paging_names[i].name);
	printf("\n");
}

static void count_places(const struct abi *abi, unsigned int *count)
{
	for (unsigned int nr = 0; nr < NR_HYPERCALLS; nr++) {
		const struct hypercall_row *row = &abi->calls[nr];

		if (!row->name)
			continue;
		if (row->place != PLACE_SUB)
			count[row->place]++;
		for (unsigned int i = 0; i < row->nr_subs; i++)
			count[row->subs[i].place]++;
	}
}

static void print_calls(const char *name)
{
	const struct abi *abi = abi_find(name);
	unsigned int count[PLACE_ERROR + 1] = { 0 };

	if (!abi) {
		printf("  calls:     unknown to this xenemu: no hypercall table\n");
		return;
	}
	count_places(abi, count);
	printf("  calls:     %u in the monitor, %u in the helper, %u refused\n",
	       count[PLACE_MONITOR], count[PLACE_HELPER],
	       count[PLACE_NONE] + count[PLACE_ERROR]);
}

static void print_module(const struct module *module)
{
	printf("%s\n", module->info.abi);
	printf("  file:      %s\n", module->path);
	printf("  says:      Xen %u.%u\n", module->info.xen_version >> 16,
	       module->info.xen_version & 0xffff);
	print_guests(module->info.paging_modes);
	print_calls(module->info.abi);
	printf("  build id:  %s\n", *module->build_id ? module->build_id : "none");
}

static int run(int argc, char **argv)
{
	const GOptionEntry none[] = { G_OPTION_ENTRY_NULL };
	GPtrArray *modules;
	GError *error = NULL;

	if (!cli_parse(argc, argv, none, "Lists the monitor modules: one for each Xen ABI.",
		       "Modules are looked for in $XENEMU_MODULES, else in `modules` beside "
		       "the program."))
		return CLI_USAGE;
	modules = module_list(&error);
	if (!modules) {
		cli_error("%s", error->message);
		g_error_free(error);
		return CLI_USAGE;
	}
	for (unsigned int i = 0; i < modules->len; i++)
		print_module(g_ptr_array_index(modules, i));
	g_ptr_array_unref(modules);
	return CLI_OK;
}

const struct cli_command command_modules = {
	.name = "modules",
	.summary = "list the monitor modules and what they can run",
	.run = run,
};
