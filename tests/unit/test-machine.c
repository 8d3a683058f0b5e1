/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-machine.c - both machines, driven through a payload in the monitor's
 * place (machine-payload.s): each mailbox call that it posts is answered with
 * the next command of a script
 */
#include "machine/machine.h"
#include "protocol.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1ULL << 20)
#define VCPU_AREA_PADDR 0x300000
#define EVENT_AREA_PADDR 0x400000
#define OUT_PADDR 0x500000
#define TABLES 0x600000
#define PATIENCE_S 30

/* What machine-payload.s shares with us: commands, and where it writes. */
enum command {
	CMD_NOP,
	CMD_EVENT,
	CMD_WAIT_KICK,
	CMD_TRIPLE_FAULT,
	CMD_READ_NOWHERE,
	CMD_TIME_APIC,
	CMD_START_OTHER,
	CMD_CPUID,
	CMD_READ_HIGH,
	CMD_COUNT,
};
#define OUT_EBX 0
#define OUT_CR0 4
#define OUT_EFLAGS 8
#define OUT_RESULT 12
#define OUT_KICKS 16
#define OUT_KICKS_SEEN 20
#define OUT_PORT 24
#define OUT_PORT_BYTE 28
#define OUT_MMIO 32
#define OUT_TSC_TICKS 36
#define OUT_APIC_TICKS 40
#define OUT_CPUID_1C 44
#define OUT_CPUID_7B 48
#define OUT_CPUID_7C 52
#define OUT_CPUID_HV 56
#define OUT_COUNT 60
#define OUT_ROUNDS 64

#define INFO_TRANSPORT 20
#define INFO_NR_VCPUS 32
#define INFO_PEER 36
#define INFO_HEAP 80
#define INFO_VCPU_AREA 96
#define MBOX_STATE 0
#define MBOX_RESULT 64
_Static_assert(offsetof(struct boot_info, transport) == INFO_TRANSPORT, "asm");
_Static_assert(offsetof(struct boot_info, nr_vcpus) == INFO_NR_VCPUS, "asm");
_Static_assert(offsetof(struct boot_info, ivshmem_peer) == INFO_PEER, "asm");
_Static_assert(offsetof(struct boot_info, heap) == INFO_HEAP, "asm");
_Static_assert(offsetof(struct boot_info, vcpu_area) == INFO_VCPU_AREA, "asm");
_Static_assert(offsetof(struct mailbox, state) == MBOX_STATE, "asm");
_Static_assert(offsetof(struct mailbox, result) == MBOX_RESULT, "asm");

#define STRING(x) #x
#define SET(name) SET_VALUE(#name, name)
#define SET_VALUE(name, value) asm(".set " name ", " STRING(value))
SET(BOOT_INFO_PADDR);
SET(MONITOR_PADDR);
SET(TRANSPORT_IVSHMEM);
SET(MAILBOX_POSTED);
SET(MAILBOX_DONE);
SET(DOORBELL_PORT_CALL);
SET(DOORBELL_PORT_EVENT);
SET(DOORBELL_VECTOR_CALL);
SET(DOORBELL_VECTOR_EVENT);
SET(KICK_VECTOR);
SET(IVSHMEM_ECAM_PADDR);
SET(IVSHMEM_BAR_PADDR);
SET(INFO_TRANSPORT);
SET(INFO_NR_VCPUS);
SET(INFO_PEER);
SET(INFO_HEAP);
SET(INFO_VCPU_AREA);
SET(MBOX_STATE);
SET(MBOX_RESULT);
SET(TABLES);
SET(OUT_EBX);
SET(OUT_CR0);
SET(OUT_EFLAGS);
SET(OUT_RESULT);
SET(OUT_KICKS);
SET(OUT_KICKS_SEEN);
SET(OUT_PORT);
SET(OUT_PORT_BYTE);
SET(OUT_MMIO);
SET(OUT_TSC_TICKS);
SET(OUT_APIC_TICKS);
SET(OUT_CPUID_1C);
SET(OUT_CPUID_7B);
SET(OUT_CPUID_7C);
SET(OUT_CPUID_HV);
SET(OUT_COUNT);
SET(OUT_ROUNDS);
asm(".include \"tests/unit/machine-payload.s\"");
extern const uint8_t payload_start[], payload_end[];

/* ------------------------------------------------------------------------
 * One VM and its script
 */
