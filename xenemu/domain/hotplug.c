/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hotplug.c - requests to give a running guest disks and network interfaces, and to take
 * them away
 */
#include "backend/vbd.h"
#include "backend/vdev.h"
#include "backend/vif-spec.h"
#include "backend/vif.h"
#include "domain/private.h"
#include <string.h>

/* A relative name is meant as seen from where it was typed. */
static void make_absolute(struct disk_spec *spec, const char *directory)
{
	char *target = spec->target;

	if (!disk_spec_is_file(spec) || g_path_is_absolute(target))
		return;
	spec->target = g_build_filename(directory, target, NULL);
	g_free(target);
}

static gboolean has_disk(const struct domain *dom, uint32_t number)
{
	const struct device *dev;

	for (unsigned int i = 0; (dev = devices_nth(dom->devices, "vbd", i)); i++)
		if (vdev_same_disk(dev->handle, number))
			return TRUE;
	return FALSE;
}

/* The first of xvda, xvdb... that the guest has not got. */
static void choose_vdev(const struct domain *dom, struct disk_spec *spec)
{
	for (char c = 'a'; !spec->vdev && c <= 'z'; c++) {
		char name[] = { 'x', 'v', 'd', c, '\0' };
		uint32_t number;

		if (vdev_parse(name, &number) && !has_disk(dom, number))
			spec->vdev = g_strdup(name);
	}
}

static gboolean attach(struct domain *dom, char **args, char **vdev, GError **error)
{
	struct disk_spec *spec = disk_spec_parse(args[1], error);
	struct device_config *config;
	gboolean done;

	if (!spec)
		return FALSE;
	make_absolute(spec, args[0]);
	choose_vdev(dom, spec);
	if (!spec->vdev) {
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
			    "xvda to xvdz are taken; name the disk in the guest");
		disk_spec_free(spec);
		return FALSE;
	}
	*vdev = g_strdup(spec->vdev);
	config = vbd_config_new(spec, error);
	if (!config)
		return FALSE;
	done = devices_add(dom->devices, config, error);
	config->free(config);
	return done;
}

static void serve_attach(void *opaque, struct control_request *request, char **args)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *vdev = NULL;

	if (attach(opaque, args, &vdev, &error))
		control_ok(request, "%s", vdev);
	else
		control_error(request, "%s", error->message);
}

/* The disk that is named, or NULL after an answer that there is none. */
static struct device *find_disk(const struct domain *dom, struct control_request *request,
				const char *vdev)
{
	struct device *dev = NULL;
	uint32_t number;

	if (vdev_parse(vdev, &number))
		dev = devices_find(dom->devices, "vbd", number);
	if (!dev)
		control_error(request, "the guest has no disk %s", vdev);
	return dev;
}

static void detached(void *opaque)
{
	control_ok(opaque, "%s", "");
}

/* Answers when the guest has let go of it. */
static void detach(struct domain *dom, struct device *dev, const char *name,
		   struct control_request *request)
{
	if (devices_is_leaving(dom->devices, dev))
		control_error(request, "the guest has been asked already to let go of %s",
			      name);
	else
		devices_remove(dom->devices, dev, detached, request);
}

static void serve_detach(void *opaque, struct control_request *request, char **args)
{
	struct device *dev = find_disk(opaque, request, args[0]);

	if (dev)
		detach(opaque, dev, args[0], request);
}

static void serve_rescan(void *opaque, struct control_request *request, char **args)
{
	struct device *dev = find_disk(opaque, request, args[0]);
	uint64_t size;

	if (!dev)
		return;
	if (vbd_rescan(dev, &size))
		control_ok(request, "%" G_GUINT64_FORMAT, size);
	else
		control_error(request,
			      "%s: the size of this kind of disk can't be looked at again",
			      args[0]);
}

/* --- network interfaces --- */

/* The first number that the guest has not got. */
static gboolean choose_devid(const struct domain *dom, struct vif_spec *spec, GError **error)
{
	for (unsigned int i = 0; spec->devid < 0 && i <= VIF_MAX_DEVID; i++)
		if (!devices_find(dom->devices, "vif", i))
			spec->devid = i;
	if (spec->devid < 0)
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
			    "a guest can have %u interfaces at most", VIF_MAX_DEVID + 1);
	return spec->devid >= 0;
}

/* Return: its number, or -1 with @error set. */
static int attach_vif(struct domain *dom, const char *text, GError **error)
{
	struct vif_spec *spec = vif_spec_parse(text, error);
	struct device_config *config;
	int devid = -1;

	if (!spec)
		return -1;
	if (!choose_devid(dom, spec, error)) {
		vif_spec_free(spec);
		return -1;
	}
	config = vif_config_new(spec);
	if (devices_add(dom->devices, config, error))
		devid = spec->devid;
	config->free(config);
	return devid;
}

static void serve_attach_vif(void *opaque, struct control_request *request, char **args)
{
	g_autoptr(GError) error = NULL;
	int devid = attach_vif(opaque, args[0], &error);

	if (devid >= 0)
		control_ok(request, "%d", devid);
	else
		control_error(request, "%s", error->message);
}

static void serve_detach_vif(void *opaque, struct control_request *request, char **args)
{
	struct domain *dom = opaque;
	struct device *dev = NULL;
	guint64 number;

	if (g_ascii_string_to_unsigned(args[0], 10, 0, VIF_MAX_DEVID, &number, NULL))
		dev = devices_find(dom->devices, "vif", number);
	if (dev)
		detach(dom, dev, args[0], request);
	else
		control_error(request, "the guest has no network interface %s", args[0]);
}

void hotplug_start(struct domain *dom)
{
	control_add(dom->control, "block-attach", "DIRECTORY SPEC", 2, 2, serve_attach, dom);
	control_add(dom->control, "block-detach", "VDEV", 1, 1, serve_detach, dom);
	control_add(dom->control, "block-rescan", "VDEV", 1, 1, serve_rescan, dom);
	control_add(dom->control, "network-attach", "SPEC", 1, 1, serve_attach_vif, dom);
	control_add(dom->control, "network-detach", "N", 1, 1, serve_detach_vif, dom);
}
