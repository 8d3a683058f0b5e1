/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-page.S - a page that the domain builder fills with hypercall stubs
 *
 * Linked into those guests only that name hypercall_page; the others have no
 * such note, like Linux since 2025.
 */
#define __ASSEMBLY__
#include <xen/elfnote.h>

	.section .note.Xen, "a", @note
	.align 4
	.long 4, 8, XEN_ELFNOTE_HYPERCALL_PAGE
	.asciz "Xen"
	.quad hypercall_page

	.text
	.balign 4096
	.globl hypercall_page
hypercall_page:
	.fill 4096, 1, 0xcc
	.balign 4096