struct rig {
	const struct machine_ops *ops;
	struct memory *mem;
	struct machine *m;
	const enum command *script;
	unsigned int length, next;
	unsigned int nr_calls, nr_events;
	gboolean destroy_in_callback;
	gboolean late; /* first complete calls from the main loop */
	GError *death;
	gboolean over;
};

static uint32_t *word(struct rig *r, uint64_t paddr)
{
	uint32_t *p = memory_ptr(r->mem, paddr, sizeof(*p));

	g_assert_nonnull(p);
	return p;
}

static uint32_t out(struct rig *r, unsigned int offset)
{
	return *word(r, OUT_PADDR + offset);
}

static struct mailbox *mailbox(struct rig *r)
{
	return memory_ptr(r->mem, VCPU_AREA_PADDR, sizeof(struct mailbox));
}

static void destroy(struct rig *r)
{
	r->ops->destroy(r->m);
	r->m = NULL;
	r->over = TRUE;
}

static gboolean complete(gpointer data)
{
	struct rig *r = data;
	struct mailbox *box = mailbox(r);
	enum command command = r->script[r->next++];

	box->result = command;
	__atomic_store_n(&box->state, MAILBOX_DONE, __ATOMIC_RELEASE);
	r->ops->call_done(r->m, 0);
	if (command == CMD_WAIT_KICK)
		r->ops->kick(r->m, 0);
	return G_SOURCE_REMOVE;
}

static void on_call(void *opaque, int vcpu)
{
	struct rig *r = opaque;

	if (r->m->traits.transport == TRANSPORT_IVSHMEM)
		g_assert_cmpint(vcpu, ==, -1);
	else
		g_assert_cmpint(vcpu, ==, 0);
	if (__atomic_load_n(&mailbox(r)->state, __ATOMIC_ACQUIRE) != MAILBOX_POSTED)
		return;
	/* Ours until it is done. */
	mailbox(r)->state = MAILBOX_IDLE;
	r->nr_calls++;
	if (r->next < r->length) {
		if (r->late)
			g_idle_add(complete, r);
		else
			complete(r);
	} else if (r->destroy_in_callback) {
		destroy(r);
	} else {
		r->over = TRUE;
	}
}

static void on_event(void *opaque)
{
	struct rig *r = opaque;

	r->nr_events++;
}

static void on_died(void *opaque, const GError *error)
{
	struct rig *r = opaque;

	g_assert_null(r->death);
	r->death = g_error_copy(error);
	if (r->destroy_in_callback)
		destroy(r);
	r->over = TRUE;
}

static const struct machine_events events = { on_call, on_event, on_died };

static void fill_memory(struct rig *r, unsigned int nr_vcpus)
{
	struct boot_info *info = memory_ptr(r->mem, BOOT_INFO_PADDR, sizeof(*info));

	info->monitor_entry = MONITOR_PADDR;
	info->transport = r->m->traits.transport;
	info->ivshmem_peer = r->m->traits.ivshmem_peer;
	info->nr_vcpus = nr_vcpus;
	info->heap = OUT_PADDR;
	info->vcpu_area = VCPU_AREA_PADDR;
	info->event_area = EVENT_AREA_PADDR;
	memcpy(memory_ptr(r->mem, MONITOR_PADDR, payload_end - payload_start), payload_start,
	       payload_end - payload_start);
}

static struct machine_config config_of(struct rig *r, unsigned int nr_vcpus)
{
	return (struct machine_config){
		.mem = r->mem, .nr_vcpus = nr_vcpus, .events = &events, .opaque = r
	};
}

static void set_up(struct rig *r, const struct machine_ops *ops, uint64_t bytes,
		   unsigned int nr_vcpus)
{
	struct machine_config config;
	GError *error = NULL;

	r->ops = ops;
	r->mem = memory_new(bytes, &error);
	g_assert_no_error(error);
	config = config_of(r, nr_vcpus);
	r->m = ops->create(&config, &error);
	g_assert_no_error(error);
	g_assert_nonnull(r->m);
	g_assert_true(r->m->ops == ops);
	fill_memory(r, nr_vcpus);
}

static gboolean on_timeout(gpointer data)
{
	(void)data;
	g_error("no end after %d s", PATIENCE_S);
	return G_SOURCE_REMOVE;
}

