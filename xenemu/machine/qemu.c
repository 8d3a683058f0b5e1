/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu.c - machine qemu: a QEMU process, TCG or any other accelerator
 *
 * QEMU is told everything on its command line and through inherited
 * descriptors, so create() need not wait for it: it comes up while the helper
 * builds the domain, and start() is one QMP command.
 */
#include "machine/ivshmem-server.h"
#include "machine/kvm-probe.h"
#include "machine/machine.h"
#include "machine/qemu-command.h"
#include "machine/qemu-probe.h"
#include "machine/qemu-process.h"
#include "machine/qmp.h"
#include "machine/tsc.h"
#include "machine/watch.h"
#include "protocol.h"
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROM_BYTES 0x10000 /* QEMU wants whole 64 KiB */
#define HLT 0xf4
#define MIN_VECTORS 2 /* QEMU: no peer may have more vectors than the device */
#define GHZ_IN_KHZ 1000000

/**
 * struct qemu - machine qemu
 * @base:      head
 * @events:    the owner's callbacks
 * @opaque:    their first argument
 * @doorbells: the eventfds
 * @watches:   on call and event
 * @process:   QEMU
 * @qmp:       connection to it
 * @cause:     why QEMU stopped the VM, once it has
 * @death:     what the owner will be told, or has been told
 * @death_source: idle source that tells it
 */
struct qemu {
	struct machine base;
	const struct machine_events *events;
	void *opaque;
	struct ivshmem_server doorbells;
	struct watch *watches[2];
	struct qemu_process *process;
	struct qmp *qmp;
	char *cause;
	GError *death;
	guint death_source;
};

extern const uint8_t qemu_rom[], qemu_rom_end[];

static struct qemu *to_qemu(struct machine *m)
{
	return (struct qemu *)m; /* base is the first member */
}

/* ------------------------------------------------------------------------
 * Its end
 */
static void stop_watching(struct qemu *q)
{
	g_clear_pointer(&q->watches[0], watch_free);
	g_clear_pointer(&q->watches[1], watch_free);
}

static gboolean tell_death(gpointer data)
{
	struct qemu *q = data;

	q->death_source = 0;
	q->events->died(q->opaque, q->death); /* may destroy q */
	return G_SOURCE_REMOVE;
}

/* Told from the main loop: the owner may destroy the machine when it hears. */
G_GNUC_PRINTF(2, 3) static void die(struct qemu *q, const char *format, ...)
{
	va_list args;

	if (q->death)
		return;
	va_start(args, format);
	q->death = g_error_new_valist(MACHINE_ERROR, MACHINE_ERROR_FAILED, format, args);
	va_end(args);
	stop_watching(q);
	q->death_source = g_idle_add_full(G_PRIORITY_HIGH, tell_death, q, NULL);
}

static void on_process_end(void *opaque, int wait_status)
{
	struct qemu *q = opaque;
	const char *output = qemu_process_output(q->process);
	const char *separator = *output ? ":\n" : "";

	if (WIFSIGNALED(wait_status))
		die(q, "qemu: QEMU was killed by signal %d (%s)%s%s", WTERMSIG(wait_status),
		    g_strsignal(WTERMSIG(wait_status)), separator, output);
	else
		die(q, "qemu: QEMU ended by itself with status %d%s%s",
		    WEXITSTATUS(wait_status), separator, output);
}

/* ------------------------------------------------------------------------
 * What QEMU tells over QMP
 */

/* Of QEMU's dump the lines with general, segment and control registers. */
static char *pick_registers(const char *dump)
{
	static const char *const noise[] = { "FCW", "FPR", "XMM", "YMM", "ZMM", "Opmask" };
	g_auto(GStrv) lines = g_strsplit_set(dump, "\r\n", -1);
	GString *picked = g_string_new(NULL);
	char **line;
	guint i;

	for (line = lines; *line; line++) {
		for (i = 0; i < G_N_ELEMENTS(noise); i++)
			if (g_str_has_prefix(*line, noise[i]))
				break;
		if (**line && i == G_N_ELEMENTS(noise))
			g_string_append_printf(picked, "\n%s", *line);
	}
	return g_string_free(picked, FALSE);
}

static void on_registers(struct qemu *q, JsonNode *value)
{
	const char *dump = value && JSON_NODE_HOLDS_VALUE(value) ? json_node_get_string(value)
								 : NULL;
	g_autofree char *registers = pick_registers(dump ? dump : "");
	const char *output = qemu_process_output(q->process);

	die(q, "qemu: %s%s%s%s", q->cause, *output ? "\n" : "", output, registers);
}

