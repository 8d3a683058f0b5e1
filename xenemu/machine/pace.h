/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace.h - when the main thread may take the processor from a guest
 *
 * A thread that wakes takes its processor from the one that runs there, if that has run
 * for longer.  For a guest that waits for each answer this is right.  A guest with many
 * requests under way is interrupted after each of them, and what could be done for all
 * together is done for each: the wake-up, the call of the kernel, the guest's interrupt.
 * So while many requests come at a time, the main thread is one of SCHED_BATCH, which
 * waits until the guest waits, or has had its turn; where a processor is idle nothing
 * changes.  Whether many come at a time shows only when they can: it is tried out now and
 * then, the more seldom the less came of it.
 */
#ifndef XENEMU_MACHINE_PACE_H
#define XENEMU_MACHINE_PACE_H

/**
 * struct pace - the pace of the thread that runs the default main context
 *
 * It belongs to its maker, as does the thread's scheduling policy: one a process.
 */
struct pace;

/**
 * pace_new() - begin as any thread
 *
 * A user who has given us a policy other than SCHED_OTHER keeps it.  Main thread.
 *
 * Return: the pace, for pace_free().
 */
struct pace *pace_new(void);

/**
 * pace_free() - end as any thread
 * @pace: from pace_new(), or NULL.  Main thread
 */
void pace_free(struct pace *pace);

/**
 * pace_requests() - a guest's requests were taken
 * @pace: from pace_new()
 * @nr:   how many.  Main thread
 */
void pace_requests(struct pace *pace, unsigned int nr);

#endif
