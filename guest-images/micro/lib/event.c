/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.c - 2-level event channels
 */
#include "guest.h"

#define WORD_BITS (8 * sizeof(unsigned long))

volatile unsigned int event_count[EVENT_PORTS];
volatile unsigned int event_upcalls;
struct regs event_regs;
bool event_upcall_mask;

void events_init(void)
{
	long err = register_callback(CALLBACKTYPE_event, TRAP_EVENT, CALLBACKF_mask_events);

	if (err)
		bail_out("event callback can't be registered: %ld", err);
}

void events_enable(void)
{
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	barrier();
	if (READ_ONCE(vcpu_info->evtchn_upcall_pending))
		xen_version(XENVER_version, NULL);
}

void events_disable(void)
{
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 1);
	barrier();
}

static unsigned long exchange(unsigned long *word, unsigned long value)
{
	return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static void dispatch_word(unsigned int word)
{
	unsigned long pending = READ_ONCE(shared_info->evtchn_pending[word]) &
				~READ_ONCE(shared_info->evtchn_mask[word]);

	while (pending) {
		unsigned int port = word * WORD_BITS + (unsigned int)__builtin_ctzl(pending);

		pending &= pending - 1;
		event_clear(port);
		event_count[port]++;
	}
}

void event_dispatch(struct regs *regs)
{
	unsigned long words;

	event_upcalls++;
	event_regs = *regs;
	WRITE_ONCE(vcpu_info->evtchn_upcall_pending, 0);
	words = exchange(&vcpu_info->evtchn_pending_sel, 0);
	for (; words; words &= words - 1)
		dispatch_word((unsigned int)__builtin_ctzl(words));
}

long bind_virq(uint32_t virq)
{
	struct evtchn_bind_virq bind = { .virq = virq };
	long err = event_channel_op(EVTCHNOP_bind_virq, &bind);

	return err ? err : (long)bind.port;
}

long bind_ipi(void)
{
	struct evtchn_bind_ipi bind = { .vcpu = 0 };
	long err = event_channel_op(EVTCHNOP_bind_ipi, &bind);

	return err ? err : (long)bind.port;
}

bool event_pending(unsigned int port)
{
	return READ_ONCE(shared_info->evtchn_pending[port / WORD_BITS]) >> port % WORD_BITS & 1;
}

bool event_masked(unsigned int port)
{
	return READ_ONCE(shared_info->evtchn_mask[port / WORD_BITS]) >> port % WORD_BITS & 1;
}

void event_set_mask(unsigned int port, bool masked)
{
	unsigned long bit = 1UL << port % WORD_BITS;

	if (masked)
		__atomic_fetch_or(&shared_info->evtchn_mask[port / WORD_BITS], bit,
				  __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&shared_info->evtchn_mask[port / WORD_BITS], ~bit,
				   __ATOMIC_SEQ_CST);
}

void event_clear(unsigned int port)
{
	__atomic_fetch_and(&shared_info->evtchn_pending[port / WORD_BITS],
			   ~(1UL << port % WORD_BITS), __ATOMIC_SEQ_CST);
}
