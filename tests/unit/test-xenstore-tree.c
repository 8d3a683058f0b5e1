/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's tree, permissions and transactions, without the protocol.
 */
#include <errno.h>

#include "xenstore/store.h"
#include "xenstore/transaction.h"
#include "xenstore/tree.h"
#include <string.h>
#include <xen/io/xs_wire.h>

static struct account account = { .limit = SIZE_MAX };

static struct tree *small_tree(void)
{
	g_autoptr(GArray) perms = perms_new(0, ACCESS_NONE);
	struct tree *tree = tree_new(&account, perms);

	tree_add(tree, "/a", perms, &account, 2);
	tree_add(tree, "/a/b", perms, &account, 3);
	tree_add(tree, "/a/c", perms, &account, 4);
	return tree;
}

static void set_value(struct tree *tree, const char *path, const char *value,
		      uint64_t generation)
{
	struct blob *blob = blob_new(&account, value, strlen(value));

	tree_set_value(tree, path, blob, generation);
	blob_unref(blob);
}

static const char *value_of(const struct tree *tree, const char *path)
{
	const struct node *node = node_find(tree->root, path);

	return node ? node->value->data : NULL;
}

static void test_find(void)
{
	struct tree *tree = small_tree();

	g_assert_true(node_find(tree->root, "/") == tree->root);
	g_assert_cmpstr(node_find(tree->root, "/a/c")->name->data, ==, "c");
	g_assert_null(node_find(tree->root, "/a/d"));
	g_assert_null(node_find(tree->root, "/a/b/c"));
	g_assert_null(node_find(tree->root, "/aa"));
	tree_free(tree);
	g_assert_cmpuint(account.bytes, ==, 0);
}

static void test_generations(void)
{
	struct tree *tree = small_tree();

	g_assert_cmpuint(node_find(tree->root, "/")->generation, ==, 2);
	g_assert_cmpuint(node_find(tree->root, "/a")->generation, ==, 4);
	set_value(tree, "/a/b", "1", 9);
	g_assert_cmpuint(node_find(tree->root, "/a/b")->generation, ==, 9);
	g_assert_cmpuint(node_find(tree->root, "/a")->generation, ==, 4);
	tree_remove(tree, "/a/b", 10);
	g_assert_cmpuint(node_find(tree->root, "/a")->generation, ==, 10);
	tree_free(tree);
}

static void test_snapshot(void)
{
	struct tree *tree = small_tree();
	struct tree *copy = tree_snapshot(tree);
	const struct node *shared;

	set_value(tree, "/a/b", "new", 5);
	tree_remove(tree, "/a/c", 6);
	g_assert_cmpstr(value_of(tree, "/a/b"), ==, "new");
	g_assert_cmpstr(value_of(copy, "/a/b"), ==, "");
	g_assert_nonnull(node_find(copy->root, "/a/c"));
	g_assert_null(node_find(tree->root, "/a/c"));
	set_value(copy, "/a/c", "copy", 7);
	g_assert_cmpstr(value_of(copy, "/a/c"), ==, "copy");
	g_assert_null(node_find(tree->root, "/a/c"));

	/* What neither has changed since is one node. */
	tree_free(copy);
	copy = tree_snapshot(tree);
	shared = node_find(tree->root, "/a/b");
	set_value(copy, "/a", "x", 8);
	g_assert_true(node_find(copy->root, "/a/b") == shared);
	tree_free(tree);
	g_assert_cmpstr(value_of(copy, "/a/b"), ==, "new");
	tree_free(copy);
	g_assert_cmpuint(account.bytes, ==, 0);
}

