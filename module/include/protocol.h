/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocol.h - the contract between the monitor module and the helper
 *
 * Included by both sides.  Everything here lives in memory that both see: the
 * helper through its mapping of the VM's memory, the monitor through its direct
 * map.  All addresses are machine addresses (guest-physical addresses of the
 * VM), in bytes unless a name says mfn.
 *
 * The helper trusts nothing that it reads here: it copies once, checks, uses.
 */
#ifndef XENEMU_PROTOCOL_H
#define XENEMU_PROTOCOL_H

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>
#endif

#define PROTOCOL_VERSION 4

/* ------------------------------------------------------------------------
 * Machine memory
 *
 *   0            1 MiB        never used (SIPI trampoline of other vCPUs)
 *   1 MiB                     struct boot_info, one page
 *   2 MiB                     the monitor module's image, as linked
 *   after it                  shared areas, frame table, M2P, monitor heap
 *   guest_start .. end        guest frames (2 MiB aligned start)
 *
 * Memory beyond HOLE_START continues at HOLE_END, as QEMU's microvm has it.
 */
#define BOOT_INFO_PADDR 0x00100000
#define MONITOR_PADDR 0x00200000
#define HOLE_START 0xc0000000ULL
#define HOLE_END 0x100000000ULL

#define MAX_VCPUS 32
#define MAX_PORTS 4096 /* 2-level event channels, 64-bit guests */

/* boot_info.magic: "xenemu\0\1", little endian */
#define BOOT_INFO_MAGIC 0x0100756d656e6578ULL

/* boot_info.transport */
#define TRANSPORT_PIO 1 /* machine kvm: port writes, irqfd MSIs */
#define TRANSPORT_IVSHMEM 2 /* machine qemu: ivshmem-doorbell */

/* boot_info.flags: what this machine lacks, what the user asked for */
#define BOOT_NO_SYSRET (1 << 0) /* return to the guest by iretq only */
#define BOOT_NO_XSETBV (1 << 1) /* XCR0 is preset, never written */
#define BOOT_TRACE (1 << 2) /* flush the trace ring each time it wraps */
#define BOOT_SYSCALL_IN_RING3 (1 << 3) /* SYSCALL jumps to LSTAR, but stays in ring 3 */
#define BOOT_FAULT (1 << 5) /* a test: fault on purpose before the guest starts */
#define BOOT_SLOT_256_TAKEN (1 << 4) /* ring 3 can't use root slot 256 */

/*
 * Where 64-bit guests find the machine-to-phys table: Xen's address, or another
 * one that XENMEM_machphys_mapping tells.
 */
#define M2P_VADDR(flags) ((flags)&BOOT_SLOT_256_TAKEN ? 0xffff810000000000 : 0xffff800000000000)

/* boot_info.paging */
#define PAGING_PV64 0
#define PAGING_PV32PAE 1
#define PAGING_PV32 2

/*
 * Where 32-bit guests find the machine-to-phys table, and where Xen's part of
 * their address space begins (xen/arch-x86/xen-x86_32.h:
 * __HYPERVISOR_VIRT_START_PAE, _NONPAE).
 */
#define HOLE32_PAE 0xf5800000U
#define HOLE32_TWO_LEVEL 0xfc000000U

/* Offsets that assembly needs; asserted below. */
#define BOOT_INFO_ENTRY 16

#ifndef __ASSEMBLER__

