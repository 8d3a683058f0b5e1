/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regs.c - x86_64: what needs to know the names of registers
 */
#include "guest.h"

void print_regs(const struct regs *r)
{
	diag("rip %016lx cs %04x mask %u rflags %08lx", r->ip, r->cs, r->saved_upcall_mask,
	     r->flags);
	diag("rsp %016lx ss %04lx vector %lu error %lx", r->sp, r->ss, r->vector, r->error);
	diag("rax %016lx rbx %016lx rcx %016lx", r->ax, r->bx, r->cx);
	diag("rdx %016lx rsi %016lx rdi %016lx", r->dx, r->si, r->di);
	diag("rbp %016lx r8  %016lx r9  %016lx", r->bp, r->r8, r->r9);
	diag("r10 %016lx r11 %016lx r12 %016lx", r->r10, r->r11, r->r12);
	diag("r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
}

void user_regs(struct regs *regs)
{
	*regs = (struct regs){
		.ip = USER_CODE,
		.cs = USER_CS,
		.flags = FLAG_IF | 2,
		.sp = USER_STACK,
		.ss = USER_SS,
	};
}
