/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * permissions.h - who may do what with a node, and how that is written
 */
#ifndef XENEMU_XENSTORE_PERMISSIONS_H
#define XENEMU_XENSTORE_PERMISSIONS_H

#include "xenstore/tree.h"

/**
 * struct client - somebody who uses the store
 * @domid:      its domain
 * @privileged: it may do everything, without quotas (domain 0)
 * @account:    who pays for what it stores
 */
struct client {
	unsigned int domid;
	gboolean privileged;
	struct account *account;
};

/** perms_new() - permissions of one entry: owner @domid, everybody else @access */
GArray *perms_new(unsigned int domid, unsigned int access);

/** perms_add() - another entry, as long as nobody shares @perms */
void perms_add(GArray *perms, unsigned int domid, unsigned int access);

/** perms_allow() - ACCESS_* bits that @perms give to @client */
unsigned int perms_allow(const GArray *perms, const struct client *client);

/**
 * perms_parse() - "n0\0r1\0" as SET_PERMS carries it
 * @strings: nul-terminated strings
 * @len:     their length with all nuls, bytes; the last byte is a nul
 *
 * Return: GArray of struct permission; NULL when any string is malformed or there
 * is none.
 */
GArray *perms_parse(const char *strings, size_t len);

/** perms_format() - append the strings, each with its nul, to @strings */
void perms_format(const GArray *perms, GByteArray *strings);

#endif
