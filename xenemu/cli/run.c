/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.c - `xenemu run`: boots one guest in the foreground
 */
#include "backend/console-io.h"
#include "backend/device.h"
#include "boot/boot.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "domain/builder.h"
#include "domain/domain.h"
#include "domain/events.h"
#include "domain/image.h"
#include "domain/module.h"
#include "domain/runtime.h"
#include "domain/stats.h"
#include "machine/machine.h"
#include <errno.h>
#include <glib-unix.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xen/xen.h>

/* What was typed, and what became of it. */
static struct {
	char *kernel;
	char *ramdisk;
	char *grub;
	char *memory_text;
	int vcpus;
	char *extra;
	char *name;
	char *abi;
	char *machine_text;
	double timeout;
	char *trace_text;
	char *trace_path;
	char **disks;
	char **vifs;
	char **consoles_text;
	char **qemu_args;
	gboolean stats;
	gboolean monitor_fault;

	uint64_t memory;
	struct machine_choice machine;
	uint32_t trace;
	GPtrArray *devices;
	GPtrArray *consoles;
} opt = { .vcpus = 1 };

static const GOptionEntry entries[] = {
	{ "kernel", 'k', 0, G_OPTION_ARG_FILENAME, &opt.kernel,
	  "Guest kernel: ELF or bzImage, compressed or not; `disk:PATH': of the first disk "
	  "(default: GRUB, which boots the first disk)",
	  "FILE" },
	{ "ramdisk", 'r', 0, G_OPTION_ARG_FILENAME, &opt.ramdisk,
	  "Initial ramdisk, with --kernel; `disk:PATH': of the first disk", "FILE" },
	{ "grub", 0, 0, G_OPTION_ARG_FILENAME, &opt.grub,
	  "Without --kernel: auto, 64, 32, or a GRUB image's file (default auto: what the "
	  "kernel on the disk wants)",
	  "GRUB" },
	{ "memory", 'm', 0, G_OPTION_ARG_STRING, &opt.memory_text,
	  "Memory in MiB, or with K, M or G (default 256)", "SIZE" },
	{ "vcpus", 'c', 0, G_OPTION_ARG_INT, &opt.vcpus, "Number of virtual CPUs (default 1)",
	  "N" },
	{ "extra", 'e', 0, G_OPTION_ARG_STRING, &opt.extra, "Kernel command line", "TEXT" },
	{ "append", 0, 0, G_OPTION_ARG_STRING, &opt.extra, "The same", "TEXT" },
	{ "name", 'n', 0, G_OPTION_ARG_STRING, &opt.name,
	  "Name of the guest (default guest, or guest-2 and so on)", "NAME" },
	{ "abi", 0, 0, G_OPTION_ARG_STRING, &opt.abi,
	  "Xen ABI, see `xenemu modules` (default auto: what the kernel wants)", "ABI" },
	{ "machine", 0, 0, G_OPTION_ARG_STRING, &opt.machine_text,
	  "auto, kvm, or qemu[,accel=NAME][,cpu=MODEL] (default auto)", "MACHINE" },
	{ "disk", 'd', 0, G_OPTION_ARG_STRING_ARRAY, &opt.disks,
	  "Disk, as xl's: TARGET[,FORMAT[,VDEV[,MODE]]]; more than once for more", "SPEC" },
	{ "vif", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.vifs,
	  "Network interface, as xl's: bridge=NAME, tap=NAME or user[,hostfwd=tcp:2222:22]; "
	  "more than once for more",
	  "SPEC" },
	{ "console", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.consoles_text,
	  "Where a console leads: stdio (default), pty[:LINK], unix[:PATH] or file:PATH, with "
	  "[,log=PATH][,log-size=SIZE][,name=NAME]; more than once for more, the first is the "
	  "primary one",
	  "SPEC" },
	{ "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &opt.timeout,
	  "End the guest after so long, with status 6", "SECONDS" },
	{ "trace", 0, 0, G_OPTION_ARG_STRING, &opt.trace_text,
	  "Comma-separated: hypercalls, events, xenstore", "LIST" },
	{ "trace-file", 0, 0, G_OPTION_ARG_FILENAME, &opt.trace_path,
	  "Where the trace goes (default stderr)", "FILE" },
	{ "stats", 0, 0, G_OPTION_ARG_NONE, &opt.stats, "Print counters at the end", NULL },
	{ "test-monitor-fault", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &opt.monitor_fault,
	  "Have the monitor fault, to see its report", NULL },
	{ "qemu-arg", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.qemu_args,
	  "A further argument for QEMU, for tests and benchmarks", "ARG" },
	G_OPTION_ENTRY_NULL,
};

