/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traps.S - x86_32: a stub for each vector and callback, and the way back
 *
 * Xen's frame is, from the stack pointer up: [error code], eip, cs and saved
 * mask, eflags, and esp and ss if the ring changed.  Stubs make it a struct regs.
 */
#define __ASSEMBLY__
#include "stubs.h"
#include <xen/xen.h>

/* struct regs */
#define BX 0
#define CX 4
#define DX 8
#define SI 12
#define DI 16
#define BP 20
#define AX 24
#define DS 28
#define ES 32
#define VECTOR 36
#define IP 44
#define CS 48
#define FLAGS 52
#define SP 56
#define SS 60
#define REGS_BYTES 64

#define UPCALL_MASK 1 /* in struct vcpu_info */
#define USER 2 /* in cs: bit that ring 3 has and ring 1 has not */

	.text

	/* All stubs have one size, so that C can compute their addresses. */
	.balign 32
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept NR_STUBS
	.balign 32
	.if HAS_ERROR_CODE(vector)
	.elseif vector == STUB_FAILSAFE
	jmp failsafe_selectors_first
	.else
	push $0
	.endif
	push $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

failsafe_selectors_first:
	pop %ss:failsafe_selectors + 0
	pop %ss:failsafe_selectors + 4
	pop %ss:failsafe_selectors + 8
	pop %ss:failsafe_selectors + 12
	push $0
	push $STUB_FAILSAFE

trap_common:
	testb $USER, CS - VECTOR(%esp)
	jnz 1f
	/* Make room for sp and ss above the five words that there are. */
	sub $8, %esp
	.set word, 0
	.rept 5
	push 8 + 4 * word(%esp)
	pop 4 * word(%esp)
	.set word, word + 1
	.endr
1:	push %es
	push %ds
	push %eax
	push %ebp
	push %edi
	push %esi
	push %edx
	push %ecx
	push %ebx
	mov $FLAT_KERNEL_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	testb $USER, CS(%esp)
	jnz 2f
	lea REGS_BYTES(%esp), %eax
	mov %eax, SP(%esp)
	mov %ss, %eax
	mov %eax, SS(%esp)
2:	mov %esp, %ebx
	and $-16, %esp
	sub $12, %esp
	push %ebx
	cld
	call trap_dispatch
	push iret_flags
	push %ebx
	call return_to_guest

/* return_to_guest(regs, flags): as if a trap had saved regs; flags: 64-bit only */
	.globl return_to_guest
return_to_guest:
	mov 4(%esp), %ebx
	/*
	 * Once the stack pointer is the interrupted code's, an upcall would
	 * overwrite regs below it.  The iret sets the mask as eflags say.
	 */
	mov vcpu_info, %eax
	movb $1, UPCALL_MASK(%eax)
	mov FLAGS(%ebx), %eax
	movzwl CS(%ebx), %ecx
	mov IP(%ebx), %edx
	mov AX(%ebx), %esi
	testb $USER, CS(%ebx)
	jnz 3f
	/* The frame may overlap regs: what it overwrites has been read by then. */
	mov SP(%ebx), %esp
	jmp 4f
3:	push SS(%ebx)
	push SP(%ebx)
4:	push %eax
	push %ecx
	push %edx
	push %esi
	push ES(%ebx)
	push DS(%ebx)
	push BP(%ebx)
	push DI(%ebx)
	push SI(%ebx)
	push DX(%ebx)
	push CX(%ebx)
	push BX(%ebx)
	pop %ebx
	pop %ecx
	pop %edx
	pop %esi
	pop %edi
	pop %ebp
	pop %ds
	pop %es
	mov $__HYPERVISOR_iret, %eax
	int $0x82
	ud2

/* int save_context(struct jump_context *) */
	.globl save_context
save_context:
	mov 4(%esp), %ecx
	mov %ebx, 0(%ecx)
	mov %ebp, 4(%ecx)
	mov %esi, 8(%ecx)
	mov %edi, 12(%ecx)
	lea 4(%esp), %eax
	mov %eax, 16(%ecx)
	mov (%esp), %eax
	mov %eax, 20(%ecx)
	xor %eax, %eax
	ret

/* void load_context(struct jump_context *, int value) */
	.globl load_context
load_context:
	mov 4(%esp), %ecx
	mov 8(%esp), %eax
	mov 0(%ecx), %ebx
	mov 4(%ecx), %ebp
	mov 8(%ecx), %esi
	mov 12(%ecx), %edi
	mov 16(%ecx), %esp
	jmp *20(%ecx)
