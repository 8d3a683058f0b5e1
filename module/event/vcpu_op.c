/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu_op.c - vCPUs: which there are, and where their vcpu_info and runstate are
 */
#include "compat.h"
#include "event.h"
#include "mm.h"
#include "trap.h"
#include <xen/vcpu.h>

static struct vcpu *vcpu_of(u64 id)
{
	return (u32)id < boot->nr_vcpus ? &vcpus[(u32)id] : NULL;
}

/* One vCPU so far, which was initialised before it ran. */
HANDLE_VCPU_SUB(do_vcpu_op_initialise, id, arg)
{
	struct vcpu_guest_context_head {
		u8 byte;
	} head;

	if (!vcpu_of(id))
		return vcpu_absent(id);
	if (copy_from_guest(&head, arg, sizeof(head)))
		return -XEN_EFAULT;
	return -XEN_EEXIST;
}

HANDLE_VCPU_SUB(do_vcpu_op_up, id, arg)
{
	(void)arg;
	return vcpu_of(id) ? 0 : vcpu_absent(id);
}

/* The last vCPU going down is a power-off (Xen 4.17 common_vcpu_op()). */
HANDLE_VCPU_SUB(do_vcpu_op_down, id, arg)
{
	(void)arg;
	if (!vcpu_of(id))
		return vcpu_absent(id);
	return mailbox_call(this_vcpu(), MAILBOX_POWEROFF);
}

HANDLE_VCPU_SUB(do_vcpu_op_is_up, id, arg)
{
	(void)arg;
	return vcpu_of(id) ? 1 : vcpu_absent(id);
}

HANDLE_VCPU_SUB(do_vcpu_op_get_runstate_info, id, arg)
{
	struct vcpu *v = vcpu_of(id);

	if (!v)
		return vcpu_absent(id);
	runstate_change(v, v->runstate_now);
	return runstate_copy(v, arg);
}

HANDLE_VCPU_SUB(do_vcpu_op_register_runstate_memory_area, id, arg)
{
	struct vcpu_register_runstate_memory_area area;
	struct vcpu *v = vcpu_of(id);

	if (!v)
		return vcpu_absent(id);
	if (copy_from_guest(&area, arg, sizeof(area)))
		return -XEN_EFAULT;
	if (guest32)
		area.addr.p = (u32)area.addr.p;
	if (!guest_range_ok(area.addr.p, sizeof(struct vcpu_runstate_info)))
		return -XEN_EFAULT;
	v->runstate = area.addr.p;
	runstate_change(v, v->runstate_now);
	return 0;
}

/*
 * Events are marked there at any time, by the helper too: the frame is lent for good, and
 * no table (Xen 4.17 map_vcpu_info(), PGT_writable_page).
 */
static bool lend(u64 mfn)
{
	__atomic_add_fetch(&lent[mfn], 1, __ATOMIC_SEQ_CST);
	if (!frame_type(READ_ONCE(frame_table[mfn])))
		return true;
	__atomic_sub_fetch(&lent[mfn], 1, __ATOMIC_SEQ_CST);
	return false;
}

/*
 * Everything is marked pending, so that nothing gets lost in the move; the guest
 * can cope with an event too many (Xen 4.17 map_vcpu_info()).  The helper sets the
 * port's bit before it looks where vcpu_info is: what it marks in the old one the
 * guest finds by this.
 */
static long place_info(struct vcpu *v, u64 mfn, u32 offset)
{
	struct vcpu_info *info;

	if (offset > 4096 - sizeof(*info) || offset % (guest32 ? 4 : 8))
		return -XEN_ENXIO;
	if (v->info_placed || !frame_owned(mfn) || !lend(mfn))
		return -XEN_EINVAL;
	info = direct((mfn << 12) + offset);
	memcpy(info, v->info, sizeof(*info));
	v->info = info;
	v->info_placed = true;
	event_info_at(v, (mfn << 12) + offset);
	if (guest32)
		((u32 *)info)[VCPU_INFO32_SELECTOR] = ~0U;
	else
		info->evtchn_pending_sel = ~0UL;
	info->evtchn_upcall_pending = 1;
	time_publish(v);
	return 0;
}

HANDLE_VCPU_SUB(do_vcpu_op_register_vcpu_info, id, arg)
{
	struct vcpu_register_vcpu_info info;
	struct vcpu *v = vcpu_of(id);

	if (!v)
		return vcpu_absent(id);
	if (copy_from_guest(&info, arg, sizeof(info)))
		return -XEN_EFAULT;
	return place_info(v, info.mfn, info.offset);
}
