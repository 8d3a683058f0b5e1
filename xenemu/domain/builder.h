/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder.h - places monitor and guest in a VM's memory, as Xen's domain
 * builder would: start_info, phys2mach list, bootstrap page tables, stack
 */
#ifndef XENEMU_DOMAIN_BUILDER_H
#define XENEMU_DOMAIN_BUILDER_H

#include "domain/image.h"
#include "domain/module.h"
#include "machine/machine.h"
#include "protocol.h"

#define BUILDER_ERROR (builder_error_quark())
GQuark builder_error_quark(void);
enum builder_error {
	BUILDER_ERROR_MEMORY, /* too little, or more than the guest can have */
	BUILDER_ERROR_IMAGE, /* the image does not fit where it wants to be */
	BUILDER_ERROR_RAMDISK, /* the ramdisk can't be read or is too large */
};

/**
 * struct build_config - what to build
 * @image:     the kernel
 * @module:    the monitor module
 * @ramdisk:   its bytes, or NULL
 * @cmdline:   kernel command line, not NULL
 * @memory:    guest memory, bytes, whole pages
 * @nr_vcpus:  1 to MAX_VCPUS
 * @console_port, @store_port: event channels that start_info names
 */
struct build_config {
	const struct image *image;
	const struct module *module;
	GBytes *ramdisk;
	const char *cmdline;
	uint64_t memory;
	unsigned int nr_vcpus;
	uint32_t console_port;
	uint32_t store_port;
};

/**
 * struct build - a VM's memory with everything in it but the machine's traits
 * @mem:         the memory; ownership passes with the struct
 * @boot:        boot_info in @mem
 * @vcpus:       vcpu_area[nr_vcpus] in @mem
 * @events:      event_area in @mem
 * @frame_table: u64[end_mfn] in @mem
 * @written:     u8[end_mfn] in @mem, or NULL: frames_wrote()
 * @lent:        u32[end_mfn] in @mem, or NULL in tests: frames_lend()
 * @m2p:         u64[end_mfn] in @mem
 * @m2p32:       u32[end_mfn] in @mem; NULL for 64-bit guests
 * @width:       word size and paging of the guest
 * @extended_cr3: a PAE kernel's root may lie above 4 GiB
 * @paging:      PAGING_* of it
 * @nr_pages:    guest memory, pages
 * @free_frames: GArray of u64: frames that belong to nobody (slack for balloon,
 *               grant frames), highest last
 * @shared_info_mfn, @console_mfn, @store_mfn, @start_info_mfn
 * @first_mfn:   pfn_to_mfn of pfn 0 at start of day (contiguous but for the
 *               hole: use build_pfn_to_mfn())
 * @layout:      human-readable layout, one line a segment (for --trace and
 *               tests; owned)
 */
struct build {
	struct memory *mem;
	struct boot_info *boot;
	struct vcpu_area *vcpus;
	struct event_area *events;
	uint64_t *frame_table;
	uint8_t *written;
	uint32_t *lent;
	uint64_t *m2p;
	uint32_t *m2p32;
	enum image_width width;
	gboolean extended_cr3;
	uint32_t paging;
	uint64_t nr_pages;
	GArray *free_frames;
	uint64_t shared_info_mfn;
	uint64_t console_mfn;
	uint64_t store_mfn;
	uint64_t start_info_mfn;
	uint64_t first_mfn;
	char *layout;
};

/**
 * domain_build() - make memory and fill it
 * @config: what to build; not kept
 * @error:  names the file or key and what to do
 *
 * boot_info is complete except for what build_set_traits() adds.
 * Return: owned by the caller, build_free(); NULL with @error set.
 */
struct build *domain_build(const struct build_config *config, GError **error);

/**
 * build_set_traits() - tell the monitor of the machine that will run it
 * @build:  the build
 * @traits: of the machine
 * @flags:  further BOOT_* flags
 */
void build_set_traits(struct build *build, const struct machine_traits *traits, uint32_t flags);

/** build_pfn_to_mfn() - start-of-day frame of @pfn, which is < nr_pages */
uint64_t build_pfn_to_mfn(const struct build *build, uint64_t pfn);

/** build_free() - release, the memory too; NULL is allowed */
void build_free(struct build *build);
typedef struct build Build; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Build, build_free)

#endif
