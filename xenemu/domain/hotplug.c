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

/* Devices are let go of before the domain is gone, and the main loop turns meanwhile. */
#define ENDING "the guest is ending"

/**
 * struct attaching - a device that is opened for a guest, which runs on meanwhile
 * @dom:     it is one of its attaching
 * @request: waits for the answer
 * @kind:    "vbd", "vif"
 * @config:  the device's
 * @name, @number: its name and its number in the guest
 */
struct attaching {
	struct domain *dom;
	struct control_request *request;
	const char *kind;
	struct device_config *config;
	char *name;
	uint32_t number;
};

/* Return: TRUE after an answer that says so. */
static gboolean is_ending(const struct domain *dom, struct control_request *request)
{
	if (dom->devices)
		return FALSE;
	control_error(request, ENDING);
	return TRUE;
}

static void attaching_free(struct attaching *attaching)
{
	if (attaching->config)
		attaching->config->free(attaching->config);
	g_free(attaching->name);
	g_free(attaching);
}

static void opened(void *opaque, const GError *problem)
{
	struct attaching *attaching = opaque;
	struct domain *dom = attaching->dom;
	g_autoptr(GError) error = problem ? g_error_copy(problem) : NULL;

	g_ptr_array_remove(dom->attaching, attaching);
	if (!error && devices_add(dom->devices, attaching->config, &error))
		control_ok(attaching->request, "%s", attaching->name);
	else
		control_error(attaching->request, "%s", error->message);
	attaching_free(attaching);
}

/*
 * Open what @args name, as @make_config has it; the answer comes when it is open, or
 * can't be.
 */
static void attach(struct domain *dom, struct control_request *request, const char *kind,
		   gboolean (*make_config)(struct attaching *attaching, char **args,
					   GError **error),
		   char **args)
{
	struct attaching *attaching;
	g_autoptr(GError) error = NULL;

	if (is_ending(dom, request))
		return;
	attaching = g_new0(struct attaching, 1);
	*attaching = (struct attaching){ .dom = dom, .request = request, .kind = kind };
	if (make_config(attaching, args, &error) &&
	    devices_open(dom->devices, attaching->config, opened, attaching, &error)) {
		g_ptr_array_add(dom->attaching, attaching);
		return;
	}
	control_error(request, "%s", error->message);
	attaching_free(attaching);
}

/* --- disks --- */

/* A relative name is meant as seen from where it was typed. */
static void make_absolute(struct disk_spec *spec, const char *directory)
{
	char *target = spec->target;

	if (!disk_spec_is_file(spec) || g_path_is_absolute(target))
		return;
	spec->target = g_build_filename(directory, target, NULL);
	g_free(target);
}

/* Has the guest a disk of this number, or one that is the same to it, or will it soon? */
static gboolean is_taken(const struct domain *dom, uint32_t number)
{
	const struct device *dev;

	for (unsigned int i = 0; i < dom->attaching->len; i++) {
		const struct attaching *attaching = dom->attaching->pdata[i];

		if (!strcmp(attaching->kind, "vbd") &&
		    vdev_same_disk(attaching->number, number))
			return TRUE;
	}
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

		if (vdev_parse(name, &number) && !is_taken(dom, number))
			spec->vdev = g_strdup(name);
	}
}

/* What was asked for, not looked at yet. */
static gboolean make_disk(struct attaching *attaching, char **args, GError **error)
{
	struct disk_spec *spec = disk_spec_parse(args[1], error);

	if (!spec)
		return FALSE;
	make_absolute(spec, args[0]);
	choose_vdev(attaching->dom, spec);
	if (!spec->vdev) {
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
			    "xvda to xvdz are taken; name the disk in the guest");
		disk_spec_free(spec);
		return FALSE;
	}
	attaching->name = g_strdup(spec->vdev);
	vdev_parse(spec->vdev, &attaching->number);
	attaching->config = vbd_config_new(spec, error);
	return attaching->config != NULL;
}

static void serve_attach(void *opaque, struct control_request *request, char **args)
{
	attach(opaque, request, "vbd", make_disk, args);
}

