/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * operations - what the operations of daily life cost, for scripts/bench
 *
 * No test: each operation runs many times between two reads of the TSC, and a
 * line says how many ticks one took and how many instructions of it are the
 * guest's own.  Under QEMU's -icount shift=0 a tick of the 1 GHz TSC is an
 * instruction, so that the difference is what is spent below the guest.
 */
#include "guest.h"

#define TURNS 10000
#define NR(call) __stringify1(__HYPERVISOR_##call)
#define __stringify1(x) __stringify2(x)
#define __stringify2(x) #x
#define SELF __stringify1(DOMID_SELF_NUMBER)
#define DOMID_SELF_NUMBER 0x7ff0

_Static_assert(DOMID_SELF == DOMID_SELF_NUMBER, "DOMID_SELF");
_Static_assert(__HYPERVISOR_xen_version == 17, "numbers are plain");

#define NOWHERE 0x1234000UL

#ifdef __i386__

/* Operands are in memory; all registers are free. */
extern unsigned long operand_a, operand_b, operand_c, turns_left, first_tick;
unsigned long operand_a, operand_b, operand_c, turns_left, first_tick;

#define LOOP(body)                                                                             \
	"rdtsc; mov %%eax, first_tick; 1:" body "decl turns_left; jnz 1b; rdtsc;"              \
	"sub first_tick, %%eax;"
#define LOOP_INSTRUCTIONS 2

#define TICKS(body, a, b, c)                                                                   \
	({                                                                                     \
		unsigned long ticks_;                                                          \
		operand_a = (unsigned long)(a);                                                \
		operand_b = (unsigned long)(b);                                                \
		operand_c = (unsigned long)(c);                                                \
		turns_left = TURNS;                                                            \
		asm volatile("push %%ebp;" LOOP(body) "pop %%ebp"                              \
			     : "=&a"(ticks_)                                                   \
			     :                                                                 \
			     : "ebx", "ecx", "edx", "esi", "edi", "cc", "memory");             \
		ticks_;                                                                        \
	})

/* In ring 1 iret itself is the way back, to the kernel and to user mode. */
extern const char fault_stub[], syscall_stub[];
#define FAULT_STUB_INSTRUCTIONS 3
#define SYSCALL_STUB_INSTRUCTIONS 1
asm(".text\n"
    "fault_stub:\n"
    "	add $4, %esp\n"
    "	addl $2, (%esp)\n"
    "	iret\n"
    "syscall_stub:\n"
    "	iret\n");

/* User mode: the loop in ebx, ticks left in eax. */
extern const char user_syscalls[], user_syscalls_end[], user_faults[], user_faults_end[];
asm(".text\n"
    "user_syscalls:\n"
    "	rdtsc; mov %eax, %esi\n"
    "1:	int $0x80; dec %ebx; jnz 1b\n"
    "	rdtsc; sub %esi, %eax; ud2\n"
    "user_syscalls_end:\n"
    "user_faults:\n"
    "	rdtsc; mov %eax, %esi\n"
    "1:	mov (%edi), %eax; dec %ebx; jnz 1b\n"
    "	rdtsc; sub %esi, %eax; ud2\n"
    "user_faults_end:\n");
#define user_nowhere di

/* ecx: one of two values, the other one the next time */
#define TURN "mov operand_b, %%ecx; xchg %%ecx, operand_c; mov %%ecx, operand_b;"

#define XEN_VERSION                                                                            \
	"mov $" NR(xen_version) ", %%eax; xor %%ebx, %%ebx; xor %%ecx, %%ecx; int $0x82;"
#define XEN_VERSION_OWN 4
#define MMU_UPDATE                                                                             \
	"xorl $16, operand_a; mov $" NR(                                                       \
		mmu_update) ", %%eax; mov operand_a, %%ebx;"                                   \
			    "mov $1, %%ecx; xor %%edx, %%edx; mov $" SELF                      \
			    ", %%esi; int $0x82;"
#define MMU_UPDATE_OWN 7
#define UPDATE_VA_MAPPING(flags)                                                               \
	TURN "mov $" NR(update_va_mapping) ", %%eax; mov operand_a, %%ebx;"                    \
					   "xor %%edx, %%edx; mov $" flags                     \
					   ", %%esi; int $0x82;"
