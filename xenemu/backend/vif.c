/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif.c - network interfaces: made, connected to the guest's frontend, taken away
 *
 * Keys and their meaning as in Linux's xen-netback (xenbus.c) and libxl; see io/netif.h.
 */
#include "backend/vif.h"
#include "backend/vif-private.h"

/* What libxl writes although we run no script. */
#define SCRIPT "/etc/xen/scripts/vif-bridge"
#define DEFAULT_MTU 1500

/* --- events --- */

static void tx_kicked(void *opaque)
{
	vif_tx_run(opaque);
}

/* Only a frame that waits for room waits for the guest. */
static void rx_kicked(void *opaque)
{
	struct vif_queue *queue = opaque;

	if (queue->vif->held)
		vif_rx_run(queue->vif);
}

static void kicked(void *opaque)
{
	tx_kicked(opaque);
	rx_kicked(opaque);
}

static void readable(void *opaque)
{
	vif_rx_run(opaque);
}

static void writable(void *opaque)
{
	struct vif *vif = opaque;

	for (unsigned int i = 0; i < vif->nr_queues; i++)
		vif_tx_run(&vif->queues[i]);
}

static void gone(void *opaque, const char *reason)
{
	struct vif *vif = opaque;

	device_message(vif->dev,
		       "%s; the guest has no network by it any more: see to that, then `xenemu "
		       "network-detach %s %u' and `network-attach'",
		       reason, vif->dev->host->name, vif->dev->handle);
}

/* --- connecting --- */

static gboolean bad_frontend(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean bad_frontend(GError **error, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, DEVICE_ERROR, DEVICE_ERROR_FRONTEND, text);
	g_free(text);
	return FALSE;
}

/* A feature key of the frontend: missing is @missing, anything but 0 is yes. */
static gboolean feature(const struct vif *vif, const char *key, gboolean missing)
{
	uint32_t value = missing;

	device_read_number(vif->dev, key, G_MAXUINT32, &value);
	return value != 0;
}

static void read_features(struct vif *vif)
{
	vif->flip = !feature(vif, "request-rx-copy", FALSE);
	vif->rx_notify = feature(vif, "feature-rx-notify", FALSE);
	vif->can_sg = feature(vif, "feature-sg", FALSE);
	vif->ip_csum = !feature(vif, "feature-no-csum-offload", FALSE);
	vif->ipv6_csum = feature(vif, "feature-ipv6-csum-offload", FALSE);
	vif->gso4 = vif->can_sg && vif->ip_csum && feature(vif, "feature-gso-tcpv4", FALSE);
	vif->gso6 = vif->can_sg && vif->ip_csum && vif->ipv6_csum &&
		    feature(vif, "feature-gso-tcpv6", FALSE);
}

static unsigned int offload(const struct vif *vif)
{
	return (vif->ip_csum ? LINK_CHECKSUM : 0) | (vif->gso4 ? LINK_TSO4 : 0) |
	       (vif->gso6 ? LINK_TSO6 : 0);
}

static gboolean map_ring(struct vif_queue *queue, const char *where, const char *key,
			 struct device_pages *pages, struct vif_ring *ring, size_t slot_size,
			 GError **error)
{
	struct device *dev = queue->vif->dev;
	g_autofree char *path = g_strconcat(where, key, NULL);
	uint32_t ref;

	if (!device_need_number(dev, path, G_MAXUINT32, &ref, error) ||
	    !device_map(dev, &ref, 1, pages, error))
		return FALSE;
	if (vif_ring_attach(ring, pages->base, slot_size))
		return TRUE;
	return bad_frontend(error, "the guest's ring of %s has indices that make no sense",
			    path);
}

static gboolean bind_channels(struct vif_queue *queue, const char *where, GError **error)
{
	struct device *dev = queue->vif->dev;
	g_autofree char *both = g_strconcat(where, "event-channel", NULL);
	g_autofree char *tx = g_strconcat(both, "-tx", NULL);
	g_autofree char *rx = g_strconcat(both, "-rx", NULL);
	uint32_t port, rx_port;

	queue->split = device_read_number(dev, tx, G_MAXUINT32, &port) &&
		       device_read_number(dev, rx, G_MAXUINT32, &rx_port);
	if (queue->split)
		return device_bind(dev, &queue->channel, port, tx_kicked, queue, error) &&
		       device_bind(dev, &queue->rx_channel, rx_port, rx_kicked, queue, error);
	return device_need_number(dev, both, G_MAXUINT32, &port, error) &&
	       device_bind(dev, &queue->channel, port, kicked, queue, error);
}

static gboolean connect_queue(struct vif *vif, unsigned int index, gboolean several,
			      GError **error)
{
	struct vif_queue *queue = &vif->queues[index];
	g_autofree char *where = several ? g_strdup_printf("queue-%u/", index) : g_strdup("");

	*queue = (struct vif_queue){
		.vif = vif,
		.credit = vif->spec->rate_bytes,
		.credit_from = g_get_monotonic_time(),
	};
	/* Counted from here on, so that what fails half-way is undone. */
	vif->nr_queues = index + 1;
	return map_ring(queue, where, "tx-ring-ref", &queue->tx_pages, &queue->tx,
			sizeof(struct netif_tx_request), error) &&
	       map_ring(queue, where, "rx-ring-ref", &queue->rx_pages, &queue->rx,
			sizeof(struct netif_rx_request), error) &&
	       bind_channels(queue, where, error);
}