static void run_loop(struct rig *r)
{
	guint timeout = g_timeout_add_seconds(PATIENCE_S, on_timeout, NULL);

	while (!r->over)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timeout);
}

static void run_script(struct rig *r, const enum command *script, unsigned int length)
{
	GError *error = NULL;

	r->script = script;
	r->length = length;
	g_assert_true(r->ops->start(r->m, &error));
	g_assert_no_error(error);
	run_loop(r);
}
#define RUN(r, ...)                                                                            \
	run_script(r, (const enum command[]){ __VA_ARGS__ },                                   \
		   G_N_ELEMENTS(((const enum command[]){ __VA_ARGS__ })))

static void tear_down(struct rig *r)
{
	if (r->m)
		r->ops->destroy(r->m);
	memory_free(r->mem);
	g_clear_error(&r->death);
}

/* Skips where the machine can't be had; the reason says why. */
static gboolean has_machine(const struct machine_ops *ops)
{
	g_autoptr(GError) error = NULL;

	if (ops->probe(FALSE, NULL, &error))
		return TRUE;
	g_test_skip(error->message);
	return FALSE;
}

/* ------------------------------------------------------------------------
 * Tests, each for both machines
 */
static void test_start_and_call(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_NOP, CMD_NOP, CMD_NOP);
	g_assert_no_error(r.death);
	g_assert_cmpuint(r.nr_calls, ==, 4);
	g_assert_cmpuint(r.nr_events, ==, 0);
	g_assert_cmphex(out(&r, OUT_EBX), ==, 0);
	g_assert_cmphex(out(&r, OUT_CR0) & 0x80000001, ==, 1); /* PE, not PG */
	g_assert_cmphex(out(&r, OUT_EFLAGS) & 0x200, ==, 0);
	tear_down(&r);
}

static void test_late_call_done(gconstpointer ops)
{
	struct rig r = { .late = TRUE };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_NOP, CMD_NOP, CMD_NOP);
	g_assert_cmpuint(r.nr_calls, ==, 4);
	tear_down(&r);
}

static void test_event_and_kick(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_EVENT, CMD_NOP, CMD_EVENT, CMD_WAIT_KICK, CMD_WAIT_KICK);
	g_assert_no_error(r.death);
	while (r.nr_events == 0)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(r.nr_events, <=, 2); /* two may become one */
	g_assert_cmpuint(r.nr_calls, ==, 6);
	g_assert_cmpuint(out(&r, OUT_KICKS), >=, 2);
	tear_down(&r);
}

static void test_triple_fault(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_NOP, CMD_TRIPLE_FAULT);
	g_assert_error(r.death, MACHINE_ERROR, MACHINE_ERROR_FAILED);
	g_test_message("%s", r.death->message);
	g_assert_nonnull(strstr(r.death->message, "triple fault"));
	g_assert_nonnull(strcasestr(r.death->message, "cr3"));
	g_assert_nonnull(strcasestr(r.death->message, "rip"));
	tear_down(&r);
}

static void test_destroy_in_died(gconstpointer ops)
{
	struct rig r = { .destroy_in_callback = TRUE };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_TRIPLE_FAULT);
	g_assert_error(r.death, MACHINE_ERROR, MACHINE_ERROR_FAILED);
	g_assert_null(r.m);
	tear_down(&r);
}

static void test_destroy_in_call(gconstpointer ops)
{
	struct rig r = { .destroy_in_callback = TRUE };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 2);
	RUN(&r, CMD_NOP);
	g_assert_null(r.m);
	g_assert_no_error(r.death);
	tear_down(&r);
}

static void test_destroy_unstarted(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 3);
	tear_down(&r);
}

static void test_nowhere(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_READ_NOWHERE);
	g_assert_cmphex(out(&r, OUT_PORT), ==, 0xffffffff);
	g_assert_cmphex(out(&r, OUT_PORT_BYTE), ==, 0xff);
	g_assert_cmphex(out(&r, OUT_MMIO), ==, 0xffffffff);
	tear_down(&r);
}

/* Both frequencies are right if their ratio is what the payload measures. */
static void test_frequencies(gconstpointer ops)
{
	struct rig r = { 0 };
	double promised, measured;

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_TIME_APIC);
	promised = (double)r.m->traits.tsc_khz / r.m->traits.apic_khz;
	measured = (double)out(&r, OUT_TSC_TICKS) / out(&r, OUT_APIC_TICKS);
	g_test_message("TSC %" G_GUINT64_FORMAT " kHz, TSC/APIC %f, measured %f",
		       r.m->traits.tsc_khz, promised, measured);
	g_assert_cmpfloat_with_epsilon(measured, promised, promised * 0.02);
	tear_down(&r);
}

