/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm.c - machine kvm: a VM by ioctls on /dev/kvm
 *
 * Local APICs are in the kernel, and there is no other device at all.  Each
 * vCPU has a thread; a mailbox call is handed over to the main thread, and the
 * vCPU's thread sleeps until it is done.
 */
#include "machine/kvm-cpuid.h"
#include "machine/kvm-device.h"
#include "machine/kvm-probe.h"
#include "machine/kvm-vcpu.h"
#include "machine/machine.h"
#include "machine/tsc.h"
#include "machine/watch.h"
#include "protocol.h"
#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define APIC_KHZ 1000000 /* KVM's APIC_BUS_CYCLE_NS is 1 */
#define MSI_ADDRESS 0xfee00000U /* SDM 3A 11.11: fixed delivery, physical id */
#define MSI_DESTINATION_SHIFT 12
#define IOAPIC_PINS 24 /* none is used, but a split irqchip wants some */
#define WAKE_SIGNAL SIGUSR1

/**
 * struct kvm_thread - a vCPU and its thread
 * @m:       the machine it belongs to
 * @vcpu:    KVM's side of it
 * @thread:  runs it, once started
 * @kick:    eventfd, irqfd of GSI n = MSI KICK_VECTOR to this vCPU
 * @in_call: rang the call doorbell and waits
 * @done:    posted when its call is done
 */
struct kvm_thread {
	struct kvm *m;
	struct kvm_vcpu vcpu;
	pthread_t thread;
	int kick;
	atomic_bool in_call;
	sem_t done;
};

/**
 * struct kvm - machine kvm
 * @base:       head
 * @mem:        the VM's memory
 * @events:     the owner's callbacks
 * @opaque:     their first argument
 * @fd:         /dev/kvm
 * @vm:         the VM
 * @event:      eventfd: the event doorbell
 * @handover:   eventfd, a semaphore: one for each bit of @calls and for @death
 * @watches:    on @event and @handover
 * @calls:      bit n: vCPU n has a call that the main thread has not seen
 * @death:      what a dying vCPU said, the first of them
 * @stopping:   vCPU threads are to return
 * @nr_threads: how many of @threads run
 * @nr_vcpus:   how many of @threads have a vCPU
 */
struct kvm {
	struct machine base;
	struct memory *mem;
	const struct machine_events *events;
	void *opaque;
	int fd;
	int vm;
	int event;
	int handover;
	struct watch *watches[2];
	_Atomic uint32_t calls;
	_Atomic(char *) death;
	atomic_bool stopping;
	unsigned int nr_threads;
	unsigned int nr_vcpus;
	struct kvm_thread threads[MAX_VCPUS];
};
_Static_assert(MAX_VCPUS <= 32, "one bit of kvm.calls each");

static struct kvm *to_kvm(struct machine *m)
{
	return (struct kvm *)m; /* base is the first member */
}

/* ------------------------------------------------------------------------
 * A vCPU's thread
 */
static void hand_over_call(struct kvm_thread *t)
{
	struct kvm *m = t->m;

	atomic_store(&t->in_call, true);
	atomic_fetch_or(&m->calls, 1U << (t - m->threads));
	eventfd_write(m->handover, 1);
	while (sem_wait(&t->done) < 0 && errno == EINTR)
		if (atomic_load(&m->stopping))
			return;
}

static void hand_over_death(struct kvm *m, char *why)
{
	char *none = NULL;

	if (atomic_compare_exchange_strong(&m->death, &none, why))
		eventfd_write(m->handover, 1);
	else
		g_free(why);
}

static void *vcpu_thread(void *opaque)
{
	struct kvm_thread *t = opaque;
	char *why = NULL;

	while (!atomic_load(&t->m->stopping)) {
		switch (kvm_vcpu_run(&t->vcpu, &why)) {
		case KVM_GO_ON:
			break;
		case KVM_CALL:
			hand_over_call(t);
			break;
		case KVM_EVENT:
			eventfd_write(t->m->event, 1);
			break;
		case KVM_DEAD:
			hand_over_death(t->m, why);
			return NULL;
		}
	}
	return NULL;
}

/* Does nothing but interrupt KVM_RUN and sem_wait(). */
static void on_wake_signal(int sig)
{
	(void)sig;
}

/* As QEMU names them, for those who look at threads or pin them. */
static void name_thread(const struct kvm_thread *t)
{
	char name[16];

	snprintf(name, sizeof(name), "CPU %u/KVM", (unsigned int)(t - t->m->threads));
	pthread_setname_np(t->thread, name);
}

