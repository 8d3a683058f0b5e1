/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.c - the requests of the store's protocol
 *
 * docs/misc/xenstore.txt of Xen; where that is silent, xenstored of Xen 4.17.
 */
#include <errno.h> /* before xs_wire.h, which looks for EINVAL */

#include "xenstore/transaction.h"
#include "xenstore/watch.h"
#include "xenstore/wire-control.h"
#include "xenstore/wire.h"
#include <string.h>

/**
 * struct request - a request that is being served
 * @conn:  whose it is
 * @view:  the store as the request is to see it
 * @data:  payload, with a nul after its end
 * @len:   length of the payload, bytes
 * @reply: payload of the reply
 * @watch: a new watch, which fires after the reply
 */
struct request {
	struct connection *conn;
	struct view view;
	const char *data;
	size_t len;
	GByteArray *reply;
	struct watch *watch;
};

static void reply_bytes(struct request *req, const void *bytes, size_t len)
{
	if (len)
		g_byte_array_append(req->reply, bytes, len);
}

static void reply_string(struct request *req, const char *string)
{
	reply_bytes(req, string, strlen(string) + 1);
}

static int reply_ok(struct request *req, int err)
{
	if (!err)
		reply_string(req, "OK");
	return err;
}

/* The payload if it is one string and nothing else, or NULL. */
static const char *only_string(const struct request *req)
{
	return req->len && strlen(req->data) + 1 == req->len ? req->data : NULL;
}

static unsigned int count_strings(const struct request *req)
{
	unsigned int count = 0;

	for (size_t i = 0; i < req->len; i++)
		count += !req->data[i];
	return count;
}

static const char *next_string(const char *string)
{
	return string + strlen(string) + 1;
}

/*
 * Makes a path absolute.  NULL when a relative path is too long; whether the result
 * is valid otherwise is checked where it is used.
 */
static char *absolute(const struct request *req, const char *path)
{
	if (path[0] == '/' || path[0] == '@')
		return g_strdup(path);
	if (strlen(path) > XENSTORE_REL_PATH_MAX)
		return NULL;
	return g_strdup_printf("%s/%s", req->conn->base, path);
}

/* The absolute path when the payload is one path and nothing else, or NULL. */
static char *only_path(const struct request *req)
{
	const char *path = only_string(req);

	return path ? absolute(req, path) : NULL;
}

static gboolean parse_domid(const char *string, unsigned int *domid)
{
	guint64 value;

	if (!string || !g_ascii_string_to_unsigned(string, 10, 0, G_MAXUINT16, &value, NULL))
		return FALSE;
	*domid = value;
	return TRUE;
}

static int serve_read(struct request *req)
{
	g_autofree char *path = only_path(req);
	const struct node *node;
	int err = path ? view_node(&req->view, path, ACCESS_READ, &node) : EINVAL;

	if (!err)
		reply_bytes(req, node->value->data, node->value->len);
	return err;
}

static int serve_write(struct request *req)
{
	g_autofree char *path = NULL;
	const char *value;

	if (!memchr(req->data, '\0', req->len))
		return EINVAL;
	path = absolute(req, req->data);
	if (!path)
		return EINVAL;
	value = next_string(req->data);
	return reply_ok(req, view_write(&req->view, path, value, req->data + req->len - value));
}

static int serve_mkdir(struct request *req)
{
	g_autofree char *path = only_path(req);

	return reply_ok(req, path ? view_mkdir(&req->view, path) : EINVAL);
}

static int serve_rm(struct request *req)
{
	g_autofree char *path = only_path(req);

	return reply_ok(req, path ? view_remove(&req->view, path) : EINVAL);
}

static void child_names(const struct node *node, GByteArray *names)
{
	for (unsigned int i = 0; node->children && i < node->children->len; i++) {
		const struct node *child = node->children->pdata[i];

		g_byte_array_append(names, (const guint8 *)child->name->data,
				    child->name->len + 1);
	}
}

static int serve_directory(struct request *req)
{
	g_autofree char *path = only_path(req);
	const struct node *node;
	int err = path ? view_node(&req->view, path, ACCESS_READ, &node) : EINVAL;

	if (!err)
		child_names(node, req->reply);
	return err;
}

/* As many whole names as fit from @offset on; an empty one more says that these are all. */
static void reply_names_from(struct request *req, const GByteArray *names, size_t offset)
{
	size_t room = XENSTORE_PAYLOAD_MAX - req->reply->len - 1;
	size_t len = 0;

	while (offset + len < names->len) {
		size_t name = strlen((const char *)names->data + offset + len) + 1;

		if (len + name > room)
			break;
		len += name;
	}
	if (len)
		reply_bytes(req, names->data + offset, len);
	if (offset + len >= names->len)
		reply_string(req, "");
}

