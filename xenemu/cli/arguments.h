/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arguments.h - option values that are more than a word
 */
#ifndef XENEMU_CLI_ARGUMENTS_H
#define XENEMU_CLI_ARGUMENTS_H

#include <glib.h>
#include <stdint.h>

/**
 * parse_memory() - "256", "256M", "64K", "2G": MiB when nothing is said
 * @text:  as typed
 * @bytes: receives whole pages, more than 0
 * @error: G_OPTION_ERROR, names --memory
 */
gboolean parse_memory(const char *text, uint64_t *bytes, GError **error);

/**
 * parse_bytes() - "4096", "64K", "10G", "+2G": bytes when nothing is said
 * @text:  as typed
 * @bytes: receives it
 * @more:  receives whether it starts with a +
 * @error: G_OPTION_ERROR, names SIZE
 */
gboolean parse_bytes(const char *text, uint64_t *bytes, gboolean *more, GError **error);

/**
 * struct machine_choice - --machine
 * @name:  "auto", "kvm" or "qemu"
 * @accel, @cpu: of QEMU, or NULL
 */
struct machine_choice {
	char *name;
	char *accel;
	char *cpu;
};

/**
 * parse_machine() - "auto", "kvm", "qemu", "qemu,accel=tcg,cpu=max"
 * @text:   as typed, or NULL for "auto"
 * @choice: filled; machine_choice_clear()
 * @error:  G_OPTION_ERROR, names --machine
 */
gboolean parse_machine(const char *text, struct machine_choice *choice, GError **error);
void machine_choice_clear(struct machine_choice *choice);

/**
 * parse_trace() - "hypercalls,events,xenstore" to enum domain_trace bits
 * @text:  as typed, or NULL for none
 * @error: G_OPTION_ERROR, names --trace
 */
gboolean parse_trace(const char *text, uint32_t *trace, GError **error);

/**
 * parse_name() - check a domain's name: it becomes part of file names
 * @error: G_OPTION_ERROR, names --name
 */
gboolean parse_name(const char *text, GError **error);

/**
 * parse_disks() - what --disk says, each time it is given
 * @texts:   as typed (disk_spec_parse()), NULL at the end; may be NULL
 * @devices: receives a struct device_config for each, in this order
 * @error:   G_OPTION_ERROR or DEVICE_ERROR
 *
 * Disks without a name get the first free one of xvda, xvdb...  No file is opened.
 */
gboolean parse_disks(char *const *texts, GPtrArray *devices, GError **error);

/**
 * parse_vifs() - what --vif says, each time it is given
 * @texts:   as typed (vif_spec_parse()), NULL at the end; may be NULL
 * @devices: receives a struct device_config for each, in this order
 * @error:   G_OPTION_ERROR
 *
 * Interfaces without a devid get the first free one.  Nothing is opened.
 */
gboolean parse_vifs(char *const *texts, GPtrArray *devices, GError **error);

/**
 * parse_consoles() - what --console says, each time it is given
 * @texts:    as typed (console_spec_parse()), NULL at the end; NULL for just stdio
 * @consoles: receives a struct console_spec for each; the first is the primary one
 * @devices:  receives a struct device_config for each but the first; @consoles must
 *            outlive them
 * @error:    G_OPTION_ERROR
 */
gboolean parse_consoles(char *const *texts, GPtrArray *consoles, GPtrArray *devices,
			GError **error);

#endif
