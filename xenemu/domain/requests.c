/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * requests.c - what can be asked of a running guest's helper: who it is, and to end
 */
#include "domain/private.h"
#include <unistd.h>

#define SHUTDOWN "/local/domain/1/control/shutdown"

/* Words for a program: `xenemu list` makes a table of them. */
static void serve_info(void *opaque, struct control_request *request, char **args G_GNUC_UNUSED)
{
	const struct domain *dom = opaque;

	control_ok(request, "pid=%d memory=%" G_GUINT64_FORMAT " vcpus=%u abi=%s machine=%s",
		   getpid(), frames_current(dom->frames) * PAGE_SIZE >> 20, dom->nr_vcpus,
		   dom->module->info.abi, dom->ops->name);
}

/* The guest acknowledges a request by emptying the node (xen/include/public/io/xs_wire.h
 * does not say so, but every toolstack and every guest has it that way). */
static void acknowledged(void *opaque, const char *path G_GNUC_UNUSED)
{
	struct domain *dom = opaque;
	g_autofree char *value = xenstore_read(dom->store, SHUTDOWN);

	if (!dom->asked || (value && *value))
		return;
	control_ok(g_steal_pointer(&dom->asked), "%s", "");
}

static void ask(struct domain *dom, struct control_request *request, const char *what)
{
	if (dom->asked)
		control_error(dom->asked, "another request came before the guest answered");
	dom->asked = request;
	xenstore_write(dom->store, SHUTDOWN, what, DOMID_GUEST, -1);
	if (!dom->asked_watch)
		dom->asked_watch = xenstore_watch(dom->store, SHUTDOWN, acknowledged, dom);
}

static void serve_shutdown(void *opaque, struct control_request *request,
			   char **args G_GNUC_UNUSED)
{
	ask(opaque, request, "poweroff");
}

static void serve_reboot(void *opaque, struct control_request *request,
			 char **args G_GNUC_UNUSED)
{
	ask(opaque, request, "reboot");
}

static void serve_destroy(void *opaque, struct control_request *request,
			  char **args G_GNUC_UNUSED)
{
	struct domain *dom = opaque;

	domain_message(dom, "stopped by a request to destroy it");
	domain_end(dom, DOMAIN_POWEROFF);
	control_ok(request, "%s", "");
}

void requests_start(struct domain *dom)
{
	control_add(dom->control, "info", "", 0, 0, serve_info, dom);
	control_add(dom->control, "shutdown", "", 0, 0, serve_shutdown, dom);
	control_add(dom->control, "reboot", "", 0, 0, serve_reboot, dom);
	control_add(dom->control, "destroy", "", 0, 0, serve_destroy, dom);
	hotplug_start(dom);
}

void requests_stop(struct domain *dom)
{
	if (dom->asked_watch)
		xenstore_unwatch(dom->store, dom->asked_watch);
	dom->asked_watch = 0;
	if (dom->asked)
		control_ok(g_steal_pointer(&dom->asked), "%s", "");
}
