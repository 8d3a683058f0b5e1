/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-start.c - what the guest finds at its first instruction: start_info,
 * shared_info, hypercall page, registers (Xen 4.17 tools/libs/guest/xg_dom_x86.c
 * start_info_x86_64(), shared_info_x86_64(), vcpu_x86_64())
 */
#include "domain/builder-private.h"
#include "domain/domain.h"
#include "domain/hypercall-page.h"
#include <string.h>
#include <xen/xen.h>

#define DR6_DEFAULT 0xffff0ff0UL
#define DR7_DEFAULT 0x00000400UL
#define RFLAGS_IF (1U << 9)

G_STATIC_ASSERT(sizeof(struct start_info) <= PAGE_SIZE);
G_STATIC_ASSERT(sizeof(struct shared_info) <= PAGE_SIZE);
G_STATIC_ASSERT(sizeof(struct vcpu_guest_context) <= VCPU_CONTEXT_BYTES);

static void set_ramdisk(const struct builder *b, struct start_info *info)
{
	const struct layout_run *ramdisk = &b->layout.ramdisk;

	if (!ramdisk->pages)
		return;
	info->mod_start = ramdisk->vstart;
	info->mod_len = b->ramdisk.bytes;
	if (b->layout.ramdisk_unmapped) {
		info->flags |= SIF_MOD_START_PFN;
		info->mod_start = ramdisk->pfn;
		info->mod_len = ramdisk->pages << PAGE_SHIFT;
	}
}

static void write_start_info(struct builder *b)
{
	const struct build_config *config = b->config;
	const struct layout *layout = &b->layout;
	const struct layout_mapping *p2m = &layout->mappings[1];
	struct start_info *info = builder_page(b, layout->start_info);

	g_strlcpy(info->magic, "xen-3.0-x86_64", sizeof(info->magic));
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
		info->nr_p2m_frames = layout->p2m.pages + p2m->nr_tables;
	}
	set_ramdisk(b, info);
	if (g_strlcpy((char *)info->cmd_line, config->cmdline, MAX_GUEST_CMDLINE) >=
	    MAX_GUEST_CMDLINE)
		g_warning(
			"extra: the kernel's command line is too long and was cut to %d bytes",
			MAX_GUEST_CMDLINE - 1);
}

static void write_shared_info(struct builder *b)
{
	struct shared_info *info = memory_page(b->build->mem, b->build->shared_info_mfn);

	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		info->vcpu_info[i].evtchn_upcall_mask = 1;
}

static void write_hypercall_page(struct builder *b)
{
	const struct image *image = b->config->image;
	uint8_t *page;

	if (image->hypercall_page == IMAGE_NONE)
		return;
	page = builder_page(b, (image->hypercall_page - image->virt_base) >> PAGE_SHIFT);
	hypercall_page_fill(page);
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
	regs->cs = FLAT_KERNEL_CS;
	regs->ss = FLAT_KERNEL_SS;
	regs->ds = FLAT_KERNEL_DS;
	regs->es = FLAT_KERNEL_DS;
	regs->fs = FLAT_KERNEL_DS;
	regs->gs = FLAT_KERNEL_DS;
	context->kernel_ss = regs->ss;
	context->kernel_sp = regs->rsp;
	context->flags = VGCF_in_kernel | VGCF_online;
	context->debugreg[6] = DR6_DEFAULT;
	context->debugreg[7] = DR7_DEFAULT;
	context->ctrlreg[3] =
		xen_pfn_to_cr3(build_pfn_to_mfn(b->build, layout->mappings[0].tables_pfn));
}

void builder_write_start(struct builder *b)
{
	write_start_info(b);
	write_shared_info(b);
	write_hypercall_page(b);
	write_context(b);
}
