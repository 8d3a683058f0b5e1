/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.c - operations on the tree with permissions, quotas and watches, in a
 * transaction or not
 */
#include <errno.h> /* before xs_wire.h, which looks for EINVAL */

#include "xenstore/connection.h"
#include "xenstore/store.h"
#include "xenstore/transaction.h"
#include "xenstore/watch.h"
#include <string.h>
#include <xen/xen.h>

/*
 * What xenstored adds to a node's content when it holds it against the quota:
 * struct xs_tdb_record_hdr and a struct xs_permissions for each entry (Xen 4.17).
 */
#define ENTRY_HEADER 24
#define ENTRY_PERMISSION 8

struct account *store_account(struct xenstore *xs, unsigned int domid)
{
	struct account *account = g_hash_table_lookup(xs->accounts, GUINT_TO_POINTER(domid));

	if (account)
		return account;
	account = g_new0(struct account, 1);
	account->limit = domid ? QUOTA_BYTES : SIZE_MAX;
	g_hash_table_insert(xs->accounts, GUINT_TO_POINTER(domid), account);
	return account;
}

gboolean store_introduced(const struct xenstore *xs, unsigned int domid)
{
	if (domid == 0 || domid == DOMID_SELF)
		return TRUE;
	for (unsigned int i = 0; i < xs->connections->len; i++) {
		const struct connection *conn = xs->connections->pdata[i];

		if (conn->client.domid == domid)
			return TRUE;
	}
	return FALSE;
}

static struct tree *view_tree(const struct view *view)
{
	return view->transaction ? view->transaction->tree : view->xs->tree;
}

static const struct node *view_find(const struct view *view, const char *path)
{
	return node_find(view_tree(view)->root, path);
}

static int view_touch(const struct view *view, const char *path, gboolean change)
{
	return view->transaction ? transaction_touch(view->transaction, path, change) : 0;
}

/* The last node above @path that is there; @len: length of its path, 0 for the root. */
static const struct node *view_nearest(const struct view *view, const char *path, size_t *len)
{
	g_autofree char *above = path_parent(path);
	const struct node *node;

	while (!(node = view_find(view, above))) {
		char *next = path_parent(above);

		g_free(above);
		above = next;
	}
	*len = strcmp(above, "/") ? strlen(above) : 0;
	return node;
}

/*
 * A client may have access to a node but none to those above it.  Where it has not,
 * the error must not tell whether there is such a node (Xen 4.17
 * errno_from_parents()).
 */
static int hide_error(const struct view *view, const char *path, enum access want, int err)
{
	size_t len;
	const struct node *node = view_nearest(view, path, &len);

	return perms_allow(node->perms, view->client) & want ? err : EACCES;
}

int view_node(const struct view *view, const char *path, enum access want,
	      const struct node **node)
{
	int err;

	*node = NULL;
	if (!path_valid(path))
		return EINVAL;
	err = view_touch(view, path, FALSE);
	if (err)
		return err;
	*node = view_find(view, path);
	if (!*node)
		return hide_error(view, path, want, ENOENT);
	if ((perms_allow((*node)->perms, view->client) & want) == want)
		return 0;
	*node = NULL;
	return hide_error(view, path, want, EACCES);
}

/* Would a node with so much in it be too large for the client? */
static int check_entry(const struct view *view, unsigned int nr_perms, size_t value,
		       size_t children)
{
	size_t bytes = ENTRY_HEADER + nr_perms * ENTRY_PERMISSION + value + children;

	return !view->client->privileged && bytes >= QUOTA_ENTRY_BYTES ? ENOSPC : 0;
}

static int check_account(const struct view *view, size_t bytes)
{
	return account_allows(view->client->account, bytes) ? 0 : ENOMEM;
}

/* Length of the first part of @path that is longer than @len, whole components. */
static size_t path_next(const char *path, size_t len)
{
	return len + 1 + strcspn(path + len + 1, "/");
}

