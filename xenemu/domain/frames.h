/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames.h - who owns which machine frame
 *
 * The helper's own bitmaps are the truth; FRAME_OWNED and the machine-to-phys
 * table are kept for the monitor and never read back.  A frame given back stays
 * in a small cache, then its memory is returned to the host.
 */
#ifndef XENEMU_DOMAIN_FRAMES_H
#define XENEMU_DOMAIN_FRAMES_H

#include "domain/builder.h"
#include <glib.h>
#include <stdint.h>

/** Largest extent a domU may ask for, as CONFIG_DOMU_MAX_ORDER of Xen */
#define FRAMES_MAX_ORDER 9

/** No limit on where a frame may lie */
#define FRAMES_ANYWHERE UINT64_MAX

struct frames;

/**
 * frames_new() - take over the frames of a domain that has just been built
 * @build:  its memory; outlives the result.  Its free_frames are taken.
 * @maxmem: most pages the guest may have
 */
struct frames *frames_new(struct build *build, uint64_t maxmem);

/** frames_free() - NULL is allowed */
void frames_free(struct frames *frames);

/**
 * frames_populate() - give the guest 2^@order contiguous zeroed frames
 * @order: up to FRAMES_MAX_ORDER
 * @limit: all frames lie below this number
 * @mfn:   receives the first
 *
 * Return: FALSE when maxmem is reached or no such run is free.
 */
gboolean frames_populate(struct frames *frames, unsigned int order, uint64_t limit,
			 uint64_t *mfn);

/** frames_set_pfn() - enter @pfn in the machine-to-phys table for @mfn */
void frames_set_pfn(struct frames *frames, uint64_t mfn, uint64_t pfn);

/**
 * frames_release() - take a frame back from the guest
 *
 * A live page table leaves the guest only when it is none any more, as in Xen,
 * which answers the same then (GNU Mach gives back tables that are pinned).
 * Return: FALSE when it is not the guest's.
 */
gboolean frames_release(struct frames *frames, uint64_t mfn);

/**
 * frames_exchange() - take frames back and give others for them
 * @in:    @count frames, all or none of which are taken
 * @out:   receives the first frame of each of @count >> @order runs
 * @order: size of the runs; @count is a multiple of it
 * @limit: all frames given lie below this number
 *
 * Return: 0; -XEN_ENOMEM without free runs; -XEN_EINVAL when one of @in is not the
 * guest's, or a live page table.
 */
int frames_exchange(struct frames *frames, const uint64_t *in, uint64_t *out,
		    unsigned int count, unsigned int order, uint64_t limit);

/**
 * frames_take() - a zeroed frame that the guest may map but that is not part of
 * its memory (grant table)
 * Return: FALSE when there is none.
 */
gboolean frames_take(struct frames *frames, uint64_t limit, uint64_t *mfn);

/** frames_owned() - is @mfn part of the guest's memory? */
gboolean frames_owned(const struct frames *frames, uint64_t mfn);

/**
 * frames_hold() - a frame of the guest is in use by a backend
 *
 * Until as many frames_unhold() it is given to nobody else, even when the guest gives
 * it back.
 */
void frames_hold(struct frames *frames, uint64_t mfn);
void frames_unhold(struct frames *frames, uint64_t mfn);

/**
 * frames_lend() - somebody outside the VM may write to a frame of the guest from now on
 *
 * Until as many frames_return() it can't become a page table.
 * Return: FALSE, and nothing has changed, when it is one.
 */
gboolean frames_lend(struct frames *frames, uint64_t mfn);
void frames_return(struct frames *frames, uint64_t mfn);

/** frames_held() - is it? */
gboolean frames_held(const struct frames *frames, uint64_t mfn);

/**
 * frames_wrote() - a frame of the guest has been written to from outside the VM
 *
 * To be called before the guest is told.  What it finds there as code, once it maps the
 * frame, is what was written (machine_traits.caches_code).
 */
void frames_wrote(struct frames *frames, uint64_t mfn);

/** frames_current() - pages the guest has */
uint64_t frames_current(const struct frames *frames);

/** frames_maximum() - pages the guest may have */
uint64_t frames_maximum(const struct frames *frames);

#endif
