/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's protocol as docs/misc/xenstore.txt of Xen has it, from a guest's side.
 */
#include "xenstore-client.h"

#include "xenstore/wire.h"

struct fixture {
	struct xenstore *xs;
	struct end *guest; /* domain 1 */
	struct end *other; /* domain 2 */
	struct end *root; /* domain 0 */
};

static void set_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	f->xs = store_for_guest();
	f->guest = end_new(f->xs, 1);
	f->other = end_new(f->xs, 2);
	f->root = end_new(f->xs, 0);
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	end_free(f->guest);
	end_free(f->other);
	end_free(f->root);
	xenstore_free(f->xs);
}

static void test_values(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT(f->guest, XS_READ, 0, "name\0", "guest");
	EXPECT(f->guest, XS_READ, 0, "/local/domain/1/name\0", "guest");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0value");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "value");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0with\0nul\0s\0");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "with\0nul\0s\0");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/none\0", "ENOENT");
}

static void test_parents(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/a/b/c\0v");
	EXPECT(f->guest, XS_READ, 0, "data/a/b\0", "");
	EXPECT(f->guest, XS_GET_PERMS, 0, "data/a\0", "n1\0");
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/a/b\0");
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/a/b/c\0");
	EXPECT(f->guest, XS_READ, 0, "data/a/b/c\0", "v");
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/p/q\0");
	EXPECT(f->guest, XS_DIRECTORY, 0, "data/p\0", "q\0");
}

static void test_directory(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT(f->guest, XS_DIRECTORY, 0, "data\0", "");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/zz\0");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/a\0");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/m/below\0");
	EXPECT(f->guest, XS_DIRECTORY, 0, "data\0", "zz\0a\0m\0");
	EXPECT(f->guest, XS_DIRECTORY, 0, "/local/domain/1\0", "name\0device\0data\0");
	EXPECT_ERROR(f->guest, XS_DIRECTORY, 0, "data/none\0", "ENOENT");
}

static void test_rm(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/a/b\0v");
	EXPECT_OK(f->guest, XS_RM, 0, "data/a\0");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/a/b\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/a\0", "ENOENT");
	EXPECT_OK(f->guest, XS_RM, 0, "data/a\0");
	EXPECT_ERROR(f->guest, XS_RM, 0, "data/a/b\0", "ENOENT");
	EXPECT_ERROR(f->root, XS_RM, 0, "/\0", "EINVAL");
}

static void test_paths(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	static const char *const bad[] = { "",  "//",   "a/",     "a//b", "/a/", "a b",
					   "@", "@rel", "a\x01b", "a.b",  "\xff" };
	static const uint32_t requests[] = { XS_READ, XS_MKDIR, XS_DIRECTORY, XS_GET_PERMS,
					     XS_RM };

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		for (unsigned int r = 0; r < G_N_ELEMENTS(requests); r++) {
			end_call(f->guest, requests[r], 0, bad[i], strlen(bad[i]) + 1);
			end_check(f->guest, XS_ERROR, "EINVAL", sizeof("EINVAL"));
		}
	}
	EXPECT_ERROR(f->guest, XS_WRITE, 0, "a//b\0v", "EINVAL");
	EXPECT_ERROR(f->guest, XS_SET_PERMS, 0, "a//b\0n1\0", "EINVAL");
	EXPECT_ERROR(f->guest, XS_WATCH, 0, "a//b\0t\0", "EINVAL");
	EXPECT_ERROR(f->guest, XS_DIRECTORY_PART, 0,
		     "a//b\0"
		     "0\0",
		     "EINVAL");
}

