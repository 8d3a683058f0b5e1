/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenstore.h - the store of one guest, and connections to it
 *
 * A copy-on-write tree; a transaction is a root.  The wire protocol
 * (docs/misc/xenstore.txt of Xen) is spoken by connections: the guest's ring,
 * or a socket.  Runs on the main thread.
 */
#ifndef XENEMU_XENSTORE_XENSTORE_H
#define XENEMU_XENSTORE_XENSTORE_H

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

struct xenstore;

/**
 * xenstore_new() - an empty store
 * @trace: where requests and replies are written as text, or NULL
 */
struct xenstore *xenstore_new(FILE *trace);

/** xenstore_free() - after its rings; NULL is allowed */
void xenstore_free(struct xenstore *xs);

/**
 * xenstore_write() - the toolstack's own writes (domain 0, no transaction)
 * @path:  absolute path; missing parents are made
 * @value: string value
 * @owner: domain that owns the node and may write it
 * @reader: a domain that may read it too, or -1
 *
 * Fires watches.  Return: FALSE when @path is not valid.
 */
gboolean xenstore_write(struct xenstore *xs, const char *path, const char *value,
			unsigned int owner, int reader);

/**
 * xenstore_set_perms() - other permissions than xenstore_write() can give
 * @perms: struct permission; a reference is taken
 *
 * Return: FALSE when there is no such node.
 */
gboolean xenstore_set_perms(struct xenstore *xs, const char *path, GArray *perms);

/** xenstore_read() - value of a node as domain 0, or NULL; caller frees */
char *xenstore_read(struct xenstore *xs, const char *path);

/**
 * xenstore_list() - names of a node's children, in the order of their creation
 *
 * Return: NULL-terminated, g_strfreev() it; NULL when there is no such node.
 */
char **xenstore_list(struct xenstore *xs, const char *path);

/**
 * xenstore_remove() - remove a node and all below it, as domain 0
 *
 * Fires watches.  Return: FALSE when there is no such node, or it is the root.
 */
gboolean xenstore_remove(struct xenstore *xs, const char *path);

/**
 * xenstore_watch() - the helper's own watch
 * @path: fires for it and all below it, and once at registration
 * @fired: called from the main loop, never from inside a store call
 * Return: an id for xenstore_unwatch()
 */
unsigned int xenstore_watch(struct xenstore *xs, const char *path,
			    void (*fired)(void *opaque, const char *path), void *opaque);
void xenstore_unwatch(struct xenstore *xs, unsigned int id);

/**
 * struct xenstore_ring - a guest's connection through its shared page
 */
struct xenstore_ring;

/**
 * xenstore_ring_new() - serve a guest's ring
 * @xs:     the store
 * @domid:  who it is
 * @page:   struct xenstore_domain_interface in guest memory (hostile)
 * @notify: raises the guest's event channel; must not use the ring
 * @failed: the ring is broken (indices far ahead, malformed header): the
 *          connection is dead from then on; the reason is for the user.  Called from
 *          xenstore_ring_kick() or the main loop.  May free the ring, but not the store
 * @opaque: for both
 */
struct xenstore_ring *xenstore_ring_new(struct xenstore *xs, unsigned int domid, void *page,
					void (*notify)(void *opaque),
					void (*failed)(void *opaque, const char *reason),
					void *opaque);

/** xenstore_ring_kick() - the guest sent an event: look at the ring */
void xenstore_ring_kick(struct xenstore_ring *ring);

/** xenstore_ring_free() - before its store; NULL is allowed */
void xenstore_ring_free(struct xenstore_ring *ring);

/**
 * struct xenstore_socket - the store's Unix socket for tools of the host
 */
struct xenstore_socket;

/**
 * xenstore_socket_new() - listen
 * @xs:    the store
 * @path:  of the socket, which must not exist
 * @error: of G_IO_ERROR; names @path
 *
 * Whoever connects is domain 0: who may, is up to the permissions of the directory.
 */
struct xenstore_socket *xenstore_socket_new(struct xenstore *xs, const char *path,
					    GError **error);

/** xenstore_socket_free() - before its store; removes the socket; NULL is allowed */
void xenstore_socket_free(struct xenstore_socket *sock);

#endif
