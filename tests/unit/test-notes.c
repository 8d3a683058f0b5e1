/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-notes.c - what kernels say of themselves: ELF notes, __xen_guest, and
 * which ABI follows from it
 */
#include "domain/image.h"
#include "make-elf.h"
#include <string.h>
#include <xen/xen.h>

#include <xen/elfnote.h>
#include <xen/features.h>

#define FEATURES_31                                                                            \
	"writable_page_tables|writable_descriptor_tables|auto_translated_physmap|"             \
	"supervisor_mode_kernel"

static struct image *parse(struct make_elf *elf)
{
	g_autoptr(GBytes) bytes = make_elf_finish(elf);
	g_autoptr(GError) error = NULL;
	struct image *image = image_parse("kernel", bytes, &error);

	g_assert_no_error(error);
	g_assert_nonnull(image);
	return image;
}

static void assert_refused(struct make_elf *elf, enum image_error code, const char *says)
{
	g_autoptr(GBytes) bytes = make_elf_finish(elf);
	g_autoptr(GError) error = NULL;

	g_assert_null(image_parse("the-file", bytes, &error));
	g_assert_error(error, IMAGE_ERROR, (gint)code);
	g_assert_true(g_str_has_prefix(error->message, "the-file: "));
	if (!strstr(error->message, says))
		g_error("\"%s\" does not say \"%s\"", error->message, says);
}

