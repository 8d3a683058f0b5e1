/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-device.h - /dev/kvm
 */
#ifndef XENEMU_MACHINE_KVM_DEVICE_H
#define XENEMU_MACHINE_KVM_DEVICE_H

#include <glib.h>

/* Pages that VMX without unrestricted guest needs, in the hole below 4 GiB. */
#define KVM_TSS_PADDR 0xfffbd000UL
#define KVM_IDENTITY_MAP_PADDR 0xfffbc000UL

/**
 * kvm_device_path() - $XENEMU_KVM or /dev/kvm
 */
const char *kvm_device_path(void);

/**
 * kvm_device_open() - open KVM and check that it is KVM
 * @error: MACHINE_ERROR_ABSENT, _DENIED or _UNABLE, with what to do about it
 *
 * Return: descriptor, the caller's; -1 with @error set.
 */
int kvm_device_open(GError **error);

#endif
