/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole domain on a machine that does nothing: what is posted in a mailbox is
 * answered, ends are reported once, reports and traces say what happened.
 */
#include "fake-domain.h"

#include "xenstore/store.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <xen/sched.h>

/* --- the machine --- */

static struct {
	struct machine machine;
	struct machine_config config;
	unsigned int done[MAX_VCPUS];
	unsigned int destroyed;
	uint64_t xcr0;
} fake_machine;

static struct machine *create(const struct machine_config *config, GError **error)
{
	(void)error;
	memset(&fake_machine, 0, sizeof(fake_machine));
	fake_machine.config = *config;
	fake_machine.machine.traits.transport = TRANSPORT_PIO;
	return &fake_machine.machine;
}

static void kick(struct machine *m, unsigned int vcpu)
{
	(void)m;
	(void)vcpu;
}

static void call_done(struct machine *m, unsigned int vcpu)
{
	(void)m;
	fake_machine.done[vcpu]++;
}

static gboolean set_xcr0(struct machine *m, unsigned int vcpu, uint64_t xcr0)
{
	(void)m;
	(void)vcpu;
	fake_machine.xcr0 = xcr0;
	return xcr0 & 1;
}

static void destroy(struct machine *m)
{
	(void)m;
	fake_machine.destroyed++;
}

static const struct machine_ops ops = {
	.name = "fake",
	.create = create,
	.kick = kick,
	.call_done = call_done,
	.set_xcr0 = set_xcr0,
	.destroy = destroy,
};

/* --- the domain --- */

#define VCPU_AREAS 32 /* frame of vcpu_area[2] */

static struct module module = { .path = (char *)"fake.mod",
				.info = { .abi = "xen-4", .paging_modes = 1 } };
static int ended; /* -1: not yet */
static unsigned int nr_ended;

static void on_ended(void *opaque, enum domain_end end)
{
	(void)opaque;
	ended = end;
	nr_ended++;
}

/* Frames 16 to 63 are the areas', the guest's follow at FAKE_FIRST. */
static struct build *make_build(void)
{
	struct build *build = g_new0(struct build, 1);

	build->mem = memory_new(FAKE_BYTES, NULL);
	build->boot = memory_page(build->mem, 17);
	build->boot->nr_vcpus = 2;
	build->vcpus = memory_page(build->mem, VCPU_AREAS);
	build->events = memory_page(build->mem, 48);
	build->frame_table = memory_page(build->mem, 64);
	build->m2p = memory_page(build->mem, 128);
	build->nr_pages = FAKE_PAGES;
	build->first_mfn = FAKE_FIRST;
	build->shared_info_mfn = FAKE_SHARED_INFO;
	build->store_mfn = FAKE_STORE;
	build->console_mfn = FAKE_CONSOLE;
	build->free_frames = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	return build;
}

static struct domain *start(uint32_t trace, FILE *trace_file)
{
	struct domain_config config = {
		.name = "fake",
		.build = make_build(),
		.module = &module,
		.machine_ops = &ops,
		.maxmem = FAKE_PAGES,
		.trace = trace,
		.trace_file = trace_file,
		.console = console_io_new(-1, -1, NULL, NULL),
		.ended = on_ended,
	};
	GError *error = NULL;
	struct domain *dom;

	ended = -1;
	nr_ended = 0;
	module.elf = g_bytes_new_static("", 0);
	dom = domain_new(&config, &error);
	g_assert_no_error(error);
	return dom;
}

static void stop(struct domain *dom)
{
	domain_free(dom);
	g_assert_cmpint(fake_machine.destroyed, ==, 1);
	g_bytes_unref(module.elf);
}