static gboolean connect_queues(struct vif *vif, GError **error)
{
	g_autofree char *wanted = device_read(vif->dev, "multi-queue-num-queues");
	uint32_t nr = 1;

	if (wanted &&
	    (!device_read_number(vif->dev, "multi-queue-num-queues", VIF_MAX_QUEUES, &nr) ||
	     !nr))
		return bad_frontend(error, "the guest wants `%s' queues, not 1 to %u", wanted,
				    VIF_MAX_QUEUES);
	for (uint32_t i = 0; i < nr; i++)
		if (!connect_queue(vif, i, nr > 1, error))
			return FALSE;
	return TRUE;
}

static void disconnect_queues(struct vif *vif)
{
	for (unsigned int i = 0; i < vif->nr_queues; i++) {
		struct vif_queue *queue = &vif->queues[i];

		device_unbind(&queue->channel);
		device_unbind(&queue->rx_channel);
		device_unmap(vif->dev, &queue->tx_pages);
		device_unmap(vif->dev, &queue->rx_pages);
	}
	vif->nr_queues = 0;
}

static void read_multicast_wish(void *opaque, G_GNUC_UNUSED const char *path)
{
	struct vif *vif = opaque;

	vif->multicast_control = feature(vif, "request-multicast-control", FALSE);
}

static gboolean vif_connect(struct device *dev, GError **error)
{
	struct vif *vif = dev->data;
	g_autofree char *wish = g_strconcat(dev->frontend, "/request-multicast-control", NULL);

	vif->failed = FALSE;
	vif->nr_multicast = 0;
	read_features(vif);
	if (!connect_queues(vif, error)) {
		disconnect_queues(vif);
		return FALSE;
	}
	read_multicast_wish(vif, NULL);
	vif->multicast_watch = xenstore_watch(dev->host->store, wish, read_multicast_wish, vif);
	link_set_offload(vif->link, offload(vif));
	vif_rx_start(vif);
	/* As if events had come: what was sent before had none. */
	for (unsigned int i = 0; i < vif->nr_queues; i++)
		vif_tx_start(&vif->queues[i]);
	return TRUE;
}

static gboolean vif_disconnect(struct device *dev)
{
	struct vif *vif = dev->data;

	xenstore_unwatch(dev->host->store, vif->multicast_watch);
	vif_rx_stop(vif);
	for (unsigned int i = 0; i < vif->nr_queues; i++)
		vif_tx_stop(&vif->queues[i]);
	disconnect_queues(vif);
	link_set_offload(vif->link, 0);
	return TRUE;
}

static void free_vif(struct vif *vif)
{
	link_close(vif->link);
	vif_spec_free(vif->spec);
	g_free(vif);
}

static void vif_free(struct device *dev)
{
	free_vif(dev->data);
}

static const struct device_ops vif_ops = {
	.kind = "vif",
	.connect = vif_connect,
	.disconnect = vif_disconnect,
	.free = vif_free,
};

/* --- making --- */

static void write_features(struct device *dev)
{
	static const char *const yes[] = {
		"feature-sg",
		"feature-gso-tcpv4",
		"feature-gso-tcpv6",
		"feature-ipv6-csum-offload",
		"feature-rx-copy",
		"feature-multicast-control",
		"feature-dynamic-multicast-control",
		"feature-split-event-channels",
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(yes); i++)
		device_write(dev, yes[i], "1");
	/* 3.0.3's and 3.1's frontends take a missing one for yes. */
	device_write(dev, "feature-rx-flip", "0");
	device_write(dev, "multi-queue-max-queues", "%u", VIF_MAX_QUEUES);
}

static char *mac_text(const struct vif_spec *spec)
{
	const uint8_t *mac = spec->mac;

	return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			       mac[4], mac[5]);
}

gboolean vif_has_mac(const struct device *dev, const char *text)
{
	const struct vif *vif = dev->data;
	g_autofree char *own = mac_text(vif->spec);

	return g_ascii_strcasecmp(own, text) == 0;
}

static void write_keys(struct device *dev, const struct vif_spec *spec, unsigned int mtu)
{
	g_autofree char *text = mac_text(spec);

	device_write(dev, "script", SCRIPT);
	device_write(dev, "mac", "%s", text);
	if (spec->ip)
		device_write(dev, "ip", "%s", spec->ip);
	if (spec->kind == VIF_BRIDGE)
		device_write(dev, "bridge", "%s", spec->target);
	if (spec->rate_bytes)
		device_write(dev, "rate", "%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT,
			     spec->rate_bytes, spec->rate_usec);
	device_write(dev, "handle", "%u", dev->handle);
	device_write(dev, "type", "vif");
	device_write(dev, "hotplug-status", "connected");
	write_features(dev);
	device_write_frontend(dev, "handle", "%u", dev->handle);
	device_write_frontend(dev, "mac", "%s", text);
	device_write_frontend(dev, "trusted", "1");
	device_show_frontend(dev, "mtu", "%u", mtu);
}

struct device *vif_new(struct vif_spec *spec, struct link *link, const struct device_host *host,
		       GError **error)
{
	struct vif *vif = g_new0(struct vif, 1);
	struct link_listener listener = {
		.readable = readable,
		.writable = writable,
		.gone = gone,
		.opaque = vif,
	};
	unsigned int mtu = spec->mtu ? spec->mtu : link_mtu(link);

	vif->spec = spec;
	vif->link = link;
	vif_spec_choose_mac(spec, host->name, spec->devid);
	vif->dev = device_new(&vif_ops, host, spec->devid, link_name(link), vif, error);
	if (!vif->dev) {
		free_vif(vif);
		return NULL;
	}
	link_listen(link, &listener);
	write_keys(vif->dev, spec, mtu ? mtu : DEFAULT_MTU);
	return vif->dev;
}