/* Signals are the main thread's, but for the one that wakes a vCPU. */
static int create_thread(struct kvm_thread *t)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	sigdelset(&all, WAKE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&t->thread, NULL, vcpu_thread, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		name_thread(t);
	return err;
}

static void stop_threads(struct kvm *m)
{
	unsigned int i;

	atomic_store(&m->stopping, true);
	for (i = 0; i < m->nr_threads; i++) {
		/* Whoever is not in KVM_RUN yet will not stay in it. */
		m->threads[i].vcpu.run->immediate_exit = 1;
		pthread_kill(m->threads[i].thread, WAKE_SIGNAL);
		sem_post(&m->threads[i].done);
	}
	while (m->nr_threads > 0)
		pthread_join(m->threads[--m->nr_threads].thread, NULL);
}

/* ------------------------------------------------------------------------
 * Main thread
 */
static void stop_watching(struct kvm *m)
{
	g_clear_pointer(&m->watches[0], watch_free);
	g_clear_pointer(&m->watches[1], watch_free);
}

static gboolean tell_death(struct kvm *m, const char *why)
{
	g_autoptr(GError) error = g_error_new_literal(MACHINE_ERROR, MACHINE_ERROR_FAILED, why);

	stop_watching(m);
	m->events->died(m->opaque, error); /* may destroy m */
	return G_SOURCE_REMOVE;
}

/* One thing at a time: the owner may destroy the machine in a callback. */
static gboolean on_handover(int fd, GIOCondition condition, gpointer data)
{
	struct kvm *m = data;
	const char *death;
	eventfd_t count;
	uint32_t calls;
	int vcpu;

	(void)condition;
	if (eventfd_read(fd, &count) < 0)
		return G_SOURCE_CONTINUE;
	death = atomic_load(&m->death);
	if (death)
		return tell_death(m, death);
	calls = atomic_load(&m->calls);
	if (calls) {
		vcpu = __builtin_ctz(calls);
		atomic_fetch_and(&m->calls, ~(1U << vcpu));
		m->events->call(m->opaque, vcpu); /* may destroy m */
	}
	return G_SOURCE_CONTINUE;
}

static gboolean on_event_doorbell(int fd, GIOCondition condition, gpointer data)
{
	struct kvm *m = data;
	eventfd_t count;

	(void)condition;
	if (eventfd_read(fd, &count) == 0)
		m->events->event(m->opaque); /* may destroy m */
	return G_SOURCE_CONTINUE;
}

static void kick(struct machine *machine, unsigned int vcpu)
{
	struct kvm *m = to_kvm(machine);

	if (vcpu < m->nr_vcpus)
		eventfd_write(m->threads[vcpu].kick, 1);
}

static void call_done(struct machine *machine, unsigned int vcpu)
{
	struct kvm *m = to_kvm(machine);

	if (vcpu < m->nr_vcpus && atomic_exchange(&m->threads[vcpu].in_call, false))
		sem_post(&m->threads[vcpu].done);
}

/* Of a vCPU that runs KVM would make us wait until it stops. */
static gboolean set_xcr0(struct machine *machine, unsigned int vcpu, uint64_t xcr0)
{
	struct kvm *m = to_kvm(machine);

	return vcpu < m->nr_vcpus && atomic_load(&m->threads[vcpu].in_call) &&
	       kvm_vcpu_set_xcr0(&m->threads[vcpu].vcpu, xcr0);
}

/* ------------------------------------------------------------------------
 * Making the VM
 */
static gboolean fail(GError **error, const char *what)
{
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
		    "kvm: KVM refuses %s: %s; use --machine qemu", what, g_strerror(errno));
	return FALSE;
}

static gboolean check_capabilities(int kvm, unsigned int nr_vcpus, GError **error)
{
	static const struct {
		int cap;
		const char *name;
	} needed[] = {
		{ KVM_CAP_USER_MEMORY, "user memory" },
		{ KVM_CAP_SPLIT_IRQCHIP, "a split irqchip" },
		{ KVM_CAP_IRQ_ROUTING, "interrupt routes" },
		{ KVM_CAP_IRQFD, "irqfd" },
		{ KVM_CAP_IOEVENTFD, "ioeventfd" },
		{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
		{ KVM_CAP_XCRS, "XCR0" },
	};
	int most = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	guint i;

	for (i = 0; i < G_N_ELEMENTS(needed); i++) {
		if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].cap) > 0)
			continue;
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
			    "kvm: this host's KVM has no %s; use --machine qemu",
			    needed[i].name);
		return FALSE;
	}
	if (most > 0 && nr_vcpus > (unsigned int)most) {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
			    "kvm: this host's KVM has at most %d vCPUs; give the guest fewer",
			    most);
		return FALSE;
	}
	return TRUE;
}

