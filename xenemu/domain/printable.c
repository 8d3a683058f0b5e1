/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printable.c - text from a guest, fit for a terminal
 */
#include "domain/printable.h"
#include <glib.h>

/* Length of the character at @text, or 0 when it is none or not to be shown. */
static size_t shown(const char *text)
{
	gunichar c = g_utf8_get_char_validated(text, -1);
	GUnicodeType type = g_unichar_type(c);

	/* What is no character has no type either. */
	if (!g_unichar_isprint(c) || type == G_UNICODE_LINE_SEPARATOR ||
	    type == G_UNICODE_PARAGRAPH_SEPARATOR)
		return 0;
	return g_utf8_next_char(text) - text;
}

void make_printable(char *text)
{
	while (*text) {
		size_t len = shown(text);

		if (!len) {
			*text = '?';
			len = 1;
		}
		text += len;
	}
}
