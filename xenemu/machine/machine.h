/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.h - what provides vCPUs: kvm.c (ioctl on /dev/kvm) or qemu.c (a QEMU
 * process), behind one struct machine_ops
 *
 * A machine runs the monitor that the caller has placed in memory and carries
 * its doorbells.  It knows nothing of Xen.
 *
 * Threads: all functions here are called on, and all callbacks arrive on, the
 * thread of the default GMainContext.  vCPU threads of kvm.c hand over to it
 * and wait, so nothing outside machine/ needs a lock.
 */
#ifndef XENEMU_MACHINE_MACHINE_H
#define XENEMU_MACHINE_MACHINE_H

#include "machine/memory.h"
#include <glib.h>
#include <stdint.h>

#define MACHINE_ERROR (machine_error_quark())
GQuark machine_error_quark(void);
enum machine_error {
	MACHINE_ERROR_ABSENT, /* no /dev/kvm, no QEMU program */
	MACHINE_ERROR_DENIED, /* there, but this user may not use it */
	MACHINE_ERROR_UNABLE, /* there, but it can't run this guest */
	MACHINE_ERROR_FAILED, /* an operation failed, or it died */
};

struct machine;

/**
 * struct machine_events - what a machine tells its owner, on the main thread
 * @call:  vCPU @vcpu rang the call doorbell: look at its mailbox.  On
 *         TRANSPORT_IVSHMEM the vCPU is not known and @vcpu is -1: look at all.
 *         Completed by machine_call_done(), at once or later.
 * @event: the event doorbell rang: look at out_pending
 * @died:  the machine stopped by itself (QEMU died, triple fault, KVM internal
 *         error); @error says how and is the callee's only for the call.  No
 *         further callback comes.
 */
struct machine_events {
	void (*call)(void *opaque, int vcpu);
	void (*event)(void *opaque);
	void (*died)(void *opaque, const GError *error);
};

/**
 * struct machine_config - how a machine is to be made
 * @mem:      the VM's memory, which outlives the machine
 * @nr_vcpus: 1 to MAX_VCPUS; vCPU 0 starts, the others wait for INIT/SIPI
 * @wide:     the guest is 32-bit (rings 1 and 3 in compatibility mode)
 * @qemu:     qemu.c: program to run, or NULL for qemu-system-x86_64 of $PATH
 *            ($XENEMU_QEMU overrides)
 * @accel:    qemu.c: QEMU's -accel argument, NULL for "tcg"
 * @cpu:      qemu.c: QEMU's -cpu argument, NULL for the machine's choice
 * @qemu_args: qemu.c: further arguments for QEMU (tests and benchmarks:
 *            -icount, plug-ins), NULL-terminated, or NULL
 * @events:   callbacks
 * @opaque:   their first argument
 */
struct machine_config {
	struct memory *mem;
	unsigned int nr_vcpus;
	gboolean wide;
	const char *qemu;
	const char *accel;
	const char *cpu;
	const char *const *qemu_args;
	const struct machine_events *events;
	void *opaque;
};

/**
 * struct machine_traits - what the monitor must be told of a machine; known
 * once the machine has been made
 * @transport:    TRANSPORT_*
 * @flags:        BOOT_NO_SYSRET, BOOT_NO_XSETBV as probed
 * @tsc_khz:      TSC frequency inside the VM
 * @apic_khz:     local APIC timer frequency inside the VM, divider 1
 * @ivshmem_peer: the helper's peer number
 * @caches_code:  a vCPU may go on with old code where others wrote new
 * @dear_kicks:   a kick costs much more than the vCPU's looking by itself
 */
struct machine_traits {
	uint32_t transport;
	uint32_t flags;
	uint64_t tsc_khz;
	uint64_t apic_khz;
	uint32_t ivshmem_peer;
	gboolean caches_code;
	gboolean dear_kicks;
};

/**
 * struct machine_ops - one kind of machine
 * @name:  "kvm", "qemu"
 * @probe: can it run a guest (@wide: a 32-bit one) here?  FALSE with @error
 *         saying why not and what to do.  @detail, if not NULL, receives a
 *         line for `xenemu probe` (caller frees).
 * @drawback: it can, but why another machine would serve better, or NULL (static);
 *         NULL function: it has none.  After a successful probe()
 * @create: make the machine, vCPUs not running.  NULL with @error set.
 * @start: let vCPU 0 run from boot_info.monitor_entry, in the state of the
 *         32-bit PVH entry (flat 32-bit protected mode, paging off)
 * @kick:  raise KICK_VECTOR on @vcpu.  Any thread.
 * @call_done: the mailbox call of @vcpu is served: let it go on
 * @set_xcr0: MAILBOX_SET_XCR0: set XCR0 of @vcpu, which waits in a call
 * @destroy: stop the vCPUs, wait for threads or process, free
 */
struct machine_ops {
	const char *name;
	gboolean (*probe)(gboolean wide, char **detail, GError **error);
	const char *(*drawback)(void);
	struct machine *(*create)(const struct machine_config *config, GError **error);
	gboolean (*start)(struct machine *m, GError **error);
	void (*kick)(struct machine *m, unsigned int vcpu);
	void (*call_done)(struct machine *m, unsigned int vcpu);
	gboolean (*set_xcr0)(struct machine *m, unsigned int vcpu, uint64_t xcr0);
	void (*destroy)(struct machine *m);
};

/**
 * struct machine - head of every machine; kvm.c and qemu.c extend it
 * @ops:    its kind
 * @traits: filled by create()
 */
struct machine {
	const struct machine_ops *ops;
	struct machine_traits traits;
};

extern const struct machine_ops machine_kvm;
extern const struct machine_ops machine_qemu;

/**
 * machine_select() - the machine that --machine names
 * @name:  "auto", "kvm", "qemu", or NULL for "auto": kvm where it can run the
 *         guest by hardware, else qemu, else kvm that interprets ring 0
 * @wide:  the guest is 32-bit
 * @why:   if not NULL: why auto did not take kvm (caller frees), or NULL
 * @error: set when none can run it
 */
const struct machine_ops *machine_select(const char *name, gboolean wide, char **why,
					 GError **error);

#endif