static void test_other_vcpu(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 2);
	RUN(&r, CMD_START_OTHER);
	g_assert_no_error(r.death);
	g_assert_cmphex(out(&r, OUT_RESULT), ==, 0x600d);
	tear_down(&r);
}

static void test_cpuid(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	RUN(&r, CMD_CPUID);
	g_assert_cmphex(out(&r, OUT_CPUID_1C) & (1 << 5), ==, 0); /* VMX */
	g_assert_cmphex(out(&r, OUT_CPUID_7B) & (1 << 14), ==, 0); /* MPX */
	g_assert_cmphex(out(&r, OUT_CPUID_7C) & (1 << 3), ==, 0); /* PKU */
	g_assert_cmphex(out(&r, OUT_CPUID_7C) & (1 << 16), ==, 0); /* LA57 */
	g_assert_cmphex(out(&r, OUT_CPUID_HV), !=, 0x4b4d564b); /* "KVMK" */
	g_assert_cmphex(out(&r, OUT_CPUID_HV), !=, 0x54474354); /* "TCGT" */
	tear_down(&r);
}

static void test_above_hole(gconstpointer ops)
{
	struct rig r = { 0 };

	if (!has_machine(ops))
		return;
	set_up(&r, ops, HOLE_START + 2 * MIB, 1);
	*word(&r, HOLE_END) = 0xfeedf00d;
	RUN(&r, CMD_READ_HIGH);
	g_assert_no_error(r.death);
	g_assert_cmphex(out(&r, OUT_RESULT), ==, 0xfeedf00d);
	tear_down(&r);
}

/* ------------------------------------------------------------------------
 * Machine qemu's own
 */
/*
 * Rings, bitmaps and grants are shared: what one side does to them with a LOCK prefix
 * must be one operation to the other.  Counts together with the payload.
 */
static gpointer count_along(gpointer data)
{
	struct rig *r = data;
	uint32_t *shared = word(r, OUT_PADDR + OUT_COUNT);
	uintptr_t mine = 0;

	for (; !g_atomic_int_get(&r->over); mine++)
		__atomic_fetch_add(shared, 1, __ATOMIC_SEQ_CST);
	return (gpointer)mine;
}

static void test_atomic(gconstpointer ops)
{
	struct rig r = { 0 };
	/* Interpreted, one takes 20 us. */
	uint32_t rounds = ops == &machine_qemu ? 20000000 : 20000;
	GThread *thread;
	uint32_t mine;

	if (!has_machine(ops))
		return;
	set_up(&r, ops, 16 * MIB, 1);
	*word(&r, OUT_PADDR + OUT_ROUNDS) = rounds;
	thread = g_thread_new("count", count_along, &r);
	while (!__atomic_load_n(word(&r, OUT_PADDR + OUT_COUNT), __ATOMIC_RELAXED))
		g_thread_yield();
	RUN(&r, CMD_COUNT);
	mine = (uintptr_t)g_thread_join(thread);
	g_assert_cmpuint(out(&r, OUT_COUNT), ==, mine + rounds);
	tear_down(&r);
}

static void test_qemu_absent(void)
{
	struct rig r = { 0 };
	struct machine_config config;
	g_autoptr(GError) error = NULL;

	r.mem = memory_new(16 * MIB, NULL);
	config = config_of(&r, 1);
	config.qemu = "/nonexistent/qemu";
	g_assert_null(machine_qemu.create(&config, &error));
	g_assert_error(error, MACHINE_ERROR, MACHINE_ERROR_ABSENT);
	g_assert_nonnull(strstr(error->message, "qemu-system-x86"));
	tear_down(&r);
}

static void make_qemu(struct rig *r, struct machine_config *config)
{
	GError *error = NULL;

	r->ops = &machine_qemu;
	r->mem = memory_new(16 * MIB, NULL);
	config->mem = r->mem;
	r->m = machine_qemu.create(config, &error);
	g_assert_no_error(error);
	fill_memory(r, 1);
}

