/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpuid.c - CPUID, MSRs and CR4 as a guest sees them
 *
 * CPUID is the hardware's with what a PV guest can't have taken out (Xen 4.17
 * public arch-x86/cpufeatureset.h: features not marked for PV), and Xen's own
 * leaves.
 */
#include "abi-info.h"
#include "event.h"
#include "mm.h"
#include "trap.h"
#include <xen/arch-x86/cpuid.h>

#define BIT(n) (1U << (n))
#define MSR_K8_HWCR 0xc0010015

/* leaf 1 */
#define ECX1_HIDE                                                                              \
	(BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(10) | BIT(14) |    \
	 BIT(15) | BIT(17) | BIT(18) | BIT(21) | BIT(24) | BIT(27))
/* DTES64 MONITOR DSCPL VMX SMX EST TM2 CNXT-ID XTPR PDCM PCID DCA x2APIC
 * TSC-deadline; OSXSAVE is the guest's */
#define ECX1_OSXSAVE BIT(27)
#define ECX1_HYPERVISOR BIT(31) /* shown where Xen showed it */
#define EDX1_HIDE                                                                              \
	(BIT(1) | BIT(3) | BIT(12) | BIT(13) | BIT(17) | BIT(21) | BIT(22) | BIT(27) |         \
	 BIT(28) | BIT(29) | BIT(31))
/* VME PSE MTRR PGE PSE36 DS ACPI SS HTT TM PBE */

/* leaf 7 */
#define EBX7_HIDE                                                                              \
	(BIT(0) | BIT(1) | BIT(2) | BIT(7) | BIT(10) | BIT(12) | BIT(14) | BIT(15) | BIT(20) | \
	 BIT(25))
/* FSGSBASE TSC_ADJUST SGX SMEP INVPCID PQM MPX PQE SMAP PT */
#define ECX7_HIDE                                                                              \
	(BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(7) | BIT(16) | BIT(22) | BIT(24) | BIT(31))
/* UMIP PKU OSPKE WAITPKG SHSTK LA57 RDPID BUS_LOCK PKS */
#define EDX7_SHOW (BIT(2) | BIT(3) | BIT(4) | BIT(8))
/* AVX512_4VNNIW AVX512_4FMAPS FSRM AVX512_VP2INTERSECT: the rest is
 * speculation control, which has MSRs */

/* leaf 0x80000001 */
#define ECX81_HIDE                                                                             \
	(BIT(2) | BIT(3) | BIT(9) | BIT(10) | BIT(12) | BIT(13) | BIT(15) | BIT(19) |          \
	 BIT(22) | BIT(23) | BIT(24) | BIT(26) | BIT(27) | BIT(28) | BIT(29))
/* SVM EXTAPIC OSVW IBS SKINIT WDT LWP NODEID TOPOEXT PERFCTR_* DBEXT PTSC
 * PERFCTR_LLC MWAITX */
#define EDX81_HIDE (BIT(3) | BIT(12) | BIT(13) | BIT(17) | BIT(26) | BIT(27))
/* PSE MTRR PGE PSE36 PAGE1GB RDTSCP */

/* 32-bit guests are entered by int alone, and have no 64-bit mode. */
#define EDX1_SEP BIT(11)
#define EDX81_SYSCALL BIT(11)
#define EDX81_LM BIT(29)

static void xen_leaf(u32 leaf, u32 out[4])
{
	out[0] = out[1] = out[2] = out[3] = 0;
	if (leaf > ABI_CPUID_LEAVES)
		return;
	switch (leaf) {
	case 0:
		out[0] = 0x40000000 + ABI_CPUID_LEAVES;
		out[1] = XEN_CPUID_SIGNATURE_EBX;
		out[2] = XEN_CPUID_SIGNATURE_ECX;
		out[3] = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1:
		out[0] = ABI_VERSION;
		break;
	case 2:
		out[0] = 1;
		out[1] = MSR_HYPERCALL_PAGE;
		out[2] = ABI_CPUID_FEATURES;
		break;
	case 3:
		out[2] = boot->tsc_khz;
		break;
	case 5: /* width of machine addresses: grant table v1 will do */
		out[1] = 44;
		break;
	}
}

static void mask_xsave_leaf(u32 sub, u32 out[4])
{
	if (sub == 1)
		out[0] &= ~BIT(3); /* XSAVES */
	if (sub == 1)
		out[1] = out[2] = out[3] = 0;
}

