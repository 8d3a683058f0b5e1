/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-start.c - what the guest finds at its first instruction: start_info,
 * shared_info, hypercall page, registers (Xen 4.17 tools/libs/guest/xg_dom_x86.c
 * start_info_x86_64(), shared_info_x86_64(), vcpu_x86_64(), and x86_32)
 */
#include "domain/builder-private.h"
#include "domain/domain.h"
#include "domain/hypercall-page.h"
#include <string.h>
#include <xen/xen.h>

#include <xen/foreign/x86_32.h>

#define DR6_DEFAULT 0xffff0ff0UL
#define DR7_DEFAULT 0x00000400UL
#define RFLAGS_IF (1U << 9)

G_STATIC_ASSERT(sizeof(struct start_info) <= PAGE_SIZE);
G_STATIC_ASSERT(sizeof(struct shared_info) <= PAGE_SIZE);
G_STATIC_ASSERT(sizeof(struct vcpu_guest_context) <= VCPU_CONTEXT_BYTES);
G_STATIC_ASSERT(offsetof(struct start_info_x86_32, cmd_line) == 80);
G_STATIC_ASSERT(sizeof(struct vcpu_info_x86_32) == 64);
G_STATIC_ASSERT(offsetof(struct shared_info_x86_32, evtchn_pending) == 2048);

static void set_ramdisk(const struct builder *b, struct start_info *info)
{
	const struct layout_run *ramdisk = &b->layout.ramdisk;

	if (!ramdisk->pages)
		return;
	info->mod_start = ramdisk->vstart;
	/* 3.1's builder knew only whole pages. */
	info->mod_len = b->age == LAYOUT_XEN_3_1 ? ramdisk->pages << PAGE_SHIFT
						 : b->ramdisk.bytes;
	if (b->layout.ramdisk_unmapped) {
		info->flags |= SIF_MOD_START_PFN;
		info->mod_start = ramdisk->pfn;
		info->mod_len = ramdisk->pages << PAGE_SHIFT;
	}
}

static void set_cmdline(const char *cmdline, struct start_info *info)
{
	if (g_strlcpy((char *)info->cmd_line, cmdline, MAX_GUEST_CMDLINE) < MAX_GUEST_CMDLINE)
		return;
	g_warning("extra: the kernel's command line is too long and was cut to %d bytes",
		  MAX_GUEST_CMDLINE - 1);
}

static const char *guest_type(enum image_width width)
{
	static const char *const types[] = {
		[IMAGE_X86_64] = "xen-3.0-x86_64",
		[IMAGE_X86_32P] = "xen-3.0-x86_32p",
		[IMAGE_X86_32] = "xen-3.0-x86_32",
	};

	return types[width];
}

static void fill_start_info(const struct builder *b, struct start_info *info)
{
	const struct build_config *config = b->config;
	const struct layout *layout = &b->layout;

	g_strlcpy(info->magic, guest_type(b->build->width), sizeof(info->magic));
	info->nr_pages = b->build->nr_pages;
	info->shared_info = b->build->shared_info_mfn << PAGE_SHIFT;
	info->store_mfn = b->build->store_mfn;
	info->store_evtchn = config->store_port;
	info->console.domU.mfn = b->build->console_mfn;
	info->console.domU.evtchn = config->console_port;
	info->pt_base = layout_vaddr(layout, layout->mappings[0].tables_pfn);
	info->nr_pt_frames = layout->mappings[0].nr_tables;
	info->mfn_list = layout->p2m.vstart;
	if (layout->p2m_apart) {
		info->first_p2m_pfn = layout->p2m.pfn;
		info->nr_p2m_frames = layout->p2m.pages + layout->mappings[1].nr_tables;
	}
	set_ramdisk(b, info);
	set_cmdline(config->cmdline, info);
}

