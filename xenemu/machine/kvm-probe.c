/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-probe.c - what ring 0 can do inside a VM of this host's KVM
 *
 * A VM of 64 KiB tries each thing on a vCPU of its own.  Whatever works ends in
 * a port write with the right number; a triple fault, an emulation failure or
 * an exception in ring 0 means that it does not.
 */
#include "machine/kvm-probe.h"
#include "machine/kvm-cpuid.h"
#include "machine/kvm-device.h"
#include "machine/kvm-probe-code.h"
#include "machine/machine.h"
#include "protocol.h"
#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* The VM's memory; kvm-probe-code.h has the rest of it. */
#define VM_BYTES 0x10000
#define VM_PML4 0x1000
#define VM_PDPT 0x2000
#define VM_PD 0x3000
#define VM_GDT 0x5000
#define VM_TSS 0x5800
#define VM_IDT 0x6000

#define PTE_USER_RW 7ULL /* P, RW, US */
#define PTE_LARGE (1ULL << 7)

#define CR0_PE (1ULL << 0)
#define CR0_NE (1ULL << 5)
#define CR0_WP (1ULL << 16)
#define CR0_PG (1ULL << 31)
#define CR4_PAE (1ULL << 5)
#define CR4_OSFXSR (1ULL << 9)
#define CR4_OSXSAVE (1ULL << 18)
#define EFER_SCE (1ULL << 0)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)

#define CPUID_1C_VMX (1U << 5)
#define CPUID_80000001C_SVM (1U << 2)

/* KVM's segment types (SDM 3A 3.4.5.1) */
#define TYPE_DATA 3 /* read/write, accessed */
#define TYPE_CODE 0xb /* execute/read, accessed */
#define TYPE_TSS_BUSY 0xb

extern const uint8_t kvm_probe_code[], kvm_probe_code_end[];
extern const uint8_t kvm_probe_slot256[], kvm_probe_iret[], kvm_probe_syscall[],
	kvm_probe_sysret[];
extern const uint8_t kvm_probe_xsetbv[];
extern const uint8_t kvm_probe_ring1[], kvm_probe_trap[], kvm_probe_trap_error[];

/* A throw-away VM. */
struct probe {
	int kvm, vm;
	uint8_t *memory;
	struct kvm_cpuid2 *cpuid;
	size_t run_bytes;
	unsigned int nr_vcpus;
};

static uint64_t run_time(const uint8_t *label)
{
	return PROBE_WINDOW + PROBE_CODE + (uint64_t)(label - kvm_probe_code);
}

static void put64(struct probe *p, uint64_t offset, uint64_t value)
{
	memcpy(p->memory + offset, &value, sizeof(value));
}

/* ------------------------------------------------------------------------
 * The VM's memory
 */
static void put_page_tables(struct probe *p)
{
	put64(p, VM_PML4, VM_PDPT | PTE_USER_RW);
	put64(p, VM_PML4 + 8 * 256, VM_PDPT | PTE_USER_RW);
	put64(p, VM_PDPT + 8 * (PROBE_WINDOW >> 30), VM_PD | PTE_USER_RW);
	put64(p, VM_PD, PTE_USER_RW | PTE_LARGE);
}