/* The notes of Debian's linux-image-6.1.0 (readelf -n of its vmlinux) */
static void test_linux_6_1(void)
{
	static const char features[0x29] = "!writable_page_tables|pae_pgdir_above_4gb";
	static const uint64_t l1_mfn_valid[] = { 1, 1 };
	static const uint32_t supported = 0x8801;
	struct make_elf *elf = make_elf_new(TRUE);
	g_autoptr(Image) image = NULL;

	elf->entry = 0x1000000;
	make_elf_segment(elf, 0x1000000, NULL, 0x1000, 0x1000);
	make_elf_segment(elf, 0x3044000, NULL, 0x1000, 0x36000);
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, "linux");
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_VERSION, "2.6");
	make_elf_xen_string(elf, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	make_elf_note(elf, "Xen", XEN_ELFNOTE_FEATURES, features, sizeof(features));
	make_elf_note(elf, "Xen", XEN_ELFNOTE_SUPPORTED_FEATURES, &supported,
		      sizeof(supported));
	make_elf_xen_string(elf, XEN_ELFNOTE_LOADER, "generic");
	make_elf_xen_number(elf, XEN_ELFNOTE_SUSPEND_CANCEL, 1);
	make_elf_xen_string(elf, XEN_ELFNOTE_PAE_MODE, "yes");
	make_elf_note(elf, "Xen", XEN_ELFNOTE_L1_MFN_VALID, l1_mfn_valid, sizeof(l1_mfn_valid));
	make_elf_xen_number(elf, XEN_ELFNOTE_MOD_START_PFN, 1);
	make_elf_xen_number(elf, XEN_ELFNOTE_HV_START_LOW, 0xffff800000000000);
	make_elf_xen_number(elf, XEN_ELFNOTE_PADDR_OFFSET, 0);
	make_elf_xen_number(elf, XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000);
	make_elf_xen_number(elf, XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	make_elf_xen_number(elf, XEN_ELFNOTE_ENTRY, 0xffffffff830791c0);
	make_elf_note(elf, "GNU", 3, "abcd", 4);
	make_elf_xen_number(elf, XEN_ELFNOTE_PHYS32_ENTRY, 0x1000850);
	image = parse(elf);

	g_assert_cmpstr(image->guest_os, ==, "linux");
	g_assert_cmpstr(image->guest_version, ==, "2.6");
	g_assert_cmpstr(image->xen_version, ==, "xen-3.0");
	g_assert_cmpstr(image->loader, ==, "generic");
	g_assert_cmpstr(image->pae_mode, ==, "yes");
	g_assert_cmpint(strlen(image->features), ==, sizeof(features));
	g_assert_cmphex(image->features_required, ==, 1U << XENFEAT_writable_page_tables);
	g_assert_cmphex(image->features_supported, ==,
			0x8801 | 1U << XENFEAT_pae_pgdir_above_4gb);
	g_assert_true(image->supported_note);
	g_assert_true(image->suspend_cancel);
	g_assert_true(image->mod_start_pfn);
	g_assert_cmphex(image->l1_mfn_mask, ==, 1);
	g_assert_cmphex(image->l1_mfn_value, ==, 1);
	g_assert_cmphex(image->hv_start_low, ==, 0xffff800000000000);
	g_assert_cmphex(image->init_p2m, ==, 0x8000000000);
	g_assert_cmphex(image->entry, ==, 0xffffffff830791c0);
	g_assert_cmphex(image->virt_start, ==, 0xffffffff81000000);
	g_assert_cmphex(image->virt_end, ==, 0xffffffff8307a000);
	g_assert_cmphex(image->hypercall_page, ==, IMAGE_NONE);
	g_assert_cmpstr(image_abi(image), ==, "xen-4");
}

/* Debian's grub-i386-xen.bin: the last note is longer than segment and file. */
static void test_clipped_last_note(void)
{
	struct make_elf *elf = make_elf_new(FALSE);
	g_autoptr(GBytes) bytes = NULL, clipped = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(Image) image = NULL;
	Elf32_Ehdr head;
	Elf32_Phdr note_segment;
	gsize end;

	make_elf_segment(elf, 0, NULL, 0x1000, 0x1000);
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, "GRUB");
	make_elf_xen_string(elf, XEN_ELFNOTE_LOADER, "generic");
	make_elf_xen_string(elf, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	make_elf_xen_number(elf, XEN_ELFNOTE_VIRT_BASE, 0);
	make_elf_xen_number(elf, XEN_ELFNOTE_ENTRY, 0);
	make_elf_note(elf, "Xen", XEN_ELFNOTE_PAE_MODE, "yes\0\0\0\0\0\0\0\0\0", 12);
	elf->note_segment_short = 8;
	bytes = make_elf_finish(elf);

	/* Put the segment with the notes at the very end of the file. */
	memcpy(&head, g_bytes_get_data(bytes, NULL), sizeof(head));
	memcpy(&note_segment,
	       (const uint8_t *)g_bytes_get_data(bytes, NULL) + sizeof(head) +
		       sizeof(note_segment),
	       sizeof(note_segment));
	g_assert_cmpuint(note_segment.p_type, ==, PT_NOTE);
	{
		GByteArray *all = g_bytes_unref_to_array(g_bytes_ref(bytes));
		g_autofree uint8_t *notes =
			g_memdup2(all->data + note_segment.p_offset, note_segment.p_filesz);

		note_segment.p_offset = all->len;
		memcpy(all->data + sizeof(head) + sizeof(note_segment), &note_segment,
		       sizeof(note_segment));
		g_byte_array_append(all, notes, note_segment.p_filesz);
		clipped = g_byte_array_free_to_bytes(all);
	}
	end = g_bytes_get_size(clipped);
	g_assert_cmpuint(note_segment.p_offset + note_segment.p_filesz, ==, end);
	image = image_parse("grub", clipped, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(image->pae_mode, ==, "yes");
	g_assert_cmpuint(image->width, ==, IMAGE_X86_32P);
	g_assert_cmphex(image->entry, ==, 0);
	g_assert_cmphex(image->virt_base, ==, 0);
	g_assert_cmpstr(image_abi(image), ==, "xen-4");
}

/* ------------------------------------------------------------------------
 * Where the description is found
 */
static void test_section_notes(void)
{
	struct make_elf *elf = make_elf_kernel();
	g_autoptr(Image) image = NULL;

	elf->notes_in_section = TRUE;
	image = parse(elf);
	g_assert_true(image->from_notes);
	g_assert_cmphex(image->virt_base, ==, 0xffffffff80000000);
}

static struct make_elf *guest_section_kernel(gboolean is_64, uint64_t paddr, const char *text)
{
	struct make_elf *elf = make_elf_new(is_64);

	elf->entry = paddr;
	make_elf_segment(elf, paddr, NULL, 0x1000, 0x10000);
	make_elf_section(elf, "__xen_guest", SHT_PROGBITS, text, strlen(text) + 1);
	return elf;
}

/* Notes of another owner do not hide __xen_guest: GNU Mach's are of "name". */
static void test_other_owner(void)
{
	struct make_elf *elf = guest_section_kernel(
		FALSE, 0xc0100000,
		"GUEST_OS=GNU Mach,GUEST_VERSION=1.3,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,"
		"ELF_PADDR_OFFSET=0xC0000000,HYPERCALL_PAGE=0x102,PAE=yes[extended-cr3],"
		"LOADER=generic,FEATURES=pae_pgdir_above_4gb");
	g_autoptr(Image) image = NULL;

	make_elf_note(elf, "name", XEN_ELFNOTE_VIRT_BASE, "\0\0\0\xd0", 4);
	make_elf_note(elf, "Xen2", XEN_ELFNOTE_VIRT_BASE, "\0\0\0\xd0", 4);
	image = parse(elf);
	g_assert_false(image->from_notes);
	g_assert_cmpstr(image->guest_os, ==, "GNU Mach");
	g_assert_cmpstr(image->guest_version, ==, "1.3");
	g_assert_cmphex(image->virt_base, ==, 0xc0000000);
	g_assert_cmphex(image->virt_start, ==, 0xc0100000);
	g_assert_cmphex(image->hypercall_page, ==, 0xc0102000);
	g_assert_cmpuint(image->width, ==, IMAGE_X86_32P);
	g_assert_true(image->extended_cr3);
	g_assert_cmpstr(image_abi(image), ==, "xen-3.0.3");
}

/* --- BSD_SYMTAB --- */

/* Symbols come first in the file, as make_elf links them. */
static struct make_elf *bsd_kernel(const char *note, const void *symbols, size_t len,
				   uint32_t strings_type)
{
	struct make_elf *elf = make_elf_kernel();

	if (note)
		make_elf_xen_string(elf, XEN_ELFNOTE_BSD_SYMTAB, note);
	make_elf_section(elf, ".symtab", SHT_SYMTAB, symbols, len);
	make_elf_section(elf, ".strtab", strings_type, "\0start", 7);
	return elf;
}

static void test_symbols(void)
{
	g_autoptr(Image)
		image = parse(bsd_kernel("yes", "0123456789abcdef01234567", 24, SHT_STRTAB));
	const uint8_t *bytes = g_bytes_get_data(image->symbols, NULL);
	gsize len = g_bytes_get_size(image->symbols);
	Elf64_Shdr tables[3];
	Elf64_Ehdr header;
	uint32_t length;

	g_assert_true(image->bsd_symtab);
	g_assert_cmphex(image->symbols_vaddr, ==, 0xffffffff80102000);
	g_assert_cmphex(image->virt_end, ==, 0xffffffff80103000);
	memcpy(&length, bytes, sizeof(length));
	memcpy(&header, bytes + 4, sizeof(header));
	g_assert_cmpuint(length, ==, len - 4);
	g_assert_cmpmem(bytes + 4, SELFMAG, ELFMAG, SELFMAG);
	g_assert_cmpuint(header.e_phnum, ==, 0);
	g_assert_cmpuint(header.e_shnum, ==, 3);
	memcpy(tables, bytes + 4 + header.e_shoff, sizeof(tables));
	g_assert_cmpuint(tables[0].sh_type, ==, SHT_NULL);
	g_assert_cmpuint(tables[1].sh_type, ==, SHT_SYMTAB);
	g_assert_cmpuint(tables[1].sh_link, ==, 2);
	g_assert_cmpmem(bytes + 4 + tables[1].sh_offset, tables[1].sh_size,
			"0123456789abcdef01234567", 24);
	g_assert_cmpuint(tables[2].sh_type, ==, SHT_STRTAB);
	g_assert_cmpmem(bytes + 4 + tables[2].sh_offset, tables[2].sh_size, "\0start", 7);
	g_assert_cmpuint(tables[2].sh_offset + tables[2].sh_size, ==, len - 4);
}

static void assert_no_symbols(struct make_elf *elf, gboolean wanted)
{
	g_autoptr(Image) image = parse(elf);

	g_assert_cmpint(image->bsd_symtab, ==, wanted);
	g_assert_null(image->symbols);
}

/* Not asked for, or not there as it should be: the kernel runs without. */
static void test_no_symbols(void)
{
	struct make_elf *none = make_elf_kernel(), *outside;
	g_autoptr(GBytes) file = NULL, bad = NULL;
	g_autoptr(Image) image = NULL;
	uint64_t far = 1 << 24;
	const Elf64_Ehdr *header;

	assert_no_symbols(bsd_kernel(NULL, "", 0, SHT_STRTAB), FALSE);
	assert_no_symbols(bsd_kernel("no", "", 0, SHT_STRTAB), FALSE);
	assert_no_symbols(bsd_kernel("yes", "", 0, SHT_PROGBITS), TRUE);
	make_elf_xen_string(none, XEN_ELFNOTE_BSD_SYMTAB, "yes");
	assert_no_symbols(none, TRUE);

	outside = bsd_kernel("yes", "12345678", 8, SHT_STRTAB);
	file = make_elf_finish(outside);
	header = g_bytes_get_data(file, NULL);
	bad = change_bytes(
		file, header->e_shoff + sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_offset),
		&far, sizeof(far));
	image = image_parse("kernel", bad, NULL);
	g_assert_nonnull(image);
	g_assert_null(image->symbols);
}

/* In __xen_guest, to be there is to be yes. */
static void test_guest_string_symbols(void)
{
	struct make_elf *elf = make_elf_new(FALSE);
	const char text[] = "XEN_VER=xen-3.0,VIRT_BASE=0xc0000000,PAE=yes,BSD_SYMTAB,"
			    "LOADER=generic";
	g_autoptr(Image) image = NULL;

	elf->entry = 0xc0100000;
	make_elf_segment(elf, 0xc0100000, NULL, 0x1000, 0x1ffe);
	make_elf_section(elf, ".symtab", SHT_SYMTAB, "1234567890123456", 16);
	make_elf_section(elf, ".strtab", SHT_STRTAB, "", 1);
	make_elf_section(elf, "__xen_guest", SHT_PROGBITS, text, sizeof(text));
	image = parse(elf);
	g_assert_true(image->bsd_symtab);
	g_assert_nonnull(image->symbols);
	g_assert_cmphex(image->symbols_vaddr, ==, 0xc0102000); /* on 4 bytes */
	g_assert_cmphex(image->virt_end, ==, 0xc0103000);
	g_assert_false(image->extended_cr3);
}

static void test_notes_before_section(void)
{
	struct make_elf *elf = make_elf_kernel();
	g_autoptr(Image) image = NULL;

	make_elf_section(elf, "__xen_guest", SHT_PROGBITS, "VIRT_BASE=0x1000", 17);
	image = parse(elf);
	g_assert_cmphex(image->virt_base, ==, 0xffffffff80000000);
}

/* ------------------------------------------------------------------------
 * __xen_guest
 */
static void test_xenlinux_3_1_string(void)
{
	g_autoptr(Image) image = parse(guest_section_kernel(
		TRUE, 0xffffffff80200000,
		"GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,VIRT_BASE=0xFFFFFFFF80000000,"
		"ELF_PADDR_OFFSET=0xFFFFFFFF80000000,VIRT_ENTRY=0xFFFFFFFF80200000,"
		"HYPERCALL_PAGE=0x206,FEATURES=" FEATURES_31 ",LOADER=generic"));

	g_assert_cmpstr(image->guest_version, ==, "2.6");
	g_assert_cmphex(image->virt_base, ==, 0xffffffff80000000);
	g_assert_cmphex(image->paddr_offset, ==, 0xffffffff80000000);
	g_assert_cmphex(image->entry, ==, 0xffffffff80200000);
	g_assert_cmphex(image->virt_start, ==, 0xffffffff80200000);
	g_assert_cmphex(image->hypercall_page, ==, 0xffffffff80206000);
	g_assert_cmphex(image->features_supported, ==, 0xf);
	g_assert_cmphex(image->features_required, ==, 0);
}

/* 3.0.2 and before: no ELF_PADDR_OFFSET means VIRT_BASE, entry is ELF's. */
static void test_old_string(void)
{
	g_autoptr(Image) image = parse(guest_section_kernel(
		FALSE, 0xc0100000,
		"GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,PAE=yes,"
		"LOADER=generic"));

	g_assert_cmphex(image->paddr_offset, ==, 0xc0000000);
	g_assert_cmphex(image->virt_start, ==, 0xc0100000);
	g_assert_cmphex(image->entry, ==, 0xc0100000);
	g_assert_cmphex(image->hypercall_page, ==, IMAGE_NONE);
	g_assert_cmpuint(image->width, ==, IMAGE_X86_32P);
	g_assert_false(image->extended_cr3);
}

static void test_widths(void)
{
	static const struct {
		const char *pae;
		enum image_width width;
	} cases[] = {
		{ "", IMAGE_X86_32 },
		{ ",PAE=no", IMAGE_X86_32 },
		{ ",PAE=yes", IMAGE_X86_32P },
		{ ",PAE=yes[extended-cr3]", IMAGE_X86_32P },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
			g_strconcat("XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE=0xc0000000",
				    cases[i].pae, NULL);
		g_autoptr(Image) image = parse(guest_section_kernel(FALSE, 0xc0100000, text));

		g_assert_cmpuint(image->width, ==, cases[i].width);
	}
}

static void test_bimodal(void)
{
	struct make_elf *elf = make_elf_new(FALSE);
	g_autoptr(Image) image = NULL;

	make_elf_segment(elf, 0x100000, NULL, 0x1000, 0x1000);
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, "NetBSD");
	make_elf_xen_string(elf, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	make_elf_xen_string(elf, XEN_ELFNOTE_LOADER, "generic");
	make_elf_xen_number(elf, XEN_ELFNOTE_VIRT_BASE, 0xc0000000);
	make_elf_xen_number(elf, XEN_ELFNOTE_ENTRY, 0xc0100000);
	make_elf_xen_string(elf, XEN_ELFNOTE_PAE_MODE, "yes,bimodal");
	make_elf_note(elf, "Xen", XEN_ELFNOTE_L1_MFN_VALID, "\1\0\0\0\3\0\0\0", 8);
	image = parse(elf);
	g_assert_cmpuint(image->width, ==, IMAGE_X86_32P);
	g_assert_true(image->extended_cr3);
	g_assert_cmphex(image->l1_mfn_mask, ==, 1);
	g_assert_cmphex(image->l1_mfn_value, ==, 3);
	g_assert_cmphex(image->virt_start, ==, 0xc0100000);
}

static void test_bad_strings(void)
{
	g_autofree char *long_text = g_strnfill(5000, 'A');
	struct make_elf *elf;

	assert_refused(guest_section_kernel(TRUE, 0x100000,
					    "XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE=0xZZ"),
		       IMAGE_ERROR_CORRUPT, "VIRT_BASE=0xZZ");
	assert_refused(guest_section_kernel(TRUE, 0x100000,
					    "XEN_VER=xen-3.0,LOADER=generic,"
					    "VIRT_BASE=0x123456789abcdef01"),
		       IMAGE_ERROR_CORRUPT, "not a number");
	assert_refused(guest_section_kernel(TRUE, 0x100000,
					    "XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE"),
		       IMAGE_ERROR_CORRUPT, "not a number");
	assert_refused(guest_section_kernel(TRUE, 0x100000,
					    "XEN_VER=xen-3.0,LOADER=generic,"
					    "HYPERCALL_PAGE=0x10000000000000"),
		       IMAGE_ERROR_CORRUPT, "HYPERCALL_PAGE");
	assert_refused(guest_section_kernel(TRUE, 0x100000, long_text), IMAGE_ERROR_CORRUPT,
		       "__xen_guest section");
	assert_refused(guest_section_kernel(TRUE, 0x100000, "GUEST_OS=linux"),
		       IMAGE_ERROR_UNSUPPORTED, "xen-3.0");
	elf = make_elf_new(TRUE); /* not terminated: ends with its section */
	make_elf_segment(elf, 0x100000, NULL, 0x1000, 0x1000);
	make_elf_section(elf, "__xen_guest", SHT_PROGBITS, "XEN_VER=xen-2.0", 15);
	assert_refused(elf, IMAGE_ERROR_UNSUPPORTED, "loader");
}

/* ------------------------------------------------------------------------
 * Kernels without a PV entry, and others that can't run
 */
static void test_not_xen(void)
{
	struct make_elf *plain = make_elf_new(TRUE);
	struct make_elf *pvh = make_elf_new(TRUE);
	struct make_elf *pvh_linux = make_elf_new(TRUE);
	struct make_elf *hvm_linux = make_elf_new(TRUE);

	make_elf_segment(plain, 0x100000, NULL, 0x1000, 0x1000);
	assert_refused(plain, IMAGE_ERROR_NOT_XEN, "this kernel has no Xen PV entry");

	make_elf_segment(pvh, 0x100000, NULL, 0x1000, 0x1000);
	make_elf_xen_number(pvh, XEN_ELFNOTE_PHYS32_ENTRY, 0x100000);
	assert_refused(pvh, IMAGE_ERROR_NOT_XEN, "PVH guest");

	/* Linux with CONFIG_XEN_PVH and without CONFIG_XEN_PV */
	make_elf_segment(pvh_linux, 0x1000000, NULL, 0x1000, 0x1000);
	make_elf_xen_string(pvh_linux, XEN_ELFNOTE_GUEST_OS, "linux");
	make_elf_xen_string(pvh_linux, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	make_elf_xen_string(pvh_linux, XEN_ELFNOTE_LOADER, "generic");
	make_elf_xen_number(pvh_linux, XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff81000000);
	make_elf_xen_number(pvh_linux, XEN_ELFNOTE_PHYS32_ENTRY, 0x1000850);
	assert_refused(pvh_linux, IMAGE_ERROR_NOT_XEN, "CONFIG_XEN_PV");

	make_elf_segment(hvm_linux, 0x1000000, NULL, 0x1000, 0x1000);
	make_elf_xen_string(hvm_linux, XEN_ELFNOTE_GUEST_OS, "linux");
	make_elf_xen_string(hvm_linux, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	make_elf_xen_number(hvm_linux, XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff81000000);
	assert_refused(hvm_linux, IMAGE_ERROR_NOT_XEN, "HVM guest");
}

/* Mini-OS has neither ENTRY nor VIRT_BASE. */
static void test_mini_os(void)
{
	struct make_elf *elf = make_elf_new(TRUE);
	g_autoptr(Image) image = NULL;

	elf->entry = 0;
	make_elf_segment(elf, 0, NULL, 0x2000, 0x2000);
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, "Mini-OS-x86_64");
	make_elf_xen_string(elf, XEN_ELFNOTE_LOADER, "generic");
	make_elf_xen_string(elf, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	make_elf_xen_number(elf, XEN_ELFNOTE_HYPERCALL_PAGE, 0x1000);
	image = parse(elf);
	g_assert_cmphex(image->virt_base, ==, 0);
	g_assert_cmphex(image->entry, ==, 0);
	g_assert_cmphex(image->hypercall_page, ==, 0x1000);
	g_assert_cmpstr(image_abi(image), ==, "xen-4");
}

static void test_unsupported(void)
{
	struct make_elf *elf = make_elf_kernel();

	make_elf_xen_string(elf, XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
	assert_refused(elf, IMAGE_ERROR_UNSUPPORTED, "xen-2.0");

	elf = make_elf_kernel();
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, "other");
	make_elf_xen_string(elf, XEN_ELFNOTE_LOADER, "\033[2Jspecial");
	assert_refused(elf, IMAGE_ERROR_UNSUPPORTED, "\"?[2Jspecial\"");

	elf = make_elf_kernel();
	make_elf_xen_string(elf, XEN_ELFNOTE_FEATURES, "!writable_page_tables|!dom0");
	assert_refused(elf, IMAGE_ERROR_UNSUPPORTED, "\"dom0\"");

	elf = make_elf_kernel();
	make_elf_xen_string(elf, XEN_ELFNOTE_FEATURES, "!no_such_thing");
	assert_refused(elf, IMAGE_ERROR_UNSUPPORTED, "\"no_such_thing\"");
}

static void test_unknown_features_are_offers(void)
{
	struct make_elf *elf = make_elf_kernel();
	g_autoptr(Image) image = NULL;

	make_elf_xen_string(elf, XEN_ELFNOTE_FEATURES, "no_such_thing||pae_pgdir_above_4gb|");
	image = parse(elf);
	g_assert_cmphex(image->features_supported, ==, 1U << XENFEAT_pae_pgdir_above_4gb);
	g_assert_cmphex(image->features_required, ==, 0);
}

static void test_bad_notes(void)
{
	static const uint32_t numbers[] = {
		XEN_ELFNOTE_ENTRY,         XEN_ELFNOTE_HYPERCALL_PAGE,
		XEN_ELFNOTE_VIRT_BASE,     XEN_ELFNOTE_PADDR_OFFSET,
		XEN_ELFNOTE_HV_START_LOW,  XEN_ELFNOTE_INIT_P2M,
		XEN_ELFNOTE_MOD_START_PFN, XEN_ELFNOTE_SUSPEND_CANCEL,
		XEN_ELFNOTE_L1_MFN_VALID,  XEN_ELFNOTE_SUPPORTED_FEATURES
	};
	g_autofree char *long_text = g_strnfill(5000, 'A');
	struct make_elf *elf;

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		elf = make_elf_kernel();
		make_elf_note(elf, "Xen", numbers[i], "abc", 3);
		assert_refused(elf, IMAGE_ERROR_CORRUPT, "impossible length");
	}
	elf = make_elf_kernel();
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, long_text);
	assert_refused(elf, IMAGE_ERROR_CORRUPT, "GUEST_OS");

	elf = make_elf_kernel(); /* a name that reaches out of the file */
	g_byte_array_append(elf->notes, (const uint8_t *)"\xff\xff\xff\x7f\4\0\0\0\1\0\0\0",
			    12);
	assert_refused(elf, IMAGE_ERROR_CORRUPT, "notes lie outside");
}

static void test_too_many_notes(void)
{
	struct make_elf *elf = make_elf_kernel();

	for (int i = 0; i < 65536; i++)
		make_elf_note(elf, "X", 0, "", 0);
	assert_refused(elf, IMAGE_ERROR_CORRUPT, "more ELF notes");
}

/* ------------------------------------------------------------------------
 * --abi auto
 */
static const char *abi_of(struct make_elf *elf)
{
	g_autoptr(Image) image = parse(elf);

	return image_abi(image);
}

static struct make_elf *xenlinux(void)
{
	struct make_elf *elf = make_elf_kernel();

	make_elf_xen_number(elf, XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff80101000);
	make_elf_xen_string(elf, XEN_ELFNOTE_FEATURES, FEATURES_31);
	return elf;
}

static void test_abi(void)
{
	struct make_elf *elf;

	g_assert_cmpstr(abi_of(xenlinux()), ==, "xen-3.0.3");

	elf = xenlinux();
	make_elf_xen_number(elf, XEN_ELFNOTE_SUSPEND_CANCEL, 1);
	g_assert_cmpstr(abi_of(elf), ==, "xen-3.1");

	elf = xenlinux();
	make_elf_note(elf, "Xen", XEN_ELFNOTE_L1_MFN_VALID, "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0",
		      16);
	g_assert_cmpstr(abi_of(elf), ==, "xen-3.1");

	elf = xenlinux();
	make_elf_xen_number(elf, XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	g_assert_cmpstr(abi_of(elf), ==, "xen-4");

	elf = xenlinux();
	make_elf_xen_number(elf, XEN_ELFNOTE_SUPPORTED_FEATURES, 0);
	g_assert_cmpstr(abi_of(elf), ==, "xen-4");

	elf = xenlinux();
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, "FreeBSD");
	g_assert_cmpstr(abi_of(elf), ==, "xen-4");

	elf = xenlinux(); /* Linux 2.6.24 to 3.10 */
	make_elf_xen_number(elf, XEN_ELFNOTE_SUSPEND_CANCEL, 1);
	make_elf_xen_string(elf, XEN_ELFNOTE_FEATURES,
			    "!writable_page_tables|pae_pgdir_above_4gb");
	g_assert_cmpstr(abi_of(elf), ==, "xen-4");

	g_assert_cmpstr(abi_of(make_elf_kernel()), ==, "xen-4"); /* no hypercall page */

	/* The same, but no Xen 4 runs two-level tables. */
	g_assert_cmpstr(abi_of(make_elf_kernel32("yes")), ==, "xen-4");
	g_assert_cmpstr(abi_of(make_elf_kernel32("no")), ==, "xen-3.1");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/notes/linux-6.1", test_linux_6_1);
	g_test_add_func("/notes/clipped-last-note", test_clipped_last_note);
	g_test_add_func("/notes/section-notes", test_section_notes);
	g_test_add_func("/notes/other-owner", test_other_owner);
	g_test_add_func("/notes/notes-before-section", test_notes_before_section);
	g_test_add_func("/notes/xenlinux-3.1-string", test_xenlinux_3_1_string);
	g_test_add_func("/notes/old-string", test_old_string);
	g_test_add_func("/notes/widths", test_widths);
	g_test_add_func("/notes/bimodal", test_bimodal);
	g_test_add_func("/notes/bad-strings", test_bad_strings);
	g_test_add_func("/notes/not-xen", test_not_xen);
	g_test_add_func("/notes/mini-os", test_mini_os);
	g_test_add_func("/notes/unsupported", test_unsupported);
	g_test_add_func("/notes/unknown-features", test_unknown_features_are_offers);
	g_test_add_func("/notes/bad-notes", test_bad_notes);
	g_test_add_func("/notes/too-many", test_too_many_notes);
	g_test_add_func("/notes/abi", test_abi);
	g_test_add_func("/notes/symbols", test_symbols);
	g_test_add_func("/notes/no-symbols", test_no_symbols);
	g_test_add_func("/notes/guest-string-symbols", test_guest_string_symbols);
	return g_test_run();
}