static void on_reply(void *opaque, const char *name, JsonNode *value, const char *failure)
{
	struct qemu *q = opaque;

	if (g_str_equal(name, "human-monitor-command"))
		on_registers(q, value);
	else if (failure)
		die(q, "qemu: QEMU refuses the command %s: %s", name, failure);
}

static const char *shutdown_reason(JsonObject *data)
{
	const char *reason = "unknown";

	if (data && json_object_has_member(data, "reason") &&
	    JSON_NODE_HOLDS_VALUE(json_object_get_member(data, "reason")))
		reason = json_object_get_string_member(data, "reason");
	return reason ? reason : "unknown";
}

/* The VM does not run any more, and nobody here asked for that. */
static void on_stopped(struct qemu *q, char *cause)
{
	if (q->cause) {
		g_free(cause);
		return;
	}
	q->cause = cause;
	qmp_execute(q->qmp, "human-monitor-command",
		    "{\"command-line\":\"info registers -a\"}");
}

static void on_event(void *opaque, const char *name, JsonObject *data)
{
	struct qemu *q = opaque;

	if (g_str_equal(name, "STOP")) {
		on_stopped(q, g_strdup("QEMU stopped the VM"));
	} else if (g_str_equal(name, "SHUTDOWN")) {
		const char *reason = shutdown_reason(data);

		if (g_str_equal(reason, "guest-reset"))
			on_stopped(q, g_strdup("triple fault: the VM's CPU can't go on"));
		else if (g_str_has_prefix(reason, "host"))
			die(q, "qemu: QEMU was told to end from outside (%s)", reason);
		else
			on_stopped(q, g_strdup_printf("the VM was shut down (%s)", reason));
	}
}

static void on_qmp_broken(void *opaque, gboolean garbage)
{
	struct qemu *q = opaque;

	/* Hanging up is how QEMU ends, and its exit status says more. */
	if (garbage)
		die(q, "qemu: QEMU answers with what is not its machine protocol");
}

static const struct qmp_events qmp_events = {
	.event = on_event,
	.reply = on_reply,
	.broken = on_qmp_broken,
};

/* ------------------------------------------------------------------------
 * Doorbells
 */
static gboolean on_call(int fd, GIOCondition condition, gpointer data)
{
	struct qemu *q = data;
	eventfd_t count;

	(void)condition;
	if (eventfd_read(fd, &count) == 0)
		q->events->call(q->opaque, -1); /* may destroy q */
	return G_SOURCE_CONTINUE;
}

static gboolean on_event_doorbell(int fd, GIOCondition condition, gpointer data)
{
	struct qemu *q = data;
	eventfd_t count;

	(void)condition;
	if (eventfd_read(fd, &count) == 0)
		q->events->event(q->opaque); /* may destroy q */
	return G_SOURCE_CONTINUE;
}

static void kick(struct machine *m, unsigned int vcpu)
{
	struct qemu *q = to_qemu(m);

	/* Fails only when 2^64 kicks wait: then one more changes nothing. */
	if (vcpu < q->doorbells.nr_kick)
		eventfd_write(q->doorbells.kick[vcpu], 1);
}

/* ------------------------------------------------------------------------
 * Making it
 */