/* Its last words are in the message. */
static void test_qemu_fails(void)
{
	struct rig r = { 0 };
	struct machine_config config = config_of(&r, 1);

	if (!has_machine(&machine_qemu))
		return;
	config.cpu = "no-such-cpu";
	make_qemu(&r, &config);
	run_loop(&r);
	g_assert_error(r.death, MACHINE_ERROR, MACHINE_ERROR_FAILED);
	g_assert_nonnull(strstr(r.death->message, "no-such-cpu"));
	tear_down(&r);
}

/* A program that is not QEMU, and ends without a word. */
static void test_qemu_is_another(void)
{
	struct rig r = { 0 };
	struct machine_config config = config_of(&r, 1);

	config.qemu = "false";
	make_qemu(&r, &config);
	run_loop(&r);
	g_assert_nonnull(strstr(r.death->message, "status 1"));
	tear_down(&r);
}

static pid_t child_of_ours(void)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return (pid_t)g_ascii_strtoll(text, NULL, 10);
}

static void test_qemu_killed(void)
{
	struct rig r = { 0 };

	if (!has_machine(&machine_qemu))
		return;
	set_up(&r, &machine_qemu, 16 * MIB, 1);
	RUN(&r, CMD_NOP);
	g_assert_cmpint(child_of_ours(), >, 0);
	kill(child_of_ours(), SIGKILL);
	r.over = FALSE;
	run_loop(&r);
	g_assert_error(r.death, MACHINE_ERROR, MACHINE_ERROR_FAILED);
	g_assert_nonnull(strstr(r.death->message, "signal 9"));
	tear_down(&r);
}

/* Whatever becomes of the helper, QEMU is not left behind. */
static void test_qemu_dies_with_us(void)
{
	pid_t helper, qemu = 0;
	int pipes[2];
	char byte;

	if (!has_machine(&machine_qemu))
		return;
	g_assert_cmpint(pipe(pipes), ==, 0);
	helper = fork();
	if (helper == 0) {
		struct rig r = { 0 };

		set_up(&r, &machine_qemu, 16 * MIB, 1);
		qemu = child_of_ours();
		/* QEMU does not get this pipe; the helper's death closes it */
		if (write(pipes[1], &qemu, sizeof(qemu)) != sizeof(qemu))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	close(pipes[1]);
	g_assert_cmpint(read(pipes[0], &qemu, sizeof(qemu)), ==, sizeof(qemu));
	g_assert_cmpint(read(pipes[0], &byte, 1), ==, 0);
	close(pipes[0]);
	g_assert_cmpint(waitpid(helper, NULL, 0), ==, helper);
	/* Its new parent reaps it; a zombie until then is dead enough. */
	while (kill(qemu, 0) == 0) {
		g_autofree char *path = g_strdup_printf("/proc/%d/stat", qemu);
		g_autofree char *stat = NULL;

		if (!g_file_get_contents(path, &stat, NULL, NULL) || strstr(stat, ") Z "))
			break;
		g_usleep(1000);
	}
}

static void test_qemu_icount(void)
{
	static const char *const args[] = { "-icount", "shift=0,sleep=off", NULL };
	struct rig r = { 0 };
	struct machine_config config = config_of(&r, 1);

	if (!has_machine(&machine_qemu))
		return;
	config.qemu_args = args;
	make_qemu(&r, &config);
	RUN(&r, CMD_TIME_APIC);
	g_assert_cmpuint(r.m->traits.tsc_khz, ==, 1000000);
	g_assert_cmpfloat_with_epsilon((double)out(&r, OUT_TSC_TICKS) / out(&r, OUT_APIC_TICKS),
				       1.0, 0.001);
	tear_down(&r);
}

/* QEMU with KVM, where KVM can run the ROM's 16-bit code. */
static void test_qemu_accel_kvm(void)
{
	struct rig r = { 0 };
	struct machine_config config = config_of(&r, 1);

	if (!has_machine(&machine_qemu) || !has_machine(&machine_kvm))
		return;
	config.accel = "kvm";
	make_qemu(&r, &config);
	RUN(&r, CMD_NOP, CMD_EVENT, CMD_WAIT_KICK, CMD_CPUID);
	g_assert_no_error(r.death);
	g_assert_cmpuint(r.nr_calls, ==, 5);
	g_assert_cmphex(out(&r, OUT_CPUID_7C) & (1 << 16), ==, 0); /* LA57 */
	g_assert_cmphex(out(&r, OUT_CPUID_HV), !=, 0x4b4d564b); /* "KVMK" */
	tear_down(&r);
}

/* ------------------------------------------------------------------------
 * Selection
 */
static void test_select(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *why = NULL;

	g_assert_null(machine_select("vax", FALSE, NULL, &error));
	g_assert_error(error, MACHINE_ERROR, MACHINE_ERROR_ABSENT);
	g_clear_error(&error);

	/* Where both can: kvm, but for one that has a drawback. */
	if (has_machine(&machine_kvm) && has_machine(&machine_qemu)) {
		const char *drawback = machine_kvm.drawback();

		g_assert_true(machine_select("kvm", FALSE, NULL, NULL) == &machine_kvm);
		g_assert_true(machine_select("auto", FALSE, &why, NULL) ==
			      (drawback ? &machine_qemu : &machine_kvm));
		g_assert_cmpstr(why, ==, drawback);
		g_clear_pointer(&why, g_free);
	}

	g_setenv("XENEMU_KVM", "/nonexistent/kvm", TRUE);
	g_assert_null(machine_select("kvm", FALSE, NULL, &error));
	g_assert_error(error, MACHINE_ERROR, MACHINE_ERROR_ABSENT);
	g_clear_error(&error);
	if (has_machine(&machine_qemu)) {
		g_assert_true(machine_select(NULL, FALSE, &why, &error) == &machine_qemu);
		g_assert_no_error(error);
		g_assert_nonnull(strstr(why, "/nonexistent/kvm"));
	}
	/* something that is not KVM */
	g_setenv("XENEMU_KVM", "/dev/null", TRUE);
	g_assert_null(machine_select("kvm", FALSE, NULL, &error));
	g_assert_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE);
	g_clear_error(&error);

	g_setenv("XENEMU_QEMU", "/nonexistent/qemu", TRUE);
	g_assert_null(machine_select("auto", FALSE, NULL, &error));
	g_assert_error(error, MACHINE_ERROR, MACHINE_ERROR_ABSENT);
	g_unsetenv("XENEMU_QEMU");
	g_unsetenv("XENEMU_KVM");
}

