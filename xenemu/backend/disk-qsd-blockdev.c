/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-qsd-blockdev.c - a disk's description as QEMU's block layer wants it
 *
 * As JSON, so that no name can be taken for an option.
 */
#include "backend/disk-nbd.h"
#include "backend/disk-qsd.h"
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>

static void set(JsonBuilder *json, const char *name, const char *value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_string_value(json, value);
}

static void set_bool(JsonBuilder *json, const char *name, gboolean value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_boolean_value(json, value);
}

static gboolean refuse(GError **error, const struct disk_spec *spec, const char *what)
{
	g_set_error(error, DISK_ERROR, DISK_ERROR_UNSUPPORTED, "%s: %s", spec->target, what);
	return FALSE;
}

/* --- the node that has the bytes --- */

static gboolean set_nbd(JsonBuilder *json, const struct disk_spec *spec, GError **error)
{
	g_autoptr(GUri) uri = g_uri_parse(spec->target, G_URI_FLAGS_NONE, NULL);
	const char *query = uri ? g_uri_get_query(uri) : NULL;
	g_autoptr(GHashTable) words =
		query ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
	const char *path = uri ? g_uri_get_path(uri) : NULL;
	const char *host = uri ? g_uri_get_host(uri) : NULL;
	const char *socket = words ? g_hash_table_lookup(words, "socket") : NULL;
	g_autofree char *port = g_strdup_printf(
		"%d", uri && g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : 10809);

	if (!socket && (!host || !*host))
		return refuse(error, spec, "no NBD URI; give nbd://HOST:PORT/EXPORT");
	set(json, "driver", "nbd");
	set(json, "export", path && *path == '/' ? path + 1 : "");
	json_builder_set_member_name(json, "reconnect-delay");
	json_builder_add_int_value(json, spec->reconnect);
	json_builder_set_member_name(json, "server");
	json_builder_begin_object(json);
	set(json, "type", socket ? "unix" : "inet");
	set(json, socket ? "path" : "host", socket ? socket : host);
	if (!socket)
		set(json, "port", port);
	json_builder_end_object(json);
	return TRUE;
}

static gboolean set_file(JsonBuilder *json, const struct disk_spec *spec, gboolean io_uring)
{
	struct stat st;
	gboolean is_device = !stat(spec->target, &st) && S_ISBLK(st.st_mode);

	set(json, "driver", is_device ? "host_device" : "file");
	set(json, "filename", spec->target);
	set(json, "locking", spec->locked ? "auto" : "off");
	if (io_uring)
		set(json, "aio", "io_uring");
	return TRUE;
}

static gboolean set_url(JsonBuilder *json, const struct disk_spec *spec, GError **error)
{
	static const char *const schemes[] = { "http", "https", "ftp", "ftps", NULL };
	g_autofree char *scheme = g_uri_parse_scheme(spec->target);

	if (!scheme || !g_strv_contains(schemes, scheme))
		return refuse(error, spec,
			      "no such kind of URI; give target=json:{...} with the options "
			      "of QEMU's block layer");
	set(json, "driver", scheme);
	set(json, "url", spec->target);
	return TRUE;
}

static gboolean set_json(JsonBuilder *json, const struct disk_spec *spec, GError **error)
{
	g_autoptr(JsonNode) node = json_from_string(spec->target + strlen("json:"), NULL);

	if (!node || !JSON_NODE_HOLDS_OBJECT(node))
		return refuse(error, spec, "no JSON object after json:");
	json_builder_add_value(json, g_steal_pointer(&node));
	return TRUE;
}

static gboolean set_store(JsonBuilder *json, const struct disk_spec *spec, gboolean io_uring,
			  GError **error)
{
	gboolean ok;

	json_builder_set_member_name(json, "file");
	if (g_str_has_prefix(spec->target, "json:"))
		return set_json(json, spec, error);
	json_builder_begin_object(json);
	if (spec->discard && !spec->read_only)
		set(json, "discard", "unmap");
	if (disk_spec_is_file(spec))
		ok = set_file(json, spec, io_uring);
	else if (disk_nbd_is_uri(spec->target))
		ok = set_nbd(json, spec, error);
	else
		ok = set_url(json, spec, error);
	json_builder_end_object(json);
	return ok;
}

char *qsd_blockdev(const struct disk_spec *spec, gboolean io_uring, GError **error)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autoptr(JsonNode) root = NULL;

	json_builder_begin_object(json);
	set(json, "driver", spec->format);
	set(json, "node-name", "disk");
	set_bool(json, "read-only", spec->read_only);
	if (spec->discard && !spec->read_only)
		set(json, "discard", "unmap");
	if (!set_store(json, spec, io_uring, error))
		return NULL;
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	return json_to_string(root, FALSE);
}
