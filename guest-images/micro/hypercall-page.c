/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-page - the stubs that the builder puts where the note says, and
 * those that an MSR puts anywhere
 */
#include "guest.h"

#define STUB_BYTES 32

extern char hypercall_page[];

static long call(const char *page, unsigned int nr, unsigned long a1, unsigned long a2)
{
	long ret;

	asm volatile("call *%[stub]"
		     : "=a"(ret), "+D"(a1), "+S"(a2)
		     : [stub] "r"(page + nr * STUB_BYTES)
		     : "rcx", "r11", "memory");
	return ret;
}

static unsigned int registers_lost(const char *page)
{
	unsigned long lost;

	asm volatile("mov $1, %%r12; mov $2, %%r13; mov $3, %%r14; mov $4, %%r15\n"
		     "xor %%edi, %%edi; mov $5, %%edx; mov $6, %%r10d; mov $7, %%r8d\n"
		     "mov $8, %%r9d; mov $9, %%ecx; mov $10, %%r11d\n"
		     "call *%[stub]\n"
		     "dec %%r12; sub $2, %%r13; sub $3, %%r14; sub $4, %%r15\n"
		     "sub $8, %%r9; sub $9, %%rcx; sub $10, %%r11\n"
		     "or %%r13, %%r12; or %%r14, %%r12; or %%r15, %%r12; or %%r9, %%r12\n"
		     "or %%rcx, %%r12; or %%r11, %%r12; mov %%r12, %[lost]"
		     : [lost] "=a"(lost)
		     : [stub] "b"(page + __HYPERVISOR_xen_version * STUB_BYTES)
		     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		       "r14", "r15", "memory", "cc");
	return lost != 0;
}

static void page_works(const char *page, const char *what)
{
	struct sched_poll poll = { .nr_ports = 129 };

	ok(call(page, __HYPERVISOR_xen_version, XENVER_version, 0) >= 3 << 16,
	   "%s: xen_version answers", what);
	is(call(page, __HYPERVISOR_sched_op, SCHEDOP_poll, (unsigned long)&poll), -XEN_EINVAL,
	   "%s: sched_op gets its arguments", what);
	is(call(page, 63, 0, 0), -XEN_ENOSYS, "%s: number 63", what);
	is(registers_lost(page), 0, "%s: rcx, r11 and the others are kept", what);
}

/* Every trap of ours returns by HYPERVISOR_iret: here through the page. */
static void iret_stub(const char *page)
{
	unsigned long came = 0;

	asm volatile("mov %%rsp, %%rax\n"
		     "pushq %[ss]\n"
		     "pushq %%rax\n"
		     "pushq $0x202\n"
		     "pushq %[cs]\n"
		     "pushq $1f\n"
		     "pushq $0\n"
		     "jmp *%[stub]\n"
		     "ud2\n"
		     "1: mov $1, %[came]"
		     : [came] "+r"(came)
		     : [ss] "i"(KERNEL_SS), [cs] "i"(KERNEL_CS_IN_FRAME),
		       [stub] "r"(page + __HYPERVISOR_iret * STUB_BYTES)
		     : "rax", "rcx", "r11", "memory", "cc");
	is(came, 1, "the iret stub takes flags and an iretq frame");
	is(vcpu_info->evtchn_upcall_mask, 0, "and unmasks upcalls by its IF");
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 1);
}

/* Leaf 2 names the MSR and says how many pages it can fill. */
static void by_msr(void)
{
	char *page = page_alloc();
	uint64_t maddr = virt_to_maddr(page);
	struct cpuid leaf = xen_cpuid(0x40000002, 0);

	if (leaf.eax == 0) {
		skip("cpuid says that there is none", "a page filled by MSR");
		return;
	}
	is(leaf.eax, 1, "cpuid: one hypercall page");
	is(catch_trap(write_msr(leaf.ebx, maddr)), TRAP_NONE, "the MSR fills a page");
	page_works(page, "MSR's page");
	iret_stub(page);
	is(catch_trap(write_msr(leaf.ebx, 0x1000)), TRAP_GP, "a page that is not ours: #GP");
}

void guest_main(void)
{
	page_works(hypercall_page, "page");
	iret_stub(hypercall_page);
	by_msr();
}
