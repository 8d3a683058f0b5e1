/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grants.h - the guest's grant table, version 1
 */
#ifndef XENEMU_DOMAIN_GRANTS_H
#define XENEMU_DOMAIN_GRANTS_H

#include "domain/builder.h"
#include "domain/frames.h"
#include <glib.h>
#include <stdint.h>

struct grants;

/**
 * grants_new() - a table
 * @build:  memory, outlives the result
 * @frames: where table frames come from, outlives the result
 * @nr:     frames it has from the start
 * @most:   frames that it may have
 *
 * Entries 0 and 1 grant the console and xenstore pages to domain 0, as libxl
 * seeds them.
 */
struct grants *grants_new(struct build *build, struct frames *frames, unsigned int nr,
			  unsigned int most);

/** grants_free() - NULL is allowed */
void grants_free(struct grants *grants);

/** grants_count() - frames the table has */
unsigned int grants_count(const struct grants *grants);

/** grants_most() - frames that it may have */
unsigned int grants_most(const struct grants *grants);

/**
 * grants_grow() - make the table at least @nr frames large
 * Return: FALSE when that is more than it may have or there is no memory.
 */
gboolean grants_grow(struct grants *grants, unsigned int nr);

/** grants_frame() - machine frame of part @index, below grants_count() */
uint64_t grants_frame(const struct grants *grants, unsigned int index);

/**
 * grants_lookup() - the frame that an entry lets a domain use
 * @ref:   entry
 * @domid: the domain that uses it
 * @write: for writing too
 * @mfn:   receives the frame, which is the guest's own
 *
 * Return: GNTST_okay, or a negative GNTST_* value.
 */
int16_t grants_lookup(const struct grants *grants, uint32_t ref, uint16_t domid, gboolean write,
		      uint64_t *mfn);

/**
 * struct grant_map - a grant in use by a backend
 * @ref:   entry
 * @write: for writing too
 * @mfn:   the guest's frame
 * @page:  the same as PAGE_SIZE bytes of guest memory
 */
struct grant_map {
	uint32_t ref;
	gboolean write;
	uint64_t mfn;
	void *page;
};

/**
 * grants_map() - use a page that the guest granted to domain 0
 * @ref:   entry
 * @write: for writing too
 * @map:   filled in; to be unmapped before @grants is freed
 *
 * The guest sees GTF_reading and GTF_writing in the entry as long as it is mapped.  An
 * entry that is mapped already stays what it was then.  The frame stays where it is,
 * even when the guest gives it back.
 *
 * Return: GNTST_okay, or a negative GNTST_* value.
 */
int16_t grants_map(struct grants *grants, uint32_t ref, gboolean write, struct grant_map *map);

/** grants_unmap() - the end of it; if it was for writing, the page has been written to */
void grants_unmap(struct grants *grants, const struct grant_map *map);

/**
 * grants_transfer() - give the guest a frame, for an entry that accepts one
 * @ref:   entry, of type GTF_accept_transfer
 * @bytes: what is to be in it
 * @len:   bytes, at most PAGE_SIZE; the rest is zero
 *
 * Return: GNTST_okay; GNTST_general_error also when the guest has all the memory it may
 * have.
 */
int16_t grants_transfer(struct grants *grants, uint32_t ref, const void *bytes, size_t len);

#endif
