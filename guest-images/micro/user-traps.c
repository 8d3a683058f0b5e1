/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user-traps - exceptions of user mode: onto the kernel's stack, with the error
 * codes that say "user"
 */
#include "guest.h"

USER_SNIPPET(user_int80, "int $0x80");
USER_SNIPPET(user_int3, "int3");
USER_SNIPPET(user_ud, "ud2");
USER_SNIPPET(user_divide, "xor %edx, %edx; xor %ecx, %ecx; div %ecx");
USER_SNIPPET(user_cli, "cli");
USER_SNIPPET(user_hlt, "hlt");
USER_SNIPPET(user_in, "in $0x80, %al; ud2");
USER_SNIPPET(user_cr, "mov %cr0, %" AX);
USER_SNIPPET(user_msr, "rdmsr");
USER_SNIPPET(user_read, "mov (%" DI "), %al; ud2");
USER_SNIPPET(user_write, "mov %al, (%" DI "); ud2");
USER_SNIPPET(user_jump, "jmp *%" DI);
USER_SNIPPET(user_step, PUSHF "; orl $0x100, (%" SP "); " POPF "; nop; nop");

static struct user user;
static char other_stack[4096] __attribute__((aligned(16)));

#define RUN(name, rdi) run_user(&user, name, name##_end, rdi)

static void vectors(void)
{
	is(RUN(user_int80, 0), TRAP_INT80, "int $0x80");
	is(trap_regs.ip, USER_CODE + 2, "rip is after it");
	is(trap_regs.cs, USER_CS, "cs");
	is(trap_regs.sp, USER_STACK, "rsp");
	is(RUN(user_int3, 0), TRAP_BP, "int3");
	is(trap_regs.ip, USER_CODE + 1, "rip is after it");
	is(RUN(user_ud, 0), TRAP_UD, "ud2");
	is(RUN(user_divide, 0), TRAP_DE, "division by 0");
	is(RUN(user_step, 0), TRAP_DB, "single step");
	is(trap_regs.flags & FLAG_TF, FLAG_TF, "TF in its frame");
	is(read_flags() & FLAG_TF, 0, "TF is clear in the handler");
}

static void privileged(void)
{
	struct physdev_set_iopl iopl = { .iopl = 1 };

	is(RUN(user_cli, 0), TRAP_GP, "cli");
	is(trap_regs.error, 0, "error code");
	is(RUN(user_hlt, 0), TRAP_GP, "hlt");
	is(RUN(user_in, 0), TRAP_GP, "in");
	is(RUN(user_cr, 0), TRAP_GP, "mov from cr0");
	is(RUN(user_msr, 0), TRAP_GP, "rdmsr");
	physdev_op(PHYSDEVOP_set_iopl, &iopl);
	is(RUN(user_in, 0), TRAP_GP, "in with IOPL 1, which is the kernel's");
	iopl.iopl = 3;
	physdev_op(PHYSDEVOP_set_iopl, &iopl);
	is(RUN(user_in, 0), TRAP_UD, "in with IOPL 3 works");
	iopl.iopl = 0;
	physdev_op(PHYSDEVOP_set_iopl, &iopl);
}

static long set_iobitmap(const uint8_t *bitmap, uint32_t nr_ports)
{
	struct physdev_set_iobitmap arg = { .nr_ports = nr_ports };

	set_xen_guest_handle(arg.bitmap, (uint8_t *)bitmap);
	return physdev_op(PHYSDEVOP_set_iobitmap, &arg);
}

/* The kernel lets its user mode have some ports: a bit that is 0 allows. */
static void io_bitmap(void)
{
	static uint8_t bitmap[32];

	memset(bitmap, 0xff, sizeof(bitmap));
	is(set_iobitmap(bitmap, 256), 0, "set_iobitmap");
	is(RUN(user_in, 0), TRAP_GP, "in from a port whose bit is 1");
	bitmap[0x80 / 8] = 0xfe;
	is(RUN(user_in, 0), TRAP_UD, "and from one whose bit is 0");
	is(set_iobitmap(bitmap, 0x80), 0, "a bitmap that ends before it");
	is(RUN(user_in, 0), TRAP_GP, "in from a port beyond it");
	is(set_iobitmap(bitmap, 65537), -XEN_EINVAL, "more ports than there are");
	is(physdev_op(PHYSDEVOP_set_iobitmap, (void *)UNMAPPED), -XEN_EFAULT,
	   "an argument that can't be read");
}

