/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-spec.c - reads what `--disk` says
 *
 * What libxlutil's xlu_disk_parse() accepts means the same here; the differences are
 * ours to add: a target may be a URI or relative to the current directory, vdev may be
 * missing, more formats, the modes with `!`, and `reconnect=`.
 */
#include "backend/disk-spec.h"
#include <string.h>

/**
 * struct parser - a specification half read
 * @spec:       result; empty strings stand for parameters that were given empty
 * @prefixed:   the old syntax: what follows the target is vdev, not format
 * @phy:        relative targets are below /dev
 * @access_set: the mode was given by position
 */
struct parser {
	struct disk_spec *spec;
	gboolean prefixed;
	gboolean phy;
	gboolean access_set;
};

/* Format words, and QEMU's names of them. */
static const struct {
	const char *word;
	const char *format;
} formats[] = {
	{ "raw", "raw" }, { "qcow", "qcow" }, { "qcow2", "qcow2" },         { "qed", "qed" },
	{ "vhd", "vpc" }, { "vpc", "vpc" },   { "vhdx", "vhdx" },           { "vmdk", "vmdk" },
	{ "vdi", "vdi" }, { "", "raw" },      { "parallels", "parallels" },
};

static gboolean refuse(GError **error, const char *word, const char *what)
{
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: %s", word, what);
	return FALSE;
}

/* --- values --- */

static gboolean set_string(char **where, const char *what, const char *value, GError **error)
{
	if (*where && **where)
		return refuse(error, value, what);
	g_free(*where);
	*where = g_strdup(value);
	return TRUE;
}

static gboolean set_target(struct parser *parser, const char *value, GError **error)
{
	return set_string(&parser->spec->target, "a second target", value, error);
}

static gboolean set_vdev(struct parser *parser, const char *value, GError **error)
{
	return set_string(&parser->spec->vdev, "a second name in the guest", value, error);
}

static const char *find_format(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (!strcmp(formats[i].word, word))
			return formats[i].format;
	return NULL;
}

static gboolean set_format(struct parser *parser, const char *value, GError **error)
{
	const char *format = find_format(value);

	if (!format)
		return refuse(
			error, value,
			"unknown format; give raw, qcow2, vhd, vhdx, vmdk, vdi, qed or qcow");
	if (parser->spec->format && strcmp(parser->spec->format, format))
		return refuse(error, value, "a second format");
	g_free(parser->spec->format);
	parser->spec->format = g_strdup(format);
	return TRUE;
}

static gboolean set_access(struct parser *parser, const char *value, GError **error)
{
	size_t len = strlen(value);
	gboolean shared = len > 1 && value[len - 1] == '!';
	g_autofree char *mode = g_strndup(value, len - shared);

	if (!strcmp(mode, "r") || !strcmp(mode, "ro"))
		parser->spec->read_only = TRUE;
	else if (!strcmp(mode, "w") || !strcmp(mode, "rw") || !*mode)
		parser->spec->read_only = FALSE;
	else
		return refuse(error, value, "unknown mode; give r or w");
	parser->spec->locked = !shared;
	return TRUE;
}

static gboolean set_devtype(struct parser *parser, const char *value, GError **error)
{
	parser->spec->cdrom = !strcmp(value, "cdrom");
	if (parser->spec->cdrom || !strcmp(value, "disk"))
		return TRUE;
	return refuse(error, value, "unknown type; give cdrom or disk");
}

static gboolean set_cdrom(struct parser *parser, const char *value, GError **error)
{
	(void)value;
	(void)error;
	parser->spec->cdrom = TRUE;
	return TRUE;
}

static gboolean set_discard(struct parser *parser, const char *value, GError **error)
{
	(void)value;
	(void)error;
	parser->spec->discard = TRUE;
	return TRUE;
}

/* Not a word of xl's: in Xen it is a parameter of dom0's xen-blkback. */
static gboolean set_persistent(struct parser *parser, const char *value, GError **error)
{
	(void)value;
	(void)error;
	parser->spec->persistent = TRUE;
	return TRUE;
}

static gboolean set_no_discard(struct parser *parser, const char *value, GError **error)
{
	(void)value;
	(void)error;
	parser->spec->discard = FALSE;
	return TRUE;
}

static gboolean set_reconnect(struct parser *parser, const char *value, GError **error)
{
	guint64 seconds;

	if (!g_ascii_string_to_unsigned(value, 10, 0, 1000000, &seconds, NULL))
		return refuse(error, value, "reconnect= wants seconds, up to a million");
	parser->spec->reconnect = seconds;
	return TRUE;
}

