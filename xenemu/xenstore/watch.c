/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.c - who is told of which changes
 */
#include "xenstore/watch.h"
#include <string.h>

struct watch *watch_add(struct xenstore *xs, const struct client *client, const char *path,
			const char *token, size_t base)
{
	struct watch *watch = g_new0(struct watch, 1);

	watch->client = client;
	watch->path = g_strdup(path);
	watch->token = g_strdup(token);
	watch->base = base;
	g_ptr_array_add(xs->watches, watch);
	return watch;
}

struct watch *watch_find(struct xenstore *xs, const struct client *client, const char *path,
			 const char *token)
{
	for (unsigned int i = 0; i < xs->watches->len; i++) {
		struct watch *watch = xs->watches->pdata[i];

		if (watch->client == client && !strcmp(watch->path, path) &&
		    !strcmp(watch->token, token))
			return watch;
	}
	return NULL;
}

static void watch_free(struct watch *watch)
{
	g_free(watch->path);
	g_free(watch->token);
	g_free(watch);
}

void watch_remove(struct xenstore *xs, struct watch *watch)
{
	g_ptr_array_remove(xs->watches, watch);
	watch_free(watch);
}

unsigned int watches_count(const struct xenstore *xs, const struct client *client)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < xs->watches->len; i++) {
		const struct watch *watch = xs->watches->pdata[i];

		count += watch->client == client;
	}
	return count;
}

void watches_remove(struct xenstore *xs, const struct client *client)
{
	for (unsigned int i = xs->watches->len; i-- > 0;) {
		struct watch *watch = xs->watches->pdata[i];

		if (watch->client != client)
			continue;
		g_ptr_array_remove_index(xs->watches, i);
		watch_free(watch);
	}
}

const char *watch_path(const struct watch *watch, const char *path)
{
	path += watch->base;
	return watch->base && *path == '/' ? path + 1 : path;
}

static gboolean readable(const struct node *root, const char *path, const struct client *client)
{
	const struct node *node = node_find(root, path);

	return node && perms_allow(node->perms, client) & ACCESS_READ;
}

/* As Xen 4.17 watch_permitted(): the node or its parent, as they are or were. */
static gboolean permitted(const struct client *client, const char *path, const char *parent,
			  const struct node *old, const struct node *new)
{
	return readable(old, path, client) || readable(new, path, client) ||
	       readable(old, parent, client) || readable(new, parent, client);
}

void watches_fire(struct xenstore *xs, const char *path, gboolean exact, const struct node *old,
		  const struct node *new)
{
	g_autofree char *parent = path_parent(path);

	for (unsigned int i = 0; i < xs->watches->len; i++) {
		struct watch *watch = xs->watches->pdata[i];

		if (exact ? strcmp(path, watch->path) : !path_is_below(path, watch->path))
			continue;
		if (permitted(watch->client, path, parent, old, new))
			watch->event(watch, watch_path(watch, path));
	}
}

void watches_fire_special(struct xenstore *xs, const char *name)
{
	const GArray *perms = strcmp(name, "@releaseDomain") ? xs->introduce_perms
							     : xs->release_perms;

	for (unsigned int i = 0; i < xs->watches->len; i++) {
		struct watch *watch = xs->watches->pdata[i];

		if (!strcmp(watch->path, name) &&
		    perms_allow(perms, watch->client) & ACCESS_READ)
			watch->event(watch, name);
	}
}
