/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module-symbol.c - names for the monitor's addresses, for fault reports
 */
#include "domain/elf.h"
#include "domain/module.h"
#include <string.h>

/* A string of a string table, or NULL when it does not end within it. */
static const char *string_at(const struct elf *elf, const Elf64_Shdr *strings, uint32_t at)
{
	const uint8_t *all = elf_bytes(elf, strings->sh_offset, strings->sh_size);

	if (!all || at >= strings->sh_size || !memchr(all + at, '\0', strings->sh_size - at))
		return NULL;
	return (const char *)all + at;
}

static gboolean covers(const Elf64_Sym *symbol, uint64_t vaddr)
{
	return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
	       vaddr >= symbol->st_value && vaddr - symbol->st_value < symbol->st_size;
}

static char *look_up(const struct elf *elf, const Elf64_Shdr *table, uint64_t vaddr)
{
	uint64_t nr = table->sh_size / sizeof(Elf64_Sym);
	const uint8_t *symbols = elf_bytes(elf, table->sh_offset, table->sh_size);
	Elf64_Shdr strings;

	if (!symbols || table->sh_link >= elf->nr_sections)
		return NULL;
	strings = elf_section(elf, table->sh_link);
	for (uint64_t i = 0; i < nr; i++) {
		const char *name;
		Elf64_Sym symbol;

		memcpy(&symbol, symbols + i * sizeof(symbol), sizeof(symbol));
		if (!covers(&symbol, vaddr))
			continue;
		name = string_at(elf, &strings, symbol.st_name);
		if (name)
			return g_strdup_printf("%s+0x%" G_GINT64_MODIFIER
					       "x/0x%" G_GINT64_MODIFIER "x",
					       name, vaddr - symbol.st_value, symbol.st_size);
	}
	return NULL;
}

char *module_symbol(const struct module *module, uint64_t vaddr)
{
	struct elf elf;
	gsize size;
	gconstpointer data = g_bytes_get_data(module->elf, &size);

	if (elf_init(&elf, data, size))
		return NULL;
	for (unsigned int i = 0; i < elf.nr_sections; i++) {
		Elf64_Shdr section = elf_section(&elf, i);

		if (section.sh_type == SHT_SYMTAB)
			return look_up(&elf, &section, vaddr);
	}
	return NULL;
}
