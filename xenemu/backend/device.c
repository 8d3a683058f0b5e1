/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.c - the life of a device: its directories and the states of both ends
 *
 * The states go as in Linux's xen-blkback and xen-netback (drivers/block/xen-blkback/
 * xenbus.c), and XenLinux 2.6.18's before them: the frontend leads, the backend
 * follows, and nobody goes further than the other has said.  The directories and their
 * permissions are those that libxl writes.
 */
#include "backend/device.h"
#include "domain/domain.h"
#include "domain/printable.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A guest that fails again and again is not worth more lines than this. */
#define MAX_MESSAGES 10

/* So many bytes of what a driver says are shown. */
#define MAX_COMPLAINT 200

G_DEFINE_QUARK(xenemu - device - error - quark, device_error)

/* --- messages --- */

static void say(struct device *dev, const char *text)
{
	g_autofree char *line = g_strdup_printf("%s: %s", dev->label, text);

	dev->host->message(dev->host->opaque, line);
}

void device_message(struct device *dev, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	say(dev, text);
}

/* As xenbus_dev_fatal(): where tools look for it.  What it quotes is the guest's. */
static void report_failure(struct device *dev, const char *reason)
{
	g_autofree char *text = g_strdup(reason);
	g_autofree char *path = g_strdup_printf("/local/domain/0/error/backend/%s/%u/%u/error",
						dev->ops->kind, DOMID_GUEST, dev->handle);

	make_printable(text);
	xenstore_write(dev->host->store, path, text, 0, -1);
	if (++dev->failures <= MAX_MESSAGES)
		say(dev, text);
	if (dev->failures == MAX_MESSAGES)
		say(dev, "further failures are not reported");
}

/* Where Xen's frontends say why they can't use a device: xenbus_dev_error() */
static char *complaint_path(const struct device *dev)
{
	return g_strdup_printf("/local/domain/%u/error/device/%s/%u/error", DOMID_GUEST,
			       dev->ops->kind, dev->handle);
}

/* Once: a driver that is loaded again and again says so again and again. */
static void frontend_complained(void *opaque, const char *path)
{
	struct device *dev = opaque;
	g_autofree char *text = xenstore_read(dev->host->store, path);

	if (dev->complained || !text || !*text)
		return;
	dev->complained = TRUE;
	if (strlen(text) > MAX_COMPLAINT)
		text[MAX_COMPLAINT] = '\0';
	make_printable(text);
	device_message(dev, "the guest's driver says: %s", text);
}

/* --- xenstore --- */

static void write_key(struct device *dev, const char *directory, const char *key,
		      unsigned int owner, int reader, const char *format, va_list args)
{
	g_autofree char *path = g_strdup_printf("%s/%s", directory, key);
	g_autofree char *value = g_strdup_vprintf(format, args);

	xenstore_write(dev->host->store, path, value, owner, reader);
}

void device_write(struct device *dev, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_key(dev, dev->backend, key, 0, DOMID_GUEST, format, args);
	va_end(args);
}

void device_write_frontend(struct device *dev, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_key(dev, dev->frontend, key, DOMID_GUEST, 0, format, args);
	va_end(args);
}

void device_show_frontend(struct device *dev, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_key(dev, dev->frontend, key, 0, DOMID_GUEST, format, args);
	va_end(args);
}

char *device_read(const struct device *dev, const char *key)
{
	g_autofree char *path = g_strdup_printf("%s/%s", dev->frontend, key);

	return xenstore_read(dev->host->store, path);
}

/* Nothing but digits: what scanf() would take besides, no frontend writes. */
static gboolean parse_number(const char *text, uint32_t max, uint32_t *value)
{
	uint64_t number;

	if (!g_ascii_string_to_unsigned(text, 10, 0, max, &number, NULL))
		return FALSE;
	*value = number;
	return TRUE;
}