#define UPDATE_VA_MAPPING_OWN 8
#define MOV TURN "mov operand_a, %%edi; mov %%ecx, (%%edi);"
#define MOV_OWN 5
#define MOV_ZERO "mov operand_a, %%edi; movl $0, (%%edi);"
#define MOV_ZERO_OWN 2
#define XCHG TURN "mov operand_a, %%edi; xchg %%ecx, (%%edi);"
#define XCHG_OWN 5
#define BTR "mov operand_a, %%edi; lock btrl $1, (%%edi);"
#define BTR_OWN 2
#if PAGING_LEVELS == 3
#define CMPXCHG                                                                                \
	TURN "mov operand_a, %%edi; mov (%%edi), %%eax; mov 4(%%edi), %%edx;"                  \
	     "mov %%ecx, %%ebx; xor %%ecx, %%ecx; lock cmpxchg8b (%%edi);"
#define CMPXCHG_OWN 9
#define CMPXCHG_NAME "table update, emulated lock cmpxchg8b"
#else
#define CMPXCHG TURN "mov operand_a, %%edi; mov (%%edi), %%eax; lock cmpxchg %%ecx, (%%edi);"
#define CMPXCHG_OWN 6
#define CMPXCHG_NAME "table update, emulated lock cmpxchg"
#endif
#define FAULT "mov $0x1234000, %%edi; mov (%%edi), %%eax;"
#define FAULT_OWN 2
#define FAULT_FLAGS 0
/* There is one root for both modes. */
#define SWITCH                                                                                 \
	"mov operand_a, %%ebx; xchg %%ebx, operand_b; mov %%ebx, operand_a;"                   \
	"mov $" NR(mmuext_op) ", %%eax; mov $1, %%ecx; xor %%edx, %%edx;"                      \
			      "mov $" SELF ", %%esi; int $0x82;"                               \
			      "mov $" NR(stack_switch) ", %%eax; mov $0xe021, %%ebx; mov "     \
						       "operand_c, %%ecx;"                     \
						       "int $0x82;"
#define SWITCH_OWN 12
_Static_assert(KERNEL_SS == 0xe021, "in SWITCH");

#else

/* Three operands in r13 to r15; rax, rcx, rdx, rsi, rdi, r8 to r11 are free. */
#define READ_TSC "rdtsc; shl $32, %%rdx; or %%rdx, %%rax;"
#define LOOP(body) READ_TSC "mov %%rax, %%r12; 1:" body "dec %%ebx; jnz 1b;" READ_TSC
#define LOOP_INSTRUCTIONS 2

