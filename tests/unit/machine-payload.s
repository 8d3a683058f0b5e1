# SPDX-License-Identifier: GPL-2.0-or-later
#
# machine-payload.s - stands in for the monitor in test-machine.c
#
# Copied to MONITOR_PADDR and entered there.  It goes to 64-bit mode, brings up
# its local APIC and, with TRANSPORT_IVSHMEM, the ivshmem device; then it posts
# mailbox calls for ever and does what each result orders (CMD_*), which puts
# the test in charge.  What it saw goes to the page boot_info.heap (OUT_*);
# page tables are made at TABLES.  Names in capitals are set by test-machine.c.
#
# All through: rdi = the OUT_ page, r8 = local APIC, r9 = mailbox.

	.pushsection .rodata
	.balign	16
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
	at	%esp, stack_top
	pushfl
	popl	OUT_EFLAGS(%edi)

	# 5 GiB in 2 MiB pages: L4, L3, five L2
	movl	$(TABLES + 0x1007), TABLES
	movl	$(TABLES + 0x2007), %eax
	movl	$(TABLES + 0x1000), %ebx
1:	movl	%eax, (%ebx)
	addl	$0x1000, %eax
	addl	$8, %ebx
	cmpl	$(TABLES + 0x1000 + 5 * 8), %ebx
	jb	1b
	movl	$(TABLES + 0x2000), %ebx
	movl	$0x87, %eax
	xorl	%edx, %edx
2:	movl	%eax, (%ebx)
	movl	%edx, 4(%ebx)
	addl	$0x200000, %eax
	adcl	$0, %edx
	addl	$8, %ebx
	cmpl	$(TABLES + 0x7000), %ebx
	jb	2b

	movl	$TABLES, %eax
	movl	%eax, %cr3
	movl	$0x20, %eax			# PAE
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx		# EFER.LME
	movl	$0x100, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$0x80000011, %eax		# PG, ET, PE
	movl	%eax, %cr0
	lgdt	gdt_pointer - payload_start + MONITOR_PADDR
	ljmp	$8, $(long_mode - payload_start + MONITOR_PADDR)

	.code64
long_mode:
	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$0xfee00000, %r8d
	movq	BOOT_INFO_PADDR + INFO_VCPU_AREA, %r9
	call	set_up_idt
	movl	$0x1ff, 0xf0(%r8)		# SVR: enable, spurious vector 0xff
	cmpl	$TRANSPORT_IVSHMEM, BOOT_INFO_PADDR + INFO_TRANSPORT
	jne	main_loop
	call	set_up_ivshmem

main_loop:
	call	mailbox_call
	cmpl	$NR_COMMANDS, %eax
	jae	main_loop
	call	*(commands - payload_start + MONITOR_PADDR)(, %rax, 8)
	movl	%eax, OUT_RESULT(%rdi)
	jmp	main_loop

# Posts an empty call and waits for the answer, as the monitor does: hlt with
# the state checked again, interrupts off, before it.  eax: mailbox.result.
mailbox_call:
	movl	$MAILBOX_POSTED, MBOX_STATE(%r9)
	movl	$DOORBELL_VECTOR_CALL, %eax
	movl	$DOORBELL_PORT_CALL, %edx
	call	doorbell
1:	cli
	cmpl	$MAILBOX_DONE, MBOX_STATE(%r9)
	je	2f
	sti
	hlt
	jmp	1b
2:	movl	MBOX_RESULT(%r9), %eax
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
	movl	$IVSHMEM_BAR_PADDR, %ecx
	movl	%eax, 12(%rcx)			# Doorbell register
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
	movl	OUT_KICKS(%rdi), %eax
	cmpl	OUT_KICKS_SEEN(%rdi), %eax
	jne	2f
	sti
	hlt
	jmp	1b
2:	movl	%eax, OUT_KICKS_SEEN(%rdi)
	ret

# Adds to a number that the test adds to as well.
command_count:
	movl	OUT_ROUNDS(%rdi), %ecx
1:	lock incl OUT_COUNT(%rdi)
	decl	%ecx
	jnz	1b
	xorl	%eax, %eax
	ret

# No IDT: the fault, the double fault and the third fail.
command_triple_fault:
	lidt	null_pointer - payload_start + MONITOR_PADDR
	ud2

command_read_nowhere:
	movl	$0x1234, %edx
	xorl	%eax, %eax
	inl	%dx, %eax
	movl	%eax, OUT_PORT(%rdi)
	xorl	%eax, %eax
	inb	$0x64, %al
	movl	%eax, OUT_PORT_BYTE(%rdi)
	movl	$0xd8000000, %ecx
	movl	(%rcx), %eax
	movl	%eax, OUT_MMIO(%rdi)
	ret

# Lets the local APIC's timer count while the TSC advances by 2^26.  Both are
# read within 2^18 of each other, or again: the vCPU may lose the processor.
command_time_apic:
	movl	$0xb, 0x3e0(%r8)		# divider 1
	movl	$0x10000, 0x320(%r8)		# one-shot, masked
1:	rdtsc
	movl	%eax, %ebx
	movl	$0xffffffff, 0x380(%r8)		# initial count
	rdtsc
	subl	%ebx, %eax
	cmpl	$(1 << 18), %eax
	ja	1b