static const char description[] =
	"Unless --console says otherwise, the console is on standard input and output; Ctrl-]\n"
	"ends the guest.  Others are reached with `xenemu console`.\n"
	"\n"
	"While it runs, xenstore-utils work with XENSTORED_PATH=DIRECTORY/NAME/xenstore.\n"
	"DIRECTORY is $XENEMU_RUNTIME_DIR if set; else /run/xenemu for root and\n"
	"$XDG_RUNTIME_DIR/xenemu (without that, /tmp/xenemu-UID) for others.\n"
	"\n"
	"Exit status: 0 the guest powered off; 2 wrong usage or configuration; 3 the\n"
	"guest rebooted; 4 it crashed; 5 the monitor or the machine failed; 6 timeout;\n"
	"128+N ended by signal N.";

/**
 * struct run - a guest on its way
 * @loop:   runs until @status is known
 * @status: exit status
 */
struct run {
	GMainLoop *loop;
	int status;
	struct runtime *runtime;
	struct module *module;
	struct domain *dom;
	FILE *trace_file;
};

/* Print @error, which is freed.  Return: the exit status that it means. */
static int fail(GError *error)
{
	int status = CLI_USAGE;

	if (g_error_matches(error, MACHINE_ERROR, MACHINE_ERROR_FAILED))
		status = DOMAIN_FAILED;
	cli_error("%s", error->message);
	g_error_free(error);
	return status;
}

/* --- options --- */

static gboolean refuse(GError **error, const char *option, const char *what)
{
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: %s", option, what);
	return FALSE;
}

static gboolean check_options(GError **error)
{
	if (!opt.kernel && !opt.disks)
		return refuse(error, "--kernel",
			      "missing; name the guest's kernel file, or a disk with --disk");
	if (!opt.kernel && opt.ramdisk)
		return refuse(error, "--ramdisk", "needs --kernel; else GRUB chooses both");
	if (!opt.kernel && opt.extra)
		return refuse(error, "--extra",
			      "needs --kernel; else GRUB's configuration on the disk has it");
	if (opt.kernel && opt.grub)
		return refuse(error, "--grub",
			      "is for booting without --kernel; give one of them");
	if (opt.vcpus < 1 || opt.vcpus > MAX_VCPUS)
		return refuse(error, "--vcpus", "give a number from 1 to 32");
	if (opt.vcpus > 1)
		return refuse(error, "--vcpus", "more than one is not yet supported; give 1");
	if (opt.extra && strlen(opt.extra) >= MAX_GUEST_CMDLINE)
		return refuse(error, "--extra",
			      "longer than the 1023 bytes that a guest can be given");
	if (!(opt.timeout >= 0) || opt.timeout > 1e6)
		return refuse(error, "--timeout", "give seconds, up to a million");
	return (!opt.name || parse_name(opt.name, error)) &&
	       parse_memory(opt.memory_text, &opt.memory, error) &&
	       parse_trace(opt.trace_text, &opt.trace, error) &&
	       parse_machine(opt.machine_text, &opt.machine, error) &&
	       parse_disks(opt.disks, opt.devices, error) &&
	       parse_vifs(opt.vifs, opt.devices, error) &&
	       parse_consoles(opt.consoles_text, opt.consoles, opt.devices, error);
}

static void free_device(gpointer opaque)
{
	struct device_config *config = opaque;

	config->free(config);
}

static void free_console(gpointer spec)
{
	console_spec_free(spec);
}

/* After parsing: GOption would not free a string that was there before. */
static void set_defaults(void)
{
	if (!opt.memory_text)
		opt.memory_text = g_strdup("256");
	opt.devices = g_ptr_array_new_with_free_func(free_device);
	opt.consoles = g_ptr_array_new_with_free_func(free_console);
}

static void free_options(void)
{
	g_free(opt.kernel);
	g_free(opt.ramdisk);
	g_free(opt.grub);
	g_free(opt.memory_text);
	g_free(opt.extra);
	g_free(opt.name);
	g_free(opt.abi);
	g_free(opt.machine_text);
	g_free(opt.trace_text);
	g_free(opt.trace_path);
	g_strfreev(opt.disks);
	g_strfreev(opt.vifs);
	g_strfreev(opt.consoles_text);
	g_strfreev(opt.qemu_args);
	machine_choice_clear(&opt.machine);
	g_clear_pointer(&opt.devices, g_ptr_array_unref);
	g_clear_pointer(&opt.consoles, g_ptr_array_unref);
}