#define TICKS(body, a, b, c)                                                                   \
	({                                                                                     \
		register unsigned long r13_ asm("r13") = (unsigned long)(a);                   \
		register unsigned long r14_ asm("r14") = (unsigned long)(b);                   \
		register unsigned long r15_ asm("r15") = (unsigned long)(c);                   \
		unsigned long ticks_, count_ = TURNS;                                          \
		asm volatile(LOOP(body) "sub %%r12, %%rax"                                     \
			     : "=&a"(ticks_), "+b"(count_), "+r"(r13_), "+r"(r14_), "+r"(r15_) \
			     :                                                                 \
			     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",    \
			       "cc", "memory");                                                \
		ticks_;                                                                        \
	})

/* As Linux's entries do: take rcx and r11, make an iret frame of the rest. */
extern const char fault_stub[], syscall_stub[];
#define FAULT_STUB_INSTRUCTIONS 10
#define SYSCALL_STUB_INSTRUCTIONS 6
asm(".text\n"
    "fault_stub:\n"
    "	mov (%rsp), %rcx\n"
    "	mov 8(%rsp), %r11\n"
    "	mov %r11, (%rsp)\n"
    "	mov %rcx, 8(%rsp)\n"
    "	movq $0, 16(%rsp)\n"
    "	addq $4, 24(%rsp)\n"
    "	push %rax\n"
    "	xor %eax, %eax\n"
    "	mov $23, %al\n"
    "	syscall\n"
    "syscall_stub:\n"
    "	mov 8(%rsp), %r11\n"
    "	movq $256, 8(%rsp)\n"
    "	push %r11\n"
    "	push %rax\n"
    "	mov $23, %eax\n"
    "	syscall\n");
_Static_assert(__HYPERVISOR_iret == 23 && VGCF_in_syscall == 256, "in the stubs");

/* User mode: the loop in rbx, ticks left in rax. */
extern const char user_syscalls[], user_syscalls_end[], user_faults[], user_faults_end[];
asm(".text\n"
    "user_syscalls:\n"
    "	rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %r12\n"
    "1:	syscall; dec %ebx; jnz 1b\n"
    "	rdtsc; shl $32, %rdx; or %rdx, %rax; sub %r12, %rax; ud2\n"
    "user_syscalls_end:\n"
    "user_faults:\n"
    "	rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %r12\n"
    "1:	mov (%r13), %eax; dec %ebx; jnz 1b\n"
    "	rdtsc; shl $32, %rdx; or %rdx, %rax; sub %r12, %rax; ud2\n"
    "user_faults_end:\n");
#define user_nowhere r13

#define XEN_VERSION                                                                            \
	"mov $" NR(xen_version) ", %%eax; xor %%edi, %%edi; xor %%esi, %%esi; syscall;"
#define XEN_VERSION_OWN 4
#define MMU_UPDATE                                                                             \
	"xor $16, %%r13; mov $" NR(mmu_update) ", %%eax; mov %%r13, %%rdi; mov $1, %%esi;"     \
					       "xor %%edx, %%edx; mov $" SELF                  \
					       ", %%r10d; syscall;"
#define MMU_UPDATE_OWN 7
#define UPDATE_VA_MAPPING(flags)                                                               \
	"mov $" NR(update_va_mapping) ", %%eax; mov %%r13, %%rdi; xchg %%r14, %%r15;"          \
				      "mov %%r14, %%rsi; mov $" flags ", %%edx; syscall;"
#define UPDATE_VA_MAPPING_OWN 6
#define MOV "xchg %%r14, %%r15; mov %%r14, (%%r13);"
#define MOV_OWN 2
#define MOV_ZERO "movq $0, (%%r13);"
#define MOV_ZERO_OWN 1
#define XCHG "xchg %%r14, %%r15; mov %%r14, %%rax; xchg %%rax, (%%r13);"
#define XCHG_OWN 3
#define BTR "lock btrq $1, (%%r13);"
#define BTR_OWN 1
#define CMPXCHG "mov (%%r13), %%rax; xchg %%r14, %%r15; lock cmpxchg %%r14, (%%r13);"
#define CMPXCHG_OWN 3
#define CMPXCHG_NAME "table update, emulated lock cmpxchg"
#define FAULT "mov (%%r13), %%eax;"
#define FAULT_OWN 1
#define FAULT_FLAGS 4 /* as Linux: upcalls masked, iret unmasks them */
#define SWITCH                                                                                 \
	"xchg %%r13, %%r14; mov $" NR(                                                         \
		mmuext_op) ", %%eax; mov %%r13, %%rdi;"                                        \
			   "mov $2, %%esi; xor %%edx, %%edx; mov $" SELF ", %%r10d; syscall;"  \
			   "mov $" NR(stack_switch) ", %%eax; mov $0xe02b, %%edi; mov %%r15, " \
						    "%%rsi; syscall;"
#define SWITCH_OWN 11
_Static_assert(KERNEL_SS == 0xe02b, "in SWITCH");

#endif

static pte_t *pte;
static void *page;
static pte_t writable, read_only;

/* One line: ticks for one, in tenths, and the guest's own instructions. */
static void report(const char *what, unsigned long ticks, unsigned int own)
{
	unsigned long tenths = (ticks * 10 + TURNS / 2) / TURNS;

	print("operation: %lu.%lu %u %s\n", tenths / 10, tenths % 10, own + LOOP_INSTRUCTIONS,
	      what);
}

static void must(long err, const char *what)
{
	if (err)
		bail_out("%s: %ld", what, err);
}

static void hypercalls(void)
{
	report("null hypercall (xen_version)", TICKS(XEN_VERSION, 0, 0, 0), XEN_VERSION_OWN);
}

static void table_updates(void)
{
	static struct mmu_update reqs[2] __attribute__((aligned(32)));

	reqs[0] = (struct mmu_update){ virt_to_maddr(pte), read_only };
	reqs[1] = (struct mmu_update){ virt_to_maddr(pte), writable };
	report("table update, mmu_update", TICKS(MMU_UPDATE, reqs, 0, 0), MMU_UPDATE_OWN);
	report("table update, update_va_mapping",
	       TICKS(UPDATE_VA_MAPPING("0"), page, read_only, writable), UPDATE_VA_MAPPING_OWN);
	report("table update, update_va_mapping + invlpg",
	       TICKS(UPDATE_VA_MAPPING("2"), page, read_only, writable), UPDATE_VA_MAPPING_OWN);
}
_Static_assert(UVMF_INVLPG == 2, "in table_updates()");

static void emulated_writes(void)
{
	must(vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), "vm_assist");
	report("table update, emulated mov", TICKS(MOV, pte, read_only, writable), MOV_OWN);
	report("table update, emulated mov of zero", TICKS(MOV_ZERO, pte, 0, 0), MOV_ZERO_OWN);
	report("table update, emulated xchg", TICKS(XCHG, pte, read_only, writable), XCHG_OWN);
	report("table update, emulated lock btr", TICKS(BTR, pte, 0, 0), BTR_OWN);
	report(CMPXCHG_NAME, TICKS(CMPXCHG, pte, read_only, writable), CMPXCHG_OWN);
}

static void set_handler(unsigned int vector, unsigned int flags, const char *handler)
{
	struct trap_info table[2] = { { (uint8_t)vector, (uint8_t)flags, KERNEL_CS,
					(unsigned long)handler } };

	must(set_trap_table(table), "set_trap_table");
}

static unsigned long user_ticks(struct user *user, const char *start, const char *end)
{
	struct regs regs;

	user_load(user, start, end);
	user_regs(&regs);
	regs.bx = TURNS;
	regs.user_nowhere = NOWHERE;
	if (catch_trap(return_to_guest(&regs, 0)) != TRAP_UD)
		bail_out("user code ended with trap %d", trap_vector);
	return trap_regs.ax;
}

static void faults(struct user *user)
{
	set_handler(TRAP_PF, FAULT_FLAGS, fault_stub);
	report("page fault of the kernel and back", TICKS(FAULT, NOWHERE, 0, 0),
	       FAULT_OWN + FAULT_STUB_INSTRUCTIONS);
	report("page fault of user mode and back",
	       user_ticks(user, user_faults, user_faults_end), 1 + FAULT_STUB_INSTRUCTIONS);
	set_handler(TRAP_PF, 0, (const char *)trap_stub(TRAP_PF));
}

static void system_calls(struct user *user)
{
#ifdef __i386__
	set_handler(TRAP_INT80, 3, syscall_stub);
#else
	struct callback_register reg = { .type = CALLBACKTYPE_syscall,
					 .flags = CALLBACKF_mask_events,
					 .address = (unsigned long)syscall_stub };

	must(callback_op(CALLBACKOP_register, &reg), "syscall callback");
#endif
	report("system call and back", user_ticks(user, user_syscalls, user_syscalls_end),
	       1 + SYSCALL_STUB_INSTRUCTIONS);
}

static unsigned long other_kernel_root(void)
{
	pte_t *root = page_alloc();

	memcpy(root, kernel_root(), PAGE_SIZE);
#if PAGING_LEVELS == 3 /* the L2 with Xen's hole is never shared */
	pte_t *top = page_alloc();

	memcpy(top, mfn_to_virt(pte_mfn(root[3])), PAGE_SIZE / 2);
	must(page_read_only(top), "its last L2, read-only");
	root[3] = make_pte(virt_to_mfn(top), PTE_P);
#endif
	must(page_read_only(root), "a second root, read-only");
	must(mmuext(PIN_ROOT, virt_to_mfn(root)), "a second root");
	return virt_to_mfn(root);
}

static char kernel_stack[4096] __attribute__((aligned(16)));

#ifdef __i386__
static unsigned long other_user_root(void)
{
	return 0;
}
#else
static unsigned long other_user_root(void)
{
	struct user other;

	user_create(&other);
	return virt_to_mfn(other.root);
}
#endif

static void context_switches(struct user *user)
{
	struct mmuext_op ops[2][2] = {
		{ { .cmd = MMUEXT_NEW_BASEPTR }, { .cmd = MMUEXT_NEW_USER_BASEPTR } },
		{ { .cmd = MMUEXT_NEW_BASEPTR }, { .cmd = MMUEXT_NEW_USER_BASEPTR } },
	};

	ops[0][0].arg1.mfn = virt_to_mfn(kernel_root());
	ops[0][1].arg1.mfn = virt_to_mfn(user->root);
	ops[1][0].arg1.mfn = other_kernel_root();
	ops[1][1].arg1.mfn = other_user_root();
	report("context switch: root or roots, stack_switch",
	       TICKS(SWITCH, ops[0], ops[1], kernel_stack + sizeof(kernel_stack)), SWITCH_OWN);
}

void guest_main(void)
{
	struct user user;

	page = page_alloc();
	pte = pte_of(page, 1);
	writable = make_pte(virt_to_mfn(page), PTE_WRITE);
	read_only = make_pte(virt_to_mfn(page), PTE_READ_ONLY);

	user_create(&user);
	report("an empty loop", TICKS("", 0, 0, 0), 0);
	hypercalls();
	faults(&user);
	system_calls(&user);
	table_updates();
	emulated_writes();
	context_switches(&user);
	shutdown(SHUTDOWN_poweroff);
}