gboolean device_read_number(const struct device *dev, const char *key, uint32_t max,
			    uint32_t *value)
{
	g_autofree char *text = device_read(dev, key);

	return text && parse_number(text, max, value);
}

gboolean device_need_number(const struct device *dev, const char *key, uint32_t max,
			    uint32_t *value, GError **error)
{
	g_autofree char *text = device_read(dev, key);

	if (text && parse_number(text, max, value))
		return TRUE;
	g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_FRONTEND,
		    text ? "the guest's key %s is not a number up to %u"
			 : "the guest has not written its key %s",
		    key, max);
	return FALSE;
}

/* --- states --- */

enum xenbus_state device_state(const struct device *dev)
{
	return dev->state;
}

enum xenbus_state device_frontend_state(const struct device *dev)
{
	uint32_t state;

	if (!device_read_number(dev, "state", XenbusStateClosed, &state))
		return XenbusStateUnknown;
	return state;
}

void device_announce(struct device *dev)
{
	device_write(dev, "state", "%u", dev->state);
}

static void set_state(struct device *dev, enum xenbus_state state)
{
	if (state == dev->state)
		return;
	dev->state = state;
	device_announce(dev);
}

static gboolean tell_removed(gpointer opaque)
{
	struct device *dev = opaque;

	dev->gone = 0;
	dev->removed(dev->removed_opaque, dev);
	return G_SOURCE_REMOVE;
}

/* Nothing of the guest is in use: say so, and go if that is what was wanted. */
static void closed(struct device *dev)
{
	set_state(dev, XenbusStateClosed);
	if (!dev->online && !dev->gone)
		dev->gone = g_idle_add_full(G_PRIORITY_DEFAULT, tell_removed, dev, NULL);
}

static void disconnect(struct device *dev)
{
	if (dev->link != LINK_UP)
		return;
	dev->link = LINK_DRAINING;
	if (dev->ops->disconnect(dev))
		dev->link = LINK_DOWN;
}

static void fail(struct device *dev, const char *text)
{
	report_failure(dev, text);
	set_state(dev, XenbusStateClosing);
}

static void connect(struct device *dev)
{
	g_autoptr(GError) error = NULL;

	/* A device that has failed comes back only once its frontend has closed. */
	if (dev->link != LINK_DOWN || !dev->online || dev->state == XenbusStateConnected ||
	    dev->state == XenbusStateClosing)
		return;
	if (!dev->ops->connect(dev, &error)) {
		fail(dev, error->message);
		return;
	}
	dev->link = LINK_UP;
	set_state(dev, XenbusStateConnected);
}

/* The frontend's state is not what it was, or may have been something else meanwhile. */
static void follow(struct device *dev)
{
	switch (device_frontend_state(dev)) {
	case XenbusStateInitialising:
		if (dev->state == XenbusStateClosed && dev->online)
			set_state(dev, XenbusStateInitWait);
		break;
	case XenbusStateInitialised:
		if (dev->ops->initialised)
			connect(dev);
		break;
	case XenbusStateConnected:
		connect(dev);
		break;
	case XenbusStateClosing:
		set_state(dev, XenbusStateClosing);
		break;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		disconnect(dev);
		if (dev->link == LINK_DOWN)
			closed(dev);
		break;
	default:
		break;
	}
}

static void frontend_changed(void *opaque, G_GNUC_UNUSED const char *path)
{
	follow(opaque);
}

static gboolean disconnect_failed(gpointer opaque)
{
	struct device *dev = opaque;

	dev->failing = 0;
	disconnect(dev);
	follow(dev);
	return G_SOURCE_REMOVE;
}

void device_fail(struct device *dev, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (dev->link != LINK_UP || dev->failing)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	fail(dev, text);
	/* Who calls this is in the middle of something that disconnect() would free. */
	dev->failing = g_idle_add_full(G_PRIORITY_HIGH, disconnect_failed, dev, NULL);
}

