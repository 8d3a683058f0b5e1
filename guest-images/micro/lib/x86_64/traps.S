/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traps.S - x86_64: a stub for each vector and callback, and the way back
 *
 * Xen's frame is, from the stack pointer up: rcx, r11, [error code], rip,
 * cs and saved mask, rflags, rsp, ss.  Stubs make it a struct regs.
 */
#define __ASSEMBLY__
#include "stubs.h"
#include <xen/xen.h>

	.text

	/* All stubs have one size, so that C can compute their addresses. */
	.balign 32
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept NR_STUBS
	.balign 32
	pop %rcx
	pop %r11
	.if HAS_ERROR_CODE(vector)
	.elseif vector == STUB_FAILSAFE
	pop failsafe_selectors + 0(%rip)
	pop failsafe_selectors + 8(%rip)
	jmp failsafe_rest
	.else
	push $0
	.endif
	push $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

failsafe_rest:
	pop failsafe_selectors + 16(%rip)
	pop failsafe_selectors + 24(%rip)
	push $0
	push $STUB_FAILSAFE

trap_common:
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rax
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rbx
	mov %rsp, %rdi
	and $-16, %rsp
	cld
	call trap_dispatch
	mov %rbx, %rsp
	mov iret_flags(%rip), %rsi
	jmp load_regs

/* return_to_guest(regs, flags): as if a trap had saved regs */
	.globl return_to_guest
return_to_guest:
	/* iret takes what is above its frame from the stack: copy regs there. */
	sub $176, %rsp
	and $-16, %rsp
	mov %rsi, %rax
	mov %rdi, %rsi
	mov %rsp, %rdi
	mov $22, %ecx
	rep movsq
	mov %rax, %rsi

load_regs:
	/*
	 * Below rip the iret frame has rax, r11, rcx, flags: they take the
	 * places of rsi, rdi, vector and error in struct regs.
	 */
	mov %rsi, 16 * 8(%rsp)
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rax
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	add $8, %rsp
	push %rcx
	push %r11
	push %rax
	mov $__HYPERVISOR_iret, %eax
	syscall
	ud2

/* int save_context(struct jump_context *) */
	.globl save_context
save_context:
	mov %rbx, 0(%rdi)
	mov %rbp, 8(%rdi)
	mov %r12, 16(%rdi)
	mov %r13, 24(%rdi)
	mov %r14, 32(%rdi)
	mov %r15, 40(%rdi)
	lea 8(%rsp), %rax
	mov %rax, 48(%rdi)
	mov (%rsp), %rax
	mov %rax, 56(%rdi)
	xor %eax, %eax
	ret

/* void load_context(struct jump_context *, int value) */
	.globl load_context
load_context:
	mov 0(%rdi), %rbx
	mov 8(%rdi), %rbp
	mov 16(%rdi), %r12
	mov 24(%rdi), %r13
	mov 32(%rdi), %r14
	mov 40(%rdi), %r15
	mov 48(%rdi), %rsp
	mov %esi, %eax
	jmp *56(%rdi)
