/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-command.c - QEMU's command line
 */
#include "machine/qemu-command.h"

/*
 * microvm: a PCIe host for the doorbell device and next to nothing else, so
 * that QEMU is up in 20 ms.
 */
#define MACHINE                                                                                \
	"microvm,acpi=on,pcie=on,pit=off,pic=off,rtc=off,isa-serial=off,x-option-roms=off,"    \
	"auto-kernel-cmdline=off,memory-backend=memory"

/*
 * Nothing that no PV guest of Xen sees, where the monitor has no use for it
 * either: ring 3 can read CPUID itself.
 */
#define HIDDEN ",la57=off,pku=off,pks=off,mpx=off,monitor=off,svm=off"
#define CPU_TCG "max,tcg-cpuid=off" HIDDEN
#define CPU_KVM "host,kvm=off,arch-capabilities=off,vmx=off" HIDDEN

gboolean qemu_command_is_kvm(const struct machine_config *config)
{
	return config->accel &&
	       (g_str_equal(config->accel, "kvm") || g_str_has_prefix(config->accel, "kvm,"));
}

gboolean qemu_command_has_icount(const struct machine_config *config)
{
	return config->qemu_args && g_strv_contains(config->qemu_args, "-icount");
}

static void add(GPtrArray *args, const char *option, char *value)
{
	g_ptr_array_add(args, g_strdup(option));
	if (value)
		g_ptr_array_add(args, value);
}

static void add_machine(GPtrArray *args, const struct machine_config *c)
{
	uint64_t mib = c->mem->bytes >> 20;
	const char *cpu = qemu_command_is_kvm(c) ? CPU_KVM : CPU_TCG;

	add(args, "-nodefaults", NULL);
	add(args, "-no-user-config", NULL);
	add(args, "-M", g_strdup(MACHINE));
	add(args, "-accel", g_strdup(c->accel ? c->accel : "tcg"));
	add(args, "-cpu", g_strdup(c->cpu ? c->cpu : cpu));
	/*
	 * One socket each: APIC ids without gaps, whatever the number.  One more than are
	 * there, never plugged: for a machine that can only have one, TCG takes LOCK
	 * prefixes for nothing (QEMU accel/tcg/tcg-accel-ops-mttcg.c, CF_PARALLEL), but we
	 * write to the same memory.
	 */
	add(args, "-smp",
	    g_strdup_printf("cpus=%u,maxcpus=%u,sockets=%u,cores=1,threads=1", c->nr_vcpus,
			    c->nr_vcpus + 1, c->nr_vcpus + 1));
	add(args, "-m", g_strdup_printf("%" G_GUINT64_FORMAT "M", mib));
	add(args, "-object",
	    g_strdup_printf("memory-backend-file,id=memory,share=on,mem-path=/proc/self/fd/%d,"
			    "size=%" G_GUINT64_FORMAT "M",
			    QEMU_FD_MEMORY, mib));
	add(args, "-bios", g_strdup_printf("/proc/self/fd/%d", QEMU_FD_ROM));
}

static void add_doorbells(GPtrArray *args, unsigned int vectors)
{
	add(args, "-chardev", g_strdup_printf("socket,id=doorbells,fd=%d", QEMU_FD_DOORBELLS));
	add(args, "-device",
	    g_strdup_printf("ivshmem-doorbell,chardev=doorbells,vectors=%u", vectors));
}

/*
 * It starts stopped.  A vCPU that fails three times asks for a reset: that is
 * an end here, but QEMU stays to tell the registers.
 */
static void add_control(GPtrArray *args)
{
	add(args, "-chardev", g_strdup_printf("socket,id=qmp,fd=%d", QEMU_FD_QMP));
	add(args, "-mon", g_strdup("chardev=qmp,mode=control"));
	add(args, "-S", NULL);
	add(args, "-action", g_strdup("reboot=shutdown,shutdown=pause"));
	add(args, "-display", g_strdup("none"));
	add(args, "-sandbox",
	    g_strdup(
		    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"));
}

char **qemu_command(const struct machine_config *config, const char *program,
		    unsigned int vectors)
{
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	const char *const *extra = config->qemu_args;

	add(args, program, NULL);
	add_machine(args, config);
	add_doorbells(args, vectors);
	add_control(args);
	for (; extra && *extra; extra++)
		add(args, *extra, NULL);
	g_ptr_array_add(args, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&args), FALSE);
}
