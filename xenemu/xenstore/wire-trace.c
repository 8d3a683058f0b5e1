/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire-trace.c - messages of the store's protocol as text
 */
#include "xenstore/wire-trace.h"
#include "xenstore/wire.h"
#include <glib.h>

static void append_escaped(GString *line, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		if (!c)
			g_string_append_c(line, '|');
		else if (c == '\\' || c == '|' || !g_ascii_isprint(c))
			g_string_append_printf(line, "\\x%02x", c);
		else
			g_string_append_c(line, c);
	}
}

void wire_trace(FILE *to, unsigned int domid, const char *kind,
		const struct xsd_sockmsg *header, const char *payload)
{
	GString *line;

	if (!to)
		return;
	line = g_string_new(NULL);
	g_string_printf(line, "xenstore d%u %-7s %s req %u tx %u: ", domid, kind,
			wire_name(header->type), header->req_id, header->tx_id);
	append_escaped(line, payload, header->len);
	g_string_append_c(line, '\n');
	fputs(line->str, to);
	g_string_free(line, TRUE);
}
