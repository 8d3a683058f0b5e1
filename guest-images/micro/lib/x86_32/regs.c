/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regs.c - x86_32: what needs to know the names of registers
 */
#include "guest.h"

void print_regs(const struct regs *r)
{
	diag("eip %08lx cs %04x mask %u eflags %08lx", r->ip, r->cs, r->saved_upcall_mask,
	     r->flags);
	diag("esp %08lx ss %04lx vector %lu error %lx", r->sp, r->ss & 0xffff, r->vector,
	     r->error);
	diag("eax %08lx ebx %08lx ecx %08lx edx %08lx", r->ax, r->bx, r->cx, r->dx);
	diag("esi %08lx edi %08lx ebp %08lx ds %04lx es %04lx", r->si, r->di, r->bp,
	     r->ds & 0xffff, r->es & 0xffff);
}

void user_regs(struct regs *regs)
{
	*regs = (struct regs){
		.ds = FLAT_USER_DS,
		.es = FLAT_USER_DS,
		.ip = USER_CODE,
		.cs = USER_CS,
		.flags = FLAG_IF | 2,
		.sp = USER_STACK,
		.ss = USER_SS,
	};
}