void guest_cpuid(const struct vcpu *v, u32 leaf, u32 sub, u32 out[4])
{
	if (leaf >> 8 == 0x400000) {
		xen_leaf(leaf & 0xff, out);
		return;
	}
	cpuid(leaf, sub, out);
	switch (leaf) {
	case 1:
		out[2] = (out[2] & ~(ECX1_HIDE | ECX1_HYPERVISOR)) | ABI_CPUID_SHOW_ECX1;
		if (v->cr4 & CR4_OSXSAVE)
			out[2] |= ECX1_OSXSAVE;
		out[3] &= ~(EDX1_HIDE | ABI_CPUID_HIDE_EDX1 |
			    (guest32 || !features.sep ? EDX1_SEP : 0));
		break;
	case 5: /* MONITOR, thermal and power, performance counters, topology */
	case 6:
	case 0xa:
	case 0xb:
		out[0] = out[1] = out[2] = out[3] = 0;
		break;
	case 7:
		if (sub == 0) {
			out[0] = 0;
			out[1] &= ~EBX7_HIDE;
			out[2] &= ~ECX7_HIDE;
			out[3] &= EDX7_SHOW;
		} else {
			out[0] = out[1] = out[2] = out[3] = 0;
		}
		break;
	case 0xd:
		mask_xsave_leaf(sub, out);
		break;
	case 0x80000001:
		out[2] &= ~ECX81_HIDE;
		out[3] &= ~(EDX81_HIDE | (guest32 ? EDX81_SYSCALL | EDX81_LM : 0));
		break;
	case 0x80000007: /* invariant TSC only */
		out[0] = out[1] = out[2] = 0;
		out[3] &= BIT(8);
		break;
	case 0x80000008: /* CLZERO; the rest is speculation control */
		out[1] &= BIT(0);
		break;
	case 0x8000000a: /* SVM, memory encryption */
	case 0x8000001f:
		out[0] = out[1] = out[2] = out[3] = 0;
		break;
	}
}

u64 guest_cr4(u64 wanted)
{
	u64 allowed = CR4_TSD | CR4_DE | (features.xsave ? CR4_OSXSAVE : 0);
	/* What is on whether the guest wants it or not, and may be seen. */
	u64 fixed = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	return (wanted & allowed) | fixed;
}

static u64 guest_efer(void)
{
	return guest32 ? EFER_NXE : EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
}

/* Segment bases are MSRs of 64-bit guests only (Xen 4.17 pv/emul-priv-op.c, read_msr()). */
static u32 for_width(u32 msr)
{
	return guest32 && msr >= MSR_FS_BASE && msr <= MSR_KERNEL_GS_BASE ? 0 : msr;
}

/*
 * The MSRs that PV kernels read although nobody gave them any: harmless values.
 * For all others a guest with a #GP handler gets #GP, one without reads 0; old
 * ABIs let guests read what the processor has, as if it were nothing but zeroes.
 */
bool guest_rdmsr(struct vcpu *v, u32 msr, u64 *value)
{
	switch (for_width(msr)) {
	case MSR_FS_BASE:
		*value = guest_fs_base();
		return true;
	case MSR_GS_BASE:
		*value = guest_gs_base();
		return true;
	case MSR_KERNEL_GS_BASE:
		*value = v->gs_user;
		return true;
	case MSR_TSC:
		*value = rdtsc();
		return true;
	case MSR_EFER:
		*value = guest_efer();
		return true;
	case MSR_APIC_BASE:
		*value = 0xfee00000 | 1 << 11 | (v->id == 0) << 8;
		return true;
	case MSR_PAT: /* Xen's own choice: XEN_MSR_PAT */
		*value = 0x050100070406;
		return true;
	case MSR_UCODE_REV:
	case MSR_MISC_ENABLE:
	case MSR_K8_HWCR: /* old kernels change a bit of it and die of #GP */
	case 0x179: /* MCG_CAP: no bank */
	case 0x17a: /* MCG_STATUS */
		*value = 0;
		return true;
	default:
		*value = 0;
		return ABI_MSR_OPEN || !v->traps[TRAP_GP].address;
	}
}

bool guest_wrmsr(struct vcpu *v, u32 msr, u64 value)
{
	switch (for_width(msr)) {
	case MSR_FS_BASE:
		if (!is_canonical(value))
			return false;
		set_guest_fs_base(value);
		return true;
	case MSR_GS_BASE:
		if (!is_canonical(value))
			return false;
		set_guest_gs_base(value);
		return true;
	case MSR_KERNEL_GS_BASE:
		if (!is_canonical(value))
			return false;
		v->gs_user = value;
		return true;
	case MSR_EFER:
		return ABI_MSR_OPEN || value == guest_efer();
	case MSR_HYPERCALL_PAGE: {
		u64 mfn = value >> 12;

		if ((value & 4095) || !frame_owned(mfn) || frame_type(frame_table[mfn]))
			return false;
		v->area->mailbox.arg[0] = mfn;
		return !mailbox_call(v, MAILBOX_HYPERCALL_PAGE);
	}
	case MSR_UCODE_REV: /* written before it is read */
	case MSR_K8_HWCR:
	case 0x17a:
		return true;
	default:
		return ABI_MSR_OPEN;
	}
}
