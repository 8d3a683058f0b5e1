/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.c - requests to a running guest's helper, through a Unix socket
 */
#include "domain/control.h"
#include "xenstore/listener.h"
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

/* Beyond these, whoever connects is disconnected at once. */
#define MAX_REQUESTS 64
#define MAX_LINE 4096

/**
 * struct control - see control.h
 * @listener: our end
 * @verbs:    GArray of struct verb
 * @requests: GPtrArray of struct control_request: those that somebody waits for
 */
struct control {
	struct listener *listener;
	GArray *verbs;
	GPtrArray *requests;
};

struct verb {
	const char *name;
	const char *usage;
	unsigned int min, max;
	void (*serve)(void *opaque, struct control_request *request, char **args);
	void *opaque;
};

/**
 * struct control_request - see control.h
 * @control: NULL when it is gone, or whoever asked
 * @stream:  the connection
 * @source:  waits for the line, then for the client to go; or 0
 * @served:  the line has come and somebody owes an answer
 * @line:    what came of it
 */
struct control_request {
	struct control *control;
	GSocketConnection *stream;
	guint source;
	gboolean served;
	GString *line;
};

static void request_free(struct control_request *request)
{
	g_clear_handle_id(&request->source, g_source_remove);
	if (request->control)
		g_ptr_array_remove_fast(request->control->requests, request);
	g_object_unref(request->stream);
	g_string_free(request->line, TRUE);
	g_free(request);
}

/* Nobody waits any more; whoever owes an answer still frees it. */
static void request_abandon(struct control_request *request)
{
	g_clear_handle_id(&request->source, g_source_remove);
	g_ptr_array_remove_fast(request->control->requests, request);
	request->control = NULL;
	if (!request->served)
		request_free(request);
}

static int request_fd(const struct control_request *request)
{
	return g_socket_get_fd(g_socket_connection_get_socket(request->stream));
}

/* A socket that nothing was written to yet has room for one line. */
static void answer(struct control_request *request, const char *verdict, const char *format,
		   va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_autofree char *line = g_strdup_printf("%s%s%s\n", verdict, *text ? " " : "", text);

	if (request->control)
		send(request_fd(request), line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
	request_free(request);
}

void control_ok(struct control_request *request, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	answer(request, "ok", format, args);
	va_end(args);
}

void control_error(struct control_request *request, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	answer(request, "error", format, args);
	va_end(args);
}

static const struct verb *find_verb(const struct control *control, const char *name)
{
	for (unsigned int i = 0; i < control->verbs->len; i++) {
		const struct verb *verb = &g_array_index(control->verbs, struct verb, i);

		if (!strcmp(verb->name, name))
			return verb;
	}
	return NULL;
}

static gboolean on_hangup(int fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
			  gpointer opaque)
{
	request_abandon(opaque);
	return G_SOURCE_CONTINUE;
}

static void serve(struct control_request *request)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(GError) error = NULL;
	const struct verb *verb;
	int nr_words;

	request->served = TRUE;
	g_source_remove(request->source);
	request->source = g_unix_fd_add(request_fd(request), G_IO_HUP, on_hangup, request);
	if (!g_shell_parse_argv(request->line->str, &nr_words, &words, &error)) {
		control_error(request, "%s", error->message);
		return;
	}
	verb = find_verb(request->control, words[0]);
	if (!verb)
		control_error(request, "%s: there is no such request", words[0]);
	else if (nr_words - 1U < verb->min || nr_words - 1U > verb->max)
		control_error(request, "usage: %s %s", verb->name, verb->usage);
	else
		verb->serve(verb->opaque, request, words + 1);
}

/* TRUE when all of the line is there. */
static gboolean take_line(struct control_request *request, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);

	g_string_append_len(request->line, bytes, end ? end - bytes : (gssize)len);
	return end != NULL;
}

static gboolean on_in(int fd, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
	struct control_request *request = opaque;
	char bytes[512];
	ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (got <= 0)
		request_abandon(request);
	else if (take_line(request, bytes, got))
		serve(request);
	else if (request->line->len > MAX_LINE)
		control_error(request, "longer than %d bytes", MAX_LINE);
	return G_SOURCE_CONTINUE;
}

static void on_connected(void *opaque, GSocketConnection *stream)
{
	struct control *control = opaque;
	struct control_request *request;

	if (control->requests->len >= MAX_REQUESTS)
		return;
	request = g_new0(struct control_request, 1);
	request->control = control;
	request->stream = g_object_ref(stream);
	request->line = g_string_new(NULL);
	request->source = g_unix_fd_add(request_fd(request), G_IO_IN, on_in, request);
	g_ptr_array_add(control->requests, request);
}

struct control *control_new(const char *path, GError **error)
{
	struct control *control = g_new0(struct control, 1);

	control->listener = listener_new(path, on_connected, control, error);
	if (!control->listener) {
		g_free(control);
		return NULL;
	}
	control->verbs = g_array_new(FALSE, FALSE, sizeof(struct verb));
	control->requests = g_ptr_array_new();
	return control;
}

void control_add(struct control *control, const char *verb, const char *usage, unsigned int min,
		 unsigned int max,
		 void (*serve_verb)(void *opaque, struct control_request *request, char **args),
		 void *opaque)
{
	const struct verb new = { verb, usage, min, max, serve_verb, opaque };

	if (control)
		g_array_append_val(control->verbs, new);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	listener_free(control->listener);
	while (control->requests->len)
		request_abandon(control->requests->pdata[0]);
	g_ptr_array_unref(control->requests);
	g_array_unref(control->verbs);
	g_free(control);
}
