# SPDX-License-Identifier: GPL-2.0-or-later
#
# machine-payload.s - stands in for the monitor in test-machine.c
#
# 32-bit code, no paging, copied to MONITOR_PADDR and entered there.  It brings
# up its local APIC and, with TRANSPORT_IVSHMEM, the ivshmem device; then it
# posts mailbox calls for ever and does what each result orders (CMD_*), which
# puts the test in charge.  What it saw goes to the page boot_info.heap
# (OUT_*).  Names in capitals are set by test-machine.c from protocol.h.

	.pushsection .rodata
	.balign	4096
	.globl	payload_start, payload_end
	.code32

# Address at run time of a label in this file.
.macro at reg, label
	movl	$(\label - payload_start + MONITOR_PADDR), \reg
.endm

payload_start:
	movl	%cr0, %ecx
	movl	BOOT_INFO_PADDR + INFO_HEAP, %edi
	movl	%ebx, OUT_EBX(%edi)
	movl	%ecx, OUT_CR0(%edi)
	lgdt	gdt_pointer - payload_start + MONITOR_PADDR
	ljmp	$8, $(1f - payload_start + MONITOR_PADDR)
1:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	at	%esp, stack_top
	pushfl
	popl	OUT_EFLAGS(%edi)
	call	set_up_idt
	call	set_up_apic
	cmpl	$TRANSPORT_IVSHMEM, BOOT_INFO_PADDR + INFO_TRANSPORT
	jne	main_loop
	call	set_up_ivshmem

main_loop:
	call	mailbox_call
	cmpl	$NR_COMMANDS, %eax
	jae	main_loop
	call	*(commands - payload_start + MONITOR_PADDR)(, %eax, 4)
	movl	%eax, OUT_RESULT(%edi)
	jmp	main_loop

# Posts an empty call and waits for the answer, as the monitor does: hlt with
# the state checked again, interrupts off, before it.  eax: mailbox.result.
mailbox_call:
	movl	BOOT_INFO_PADDR + INFO_VCPU_AREA, %esi
	movl	$MAILBOX_POSTED, MBOX_STATE(%esi)
	movl	$DOORBELL_VECTOR_CALL, %eax
	movl	$DOORBELL_PORT_CALL, %edx
	call	doorbell
1:	cli
	cmpl	$MAILBOX_DONE, MBOX_STATE(%esi)
	je	2f
	sti
	hlt
	jmp	1b
2:	movl	MBOX_RESULT(%esi), %eax
	ret

# eax: DOORBELL_VECTOR_*, dx: DOORBELL_PORT_*
doorbell:
	cmpl	$TRANSPORT_IVSHMEM, BOOT_INFO_PADDR + INFO_TRANSPORT
	je	1f
	xorl	%eax, %eax
	outl	%eax, %dx
	ret
1:	movl	BOOT_INFO_PADDR + INFO_PEER, %ecx
	shll	$16, %ecx
	orl	%ecx, %eax
	movl	%eax, IVSHMEM_BAR_PADDR + 12	# Doorbell register
	ret

# ---------------------------------------------------------------- commands
command_event:
	movl	$DOORBELL_VECTOR_EVENT, %eax
	movl	$DOORBELL_PORT_EVENT, %edx
	call	doorbell
	xorl	%eax, %eax
	ret

# Waits until a kick has come since the last command; returns the count.
command_wait_kick:
1:	cli
	movl	OUT_KICKS(%edi), %eax
	cmpl	OUT_KICKS_SEEN(%edi), %eax
	jne	2f
	sti
	hlt
	jmp	1b
2:	movl	%eax, OUT_KICKS_SEEN(%edi)
	ret

# No IDT: the fault, the double fault and the third fail.
command_triple_fault:
	lidt	null_pointer - payload_start + MONITOR_PADDR
	ud2

command_read_nowhere:
	movl	$0x1234, %edx
	xorl	%eax, %eax
	inl	%dx, %eax
	movl	%eax, OUT_PORT(%edi)
	xorl	%eax, %eax
	inb	$0x64, %al
	movl	%eax, OUT_PORT_BYTE(%edi)
	movl	0xd8000000, %eax
	movl	%eax, OUT_MMIO(%edi)
	ret

# Lets the local APIC's timer count while the TSC advances by 2^24.
command_time_apic:
	movl	$0xb, 0xfee003e0		# divider 1
	movl	$0x10000, 0xfee00320		# one-shot, masked
	rdtsc
	movl	%eax, %ebx
	movl	$0xffffffff, 0xfee00380		# initial count
1:	rdtsc
	subl	%ebx, %eax
	cmpl	$(1 << 24), %eax
	jb	1b
	movl	0xfee00390, %ecx		# current count
	movl	%eax, OUT_TSC_TICKS(%edi)
	notl	%ecx
	movl	%ecx, OUT_APIC_TICKS(%edi)
	movl	$0, 0xfee00380
	ret

# INIT and SIPI to APIC id 1; returns what the other vCPU writes.
command_start_other:
	pushl	%edi
	pushl	%esi
	at	%esi, trampoline
	movl	$0x1000, %edi
	movl	$(trampoline_end - trampoline), %ecx
	rep movsb
	popl	%esi
	popl	%edi
	movl	$0, 0x1f00
	movl	$(1 << 24), 0xfee00310
	movl	$0x4500, 0xfee00300		# INIT, assert
	movl	$(1 << 24), 0xfee00310
	movl	$0x4601, 0xfee00300		# SIPI, page 1
