/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events for the guest: which bits are set, and when a vCPU is kicked.
 */
#include "domain/upcalls.h"
#include <string.h>
#include <xen/xen.h>

#define BYTES (1 << 20)
#define SHARED_INFO 1
#define OTHER_INFO 0x8040 /* where a vcpu_info was moved to */

/* A 32-bit guest's, public/arch-x86/xen-x86_32.h */
#define PENDING_32 2048
#define MASK_32 2176

static struct event_area area;
static struct memory *mem;
static unsigned int kicks[2];

static void on_kick(void *opaque, unsigned int vcpu)
{
	g_assert_true(opaque == &area);
	kicks[vcpu]++;
}

static struct upcalls *begin(gboolean is_32bit)
{
	memset(&area, 0, sizeof(area));
	memset(kicks, 0, sizeof(kicks));
	memset(mem->base, 0, BYTES);
	return upcalls_new(&(struct upcalls_config){
		.area = &area,
		.mem = mem,
		.shared_info_mfn = SHARED_INFO,
		.is_32bit = is_32bit,
		.kick = on_kick,
		.opaque = &area,
	});
}

static struct shared_info *shared_info(void)
{
	return memory_page(mem, SHARED_INFO);
}

static struct vcpu_info *info(unsigned int vcpu)
{
	return &shared_info()->vcpu_info[vcpu];
}

static void test_bits(void)
{
	struct upcalls *up = begin(FALSE);

	upcalls_raise(up, 130, 1);
	g_assert_cmphex(shared_info()->evtchn_pending[2], ==, 1 << 2);
	g_assert_cmphex(info(1)->evtchn_pending_sel, ==, 1 << 2);
	g_assert_cmpint(info(1)->evtchn_upcall_pending, ==, 1);
	g_assert_cmpint(info(0)->evtchn_upcall_pending, ==, 0);
	g_assert_cmpuint(kicks[1], ==, 1);
	g_assert_cmpuint(kicks[0], ==, 0);
	upcalls_clear(up, 130);
	g_assert_cmphex(shared_info()->evtchn_pending[2], ==, 0);
	upcalls_free(up);
}

static void test_bits_32(void)
{
	struct upcalls *up = begin(TRUE);
	uint8_t *page = memory_page(mem, SHARED_INFO);
	uint32_t *pending = (uint32_t *)(page + PENDING_32);
	uint32_t *mask = (uint32_t *)(page + MASK_32);
	uint32_t *selector = (uint32_t *)(page + sizeof(struct vcpu_info) + 4);

	upcalls_raise(up, 35, 1);
	g_assert_cmphex(pending[1], ==, 1 << 3);
	g_assert_cmphex(*selector, ==, 1 << 1);
	g_assert_cmpint(info(1)->evtchn_upcall_pending, ==, 1);
	g_assert_cmpuint(kicks[1], ==, 1);
	mask[31] = 1U << 31;
	upcalls_raise(up, 1023, 0);
	g_assert_cmphex(pending[31], ==, 1U << 31);
	g_assert_cmpint(info(0)->evtchn_upcall_pending, ==, 0);
	upcalls_free(up);
}

/* The guest has been told, and will look at all of them. */
static void test_one_kick_for_many(void)
{
	struct upcalls *up = begin(FALSE);

	upcalls_raise(up, 1, 0);
	upcalls_raise(up, 1, 0);
	upcalls_raise(up, 2, 0);
	upcalls_raise(up, 64, 0);
	g_assert_cmpuint(kicks[0], ==, 1);
	g_assert_cmphex(info(0)->evtchn_pending_sel, ==, 3);
	/* It has looked. */
	info(0)->evtchn_upcall_pending = 0;
	info(0)->evtchn_pending_sel = 0;
	shared_info()->evtchn_pending[0] = 0;
	upcalls_raise(up, 1, 0);
	g_assert_cmpuint(kicks[0], ==, 2);
	/* And has begun to look: the word is selected, and will be looked at. */
	info(0)->evtchn_upcall_pending = 0;
	upcalls_raise(up, 2, 0);
	g_assert_cmphex(shared_info()->evtchn_pending[0], ==, 6);
	g_assert_cmpuint(kicks[0], ==, 2);
	upcalls_free(up);
}

