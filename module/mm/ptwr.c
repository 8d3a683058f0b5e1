/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptwr.c - writable page tables: a guest's store to an L1 table that it maps
 * read-only is carried out as if it were allowed
 *
 * All guests live on it: XenLinux 2.6 for most of its page-table writes, pvops
 * for the atomic ones (xchg, lock btr, cmpxchg).  The instruction is decoded,
 * computed on the entry's value, and the result goes through the same checks as
 * an mmu_update.
 *
 * Decoded are the forms that compilers and kernels use on page-table entries;
 * for anything else the guest gets its page fault.
 */
#include "mm.h"
#include "trap.h"

enum operation {
	OP_NONE,
	OP_MOV,
	OP_XCHG,
	OP_CMPXCHG,
	OP_CMPXCHG8B,
	OP_XADD,
	OP_ADD,
	OP_OR,
	OP_AND,
	OP_SUB,
	OP_XOR,
	OP_BTS,
	OP_BTR,
	OP_BTC,
	OP_STOS,
};

/**
 * struct insn - a decoded store
 * @op:    what it does
 * @size:  bytes of the memory operand
 * @source: second operand: register's value or immediate
 * @reg:   the register, where the instruction writes it too
 * @length: bytes of the instruction
 * @rep:   repeated: rcx counts
 */
struct insn {
	enum operation op;
	unsigned int size;
	u64 source;
	u64 *reg;
	unsigned int length;
	bool rep;
};

/* Registers in the order of their encoding. */
static u64 *reg_slot(struct regs *r, unsigned int n)
{
	static const u8 offset[16] = {
		offsetof(struct regs, rax) / 8, offsetof(struct regs, rcx) / 8,
		offsetof(struct regs, rdx) / 8, offsetof(struct regs, rbx) / 8,
		offsetof(struct regs, rsp) / 8, offsetof(struct regs, rbp) / 8,
		offsetof(struct regs, rsi) / 8, offsetof(struct regs, rdi) / 8,
		offsetof(struct regs, r8) / 8,  offsetof(struct regs, r9) / 8,
		offsetof(struct regs, r10) / 8, offsetof(struct regs, r11) / 8,
		offsetof(struct regs, r12) / 8, offsetof(struct regs, r13) / 8,
		offsetof(struct regs, r14) / 8, offsetof(struct regs, r15) / 8,
	};

	return (u64 *)r + offset[n];
}

static u64 mask_of(unsigned int size)
{
	return size == 8 ? ~0ULL : (1ULL << size * 8) - 1;
}

/* Bytes that a ModRM operand takes after the opcode; 0: no memory operand. */
static unsigned int modrm_length(const u8 *p)
{
	unsigned int mod = p[0] >> 6, rm = p[0] & 7, n = 1;

	if (mod == 3)
		return 0;
	if (rm == 4) {
		n++;
		if (mod == 0 && (p[1] & 7) == 5)
			return n + 4;
	}
	if (mod == 0)
		return rm == 5 ? n + 4 : n;
	return n + (mod == 1 ? 1 : 4);
}

static s64 immediate(const u8 *p, unsigned int bytes)
{
	u32 v = 0;

	memcpy(&v, p, bytes);
	return bytes == 1 ? (s8)v : bytes == 2 ? (s16)v : (s32)v;
}

static enum operation alu_operation(unsigned int n)
{
	static const u8 ops[8] = { OP_ADD, OP_OR,  OP_NONE, OP_NONE,
				   OP_AND, OP_SUB, OP_XOR,  OP_NONE };

	return ops[n];
}

/* Two-byte opcodes, p at the second byte; returns the length of an immediate. */
static unsigned int decode_0f(struct insn *i, const u8 *p)
{
	static const u8 bit_ops[4] = { OP_NONE, OP_BTS, OP_BTR, OP_BTC };
	unsigned int ext = p[1] >> 3 & 7;

	switch (p[0]) {
	case 0xb0:
	case 0xb1:
		i->op = OP_CMPXCHG;
		break;
	case 0xc0:
	case 0xc1:
		i->op = OP_XADD;
		break;
	case 0xc7:
		i->op = ext == 1 && i->size <= 4 ? OP_CMPXCHG8B : OP_NONE;
		break;
	case 0xab:
		i->op = OP_BTS;
		break;
	case 0xb3:
		i->op = OP_BTR;
		break;
	case 0xbb:
		i->op = OP_BTC;
		break;
	case 0xba:
		i->op = bit_ops[ext & 3] * (ext >> 2);
		return 1;
	}
	return 0;
}

