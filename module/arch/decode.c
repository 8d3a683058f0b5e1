/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.c - instructions of the guest's: their prefixes, and which store they are
 *
 * Of stores, the forms are decoded that compilers and kernels use on page-table
 * entries.
 */
#include "hypercall.h"

/* Opcodes: the operation, and these. */
#define OP_MASK 0x1f
#define BYTE 0x20 /* its operand is a byte */
#define IMM8 0x40 /* a byte of immediate follows */
#define IMM 0x80 /* an immediate of the operand's size, 4 bytes at most */
#define MAX_PREFIXES 6
#define OP_PREFIX OP_MASK /* a prefix: none of enum operation */
#define GROUP(n) ((n) << 8) /* ModRM's reg field says which operation of groups[n] */

static const u16 opcodes[256] = {
	[0x00] = OP_ADD | BYTE,
	[0x01] = OP_ADD,
	[0x08] = OP_OR | BYTE,
	[0x09] = OP_OR,
	[0x10] = OP_ADC | BYTE,
	[0x11] = OP_ADC,
	[0x18] = OP_SBB | BYTE,
	[0x19] = OP_SBB,
	[0x20] = OP_AND | BYTE,
	[0x21] = OP_AND,
	[0x26] = OP_PREFIX,
	[0x28] = OP_SUB | BYTE,
	[0x29] = OP_SUB,
	[0x2e] = OP_PREFIX,
	[0x30] = OP_XOR | BYTE,
	[0x31] = OP_XOR,
	[0x36] = OP_PREFIX,
	[0x3e] = OP_PREFIX,
	[0x64] = OP_PREFIX,
	[0x65] = OP_PREFIX,
	[0x66] = OP_PREFIX,
	[0x67] = OP_PREFIX,
	[0x80] = GROUP(1) | IMM8 | BYTE,
	[0x81] = GROUP(1) | IMM,
	[0x83] = GROUP(1) | IMM8,
	[0x86] = OP_XCHG | BYTE,
	[0x87] = OP_XCHG,
	[0x88] = OP_MOV | BYTE,
	[0x89] = OP_MOV,
	[0xa2] = OP_MOV | BYTE,
	[0xa3] = OP_MOV,
	[0xa4] = OP_MOVS | BYTE,
	[0xa5] = OP_MOVS,
	[0xaa] = OP_STOS | BYTE,
	[0xab] = OP_STOS,
	[0xc6] = OP_MOV | IMM8 | BYTE,
	[0xc7] = OP_MOV | IMM,
	[0xf0] = OP_PREFIX,
	[0xf2] = OP_PREFIX,
	[0xf3] = OP_PREFIX,
	[0xf6] = GROUP(3) | BYTE,
	[0xf7] = GROUP(3),
	[0xfe] = GROUP(4) | BYTE,
	[0xff] = GROUP(4),
};

static const u16 opcodes_0f[256] = {
	[0xab] = OP_BTS,         [0xb0] = OP_CMPXCHG | BYTE, [0xb1] = OP_CMPXCHG,
	[0xb3] = OP_BTR,         [0xba] = GROUP(2) | IMM8,   [0xbb] = OP_BTC,
	[0xc0] = OP_XADD | BYTE, [0xc1] = OP_XADD,           [0xc7] = OP_CMPXCHG8B,
};

/* By ModRM's reg field */
static const u8 groups[][8] = {
	[1] = { OP_ADD, OP_OR, OP_ADC, OP_SBB, OP_AND, OP_SUB, OP_XOR },
	[2] = { [5] = OP_BTS, [6] = OP_BTR, [7] = OP_BTC },
	[3] = { [2] = OP_NOT, [3] = OP_NEG },
	[4] = { OP_INC, OP_DEC },
};

unsigned int reg_index(unsigned int n)
{
	static const u8 index[16] = {
		offsetof(struct regs, rax) / 8, offsetof(struct regs, rcx) / 8,
		offsetof(struct regs, rdx) / 8, offsetof(struct regs, rbx) / 8,
		offsetof(struct regs, rsp) / 8, offsetof(struct regs, rbp) / 8,
		offsetof(struct regs, rsi) / 8, offsetof(struct regs, rdi) / 8,
		offsetof(struct regs, r8) / 8,  offsetof(struct regs, r9) / 8,
		offsetof(struct regs, r10) / 8, offsetof(struct regs, r11) / 8,
		offsetof(struct regs, r12) / 8, offsetof(struct regs, r13) / 8,
		offsetof(struct regs, r14) / 8, offsetof(struct regs, r15) / 8,
	};

	return index[n];
}

bool decode_fetch(void *code, u64 rip)
{
	u64 bytes = 4096 - (rip & 4095);

	if (!copy_from_guest(code, rip, 16))
		return true;
	memset(code, 0, 16);
	return bytes < 16 && !copy_from_guest(code, rip, bytes);
}

