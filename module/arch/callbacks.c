/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * callbacks.c - where the guest's kernel is entered: trap table, callbacks, stack
 */
#include "abi-info.h"
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

/* A 32-bit kernel has no use for a 64-bit SYSCALL. */
static bool is_callback(u32 type)
{
	if (guest32 && type == CALLBACKTYPE_syscall)
		return false;
	return type < 32 && (ABI_CALLBACKS) >> type & 1;
}

/* An NMI has a gate, no callback. */
static long set_nmi_callback(struct vcpu *v, u16 cs, u64 address)
{
	if (!ABI_CALLBACK_NMI)
		return -XEN_EINVAL;
	v->traps[TRAP_NMI] = (struct trap_info){
		.vector = TRAP_NMI, .flags = 4, .cs = fix_selector(cs), .address = address
	};
	return 0;
}

static void clear_nmi_callback(struct vcpu *v)
{
	memset(&v->traps[TRAP_NMI], 0, sizeof(struct trap_info));
}

static long set_callback(struct vcpu *v, u32 type, u16 cs, u64 address, bool mask)
{
	if (!is_canonical(address))
		return -XEN_EINVAL;
	if (!is_callback(type))
		return -ABI_CALLBACK_UNKNOWN;
	if (type == CALLBACKTYPE_nmi)
		return set_nmi_callback(v, cs, address);
	v->callback[type] = address;
	v->callback_cs[type] = cs;
	v->callback_masks &= ~(1 << type);
	v->callback_masks |= (mask || type == CALLBACKTYPE_event) << type;
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
	if (!is_callback(reg.type))
		return -ABI_CALLBACK_UNKNOWN;
	if (reg.type != CALLBACKTYPE_nmi)
		return -XEN_EINVAL;
	clear_nmi_callback(this_vcpu());
	return 0;
}

/* The address comes first in struct xennmi_callback; the rest is padding. */
HANDLE_SUB(do_nmi_op_register_callback, arg)
{
	u64 address = 0;

	if (copy_from_guest(&address, arg, guest32 ? sizeof(u32) : sizeof(u64)))
		return -XEN_EFAULT;
	return set_callback(this_vcpu(), CALLBACKTYPE_nmi, guest32 ? SEL_RING1_CS : SEL_USER_CS,
			    address, true);
}

HANDLE_SUB(do_nmi_op_unregister_callback, arg)
{
	(void)arg;
	clear_nmi_callback(this_vcpu());
	return 0;
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
	u32 bit = type;

	if (bit >= 64 || !((u64)(ABI_VM_ASSISTS) >> bit & 1))
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
