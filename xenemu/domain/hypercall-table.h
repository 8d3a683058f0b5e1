/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-table.h - the hypercall tables as the helper sees them
 *
 * The arrays behind this are generated from hypercall-tables/<abi>.tbl
 * (hypercall-tables/generate writes build/gen/hypercall-tables.c), one
 * struct abi for each table.
 */
#ifndef XENEMU_DOMAIN_HYPERCALL_TABLE_H
#define XENEMU_DOMAIN_HYPERCALL_TABLE_H

#include "domain/guest-memory.h"
#include <stdint.h>

struct domain;

#define NR_HYPERCALLS 64
#define MAX_HYPERCALL_ARGS 6

enum hypercall_place {
	PLACE_NONE, /* -ENOSYS, by the monitor itself */
	PLACE_MONITOR, /* handled inside the VM */
	PLACE_HELPER, /* forwarded */
	PLACE_SUB, /* by its first argument: see subs */
	PLACE_ERROR, /* forwarded, always answered with the row's error */
};

#define WORDS_64 (1 << 0)
#define WORDS_32P (1 << 1)
#define WORDS_32 (1 << 2)

/**
 * struct hypercall - one forwarded call, copied out of the mailbox
 * @vcpu:  who asks
 * @nr:    hypercall number
 * @arg:   arguments
 * @space: how guest pointers among them are to be read
 */
struct hypercall {
	unsigned int vcpu;
	unsigned int nr;
	uint64_t arg[MAX_HYPERCALL_ARGS];
	struct guest_space space;
};

/**
 * typedef hypercall_handler - serves a forwarded call
 *
 * Named helper_NAME, or helper_NAME_SUB for a row of a sub-operation.
 * Return: what the guest gets: >= 0, or a negative XEN_E* value.
 */
typedef int64_t (*hypercall_handler)(struct domain *dom, const struct hypercall *call);

/**
 * struct hypercall_row - one row of a table
 * @name:    Xen's name of the call or sub-operation
 * @nr:      its number
 * @nr_args: arguments of the call (0 for sub-operations)
 * @nr_args_32: the same for 32-bit guests
 * @words:   WORDS_*: which guests have it
 * @place:   where it is handled
 * @error:   PLACE_ERROR: XEN_E* (positive)
 * @handler: PLACE_HELPER: the function
 * @subs:    PLACE_SUB: rows of its sub-operations, @nr_subs of them, by number
 *           but not dense
 */
struct hypercall_row {
	const char *name;
	uint16_t nr;
	uint8_t nr_args;
	uint8_t nr_args_32;
	uint8_t words;
	uint8_t place;
	int16_t error;
	hypercall_handler handler;
	const struct hypercall_row *subs;
	unsigned int nr_subs;
};

enum toolstack {
	TOOLSTACK_XEND_3_0,
	TOOLSTACK_XEND_3_1,
	TOOLSTACK_LIBXL
};

/**
 * struct abi - one ABI
 * @name:  "xen-4"
 * @extra_version: XENVER_extraversion
 * @caps_of_all: XENVER_capabilities names all word sizes, not the guest's alone
 * @features: XENVER_get_features: bits that every guest sees
 * @max_extent_order: largest extent that a domU may ask for
 * @map_slack: bytes by which XENMEM_memory_map ends beyond the guest's maximum
 * @grant_frames: frames that a grant table has from the start
 * @grant_frames_max: most that it can have
 * @grant_batch_max: most operations in one grant_table_op
 * @grant_bad_frame: status of a copy of a frame that is not the guest's: GNTST_*
 * @own_domid: a guest may name itself by its number, not only DOMID_SELF, and
 *             is told which others don't exist
 * @toolstack: whose habits the guest finds in xenstore
 * @calls: its rows by hypercall number; name is NULL where there is none
 */
struct abi {
	const char *name;
	const char *extra_version;
	gboolean caps_of_all;
	uint32_t features;
	unsigned int max_extent_order;
	unsigned int map_slack;
	unsigned int grant_frames;
	unsigned int grant_frames_max;
	uint32_t grant_batch_max;
	int16_t grant_bad_frame;
	gboolean own_domid;
	enum toolstack toolstack;
	struct hypercall_row calls[NR_HYPERCALLS];
};

/** abis - all ABIs that this helper was built with, NULL-terminated */
extern const struct abi *const abis[];

/** abi_find() - by name; NULL when unknown */
const struct abi *abi_find(const char *name);

/**
 * abi_row() - the row that serves a call: the sub-operation's where the call
 * has them and @sub is known, else the call's; NULL for an unknown number
 */
const struct hypercall_row *abi_row(const struct abi *abi, unsigned int nr, uint64_t sub);

/**
 * abi_call_name() - "memory_op(memory_map)", "mmu_update", "hypercall 60",
 * "sched_op(17)"; caller frees
 */
char *abi_call_name(const struct abi *abi, unsigned int nr, uint64_t sub);

#endif
