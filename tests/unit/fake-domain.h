/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-domain.h - a struct domain with memory and page tables but no machine,
 * for tests of what hypercalls do
 */
#ifndef TESTS_FAKE_DOMAIN_H
#define TESTS_FAKE_DOMAIN_H

#include "domain/private.h"
#include <string.h>

#include <xen/errno.h>
#include <xen/xen.h>

#define FAKE_BYTES (16ULL << 20)
#define FAKE_FIRST 1024 /* frame of pfn 0 */
#define FAKE_PAGES 512
#define FAKE_FREE 128 /* frames after the guest's that are nobody's */

/* Frames with a role; all are the guest's but the areas below FAKE_FIRST. */
#define FAKE_ROOT (FAKE_FIRST + 0) /* and the tables down to one L1 */
#define FAKE_L1 (FAKE_FIRST + 3)
#define FAKE_STORE (FAKE_FIRST + 8)
#define FAKE_CONSOLE (FAKE_FIRST + 9)
#define FAKE_DATA (FAKE_FIRST + 16) /* two pages mapped at FAKE_VADDR */
#define FAKE_SHARED_INFO 16

#define FAKE_VADDR 0xffffffff80000000ULL
#define FAKE_RO_VADDR (FAKE_VADDR + 0x5000) /* the same first page, read-only */
#define FAKE_HOLE_VADDR (FAKE_VADDR + 0x2000) /* nothing behind the two pages */

/* The same of a 32-bit guest */
#define FAKE_VADDR32 0xc0000000U
#define FAKE_RO_VADDR32 (FAKE_VADDR32 + 0x5000)

#define P 1ULL
#define RW 2ULL
#define US 4ULL

struct fake {
	struct domain dom;
	struct build build;
	struct boot_info boot;
	struct event_area events;
	struct module module;
	struct machine machine;
	unsigned int kicks;
	uint64_t args; /* guest address for structures */
	struct guest_space space;
};

static inline void fake_kick(void *opaque, G_GNUC_UNUSED unsigned int vcpu)
{
	struct fake *fake = opaque;

	fake->kicks++;
}

static inline void fake_set_entry(struct fake *fake, uint64_t table, unsigned int slot,
				  uint64_t mfn, uint64_t flags)
{
	uint64_t *page = memory_page(fake->build.mem, table);

	page[slot] = mfn << PAGE_SHIFT | flags;
}

static inline void fake_map_pages(struct fake *fake)
{
	fake_set_entry(fake, FAKE_ROOT, 511, FAKE_ROOT + 1, P | RW | US);
	fake_set_entry(fake, FAKE_ROOT + 1, 510, FAKE_ROOT + 2, P | RW | US);
	fake_set_entry(fake, FAKE_ROOT + 2, 0, FAKE_L1, P | RW | US);
	fake_set_entry(fake, FAKE_L1, 0, FAKE_DATA, P | RW);
	fake_set_entry(fake, FAKE_L1, 1, FAKE_DATA + 1, P | RW);
	fake_set_entry(fake, FAKE_L1, 5, FAKE_DATA, P);
}

static inline void fake_build(struct fake *fake)
{
	struct build *build = &fake->build;

	build->mem = memory_new(FAKE_BYTES, NULL);
	g_assert_nonnull(build->mem);
	build->boot = &fake->boot;
	build->events = &fake->events;
	build->nr_pages = FAKE_PAGES;
	build->first_mfn = FAKE_FIRST;
	build->frame_table = g_new0(uint64_t, build->mem->end_mfn);
	build->m2p = g_new0(uint64_t, build->mem->end_mfn);
	build->shared_info_mfn = FAKE_SHARED_INFO;
	build->store_mfn = FAKE_STORE;
	build->console_mfn = FAKE_CONSOLE;
	build->free_frames = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	for (uint64_t i = 0; i < FAKE_FREE; i++) {
		uint64_t mfn = FAKE_FIRST + FAKE_PAGES + i;

		g_array_append_val(build->free_frames, mfn);
	}
	for (uint64_t i = 0; i < FAKE_PAGES; i++)
		build->frame_table[FAKE_FIRST + i] = FRAME_OWNED;
	fake->boot.m2p = 2 << 20;
	fake->boot.m2p_bytes = 2 << 20;
}

static inline struct guest_space fake_space(void)
{
	return (struct guest_space){ .root_mfn = FAKE_ROOT, .paging = PAGING_PV64 };
}

/**
 * fake_new() - a domain of FAKE_PAGES pages that may have @maxmem
 * Two writable pages are mapped at FAKE_VADDR.
 */
