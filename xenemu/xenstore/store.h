/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h - the inside of struct xenstore: operations on the tree with permissions,
 * quotas and watches, in a transaction or not
 */
#ifndef XENEMU_XENSTORE_STORE_H
#define XENEMU_XENSTORE_STORE_H

#include "xenstore/permissions.h"
#include "xenstore/tree.h"
#include "xenstore/xenstore.h"

/* xenstored's defaults (Xen 4.17 tools/xenstore/xenstored_core.c, quota_*) */
#define QUOTA_NODES 1000 /* that a domain owns */
#define QUOTA_ENTRY_BYTES 2048 /* value, children's names, permissions, header */
#define QUOTA_PERMISSIONS 5 /* of a node */
#define QUOTA_WATCHES 128 /* one more is let through, as by xenstored */
#define QUOTA_TRANSACTIONS 10 /* open at a time; likewise */
#define QUOTA_TRANSACTION_NODES 1024 /* that one transaction may touch */
#define QUOTA_BYTES (2560 << 10) /* of names, values and records, a domain */

struct transaction;
struct watch;

/**
 * struct xenstore - see xenstore.h
 * @tree:        the live tree
 * @generation:  of the latest change
 * @accounts:    struct account by domain id
 * @connections: GPtrArray of struct connection
 * @watches:     GPtrArray of struct watch, of all clients
 * @introduce_perms, @release_perms: who is told of the special events
 * @self:        the helper as a client
 * @next_watch:  next id of the helper's own watches
 * @deliveries:  events for the helper that wait for the main loop
 * @deliver:     source that delivers them, or 0
 * @trace:       where requests and replies are written, or NULL
 */
struct xenstore {
	struct tree *tree;
	uint64_t generation;
	GHashTable *accounts;
	GPtrArray *connections;
	GPtrArray *watches;
	GArray *introduce_perms;
	GArray *release_perms;
	struct client self;
	unsigned int next_watch;
	GQueue deliveries;
	guint deliver;
	FILE *trace;
};

/** store_account() - the account of domain @domid; lives as long as the store */
struct account *store_account(struct xenstore *xs, unsigned int domid);

/** store_introduced() - is the domain connected?  Domain 0 always is. */
gboolean store_introduced(const struct xenstore *xs, unsigned int domid);

/**
 * struct view - who looks at the store, and through what
 * @xs:          the store
 * @client:      on whose behalf
 * @transaction: a transaction of the client, or NULL for the live tree
 */
struct view {
	struct xenstore *xs;
	const struct client *client;
	struct transaction *transaction;
};

/*
 * All of the following return 0 or a positive errno value of xsd_errors.  @path may
 * be anything: EINVAL when it is no valid path.  EACCES also when the client may
 * not know whether the node exists.  Changes outside a transaction fire watches
 * before they return.
 */

/** view_node() - look up a node; @node is valid until the store changes */
int view_node(const struct view *view, const char *path, enum access want,
	      const struct node **node);

/** view_write() - set a value; makes the node and its parents if they are missing */
int view_write(const struct view *view, const char *path, const void *value, size_t len);

/** view_mkdir() - make a node and its parents if they are missing */
int view_mkdir(const struct view *view, const char *path);

/** view_remove() - remove a node and all below it; ENOENT without its parent */
int view_remove(const struct view *view, const char *path);

/**
 * view_get_perms() - who may do what
 * @path:  of a node, or "@introduceDomain" or "@releaseDomain"
 * @perms: valid until the store changes
 */
int view_get_perms(const struct view *view, const char *path, const GArray **perms);

/**
 * view_set_perms() - set permissions
 * @path:  likewise; of the special names, no transaction knows
 * @perms: a reference is taken if needed
 */
int view_set_perms(const struct view *view, const char *path, GArray *perms);

#endif
