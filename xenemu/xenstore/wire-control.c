/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire-control.c - the CONTROL request: what xenstore-control asks
 *
 * Commands and the form of their answers are those of Xen 4.17's xenstored.  Quotas
 * can't be set, and there is no daemon to be updated or to be given another log.
 */
#include <errno.h>

#include "xenstore/connection.h"
#include "xenstore/watch.h"
#include "xenstore/wire-control.h"
#include <string.h>

static int control_check(struct xenstore *xs, char **params G_GNUC_UNUSED, GString *reply)
{
	g_string_append(reply, "OK");
	return tree_check(xs->tree) ? 0 : EIO;
}

static int control_print(struct xenstore *xs, char **params, GString *reply)
{
	if (xs->trace)
		fprintf(xs->trace, "xenstore control: %s\n", params[0]);
	g_string_append(reply, "OK");
	return 0;
}

static void append_quota(GString *reply, const char *name, unsigned int value, const char *what)
{
	g_string_append_printf(reply, "%-17s: %8u %s\n", name, value, what);
}

static int show_quotas(GString *reply)
{
	g_string_append(reply, "Quota settings:\n");
	append_quota(reply, "nodes", QUOTA_NODES, "Nodes per domain");
	append_quota(reply, "watches", QUOTA_WATCHES, "Watches per domain");
	append_quota(reply, "transactions", QUOTA_TRANSACTIONS, "Transactions per domain");
	append_quota(reply, "outstanding", CONNECTION_MAX_REPLIES,
		     "Outstanding requests per domain");
	append_quota(reply, "transaction-nodes", QUOTA_TRANSACTION_NODES,
		     "Max. number of accessed nodes per transaction");
	append_quota(reply, "memory", QUOTA_BYTES,
		     "Total Xenstore memory per domain (error level)");
	append_quota(reply, "node-size", QUOTA_ENTRY_BYTES, "Max. size of a node");
	append_quota(reply, "permissions", QUOTA_PERMISSIONS,
		     "Max. number of permissions per node");
	return 0;
}

static int show_usage(struct xenstore *xs, unsigned int domid, GString *reply)
{
	const struct account *account = store_account(xs, domid);
	unsigned int watches = 0, transactions = 0, outstanding = 0;

	for (unsigned int i = 0; i < xs->connections->len; i++) {
		const struct connection *conn = xs->connections->pdata[i];

		if (conn->client.domid != domid)
			continue;
		watches += watches_count(xs, &conn->client);
		transactions += conn->transactions->len;
		outstanding += conn->replies;
	}
	g_string_append_printf(reply,
			       "Domain %u:\n%-16s: %8u\n%-16s: %8u\n%-16s: %8u\n"
			       "%-16s: %8u\n%-16s: %8zu\n",
			       domid, "nodes", tree_owned(xs->tree, domid), "watches", watches,
			       "transactions", transactions, "outstanding", outstanding,
			       "memory", account->bytes);
	return 0;
}

static int control_quota(struct xenstore *xs, char **params, GString *reply)
{
	guint64 domid;

	if (!params[0])
		return show_quotas(reply);
	if (!g_ascii_string_to_unsigned(params[0], 10, 0, G_MAXUINT16, &domid, NULL))
		return EINVAL;
	if (!store_introduced(xs, domid))
		return ENOENT;
	return show_usage(xs, domid, reply);
}

static int control_help(struct xenstore *xs, char **params, GString *reply);

static const struct command {
	const char *name;
	int (*serve)(struct xenstore *xs, char **params, GString *reply);
	unsigned int min, max; /* number of parameters */
	const char *params;
} commands[] = {
	{ "check", control_check, 0, 0, "" },
	{ "print", control_print, 1, 1, "<string>" },
	{ "quota", control_quota, 0, 1, "[<domid>]" },
	{ "help", control_help, 0, 0, "" },
};

static int control_help(struct xenstore *xs G_GNUC_UNUSED, char **params G_GNUC_UNUSED,
			GString *reply)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(commands); i++)
		g_string_append_printf(reply, "%s\t%s\n", commands[i].name, commands[i].params);
	return 0;
}

static const struct command *find_command(const char *name)
{
	for (unsigned int i = 0; name && i < G_N_ELEMENTS(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int wire_control(struct xenstore *xs, char **words, GByteArray *reply)
{
	const struct command *command = find_command(words[0]);
	unsigned int nr_params = words[0] ? g_strv_length(words) - 1 : 0;
	GString *text;
	int err;

	if (!command || nr_params < command->min || nr_params > command->max)
		return EINVAL;
	text = g_string_new(NULL);
	err = command->serve(xs, words + 1, text);
	if (!err)
		g_byte_array_append(reply, (const guint8 *)text->str, text->len + 1);
	g_string_free(text, TRUE);
	return err;
}
