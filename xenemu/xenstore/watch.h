/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h - who is told of which changes
 */
#ifndef XENEMU_XENSTORE_WATCH_H
#define XENEMU_XENSTORE_WATCH_H

#include "xenstore/store.h"

/**
 * struct watch - a watch
 * @client: whose it is
 * @path:   absolute path, or "@..." for special events
 * @token:  the client's name for it
 * @base:   length of the prefix that event paths leave out, 0 for none
 * @event:  called for each event with the path as the client knows it; must not
 *          change the store or any watch
 * @opaque: for @event
 * @lost:   @event had to drop events
 */
struct watch {
	const struct client *client;
	char *path;
	char *token;
	size_t base;
	void (*event)(struct watch *watch, const char *path);
	void *opaque;
	gboolean lost;
};

/** watch_add() - copies @path and @token.  Does not fire. */
struct watch *watch_add(struct xenstore *xs, const struct client *client, const char *path,
			const char *token, size_t base);

/** watch_find() - the watch of @client on absolute @path with @token, or NULL */
struct watch *watch_find(struct xenstore *xs, const struct client *client, const char *path,
			 const char *token);

/** watch_remove() - remove and free */
void watch_remove(struct xenstore *xs, struct watch *watch);

/** watch_path() - absolute @path as the watch's client knows it */
const char *watch_path(const struct watch *watch, const char *path);

/** watches_count(), watches_remove() - all of a client */
unsigned int watches_count(const struct xenstore *xs, const struct client *client);
void watches_remove(struct xenstore *xs, const struct client *client);

/**
 * watches_fire() - a node changed
 * @path:  its path
 * @exact: only watches on @path itself, not those above it
 * @old, @new: roots before and after; who may read the node or its parent in
 *         either is told
 */
void watches_fire(struct xenstore *xs, const char *path, gboolean exact, const struct node *old,
		  const struct node *new);

/** watches_fire_special() - "@introduceDomain" or "@releaseDomain" happened */
void watches_fire_special(struct xenstore *xs, const char *name);

#endif