static void test_children(void)
{
	struct tree *tree = small_tree();
	const struct node *a;
	g_autoptr(GArray) perms = perms_new(0, ACCESS_NONE);

	tree_add(tree, "/a/aaa", perms, &account, 5);
	tree_remove(tree, "/a/b", 6);
	a = node_find(tree->root, "/a");
	/* In order of creation, as guests see them on Xen. */
	g_assert_cmpuint(a->children->len, ==, 2);
	g_assert_cmpstr(((struct node *)a->children->pdata[0])->name->data, ==, "c");
	g_assert_cmpstr(((struct node *)a->children->pdata[1])->name->data, ==, "aaa");
	g_assert_cmpuint(a->child_bytes, ==, sizeof("c") + sizeof("aaa"));
	tree_free(tree);
}

static void test_owned(void)
{
	struct tree *tree = small_tree();
	struct tree *copy;
	g_autoptr(GArray) perms = perms_new(7, ACCESS_NONE);

	g_assert_cmpuint(tree_owned(tree, 0), ==, 4);
	tree_add(tree, "/a/b/x", perms, &account, 5);
	tree_set_perms(tree, "/a/b", perms, 6);
	g_assert_cmpuint(tree_owned(tree, 0), ==, 3);
	g_assert_cmpuint(tree_owned(tree, 7), ==, 2);
	copy = tree_snapshot(tree);
	tree_remove(copy, "/a/b", 7);
	g_assert_cmpuint(tree_owned(copy, 7), ==, 0);
	g_assert_cmpuint(tree_owned(tree, 7), ==, 2);
	tree_free(copy);
	tree_free(tree);
}

static gboolean collect(void *opaque, const char *path, const struct node *node G_GNUC_UNUSED)
{
	g_string_append_printf(opaque, "%s ", path);
	return strcmp(path, "/a/stop") != 0;
}

static void test_walk(void)
{
	struct tree *tree = small_tree();
	g_autoptr(GArray) perms = perms_new(0, ACCESS_NONE);
	GString *seen = g_string_new(NULL);

	tree_add(tree, "/a/b/x", perms, &account, 5);
	g_assert_true(node_walk(tree->root, "/", collect, seen));
	g_assert_cmpstr(seen->str, ==, "/a/b/x /a/b /a/c /a / ");
	g_string_truncate(seen, 0);
	tree_add(tree, "/a/stop", perms, &account, 6);
	g_assert_false(node_walk(node_find(tree->root, "/a"), "/a", collect, seen));
	g_assert_cmpstr(seen->str, ==, "/a/b/x /a/b /a/c /a/stop ");
	g_string_free(seen, TRUE);
	tree_free(tree);
}

/* As deep as a path can be: nothing may recurse over it. */
static void test_deep(void)
{
	struct tree *tree = small_tree();
	struct tree *copy;
	g_autoptr(GArray) perms = perms_new(0, ACCESS_NONE);
	GString *path = g_string_new("/a");
	unsigned int depth;

	for (depth = 0; path->len + 2 <= XENSTORE_ABS_PATH_MAX; depth++) {
		g_string_append(path, "/d");
		tree_add(tree, path->str, perms, &account, 5 + depth);
	}
	g_assert_cmpuint(depth, ==, XENSTORE_ABS_PATH_MAX / 2 - 1);
	g_assert_true(path_valid(path->str));
	copy = tree_snapshot(tree);
	set_value(copy, path->str, "deep", 10000);
	g_assert_cmpstr(value_of(copy, path->str), ==, "deep");
	tree_remove(tree, "/a/d", 10001);
	g_assert_cmpuint(tree_owned(tree, 0), ==, 4);
	g_assert_cmpuint(tree_owned(copy, 0), ==, 4 + depth);
	tree_free(copy);
	tree_free(tree);
	g_string_free(path, TRUE);
	g_assert_cmpuint(account.bytes, ==, 0);
}

