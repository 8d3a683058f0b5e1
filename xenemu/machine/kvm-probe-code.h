/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-probe-code.h - where kvm-probe.c puts what kvm-probe-code.S runs with;
 * included by both
 *
 * Addresses are linear, of a window onto the VM's memory.
 */
#ifndef XENEMU_MACHINE_KVM_PROBE_CODE_H
#define XENEMU_MACHINE_KVM_PROBE_CODE_H

#define PROBE_WINDOW 0x40000000 /* 1 GiB: reachable for 32-bit code as well */
#define PROBE_SLOT_256 0xffff800000000000 /* the window is there once more */
#define PROBE_CODE 0x4000 /* offset of the code in the VM's memory */
#define PROBE_STACK0 0xa000 /* top of ring 0's stack, also from other rings */
#define PROBE_STACK3 0xb000 /* top of the others' stack */

/* Selectors, in the order that sysretq wants (SDM 2B, SYSRET). */
#define PROBE_CS0 0x08
#define PROBE_DS0 0x10
#define PROBE_CS3_32 0x1b
#define PROBE_DS3 0x23
#define PROBE_CS3 0x2b
#define PROBE_CS1 0x31
#define PROBE_DS1 0x39
#define PROBE_TSS 0x40

/* Code writes the CS that a trap came from, PROBE_DONE or PROBE_REFUSED, to this port. */
#define PROBE_PORT 0x10
#define PROBE_DONE 0x600d
#define PROBE_REFUSED 0xbad

#endif
