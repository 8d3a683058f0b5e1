/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transaction.h - a snapshot of the store that is changed apart and merged back if
 * nothing that it touched was changed by others meanwhile
 */
#ifndef XENEMU_XENSTORE_TRANSACTION_H
#define XENEMU_XENSTORE_TRANSACTION_H

#include "xenstore/store.h"

/**
 * struct transaction - a transaction
 * @xs:       the store
 * @client:   whose it is; outlives it
 * @id:       its id on the wire, never 0
 * @tree:     the client's version of the store
 * @touched:  struct touch by path: everything that was read or changed
 * @changed:  GPtrArray of those that were changed, parents made before children
 * @grew:     it made nodes
 * @failed:   something failed half-way: it can't be committed any more
 */
struct transaction {
	struct xenstore *xs;
	const struct client *client;
	uint32_t id;
	struct tree *tree;
	GHashTable *touched;
	GPtrArray *changed;
	gboolean grew;
	gboolean failed;
};

struct transaction *transaction_new(struct xenstore *xs, const struct client *client,
				    uint32_t id);

/** transaction_free() - forget it and its changes */
void transaction_free(struct transaction *t);

/**
 * transaction_touch() - note that a path is read or (@change) about to be changed
 *
 * To be called before the change: what is noted is the node's generation at first
 * touch, which is that of the snapshot.
 * Return: 0; ENOSPC or ENOMEM above the quotas, which dooms the transaction.
 */
int transaction_touch(struct transaction *t, const char *path, gboolean change);

/**
 * transaction_event() - a changed path shall fire watches at commit
 * @exact: only watches on @path itself
 */
void transaction_event(struct transaction *t, const char *path, gboolean exact);

/**
 * transaction_commit() - make the changes visible and fire watches
 *
 * Return: 0; EAGAIN when others changed what it touched; ENOSPC above the quota of
 * nodes; ENOMEM when it failed before.  Nothing has changed then.  It can only be
 * freed afterwards.
 */
int transaction_commit(struct transaction *t);

#endif
