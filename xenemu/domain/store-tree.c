/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store-tree.c - the store as a toolstack leaves it when a domU starts
 *
 * Nodes and permissions as the toolstack of the guest's ABI writes them for a PV domU
 * without devices; what only tools of the host read (/libxl, pools, the image with
 * its paths, security) is left out.
 */
#include "domain/private.h"
#include "xenstore/permissions.h"
#include <time.h>

#define NOBODY (-1)
#define HOME "/local/domain/1"
#define BACKEND "/local/domain/0"

/* Written by the toolstack, read by the guest. */
static void shown(struct domain *dom, const char *path, const char *value)
{
	xenstore_write(dom->store, path, value, 0, DOMID_GUEST);
}

/* The guest's own: it may write there. */
static void theirs(struct domain *dom, const char *path, const char *value)
{
	xenstore_write(dom->store, path, value, DOMID_GUEST, NOBODY);
}

/* Nobody's but the toolstack's. */
static void hidden(struct domain *dom, const char *path, const char *value)
{
	xenstore_write(dom->store, path, value, 0, NOBODY);
}

G_GNUC_PRINTF(3, 4)
static void shown_number(struct domain *dom, const char *path, const char *format, ...)
{
	va_list args;
	char *value;

	va_start(args, format);
	value = g_strdup_vprintf(format, args);
	va_end(args);
	shown(dom, path, value);
	g_free(value);
}

static void theirs_number(struct domain *dom, const char *path, uint64_t number)
{
	g_autofree char *value = g_strdup_printf("%" G_GUINT64_FORMAT, number);

	theirs(dom, path, value);
}

static void write_host(struct domain *dom)
{
	hidden(dom, "/tool/xenstored", "");
	hidden(dom, BACKEND "/domid", "0");
	hidden(dom, BACKEND "/name", "Domain-0");
	hidden(dom, BACKEND "/backend", "");
}

static void write_vm(struct domain *dom)
{
	char *vm = g_strdup_printf("/vm/%s", dom->uuid);
	char *name = g_strdup_printf("%s/name", vm);
	char *uuid = g_strdup_printf("%s/uuid", vm);
	char *start = g_strdup_printf("%s/start_time", vm);

	shown(dom, vm, "");
	shown(dom, name, dom->name);
	shown(dom, uuid, dom->uuid);
	shown_number(dom, start, "%lld.00", (long long)time(NULL));
	shown(dom, HOME, "");
	shown(dom, HOME "/vm", vm);
	g_free(start);
	g_free(uuid);
	g_free(name);
	g_free(vm);
}

static void write_resources(struct domain *dom)
{
	shown(dom, HOME "/name", dom->name);
	shown_number(dom, HOME "/domid", "%u", DOMID_GUEST);
	shown(dom, HOME "/cpu", "");
	for (unsigned int i = 0; i < dom->nr_vcpus; i++) {
		char *cpu = g_strdup_printf(HOME "/cpu/%u", i);
		char *available = g_strdup_printf("%s/availability", cpu);

		shown(dom, cpu, "");
		shown(dom, available, "online");
		g_free(available);
		g_free(cpu);
	}
	shown(dom, HOME "/memory", "");
	shown_number(dom, HOME "/memory/static-max", "%" G_GUINT64_FORMAT,
		     frames_maximum(dom->frames) * (PAGE_SIZE / 1024));
	shown_number(dom, HOME "/memory/target", "%" G_GUINT64_FORMAT,
		     frames_current(dom->frames) * (PAGE_SIZE / 1024));
	shown(dom, HOME "/memory/videoram", "0");
}

static void write_control(struct domain *dom)
{
	shown(dom, HOME "/control", "");
	theirs(dom, HOME "/control/shutdown", "");
	theirs(dom, HOME "/control/feature-poweroff", "");
	theirs(dom, HOME "/control/feature-reboot", "");
	theirs(dom, HOME "/control/feature-suspend", "");
	theirs(dom, HOME "/control/sysrq", "");
	shown(dom, HOME "/control/platform-feature-multiprocessor-suspend", "1");
	shown(dom, HOME "/control/platform-feature-xs_reset_watches", "1");
	theirs(dom, HOME "/data", "");
	theirs(dom, HOME "/drivers", "");
	theirs(dom, HOME "/feature", "");
	theirs(dom, HOME "/attr", "");
	theirs(dom, HOME "/error", "");
	shown(dom, HOME "/device", "");
	shown(dom, HOME "/device/suspend", "");
	theirs(dom, HOME "/device/suspend/event-channel", "");
}

