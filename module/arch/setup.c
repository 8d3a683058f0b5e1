/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup.c - from boot_info to the guest's first instruction
 */
#include "event.h"
#include "mm.h"
#include "trap.h"

struct vcpu vcpus[MAX_VCPUS];
const struct boot_info *boot;
struct shared_info *shared_info;
struct features features;
bool guest32;

static u8 stacks[MAX_VCPUS][STACK_BYTES]
	__attribute__((aligned(STACK_BYTES), section(".bss.pages")));

void monitor_start(void);
void enter_guest(u64 stack);

/* AMD's have it in legacy mode only, and say nothing of that (Xen 4.17 init_amd()). */
static bool has_sysenter(void)
{
	u32 leaf[4];

	cpuid(0, 0, leaf);
	return leaf[1] != 0x68747541 && leaf[1] != 0x6f677948; /* AuthenticAMD, HygonGenuine */
}

static void find_features(void)
{
	u32 leaf[4];

	cpuid(1, 0, leaf);
	features.sep = leaf[3] >> 11 & 1 && has_sysenter();
	features.xsave = leaf[2] >> 26 & 1;
	features.x2apic = leaf[2] >> 21 & 1;
	features.tsc_deadline = leaf[2] >> 24 & 1;
	cpuid(7, 0, leaf);
	features.fsgsbase = leaf[1] & 1;
	write_cr4(read_cr4() | (features.fsgsbase ? CR4_FSGSBASE : 0) |
		  (features.xsave ? CR4_OSXSAVE : 0));
}

static void vcpu_init(struct vcpu *v, u32 id)
{
	v->self = v;
	v->id = id;
	v->stack = (u64)stacks[id + 1];
	v->no_sysret = boot->flags & BOOT_NO_SYSRET;
	v->area = (struct vcpu_area *)direct(boot->vcpu_area) + id;
	v->info =
		(struct vcpu_info *)&shared_info->vcpu_info[id < XEN_LEGACY_MAX_VCPUS ? id : 0];
	v->kernel_mode = true;
	v->cr4 = guest_cr4(0);
	v->dr6 = DR6_DEFAULT;
	v->dr7 = 0x400;
	v->runstate_now = RUNSTATE_running;
	wrmsr(MSR_GS_BASE, (u64)v);
}

/* The state that the helper's builder, or VCPUOP_initialise, wants. */
static long load_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	struct regs *r = guest_regs(v);
	long rc = root_set_kernel(v, c->ctrlreg[3] >> 12);

	if (!rc && c->ctrlreg[1])
		rc = root_set_user(v, c->ctrlreg[1] >> 12);
	if (!rc && c->gdt_ents)
		rc = set_gdt(v, c->gdt_frames, c->gdt_ents);
	if (rc)
		return rc;
	memcpy(r, &c->user_regs, sizeof(*r));
	r->cs = fix_selector(r->cs);
	r->ss = fix_selector(r->ss);
	r->vector = 0;
	v->kernel_sp = c->kernel_sp;
	v->kernel_ss = fix_selector(c->kernel_ss);
	v->callback[CALLBACKTYPE_event] = c->event_callback_eip;
	v->callback[CALLBACKTYPE_failsafe] = c->failsafe_callback_eip;
	v->callback[CALLBACKTYPE_syscall] = c->syscall_callback_eip;
	v->callback_masks = 1 << CALLBACKTYPE_event;
	if (c->flags & VGCF_failsafe_disables_events)
		v->callback_masks |= 1 << CALLBACKTYPE_failsafe;
	if (c->flags & VGCF_syscall_disables_events)
		v->callback_masks |= 1 << CALLBACKTYPE_syscall;
	return 0;
}

/*
 * The builder's root arrives pinned: the guest unpins it when it has its own
 * (Xen 4.17 tools/libs/guest/xg_dom_x86.c pins it the same way).
 */
static void start_of_day(struct vcpu *v)
{
	const struct vcpu_guest_context *c = (const void *)v->area->context;

	if (frame_pin(c->ctrlreg[3] >> 12, root_level) || load_context(v, c))
		guest_crash(v, CRASH_BAD_CONTEXT, 0, 0);
}

void monitor_start(void)
{
	struct vcpu *v = &vcpus[0];

	boot = (const struct boot_info *)(IMAGE_VA + BOOT_INFO_PADDR);
	/* No mailbox to complain through: a machine that stops says enough. */
	if (boot->magic != BOOT_INFO_MAGIC || boot->version != PROTOCOL_VERSION)
		return;
	map_init();
	boot = direct(BOOT_INFO_PADDR);
	shared_info = frame_ptr(boot->shared_info_mfn);
	find_features();
	event_init();
	vcpu_init(v, 0);
	segments_init(v);
	trap_init(v);
	apic_init();
	transport_init();
	frames_init();
	roots_init();
	if (features.xsave)
		set_xcr0(v, XCR0_X87 | XCR0_SSE); /* what Xen starts a guest with */
	time_init(mailbox_call(v, MAILBOX_START));
	if (boot->flags & BOOT_FAULT)
		__asm__ volatile("ud2");
	start_of_day(v);
	time_publish(v);
	timer_init(v);
	enter_guest(v->stack);
}
