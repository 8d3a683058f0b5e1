/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regs.c - x86_64: what needs to know the names of registers
 */
#include "guest.h"

void print_regs(const struct regs *r)
{
	diag("rip %016lx cs %04x mask %u rflags %08lx", r->rip, r->cs, r->saved_upcall_mask,
	     r->rflags);
	diag("rsp %016lx ss %04lx vector %lu error %lx", r->rsp, r->ss, r->vector, r->error);
	diag("rax %016lx rbx %016lx rcx %016lx", r->rax, r->rbx, r->rcx);
	diag("rdx %016lx rsi %016lx rdi %016lx", r->rdx, r->rsi, r->rdi);
	diag("rbp %016lx r8  %016lx r9  %016lx", r->rbp, r->r8, r->r9);
	diag("r10 %016lx r11 %016lx r12 %016lx", r->r10, r->r11, r->r12);
	diag("r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
}

void user_regs(struct regs *regs)
{
	*regs = (struct regs){
		.rip = USER_CODE,
		.cs = USER_CS,
		.rflags = FLAG_IF | 2,
		.rsp = USER_STACK,
		.ss = USER_SS,
	};
}
