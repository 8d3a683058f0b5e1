/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * note.c - what this module says of itself, for the helper
 */
#include "abi-info.h"
#include "protocol.h"

/* What this monitor can do, of what the ABI has. */
#define MONITOR_PAGING_MODES (1 << PAGING_PV64 | 1 << PAGING_PV32PAE | 1 << PAGING_PV32)

struct module_note {
	uint32_t owner_bytes, info_bytes, type;
	char owner[8];
	struct module_info info;
};

extern const struct module_note module_note;
const struct module_note module_note __attribute__((used, aligned(4), section(".note.xenemu"))) = {
	.owner_bytes = sizeof(MODULE_NOTE_OWNER),
	.info_bytes = sizeof(struct module_info),
	.type = MODULE_NOTE_INFO,
	.owner = MODULE_NOTE_OWNER,
	.info = {
		.protocol = PROTOCOL_VERSION,
		.paging_modes = ABI_PAGING_MODES & MONITOR_PAGING_MODES,
		.xen_version = ABI_VERSION,
		.abi = ABI_NAME,
	},
};
