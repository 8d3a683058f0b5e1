/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-nbd-size.c - exports that grow
 *
 * A server says its export's size to who connects, and then only; on a connection that there is
 * already, it may refuse what lies beyond the old end.  So a second connection is made beside
 * the first, which goes on serving the guest.  Only one that says something new takes its
 * place, when all that was sent by the first is answered: a request that is sent again
 * while the server still has it could be carried out after later ones.
 *
 * What was not flushed is written again, as to a server that comes back: a flush of one
 * connection need not cover what was written by another.
 *
 * A server that is ours makes its export larger when we ask.  It does that without a
 * client, so that the connection is closed first, again when all is answered.
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

static void give_up(struct nbd_disk *nbd)
{
	forget_second(nbd);
	nbd->resizing = FALSE;
	g_clear_error(&nbd->size_error);
}

static void fail(struct nbd_disk *nbd, const char *why)
{
	GError *error = NULL;

	disk_refuse_size(&nbd->disk, &error, "%s", why);
	give_up(nbd);
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

static void be_patient(struct nbd_disk *nbd)
{
	nbd->patience = g_timeout_add(PATIENCE_MS, on_patience, nbd);
}

/* Whether the server owes us nothing. */
static gboolean is_idle(const struct nbd_disk *nbd)
{
	return nbd->disk.in_flight.length == nbd->waiting.length && !nbd->replay.done;
}

/* --- a second connection --- */

static void second_down(struct nbd_disk *nbd)
{
	g_autofree char *why =
		g_strdup_printf("can't connect again: %s", nbd_link_why(nbd->second));

	fail(nbd, why);
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

static void second_moved(struct nbd_disk *nbd)
{
	enum nbd_link_state state = nbd_link_state(nbd->second);

	if (state == NBD_LINK_DOWN)
		second_down(nbd);
	else if (state == NBD_LINK_UP && !nbd->holding)
		compare(nbd);
}

static void replace(struct nbd_disk *nbd)
{
	nbd_link_free(nbd->link);
	nbd->link = g_steal_pointer(&nbd->second);
	forget_second(nbd);
	nbd_resume(nbd);
	disk_sized(&nbd->disk, NULL);
}

gboolean nbd_rescan(struct disk *disk, GError **error)
{
	struct nbd_disk *nbd = (struct nbd_disk *)disk;

	if (!nbd->uri)
		return disk_refuse_size(disk, error,
					"the size of this kind of disk can't be looked at "
					"again; block-resize makes it larger");
	if (!nbd->up)
		return disk_refuse_size(disk, error,
					"the server is gone; its export's size is looked at "
					"when it is back");
	nbd->second = nbd_link_new(nbd->uri, -1, nbd_moved, nbd);
	be_patient(nbd);
	return TRUE;
}

/* --- a server of ours --- */

static void on_resized(void *opaque, int socket, GError *error)
{
	struct nbd_disk *nbd = opaque;
	g_autofree char *why = error ? g_strdup(error->message) : NULL;

	nbd->size_error = error;
	if (socket >= 0)
		nbd->link = nbd_link_new(NULL, socket, nbd_moved, nbd);
	else
		nbd_down(nbd, why);
}

static void let_resize(struct nbd_disk *nbd)
{
	forget_second(nbd);
	nbd_close_link(nbd);
	nbd->server.resize(nbd->server.owner, nbd->new_size, on_resized, nbd);
}

/* The export is back, and so is the connection to it. */
static void end_resizing(struct nbd_disk *nbd)
{
	g_autoptr(GError) why = g_steal_pointer(&nbd->size_error);
	GError *error = NULL;

	nbd->resizing = FALSE;
	if (why)
		disk_refuse_size(&nbd->disk, &error, "can't be resized: %s", why->message);
	disk_sized(&nbd->disk, error);
}

gboolean nbd_resize(struct disk *disk, uint64_t size, GError **error)
{
	struct nbd_disk *nbd = (struct nbd_disk *)disk;

	if (nbd->uri)
		return disk_refuse_size(disk, error,
					"an export of an NBD server; let it grow there, then "
					"use block-rescan");
	if (!nbd->server.resize)
		return disk_refuse_size(disk, error, "this kind of disk can't be resized");
	if (!nbd->up)
		return disk_refuse_size(disk, error, "%s", nbd->server.why(nbd->server.owner));
	nbd->resizing = TRUE;
	nbd->new_size = size;
	nbd->holding = TRUE;
	be_patient(nbd);
	nbd_link_kick(nbd->link);
	return TRUE;
}

/* --- both --- */

void nbd_size_moved(struct nbd_disk *nbd)
{
	if (nbd->resizing && !nbd->holding)
		end_resizing(nbd);
	if (nbd->second)
		second_moved(nbd);
	if (!nbd->holding || !is_idle(nbd))
		return;
	if (nbd->second)
		replace(nbd);
	else
		let_resize(nbd);
}

void nbd_size_lost(struct nbd_disk *nbd, const char *why)
{
	if (nbd->resizing)
		fail(nbd, why);
	else if (nbd->second)
		fail(nbd, "the server is gone; its export's size is looked at when it is back");
}

void nbd_size_stop(struct nbd_disk *nbd)
{
	give_up(nbd);
}
