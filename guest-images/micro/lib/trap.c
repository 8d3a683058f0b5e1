/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trap.c - exceptions and callbacks as C sees them
 */
#include "guest.h"

#define STUB_BYTES 32

volatile int trap_vector;
volatile bool trap_armed;
struct jump_context trap_context;
struct regs trap_regs;
unsigned long trap_cr2;
unsigned long trap_sp;
bool trap_upcall_mask;
unsigned long failsafe_selectors[4];
bool (*trap_hook)(struct regs *regs);
unsigned long iret_flags;

extern const char trap_stubs[];
extern char trap_stack_end[];

unsigned long trap_stub(unsigned int vector)
{
	return (unsigned long)trap_stubs + vector * STUB_BYTES;
}

long set_gate(unsigned int vector, unsigned int flags)
{
	struct trap_info table[2] = { { (uint8_t)vector, (uint8_t)flags, KERNEL_CS,
					trap_stub(vector) } };

	return set_trap_table(table);
}

void traps_init(void)
{
	static struct trap_info table[34];
	unsigned int used = 0, vector;
	long err;

	for (vector = 0; vector < 32; vector++) {
		unsigned int dpl = vector == TRAP_BP || vector == TRAP_OF ? 3 : 0;

		if (vector == TRAP_NMI)
			continue;
		table[used++] = (struct trap_info){ (uint8_t)vector, (uint8_t)dpl, KERNEL_CS,
						    trap_stub(vector) };
	}
	table[used++] = (struct trap_info){ TRAP_INT80, 3, KERNEL_CS, trap_stub(TRAP_INT80) };
	err = set_trap_table(table);
	if (err)
		bail_out("set_trap_table: %ld", err);
}

long register_callback(unsigned int type, unsigned int vector, unsigned int flags)
{
	struct callback_register reg = {
		.type = (uint16_t)type,
		.flags = (uint16_t)flags,
#ifdef __i386__
		.address = { KERNEL_CS, trap_stub(vector) },
#else
		.address = trap_stub(vector),
#endif
	};

	return callback_op(CALLBACKOP_register, &reg);
}

static void unexpected(const struct regs *regs)
{
	static bool again;

	if (!again) {
		again = true;
		print_regs(regs);
		bail_out("unexpected trap %lu, error %lx, ip %lx, cr2 %lx", regs->vector,
			 regs->error, regs->ip, vcpu_info->arch.cr2);
	}
	shutdown(SHUTDOWN_crash);
}

void trap_dispatch(struct regs *regs)
{
	bool mask = READ_ONCE(vcpu_info->evtchn_upcall_mask);

	if (trap_hook && trap_hook(regs))
		return;
	if (regs->vector == TRAP_EVENT) {
		event_upcall_mask = mask;
		event_dispatch(regs);
		return;
	}
	if (!trap_armed)
		unexpected(regs);
	trap_armed = false;
	trap_vector = (int)regs->vector;
	trap_regs = *regs;
	trap_sp = (unsigned long)(regs + 1);
	trap_cr2 = vcpu_info->arch.cr2;
	trap_upcall_mask = mask;
	load_context(&trap_context, 1);
}