/* What ring 0 can do inside a VM of this host, where that is not everything. */
static const struct kvm_abilities *check_abilities(gboolean wide, GError **error)
{
	const struct kvm_abilities *a = kvm_probe_abilities(error);

	if (!a || (a->long_mode && (a->ring1 || !wide)))
		return a;
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
		    a->long_mode
			    ? "kvm: this host's KVM can't run 32-bit code in ring 1, as a "
			      "32-bit guest needs; use --machine qemu"
			    : "kvm: this host's KVM can't run 64-bit code in rings 0 and 3; "
			      "use --machine qemu");
	return NULL;
}

static gboolean set_slot(struct kvm *m, uint32_t slot, uint64_t paddr, uint64_t offset,
			 uint64_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = paddr,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)m->mem->base + offset
	};

	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

static gboolean set_memory(struct kvm *m)
{
	uint64_t low = MIN(m->mem->bytes, HOLE_START);

	return set_slot(m, 0, 0, 0, low) &&
	       (m->mem->bytes == low || set_slot(m, 1, HOLE_END, low, m->mem->bytes - low));
}

static gboolean create_vm(struct kvm *m, GError **error)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { IOAPIC_PINS } };
	uint64_t identity_map = KVM_IDENTITY_MAP_PADDR;

	m->vm = TEMP_FAILURE_RETRY(ioctl(m->fd, KVM_CREATE_VM, 0));
	if (m->vm < 0)
		return fail(error, "a VM");
	if (ioctl(m->vm, KVM_SET_TSS_ADDR, KVM_TSS_PADDR) < 0 ||
	    ioctl(m->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
	    ioctl(m->vm, KVM_ENABLE_CAP, &split) < 0)
		return fail(error, "local APICs");
	return set_memory(m) || fail(error, "the guest's memory");
}

static gboolean create_vcpus(struct kvm *m, unsigned int nr, GError **error)
{
	g_autofree struct kvm_cpuid2 *cpuid = kvm_cpuid_new(m->fd, error);

	if (!cpuid)
		return FALSE;
	while (m->nr_vcpus < nr) {
		struct kvm_thread *t = &m->threads[m->nr_vcpus];

		if (!kvm_vcpu_open(&t->vcpu, m->fd, m->vm, m->nr_vcpus, cpuid, error))
			return FALSE;
		t->m = m;
		t->kick = -1;
		sem_init(&t->done, 0, 0);
		m->nr_vcpus++;
	}
	return TRUE;
}

static gboolean route_kicks(struct kvm *m)
{
	g_autofree struct kvm_irq_routing *routes =
		g_malloc0(sizeof(*routes) + m->nr_vcpus * sizeof(routes->entries[0]));
	unsigned int i;

	routes->nr = m->nr_vcpus;
	for (i = 0; i < m->nr_vcpus; i++) {
		struct kvm_irq_routing_entry *e = &routes->entries[i];

		e->gsi = i;
		e->type = KVM_IRQ_ROUTING_MSI;
		e->u.msi.address_lo = MSI_ADDRESS | i << MSI_DESTINATION_SHIFT;
		e->u.msi.data = KICK_VECTOR;
	}
	return ioctl(m->vm, KVM_SET_GSI_ROUTING, routes) == 0;
}

static gboolean add_kick(struct kvm *m, unsigned int vcpu)
{
	struct kvm_irqfd irqfd = { .gsi = vcpu };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	m->threads[vcpu].kick = fd;
	irqfd.fd = (uint32_t)fd;
	return fd >= 0 && ioctl(m->vm, KVM_IRQFD, &irqfd) == 0;
}