static void test_path_lengths(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char path[XENSTORE_PAYLOAD_MAX] = "data/";
	size_t base = strlen("/local/domain/1/");

	memset(path + 5, 'x', sizeof(path) - 5);
	path[XENSTORE_REL_PATH_MAX] = '\0';
	end_call(f->guest, XS_READ, 0, path, XENSTORE_REL_PATH_MAX + 1);
	end_check(f->guest, XS_ERROR, "ENOENT", sizeof("ENOENT"));
	path[XENSTORE_REL_PATH_MAX] = 'x';
	path[XENSTORE_REL_PATH_MAX + 1] = '\0';
	end_call(f->guest, XS_READ, 0, path, XENSTORE_REL_PATH_MAX + 2);
	end_check(f->guest, XS_ERROR, "EINVAL", sizeof("EINVAL"));

	memset(path, 'x', sizeof(path));
	memcpy(path, "/local/domain/1/", base);
	path[XENSTORE_ABS_PATH_MAX] = '\0';
	end_call(f->guest, XS_READ, 0, path, XENSTORE_ABS_PATH_MAX + 1);
	end_check(f->guest, XS_ERROR, "ENOENT", sizeof("ENOENT"));
	path[XENSTORE_ABS_PATH_MAX] = 'x';
	path[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	end_call(f->guest, XS_READ, 0, path, XENSTORE_ABS_PATH_MAX + 2);
	end_check(f->guest, XS_ERROR, "EINVAL", sizeof("EINVAL"));
}

static void test_malformed(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	static const struct {
		uint32_t request;
		const char *payload;
		size_t len;
	} bad[] = {
		{ XS_READ, "", 0 },
		{ XS_READ, "name", 4 }, /* no nul */
		{ XS_READ, "name\0x", 6 },
		{ XS_READ, "name\0\0", 6 },
		{ XS_WRITE, "", 0 },
		{ XS_WRITE, "data/x", 6 },
		{ XS_MKDIR, "", 0 },
		{ XS_MKDIR, "data/x", 6 },
		{ XS_MKDIR, "data/x\0\0", 8 },
		{ XS_RM, "", 0 },
		{ XS_RM, "data", 4 },
		{ XS_DIRECTORY, "", 0 },
		{ XS_DIRECTORY, "data", 4 },
		{ XS_DIRECTORY_PART, "", 0 },
		{ XS_DIRECTORY_PART, "data\0", 5 },
		{ XS_DIRECTORY_PART, "data\0x\0", 7 },
		{ XS_DIRECTORY_PART, "data\0-1\0", 8 },
		{ XS_DIRECTORY_PART, "data\0\0", 6 },
		{ XS_DIRECTORY_PART, "data\0000\0000\0", 9 },
		{ XS_GET_PERMS, "", 0 },
		{ XS_GET_PERMS, "data", 4 },
		{ XS_SET_PERMS, "", 0 },
		{ XS_SET_PERMS, "data\0", 5 },
		{ XS_SET_PERMS, "data\0n1", 7 },
		{ XS_SET_PERMS, "data\0\0", 6 },
		{ XS_SET_PERMS, "data\0n1\0q\0", 10 },
		{ XS_WATCH, "", 0 },
		{ XS_WATCH, "data\0", 5 },
		{ XS_WATCH, "data\0t", 6 },
		{ XS_WATCH, "data\0t\0000\0", 9 }, /* depth: not offered */
		{ XS_UNWATCH, "", 0 },
		{ XS_UNWATCH, "data\0", 5 },
		{ XS_TRANSACTION_END, "", 0 },
		{ XS_TRANSACTION_END, "T", 1 },
		{ XS_TRANSACTION_END, "X\0", 2 },
		{ XS_TRANSACTION_END, "TT\0", 3 },
		{ XS_TRANSACTION_END, "T\0\0", 3 },
		{ XS_GET_DOMAIN_PATH, "", 0 },
		{ XS_GET_DOMAIN_PATH, "1", 1 },
		{ XS_GET_DOMAIN_PATH, "x\0", 2 },
		{ XS_GET_DOMAIN_PATH, "65536\0", 6 },
		{ XS_IS_DOMAIN_INTRODUCED, "", 0 },
		{ XS_IS_DOMAIN_INTRODUCED, "1", 1 },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_test_message("%s, %zu bytes", wire_name(bad[i].request), bad[i].len);
		end_call(f->guest, bad[i].request, 0, bad[i].payload, bad[i].len);
		end_check(f->guest, XS_ERROR, "EINVAL", sizeof("EINVAL"));
	}
	EXPECT(f->guest, XS_READ, 0, "name\0", "guest");
}

/* Whatever comes, it gets one well-formed reply, and the next request is understood. */
static void test_every_length(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	static const char fills[] = { '\0', 'a', '/', '@', '1', '\xff' };
	char payload[XENSTORE_PAYLOAD_MAX];

	for (uint32_t type = 0; type < XS_TYPE_COUNT + 3; type++) {
		for (unsigned int i = 0; i < G_N_ELEMENTS(fills); i++) {
			memset(payload, fills[i], sizeof(payload));
			for (size_t len = 0; len < 20; len++)
				end_call(f->guest, type, 0, payload, len);
			for (size_t len = 2040; len < 2070; len++)
				end_call(f->guest, type, 0, payload, len);
			end_call(f->guest, type, 0, payload, sizeof(payload));
			payload[sizeof(payload) - 1] = '\0';
			end_call(f->guest, type, 0, payload, sizeof(payload));
			payload[9] = '\0';
			end_call(f->guest, type, 0, payload, sizeof(payload));
			end_call(f->guest, type, 77, payload, 10);
		}
	}
	EXPECT(f->guest, XS_READ, 0, "name\0", "guest");
}

static void test_header(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct xsd_sockmsg header = { XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1 };
	const char *bytes = (const char *)&header;

	for (unsigned int i = 0; i < sizeof(header) - 1; i++)
		g_assert_true(connection_feed(f->guest->conn, bytes + i, 1));
	g_assert_false(connection_feed(f->guest->conn, bytes + sizeof(header) - 1, 1));
	header.len = UINT32_MAX;
	g_assert_false(connection_feed(f->other->conn, &header, sizeof(header)));
}

static void test_byte_by_byte(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char message[] = "................data/x\0value";
	struct xsd_sockmsg header = { XS_WRITE, 5, 0, sizeof(message) - 1 - sizeof(header) };

	memcpy(message, &header, sizeof(header));
	f->guest->req_id = 5;
	for (unsigned int i = 0; i < sizeof(message) - 1; i++) {
		g_assert_cmpuint(f->guest->ready, ==, 0);
		g_assert_true(connection_feed(f->guest->conn, message + i, 1));
	}
	g_assert_cmpuint(f->guest->ready, ==, 1);
	g_assert_cmpuint(end_fetch(f->guest), ==, 1);
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "value");
}

/* A client that fetches nothing is not served without end. */
static void test_backlog(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	unsigned int sent = 0;
	size_t len;

	while (connection_wants(f->guest->conn)) {
		g_assert_cmpuint(sent++, <, 1000);
		end_send(f->guest, XS_READ, 0, "name\0", 5);
		f->guest->req_id = 0;
	}
	g_assert_cmpuint(sent, ==, 20);
	g_assert_nonnull(connection_pending(f->guest->conn, &len));
	connection_sent(f->guest->conn, len - 1);
	g_assert_cmpuint(connection_wants(f->guest->conn), ==, 0);
	connection_sent(f->guest->conn, 1);
	g_assert_cmpuint(connection_wants(f->guest->conn), ==, sizeof(struct xsd_sockmsg));
	f->guest->req_id = 1;
	g_assert_cmpuint(end_fetch(f->guest), ==, 19);
}