static unsigned int decode_1(struct insn *i, const u8 *p)
{
	unsigned int ext = p[1] >> 3 & 7, imm = min(i->size, 4u);

	switch (p[0]) {
	case 0x00 ... 0x3f:
		i->op = (p[0] & 7) < 2 ? alu_operation(p[0] >> 3) : OP_NONE;
		return 0;
	case 0x80:
	case 0x81:
	case 0x83:
		i->op = alu_operation(ext);
		return p[0] == 0x81 ? imm : 1;
	case 0x86:
	case 0x87:
		i->op = OP_XCHG;
		return 0;
	case 0x88:
	case 0x89:
		i->op = OP_MOV;
		return 0;
	case 0xa2:
	case 0xa3:
		i->op = OP_MOV;
		return 0;
	case 0xaa:
	case 0xab:
		i->op = OP_STOS;
		return 0;
	case 0xc6:
	case 0xc7:
		i->op = ext == 0 ? OP_MOV : OP_NONE;
		return imm;
	}
	return 0;
}

static bool wide_opcode(const u8 *p, bool two_byte)
{
	/* Bit 0 of the opcode says byte or word, but not for the bit operations. */
	return (p[0] & 1) || (two_byte && p[0] == 0xba);
}

static bool decode(struct insn *i, struct regs *r, const u8 *code)
{
	const u8 *p = code;
	unsigned int rex = 0, imm, memory;
	bool small = false, two_byte;
	u64 *reg;

	for (; *p == 0x66 || *p == 0xf0 || *p == 0xf2 || *p == 0xf3 || *p == 0x3e; p++) {
		small |= *p == 0x66;
		i->rep |= *p == 0xf2 || *p == 0xf3;
		if (p - code > 4)
			return false;
	}
	if (!guest32 && (*p & 0xf0) == 0x40)
		rex = *p++;
	two_byte = *p == 0x0f;
	p += two_byte;
	i->size = !wide_opcode(p, two_byte) ? 1 : rex & 8 ? 8 : small ? 2 : 4;
	imm = two_byte ? decode_0f(i, p) : decode_1(i, p);
	if (i->op == OP_NONE)
		return false;
	if (i->op == OP_STOS) {
		i->length = p + 1 - code;
		return true;
	}
	if (*p == 0xa2 || *p == 0xa3) { /* mov %eax, to an absolute address */
		i->source = r->rax;
		i->length = p + 1 + (guest32 ? 4 : 8) - code;
		return true;
	}
	memory = modrm_length(p + 1);
	if (!memory)
		return false;
	reg = reg_slot(r, (p[1] >> 3 & 7) | (rex & 4) << 1);
	/* ah, ch, dh, bh: nobody writes page tables with them */
	if (i->size == 1 && !rex && !imm && (p[1] >> 3 & 7) >= 4)
		return false;
	i->source = imm ? (u64)immediate(p + 1 + memory, imm) : *reg;
	i->reg = reg;
	i->length = p + 1 + memory + imm - code;
	if (i->op == OP_CMPXCHG8B)
		i->size = 8;
	return true;
}

static void set_flags(struct regs *r, u64 mask, u64 flags)
{
	r->rflags = (r->rflags & ~mask) | (flags & mask);
}

/* dst = dst OP src, on the top bytes of 64 bits so that flags come out right. */
#define ALU(insn, dst, src, flags)                                                             \
	__asm__(insn " %2, %0; pushf; pop %1" : "+r"(dst), "=r"(flags) : "r"(src) : "cc")

static u64 alu(struct regs *r, const struct insn *i, u64 old)
{
	unsigned int shift = 64 - i->size * 8;
	u64 dst = old << shift, src = i->source << shift, flags;

	switch (i->op) {
	case OP_OR:
		ALU("or", dst, src, flags);
		break;
	case OP_AND:
		ALU("and", dst, src, flags);
		break;
	case OP_XOR:
		ALU("xor", dst, src, flags);
		break;
	case OP_SUB:
		ALU("sub", dst, src, flags);
		break;
	default:
		ALU("add", dst, src, flags);
		break;
	}
	set_flags(r, RFLAGS_ARITHMETIC, flags);
	return dst >> shift;
}

