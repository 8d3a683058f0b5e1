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
#include "machine/watch.h"
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <xen/xen.h>

/* struct vcpu_info of a 32-bit guest */
#define SELECTOR_32 4

/*
 * A vCPU that runs has once to twice as long to look by itself: as long as the tick of most
 * kernels, which makes them look at the latest.
 */
#define MOMENT_NS 4000000
/* So many kicks at once after one that came late. */
#define FIRST_EAGER 64
#define LAST_EAGER 65536

/**
 * struct late - kicks that come late, if they must
 * @watch:   on @timer; NULL where kicks are not dear
 * @timer:   timerfd that wakes us for them.  A timeout of the main loop would be set, and
 *           taken back, in each of its turns
 * @running: it will
 * @vcpus:   bit n: vCPU n has an upcall due, and has not been kicked
 * @overdue: those of them that were so when the timer was set
 * @eager:   so many are to come at once
 * @most:    how many that will be next time
 */
struct late {
	struct watch *watch;
	int timer;
	gboolean running;
	uint32_t vcpus;
	uint32_t overdue;
	unsigned int eager;
	unsigned int most;
};
G_STATIC_ASSERT(MAX_VCPUS <= 32);

/**
 * struct upcalls - see upcalls.h
 * @config:  as given
 * @pending, @mask: bitmaps in shared_info
 * @late:    kicks that come late
 */
struct upcalls {
	struct upcalls_config config;
	uint64_t *pending;
	uint64_t *mask;
	struct late late;
};

#define UPCALL_PENDING offsetof(struct vcpu_info, evtchn_upcall_pending)
#define UPCALL_MASK offsetof(struct vcpu_info, evtchn_upcall_mask)

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
	if (!up)
		return;
	if (up->late.watch) {
		watch_free(up->late.watch);
		close(up->late.timer);
	}
	g_free(up);
}

/* Where the monitor says that it is; NULL where that can't be. */
static uint8_t *vcpu_info(const struct upcalls *up, unsigned int vcpu)
{
	uint64_t paddr = __atomic_load_n(&up->config.area->info_paddr[vcpu], __ATOMIC_ACQUIRE);

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
	return !__atomic_exchange_n(&info[UPCALL_PENDING], 1, __ATOMIC_SEQ_CST);
}

/* One in SCHEDOP_poll looks at the port's bit, even where it is masked. */
static gboolean waits(const struct upcalls *up, unsigned int vcpu)
{
	return __atomic_load_n(&up->config.area->waits[vcpu], __ATOMIC_SEQ_CST) != 0;
}

/* --- late kicks --- */

static gboolean is_due(const struct upcalls *up, unsigned int vcpu)
{
	const uint8_t *info = vcpu_info(up, vcpu);

	return info && __atomic_load_n(&info[UPCALL_PENDING], __ATOMIC_SEQ_CST);
}

/* One with upcalls masked would not look for a kick either. */
static gboolean is_deaf(const struct upcalls *up, unsigned int vcpu)
{
	const uint8_t *info = vcpu_info(up, vcpu);

	return info && __atomic_load_n(&info[UPCALL_MASK], __ATOMIC_RELAXED);
}

static void set_timer(struct late *late)
{
	static const struct itimerspec moment = { .it_value.tv_nsec = MOMENT_NS };

	late->running = !timerfd_settime(late->timer, 0, &moment, NULL);
	late->overdue = late->vcpus;
}

static void looked(struct late *late, unsigned int vcpu)
{
	late->vcpus &= ~(1U << vcpu);
	late->overdue &= ~(1U << vcpu);
	late->most = MAX(late->most / 2, FIRST_EAGER);
}

/* An upcall is due that was not: whatever was due before, the vCPU has looked. */
static gboolean give_a_moment(struct upcalls *up, unsigned int vcpu)
{
	struct late *late = &up->late;

	if (!late->watch)
		return FALSE;
	if (late->vcpus & 1U << vcpu)
		looked(late, vcpu);
	if (late->eager) {
		late->eager--;
		return FALSE;
	}
	late->vcpus |= 1U << vcpu;
	if (!late->running)
		set_timer(late);
	return TRUE;
}

static void kick_late(struct upcalls *up, unsigned int vcpu)
{
	struct late *late = &up->late;

	late->vcpus &= ~(1U << vcpu);
	late->overdue &= ~(1U << vcpu);
	if (!is_deaf(up, vcpu)) {
		late->eager = late->most;
		late->most = MIN(late->most * 2, LAST_EAGER);
	}
	up->config.kick(up->config.opaque, vcpu);
}

void upcalls_look(struct upcalls *up)
{
	for (uint32_t left = up->late.vcpus; left; left &= left - 1) {
		unsigned int vcpu = __builtin_ctz(left);

		if (!is_due(up, vcpu))
			looked(&up->late, vcpu);
	}
}

static gboolean moment_over(gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer opaque)
{
	struct upcalls *up = opaque;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return G_SOURCE_CONTINUE;
	upcalls_look(up);
	while (up->late.overdue)
		kick_late(up, __builtin_ctz(up->late.overdue));
	up->late.running = FALSE;
	if (up->late.vcpus)
		set_timer(&up->late);
	return G_SOURCE_CONTINUE;
}

/* Without a timer kicks come at once. */
void upcalls_be_patient(struct upcalls *up)
{
	struct late *late = &up->late;

	late->most = FIRST_EAGER;
	late->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (late->timer >= 0)
		late->watch = watch_new(late->timer, G_IO_IN, moment_over, up);
}

/* --- what comes --- */

void upcalls_raise(struct upcalls *up, unsigned int port, unsigned int vcpu)
{
	gboolean is_new;

	if (!up->pending || test_and_set(up->pending, port))
		return;
	is_new = mark(up, port, vcpu);
	if (waits(up, vcpu) || (is_new && !give_a_moment(up, vcpu)))
		up->config.kick(up->config.opaque, vcpu);
}

void upcalls_clear(struct upcalls *up, unsigned int port)
{
	if (up->pending)
		__atomic_fetch_and(&up->pending[port / 64], ~(1ULL << port % 64),
				   __ATOMIC_SEQ_CST);
}
