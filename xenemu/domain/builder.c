/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder.c - makes a VM's memory with monitor and guest in it
 */
#include "domain/builder.h"
#include "domain/builder-private.h"
#include "domain/domain.h"
#include <inttypes.h>

/* xen-x86_32.h: from MACH2PHYS_VIRT_START_PAE to what was its end in 3.0.3 */
#define PAE_FRAMES_END (0x400000ULL << PAGE_SHIFT)

G_DEFINE_QUARK(xenemu_builder_error, builder_error)

static uint64_t mebibytes(uint64_t pages)
{
	return (pages + 255) / 256;
}

static uint32_t paging_of(enum image_width width)
{
	static const uint32_t paging[] = {
		[IMAGE_X86_64] = PAGING_PV64,
		[IMAGE_X86_32P] = PAGING_PV32PAE,
		[IMAGE_X86_32] = PAGING_PV32,
	};

	return paging[width];
}

/* The builder of the Xen that the monitor plays */
static enum layout_age age_of(const struct module *module)
{
	switch (module->info.xen_version) {
	case 3 << 16 | 0:
		return LAYOUT_XEN_3_0;
	case 3 << 16 | 1:
		return LAYOUT_XEN_3_1;
	default:
		return LAYOUT_XEN_4;
	}
}

static gboolean check_image(const struct build_config *config, GError **error)
{
	const struct image *image = config->image;
	uint32_t hole = image->width == IMAGE_X86_32P ? HOLE32_PAE : HOLE32_TWO_LEVEL;

	if (!(config->module->info.paging_modes & 1U << paging_of(image->width))) {
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_IMAGE,
			    "kernel: the monitor module %s does not run %s guests; choose "
			    "another with --abi",
			    config->module->path, image_width_name(image->width));
		return FALSE;
	}
	if (image->width != IMAGE_X86_64 && image->hv_start_low != IMAGE_NONE &&
	    image->hv_start_low > hole) {
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_IMAGE,
			    "kernel: it wants addresses up to %#" PRIx64
			    ", those from %#x on are the hypervisor's",
			    image->hv_start_low, hole);
		return FALSE;
	}
	return TRUE;
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
	return check_image(config, error);
}

/* It does not fit: is it the kernel, or only the ramdisk? */
static gboolean too_small(const struct builder *b, GError **error)
{
	const struct image *image = b->config->image;
	uint64_t least = layout_least_pages(b->age, image, b->ramdisk.bytes);
	uint64_t pages = b->layout.nr_pages;

	if (b->ramdisk.len && layout_least_pages(b->age, image, 0) <= pages)
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

/*
 * Where frames of a guest must end: PAE kernels see the machine-to-phys table
 * of 2^22 frames, those without the extended CR3 format (before Xen 3.0.3) and
 * two-level tables name frames below 4 GiB.
 */
static uint64_t frames_end(const struct image *image)
{
	switch (image->width) {
	case IMAGE_X86_32P:
		return image->extended_cr3 ? PAE_FRAMES_END : HOLE_START;
	case IMAGE_X86_32:
		return HOLE_START;
	default:
		return UINT64_MAX;
	}
}

static gboolean check_reach(const struct builder *b, GError **error)
{
	const struct image *image = b->config->image;
	uint64_t end = frames_end(image), most = end - b->machine.guest;

	if (b->machine.end_mfn << PAGE_SHIFT <= end)
		return TRUE;
	if (end > HOLE_END)
		most -= HOLE_END - HOLE_START;
	g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_MEMORY,
		    "memory: %" PRIu64 " MiB are more than this %s kernel can have; "
		    "up to %" PRIu64 " MiB are possible",
		    b->config->memory >> 20, image_width_name(image->width), (most >> 21) << 1);
	return FALSE;
}

static gboolean lay_out(struct builder *b, GError **error)
{
	const struct build_config *config = b->config;
	const char *why;

	builder_size_ramdisk(b);
	why = layout_guest(&b->layout, b->age, config->image, config->memory / PAGE_SIZE,
			   b->ramdisk.bytes);
	if (why) {
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_IMAGE, "kernel: %s", why);
		return FALSE;
	}
	if (b->layout.end > b->layout.nr_pages)
		return too_small(b, error);
	layout_machine(&b->machine, config->image->width, config->module->end, config->nr_vcpus,
		       b->layout.nr_pages);
	return check_reach(b, error);
}

static void append_frames(GArray *frames, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		g_array_append_val(frames, from);
}

/* What belongs to nobody: before the guest's memory and after its end */
static GArray *free_frames(const struct build *build, const struct machine_layout *machine)
{
	GArray *frames = g_array_new(FALSE, FALSE, sizeof(uint64_t));

	append_frames(frames, build->shared_info_mfn + 1, build->first_mfn);
	append_frames(frames, build_pfn_to_mfn(build, build->nr_pages - 1) + 1,
		      machine->end_mfn);
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
	build->written = memory_ptr(build->mem, machine->written, machine->end_mfn);
	build->lent =
		memory_ptr(build->mem, machine->lent, machine->end_mfn * sizeof(uint32_t));
	build->m2p = memory_ptr(build->mem, machine->m2p, machine->m2p_bytes);
	if (machine->m2p32_bytes)
		build->m2p32 = memory_ptr(build->mem, machine->m2p32, machine->m2p32_bytes);
	build->width = b->config->image->width;
	build->extended_cr3 = b->config->image->extended_cr3;
	build->paging = paging_of(build->width);
	build->nr_pages = b->layout.nr_pages;
	build->first_mfn = machine->guest >> PAGE_SHIFT;
	build->shared_info_mfn = machine->slack >> PAGE_SHIFT;
	build->store_mfn = build_pfn_to_mfn(build, b->layout.store);
	build->console_mfn = build_pfn_to_mfn(build, b->layout.console);
	build->start_info_mfn = build_pfn_to_mfn(build, b->layout.start_info);
	build->free_frames = free_frames(build, machine);
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
		.paging = b->build->paging,
		.nr_vcpus = b->config->nr_vcpus,
		.end_mfn = machine->end_mfn,
		.guest_mfn = machine->slack >> PAGE_SHIFT,
		.frame_table = machine->frame_table,
		.written = machine->written,
		.lent = machine->lent,
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
	    !builder_place_kernel(b, error) || !builder_place_symbols(b, error) ||
	    !builder_place_ramdisk(b, error) || !builder_write_lists(b, error))
		return FALSE;
	builder_write_tables(b);
	builder_write_start(b);
	return TRUE;
}

struct build *domain_build(const struct build_config *config, GError **error)
{
	struct builder b = { .config = config, .age = age_of(config->module) };
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
	if (!traits->caches_code) {
		boot->written = 0;
		build->written = NULL;
	}
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