static void write_rings(struct domain *dom)
{
	const char *tty = console_io_tty(dom->console_io);

	shown(dom, HOME "/store", "");
	shown_number(dom, HOME "/store/port", "%u", STORE_PORT);
	shown_number(dom, HOME "/store/ring-ref", "%" G_GUINT64_FORMAT, dom->build->store_mfn);

	hidden(dom, BACKEND "/backend/console", "");
	hidden(dom, BACKEND "/backend/console/1", "");
	shown(dom, BACKEND "/backend/console/1/0", "");
	shown(dom, BACKEND "/backend/console/1/0/frontend", HOME "/console");
	shown(dom, BACKEND "/backend/console/1/0/frontend-id", "1");
	shown(dom, BACKEND "/backend/console/1/0/online", "1");
	shown(dom, BACKEND "/backend/console/1/0/state", "1");
	shown(dom, BACKEND "/backend/console/1/0/protocol", "vt100");
	shown(dom, HOME "/console", "");
	shown(dom, HOME "/console/backend", BACKEND "/backend/console/1/0");
	xenstore_write(dom->store, HOME "/console/backend-id", "0", DOMID_GUEST, 0);
	shown(dom, HOME "/console/limit", "1048576");
	shown(dom, HOME "/console/type", "xenconsoled");
	shown(dom, HOME "/console/output", "pty");
	shown(dom, HOME "/console/tty", tty ? tty : "");
	shown_number(dom, HOME "/console/port", "%u", CONSOLE_PORT);
	shown_number(dom, HOME "/console/ring-ref", "%" G_GUINT64_FORMAT,
		     dom->build->console_mfn);
}

static void write_libxl(struct domain *dom)
{
	write_vm(dom);
	write_resources(dom);
	write_control(dom);
	write_rings(dom);
}

/* --- xend of Xen 3.0.3 and 3.1: tools/python/xen/xend/XendDomainInfo.py --- */

static void write_vm_entry(struct domain *dom, const char *name, const char *value)
{
	g_autofree char *path = g_strdup_printf("/vm/%s/%s", dom->uuid, name);

	hidden(dom, path, value);
}

static void write_vm_number(struct domain *dom, const char *name, uint64_t number)
{
	g_autofree char *value = g_strdup_printf("%" G_GUINT64_FORMAT, number);

	write_vm_entry(dom, name, value);
}

/* The guest may read its UUID and nothing else there: setVmPermissions(). */
static void write_vm_uuid(struct domain *dom)
{
	g_autofree char *path = g_strdup_printf("/vm/%s/uuid", dom->uuid);
	g_autoptr(GArray) perms = perms_new(DOMID_GUEST, ACCESS_READ);

	hidden(dom, path, dom->uuid);
	xenstore_set_perms(dom->store, path, perms);
}

static void write_xend_vm(struct domain *dom)
{
	g_autofree char *start = g_strdup_printf("%lld.0", (long long)time(NULL));

	write_vm_uuid(dom);
	write_vm_entry(dom, "name", dom->name);
	write_vm_number(dom, "vcpus", dom->nr_vcpus);
	write_vm_number(dom, "vcpu_avail", (1ULL << dom->nr_vcpus) - 1);
	write_vm_number(dom, "memory", frames_current(dom->frames) * PAGE_SIZE >> 20);
	write_vm_number(dom, "maxmem", frames_maximum(dom->frames) * PAGE_SIZE >> 20);
	write_vm_number(dom, "shadow_memory", 0);
	write_vm_entry(dom, "start_time", start);
	write_vm_entry(dom, "on_poweroff", "destroy");
	write_vm_entry(dom, "on_reboot", "restart");
	write_vm_entry(dom, "on_crash", "restart");
	write_vm_entry(dom, "xend/restart_count", "0");
}

/*
 * The home directory is the guest's own, with all in it: it may write everywhere there.
 * There is nothing that libxl has beyond this: control/shutdown appears when it is used,
 * and device/ with the first device.
 */
static void write_xend_home(struct domain *dom)
{
	g_autofree char *vm = g_strdup_printf("/vm/%s", dom->uuid);

	theirs(dom, HOME, "");
	theirs(dom, HOME "/vm", vm);
	theirs_number(dom, HOME "/domid", DOMID_GUEST);
	theirs(dom, HOME "/name", dom->name);
	theirs(dom, HOME "/console/limit", "1048576");
	theirs_number(dom, HOME "/memory/target",
		      frames_current(dom->frames) * (PAGE_SIZE / 1024));
	theirs_number(dom, HOME "/console/port", CONSOLE_PORT);
	theirs_number(dom, HOME "/console/ring-ref", dom->build->console_mfn);
	theirs_number(dom, HOME "/store/port", STORE_PORT);
	theirs_number(dom, HOME "/store/ring-ref", dom->build->store_mfn);
	if (dom->abi->toolstack == TOOLSTACK_XEND_3_1)
		theirs(dom, HOME "/control/platform-feature-multiprocessor-suspend", "1");
	for (unsigned int i = 0; i < dom->nr_vcpus; i++) {
		g_autofree char *path = g_strdup_printf(HOME "/cpu/%u/availability", i);

		theirs(dom, path, "online");
	}
}

void store_tree_write(struct domain *dom)
{
	write_host(dom);
	if (dom->abi->toolstack == TOOLSTACK_LIBXL) {
		write_libxl(dom);
		return;
	}
	write_xend_vm(dom);
	write_xend_home(dom);
}
