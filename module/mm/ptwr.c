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
#include "abi-info.h"
#include "mm.h"
#include "trap.h"

enum operation {
	OP_NONE,
	OP_MOV,
	OP_BTS,
	OP_BTR,
	OP_BTC,
	OP_ADD,
	OP_OR,
	OP_AND,
	OP_SUB,
	OP_XOR,
	OP_ADC,
	OP_SBB,
	OP_INC,
	OP_DEC,
	OP_NOT,
	OP_NEG,
	OP_XADD, /* from here on, registers are written */
	OP_MOVS,
	OP_XCHG,
	OP_STOS,
	OP_CMPXCHG,
	OP_CMPXCHG8B,
	OP_PREFIX,
};

/* Opcodes: the operation, and these. */
#define OP_MASK 0x1f
#define BYTE 0x20 /* its operand is a byte */
#define IMM8 0x40 /* a byte of immediate follows */
#define IMM 0x80 /* an immediate of the operand's size, 4 bytes at most */
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

static u64 mask_of(unsigned int size)
{
	return ~0ULL >> (64 - size * 8);
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

static noinline bool decode(struct store_insn *i, const u8 *code)
{
	unsigned int rex = 0, opcode, memory, n;
	bool small = false, narrow = false, two_byte;
	const u8 *p = code;

	for (; (opcodes[*p] & OP_MASK) == OP_PREFIX; p++) {
		small |= *p == 0x66;
		narrow |= *p == 0x67;
		i->rep |= *p == 0xf2 || *p == 0xf3;
		i->locked |= *p == 0xf0;
		if (p - code > 4 || (narrow && guest32))
			return false; /* 16-bit addresses are nobody's */
	}
	if (!guest32 && (*p & 0xf0) == 0x40)
		rex = *p++;
	two_byte = *p == 0x0f;
	opcode = two_byte ? opcodes_0f[*++p] : opcodes[*p];
	i->size = opcode & BYTE ? 1 : rex & 8 ? 8 : small ? 2 : 4;
	if (!two_byte && *p >= 0xa2 && *p <= 0xab)
		return opcode && decode_short(i, opcode, p + 1 - code, narrow);
	i->op = operation(opcode, p[1], i->size);
	i->locked |= i->op == OP_XCHG || i->op >= OP_CMPXCHG;
	memory = modrm_length(p + 1);
	if (i->op == OP_NONE || !memory)
		return false;
	i->rex = rex;
	i->operand = p + 1 - code;
	n = (p[1] >> 3 & 7) | (rex & 4) << 1;
	i->reg = reg_offset(n, i->size, rex);
	if (opcode & (IMM8 | IMM)) {
		i->immediate_length = opcode & IMM8 ? 1 : min(i->size, 4u);
		i->immediate = immediate(p + 1 + memory, i->immediate_length);
	}
	i->length = p + 1 + memory + i->immediate_length - code;
	if (i->op == OP_CMPXCHG8B)
		i->size = 8;
	return i->size <= pte_bytes;
}

static void set_flags(u64 *rflags, u64 mask, u64 flags)
{
	*rflags = (*rflags & ~mask) | (flags & mask);
}

/* dst = dst OP src, on the top bytes of 64 bits so that flags come out right. */
#define ALU(insn, dst, src, flags)                                                             \
	__asm__(insn " %2, %0; pushf; pop %1" : "+r"(dst), "=r"(flags) : "r"(src) : "cc")

/* The same with the carry, bit 0 of @rflags: below the operand are ones if it is set. */
#define ALU_CARRY(insn, dst, src, flags, rflags)                                               \
	__asm__("bt $0, %3; " insn " %2, %0; pushf; pop %1"                                    \
		: "+r"(dst), "=&r"(flags)                                                      \
		: "r"(src), "r"(rflags)                                                        \
		: "cc")

/* What is seldom used */
static noinline u64 other_alu(unsigned int op, unsigned int size, u64 old, u64 source,
			      u64 *rflags)
{
	unsigned int shift = 64 - size * 8;
	u64 dst = old << shift, one = 1ULL << shift, mask = RFLAGS_ARITHMETIC, flags;

	source <<= shift;
	if (*rflags & RFLAGS_CF)
		source |= one - 1; /* for the carry to pass */
	switch (op) {
	case OP_ADC:
		ALU_CARRY("adc", dst, source, flags, *rflags);
		break;
	case OP_SBB:
		ALU_CARRY("sbb", dst, source, flags, *rflags);
		break;
	case OP_INC:
		ALU("add", dst, one, flags);
		mask &= ~(u64)RFLAGS_CF;
		break;
	case OP_DEC:
		ALU("sub", dst, one, flags);
		mask &= ~(u64)RFLAGS_CF;
		break;
	case OP_NEG:
		source = dst;
		dst = 0;
		ALU("sub", dst, source, flags);
		break;
	case OP_NOT:
		return ~old;
	default: /* OP_MOVS */
		return source >> shift;
	}
	set_flags(rflags, mask, flags);
	return dst >> shift;
}

static noinline u64 alu(unsigned int op, unsigned int size, u64 old, u64 source, u64 *rflags)
{
	unsigned int shift = 64 - size * 8;
	u64 dst = old << shift, src = source << shift, flags;

	switch (op) {
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
	case OP_ADD:
	case OP_XADD:
		ALU("add", dst, src, flags);
		break;
	default:
		return other_alu(op, size, old, source, rflags);
	}
	set_flags(rflags, RFLAGS_ARITHMETIC, flags);
	return dst >> shift;
}

static u64 bit_operation(const struct store_insn *i, u64 old, u64 source, u64 *rflags)
{
	u64 bit = 1ULL << (source & (i->size * 8 - 1));

	set_flags(rflags, RFLAGS_CF, old & bit ? RFLAGS_CF : 0);
	return i->op == OP_BTS ? old | bit : i->op == OP_BTR ? old & ~bit : old ^ bit;
}

static u64 exchange_if_equal(const struct regs *r, const struct store_insn *i, u64 old,
			     u64 source, u64 *rflags)
{
	unsigned int shift = 64 - i->size * 8;
	u64 expected, difference, flags;

	if (likely(i->op == OP_CMPXCHG)) {
		difference = r->rax << shift;
		ALU("sub", difference, old << shift, flags);
		set_flags(rflags, RFLAGS_ARITHMETIC, flags);
		return difference ? old : source;
	}
	expected = r->rdx << 32 | (u32)r->rax;
	set_flags(rflags, RFLAGS_ZF, old == expected ? RFLAGS_ZF : 0);
	return old == expected ? r->rcx << 32 | (u32)r->rbx : old;
}

/* A register operand: of ah to bh the lowest byte counts. */
static inline u64 *reg_at(struct regs *r, unsigned int offset)
{
	return (u64 *)((u8 *)r + offset);
}

/* The new value of the operand, in its low bytes; flags go to @rflags. */
static inline u64 compute(const struct regs *r, const struct store_insn *i, u64 old,
			  u64 *rflags)
{
	u64 source = i->immediate_length ? i->immediate : *reg_at((struct regs *)r, i->reg);

	if (i->op == OP_MOV || i->op == OP_XCHG)
		return source;
	if (i->op > OP_STOS)
		return exchange_if_equal(r, i, old, source, rflags);
	if (i->op <= OP_BTC)
		return bit_operation(i, old, source, rflags);
	return i->op == OP_STOS ? r->rax : alu(i->op, i->size, old, source, rflags);
}

static void put_reg(u64 *reg, u64 value, unsigned int size)
{
	/* A 32-bit result clears the upper half, smaller ones keep the rest. */
	*reg = size == 4 ? value : (*reg & ~mask_of(size)) | value;
}

static void write_registers(struct regs *r, const struct store_insn *i, u64 old)
{
	switch (i->op) {
	case OP_XCHG:
	case OP_XADD:
		put_reg(reg_at(r, i->reg), old, i->size);
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
	case OP_MOVS:
		r->rsi += r->rflags & RFLAGS_DF ? -(u64)i->size : i->size;
		/* fall through */
	case OP_STOS:
		r->rdi += r->rflags & RFLAGS_DF ? -(u64)i->size : i->size;
		if (i->rep && --r->rcx)
			r->rip -= i->length;
		break;
	default:
		break;
	}
}

/* Part of an entry: merge the operand into it. */
static noinline long store_part(const struct regs *r, const struct store_insn *i, void *slot,
				unsigned int offset, u64 *operand, u64 *rflags)
{
	unsigned int shift = offset * 8;
	u64 mask = mask_of(i->size), old, value;
	long rc;

	for (;;) {
		*rflags = r->rflags;
		old = entry_read(slot);
		*operand = old >> shift & mask;
		value = (compute(r, i, *operand, rflags) & mask) << shift;
		value |= old & ~(mask << shift);
		rc = entry_exchange(slot, old, value);
		if (likely(!rc))
			return 0;
		/*
		 * Half an entry, which the other half will make a good one: until then
		 * it is not present (Xen, ptwr_emulated_update(); 3.0.3 has it for both
		 * halves).
		 */
		if (rc != -XEN_EAGAIN && guest32 && i->size == 4 && !i->locked &&
		    (offset || ABI_PTWR_ANY_HALF))
			rc = entry_exchange(slot, old, value & ~PTE_P);
		if (rc != -XEN_EAGAIN)
			return rc;
	}
}

static long store_whole(const struct regs *r, const struct store_insn *i, void *slot,
			u64 *operand, u64 *rflags)
{
	u64 value;
	long rc;

	do {
		*rflags = r->rflags;
		*operand = entry_read(slot);
		value = compute(r, i, *operand, rflags);
		if (unlikely(pte_bytes == 4))
			value = (u32)value;
		rc = entry_exchange(slot, *operand, value);
		if (likely(!rc))
			return 0;
	} while (rc == -XEN_EAGAIN);
	return rc;
}

/* Compute, have it checked and stored; registers change only if it is. */
static inline bool store(struct regs *r, const struct store_insn *i, u64 paddr)
{
	u64 operand, rflags;
	long rc;

	if (likely(i->size == pte_bytes))
		rc = store_whole(r, i, direct(paddr), &operand, &rflags);
	else
		rc = store_part(r, i, direct(paddr & ~(pte_bytes - 1ULL)),
				paddr & (pte_bytes - 1), &operand, &rflags);
	if (unlikely(rc))
		return false;
	r->rflags = rflags;
	r->rip += i->length;
	if (i->op >= OP_XADD)
		write_registers(r, i, operand);
	return true;
}

/* copy_from_guest() of 16 bytes, in two loads */
static inline bool fetch_code(u64 *low, u64 *high, u64 rip)
{
	u64 ok = 1;

	if (unlikely(!guest_range_ok(rip, 16)))
		return false;
	__asm__ volatile("1:	mov	(%3), %0\n"
			 "2:	mov	8(%3), %1\n"
			 "3:\n"
			 "	.subsection 1\n"
			 "4:	xor	%k2, %k2\n"
			 "	jmp	3b\n"
			 "	.previous\n"
			 "	.pushsection .extable, \"a\"\n"
			 "	.quad	1b, 4b, 2b, 4b\n"
			 "	.popsection"
			 : "=&r"(*low), "=&r"(*high), "+r"(ok)
			 : "r"(rip)
			 : "memory");
	return ok;
}

/* Code at the end of a mapping: take what is there. */
static noinline bool fetch_less(u64 code[2], u64 rip)
{
	u64 bytes[2] = { 0 };
	long rc = copy_from_guest(bytes, rip, min(4096 - (rip & 4095), sizeof(bytes)));

	code[0] = bytes[0];
	code[1] = bytes[1];
	return !rc;
}

/* movs: its source is an immediate that is read each time; what faults is the store. */
static const struct store_insn *load_source(struct vcpu *v, const struct regs *r,
					    struct store_insn *i)
{
	struct store_insn *loaded = &v->recent_stores[RECENT_STORES];

	*loaded = *i;
	i->length = 0;
	loaded->immediate_length = i->size;
	return copy_from_guest(&loaded->immediate, r->rsi, i->size) ? NULL : loaded;
}

static noinline const struct store_insn *decode_into(struct vcpu *v, const struct regs *r,
						     struct store_insn *i, u64 low, u64 high)
{
	u64 code[3] = { low, high, 0 }; /* decode() may look behind 16 bytes */

	*i = (struct store_insn){ .code = { code[0], code[1] } };
	if (decode(i, (const u8 *)code))
		return i->op == OP_MOVS ? load_source(v, r, i) : i;
	i->length = 0;
	return NULL;
}

/* The instruction at rip: a kernel has few that write page tables. */
static inline const struct store_insn *instruction(struct vcpu *v, const struct regs *r)
{
	u64 rip = r->rip;
	struct store_insn *i = &v->recent_stores[(rip ^ rip >> 4) % RECENT_STORES];
	u64 low, high, code[2];

	if (unlikely(!fetch_code(&low, &high, rip))) {
		if (!fetch_less(code, rip))
			return NULL;
		low = code[0];
		high = code[1];
	}
	if (likely(i->code[0] == low && i->code[1] == high && i->length))
		return i;
	return decode_into(v, r, i, low, high);
}

static inline bool is_l1_table(u64 mfn)
{
	return mfn < boot->end_mfn && (frame_table[mfn] & (FRAME_OWNED | FRAME_TYPE_MASK)) ==
					      (FRAME_OWNED | 1ULL << FRAME_TYPE_SHIFT);
}

static u64 reg_value(const struct regs *r, unsigned int n)
{
	return ((const u64 *)r)[reg_index(n)];
}

/* Of an address by a ModRM byte no more than the lowest byte is right. */
static u64 low_address(const struct store_insn *i, const struct regs *r)
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

/*
 * A fault at the start of a page: does the operand begin on the page before?  Then it
 * is not where CR2 says, and not aligned (Xen 4.17 ptwr_emulated_update() compares the
 * two).  Segments of guests begin at multiples of an entry's size.
 */
static noinline bool crosses_page(const struct store_insn *i, const struct regs *r)
{
	u64 at;

	if (i->op == OP_STOS || i->op == OP_MOVS)
		at = r->rdi;
	else if (i->absolute)
		at = ((const u8 *)i->code)[i->operand];
	else
		at = low_address(i, r);
	return at & (i->size - 1);
}

bool ptwr_emulate(struct vcpu *v, struct regs *r, u64 addr)
{
	const struct store_insn *i;
	const void *slot;
	u64 pte;

	if (!vm_assist(VMASST_TYPE_writable_pagetables))
		return false;
	slot = walk(v, addr, 1);
	pte = slot ? entry_read(slot) : 0;
	if ((pte & (PTE_P | PTE_RW)) != PTE_P || !is_l1_table(pte_mfn(pte)))
		return false;
	i = instruction(v, r);
	if (!i || (addr & (i->size - 1)))
		return false;
	if (unlikely(!(addr & 4095)) && crosses_page(i, r))
		return false;
	if (!store(r, i, (pte & PTE_ADDR) | (addr & 4095)))
		return false;
	count(v, STAT_PTWR);
	return true;
}