static int make_rom(void)
{
	size_t code = qemu_rom_end - qemu_rom;
	g_autofree uint8_t *rom = g_malloc(ROM_BYTES);
	int fd = memfd_create("xenemu-rom", MFD_CLOEXEC);

	memset(rom, HLT, ROM_BYTES - code);
	memcpy(rom + ROM_BYTES - code, qemu_rom, code);
	if (fd >= 0 && write(fd, rom, ROM_BYTES) == ROM_BYTES)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void close_all(int *fds, unsigned int nr)
{
	while (nr-- > 0)
		if (fds[nr] >= 0)
			close(fds[nr]);
}

static gboolean set_traits(struct machine_traits *t, const struct machine_config *config,
			   GError **error)
{
	t->transport = TRANSPORT_IVSHMEM;
	t->ivshmem_peer = IVSHMEM_HELPER_PEER;
	/* hw/intc/apic.c and KVM alike: one tick a nanosecond */
	t->apic_khz = GHZ_IN_KHZ;
	/* TCG hands out the host's TSC (cpu_get_ticks()), with icount virtual ns */
	t->tsc_khz = qemu_command_has_icount(config) ? GHZ_IN_KHZ : tsc_host_khz();
	t->caches_code = !qemu_command_is_kvm(config);
	t->dear_kicks = t->caches_code;
	if (!t->caches_code) {
		const struct kvm_abilities *a = kvm_probe_abilities(error);

		if (!a)
			return FALSE;
		t->flags = kvm_abilities_flags(a);
	}
	return TRUE;
}

/* QEMU's inherited descriptors; our ends of them go into @q and @qmp. */
static gboolean make_fds(struct qemu *q, const struct machine_config *config, int *fds,
			 int *qmp, GError **error)
{
	int pair[2];

	fds[0] = config->mem->fd;
	fds[QEMU_FD_DOORBELLS - QEMU_FD_MEMORY] =
		ivshmem_server_open(&q->doorbells, MAX(config->nr_vcpus, MIN_VECTORS), error);
	if (fds[QEMU_FD_DOORBELLS - QEMU_FD_MEMORY] < 0)
		return FALSE;
	fds[QEMU_FD_ROM - QEMU_FD_MEMORY] = make_rom();
	if (fds[QEMU_FD_ROM - QEMU_FD_MEMORY] >= 0 &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
		*qmp = pair[0];
		fds[QEMU_FD_QMP - QEMU_FD_MEMORY] = pair[1];
		return TRUE;
	}
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED,
		    "qemu: no memory or descriptors for QEMU: %s; see `ulimit -n`",
		    g_strerror(errno));
	return FALSE;
}

static gboolean launch(struct qemu *q, const struct machine_config *config, const char *program,
		       GError **error)
{
	int fds[QEMU_NR_FDS] = { -1, -1, -1, -1 };
	int qmp = -1;
	gboolean ok = make_fds(q, config, fds, &qmp, error);

	if (ok) {
		g_auto(GStrv) argv = qemu_command(config, program, q->doorbells.nr_kick);

		q->qmp = qmp_new(qmp, &qmp_events, q);
		q->process =
			qemu_process_spawn(argv, fds, QEMU_NR_FDS, on_process_end, q, error);
	}
	close_all(fds + 1, QEMU_NR_FDS - 1); /* the memory's is not ours */
	return ok && q->process;
}

static void destroy(struct machine *m)
{
	struct qemu *q = to_qemu(m);

	stop_watching(q);
	g_clear_handle_id(&q->death_source, g_source_remove);
	qmp_free(q->qmp);
	qemu_process_free(q->process);
	ivshmem_server_close(&q->doorbells);
	g_clear_error(&q->death);
	g_free(q->cause);
	g_free(q);
}

static struct machine *create(const struct machine_config *config, GError **error)
{
	g_autofree char *program = qemu_process_find(config->qemu, error);
	struct qemu *q;

	if (!program)
		return NULL;
	q = g_new0(struct qemu, 1);
	q->base.ops = &machine_qemu;
	q->events = config->events;
	q->opaque = config->opaque;
	if (!launch(q, config, program, error) || !set_traits(&q->base.traits, config, error)) {
		destroy(&q->base);
		return NULL;
	}
	q->watches[0] = watch_new(q->doorbells.call, G_IO_IN, on_call, q);
	q->watches[1] = watch_new(q->doorbells.event, G_IO_IN, on_event_doorbell, q);
	return &q->base;
}

static gboolean start(struct machine *m, GError **error)
{
	struct qemu *q = to_qemu(m);

	if (!q->death && qmp_execute(q->qmp, "cont", NULL))
		return TRUE;
	if (q->death)
		g_propagate_error(error, g_error_copy(q->death));
	else
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED,
			    "qemu: QEMU did not come up\n%s", qemu_process_output(q->process));
	return FALSE;
}

/* Under QEMU the monitor sets XCR0 itself; where it can't, QEMU can't either. */
static gboolean set_xcr0(struct machine *m, unsigned int vcpu, uint64_t xcr0)
{
	(void)m;
	(void)vcpu;
	(void)xcr0;
	return FALSE;
}

const struct machine_ops machine_qemu = {
	.name = "qemu",
	.probe = qemu_probe,
	.create = create,
	.start = start,
	.kick = kick,
	.call_done = kick,
	.set_xcr0 = set_xcr0,
	.destroy = destroy,
};
