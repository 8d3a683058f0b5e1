/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment-limits - what the limits and types of the guest's own descriptors
 * forbid: in 32-bit kernels and in 32-bit user mode.  QEMU's TCG checks neither.
 */
#include "guest.h"

/* Access bytes; the accessed bit is set already. */
#define DATA 0xf3 /* DPL 3, writable */
#define DATA_READ_ONLY 0xf1
#define DATA_DOWN 0xf7 /* expand-down: valid is what is beyond the limit */
#define DATA_ABSENT 0x73
#define CODE 0xfb /* DPL 3, readable */
#define CODE_EXECUTE_ONLY 0xf9
#define KERNEL_DATA 0xb3 /* DPL 1 */
#define KERNEL_CODE 0xbb
/* Flags above the limit */
#define BITS32 4
#define PAGES 8 /* the limit counts pages */

#define SELECTOR(index) ((index) << 3 | 3)
#define LDT_SELECTOR(index) ((index) << 3 | 7)

static uint64_t *gdt;
static char *page; /* each byte holds the low half of its offset */

static uint64_t descriptor(unsigned long base, uint32_t limit, unsigned int access,
			   unsigned int flags)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
	       (uint64_t)(limit >> 16) << 48 | (uint64_t)flags << 52 |
	       (uint64_t)(base >> 24 & 0xff) << 56;
}

static void set(uint64_t *at, uint64_t value)
{
	long err = update_descriptor(virt_to_maddr(at), value);

	if (err)
		bail_out("update_descriptor(%llx): %ld", (unsigned long long)value, err);
}

static void set_up(void)
{
	unsigned long frame;
	unsigned int i;

	gdt = page_alloc();
	page = page_alloc();
	for (i = 0; i < PAGE_SIZE; i++)
		page[i] = (char)i;
	frame = virt_to_mfn(gdt);
	page_read_only(gdt);
	if (set_gdt(&frame, 16))
		bail_out("set_gdt");
}

/* -- user mode ------------------------------------------------------------ */

