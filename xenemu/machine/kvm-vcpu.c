/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-vcpu.c - one vCPU of machine kvm: its state at start and its exits
 */
#include "machine/kvm-vcpu.h"
#include "machine/kvm-cpuid.h"
#include "machine/machine.h"
#include "protocol.h"
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CR0_PE (1ULL << 0)
#define CR0_ET (1ULL << 4)
#define CS_SELECTOR 8
#define DS_SELECTOR 0x10

/* ------------------------------------------------------------------------
 * State at start
 */
static gboolean fail(GError **error, const char *what)
{
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
		    "kvm: KVM refuses to %s: %s; use --machine qemu", what, g_strerror(errno));
	return FALSE;
}

/*
 * The monitor may be unable to set XCR0 (BOOT_NO_XSETBV), and nobody minds
 * finding it set.
 */
static gboolean preset_xcr0(struct kvm_vcpu *v, const struct kvm_cpuid2 *cpuid)
{
	uint64_t xcr0 = kvm_cpuid_xcr0(cpuid);

	return xcr0 == 0 || kvm_vcpu_set_xcr0(v, xcr0);
}

gboolean kvm_vcpu_open(struct kvm_vcpu *v, int kvm, int vm, unsigned int id,
		       struct kvm_cpuid2 *cpuid, GError **error)
{
	int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	v->run = MAP_FAILED;
	v->fd = ioctl(vm, KVM_CREATE_VCPU, id);
	if (v->fd < 0 || bytes < (int)sizeof(*v->run))
		goto failed;
	v->bytes = bytes;
	v->run = mmap(NULL, v->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	kvm_cpuid_set_apic_id(cpuid, id);
	if (v->run != MAP_FAILED && ioctl(v->fd, KVM_SET_CPUID2, cpuid) == 0 &&
	    preset_xcr0(v, cpuid))
		return TRUE;
failed:
	fail(error, "make a vCPU");
	kvm_vcpu_close(v);
	return FALSE;
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){ .limit = 0xffffffff,
				     .selector = selector,
				     .type = type,
				     .present = 1,
				     .db = 1,
				     .s = 1,
				     .g = 1 };
}

gboolean kvm_vcpu_set_entry(struct kvm_vcpu *v, uint32_t entry, GError **error)
{
	struct kvm_regs regs = { .rip = entry, .rflags = 2 };
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s) < 0)
		return fail(error, "tell a vCPU's state");
	s.cs = flat_segment(CS_SELECTOR, 0xb); /* execute/read, accessed */
	s.ds = s.es = s.fs = s.gs = s.ss = flat_segment(DS_SELECTOR, 3); /* read/write */
	/* VMX enters with a busy TSS only (SDM 3C 26.3.1.2) */
	s.tr = (struct kvm_segment){ .limit = 0x67, .type = 0xb, .present = 1 };
	s.gdt = (struct kvm_dtable){ 0 };
	s.idt = (struct kvm_dtable){ 0 };
	s.cr0 = CR0_PE | CR0_ET;
	s.cr4 = 0;
	s.efer = 0;
	if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0 || ioctl(v->fd, KVM_SET_REGS, &regs) < 0)
		return fail(error, "set a vCPU's state");
	return TRUE;
}

gboolean kvm_vcpu_set_xcr0(struct kvm_vcpu *v, uint64_t xcr0)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = xcr0 } } };

	return ioctl(v->fd, KVM_SET_XCRS, &xcrs) == 0;
}

uint64_t kvm_vcpu_tsc_khz(struct kvm_vcpu *v)
{
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (uint64_t)khz : 0;
}

void kvm_vcpu_close(struct kvm_vcpu *v)
{
	if (v->run != MAP_FAILED)
		munmap(v->run, v->bytes);
	if (v->fd >= 0)
		close(v->fd);
	v->run = MAP_FAILED;
	v->fd = -1;
}

/* ------------------------------------------------------------------------
 * Its end
 */

/* KVM on AMD resets a vCPU that fails three times (shutdown_interception()). */
static gboolean was_reset(const struct kvm_regs *r, const struct kvm_sregs *s)
{
	return r->rip == 0xfff0 && s->cs.selector == 0xf000 && !(s->cr0 & CR0_PE);
}