/* It chooses among dom0's implementations; there is one here. */
static gboolean check_backendtype(struct parser *parser, const char *value, GError **error)
{
	static const char *const types[] = { "phy", "tap", "qdisk", "standalone", NULL };

	(void)parser;
	if (g_strv_contains(types, value))
		return TRUE;
	return refuse(error, value, "unknown backendtype; leave it out");
}

static gboolean check_specification(struct parser *parser, const char *value, GError **error)
{
	(void)parser;
	if (!strcmp(value, "xen"))
		return TRUE;
	return refuse(error, value,
		      "not supported as specification; give xen, or leave it out");
}

static gboolean accept_it(struct parser *parser, const char *value, GError **error)
{
	(void)parser;
	(void)value;
	(void)error;
	return TRUE;
}

/* Of xl's, but with no sense or no code here. */
static gboolean not_here(struct parser *parser, const char *value, GError **error)
{
	(void)parser;
	return refuse(error, value, "this parameter of xl is not supported; leave it out");
}

/* Named parameters; those that end in `=` have a value. */
static const struct {
	const char *name;
	gboolean (*set)(struct parser *parser, const char *value, GError **error);
} parameters[] = {
	{ "format=", set_format },
	{ "vdev=", set_vdev },
	{ "access=", set_access },
	{ "devtype=", set_devtype },
	{ "cdrom", set_cdrom },
	{ "discard", set_discard },
	{ "no-discard", set_no_discard },
	{ "persistent", set_persistent },
	{ "reconnect=", set_reconnect },
	{ "backendtype=", check_backendtype },
	{ "specification=", check_specification },
	{ "direct-io-safe", accept_it },
	{ "trusted", accept_it },
	{ "no-colo", accept_it },
	{ "untrusted", not_here },
	{ "backend=", not_here },
	{ "script=", not_here },
	{ "colo", not_here },
	{ "colo-host=", not_here },
	{ "colo-port=", not_here },
	{ "colo-export=", not_here },
	{ "active-disk=", not_here },
	{ "hidden-disk=", not_here },
};

/* --- words --- */

/* Return: whether @text starts as a URI does ("nbd+unix://"). */
static gboolean is_uri(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+");

	return len > 1 && g_ascii_isalpha(text[0]) && g_str_has_prefix(text + len, "://");
}

/* Old words before the target, for dom0's implementations and hotplug scripts. */
static const char *const ignored_prefixes[] = { "tapdisk", "tap",  "tap2", "aio", "sync",
						"ioemu",   "file", "phy",  NULL };
static const char *const script_prefixes[] = { "iscsi", "nbd", "enbd", "drbd", NULL };

static gboolean is_known_prefix(const char *word)
{
	return g_strv_contains(ignored_prefixes, word) ||
	       g_strv_contains(script_prefixes, word) || find_format(word);
}

static gboolean take_prefix(struct parser *parser, const char *word, GError **error)
{
	parser->prefixed = TRUE;
	if (!strcmp(word, "phy"))
		parser->phy = TRUE;
	if (g_strv_contains(ignored_prefixes, word))
		return TRUE;
	if (g_strv_contains(script_prefixes, word))
		return refuse(error, word,
			      "hotplug scripts are not run; give the block device, or a URI "
			      "such as nbd://HOST/EXPORT");
	if (find_format(word))
		return set_format(parser, word, error);
	return refuse(error, word, "unknown prefix; give TARGET,FORMAT,VDEV,MODE");
}

/* Prefixes such as "tap:aio:".  @text is moved behind them. */
static gboolean take_prefixes(struct parser *parser, const char **text, GError **error)
{
	while (!is_uri(*text)) {
		size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyz0123456789");
		g_autofree char *word = g_strndup(*text, len);

		if (!g_ascii_isalpha(word[0]) || (*text)[len] != ':')
			return TRUE;
		/* Then the colon is part of a name. */
		if (!is_known_prefix(word) && g_ascii_isalnum((*text)[len + 1]))
			return TRUE;
		if (!take_prefix(parser, word, error))
			return FALSE;
		*text += len + 1;
	}
	return TRUE;
}

/* The old "vdev:cdrom". */
static gboolean take_vdev_and_type(struct parser *parser, const char *word, GError **error)
{
	const char *colon = strrchr(word, ':');
	g_autofree char *vdev = colon ? g_strndup(word, colon - word) : g_strdup(word);

	return set_vdev(parser, vdev, error) &&
	       (!colon || set_devtype(parser, colon + 1, error));
}

