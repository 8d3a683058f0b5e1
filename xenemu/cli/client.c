/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.c - asks the helper of a running guest for something
 */
#include "cli/client.h"
#include "cli/cli.h"
#include "domain/runtime.h"
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <stdio.h>
#include <string.h>

static void fail(GError **error, const char *name, const char *late, GError *why)
{
	if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_LATE, "%s: %s", name, late);
	else if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
		 g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_NO_GUEST,
			    "no guest named %s is running; see `xenemu list`", name);
	else
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_SILENT, "%s: %s", name,
			    why->message);
	g_error_free(why);
}

static GSocketConnection *connect_to(const char *name, unsigned int timeout, const char *late,
				     GError **error)
{
	g_autofree char *path = runtime_guest_file(name, "control");
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	g_autoptr(GSocketClient) client = g_socket_client_new();
	GSocketConnection *connection;
	GError *why = NULL;

	g_socket_client_set_enable_proxy(client, FALSE);
	g_socket_client_set_timeout(client, timeout);
	connection = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &why);
	if (!connection)
		fail(error, name, late, why);
	return connection;
}

static char *make_line(char *const *words)
{
	GString *line = g_string_new(NULL);

	for (unsigned int i = 0; words[i]; i++) {
		g_autofree char *quoted = g_shell_quote(words[i]);

		g_string_append_printf(line, "%s%s", i ? " " : "", quoted);
	}
	/* A line has one newline. */
	g_strdelimit(line->str, "\n", ' ');
	g_string_append_c(line, '\n');
	return g_string_free(line, FALSE);
}

/* The helper's answer, or NULL; *@why stays NULL when it hung up instead. */
static char *exchange(GSocketConnection *connection, const char *line, GError **why)
{
	GIOStream *stream = G_IO_STREAM(connection);
	g_autoptr(GDataInputStream)
		in = g_data_input_stream_new(g_io_stream_get_input_stream(stream));

	if (!g_output_stream_write_all(g_io_stream_get_output_stream(stream), line,
				       strlen(line), NULL, NULL, why))
		return NULL;
	return g_data_input_stream_read_line(in, NULL, NULL, why);
}

char *client_request(const char *name, char *const *words, unsigned int timeout,
		     const char *late, GError **error)
{
	g_autoptr(GSocketConnection) connection = connect_to(name, timeout, late, error);
	g_autofree char *line = make_line(words);
	g_autofree char *answer = NULL;
	GError *why = NULL;

	if (!connection)
		return NULL;
	answer = exchange(connection, line, &why);
	if (why)
		fail(error, name, late, why);
	else if (!answer)
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_SILENT,
			    "%s: ended before it answered", name);
	else if (g_str_has_prefix(answer, "ok"))
		return g_strdup(g_strchug(answer + strlen("ok")));
	else
		g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_REFUSED, "%s: %s", name,
			    g_str_has_prefix(answer, "error ") ? answer + strlen("error ")
							       : answer);
	return NULL;
}

int client_failed(GError *error)
{
	int status = g_error_matches(error, CLIENT_ERROR, CLIENT_ERROR_NO_GUEST) ? CLI_USAGE
										 : CLI_FAILED;

	cli_error("%s", error->message);
	g_error_free(error);
	return status;
}

int client_ask(const char *name, char *const *words, unsigned int timeout, const char *late)
{
	GError *error = NULL;
	g_autofree char *answer = client_request(name, words, timeout, late, &error);

	if (!answer)
		return client_failed(error);
	if (*answer)
		printf("%s\n", answer);
	return CLI_OK;
}

gpointer client_hold(const char *name, GError **error)
{
	return connect_to(name, 0, NULL, error);
}

void client_wait_end(gpointer held)
{
	GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(held));
	char byte;

	/* Nothing was asked, so nothing comes but the end. */
	g_input_stream_read(in, &byte, 1, NULL, NULL);
	g_object_unref(held);
}
