/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make-elf.c - small ELF files made to measure, for tests
 */
#include "make-elf.h"
#include <string.h>
#include <xen/xen.h>

#include <xen/elfnote.h>

struct segment {
	uint64_t paddr;
	uint64_t memsz;
	GBytes *bytes;
	uint64_t offset;
};

struct section {
	char *name;
	uint32_t type;
	GBytes *bytes;
	uint64_t offset;
	uint32_t name_at;
};

struct make_elf *make_elf_new(gboolean is_64)
{
	struct make_elf *elf = g_new0(struct make_elf, 1);

	elf->is_64 = is_64;
	elf->machine = is_64 ? EM_X86_64 : EM_386;
	elf->notes = g_byte_array_new();
	elf->segments = g_array_new(FALSE, TRUE, sizeof(struct segment));
	elf->sections = g_array_new(FALSE, TRUE, sizeof(struct section));
	return elf;
}

static struct make_elf *kernel_at(gboolean is_64, uint64_t base)
{
	struct make_elf *elf = make_elf_new(is_64);

	make_elf_segment(elf, 0x100000, NULL, 0x1000, 0x2000);
	make_elf_xen_string(elf, XEN_ELFNOTE_GUEST_OS, "linux");
	make_elf_xen_string(elf, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	make_elf_xen_string(elf, XEN_ELFNOTE_LOADER, "generic");
	make_elf_xen_number(elf, XEN_ELFNOTE_VIRT_BASE, base);
	make_elf_xen_number(elf, XEN_ELFNOTE_ENTRY, base + 0x100000);
	return elf;
}

struct make_elf *make_elf_kernel(void)
{
	return kernel_at(TRUE, 0xffffffff80000000);
}

struct make_elf *make_elf_kernel32(const char *pae)
{
	struct make_elf *elf = kernel_at(FALSE, 0xc0000000);

	make_elf_xen_string(elf, XEN_ELFNOTE_PAE_MODE, pae);
	return elf;
}

void make_elf_segment(struct make_elf *elf, uint64_t paddr, const void *bytes, size_t filesz,
		      uint64_t memsz)
{
	g_autofree void *nops = memset(g_malloc0(filesz + 1), 0x90, filesz);
	struct segment segment = { paddr, memsz, g_bytes_new(bytes ? bytes : nops, filesz), 0 };

	g_array_append_val(elf->segments, segment);
}

void make_elf_section(struct make_elf *elf, const char *name, uint32_t type, const void *bytes,
		      size_t len)
{
	struct section section = { g_strdup(name), type, g_bytes_new(bytes, len), 0, 0 };

	g_array_append_val(elf->sections, section);
}

static void pad(GByteArray *bytes, size_t grain)
{
	static const uint8_t zero[8];

	while (bytes->len % grain)
		g_byte_array_append(bytes, zero, 1);
}

void make_elf_note(struct make_elf *elf, const char *owner, uint32_t type, const void *desc,
		   size_t len)
{
	Elf64_Nhdr head = { (uint32_t)strlen(owner) + 1, (uint32_t)len, type };

	g_byte_array_append(elf->notes, (const uint8_t *)&head, sizeof(head));
	g_byte_array_append(elf->notes, (const uint8_t *)owner, head.n_namesz);
	pad(elf->notes, 4);
	g_byte_array_append(elf->notes, desc, (guint)len);
	pad(elf->notes, 4);
}

void make_elf_xen_string(struct make_elf *elf, uint32_t type, const char *text)
{
	make_elf_note(elf, "Xen", type, text, strlen(text) + 1);
}

void make_elf_xen_number(struct make_elf *elf, uint32_t type, uint64_t value)
{
	make_elf_note(elf, "Xen", type, &value, elf->is_64 ? 8 : 4);
}

static size_t append(GByteArray *file, GBytes *bytes)
{
	size_t at;

	pad(file, 8);
	at = file->len;
	g_byte_array_append(file, g_bytes_get_data(bytes, NULL),
			    (guint)g_bytes_get_size(bytes));
	return at;
}

static void append_segment_header(const struct make_elf *elf, GByteArray *file, uint32_t type,
				  uint64_t offset, uint64_t paddr, uint64_t filesz,
				  uint64_t memsz)
{
	uint32_t flags = type == PT_LOAD ? PF_R | PF_W | PF_X : PF_R;
	Elf64_Phdr wide = { .p_type = type,
			    .p_flags = flags,
			    .p_offset = offset,
			    .p_paddr = paddr,
			    .p_filesz = filesz,
			    .p_memsz = memsz };
	Elf32_Phdr narrow = { .p_type = type,
			      .p_flags = flags,
			      .p_offset = (uint32_t)offset,
			      .p_paddr = (uint32_t)paddr,
			      .p_filesz = (uint32_t)filesz,
			      .p_memsz = (uint32_t)memsz };

	if (elf->is_64)
		g_byte_array_append(file, (const uint8_t *)&wide, sizeof(wide));
	else
		g_byte_array_append(file, (const uint8_t *)&narrow, sizeof(narrow));
}

static void append_section_header(const struct make_elf *elf, GByteArray *file,
				  const struct section *section)
{
	uint64_t size = section->bytes ? g_bytes_get_size(section->bytes) : 0;
	uint32_t link = section->type == SHT_SYMTAB ? 2 : 0; /* see test-module.c */
	Elf64_Shdr wide = { .sh_name = section->name_at,
			    .sh_type = section->type,
			    .sh_offset = section->offset,
			    .sh_size = size,
			    .sh_link = link };
	Elf32_Shdr narrow = { .sh_name = section->name_at,
			      .sh_type = section->type,
			      .sh_offset = (uint32_t)section->offset,
			      .sh_size = (uint32_t)size,
			      .sh_link = link };

	if (elf->is_64)
		g_byte_array_append(file, (const uint8_t *)&wide, sizeof(wide));
	else
		g_byte_array_append(file, (const uint8_t *)&narrow, sizeof(narrow));
}

/* Segments and sections with their headers follow what is in the file so far. */
static void append_contents(struct make_elf *elf, GByteArray *file)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < elf->segments->len; i++) {
		struct segment *s = &g_array_index(elf->segments, struct segment, i);

		s->offset = append(file, s->bytes);
	}
	if (elf->notes_in_section)
		make_elf_section(elf, ".note.Xen", SHT_NOTE, elf->notes->data, elf->notes->len);
	make_elf_section(elf, ".shstrtab", SHT_STRTAB, "", 0);
	for (guint i = 0; i < elf->sections->len; i++) {
		struct section *s = &g_array_index(elf->sections, struct section, i);

		s->name_at = (uint32_t)names->len + 1;
		g_string_append_c(names, '\0');
		g_string_append(names, s->name);
		if (i == elf->sections->len - 1) {
			g_string_append_c(names, '\0');
			g_bytes_unref(s->bytes);
			s->bytes = g_bytes_new(names->str, names->len);
		}
		s->offset = append(file, s->bytes);
	}
}

