/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iret - HYPERVISOR_iret back to the kernel and to user mode, native iret to the
 * kernel itself, and in 32 bits also to user mode and not to vm86 mode
 */
#include "guest.h"

static struct regs seen;
static unsigned int hook_calls;

/* A handler that returns: skip the two bytes of ud2 or int n. */
static bool skip_instruction(struct regs *regs)
{
	if (regs->vector != TRAP_UD)
		return false;
	hook_calls++;
	seen = *regs;
	regs->ip += 2;
	return true;
}

/* Every register through a trap and back. */
static unsigned int registers_lost(void)
{
	unsigned long lost;

#ifdef __i386__
	asm volatile("push %%ebp\n"
		     "mov $101, %%eax; mov $102, %%ebx; mov $103, %%ecx; mov $104, %%edx\n"
		     "mov $105, %%esi; mov $106, %%edi; mov $107, %%ebp\n"
		     "ud2\n"
		     "sub $101, %%eax; sub $102, %%ebx; sub $103, %%ecx; sub $104, %%edx\n"
		     "sub $105, %%esi; sub $106, %%edi; sub $107, %%ebp\n"
		     "or %%ebx, %%eax; or %%ecx, %%eax; or %%edx, %%eax; or %%esi, %%eax\n"
		     "or %%edi, %%eax; or %%ebp, %%eax\n"
		     "pop %%ebp\n"
		     : "=a"(lost)
		     :
		     : "ebx", "ecx", "edx", "esi", "edi", "memory", "cc");
#else
	asm volatile("push %%rbp\n"
		     "mov $101, %%rax; mov $102, %%rbx; mov $103, %%rcx; mov $104, %%rdx\n"
		     "mov $105, %%rsi; mov $106, %%rdi; mov $107, %%rbp; mov $108, %%r8\n"
		     "mov $109, %%r9; mov $110, %%r10; mov $111, %%r11; mov $112, %%r12\n"
		     "mov $113, %%r13; mov $114, %%r14; mov $115, %%r15\n"
		     "ud2\n"
		     "sub $101, %%rax; sub $102, %%rbx; sub $103, %%rcx; sub $104, %%rdx\n"
		     "sub $105, %%rsi; sub $106, %%rdi; sub $107, %%rbp; sub $108, %%r8\n"
		     "sub $109, %%r9; sub $110, %%r10; sub $111, %%r11; sub $112, %%r12\n"
		     "sub $113, %%r13; sub $114, %%r14; sub $115, %%r15\n"
		     "or %%rbx, %%rax; or %%rcx, %%rax; or %%rdx, %%rax; or %%rsi, %%rax\n"
		     "or %%rdi, %%rax; or %%rbp, %%rax; or %%r8, %%rax; or %%r9, %%rax\n"
		     "or %%r10, %%rax; or %%r11, %%rax; or %%r12, %%rax; or %%r13, %%rax\n"
		     "or %%r14, %%rax; or %%r15, %%rax\n"
		     "pop %%rbp\n"
		     : "=a"(lost)
		     :
		     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
		       "r13", "r14", "r15", "memory", "cc");
#endif
	return lost != 0;
}

static unsigned long flags_after_trap(unsigned long set)
{
	unsigned long flags;

	asm volatile(PUSHF "; or %1, (%%" SP "); " POPF "; ud2; " PUSHF
			   "; pop %0; push $2; " POPF
		     : "=r"(flags)
		     : "r"(set)
		     : "memory", "cc");
	return flags;
}

static void to_kernel(void)
{
	trap_hook = skip_instruction;
	is(registers_lost(), 0, "all registers survive a trap and iret");
	is(hook_calls, 1, "the handler ran once");

	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 0);
	asm volatile("ud2");
	is(vcpu_info->evtchn_upcall_mask, 0,
	   "IF set in the frame: upcalls unmasked after iret");
	WRITE_ONCE(vcpu_info->evtchn_upcall_mask, 1);
	asm volatile("ud2");
	is(vcpu_info->evtchn_upcall_mask, 1,
	   "IF clear in the frame: upcalls masked after iret");

	is(flags_after_trap(0x8d5) & 0x8d5, 0x8d5, "arithmetic flags come back");
	is(flags_after_trap(0x400) & 0x400, 0x400, "DF comes back");
	is(flags_after_trap(0) & (FLAG_IF | FLAG_IOPL), FLAG_IF, "IF is really set, IOPL is 0");
	trap_hook = NULL;
}

/* XenLinux and pvops return to themselves so, with the RPL of their ring, without Xen. */
static unsigned long native_iret(void)
{
	unsigned long ok = 0;

#ifdef __i386__
	asm volatile("pushfl\n"
		     "pushl %1\n"
		     "pushl $1f\n"
		     "iretl\n"
		     "ud2\n"
		     "1: mov $1, %0"
		     : "+r"(ok)
		     : "i"(KERNEL_CS)
		     : "memory", "cc");
#else
	asm volatile("mov %%rsp, %%rax\n"
		     "pushq %1\n"
		     "pushq %%rax\n"
		     "pushfq\n"
		     "pushq %2\n"
		     "pushq $1f\n"
		     "iretq\n"
		     "ud2\n"
		     "1: mov $1, %0"
		     : "+r"(ok)
		     : "i"(KERNEL_SS), "i"(KERNEL_CS)
		     : "rax", "memory", "cc");
#endif
	return ok;
}

USER_SNIPPET(user_registers, "ud2");

