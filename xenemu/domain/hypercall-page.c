/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-page.c - the code that guests call to make a hypercall
 */
#include "domain/hypercall-page.h"
#include "machine/memory.h"
#include <string.h>
#include <xen/xen.h>

#define HYPERCALL_BYTES 32
#define HYPERCALL_UNUSED 0xcc /* int3 */

static uint8_t *put(uint8_t *code, const void *bytes, size_t len)
{
	memcpy(code, bytes, len);
	return code + len;
}

/*
 * One call's code.  The system call destroys rcx and r11, so they are saved on
 * the stack; iret is jumped to with its frame there and does not come back
 * (Xen 4.17 pv_ring3_init_hypercall_page()).
 */
static void write_syscall(uint8_t *code, uint32_t nr)
{
	gboolean is_iret = nr == __HYPERVISOR_iret;

	code = put(code, "\x51\x41\x53", 3); /* push %rcx; push %r11 */
	if (is_iret)
		code = put(code, "\x50", 1); /* push %rax */
	code = put(code, "\xb8", 1); /* mov $nr,%eax */
	code = put(code, &nr, sizeof(nr));
	code = put(code, "\x0f\x05", 2); /* syscall */
	if (!is_iret)
		put(code, "\x41\x5b\x59\xc3", 4); /* pop %r11; pop %rcx; ret */
}

/* For ring 1 (Xen 4.17 pv_ring1_init_hypercall_page()) */
static void write_interrupt(uint8_t *code, uint32_t nr)
{
	gboolean is_iret = nr == __HYPERVISOR_iret;

	if (is_iret)
		code = put(code, "\x50", 1); /* push %eax */
	code = put(code, "\xb8", 1); /* mov $nr,%eax */
	code = put(code, &nr, sizeof(nr));
	code = put(code, "\xcd\x82", 2); /* int $0x82 */
	if (!is_iret)
		put(code, "\xc3", 1); /* ret */
}

void hypercall_page_fill(uint8_t *page, enum image_width width)
{
	memset(page, HYPERCALL_UNUSED, PAGE_SIZE);
	for (uint32_t nr = 0; nr < PAGE_SIZE / HYPERCALL_BYTES; nr++)
		if (width == IMAGE_X86_64)
			write_syscall(page + nr * HYPERCALL_BYTES, nr);
		else
			write_interrupt(page + nr * HYPERCALL_BYTES, nr);
}
