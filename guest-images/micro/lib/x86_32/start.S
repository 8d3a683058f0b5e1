/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start.S - x86_32: what the image says of itself, and its first instructions
 */
#define __ASSEMBLY__
#include <xen/elfnote.h>

#define VIRT_BASE 0xc0000000

	.macro note type, value:vararg
	.align 4
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\value
2:	.align 4
	.endm

	.section .note.Xen, "a", @note
	note XEN_ELFNOTE_GUEST_OS, .asciz "xenemu-micro"
	note XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
	note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	note XEN_ELFNOTE_LOADER, .asciz "generic"
	note XEN_ELFNOTE_VIRT_BASE, .long VIRT_BASE
	note XEN_ELFNOTE_PADDR_OFFSET, .long VIRT_BASE
	note XEN_ELFNOTE_ENTRY, .long start
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