static void test_directory_part(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autoptr(GByteArray) names = g_byte_array_new();
	g_autofree char *generation = NULL;
	unsigned int parts = 0, found = 0;

	for (unsigned int i = 0; i < 900; i++) {
		g_autofree char *path = g_strdup_printf("/many/child-%04u", i);

		xenstore_write(f->xs, path, "", 0, -1);
	}
	EXPECT_ERROR(f->root, XS_DIRECTORY, 0, "/many\0", "E2BIG");
	for (gboolean last = FALSE; !last; parts++) {
		char request[32];
		size_t len = g_snprintf(request, sizeof(request), "/many%c%u", 0, names->len);
		size_t skip;

		end_call(f->root, XS_DIRECTORY_PART, 0, request, len + 1);
		g_assert_cmpuint(f->root->type, ==, XS_DIRECTORY_PART);
		if (!generation)
			generation = g_strdup((char *)f->root->payload->data);
		g_assert_cmpstr((char *)f->root->payload->data, ==, generation);
		skip = strlen(generation) + 1;
		len = f->root->payload->len;
		g_assert_cmpuint(f->root->payload->data[len - 1], ==, 0);
		/* An empty name at the end: that was all. */
		last = f->root->payload->data[len - 2] == 0;
		g_byte_array_append(names, f->root->payload->data + skip, len - skip - last);
	}
	g_assert_cmpuint(parts, ==, 3);
	for (size_t at = 0; at < names->len; found++) {
		g_autofree char *name = g_strdup_printf("child-%04u", found);

		g_assert_cmpstr((char *)names->data + at, ==, name);
		at += strlen(name) + 1;
	}
	g_assert_cmpuint(found, ==, 900);
	/* Beyond the end, and of an empty list. */
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/empty\0");
	end_call(f->guest, XS_DIRECTORY_PART, 0,
		 "data/empty\0"
		 "99",
		 14);
	g_assert_cmpuint(f->guest->type, ==, XS_DIRECTORY_PART);
	g_assert_cmpuint(f->guest->payload->data[f->guest->payload->len - 1], ==, 0);
	g_assert_cmpuint(f->guest->payload->data[f->guest->payload->len - 2], ==, 0);
}

static void test_privileged(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_ERROR(f->guest, XS_CONTROL, 0, "print\0x\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_INTRODUCE, 0,
		     "2\0"
		     "1\0"
		     "1\0",
		     "EACCES");
	EXPECT_ERROR(f->guest, XS_RELEASE, 0, "2\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_SET_TARGET, 0,
		     "1\0"
		     "0\0",
		     "EACCES");
	EXPECT_ERROR(f->guest, XS_RESUME, 0, "1\0", "EACCES");
	EXPECT_ERROR(f->root, XS_RELEASE, 0, "2\0", "ENOSYS");
}

static void test_control(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT(f->root, XS_CONTROL, 0, "check\0", "OK\0");
	EXPECT(f->root, XS_CONTROL, 0, "print\0words\0", "OK\0");
	EXPECT(f->root, XS_CONTROL, 0, "help\0",
	       "check\t\nprint\t<string>\nquota\t[<domid>]\nhelp\t\n\0");
	end_call(f->root, XS_CONTROL, 0, "quota\0", 6);
	g_assert_nonnull(
		strstr((char *)f->root->payload->data, "nodes            :     1000 "));
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0t\0");
	end_start(f->guest);
	end_call(f->root, XS_CONTROL, 0,
		 "quota\0"
		 "1\0",
		 8);
	g_assert_true(g_str_has_prefix((char *)f->root->payload->data,
				       "Domain 1:\n"
				       "nodes           :        1\n"
				       "watches         :        1\n"
				       "transactions    :        1\n"));
	EXPECT_ERROR(f->root, XS_CONTROL, 0, "quota\0009\0", "ENOENT");
	EXPECT_ERROR(f->root, XS_CONTROL, 0, "quota\0x\0", "EINVAL");
	EXPECT_ERROR(f->root, XS_CONTROL, 0, "live-update\0", "EINVAL");
	EXPECT_ERROR(f->root, XS_CONTROL, 0, "check\0x\0", "EINVAL");
	EXPECT_ERROR(f->root, XS_CONTROL, 0, "check", "EINVAL");
	EXPECT_ERROR(f->root, XS_CONTROL, 0, "print\0", "EINVAL");
	EXPECT_ERROR(f->root, XS_CONTROL, 0, "", "EINVAL");
}

static void test_unknown(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_ERROR(f->guest, XS_WATCH_EVENT, 0, "data\0t\0", "ENOSYS");
	EXPECT_ERROR(f->guest, XS_ERROR, 0, "EINVAL\0", "ENOSYS");
	EXPECT_ERROR(f->guest, XS_SET_TARGET + 1, 0, "", "ENOSYS");
	EXPECT_ERROR(f->guest, XS_TYPE_COUNT, 0, "", "ENOSYS");
	EXPECT_ERROR(f->guest, XS_INVALID, 0, "data\0", "ENOSYS");
	EXPECT_ERROR(f->guest, UINT32_MAX, 0, "data\0", "ENOSYS");
}

static void test_domains(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT(f->guest, XS_GET_DOMAIN_PATH, 0, "0\0", "/local/domain/0\0");
	EXPECT(f->guest, XS_GET_DOMAIN_PATH, 0, "007\0", "/local/domain/7\0");
	EXPECT(f->guest, XS_IS_DOMAIN_INTRODUCED, 0, "0\0", "T\0");
	EXPECT(f->guest, XS_IS_DOMAIN_INTRODUCED, 0, "1\0", "T\0");
	EXPECT(f->guest, XS_IS_DOMAIN_INTRODUCED, 0, "9\0", "F\0");
	EXPECT(f->guest, XS_IS_DOMAIN_INTRODUCED, 0, "32752\0", "T\0"); /* DOMID_SELF */
}

