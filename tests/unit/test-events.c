/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/domain.h"
#include "domain/events.h"
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/event_channel.h>

#define NR_VCPUS 2

#define SHARED_INFO 1

static struct event_area area;
static struct memory *mem;
static struct upcalls *upcalls;
static unsigned int kicks[NR_VCPUS];
static unsigned int served[MAX_PORTS];

static void on_kick(G_GNUC_UNUSED void *opaque, unsigned int vcpu)
{
	g_assert_cmpint(vcpu, <, NR_VCPUS);
	kicks[vcpu]++;
}

static void on_served(void *opaque)
{
	(*(unsigned int *)opaque)++;
}

static struct events *setup_ports(unsigned int nr_ports)
{
	struct upcalls_config config = {
		.area = &area,
		.mem = mem,
		.shared_info_mfn = SHARED_INFO,
		.is_32bit = nr_ports == PORTS_32,
		.kick = on_kick,
	};

	memset(&area, 0, sizeof(area));
	memset(memory_page(mem, SHARED_INFO), 0, PAGE_SIZE);
	memset(kicks, 0, sizeof(kicks));
	memset(served, 0, sizeof(served));
	upcalls = upcalls_new(&config);
	return events_new(&(struct events_config){
		.area = &area,
		.upcalls = upcalls,
		.nr_ports = nr_ports,
		.nr_vcpus = NR_VCPUS,
	});
}

static void end(struct events *ev)
{
	events_free(ev);
	upcalls_free(upcalls);
}

static struct events *setup(void)
{
	return setup_ports(MAX_PORTS);
}

static struct shared_info *shared_info(void)
{
	return memory_page(mem, SHARED_INFO);
}

/* Is it pending, and is this vCPU told? */
static gboolean is_pending(unsigned int vcpu, unsigned int port)
{
	const struct shared_info *shared = shared_info();

	return shared->evtchn_pending[port / 64] >> port % 64 & 1 &&
	       shared->vcpu_info[vcpu].evtchn_upcall_pending;
}

/* What the monitor does for EVTCHNOP_send. */
static void guest_sends(unsigned int port)
{
	area.out_pending[port / 64] |= 1ULL << port % 64;
}

static void test_backend(void)
{
	struct events *ev = setup();

	g_assert_cmpint(area.ports[0].kind, ==, PORT_RESERVED);
	g_assert_cmpint(events_bind_backend(ev, 2, on_served, &served[2]), ==, 0);
	g_assert_cmpint(area.ports[2].kind, ==, PORT_BACKEND);
	g_assert_cmpint(events_bind_backend(ev, 2, on_served, &served[2]), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_backend(ev, 0, on_served, NULL), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_backend(ev, MAX_PORTS, on_served, NULL), ==, -XEN_EINVAL);

	guest_sends(2);
	guest_sends(3); /* nobody's */
	guest_sends(MAX_PORTS - 1);
	events_serve(ev);
	g_assert_cmpint(served[2], ==, 1);
	g_assert_cmphex(area.out_pending[0], ==, 0);
	events_serve(ev);
	g_assert_cmpint(served[2], ==, 1);

	events_raise(ev, 2);
	g_assert_true(is_pending(0, 2));
	g_assert_cmpint(kicks[0], ==, 1);
	events_raise(ev, 3);
	g_assert_cmpint(kicks[0], ==, 1);
	end(ev);
}

/* The monitor's copy is never read back: a guest that scribbles over it gains nothing. */
static void test_own_table(void)
{
	struct events *ev = setup();

	g_assert_cmpint(events_bind_backend(ev, 1, on_served, &served[1]), ==, 0);
	memset(area.ports, 0xff, sizeof(area.ports));
	events_raise(ev, 1);
	g_assert_true(is_pending(0, 1));
	guest_sends(2);
	guest_sends(1);
	events_serve(ev);
	g_assert_cmpint(served[1], ==, 1);
	g_assert_cmpint(events_bind_ipi(ev, 0), ==, 2);
	end(ev);
}

static void test_close_forgets(void)
{
	struct events *ev = setup();
	int port = events_alloc_unbound(ev, 0);

	g_assert_cmpint(port, ==, 1);
	g_assert_cmpint(events_bind_backend(ev, port, on_served, &served[1]), ==, 0);
	events_raise(ev, port);
	guest_sends(port);
	g_assert_cmpint(events_close(ev, port), ==, 0);
	g_assert_cmphex(shared_info()->evtchn_pending[0], ==, 0);
	events_serve(ev);
	g_assert_cmpint(served[1], ==, 0);
	events_raise(ev, port);
	g_assert_cmphex(shared_info()->evtchn_pending[0], ==, 0);
	g_assert_cmpint(area.ports[port].kind, ==, PORT_FREE);
	g_assert_cmpint(events_close(ev, port), ==, -XEN_EINVAL);
	g_assert_cmpint(events_close(ev, 0), ==, -XEN_EINVAL);
	g_assert_cmpint(events_close(ev, UINT32_MAX), ==, -XEN_EINVAL);
	end(ev);
}