static gboolean take_positional(struct parser *parser, const char *word, GError **error)
{
	struct disk_spec *spec = parser->spec;

	if (!spec->target)
		return set_target(parser, word, error);
	/* An empty CD-ROM drive of xm's syntax: ",hdc:cdrom,r". */
	if (!spec->format && !*spec->target && strchr(word, ':'))
		parser->prefixed = TRUE;
	if (!spec->format && !parser->prefixed)
		return set_format(parser, word, error);
	if (!spec->vdev)
		return take_vdev_and_type(parser, word, error);
	if (parser->access_set)
		return refuse(
			error, word,
			"too many parameters; give TARGET,FORMAT,VDEV,MODE, and others by "
			"name");
	parser->access_set = TRUE;
	return set_access(parser, word, error);
}

static gboolean take_word(struct parser *parser, const char *word, GError **error)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) + 1 : strlen(word);

	for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++)
		if (strlen(parameters[i].name) == len &&
		    !strncmp(parameters[i].name, word, len))
			return parameters[i].set(parser, equals ? equals + 1 : word, error);
	if (equals && !is_uri(word))
		return refuse(error, word,
			      "unknown parameter; a path with = in it is given last, as "
			      "target=PATH");
	return take_positional(parser, word, error);
}

static gboolean take_all(struct parser *parser, const char *text, GError **error)
{
	while (*text) {
		g_autofree char *word = NULL;

		text += strspn(text, " \t\n");
		/* The only one that may have commas. */
		if (g_str_has_prefix(text, "target="))
			return set_target(parser, text + strlen("target="), error);
		if (!take_prefixes(parser, &text, error))
			return FALSE;
		word = g_strndup(text, strcspn(text, ","));
		text += strlen(word);
		if (!*text && !*word)
			break;
		text += *text == ',';
		if (!take_word(parser, word, error))
			return FALSE;
	}
	return TRUE;
}

/* --- the whole --- */

static void empty_is_none(char **string)
{
	if (*string && !**string)
		g_clear_pointer(string, g_free);
}

static gboolean complete(struct parser *parser, GError **error)
{
	struct disk_spec *spec = parser->spec;

	empty_is_none(&spec->target);
	empty_is_none(&spec->vdev);
	if (!spec->format)
		spec->format = g_strdup("raw");
	if (spec->cdrom)
		spec->read_only = TRUE;
	if (!spec->target && !spec->cdrom)
		return refuse(error, "no target", "name a file, a block device or a URI");
	if (spec->target && parser->phy && spec->target[0] != '/') {
		char *path = g_build_filename("/dev", spec->target, NULL);

		g_free(spec->target);
		spec->target = path;
	}
	return TRUE;
}

struct disk_spec *disk_spec_parse(const char *text, GError **error)
{
	g_autoptr(DiskSpec) spec = g_new0(struct disk_spec, 1);
	struct parser parser = { .spec = spec };

	spec->discard = TRUE;
	spec->locked = TRUE;
	spec->reconnect = DISK_RECONNECT;
	if (take_all(&parser, text, error) && complete(&parser, error))
		return g_steal_pointer(&spec);
	g_prefix_error(error, "--disk %s: ", text);
	return NULL;
}

/* "scheme://user:password@host/path?query": what is behind "://" is @rest. */
static char *shown_uri(const char *target, const char *rest)
{
	size_t host = strcspn(rest, "/?#"), path = strcspn(rest, "?#");
	const char *at = g_strrstr_len(rest, host, "@");
	const char *from = at ? at + 1 : rest;

	return g_strdup_printf("%.*s%.*s", (int)(rest - target), target,
			       (int)(rest + path - from), from);
}

char *disk_spec_shown(const struct disk_spec *spec)
{
	if (g_str_has_prefix(spec->target, "json:"))
		return g_strdup("json:");
	if (is_uri(spec->target))
		return shown_uri(spec->target, strstr(spec->target, "://") + strlen("://"));
	return g_strdup(spec->target);
}

gboolean disk_spec_is_file(const struct disk_spec *spec)
{
	return spec->target && !g_str_has_prefix(spec->target, "json:") &&
	       !strstr(spec->target, "://");
}

void disk_spec_free(struct disk_spec *spec)
{
	if (!spec)
		return;
	g_free(spec->target);
	g_free(spec->format);
	g_free(spec->vdev);
	g_free(spec);
}