/* --- what the guest is made of --- */

static uint32_t image_paging(const struct image *image)
{
	static const uint32_t paging[] = {
		[IMAGE_X86_64] = PAGING_PV64,
		[IMAGE_X86_32P] = PAGING_PV32PAE,
		[IMAGE_X86_32] = PAGING_PV32,
	};

	return paging[image->width];
}

/* The monitor module that @boot wants or --abi names. */
static struct module *find_module(const struct boot *boot, GError **error)
{
	gboolean is_auto = !opt.abi || !strcmp(opt.abi, "auto");
	const char *abi = is_auto ? boot->abi : opt.abi;
	const struct image *image = boot->image;
	g_autoptr(Module) module = module_find(abi, error);

	if (!module) {
		g_prefix_error(error, is_auto ? "%s: wants the ABI %s: " : "%s: --abi %s: ",
			       boot->name, abi);
		return NULL;
	}
	if (!(module->info.paging_modes & 1U << image_paging(image))) {
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_UNSUPPORTED,
			    "%s: a %s kernel, which the ABI %s does not run; choose "
			    "another with --abi, see `xenemu modules`",
			    boot->name, image_width_name(image->width), abi);
		return NULL;
	}
	return g_steal_pointer(&module);
}

/* The first disk that can hold a system, or NULL; --disk has been checked. */
static struct disk_spec *first_disk(void)
{
	for (char **text = opt.disks; text && *text; text++) {
		struct disk_spec *spec = disk_spec_parse(*text, NULL);

		if (!spec || (spec->target && !spec->cdrom))
			return spec;
		disk_spec_free(spec);
	}
	return NULL;
}

static void say(const char *text)
{
	cli_error("%s", text);
}

static gboolean load(struct boot *boot, GError **error)
{
	g_autoptr(DiskSpec) disk = first_disk();
	const struct boot_config config = {
		.kernel = opt.kernel,
		.ramdisk = opt.ramdisk,
		.grub = opt.grub,
		.disk = disk,
		.message = say,
	};

	return boot_load(&config, boot, error);
}

static struct build *build(const struct boot *boot, const struct module *module, GError **error)
{
	const struct build_config config = {
		.image = boot->image,
		.module = module,
		.ramdisk = boot->ramdisk,
		.cmdline = opt.extra ? opt.extra : "",
		.memory = opt.memory,
		.nr_vcpus = opt.vcpus,
		.console_port = CONSOLE_PORT,
		.store_port = STORE_PORT,
	};

	return domain_build(&config, error);
}

static const struct machine_ops *choose_machine(const struct image *image, GError **error)
{
	g_autofree char *why = NULL;
	const struct machine_ops *ops =
		machine_select(opt.machine.name, image->width != IMAGE_X86_64, &why, error);

	if (ops && why)
		cli_error("taking machine %s: %s", ops->name, why);
	return ops;
}

static gboolean open_trace(struct run *run, GError **error)
{
	run->trace_file = stderr;
	if (!opt.trace_path)
		return TRUE;
	run->trace_file = fopen(opt.trace_path, "we");
	if (run->trace_file)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "--trace-file: %s: %s",
		    opt.trace_path, g_strerror(errno));
	return FALSE;
}

static void on_ended(void *opaque, enum domain_end end)
{
	struct run *run = opaque;

	run->status = end;
	g_main_loop_quit(run->loop);
}

static void on_escape(void *opaque)
{
	struct run *run = opaque;

	cli_error("%s: stopped by Ctrl-]", runtime_name(run->runtime));
	domain_end(run->dom, DOMAIN_POWEROFF);
}

static gboolean uses_stdio(void)
{
	for (unsigned int i = 0; i < opt.consoles->len; i++) {
		const struct console_spec *spec = opt.consoles->pdata[i];

		if (spec->kind == CONSOLE_STDIO)
			return TRUE;
	}
	return FALSE;
}

/* What the specs don't know by themselves.  Return: the primary console, or NULL. */
static struct console_io *open_console(struct run *run, GError **error)
{
	for (unsigned int i = 0; i < opt.consoles->len; i++) {
		struct console_spec *spec = opt.consoles->pdata[i];
		g_autofree char *file = console_file_name(i);

		spec->guest = g_strdup(runtime_name(run->runtime));
		spec->place = runtime_file(run->runtime, file);
		spec->no_input = !terminal_usable(STDIN_FILENO);
		spec->escape = on_escape;
		spec->opaque = run;
	}
	return console_io_open(opt.consoles->pdata[0], error);
}