static void test_paths(void)
{
	static const char *const good[] = { "/", "/a", "/a/b", "/A-z_0/@x", "/local/domain/1" };
	static const char *const bad[] = { "",     "a",      "//",   "/a/",   "/a//b", "/a b",
					   "/a.b", "/a\xff", "@rel", "/a\nb", "/a:b" };
	g_autofree char *long_path = g_malloc(XENSTORE_ABS_PATH_MAX + 2);
	g_autofree char *parent = path_parent("/a/b");
	g_autofree char *top = path_parent("/a");
	g_autofree char *root = path_parent("/");

	for (unsigned int i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(path_valid(good[i]));
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(path_valid(bad[i]));
	memset(long_path, 'x', XENSTORE_ABS_PATH_MAX + 1);
	long_path[0] = '/';
	long_path[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	g_assert_false(path_valid(long_path));
	long_path[XENSTORE_ABS_PATH_MAX] = '\0';
	g_assert_true(path_valid(long_path));

	g_assert_cmpstr(parent, ==, "/a");
	g_assert_cmpstr(top, ==, "/");
	g_assert_cmpstr(root, ==, "/");
	g_assert_true(path_is_below("/a/b", "/a"));
	g_assert_true(path_is_below("/a", "/a"));
	g_assert_true(path_is_below("/a", "/"));
	g_assert_false(path_is_below("/ab", "/a"));
	g_assert_false(path_is_below("/a", "/a/b"));
	g_assert_false(path_is_below("@releaseDomain", "/"));
}

static void test_perms_text(void)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ "", 0 },        { "\0", 1 },       { "n\0", 2 },   { "x1\0", 3 },
		{ "r-1\0", 4 },   { "r65536\0", 7 }, { "r1x\0", 4 }, { "n0\0\0", 4 },
		{ "n0\0z\0", 5 }, { "r0x1\0", 5 },
	};
	static const char text[] = "n0\0r1\0w65535\0b7";
	g_autoptr(GArray) perms = perms_parse(text, sizeof(text));
	g_autoptr(GByteArray) again = g_byte_array_new();

	g_assert_nonnull(perms);
	g_assert_cmpuint(perms->len, ==, 4);
	perms_format(perms, again);
	g_assert_cmpmem(again->data, again->len, text, sizeof(text));
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_null(perms_parse(bad[i].text, bad[i].len));
}

static void test_perms_allow(void)
{
	static const char text[] = "r5\0n1\0b2\0w3\0b1";
	static const struct {
		unsigned int domid;
		unsigned int access;
	} expected[] = {
		{ 5, ACCESS_READ | ACCESS_WRITE | ACCESS_OWNER },
		{ 1, ACCESS_NONE }, /* the first that names it counts */
		{ 2, ACCESS_READ | ACCESS_WRITE },
		{ 3, ACCESS_WRITE },
		{ 9, ACCESS_READ }, /* nobody names it */
	};
	g_autoptr(GArray) perms = perms_parse(text, sizeof(text));
	struct client client = { .privileged = FALSE };

	for (unsigned int i = 0; i < G_N_ELEMENTS(expected); i++) {
		client.domid = expected[i].domid;
		g_assert_cmpuint(perms_allow(perms, &client), ==, expected[i].access);
	}
	client.privileged = TRUE;
	g_assert_cmpuint(perms_allow(perms, &client), ==,
			 ACCESS_READ | ACCESS_WRITE | ACCESS_OWNER);
}

/* Below: transactions of domain 0, so that only conflicts matter. */
struct fixture {
	struct xenstore *xs;
	struct transaction *t;
	struct view live;
	struct view inside;
};

static void fixture_set_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	f->xs = xenstore_new(NULL);
	xenstore_write(f->xs, "/d/one", "1", 0, -1);
	xenstore_write(f->xs, "/d/two", "2", 0, -1);
	xenstore_write(f->xs, "/e", "3", 0, -1);
	f->t = transaction_new(f->xs, &f->xs->self, 1);
	f->live = (struct view){ .xs = f->xs, .client = &f->xs->self };
	f->inside = f->live;
	f->inside.transaction = f->t;
}

static void fixture_tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	transaction_free(f->t);
	xenstore_free(f->xs);
}

static void write_to(const struct view *view, const char *path, const char *value)
{
	g_assert_cmpint(view_write(view, path, value, strlen(value)), ==, 0);
}

