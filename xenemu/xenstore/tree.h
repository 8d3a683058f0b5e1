/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.h - the store's data: a copy-on-write tree of refcounted nodes
 *
 * A node that has more than one reference never changes.  Whoever wants to change
 * it gets a copy, and so do all nodes above it; everything else is shared.  So a
 * snapshot is one reference to a root, and a transaction is a root.
 *
 * The tree knows nothing of connections, quotas or who may do what.  Paths given to
 * it are absolute and have passed path_valid().
 */
#ifndef XENEMU_XENSTORE_TREE_H
#define XENEMU_XENSTORE_TREE_H

#include <glib.h>
#include <stdint.h>

/**
 * struct account - what a domain costs us
 * @bytes: sum of the blobs and records charged to it
 * @limit: above this the domain's requests are refused
 */
struct account {
	size_t bytes;
	size_t limit;
};

/** account_allows() - is there room for @size further bytes? */
gboolean account_allows(const struct account *account, size_t size);

/**
 * struct blob - a name or a value: refcounted bytes, charged to an account as
 * long as any tree holds them
 * @refs:    references
 * @len:     length of @data, bytes
 * @account: who pays; outlives the blob
 * @data:    the bytes, and a nul that @len does not count
 */
struct blob {
	unsigned int refs;
	uint32_t len;
	struct account *account;
	char data[];
};

/** blob_new() - copy @len bytes; @bytes may be NULL when @len is 0 */
struct blob *blob_new(struct account *account, const void *bytes, size_t len);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob);

enum access {
	ACCESS_NONE = 0,
	ACCESS_READ = 1 << 0,
	ACCESS_WRITE = 1 << 1,
	ACCESS_OWNER = 1 << 2,
};

/**
 * struct permission - one entry of a node's permissions
 * @domid:  whom it is for; of the first entry: who owns the node
 * @access: ACCESS_READ | ACCESS_WRITE; of the first entry: for everybody who is
 *          not named by another entry
 */
struct permission {
	uint32_t domid;
	uint32_t access;
};

/**
 * struct node - a node of the store
 * @refs:       references: parents in all trees, roots, holders
 * @generation: of the last change of value, permissions or list of children;
 *              never 0
 * @name:       last component of the path, empty for the root
 * @value:      its value
 * @perms:      GArray of struct permission, at least one; never changed in place
 * @children:   GPtrArray of struct node in order of creation, or NULL
 * @child_bytes: length of all children's names with a nul each, as the replies of
 *              DIRECTORY and the quota count them
 */
struct node {
	unsigned int refs;
	uint32_t child_bytes;
	uint64_t generation;
	struct blob *name;
	struct blob *value;
	GArray *perms;
	GPtrArray *children;
};

struct node *node_ref(struct node *node);

/** node_unref() - drop a reference; NULL is allowed.  Does not recurse. */
void node_unref(struct node *node);

/** node_owner() - domain that owns @node */
unsigned int node_owner(const struct node *node);

/** node_find() - node at @path below @root, or NULL */
const struct node *node_find(const struct node *root, const char *path);

/**
 * struct tree - a version of the store that may be changed
 * @root:  root node
 * @owned: number of nodes by owner (GUINT keys and values)
 */
struct tree {
	struct node *root;
	GHashTable *owned;
};

/**
 * tree_new() - a tree with a root only
 * @account: who pays for the root's name and value
 * @perms:   the root's permissions; a reference is taken
 */
struct tree *tree_new(struct account *account, GArray *perms);

/** tree_snapshot() - a copy, in constant time as far as nodes are concerned */
struct tree *tree_snapshot(const struct tree *tree);
void tree_free(struct tree *tree);

/** tree_owned() - number of nodes that domain @domid owns in @tree */
unsigned int tree_owned(const struct tree *tree, unsigned int domid);

/**
 * tree_add() - make a node whose parent exists and that doesn't exist itself
 * @tree:       the tree
 * @path:       of the new node
 * @perms:      its permissions; a reference is taken
 * @account:    who pays for its name
 * @generation: for the new node and its parent
 */
void tree_add(struct tree *tree, const char *path, GArray *perms, struct account *account,
	      uint64_t generation);

/** tree_set_value() - of an existing node; a reference to @value is taken */
void tree_set_value(struct tree *tree, const char *path, struct blob *value,
		    uint64_t generation);

/** tree_set_perms() - of an existing node; a reference to @perms is taken */
void tree_set_perms(struct tree *tree, const char *path, GArray *perms, uint64_t generation);

/** tree_remove() - an existing node other than the root, with all below it */
void tree_remove(struct tree *tree, const char *path, uint64_t generation);

/**
 * node_walk() - call @visit for @node and everything below it, children first
 * @node:  where to start
 * @path:  its path
 * @visit: gets each node's path; returns FALSE to stop
 *
 * Does not recurse.  Return: FALSE if @visit stopped it.
 */
gboolean node_walk(const struct node *node, const char *path,
		   gboolean (*visit)(void *opaque, const char *path, const struct node *node),
		   void *opaque);

/** tree_check() - are names, counts and references of all of @tree consistent? */
gboolean tree_check(const struct tree *tree);

/** path_valid() - is @path an absolute path of the permitted characters and length? */
gboolean path_valid(const char *path);

/** path_parent() - "/a" of "/a/b", "/" of "/a" and of "/"; caller frees */
char *path_parent(const char *path);

/** path_is_below() - is @path the same as @above or anywhere below it? */
gboolean path_is_below(const char *path, const char *above);

#endif