/**
 * struct boot_info - what the monitor learns at its entry (read-only for it)
 * @magic:          BOOT_INFO_MAGIC
 * @version:        PROTOCOL_VERSION of the helper
 * @size:           sizeof(struct boot_info) of the helper
 * @monitor_entry:  physical address of the monitor's 32-bit PVH entry
 * @transport:      TRANSPORT_*
 * @flags:          BOOT_*
 * @paging:         PAGING_* of the guest
 * @nr_vcpus:       number of vCPUs, 1 to MAX_VCPUS
 * @end_mfn:        first machine frame after the end of memory
 * @guest_mfn:      first machine frame that may belong to the guest
 * @frame_table:    u64 [@end_mfn], zeroed, FRAME_OWNED set by the helper
 * @m2p:            machine-to-phys table, u64 [rounded up to 2 MiB], filled
 *                  by the helper; 2 MiB aligned
 * @m2p_bytes:      its size in bytes, a multiple of 2 MiB
 * @heap:           zeroed memory that is the monitor's alone
 * @heap_bytes:     its size in bytes, whole pages
 * @vcpu_area:      struct vcpu_area [@nr_vcpus]
 * @event_area:     struct event_area
 * @shared_info_mfn: frame of Xen's shared_info
 * @tsc_khz:        frequency of the time stamp counter that the VM sees
 * @apic_khz:       frequency of the local APIC's timer, divider 1
 * @ivshmem_peer:   TRANSPORT_IVSHMEM: the helper's peer number
 * @domid:          the guest's domain id
 * @m2p32:          32-bit guests: a second machine-to-phys table, u32 [rounded
 *                  up to 2 MiB], kept by the helper as @m2p is, M2P32_INVALID
 *                  for frames that are nobody's; 2 MiB aligned.  Else 0
 * @m2p32_bytes:    its size in bytes, a multiple of 2 MiB; else 0
 * @written:        u8 [@end_mfn]: 1 once the helper has written to the frame, until
 *                  the monitor clears it; 0 where vCPUs see by themselves that code
 *                  has changed
 * @lent:           u32 [@end_mfn]: how often somebody else may write to the frame at any
 *                  time; it can't become a table meanwhile.  The helper counts, and the
 *                  monitor for a vcpu_info, before they look at the frame's type; the
 *                  monitor sets the type before it looks here
 */
struct boot_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint32_t monitor_entry;
	uint32_t transport;
	uint32_t flags;
	uint32_t paging;
	uint32_t nr_vcpus;
	uint32_t ivshmem_peer;
	uint64_t end_mfn;
	uint64_t guest_mfn;
	uint64_t frame_table;
	uint64_t m2p;
	uint64_t m2p_bytes;
	uint64_t heap;
	uint64_t heap_bytes;
	uint64_t vcpu_area;
	uint64_t event_area;
	uint64_t shared_info_mfn;
	uint64_t tsc_khz;
	uint64_t apic_khz;
	uint32_t domid;
	uint32_t pad;
	uint64_t m2p32;
	uint64_t m2p32_bytes;
	uint64_t written;
	uint64_t lent;
};
_Static_assert(offsetof(struct boot_info, monitor_entry) == BOOT_INFO_ENTRY, "asm");
_Static_assert(sizeof(struct boot_info) == 176, "layout of struct boot_info");

/* ------------------------------------------------------------------------
 * Frame table: one word for each machine frame.
 *
 * The helper sets and clears FRAME_OWNED (atomically: other vCPUs may run) and
 * reads the type before it takes a frame back.  The rest is the monitor's.
 */
#define FRAME_OWNED (1ULL << 0) /* the guest may map it */
#define FRAME_TYPE_SHIFT 1 /* 3 bits: 0 none, 1 to 4 a table of that level, or */
#define FRAME_DESCRIPTORS 5 /* ... part of a GDT or LDT */
#define FRAME_TOP_L2 6 /* ... the L2 of a PAE guest's top GiB, with Xen's hole */
#define FRAME_TYPE_MASK (7ULL << FRAME_TYPE_SHIFT)
#define FRAME_PINNED (1ULL << 4)
#define FRAME_LOCK (1ULL << 5)
#define FRAME_COUNT_SHIFT 8 /* 24 bits: typed references, the pin included */
#define FRAME_COUNT_ONE (1ULL << FRAME_COUNT_SHIFT)
#define FRAME_COUNT_MASK (0xffffffULL << FRAME_COUNT_SHIFT)
#define FRAME_SHADOW_SHIFT 32 /* 32 bits: number of its shadow + 1 */

#define M2P_INVALID (~0ULL)
#define M2P32_INVALID (~0U)

/* ------------------------------------------------------------------------
 * Mailbox: a vCPU asks the helper for something and waits.
 *
 * The monitor fills the request, sets state = MAILBOX_POSTED (release), rings
 * the call doorbell and waits for MAILBOX_DONE (acquire).  The helper copies
 * the request, serves it, writes result, sets MAILBOX_DONE (release) and, on
 * TRANSPORT_IVSHMEM, kicks the vCPU.
 */
#define MAILBOX_IDLE 0
#define MAILBOX_POSTED 1
#define MAILBOX_DONE 2

