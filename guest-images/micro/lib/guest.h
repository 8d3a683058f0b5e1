/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.h - everything a micro guest needs: it is a tiny PV kernel whose
 * guest_main() runs on one vCPU, with traps and the event upcall set up, upcalls
 * masked, the ports of console and store masked, the shared info page mapped
 * and the console ready
 */
#ifndef MICRO_GUEST_H
#define MICRO_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Xen says where its table is (XENMEM_machphys_mapping), see start.c. */
extern unsigned long *machine_to_phys;
#define machine_to_phys_mapping machine_to_phys

#include <xen/callback.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

#include "arch.h"
#include "cpu.h"

#define PAGE_SIZE 4096UL
#define PAGE_SHIFT 12

#define FLAG_TF (1UL << 8)
#define FLAG_IF (1UL << 9)
#define FLAG_IOPL (3UL << 12)
#define FLAG_VM (1UL << 17)
#define FLAG_AC (1UL << 18)

/* Vectors, and pseudo-vectors of the callbacks. */
#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_BP 3
#define TRAP_OF 4
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_MF 16
#define TRAP_AC 17
#define TRAP_XM 19
#define TRAP_INT80 0x80
#define TRAP_VECTORS 256
#define TRAP_EVENT 256
#define TRAP_FAILSAFE 257
#define TRAP_SYSCALL 258
#define TRAP_SYSCALL32 259
#define TRAP_SYSENTER 260
#define TRAP_NONE (-1)

#define barrier() asm volatile("" ::: "memory")
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* -- start.c ------------------------------------------------------------ */

/** guest_main() - the guest's own code; ends in done() */
void guest_main(void);

extern struct start_info *start_info;
extern struct entry_state entry_state;
extern struct shared_info *const shared_info; /* mapped at a page of ours */
extern struct vcpu_info *vcpu_info; /* of vCPU 0, wherever it lives */
extern char image_start[], image_end[];

/* -- console.c ---------------------------------------------------------- */

/** console_write() - put bytes on the console ring; waits while it is full */
void console_write(const char *text, size_t length);
/** console_flush() - wait until the other side has read everything */
void console_flush(void);
/** console_read() - take at most @size bytes that arrived; 0 when none did */
size_t console_read(char *buffer, size_t size);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *format, va_list args);

/* -- print.c ------------------------------------------------------------ */

/**
 * format() - a small vsnprintf: %s %c %d %u %x %p %%, l, ll and z, width, 0
 * Return: bytes stored, the NUL not counted; never more than @size - 1
 */
size_t format(char *buffer, size_t size, const char *text, va_list args);

/* -- tap.c -------------------------------------------------------------- */