static u64 bit_operation(struct regs *r, const struct insn *i, u64 old)
{
	u64 bit = 1ULL << (i->source & (i->size * 8 - 1));

	set_flags(r, RFLAGS_CF, old & bit ? RFLAGS_CF : 0);
	return i->op == OP_BTS ? old | bit : i->op == OP_BTR ? old & ~bit : old ^ bit;
}

static u64 compare(struct regs *r, const struct insn *i, u64 old, u64 expected, u64 value)
{
	struct insn sub = { .op = OP_SUB, .size = i->size, .source = old };

	if (i->op == OP_CMPXCHG)
		alu(r, &sub, expected);
	else
		set_flags(r, RFLAGS_ZF, old == expected ? RFLAGS_ZF : 0);
	return old == expected ? value : old;
}

/* The new value of the operand; flags go to @r. */
static u64 compute(struct regs *r, const struct insn *i, u64 old)
{
	u64 mask = mask_of(i->size);

	switch (i->op) {
	case OP_MOV:
	case OP_XCHG:
		return i->source & mask;
	case OP_STOS:
		return r->rax & mask;
	case OP_CMPXCHG:
		return compare(r, i, old, r->rax & mask, i->source & mask);
	case OP_CMPXCHG8B:
		return compare(r, i, old, r->rdx << 32 | (u32)r->rax,
			       r->rcx << 32 | (u32)r->rbx);
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return bit_operation(r, i, old);
	default:
		return alu(r, i, old);
	}
}

static void put_reg(u64 *reg, u64 value, unsigned int size)
{
	/* A 32-bit result clears the upper half, smaller ones keep the rest. */
	*reg = size == 4 ? value : (*reg & ~mask_of(size)) | value;
}

/* What the instruction leaves in registers besides flags. */
static void write_back(struct regs *r, const struct insn *i, u64 old)
{
	switch (i->op) {
	case OP_XCHG:
	case OP_XADD:
		put_reg(i->reg, old, i->size);
		break;
	case OP_CMPXCHG:
		if (!(r->rflags & RFLAGS_ZF))
			put_reg(&r->rax, old, i->size);
		break;
	case OP_CMPXCHG8B:
		if (!(r->rflags & RFLAGS_ZF)) {
			r->rax = (u32)old;
			r->rdx = old >> 32;
		}
		break;
	case OP_STOS:
		r->rdi += r->rflags & RFLAGS_DF ? -(u64)i->size : i->size;
		if (i->rep && --r->rcx)
			return;
		break;
	default:
		break;
	}
	r->rip += i->length;
}

/* Merge the operand into its entry and have it checked and stored. */
static bool store_operand(struct regs *r, const struct insn *i, void *slot, unsigned int offset)
{
	u64 mask = mask_of(i->size) << offset * 8, old, value, operand;
	u64 flags = r->rflags;
	long rc;

	do {
		r->rflags = flags;
		old = entry_read(slot);
		operand = (old & mask) >> offset * 8;
		value = (old & ~mask) | compute(r, i, operand) << offset * 8;
		rc = entry_exchange(slot, old, value);
		/* The upper half first: the lower one follows (Xen, ptwr_emulated_update()). */
		if (rc == -XEN_EINVAL && guest32 && offset == 4 && (value & PTE_P))
			rc = entry_exchange(slot, old, value & ~PTE_P);
	} while (rc == -XEN_EAGAIN);
	if (rc) {
		r->rflags = flags;
		return false;
	}
	write_back(r, i, operand);
	return true;
}

bool ptwr_emulate(struct vcpu *v, struct regs *r, u64 addr)
{
	struct insn i = { .op = OP_NONE };
	const void *slot = walk(v, addr, 1);
	u64 pte = slot ? entry_read(slot) : 0;
	unsigned int offset = addr & (pte_bytes - 1);
	u8 code[16] = { 0 };

	if (!vm_assist(VMASST_TYPE_writable_pagetables) || !(pte & PTE_P) ||
	    !frame_owned(pte_mfn(pte)) || frame_type(frame_table[pte_mfn(pte)]) != 1)
		return false;
	/* Code at the end of a mapping: take what is there. */
	if (copy_from_guest(code, r->rip, sizeof(code)) &&
	    copy_from_guest(code, r->rip, 4096 - (r->rip & 4095)))
		return false;
	if (!decode(&i, r, code) || offset + i.size > pte_bytes)
		return false;
	addr = (pte & PTE_ADDR) | (addr & 4095);
	if (!store_operand(r, &i, direct(addr - offset), offset))
		return false;
	count(v, STAT_PTWR);
	return true;
}