enum mailbox_call {
	/* The monitor is up.  result: wall clock now, ns since 1970 */
	MAILBOX_START = 1,
	/* A hypercall handled by the helper: nr, arg[0..5].  result: its own */
	MAILBOX_HYPERCALL = 2,
	/* The trace ring is full: drain it.  result: 0 */
	MAILBOX_TRACE = 3,
	/* SCHEDOP_yield: serve pending events of the guest first.  result: 0 */
	MAILBOX_YIELD = 4,
	/*
	 * The guest can't go on.  vcpu_area.context is written out; arg[0]:
	 * enum crash_reason, arg[1]: vector, arg[2]: error code, arg[3]: cr2.
	 * There is no way back.
	 */
	MAILBOX_GUEST_CRASH = 5,
	/*
	 * The monitor found itself broken.  vcpu_area.context holds the
	 * monitor's own registers, arg[1..3] as above, text the message,
	 * stack the words at its rsp.  There is no way back.
	 */
	MAILBOX_MONITOR_FAULT = 6,
	/* Set XCR0 to arg[0] (BOOT_NO_XSETBV).  result: 0 or -errno */
	MAILBOX_SET_XCR0 = 7,
	/* The last vCPU went down (VCPUOP_down): power off.  No way back. */
	MAILBOX_POWEROFF = 8,
	/* Fill the guest's frame arg[0] as a hypercall page.  result: 0 or -errno */
	MAILBOX_HYPERCALL_PAGE = 9,
};

enum crash_reason {
	CRASH_NO_HANDLER = 1, /* an exception the guest has no handler for */
	CRASH_BAD_STACK = 2, /* a frame can't be written to its kernel stack */
	CRASH_BAD_IRET = 3, /* HYPERVISOR_iret with an unreadable frame */
	CRASH_BAD_CONTEXT = 4, /* the start-of-day state can't be loaded */
	CRASH_BAD_CALLBACK = 5, /* no event or failsafe callback where one is due */
};

/**
 * struct mailbox - one vCPU's request to the helper
 * @state:    MAILBOX_*
 * @call:     enum mailbox_call
 * @nr:       MAILBOX_HYPERCALL: hypercall number
 * @paging:   PAGING_* in which @root is to be walked
 * @arg:      arguments
 * @result:   written by the helper
 * @root_mfn: guest's own root table that guest pointers in @arg go through
 * @text:     MAILBOX_MONITOR_FAULT: the message, NUL terminated
 * @stack:    MAILBOX_MONITOR_FAULT: words from the monitor's rsp on
 */
struct mailbox {
	uint32_t state;
	uint32_t call;
	uint32_t nr;
	uint32_t paging;
	uint64_t arg[6];
	int64_t result;
	uint64_t root_mfn;
	char text[256];
	uint64_t stack[256];
};

/**
 * struct trace_entry - one hypercall
 * @nr:     hypercall number, or the number of what a multicall entry asks
 * @flags:  TRACE_*
 * @result: its result, truncated; TRACE_NO_RESULT while it runs
 * @arg:    first two arguments (the first is the sub-operation of *_op)
 * @rip:    guest's return address
 */
struct trace_entry {
	uint16_t nr;
	uint16_t flags;
	int32_t result;
	uint64_t arg[2];
	uint64_t rip;
};
#define TRACE_IN_MULTICALL (1 << 0)
#define TRACE_MMUEXT (1 << 1) /* arg[0]: MMUEXT_* command, arg[1]: its arg1 */
#define TRACE_NO_RESULT INT32_MIN
#define TRACE_ENTRIES 127

#define VCPU_CONTEXT_BYTES 0x2000

/**
 * struct vcpu_area - what a vCPU shares with the helper
 * @mailbox:    its mailbox, one page
 * @trace_head: number of entries ever written; entry n is at n % TRACE_ENTRIES
 * @stat:       counters, see STAT_*
 * @trace:      the last hypercalls
 * @context:    struct vcpu_guest_context of xen/arch-x86_64.h: the state to
 *              start from (written by the helper before start), and the state
 *              as it is (written by the monitor when it parks or crashes)
 */
struct vcpu_area {
	union {
		struct mailbox mailbox;
		uint8_t mailbox_page[4096];
	};
	uint64_t trace_head;
	uint64_t pad[3];
	struct trace_entry trace[TRACE_ENTRIES];
	uint64_t stat[512];
	uint8_t context[VCPU_CONTEXT_BYTES];
};
_Static_assert(sizeof(struct mailbox) <= 4096, "a mailbox is one page");
_Static_assert(sizeof(struct trace_entry) == 32, "layout of struct trace_entry");
_Static_assert(sizeof(struct vcpu_area) == 5 * 4096, "layout of struct vcpu_area");