/* The disk that is named, or NULL after an answer that there is none. */
static struct device *find_disk(const struct domain *dom, struct control_request *request,
				const char *vdev)
{
	struct device *dev = NULL;
	uint32_t number;

	if (is_ending(dom, request))
		return NULL;
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

static void sized(void *opaque, uint64_t size, const GError *error)
{
	if (error)
		control_error(opaque, "%s", error->message);
	else
		control_ok(opaque, "%" G_GUINT64_FORMAT, size);
}

static void serve_rescan(void *opaque, struct control_request *request, char **args)
{
	struct device *dev = find_disk(opaque, request, args[0]);
	g_autoptr(GError) error = NULL;

	if (dev && !vbd_rescan(dev, sized, request, &error))
		sized(request, 0, error);
}

/* "SIZE" in bytes, or "+SIZE" beyond what there is.  Return: FALSE if it is neither. */
static gboolean new_size(const struct device *dev, const char *text, uint64_t *size)
{
	gboolean more = *text == '+';
	uint64_t had = more ? vbd_size(dev) : 0;
	guint64 number;

	if (!g_ascii_string_to_unsigned(text + more, 10, 0, UINT64_MAX - had, &number, NULL))
		return FALSE;
	*size = had + number;
	return TRUE;
}

static void serve_resize(void *opaque, struct control_request *request, char **args)
{
	struct device *dev = find_disk(opaque, request, args[0]);
	g_autoptr(GError) error = NULL;
	uint64_t size;

	if (!dev)
		return;
	if (!new_size(dev, args[1], &size))
		control_error(request, "%s: not a size in bytes, or too large", args[1]);
	else if (!vbd_resize(dev, size, sized, request, &error))
		sized(request, 0, error);
}

/* --- network interfaces --- */

/* Has the guest an interface of this number, or will it soon? */
static gboolean is_taken_vif(const struct domain *dom, unsigned int number)
{
	for (unsigned int i = 0; i < dom->attaching->len; i++) {
		const struct attaching *attaching = dom->attaching->pdata[i];

		if (!strcmp(attaching->kind, "vif") && attaching->number == number)
			return TRUE;
	}
	return devices_find(dom->devices, "vif", number) != NULL;
}

/* The first number that the guest has not got. */
static gboolean choose_devid(const struct domain *dom, struct vif_spec *spec, GError **error)
{
	for (unsigned int i = 0; spec->devid < 0 && i <= VIF_MAX_DEVID; i++)
		if (!is_taken_vif(dom, i))
			spec->devid = i;
	if (spec->devid < 0)
		g_set_error(error, DEVICE_ERROR, DEVICE_ERROR_CONFIG,
			    "a guest can have %u interfaces at most", VIF_MAX_DEVID + 1);
	return spec->devid >= 0;
}

static gboolean make_vif(struct attaching *attaching, char **args, GError **error)
{
	struct vif_spec *spec = vif_spec_parse(args[0], error);

	if (!spec)
		return FALSE;
	if (!choose_devid(attaching->dom, spec, error)) {
		vif_spec_free(spec);
		return FALSE;
	}
	attaching->number = spec->devid;
	attaching->name = g_strdup_printf("%d", spec->devid);
	attaching->config = vif_config_new(spec);
	return TRUE;
}

static void serve_attach_vif(void *opaque, struct control_request *request, char **args)
{
	attach(opaque, request, "vif", make_vif, args);
}

/* The interface of a number or an address, as xl takes them, or NULL. */
static struct device *find_vif(const struct domain *dom, const char *name)
{
	struct device *dev;
	guint64 number;

	if (g_ascii_string_to_unsigned(name, 10, 0, VIF_MAX_DEVID, &number, NULL))
		return devices_find(dom->devices, "vif", number);
	for (unsigned int i = 0; (dev = devices_nth(dom->devices, "vif", i)); i++)
		if (vif_has_mac(dev, name))
			break;
	return dev;
}

static void serve_detach_vif(void *opaque, struct control_request *request, char **args)
{
	struct domain *dom = opaque;
	struct device *dev;

	if (is_ending(dom, request))
		return;
	dev = find_vif(dom, args[0]);
	if (dev)
		detach(dom, dev, args[0], request);
	else
		control_error(request, "the guest has no network interface %s", args[0]);
}

void hotplug_start(struct domain *dom)
{
	dom->attaching = g_ptr_array_new();
	control_add(dom->control, "block-attach", "DIRECTORY SPEC", 2, 2, serve_attach, dom);
	control_add(dom->control, "block-detach", "VDEV", 1, 1, serve_detach, dom);
	control_add(dom->control, "block-rescan", "VDEV", 1, 1, serve_rescan, dom);
	control_add(dom->control, "block-resize", "VDEV [+]BYTES", 2, 2, serve_resize, dom);
	control_add(dom->control, "network-attach", "SPEC", 1, 1, serve_attach_vif, dom);
	control_add(dom->control, "network-detach", "N|MAC", 1, 1, serve_detach_vif, dom);
}

void hotplug_stop(struct domain *dom)
{
	while (dom->attaching && dom->attaching->len) {
		struct attaching *attaching = g_ptr_array_steal_index(dom->attaching, 0);

		control_error(attaching->request, ENDING);
		attaching_free(attaching);
	}
}