static struct domain *make_domain(struct run *run, const struct boot *boot, GError **error)
{
	struct domain_config config = {
		.name = runtime_name(run->runtime),
		.runtime = run->runtime,
		.module = run->module,
		.machine = {
			.wide = boot->image->width != IMAGE_X86_64,
			.accel = opt.machine.accel,
			.cpu = opt.machine.cpu,
			.qemu_args = (const char *const *)opt.qemu_args,
		},
		.maxmem = opt.memory / PAGE_SIZE,
		.trace = opt.trace,
		.boot_flags = opt.monitor_fault ? BOOT_FAULT : 0,
		.trace_file = run->trace_file,
		.devices = opt.devices,
		.ended = on_ended,
		.opaque = run,
	};

	config.machine_ops = choose_machine(boot->image, error);
	if (!config.machine_ops)
		return NULL;
	config.build = build(boot, run->module, error);
	if (!config.build)
		return NULL;
	config.console = open_console(run, error);
	if (!config.console) {
		build_free(config.build);
		return NULL;
	}
	return domain_new(&config, error);
}

/* From files to a domain; what only building needed is given back. */
static gboolean prepare(struct run *run, GError **error)
{
	struct boot boot;

	if (!load(&boot, error))
		return FALSE;
	run->module = find_module(&boot, error);
	if (run->module && open_trace(run, error))
		run->runtime = runtime_new(opt.name, error);
	if (run->runtime)
		run->dom = make_domain(run, &boot, error);
	boot_clear(&boot);
	malloc_trim(0);
	return run->dom != NULL;
}

/* --- while it runs --- */

static gboolean on_timeout(gpointer opaque)
{
	struct run *run = opaque;

	cli_error("%s: timeout after %g seconds", runtime_name(run->runtime), opt.timeout);
	domain_end(run->dom, DOMAIN_TIMEOUT);
	return G_SOURCE_REMOVE;
}

static gboolean on_signal(struct run *run, int sig)
{
	cli_error("%s: ended by signal %d (%s)", runtime_name(run->runtime), sig,
		  g_strsignal(sig));
	run->status = CLI_SIGNAL + sig;
	g_main_loop_quit(run->loop);
	/* A second one ends us at once, should the last output find no reader. */
	return G_SOURCE_REMOVE;
}

static gboolean on_sigint(gpointer run)
{
	return on_signal(run, SIGINT);
}

static gboolean on_sigterm(gpointer run)
{
	return on_signal(run, SIGTERM);
}

static gboolean on_sighup(gpointer run)
{
	return on_signal(run, SIGHUP);
}

static gboolean run_guest(struct run *run, GError **error)
{
	if (!domain_start(run->dom, error))
		return FALSE;
	if (opt.timeout > 0)
		g_timeout_add((guint)(opt.timeout * 1000), on_timeout, run);
	g_unix_signal_add(SIGINT, on_sigint, run);
	g_unix_signal_add(SIGTERM, on_sigterm, run);
	g_unix_signal_add(SIGHUP, on_sighup, run);
	if (uses_stdio() && terminal_usable(STDIN_FILENO))
		terminal_raw(STDIN_FILENO);
	g_main_loop_run(run->loop);
	return TRUE;
}

static int run_with_options(void)
{
	struct run run = { .loop = g_main_loop_new(NULL, FALSE) };
	GError *error = NULL;

	if (!prepare(&run, &error) || !run_guest(&run, &error))
		run.status = fail(error);
	else if (opt.stats)
		domain_print_stats(run.dom, stderr);
	terminal_restore();
	domain_free(run.dom);
	runtime_free(run.runtime);
	module_free(run.module);
	if (run.trace_file && run.trace_file != stderr)
		fclose(run.trace_file);
	g_main_loop_unref(run.loop);
	return run.status;
}

static int run_command(int argc, char **argv)
{
	GError *error = NULL;
	int status;

	if (!cli_parse(argc, argv, entries, "Boots an unmodified Xen PV guest.", description)) {
		free_options();
		return CLI_USAGE;
	}
	set_defaults();
	status = check_options(&error) ? run_with_options() : fail(error);
	free_options();
	return status;
}

const struct cli_command command_run = {
	.name = "run",
	.summary = "boot a guest in the foreground, its console on this terminal",
	.run = run_command,
};
