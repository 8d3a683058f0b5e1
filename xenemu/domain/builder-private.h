/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-private.h - what the builder's files share
 */
#ifndef XENEMU_DOMAIN_BUILDER_PRIVATE_H
#define XENEMU_DOMAIN_BUILDER_PRIVATE_H

#include "domain/builder-layout.h"
#include "domain/builder.h"

/**
 * struct ramdisk - how the ramdisk is placed
 * @data, @len: as it is in its file
 * @unpack:     it is gzip and is to be unpacked, as Xen's builder does
 * @bytes:      room that it gets, at least @len
 */
struct ramdisk {
	const uint8_t *data;
	size_t len;
	gboolean unpack;
	uint64_t bytes;
};

/**
 * struct builder - a build under way
 * @config:  what to build
 * @age:     as which Xen does, by the monitor module
 * @ramdisk, @layout, @machine: where everything goes
 * @build:   the result
 */
struct builder {
	const struct build_config *config;
	enum layout_age age;
	struct ramdisk ramdisk;
	struct layout layout;
	struct machine_layout machine;
	struct build *build;
};

/*
 * Addresses called "linear" count memory without the hole, as the memfd does:
 * what is contiguous for the guest is contiguous there.
 */

/** builder_linear() - linear address of a guest's page */
uint64_t builder_linear(const struct builder *b, uint64_t pfn);

/**
 * builder_piece() - the machine address of linear memory
 * @linear: linear address
 * @len:    bytes wanted; on return, how many there are before the hole or @len
 */
uint64_t builder_piece(uint64_t linear, uint64_t *len);

/**
 * builder_write() - copy into memory that nothing has been written to yet
 * @linear: linear address
 *
 * By a system call, because a page that is filled this way costs half of one
 * that is faulted in first.
 */
gboolean builder_write(struct builder *b, uint64_t linear, const void *from, uint64_t len,
		       GError **error);

/** builder_page() - pointer to a guest's page */
void *builder_page(const struct builder *b, uint64_t pfn);

/** builder_place_kernel() - copy the kernel's segments, in their order */
gboolean builder_place_kernel(struct builder *b, GError **error);

/** builder_place_symbols() - copy the symbol table that a BSD kernel wants */
gboolean builder_place_symbols(struct builder *b, GError **error);

/** builder_size_ramdisk() - fill builder.ramdisk from builder.config */
void builder_size_ramdisk(struct builder *b);

/** builder_place_ramdisk() - copy or unpack the ramdisk */
gboolean builder_place_ramdisk(struct builder *b, GError **error);

/** builder_write_lists() - phys2mach, machine-to-phys, frame table */
gboolean builder_write_lists(struct builder *b, GError **error);

/** builder_write_tables() - the guest's bootstrap page tables */
void builder_write_tables(struct builder *b);

/** builder_write_start() - start_info, shared_info, hypercall page, vCPU 0 */
void builder_write_start(struct builder *b);

#endif