1:	pause
	movl	0x1f00, %eax
	testl	%eax, %eax
	jz	1b
	ret

command_cpuid:
	pushl	%ebx
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ecx, OUT_CPUID_1C(%edi)
	movl	$7, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ebx, OUT_CPUID_7B(%edi)
	movl	%ecx, OUT_CPUID_7C(%edi)
	movl	$0x40000000, %eax
	cpuid
	movl	%ebx, OUT_CPUID_HV(%edi)
	popl	%ebx
	ret

# Reads the first word at 4 GiB through PAE tables: 1 GiB of virtual addresses
# is itself, the next one is what starts at 4 GiB.
command_read_high:
	pushl	%edi
	at	%edi, tables
	leal	0x1000(%edi), %eax
	orl	$1, %eax
	movl	%eax, (%edi)			# PDPT: P
	leal	0x2000(%edi), %eax
	orl	$1, %eax
	movl	%eax, 8(%edi)
	movl	$0x83, 0x1000(%edi)		# 2 MiB at 0, and where this code is
	movl	$0x200083, 0x1008(%edi)
	movl	$0x83, 0x2000(%edi)
	movl	$1, 0x2004(%edi)
	movl	%edi, %cr3
	movl	$0x20, %eax			# PAE
	movl	%eax, %cr4
	movl	%cr0, %ecx
	movl	%ecx, %eax
	orl	$(1 << 31), %eax
	movl	%eax, %cr0
	movl	0x40000000, %eax
	movl	%ecx, %cr0
	popl	%edi
	ret

# ---------------------------------------------------------------- bring-up
set_up_idt:
	at	%eax, on_kick
	at	%ebx, idt
	movw	%ax, 8 * KICK_VECTOR(%ebx)
	movw	$8, 8 * KICK_VECTOR + 2(%ebx)
	movw	$0x8e00, 8 * KICK_VECTOR + 4(%ebx)
	shrl	$16, %eax
	movw	%ax, 8 * KICK_VECTOR + 6(%ebx)
	lidt	idt_pointer - payload_start + MONITOR_PADDR
	ret

on_kick:
	pushl	%edi
	movl	BOOT_INFO_PADDR + INFO_HEAP, %edi
	incl	OUT_KICKS(%edi)
	movl	$0, 0xfee000b0			# EOI
	popl	%edi
	iretl

set_up_apic:
	movl	$0x1ff, 0xfee000f0		# enable, spurious vector 0xff
	ret

# Finds vendor 1af4 device 1110 on bus 0 and makes vector n raise KICK_VECTOR
# on APIC id n.
set_up_ivshmem:
	movl	$IVSHMEM_ECAM_PADDR, %esi
	movl	$32, %ecx
1:	cmpl	$0x11101af4, (%esi)
	je	2f
	addl	$0x8000, %esi			# next device, function 0
	loop	1b
	ret
2:	movl	$IVSHMEM_BAR_PADDR, 0x10(%esi)
	movl	$IVSHMEM_BAR_PADDR + 0x1000, 0x14(%esi)
	movl	$6, %eax			# memory, bus master
	movw	%ax, 4(%esi)
	movl	BOOT_INFO_PADDR + INFO_NR_VCPUS, %ecx
	movl	$IVSHMEM_BAR_PADDR + 0x1000, %ebx
	movl	$0xfee00000, %eax
3:	movl	%eax, (%ebx)
	movl	$0, 4(%ebx)
	movl	$KICK_VECTOR, 8(%ebx)
	movl	$0, 12(%ebx)			# not masked
	addl	$16, %ebx
	addl	$0x1000, %eax
	loop	3b
	movzbl	0x34(%esi), %eax
4:	cmpb	$0x11, (%esi, %eax)		# MSI-X
	je	5f
	movzbl	1(%esi, %eax), %eax
	testl	%eax, %eax
	jnz	4b
	ret
5:	movw	$0x8000, 2(%esi, %eax)		# MSI-X enable
	ret

	.balign	8
commands:
	.long	command_nop - payload_start + MONITOR_PADDR
	.long	command_event - payload_start + MONITOR_PADDR
	.long	command_wait_kick - payload_start + MONITOR_PADDR
	.long	command_triple_fault - payload_start + MONITOR_PADDR
	.long	command_read_nowhere - payload_start + MONITOR_PADDR
	.long	command_time_apic - payload_start + MONITOR_PADDR
	.long	command_start_other - payload_start + MONITOR_PADDR
	.long	command_cpuid - payload_start + MONITOR_PADDR
	.long	command_read_high - payload_start + MONITOR_PADDR
NR_COMMANDS = (. - commands) / 4
command_nop:
	ret

gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt - payload_start + MONITOR_PADDR
null_pointer:
	.word	0
	.long	0
idt_pointer:
	.word	256 * 8 - 1
	.long	idt - payload_start + MONITOR_PADDR

	.code16
trampoline:
	movw	%cs, %ax
	movw	%ax, %ds
	movl	$0x600d, 0xf00
1:	cli
	hlt
	jmp	1b
trampoline_end:
	.code32

	.balign	4096
tables:	.fill	3 * 4096, 1, 0
idt:	.fill	256 * 8, 1, 0
	.fill	512, 1, 0
stack_top:
payload_end:
	.code64
	.popsection
