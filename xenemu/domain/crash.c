/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash.c - what is shown of a guest that crashed and of a monitor that failed
 */
#include "domain/private.h"
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <xen/xen.h>

#define X64 "%016" G_GINT64_MODIFIER "x"

#define X32 "%08x"

#define STACK_WORDS 32
#define LAST_CALLS 16
#define CODE_BEFORE 16
#define CODE_BYTES 32

static void print_registers(const struct vcpu_guest_context *ctx)
{
	const struct cpu_user_regs *r = &ctx->user_regs;

	fprintf(stderr, "  rip: %04x:" X64 "  rflags: " X64 "\n", r->cs, r->rip, r->rflags);
	fprintf(stderr, "  rsp: %04x:" X64 "\n", r->ss, r->rsp);
	fprintf(stderr, "  rax: " X64 "  rbx: " X64 "  rcx: " X64 "\n", r->rax, r->rbx, r->rcx);
	fprintf(stderr, "  rdx: " X64 "  rsi: " X64 "  rdi: " X64 "\n", r->rdx, r->rsi, r->rdi);
	fprintf(stderr, "  rbp: " X64 "  r8:  " X64 "  r9:  " X64 "\n", r->rbp, r->r8, r->r9);
	fprintf(stderr, "  r10: " X64 "  r11: " X64 "  r12: " X64 "\n", r->r10, r->r11, r->r12);
	fprintf(stderr, "  r13: " X64 "  r14: " X64 "  r15: " X64 "\n", r->r13, r->r14, r->r15);
	fprintf(stderr, "  cr0: " X64 "  cr2: " X64 "  cr3: " X64 "\n", ctx->ctrlreg[0],
		ctx->ctrlreg[2], ctx->ctrlreg[3]);
	fprintf(stderr, "  cr4: " X64 "  ds: %04x  es: %04x  fs: %04x  gs: %04x\n",
		ctx->ctrlreg[4], r->ds, r->es, r->fs, r->gs);
	fprintf(stderr, "  fsb: " X64 "  gsb: " X64 "  gss: " X64 "\n", ctx->fs_base,
		ctx->gs_base_kernel, ctx->gs_base_user);
}