static void test_virq(void)
{
	struct events *ev = setup();
	int timer = events_bind_virq(ev, VIRQ_TIMER, 1);
	int console = events_bind_virq(ev, VIRQ_CONSOLE, 0);

	g_assert_cmpint(timer, >, 0);
	g_assert_cmpint(area.ports[timer].kind, ==, PORT_VIRQ);
	g_assert_cmpint(area.ports[timer].vcpu, ==, 1);
	g_assert_cmpint(area.ports[timer].data, ==, VIRQ_TIMER);
	g_assert_cmpint(events_bind_virq(ev, VIRQ_TIMER, 1), ==, -XEN_EEXIST);
	g_assert_cmpint(events_bind_virq(ev, VIRQ_TIMER, NR_VCPUS), ==, -XEN_ENOENT);
	g_assert_cmpint(events_bind_virq(ev, NR_VIRQS, 0), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_virq(ev, VIRQ_CON_RING, 1), ==, -XEN_EINVAL);
	/* Only a global one can move, and is booked on vCPU 0 for ever. */
	g_assert_cmpint(events_bind_vcpu(ev, timer, 0), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_vcpu(ev, console, 1), ==, 0);
	g_assert_cmpint(area.ports[console].vcpu, ==, 1);
	g_assert_cmpint(events_bind_virq(ev, VIRQ_CONSOLE, 0), ==, -XEN_EEXIST);
	g_assert_cmpint(events_close(ev, console), ==, 0);
	g_assert_cmpint(events_bind_virq(ev, VIRQ_CONSOLE, 0), ==, console);
	g_assert_cmpint(events_close(ev, timer), ==, 0);
	g_assert_cmpint(events_bind_virq(ev, VIRQ_TIMER, 1), ==, timer);
	end(ev);
}

static void test_bind_vcpu(void)
{
	struct events *ev = setup();
	int ipi = events_bind_ipi(ev, 1);

	g_assert_cmpint(area.ports[ipi].kind, ==, PORT_IPI);
	g_assert_cmpint(area.ports[ipi].vcpu, ==, 1);
	g_assert_cmpint(events_bind_ipi(ev, NR_VCPUS), ==, -XEN_ENOENT);
	g_assert_cmpint(events_bind_vcpu(ev, ipi, 0), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_vcpu(ev, 0, 0), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_vcpu(ev, 99, 0), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_backend(ev, 9, on_served, &served[9]), ==, 0);
	g_assert_cmpint(events_bind_vcpu(ev, 9, NR_VCPUS), ==, -XEN_ENOENT);
	g_assert_cmpint(events_bind_vcpu(ev, 9, 1), ==, 0);
	events_raise(ev, 9);
	g_assert_true(is_pending(1, 9));
	g_assert_cmpint(kicks[1], ==, 1);
	end(ev);
}

static void test_local_pair(void)
{
	struct events *ev = setup();
	int theirs = events_alloc_unbound(ev, DOMID_GUEST);
	int for_dom0 = events_alloc_unbound(ev, 0);
	int ours = events_bind_interdomain(ev, theirs);

	g_assert_cmpint(area.ports[ours].kind, ==, PORT_LOCAL);
	g_assert_cmpint(area.ports[ours].data, ==, theirs);
	g_assert_cmpint(area.ports[theirs].kind, ==, PORT_LOCAL);
	g_assert_cmpint(area.ports[theirs].data, ==, ours);
	g_assert_true(is_pending(0, ours));
	g_assert_cmpint(events_bind_interdomain(ev, theirs), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_interdomain(ev, for_dom0), ==, -XEN_EINVAL);
	g_assert_cmpint(events_bind_interdomain(ev, UINT32_MAX), ==, -XEN_EINVAL);
	g_assert_cmpint(events_close(ev, ours), ==, 0);
	g_assert_cmpint(area.ports[theirs].kind, ==, PORT_UNBOUND);
	g_assert_cmpint(events_bind_interdomain(ev, theirs), >, 0);
	end(ev);
}

static void test_status(void)
{
	struct events *ev = setup();
	struct evtchn_status status = { .port = MAX_PORTS };

	g_assert_cmpint(events_status(ev, &status), ==, -XEN_EINVAL);
	status.port = events_alloc_unbound(ev, 0);
	g_assert_cmpint(events_status(ev, &status), ==, 0);
	g_assert_cmpint(status.status, ==, EVTCHNSTAT_unbound);
	g_assert_cmpint(status.u.unbound.dom, ==, 0);
	events_bind_backend(ev, status.port, on_served, NULL);
	g_assert_cmpint(events_status(ev, &status), ==, 0);
	g_assert_cmpint(status.status, ==, EVTCHNSTAT_interdomain);
	g_assert_cmpint(status.u.interdomain.dom, ==, 0);
	status.port = events_bind_virq(ev, VIRQ_TIMER, 1);
	g_assert_cmpint(events_status(ev, &status), ==, 0);
	g_assert_cmpint(status.status, ==, EVTCHNSTAT_virq);
	g_assert_cmpint(status.vcpu, ==, 1);
	status.port = 0;
	g_assert_cmpint(events_status(ev, &status), ==, 0);
	g_assert_cmpint(status.status, ==, EVTCHNSTAT_closed);
	end(ev);
}

static void exhaust(unsigned int nr_ports)
{
	struct events *ev = setup_ports(nr_ports);
	unsigned int nr = 0;

	while (events_bind_ipi(ev, 0) > 0)
		nr++;
	g_assert_cmpint(nr, ==, nr_ports - 1);
	g_assert_cmpint(events_alloc_unbound(ev, 0), ==, -XEN_ENOSPC);
	events_reset(ev);
	g_assert_cmpint(events_alloc_unbound(ev, 0), ==, 1);
	end(ev);
}

static void test_exhaustion(void)
{
	exhaust(MAX_PORTS);
	exhaust(PORTS_32);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	mem = memory_new(1 << 20, NULL);
	g_test_add_func("/events/backend", test_backend);
	g_test_add_func("/events/own-table", test_own_table);
	g_test_add_func("/events/close-forgets", test_close_forgets);
	g_test_add_func("/events/virq", test_virq);
	g_test_add_func("/events/bind-vcpu", test_bind_vcpu);
	g_test_add_func("/events/local-pair", test_local_pair);
	g_test_add_func("/events/status", test_status);
	g_test_add_func("/events/exhaustion", test_exhaustion);
	status = g_test_run();
	memory_free(mem);
	return status;
}
