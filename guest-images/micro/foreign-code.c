/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreign-code - code that somebody else put into a page of the guest, as a backend
 * does that reads a program from a disk, is what runs once the page is mapped again
 */
#include "guest.h"

static int16_t copy_page(void *to, void *from)
{
	struct gnttab_copy arg = { .len = PAGE_SIZE, .status = 77 };

	arg.source.u.gmfn = virt_to_mfn(from);
	arg.source.domid = DOMID_SELF;
	arg.dest.u.gmfn = virt_to_mfn(to);
	arg.dest.domid = DOMID_SELF;
	is(grant_table_op(GNTTABOP_copy, &arg, 1), 0, "copied into it");
	return arg.status;
}

/* mov $result, %eax; ret, at the start and the end of a page */
static void write_code(unsigned char *page, unsigned char result)
{
	const unsigned char code[] = { 0xb8, result, 0, 0, 0, 0xc3 };

	for (unsigned int i = 0; i < sizeof(code); i++)
		page[i] = page[PAGE_SIZE - sizeof(code) + i] = code[i];
}

static unsigned int call(const unsigned char *page, unsigned long at)
{
	unsigned int (*code)(void) = (unsigned int (*)(void))(uintptr_t)(page + at);

	return code();
}

static void map(const void *page, unsigned long flags)
{
	pte_t pte = flags ? make_pte(virt_to_mfn(page), flags) : 0;

	update_va_mapping((unsigned long)page, pte, UVMF_INVLPG);
}

void guest_main(void)
{
	unsigned char *page = page_alloc(), *source = page_alloc();

	write_code(page, 1);
	write_code(source, 2);
	is(call(page, 0), 1, "code that the guest wrote");
	is(call(page, PAGE_SIZE - 6), 1, "and at the page's end");
	map(page, 0);
	is(copy_page(page, source), GNTST_okay, "status");
	map(page, PTE_READ_ONLY);
	is(call(page, 0), 2, "code that was copied into the page");
	is(call(page, PAGE_SIZE - 6), 2, "and at the page's end");
	map(page, PTE_WRITE);
}