static void assert_value(const struct view *view, const char *path, const char *value)
{
	const struct node *node;

	g_assert_cmpint(view_node(view, path, ACCESS_READ, &node), ==, 0);
	g_assert_cmpstr(node->value->data, ==, value);
}

static void test_isolation(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	const struct node *node;

	write_to(&f->inside, "/d/one", "inside");
	write_to(&f->live, "/e", "outside");
	assert_value(&f->live, "/d/one", "1");
	assert_value(&f->inside, "/d/one", "inside");
	/* The whole of the store is copied at the start. */
	assert_value(&f->inside, "/e", "3");
	g_assert_cmpint(view_node(&f->inside, "/none", ACCESS_READ, &node), ==, ENOENT);
}

static void test_merge(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	write_to(&f->inside, "/d/one", "inside");
	write_to(&f->inside, "/d/deep/down", "made");
	write_to(&f->live, "/e", "outside");
	write_to(&f->live, "/d/two", "outside too");
	g_assert_cmpint(transaction_commit(f->t), ==, 0);
	assert_value(&f->live, "/d/one", "inside");
	assert_value(&f->live, "/d/two", "outside too");
	assert_value(&f->live, "/d/deep", "");
	assert_value(&f->live, "/d/deep/down", "made");
	assert_value(&f->live, "/e", "outside");
}

static void test_read_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	assert_value(&f->inside, "/d/two", "2");
	write_to(&f->inside, "/d/one", "inside");
	write_to(&f->live, "/d/two", "outside");
	g_assert_cmpint(transaction_commit(f->t), ==, EAGAIN);
	assert_value(&f->live, "/d/one", "1");
}

static void test_write_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	write_to(&f->inside, "/d/one", "inside");
	write_to(&f->live, "/d/one", "outside");
	g_assert_cmpint(transaction_commit(f->t), ==, EAGAIN);
	assert_value(&f->live, "/d/one", "outside");
}

/* What was written is not what was there, even if it reads the same. */
static void test_rewrite_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	assert_value(&f->inside, "/d/one", "1");
	write_to(&f->live, "/d/one", "1");
	g_assert_cmpint(transaction_commit(f->t), ==, EAGAIN);
}

static void test_absent_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	const struct node *node;

	g_assert_cmpint(view_node(&f->inside, "/d/new", ACCESS_READ, &node), ==, ENOENT);
	write_to(&f->live, "/d/new", "outside");
	g_assert_cmpint(transaction_commit(f->t), ==, EAGAIN);
}

static void test_sibling_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	write_to(&f->inside, "/d/mine", "inside");
	write_to(&f->live, "/d/theirs", "outside");
	g_assert_cmpint(transaction_commit(f->t), ==, EAGAIN);
}

static void test_remove_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_assert_cmpint(view_remove(&f->inside, "/d"), ==, 0);
	write_to(&f->live, "/d/two", "outside");
	g_assert_cmpint(transaction_commit(f->t), ==, EAGAIN);
	assert_value(&f->live, "/d/one", "1");
}

static void test_removed_conflict(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	write_to(&f->inside, "/d/one", "inside");
	g_assert_cmpint(view_remove(&f->live, "/d"), ==, 0);
	g_assert_cmpint(transaction_commit(f->t), ==, EAGAIN);
	g_assert_null(xenstore_read(f->xs, "/d"));
}

static void test_no_conflict_unread(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	const struct node *node;

	g_assert_cmpint(view_node(&f->inside, "/d", ACCESS_READ, &node), ==, 0);
	/* A child's value is no part of its parent. */
	write_to(&f->live, "/d/one", "outside");
	g_assert_cmpint(transaction_commit(f->t), ==, 0);
}

static void test_remove_merge(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	const struct node *node;

	g_assert_cmpint(view_remove(&f->inside, "/d"), ==, 0);
	write_to(&f->inside, "/d/again", "new");
	write_to(&f->live, "/e", "outside");
	g_assert_cmpint(transaction_commit(f->t), ==, 0);
	assert_value(&f->live, "/d/again", "new");
	g_assert_cmpint(view_node(&f->live, "/d/one", ACCESS_READ, &node), ==, ENOENT);
	g_assert_cmpint(view_node(&f->live, "/d/two", ACCESS_READ, &node), ==, ENOENT);
	g_assert_cmpuint(node_find(f->xs->tree->root, "/d")->children->len, ==, 1);
	/* Root, /d, /d/again, /e. */
	g_assert_cmpuint(tree_owned(f->xs->tree, 0), ==, 4);
}

static void test_made_and_removed(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	const struct node *node;

	write_to(&f->inside, "/x/y/z", "1");
	g_assert_cmpint(view_remove(&f->inside, "/x"), ==, 0);
	g_assert_cmpint(transaction_commit(f->t), ==, 0);
	g_assert_cmpint(view_node(&f->live, "/x", ACCESS_READ, &node), ==, ENOENT);
	g_assert_cmpuint(tree_owned(f->xs->tree, 0), ==, 5);
}

static void test_perms_merge(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autoptr(GArray) perms = perms_new(4, ACCESS_READ);
	const struct node *node;

	g_assert_cmpint(view_set_perms(&f->inside, "/d/one", perms), ==, 0);
	g_assert_cmpuint(tree_owned(f->xs->tree, 4), ==, 0);
	g_assert_cmpint(transaction_commit(f->t), ==, 0);
	g_assert_cmpint(view_node(&f->live, "/d/one", ACCESS_READ, &node), ==, 0);
	g_assert_cmpuint(node_owner(node), ==, 4);
	g_assert_cmpuint(tree_owned(f->xs->tree, 4), ==, 1);
	assert_value(&f->live, "/d/one", "1");
}

static void count_fired(void *opaque, const char *path)
{
	g_string_append_printf(opaque, "%s ", path);
}

/* What waits for the main loop; there is nothing else in it. */
static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void test_own_watch(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	GString *seen = g_string_new(NULL);
	unsigned int id = xenstore_watch(f->xs, "/d", count_fired, seen);
	unsigned int other = xenstore_watch(f->xs, "/d/two", count_fired, seen);

	g_assert_cmpuint(id, !=, other);
	g_assert_cmpstr(seen->str, ==, "");
	turn();
	g_assert_cmpstr(seen->str, ==, "/d /d/two ");
	g_string_truncate(seen, 0);
	xenstore_unwatch(f->xs, other);
	/* Value and permissions, and several changes before the next turn: once. */
	xenstore_write(f->xs, "/d/two", "x", 0, 1);
	xenstore_write(f->xs, "/d/two", "y", 0, 1);
	xenstore_write(f->xs, "/e", "y", 0, 1);
	g_assert_cmpstr(seen->str, ==, "");
	turn();
	g_assert_cmpstr(seen->str, ==, "/d/two ");
	xenstore_write(f->xs, "/d/two", "z", 0, 1);
	xenstore_unwatch(f->xs, id);
	turn();
	g_assert_cmpstr(seen->str, ==, "/d/two ");
	g_string_free(seen, TRUE);
}

struct rewatch {
	struct xenstore *xs;
	unsigned int id;
	unsigned int fired;
};

static void rewatch_fired(void *opaque, const char *path)
{
	struct rewatch *again = opaque;

	xenstore_write(again->xs, "/d/from-watch", path, 0, -1);
	xenstore_unwatch(again->xs, again->id);
	if (++again->fired < 3)
		again->id = xenstore_watch(again->xs, "/e", rewatch_fired, again);
}

/* A watch's function may change the store and the watches. */
static void test_own_watch_reentered(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct rewatch again = { .xs = f->xs };

	again.id = xenstore_watch(f->xs, "/e", rewatch_fired, &again);
	turn();
	g_assert_cmpuint(again.fired, ==, 3);
	assert_value(&f->live, "/d/from-watch", "/e");
}

