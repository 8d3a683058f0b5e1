/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mailbox.c - answers what the monitor asks of the helper
 */
#include "domain/hypercall-page.h"
#include "domain/private.h"
#include <string.h>
#include <time.h>
#include <xen/errno.h>

/* A request, copied once out of memory that the guest can write. */
struct request {
	uint32_t call;
	struct hypercall hypercall;
};

static struct request copy_request(const struct mailbox *box, unsigned int vcpu)
{
	struct request req = {
		.call = box->call,
		.hypercall = {
			.vcpu = vcpu,
			.nr = box->nr,
			.space = { .root_mfn = box->root_mfn, .paging = box->paging },
		},
	};

	memcpy(req.hypercall.arg, box->arg, sizeof(req.hypercall.arg));
	/* Nor may the compiler read again there what is used here later. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return req;
}

static unsigned int words_of(uint32_t paging)
{
	static const uint8_t words[] = {
		[PAGING_PV64] = WORDS_64,
		[PAGING_PV32PAE] = WORDS_32P,
		[PAGING_PV32] = WORDS_32,
	};

	return paging < G_N_ELEMENTS(words) ? words[paging] : 0;
}

static int64_t serve_hypercall(struct domain *dom, const struct hypercall *call)
{
	const struct hypercall_row *row = abi_row(dom->abi, call->nr, call->arg[0]);

	if (!row || !(row->words & words_of(call->space.paging)))
		return -XEN_ENOSYS;
	if (row->place == PLACE_ERROR)
		return -row->error;
	if (row->place != PLACE_HELPER)
		return -XEN_ENOSYS;
	return row->handler(dom, call);
}

static int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int64_t set_xcr0(struct domain *dom, unsigned int vcpu, uint64_t xcr0)
{
	if (!dom->ops->set_xcr0 || !dom->ops->set_xcr0(dom->machine, vcpu, xcr0))
		return -XEN_EINVAL;
	return 0;
}

static int64_t fill_hypercall_page(struct domain *dom, uint64_t mfn)
{
	uint8_t *page = memory_page(dom->build->mem, mfn);

	if (!page)
		return -XEN_EINVAL;
	hypercall_page_fill(page, dom->build->width);
	return 0;
}

static const char *crash_text(uint64_t reason)
{
	switch (reason) {
	case CRASH_NO_HANDLER:
		return "an exception for which the guest has no handler";
	case CRASH_BAD_STACK:
		return "an exception frame can't be written to the guest's kernel stack";
	case CRASH_BAD_IRET:
		return "HYPERVISOR_iret with a frame that can't be read or loaded";
	case CRASH_BAD_CONTEXT:
		return "the state to start from can't be loaded";
	case CRASH_BAD_CALLBACK:
		return "no event or failsafe callback where one is due";
	default:
		return "unknown reason";
	}
}

static void guest_crash(struct domain *dom, const struct hypercall *call)
{
	char *reason = g_strdup_printf("%s (vector %" G_GUINT64_FORMAT
				       ", error code %#" G_GINT64_MODIFIER
				       "x, cr2 %#" G_GINT64_MODIFIER "x)",
				       crash_text(call->arg[0]), call->arg[1], call->arg[2],
				       call->arg[3]);

	crash_report_guest(dom, call->vcpu, reason);
	domain_fail(dom, DOMAIN_CRASH, "the guest crashed: %s", reason);
	g_free(reason);
}

static void monitor_fault(struct domain *dom, const struct hypercall *call)
{
	crash_report_monitor(dom, call->vcpu);
	domain_fail(dom, DOMAIN_FAILED,
		    "the monitor failed (see above): this is a bug of xenemu");
}

static int64_t answer(struct domain *dom, const struct request *req)
{
	const struct hypercall *call = &req->hypercall;

	switch (req->call) {
	case MAILBOX_START:
		return wall_clock();
	case MAILBOX_HYPERCALL:
		return serve_hypercall(dom, call);
	case MAILBOX_TRACE:
		return 0; /* drained by the caller */
	case MAILBOX_YIELD:
		events_serve(dom->events);
		return 0;
	case MAILBOX_GUEST_CRASH:
		guest_crash(dom, call);
		return 0;
	case MAILBOX_MONITOR_FAULT:
		monitor_fault(dom, call);
		return 0;
	case MAILBOX_SET_XCR0:
		return set_xcr0(dom, call->vcpu, call->arg[0]);
	case MAILBOX_HYPERCALL_PAGE:
		return fill_hypercall_page(dom, call->arg[0]);
	case MAILBOX_POWEROFF:
		domain_end(dom, DOMAIN_POWEROFF);
		return 0;
	default:
		domain_fail(dom, DOMAIN_FAILED, "the monitor made an unknown call, %u",
			    req->call);
		return -XEN_ENOSYS;
	}
}

void mailbox_serve(struct domain *dom, unsigned int vcpu)
{
	struct mailbox *box = &dom->build->vcpus[vcpu].mailbox;
	struct request req;
	int64_t result;

	if (dom->end != DOMAIN_RUNNING)
		return;
	if (__atomic_load_n(&box->state, __ATOMIC_ACQUIRE) != MAILBOX_POSTED)
		return;
	req = copy_request(box, vcpu);
	trace_drain(dom->trace, req.call == MAILBOX_TRACE);
	result = answer(dom, &req);
	/* A domain that has ended gets no answer: its vCPU never runs again. */
	if (dom->end != DOMAIN_RUNNING)
		return;
	box->result = result;
	__atomic_store_n(&box->state, MAILBOX_DONE, __ATOMIC_RELEASE);
	dom->ops->call_done(dom->machine, vcpu);
}
