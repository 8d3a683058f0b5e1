/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * builder-machine.c - machine memory: monitor, what it shares with the helper,
 * its tables, then the guest's frames (protocol.h)
 */
#include "domain/builder-layout.h"

#define LARGE_PAGE (2ULL << 20)
#define MONITOR_STACK (64ULL << 10)

static uint64_t round_up(uint64_t value, uint64_t grain)
{
	return (value + grain - 1) & ~(grain - 1);
}

static uint64_t take(uint64_t *at, uint64_t bytes)
{
	uint64_t start = *at;

	*at += round_up(bytes, PAGE_SIZE);
	return start;
}

/*
 * Stacks, the direct map (a page for each GiB) and the M2P's map are small;
 * most is for shadow roots, whose number grows with the guest's processes.
 */
static uint64_t heap_size(unsigned int nr_vcpus, uint64_t nr_pages)
{
	uint64_t share = nr_pages * PAGE_SIZE / 256;

	return round_up(LARGE_PAGE + share + nr_vcpus * MONITOR_STACK, PAGE_SIZE);
}

static uint64_t end_of(uint64_t bytes)
{
	return (bytes + (bytes > HOLE_START ? HOLE_END - HOLE_START : 0)) >> PAGE_SHIFT;
}

static void place(struct machine_layout *layout, enum image_width width, uint64_t at,
		  unsigned int nr_vcpus, uint64_t nr_pages)
{
	layout->vcpu_area = take(&at, nr_vcpus * sizeof(struct vcpu_area));
	layout->event_area = take(&at, sizeof(struct event_area));
	layout->frame_table = take(&at, layout->end_mfn * sizeof(uint64_t));
	layout->written = take(&at, layout->end_mfn);
	layout->lent = take(&at, layout->end_mfn * sizeof(uint32_t));
	at = round_up(at, LARGE_PAGE);
	layout->m2p_bytes = round_up(layout->end_mfn * sizeof(uint64_t), LARGE_PAGE);
	layout->m2p = take(&at, layout->m2p_bytes);
	if (width != IMAGE_X86_64) {
		layout->m2p32_bytes = round_up(layout->end_mfn * sizeof(uint32_t), LARGE_PAGE);
		layout->m2p32 = take(&at, layout->m2p32_bytes);
	}
	layout->heap_bytes = heap_size(nr_vcpus, nr_pages);
	layout->heap = take(&at, layout->heap_bytes);
	layout->slack = round_up(at, LARGE_PAGE);
	layout->guest = layout->slack + LAYOUT_SLACK_FRAMES * PAGE_SIZE;
	layout->bytes = round_up(layout->guest + nr_pages * PAGE_SIZE, LARGE_PAGE);
}

/* The tables for all frames take frames themselves: until nothing changes. */
void layout_machine(struct machine_layout *layout, enum image_width width, uint64_t module_end,
		    unsigned int nr_vcpus, uint64_t nr_pages)
{
	uint64_t end;

	*layout = (struct machine_layout){ .end_mfn = nr_pages };
	do {
		end = layout->end_mfn;
		place(layout, width, module_end, nr_vcpus, nr_pages);
		layout->end_mfn = end_of(layout->bytes);
	} while (layout->end_mfn != end);
}
