/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices.c - the devices of a domain: made, found, taken away
 */
#include "domain/devices.h"
#include "domain/private.h"

struct devices {
	struct device_host host;
	GPtrArray *all; /* struct device, in the order of creation */
	GPtrArray *leaving; /* struct leaving */
};

/**
 * struct leaving - a device that the guest is to let go of
 * @devices: where it is
 * @dev:     the device
 * @removed, @opaque: who is told
 */
struct leaving {
	struct devices *devices;
	struct device *dev;
	void (*removed)(void *opaque);
	void *opaque;
};

static void message(void *opaque, const char *text)
{
	domain_message(opaque, "%s", text);
}

struct devices *devices_new(struct domain *dom)
{
	struct devices *devices = g_new0(struct devices, 1);

	devices->host = (struct device_host){
		.name = dom->name,
		.abi = dom->abi->name,
		.store = dom->store,
		.events = dom->events,
		.grants = dom->grants,
		.mem = dom->build->mem,
		.pace = pace_new(),
		.narrow = dom->build->width != IMAGE_X86_64,
		.message = message,
		.opaque = dom,
	};
	devices->all = g_ptr_array_new();
	devices->leaving = g_ptr_array_new();
	return devices;
}

gboolean devices_add(struct devices *devices, const struct device_config *config,
		     GError **error)
{
	struct device *dev = config->create(config, &devices->host, error);

	if (dev)
		g_ptr_array_add(devices->all, dev);
	return dev != NULL;
}

gboolean devices_open(struct devices *devices, struct device_config *config,
		      void (*opened)(void *opaque, const GError *error), void *opaque,
		      GError **error)
{
	return config->open(config, &devices->host, opened, opaque, error);
}

struct device *devices_find(const struct devices *devices, const char *kind,
			    unsigned int handle)
{
	for (unsigned int i = 0; i < devices->all->len; i++) {
		struct device *dev = devices->all->pdata[i];

		if (dev->handle == handle && !g_strcmp0(dev->ops->kind, kind))
			return dev;
	}
	return NULL;
}

struct device *devices_nth(const struct devices *devices, const char *kind, unsigned int nth)
{
	for (unsigned int i = 0; i < devices->all->len; i++) {
		struct device *dev = devices->all->pdata[i];

		if (!g_strcmp0(dev->ops->kind, kind) && !nth--)
			return dev;
	}
	return NULL;
}

static void tell_gone(struct leaving *leaving)
{
	if (leaving->removed)
		leaving->removed(leaving->opaque);
	g_free(leaving);
}

static void left(void *opaque, struct device *dev)
{
	struct leaving *leaving = opaque;
	struct devices *devices = leaving->devices;

	g_ptr_array_remove(devices->all, dev);
	g_ptr_array_remove(devices->leaving, leaving);
	device_free(dev);
	tell_gone(leaving);
}

gboolean devices_is_leaving(const struct devices *devices, const struct device *dev)
{
	for (unsigned int i = 0; i < devices->leaving->len; i++)
		if (((struct leaving *)devices->leaving->pdata[i])->dev == dev)
			return TRUE;
	return FALSE;
}

void devices_remove(struct devices *devices, struct device *dev, void (*removed)(void *opaque),
		    void *opaque)
{
	struct leaving *leaving = g_new0(struct leaving, 1);

	leaving->devices = devices;
	leaving->dev = dev;
	leaving->removed = removed;
	leaving->opaque = opaque;
	g_ptr_array_add(devices->leaving, leaving);
	device_remove(dev, left, leaving);
}

void devices_free(struct devices *devices)
{
	if (!devices)
		return;
	while (devices->all->len)
		device_free(g_ptr_array_steal_index(devices->all, devices->all->len - 1));
	while (devices->leaving->len)
		tell_gone(g_ptr_array_steal_index(devices->leaving, 0));
	pace_free(devices->host.pace);
	g_ptr_array_unref(devices->all);
	g_ptr_array_unref(devices->leaving);
	g_free(devices);
}