static void run_main_loop(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static struct mailbox *mailbox(struct domain *dom, unsigned int vcpu)
{
	return &dom->build->vcpus[vcpu].mailbox;
}

static void ring(int vcpu)
{
	fake_machine.config.events->call(fake_machine.config.opaque, vcpu);
}

/* Post a call on vCPU 0 and ring.  Return: its result, which must have come. */
static int64_t call(struct domain *dom, uint32_t what, uint64_t a)
{
	struct mailbox *box = mailbox(dom, 0);

	box->call = what;
	box->arg[0] = a;
	box->state = MAILBOX_POSTED;
	ring(0);
	g_assert_cmpint(box->state, ==, MAILBOX_DONE);
	return box->result;
}

static int64_t hypercall(struct domain *dom, uint32_t nr, uint64_t a)
{
	mailbox(dom, 0)->nr = nr;
	return call(dom, MAILBOX_HYPERCALL, a);
}

/* --- tests --- */

static void test_mailbox(void)
{
	struct domain *dom = start(0, NULL);
	int64_t now = (int64_t)time(NULL);

	ring(0);
	g_assert_cmpint(fake_machine.done[0], ==, 0);
	g_assert_cmpint(call(dom, MAILBOX_START, 0) / 1000000000, >=, now);
	g_assert_cmpint(fake_machine.done[0], ==, 1);
	g_assert_cmpint(call(dom, MAILBOX_TRACE, 0), ==, 0);
	g_assert_cmpint(call(dom, MAILBOX_YIELD, 0), ==, 0);
	g_assert_cmpint(call(dom, MAILBOX_SET_XCR0, 7), ==, 0);
	g_assert_cmpint(fake_machine.xcr0, ==, 7);
	g_assert_cmpint(call(dom, MAILBOX_SET_XCR0, 2), ==, -XEN_EINVAL);

	/* A doorbell that does not say whose it is. */
	mailbox(dom, 1)->call = MAILBOX_START;
	mailbox(dom, 1)->state = MAILBOX_POSTED;
	ring(-1);
	g_assert_cmpint(fake_machine.done[1], ==, 1);
	ring(99);
	stop(dom);
}

static void test_dispatch(void)
{
	struct domain *dom = start(0, NULL);

	g_assert_cmpint(hypercall(dom, 63, 0), ==, -XEN_ENOSYS);
	g_assert_cmpint(hypercall(dom, UINT32_MAX, 0), ==, -XEN_ENOSYS);
	g_assert_cmpint(hypercall(dom, __HYPERVISOR_platform_op, 0), ==, -XEN_EPERM);
	g_assert_cmpint(hypercall(dom, __HYPERVISOR_mmu_update, 0), ==, -XEN_ENOSYS);
	g_assert_cmpint(hypercall(dom, __HYPERVISOR_memory_op, 77), ==, -XEN_ENOSYS);
	g_assert_cmpint(hypercall(dom, __HYPERVISOR_memory_op, 2), ==,
			(int64_t)dom->build->mem->end_mfn);
	mailbox(dom, 0)->paging = 99;
	g_assert_cmpint(hypercall(dom, __HYPERVISOR_memory_op, 2), ==, -XEN_ENOSYS);
	stop(dom);
}

static void expect_end(struct domain *dom, int end)
{
	g_assert_cmpint(ended, ==, -1); /* told from the main loop, not from inside */
	run_main_loop();
	g_assert_cmpint(ended, ==, end);
	g_assert_cmpint(fake_machine.destroyed, ==, 1);
	domain_end(dom, DOMAIN_TIMEOUT);
	domain_fail(dom, DOMAIN_CRASH, "not printed");
	run_main_loop();
	g_assert_cmpint(ended, ==, end);
	g_assert_cmpint(nr_ended, ==, 1);
	/* Nothing is served any more. */
	mailbox(dom, 0)->state = MAILBOX_POSTED;
	ring(0);
	g_assert_cmpint(mailbox(dom, 0)->state, ==, MAILBOX_POSTED);
	stop(dom);
}

static void test_end(void)
{
	struct domain *dom = start(0, NULL);

	domain_end(dom, DOMAIN_REBOOT);
	domain_end(dom, DOMAIN_POWEROFF);
	expect_end(dom, DOMAIN_REBOOT);
}

/* Freed before the main loop could complete the end: nobody is told. */
static void test_end_early(void)
{
	struct domain *dom = start(0, NULL);

	domain_end(dom, DOMAIN_POWEROFF);
	stop(dom);
	run_main_loop();
	g_assert_cmpint(nr_ended, ==, 0);
}

static void post(struct domain *dom, uint32_t what)
{
	mailbox(dom, 0)->call = what;
	mailbox(dom, 0)->state = MAILBOX_POSTED;
	ring(0);
	g_assert_cmpint(mailbox(dom, 0)->state, ==, MAILBOX_POSTED);
}

static void unknown_call(void)
{
	struct domain *dom = start(0, NULL);

	post(dom, 1000);
	expect_end(dom, DOMAIN_FAILED);
}

/* What a backend quotes of the guest */
static void escapes(void)
{
	struct domain *dom = start(0, NULL);

	domain_message(dom, "vif 0: %s", "the guest\nxenemu: other: says \033[2Jso");
	stop(dom);
}

static void dead_machine(void)
{
	struct domain *dom = start(0, NULL);
	GError *error =
		g_error_new(MACHINE_ERROR, MACHINE_ERROR_FAILED, "it fell over\nand said so\n");

	fake_machine.config.events->died(fake_machine.config.opaque, error);
	g_error_free(error);
	expect_end(dom, DOMAIN_FAILED);
}

/* Everything in the areas is what a hostile monitor may have left there. */
static void guest_crash(void)
{
	struct domain *dom = start(0, NULL);
	struct vcpu_area *area = &dom->build->vcpus[0];

	memset(area->context, 0xff, sizeof(area->context));
	memset(area->trace, 0xff, sizeof(area->trace));
	area->trace_head = UINT64_MAX;
	area->mailbox.arg[0] = CRASH_BAD_STACK;
	area->mailbox.arg[1] = 14;
	post(dom, MAILBOX_GUEST_CRASH);
	expect_end(dom, DOMAIN_CRASH);
}

static void monitor_fault(void)
{
	struct domain *dom = start(0, NULL);
	struct mailbox *box = mailbox(dom, 0);

	memset(box->text, 'x', sizeof(box->text));
	memcpy(box->text, "it\nis \033[1mbroken", 16);
	memset(box->stack, 0xff, sizeof(box->stack));
	post(dom, MAILBOX_MONITOR_FAULT);
	expect_end(dom, DOMAIN_FAILED);
}

/* Run one of the above in a process of its own and look at its stderr. */
static void test_message(const void *data)
{
	const char *pattern = data;
	g_autofree char *sub = g_strdup_printf("%s/subprocess", g_test_get_path());

	g_test_trap_subprocess(sub, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr(pattern);
	g_test_trap_assert_stderr_unmatched("*not printed*");
}

static void add_message_test(const char *path, void (*run)(void), const char *pattern)
{
	char *sub = g_strdup_printf("%s/subprocess", path);

	g_test_add_data_func(path, pattern, test_message);
	g_test_add_func(sub, run);
	g_free(sub);
}

/* --- watchdogs --- */

static void bark(void *opaque)
{
	g_main_loop_quit(opaque);
}

static void test_watchdogs(void)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	struct watchdogs dogs = { .expired = bark, .opaque = loop };

	g_assert_cmpint(watchdogs_set(&dogs, 1, 10), ==, -XEN_EINVAL);
	g_assert_cmpint(watchdogs_set(&dogs, 0, 100), ==, 1);
	g_assert_cmpint(watchdogs_set(&dogs, 0, 100), ==, 2);
	g_assert_cmpint(watchdogs_set(&dogs, 0, 100), ==, -XEN_ENOSPC);
	g_assert_cmpint(watchdogs_set(&dogs, 3, 100), ==, -XEN_EINVAL);
	g_assert_cmpint(watchdogs_set(&dogs, 1, 0), ==, 0);
	g_assert_cmpint(watchdogs_set(&dogs, 1, 5), ==, -XEN_EINVAL);
	/* Only one that is set anew runs out. */
	g_assert_cmpint(watchdogs_set(&dogs, 2, 1), ==, 0);
	g_main_loop_run(loop);
	watchdogs_stop(&dogs);
	g_assert_false(g_main_context_iteration(NULL, FALSE));
	g_main_loop_unref(loop);
}

/* As `xenstore-ls -f -p` shows it; the UUID is UUID. */
static void dump(const struct domain *dom, const char *path, GString *text)
{
	struct view view = { .xs = dom->store, .client = &dom->store->self };
	g_autofree char *value = xenstore_read(dom->store, path);
	g_auto(GStrv) children = xenstore_list(dom->store, path);
	g_autoptr(GByteArray) strings = g_byte_array_new();
	const GArray *perms;

	g_assert_cmpint(view_get_perms(&view, path, &perms), ==, 0);
	perms_format(perms, strings);
	for (unsigned int i = 0; i + 1 < strings->len; i++)
		strings->data[i] = strings->data[i] ? strings->data[i] : ',';
	g_string_append_printf(text, "%s = \"%s\" (%s)\n", path, value, strings->data);
	for (unsigned int i = 0; children[i]; i++) {
		g_autofree char *child = g_build_path("/", path, children[i], NULL);

		dump(dom, child, text);
	}
	g_string_replace(text, dom->uuid, "UUID", 0);
}

/* What Xen 4.17's libxl leaves, as it was read from a running domU. */
static void test_store_tree(void)
{
	static const char want[] =
		"/local/domain/1 = \"\" (n0,r1)\n"
		"/local/domain/1/vm = \"/vm/UUID\" (n0,r1)\n"
		"/local/domain/1/name = \"fake\" (n0,r1)\n"
		"/local/domain/1/domid = \"1\" (n0,r1)\n"
		"/local/domain/1/cpu = \"\" (n0,r1)\n"
		"/local/domain/1/cpu/0 = \"\" (n0,r1)\n"
		"/local/domain/1/cpu/0/availability = \"online\" (n0,r1)\n"
		"/local/domain/1/cpu/1 = \"\" (n0,r1)\n"
		"/local/domain/1/cpu/1/availability = \"online\" (n0,r1)\n"
		"/local/domain/1/memory = \"\" (n0,r1)\n"
		"/local/domain/1/memory/static-max = \"2048\" (n0,r1)\n"
		"/local/domain/1/memory/target = \"2048\" (n0,r1)\n"
		"/local/domain/1/memory/videoram = \"0\" (n0,r1)\n"
		"/local/domain/1/control = \"\" (n0,r1)\n"
		"/local/domain/1/control/shutdown = \"\" (n1)\n"
		"/local/domain/1/control/feature-poweroff = \"\" (n1)\n"
		"/local/domain/1/control/feature-reboot = \"\" (n1)\n"
		"/local/domain/1/control/feature-suspend = \"\" (n1)\n"
		"/local/domain/1/control/sysrq = \"\" (n1)\n"
		"/local/domain/1/control/platform-feature-multiprocessor-suspend = \"1\" "
		"(n0,r1)\n"
		"/local/domain/1/control/platform-feature-xs_reset_watches = \"1\" (n0,r1)\n"
		"/local/domain/1/data = \"\" (n1)\n"
		"/local/domain/1/drivers = \"\" (n1)\n"
		"/local/domain/1/feature = \"\" (n1)\n"
		"/local/domain/1/attr = \"\" (n1)\n"
		"/local/domain/1/error = \"\" (n1)\n"
		"/local/domain/1/device = \"\" (n0,r1)\n"
		"/local/domain/1/device/suspend = \"\" (n0,r1)\n"
		"/local/domain/1/device/suspend/event-channel = \"\" (n1)\n"
		"/local/domain/1/store = \"\" (n0,r1)\n"
		"/local/domain/1/store/port = \"1\" (n0,r1)\n"
		"/local/domain/1/store/ring-ref = \"1032\" (n0,r1)\n"
		"/local/domain/1/console = \"\" (n0,r1)\n"
		"/local/domain/1/console/backend = \"/local/domain/0/backend/console/1/0\" "
		"(n0,r1)\n"
		"/local/domain/1/console/backend-id = \"0\" (n1,r0)\n"
		"/local/domain/1/console/limit = \"1048576\" (n0,r1)\n"
		"/local/domain/1/console/type = \"xenconsoled\" (n0,r1)\n"
		"/local/domain/1/console/output = \"pty\" (n0,r1)\n"
		"/local/domain/1/console/tty = \"\" (n0,r1)\n"
		"/local/domain/1/console/port = \"2\" (n0,r1)\n"
		"/local/domain/1/console/ring-ref = \"1033\" (n0,r1)\n";
	g_autoptr(GString) text = g_string_new(NULL);
	struct domain *dom = start(0, NULL);

	dump(dom, "/local/domain/1", text);
	g_assert_cmpstr(text->str, ==, want);
	g_string_truncate(text, 0);
	dump(dom, "/vm", text);
	g_assert_true(g_str_has_prefix(text->str, "/vm = \"\" (n0)\n"
						  "/vm/UUID = \"\" (n0,r1)\n"
						  "/vm/UUID/name = \"fake\" (n0,r1)\n"
						  "/vm/UUID/uuid = \"UUID\" (n0,r1)\n"
						  "/vm/UUID/start_time = \""));
	stop(dom);
}

/* What XendDomainInfo.py of Xen 3.0.3 and 3.1.0 leaves: the guest owns its home. */
static void expect_xend(const char *abi, const char *control)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *want = NULL;
	struct domain *dom;

	g_strlcpy(module.info.abi, abi, sizeof(module.info.abi));
	dom = start(0, NULL);
	dump(dom, "/local/domain/1", text);
	want = g_strdup_printf("/local/domain/1 = \"\" (n1)\n"
			       "/local/domain/1/vm = \"/vm/UUID\" (n1)\n"
			       "/local/domain/1/domid = \"1\" (n1)\n"
			       "/local/domain/1/name = \"fake\" (n1)\n"
			       "/local/domain/1/console = \"\" (n1)\n"
			       "/local/domain/1/console/limit = \"1048576\" (n1)\n"
			       "/local/domain/1/console/port = \"2\" (n1)\n"
			       "/local/domain/1/console/ring-ref = \"1033\" (n1)\n"
			       "/local/domain/1/memory = \"\" (n1)\n"
			       "/local/domain/1/memory/target = \"2048\" (n1)\n"
			       "/local/domain/1/store = \"\" (n1)\n"
			       "/local/domain/1/store/port = \"1\" (n1)\n"
			       "/local/domain/1/store/ring-ref = \"1032\" (n1)\n"
			       "%s"
			       "/local/domain/1/cpu = \"\" (n1)\n"
			       "/local/domain/1/cpu/0 = \"\" (n1)\n"
			       "/local/domain/1/cpu/0/availability = \"online\" (n1)\n"
			       "/local/domain/1/cpu/1 = \"\" (n1)\n"
			       "/local/domain/1/cpu/1/availability = \"online\" (n1)\n",
			       control);
	g_assert_cmpstr(text->str, ==, want);

	g_string_truncate(text, 0);
	dump(dom, "/vm", text);
	g_assert_true(g_str_has_prefix(text->str, "/vm = \"\" (n0)\n"
						  "/vm/UUID = \"\" (n0)\n"
						  "/vm/UUID/uuid = \"UUID\" (r1)\n"
						  "/vm/UUID/name = \"fake\" (n0)\n"
						  "/vm/UUID/vcpus = \"2\" (n0)\n"
						  "/vm/UUID/vcpu_avail = \"3\" (n0)\n"
						  "/vm/UUID/memory = \"2\" (n0)\n"
						  "/vm/UUID/maxmem = \"2\" (n0)\n"));
	stop(dom);
	g_strlcpy(module.info.abi, "xen-4", sizeof(module.info.abi));
}