static void set_header(const struct make_elf *elf, GByteArray *file, uint64_t sections_at,
		       unsigned int nr_segments)
{
	unsigned int nr_sections = elf->sections->len + 1;
	Elf64_Ehdr wide = { .e_ident = ELFMAG,
			    .e_type = ET_EXEC,
			    .e_machine = elf->machine,
			    .e_version = EV_CURRENT,
			    .e_entry = elf->entry,
			    .e_phoff = sizeof(wide),
			    .e_shoff = sections_at,
			    .e_ehsize = sizeof(wide),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = (uint16_t)nr_segments,
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = (uint16_t)nr_sections,
			    .e_shstrndx = (uint16_t)(nr_sections - 1) };
	Elf32_Ehdr narrow = { .e_ident = ELFMAG,
			      .e_type = ET_EXEC,
			      .e_machine = elf->machine,
			      .e_version = EV_CURRENT,
			      .e_entry = (uint32_t)elf->entry,
			      .e_phoff = sizeof(narrow),
			      .e_shoff = (uint32_t)sections_at,
			      .e_ehsize = sizeof(narrow),
			      .e_phentsize = sizeof(Elf32_Phdr),
			      .e_phnum = (uint16_t)nr_segments,
			      .e_shentsize = sizeof(Elf32_Shdr),
			      .e_shnum = (uint16_t)nr_sections,
			      .e_shstrndx = (uint16_t)(nr_sections - 1) };
	uint8_t *ident = elf->is_64 ? wide.e_ident : narrow.e_ident;

	ident[EI_CLASS] = elf->is_64 ? ELFCLASS64 : ELFCLASS32;
	ident[EI_DATA] = ELFDATA2LSB;
	ident[EI_VERSION] = EV_CURRENT;
	if (elf->is_64)
		memcpy(file->data, &wide, sizeof(wide));
	else
		memcpy(file->data, &narrow, sizeof(narrow));
}

static void make_elf_free(struct make_elf *elf)
{
	for (guint i = 0; i < elf->segments->len; i++)
		g_bytes_unref(g_array_index(elf->segments, struct segment, i).bytes);
	for (guint i = 0; i < elf->sections->len; i++) {
		struct section *s = &g_array_index(elf->sections, struct section, i);

		g_bytes_unref(s->bytes);
		g_free(s->name);
	}
	g_array_unref(elf->segments);
	g_array_unref(elf->sections);
	g_byte_array_unref(elf->notes);
	g_free(elf);
}

GBytes *make_elf_finish(struct make_elf *elf)
{
	size_t head = elf->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	size_t segment_head = elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned int nr_segments = elf->segments->len + !elf->notes_in_section;
	GByteArray *file = g_byte_array_new();
	g_autoptr(GByteArray) heads = g_byte_array_new();
	uint64_t notes_at, sections_at;

	g_byte_array_set_size(file, (guint)(head + nr_segments * segment_head));
	memset(file->data, 0, file->len);
	notes_at = file->len;
	if (!elf->notes_in_section)
		g_byte_array_append(file, elf->notes->data, elf->notes->len);
	append_contents(elf, file);

	for (guint i = 0; i < elf->segments->len; i++) {
		struct segment *s = &g_array_index(elf->segments, struct segment, i);

		append_segment_header(elf, heads, PT_LOAD, s->offset, s->paddr,
				      g_bytes_get_size(s->bytes), s->memsz);
	}
	if (!elf->notes_in_section)
		append_segment_header(elf, heads, PT_NOTE, notes_at, 0,
				      elf->notes->len - elf->note_segment_short, 0);
	memcpy(file->data + head, heads->data, heads->len);

	pad(file, 8);
	sections_at = file->len;
	append_section_header(elf, file, &(struct section){ 0 });
	for (guint i = 0; i < elf->sections->len; i++)
		append_section_header(elf, file,
				      &g_array_index(elf->sections, struct section, i));
	set_header(elf, file, sections_at, nr_segments);
	make_elf_free(elf);
	return g_byte_array_free_to_bytes(file);
}

GBytes *change_bytes(GBytes *bytes, size_t offset, const void *with, size_t len)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(bytes, &size);
	uint8_t *copy = g_memdup2(data, size);

	g_assert_cmpuint(offset + len, <=, size);
	memcpy(copy + offset, with, len);
	return g_bytes_new_take(copy, size);
}
