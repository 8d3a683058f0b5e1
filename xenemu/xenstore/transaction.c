/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transaction.c - a snapshot of the store that is changed apart and merged back if
 * nothing that it touched was changed by others meanwhile
 */
#include "xenstore/transaction.h"
#include "xenstore/watch.h"
#include <errno.h>
#include <string.h>

#define ABSENT 0 /* generation of a node that doesn't exist */

/**
 * struct touch - a path that a transaction has read or changed
 * @generation: of the node when it was touched first, or ABSENT
 * @changed:    it was changed
 * @fire:       watches are to fire at commit
 * @exact:      only those on the path itself
 * @path:       the path
 */
struct touch {
	uint64_t generation;
	gboolean changed;
	gboolean fire;
	gboolean exact;
	char path[];
};

static uint64_t generation_of(const struct tree *tree, const char *path)
{
	const struct node *node = node_find(tree->root, path);

	return node ? node->generation : ABSENT;
}

struct transaction *transaction_new(struct xenstore *xs, const struct client *client,
				    uint32_t id)
{
	struct transaction *t = g_new0(struct transaction, 1);

	t->xs = xs;
	t->client = client;
	t->id = id;
	t->tree = tree_snapshot(xs->tree);
	t->touched = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	t->changed = g_ptr_array_new();
	return t;
}

static size_t touch_bytes(const char *path)
{
	return sizeof(struct touch) + strlen(path) + 1;
}

void transaction_free(struct transaction *t)
{
	GHashTableIter iter;
	gpointer path;

	g_hash_table_iter_init(&iter, t->touched);
	while (g_hash_table_iter_next(&iter, &path, NULL))
		t->client->account->bytes -= touch_bytes(path);
	g_hash_table_unref(t->touched);
	g_ptr_array_unref(t->changed);
	tree_free(t->tree);
	g_free(t);
}

static int touch_first(struct transaction *t, const char *path, struct touch **touch)
{
	size_t bytes = touch_bytes(path);

	if (!t->client->privileged && g_hash_table_size(t->touched) >= QUOTA_TRANSACTION_NODES)
		return ENOSPC;
	if (!account_allows(t->client->account, bytes))
		return ENOMEM;
	t->client->account->bytes += bytes;
	*touch = g_malloc0(bytes);
	(*touch)->generation = generation_of(t->tree, path);
	strcpy((*touch)->path, path);
	g_hash_table_insert(t->touched, (*touch)->path, *touch);
	return 0;
}

int transaction_touch(struct transaction *t, const char *path, gboolean change)
{
	struct touch *touch = g_hash_table_lookup(t->touched, path);
	int err = touch ? 0 : touch_first(t, path, &touch);

	if (err) {
		t->failed = TRUE;
		return err;
	}
	if (change && !touch->changed) {
		touch->changed = TRUE;
		g_ptr_array_add(t->changed, touch);
	}
	return 0;
}

void transaction_event(struct transaction *t, const char *path, gboolean exact)
{
	struct touch *touch = g_hash_table_lookup(t->touched, path);

	g_return_if_fail(touch);
	touch->exact = touch->fire ? touch->exact && exact : exact;
	touch->fire = TRUE;
}

static gboolean transaction_conflicts(const struct transaction *t)
{
	GHashTableIter iter;
	gpointer path, touch;

	g_hash_table_iter_init(&iter, t->touched);
	while (g_hash_table_iter_next(&iter, &path, &touch))
		if (generation_of(t->xs->tree, path) != ((struct touch *)touch)->generation)
			return TRUE;
	return FALSE;
}

/*
 * Brings one changed path over.  Whoever makes or removes a node changes the parent's
 * list of children as well, so after transaction_conflicts() the parent is there
 * whenever the node is.
 */
static void transaction_merge(const struct transaction *t, struct tree *to, const char *path)
{
	const struct node *node = node_find(t->tree->root, path);
	gboolean there = node_find(to->root, path) != NULL;
	uint64_t generation = ++t->xs->generation;

	if (!node) {
		if (there)
			tree_remove(to, path, generation);
		return;
	}
	if (!there)
		tree_add(to, path, node->perms, node->name->account, generation);
	tree_set_perms(to, path, node->perms, generation);
	tree_set_value(to, path, node->value, generation);
}

static void transaction_fire(const struct transaction *t, const struct node *old)
{
	const struct node *new = t->xs->tree->root;

	for (unsigned int i = 0; i < t->changed->len; i++) {
		const struct touch *touch = t->changed->pdata[i];
		gboolean existed = touch->generation != ABSENT;

		/* Made and removed again: nobody has seen it. */
		if (touch->fire && (existed || node_find(new, touch->path)))
			watches_fire(t->xs, touch->path, touch->exact, old, new);
	}
}

int transaction_commit(struct transaction *t)
{
	const struct client *client = t->client;
	struct tree *old = t->xs->tree;
	struct tree *new;

	if (t->failed)
		return ENOMEM;
	if (transaction_conflicts(t))
		return EAGAIN;
	new = tree_snapshot(old);
	for (unsigned int i = 0; i < t->changed->len; i++)
		transaction_merge(t, new, ((struct touch *)t->changed->pdata[i])->path);
	if (t->grew && !client->privileged && tree_owned(new, client->domid) > QUOTA_NODES) {
		tree_free(new);
		return ENOSPC;
	}
	t->xs->tree = new;
	transaction_fire(t, old->root);
	tree_free(old);
	return 0;
}