static void test_store_tree_xend(void)
{
	expect_xend("xen-3.0.3", "");
	expect_xend("xen-3.1",
		    "/local/domain/1/control = \"\" (n1)\n"
		    "/local/domain/1/control/platform-feature-multiprocessor-suspend = \"1\" "
		    "(n1)\n");
}

static void record(struct domain *dom, struct trace_entry entry)
{
	struct vcpu_area *area = &dom->build->vcpus[0];

	area->trace[area->trace_head++ % TRACE_ENTRIES] = entry;
}

static void test_trace(void)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	struct domain *dom = start(TRACE_HYPERCALLS, file);

	record(dom, (struct trace_entry){ .nr = __HYPERVISOR_memory_op,
					  .arg = { 9, 0x10 },
					  .result = -XEN_EFAULT,
					  .rip = 0x99 });
	record(dom, (struct trace_entry){ .nr = __HYPERVISOR_mmuext_op,
					  .flags = TRACE_MMUEXT,
					  .arg = { MMUEXT_NEW_BASEPTR, 0x42 },
					  .result = TRACE_NO_RESULT });
	record(dom, (struct trace_entry){ .nr = __HYPERVISOR_vm_assist,
					  .flags = TRACE_IN_MULTICALL,
					  .arg = { 1, 2 },
					  .result = TRACE_NO_RESULT });
	call(dom, MAILBOX_START, 0);
	fflush(file);
	g_assert_cmpstr(text, ==,
			"hypercall: v0 memory_op(memory_map) 0x10 = -EFAULT rip 0x99\n"
			"hypercall: v0   mmuext_op/new_baseptr 0x42\n");
	/* The newest waits for its result, unless the ring is about to be reused. */
	call(dom, MAILBOX_TRACE, 0);
	fflush(file);
	g_assert_nonnull(strstr(text, "  vm_assist 0x1 0x2 ... rip 0\n"));
	dom->build->vcpus[0].trace_head += 2 * TRACE_ENTRIES;
	call(dom, MAILBOX_TRACE, 0);
	fflush(file);
	g_assert_nonnull(strstr(text, "hypercall: v0 127 lost\n"));
	stop(dom);
	fclose(file);
	free(text);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/domain/mailbox", test_mailbox);
	g_test_add_func("/domain/dispatch", test_dispatch);
	g_test_add_func("/domain/end", test_end);
	g_test_add_func("/domain/end-early", test_end_early);
	add_message_test("/domain/unknown-call", unknown_call,
			 "xenemu: fake: the monitor made an unknown call, 1000\n");
	add_message_test("/domain/dead-machine", dead_machine,
			 "xenemu: fake: it fell over\nxenemu: fake: and said so\n");
	add_message_test("/domain/escapes", escapes,
			 "xenemu: fake: vif 0: the guest?xenemu: other: says ?[2Jso\n");
	add_message_test("/domain/guest-crash", guest_crash,
			 "Domain 1 (vcpu#0) crashed: *kernel stack (vector 14,*"
			 "rip: ffff:ffffffffffffffff*nothing mapped at*mmuext_op/4294967295*"
			 "xenemu: fake: the guest crashed:*\n");
	add_message_test("/domain/monitor-fault", monitor_fault,
			 "Monitor fault on vcpu#0: it\\nis \\033*brokenxxx*Monitor back-trace:*"
			 "xenemu: fake: the monitor failed*\n");
	g_test_add_func("/domain/watchdogs", test_watchdogs);
	g_test_add_func("/domain/store-tree", test_store_tree);
	g_test_add_func("/domain/store-tree-xend", test_store_tree_xend);
	g_test_add_func("/domain/trace", test_trace);
	return g_test_run();
}