/* What Xen 4.17 answers a domU for the nodes that a toolstack made. */
static void test_access(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	/* n0: neither content nor existence. */
	EXPECT_ERROR(f->guest, XS_READ, 0, "/local/domain/0/secret\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_READ, 0, "/local/domain/0/none\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_READ, 0, "/\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_DIRECTORY, 0, "/local\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_GET_PERMS, 0, "/local\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_MKDIR, 0, "/local/mine\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_RM, 0, "/local/domain\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_RM, 0, "/none\0", "EACCES");
	/* r1: it may know what is there. */
	EXPECT(f->guest, XS_GET_PERMS, 0, "name\0", "n0\0r1\0");
	EXPECT_ERROR(f->guest, XS_READ, 0, "device/none\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_WRITE, 0, "name\0x", "EACCES");
	EXPECT_ERROR(f->guest, XS_WRITE, 0, "device/mine\0x", "EACCES");
	EXPECT_ERROR(f->guest, XS_RM, 0, "name\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_SET_PERMS, 0, "name\0n1\0", "EACCES");
	EXPECT(f->guest, XS_READ, 0, "name\0", "guest");
	/* Others don't even get so far. */
	EXPECT_ERROR(f->other, XS_READ, 0, "/local/domain/1/name\0", "EACCES");
	EXPECT_ERROR(f->other, XS_READ, 0, "/local/domain/1/data\0", "EACCES");
	EXPECT_ERROR(f->other, XS_READ, 0, "/local/domain/1/data/none\0", "EACCES");
	EXPECT(f->root, XS_READ, 0, "/local/domain/0/secret\0", "x");
}

static void test_set_perms(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0v");
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0r2\0");
	EXPECT(f->guest, XS_GET_PERMS, 0, "data/x\0", "n1\0r2\0");
	EXPECT(f->other, XS_READ, 0, "/local/domain/1/data/x\0", "v");
	EXPECT_ERROR(f->other, XS_WRITE, 0, "/local/domain/1/data/x\0w", "EACCES");
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0w2\0");
	EXPECT_ERROR(f->other, XS_READ, 0, "/local/domain/1/data/x\0", "EACCES");
	EXPECT_OK(f->other, XS_WRITE, 0, "/local/domain/1/data/x\0w");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "w");
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0b1\0");
	EXPECT(f->other, XS_READ, 0, "/local/domain/1/data/x\0", "w");
	/* Who makes a node owns it, the rest is inherited. */
	EXPECT_OK(f->other, XS_WRITE, 0, "/local/domain/1/data/x/y\0w");
	EXPECT(f->other, XS_GET_PERMS, 0, "/local/domain/1/data/x/y\0", "b2\0");
	EXPECT_OK(f->root, XS_WRITE, 0, "/local/domain/1/data/x/z\0w");
	EXPECT(f->root, XS_GET_PERMS, 0, "/local/domain/1/data/x/z\0", "b1\0");
	/* May write, but doesn't own. */
	EXPECT_ERROR(f->other, XS_SET_PERMS, 0, "/local/domain/1/data/x\0n2\0", "EACCES");
	EXPECT_ERROR(f->guest, XS_SET_PERMS, 0, "data/x\0n2\0", "EPERM");
	EXPECT_ERROR(f->guest, XS_SET_PERMS, 0, "data/none\0n1\0", "ENOENT");
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0r2\0r3\0r4\0r5\0");
	EXPECT_ERROR(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0r2\0r3\0r4\0r5\0r6\0", "ENOSPC");
	EXPECT_OK(f->root, XS_SET_PERMS, 0, "/local/domain/1/data/x\0n0\0");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/x\0", "EACCES");
}

static void test_watch(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0token\0");
	g_assert_cmpstr(end_event(f->guest), ==, "data|token");
	EXPECT_OK(f->guest, XS_WATCH, 0, "/local/domain/1/data/x\0abs\0");
	g_assert_cmpstr(end_event(f->guest), ==, "/local/domain/1/data/x|abs");
	g_assert_cmpstr(end_event(f->guest), ==, "");

	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0v");
	g_assert_cmpstr(end_event(f->guest), ==, "data/x|token");
	g_assert_cmpstr(end_event(f->guest), ==, "/local/domain/1/data/x|abs");
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/x\0"); /* was there: no change */
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/y/z\0");
	g_assert_cmpstr(end_event(f->guest), ==, "data/y/z|token");
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0r2\0");
	g_assert_cmpstr(end_event(f->guest), ==, "data/x|token");
	g_assert_cmpstr(end_event(f->guest), ==, "/local/domain/1/data/x|abs");
	/* Others' changes too; and no changes beside it. */
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/data/x", "w", 1, -1));
	g_assert_cmpstr(end_event(f->guest), ==, "data/x|token");
	g_assert_cmpstr(end_event(f->guest), ==, "/local/domain/1/data/x|abs");
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/name", "other", 0, 1));
	g_assert_cmpstr(end_event(f->guest), ==, "");

	EXPECT_OK(f->guest, XS_UNWATCH, 0, "data\0token\0");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0v");
	g_assert_cmpstr(end_event(f->guest), ==, "/local/domain/1/data/x|abs");
	g_assert_cmpstr(end_event(f->guest), ==, "");
}

static void test_watch_removal(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/a/b/c\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0top\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data/a/b\0inner\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data/a/none\0none\0");
	g_assert_cmpstr(end_event(f->guest), ==, "data|top");
	g_assert_cmpstr(end_event(f->guest), ==, "data/a/b|inner");
	g_assert_cmpstr(end_event(f->guest), ==, "data/a/none|none");
	EXPECT_OK(f->guest, XS_RM, 0, "data/a\0");
	/* The watch below it is told of its own path, the one above of the removed node. */
	g_assert_cmpstr(end_event(f->guest), ==, "data/a/b|inner");
	g_assert_cmpstr(end_event(f->guest), ==, "data/a|top");
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT_OK(f->guest, XS_RM, 0, "data/a\0"); /* was not there */
	g_assert_cmpstr(end_event(f->guest), ==, "");
}

static void test_watch_errors(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0t\0");
	EXPECT_ERROR(f->guest, XS_WATCH, 0, "data\0t\0", "EEXIST");
	EXPECT_ERROR(f->guest, XS_WATCH, 0, "/local/domain/1/data\0t\0", "EEXIST");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0\0"); /* an empty token is one */
	EXPECT_OK(f->other, XS_WATCH, 0, "/local/domain/1/data\0t\0");
	EXPECT_ERROR(f->guest, XS_UNWATCH, 0, "data\0x\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_UNWATCH, 0, "device\0t\0", "ENOENT");
	EXPECT_OK(f->guest, XS_UNWATCH, 0, "/local/domain/1/data\0t\0");
	EXPECT_ERROR(f->guest, XS_UNWATCH, 0, "data\0t\0", "ENOENT");
}

/* A watch tells nobody what he may not read. */
static void test_watch_access(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->guest, XS_WATCH, 0, "/\0root\0");
	EXPECT_OK(f->other, XS_WATCH, 0, "/\0root\0");
	g_assert_cmpstr(end_event(f->guest), ==, "/|root");
	g_assert_cmpstr(end_event(f->other), ==, "/|root");
	g_assert_true(xenstore_write(f->xs, "/local/domain/0/secret", "y", 0, -1));
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0v");
	g_assert_cmpstr(end_event(f->guest), ==, "/local/domain/1/data/x|root");
	g_assert_cmpstr(end_event(f->other), ==, "");
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0r2\0");
	g_assert_cmpstr(end_event(f->other), ==, "/local/domain/1/data/x|root");
	/* Who could read it is told that he can't any more, or that it is gone. */
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0");
	g_assert_cmpstr(end_event(f->other), ==, "/local/domain/1/data/x|root");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0w");
	g_assert_cmpstr(end_event(f->other), ==, "");
	EXPECT_OK(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0r2\0");
	g_assert_cmpstr(end_event(f->other), ==, "/local/domain/1/data/x|root");
	EXPECT_OK(f->guest, XS_RM, 0, "data/x\0");
	g_assert_cmpstr(end_event(f->other), ==, "/local/domain/1/data/x|root");
}

static void test_watch_special(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct end *third;

	EXPECT_OK(f->root, XS_WATCH, 0, "@introduceDomain\0in\0");
	EXPECT_OK(f->root, XS_WATCH, 0, "@releaseDomain\0out\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "@releaseDomain\0out\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "@anything at all\0any\0");
	g_assert_cmpstr(end_event(f->root), ==, "@introduceDomain|in");
	g_assert_cmpstr(end_event(f->root), ==, "@releaseDomain|out");
	g_assert_cmpstr(end_event(f->guest), ==, "@releaseDomain|out");
	g_assert_cmpstr(end_event(f->guest), ==, "@anything at all|any");

	third = end_new(f->xs, 3);
	g_assert_cmpstr(end_event(f->root), ==, "@introduceDomain|in");
	end_free(third);
	g_assert_cmpstr(end_event(f->root), ==, "@releaseDomain|out");
	g_assert_cmpstr(end_event(f->guest), ==, "");

	EXPECT_ERROR(f->guest, XS_SET_PERMS, 0, "@releaseDomain\0n0\0r1\0", "EACCES");
	EXPECT_ERROR(f->root, XS_SET_PERMS, 0, "@other\0n0\0r1\0", "EINVAL");
	EXPECT_OK(f->root, XS_SET_PERMS, 0, "@releaseDomain\0n0\0r1\0");
	end_free(end_new(f->xs, 3));
	g_assert_cmpstr(end_event(f->guest), ==, "@releaseDomain|out");
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT(f->guest, XS_GET_PERMS, 0, "@releaseDomain\0", "n0\0r1\0");
	EXPECT_ERROR(f->guest, XS_GET_PERMS, 0, "@introduceDomain\0", "EACCES");
	EXPECT(f->root, XS_GET_PERMS, 0, "@introduceDomain\0", "n0\0");
	EXPECT_ERROR(f->root, XS_GET_PERMS, 0, "@other\0", "EINVAL");
	EXPECT_ERROR(f->root, XS_READ, 0, "@releaseDomain\0", "EINVAL");
}

/* A tool that connects is no domain. */
static void test_watch_tools(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	EXPECT_OK(f->root, XS_WATCH, 0, "@introduceDomain\0in\0");
	EXPECT_OK(f->root, XS_WATCH, 0, "@releaseDomain\0out\0");
	g_assert_cmpstr(end_event(f->root), ==, "@introduceDomain|in");
	g_assert_cmpstr(end_event(f->root), ==, "@releaseDomain|out");
	end_free(end_new(f->xs, 0));
	g_assert_cmpstr(end_event(f->root), ==, "");
}

/* An event that waits already is not queued again; what is lost is made up for. */
static void test_watch_flood(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	unsigned int events = 0;
	gboolean own = FALSE;

	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0flood\0");
	g_assert_cmpstr(end_event(f->guest), ==, "data|flood");
	for (unsigned int i = 0; i < 5000; i++)
		xenstore_write(f->xs, "/local/domain/1/data/same", "", 1, -1);
	g_assert_cmpstr(end_event(f->guest), ==, "data/same|flood");
	g_assert_cmpstr(end_event(f->guest), ==, "");

	for (unsigned int i = 0; i < 5000; i++) {
		g_autofree char *path = g_strdup_printf("/local/domain/1/data/n%u", i);

		xenstore_write(f->xs, path, "", 1, -1);
	}
	g_assert_cmpuint(g_queue_get_length(&f->guest->conn->out), <=, 1024);
	for (const char *event; *(event = end_event(f->guest)); events++)
		own |= !strcmp(event, "data|flood");
	g_assert_cmpuint(events, >, 100);
	g_assert_true(own);
}

static void test_transaction(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx;

	EXPECT_OK(f->guest, XS_WRITE, 0,
		  "data/x\0"
		  "1");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0t\0");
	end_event(f->guest);
	tx = end_start(f->guest);
	g_assert_cmpuint(tx, !=, 0);
	EXPECT_OK(f->guest, XS_WRITE, tx,
		  "data/x\0"
		  "2");
	EXPECT_OK(f->guest, XS_WRITE, tx,
		  "data/new/leaf\0"
		  "3");
	EXPECT(f->guest, XS_READ, tx, "data/x\0", "2");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "1");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/new/leaf\0", "ENOENT");
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "T\0");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "2");
	EXPECT(f->guest, XS_READ, 0, "data/new/leaf\0", "3");
	g_assert_cmpstr(end_event(f->guest), ==, "data/x|t");
	g_assert_cmpstr(end_event(f->guest), ==, "data/new/leaf|t");
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT_ERROR(f->guest, XS_READ, tx, "data/x\0", "ENOENT");
}

static void test_transaction_abort(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx = end_start(f->guest);

	EXPECT_OK(f->guest, XS_WATCH, tx, "data\0t\0");
	end_event(f->guest);
	EXPECT_OK(f->guest, XS_WRITE, tx,
		  "data/x\0"
		  "2");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "F\0");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/x\0", "ENOENT");
	g_assert_cmpstr(end_event(f->guest), ==, "");
}

