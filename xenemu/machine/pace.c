/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace.c - when the main thread may take the processor from a guest
 */
#include "machine/pace.h"
#include <glib.h>
#include <sched.h>

/* So many in one turn of the main loop are worth waiting for. */
#define MANY 4
/* So many turns with fewer, one after the other, and we no longer wait. */
#define FEW_TURNS 4
/* Requests between two trials. */
#define FIRST_TRIAL 256
#define LAST_TRIAL 65536

/**
 * struct pace - see pace.h
 * @source:   its prepare() is called between two turns of the main loop
 * @taken:    requests of this turn
 * @patient:  we are SCHED_BATCH
 * @few:      turns with few requests since one with many
 * @interval: requests between two trials
 * @left:     requests until the next
 */
struct pace {
	GSource source;
	unsigned int taken;
	gboolean patient;
	unsigned int few;
	unsigned int interval;
	unsigned int left;
};

static gboolean set_policy(int policy)
{
	struct sched_param param = { 0 };

	/* Who took the flag back would need privileges; children have no need of BATCH. */
	return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &param) == 0;
}

static void be_eager(struct pace *pace)
{
	set_policy(SCHED_OTHER);
	pace->patient = FALSE;
	pace->left = pace->interval;
}

static void try_patience(struct pace *pace)
{
	pace->few = 0;
	pace->left = pace->interval;
	pace->patient = (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER &&
			set_policy(SCHED_BATCH);
}

static void turn_over(struct pace *pace, unsigned int taken)
{
	if (!pace->patient) {
		pace->left -= MIN(taken, pace->left);
		if (!pace->left)
			try_patience(pace);
	} else if (taken >= MANY) {
		pace->few = 0;
		pace->interval = MAX(pace->interval / 2, FIRST_TRIAL);
	} else if (++pace->few == FEW_TURNS) {
		pace->interval = MIN(pace->interval * 2, LAST_TRIAL);
		be_eager(pace);
	}
}

static gboolean prepare(GSource *source, gint *timeout)
{
	struct pace *pace = (struct pace *)source;
	unsigned int taken = pace->taken;

	*timeout = -1;
	pace->taken = 0;
	if (taken)
		turn_over(pace, taken);
	return FALSE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	(void)source;
	(void)callback;
	(void)opaque;
	return G_SOURCE_CONTINUE;
}

struct pace *pace_new(void)
{
	static GSourceFuncs funcs = { .prepare = prepare, .dispatch = dispatch };
	GSource *source = g_source_new(&funcs, sizeof(struct pace));
	struct pace *pace = (struct pace *)source;

	pace->interval = pace->left = FIRST_TRIAL;
	g_source_attach(source, NULL);
	return pace;
}

void pace_free(struct pace *pace)
{
	if (!pace)
		return;
	if (pace->patient)
		set_policy(SCHED_OTHER);
	g_source_destroy(&pace->source);
	g_source_unref(&pace->source);
}

void pace_requests(struct pace *pace, unsigned int nr)
{
	pace->taken += nr;
}