static void test_masked(void)
{
	struct upcalls *up = begin(FALSE);

	shared_info()->evtchn_mask[0] = 1 << 5;
	upcalls_raise(up, 5, 0);
	g_assert_cmphex(shared_info()->evtchn_pending[0], ==, 1 << 5);
	g_assert_cmphex(info(0)->evtchn_pending_sel, ==, 0);
	g_assert_cmpint(info(0)->evtchn_upcall_pending, ==, 0);
	g_assert_cmpuint(kicks[0], ==, 0);
	/* SCHEDOP_poll may wait for this very port. */
	shared_info()->evtchn_mask[0] |= 1 << 6;
	area.waits[0] = 1;
	upcalls_raise(up, 6, 0);
	g_assert_cmpint(info(0)->evtchn_upcall_pending, ==, 0);
	g_assert_cmpuint(kicks[0], ==, 1);
	upcalls_free(up);
}

static void test_moved_info(void)
{
	struct upcalls *up = begin(FALSE);
	struct vcpu_info *moved = memory_ptr(mem, OTHER_INFO, sizeof(*moved));

	area.info_paddr[0] = OTHER_INFO;
	upcalls_raise(up, 1, 0);
	g_assert_cmpint(info(0)->evtchn_upcall_pending, ==, 0);
	g_assert_cmpint(moved->evtchn_upcall_pending, ==, 1);
	g_assert_cmphex(moved->evtchn_pending_sel, ==, 1);
	g_assert_cmpuint(kicks[0], ==, 1);
	upcalls_free(up);
}

/* The VM may write what it likes there: nothing outside of its memory is touched. */
static void test_hostile_info(void)
{
	const uint64_t end = mem->end_mfn << PAGE_SHIFT, size = sizeof(struct vcpu_info);
	const uint64_t bad[] = { end,        end - 8,         end - size + 8, UINT64_MAX,
				 1ULL << 63, UINT64_MAX - 63, OTHER_INFO + 4, OTHER_INFO + 1 };
	struct upcalls *up = begin(FALSE);

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		area.info_paddr[0] = bad[i];
		upcalls_raise(up, 1 + i, 0);
		g_assert_true(shared_info()->evtchn_pending[0] >> (1 + i) & 1);
	}
	g_assert_cmpuint(kicks[0], ==, 0);
	area.info_paddr[0] = end - size;
	upcalls_raise(up, 40, 0);
	g_assert_cmpuint(kicks[0], ==, 1);
	upcalls_free(up);
}

/* --- late kicks --- */

/* The guest has looked. */
static void look(unsigned int vcpu)
{
	memset(shared_info()->evtchn_pending, 0, sizeof(shared_info()->evtchn_pending));
	info(vcpu)->evtchn_pending_sel = 0;
	info(vcpu)->evtchn_upcall_pending = 0;
}

static struct upcalls *begin_patient(void)
{
	struct upcalls *up = begin(FALSE);

	upcalls_be_patient(up);
	return up;
}

static gboolean on_end(gpointer over)
{
	*(gboolean *)over = TRUE;
	return G_SOURCE_REMOVE;
}

/* Longer than any vCPU is given: whatever was to come has come. */
static void wait_long(void)
{
	gboolean over = FALSE;

	g_timeout_add(50, on_end, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

/* Raise a port unless it is, be kicked, look. */
static void be_kicked_late(struct upcalls *up)
{
	unsigned int before = kicks[0];

	upcalls_raise(up, 1, 0);
	g_assert_cmpuint(kicks[0], ==, before);
	while (kicks[0] == before)
		g_main_context_iteration(NULL, TRUE);
	look(0);
}

/* How many are kicked at once before one that is given a moment, and not looked at. */
static unsigned int eager(struct upcalls *up)
{
	for (unsigned int nr = 0;; nr++) {
		unsigned int before = kicks[0];

		upcalls_raise(up, 1, 0);
		if (kicks[0] == before)
			return nr;
		look(0);
	}
}

static void test_late_kick(void)
{
	struct upcalls *up = begin_patient();

	be_kicked_late(up);
	wait_long();
	g_assert_cmpuint(kicks[0], ==, 1);
	g_assert_cmpuint(kicks[1], ==, 0);
	upcalls_free(up);
}

static void test_no_late_kick(void)
{
	struct upcalls *up = begin_patient();

	/* It looks by itself. */
	upcalls_raise(up, 1, 0);
	look(0);
	wait_long();
	g_assert_cmpuint(kicks[0], ==, 0);
	/* It waits: at once, and once. */
	area.waits[0] = 1;
	upcalls_raise(up, 1, 0);
	g_assert_cmpuint(kicks[0], ==, 1);
	wait_long();
	g_assert_cmpuint(kicks[0], ==, 1);
	upcalls_free(up);
}

/* Time that was given for another event is not this one's. */
static void test_whole_moment(void)
{
	struct upcalls *up = begin_patient();

	upcalls_raise(up, 1, 0);
	look(0);
	upcalls_look(up);
	upcalls_raise(up, 2, 1);
	while (!kicks[1])
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(kicks[0], ==, 0);
	upcalls_free(up);
}

/* Nor is it when the guest has looked without telling anybody. */
static void test_whole_moment_of_one(void)
{
	struct upcalls *up = begin_patient();

	upcalls_raise(up, 1, 0);
	look(0);
	g_usleep(20000);
	upcalls_raise(up, 1, 0);
	/* The time of the first is over. */
	g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(kicks[0], ==, 0);
	while (!kicks[0])
		g_main_context_iteration(NULL, TRUE);
	upcalls_free(up);
}

/* The more often it has to be kicked, the longer it is not waited for. */
static void test_eager(void)
{
	struct upcalls *up = begin_patient();

	be_kicked_late(up);
	g_assert_cmpuint(eager(up), ==, 64);
	be_kicked_late(up);
	g_assert_cmpuint(eager(up), ==, 128);
	/* Once it was right to wait. */
	look(0);
	upcalls_look(up);
	be_kicked_late(up);
	g_assert_cmpuint(eager(up), ==, 128);
	be_kicked_late(up);
	g_assert_cmpuint(eager(up), ==, 256);
	upcalls_free(up);
}

/* A kick does not make one look that has upcalls masked; that is no reason for haste. */
static void test_deaf(void)
{
	struct upcalls *up = begin_patient();

	info(0)->evtchn_upcall_mask = 1;
	be_kicked_late(up);
	g_assert_cmpuint(eager(up), ==, 0);
	upcalls_free(up);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	mem = memory_new(BYTES, NULL);
	g_test_add_func("/upcalls/bits", test_bits);
	g_test_add_func("/upcalls/bits-32", test_bits_32);
	g_test_add_func("/upcalls/one-kick-for-many", test_one_kick_for_many);
	g_test_add_func("/upcalls/masked", test_masked);
	g_test_add_func("/upcalls/moved-info", test_moved_info);
	g_test_add_func("/upcalls/hostile-info", test_hostile_info);
	g_test_add_func("/upcalls/late-kick", test_late_kick);
	g_test_add_func("/upcalls/no-late-kick", test_no_late_kick);
	g_test_add_func("/upcalls/whole-moment", test_whole_moment);
	g_test_add_func("/upcalls/whole-moment-of-one", test_whole_moment_of_one);
	g_test_add_func("/upcalls/eager", test_eager);
	g_test_add_func("/upcalls/deaf", test_deaf);
	status = g_test_run();
	memory_free(mem);
	return status;
}
