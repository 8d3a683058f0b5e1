/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start.S - x86_32: what the image says of itself, and its first instructions
 */
#define VIRT_BASE 0xc0000000
#include "notes.inc"

	.section .note.Xen, "a", @note
	common_notes .long
#if PAGING_LEVELS == 3
	note XEN_ELFNOTE_PAE_MODE, .asciz "yes"
	note XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb"
#else
	note XEN_ELFNOTE_PAE_MODE, .asciz "no"
	note XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables"
#endif

	.text
	.globl start
start:
	/* All registers as they are, before anything changes them. */
	mov %eax, entry_state + 0
	mov %ebx, entry_state + 4
	mov %ecx, entry_state + 8
	mov %edx, entry_state + 12
	mov %esi, entry_state + 16
	mov %edi, entry_state + 20
	mov %ebp, entry_state + 24
	mov %esp, entry_state + 28
	pushfl
	popl entry_state + 32
	mov %cs, %eax
	mov %eax, entry_state + 36
	mov %ss, %eax
	mov %eax, entry_state + 40
	mov %ds, %eax
	mov %eax, entry_state + 44
	mov %es, %eax
	mov %eax, entry_state + 48
	mov %fs, %eax
	mov %eax, entry_state + 52
	mov %gs, %eax
	mov %eax, entry_state + 56

	cld
	mov $stack_end - 12, %esp
	xor %ebp, %ebp
	push %esi
	call guest_start
	ud2

	.data /* not .bss: nothing may depend on its being cleared already */
	.balign 16
	.globl entry_state
entry_state:
	.fill 15, 4, 0

	.bss
	.balign 4096
	.globl stack, stack_end
stack:
	.skip 16384
stack_end:
