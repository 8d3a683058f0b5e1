/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grants.c - the guest's grant table, version 1
 */
#include "domain/grants.h"
#include <string.h>
#include <xen/grant_table.h>

#define ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))

/* Old 32-bit guests truncate the numbers of table frames: keep them low. */
#define LOW_FRAMES 0x100000

/* The guest may change an entry under our hands so often, as in Xen. */
#define MAP_TRIES 5

/**
 * struct active - an entry that is mapped
 * @maps:   how often
 * @writes: how often of these for writing
 * @mfn:    its frame as it was first
 */
struct active {
	uint32_t maps;
	uint32_t writes;
	uint64_t mfn;
};

struct grants {
	struct build *build;
	struct frames *frames;
	uint64_t *mfn; /* of @most frames */
	struct active **active; /* of @most frames: of their entries, or NULL */
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

/* Pages that the helper writes to for as long as there is the domain */
static void seed(struct grants *grants, uint32_t ref, uint64_t mfn)
{
	struct grant_entry_v1 *entry = entry_of(grants, ref);

	if (entry)
		*entry = (struct grant_entry_v1){ .flags = GTF_permit_access, .frame = mfn };
	frames_lend(grants->frames, mfn);
}

struct grants *grants_new(struct build *build, struct frames *frames, unsigned int nr,
			  unsigned int most)
{
	struct grants *grants = g_new0(struct grants, 1);

	grants->build = build;
	grants->frames = frames;
	grants->mfn = g_new0(uint64_t, most);
	grants->active = g_new0(struct active *, most);
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
	for (unsigned int i = 0; i < grants->most; i++)
		g_free(grants->active[i]);
	g_free(grants->active);
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

static struct active *active_of(struct grants *grants, uint32_t ref)
{
	struct active **frame = &grants->active[ref / ENTRIES_PER_FRAME];

	if (!*frame)
		*frame = g_new0(struct active, ENTRIES_PER_FRAME);
	return &(*frame)[ref % ENTRIES_PER_FRAME];
}

/*
 * Say in the entry that it is used.  Flags and domain are one word, so that what was
 * checked is what was marked (Xen 4.17 _set_status_v1()).  @mapped: it was checked
 * when it was mapped first.
 */
static int16_t mark(struct grant_entry_v1 *entry, gboolean write, gboolean mapped)
{
	uint32_t *word = (uint32_t *)entry;
	uint32_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	const uint16_t type = GTF_type_mask | GTF_sub_page;

	for (unsigned int i = 0; i < MAP_TRIES; i++) {
		uint16_t flags = old, domid = old >> 16;

		if (!mapped && ((flags & type) != GTF_permit_access || domid != 0))
			return GNTST_general_error;
		if (write && flags & GTF_readonly)
			return GNTST_general_error;
		flags |= GTF_reading | (write ? GTF_writing : 0);
		if (__atomic_compare_exchange_n(word, &old, (uint32_t)domid << 16 | flags,
						FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

static void unmark(struct grant_entry_v1 *entry, const struct active *active)
{
	uint16_t flags = (active->maps ? 0 : GTF_reading) | (active->writes ? 0 : GTF_writing);

	if (flags)
		__atomic_fetch_and(&entry->flags, ~flags, __ATOMIC_SEQ_CST);
}

/* Is it a frame that a backend may use?  Page tables are not written by others. */
static gboolean hold(struct grants *grants, uint64_t mfn, gboolean write)
{
	if (write && !frames_lend(grants->frames, mfn))
		return FALSE;
	frames_hold(grants->frames, mfn);
	return TRUE;
}

int16_t grants_map(struct grants *grants, uint32_t ref, gboolean write, struct grant_map *map)
{
	struct grant_entry_v1 *entry = entry_of(grants, ref);
	struct active *active;
	uint64_t mfn;
	int16_t status;

	if (!entry)
		return GNTST_bad_gntref;
	active = active_of(grants, ref);
	status = mark(entry, write, active->maps > 0);
	if (status != GNTST_okay)
		return status;
	mfn = active->maps ? active->mfn : __atomic_load_n(&entry->frame, __ATOMIC_SEQ_CST);
	/* What is in use stays usable, even when the guest has given it back. */
	if ((!active->maps && !frames_owned(grants->frames, mfn)) ||
	    !hold(grants, mfn, write)) {
		unmark(entry, active);
		return GNTST_general_error;
	}
	active->mfn = mfn;
	active->maps++;
	active->writes += write ? 1 : 0;
	*map = (struct grant_map){
		.ref = ref,
		.write = write,
		.mfn = mfn,
		.page = memory_page(grants->build->mem, mfn),
	};
	return GNTST_okay;
}

void grants_unmap(struct grants *grants, const struct grant_map *map)
{
	struct active *active = active_of(grants, map->ref);

	if (map->write) {
		frames_wrote(grants->frames, map->mfn);
		frames_return(grants->frames, map->mfn);
	}
	active->maps--;
	active->writes -= map->write ? 1 : 0;
	unmark(entry_of(grants, map->ref), active);
	frames_unhold(grants->frames, map->mfn);
}

/* From here on the entry is ours alone (Xen 4.17 gnttab_prepare_for_transfer()). */
static gboolean commit_transfer(struct grant_entry_v1 *entry)
{
	uint32_t *word = (uint32_t *)entry;
	uint32_t accepts = GTF_accept_transfer; /* and domain 0 */

	return __atomic_compare_exchange_n(word, &accepts, accepts | GTF_transfer_committed,
					   FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

int16_t grants_transfer(struct grants *grants, uint32_t ref, const void *bytes, size_t len)
{
	struct grant_entry_v1 *entry = entry_of(grants, ref);
	uint64_t mfn;

	if (!entry)
		return GNTST_bad_gntref;
	if (!frames_populate(grants->frames, 0, FRAMES_ANYWHERE, &mfn))
		return GNTST_general_error;
	if (!commit_transfer(entry)) {
		frames_release(grants->frames, mfn);
		return GNTST_general_error;
	}
	memcpy(memory_page(grants->build->mem, mfn), bytes, MIN(len, PAGE_SIZE));
	/* The guest looks at the frame once it sees the flag. */
	__atomic_store_n(&entry->frame, mfn, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&entry->flags, GTF_transfer_completed, __ATOMIC_SEQ_CST);
	return GNTST_okay;
}
