/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privop - privileged instructions that Xen carries out for a kernel: ports,
 * MSRs, control registers, cpuid, and those it does not
 *
 * What old Xen does otherwise: 3.1 arch/x86/traps.c, emulate_privileged_op() and
 * emulate_forced_invalid_op().
 */
#include "guest.h"

#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_NONSENSE 0x12345678
#define CR0_TS (1UL << 3)
#define CR4_TSD (1UL << 2)
#define NOWHERE (UNMAPPED + 0x123)

static uint32_t in_value;

/* A trap of an instruction that takes effect only in Xen: none is expected. */
#define OPEN_MSR (xen_since(4, 0) ? TRAP_GP : TRAP_NONE)

#define works(what, statement) is(catch_trap(statement), TRAP_NONE, "%s", what)
#define faults(what, statement) is(catch_trap(statement), TRAP_GP, "%s", what)

static void in8(uint16_t port)
{
	uint8_t v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	in_value = v;
}

static void in16(uint16_t port)
{
	uint16_t v;

	asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	in_value = v;
}

static void in32(uint16_t port)
{
	asm volatile("inl %1, %0" : "=a"(in_value) : "Nd"(port));
}

static void out8(uint16_t port, uint8_t v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static long set_iopl(unsigned int iopl)
{
	struct physdev_set_iopl arg = { .iopl = iopl };

	return physdev_op(PHYSDEVOP_set_iopl, &arg);
}

static void ports(void)
{
	static char buffer[4] = { 1, 2, 3, 4 };
	unsigned long count = 4;
	void *to = buffer;

	faults("in without IOPL raises #GP", in8(0x1234));
	is(set_iopl(1), 0, "set_iopl(1)");
	is(read_flags() & FLAG_IOPL, 0, "the real IOPL stays 0");
	works("in of a byte", in8(0x1234));
	is(in_value, 0xff, "is all ones");
	works("in of a word", in16(0x1234));
	is(in_value, 0xffff, "is all ones");
	works("in of a double word", in32(0x1234));
	is(in_value, 0xffffffff, "is all ones");
	works("in from an immediate port", in8(0x64));
	works("in with prefixes of no use", asm volatile(".byte 0x2e, 0x67; inb $0x64, %%al"
							 :
							 :
							 : "eax"));
	is(in_value, 0xff, "is all ones");
	works("out", out8(0x1234, 5));
	works("rep insb", asm volatile("rep insb"
				       : "+D"(to), "+c"(count)
				       : "d"(0x1234)
				       : "memory"));
	is(*(uint32_t *)buffer, 0xffffffff, "is all ones");
	is(set_iopl(4), -XEN_EINVAL, "set_iopl(4)");
	is(set_iopl(0), 0, "set_iopl(0)");
	faults("in raises #GP again", in8(0x1234));
}

#ifdef __x86_64__
static unsigned long fs_word(void)
{
	unsigned long v;

	asm volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}

static unsigned long gs_word(void)
{
	unsigned long v;

	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

static void msrs(void)
{
	static unsigned long words[2] = { 0x1111, 0x2222 };
	static uint64_t value;

	works("wrmsr FS_BASE", write_msr(MSR_FS_BASE, (unsigned long)&words[0]));
	is(fs_word(), 0x1111, "sets the base of fs");
	works("rdmsr FS_BASE", value = read_msr(MSR_FS_BASE));
	is(value, (unsigned long)&words[0], "reads it");
	works("wrmsr GS_BASE", write_msr(MSR_GS_BASE, (unsigned long)&words[1]));
	is(gs_word(), 0x2222, "sets the base of gs");
	works("rdmsr GS_BASE", value = read_msr(MSR_GS_BASE));
	is(value, (unsigned long)&words[1], "reads it");
	works("wrmsr KERNEL_GS_BASE", write_msr(MSR_KERNEL_GS_BASE, 0x5000));
	works("rdmsr KERNEL_GS_BASE", value = read_msr(MSR_KERNEL_GS_BASE));
	is(value, 0x5000, "reads it");
	is(gs_word(), 0x2222, "the kernel's gs is as it was");
	faults("a non-canonical FS_BASE", write_msr(MSR_FS_BASE, 1UL << 63));
	write_msr(MSR_FS_BASE, 0);
	write_msr(MSR_GS_BASE, 0);
}
#else
static void msrs(void)
{
	is(catch_trap(read_msr(MSR_FS_BASE)), OPEN_MSR, "FS_BASE is for 64-bit guests");
	is(catch_trap(read_msr(MSR_KERNEL_GS_BASE)), OPEN_MSR, "so is KERNEL_GS_BASE");
}
#endif

/* "Everyone can read the MSR space": what the processor has can be, and was, read. */
static void nonsense(void)
{
	is(catch_trap(read_msr(MSR_NONSENSE)), OPEN_MSR, "rdmsr of an MSR that does not exist");
}

static void control_registers(void)
{
	static unsigned long v;

	works("mov from cr0", asm volatile("mov %%cr0, %0" : "=r"(v)));
	is(v & 0x80000001, 0x80000001, "PG and PE are set");
	is(v & CR0_TS, 0, "TS is clear");
	works("mov to cr0 with TS", asm volatile("mov %0, %%cr0" : : "r"(v | CR0_TS)));
	is(catch_trap(asm volatile("fnop")), TRAP_NM, "sets TS");
	works("mov to cr0 as it was", asm volatile("mov %0, %%cr0" : : "r"(v)));
	is(catch_trap(asm volatile("fnop")), TRAP_NONE, "TS is clear");

	catch_trap(READ_ONCE(*(char *)NOWHERE));
	works("mov from cr2", asm volatile("mov %%cr2, %0" : "=r"(v)));
	is(v, NOWHERE, "the last page fault's address");
	works("mov to cr2", asm volatile("mov %0, %%cr2" : : "r"(0x5678UL)));
	works("mov from cr2", asm volatile("mov %%cr2, %0" : "=r"(v)));
	is(v, 0x5678, "what was written");

	works("mov from cr3", asm volatile("mov %%cr3, %0" : "=r"(v)));
	is(xen_cr3_to_pfn(v), virt_to_mfn(kernel_root()), "machine address of the root");
	works("mov to cr3 with the root itself", asm volatile("mov %0, %%cr3" : : "r"(v)));

	works("mov from cr4", asm volatile("mov %%cr4, %0" : "=r"(v)));
	is(v & (1UL << 5), 1UL << 5, "PAE is set");
	works("mov to cr4 as it was", asm volatile("mov %0, %%cr4" : : "r"(v)));
	is(catch_trap(asm volatile("mov %0, %%cr4"
				   :
				   : "r"(v | CR4_TSD))),
	   xen_since(4, 0) ? TRAP_NONE : TRAP_GP, "mov to cr4 with TSD");
	works("rdtsc with TSD", asm volatile("rdtsc" : : : "eax", "edx"));
	works("mov to cr4 without TSD", asm volatile("mov %0, %%cr4" : : "r"(v)));
	works("clts", asm volatile("clts"));
	works("wbinvd", asm volatile("wbinvd" ::: "memory"));
}

static void not_emulated(void)
{
	is(catch_trap(asm volatile("hlt")), TRAP_GP, "hlt raises #GP");
	is(catch_trap(asm volatile("invd" ::: "memory")), TRAP_GP, "invd raises #GP");
	is(catch_trap(asm volatile("ltr %w0" : : "r"(0x40))), TRAP_GP, "ltr raises #GP");
	is(catch_trap(asm volatile("invlpg (%0)"
				   :
				   : "r"(&in_value))),
	   TRAP_GP, "invlpg raises #GP");
	is(catch_trap(asm volatile("cli")), TRAP_GP, "cli raises #GP");
	is(catch_trap(asm volatile("sti")), TRAP_GP, "sti raises #GP");
	set_iopl(1);
	is(catch_trap(asm volatile("cli")), TRAP_NONE, "with IOPL 1 cli does nothing");
	is(read_flags() & FLAG_IF, FLAG_IF, "IF is really set");
	is(catch_trap(asm volatile("sti")), TRAP_NONE, "sti does nothing");
	is(vcpu_info->evtchn_upcall_mask, 1, "the upcall mask is still set");
	set_iopl(0);
}

/* An IOPL as processors have it, which Xen 3 does not know: 4.17 pv/emul-priv-op.c, iopl_ok()
 */
static void architectural_iopl(void)
{
	bool has = xen_since(4, 0);

	is(vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl), has ? 0 : -XEN_EINVAL,
	   "architectural IOPL");
	is(catch_trap(in8(0x1234)), has ? TRAP_NONE : TRAP_GP,
	   "with IOPL 0 the kernel, as ring 0, may use ports");
	set_iopl(2);
	is(catch_trap(asm volatile("ud2")), TRAP_UD, "a trap with IOPL 2");
	is(trap_regs.flags & FLAG_IOPL, has ? 2UL << 12 : 0, "its frame shows that");
	is(read_flags() & FLAG_IOPL, 0, "the real IOPL stays 0");
	set_iopl(0);
	vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);
	faults("and then in raises #GP again", in8(0x1234));
}