static int serve_directory_part(struct request *req)
{
	g_autoptr(GByteArray) names = NULL;
	g_autofree char *path = NULL;
	const struct node *node;
	char generation[24];
	guint64 offset;
	int err;

	if (count_strings(req) != 2)
		return EINVAL;
	if (!g_ascii_string_to_unsigned(next_string(req->data), 10, 0, G_MAXUINT32, &offset,
					NULL))
		return EINVAL;
	path = absolute(req, req->data);
	err = path ? view_node(&req->view, path, ACCESS_READ, &node) : EINVAL;
	if (err)
		return err;
	g_snprintf(generation, sizeof(generation), "%" G_GUINT64_FORMAT, node->generation);
	reply_string(req, generation);
	names = g_byte_array_new();
	child_names(node, names);
	reply_names_from(req, names, offset);
	return 0;
}

static int serve_get_perms(struct request *req)
{
	g_autofree char *path = only_path(req);
	const GArray *perms;
	int err = path ? view_get_perms(&req->view, path, &perms) : EINVAL;

	if (!err)
		perms_format(perms, req->reply);
	return err;
}

static int serve_set_perms(struct request *req)
{
	g_autoptr(GArray) perms = NULL;
	g_autofree char *path = NULL;
	const char *strings;

	if (count_strings(req) < 2 || req->data[req->len - 1])
		return EINVAL;
	strings = next_string(req->data);
	perms = perms_parse(strings, req->data + req->len - strings);
	path = absolute(req, req->data);
	if (!perms || !path)
		return EINVAL;
	return reply_ok(req, view_set_perms(&req->view, path, perms));
}

static gboolean watch_path_valid(const char *path)
{
	if (path[0] == '@')
		return strlen(path) <= XENSTORE_REL_PATH_MAX;
	return path_valid(path);
}

static int serve_watch(struct request *req)
{
	const struct client *client = &req->conn->client;
	struct xenstore *xs = req->view.xs;
	g_autofree char *path = NULL;
	const char *token;
	gboolean relative;

	if (count_strings(req) != 2)
		return EINVAL;
	token = next_string(req->data);
	path = absolute(req, req->data);
	if (!path || !watch_path_valid(path))
		return EINVAL;
	if (watch_find(xs, client, path, token))
		return EEXIST;
	if (!client->privileged && watches_count(xs, client) > QUOTA_WATCHES)
		return E2BIG;
	relative = req->data[0] != '/' && req->data[0] != '@';
	req->watch = watch_add(xs, client, path, token, relative ? strlen(req->conn->base) : 0);
	req->watch->event = connection_event;
	req->watch->opaque = req->conn;
	return reply_ok(req, 0);
}

static int serve_unwatch(struct request *req)
{
	g_autofree char *path = NULL;
	struct watch *watch;

	if (count_strings(req) != 2)
		return EINVAL;
	path = absolute(req, req->data);
	if (!path)
		return EINVAL;
	watch = watch_find(req->view.xs, &req->conn->client, path, next_string(req->data));
	if (!watch)
		return ENOENT;
	watch_remove(req->view.xs, watch);
	return reply_ok(req, 0);
}

static int serve_reset_watches(struct request *req)
{
	connection_reset(req->conn);
	return reply_ok(req, 0);
}

static uint32_t unused_transaction_id(struct connection *conn)
{
	uint32_t id;

	do
		id = conn->next_transaction++;
	while (!id || connection_transaction(conn, id));
	return id;
}

static int serve_transaction_start(struct request *req)
{
	struct connection *conn = req->conn;
	struct transaction *t;
	char id[12];

	if (req->view.transaction)
		return EBUSY;
	if (!conn->client.privileged && conn->transactions->len > QUOTA_TRANSACTIONS)
		return ENOSPC;
	t = transaction_new(conn->xs, &conn->client, unused_transaction_id(conn));
	g_ptr_array_add(conn->transactions, t);
	g_snprintf(id, sizeof(id), "%u", t->id);
	reply_string(req, id);
	return 0;
}

static int serve_transaction_end(struct request *req)
{
	const char *verdict = only_string(req);
	struct transaction *t = req->view.transaction;
	int err = 0;

	if (!verdict || (strcmp(verdict, "T") && strcmp(verdict, "F")))
		return EINVAL;
	if (!t)
		return ENOENT;
	if (verdict[0] == 'T')
		err = transaction_commit(t);
	connection_close_transaction(req->conn, t);
	return reply_ok(req, err);
}

static int serve_get_domain_path(struct request *req)
{
	g_autofree char *path = NULL;
	unsigned int domid;

	if (!parse_domid(only_string(req), &domid))
		return EINVAL;
	path = g_strdup_printf("/local/domain/%u", domid);
	reply_string(req, path);
	return 0;
}

/* Xen 4.17 refuses this to a domU; its documentation, and Xen 3.x, don't. */
static int serve_is_domain_introduced(struct request *req)
{
	unsigned int domid;

	if (!parse_domid(only_string(req), &domid))
		return EINVAL;
	reply_string(req, store_introduced(req->view.xs, domid) ? "T" : "F");
	return 0;
}

