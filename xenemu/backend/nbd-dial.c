/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nbd-dial.c - begins to connect to an NBD server, in a thread
 */
#include "backend/nbd-dial.h"
#include <gio/gio.h>

/**
 * struct nbd_dial - what the thread works on
 * @refs:   its task's and the main thread's
 * @handle: of libnbd; NULL when it was taken
 * @uri:    where to connect
 * @why:    first error, or NULL
 * @lock:   of what follows
 * @over:   signalled when @done is set
 * @done:   the thread does not touch @handle and @why any more
 * @unwanted: it need not begin
 * @tell, @opaque: who is told, main thread only; NULL when nobody is
 */
struct nbd_dial {
	gatomicrefcount refs;
	struct nbd_handle *handle;
	char *uri;
	char *why;
	GMutex lock;
	GCond over;
	gboolean done;
	gboolean unwanted;
	void (*tell)(void *opaque);
	void *opaque;
};

static void unref(gpointer data)
{
	struct nbd_dial *dial = data;

	if (!g_atomic_ref_count_dec(&dial->refs))
		return;
	if (dial->handle)
		nbd_close(dial->handle);
	g_mutex_clear(&dial->lock);
	g_cond_clear(&dial->over);
	g_free(dial->uri);
	g_free(dial->why);
	g_free(dial);
}

/* In a thread.  libnbd keeps the text of an error for the thread that made it. */
static void connect_uri(GTask *task, G_GNUC_UNUSED gpointer source, gpointer data,
			G_GNUC_UNUSED GCancellable *cancellable)
{
	struct nbd_dial *dial = data;
	gboolean unwanted;
	const char *error;

	g_mutex_lock(&dial->lock);
	unwanted = dial->unwanted;
	g_mutex_unlock(&dial->lock);
	if (!unwanted && nbd_aio_connect_uri(dial->handle, dial->uri)) {
		error = nbd_get_error();
		dial->why = g_strdup(error ? error : "can't connect");
	}
	g_mutex_lock(&dial->lock);
	dial->done = TRUE;
	g_cond_signal(&dial->over);
	g_mutex_unlock(&dial->lock);
	g_task_return_boolean(task, TRUE);
}

static void on_done(G_GNUC_UNUSED GObject *source, G_GNUC_UNUSED GAsyncResult *result,
		    gpointer data)
{
	struct nbd_dial *dial = data;

	if (dial->tell)
		dial->tell(dial->opaque);
}

struct nbd_dial *nbd_dial_new(struct nbd_handle *handle, const char *uri,
			      void (*done)(void *opaque), void *opaque)
{
	struct nbd_dial *dial = g_new0(struct nbd_dial, 1);
	GTask *task = g_task_new(NULL, NULL, on_done, dial);

	g_atomic_ref_count_init(&dial->refs);
	g_mutex_init(&dial->lock);
	g_cond_init(&dial->over);
	dial->handle = handle;
	dial->uri = g_strdup(uri);
	dial->tell = done;
	dial->opaque = opaque;
	g_atomic_ref_count_inc(&dial->refs);
	g_task_set_task_data(task, dial, unref);
	g_task_run_in_thread(task, connect_uri);
	g_object_unref(task);
	return dial;
}

gboolean nbd_dial_wait(struct nbd_dial *dial, unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	gboolean in_time = TRUE;
	gboolean done;

	g_mutex_lock(&dial->lock);
	while (!dial->done && in_time)
		in_time = g_cond_wait_until(&dial->over, &dial->lock, end);
	done = dial->done;
	g_mutex_unlock(&dial->lock);
	return done;
}

struct nbd_handle *nbd_dial_take(struct nbd_dial *dial, char **why)
{
	struct nbd_handle *handle = g_steal_pointer(&dial->handle);

	*why = g_steal_pointer(&dial->why);
	nbd_dial_free(dial);
	return handle;
}

void nbd_dial_free(struct nbd_dial *dial)
{
	if (!dial)
		return;
	dial->tell = NULL;
	g_mutex_lock(&dial->lock);
	dial->unwanted = TRUE;
	g_mutex_unlock(&dial->lock);
	unref(dial);
}
