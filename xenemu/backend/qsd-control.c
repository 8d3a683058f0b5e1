/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qsd-control.c - has a qemu-storage-daemon resize its image, over QMP
 *
 * With an NBD export three commands, one after the other: the export is deleted, the node
 * resized, the export added again, whatever became of the second.  With vhost-user-blk only
 * the second: QEMU 7.2's export lets others resize its node, holds requests back meanwhile,
 * and checks them against the size that the node has (block/export/vhost-user-blk-server.c,
 * virtio-blk-handler.c).
 */
#include "backend/qsd-control.h"
#include "backend/disk.h"
#include "machine/qmp.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DELETE "block-export-del"
#define RESIZE "block_resize"
#define ADD "block-export-add"

/**
 * struct qsd_control - see qsd-control.h
 * @qmp:      NULL when the process is gone
 * @address:  of the NBD socket
 * @writable: what the export is to be
 * @size:     what the image is to be
 * @deleting: what there is still to wait for: the answer, and the event that says that it
 *            is done
 * @error:    why there is no new size, or NULL
 * @done, @grown, @opaque: who waits, of either kind; NULL when nothing is under way
 */
struct qsd_control {
	struct qmp *qmp;
	int address;
	gboolean writable;
	uint64_t size;
	unsigned int deleting;
	GError *error;
	void (*done)(void *opaque, int socket, GError *error);
	void (*grown)(void *opaque, GError *error);
	void *opaque;
};

/* A reason of QEMU's, fit for a line. */
static void keep_error(struct qsd_control *control, const char *what)
{
	g_autofree char *line = g_strdup(what);

	for (char *at = line; *at; at++)
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	if (!control->error)
		g_set_error(&control->error, DISK_ERROR, DISK_ERROR_SIZE, "%s", line);
}

static void finish(struct qsd_control *control, int socket)
{
	void (*done)(void *opaque, int socket, GError *error) = g_steal_pointer(&control->done);
	void (*grown)(void *opaque, GError *error) = g_steal_pointer(&control->grown);

	control->deleting = 0;
	if (grown)
		grown(control->opaque, g_steal_pointer(&control->error));
	else
		done(control->opaque, socket, g_steal_pointer(&control->error));
}

static void is_gone(struct qsd_control *control)
{
	keep_error(control, "its qemu-storage-daemon ended");
	finish(control, -1);
}

static void send_command(struct qsd_control *control, const char *name, const char *arguments)
{
	if (!control->qmp || !qmp_execute(control->qmp, name, arguments))
		is_gone(control);
}

/* A socket that has lost its name is reached by way of what is left of it. */
static int connect_again(struct qsd_control *control)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	g_snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d",
		   control->address);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	keep_error(control, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- the steps --- */

static void resize(struct qsd_control *control)
{
	g_autofree char *arguments = g_strdup_printf(
		"{\"node-name\":\"disk\",\"size\":%" G_GUINT64_FORMAT "}", control->size);

	send_command(control, RESIZE, arguments);
}

static void add(struct qsd_control *control)
{
	g_autofree char *arguments =
		g_strdup_printf("{\"type\":\"nbd\",\"id\":\"disk\",\"node-name\":\"disk\","
				"\"name\":\"disk\",\"writable\":%s}",
				control->writable ? "true" : "false");

	send_command(control, ADD, arguments);
}

static void deleted(struct qsd_control *control)
{
	if (control->deleting && !--control->deleting)
		resize(control);
}

static void on_event(void *opaque, const char *name, G_GNUC_UNUSED JsonObject *data)
{
	if (!strcmp(name, "BLOCK_EXPORT_DELETED"))
		deleted(opaque);
}

static void on_reply(void *opaque, const char *name, G_GNUC_UNUSED JsonNode *value,
		     const char *failure)
{
	struct qsd_control *control = opaque;

	if (!control->done && !control->grown)
		return;
	if (failure)
		keep_error(control, failure);
	if (!strcmp(name, RESIZE) && control->grown)
		finish(control, -1);
	else if (!strcmp(name, DELETE) && !failure)
		deleted(control);
	else if (!strcmp(name, DELETE))
		finish(control, connect_again(control)); /* it is still there */
	else if (!strcmp(name, RESIZE))
		add(control);
	else if (!strcmp(name, ADD))
		finish(control, failure ? -1 : connect_again(control));
}

static void on_broken(void *opaque, G_GNUC_UNUSED gboolean garbage)
{
	struct qsd_control *control = opaque;

	g_clear_pointer(&control->qmp, qmp_free);
	if (control->done || control->grown)
		is_gone(control);
}

void qsd_control_resize(struct qsd_control *control, uint64_t size,
			void (*done)(void *opaque, int socket, GError *error), void *opaque)
{
	control->size = size;
	control->done = done;
	control->opaque = opaque;
	control->deleting = 2;
	send_command(control, DELETE, "{\"id\":\"disk\",\"mode\":\"hard\"}");
}

void qsd_control_grow(struct qsd_control *control, uint64_t size,
		      void (*grown)(void *opaque, GError *error), void *opaque)
{
	control->size = size;
	control->grown = grown;
	control->opaque = opaque;
	resize(control);
}

/* --- life --- */

struct qsd_control *qsd_control_new(int monitor, int address, gboolean writable)
{
	static const struct qmp_events events = { .event = on_event,
						  .reply = on_reply,
						  .broken = on_broken };
	struct qsd_control *control = g_new0(struct qsd_control, 1);

	control->address = address;
	control->writable = writable;
	control->qmp = qmp_new(monitor, &events, control);
	return control;
}

void qsd_control_free(struct qsd_control *control)
{
	if (!control)
		return;
	qmp_free(control->qmp);
	close(control->address);
	g_clear_error(&control->error);
	g_free(control);
}