/** ok() - one test line; Return: @pass */
bool ok(bool pass, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** is() - a test line for got == want, which shows both when they differ */
bool is_(unsigned long long got, unsigned long long want, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define is(got, want, ...) is_((long long)(got), (long long)(want), __VA_ARGS__)
/** skip() - a test line for what can't be tried here; @why ends up in it */
void skip(const char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** skip_all() - power off before the first result; @why: the guest can't be tried here */
void skip_all(const char *why) __attribute__((noreturn));
/** diag() - a comment line */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** done() - print the plan and power off */
void done(void) __attribute__((noreturn));
/** bail_out() - the guest can't go on: say why and crash */
void bail_out(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/** shutdown() - leave; @reason: SHUTDOWN_* */
void shutdown(unsigned int reason) __attribute__((noreturn));

/* -- trap.c ------------------------------------------------------------- */

/**
 * catch_trap() - run a statement and tell which trap it raised
 *
 * A trap inside the statement abandons it.  Its frame is left in trap_regs,
 * cr2 in trap_cr2.  Value: the vector, or TRAP_NONE.  Catches don't nest.
 */
#define catch_trap(statement)                                                                  \
	({                                                                                     \
		trap_vector = TRAP_NONE;                                                       \
		if (save_context(&trap_context) == 0) {                                        \
			trap_armed = true;                                                     \
			barrier();                                                             \
			statement;                                                             \
			barrier();                                                             \
			trap_armed = false;                                                    \
		}                                                                              \
		trap_vector;                                                                   \
	})

extern volatile int trap_vector;
extern volatile bool trap_armed;
extern struct jump_context trap_context;
extern struct regs trap_regs;
extern unsigned long trap_cr2;
extern unsigned long trap_sp; /* where its frame ended: the stack's top before it */
extern bool trap_upcall_mask; /* evtchn_upcall_mask as the handler found it */
extern unsigned long failsafe_selectors[4]; /* ds, es, fs, gs of the last failsafe */
/* Looks at a trap first; true: handled, return to (the changed) @regs. */
extern bool (*trap_hook)(struct regs *regs);
/* What the stubs' return passes to HYPERVISOR_iret as its flags word. */
extern unsigned long iret_flags;

/** traps_init() - give Xen a handler for each exception and for int 0x80 */
void traps_init(void);
/** trap_stub() - address of the stub of a vector or pseudo-vector */
unsigned long trap_stub(unsigned int vector);
/** set_gate() - set one vector; @flags: DPL, TI_SET_IF's bit 2 */
long set_gate(unsigned int vector, unsigned int flags);
/** register_callback() - CALLBACKOP_register of a stub */
long register_callback(unsigned int type, unsigned int vector, unsigned int flags);
/** trap_dispatch() - called by the stubs; returning resumes @regs by iret */
void trap_dispatch(struct regs *regs);
/** print_regs() - as comment lines */
void print_regs(const struct regs *regs);

int save_context(struct jump_context *context) __attribute__((returns_twice));
void load_context(struct jump_context *context, int value) __attribute__((noreturn));
/** return_to_guest() - load all of @regs by HYPERVISOR_iret */
void return_to_guest(const struct regs *regs, unsigned long flags) __attribute__((noreturn));

/* -- memory.c ----------------------------------------------------------- */

#define PTE_P (1UL << 0)
#define PTE_RW (1UL << 1)
#define PTE_US (1UL << 2)
#define PTE_PWT (1UL << 3)
#define PTE_PCD (1UL << 4)
#define PTE_A (1UL << 5)
#define PTE_D (1UL << 6)
#define PTE_PSE (1UL << 7)
#define PTE_G (1UL << 8)
#define PTE_AVAIL (7UL << 9)
#define PTE_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define PTE_READ_ONLY (PTE_P | PTE_US | PTE_A | PTE_D)
#define PTE_WRITE (PTE_READ_ONLY | PTE_RW)

#define pte_mfn(pte) (((pte)&PTE_FRAME_MASK) >> PAGE_SHIFT)
#define make_pte(mfn, flags) ((pte_t)(mfn) << PAGE_SHIFT | (flags))

/** page_alloc() - a zeroed page of the image, mapped read-write; never fails */
void *page_alloc(void);
/** virt_to_mfn() - frame of a page in the start-of-day mapping, by the p2m */
unsigned long virt_to_mfn(const void *va);
/** mfn_to_virt() - where a frame of ours is mapped at start of day, by the M2P */
void *mfn_to_virt(unsigned long mfn);
/** virt_to_maddr() - machine address of a byte */
uint64_t virt_to_maddr(const void *va);
/** kernel_root() - the root table that is loaded (follow set_kernel_root()) */
pte_t *kernel_root(void);
/** set_kernel_root() - MMUEXT_NEW_BASEPTR; Return: its result */
long set_kernel_root(pte_t *root);
/**
 * walk() - entry of a level's table that maps an address
 * Return: where it can be read; NULL where a table above it is not present
 */
pte_t *walk(const pte_t *root, unsigned long va, unsigned int level);
/** pte_of() - entry of our own tables that maps @va; level 1 is the page's */
pte_t *pte_of(const void *va, unsigned int level);
/** set_page() - change the mapping of one of our pages; Return: Xen's answer */
long set_page(const void *va, unsigned long flags);
#define page_read_only(va) set_page(va, PTE_READ_ONLY)
#define page_read_write(va) set_page(va, PTE_WRITE)
/** flush_tlb() - MMUEXT_TLB_FLUSH_LOCAL */
void flush_tlb(void);

/* -- user.c: a page of user code and one of user data -------------------- */

#define USER_BASE 0x40000000UL
#define USER_CODE USER_BASE
#define USER_DATA (USER_BASE + PAGE_SIZE)
#define USER_STACK (USER_DATA + PAGE_SIZE)

/**
 * struct user - a user address space
 * @root: its root table; 64-bit: for user mode alone, pinned
 * @l1:   the table that maps code and data
 * @code: kernel's writable view of USER_CODE
 * @data: kernel's writable view of USER_DATA; the stack is at its end
 */
struct user {
	pte_t *root;
	pte_t *l1;
	void *code;
	void *data;
};

/**
 * user_create() - make one and make it the current user root
 *
 * 32-bit guests have one root for both modes: there it becomes a part of the
 * kernel's.
 */
void user_create(struct user *user);
/** user_regs() - registers to start user code with, all others 0 */
void user_regs(struct regs *regs);
/** user_load() - copy code from @start to @end to USER_CODE */
void user_load(struct user *user, const void *start, const void *end);
/** USER_SNIPPET() - code for user mode, from @name to @name_end */
#define USER_SNIPPET(name, code)                                                               \
	extern const char name[], name##_end[];                                                \
	asm(".text\n" #name ": " code "\n" #name "_end:\n")
/**
 * run_user() - run code from @start to @end, with @di in that register and 0 in all others
 * Return: as catch_trap()
 */
int run_user(struct user *user, const void *start, const void *end, unsigned long di);

/* -- event.c ------------------------------------------------------------ */

extern volatile unsigned int event_count[EVENT_PORTS]; /* deliveries by port */
extern volatile unsigned int event_upcalls; /* upcalls, with or without a port */
extern struct regs event_regs; /* frame of the last upcall */
extern bool event_upcall_mask; /* as the last upcall found it */

/** events_init() - register the upcall (called at start) */
void events_init(void);
/** events_enable() - clear the upcall mask, take what is pending */
void events_enable(void);
/** events_disable() - set the upcall mask */
void events_disable(void);
/** event_dispatch() - the upcall: clear and count each pending port */
void event_dispatch(struct regs *regs);
/** bind_virq() - of vCPU 0; Return: port or -errno */
long bind_virq(uint32_t virq);
/** bind_ipi() - of vCPU 0; Return: port or -errno */
long bind_ipi(void);
bool event_pending(unsigned int port);
bool event_masked(unsigned int port);
void event_set_mask(unsigned int port, bool masked);
/** event_clear() - forget a pending event */
void event_clear(unsigned int port);

/* -- store.c: xenstore -------------------------------------------------------- */

/**
 * struct store_reply - a reply
 * @type: of the request, or XS_ERROR
 * @len:  of @data, bytes; a nul comes after them
 */
struct store_reply {
	uint32_t type;
	uint32_t len;
	char data[XENSTORE_PAYLOAD_MAX + 1];
};

struct store_event {
	char path[256];
	char token[64];
};

/** store_ring() - the shared page */
struct xenstore_domain_interface *store_ring(void);
/** store_notify() - raise the store's event channel */
void store_notify(void);
/** store_put() - put bytes on the ring; waits while it is full */
void store_put(const void *bytes, size_t length);
/** store_get() - take bytes off the ring; waits for them */
void store_get(void *bytes, size_t length);
/** store_ready() - how many bytes there are to take */
size_t store_ready(void);
/** store_send() - send a request */
void store_send(uint32_t type, uint32_t tx, const void *payload, size_t length);
/** store_reply() - wait for the next reply; watch events are kept */
void store_reply(struct store_reply *reply);
/** store_call() - both; Return: NULL, or the name of the error, in @reply */
const char *store_call(uint32_t type, uint32_t tx, const void *payload, size_t length,
		       struct store_reply *reply);
/** store_event() - the next watch event; false: none came (and not @wait) */
bool store_event(struct store_event *event, bool wait);
/** store_read() - a value as a string; Return: NULL, or the name of the error */
const char *store_read(const char *path, char *value, size_t size);
/** store_write() - Return: NULL, or the name of the error */
const char *store_write(const char *path, const char *value);

/* -- time.c ------------------------------------------------------------- */

#define MSEC 1000000ULL
/** system_time() - ns since boot, by vcpu_time_info and the TSC */
uint64_t system_time(void);

/* -- random.c ----------------------------------------------------------- */

/** pseudo_random() - a number; each run has the same ones */
uint32_t pseudo_random(void);
/** fill_random() - that many bytes of it */
void fill_random(void *bytes, size_t length);

/* -- hypercalls ----------------------------------------------------------- */

#define HYPERCALL0(nr) hypercall5(nr, 0, 0, 0, 0, 0)
#define HYPERCALL1(nr, a) hypercall5(nr, (unsigned long)(a), 0, 0, 0, 0)
#define HYPERCALL2(nr, a, b) hypercall5(nr, (unsigned long)(a), (unsigned long)(b), 0, 0, 0)
#define HYPERCALL3(nr, a, b, c)                                                                \
	hypercall5(nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), 0, 0)
#define HYPERCALL4(nr, a, b, c, d)                                                             \
	hypercall5(nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c),             \
		   (unsigned long)(d), 0)

static inline long set_trap_table(const struct trap_info *table)
{
	return HYPERCALL1(__HYPERVISOR_set_trap_table, table);
}

static inline long mmu_update(const struct mmu_update *req, unsigned int count,
			      unsigned int *done_count, domid_t domid)
{
	return HYPERCALL4(__HYPERVISOR_mmu_update, req, count, done_count, domid);
}

static inline long mmuext_op(const struct mmuext_op *op, unsigned int count,
			     unsigned int *done_count, domid_t domid)
{
	return HYPERCALL4(__HYPERVISOR_mmuext_op, op, count, done_count, domid);
}

static inline long stack_switch(unsigned long ss, unsigned long sp)
{
	return HYPERCALL2(__HYPERVISOR_stack_switch, ss, sp);
}

static inline long fpu_taskswitch(int set)
{
	return HYPERCALL1(__HYPERVISOR_fpu_taskswitch, set);
}

static inline long multicall(struct multicall_entry *list, unsigned int count)
{
	return HYPERCALL2(__HYPERVISOR_multicall, list, count);
}

static inline long set_gdt(const unsigned long *frames, unsigned int entries)
{
	return HYPERCALL2(__HYPERVISOR_set_gdt, frames, entries);
}

static inline long set_segment_base(unsigned int which, unsigned long base)
{
	return HYPERCALL2(__HYPERVISOR_set_segment_base, which, base);
}

static inline long set_debugreg(int reg, unsigned long value)
{
	return HYPERCALL2(__HYPERVISOR_set_debugreg, reg, value);
}

static inline long get_debugreg(int reg)
{
	return HYPERCALL1(__HYPERVISOR_get_debugreg, reg);
}

static inline long xen_version(int cmd, void *arg)
{
	return HYPERCALL2(__HYPERVISOR_xen_version, cmd, arg);
}

static inline long memory_op(unsigned int cmd, void *arg)
{
	return HYPERCALL2(__HYPERVISOR_memory_op, cmd, arg);
}

static inline long event_channel_op(int cmd, void *arg)
{
	return HYPERCALL2(__HYPERVISOR_event_channel_op, cmd, arg);
}

static inline long sched_op(int cmd, void *arg)
{
	return HYPERCALL2(__HYPERVISOR_sched_op, cmd, arg);
}

static inline long vcpu_op(int cmd, unsigned int vcpu, void *arg)
{
	return HYPERCALL3(__HYPERVISOR_vcpu_op, cmd, vcpu, arg);
}

static inline long callback_op(int cmd, void *arg)
{
	return HYPERCALL2(__HYPERVISOR_callback_op, cmd, arg);
}

static inline long grant_table_op(unsigned int cmd, void *arg, unsigned int count)
{
	return HYPERCALL3(__HYPERVISOR_grant_table_op, cmd, arg, count);
}

static inline long physdev_op(int cmd, void *arg)
{
	return HYPERCALL2(__HYPERVISOR_physdev_op, cmd, arg);
}

static inline long vm_assist(unsigned int cmd, unsigned int type)
{
	return HYPERCALL2(__HYPERVISOR_vm_assist, cmd, type);
}

/** xen_since() - does Xen call itself @major.@minor or newer? */
static inline bool xen_since(long major, long minor)
{
	return xen_version(XENVER_version, NULL) >= (major << 16 | minor);
}

/* An entry that is not accepted: one error for all before Xen 4. */
#define REFUSED(err) (xen_since(4, 0) ? (err) : -XEN_EINVAL)

/*
 * An iret frame that can't be loaded: an exception where it leads to; before Xen 4
 * the failsafe callback (x86_32/entry.S and x86_64/entry.S, .Ldf1 in __ex_table).
 */
#define REFUSED_IRET (xen_since(4, 0) ? TRAP_GP : TRAP_FAILSAFE)

/** mmu_update_one() - one entry; Return: Xen's answer for it */
long mmu_update_one(uint64_t ptr, uint64_t value);
/** set_pte() - mmu_update(NORMAL) of the entry at @pte */
long set_pte(const pte_t *pte, pte_t value);
/** mmuext() - one operation on frame or address @arg; Return: Xen's answer */
long mmuext(unsigned int cmd, unsigned long arg);

/* -- string.c ------------------------------------------------------------- */

void *memset(void *to, int byte, size_t count);
void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);

#endif
