/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start.S - x86_64: what the image says of itself, and its first instructions
 */
#define VIRT_BASE 0xffffffff80000000
#include "notes.inc"

	.section .note.Xen, "a", @note
	common_notes .quad
	note XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb"

	.text
	.globl start
start:
	/* All registers as they are, before anything changes them. */
	mov %rax, entry_state + 0(%rip)
	mov %rbx, entry_state + 8(%rip)
	mov %rcx, entry_state + 16(%rip)
	mov %rdx, entry_state + 24(%rip)
	mov %rsi, entry_state + 32(%rip)
	mov %rdi, entry_state + 40(%rip)
	mov %rbp, entry_state + 48(%rip)
	mov %rsp, entry_state + 56(%rip)
	mov %r8, entry_state + 64(%rip)
	mov %r9, entry_state + 72(%rip)
	mov %r10, entry_state + 80(%rip)
	mov %r11, entry_state + 88(%rip)
	mov %r12, entry_state + 96(%rip)
	mov %r13, entry_state + 104(%rip)
	mov %r14, entry_state + 112(%rip)
	mov %r15, entry_state + 120(%rip)
	pushfq
	popq entry_state + 128(%rip)
	mov %cs, %eax
	mov %rax, entry_state + 136(%rip)
	mov %ss, %eax
	mov %rax, entry_state + 144(%rip)
	mov %ds, %eax
	mov %rax, entry_state + 152(%rip)
	mov %es, %eax
	mov %rax, entry_state + 160(%rip)
	mov %fs, %eax
	mov %rax, entry_state + 168(%rip)
	mov %gs, %eax
	mov %rax, entry_state + 176(%rip)

	cld
	mov $stack_end, %rsp
	xor %ebp, %ebp
	mov %rsi, %rdi
	call guest_start
	ud2

	.data /* not .bss: nothing may depend on its being cleared already */
	.balign 16
	.globl entry_state
entry_state:
	.fill 23, 8, 0

	.bss
	.balign 4096
	.globl stack, stack_end
stack:
	.skip 16384
stack_end:
