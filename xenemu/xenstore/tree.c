/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.c - the store's data: a copy-on-write tree of refcounted nodes
 */
#include "xenstore/tree.h"
#include <string.h>
#include <xen/io/xs_wire.h>

gboolean account_allows(const struct account *account, size_t size)
{
	return account->bytes <= account->limit && size <= account->limit - account->bytes;
}

struct blob *blob_new(struct account *account, const void *bytes, size_t len)
{
	struct blob *blob = g_malloc(sizeof(*blob) + len + 1);

	blob->refs = 1;
	blob->len = len;
	blob->account = account;
	if (len)
		memcpy(blob->data, bytes, len);
	blob->data[len] = '\0';
	account->bytes += sizeof(*blob) + len;
	return blob;
}

struct blob *blob_ref(struct blob *blob)
{
	blob->refs++;
	return blob;
}

void blob_unref(struct blob *blob)
{
	if (--blob->refs)
		return;
	blob->account->bytes -= sizeof(*blob) + blob->len;
	g_free(blob);
}

/* Takes over the reference to @name. */
static struct node *node_new(struct blob *name, GArray *perms, uint64_t generation)
{
	struct node *node = g_new0(struct node, 1);

	node->refs = 1;
	node->generation = generation;
	node->name = name;
	node->value = blob_new(name->account, NULL, 0);
	node->perms = g_array_ref(perms);
	return node;
}

static struct node *node_copy(const struct node *node)
{
	struct node *copy = g_new(struct node, 1);

	*copy = *node;
	copy->refs = 1;
	blob_ref(copy->name);
	blob_ref(copy->value);
	g_array_ref(copy->perms);
	if (!node->children)
		return copy;
	copy->children = g_ptr_array_copy(node->children, NULL, NULL);
	for (unsigned int i = 0; i < copy->children->len; i++)
		node_ref(copy->children->pdata[i]);
	return copy;
}

struct node *node_ref(struct node *node)
{
	node->refs++;
	return node;
}

/* How deep a guest nests its nodes must not decide how much stack we need. */
void node_unref(struct node *node)
{
	g_autoptr(GPtrArray) dead = NULL;

	if (!node || --node->refs)
		return;
	dead = g_ptr_array_new();
	g_ptr_array_add(dead, node);
	while (dead->len) {
		node = g_ptr_array_steal_index_fast(dead, dead->len - 1);
		for (unsigned int i = 0; node->children && i < node->children->len; i++) {
			struct node *child = node->children->pdata[i];

			if (!--child->refs)
				g_ptr_array_add(dead, child);
		}
		blob_unref(node->name);
		blob_unref(node->value);
		g_array_unref(node->perms);
		if (node->children)
			g_ptr_array_unref(node->children);
		g_free(node);
	}
}

unsigned int node_owner(const struct node *node)
{
	return g_array_index(node->perms, struct permission, 0).domid;
}

/* Splits the first component off @path: its start, and its length in @len; NULL at the end. */
static const char *path_component(const char *path, size_t *len)
{
	while (*path == '/')
		path++;
	*len = strcspn(path, "/");
	return *len ? path : NULL;
}

static gboolean node_find_child(const struct node *node, const char *name, size_t len,
				unsigned int *index)
{
	for (unsigned int i = 0; node->children && i < node->children->len; i++) {
		const struct node *child = node->children->pdata[i];

		if (child->name->len == len && !memcmp(child->name->data, name, len)) {
			*index = i;
			return TRUE;
		}
	}
	return FALSE;
}

const struct node *node_find(const struct node *root, const char *path)
{
	const struct node *node = root;
	const char *name;
	unsigned int index;
	size_t len;

	while ((name = path_component(path, &len))) {
		if (!node_find_child(node, name, len, &index))
			return NULL;
		node = node->children->pdata[index];
		path = name + len;
	}
	return node;
}

struct tree *tree_new(struct account *account, GArray *perms)
{
	struct tree *tree = g_new(struct tree, 1);

	tree->root = node_new(blob_new(account, NULL, 0), perms, 1);
	tree->owned = g_hash_table_new(NULL, NULL);
	g_hash_table_insert(tree->owned, GUINT_TO_POINTER(node_owner(tree->root)),
			    GUINT_TO_POINTER(1));
	return tree;
}

struct tree *tree_snapshot(const struct tree *tree)
{
	struct tree *copy = g_new(struct tree, 1);
	GHashTableIter iter;
	gpointer key, value;

	copy->root = node_ref(tree->root);
	copy->owned = g_hash_table_new(NULL, NULL);
	g_hash_table_iter_init(&iter, tree->owned);
	while (g_hash_table_iter_next(&iter, &key, &value))
		g_hash_table_insert(copy->owned, key, value);
	return copy;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	node_unref(tree->root);
	g_hash_table_unref(tree->owned);
	g_free(tree);
}

unsigned int tree_owned(const struct tree *tree, unsigned int domid)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(tree->owned, GUINT_TO_POINTER(domid)));
}

static void tree_count(struct tree *tree, unsigned int domid, int change)
{
	g_hash_table_insert(tree->owned, GUINT_TO_POINTER(domid),
			    GUINT_TO_POINTER(tree_owned(tree, domid) + change));
}

/* Trades the reference to @node for one to a node that nobody else can see. */
static struct node *node_own(struct node *node)
{
	struct node *copy;

	if (node->refs == 1)
		return node;
	copy = node_copy(node);
	node_unref(node);
	return copy;
}

/* The node at @path, which exists: it and all above it are this tree's alone afterwards. */
static struct node *tree_own(struct tree *tree, const char *path)
{
	struct node *node = tree->root = node_own(tree->root);
	const char *name;
	unsigned int index;
	size_t len;

	while ((name = path_component(path, &len))) {
		if (!node_find_child(node, name, len, &index))
			g_return_val_if_reached(node);
		node = node->children->pdata[index] = node_own(node->children->pdata[index]);
		path = name + len;
	}
	return node;
}

static struct node *tree_own_parent(struct tree *tree, const char *path, uint64_t generation)
{
	g_autofree char *parent_path = path_parent(path);
	struct node *parent = tree_own(tree, parent_path);

	parent->generation = generation;
	return parent;
}

void tree_add(struct tree *tree, const char *path, GArray *perms, struct account *account,
	      uint64_t generation)
{
	struct node *parent = tree_own_parent(tree, path, generation);
	const char *name = strrchr(path, '/') + 1;
	struct node *node;

	node = node_new(blob_new(account, name, strlen(name)), perms, generation);
	if (!parent->children)
		parent->children = g_ptr_array_new();
	g_ptr_array_add(parent->children, node);
	parent->child_bytes += node->name->len + 1;
	tree_count(tree, node_owner(node), 1);
}

void tree_set_value(struct tree *tree, const char *path, struct blob *value,
		    uint64_t generation)
{
	struct node *node = tree_own(tree, path);

	blob_ref(value);
	blob_unref(node->value);
	node->value = value;
	node->generation = generation;
}

void tree_set_perms(struct tree *tree, const char *path, GArray *perms, uint64_t generation)
{
	struct node *node = tree_own(tree, path);

	tree_count(tree, node_owner(node), -1);
	g_array_ref(perms);
	g_array_unref(node->perms);
	node->perms = perms;
	node->generation = generation;
	tree_count(tree, node_owner(node), 1);
}

static gboolean count_removed(void *opaque, const char *path G_GNUC_UNUSED,
			      const struct node *node)
{
	tree_count(opaque, node_owner(node), -1);
	return TRUE;
}

void tree_remove(struct tree *tree, const char *path, uint64_t generation)
{
	struct node *parent = tree_own_parent(tree, path, generation);
	const char *name = strrchr(path, '/') + 1;
	unsigned int index;
	struct node *node;

	if (!node_find_child(parent, name, strlen(name), &index))
		g_return_if_reached();
	node = g_ptr_array_steal_index(parent->children, index);
	parent->child_bytes -= node->name->len + 1;
	node_walk(node, path, count_removed, tree);
	node_unref(node);
}

/* A step of a walk: a node, its path's length, and which child comes next. */
struct step {
	const struct node *node;
	size_t path_len;
	unsigned int next;
};

static void walk_enter(GArray *steps, GString *path, const struct node *node)
{
	struct step step = { .node = node, .path_len = path->len };

	g_array_append_val(steps, step);
}

gboolean node_walk(const struct node *node, const char *path,
		   gboolean (*visit)(void *opaque, const char *path, const struct node *node),
		   void *opaque)
{
	g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(struct step));
	GString *name = g_string_new(path);
	gboolean go_on = TRUE;

	walk_enter(steps, name, node);
	while (go_on && steps->len) {
		struct step *top = &g_array_index(steps, struct step, steps->len - 1);

		g_string_truncate(name, top->path_len);
		if (top->node->children && top->next < top->node->children->len) {
			const struct node *child = top->node->children->pdata[top->next++];

			if (name->len > 1)
				g_string_append_c(name, '/');
			g_string_append(name, child->name->data);
			walk_enter(steps, name, child);
			continue;
		}
		go_on = visit(opaque, name->str, top->node);
		g_array_set_size(steps, steps->len - 1);
	}
	g_string_free(name, TRUE);
	return go_on;
}

/* What tree_check() has counted: nodes by owner. */
static gboolean check_node(void *opaque, const char *path, const struct node *node)
{
	GHashTable *census = opaque;
	gpointer owner;
	unsigned int seen;
	size_t child_bytes = 0;

	if (!path_valid(path) || !node->refs || !node->generation || !node->perms->len)
		return FALSE;
	for (unsigned int i = 0; node->children && i < node->children->len; i++)
		child_bytes += ((struct node *)node->children->pdata[i])->name->len + 1;
	owner = GUINT_TO_POINTER(node_owner(node));
	seen = GPOINTER_TO_UINT(g_hash_table_lookup(census, owner));
	g_hash_table_insert(census, owner, GUINT_TO_POINTER(seen + 1));
	return child_bytes == node->child_bytes;
}

gboolean tree_check(const struct tree *tree)
{
	g_autoptr(GHashTable) census = g_hash_table_new(NULL, NULL);
	gboolean good = node_walk(tree->root, "/", check_node, census);
	GHashTableIter iter;
	gpointer domid, owned;

	g_hash_table_iter_init(&iter, tree->owned);
	while (good && g_hash_table_iter_next(&iter, &domid, &owned))
		good = g_hash_table_lookup(census, domid) == owned;
	return good;
}

/* Characters of a path: docs/misc/xenstore.txt of Xen. */
#define PATH_CHARACTERS                                                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                           \
	"abcdefghijklmnopqrstuvwxyz"                                                           \
	"0123456789-/_@"

gboolean path_valid(const char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/' || len > XENSTORE_ABS_PATH_MAX)
		return FALSE;
	if (len > 1 && path[len - 1] == '/')
		return FALSE;
	return !strstr(path, "//") && strspn(path, PATH_CHARACTERS) == len;
}

char *path_parent(const char *path)
{
	size_t len = strrchr(path, '/') - path;

	return len ? g_strndup(path, len) : g_strdup("/");
}

gboolean path_is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	if (!strcmp(above, "/"))
		return path[0] == '/';
	return !strncmp(path, above, len) && (path[len] == '/' || path[len] == '\0');
}