static void page_faults(void)
{
	pte_t *code = &user.l1[USER_CODE >> PAGE_SHIFT & (PTES_PER_TABLE - 1)];
	pte_t *data = &user.l1[USER_DATA >> PAGE_SHIFT & (PTES_PER_TABLE - 1)];

	is(RUN(user_read, USER_DATA), TRAP_UD, "a read of the data page works");
	is(RUN(user_write, USER_DATA), TRAP_UD, "a write, too");
	is(RUN(user_read, 0x1234), TRAP_PF, "a read of nothing");
	is(trap_regs.error, 4, "error code: not present, read, user");
	is(trap_cr2, 0x1234, "cr2");
	is(RUN(user_write, 0x1234), TRAP_PF, "a write to nothing");
	is(trap_regs.error, 6, "error code: not present, write, user");
	is(RUN(user_write, USER_CODE + 100), TRAP_PF, "a write to the code page");
	is(trap_regs.error, 7, "error code: protection, write, user");
	is(trap_cr2, USER_CODE + 100, "cr2");
	is(RUN(user_read, VIRT_BASE + 0x100000), TRAP_PF, "a read of the kernel");
#ifdef __i386__ /* one root for both: the kernel's pages have no U bit */
	is(trap_regs.error, 5, "error code: protection, read, user");
#else
	is(trap_regs.error, 4, "error code: not present, read, user");
	is(RUN(user_read, 1UL << 63), TRAP_GP, "a read of a non-canonical address");
#endif
#if PAGING_LEVELS > 2
	is(set_pte(data, *data | PTE_NX), 0, "the data page without execution");
	mmuext(MMUEXT_INVLPG_LOCAL, USER_DATA);
	flush_tlb();
	is(RUN(user_jump, USER_DATA), TRAP_PF, "a jump to it");
	is(trap_regs.error, 0x15, "error code: protection, fetch, user");
#endif
	ok(*code & PTE_A, "the code page is marked accessed");
	ok(*data & PTE_D, "the data page is marked dirty");
}

/* User exceptions start at the top of what stack_switch named. */
static void stacks(void)
{
	unsigned long top = (unsigned long)other_stack + sizeof(other_stack);

	is(stack_switch(KERNEL_SS, top), 0, "stack_switch");
	is(RUN(user_ud, 0), TRAP_UD, "a trap");
	is(trap_sp, top, "its frame ends at the top of the stack");
	is(stack_switch(KERNEL_SS, top - 8), 0, "stack_switch to an odd place");
	is(RUN(user_ud, 0), TRAP_UD, "a trap");
#ifdef __i386__
	is(trap_sp, top - 8, "its frame ends there, too");
#else
	is(trap_sp, top - 16, "its frame is aligned to 16 bytes");
#endif
}

/* What the handler itself does wrong comes on its own stack. */
static bool nested_hook(struct regs *regs)
{
	if (regs->vector != TRAP_UD || (regs->cs & 3) != 3)
		return false;
	READ_ONCE(*(char *)UNMAPPED);
	return true;
}

static void nested(void)
{
	unsigned long top = (unsigned long)other_stack + sizeof(other_stack);

	stack_switch(KERNEL_SS, top);
	trap_hook = nested_hook;
	is(RUN(user_ud, 0), TRAP_PF, "a page fault in the handler of a user trap");
	trap_hook = NULL;
	is(trap_regs.cs, KERNEL_CS_IN_FRAME, "is the kernel's");
	is(trap_regs.error, 0, "error code: kernel");
	ok(trap_sp < top - sizeof(struct regs) && trap_sp > top - 4096,
	   "its frame is below the first one");
}

void guest_main(void)
{
	user_create(&user);
	vectors();
	privileged();
	io_bitmap();
	page_faults();
	stacks();
	nested();
}
