/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptwr.c - writable page tables: a guest's store to an L1 table that it maps
 * read-only is carried out as if it were allowed
 *
 * All guests live on it: XenLinux 2.6 for most of its page-table writes, pvops
 * for the atomic ones (xchg, lock btr, cmpxchg).  The instruction is decoded
 * (arch/decode.c), computed on the entry's value, and the result goes through the
 * same checks as an mmu_update.  For what isn't decoded the guest gets its page
 * fault.
 */
#include "abi-info.h"
#include "mm.h"
#include "trap.h"

static u64 mask_of(unsigned int size)
{
	return ~0ULL >> (64 - size * 8);
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

/* decode_fetch(), in two loads unless a mapping ends there */
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
	if (decode_store(i, low, high) && i->size <= pte_bytes)
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
		if (!decode_fetch(code, rip))
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

/*
 * A fault at the start of a page: does the operand begin on the page before?  Then it
 * is not where CR2 says, and not aligned (Xen 4.17 ptwr_emulated_update() compares the
 * two).  Segments of guests begin at multiples of an entry's size.
 */
static bool crosses_page(const struct store_insn *i, const struct regs *r)
{
	return store_address(i, r) & (i->size - 1);
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