const u8 *decode_prefixes(const u8 *code, struct prefixes *found)
{
	const u8 *p = code;

	*found = (struct prefixes){ 0 };
	for (; p < code + MAX_PREFIXES; p++) {
		bool rex = !guest32 && (*p & 0xf0) == 0x40;

		if (!rex && (opcodes[*p] & OP_MASK) != OP_PREFIX)
			return p;
		/* Only one that comes last counts (SDM 2A 2.2.1). */
		found->rex = rex ? *p : 0;
		found->small |= *p == 0x66;
		found->narrow |= *p == 0x67;
		found->rep |= *p == 0xf2 || *p == 0xf3;
		found->locked |= *p == 0xf0;
	}
	return NULL;
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

/* What @opcode (an entry of a table above) with that ModRM byte is. */
static enum operation operation(unsigned int opcode, u8 modrm, unsigned int size)
{
	unsigned int ext = modrm >> 3 & 7;

	if (opcode >> 8)
		return groups[opcode >> 8][ext];
	switch (opcode & OP_MASK) {
	case OP_MOV: /* 0xc6, 0xc7: nothing but mov with 0 */
		return opcode & (IMM8 | IMM) && ext ? OP_NONE : OP_MOV;
	case OP_CMPXCHG8B:
		return ext == 1 && size <= 4 ? OP_CMPXCHG8B : OP_NONE;
	default:
		return opcode & OP_MASK;
	}
}

/* mov %eax to an absolute address, movs, stos: the operand's place isn't in a ModRM byte. */
static bool decode_short(struct store_insn *i, unsigned int opcode, unsigned int length,
			 bool narrow)
{
	i->op = opcode & OP_MASK;
	i->absolute = i->op == OP_MOV;
	i->reg = reg_index(0) * 8;
	i->operand = length;
	i->length = length + (!i->absolute ? 0 : guest32 || narrow ? 4 : 8);
	return i->absolute || !narrow;
}

/* Where in struct regs operand @n is: without REX, bytes 4 to 7 are ah, ch, dh, bh. */
static unsigned int reg_offset(unsigned int n, unsigned int size, unsigned int rex)
{
	if (size == 1 && !rex && n >= 4)
		return reg_index(n - 4) * 8 + 1;
	return reg_index(n) * 8;
}

bool decode_store(struct store_insn *i, u64 low, u64 high)
{
	const u64 bytes[3] = { low, high, 0 }; /* there may be a look behind 16 of them */
	const u8 *code = (const u8 *)bytes, *p;
	struct prefixes prefix;
	unsigned int opcode, memory, n;
	bool two_byte;

	p = decode_prefixes(code, &prefix);
	if (!p || (prefix.narrow && guest32))
		return false; /* 16-bit addresses are nobody's */
	*i = (struct store_insn){ .code = { low, high },
				  .rex = prefix.rex,
				  .rep = prefix.rep,
				  .locked = prefix.locked };
	two_byte = *p == 0x0f;
	opcode = two_byte ? opcodes_0f[*++p] : opcodes[*p];
	i->size = opcode & BYTE ? 1 : prefix.rex & 8 ? 8 : prefix.small ? 2 : 4;
	if (!two_byte && *p >= 0xa2 && *p <= 0xab)
		return opcode && decode_short(i, opcode, p + 1 - code, prefix.narrow);
	i->op = operation(opcode, p[1], i->size);
	i->locked |= i->op == OP_XCHG || i->op >= OP_CMPXCHG;
	memory = modrm_length(p + 1);
	if (i->op == OP_NONE || !memory)
		return false;
	i->operand = p + 1 - code;
	n = (p[1] >> 3 & 7) | (prefix.rex & 4) << 1;
	i->reg = reg_offset(n, i->size, prefix.rex);
	if (opcode & (IMM8 | IMM)) {
		i->immediate_length = opcode & IMM8 ? 1 : min(i->size, 4u);
		i->immediate = immediate(p + 1 + memory, i->immediate_length);
	}
	i->length = p + 1 + memory + i->immediate_length - code;
	if (i->op == OP_CMPXCHG8B)
		i->size = 8;
	return true;
}

static u64 reg_value(const struct regs *r, unsigned int n)
{
	return ((const u64 *)r)[reg_index(n)];
}

static u64 modrm_address(const struct store_insn *i, const struct regs *r)
{
	const u8 *p = (const u8 *)i->code + i->operand;
	unsigned int mod = *p >> 6, rm = *p & 7;
	u64 at = 0;

	p++;
	if (rm == 4) {
		unsigned int index = (*p >> 3 & 7) | (i->rex & 2) << 2;

		at = index == 4 ? 0 : reg_value(r, index) << (*p >> 6);
		rm = *p++ & 7;
		if (mod == 0 && rm == 5)
			return at + *p;
	} else if (mod == 0 && rm == 5) {
		return *p + (guest32 ? 0 : r->rip + i->length);
	}
	return at + reg_value(r, rm | (i->rex & 1) << 3) + (mod ? *p : 0);
}

u64 store_address(const struct store_insn *i, const struct regs *r)
{
	if (i->op == OP_STOS || i->op == OP_MOVS)
		return r->rdi;
	return i->absolute ? ((const u8 *)i->code)[i->operand] : modrm_address(i, r);
}
