/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.c - a client of QEMU's machine protocol, on the main loop
 */
#include "machine/qmp.h"
#include "machine/watch.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The registers of 32 vCPUs in text are the longest answer asked for. */
#define MAX_LINE (512 * 1024)
#define MAX_DEPTH 16

struct qmp {
	int fd;
	struct watch *watch;
	GString *line; /* what has come of a line that is not complete */
	const struct qmp_events *events;
	void *opaque;
};

/* json-glib's parser recurses: count what is open before it does. */
static gboolean is_deep(const char *line)
{
	unsigned int depth = 0;

	for (; *line; line++) {
		if (*line == '{' || *line == '[')
			depth++;
		else if ((*line == '}' || *line == ']') && depth > 0)
			depth--;
		if (depth > MAX_DEPTH)
			return TRUE;
	}
	return FALSE;
}

static const char *string_member(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

static JsonObject *object_member(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static void dispatch(struct qmp *q, JsonObject *message)
{
	const char *event = string_member(message, "event");
	const char *id = string_member(message, "id");
	const char *failure = NULL;

	if (event) {
		q->events->event(q->opaque, event, object_member(message, "data"));
	} else if (id) {
		JsonNode *value = json_object_get_member(message, "return");

		if (!value) {
			failure = string_member(object_member(message, "error"), "desc");
			failure = failure ? failure : "no reason given";
		}
		q->events->reply(q->opaque, id, value, failure);
	}
	/* else: the greeting */
}

/* Return: FALSE when the line is not QMP. */
static gboolean take_line(struct qmp *q, const char *line)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonNode *root;

	if (is_deep(line) || !json_parser_load_from_data(parser, line, -1, NULL))
		return FALSE;
	root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		return FALSE;
	dispatch(q, json_node_get_object(root));
	return TRUE;
}

static gboolean take_lines(struct qmp *q)
{
	char *end;

	while ((end = memchr(q->line->str, '\n', q->line->len))) {
		g_autofree char *line = g_strndup(q->line->str, end - q->line->str);

		g_string_erase(q->line, 0, end + 1 - q->line->str);
		if (!take_line(q, line))
			return FALSE;
	}
	return q->line->len <= MAX_LINE;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
	struct qmp *q = data;
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	(void)condition;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n > 0) {
		g_string_append_len(q->line, buf, n);
		if (take_lines(q))
			return G_SOURCE_CONTINUE;
	}
	g_clear_pointer(&q->watch, watch_free);
	q->events->broken(q->opaque, n > 0); /* may free q */
	return G_SOURCE_CONTINUE;
}

struct qmp *qmp_new(int fd, const struct qmp_events *events, void *opaque)
{
	struct qmp *q = g_new0(struct qmp, 1);

	q->fd = fd;
	q->line = g_string_new(NULL);
	q->events = events;
	q->opaque = opaque;
	q->watch = watch_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, q);
	qmp_execute(q, "qmp_capabilities", NULL);
	return q;
}

gboolean qmp_execute(struct qmp *q, const char *name, const char *arguments)
{
	g_autofree char *line = g_strdup_printf("{\"execute\":\"%s\",\"id\":\"%s\"%s%s}\n",
						name, name, arguments ? ",\"arguments\":" : "",
						arguments ? arguments : "");
	size_t len = strlen(line);

	return send(q->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	g_clear_pointer(&q->watch, watch_free);
	g_string_free(q->line, TRUE);
	close(q->fd);
	g_free(q);
}