/* vcpu_area.stat: things worth counting, shown by --trace and scripts/bench */
enum vcpu_stat {
	STAT_PAGE_FAULT, /* page faults bounced to the guest */
	STAT_PTWR, /* emulated writes to read-only page tables */
	STAT_SPURIOUS, /* faults that the guest's tables do not justify */
	STAT_PRIVOP, /* emulated privileged instructions */
	STAT_PORT_IO, /* of these, in and out */
	STAT_CPUID, /* forced-emulation cpuid */
	STAT_UPCALL, /* event upcalls delivered */
	STAT_CALL, /* mailbox calls */
	STAT_SYSCALL, /* system calls bounced to the guest kernel */
	STAT_EXCEPTION, /* other exceptions bounced */
	STAT_SHADOW_FILL, /* shadow roots filled */
	STAT_NR,
};

/* ------------------------------------------------------------------------
 * Event channels
 *
 * The helper alone binds and closes ports: it writes ports[].  Kick out: the
 * monitor sets a bit of out_pending, then rings the event doorbell; the helper
 * takes whole words by atomic exchange.  In: the helper sets the guest's bits, in
 * shared_info and in the vcpu_info of the port's vCPU, which lies at info_paddr,
 * and kicks that vCPU: it is to look at them.
 * timer_port says which port VIRQ_TIMER is bound to, 0: none.
 * waits is the monitor's: not 0 while a vCPU is halted until something is pending.
 * It is set before the monitor looks at the guest's bits for the last time, the
 * helper reads it after it has set them.
 */
enum port_kind {
	PORT_FREE = 0,
	PORT_UNBOUND = 1, /* waiting for the other end; send: no effect */
	PORT_BACKEND = 2, /* other end is the helper: send sets out_pending */
	PORT_VIRQ = 3, /* data: VIRQ number; send: -EINVAL */
	PORT_IPI = 4, /* send raises the port itself on its vCPU */
	PORT_LOCAL = 5, /* other end is port data of this same guest */
	PORT_RESERVED = 6, /* port 0: never usable */
};

struct port {
	uint8_t kind; /* enum port_kind */
	uint8_t vcpu; /* vCPU that is told */
	uint16_t data;
};

struct event_area {
	struct port ports[MAX_PORTS];
	uint64_t out_pending[MAX_PORTS / 64];
	uint64_t info_paddr[MAX_VCPUS];
	uint32_t timer_port[MAX_VCPUS];
	uint32_t waits[MAX_VCPUS];
};
_Static_assert(sizeof(struct port) == 4, "layout of struct port");

#endif /* !__ASSEMBLER__ */

/* ------------------------------------------------------------------------
 * Doorbells
 *
 * TRANSPORT_PIO: a 32-bit write of the vCPU's number to a port.
 * TRANSPORT_IVSHMEM: (ivshmem_peer << 16 | vector) to the Doorbell register.
 * The kick back is MSI KICK_VECTOR to the vCPU's local APIC (id = vCPU number);
 * with TRANSPORT_IVSHMEM it is MSI-X vector number = vCPU number, whose table
 * the monitor programs.  A kick says only "look": mailbox state, events.
 */
#define DOORBELL_PORT_CALL 0x3f0
#define DOORBELL_PORT_EVENT 0x3f4
#define DOORBELL_VECTOR_CALL 0
#define DOORBELL_VECTOR_EVENT 1
#define KICK_VECTOR 0xf0

/* QEMU microvm with pcie=on (hw/i386/microvm.c): where its PCIe host is. */
#define IVSHMEM_ECAM_PADDR 0xe0000000
#define IVSHMEM_BAR_PADDR 0xc1000000 /* where the monitor places the BARs */

/* ------------------------------------------------------------------------
 * The module's own ELF note, owner "xenemu"
 */
#define MODULE_NOTE_OWNER "xenemu"
#define MODULE_NOTE_INFO 1 /* descriptor: struct module_info */

#ifndef __ASSEMBLER__
/**
 * struct module_info - what a monitor module says of itself
 * @protocol:     PROTOCOL_VERSION it was built with
 * @paging_modes: bit n: PAGING_* n is supported
 * @xen_version:  what XENVER_version answers: major << 16 | minor
 * @pad:          0
 * @abi:          name of the ABI, "xen-4"; NUL terminated
 */
struct module_info {
	uint32_t protocol;
	uint32_t paging_modes;
	uint32_t xen_version;
	uint32_t pad;
	char abi[16];
};
_Static_assert(sizeof(struct module_info) == 32, "layout of struct module_info");
#endif

#endif
