/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif-config.c - network interfaces before they are made
 *
 * The host's end is opened at once, or in a thread while a guest runs.
 */
#include "backend/vif-private.h"
#include "backend/vif.h"
#include <gio/gio.h>

struct opening;

/**
 * struct vif_config - an interface to be made
 * @config:  its head
 * @spec:    owned
 * @opening: what is under way or over, or NULL; a pointer, since create() takes the link
 */
struct vif_config {
	struct device_config config;
	struct vif_spec *spec;
	struct opening *opening;
};

/**
 * struct opening - the host's end of an interface, and what opens it
 * @spec:    own copy
 * @link:    NULL before, after a failure, and when it was taken
 * @warning: from link_open()
 * @opened, @opaque: who is told; NULL when the interface is no more meanwhile
 * @pending: the thread is not done
 */
struct opening {
	struct vif_spec *spec;
	struct link *link;
	char *warning;
	void (*opened)(void *opaque, const GError *error);
	void *opaque;
	gboolean pending;
};

static void opening_free(struct opening *opening)
{
	link_close(opening->link);
	g_free(opening->warning);
	vif_spec_free(opening->spec);
	g_free(opening);
}

/* In a thread, with the opening to itself. */
static void open_link(GTask *task, G_GNUC_UNUSED gpointer source, gpointer data,
		      G_GNUC_UNUSED GCancellable *cancellable)
{
	struct opening *opening = data;
	GError *error = NULL;

	opening->link = link_open(opening->spec, &opening->warning, &error);
	if (opening->link)
		g_task_return_boolean(task, TRUE);
	else
		g_task_return_error(task, error);
}

static void on_opened(G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer data)
{
	struct opening *opening = data;
	g_autoptr(GError) error = NULL;

	g_task_propagate_boolean(G_TASK(result), &error);
	opening->pending = FALSE;
	if (opening->opened)
		opening->opened(opening->opaque, error); /* may free all */
	else
		opening_free(opening);
}

static gboolean config_open(struct device_config *config,
			    G_GNUC_UNUSED const struct device_host *host,
			    void (*opened)(void *opaque, const GError *error), void *opaque,
			    G_GNUC_UNUSED GError **error)
{
	struct vif_config *own = (struct vif_config *)config;
	struct opening *opening = g_new0(struct opening, 1);
	GTask *task = g_task_new(NULL, NULL, on_opened, opening);

	*opening = (struct opening){ .spec = vif_spec_copy(own->spec),
				     .opened = opened,
				     .opaque = opaque,
				     .pending = TRUE };
	own->opening = opening;
	g_task_set_task_data(task, opening, NULL);
	g_task_run_in_thread(task, open_link);
	g_object_unref(task);
	return TRUE;
}

/* The host's end, opened before or now. */
static struct link *take_link(const struct vif_config *own, char **warning, GError **error)
{
	if (!own->opening)
		return link_open(own->spec, warning, error);
	*warning = g_steal_pointer(&own->opening->warning);
	return g_steal_pointer(&own->opening->link);
}

static struct device *create(const struct device_config *config, const struct device_host *host,
			     GError **error)
{
	const struct vif_config *own = (const struct vif_config *)config;
	g_autofree char *warning = NULL;
	struct link *link = take_link(own, &warning, error);
	struct device *dev;

	if (!link)
		return NULL;
	dev = vif_new(vif_spec_copy(own->spec), link, host, error);
	if (!dev)
		return NULL;
	if (own->spec->script)
		device_message(dev, "the script named in --vif is not run");
	if (warning)
		device_message(dev, "%s", warning);
	device_start(dev);
	return dev;
}

static void free_config(struct device_config *config)
{
	struct vif_config *own = (struct vif_config *)config;

	if (own->opening && own->opening->pending)
		own->opening->opened = NULL;
	else if (own->opening)
		opening_free(own->opening);
	vif_spec_free(own->spec);
	g_free(own);
}

struct device_config *vif_config_new(struct vif_spec *spec)
{
	struct vif_config *own = g_new0(struct vif_config, 1);

	own->config.create = create;
	own->config.open = config_open;
	own->config.free = free_config;
	own->spec = spec;
	return &own->config;
}
