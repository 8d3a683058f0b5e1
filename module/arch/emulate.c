/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emulate.c - instructions that a PV kernel executes although ring 3 may not:
 * port I/O, control and debug registers, MSRs, and CPUID by request
 *
 * Which ones: Xen 4.17 arch/x86/pv/emul-priv-op.c.
 */
#include "abi-info.h"
#include "mm.h"
#include "trap.h"

/**
 * struct priv - one instruction
 * @code:  its bytes; those that could not be read are 0
 * @at:    index of the byte that is decoded next
 * @prefix: its prefixes; no memory operand has a segment of its own
 */
struct priv {
	u8 code[16];
	unsigned int at;
	struct prefixes prefix;
};

static bool fetch(struct priv *p, const struct regs *r)
{
	const u8 *opcode = NULL;

	if (decode_fetch(p->code, r->rip))
		opcode = decode_prefixes(p->code, &p->prefix);
	if (!opcode || p->prefix.locked)
		return false;
	p->at = opcode - p->code;
	return true;
}

/* The kernel counts as ring 1, or as ring 0 if it asked for an IOPL as processors have it. */
static bool iopl_suffices(const struct vcpu *v)
{
	u32 kernel = vm_assist(VMASST_TYPE_architectural_iopl) ? 0 : 1;

	return v->iopl >= (v->kernel_mode ? kernel : 3);
}

/* A byte of the bitmap, which a 64-bit guest's kernel alone has mapped. */
static bool read_io_bitmap(struct vcpu *v, u64 at, u8 *bits)
{
	bool other_root = !guest32 && !v->kernel_mode;
	long rc;

	if (other_root)
		write_cr3(v->kernel.cr3);
	rc = copy_from_guest(bits, v->io_bitmap + at, 1);
	if (other_root)
		write_cr3(v->user.cr3);
	return !rc;
}

/* Virtual IOPL, or the bitmap that the guest kernel gave for its user. */
static bool port_allowed(struct vcpu *v, u32 port, u32 bytes)
{
	u8 bits;

	if (iopl_suffices(v))
		return true;
	for (u32 end = port + bytes; port < end; port++)
		if (port >= v->io_ports || !read_io_bitmap(v, port / 8, &bits) ||
		    bits >> (port & 7) & 1)
			return false;
	return true;
}

/* There are no ports: reads give all ones, writes go nowhere. */
static bool port_io(struct vcpu *v, struct regs *r, struct priv *p)
{
	u8 op = p->code[p->at++];
	u32 bytes = !(op & 1) ? 1 : p->prefix.small ? 2 : 4;
	u32 port = op & 8 ? (u16)r->rdx : p->code[p->at++];

	if (!port_allowed(v, port, bytes))
		return false;
	if (!(op & 2)) {
		if (bytes == 4)
			r->rax = 0xffffffff;
		else
			r->rax |= bytes == 2 ? 0xffff : 0xff;
	}
	count(v, STAT_PORT_IO);
	return true;
}

/* ins and outs: as often as rcx says, but not without end in one go. */
static bool string_io(struct vcpu *v, struct regs *r, struct priv *p)
{
	u8 op = p->code[p->at++];
	u32 bytes = !(op & 1) ? 1 : p->prefix.small ? 2 : 4;
	u64 step = r->rflags & RFLAGS_DF ? -(u64)bytes : bytes, ones = ~0ULL;
	u32 n = p->prefix.rep ? min(r->rcx, 1024UL) : 1;

	if (p->prefix.narrow || !port_allowed(v, (u16)r->rdx, bytes))
		return false;
	for (; n; n--) {
		if (op & 2)
			r->rsi += step;
		else if (copy_to_guest(r->rdi, &ones, bytes))
			return false;
		else
			r->rdi += step;
		r->rcx -= p->prefix.rep;
	}
	if (p->prefix.rep && r->rcx)
		p->at = 0; /* again */
	count(v, STAT_PORT_IO);
	return true;
}

static bool read_cr(const struct vcpu *v, unsigned int n, u64 *value)
{
	switch (n) {
	case 0:
		*value = read_cr0();
		return true;
	case 2:
		*value = v->cr2;
		return true;
	case 3:
		*value = guest32 ? (u32)(v->kernel.mfn << 12 | v->kernel.mfn >> 20)
				 : v->kernel.mfn << 12;
		return true;
	case 4:
		*value = v->cr4;
		return true;
	default:
		return false;
	}
}

static bool write_cr(struct vcpu *v, unsigned int n, u64 value)
{
	switch (n) {
	case 0:
		if ((value ^ read_cr0()) & ~(u64)CR0_TS)
			return false;
		v->cr0_ts = value & CR0_TS;
		write_cr0(value);
		return true;
	case 2:
		set_guest_cr2(v, value);
		return true;
	case 3:
		if (guest32) /* xen-x86_32.h, xen_cr3_to_pfn() */
			value = (u64)(u32)value | (value & 0xfff) << 32;
		return !root_set_kernel(v, value >> 12);
	case 4:
		if (ABI_CR4_FIXED && (value ^ v->cr4) & (CR4_TSD | CR4_DE))
			return false;
		/* What the guest may have; the rest is quietly as it was. */
		v->cr4 = guest_cr4(value);
		write_cr4((read_cr4() & ~(u64)(CR4_TSD | CR4_DE)) |
			  (v->cr4 & (CR4_TSD | CR4_DE)));
		return true;
	default:
		return false;
	}
}