#ifdef __i386__
#define GENERAL_REGS offsetof(struct regs, ds)
#else
#define GENERAL_REGS offsetof(struct regs, vector)
#endif

static void fill(struct regs *regs)
{
	unsigned long *word = (unsigned long *)regs;
	unsigned int i;

	user_regs(regs);
	for (i = 0; i < GENERAL_REGS / sizeof(long); i++)
		word[i] = 0x1000 + i;
}

static void to_user(void)
{
	struct regs regs;
	struct user user;

	user_create(&user);
	user_load(&user, user_registers, user_registers_end);
	fill(&regs);
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_UD, "user code ran and raised #UD");
	is(trap_regs.ip, USER_CODE, "at its first instruction");
	is(trap_regs.cs, USER_CS, "cs in the frame: user's");
	is(trap_regs.ss, USER_SS, "ss in the frame: user's");
	is(trap_regs.sp, USER_STACK, "rsp in the frame: user's");
	is(memcmp(&trap_regs, &regs, GENERAL_REGS), 0,
	   "all registers were loaded, rcx and r11 too");
	is(trap_regs.saved_upcall_mask, 0, "upcalls were unmasked in user mode");
	is(trap_regs.flags & FLAG_IF, FLAG_IF, "IF in the frame");
	is(trap_upcall_mask, 0, "upcalls stay unmasked in the handler");

	user_regs(&regs);
	regs.flags = 2;
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_UD,
	   "user code with IF clear in the frame");
	is(trap_regs.saved_upcall_mask, 1, "upcalls were masked in user mode");
	is(trap_regs.flags & FLAG_IF, 0, "IF in the frame");

	user_regs(&regs);
	regs.ip = VIRT_BASE + 0x100000;
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_PF, "user code can't run kernel pages");
	/* 32 bits: one root for both, and the kernel's pages have no U bit. */
	is(trap_regs.error & ~0x10UL, PAGING_LEVELS == 4 ? 4 : 5,
	   "error code: user, and what its tables say");
	is(trap_regs.ip, regs.ip, "rip");
	is(trap_cr2, regs.ip, "cr2");

	user_regs(&regs);
	regs.ip = USER_DATA;
	is(catch_trap(return_to_guest(&regs, 0)), TRAP_PF,
	   "zeros on the data page: a read and write of (rax)");
	is(trap_regs.ip, USER_DATA, "rip");
	/* QEMU's TCG reads first, hardware faults as a write. */
	is(trap_regs.error & ~2UL, 4, "error code: not present, user");
	is(trap_cr2, 0, "cr2");
}

#ifdef __i386__
/* Without a hypercall, as XenLinux does. */
static void native_to_user(void)
{
	asm volatile("push %0; push %1; push %2; push %3; push %4; iretl"
		     :
		     : "i"(USER_SS), "i"(USER_STACK), "i"(FLAG_IF | 2), "i"(USER_CS),
		       "i"(USER_CODE)
		     : "memory");
}

/* A frame of vm86 mode has es, ds, fs and gs at its end. */
static void iret_to_vm86(void)
{
	asm volatile("push $0x1009; push $0x1008; push $0x1007; push $0x1006; push $0x1005\n"
		     "push $0x1004; push %0; push $0x1002; push $0x1001; push $0x1000\n"
		     "mov %1, %%eax; int $0x82"
		     :
		     : "i"(FLAG_VM | FLAG_IF | 2), "i"(__HYPERVISOR_iret)
		     : "memory", "eax");
}

/*
 * Where Xen is 64-bit (4.17 pv/iret.c, compat_iret()): #GP in the kernel, at the top
 * of its stack the frame as it was, in whatever ring its cs would be.
 */
static void vm86(void)
{
	static char stack[256] __attribute__((aligned(16)));
	const unsigned long *top = (unsigned long *)(stack + sizeof(stack));

	stack_switch(KERNEL_SS, (unsigned long)top);
	is(catch_trap(native_to_user()), TRAP_UD, "native iret to user mode");
	is(trap_regs.cs, USER_CS, "cs");
	is(trap_regs.sp, USER_STACK, "esp");
	is(trap_sp, (unsigned long)top, "the trap came on the kernel's stack");
	is(catch_trap(iret_to_vm86()), TRAP_GP, "iret to vm86 mode: #GP");
	is(trap_regs.error, 0, "error code");
	is(top[-9], 0x1001, "frame: eip");
	is(top[-8], 0x1002, "frame: cs");
	is(top[-7], FLAG_VM | FLAG_IF | 2, "frame: eflags, with VM");
	is(top[-6], 0x1004, "frame: esp");
	is(top[-1], 0x1009, "frame: gs");
}
#else
/* VGCF_in_syscall: Xen may leave by sysret, so rcx and r11 are lost. */
static void in_syscall(void)
{
	struct regs regs;

	fill(&regs);
	is(catch_trap(return_to_guest(&regs, VGCF_in_syscall)), TRAP_UD,
	   "user code through VGCF_in_syscall");
	is(trap_regs.ip, USER_CODE, "rip");
	is(trap_regs.sp, USER_STACK, "rsp");
	is(trap_regs.ax, regs.ax, "rax is loaded");
	is(trap_regs.r15, regs.r15, "r15 is loaded");
	is(trap_regs.cs, USER_CS, "cs");
	is(trap_regs.ss, USER_SS, "ss");
}
#endif

void guest_main(void)
{
	to_kernel();
	is(native_iret(), 1, "native iret to the kernel itself");
	to_user();
#ifdef __i386__
	vm86();
#else
	in_syscall();
#endif
}
