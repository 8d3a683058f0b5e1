/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-spec.c - what `--console` says
 */
#include "backend/console-spec.h"
#include <string.h>

G_GNUC_PRINTF(2, 3)
static gboolean refuse(GError **error, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--console: %s", text);
	return FALSE;
}

static gboolean set_kind(struct console_spec *spec, const char *word, GError **error)
{
	static const struct {
		const char *name;
		gboolean may, must; /* have a path */
	} kinds[] = {
		[CONSOLE_STDIO] = { "stdio", FALSE, FALSE },
		[CONSOLE_PTY] = { "pty", TRUE, FALSE },
		[CONSOLE_UNIX] = { "unix", TRUE, FALSE },
		[CONSOLE_FILE] = { "file", TRUE, TRUE },
	};
	const char *colon = strchr(word, ':');
	g_autofree char *name = g_strndup(word, colon ? (gsize)(colon - word) : strlen(word));

	for (unsigned int i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (strcmp(name, kinds[i].name))
			continue;
		if (colon ? !kinds[i].may || !colon[1] : kinds[i].must)
			return refuse(error, "`%s': give %s%s", word, name,
				      kinds[i].may ? ":PATH" : "");
		spec->kind = i;
		spec->path = colon ? g_strdup(colon + 1) : NULL;
		return TRUE;
	}
	return refuse(error, "unknown kind `%s'; there are stdio, pty, unix and file", name);
}

static gboolean set_text(char **where, const char *key, const char *value, GError **error)
{
	if (!*value)
		return refuse(error, "%s= needs a value", key);
	g_free(*where);
	*where = g_strdup(value);
	return TRUE;
}

static gboolean set_log_size(struct console_spec *spec, const char *value, GError **error)
{
	static const char suffixes[] = "KMG";
	char *end;
	uint64_t number = g_ascii_strtoull(value, &end, 10);
	const char *suffix = *end ? strchr(suffixes, g_ascii_toupper(*end)) : NULL;
	unsigned int shift = suffix ? 10 * (suffix - suffixes + 1) : 0;

	if (!g_ascii_isdigit(*value) || (*end && (!suffix || end[1])) ||
	    number > (uint64_t)G_MAXINT64 >> shift)
		return refuse(error,
			      "log-size=%s: give bytes, or a number with K, M or G; 0 for no "
			      "limit",
			      value);
	spec->log_size = number << shift;
	return TRUE;
}

static gboolean set_option(struct console_spec *spec, const char *word, GError **error)
{
	if (g_str_has_prefix(word, "log="))
		return set_text(&spec->log, "log", word + strlen("log="), error);
	if (g_str_has_prefix(word, "log-size="))
		return set_log_size(spec, word + strlen("log-size="), error);
	if (g_str_has_prefix(word, "name="))
		return set_text(&spec->name, "name", word + strlen("name="), error);
	return refuse(error,
		      "`%s' is not understood; there are log=PATH, log-size=SIZE and name=NAME "
		      "(paths can't hold a comma)",
		      word);
}

struct console_spec *console_spec_parse(const char *text, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	struct console_spec *spec = g_new0(struct console_spec, 1);
	gboolean ok = set_kind(spec, words[0] ? words[0] : "", error);

	spec->log_size = CONSOLE_LOG_SIZE;
	for (unsigned int i = 1; ok && words[i]; i++)
		ok = set_option(spec, words[i], error);
	if (ok)
		return spec;
	console_spec_free(spec);
	return NULL;
}

void console_spec_free(struct console_spec *spec)
{
	if (!spec)
		return;
	g_free(spec->path);
	g_free(spec->log);
	g_free(spec->name);
	g_free(spec->guest);
	g_free(spec->place);
	g_free(spec);
}

char *console_file_name(unsigned int index)
{
	return index ? g_strdup_printf("console%u", index) : g_strdup("console");
}
