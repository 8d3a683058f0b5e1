/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entry.S - every way into the monitor, and the one way back to the guest
 *
 * From the guest: swapgs, all registers to the top of the vCPU's stack, a C
 * function, guest_exit.  From the monitor itself (interrupts while it waits,
 * its own faults): no swapgs, the frame lies where the stack is.
 */
#include "vcpu.h"

	.macro	save_registers
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.endm

	.macro	restore_registers
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	.endm

	/* The frame of a SYSCALL from @cs: rcx is the guest's rip, r11 its rflags. */
	.macro	syscall_frame cs
	swapgs
	mov	%rsp, %gs:VCPU_GUEST_RSP
	mov	%gs:VCPU_STACK, %rsp
	push	$SEL_USER_DS
	push	%gs:VCPU_GUEST_RSP
	push	%r11
	push	$\cs
	push	%rcx
	push	$0
	movl	$ENTRY_SYSCALL, 4(%rsp)
	save_registers
	mov	%rsp, %rdi
	.endm

	.text

/* 256 entries of the IDT, 16 bytes each: error code (if none came), vector above */
	.balign	16
	.globl	idt_stubs
idt_stubs:
	vector = 0
	.rept	256
	.balign	16
	.if	(vector >= 32) || !((TRAPS_WITH_ERROR >> (vector & 31)) & 1)
	push	$0
	.endif
	movl	$vector, 4(%rsp)
	.if	(vector == TRAP_DB) || (vector == TRAP_NMI) || (vector == TRAP_DF) || (vector == TRAP_MC)
	jmp	ist_entry
	.else
	jmp	trap_entry
	.endif
	vector = vector + 1
	.endr

	.balign	16
trap_entry:
	cld
	testb	$3, 2 * 8(%rsp)
	jz	trap_in_monitor
	swapgs
	save_registers
	mov	%rsp, %rdi
	call	guest_trap
	jmp	guest_exit

/*
 * #DB, NMI, #DF and #MC come on stacks of their own (IST).  From the guest, the
 * frame moves to the vCPU's stack and goes the common way.
 */
	.balign	16
ist_entry:
	cld
	testb	$3, 2 * 8(%rsp)
	jz	trap_in_monitor
	swapgs
	push	%rax
	push	%rcx
	mov	%gs:VCPU_STACK, %rax
	/* error and vector, rip, cs, rflags, rsp, ss */
	.irp	n, 0, 1, 2, 3, 4, 5
	mov	(\n + 2) * 8(%rsp), %rcx
	mov	%rcx, (\n - 6) * 8(%rax)
	.endr
	sub	$6 * 8, %rax
	xchg	%rax, 8(%rsp)
	pop	%rcx
	pop	%rsp
	save_registers
	mov	%rsp, %rdi
	call	guest_trap
	jmp	guest_exit

trap_in_monitor:
	save_registers
	mov	%rsp, %rdi
	lea	guest_iretq(%rip), %rax
	cmp	%rax, REGS_RIP(%rsp)
	je	iretq_fault
	call	monitor_trap
	restore_registers
	add	$8, %rsp
	iretq

/*
 * The guest's own iret frame was refused, to the guest an exception at the place
 * it wanted to go to (Xen 4.17 x86_64/entry.S, pre-exception table): its frame, of
 * five words, lies where the fault's saved rsp points.
 */
iretq_fault:
	swapgs
	mov	%rsp, %rdi
	mov	REGS_RSP(%rsp), %rsi
	mov	%gs:VCPU_STACK, %rdx
	sub	$REGS_BYTES, %rdx
	and	$~15, %rsp
	call	iretq_fault_frame
	mov	%rax, %rsp
	mov	%rax, %rdi
	call	guest_iret_fault
	jmp	guest_exit

	.balign	16
	.globl	syscall_entry
syscall_entry:
	syscall_frame SEL_USER_CS
	cmpb	$0, %gs:VCPU_KERNEL_MODE
	je	1f
	call	guest_hypercall
	jmp	guest_exit
1:	call	guest_syscall
	jmp	guest_exit

/* From 32-bit code of a user */
	.balign	16
	.globl	syscall32_entry
syscall32_entry:
	syscall_frame SEL_USER_CS32
	call	guest_syscall
	jmp	guest_exit

