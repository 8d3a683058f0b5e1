/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device-pages.c - granted pages and event channels of a device
 */
#include "backend/device.h"
#include <errno.h>
#include <sys/mman.h>
#include <xen/grant_table.h>

static void unmap_grants(struct device *dev, struct device_pages *pages)
{
	while (pages->nr)
		grants_unmap(dev->host->grants, &pages->grants[--pages->nr]);
}

static gboolean map_grants(struct device *dev, const uint32_t *refs, unsigned int nr,
			   struct device_pages *pages, GError **error)
{
	for (pages->nr = 0; pages->nr < nr; pages->nr++) {
		uint32_t ref = refs[pages->nr];
		int16_t status =
			grants_map(dev->host->grants, ref, TRUE, &pages->grants[pages->nr]);

		if (status == GNTST_okay)
			continue;
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_FRONTEND,
			    "the guest's grant %u can't be mapped (status %d)", ref, status);
		unmap_grants(dev, pages);
		return FALSE;
	}
	return TRUE;
}

static gboolean side_by_side(const struct device_pages *pages)
{
	for (unsigned int i = 1; i < pages->nr; i++)
		if ((uint8_t *)pages->grants[i].page !=
		    (uint8_t *)pages->grants[0].page + i * PAGE_SIZE)
			return FALSE;
	return TRUE;
}

/* Pages from all over guest memory, mapped side by side a second time. */
static void *map_view(const struct memory *mem, const struct device_pages *pages)
{
	uint8_t *base = mmap(NULL, pages->nr * PAGE_SIZE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	for (unsigned int i = 0; i < pages->nr; i++) {
		off_t at = (uint8_t *)pages->grants[i].page - mem->base;

		if (mmap(base + i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, mem->fd, at) == MAP_FAILED) {
			munmap(base, pages->nr * PAGE_SIZE);
			return NULL;
		}
	}
	return base;
}

gboolean device_map(struct device *dev, const uint32_t *refs, unsigned int nr,
		    struct device_pages *pages, GError **error)
{
	g_return_val_if_fail(nr > 0 && nr <= DEVICE_MAX_RING_PAGES, FALSE);
	*pages = (struct device_pages){ 0 };
	if (!map_grants(dev, refs, nr, pages, error))
		return FALSE;
	if (side_by_side(pages)) {
		pages->base = pages->grants[0].page;
		return TRUE;
	}
	pages->base = map_view(dev->host->mem, pages);
	pages->view = TRUE;
	if (pages->base)
		return TRUE;
	g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_HOST,
		    "the host refuses to map a ring of %u pages: %s", nr, g_strerror(errno));
	unmap_grants(dev, pages);
	return FALSE;
}

void device_unmap(struct device *dev, struct device_pages *pages)
{
	if (!pages->base)
		return;
	if (pages->view)
		munmap(pages->base, pages->nr * PAGE_SIZE);
	pages->base = NULL;
	unmap_grants(dev, pages);
}

/* --- events --- */

static void channel_kicked(void *opaque)
{
	struct device_channel *channel = opaque;

	channel->kicked(channel->opaque);
}

gboolean device_bind(struct device *dev, struct device_channel *channel, uint32_t port,
		     void (*kicked)(void *opaque), void *opaque, GError **error)
{
	if (events_bind_frontend(dev->host->events, port, channel_kicked, channel)) {
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_FRONTEND,
			    "the guest's event channel %u does not wait for us", port);
		return FALSE;
	}
	*channel = (struct device_channel){
		.dev = dev,
		.port = port,
		.kicked = kicked,
		.opaque = opaque,
	};
	return TRUE;
}

void device_unbind(struct device_channel *channel)
{
	if (channel->dev)
		events_unbind(channel->dev->host->events, channel->port, channel);
	channel->dev = NULL;
}

void device_notify(struct device_channel *channel)
{
	if (channel->dev)
		events_notify(channel->dev->host->events, channel->port, channel);
}
