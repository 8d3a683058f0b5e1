/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refused-calls - calls that are not a domU's, or that this Xen does not have, each
 * with the error that it answers
 *
 * Today's errors are those of a running Xen 4.17.  Those of 3.0.3 and 3.1 are read
 * in the function that is named with each group, at that version.
 */
#define __XEN_TOOLS__
#include "guest.h"
#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/xenoprof.h>

#define NONE (-XEN_ENOSYS) /* in no table: the default of the function, or of entry.S */
#define EPERM_ALL -XEN_EPERM, -XEN_EPERM, -XEN_EPERM
#define NEW(error) NONE, NONE, error
#define NO_SUB (~0U)

/**
 * struct call - one that is refused
 * @nr, @sub: its number, and that of its sub-operation or NO_SUB
 * @first:  first two words of its argument; the rest is 0
 * @v303, @v310, @v417: what each Xen answers
 */
struct call {
	const char *name;
	unsigned int nr, sub;
	uint32_t first[2];
	long v303, v310, v417;
};

#define SELF                                                                                   \
	{                                                                                      \
		DOMID_SELF                                                                     \
	}

static const struct call calls[] = {
	/* do_dom0_op() and its descendants; do_sysctl(), do_domctl() of common/ */
	{ "platform_op",
	  __HYPERVISOR_platform_op,
	  NO_SUB,
	  { 0, XENPF_INTERFACE_VERSION },
	  EPERM_ALL },
	{ "sysctl",
	  __HYPERVISOR_sysctl,
	  NO_SUB,
	  { 0, XEN_SYSCTL_INTERFACE_VERSION },
	  EPERM_ALL },
	{ "domctl",
	  __HYPERVISOR_domctl,
	  NO_SUB,
	  { XEN_DOMCTL_getdomaininfo, XEN_DOMCTL_INTERFACE_VERSION },
	  EPERM_ALL },
	/* arch/x86/mm.c, arch_memory_op(); common/memory.c, do_memory_op() */
	{ "memory_op(add_to_physmap)", __HYPERVISOR_memory_op, 7, SELF, -XEN_EINVAL,
	  -XEN_EINVAL, -XEN_EACCES },
	{ "memory_op(translate_gpfn_list)", __HYPERVISOR_memory_op, 8, SELF, -XEN_EINVAL,
	  -XEN_EINVAL, NONE },
	{ "memory_op(machine_memory_map)",
	  __HYPERVISOR_memory_op,
	  10,
	  {},
	  -XEN_EINVAL,
	  -XEN_EINVAL,
	  -XEN_EPERM },
	{ "memory_op(set_memory_map) of domain 0",
	  __HYPERVISOR_memory_op,
	  13,
	  {},
	  NONE,
	  -XEN_EPERM,
	  -XEN_EPERM },
	/* drivers/char/console.c, do_console_io() */
	{ "console_io(write)", __HYPERVISOR_console_io, 0, {}, EPERM_ALL },
	{ "console_io(read)", __HYPERVISOR_console_io, 1, {}, EPERM_ALL },
	/* arch/x86/x86_32/entry.S, x86_64/entry.S: do_ni_hypercall without ACM_SECURITY */
	{ "acm_op, xsm_op", 27, NO_SUB, {}, NONE, NONE, NONE },
	/* common/schedule.c, do_sched_op() */
	{ "sched_op(remote_shutdown) of domain 0", __HYPERVISOR_sched_op, 4, {}, EPERM_ALL },
	{ "sched_op(pin_override)", __HYPERVISOR_sched_op, 7, {}, NEW(-XEN_EPERM) },
	/* common/event_channel.c, evtchn_bind_pirq() */
	{ "event_channel_op(bind_pirq)",
	  __HYPERVISOR_event_channel_op,
	  EVTCHNOP_bind_pirq,
	  { 9 },
	  EPERM_ALL },
	/* arch/x86/physdev.c, do_physdev_op() */
	{ "physdev_op(apic_read)", __HYPERVISOR_physdev_op, 8, {}, EPERM_ALL },
	{ "physdev_op(apic_write)", __HYPERVISOR_physdev_op, 9, {}, EPERM_ALL },
	{ "physdev_op(alloc_irq_vector)", __HYPERVISOR_physdev_op, 10, {}, EPERM_ALL },
	{ "physdev_op(99)", __HYPERVISOR_physdev_op, 99, {}, -XEN_EINVAL, NONE, NONE },
	/* arch/x86/hvm/hvm.c, do_hvm_op(); 3.0.3's only looks at domains with a device model */
	{ "hvm_op(set_param)", __HYPERVISOR_hvm_op, 0, SELF, NONE, -XEN_EINVAL, -XEN_EINVAL },
	{ "hvm_op(get_param)", __HYPERVISOR_hvm_op, 1, SELF, NONE, -XEN_EINVAL, -XEN_EINVAL },
	{ "hvm_op(99)", __HYPERVISOR_hvm_op, 99, SELF, NONE, NONE, NONE },
	/* common/kexec.c, do_kexec_op() */
	{ "kexec_op", __HYPERVISOR_kexec_op, 0, {}, NONE, -XEN_EPERM, -XEN_EPERM },
	{ "number 38, once tmem_op", 38, NO_SUB, {}, NEW(NONE) },
	{ "argo_op", 39, NO_SUB, {}, NEW(NONE) },
	{ "xenpmu_op", 40, 0, {}, NEW(-XEN_EOPNOTSUPP) },
	{ "hypfs_op", 42, 0, {}, NEW(-XEN_EPERM) },
	{ "mca", __HYPERVISOR_arch_0, NO_SUB, {}, NEW(-XEN_EPERM) },
};

