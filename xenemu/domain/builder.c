/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder.c - makes a VM's memory with monitor and guest in it
 */
#include "domain/builder.h"
#include "domain/builder-private.h"
#include "domain/domain.h"
#include <inttypes.h>

G_DEFINE_QUARK(xenemu_builder_error, builder_error)

static uint64_t mebibytes(uint64_t pages)
{
	return (pages + 255) / 256;
}

static gboolean check_config(const struct build_config *config, GError **error)
{
	uint64_t memory = config->memory;

	if (memory == 0 || memory > LAYOUT_MEMORY_MAX || memory % PAGE_SIZE) {
		g_set_error(
			error, BUILDER_ERROR, BUILDER_ERROR_MEMORY,
			"memory: a guest can have up to %llu MiB, in whole pages, not %" PRIu64
			" MiB (%" PRIu64 " bytes)",
			LAYOUT_MEMORY_MAX >> 20, memory >> 20, memory);
		return FALSE;
	}
	if (config->image->width != IMAGE_X86_64) {
		g_set_error_literal(
			error, BUILDER_ERROR, BUILDER_ERROR_IMAGE,
			"kernel: 32-bit guests can't be run yet; use a 64-bit kernel");
		return FALSE;
	}
	if (!(config->module->info.paging_modes & (1U << PAGING_PV64))) {
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_IMAGE,
			    "kernel: the monitor module %s does not run 64-bit guests; choose "
			    "another with --abi",
			    config->module->path);
		return FALSE;
	}
	return TRUE;
}

/* It does not fit: is it the kernel, or only the ramdisk? */
static gboolean too_small(const struct builder *b, GError **error)
{
	const struct image *image = b->config->image;
	uint64_t least = layout_least_pages(image, b->ramdisk.bytes);
	uint64_t pages = b->layout.nr_pages;

	if (b->ramdisk.len && layout_least_pages(image, 0) <= pages)
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_RAMDISK,
			    "ramdisk: its %" PRIu64
			    " MiB don't fit beside the kernel into memory = "
			    "%" PRIu64 " MiB; at least %" PRIu64 " MiB are needed",
			    mebibytes((b->ramdisk.bytes + PAGE_SIZE - 1) / PAGE_SIZE),
			    pages / 256, mebibytes(least));
	else
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_MEMORY,
			    "memory: %" PRIu64 " MiB are too little for this kernel; at least "
			    "%" PRIu64 " MiB are needed",
			    pages / 256, mebibytes(least));
	return FALSE;
}

static gboolean lay_out(struct builder *b, GError **error)
{
	const struct build_config *config = b->config;
	const char *why;

	builder_size_ramdisk(b);
	why = layout_guest(&b->layout, config->image, config->memory / PAGE_SIZE,
			   b->ramdisk.bytes);
	if (why) {
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_IMAGE, "kernel: %s", why);
		return FALSE;
	}
	if (b->layout.end > b->layout.nr_pages)
		return too_small(b, error);
	layout_machine(&b->machine, config->image->width, config->module->end, config->nr_vcpus,
		       b->layout.nr_pages);
	return TRUE;
}

/* Everything that belongs to nobody, behind shared_info */
static GArray *free_frames(const struct builder *b)
{
	GArray *frames = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	uint64_t nr = (b->machine.bytes >> PAGE_SHIFT) - b->build->first_mfn;

	for (uint64_t i = b->build->nr_pages + 1; i < nr; i++) {
		uint64_t mfn = build_pfn_to_mfn(b->build, i);

		g_array_append_val(frames, mfn);
	}
	return frames;
}

