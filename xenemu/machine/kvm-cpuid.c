/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-cpuid.c - the CPUID that a vCPU of machine kvm shows
 */
#include "machine/kvm-cpuid.h"
#include "machine/machine.h"
#include <errno.h>
#include <sys/ioctl.h>

#define MAX_ENTRIES 256 /* KVM_MAX_CPUID_ENTRIES */

enum reg {
	EAX,
	EBX,
	ECX,
	EDX
};

/* A feature bit; index 0 where a leaf has no sub-leaves. */
struct feature {
	uint32_t leaf, index;
	enum reg reg;
	unsigned int bit;
};

/* SDM 2A and APM 3, CPUID; XCR0 components in leaf 0xd. */
static const struct feature hidden[] = {
	{ 1, 0, ECX, 3 }, /* MONITOR */
	{ 1, 0, ECX, 5 }, /* VMX */
	{ 7, 0, EBX, 14 }, /* MPX */
	{ 7, 0, ECX, 3 }, /* PKU */
	{ 7, 0, ECX, 4 }, /* OSPKE */
	{ 7, 0, ECX, 16 }, /* LA57 */
	{ 7, 0, ECX, 31 }, /* PKS */
	{ 7, 0, EDX, 22 }, /* AMX-BF16 */
	{ 7, 0, EDX, 24 }, /* AMX-TILE */
	{ 7, 0, EDX, 25 }, /* AMX-INT8 */
	{ 7, 0, EDX, 29 }, /* ARCH_CAPABILITIES */
	{ 0xd, 0, EAX, 3 }, /* MPX bound registers */
	{ 0xd, 0, EAX, 4 }, /* MPX configuration */
	{ 0xd, 0, EAX, 9 }, /* PKRU */
	{ 0xd, 0, EAX, 17 }, /* AMX tile configuration */
	{ 0xd, 0, EAX, 18 }, /* AMX tile data */
	{ 0x80000001, 0, ECX, 2 }, /* SVM */
};

static struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid, uint32_t leaf,
				     uint32_t index)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == index)
			return (struct kvm_cpuid_entry2 *)&cpuid->entries[i];
	return NULL;
}

static void set_feature(struct kvm_cpuid2 *cpuid, const struct feature *f, gboolean on)
{
	struct kvm_cpuid_entry2 *e = find(cpuid, f->leaf, f->index);
	uint32_t mask = 1U << f->bit;
	uint32_t *reg;

	if (!e)
		return;
	reg = f->reg == EAX   ? &e->eax
	      : f->reg == EBX ? &e->ebx
	      : f->reg == ECX ? &e->ecx
			      : &e->edx;
	*reg = on ? *reg | mask : *reg & ~mask;
}

/* Whole leaves: hypervisors' (KVM's own), SVM's. */
static gboolean is_hidden_leaf(uint32_t leaf)
{
	return (leaf & 0xff000000) == 0x40000000 || leaf == 0x8000000a;
}

static void hide(struct kvm_cpuid2 *cpuid)
{
	uint32_t i, kept = 0;

	for (i = 0; i < G_N_ELEMENTS(hidden); i++)
		set_feature(cpuid, &hidden[i], FALSE);
	for (i = 0; i < cpuid->nent; i++)
		if (!is_hidden_leaf(cpuid->entries[i].function))
			cpuid->entries[kept++] = cpuid->entries[i];
	cpuid->nent = kept;
}

/* KVM shows them only to those who ask for the local APIC in the kernel. */
static void show_apic(struct kvm_cpuid2 *cpuid, int kvm)
{
	static const struct feature x2apic = { 1, 0, ECX, 21 };
	static const struct feature deadline = { 1, 0, ECX, 24 };

	set_feature(cpuid, &x2apic, TRUE);
	set_feature(cpuid, &deadline,
		    ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0);
}

struct kvm_cpuid2 *kvm_cpuid_new(int kvm, GError **error)
{
	struct kvm_cpuid2 *cpuid =
		g_malloc0(sizeof(*cpuid) + MAX_ENTRIES * sizeof(cpuid->entries[0]));

	cpuid->nent = MAX_ENTRIES;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
			    "kvm: KVM does not tell its CPUID: %s; use --machine qemu",
			    g_strerror(errno));
		g_free(cpuid);
		return NULL;
	}
	hide(cpuid);
	show_apic(cpuid, kvm);
	return cpuid;
}

void kvm_cpuid_set_apic_id(struct kvm_cpuid2 *cpuid, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1)
			e->ebx = (e->ebx & 0x00ffffff) | id << 24;
		else if (e->function == 0xb || e->function == 0x1f)
			e->edx = id;
		else if (e->function == 0x8000001e)
			e->eax = id;
	}
}

uint64_t kvm_cpuid_xcr0(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *features = find(cpuid, 1, 0);
	const struct kvm_cpuid_entry2 *xsave = find(cpuid, 0xd, 0);

	if (!features || !(features->ecx & (1U << 26)) || !xsave)
		return 0;
	return xsave->eax | (uint64_t)xsave->edx << 32;
}
