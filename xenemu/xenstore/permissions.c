/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * permissions.c - who may do what with a node, and how that is written
 */
#include "xenstore/permissions.h"
#include <string.h>

#define DOMID_MAX 65535

GArray *perms_new(unsigned int domid, unsigned int access)
{
	GArray *perms = g_array_new(FALSE, FALSE, sizeof(struct permission));

	perms_add(perms, domid, access);
	return perms;
}

void perms_add(GArray *perms, unsigned int domid, unsigned int access)
{
	struct permission permission = { .domid = domid, .access = access };

	g_array_append_val(perms, permission);
}

/*
 * The owner may do everything; then the first entry that names the client counts;
 * who is not named gets what the owner's entry says (Xen 4.17 perm_for_conn()).
 */
unsigned int perms_allow(const GArray *perms, const struct client *client)
{
	const struct permission *entry = &g_array_index(perms, struct permission, 0);

	if (client->privileged || entry->domid == client->domid)
		return ACCESS_READ | ACCESS_WRITE | ACCESS_OWNER;
	for (unsigned int i = 1; i < perms->len; i++)
		if (entry[i].domid == client->domid)
			return entry[i].access;
	return entry->access;
}

static const char letters[] = {
	[ACCESS_NONE] = 'n',
	[ACCESS_READ] = 'r',
	[ACCESS_WRITE] = 'w',
	[ACCESS_READ | ACCESS_WRITE] = 'b',
};

static gboolean perms_parse_one(const char *string, struct permission *permission)
{
	const char *letter = memchr(letters, string[0], sizeof(letters));
	guint64 domid;

	if (!letter || !g_ascii_string_to_unsigned(string + 1, 10, 0, DOMID_MAX, &domid, NULL))
		return FALSE;
	permission->access = letter - letters;
	permission->domid = domid;
	return TRUE;
}

GArray *perms_parse(const char *strings, size_t len)
{
	GArray *perms = g_array_new(FALSE, FALSE, sizeof(struct permission));
	struct permission permission;

	for (size_t at = 0; at < len; at += strlen(strings + at) + 1) {
		if (!perms_parse_one(strings + at, &permission))
			goto malformed;
		g_array_append_val(perms, permission);
	}
	if (perms->len)
		return perms;
malformed:
	g_array_unref(perms);
	return NULL;
}

void perms_format(const GArray *perms, GByteArray *strings)
{
	for (unsigned int i = 0; i < perms->len; i++) {
		const struct permission *entry = &g_array_index(perms, struct permission, i);
		char text[16];
		int len = g_snprintf(text, sizeof(text), "%c%u", letters[entry->access],
				     entry->domid);

		g_byte_array_append(strings, (const guint8 *)text, len + 1);
	}
}