static void cpuid_leaves(void)
{
	struct cpuid base = xen_cpuid(0x40000000, 0), version = xen_cpuid(0x40000001, 0),
		     native;
	long xen = xen_version(XENVER_version, NULL);

	is(base.ebx, 0x566e6558, "leaf 40000000: XenV");
	is(base.ecx, 0x65584d4d, "leaf 40000000: MMXe");
	is(base.edx, 0x4d4d566e, "leaf 40000000: nVMM");
	ok(base.eax >= 0x40000002 && base.eax < 0x40000100, "leaf 40000000: the highest leaf");
	is(version.eax, xen, "leaf 40000001: Xen's version");
	is(xen_cpuid(0x40000002, 0).ecx & 1, xen_since(4, 0),
	   "leaf 40000002: MMU_PT_UPDATE_PRESERVE_AD");
	native = native_cpuid(0, 0);
	is(xen_cpuid(0, 0).ebx, native.ebx, "leaf 0: the native vendor");
	native = native_cpuid(1, 0);
	is(xen_cpuid(1, 0).eax, native.eax, "leaf 1: the native signature");
	is(xen_cpuid(1, 0).edx & 1 << 3, 0, "leaf 1: no PSE");
	is(xen_cpuid(1, 0).edx & 1 << 13, 0, "leaf 1: no PGE");
	is(xen_cpuid(1, 0).edx & 1 << 6, 1 << 6, "leaf 1: PAE");
	is(xen_cpuid(1, 0).ecx & 1 << 5, 0, "leaf 1: no VMX");
	is(xen_cpuid(0x80000001, 0).ecx & 1 << 2, 0, "leaf 80000001: no SVM");
	is(xen_cpuid(0x80000001, 0).edx & 1 << 26, 0, "leaf 80000001: no 1 GiB pages");
	is(xen_cpuid(0x80000001, 0).edx >> 29 & 1, PAGING_LEVELS == 4,
	   "leaf 80000001: long mode, if ours");
#ifdef __x86_64__ /* 32-bit guests see what their vendor's processors can do with it */
	is(xen_cpuid(0x80000001, 0).edx >> 11 & 1, 1, "leaf 80000001: syscall");
#endif
	is(xen_cpuid(7, 0).ebx & (1 << 7 | 1 << 20), 0, "leaf 7: neither SMEP nor SMAP");
}

void guest_main(void)
{
	ports();
	msrs();
	nonsense();
	control_registers();
	not_emulated();
	architectural_iopl();
	cpuid_leaves();
}
