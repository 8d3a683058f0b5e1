/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-cpuid.h - the CPUID that a vCPU of machine kvm shows
 */
#ifndef XENEMU_MACHINE_KVM_CPUID_H
#define XENEMU_MACHINE_KVM_CPUID_H

#include <glib.h>
#include <linux/kvm.h>
#include <stdint.h>

/**
 * kvm_cpuid_new() - what the hardware and KVM have, less what we hide
 * @kvm:   /dev/kvm
 * @error: set when KVM does not tell
 *
 * Hidden are KVM's own leaves and what no PV guest of Xen sees and the monitor
 * has no use for: ring 3 can read CPUID itself.  x2APIC and the TSC-deadline
 * timer are shown where KVM has them.
 * Return: g_free() it; NULL with @error set.
 */
struct kvm_cpuid2 *kvm_cpuid_new(int kvm, GError **error);

/** kvm_cpuid_set_apic_id() - write APIC id @id where CPUID tells it */
void kvm_cpuid_set_apic_id(struct kvm_cpuid2 *cpuid, uint32_t id);

/** kvm_cpuid_xcr0() - the bits of XCR0 that @cpuid allows; 0: no XSAVE */
uint64_t kvm_cpuid_xcr0(const struct kvm_cpuid2 *cpuid);

#endif