/*
 * SYSENTER, on the vCPU's stack.  It tells neither rip nor rsp and leaves rflags as
 * they were, TF included: monitor_trap().  The frame is Xen's, with a null selector
 * of ring 3 for cs (4.17 x86_64/entry.S, sysenter_entry).
 */
	.balign	16
	.globl	sysenter_entry, sysenter_flags_saved
sysenter_entry:
	swapgs
	push	$SEL_USER_DS
	push	$0
	pushfq
sysenter_flags_saved:
	push	$3
	push	$0
	push	$0
	movl	$ENTRY_SYSCALL, 4(%rsp)
	save_registers
	push	$2
	popfq
	mov	%rsp, %rdi
	call	guest_sysenter
	/* fall through */

/*
 * Back to the guest: first whatever events are due.  upcall_pending and
 * upcall_mask are the first two bytes of vcpu_info.
 */
	.globl	guest_exit
guest_exit:
	mov	%gs:VCPU_INFO, %rax
	movzwl	(%rax), %eax
	dec	%eax
	cmp	$0xfe, %eax		/* pending, and not masked */
	ja	2f
	mov	%rsp, %rdi
	call	guest_upcall
2:	andl	$~(RFLAGS_IOPL | RFLAGS_VM), REGS_RFLAGS(%rsp)
	orl	$RFLAGS_IF, REGS_RFLAGS(%rsp)
	testl	$ENTRY_SYSCALL, REGS_VECTOR(%rsp)
	jz	return_by_iretq
	cmpb	$0, %gs:VCPU_NO_SYSRET
	jne	return_by_iretq
	/* sysretq to a non-canonical rip faults in ring 0 (SDM, SYSRET). */
	mov	REGS_RIP(%rsp), %rcx
	sar	$47, %rcx
	inc	%rcx
	cmp	$1, %rcx
	ja	return_by_iretq
	cmpw	$SEL_USER_CS, REGS_CS(%rsp)
	jne	return_by_iretq
	testl	$(RFLAGS_RF | RFLAGS_TF), REGS_RFLAGS(%rsp)
	jnz	return_by_iretq
	restore_registers
	mov	REGS_RIP - 15 * 8(%rsp), %rcx
	mov	REGS_RFLAGS - 15 * 8(%rsp), %r11
	mov	REGS_RSP - 15 * 8(%rsp), %rsp
	swapgs
	sysretq

return_by_iretq:
	restore_registers
	add	$8, %rsp
	swapgs
guest_iretq:
	iretq

/*
 * enter_guest(stack) - first entry of a vCPU
 */
	.globl	enter_guest
enter_guest:
	lea	-REGS_BYTES(%rdi), %rsp
	jmp	guest_exit

/*
 * copy_guest(to, from, bytes) - copy between the monitor and guest addresses
 * that the caller has checked.  Returns the bytes left: 0, or it faulted.
 */
	.balign	16
	.globl	copy_guest
copy_guest:
	mov	%rdx, %rcx
	test	$7, %dl
	jnz	3f
	shr	$3, %rcx
	jz	4f
1:	mov	(%rsi), %rax
2:	mov	%rax, (%rdi)
	add	$8, %rsi
	add	$8, %rdi
	dec	%rcx
	jnz	1b
	mov	%rcx, %rax
	ret
3:	rep movsb
4:	mov	%rcx, %rax
	ret
	.pushsection .extable, "a"
	.quad	1b, 4b, 2b, 4b, 3b, 4b
	.popsection

/* memset and memcpy, for what the compiler asks for */
	.globl	memcpy, memset
memcpy:
	mov	%rdi, %rax
	mov	%rdx, %rcx
	shr	$3, %rcx
	rep movsq
	mov	%edx, %ecx
	and	$7, %ecx
	rep movsb
	ret
memset:				/* of zeroes: nothing else is needed */
	mov	%rdi, %r8
	xor	%eax, %eax
	mov	%rdx, %rcx
	shr	$3, %rcx
	rep stosq
	mov	%edx, %ecx
	and	$7, %ecx
	rep stosb
	mov	%r8, %rax
	ret

	.section .note.GNU-stack, "", @progbits