static gboolean add_doorbells(struct kvm *m, GError **error)
{
	struct kvm_ioeventfd ioeventfd = { .addr = DOORBELL_PORT_EVENT,
					   .len = 4,
					   .flags = KVM_IOEVENTFD_FLAG_PIO };
	unsigned int i;

	m->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->handover = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	ioeventfd.fd = m->event;
	if (m->event < 0 || m->handover < 0 || ioctl(m->vm, KVM_IOEVENTFD, &ioeventfd) < 0 ||
	    !route_kicks(m))
		return fail(error, "doorbells");
	for (i = 0; i < m->nr_vcpus; i++)
		if (!add_kick(m, i))
			return fail(error, "doorbells");
	m->watches[0] = watch_new(m->event, G_IO_IN, on_event_doorbell, m);
	m->watches[1] = watch_new(m->handover, G_IO_IN, on_handover, m);
	return TRUE;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void destroy(struct machine *machine)
{
	struct kvm *m = to_kvm(machine);

	stop_threads(m);
	stop_watching(m);
	while (m->nr_vcpus > 0) {
		struct kvm_thread *t = &m->threads[--m->nr_vcpus];

		close_fd(t->kick);
		kvm_vcpu_close(&t->vcpu);
		sem_destroy(&t->done);
	}
	close_fd(m->event);
	close_fd(m->handover);
	close_fd(m->vm);
	close_fd(m->fd);
	g_free(atomic_load(&m->death));
	g_free(m);
}

static struct machine *create(const struct machine_config *config, GError **error)
{
	const struct kvm_abilities *a = check_abilities(config->wide, error);
	struct kvm *m;

	if (!a)
		return NULL;
	m = g_new0(struct kvm, 1);
	m->base.ops = &machine_kvm;
	m->base.traits = (struct machine_traits){ .transport = TRANSPORT_PIO,
						  .flags = kvm_abilities_flags(a),
						  .apic_khz = APIC_KHZ };
	m->mem = config->mem;
	m->events = config->events;
	m->opaque = config->opaque;
	m->vm = m->event = m->handover = -1;
	m->fd = kvm_device_open(error);
	if (m->fd >= 0 && check_capabilities(m->fd, config->nr_vcpus, error) &&
	    create_vm(m, error) && create_vcpus(m, config->nr_vcpus, error) &&
	    add_doorbells(m, error)) {
		m->base.traits.tsc_khz = kvm_vcpu_tsc_khz(&m->threads[0].vcpu);
		if (m->base.traits.tsc_khz == 0)
			m->base.traits.tsc_khz = tsc_host_khz();
		return &m->base;
	}
	destroy(&m->base);
	return NULL;
}

static gboolean start(struct machine *machine, GError **error)
{
	struct sigaction wake = { .sa_handler = on_wake_signal };
	struct kvm *m = to_kvm(machine);
	uint32_t *entry = memory_ptr(m->mem, BOOT_INFO_PADDR + BOOT_INFO_ENTRY, sizeof(*entry));
	int err;

	if (!entry || !kvm_vcpu_set_entry(&m->threads[0].vcpu, *entry, error))
		return FALSE;
	sigaction(WAKE_SIGNAL, &wake, NULL);
	while (m->nr_threads < m->nr_vcpus) {
		err = create_thread(&m->threads[m->nr_threads]);
		if (err) {
			errno = err;
			return fail(error, "threads"); /* destroy() stops those there are */
		}
		m->nr_threads++;
	}
	return TRUE;
}

static gboolean probe(gboolean wide, char **detail, GError **error)
{
	const struct kvm_abilities *a = check_abilities(wide, error);
	int kvm = a ? kvm_device_open(error) : -1;
	gboolean ok = kvm >= 0 && check_capabilities(kvm, 1, error);

	close_fd(kvm);
	if (ok && detail)
		*detail = kvm_abilities_describe(a);
	return ok;
}

/*
 * Ring 0 interpreted by KVM is slower than QEMU's translation by two orders of
 * magnitude, which a guest's page-table work makes up for nowhere.
 */
static const char *drawback(void)
{
	const struct kvm_abilities *a = kvm_probe_abilities(NULL);

	if (!a || kvm_abilities_flags(a) == 0)
		return NULL;
	return "kvm: this host's KVM has no hardware virtualization and interprets the "
	       "monitor, "
	       "which is slower than QEMU; --machine kvm takes it all the same";
}

const struct machine_ops machine_kvm = {
	.name = "kvm",
	.probe = probe,
	.drawback = drawback,
	.create = create,
	.start = start,
	.kick = kick,
	.call_done = call_done,
	.set_xcr0 = set_xcr0,
	.destroy = destroy,
};