static void put_descriptors(struct probe *p)
{
	const uint64_t tss = PROBE_WINDOW + VM_TSS;

	put64(p, VM_GDT + PROBE_CS0, 0x00af9b000000ffff);
	put64(p, VM_GDT + PROBE_DS0, 0x00cf93000000ffff);
	put64(p, VM_GDT + (PROBE_CS3_32 & ~3), 0x00cffb000000ffff);
	put64(p, VM_GDT + (PROBE_DS3 & ~3), 0x00cff3000000ffff);
	put64(p, VM_GDT + (PROBE_CS3 & ~3), 0x00affb000000ffff);
	put64(p, VM_GDT + (PROBE_CS1 & ~3), 0x00cfbb000000ffff);
	put64(p, VM_GDT + (PROBE_DS1 & ~3), 0x00cfb3000000ffff);
	put64(p, VM_GDT + PROBE_TSS,
	      0x00008b0000000067 | (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56);
	put64(p, VM_TSS + 4, PROBE_WINDOW + PROBE_STACK0); /* RSP0 */
	put64(p, VM_TSS + 0x60, 0x68ULL << 48); /* no I/O bitmap: ports are ring 0's */
}

/* An interrupt gate; @dpl is who may `int` it. */
static void put_gate(struct probe *p, unsigned int vector, const uint8_t *label,
		     unsigned int dpl)
{
	uint64_t to = run_time(label);
	uint64_t low = (to & 0xffff) | PROBE_CS0 << 16 | (0x8e00ULL | dpl << 13) << 32 |
		       (to >> 16 & 0xffff) << 48;

	put64(p, VM_IDT + 16 * vector, low);
	put64(p, VM_IDT + 16 * vector + 8, to >> 32);
}

static void fill_memory(struct probe *p)
{
	put_page_tables(p);
	put_descriptors(p);
	put_gate(p, 6, kvm_probe_trap, 0); /* #UD */
	put_gate(p, 13, kvm_probe_trap_error, 0); /* #GP */
	put_gate(p, 0x82, kvm_probe_trap, 1);
	memcpy(p->memory + PROBE_CODE, kvm_probe_code, kvm_probe_code_end - kvm_probe_code);
}

/* ------------------------------------------------------------------------
 * A vCPU in 64-bit ring 0
 */
static struct kvm_segment segment(uint16_t selector, uint8_t type, gboolean code64)
{
	return (struct kvm_segment){ .limit = 0xffffffff,
				     .selector = selector,
				     .type = type,
				     .present = 1,
				     .db = !code64,
				     .s = 1,
				     .l = code64,
				     .g = 1 };
}

static gboolean set_registers(struct probe *p, int vcpu, const uint8_t *entry)
{
	struct kvm_regs regs = { .rip = run_time(entry),
				 .rsp = PROBE_WINDOW + PROBE_STACK0,
				 .rflags = 2 };
	struct kvm_sregs s;

	if (ioctl(vcpu, KVM_GET_SREGS, &s) < 0)
		return FALSE;
	s.cs = segment(PROBE_CS0, TYPE_CODE, TRUE);
	s.ds = s.es = s.fs = s.gs = s.ss = segment(PROBE_DS0, TYPE_DATA, FALSE);
	s.tr = (struct kvm_segment){ .base = PROBE_WINDOW + VM_TSS,
				     .limit = 0x67,
				     .selector = PROBE_TSS,
				     .type = TYPE_TSS_BUSY,
				     .present = 1 };
	s.gdt = (struct kvm_dtable){ .base = PROBE_WINDOW + VM_GDT, .limit = 0x4f };
	s.idt = (struct kvm_dtable){ .base = PROBE_WINDOW + VM_IDT, .limit = 0xfff };
	s.cr0 = CR0_PE | CR0_NE | CR0_WP | CR0_PG;
	s.cr3 = VM_PML4;
	s.cr4 = CR4_PAE | CR4_OSFXSR | (kvm_cpuid_xcr0(p->cpuid) ? CR4_OSXSAVE : 0);
	s.efer = EFER_SCE | EFER_LME | EFER_LMA;
	return ioctl(vcpu, KVM_SET_SREGS, &s) == 0 && ioctl(vcpu, KVM_SET_REGS, &regs) == 0;
}

/* What the code at @entry says; -1 when it does not get that far. */
static int say(struct probe *p, int vcpu, struct kvm_run *run, const uint8_t *entry)
{
	uint16_t said;

	if (ioctl(vcpu, KVM_SET_CPUID2, p->cpuid) < 0 || !set_registers(p, vcpu, entry))
		return -1;
	if (TEMP_FAILURE_RETRY(ioctl(vcpu, KVM_RUN, 0)) < 0)
		return -1;
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != PROBE_PORT ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		return -1;
	memcpy(&said, (uint8_t *)run + run->io.data_offset, sizeof(said));
	return said;
}

/* Each on a vCPU of its own: a failure leaves one in no defined state. */
static int try(struct probe *p, const uint8_t *entry)
{
	int vcpu = ioctl(p->vm, KVM_CREATE_VCPU, p->nr_vcpus++);
	struct kvm_run *run;
	int said = -1;

	if (vcpu < 0)
		return -1;
	run = mmap(NULL, p->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run != MAP_FAILED) {
		said = say(p, vcpu, run, entry);
		munmap(run, p->run_bytes);
	}
	close(vcpu);
	return said;
}

/* ------------------------------------------------------------------------
 * The whole
 */
static gboolean make_vm(struct probe *p, GError **error)
{
	struct kvm_userspace_memory_region slot = { .memory_size = VM_BYTES };
	int run_bytes = ioctl(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	p->memory = mmap(NULL, VM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	p->vm = TEMP_FAILURE_RETRY(ioctl(p->kvm, KVM_CREATE_VM, 0));
	slot.userspace_addr = (uintptr_t)p->memory;
	if (run_bytes >= (int)sizeof(struct kvm_run) && p->memory != MAP_FAILED && p->vm >= 0 &&
	    ioctl(p->vm, KVM_SET_TSS_ADDR, KVM_TSS_PADDR) == 0 &&
	    ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &slot) == 0) {
		p->run_bytes = run_bytes;
		return TRUE;
	}
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
		    "kvm: %s can't make a VM: %s; is another hypervisor running? "
		    "Use --machine qemu",
		    kvm_device_path(), g_strerror(errno));
	return FALSE;
}

static void probe_all(struct probe *p, struct kvm_abilities *a)
{
	fill_memory(p);
	a->slot256 = try(p, kvm_probe_slot256) == PROBE_CS3;
	a->syscall = try(p, kvm_probe_syscall) == PROBE_DONE;
	a->sysret = a->syscall && try(p, kvm_probe_sysret) == PROBE_CS3;
	a->long_mode = a->sysret || try(p, kvm_probe_iret) == PROBE_CS3;
	/* Without XSAVE there is nothing to set. */
	a->xsetbv = !kvm_cpuid_xcr0(p->cpuid) || try(p, kvm_probe_xsetbv) == PROBE_DONE;
	a->ring1 = try(p, kvm_probe_ring1) == PROBE_CS1;
}

static gboolean probe_kvm(struct kvm_abilities *a, GError **error)
{
	struct probe p = { .kvm = kvm_device_open(error), .vm = -1, .memory = MAP_FAILED };
	gboolean ok = FALSE;

	if (p.kvm < 0)
		return FALSE;
	p.cpuid = kvm_cpuid_new(p.kvm, error);
	if (p.cpuid && make_vm(&p, error)) {
		probe_all(&p, a);
		ok = TRUE;
	}
	if (p.vm >= 0)
		close(p.vm);
	if (p.memory != MAP_FAILED)
		munmap(p.memory, VM_BYTES);
	g_free(p.cpuid);
	close(p.kvm);
	return ok;
}

const struct kvm_abilities *kvm_probe_abilities(GError **error)
{
	static struct kvm_abilities abilities;
	static gboolean known;

	if (!known)
		known = probe_kvm(&abilities, error);
	return known ? &abilities : NULL;
}

uint32_t kvm_abilities_flags(const struct kvm_abilities *a)
{
	return (a->slot256 ? 0 : BOOT_SLOT_256_TAKEN) |
	       (a->syscall ? 0 : BOOT_SYSCALL_IN_RING3) | (a->sysret ? 0 : BOOT_NO_SYSRET) |
	       (a->xsetbv ? 0 : BOOT_NO_XSETBV);
}

static gboolean has_virtualization(void)
{
	unsigned int a, b, c = 0, d, ext_c = 0;

	__get_cpuid(1, &a, &b, &c, &d);
	__get_cpuid(0x80000001, &a, &b, &ext_c, &d);
	return (c & CPUID_1C_VMX) || (ext_c & CPUID_80000001C_SVM);
}

/* Leaves 0x80000002 to 4: the processor's name. */
static char *processor(void)
{
	unsigned int name[13] = { 0 };
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (!__get_cpuid(0x80000002 + i, &name[4 * i], &name[4 * i + 1],
				 &name[4 * i + 2], &name[4 * i + 3]))
			return g_strdup("unknown processor");
	return g_strstrip(g_strdup((const char *)name));
}

static const char *yes_no(gboolean ability)
{
	return ability ? "yes" : "no";
}

char *kvm_abilities_describe(const struct kvm_abilities *a)
{
	g_autofree char *cpu = processor();

	return g_strdup_printf(
		"%s, API %d, %s, %s; ring 0 has long mode: %s, syscall: %s, sysret: %s, "
		"xsetbv: %s; root slot 256: %s; 32-bit ring 1: %s",
		kvm_device_path(), KVM_API_VERSION, cpu,
		has_virtualization() ? "VMX or SVM" : "neither VMX nor SVM (interpreted)",
		yes_no(a->long_mode), a->syscall ? "yes" : "arrives in ring 3",
		yes_no(a->sysret), yes_no(a->xsetbv), a->slot256 ? "free" : "taken",
		yes_no(a->ring1));
}