static void test_toolstack(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	const struct node *node;
	g_autofree char *value = NULL;

	g_assert_true(xenstore_write(f->xs, "/q/r", "v", 1, 3));
	value = xenstore_read(f->xs, "/q/r");
	g_assert_cmpstr(value, ==, "v");
	g_assert_null(xenstore_read(f->xs, "/q/s"));
	g_assert_false(xenstore_write(f->xs, "q", "v", 0, -1));
	g_assert_false(xenstore_write(f->xs, "/q/", "v", 0, -1));
	view_node(&f->live, "/q/r", ACCESS_READ, &node);
	g_assert_cmpuint(node->perms->len, ==, 2);
	g_assert_cmpuint(node_owner(node), ==, 1);
	g_assert_cmpuint(g_array_index(node->perms, struct permission, 1).domid, ==, 3);
	view_node(&f->live, "/q", ACCESS_READ, &node);
	g_assert_cmpuint(node_owner(node), ==, 0);
}

static void test_toolstack_list(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_auto(GStrv) names = NULL;
	g_auto(GStrv) none = NULL;

	g_assert_null(xenstore_list(f->xs, "/q"));
	xenstore_write(f->xs, "/q/z", "", 0, -1);
	xenstore_write(f->xs, "/q/a/below", "", 0, -1);
	names = xenstore_list(f->xs, "/q");
	g_assert_cmpstrv(names, ((const char *[]){ "z", "a", NULL }));
	none = xenstore_list(f->xs, "/q/z");
	g_assert_cmpuint(g_strv_length(none), ==, 0);
	g_assert_null(xenstore_list(f->xs, "q"));
}

static void test_toolstack_remove(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	xenstore_write(f->xs, "/q/r/s", "v", 1, -1);
	g_assert_true(xenstore_remove(f->xs, "/q/r"));
	g_assert_null(xenstore_read(f->xs, "/q/r/s"));
	g_assert_null(xenstore_read(f->xs, "/q/r"));
	g_assert_false(xenstore_remove(f->xs, "/q/r"));
	g_assert_false(xenstore_remove(f->xs, "/"));
	g_assert_false(xenstore_remove(f->xs, "q"));
}

#define ADD(name, function)                                                                    \
	g_test_add("/xenstore/" name, struct fixture, NULL, fixture_set_up, function,          \
		   fixture_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xenstore/tree/find", test_find);
	g_test_add_func("/xenstore/tree/generations", test_generations);
	g_test_add_func("/xenstore/tree/snapshot", test_snapshot);
	g_test_add_func("/xenstore/tree/children", test_children);
	g_test_add_func("/xenstore/tree/owned", test_owned);
	g_test_add_func("/xenstore/tree/walk", test_walk);
	g_test_add_func("/xenstore/tree/deep", test_deep);
	g_test_add_func("/xenstore/paths", test_paths);
	g_test_add_func("/xenstore/permissions/text", test_perms_text);
	g_test_add_func("/xenstore/permissions/allow", test_perms_allow);
	ADD("transaction/isolation", test_isolation);
	ADD("transaction/merge", test_merge);
	ADD("transaction/read-conflict", test_read_conflict);
	ADD("transaction/write-conflict", test_write_conflict);
	ADD("transaction/rewrite-conflict", test_rewrite_conflict);
	ADD("transaction/absent-conflict", test_absent_conflict);
	ADD("transaction/sibling-conflict", test_sibling_conflict);
	ADD("transaction/remove-conflict", test_remove_conflict);
	ADD("transaction/removed-conflict", test_removed_conflict);
	ADD("transaction/no-conflict", test_no_conflict_unread);
	ADD("transaction/remove-merge", test_remove_merge);
	ADD("transaction/made-and-removed", test_made_and_removed);
	ADD("transaction/permissions", test_perms_merge);
	ADD("own-watch", test_own_watch);
	ADD("own-watch-reentered", test_own_watch_reentered);
	ADD("toolstack", test_toolstack);
	ADD("toolstack/list", test_toolstack_list);
	ADD("toolstack/remove", test_toolstack_remove);
	return g_test_run();
}