static long make(const struct call *c)
{
	static uint32_t argument[256] __attribute__((aligned(8)));

	memset(argument, 0, sizeof(argument));
	argument[0] = c->first[0];
	argument[1] = c->first[1];
	if (c->nr == __HYPERVISOR_console_io)
		return HYPERCALL3(c->nr, c->sub, 4, argument);
	if (c->sub == NO_SUB)
		return HYPERCALL1(c->nr, argument);
	return HYPERCALL2(c->nr, c->sub, argument);
}

static long answer(const struct call *c)
{
	if (xen_since(4, 0))
		return c->v417;
	return xen_since(3, 1) ? c->v310 : c->v303;
}

/*
 * arch/x86/oprofile/xenoprof.c of 3.0.3, common/xenoprof.c of 3.1, do_xenoprof_op().
 * init and get_buffer may succeed on a processor whose counters Xen knows.
 */
static void xenoprof(void)
{
	static uint32_t argument[64];
	unsigned int op;
	long err;

	for (op = 0; op < 15; op++) {
		err = HYPERCALL2(__HYPERVISOR_xenoprof_op, op, argument);
		if (op == XENOPROF_init || op == XENOPROF_get_buffer)
			ok(err == 0 || err == -XEN_ENODEV, "xenoprof_op(%u)", op);
		else
			is(err, -XEN_EPERM, "xenoprof_op(%u)", op);
	}
	is(HYPERCALL2(__HYPERVISOR_xenoprof_op, 99, argument), -XEN_EINVAL, "xenoprof_op(99)");
}

/* Of domain 0, which has no device model */
static void device_model(void)
{
	static char operation[64];
	struct {
		void *at;
		unsigned long size;
	} buffer = { operation, sizeof(operation) };

	is(HYPERCALL3(41, 0, 1, &buffer), xen_since(4, 0) ? -XEN_EINVAL : NONE,
	   "dm_op of domain 0");
}

/* arch/x86/mm.c, do_update_va_mapping_otherdomain() */
static void other_domain(void)
{
	is(hypercall5(__HYPERVISOR_update_va_mapping_otherdomain, VIRT_BASE, 0, 0, 0, 0),
	   -XEN_EPERM, "update_va_mapping_otherdomain of domain 0");
}

void guest_main(void)
{
	const struct call *c;

	for (c = calls; c < calls + ARRAY_SIZE(calls); c++)
		is(make(c), answer(c), "%s", c->name);
	xenoprof();
	device_model();
	other_domain();
}
