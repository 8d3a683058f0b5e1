/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenstore.c - the store as the rest of the helper uses it
 */
#include "xenstore/xenstore.h"
#include "xenstore/connection.h"
#include "xenstore/store.h"
#include "xenstore/transaction.h"
#include "xenstore/watch.h"
#include <string.h>

/* Beyond this many different paths a watch is told of its own path only. */
#define MAX_PENDING 1024

/**
 * struct own_watch - a watch of the helper itself
 * @xs:      the store
 * @id:      for xenstore_unwatch()
 * @fired, @opaque: whom to tell
 * @pending: set of paths that wait for delivery
 */
struct own_watch {
	struct xenstore *xs;
	unsigned int id;
	void (*fired)(void *opaque, const char *path);
	void *opaque;
	GHashTable *pending;
};

/* An event for the helper that waits for the main loop. */
struct delivery {
	unsigned int id;
	char *path;
};

struct xenstore *xenstore_new(FILE *trace)
{
	struct xenstore *xs = g_new0(struct xenstore, 1);

	xs->trace = trace;
	xs->generation = 1;
	xs->next_watch = 1;
	xs->accounts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	xs->connections = g_ptr_array_new();
	xs->watches = g_ptr_array_new();
	xs->introduce_perms = perms_new(0, ACCESS_NONE);
	xs->release_perms = perms_new(0, ACCESS_NONE);
	xs->self.privileged = TRUE;
	xs->self.account = store_account(xs, 0);
	xs->tree = tree_new(xs->self.account, xs->release_perms);
	g_queue_init(&xs->deliveries);
	return xs;
}

static void delivery_free(gpointer opaque)
{
	struct delivery *delivery = opaque;

	g_free(delivery->path);
	g_free(delivery);
}

static void own_watch_remove(struct xenstore *xs, struct watch *watch)
{
	struct own_watch *own = watch->opaque;

	watch_remove(xs, watch);
	g_hash_table_unref(own->pending);
	g_free(own);
}

void xenstore_free(struct xenstore *xs)
{
	if (!xs)
		return;
	while (xs->connections->len)
		connection_free(xs->connections->pdata[xs->connections->len - 1]);
	while (xs->watches->len)
		own_watch_remove(xs, xs->watches->pdata[xs->watches->len - 1]);
	if (xs->deliver)
		g_source_remove(xs->deliver);
	g_queue_clear_full(&xs->deliveries, delivery_free);
	tree_free(xs->tree);
	g_array_unref(xs->introduce_perms);
	g_array_unref(xs->release_perms);
	g_ptr_array_unref(xs->watches);
	g_ptr_array_unref(xs->connections);
	g_hash_table_unref(xs->accounts);
	g_free(xs);
}

/* Value and permissions in one transaction, so that watches fire once. */
gboolean xenstore_write(struct xenstore *xs, const char *path, const char *value,
			unsigned int owner, int reader)
{
	struct transaction *t = transaction_new(xs, &xs->self, 1);
	struct view view = { .xs = xs, .client = &xs->self, .transaction = t };
	GArray *perms = perms_new(owner, ACCESS_NONE);
	int err = view_write(&view, path, value, strlen(value));

	if (reader >= 0)
		perms_add(perms, reader, ACCESS_READ);
	if (!err)
		err = view_set_perms(&view, path, perms);
	if (!err)
		err = transaction_commit(t);
	g_array_unref(perms);
	transaction_free(t);
	return !err;
}

gboolean xenstore_set_perms(struct xenstore *xs, const char *path, GArray *perms)
{
	struct view view = { .xs = xs, .client = &xs->self };

	return !view_set_perms(&view, path, perms);
}

char *xenstore_read(struct xenstore *xs, const char *path)
{
	struct view view = { .xs = xs, .client = &xs->self };
	const struct node *node;

	if (view_node(&view, path, ACCESS_READ, &node))
		return NULL;
	return g_strndup(node->value->data, node->value->len);
}

char **xenstore_list(struct xenstore *xs, const char *path)
{
	struct view view = { .xs = xs, .client = &xs->self };
	g_autoptr(GStrvBuilder) names = NULL;
	const struct node *node;

	if (view_node(&view, path, ACCESS_READ, &node))
		return NULL;
	names = g_strv_builder_new();
	for (unsigned int i = 0; node->children && i < node->children->len; i++) {
		const struct node *child = node->children->pdata[i];

		g_strv_builder_add(names, child->name->data);
	}
	return g_strv_builder_end(names);
}

gboolean xenstore_remove(struct xenstore *xs, const char *path)
{
	struct view view = { .xs = xs, .client = &xs->self };
	const struct node *node;

	if (view_node(&view, path, ACCESS_WRITE, &node))
		return FALSE;
	return !view_remove(&view, path);
}

static struct watch *own_watch_find(const struct xenstore *xs, unsigned int id)
{
	for (unsigned int i = 0; i < xs->watches->len; i++) {
		struct watch *watch = xs->watches->pdata[i];

		if (watch->client == &xs->self && ((struct own_watch *)watch->opaque)->id == id)
			return watch;
	}
	return NULL;
}

/* One event a turn: what is called may add and remove watches. */
static gboolean deliver(gpointer opaque)
{
	struct xenstore *xs = opaque;
	struct delivery *delivery = g_queue_pop_head(&xs->deliveries);
	gboolean more = !g_queue_is_empty(&xs->deliveries);
	struct watch *watch;

	if (!more)
		xs->deliver = 0;
	watch = delivery ? own_watch_find(xs, delivery->id) : NULL;
	if (watch) {
		struct own_watch *own = watch->opaque;

		g_hash_table_remove(own->pending, delivery->path);
		own->fired(own->opaque, delivery->path);
	}
	if (delivery)
		delivery_free(delivery);
	return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void own_event(struct watch *watch, const char *path)
{
	struct own_watch *own = watch->opaque;
	struct xenstore *xs = own->xs;
	struct delivery *delivery;

	if (g_hash_table_size(own->pending) >= MAX_PENDING)
		path = watch->path;
	if (!g_hash_table_add(own->pending, g_strdup(path)))
		return;
	delivery = g_new(struct delivery, 1);
	delivery->id = own->id;
	delivery->path = g_strdup(path);
	g_queue_push_tail(&xs->deliveries, delivery);
	if (!xs->deliver)
		xs->deliver = g_idle_add_full(G_PRIORITY_DEFAULT, deliver, xs, NULL);
}

unsigned int xenstore_watch(struct xenstore *xs, const char *path,
			    void (*fired)(void *opaque, const char *path), void *opaque)
{
	struct watch *watch = watch_add(xs, &xs->self, path, "", 0);
	struct own_watch *own = g_new0(struct own_watch, 1);

	own->xs = xs;
	own->id = xs->next_watch++;
	own->fired = fired;
	own->opaque = opaque;
	own->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	watch->opaque = own;
	watch->event = own_event;
	own_event(watch, path);
	return own->id;
}

void xenstore_unwatch(struct xenstore *xs, unsigned int id)
{
	struct watch *watch = own_watch_find(xs, id);

	if (watch)
		own_watch_remove(xs, watch);
}