static void test_transaction_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx = end_start(f->guest);

	EXPECT(f->guest, XS_READ, tx, "name\0", "guest");
	EXPECT_OK(f->guest, XS_WRITE, tx,
		  "data/x\0"
		  "2");
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/name", "other", 0, 1));
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, tx, "T\0", "EAGAIN");
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, tx, "T\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/x\0", "ENOENT");
	/* It is tried again, and nothing interferes. */
	tx = end_start(f->guest);
	EXPECT(f->guest, XS_READ, tx, "name\0", "other");
	EXPECT_OK(f->guest, XS_WRITE, tx,
		  "data/x\0"
		  "2");
	g_assert_true(xenstore_write(f->xs, "/local/domain/1/device/y", "", 0, 1));
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "T\0");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "2");
}

/* Two of them: the first to end wins. */
static void test_transaction_race(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t first = end_start(f->guest), second = end_start(f->guest);

	g_assert_cmpuint(first, !=, second);
	EXPECT_OK(f->guest, XS_WRITE, first, "data/x\0first");
	EXPECT_OK(f->guest, XS_WRITE, second, "data/x\0second");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, second, "T\0");
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, first, "T\0", "EAGAIN");
	EXPECT(f->guest, XS_READ, 0, "data/x\0", "second");
}

static void test_transaction_removal(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx;

	EXPECT_OK(f->guest, XS_WRITE, 0, "data/a/b\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0top\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data/a/b\0inner\0");
	end_event(f->guest);
	end_event(f->guest);
	tx = end_start(f->guest);
	EXPECT_OK(f->guest, XS_RM, tx, "data/a\0");
	EXPECT_ERROR(f->guest, XS_READ, tx, "data/a/b\0", "ENOENT");
	EXPECT(f->guest, XS_READ, 0, "data/a/b\0", "");
	EXPECT_OK(f->guest, XS_WRITE, tx, "data/brief\0");
	EXPECT_OK(f->guest, XS_RM, tx, "data/brief\0");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "T\0");
	g_assert_cmpstr(end_event(f->guest), ==, "data/a/b|inner");
	g_assert_cmpstr(end_event(f->guest), ==, "data/a|top");
	g_assert_cmpstr(end_event(f->guest), ==, "");
}

