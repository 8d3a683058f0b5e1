/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-probe.h - what ring 0 can do inside a VM of this host's KVM
 *
 * KVM without hardware virtualization interprets ring 0 and lacks some of it,
 * without a word about it anywhere: it has to be tried.
 */
#ifndef XENEMU_MACHINE_KVM_PROBE_H
#define XENEMU_MACHINE_KVM_PROBE_H

#include <glib.h>
#include <stdint.h>

/**
 * struct kvm_abilities - what was seen to work
 * @long_mode: 64-bit code in ring 0, and an exception from ring 3 into it and
 *             back by iretq
 * @slot256:   root slot 256, where Xen has its machine-to-phys table, is there for
 *             ring 3; a KVM without hardware virtualization may need it itself
 * @syscall:   syscall from ring 3 arrives in ring 0; there is a KVM where it arrives
 *             at its entry still in ring 3
 * @sysret:    sysretq from ring 0 to ring 3
 * @xsetbv:    xsetbv in ring 0
 * @ring1:     `int $0x82` of 32-bit code in ring 1
 */
struct kvm_abilities {
	gboolean long_mode;
	gboolean slot256;
	gboolean syscall;
	gboolean sysret;
	gboolean xsetbv;
	gboolean ring1;
};

/**
 * kvm_probe_abilities() - try it out, once per process
 * @error: MACHINE_ERROR_ABSENT, _DENIED, _UNABLE or _FAILED: /dev/kvm can't be
 *         used at all
 *
 * Takes a few milliseconds the first time.  Main thread.
 * Return: valid for ever; NULL with @error set.
 */
const struct kvm_abilities *kvm_probe_abilities(GError **error);

/**
 * kvm_abilities_describe() - a line for `xenemu probe`
 *
 * Return: g_free() it.
 */
char *kvm_abilities_describe(const struct kvm_abilities *a);

/** kvm_abilities_flags() - BOOT_NO_* of boot_info that follow from @a */
uint32_t kvm_abilities_flags(const struct kvm_abilities *a);

#endif