static inline struct fake *fake_new(uint64_t maxmem)
{
	struct fake *fake = g_new0(struct fake, 1);
	struct domain *dom = &fake->dom;

	fake_build(fake);
	fake_map_pages(fake);
	fake->args = FAKE_VADDR;
	fake->space = fake_space();
	fake->module.info.paging_modes = 1 << PAGING_PV64;
	dom->name = g_strdup("fake");
	dom->uuid = g_strdup("00112233-4455-6677-8899-aabbccddeeff");
	dom->build = &fake->build;
	dom->module = &fake->module;
	dom->machine = &fake->machine;
	dom->abi = abi_find("xen-4");
	dom->nr_vcpus = 2;
	dom->end = DOMAIN_RUNNING;
	dom->shutdown_code = -1;
	dom->frames = frames_new(dom->build, maxmem);
	dom->grants = grants_new(dom->build, dom->frames, dom->abi->grant_frames,
				 dom->abi->grant_frames_max);
	dom->upcalls = upcalls_new(&(struct upcalls_config){
		.area = &fake->events,
		.mem = fake->build.mem,
		.shared_info_mfn = FAKE_SHARED_INFO,
		.kick = fake_kick,
		.opaque = fake,
	});
	dom->events = events_new(&(struct events_config){
		.area = &fake->events,
		.upcalls = dom->upcalls,
		.nr_ports = MAX_PORTS,
		.nr_vcpus = 2,
	});
	return fake;
}

static inline void fake_free(struct fake *fake)
{
	events_free(fake->dom.events);
	upcalls_free(fake->dom.upcalls);
	grants_free(fake->dom.grants);
	frames_free(fake->dom.frames);
	g_free(fake->dom.name);
	g_free(fake->dom.uuid);
	g_array_unref(fake->build.free_frames);
	g_free(fake->build.frame_table);
	g_free(fake->build.m2p);
	memory_free(fake->build.mem);
	g_free(fake);
}

static inline void fake_set_entry32(struct fake *fake, uint64_t table, unsigned int slot,
				    uint64_t mfn, uint32_t flags)
{
	uint32_t *page = memory_page(fake->build.mem, table);

	page[slot] = (uint32_t)(mfn << PAGE_SHIFT) | flags;
}

/**
 * fake_make_narrow() - make it a 32-bit guest, the same pages at FAKE_VADDR32
 * @paging: PAGING_PV32PAE or PAGING_PV32
 */
static inline void fake_make_narrow(struct fake *fake, uint32_t paging)
{
	for (unsigned int i = 0; i < 4; i++)
		memset(memory_page(fake->build.mem, FAKE_ROOT + i), 0, PAGE_SIZE);
	fake->build.paging = fake->space.paging = paging;
	fake->build.width = paging == PAGING_PV32PAE ? IMAGE_X86_32P : IMAGE_X86_32;
	fake->args = FAKE_VADDR32;
	if (paging == PAGING_PV32) {
		fake_set_entry32(fake, FAKE_ROOT, FAKE_VADDR32 >> 22, FAKE_L1, P | RW | US);
		fake_set_entry32(fake, FAKE_L1, 0, FAKE_DATA, P | RW);
		fake_set_entry32(fake, FAKE_L1, 1, FAKE_DATA + 1, P | RW);
		fake_set_entry32(fake, FAKE_L1, 5, FAKE_DATA, P);
		return;
	}
	fake_set_entry(fake, FAKE_ROOT, 3, FAKE_ROOT + 2, P); /* no RW in the root */
	fake_set_entry(fake, FAKE_ROOT + 2, 0, FAKE_L1, P | RW | US);
	fake_set_entry(fake, FAKE_L1, 0, FAKE_DATA, P | RW);
	fake_set_entry(fake, FAKE_L1, 1, FAKE_DATA + 1, P | RW);
	fake_set_entry(fake, FAKE_L1, 5, FAKE_DATA, P);
}

/** fake_put(), fake_get() - the guest's own accesses to its memory */
static inline void fake_put(struct fake *fake, uint64_t vaddr, const void *from, size_t len)
{
	g_assert_cmpint(copy_to_guest(&fake->dom, &fake->space, vaddr, from, len), ==, 0);
}

static inline void fake_get(struct fake *fake, uint64_t vaddr, void *to, size_t len)
{
	g_assert_cmpint(copy_from_guest(&fake->dom, &fake->space, to, vaddr, len), ==, 0);
}

/** fake_call() - the handler of a row, found through the table, with three arguments */
static inline int64_t fake_call(struct fake *fake, unsigned int nr, uint64_t a, uint64_t b,
				uint64_t c)
{
	struct hypercall call = { .nr = nr, .arg = { a, b, c }, .space = fake->space };
	const struct hypercall_row *row = abi_row(fake->dom.abi, nr, a);

	g_assert_nonnull(row);
	g_assert_cmpint(row->place, ==, PLACE_HELPER);
	return row->handler(&fake->dom, &call);
}

/** fake_takes_values() - is the second argument of a call no pointer? */
static inline gboolean fake_takes_values(unsigned int nr)
{
	return nr == __HYPERVISOR_sched_op_compat;
}

/** fake_op() - a *_op(sub, &args): args is written before and read back after */
static inline int64_t fake_op(struct fake *fake, unsigned int nr, unsigned int sub, void *args,
			      size_t len)
{
	int64_t rc;

	fake_put(fake, fake->args, args, len);
	rc = fake_call(fake, nr, sub, fake->args, 1);
	fake_get(fake, fake->args, args, len);
	return rc;
}

#endif
