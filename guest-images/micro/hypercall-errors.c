/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-errors - unknown numbers, arguments that can't be read, arguments
 * in Xen's range, calls of user mode, calls that are not a domU's
 */
#include "guest.h"

#define BAD ((void *)UNMAPPED) /* not mapped */
#define XENS ((void *)HYPERVISOR_VIRT_START) /* readable as the M2P, yet refused */
#define XENS_END ((void *)(HYPERVISOR_VIRT_END - 64))
#define NON_CANONICAL ((void *)0x8000000000000000UL)
#ifdef __x86_64__
#define USER_HYPERCALL "syscall"
#define ARGUMENT "%edi"
#else
#define USER_HYPERCALL "int $0x82"
#define ARGUMENT "%ebx"
#endif

static void unknown_numbers(void)
{
	static const unsigned int nr[] = { 11, 43, 47, 50, 56, 63, 64, 100, 0xffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nr); i++)
		is(HYPERCALL0(nr[i]), -XEN_ENOSYS, "number %u", nr[i]);
	is(hypercall5(~0UL, 0, 0, 0, 0, 0), -XEN_ENOSYS, "number -1");
}

struct call {
	const char *name;
	unsigned int nr;
	unsigned long first; /* what comes before the pointer, if anything does */
	bool has_first;
	unsigned int minor; /* Xen 3.@minor is the first that has it */
};

static const struct call calls[] = {
	{ "set_trap_table", __HYPERVISOR_set_trap_table, 0, false, 0 },
	{ "mmu_update", __HYPERVISOR_mmu_update, 0, false, 0 },
	{ "mmuext_op", __HYPERVISOR_mmuext_op, 0, false, 0 },
	{ "set_gdt", __HYPERVISOR_set_gdt, 0, false, 0 },
	{ "multicall", __HYPERVISOR_multicall, 0, false, 0 },
	{ "xen_version(extraversion)", __HYPERVISOR_xen_version, XENVER_extraversion, true, 0 },
	{ "vcpu_op(register_vcpu_info)", __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, true,
	  2 },
	{ "sched_op(poll)", __HYPERVISOR_sched_op, SCHEDOP_poll, true, 0 },
	{ "sched_op(shutdown)", __HYPERVISOR_sched_op, SCHEDOP_shutdown, true, 0 },
	{ "callback_op(register)", __HYPERVISOR_callback_op, CALLBACKOP_register, true, 0 },
	{ "event_channel_op(send)", __HYPERVISOR_event_channel_op, EVTCHNOP_send, true, 0 },
	{ "event_channel_op(bind_virq)", __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq,
	  true, 0 },
	{ "physdev_op(set_iopl)", __HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, true, 0 },
	{ "grant_table_op(query_size)", __HYPERVISOR_grant_table_op, GNTTABOP_query_size, true,
	  1 },
	{ "memory_op(machphys_mapping)", __HYPERVISOR_memory_op, XENMEM_machphys_mapping, true,
	  0 },
};

static long try(const struct call *c, void *pointer)
{
	if (!c->has_first)
		return HYPERCALL4(c->nr, pointer, 1, 0, DOMID_SELF);
	if (c->nr == __HYPERVISOR_vcpu_op)
		return HYPERCALL3(c->nr, c->first, 0, pointer);
	return HYPERCALL3(c->nr, c->first, pointer, 1);
}

/*
 * Does Xen see that an address is its own?  32-bit Xen 3 always does (access_ok()
 * of x86_32); 64-bit Xen in few of a PAE guest's calls, others read the M2P like
 * any memory of the guest.
 */
static bool refused_by_range(const struct call *c)
{
	if (PAGING_LEVELS != 3 || !xen_since(4, 0))
		return true;
	switch (c->nr) {
	case __HYPERVISOR_multicall:
	case __HYPERVISOR_xen_version:
	case __HYPERVISOR_grant_table_op:
	case __HYPERVISOR_memory_op:
		return true;
	default:
		return false;
	}
}