static gboolean make_memory(struct builder *b, GError **error)
{
	const struct machine_layout *machine = &b->machine;
	struct build *build = b->build;

	build->mem = memory_new(machine->bytes, error);
	if (!build->mem)
		return FALSE;
	build->boot = memory_ptr(build->mem, BOOT_INFO_PADDR, sizeof(*build->boot));
	build->vcpus = memory_ptr(build->mem, machine->vcpu_area,
				  b->config->nr_vcpus * sizeof(struct vcpu_area));
	build->events = memory_ptr(build->mem, machine->event_area, sizeof(struct event_area));
	build->frame_table = memory_ptr(build->mem, machine->frame_table,
					machine->end_mfn * sizeof(uint64_t));
	build->m2p = memory_ptr(build->mem, machine->m2p, machine->m2p_bytes);
	if (machine->m2p32_bytes)
		build->m2p32 = memory_ptr(build->mem, machine->m2p32, machine->m2p32_bytes);
	build->nr_pages = b->layout.nr_pages;
	build->first_mfn = machine->guest >> PAGE_SHIFT;
	build->shared_info_mfn = build_pfn_to_mfn(build, build->nr_pages);
	build->store_mfn = build_pfn_to_mfn(build, b->layout.store);
	build->console_mfn = build_pfn_to_mfn(build, b->layout.console);
	build->start_info_mfn = build_pfn_to_mfn(build, b->layout.start_info);
	build->free_frames = free_frames(b);
	build->layout = layout_describe(&b->layout);
	return TRUE;
}

static void write_boot_info(struct builder *b)
{
	const struct machine_layout *machine = &b->machine;

	*b->build->boot = (struct boot_info){
		.magic = BOOT_INFO_MAGIC,
		.version = PROTOCOL_VERSION,
		.size = sizeof(struct boot_info),
		.monitor_entry = b->config->module->entry,
		.paging = PAGING_PV64,
		.nr_vcpus = b->config->nr_vcpus,
		.end_mfn = machine->end_mfn,
		.guest_mfn = b->build->first_mfn,
		.frame_table = machine->frame_table,
		.m2p = machine->m2p,
		.m2p_bytes = machine->m2p_bytes,
		.m2p32 = machine->m2p32,
		.m2p32_bytes = machine->m2p32_bytes,
		.heap = machine->heap,
		.heap_bytes = machine->heap_bytes,
		.vcpu_area = machine->vcpu_area,
		.event_area = machine->event_area,
		.shared_info_mfn = b->build->shared_info_mfn,
		.domid = DOMID_GUEST,
	};
}

static gboolean fill_memory(struct builder *b, GError **error)
{
	write_boot_info(b);
	if (!module_place(b->config->module, b->build->mem, error) ||
	    !builder_place_kernel(b, error) || !builder_place_ramdisk(b, error) ||
	    !builder_write_lists(b, error))
		return FALSE;
	builder_write_tables(b);
	builder_write_start(b);
	return TRUE;
}

struct build *domain_build(const struct build_config *config, GError **error)
{
	struct builder b = { .config = config };
	g_autoptr(Build) build = NULL;

	g_return_val_if_fail(config->nr_vcpus >= 1 && config->nr_vcpus <= MAX_VCPUS, NULL);
	if (!check_config(config, error) || !lay_out(&b, error))
		return NULL;
	b.build = build = g_new0(struct build, 1);
	if (!make_memory(&b, error) || !fill_memory(&b, error))
		return NULL;
	return g_steal_pointer(&build);
}

void build_set_traits(struct build *build, const struct machine_traits *traits, uint32_t flags)
{
	struct boot_info *boot = build->boot;

	boot->transport = traits->transport;
	boot->flags = traits->flags | flags;
	boot->tsc_khz = traits->tsc_khz;
	boot->apic_khz = traits->apic_khz;
	boot->ivshmem_peer = traits->ivshmem_peer;
}

uint64_t build_pfn_to_mfn(const struct build *build, uint64_t pfn)
{
	uint64_t mfn = build->first_mfn + pfn;

	if (mfn >= HOLE_START >> PAGE_SHIFT)
		mfn += (HOLE_END - HOLE_START) >> PAGE_SHIFT;
	return mfn;
}

void build_free(struct build *build)
{
	if (!build)
		return;
	memory_free(build->mem);
	if (build->free_frames)
		g_array_unref(build->free_frames);
	g_free(build->layout);
	g_free(build);
}