/* Written first: those who watch above it are told of that, too. */
static void test_transaction_written_removed(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx;

	EXPECT_OK(f->guest, XS_WRITE, 0, "data/a/b\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0top\0");
	end_event(f->guest);
	tx = end_start(f->guest);
	EXPECT_OK(f->guest, XS_WRITE, tx, "data/a/b\0v");
	EXPECT_OK(f->guest, XS_RM, tx, "data/a\0");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "T\0");
	g_assert_cmpstr(end_event(f->guest), ==, "data/a/b|top");
	g_assert_cmpstr(end_event(f->guest), ==, "data/a|top");
	g_assert_cmpstr(end_event(f->guest), ==, "");
}

static void test_transaction_errors(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx = end_start(f->guest);

	EXPECT_ERROR(f->guest, XS_TRANSACTION_START, tx, "\0", "EBUSY");
	EXPECT_ERROR(f->guest, XS_TRANSACTION_START, tx + 1, "\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, 0, "T\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, tx + 1, "T\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_READ, tx + 1, "name\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, tx, "t\0", "EINVAL");
	/* Ids are each client's own. */
	EXPECT_ERROR(f->other, XS_TRANSACTION_END, tx, "T\0", "ENOENT");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "T\0");
}

static void test_reset(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx = end_start(f->guest);

	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0t\0");
	EXPECT_OK(f->other, XS_WATCH, 0, "data\0t\0");
	end_event(f->guest);
	EXPECT_OK(f->guest, XS_RESET_WATCHES, tx, "\0");
	EXPECT_ERROR(f->guest, XS_READ, tx, "name\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_UNWATCH, 0, "data\0t\0", "ENOENT");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0");
	g_assert_cmpstr(end_event(f->guest), ==, "");
	EXPECT_OK(f->other, XS_UNWATCH, 0, "data\0t\0");
}