static void bad_pointers(void)
{
	const struct call *c;

	for (c = calls; c < calls + ARRAY_SIZE(calls); c++) {
		long err = xen_since(3, c->minor) ? -XEN_EFAULT : -XEN_ENOSYS;

		is(try(c, BAD), err, "%s: nothing mapped", c->name);
		if (refused_by_range(c))
			is(try(c, XENS), err, "%s: start of Xen's range", c->name);
		else
			skip("Xen reads it", "%s: start of Xen's range", c->name);
		is(try(c, XENS_END), err, "%s: end of Xen's range", c->name);
#ifdef __x86_64__
		is(try(c, NON_CANONICAL), err, "%s: non-canonical", c->name);
#endif
	}
}

/* The pointer is good, but the structure leaves the mapped page. */
static void across_pages(void)
{
	char *first = page_alloc(), *second = page_alloc();
	struct mmu_update *req = (struct mmu_update *)(second - 8);

	if (second != first + PAGE_SIZE)
		bail_out("pages are not adjacent");
	set_page(second, 0);
	is(mmu_update(req, 1, NULL, DOMID_SELF), -XEN_EFAULT,
	   "a structure half of which is not mapped");
	page_read_write(second);
	req->ptr = virt_to_maddr(pte_of(first, 1));
	req->val = make_pte(virt_to_mfn(first), PTE_WRITE);
	is(mmu_update(req, 1, NULL, DOMID_SELF), 0, "a structure across two pages");
}

static void not_ours(void)
{
	/* Xen 3.0.3 says EINVAL, and so does today's compat layer for 32-bit guests. */
	bool einval = !xen_since(3, 1) || (xen_since(4, 0) && PAGING_LEVELS != 4);

	ok(HYPERCALL1(__HYPERVISOR_domctl, 0) < 0, "domctl is refused");
	ok(HYPERCALL1(__HYPERVISOR_sysctl, 0) < 0, "sysctl is refused");
	ok(HYPERCALL1(__HYPERVISOR_platform_op, 0) < 0, "platform_op is refused");
	ok(HYPERCALL2(__HYPERVISOR_hvm_op, 0, 0) < 0, "hvm_op is refused");
	ok(HYPERCALL2(__HYPERVISOR_kexec_op, 0, 0) < 0, "kexec_op is refused");
	is(sched_op(99, NULL), -XEN_ENOSYS, "an unknown sched_op");
	is(callback_op(99, NULL), einval ? -XEN_EINVAL : -XEN_ENOSYS, "an unknown callback_op");
	is(vm_assist(0, 99), -XEN_EINVAL, "an unknown vm_assist");
	is(vm_assist(99, 0), -XEN_ENOSYS, "an unknown vm_assist command");
}

USER_SNIPPET(user_hypercall,
	     "mov $17, %eax; xor " ARGUMENT ", " ARGUMENT "; " USER_HYPERCALL "; ud2");

/*
 * User mode can't make hypercalls: a syscall is one to the guest's kernel, and
 * int $0x82 is a gate of DPL 1.
 */
static void from_user(void)
{
	struct user user;

	user_create(&user);
#ifdef __i386__
	/*
	 * QEMU's TCG, up to 9.0, counts descriptors of 16 bytes in the error code;
	 * Xen, which looks for a gate of the guest's there, finds that of vector 4.
	 */
	set_gate(TRAP_OF, 0);
	is(run_user(&user, user_hypercall, user_hypercall_end, 0), TRAP_GP,
	   "int $0x82 in user mode is #GP");
	ok(trap_regs.error == (0x82 << 3 | 2) || trap_regs.error == (0x82 << 4 | 2),
	   "its error code names the vector");
#else
	register_callback(CALLBACKTYPE_syscall, TRAP_SYSCALL, CALLBACKF_mask_events);
	is(run_user(&user, user_hypercall, user_hypercall_end, 0), TRAP_SYSCALL,
	   "syscall in user mode is the kernel's");
#endif
	is(trap_regs.ax, 17, "with the user's rax");
}

void guest_main(void)
{
	unknown_numbers();
	bad_pointers();
	across_pages();
	not_ours();
	from_user();
}
