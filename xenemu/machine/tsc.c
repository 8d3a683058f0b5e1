/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tsc.c - frequency of the host's time stamp counter
 */
#include "machine/tsc.h"
#include "machine/kvm-device.h"
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define NS_PER_S 1000000000LL

struct sample {
	uint64_t tsc;
	int64_t ns;
};

static struct sample at_start;

static int64_t raw_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Both clocks at one moment: of a few tries the one that took least time. */
static struct sample take_sample(void)
{
	struct sample best = { 0 };
	uint64_t shortest = UINT64_MAX;
	int i;

	for (i = 0; i < 8; i++) {
		uint64_t before = __rdtsc();
		int64_t ns = raw_ns();
		uint64_t took = __rdtsc() - before;

		if (took < shortest) {
			shortest = took;
			best = (struct sample){ before + took / 2, ns };
		}
	}
	return best;
}

/* As early as can be: what is measured later is the more exact for it. */
__attribute__((constructor)) static void sample_at_start(void)
{
	at_start = take_sample();
}

static uint64_t khz_measured(void)
{
	struct sample now;

	/* A window of 2 ms, known to 20 ns: 10 ppm at worst. */
	do
		now = take_sample();
	while (now.ns - at_start.ns < 2000000);
	return (uint64_t)((__int128)(now.tsc - at_start.tsc) * 1000000 /
			  (now.ns - at_start.ns));
}

/* A vCPU's TSC runs at the host's rate until told otherwise. */
static uint64_t khz_of_kvm(void)
{
	int kvm = kvm_device_open(NULL);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	int vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
	int khz = vcpu < 0 ? 0 : ioctl(vcpu, KVM_GET_TSC_KHZ, 0);

	if (vcpu >= 0)
		close(vcpu);
	if (vm >= 0)
		close(vm);
	if (kvm >= 0)
		close(kvm);
	return khz > 0 ? (uint64_t)khz : 0;
}

uint64_t tsc_host_khz(void)
{
	static uint64_t khz;

	if (!khz)
		khz = khz_of_kvm();
	if (!khz)
		khz = khz_measured();
	return khz;
}
