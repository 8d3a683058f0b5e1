/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grants.c - the guest's grant table, version 1
 */
#include "domain/grants.h"
#include <xen/grant_table.h>

#define ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))

/* Old 32-bit guests truncate the numbers of table frames: keep them low. */
#define LOW_FRAMES 0x100000

struct grants {
	struct build *build;
	struct frames *frames;
	uint64_t *mfn; /* of @most frames */
	unsigned int nr;
	unsigned int most;
};

static struct grant_entry_v1 *entry_of(const struct grants *grants, uint32_t ref)
{
	struct grant_entry_v1 *page;

	if (ref / ENTRIES_PER_FRAME >= grants->nr)
		return NULL;
	page = memory_page(grants->build->mem, grants->mfn[ref / ENTRIES_PER_FRAME]);
	return &page[ref % ENTRIES_PER_FRAME];
}

static void seed(struct grants *grants, uint32_t ref, uint64_t mfn)
{
	struct grant_entry_v1 *entry = entry_of(grants, ref);

	if (entry)
		*entry = (struct grant_entry_v1){ .flags = GTF_permit_access, .frame = mfn };
}

struct grants *grants_new(struct build *build, struct frames *frames, unsigned int nr,
			  unsigned int most)
{
	struct grants *grants = g_new0(struct grants, 1);

	grants->build = build;
	grants->frames = frames;
	grants->mfn = g_new0(uint64_t, most);
	grants->most = most;
	grants_grow(grants, nr);
	seed(grants, GNTTAB_RESERVED_CONSOLE, build->console_mfn);
	seed(grants, GNTTAB_RESERVED_XENSTORE, build->store_mfn);
	return grants;
}

void grants_free(struct grants *grants)
{
	if (!grants)
		return;
	g_free(grants->mfn);
	g_free(grants);
}

unsigned int grants_count(const struct grants *grants)
{
	return grants->nr;
}

unsigned int grants_most(const struct grants *grants)
{
	return grants->most;
}

gboolean grants_grow(struct grants *grants, unsigned int nr)
{
	if (nr > grants->most)
		return FALSE;
	while (grants->nr < nr) {
		uint64_t *mfn = &grants->mfn[grants->nr];

		if (!frames_take(grants->frames, LOW_FRAMES, mfn) &&
		    !frames_take(grants->frames, FRAMES_ANYWHERE, mfn))
			return FALSE;
		grants->nr++;
	}
	return TRUE;
}

uint64_t grants_frame(const struct grants *grants, unsigned int index)
{
	return grants->mfn[index];
}

int16_t grants_lookup(const struct grants *grants, uint32_t ref, uint16_t domid, gboolean write,
		      uint64_t *mfn)
{
	const struct grant_entry_v1 *shared = entry_of(grants, ref);
	struct grant_entry_v1 entry;

	if (!shared)
		return GNTST_bad_gntref;
	/* The frame is valid only together with the flags that were there first. */
	entry.flags = __atomic_load_n(&shared->flags, __ATOMIC_ACQUIRE);
	entry.domid = __atomic_load_n(&shared->domid, __ATOMIC_RELAXED);
	entry.frame = __atomic_load_n(&shared->frame, __ATOMIC_RELAXED);
	if ((entry.flags & GTF_type_mask) != GTF_permit_access || entry.domid != domid)
		return GNTST_general_error;
	if (write && entry.flags & GTF_readonly)
		return GNTST_general_error;
	if (!frames_owned(grants->frames, entry.frame))
		return GNTST_bad_page;
	*mfn = entry.frame;
	return GNTST_okay;
}
