/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upcalls.c - tell the guest of an event: the bits that it looks at, and the kick
 *
 * After Xen 4.17 common/event_2l.c, evtchn_2l_set_pending(), and arch/x86/domain.c,
 * vcpu_mark_events_pending(); the monitor has the same for what it raises itself
 * (module/event/event.c).  All of it is in memory that the guest writes as it likes:
 * each word is one atomic access, and none is believed.
 */
#include "domain/upcalls.h"
#include <string.h>
#include <xen/xen.h>

/* struct vcpu_info of a 32-bit guest */
#define SELECTOR_32 4

/**
 * struct upcalls - see upcalls.h
 * @config:  as given
 * @pending, @mask: bitmaps in shared_info
 */
struct upcalls {
	struct upcalls_config config;
	uint64_t *pending;
	uint64_t *mask;
};

/* public/xen.h: of the size of an xen_ulong_t each, [sizeof(xen_ulong_t) * 8] of them */
static void find_bitmaps(struct upcalls *up)
{
	const struct upcalls_config *c = &up->config;
	uint64_t base = (c->shared_info_mfn << PAGE_SHIFT) +
			XEN_LEGACY_MAX_VCPUS * sizeof(struct vcpu_info);
	size_t bytes = c->is_32bit ? 32 * 4 : 64 * 8;

	up->pending = memory_ptr(c->mem, base, bytes);
	up->mask = memory_ptr(c->mem, base + bytes, bytes);
}

struct upcalls *upcalls_new(const struct upcalls_config *config)
{
	struct upcalls *up = g_new0(struct upcalls, 1);

	up->config = *config;
	find_bitmaps(up);
	for (unsigned int vcpu = 0; vcpu < MAX_VCPUS; vcpu++)
		config->area->info_paddr[vcpu] = (config->shared_info_mfn << PAGE_SHIFT) +
						 vcpu * sizeof(struct vcpu_info);
	return up;
}

void upcalls_free(struct upcalls *up)
{
	g_free(up);
}

/* Where the monitor says that it is; NULL where that can't be. */
static uint8_t *vcpu_info(const struct upcalls *up, unsigned int vcpu)
{
	uint64_t paddr =
		__atomic_load_n(&up->config.area->info_paddr[vcpu], __ATOMIC_ACQUIRE);

	if (paddr % (up->config.is_32bit ? 4 : 8))
		return NULL;
	return memory_ptr(up->config.mem, paddr, sizeof(struct vcpu_info));
}

static gboolean test_and_set(uint64_t *words, unsigned int bit)
{
	uint64_t mask = 1ULL << bit % 64;

	return (__atomic_fetch_or(&words[bit / 64], mask, __ATOMIC_SEQ_CST) & mask) != 0;
}

static gboolean is_masked(const struct upcalls *up, unsigned int port)
{
	return __atomic_load_n(&up->mask[port / 64], __ATOMIC_SEQ_CST) >> port % 64 & 1;
}

/* TRUE when it was selected already. */
static gboolean select_word(const struct upcalls *up, uint8_t *info, unsigned int port)
{
	uint32_t bit = 1U << port / 32 % 32;

	if (!up->config.is_32bit)
		return test_and_set(
			(uint64_t *)(info + offsetof(struct vcpu_info, evtchn_pending_sel)),
			port / 64);
	return (__atomic_fetch_or((uint32_t *)(info + SELECTOR_32), bit, __ATOMIC_SEQ_CST) &
		bit) != 0;
}

/* The port is pending: is there a new reason for the vCPU to look? */
static gboolean mark(const struct upcalls *up, unsigned int port, unsigned int vcpu)
{
	/* After the port's bit: place_info() of module/event/vcpu_op.c relies on it. */
	uint8_t *info = vcpu_info(up, vcpu);

	if (!info || is_masked(up, port) || select_word(up, info, port))
		return FALSE;
	return !__atomic_exchange_n(&info[offsetof(struct vcpu_info, evtchn_upcall_pending)], 1,
				    __ATOMIC_SEQ_CST);
}

/* One in SCHEDOP_poll looks at the port's bit, even where it is masked. */
static gboolean waits(const struct upcalls *up, unsigned int vcpu)
{
	return __atomic_load_n(&up->config.area->waits[vcpu], __ATOMIC_SEQ_CST) != 0;
}

void upcalls_raise(struct upcalls *up, unsigned int port, unsigned int vcpu)
{
	gboolean is_new;

	if (!up->pending || test_and_set(up->pending, port))
		return;
	is_new = mark(up, port, vcpu);
	if (is_new || waits(up, vcpu))
		up->config.kick(up->config.opaque, vcpu);
}

void upcalls_clear(struct upcalls *up, unsigned int port)
{
	if (up->pending)
		__atomic_fetch_and(&up->pending[port / 64], ~(1ULL << port % 64),
				   __ATOMIC_SEQ_CST);
}
