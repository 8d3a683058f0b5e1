/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start.S - from the 32-bit PVH entry to monitor_start() in long mode
 *
 * Entered with flat 32-bit segments, paging off.  The first 1 GiB of machine
 * memory is mapped twice: at 0 for the few instructions here, and at IMAGE_VA,
 * where the monitor is linked.
 */
#include "layout.h"
#include "protocol.h"
#include "x86.h"

#define PHYS(sym) ((sym) - IMAGE_VA)
#define SLOT(va) (((va) >> 39) & 511)

	.section .text.start, "ax"
	.code32
	.globl start32
start32:
	cld
	cli
	mov	$PHYS(boot_l2), %edi	/* 512 entries of 2 MiB */
	mov	$(PTE_P | PTE_RW | PTE_A | PTE_D | PTE_PS), %eax
1:	mov	%eax, (%edi)
	movl	$0, 4(%edi)
	add	$0x200000, %eax
	add	$8, %edi
	cmp	$PHYS(boot_l2 + 4096), %edi
	jb	1b
	movl	$PHYS(boot_l2 + PTE_P + PTE_RW + PTE_A), PHYS(boot_l3)
	movl	$PHYS(boot_l3 + PTE_P + PTE_RW + PTE_A), PHYS(master_root)
	movl	$PHYS(boot_l3 + PTE_P + PTE_RW + PTE_A), PHYS(master_root + 8 * SLOT(IMAGE_VA))

	mov	$(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
	mov	%eax, %cr4
	mov	$PHYS(master_root), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$(EFER_SCE | EFER_LME | EFER_NXE), %eax
	xor	%edx, %edx
	wrmsr
	mov	$(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG), %eax
	mov	%eax, %cr0
	lgdt	PHYS(boot_gdt_pointer)
	ljmp	$8, $PHYS(start64)

	.code64
start64:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	movabs	$boot_stack_end, %rsp
	movabs	$monitor_start, %rax
	call	*%rax
1:	hlt
	jmp	1b

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 8: 64-bit code */
	.quad	0x00cf93000000ffff	/* 16: data */
boot_gdt_pointer:
	.word	. - boot_gdt - 1
	.long	PHYS(boot_gdt)

	.section .bss.pages, "aw", @nobits
	.balign	4096
	.globl	master_root
master_root:
	.skip	4096
boot_l3:
	.skip	4096
boot_l2:
	.skip	4096
boot_stack:
	.skip	8192
boot_stack_end:

	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.section .note.xen, "a", @note
	.balign	4
	.long	4, 8, 18
	.asciz	"Xen"
	.quad	PHYS(start32)

	.section .note.GNU-stack, "", @progbits
