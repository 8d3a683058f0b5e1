/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stubs.h - the vectors that traps.S of each word size has stubs for: those of the
 * processor, then the callbacks (TRAP_EVENT... in guest.h)
 */
#ifndef MICRO_STUBS_H
#define MICRO_STUBS_H

#define NR_STUBS 261
#define STUB_FAILSAFE 257
/* Xen pushes an error code for these. */
#define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21)

#endif
