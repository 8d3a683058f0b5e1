/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.c - where Ethernet frames go to and come from on the host
 */
#include "backend/link.h"
#include "backend/link-private.h"
#include "machine/watch.h"
#include <unistd.h>

G_DEFINE_QUARK(xenemu - link - error - quark, link_error)

struct link *link_open(const struct vif_spec *spec, char **warning, GError **error)
{
	*warning = NULL;
	return spec->kind == VIF_USER ? passt_open(spec, error)
				      : tap_open(spec, warning, error);
}

void link_listen(struct link *link, const struct link_listener *listener)
{
	link->listener = *listener;
}

const char *link_name(const struct link *link)
{
	return link->name;
}

unsigned int link_mtu(const struct link *link)
{
	return link->mtu;
}

void link_set_offload(struct link *link, unsigned int offload)
{
	if (!link->is_gone)
		link->ops->set_offload(link, offload);
}

enum link_status link_send(struct link *link, const struct virtio_net_hdr *hdr,
			   struct iovec *iov, unsigned int nr_iov)
{
	if (link->is_gone)
		return LINK_DROPPED;
	if (link->out_source)
		return LINK_BUSY;
	return link->ops->send(link, hdr, iov, nr_iov);
}

size_t link_receive(struct link *link, struct virtio_net_hdr *hdr, struct iovec *iov,
		    unsigned int nr_iov)
{
	return link->is_gone ? 0 : link->ops->receive(link, hdr, iov, nr_iov);
}

/* --- when something happens --- */

static gboolean in_ready(G_GNUC_UNUSED gint fd, G_GNUC_UNUSED GIOCondition condition,
			 gpointer opaque)
{
	struct link *link = opaque;

	link->listener.readable(link->listener.opaque);
	return G_SOURCE_CONTINUE;
}

void link_want(struct link *link, gboolean want)
{
	if (!want)
		g_clear_pointer(&link->in_watch, watch_free);
	else if (!link->in_watch && !link->is_gone)
		link->in_watch =
			watch_new(link->fd, G_IO_IN | G_IO_ERR | G_IO_HUP, in_ready, link);
}

static gboolean out_ready(G_GNUC_UNUSED gint fd, G_GNUC_UNUSED GIOCondition condition,
			  gpointer opaque)
{
	struct link *link = opaque;

	if (!link->is_gone && !link->ops->writable(link))
		return G_SOURCE_CONTINUE;
	link->out_source = 0;
	link->listener.writable(link->listener.opaque);
	return G_SOURCE_REMOVE;
}

void link_wait_writable(struct link *link)
{
	if (!link->out_source)
		link->out_source = g_unix_fd_add(link->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP,
						 out_ready, link);
}

static gboolean tell_gone(gpointer opaque)
{
	struct link *link = opaque;

	link->gone_source = 0;
	link->listener.gone(link->listener.opaque, link->reason);
	return G_SOURCE_REMOVE;
}

/* @out_source stays: who waits for it is called once more. */
void link_gone(struct link *link, const char *format, ...)
{
	va_list args;

	if (link->is_gone)
		return;
	link->is_gone = TRUE;
	va_start(args, format);
	link->reason = g_strdup_vprintf(format, args);
	va_end(args);
	g_clear_pointer(&link->in_watch, watch_free);
	link->gone_source = g_idle_add(tell_gone, link);
}

void link_close(struct link *link)
{
	if (!link)
		return;
	g_clear_pointer(&link->in_watch, watch_free);
	g_clear_handle_id(&link->out_source, g_source_remove);
	g_clear_handle_id(&link->gone_source, g_source_remove);
	close(link->fd);
	g_free(link->reason);
	g_free(link->name);
	link->ops->free(link);
}