/* May the client make everything that is missing of @path, with @value bytes in it? */
static int check_create(const struct view *view, const char *path, size_t value)
{
	size_t len, next, end = strlen(path), bytes = 0;
	const struct node *nearest = view_nearest(view, path, &len);
	unsigned int nr_perms = nearest->perms->len;
	unsigned int nodes = 0;
	int err;

	next = path_next(path, len);
	err = check_entry(view, nr_perms, nearest->value->len,
			  nearest->child_bytes + next - len);
	for (; !err && len < end; len = next, nodes++) {
		next = path_next(path, len);
		bytes += sizeof(struct node) + 2 * sizeof(struct blob) + next - len;
		err = check_entry(view, nr_perms, next == end ? value : 0,
				  next == end ? 0 : path_next(path, next) - next);
	}
	if (err)
		return err;
	if (!view->client->privileged &&
	    tree_owned(view_tree(view), view->client->domid) + nodes > QUOTA_NODES)
		return ENOSPC;
	return check_account(view, bytes + value);
}

/* Permissions are inherited, but an unprivileged domain owns what it makes. */
static GArray *inherit_perms(const struct view *view, const struct node *parent)
{
	GArray *perms = g_array_copy(parent->perms);

	if (!view->client->privileged)
		g_array_index(perms, struct permission, 0).domid = view->client->domid;
	return perms;
}

static int touch_missing(const struct view *view, const char *path, size_t len)
{
	g_autofree char *above = len ? g_strndup(path, len) : g_strdup("/");
	int err = view_touch(view, above, TRUE);

	while (!err && path[len]) {
		g_autofree char *part = NULL;

		len = path_next(path, len);
		part = g_strndup(path, len);
		err = view_touch(view, part, TRUE);
	}
	return err;
}

/* Makes everything that is missing of @path, which is not there. */
static int create(const struct view *view, const char *path, size_t value)
{
	struct tree *tree = view_tree(view);
	const struct node *nearest;
	GArray *perms;
	size_t len;
	int err = check_create(view, path, value);

	if (err)
		return err;
	nearest = view_nearest(view, path, &len);
	perms = inherit_perms(view, nearest);
	err = view->transaction ? touch_missing(view, path, len) : 0;
	while (!err && path[len]) {
		g_autofree char *part = NULL;

		len = path_next(path, len);
		part = g_strndup(path, len);
		tree_add(tree, part, perms, view->client->account, ++view->xs->generation);
	}
	g_array_unref(perms);
	if (!err && view->transaction)
		view->transaction->grew = TRUE;
	return err;
}

/* A change of @path is complete: tell, now or at commit.  Drops the reference to @old. */
static void changed(const struct view *view, const char *path, struct node *old)
{
	if (view->transaction)
		transaction_event(view->transaction, path, FALSE);
	else
		watches_fire(view->xs, path, FALSE, old, view->xs->tree->root);
	node_unref(old);
}

/* The root as it is before a change; keeps the change from being made in place. */
static struct node *before(const struct view *view)
{
	return node_ref(view_tree(view)->root);
}

static int check_write(const struct view *view, const struct node *node, size_t len)
{
	int err = check_entry(view, node->perms->len, len, node->child_bytes);

	return err ? err : check_account(view, sizeof(struct blob) + len);
}

int view_write(const struct view *view, const char *path, const void *value, size_t len)
{
	const struct node *node;
	struct node *old;
	struct blob *blob;
	int err = view_node(view, path, ACCESS_WRITE, &node);

	if (err && err != ENOENT)
		return err;
	old = before(view);
	err = node ? check_write(view, node, len) : create(view, path, len);
	if (!err)
		err = view_touch(view, path, TRUE);
	if (err) {
		node_unref(old);
		return err;
	}
	blob = blob_new(view->client->account, value, len);
	tree_set_value(view_tree(view), path, blob, ++view->xs->generation);
	blob_unref(blob);
	changed(view, path, old);
	return 0;
}

int view_mkdir(const struct view *view, const char *path)
{
	const struct node *node;
	struct node *old;
	int err = view_node(view, path, ACCESS_WRITE, &node);

	if (err != ENOENT)
		return err;
	old = before(view);
	err = create(view, path, 0);
	if (err)
		node_unref(old);
	else
		changed(view, path, old);
	return err;
}

static gboolean touch_removed(void *opaque, const char *path,
			      const struct node *node G_GNUC_UNUSED)
{
	return !transaction_touch(opaque, path, TRUE);
}