static void add_registers(GString *s, struct kvm_vcpu *v)
{
	struct kvm_regs r;
	struct kvm_sregs t;

	if (ioctl(v->fd, KVM_GET_REGS, &r) < 0 || ioctl(v->fd, KVM_GET_SREGS, &t) < 0)
		return;
	if (was_reset(&r, &t)) {
		g_string_append(s,
				"; its rip and other registers are lost, cr2 and cr3 too: KVM "
				"has reset it (--machine qemu keeps them)");
		return;
	}
	g_string_append_printf(s, "\nrip %016llx  rsp %016llx  rflags %08llx  cs %04x  ss %04x",
			       r.rip, r.rsp, r.rflags, t.cs.selector, t.ss.selector);
	g_string_append_printf(s, "\nrax %016llx  rbx %016llx  rcx %016llx  rdx %016llx", r.rax,
			       r.rbx, r.rcx, r.rdx);
	g_string_append_printf(s, "\nrsi %016llx  rdi %016llx  rbp %016llx  r8  %016llx", r.rsi,
			       r.rdi, r.rbp, r.r8);
	g_string_append_printf(s, "\nr9  %016llx  r10 %016llx  r11 %016llx  r12 %016llx", r.r9,
			       r.r10, r.r11, r.r12);
	g_string_append_printf(s, "\nr13 %016llx  r14 %016llx  r15 %016llx  efer %llx", r.r13,
			       r.r14, r.r15, t.efer);
	g_string_append_printf(s, "\ncr0 %llx  cr2 %llx  cr3 %llx  cr4 %llx", t.cr0, t.cr2,
			       t.cr3, t.cr4);
	g_string_append_printf(s, "\ngdt %llx+%x  idt %llx+%x  tr %04x  fs %llx  gs %llx",
			       t.gdt.base, t.gdt.limit, t.idt.base, t.idt.limit, t.tr.selector,
			       t.fs.base, t.gs.base);
}

/* KVM_INTERNAL_ERROR_EMULATION: KVM may add the instruction's bytes. */
static void add_internal_error(GString *s, const struct kvm_run *run)
{
	uint32_t i;

	g_string_append_printf(s, "KVM can't go on, internal error %u", run->internal.suberror);
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
		g_string_append(s, " (it can't interpret an instruction)");
		if (run->internal.ndata >= 4 &&
		    (run->emulation_failure.flags &
		     KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
			for (i = 0; i < run->emulation_failure.insn_size && i < 15; i++)
				g_string_append_printf(s, " %02x",
						       run->emulation_failure.insn_bytes[i]);
		return;
	}
	for (i = 0; i < run->internal.ndata && i < G_N_ELEMENTS(run->internal.data); i++)
		g_string_append_printf(s, " %llx", run->internal.data[i]);
}

static char *describe_end(struct kvm_vcpu *v)
{
	const struct kvm_run *run = v->run;
	GString *s = g_string_new("kvm: ");

	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		g_string_append(s, "triple fault: the VM's CPU can't go on");
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		add_internal_error(s, run);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		g_string_append_printf(s, "the CPU refuses to enter the VM, reason %llx",
				       run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		g_string_append_printf(s, "exit %u that nobody expects", run->exit_reason);
	}
	add_registers(s, v);
	return g_string_free(s, FALSE);
}

/* ------------------------------------------------------------------------
 * Exits
 */
static enum kvm_exit on_io(struct kvm_run *run)
{
	size_t bytes = (size_t)run->io.size * run->io.count;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset((uint8_t *)run + run->io.data_offset, 0xff, bytes);
		return KVM_GO_ON;
	}
	if (run->io.port == DOORBELL_PORT_CALL && run->io.size == 4)
		return KVM_CALL;
	if (run->io.port == DOORBELL_PORT_EVENT && run->io.size == 4)
		return KVM_EVENT;
	return KVM_GO_ON;
}

static enum kvm_exit on_mmio(struct kvm_run *run)
{
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	return KVM_GO_ON;
}

enum kvm_exit kvm_vcpu_run(struct kvm_vcpu *v, char **why)
{
	if (ioctl(v->fd, KVM_RUN, 0) < 0) {
		if (errno == EINTR || errno == EAGAIN)
			return KVM_GO_ON;
		*why = g_strdup_printf("kvm: KVM can't run the VM: %s", g_strerror(errno));
		return KVM_DEAD;
	}
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return on_io(v->run);
	case KVM_EXIT_MMIO:
		return on_mmio(v->run);
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return KVM_GO_ON;
	default:
		*why = describe_end(v);
		return KVM_DEAD;
	}
}
