/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-nbd-size.c - a look at the size of an export that may have grown
 *
 * A server says it to who connects, and then only; on a connection that there is already,
 * it may refuse what lies beyond the old end.  So a second connection is made beside the
 * first, which goes on serving the guest.  Only one that says something new takes its
 * place, when all that was sent by the first is answered: a request that is sent again
 * while the server still has it could be carried out after later ones.
 *
 * What was not flushed is written again, as to a server that comes back: a flush of one
 * connection need not cover what was written by another.
 */
#include "backend/disk-nbd-private.h"

#define PATIENCE_MS (DISK_OPEN_SECONDS * 1000)

/* The first connection stays what it is, if it still is. */
static void forget_second(struct nbd_disk *nbd)
{
	g_clear_handle_id(&nbd->patience, g_source_remove);
	g_clear_pointer(&nbd->second, nbd_link_free);
	nbd->holding = FALSE;
}

static void fail(struct nbd_disk *nbd, const char *why)
{
	GError *error = NULL;

	forget_second(nbd);
	disk_refuse_size(&nbd->disk, &error, "%s", why);
	disk_sized(&nbd->disk, error);
	if (nbd->up)
		nbd_start_waiting(nbd);
}

static gboolean on_patience(gpointer opaque)
{
	struct nbd_disk *nbd = opaque;

	nbd->patience = 0;
	fail(nbd, nbd->holding ? "the server doesn't answer requests"
			       : "the server doesn't answer a second connection; its "
				 "export's size is looked at when it comes back after it "
				 "was gone");
	return G_SOURCE_REMOVE;
}

/* What the second connection, which is up, says. */
static void compare(struct nbd_disk *nbd)
{
	uint64_t size = nbd_get_size(nbd_link_handle(nbd->second));
	const char *wrong = nbd_check_same(nbd, nbd->second);

	if (wrong) {
		fail(nbd, wrong);
	} else if (size - nbd->disk.info.size < nbd->disk.info.sector_size) {
		forget_second(nbd);
		disk_sized(&nbd->disk, NULL);
	} else {
		nbd->holding = TRUE;
	}
}

/* Whether the server owes us nothing. */
static gboolean is_idle(const struct nbd_disk *nbd)
{
	return nbd->disk.in_flight.length == nbd->waiting.length && !nbd->replay.done;
}

static void replace(struct nbd_disk *nbd)
{
	nbd_link_free(nbd->link);
	nbd->link = g_steal_pointer(&nbd->second);
	forget_second(nbd);
	nbd_resume(nbd);
	disk_sized(&nbd->disk, NULL);
}

static void second_down(struct nbd_disk *nbd)
{
	g_autofree char *why =
		g_strdup_printf("can't connect again: %s", nbd_link_why(nbd->second));

	fail(nbd, why);
}

void nbd_size_moved(struct nbd_disk *nbd)
{
	enum nbd_link_state state;

	if (!nbd->second)
		return;
	state = nbd_link_state(nbd->second);
	if (state == NBD_LINK_DOWN)
		second_down(nbd);
	else if (state == NBD_LINK_UP && !nbd->holding)
		compare(nbd);
	if (nbd->holding && is_idle(nbd))
		replace(nbd);
}

gboolean nbd_rescan(struct disk *disk, GError **error)
{
	struct nbd_disk *nbd = (struct nbd_disk *)disk;

	if (!nbd->uri)
		return disk_refuse_size(disk, error,
					"the size of this kind of disk can't be looked at "
					"again");
	if (!nbd->up)
		return disk_refuse_size(disk, error,
					"the server is gone; its export's size is looked at "
					"when it is back");
	nbd->second = nbd_link_new(nbd->uri, -1, nbd_moved, nbd);
	nbd->patience = g_timeout_add(PATIENCE_MS, on_patience, nbd);
	return TRUE;
}

void nbd_size_lost(struct nbd_disk *nbd)
{
	if (nbd->second)
		fail(nbd, "the server is gone; its export's size is looked at when it is back");
}

void nbd_size_stop(struct nbd_disk *nbd)
{
	forget_second(nbd);
}