static void test_quota_nodes(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char path[32];
	unsigned int made = 1; /* "data" is the guest's already */
	uint32_t tx;

	for (;; made++) {
		int len = g_snprintf(path, sizeof(path), "data/%u/%u", made / 50, made % 50);

		end_call(f->guest, XS_MKDIR, 0, path, len + 1);
		if (f->guest->type == XS_ERROR)
			break;
		g_assert_cmpuint(made, <, 2000);
	}
	end_check(f->guest, XS_ERROR, "ENOSPC", sizeof("ENOSPC"));
	g_assert_cmpuint(tree_owned(f->xs->tree, 1), ==, QUOTA_NODES);
	/* Nothing is left of what was refused half-way. */
	EXPECT_OK(f->guest, XS_RM, 0, "data/1/1\0");
	EXPECT_ERROR(f->guest, XS_MKDIR, 0, "data/p/q\0", "ENOSPC");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/p\0", "ENOENT");
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/p\0");
	EXPECT_ERROR(f->guest, XS_WRITE, 0, "data/one-more\0", "ENOSPC");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/p\0still");
	tx = end_start(f->guest);
	EXPECT_ERROR(f->guest, XS_WRITE, tx, "data/one-more\0", "ENOSPC");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "F\0");
	/* Domain 0 has no quota, and nodes of others don't count. */
	EXPECT_OK(f->root, XS_WRITE, 0, "/local/domain/1/device/z\0");
	EXPECT_OK(f->guest, XS_RM, 0, "data/2\0");
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/p/q\0");
}

/* Within the quota when they were made, beyond it together. */
static void test_quota_commit(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx = end_start(f->guest);
	char path[32];

	for (unsigned int i = 0; i < 1200; i++) {
		int len = g_snprintf(path, sizeof(path), "data/%u/%u", i / 200, i);

		end_call(f->guest, XS_MKDIR, i < 600 ? 0 : tx, path, len + 1);
		end_check(f->guest, XS_MKDIR, "OK", 3);
	}
	/* "data" conflicts as well; let only what is below it grow. */
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, tx, "T\0", "EAGAIN");
	tx = end_start(f->guest);
	EXPECT_OK(f->guest, XS_MKDIR, 0, "data/0/mine\0");
	for (unsigned int i = 0; i < 250; i++) {
		int len = g_snprintf(path, sizeof(path), "data/1/t%u", i);

		end_call(f->guest, XS_MKDIR, tx, path, len + 1);
		end_check(f->guest, XS_MKDIR, "OK", 3);
		len = g_snprintf(path, sizeof(path), "data/2/l%u", i);
		end_call(f->guest, XS_MKDIR, 0, path, len + 1);
		end_check(f->guest, XS_MKDIR, "OK", 3);
	}
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, tx, "T\0", "ENOSPC");
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/1/t0\0", "ENOENT");
	g_assert_cmpuint(tree_owned(f->xs->tree, 1), <=, QUOTA_NODES);
}

static void test_quota_entry(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char payload[XENSTORE_PAYLOAD_MAX] = "data/x";
	/* 24 bytes of header, 8 for the one permission; less than 2048 in all. */
	size_t most = QUOTA_ENTRY_BYTES - 24 - 8 - 1;

	end_call(f->guest, XS_WRITE, 0, payload, 7 + most + 1);
	end_check(f->guest, XS_ERROR, "ENOSPC", sizeof("ENOSPC"));
	EXPECT_ERROR(f->guest, XS_READ, 0, "data/x\0", "ENOENT");
	end_call(f->guest, XS_WRITE, 0, payload, 7 + most);
	end_check(f->guest, XS_WRITE, "OK", 3);
	end_call(f->guest, XS_WRITE, 0, payload, 7 + most + 1);
	end_check(f->guest, XS_ERROR, "ENOSPC", sizeof("ENOSPC"));
	EXPECT_ERROR(f->guest, XS_SET_PERMS, 0, "data/x\0n1\0r2\0", "ENOSPC");
	EXPECT_ERROR(f->guest, XS_MKDIR, 0, "data/x/y\0", "ENOSPC");
	end_call(f->root, XS_WRITE, 0, "/x\0", 3);
	memset(payload, 'v', sizeof(payload));
	memcpy(payload, "/x", 3);
	end_call(f->root, XS_WRITE, 0, payload, sizeof(payload));
	end_check(f->root, XS_WRITE, "OK", 3);
	end_call(f->root, XS_READ, 0, "/x", 3);
	g_assert_cmpuint(f->root->payload->len, ==, sizeof(payload) - 3);
}

static void test_quota_watches(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char request[16];

	for (unsigned int i = 0; i <= QUOTA_WATCHES; i++) {
		int len = g_snprintf(request, sizeof(request), "data%c%u", 0, i);

		end_call(f->guest, XS_WATCH, 0, request, len + 1);
		end_check(f->guest, XS_WATCH, "OK", 3);
	}
	EXPECT_ERROR(f->guest, XS_WATCH, 0, "data\0more\0", "E2BIG");
	EXPECT_OK(f->guest, XS_UNWATCH, 0,
		  "data\0"
		  "5\0");
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0more\0");
	EXPECT_OK(f->other, XS_WATCH, 0, "data\0more\0");
}

