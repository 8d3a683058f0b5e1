/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tsc.h - frequency of the host's time stamp counter
 */
#ifndef XENEMU_MACHINE_TSC_H
#define XENEMU_MACHINE_TSC_H

#include <stdint.h>

/**
 * tsc_host_khz() - frequency of the host's TSC
 *
 * Takes the kernel's own value where /dev/kvm tells it (under 1 ms), else
 * measures it against the monotonic clock since the program was started, to
 * some 5 ppm.  perf's time page would tell it too, but opening the first perf
 * event of a host takes longer than measuring; CPUID leaf 0x15 is wrong where
 * a hypervisor scales the TSC.
 * Return: kHz, never 0.  Main thread.
 */
uint64_t tsc_host_khz(void);

#endif