void device_idle(struct device *dev)
{
	g_return_if_fail(dev->link == LINK_DRAINING);
	dev->link = LINK_DOWN;
	if (dev->watch)
		follow(dev);
}

/* --- life --- */

static gboolean exists(struct xenstore *store, const char *path)
{
	g_autofree char *value = xenstore_read(store, path);

	return value != NULL;
}

static void write_directories(struct device *dev)
{
	struct xenstore *store = dev->host->store;

	xenstore_write(store, dev->backend, "", 0, DOMID_GUEST);
	device_write(dev, "frontend", "%s", dev->frontend);
	device_write(dev, "frontend-id", "%u", DOMID_GUEST);
	device_write(dev, "online", "1");
	xenstore_write(store, dev->frontend, "", DOMID_GUEST, 0);
	device_write_frontend(dev, "backend", "%s", dev->backend);
	device_write_frontend(dev, "backend-id", "0");
	device_write_frontend(dev, "state", "%u", XenbusStateInitialising);
	set_state(dev, XenbusStateInitialising);
}

struct device *device_new(const struct device_ops *ops, const struct device_host *host,
			  unsigned int handle, const char *name, void *data, GError **error)
{
	struct device *dev = g_new0(struct device, 1);

	dev->ops = ops;
	dev->host = host;
	dev->data = data;
	dev->handle = handle;
	dev->online = TRUE;
	dev->label = name ? g_strdup_printf("%s %u (%s)", ops->kind, handle, name)
			  : g_strdup_printf("%s %u", ops->kind, handle);
	dev->frontend = g_strdup_printf("/local/domain/%u/device/%s/%u", DOMID_GUEST, ops->kind,
					handle);
	dev->backend = g_strdup_printf("/local/domain/0/backend/%s/%u/%u", ops->kind,
				       DOMID_GUEST, handle);
	if (exists(host->store, dev->backend)) {
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
			    "%s: the guest has such a device already", dev->label);
		/* The directories are the other's. */
		g_clear_pointer(&dev->backend, g_free);
		dev->data = NULL;
		device_free(dev);
		return NULL;
	}
	write_directories(dev);
	return dev;
}

void device_start(struct device *dev)
{
	g_autofree char *state = g_strdup_printf("%s/state", dev->frontend);
	g_autofree char *complaint = complaint_path(dev);

	set_state(dev, XenbusStateInitWait);
	dev->watch = xenstore_watch(dev->host->store, state, frontend_changed, dev);
	/* Not what an earlier device of this number has left there. */
	xenstore_remove(dev->host->store, complaint);
	dev->complaint_watch =
		xenstore_watch(dev->host->store, complaint, frontend_complained, dev);
}

void device_remove(struct device *dev, void (*removed)(void *opaque, struct device *dev),
		   void *opaque)
{
	enum xenbus_state frontend = device_frontend_state(dev);

	dev->removed = removed;
	dev->removed_opaque = opaque;
	dev->online = FALSE;
	device_write(dev, "online", "0");
	if (dev->link == LINK_DOWN &&
	    (frontend == XenbusStateInitialising || frontend == XenbusStateClosed ||
	     frontend == XenbusStateUnknown))
		closed(dev);
	else
		set_state(dev, XenbusStateClosing);
}

void device_free(struct device *dev)
{
	if (!dev)
		return;
	if (dev->watch) {
		xenstore_unwatch(dev->host->store, dev->watch);
		xenstore_unwatch(dev->host->store, dev->complaint_watch);
	}
	dev->watch = 0;
	g_clear_handle_id(&dev->failing, g_source_remove);
	g_clear_handle_id(&dev->gone, g_source_remove);
	disconnect(dev);
	if (dev->data)
		dev->ops->free(dev);
	if (dev->backend) {
		xenstore_remove(dev->host->store, dev->backend);
		xenstore_remove(dev->host->store, dev->frontend);
	}
	g_free(dev->label);
	g_free(dev->backend);
	g_free(dev->frontend);
	g_free(dev);
}