2:	rdtsc
	movl	%eax, %esi
	subl	%ebx, %eax
	cmpl	$(1 << 26), %eax
	jb	2b
	movl	0x390(%r8), %ecx		# current count
	movl	%eax, OUT_TSC_TICKS(%rdi)
	rdtsc
	subl	%esi, %eax
	cmpl	$(1 << 18), %eax
	ja	2b
	notl	%ecx
	movl	%ecx, OUT_APIC_TICKS(%rdi)
	movl	$0, 0x380(%r8)
	ret

# INIT and SIPI to APIC id 1; returns what the other vCPU writes.
command_start_other:
	pushq	%rdi
	at	%esi, trampoline
	movl	$0x1000, %edi
	movl	$(trampoline_end - trampoline), %ecx
	rep movsb
	popq	%rdi
	movl	$0, 0x1f00
	movl	$(1 << 24), 0x310(%r8)
	movl	$0x4500, 0x300(%r8)		# INIT, assert
	movl	$(1 << 24), 0x310(%r8)
	movl	$0x4601, 0x300(%r8)		# SIPI, page 1
1:	pause
	movl	0x1f00, %eax
	testl	%eax, %eax
	jz	1b
	ret

command_cpuid:
	pushq	%rbx
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ecx, OUT_CPUID_1C(%rdi)
	movl	$7, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ebx, OUT_CPUID_7B(%rdi)
	movl	%ecx, OUT_CPUID_7C(%rdi)
	movl	$0x40000000, %eax
	cpuid
	movl	%ebx, OUT_CPUID_HV(%rdi)
	popq	%rbx
	ret

command_read_high:
	movl	$1, %ecx
	shlq	$32, %rcx
	movl	(%rcx), %eax
	ret

# ---------------------------------------------------------------- bring-up
set_up_idt:
	at	%eax, on_kick
	at	%ebx, idt
	movw	%ax, 16 * KICK_VECTOR(%rbx)
	movw	$8, 16 * KICK_VECTOR + 2(%rbx)
	movw	$0x8e00, 16 * KICK_VECTOR + 4(%rbx)
	shrl	$16, %eax
	movw	%ax, 16 * KICK_VECTOR + 6(%rbx)
	lidt	idt_pointer - payload_start + MONITOR_PADDR
	ret

on_kick:
	incl	OUT_KICKS(%rdi)
	movl	$0, 0xb0(%r8)			# EOI
	iretq

# Finds vendor 1af4 device 1110 on bus 0 and makes vector n raise KICK_VECTOR
# on APIC id n.
set_up_ivshmem:
	movl	$IVSHMEM_ECAM_PADDR, %esi
	movl	$32, %ecx
1:	cmpl	$0x11101af4, (%rsi)
	je	2f
	addl	$0x8000, %esi			# next device, function 0
	loop	1b
	ret
2:	movl	$IVSHMEM_BAR_PADDR, 0x10(%rsi)
	movl	$IVSHMEM_BAR_PADDR + 0x1000, 0x14(%rsi)
	movw	$6, 4(%rsi)			# memory, bus master
	movl	BOOT_INFO_PADDR + INFO_NR_VCPUS, %ecx
	movl	$IVSHMEM_BAR_PADDR + 0x1000, %ebx
	movl	$0xfee00000, %eax
3:	movl	%eax, (%rbx)
	movl	$0, 4(%rbx)
	movl	$KICK_VECTOR, 8(%rbx)
	movl	$0, 12(%rbx)			# not masked
	addl	$16, %ebx
	addl	$0x1000, %eax
	loop	3b
	movzbl	0x34(%rsi), %eax
4:	cmpb	$0x11, (%rsi, %rax)		# MSI-X
	je	5f
	movzbl	1(%rsi, %rax), %eax
	testl	%eax, %eax
	jnz	4b
	ret
5:	movw	$0x8000, 2(%rsi, %rax)		# MSI-X enable
	ret

	.balign	8
commands:
	.quad	command_nop - payload_start + MONITOR_PADDR
	.quad	command_event - payload_start + MONITOR_PADDR
	.quad	command_wait_kick - payload_start + MONITOR_PADDR
	.quad	command_triple_fault - payload_start + MONITOR_PADDR
	.quad	command_read_nowhere - payload_start + MONITOR_PADDR
	.quad	command_time_apic - payload_start + MONITOR_PADDR
	.quad	command_start_other - payload_start + MONITOR_PADDR
	.quad	command_cpuid - payload_start + MONITOR_PADDR
	.quad	command_read_high - payload_start + MONITOR_PADDR
	.quad	command_count - payload_start + MONITOR_PADDR
NR_COMMANDS = (. - commands) / 8
command_nop:
	ret

	.balign	8
gdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.quad	gdt - payload_start + MONITOR_PADDR
null_pointer:
	.word	0
	.quad	0
idt_pointer:
	.word	256 * 16 - 1
	.quad	idt - payload_start + MONITOR_PADDR

	.code16
trampoline:
	movw	%cs, %ax
	movw	%ax, %ds
	movl	$0x600d, 0xf00
1:	cli
	hlt
	jmp	1b
trampoline_end:
	.code64

	.balign	16
idt:	.fill	256 * 16, 1, 0
	.fill	512, 1, 0
stack_top:
payload_end:
	.popsection
