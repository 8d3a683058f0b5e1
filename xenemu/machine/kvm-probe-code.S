/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-probe-code.S - what the throw-away VM of kvm-probe.c executes
 *
 * Copied to PROBE_WINDOW + PROBE_CODE and entered at one of the kvm_probe_*
 * labels, in 64-bit ring 0.
 */
#include "machine/kvm-probe-code.h"

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define RUN_TIME(label) (label - kvm_probe_code + PROBE_WINDOW + PROBE_CODE)

	.section .rodata
	.globl	kvm_probe_code, kvm_probe_code_end
	.globl	kvm_probe_iret, kvm_probe_slot256, kvm_probe_syscall, kvm_probe_sysret, kvm_probe_xsetbv
	.globl	kvm_probe_ring1
	.globl	kvm_probe_trap, kvm_probe_trap_error
	.code64
	.balign	16
kvm_probe_code:

/* To 64-bit ring 3, which traps back. */
kvm_probe_iret:
	pushq	$PROBE_DS3
	pushq	$(PROBE_WINDOW + PROBE_STACK3)
	pushq	$2
	pushq	$PROBE_CS3
	pushq	$RUN_TIME(user)
	iretq

user:	ud2

/* Ring 3 reads where Xen has its machine-to-phys table. */
kvm_probe_slot256:
	pushq	$PROBE_DS3
	pushq	$(PROBE_WINDOW + PROBE_STACK3)
	pushq	$2
	pushq	$PROBE_CS3
	pushq	$RUN_TIME(reader)
	iretq

reader:	movabsq	$(PROBE_SLOT_256 + PROBE_WINDOW), %rax
	movq	(%rax), %rax
	ud2

/* The way of a system call: to ring 3, in by syscall. */
kvm_probe_syscall:
	movl	$RUN_TIME(entered), %ebx
	jmp	system_call

/* And out by sysretq. */
kvm_probe_sysret:
	movl	$RUN_TIME(kernel), %ebx
system_call:
	movl	$MSR_STAR, %ecx
	xorl	%eax, %eax
	movl	$(PROBE_CS3_32 << 16 | PROBE_CS0), %edx
	wrmsr
	movl	$MSR_LSTAR, %ecx
	movl	%ebx, %eax
	xorl	%edx, %edx
	wrmsr
	pushq	$PROBE_DS3
	pushq	$(PROBE_WINDOW + PROBE_STACK3)
	pushq	$2
	pushq	$PROBE_CS3
	pushq	$RUN_TIME(caller)
	iretq

caller:	syscall
	ud2

kernel:	sysretq

entered:
	movl	$PROBE_DONE, %eax
	outw	%ax, $PROBE_PORT
	hlt

kvm_probe_xsetbv:
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$1, %eax
	xsetbv
	movl	$PROBE_DONE, %eax
	outw	%ax, $PROBE_PORT
	hlt

/* To 32-bit ring 1, which makes a system call as PV kernels do. */
kvm_probe_ring1:
	pushq	$PROBE_DS1
	pushq	$(PROBE_WINDOW + PROBE_STACK3)
	pushq	$2
	pushq	$PROBE_CS1
	pushq	$RUN_TIME(ring1)
	iretq

	.code32
ring1:	int	$0x82
	ud2

	.code64
/* #GP: what ring 3 may not do, tried where ring 0 was expected. */
kvm_probe_trap_error:
	movl	$PROBE_REFUSED, %eax
	outw	%ax, $PROBE_PORT
	hlt

kvm_probe_trap:
	movq	8(%rsp), %rax
	outw	%ax, $PROBE_PORT
	hlt
kvm_probe_code_end:
	.section .note.GNU-stack, "", @progbits
