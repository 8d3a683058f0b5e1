/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-vcpu.h - one vCPU of machine kvm: its state at start and its exits
 */
#ifndef XENEMU_MACHINE_KVM_VCPU_H
#define XENEMU_MACHINE_KVM_VCPU_H

#include <glib.h>
#include <linux/kvm.h>
#include <stdint.h>

/**
 * struct kvm_vcpu - a vCPU
 * @fd:    KVM's descriptor of it
 * @run:   shared with KVM
 * @bytes: size of @run's mapping
 */
struct kvm_vcpu {
	int fd;
	struct kvm_run *run;
	size_t bytes;
};

/** What became of a run of guest code. */
enum kvm_exit {
	KVM_GO_ON, /* run it again */
	KVM_CALL, /* it rang the call doorbell */
	KVM_EVENT, /* it rang the event doorbell, and KVM did not take it */
	KVM_DEAD, /* it can't go on */
};

/**
 * kvm_vcpu_open() - create a vCPU
 * @v:     filled in
 * @kvm:   /dev/kvm
 * @vm:    the VM
 * @id:    its number and APIC id
 * @cpuid: what it shows; changed to hold this APIC id
 * @error: set when KVM refuses
 *
 * XCR0 holds all that @cpuid allows.  On error there is nothing to close.
 */
gboolean kvm_vcpu_open(struct kvm_vcpu *v, int kvm, int vm, unsigned int id,
		       struct kvm_cpuid2 *cpuid, GError **error);

/**
 * kvm_vcpu_set_entry() - flat 32-bit protected mode at @entry, paging off
 * @v:     vCPU that has not run yet
 * @entry: machine address
 * @error: set when KVM refuses
 */
gboolean kvm_vcpu_set_entry(struct kvm_vcpu *v, uint32_t entry, GError **error);

/** kvm_vcpu_set_xcr0() - while it does not run; FALSE: not a value it can have */
gboolean kvm_vcpu_set_xcr0(struct kvm_vcpu *v, uint64_t xcr0);

/** kvm_vcpu_tsc_khz() - frequency of its TSC, 0 when KVM does not tell */
uint64_t kvm_vcpu_tsc_khz(struct kvm_vcpu *v);

/**
 * kvm_vcpu_run() - run guest code until something comes up
 * @v:   the vCPU
 * @why: KVM_DEAD: a text with what happened and the registers, the caller's
 *
 * Ports and memory that nobody owns read all ones.  Blocks; a signal ends it
 * with KVM_GO_ON.  The vCPU's own thread.
 */
enum kvm_exit kvm_vcpu_run(struct kvm_vcpu *v, char **why);

/** kvm_vcpu_close() - no thread runs it any more */
void kvm_vcpu_close(struct kvm_vcpu *v);

#endif