/* The layout of 32 bits; all values fit, by the limits of such a guest's memory. */
static void narrow_start_info(const struct start_info *from, struct start_info_x86_32 *to)
{
	G_STATIC_ASSERT(sizeof(to->magic) == sizeof(from->magic));
	G_STATIC_ASSERT(sizeof(to->cmd_line) == sizeof(from->cmd_line));
	memcpy(to->magic, from->magic, sizeof(to->magic));
	memcpy(to->cmd_line, from->cmd_line, sizeof(to->cmd_line));
	to->nr_pages = (uint32_t)from->nr_pages;
	to->shared_info = (uint32_t)from->shared_info;
	to->flags = from->flags;
	to->store_mfn = (uint32_t)from->store_mfn;
	to->store_evtchn = from->store_evtchn;
	to->console.domU.mfn = (uint32_t)from->console.domU.mfn;
	to->console.domU.evtchn = from->console.domU.evtchn;
	to->pt_base = (uint32_t)from->pt_base;
	to->nr_pt_frames = (uint32_t)from->nr_pt_frames;
	to->mfn_list = (uint32_t)from->mfn_list;
	to->mod_start = (uint32_t)from->mod_start;
	to->mod_len = (uint32_t)from->mod_len;
}

static void write_start_info(struct builder *b)
{
	struct start_info info = { 0 };

	fill_start_info(b, &info);
	if (b->build->width == IMAGE_X86_64)
		memcpy(builder_page(b, b->layout.start_info), &info, sizeof(info));
	else
		narrow_start_info(&info, builder_page(b, b->layout.start_info));
}

static void write_shared_info(struct builder *b)
{
	void *page = memory_page(b->build->mem, b->build->shared_info_mfn);
	struct shared_info *info = page;
	struct shared_info_x86_32 *narrow = page;

	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		if (b->build->width == IMAGE_X86_64)
			info->vcpu_info[i].evtchn_upcall_mask = 1;
		else
			narrow->vcpu_info[i].evtchn_upcall_mask = 1;
}

static void write_hypercall_page(struct builder *b)
{
	const struct image *image = b->config->image;
	uint8_t *page;

	if (image->hypercall_page == IMAGE_NONE)
		return;
	page = builder_page(b, (image->hypercall_page - image->virt_base) >> PAGE_SHIFT);
	hypercall_page_fill(page, image->width);
}

static void set_selectors(enum image_width width, struct cpu_user_regs *regs)
{
	gboolean wide = width == IMAGE_X86_64;
	uint16_t data = wide ? FLAT_KERNEL_DS : FLAT_KERNEL_DS_X86_32;

	regs->cs = wide ? FLAT_KERNEL_CS : FLAT_KERNEL_CS_X86_32;
	regs->ss = wide ? FLAT_KERNEL_SS : FLAT_KERNEL_SS_X86_32;
	regs->ds = data;
	regs->es = data;
	regs->fs = data;
	regs->gs = data;
}

static void write_context(struct builder *b)
{
	const struct layout *layout = &b->layout;
	struct vcpu_guest_context *context = (void *)b->build->vcpus[0].context;
	struct cpu_user_regs *regs = &context->user_regs;

	regs->rip = b->config->image->entry;
	regs->rsp = layout_vaddr(layout, layout->stack + 1);
	regs->rsi = layout_vaddr(layout, layout->start_info);
	regs->rflags = RFLAGS_IF;
	set_selectors(b->build->width, regs);
	context->kernel_ss = regs->ss;
	context->kernel_sp = regs->rsp;
	context->flags = VGCF_in_kernel | VGCF_online;
	context->debugreg[6] = DR6_DEFAULT;
	context->debugreg[7] = DR7_DEFAULT;
	context->ctrlreg[3] =
		xen_pfn_to_cr3(build_pfn_to_mfn(b->build, layout->mappings[0].tables_pfn));
	if (b->build->width == IMAGE_X86_32P && b->config->image->extended_cr3)
		context->vm_assist = 1U << VMASST_TYPE_pae_extended_cr3;
}

void builder_write_start(struct builder *b)
{
	write_start_info(b);
	write_shared_info(b);
	write_hypercall_page(b);
	write_context(b);
}
