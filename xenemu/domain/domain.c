/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domain.c - a running guest: made, started, ended
 */
#include "domain/domain.h"
#include "domain/printable.h"
#include "domain/private.h"
#include <stdarg.h>
#include <stdio.h>
#include <xen/xen.h>

void domain_message(const struct domain *dom, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	/* Some of it may be the guest's, a key of its own for instance. */
	make_printable(text);
	fprintf(stderr, "xenemu: %s: %s\n", dom->name, text);
	g_free(text);
}

/* --- what the machine tells --- */

static void on_call(void *opaque, int vcpu)
{
	struct domain *dom = opaque;

	if (vcpu >= 0) {
		if ((unsigned int)vcpu < dom->nr_vcpus)
			mailbox_serve(dom, vcpu);
		return;
	}
	for (unsigned int i = 0; i < dom->nr_vcpus; i++)
		mailbox_serve(dom, i);
}

static void on_event(void *opaque)
{
	struct domain *dom = opaque;

	if (dom->end == DOMAIN_RUNNING)
		events_serve(dom->events);
}

/* A machine's last words may have several lines. */
static void on_died(void *opaque, const GError *error)
{
	struct domain *dom = opaque;
	g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);

	if (dom->end != DOMAIN_RUNNING)
		return;
	domain_fail(dom, DOMAIN_FAILED, "%s", *lines ? *lines : "");
	for (char **line = lines; *line; line++)
		if (line != lines && **line)
			domain_message(dom, "%s", *line);
}

static const struct machine_events machine_events = {
	.call = on_call,
	.event = on_event,
	.died = on_died,
};

/* --- what the backends tell --- */

static void kick_vcpu(void *opaque, unsigned int vcpu)
{
	struct domain *dom = opaque;

	if (dom->machine)
		dom->ops->kick(dom->machine, vcpu);
}

static void raise_console(void *opaque)
{
	struct domain *dom = opaque;

	events_raise(dom->events, CONSOLE_PORT);
}

static void raise_store(void *opaque)
{
	struct domain *dom = opaque;

	events_raise(dom->events, STORE_PORT);
}

static void kick_console(void *opaque)
{
	struct domain *dom = opaque;

	console_kick(dom->console);
}

static void kick_store(void *opaque)
{
	struct domain *dom = opaque;

	xenstore_ring_kick(dom->store_ring);
}

static void store_failed(void *opaque, const char *reason)
{
	domain_message(opaque, "the guest's xenstore connection is closed: %s", reason);
}

static void watchdog_expired(void *opaque)
{
	domain_fail(opaque, DOMAIN_CRASH, "the guest's watchdog expired");
}

/* --- start --- */

static gboolean make_machine(struct domain *dom, const struct domain_config *config,
			     GError **error)
{
	struct machine_config machine = config->machine;
	uint32_t flags = config->boot_flags |
			 (config->trace & TRACE_HYPERCALLS ? BOOT_TRACE : 0);

	machine.mem = dom->build->mem;
	machine.nr_vcpus = dom->nr_vcpus;
	machine.events = &machine_events;
	machine.opaque = dom;
	dom->machine = dom->ops->create(&machine, error);
	if (!dom->machine)
		return FALSE;
	build_set_traits(dom->build, &dom->machine->traits, flags);
	if (dom->machine->traits.dear_kicks)
		upcalls_be_patient(dom->upcalls);
	return TRUE;
}

static void make_events(struct domain *dom, const struct domain_config *config)
{
	gboolean is_32bit = dom->build->width != IMAGE_X86_64;
	struct upcalls_config upcalls = {
		.area = dom->build->events,
		.mem = dom->build->mem,
		.shared_info_mfn = dom->build->shared_info_mfn,
		.is_32bit = is_32bit,
		.kick = kick_vcpu,
		.opaque = dom,
	};
	struct events_config events = {
		.area = dom->build->events,
		.nr_ports = is_32bit ? PORTS_32 : MAX_PORTS,
		.nr_vcpus = dom->nr_vcpus,
		.trace = config->trace & TRACE_EVENTS ? config->trace_file : NULL,
	};

	dom->upcalls = events.upcalls = upcalls_new(&upcalls);
	dom->events = events_new(&events);
	events_bind_backend(dom->events, STORE_PORT, kick_store, dom);
	events_bind_backend(dom->events, CONSOLE_PORT, kick_console, dom);
}

static gboolean make_backends(struct domain *dom, const struct domain_config *config,
			      GError **error)
{
	FILE *trace = config->trace & TRACE_XENSTORE ? config->trace_file : NULL;
	void *console = memory_page(dom->build->mem, dom->build->console_mfn);
	void *store = memory_page(dom->build->mem, dom->build->store_mfn);

	if (!console || !store) {
		g_set_error(error, BUILDER_ERROR, BUILDER_ERROR_IMAGE,
			    "%s: the console or xenstore page lies outside of memory",
			    dom->name);
		return FALSE;
	}
	dom->store = xenstore_new(trace);
	store_tree_write(dom);
	dom->store_ring = xenstore_ring_new(dom->store, DOMID_GUEST, store, raise_store,
					    store_failed, dom);
	dom->console = console_new(console, dom->console_io, raise_console, dom);
	return TRUE;
}

static gboolean make_sockets(struct domain *dom, struct runtime *runtime, GError **error)
{
	g_autofree char *store = NULL;
	g_autofree char *control = NULL;

	if (!runtime)
		return TRUE;
	store = runtime_file(runtime, "xenstore");
	dom->store_socket = xenstore_socket_new(dom->store, store, error);
	if (!dom->store_socket)
		return FALSE;
	control = runtime_file(runtime, "control");
	dom->control = control_new(control, error);
	return dom->control != NULL;
}

static gboolean make_devices(struct domain *dom, const struct domain_config *config,
			     GError **error)
{
	dom->devices = devices_new(dom);
	for (unsigned int i = 0; config->devices && i < config->devices->len; i++)
		if (!devices_add(dom->devices, config->devices->pdata[i], error))
			return FALSE;
	return TRUE;
}

struct domain *domain_new(const struct domain_config *config, GError **error)
{
	g_autoptr(Domain) dom = g_new0(struct domain, 1);

	dom->name = g_strdup(config->name);
	dom->uuid = g_uuid_string_random();
	dom->build = config->build;
	dom->console_io = config->console;
	dom->nr_vcpus = config->build->boot->nr_vcpus;
	dom->module = config->module;
	dom->abi = abi_find(config->module->info.abi);
	dom->ops = config->machine_ops;
	dom->end = DOMAIN_RUNNING;
	dom->shutdown_code = -1;
	dom->ended = config->ended;
	dom->opaque = config->opaque;
	if (!dom->abi) {
		g_set_error(error, MODULE_ERROR, MODULE_ERROR_PROTOCOL,
			    "%s: this xenemu has no hypercall table for the ABI %s",
			    config->module->path, config->module->info.abi);
		return NULL;
	}
	dom->watchdogs.expired = watchdog_expired;
	dom->watchdogs.opaque = dom;
	dom->trace =
		trace_new(dom, config->trace & TRACE_HYPERCALLS ? config->trace_file : NULL);
	dom->frames = frames_new(dom->build, config->maxmem);
	dom->grants = grants_new(dom->build, dom->frames, dom->abi->grant_frames,
				 dom->abi->grant_frames_max);
	make_events(dom, config);
	if (!make_backends(dom, config, error) || !make_sockets(dom, config->runtime, error) ||
	    !make_devices(dom, config, error) || !make_machine(dom, config, error))
		return NULL;
	requests_start(dom);
	return g_steal_pointer(&dom);
}

gboolean domain_start(struct domain *dom, GError **error)
{
	return dom->ops->start(dom->machine, error);
}

/* --- end --- */

/* Once the vCPUs stand still, what they left in the rings is final.  Devices have
 * completed what they told the guest before anybody is told of the end. */
static void stop(struct domain *dom)
{
	if (!dom->machine)
		return;
	dom->ops->destroy(dom->machine);
	dom->machine = NULL;
	watchdogs_stop(&dom->watchdogs);
	trace_drain(dom->trace, TRUE);
	console_flush(dom->console);
	hotplug_stop(dom);
	g_clear_pointer(&dom->devices, devices_free);
}

static gboolean finish(gpointer opaque)
{
	struct domain *dom = opaque;

	dom->end_source = 0;
	stop(dom);
	if (dom->ended)
		dom->ended(dom->opaque, dom->end);
	return G_SOURCE_REMOVE;
}

/*
 * The machine is stopped from the main loop, because this is called from inside
 * its own callbacks.  Until then nothing of the guest is served any more.
 */
void domain_end(struct domain *dom, enum domain_end end)
{
	if (dom->end != DOMAIN_RUNNING)
		return;
	dom->end = end;
	dom->end_source = g_idle_add_full(G_PRIORITY_HIGH, finish, dom, NULL);
}

void domain_fail(struct domain *dom, enum domain_end end, const char *format, ...)
{
	char *text;
	va_list args;

	if (dom->end != DOMAIN_RUNNING)
		return;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	console_flush(dom->console);
	domain_message(dom, "%s", text);
	g_free(text);
	domain_end(dom, end);
}

void domain_free(struct domain *dom)
{
	if (!dom)
		return;
	if (dom->end_source)
		g_source_remove(dom->end_source);
	stop(dom);
	requests_stop(dom);
	devices_free(dom->devices);
	control_free(dom->control);
	if (dom->attaching)
		g_ptr_array_unref(dom->attaching);
	console_free(dom->console);
	console_io_free(dom->console_io);
	xenstore_ring_free(dom->store_ring);
	xenstore_socket_free(dom->store_socket);
	xenstore_free(dom->store);
	trace_free(dom->trace);
	grants_free(dom->grants);
	frames_free(dom->frames);
	events_free(dom->events);
	upcalls_free(dom->upcalls);
	build_free(dom->build);
	g_free(dom->uuid);
	g_free(dom->name);
	g_free(dom);
}