/* mov %crN / %drN, both ways: 0f 20 to 0f 23 */
static bool move_special(struct vcpu *v, struct regs *r, struct priv *p)
{
	u8 op = p->code[p->at++], modrm = p->code[p->at++];
	unsigned int n = (modrm >> 3 & 7) | (p->prefix.rex & 4) << 1;
	u64 *reg = (u64 *)r + reg_index((modrm & 7) | (p->prefix.rex & 1) << 3);

	switch (op) {
	case 0x20:
		return read_cr(v, n, reg);
	case 0x22:
		return write_cr(v, n, *reg);
	case 0x21:
		return !get_debugreg(v, n, reg);
	default:
		return !set_debugreg(v, n, *reg);
	}
}

static bool move_msr(struct vcpu *v, struct regs *r, bool write)
{
	u64 value = r->rdx << 32 | (u32)r->rax;

	if (write)
		return guest_wrmsr(v, r->rcx, value);
	if (!guest_rdmsr(v, r->rcx, &value))
		return false;
	r->rax = (u32)value;
	r->rdx = value >> 32;
	return true;
}

bool set_xcr0(struct vcpu *v, u64 value)
{
	bool failed = false;

	if (boot->flags & BOOT_NO_XSETBV) {
		v->area->mailbox.arg[0] = value;
		return !mailbox_call(v, MAILBOX_SET_XCR0);
	}
	__asm__ volatile("1: xsetbv; jmp 3f\n"
			 "2: movb $1, %0\n"
			 "3:\n"
			 ".pushsection .extable, \"a\"\n"
			 ".quad 1b, 2b\n"
			 ".popsection"
			 : "+m"(failed)
			 : "a"((u32)value), "d"((u32)(value >> 32)), "c"(0));
	return !failed;
}

/* Natively always enabled, so that what the guest enabled is checked here. */
static bool xsetbv(struct vcpu *v, struct regs *r, struct priv *p)
{
	if (!(v->cr4 & CR4_OSXSAVE)) {
		p->at = 0; /* #UD at this instruction */
		deliver_exception(v, r, TRAP_UD, 0);
		return true;
	}
	return (u32)r->rcx == 0 && set_xcr0(v, r->rdx << 32 | (u32)r->rax);
}

static bool two_byte(struct vcpu *v, struct regs *r, struct priv *p)
{
	u64 tsc;

	switch (p->code[p->at]) {
	case 0x01:
		p->at += 2;
		return p->code[p->at - 1] == 0xd1 && xsetbv(v, r, p);
	case 0x06: /* clts */
		p->at++;
		v->cr0_ts = false;
		__asm__ volatile("clts");
		return true;
	case 0x09: /* wbinvd: no device memory to flush for */
		p->at++;
		return true;
	case 0x20 ... 0x23:
		return move_special(v, r, p);
	case 0x31: /* rdtsc: CR4.TSD is meant for user mode */
		p->at++;
		tsc = rdtsc();
		r->rax = (u32)tsc;
		r->rdx = tsc >> 32;
		return true;
	case 0x30:
	case 0x32:
		p->at++;
		return move_msr(v, r, p->code[p->at - 1] == 0x30);
	default:
		return false;
	}
}

bool emulate_privileged(struct vcpu *v, struct regs *r)
{
	struct priv p;
	bool done = false;
	u8 op;

	if (!fetch(&p, r))
		return false;
	op = p.code[p.at];
	if ((op & 0xf4) == 0xe4) {
		done = port_io(v, r, &p);
	} else if ((op & 0xfc) == 0x6c) {
		done = string_io(v, r, &p);
	} else if (op == 0xfa || op == 0xfb) { /* cli, sti: the real IF is never theirs */
		done = iopl_suffices(v);
		p.at++;
	} else if (op == 0x0f && v->kernel_mode) {
		p.at++;
		done = two_byte(v, r, &p);
	}
	if (!done)
		return false;
	r->rip += p.at;
	count(v, STAT_PRIVOP);
	return true;
}

bool emulate_forced(struct vcpu *v, struct regs *r)
{
	static const u8 wanted[7] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
	u8 code[16];
	u32 out[4];

	if (!decode_fetch(code, r->rip))
		return false;
	for (unsigned int i = 0; i < sizeof(wanted); i++)
		if (code[i] != wanted[i])
			return false;
	guest_cpuid(v, r->rax, r->rcx, out);
	r->rax = out[0];
	r->rbx = out[1];
	r->rcx = out[2];
	r->rdx = out[3];
	r->rip += sizeof(wanted);
	count(v, STAT_CPUID);
	return true;
}
