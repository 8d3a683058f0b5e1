/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h - the monitor's virtual addresses and selectors
 *
 * Root slots 256 to 271 are the monitor's in every root (Xen's public
 * arch-x86/xen-x86_64.h gives the guest the rest):
 *
 *   256  0xffff800000000000  machine-to-phys table, readable by the guest; or
 *   258  0xffff810000000000  there, where ring 3 can't use slot 256
 *   257  0xffff808000000000  per-vCPU windows: GDT and LDT
 *   261  0xffff828000000000  the monitor's image, at + MONITOR_PADDR
 *   262  0xffff830000000000  direct map of all machine memory
 */
#ifndef MONITOR_LAYOUT_H
#define MONITOR_LAYOUT_H

#define MONITOR_FIRST_SLOT 256
#define MONITOR_NR_SLOTS 16

#define MONITOR_VA_START 0xffff800000000000
#define MONITOR_VA_END 0xffff880000000000

#define WINDOW_VA 0xffff808000000000
#define IMAGE_VA 0xffff828000000000
#define DIRECT_VA 0xffff830000000000
#define SLOT_BYTES 0x8000000000

/* A vCPU's window: 16 pages of GDT, then 16 pages of LDT. */
#define GDT_PAGES 16
#define WINDOW_PAGES 32
#define WINDOW_GDT(vcpu) (WINDOW_VA + (vcpu)*WINDOW_PAGES * 4096UL)
#define WINDOW_LDT(vcpu) (WINDOW_GDT(vcpu) + GDT_PAGES * 4096UL)

/*
 * The guest has GDT entries 0 to 0x1bff (14 pages); page 14 is the monitor's
 * and holds the flat selectors of the public headers (FLAT_RING3_*).
 */
#define GUEST_GDT_PAGES 14
#define SEL_BASE 0xe000
#define SEL_CS 0xe008
#define SEL_DS 0xe010
#define SEL_RING1_CS 0xe019
#define SEL_RING1_DS 0xe021
#define SEL_USER_CS32 0xe023
#define SEL_USER_DS 0xe02b
#define SEL_USER_CS 0xe033
/* 32-bit guests know other numbers (FLAT_RING3_* of xen-x86_32.h). */
#define SEL32_USER_CS 0xe02b
#define SEL32_USER_DS 0xe033
#define SEL_TSS 0xe040
#define SEL_LDT 0xe050
/* STAR: syscall loads SEL_CS and SEL_DS; sysretq CS + 16, SS + 8 */
#define STAR_VALUE ((0xe023UL << 48) | ((u64)SEL_CS << 32))

#define STACK_BYTES 0x4000

#endif
