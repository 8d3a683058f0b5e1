/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * callbacks.c - where the guest's kernel is entered: trap table, callbacks, stack
 */
#include "compat.h"
#include "hypercall.h"
#include "trap.h"
#include <xen/callback.h>
#include <xen/physdev.h>

static long copy_trap_info(struct trap_info *t, u64 from)
{
	struct trap_info32 t32;

	if (!guest32)
		return copy_from_guest(t, from, sizeof(*t));
	if (copy_from_guest(&t32, from, sizeof(t32)))
		return -XEN_EFAULT;
	*t = (struct trap_info){
		.vector = t32.vector, .flags = t32.flags, .cs = t32.cs, .address = t32.address
	};
	return 0;
}

/* An entry of the table with address 0 ends it; no table at all clears it. */
HANDLE1(do_set_trap_table, table)
{
	struct vcpu *v = this_vcpu();
	struct trap_info t;

	if (!table) {
		memset(v->traps, 0, sizeof(v->traps));
		return 0;
	}
	for (;; table += guest32 ? sizeof(struct trap_info32) : sizeof(t)) {
		if (copy_trap_info(&t, table))
			return -XEN_EFAULT;
		if (!t.address)
			return 0;
		if (!is_canonical(t.address))
			return -XEN_EINVAL;
		t.cs = fix_selector(t.cs);
		v->traps[t.vector] = t;
	}
}

static long set_callback(struct vcpu *v, u32 type, u16 cs, u64 address, bool mask)
{
	if (!is_canonical(address))
		return -XEN_EINVAL;
	switch (type) {
	case CALLBACKTYPE_event:
		mask = true;
		break;
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_syscall32:
	case CALLBACKTYPE_sysenter:
		break;
	case CALLBACKTYPE_nmi:
		v->traps[TRAP_NMI] = (struct trap_info){ .vector = TRAP_NMI,
							 .flags = 4,
							 .cs = fix_selector(cs),
							 .address = address };
		return 0;
	default:
		return -XEN_ENOSYS;
	}
	v->callback[type] = address;
	v->callback_cs[type] = cs;
	v->callback_masks &= ~(1 << type);
	v->callback_masks |= mask << type;
	return 0;
}

HANDLE_SUB(do_callback_op_register, arg)
{
	struct callback_register32 reg32;
	struct callback_register reg;

	if (guest32) {
		if (copy_from_guest(&reg32, arg, sizeof(reg32)))
			return -XEN_EFAULT;
		return set_callback(this_vcpu(), reg32.type, reg32.cs, reg32.eip,
				    reg32.flags & CALLBACKF_mask_events);
	}
	if (copy_from_guest(&reg, arg, sizeof(reg)))
		return -XEN_EFAULT;
	return set_callback(this_vcpu(), reg.type, SEL_USER_CS, reg.address,
			    reg.flags & CALLBACKF_mask_events);
}

HANDLE_SUB(do_callback_op_unregister, arg)
{
	struct callback_unregister reg;

	if (copy_from_guest(&reg, arg, sizeof(reg)))
		return -XEN_EFAULT;
	switch (reg.type) {
	case CALLBACKTYPE_event:
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_syscall32:
	case CALLBACKTYPE_sysenter:
		return -XEN_EINVAL;
	case CALLBACKTYPE_nmi:
		memset(&this_vcpu()->traps[TRAP_NMI], 0, sizeof(struct trap_info));
		return 0;
	default:
		return -XEN_ENOSYS;
	}
}

/* 64-bit: event, failsafe, syscall; 32-bit: event and failsafe with selectors. */
HANDLE4(do_set_callbacks, a, b, c, d)
{
	struct vcpu *v = this_vcpu();

	if (guest32) {
		set_callback(v, CALLBACKTYPE_event, a, b, true);
		set_callback(v, CALLBACKTYPE_failsafe, c, d, false);
		return 0;
	}
	set_callback(v, CALLBACKTYPE_event, SEL_USER_CS, a, true);
	set_callback(v, CALLBACKTYPE_failsafe, SEL_USER_CS, b, false);
	set_callback(v, CALLBACKTYPE_syscall, SEL_USER_CS, c, false);
	return 0;
}

HANDLE2(do_stack_switch, ss, sp)
{
	struct vcpu *v = this_vcpu();

	v->kernel_ss = fix_selector(ss);
	v->kernel_sp = sp;
	return 0;
}

HANDLE_SUB(do_physdev_op_set_iopl, arg)
{
	struct physdev_set_iopl op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -XEN_EFAULT;
	if (op.iopl > 3)
		return -XEN_EINVAL;
	this_vcpu()->iopl = op.iopl;
	return 0;
}

static long set_iobitmap(struct vcpu *v, u64 bitmap, u32 nr_ports)
{
	if (nr_ports > 65536 || !guest_range_ok(bitmap, (nr_ports + 7) / 8))
		return -XEN_EINVAL;
	v->io_bitmap = bitmap;
	v->io_ports = nr_ports;
	return 0;
}

HANDLE_SUB(do_physdev_op_set_iobitmap, arg)
{
	struct physdev_set_iobitmap32 op32;
	struct physdev_set_iobitmap op;

	if (guest32) {
		if (copy_from_guest(&op32, arg, sizeof(op32)))
			return -XEN_EFAULT;
		return set_iobitmap(this_vcpu(), op32.bitmap, op32.nr_ports);
	}
	if (copy_from_guest(&op, arg, sizeof(op)))
		return -XEN_EFAULT;
	return set_iobitmap(this_vcpu(), (u64)op.bitmap.p, op.nr_ports);
}

u64 vm_assists;

HANDLE2(do_vm_assist, cmd, type)
{
	const u64 valid =
		1 << VMASST_TYPE_4gb_segments | 1 << VMASST_TYPE_4gb_segments_notify |
		1 << VMASST_TYPE_writable_pagetables | 1 << VMASST_TYPE_pae_extended_cr3 |
		1 << VMASST_TYPE_architectural_iopl | 1 << VMASST_TYPE_runstate_update_flag |
		1ULL << VMASST_TYPE_m2p_strict;
	u32 bit = type;

	if (bit >= 64 || !(valid >> bit & 1))
		return -XEN_EINVAL;
	switch ((u32)cmd) {
	case VMASST_CMD_enable:
		vm_assists |= 1ULL << bit;
		return 0;
	case VMASST_CMD_disable:
		vm_assists &= ~(1ULL << bit);
		return 0;
	default:
		return -XEN_ENOSYS;
	}
}
