/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.h - instructions of the guest's that the monitor carries out
 */
#ifndef MONITOR_DECODE_H
#define MONITOR_DECODE_H

#include "x86.h"

struct regs;

/**
 * struct prefixes - what an instruction begins with
 * @small:  operand size
 * @narrow: address size
 * @rep, @locked: repeat, lock
 * @rex:    REX, or 0
 */
struct prefixes {
	bool small, narrow, rep, locked;
	u8 rex;
};

/** enum operation - what a store does; ptwr.c relies on the order */
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
};

/**
 * struct store_insn - a decoded store
 * @code:      its bytes, and what follows them
 * @immediate: second operand, unless @immediate_length is 0: then it is @reg
 * @op:        enum operation
 * @size:      bytes of the memory operand
 * @length, @immediate_length: bytes of the instruction, of the immediate in it
 * @reg:       offset of the register operand in struct regs
 * @operand:   index in @code of the ModRM byte, or of an absolute address
 * @rex:       REX prefix, or 0
 * @absolute:  the address is part of the instruction
 * @rep:       repeated: rcx counts
 * @locked:    by a prefix, or as xchg and cmpxchg are without
 */
struct store_insn {
	u64 code[2];
	u64 immediate;
	u8 op, size, length, immediate_length, reg, operand, rex;
	bool absolute : 1, rep : 1, locked : 1;
};

/** reg_index() - index in struct regs of the register that is encoded as @n, 0 to 15 */
unsigned int reg_index(unsigned int n);

/**
 * decode_fetch() - 16 bytes of code at @rip, of which those behind a mapping's end are 0
 * Return: false: there is none
 */
bool decode_fetch(void *code, u64 rip);

/** decode_prefixes() - Return: what comes after them in @code; NULL: they are too many */
const u8 *decode_prefixes(const u8 *code, struct prefixes *found);

/**
 * decode_store() - decode a store, of the forms that page tables are written with
 * @i:    filled in
 * @low, @high: as decode_fetch() has them
 * Return: false for anything else
 */
bool decode_store(struct store_insn *i, u64 low, u64 high);

/** store_address() - where a store goes; no more than the lowest byte of it is right */
u64 store_address(const struct store_insn *i, const struct regs *r);

#endif
