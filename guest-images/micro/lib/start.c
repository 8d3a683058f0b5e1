/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start.c - from start.S to guest_main()
 */
#include "guest.h"

struct start_info *start_info;
static char shared_info_page[PAGE_SIZE] __attribute__((aligned(4096)));
struct shared_info *const shared_info = (struct shared_info *)shared_info_page;
struct vcpu_info *vcpu_info;
unsigned long *machine_to_phys = (unsigned long *)MACH2PHYS_VIRT_START;

void guest_start(struct start_info *info);

/* As Linux does: the usual place unless Xen names another. */
static void find_machine_to_phys(void)
{
	struct xen_machphys_mapping mapping;

	if (!memory_op(XENMEM_machphys_mapping, &mapping))
		machine_to_phys = (unsigned long *)mapping.v_start;
}

void guest_start(struct start_info *info)
{
	long err;

	start_info = info;
	find_machine_to_phys();
	err = update_va_mapping((unsigned long)shared_info_page,
				(pte_t)start_info->shared_info | PTE_WRITE, UVMF_INVLPG);
	if (err)
		bail_out("shared info page can't be mapped: %ld", err);
	vcpu_info = &shared_info->vcpu_info[0];
	traps_init();
	events_init();
	/* Nothing is to happen that the guest did not ask for. */
	event_set_mask(start_info->console.domU.evtchn, true);
	event_set_mask(start_info->store_evtchn, true);
	guest_main();
	done();
}