static void test_quota_transactions(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx = 0;

	for (unsigned int i = 0; i <= QUOTA_TRANSACTIONS; i++)
		tx = end_start(f->guest);
	EXPECT_ERROR(f->guest, XS_TRANSACTION_START, 0, "\0", "ENOSPC");
	EXPECT_OK(f->guest, XS_TRANSACTION_END, tx, "T\0");
	g_assert_cmpuint(end_start(f->guest), !=, tx);
	end_start(f->other);
}

static void test_quota_transaction_nodes(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t tx = end_start(f->guest);
	char path[32];

	for (unsigned int i = 0; i < QUOTA_TRANSACTION_NODES; i++) {
		int len = g_snprintf(path, sizeof(path), "data/%u", i);

		end_call(f->guest, XS_READ, tx, path, len + 1);
		end_check(f->guest, XS_ERROR, "ENOENT", sizeof("ENOENT"));
	}
	EXPECT_ERROR(f->guest, XS_READ, tx, "data/more\0", "ENOSPC");
	EXPECT_ERROR(f->guest, XS_READ, tx, "data/1\0", "ENOENT");
	EXPECT_ERROR(f->guest, XS_TRANSACTION_END, tx, "T\0", "ENOMEM");
}

/* Everything that a guest can make us keep, in as many transactions as it may open. */
static void test_quota_bytes(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct account *account = store_account(f->xs, 1);
	char payload[2040] = "";
	unsigned int refused = 0;

	for (unsigned int t = 0; t < QUOTA_TRANSACTIONS; t++) {
		uint32_t tx = end_start(f->guest);

		for (unsigned int i = 0; i < 900; i++) {
			size_t len =
				g_snprintf(payload, sizeof(payload), "data/%u/%u", i / 30, i);

			end_call(f->guest, XS_WRITE, tx, payload, len + 1 + 2000);
			refused += f->guest->type == XS_ERROR;
			g_assert_cmpuint(account->bytes, <=, account->limit + 8192);
		}
	}
	g_assert_cmpuint(refused, >, 0);
	EXPECT_ERROR(f->guest, XS_WRITE, 0, "data/x\0v", "ENOMEM");
	EXPECT_OK(f->other, XS_WATCH, 0, "data\0t\0");
	EXPECT(f->guest, XS_READ, 0, "name\0", "guest");
	EXPECT_OK(f->guest, XS_RESET_WATCHES, 0, "\0");
	g_assert_cmpuint(account->bytes, <, 1024);
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0v");
}

static void test_trace(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char *text = NULL;
	size_t len;
	FILE *trace = open_memstream(&text, &len);

	f->xs->trace = trace;
	f->guest->req_id = 6;
	EXPECT_OK(f->guest, XS_WATCH, 0, "data\0tok\0");
	EXPECT_OK(f->guest, XS_WRITE, 0, "data/x\0a\nb\\|\xff");
	EXPECT_ERROR(f->guest, 99, 5, "", "ENOSYS");
	f->xs->trace = NULL;
	fclose(trace);
	g_assert_cmpstr(text, ==,
			"xenstore d1 request WATCH req 7 tx 0: data|tok|\n"
			"xenstore d1 reply   WATCH req 7 tx 0: OK|\n"
			"xenstore d1 event   WATCH_EVENT req 0 tx 0: data|tok|\n"
			"xenstore d1 request WRITE req 8 tx 0: "
			"data/x|a\\x0ab\\x5c\\x7c\\xff\n"
			"xenstore d1 event   WATCH_EVENT req 0 tx 0: data/x|tok|\n"
			"xenstore d1 reply   WRITE req 8 tx 0: OK|\n"
			"xenstore d1 request unknown req 9 tx 5: \n"
			"xenstore d1 reply   ERROR req 9 tx 5: ENOSYS|\n");
	free(text);
}

#define ADD(name, function)                                                                    \
	g_test_add("/xenstore/wire/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("values", test_values);
	ADD("parents", test_parents);
	ADD("directory", test_directory);
	ADD("rm", test_rm);
	ADD("paths", test_paths);
	ADD("path-lengths", test_path_lengths);
	ADD("malformed", test_malformed);
	ADD("every-length", test_every_length);
	ADD("header", test_header);
	ADD("byte-by-byte", test_byte_by_byte);
	ADD("backlog", test_backlog);
	ADD("directory-part", test_directory_part);
	ADD("privileged", test_privileged);
	ADD("control", test_control);
	ADD("unknown", test_unknown);
	ADD("domains", test_domains);
	ADD("access", test_access);
	ADD("set-perms", test_set_perms);
	ADD("watch", test_watch);
	ADD("watch-removal", test_watch_removal);
	ADD("watch-errors", test_watch_errors);
	ADD("watch-access", test_watch_access);
	ADD("watch-special", test_watch_special);
	ADD("watch-tools", test_watch_tools);
	ADD("watch-flood", test_watch_flood);
	ADD("transaction", test_transaction);
	ADD("transaction-abort", test_transaction_abort);
	ADD("transaction-conflict", test_transaction_conflict);
	ADD("transaction-race", test_transaction_race);
	ADD("transaction-removal", test_transaction_removal);
	ADD("transaction-written-removed", test_transaction_written_removed);
	ADD("transaction-errors", test_transaction_errors);
	ADD("reset", test_reset);
	ADD("quota-nodes", test_quota_nodes);
	ADD("quota-commit", test_quota_commit);
	ADD("quota-entry", test_quota_entry);
	ADD("quota-watches", test_quota_watches);
	ADD("quota-transactions", test_quota_transactions);
	ADD("quota-transaction-nodes", test_quota_transaction_nodes);
	ADD("quota-bytes", test_quota_bytes);
	ADD("trace", test_trace);
	return g_test_run();
}