static int serve_control(struct request *req)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) words = NULL;

	if (!req->len || req->data[req->len - 1])
		return EINVAL;
	for (size_t at = 0; at < req->len; at += strlen(req->data + at) + 1)
		g_strv_builder_add(builder, req->data + at);
	words = g_strv_builder_end(builder);
	return wire_control(req->view.xs, words, req->reply);
}

/* The toolstack's requests: this store serves one guest, and we are its toolstack. */
static int serve_unsupported(struct request *req G_GNUC_UNUSED)
{
	return ENOSYS;
}

#define PRIVILEGED (1 << 0) /* EACCES for a domU */
#define NO_TRANSACTION (1 << 1) /* tx_id is ignored */

static const struct wire_func {
	const char *name;
	int (*serve)(struct request *req);
	unsigned int flags;
} wire_funcs[XS_TYPE_COUNT] = {
	[XS_CONTROL] = { "CONTROL", serve_control, PRIVILEGED },
	[XS_DIRECTORY] = { "DIRECTORY", serve_directory, 0 },
	[XS_READ] = { "READ", serve_read, 0 },
	[XS_GET_PERMS] = { "GET_PERMS", serve_get_perms, 0 },
	[XS_WATCH] = { "WATCH", serve_watch, NO_TRANSACTION },
	[XS_UNWATCH] = { "UNWATCH", serve_unwatch, NO_TRANSACTION },
	[XS_TRANSACTION_START] = { "TRANSACTION_START", serve_transaction_start, 0 },
	[XS_TRANSACTION_END] = { "TRANSACTION_END", serve_transaction_end, 0 },
	[XS_INTRODUCE] = { "INTRODUCE", serve_unsupported, PRIVILEGED },
	[XS_RELEASE] = { "RELEASE", serve_unsupported, PRIVILEGED },
	[XS_GET_DOMAIN_PATH] = { "GET_DOMAIN_PATH", serve_get_domain_path, 0 },
	[XS_WRITE] = { "WRITE", serve_write, 0 },
	[XS_MKDIR] = { "MKDIR", serve_mkdir, 0 },
	[XS_RM] = { "RM", serve_rm, 0 },
	[XS_SET_PERMS] = { "SET_PERMS", serve_set_perms, 0 },
	[XS_WATCH_EVENT] = { "WATCH_EVENT", NULL, 0 },
	[XS_ERROR] = { "ERROR", NULL, 0 },
	[XS_IS_DOMAIN_INTRODUCED] = { "IS_DOMAIN_INTRODUCED", serve_is_domain_introduced, 0 },
	[XS_RESUME] = { "RESUME", serve_unsupported, PRIVILEGED },
	[XS_SET_TARGET] = { "SET_TARGET", serve_unsupported, PRIVILEGED },
	[XS_RESET_WATCHES] = { "RESET_WATCHES", serve_reset_watches, NO_TRANSACTION },
	[XS_DIRECTORY_PART] = { "DIRECTORY_PART", serve_directory_part, 0 },
};

const char *wire_name(uint32_t type)
{
	return type < XS_TYPE_COUNT && wire_funcs[type].name ? wire_funcs[type].name
							     : "unknown";
}

static const char *error_name(int err)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(xsd_errors); i++)
		if (xsd_errors[i].errnum == err)
			return xsd_errors[i].errstring;
	return "EINVAL";
}

static int serve(struct request *req, uint32_t type, uint32_t tx_id)
{
	const struct wire_func *func = type < XS_TYPE_COUNT ? &wire_funcs[type] : NULL;
	int err;

	if (!func || !func->serve)
		return ENOSYS;
	if (func->flags & PRIVILEGED && !req->conn->client.privileged)
		return EACCES;
	if (tx_id && !(func->flags & NO_TRANSACTION)) {
		req->view.transaction = connection_transaction(req->conn, tx_id);
		if (!req->view.transaction)
			return ENOENT;
	}
	err = func->serve(req);
	return !err && req->reply->len > XENSTORE_PAYLOAD_MAX ? E2BIG : err;
}

void wire_serve(struct connection *conn)
{
	struct request req = {
		.conn = conn,
		.view = { .xs = conn->xs, .client = &conn->client },
		.data = conn->payload,
		.len = conn->header.len,
		.reply = g_byte_array_new(),
	};
	int err = serve(&req, conn->header.type, conn->header.tx_id);

	if (err) {
		const char *name = error_name(err);

		connection_reply(conn, XS_ERROR, name, strlen(name) + 1);
	} else {
		connection_reply(conn, conn->header.type, req.reply->data, req.reply->len);
	}
	/* A new watch fires at once, so that its owner sees what is there already. */
	if (req.watch)
		connection_event(req.watch, watch_path(req.watch, req.watch->path));
	g_byte_array_unref(req.reply);
}