static void test_probe_detail(gconstpointer data)
{
	const struct machine_ops *ops = data;
	g_autoptr(GError) error = NULL;
	g_autofree char *detail = NULL;

	if (!has_machine(ops))
		return;
	g_assert_true(ops->probe(FALSE, &detail, &error));
	g_assert_no_error(error);
	g_assert_nonnull(detail);
	g_test_message("%s", detail);
}

static void add(const struct machine_ops *ops, const char *name, GTestDataFunc func)
{
	g_autofree char *path = g_strdup_printf("/machine/%s/%s", ops->name, name);

	g_test_add_data_func(path, ops, func);
}

static void add_common(const struct machine_ops *ops)
{
	add(ops, "start-and-call", test_start_and_call);
	add(ops, "late-call-done", test_late_call_done);
	add(ops, "event-and-kick", test_event_and_kick);
	add(ops, "triple-fault", test_triple_fault);
	add(ops, "destroy-in-died", test_destroy_in_died);
	add(ops, "destroy-in-call", test_destroy_in_call);
	add(ops, "destroy-unstarted", test_destroy_unstarted);
	add(ops, "nowhere", test_nowhere);
	add(ops, "frequencies", test_frequencies);
	add(ops, "other-vcpu", test_other_vcpu);
	add(ops, "cpuid", test_cpuid);
	add(ops, "above-hole", test_above_hole);
	add(ops, "atomic", test_atomic);
	add(ops, "probe-detail", test_probe_detail);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/machine/select", test_select); /* before kvm is probed */
	add_common(&machine_qemu);
	add_common(&machine_kvm);
	g_test_add_func("/machine/qemu/absent", test_qemu_absent);
	g_test_add_func("/machine/qemu/fails", test_qemu_fails);
	g_test_add_func("/machine/qemu/another-program", test_qemu_is_another);
	g_test_add_func("/machine/qemu/killed", test_qemu_killed);
	g_test_add_func("/machine/qemu/dies-with-us", test_qemu_dies_with_us);
	g_test_add_func("/machine/qemu/icount", test_qemu_icount);
	g_test_add_func("/machine/qemu/accel-kvm", test_qemu_accel_kvm);
	return g_test_run();
}
