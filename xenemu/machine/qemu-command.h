/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-command.h - QEMU's command line
 */
#ifndef XENEMU_MACHINE_QEMU_COMMAND_H
#define XENEMU_MACHINE_QEMU_COMMAND_H

#include "machine/machine.h"

/* What QEMU inherits from us, by descriptor in QEMU. */
enum qemu_fd {
	QEMU_FD_MEMORY = 3,
	QEMU_FD_ROM,
	QEMU_FD_DOORBELLS,
	QEMU_FD_QMP,
	QEMU_FD_END,
};
#define QEMU_NR_FDS (QEMU_FD_END - QEMU_FD_MEMORY)

/**
 * qemu_command() - the arguments that make QEMU the machine @config asks for
 * @config:  what is wanted
 * @program: QEMU's path
 * @vectors: interrupt vectors of the doorbell device
 *
 * Return: NULL-terminated, g_strfreev() it.
 */
char **qemu_command(const struct machine_config *config, const char *program,
		    unsigned int vectors);

/** qemu_command_is_kvm() - does QEMU itself use KVM? */
gboolean qemu_command_is_kvm(const struct machine_config *config);

/** qemu_command_has_icount() - does virtual time count instructions? */
gboolean qemu_command_has_icount(const struct machine_config *config);

#endif