#define USER_CODE32(name, code)                                                                \
	extern const char name[], name##_end[];                                                \
	asm(".text; .code32\n" #name ": " code "\n" #name "_end:\n" CODE_AS_BEFORE)
#ifdef __x86_64__
#define CODE_AS_BEFORE ".code64\n"
#define USER_CS_32 FLAT_USER_CS32
#define USER_SS_32 FLAT_USER_SS32
#else
#define CODE_AS_BEFORE ".code32\n"
#define USER_CS_32 FLAT_USER_CS
#define USER_SS_32 FLAT_USER_SS
#endif

USER_CODE32(user_read, "mov %ebx, %fs; movb %fs:(%edi), %al; ud2");
USER_CODE32(user_write, "mov %ebx, %fs; movb %al, %fs:(%edi); ud2");
USER_CODE32(user_push, "push %eax; ud2");
USER_CODE32(user_run, "nop; nop; nop; nop; nop; nop; ud2");

static struct user user;

static int user_try(const char *start, const char *end, struct regs *regs)
{
	user_load(&user, start, end);
	regs->cs = regs->cs ? regs->cs : USER_CS_32;
	regs->ss = regs->ss ? regs->ss : USER_SS_32;
	return catch_trap(return_to_guest(regs, 0));
}

static void user_start(struct regs *regs)
{
	user_regs(regs);
	regs->cs = 0;
	regs->ss = 0;
	regs->sp = USER_STACK;
}

/* Through fs = @selector at @offset */
static int user_access(const char *start, const char *end, unsigned int selector,
		       unsigned long offset)
{
	struct regs regs;

	user_start(&regs);
	regs.bx = selector;
	regs.di = offset;
	return user_try(start, end, &regs);
}
#define USER_READ(selector, offset) user_access(user_read, user_read_end, selector, offset)
#define USER_WRITE(selector, offset) user_access(user_write, user_write_end, selector, offset)

static void user_data(void)
{
	set(&gdt[5], descriptor(USER_DATA, 0xff, DATA, BITS32));
	is(USER_READ(SELECTOR(5), 0xff), TRAP_UD, "user: the last byte of a segment");
	is(USER_READ(SELECTOR(5), 0x100), TRAP_GP, "user: the byte after it is #GP");
	is(trap_regs.error, 0, "error code");
	is(trap_regs.cs, USER_CS_32, "cs in the frame");
	is(USER_WRITE(SELECTOR(5), 0x100), TRAP_GP, "user: a write there");
	set(&gdt[5], descriptor(USER_DATA, 0xff, DATA_READ_ONLY, BITS32));
	is(USER_READ(SELECTOR(5), 0), TRAP_UD, "user: a read of a read-only segment");
	is(USER_WRITE(SELECTOR(5), 0), TRAP_GP, "user: a write to it");
	/* As the C library reaches its thread's variables. */
	set(&gdt[5], descriptor(USER_DATA + 16, 0xfffff, DATA, BITS32 | PAGES));
	is(USER_READ(SELECTOR(5), -16UL), TRAP_UD, "user: a negative offset in 4 GiB");
	is(USER_READ(0, 0), TRAP_GP, "user: the null selector");
}

static void user_stack_and_code(void)
{
	struct regs regs;

	set(&gdt[5], descriptor(0, 0x3ffff, DATA, BITS32 | PAGES)); /* up to USER_BASE */
	user_start(&regs);
	regs.ss = SELECTOR(5);
	is(user_try(user_push, user_push_end, &regs), TRAP_SS, "user: a push beyond is #SS");
	is(trap_regs.error, 0, "error code");
	is(trap_regs.ss, SELECTOR(5), "ss in the frame");
	is(trap_regs.sp, USER_STACK, "sp is as it was");
	set(&gdt[5], descriptor(USER_CODE, 3, CODE, BITS32));
	user_start(&regs);
	regs.cs = SELECTOR(5);
	regs.ip = 0;
	is(user_try(user_run, user_run_end, &regs), TRAP_GP, "user: code runs into its limit");
	is(trap_regs.error, 0, "error code");
	is(trap_regs.ip, 4, "ip is the first byte beyond");
	is(trap_regs.cs, SELECTOR(5), "cs in the frame");
}

/* -- 32-bit kernels ------------------------------------------------------- */

#ifdef __i386__
static void load_fs(unsigned int selector)
{
	asm volatile("mov %0, %%fs" : : "r"(selector));
}

static int read_byte(unsigned long offset)
{
	unsigned char byte;

	return catch_trap(asm volatile("movb %%fs:(%1), %0" : "=q"(byte) : "r"(offset)));
}

static int read_word(unsigned long offset)
{
	unsigned long word;

	return catch_trap(asm volatile("mov %%fs:(%1), %0" : "=r"(word) : "r"(offset)));
}

static int write_byte(unsigned long offset)
{
	return catch_trap(asm volatile("movb $-1, %%fs:(%0)" : : "r"(offset) : "memory"));
}

/* Descriptor 5 becomes that, and fs its selector. */
static void use(unsigned long base, uint32_t limit, unsigned int access, unsigned int flags)
{
	set(&gdt[5], descriptor(base, limit, access, flags));
	load_fs(SELECTOR(5));
}

static void data_limits(void)
{
	use((unsigned long)page, 0xff, DATA, BITS32);
	is(read_byte(0xff), TRAP_NONE, "the last byte of a segment");
	is(read_byte(0x100), TRAP_GP, "the byte after it is #GP");
	is(trap_regs.error, 0, "error code");
	is(read_word(0xfc), TRAP_NONE, "its last word");
	is(read_word(0xfd), TRAP_GP, "a word that leaves it");
	is(write_byte(0x100), TRAP_GP, "a write beyond");
	is(page[0x100], 0, "writes nothing");
	is(read_byte(-1UL), TRAP_GP, "a negative offset");
	use((unsigned long)page, 0, DATA, BITS32 | PAGES);
	is(read_byte(0xfff), TRAP_NONE, "a limit in pages: the last byte");
	is(read_byte(0x1000), TRAP_GP, "the byte after it");
	use((unsigned long)page, 0xff, DATA_DOWN, BITS32);
	is(read_byte(0xff), TRAP_GP, "expand-down: the byte at the limit");
	is(read_byte(0x100), TRAP_NONE, "the byte above it");
	use((unsigned long)page, 0xff, DATA_DOWN, 0);
	is(read_byte(0x100), TRAP_NONE, "16-bit expand-down: the byte above the limit");
	is(read_byte(0x10000), TRAP_GP, "the byte at 64 KiB");
	/* 32-bit Xen cuts such a segment, unless asked to emulate (4gb_segments). */
	use((unsigned long)page + 16, 0xfffff, DATA, BITS32 | PAGES);
	is(read_byte(-16UL), TRAP_NONE, "4 GiB from a base: a negative offset");
}

static void types(void)
{
	use((unsigned long)page, 0, DATA_READ_ONLY, BITS32 | PAGES);
	is(read_byte(0), TRAP_NONE, "a read of a read-only segment");
	is(write_byte(0), TRAP_GP, "a write to it");
	use((unsigned long)page, 0, CODE, BITS32 | PAGES);
	is(read_byte(0), TRAP_NONE, "a read of a readable code segment");
	is(write_byte(0), TRAP_GP, "a write to it");
	set(&gdt[5], descriptor((unsigned long)page, 0, CODE_EXECUTE_ONLY, BITS32 | PAGES));
	is(catch_trap(load_fs(SELECTOR(5))), TRAP_GP,
	   "an execute-only segment can't be loaded");
	is(trap_regs.error, SELECTOR(5) & ~3, "error code: the selector");
	set(&gdt[5], descriptor((unsigned long)page, 0, DATA_ABSENT, BITS32 | PAGES));
	is(catch_trap(load_fs(SELECTOR(5))), TRAP_NP, "one that is not present is #NP");
	is(trap_regs.error, SELECTOR(5) & ~3, "error code: the selector");
	load_fs(0);
	is(read_byte(0), TRAP_GP, "the null selector");
}

static void kernel_stack(void)
{
	unsigned long end = 0xd0000000UL; /* our own stack is below it */
	unsigned int flat = FLAT_KERNEL_SS;
	int trap;

	set(&gdt[5], descriptor(0, (uint32_t)(end - 1) >> 12, KERNEL_DATA, BITS32 | PAGES));
	asm volatile("mov %0, %%ss" : : "r"(5 << 3 | 1));
	trap = catch_trap(asm volatile("movb %%ss:(%0), %%al" : : "r"(end) : "eax"));
	asm volatile("mov %0, %%ss" : : "r"(flat));
	is(trap, TRAP_SS, "beyond the stack segment is #SS");
	is(trap_regs.error, 0, "error code");
	is(trap_regs.ss, 5 << 3 | 1, "ss is that of the code");
}

extern const char limited_code[];
asm(".text\n"
    "limited_code: nop; nop; nop; nop; nop; nop; nop; nop; ud2\n");

static void code(void)
{
	struct {
		unsigned long offset;
		uint16_t selector;
	} __attribute__((packed)) target = { 0, 6 << 3 | 1 };

	set(&gdt[6], descriptor((unsigned long)limited_code, 3, KERNEL_CODE, BITS32));
	is(catch_trap(asm volatile("ljmp *%0"
				   :
				   : "m"(target))),
	   TRAP_GP, "code runs into its limit");
	is(trap_regs.error, 0, "error code");
	is(trap_regs.ip, 4, "ip is the first byte beyond");
	is(trap_regs.cs, 6 << 3 | 1, "cs in the frame");
	target.offset = 4;
	is(catch_trap(asm volatile("ljmp *%0" : : "m"(target))), TRAP_GP, "a jump beyond");
	is(trap_regs.cs, FLAT_KERNEL_CS, "is not taken");
}

/* How many entries there are counts for the LDT; the GDT goes by pages. */
static void tables(void)
{
	static uint64_t *ldt;
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg2.nr_ents = 4 };

	set(&gdt[20], descriptor((unsigned long)page, 0xff, DATA, BITS32));
	is(catch_trap(load_fs(SELECTOR(20))), TRAP_NONE,
	   "a GDT of 16 entries: number 20, in its page");
	ldt = page_alloc();
	ldt[3] = ldt[4] = descriptor((unsigned long)page, 0xff, DATA, BITS32);
	page_read_only(ldt);
	op.arg1.linear_addr = (unsigned long)ldt;
	is(mmuext_op(&op, 1, NULL, DOMID_SELF), 0, "an LDT of 4 entries");
	is(catch_trap(load_fs(LDT_SELECTOR(4))), TRAP_GP, "number 4");
	is(trap_regs.error, LDT_SELECTOR(4) & ~3, "error code: the selector");
	is(catch_trap(load_fs(LDT_SELECTOR(3))), TRAP_NONE, "number 3");
	is(read_byte(0xff), TRAP_NONE, "its last byte");
	is(read_byte(0x100), TRAP_GP, "the byte after it");
	load_fs(0);
}

static bool limits_count(void)
{
	use((unsigned long)page, 0, DATA, BITS32);
	return read_byte(1) == TRAP_GP;
}

static void kernel_segments(void)
{
	data_limits();
	types();
	kernel_stack();
	code();
	tables();
}
#else
static bool limits_count(void)
{
	set(&gdt[5], descriptor(USER_DATA, 0, DATA, BITS32));
	return USER_READ(SELECTOR(5), 1) == TRAP_GP;
}

/* 64-bit code knows no limits. */
static void kernel_segments(void)
{
}
#endif

void guest_main(void)
{
	set_up();
	user_create(&user);
	if (!limits_count())
		skip_all("no segment limits on this machine");
	user_data();
	user_stack_and_code();
	kernel_segments();
}