static gboolean event_removed(void *opaque, const char *path,
			      const struct node *node G_GNUC_UNUSED)
{
	transaction_event(opaque, path, TRUE);
	return TRUE;
}

static int remove_in_transaction(const struct view *view, const char *path,
				 const struct node *node)
{
	struct transaction *t = view->transaction;
	g_autofree char *parent = path_parent(path);
	int err = transaction_touch(t, parent, TRUE);

	if (err)
		return err;
	if (!node_walk(node, path, touch_removed, t))
		return ENOSPC;
	node_walk(node, path, event_removed, t);
	transaction_event(t, path, FALSE);
	tree_remove(t->tree, path, ++view->xs->generation);
	return 0;
}

struct removal {
	struct xenstore *xs;
	const char *path;
	const struct node *old;
};

static gboolean fire_removed(void *opaque, const char *path,
			     const struct node *node G_GNUC_UNUSED)
{
	const struct removal *removal = opaque;

	watches_fire(removal->xs, path, strcmp(path, removal->path) != 0, removal->old,
		     removal->xs->tree->root);
	return TRUE;
}

static void remove_live(const struct view *view, const char *path)
{
	struct node *old = before(view);
	struct removal removal = { .xs = view->xs, .path = path, .old = old };

	tree_remove(view->xs->tree, path, ++view->xs->generation);
	node_walk(node_find(old, path), path, fire_removed, &removal);
	node_unref(old);
}

/* Nothing to remove is fine as long as there is something it could be in. */
static int remove_absent(const struct view *view, const char *path)
{
	g_autofree char *parent = path_parent(path);

	return view_find(view, parent) ? 0 : ENOENT;
}

int view_remove(const struct view *view, const char *path)
{
	const struct node *node;
	int err = view_node(view, path, ACCESS_WRITE, &node);

	if (err == ENOENT)
		return remove_absent(view, path);
	if (err)
		return err;
	if (!strcmp(path, "/"))
		return EINVAL;
	if (view->transaction)
		return remove_in_transaction(view, path, node);
	remove_live(view, path);
	return 0;
}

static unsigned int owner_of(const GArray *perms)
{
	return g_array_index(perms, struct permission, 0).domid;
}

/* Where the permissions of "@introduceDomain" and "@releaseDomain" are; NULL of others. */
static GArray **special_perms(struct xenstore *xs, const char *name)
{
	if (!strcmp(name, "@introduceDomain"))
		return &xs->introduce_perms;
	return !strcmp(name, "@releaseDomain") ? &xs->release_perms : NULL;
}

static int set_special_perms(const struct view *view, GArray **special, GArray *perms)
{
	unsigned int want = ACCESS_WRITE | ACCESS_OWNER;

	if ((perms_allow(*special, view->client) & want) != want)
		return EACCES;
	g_array_ref(perms);
	g_array_unref(*special);
	*special = perms;
	return 0;
}

int view_get_perms(const struct view *view, const char *path, const GArray **perms)
{
	GArray **special = special_perms(view->xs, path);
	const struct node *node;
	int err;

	if (special) {
		*perms = *special;
		return perms_allow(*special, view->client) & ACCESS_READ ? 0 : EACCES;
	}
	err = view_node(view, path, ACCESS_READ, &node);
	*perms = err ? NULL : node->perms;
	return err;
}

int view_set_perms(const struct view *view, const char *path, GArray *perms)
{
	GArray **special = special_perms(view->xs, path);
	const struct node *node;
	struct node *old;
	int err;

	if (!view->client->privileged && perms->len > QUOTA_PERMISSIONS)
		return ENOSPC;
	if (special)
		return set_special_perms(view, special, perms);
	err = view_node(view, path, ACCESS_WRITE | ACCESS_OWNER, &node);
	if (err)
		return err;
	if (!view->client->privileged && owner_of(perms) != node_owner(node))
		return EPERM;
	err = check_entry(view, perms->len, node->value->len, node->child_bytes);
	if (!err)
		err = view_touch(view, path, TRUE);
	if (err)
		return err;
	old = before(view);
	tree_set_perms(view_tree(view), path, perms, ++view->xs->generation);
	changed(view, path, old);
	return 0;
}