/* Of a 32-bit guest: the same structure, of which it has a part. */
static void print_registers32(const struct vcpu_guest_context *ctx)
{
	const struct cpu_user_regs *r = &ctx->user_regs;

	fprintf(stderr, "  eip: %04x:" X32 "  eflags: " X32 "\n", r->cs, (uint32_t)r->rip,
		(uint32_t)r->rflags);
	fprintf(stderr, "  esp: %04x:" X32 "\n", r->ss, (uint32_t)r->rsp);
	fprintf(stderr, "  eax: " X32 "  ebx: " X32 "  ecx: " X32 "  edx: " X32 "\n",
		(uint32_t)r->rax, (uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx);
	fprintf(stderr, "  esi: " X32 "  edi: " X32 "  ebp: " X32 "\n", (uint32_t)r->rsi,
		(uint32_t)r->rdi, (uint32_t)r->rbp);
	fprintf(stderr, "  cr0: " X32 "  cr2: " X32 "  cr3: " X64 "  cr4: " X32 "\n",
		(uint32_t)ctx->ctrlreg[0], (uint32_t)ctx->ctrlreg[2], ctx->ctrlreg[3],
		(uint32_t)ctx->ctrlreg[4]);
	fprintf(stderr, "  ds: %04x  es: %04x  fs: %04x  gs: %04x\n", r->ds, r->es, r->fs,
		r->gs);
}

static struct vcpu_guest_context copy_context(const struct domain *dom, unsigned int vcpu)
{
	struct vcpu_guest_context ctx;

	_Static_assert(sizeof(ctx) <= VCPU_CONTEXT_BYTES, "context area is too small");
	memcpy(&ctx, dom->build->vcpus[vcpu].context, sizeof(ctx));
	return ctx;
}

/* Words of 8 bytes or, at twice as many a line, of 4. */
static void print_words(const uint64_t *words, unsigned int nr, size_t size)
{
	unsigned int line = 32 / size;

	for (unsigned int i = 0; i < nr; i++)
		fprintf(stderr, "%s%0*" G_GINT64_MODIFIER "x%s", i % line ? " " : "   ",
			(int)size * 2, words[i],
			i % line == line - 1 || i == nr - 1 ? "\n" : "");
}

/* Word by word: what can be read is shown, up to the first that can't. */
static void print_guest_stack(const struct domain *dom, const struct guest_space *space,
			      uint64_t sp)
{
	gboolean wide = space->paging == PAGING_PV64;
	size_t size = wide ? sizeof(uint64_t) : sizeof(uint32_t);
	uint64_t words[STACK_WORDS] = { 0 };
	unsigned int nr = 0;

	while (nr < STACK_WORDS &&
	       !copy_from_guest(dom, space, &words[nr], sp + nr * size, size))
		nr++;
	fprintf(stderr, "Guest stack from %s=%0*" G_GINT64_MODIFIER "x:\n",
		wide ? "rsp" : "esp", (int)size * 2, sp);
	print_words(words, nr, size);
	if (nr < STACK_WORDS)
		fprintf(stderr, "    (nothing mapped at %0*" G_GINT64_MODIFIER "x)\n",
			(int)size * 2, sp + nr * size);
}

/* The byte at rip stands in angle brackets. */
static void print_code(const uint8_t *code, const gboolean *valid)
{
	fprintf(stderr, "Code around rip:\n   ");
	for (unsigned int i = 0; i < CODE_BYTES; i++) {
		if (!valid[i])
			fprintf(stderr, " ??");
		else
			fprintf(stderr, i == CODE_BEFORE ? " <%02x>" : " %02x", code[i]);
	}
	fprintf(stderr, "\n");
}

static void print_guest_code(const struct domain *dom, const struct guest_space *space,
			     uint64_t rip)
{
	uint8_t code[CODE_BYTES];
	gboolean valid[CODE_BYTES];

	for (unsigned int i = 0; i < CODE_BYTES; i++)
		valid[i] = !copy_from_guest(dom, space, &code[i], rip - CODE_BEFORE + i, 1);
	print_code(code, valid);
}

static void print_last_calls(const struct domain *dom, unsigned int vcpu)
{
	fprintf(stderr, "Last hypercalls:\n");
	trace_last(dom, vcpu, stderr, LAST_CALLS);
}

/*
 * Old kernels write to their page tables as to any memory and want Xen to
 * emulate it, which Xen does only when asked (GNU Mach never asks).
 */
static void print_table_write(const struct domain *dom, const struct guest_space *space,
			      const struct vcpu_guest_context *ctx)
{
	uint64_t cr2 = ctx->ctrlreg[2];
	gboolean writable = TRUE;
	uint64_t mfn = guest_mapping(dom, space, cr2, &writable);
	uint64_t word;

	if (!frames_owned(dom->frames, mfn) || writable ||
	    ctx->vm_assist & 1U << VMASST_TYPE_writable_pagetables)
		return;
	word = __atomic_load_n(&dom->build->frame_table[mfn], __ATOMIC_RELAXED);
	if (!(word & FRAME_TYPE_MASK))
		return;
	fprintf(stderr,
		"Its last page fault was a store at %" G_GINT64_MODIFIER "x, to a page table "
		"(frame %#" G_GINT64_MODIFIER "x) that it\nmaps read-only.  It never asked for "
		"writable page tables (vm_assist), so Xen does not emulate\nsuch stores: it "
		"crashes on Xen, too.\n",
		cr2, mfn);
}

void crash_report_guest(struct domain *dom, unsigned int vcpu, const char *reason)
{
	struct vcpu_guest_context ctx = copy_context(dom, vcpu);
	struct guest_space space = {
		.root_mfn = xen_cr3_to_pfn(ctx.ctrlreg[3]),
		.paging = dom->build->paging,
	};

	console_flush(dom->console);
	fprintf(stderr, "Domain %u (vcpu#%u) crashed: %s\n", DOMID_GUEST, vcpu, reason);
	if (dom->build->width == IMAGE_X86_64)
		print_registers(&ctx);
	else
		print_registers32(&ctx);
	print_table_write(dom, &space, &ctx);
	print_guest_code(dom, &space, ctx.user_regs.rip);
	print_guest_stack(dom, &space, ctx.user_regs.rsp);
	print_last_calls(dom, vcpu);
}

/* --- the monitor --- */

/*
 * Words of the stack that lie in a function, as a back-trace without frame
 * pointers can be had: return addresses, and some that only look like it.
 */
static void print_backtrace(const struct domain *dom, const uint64_t *words, unsigned int nr,
			    uint64_t rip)
{
	char *symbol = module_symbol(dom->module, rip);

	fprintf(stderr, "Monitor back-trace:\n   [" X64 "] R %s\n", rip, symbol ? symbol : "?");
	g_free(symbol);
	for (unsigned int i = 0; i < nr; i++) {
		symbol = module_symbol(dom->module, words[i]);
		if (symbol)
			fprintf(stderr, "   [" X64 "] S %s\n", words[i], symbol);
		g_free(symbol);
	}
}

/* Machine address of an address of the monitor, by its program headers; 0: unknown. */
static uint64_t monitor_paddr(const struct module *module, uint64_t vaddr)
{
	size_t size;
	const uint8_t *elf = g_bytes_get_data(module->elf, &size);
	Elf64_Ehdr ehdr;

	if (size < sizeof(ehdr))
		return 0;
	memcpy(&ehdr, elf, sizeof(ehdr));
	for (unsigned int i = 0; i < ehdr.e_phnum; i++) {
		uint64_t at = ehdr.e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr phdr;

		if (at > size || size - at < sizeof(phdr))
			return 0;
		memcpy(&phdr, elf + at, sizeof(phdr));
		if (phdr.p_type == PT_LOAD && vaddr - phdr.p_vaddr < phdr.p_memsz)
			return vaddr - phdr.p_vaddr + phdr.p_paddr;
	}
	return 0;
}

static void print_monitor_code(const struct domain *dom, uint64_t rip)
{
	uint8_t code[CODE_BYTES];
	gboolean valid[CODE_BYTES];

	for (unsigned int i = 0; i < CODE_BYTES; i++) {
		uint64_t paddr = monitor_paddr(dom->module, rip - CODE_BEFORE + i);
		const uint8_t *byte = paddr ? memory_ptr(dom->build->mem, paddr, 1) : NULL;

		valid[i] = byte != NULL;
		code[i] = byte ? *byte : 0;
	}
	print_code(code, valid);
}

void crash_report_monitor(struct domain *dom, unsigned int vcpu)
{
	struct vcpu_guest_context ctx = copy_context(dom, vcpu);
	const struct mailbox *shared = &dom->build->vcpus[vcpu].mailbox;
	struct mailbox box;
	char *text;

	memcpy(&box, shared, sizeof(box));
	box.text[sizeof(box.text) - 1] = 0;
	text = g_strescape(box.text, NULL);
	console_flush(dom->console);
	fprintf(stderr, "Monitor fault on vcpu#%u: %s\n", vcpu, text);
	fprintf(stderr, "  vector %u, error code %#x, cr2 " X64 "\n", (unsigned int)box.arg[1],
		(unsigned int)box.arg[2], box.arg[3]);
	print_registers(&ctx);
	print_monitor_code(dom, ctx.user_regs.rip);
	fprintf(stderr, "Monitor stack from rsp=" X64 ":\n", ctx.user_regs.rsp);
	print_words(box.stack, STACK_WORDS, sizeof(box.stack[0]));
	print_backtrace(dom, box.stack, G_N_ELEMENTS(box.stack), ctx.user_regs.rip);
	print_last_calls(dom, vcpu);
	g_free(text);
}
