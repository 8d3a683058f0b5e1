/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-rom.S - all the firmware that machine qemu has
 *
 * The last 256 bytes below 4 GiB.  From the reset vector (16-bit, CS base
 * 0xffff0000, SDM 3A 10.1.4) straight to the entry that boot_info names, in
 * the state of the 32-bit PVH entry.  Memory is not touched: the helper has
 * already put everything there.
 */
#include "protocol.h"

#define ROM_PADDR 0xffffff00
#define ROM_IP 0xff00 /* offset of ROM_PADDR from the CS base */

	.section .rodata
	.globl	qemu_rom, qemu_rom_end
	.code16
qemu_rom:
	cli
	lgdtl	%cs:(gdt_pointer - qemu_rom + ROM_IP)
	movl	$0x11, %eax			/* PE, ET; caches on */
	movl	%eax, %cr0
	ljmpl	$8, $(flat - qemu_rom + ROM_PADDR)

	.code32
flat:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	xorl	%ebx, %ebx
	jmp	*(BOOT_INFO_PADDR + BOOT_INFO_ENTRY)

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff		/* 8: code, 4 GiB */
	.quad	0x00cf93000000ffff		/* 0x10: data, 4 GiB */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt - qemu_rom + ROM_PADDR

	.fill	0xf0 - (. - qemu_rom), 1, 0xf4
	.code16
	jmp	qemu_rom			/* 0xfffffff0: reset vector */
	.fill	0x100 - (. - qemu_rom), 1, 0xf4
qemu_rom_end:
	.section .note.GNU-stack, "", @progbits
