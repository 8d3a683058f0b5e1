/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main thread's scheduling policy, as requests come.
 */
#include "machine/pace.h"
#include <glib.h>
#include <sched.h>

static gboolean patient(void)
{
	int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;

	g_assert_true(policy == SCHED_OTHER || policy == SCHED_BATCH);
	return policy == SCHED_BATCH;
}

/* @turns of the main loop with @nr requests each.  Return: those that it took to change */
static unsigned int turns(struct pace *pace, unsigned int nr, unsigned int most)
{
	gboolean was = patient();

	for (unsigned int i = 0; i < most; i++) {
		pace_requests(pace, nr);
		g_main_context_iteration(NULL, FALSE);
		if (patient() != was)
			return i + 1;
	}
	return most;
}

static void test_one_at_a_time(void)
{
	struct pace *pace = pace_new();

	/* Each trial ends soon, and the next comes later. */
	g_assert_cmpuint(turns(pace, 1, 1000000), ==, 256);
	g_assert_cmpuint(turns(pace, 1, 1000000), ==, 4);
	g_assert_cmpuint(turns(pace, 3, 1000000), ==, 171);
	g_assert_cmpuint(turns(pace, 3, 1000000), ==, 4);
	for (unsigned int interval = 1024; interval <= 65536; interval *= 2) {
		g_assert_cmpuint(turns(pace, 1, 1000000), ==, interval);
		g_assert_cmpuint(turns(pace, 1, 1000000), ==, 4);
	}
	g_assert_cmpuint(turns(pace, 1, 1000000), ==, 65536);
	pace_free(pace);
	g_assert_false(patient());
}

static void test_many_at_a_time(void)
{
	struct pace *pace = pace_new();

	g_assert_cmpuint(turns(pace, 2, 1000000), ==, 128);
	g_assert_cmpuint(turns(pace, 2, 1000000), ==, 4);
	g_assert_cmpuint(turns(pace, 100, 1000000), ==, 6);
	/* Patience pays, also with a few between, and is tried soon again. */
	g_assert_cmpuint(turns(pace, 4, 1000), ==, 1000);
	g_assert_cmpuint(turns(pace, 1, 3), ==, 3);
	g_assert_cmpuint(turns(pace, 4, 1000), ==, 1000);
	/* Nothing to do is no turn. */
	g_assert_cmpuint(turns(pace, 0, 1000), ==, 1000);
	g_assert_true(patient());
	g_assert_cmpuint(turns(pace, 1, 1000000), ==, 4);
	g_assert_cmpuint(turns(pace, 1, 1000000), ==, 512);
	pace_free(pace);
	g_assert_false(patient());
}

/* What the user has chosen stays. */
static void test_other_policy(void)
{
	struct sched_param param = { 0 };
	struct pace *pace = pace_new();

	if (sched_setscheduler(0, SCHED_BATCH, &param)) {
		g_test_skip("no SCHED_BATCH here");
		pace_free(pace);
		return;
	}
	g_assert_cmpuint(turns(pace, 1, 3000), ==, 3000);
	pace_free(pace);
	g_assert_true(patient());
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pace/one-at-a-time", test_one_at_a_time);
	g_test_add_func("/pace/many-at-a-time", test_many_at_a_time);
	g_test_add_func("/pace/other-policy", test_other_policy);
	return g_test_run();
}
