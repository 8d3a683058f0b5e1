/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mailbox.c - calls to the helper, and the doorbells they ring
 *
 * Machine kvm: a port write, served before the next instruction.  Machine qemu:
 * a register of ivshmem-doorbell, and a wait for the kick.
 */
#include "event.h"
#include "mm.h"
#include "trap.h"

#define IVSHMEM_ID 0x11101af4 /* device 1110 of vendor 1af4 */
#define IVSHMEM_DOORBELL 12
#define PCI_COMMAND 4
#define PCI_BAR 0x10
#define PCI_CAPABILITIES 0x34
#define PCI_CAP_MSIX 0x11

static volatile u32 *doorbell; /* NULL: TRANSPORT_PIO */

static u32 *find_ivshmem(void)
{
	for (u32 device = 0; device < 32; device++) {
		u32 *config = direct(IVSHMEM_ECAM_PADDR + (device << 15));

		if (READ_ONCE(*config) == IVSHMEM_ID)
			return config;
	}
	panic(NULL, "no ivshmem-doorbell device");
}

static volatile u16 *find_msix(u32 *config)
{
	volatile u8 *c = (volatile u8 *)config;

	for (u8 at = c[PCI_CAPABILITIES]; at; at = c[at + 1])
		if (c[at] == PCI_CAP_MSIX)
			return (volatile u16 *)(c + at + 2);
	panic(NULL, "ivshmem-doorbell without MSI-X");
}

/*
 * No firmware ran: place the BARs, then vector n of the MSI-X table kicks vCPU
 * n.  Bus mastering must be on: an MSI is a write by the device.
 */
void transport_init(void)
{
	volatile u32 *config, *table = direct(IVSHMEM_BAR_PADDR + 0x1000);

	if (boot->transport == TRANSPORT_PIO)
		return;
	config = find_ivshmem();
	config[PCI_BAR / 4] = IVSHMEM_BAR_PADDR;
	config[PCI_BAR / 4 + 1] = IVSHMEM_BAR_PADDR + 0x1000;
	*(volatile u16 *)&config[PCI_COMMAND / 4] = 6; /* memory, bus master */
	for (u32 i = 0; i < boot->nr_vcpus; i++) {
		table[i * 4] = 0xfee00000 | i << 12;
		table[i * 4 + 1] = 0;
		table[i * 4 + 2] = KICK_VECTOR;
		table[i * 4 + 3] = 0;
	}
	*find_msix((u32 *)config) = 0x8000;
	doorbell = (volatile u32 *)direct(IVSHMEM_BAR_PADDR + IVSHMEM_DOORBELL);
}

static void ring(struct vcpu *v, u16 port, u32 vector)
{
	if (doorbell)
		*doorbell = boot->ivshmem_peer << 16 | vector;
	else
		outl(port, v->id);
}

void doorbell_event(struct vcpu *v)
{
	ring(v, DOORBELL_PORT_EVENT, DOORBELL_VECTOR_EVENT);
}

s64 mailbox_call(struct vcpu *v, u32 call)
{
	struct mailbox *m = &v->area->mailbox;

	m->call = call;
	m->paging = boot->paging;
	m->root_mfn = v->kernel.mfn;
	count(v, STAT_CALL);
	__atomic_store_n(&m->state, MAILBOX_POSTED, __ATOMIC_RELEASE);
	ring(v, DOORBELL_PORT_CALL, DOORBELL_VECTOR_CALL);
	/* Kicks and timers are taken meanwhile; at most they mark what is pending. */
	while (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) != MAILBOX_DONE)
		wait_for_interrupt();
	m->state = MAILBOX_IDLE;
	return m->result;
}
