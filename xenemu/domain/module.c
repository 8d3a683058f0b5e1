/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module.c - a monitor module: opened, checked, placed
 */
#include "domain/module.h"
#include "domain/elf.h"
#include <string.h>
#include <xen/xen.h>

#include <xen/elfnote.h>

/* The image of a monitor is some 100 KiB; this is where nonsense begins. */
#define MODULE_END_MAX (MONITOR_PADDR + (16U << 20))

G_DEFINE_QUARK(xenemu_module_error, module_error)

/**
 * struct module_notes - which of its notes a module has
 */
struct module_notes {
	gboolean info;
	gboolean entry;
};

static gboolean corrupt(const struct module *module, const char *why, GError **error)
{
	g_set_error(error, MODULE_ERROR, MODULE_ERROR_CORRUPT, "%s: not a monitor module: %s",
		    module->path, why);
	return FALSE;
}

static char *hexadecimal(const uint8_t *bytes, size_t len)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < len; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
	return g_string_free(text, FALSE);
}

static void take_note(struct module *module, const struct elf_note *note,
		      struct module_notes *has)
{
	uint64_t entry;

	if (elf_note_is(note, MODULE_NOTE_OWNER) && note->type == MODULE_NOTE_INFO &&
	    note->desc_len == sizeof(module->info)) {
		memcpy(&module->info, note->desc, sizeof(module->info));
		has->info = TRUE;
	} else if (elf_note_is(note, "GNU") && note->type == NT_GNU_BUILD_ID) {
		g_free(module->build_id);
		module->build_id = hexadecimal(note->desc, MIN(note->desc_len, 64));
	} else if (elf_note_is(note, "Xen") && note->type == XEN_ELFNOTE_PHYS32_ENTRY &&
		   elf_note_number(note, &entry) && entry <= UINT32_MAX) {
		module->entry = (uint32_t)entry;
		has->entry = TRUE;
	}
}

static gboolean read_notes(struct module *module, const struct elf *elf, GError **error)
{
	struct module_notes has = { 0 };
	struct elf_note note;

	for (unsigned int i = 0; i < elf->nr_segments; i++) {
		Elf64_Phdr ph = elf_segment(elf, i);
		uint64_t pos = ph.p_offset;
		int more = 1;

		if (ph.p_type != PT_NOTE)
			continue;
		if (!elf_bytes(elf, ph.p_offset, ph.p_filesz))
			return corrupt(module, "its notes lie outside the file", error);
		while (more > 0) {
			more = elf_next_note(elf, &pos, ph.p_offset + ph.p_filesz, &note);
			if (more > 0)
				take_note(module, &note, &has);
		}
		if (more < 0)
			return corrupt(module, "its notes lie outside the file", error);
	}
	if (!has.info)
		return corrupt(module, "it has no \"" MODULE_NOTE_OWNER "\" note", error);
	if (!has.entry)
		return corrupt(module, "it has no 32-bit entry", error);
	return TRUE;
}

static gboolean check_info(const struct module *module, GError **error)
{
	const struct module_info *info = &module->info;

	if (info->protocol != PROTOCOL_VERSION) {
		g_set_error(
			error, MODULE_ERROR, MODULE_ERROR_PROTOCOL,
			"%s: built for another xenemu (protocol %u, this one has %u); build "
			"or install the modules that belong to this xenemu",
			module->path, info->protocol, PROTOCOL_VERSION);
		return FALSE;
	}
	if (info->abi[0] == '\0' || !memchr(info->abi, '\0', sizeof(info->abi)))
		return corrupt(module, "its ABI has no name", error);
	for (const char *c = info->abi; *c; c++)
		if (!g_ascii_isgraph(*c) || *c == '/')
			return corrupt(module, "its ABI has an impossible name", error);
	return TRUE;
}

static gboolean check_segments(struct module *module, const struct elf *elf, GError **error)
{
	module->end = MONITOR_PADDR;
	for (unsigned int i = 0; i < elf->nr_segments; i++) {
		Elf64_Phdr ph = elf_segment(elf, i);

		if (!elf_is_loadable(&ph) || ph.p_memsz == 0)
			continue;
		if (ph.p_paddr < MONITOR_PADDR || ph.p_paddr > MODULE_END_MAX ||
		    ph.p_memsz > MODULE_END_MAX - ph.p_paddr)
			return corrupt(module, "it is not linked to where monitors are", error);
		if (ph.p_filesz > ph.p_memsz || !elf_bytes(elf, ph.p_offset, ph.p_filesz))
			return corrupt(module, "a segment lies outside the file", error);
		module->end = MAX(module->end, ph.p_paddr + ph.p_memsz);
	}
	if (module->entry < MONITOR_PADDR || module->entry >= module->end)
		return corrupt(module, "its entry lies outside of it", error);
	module->end = (module->end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	return TRUE;
}

static gboolean open_elf(const struct module *module, struct elf *elf, GError **error)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(module->elf, &size);
	const char *why = elf_init(elf, data, size);

	if (!why && (!elf->is_64 || elf->machine != EM_X86_64))
		why = "not for this processor";
	return why ? corrupt(module, why, error) : TRUE;
}

struct module *module_open(const char *path, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GMappedFile) map = g_mapped_file_new(path, FALSE, &why);
	g_autoptr(Module) module = NULL;
	struct elf elf;

	if (!map) {
		g_set_error(error, MODULE_ERROR, MODULE_ERROR_ABSENT, "%s", why->message);
		return NULL;
	}
	module = g_new0(struct module, 1);
	module->path = g_strdup(path);
	module->elf = g_mapped_file_get_bytes(map);
	module->build_id = g_strdup("");
	if (!open_elf(module, &elf, error) || !read_notes(module, &elf, error) ||
	    !check_info(module, error) || !check_segments(module, &elf, error))
		return NULL;
	return g_steal_pointer(&module);
}

gboolean module_place(const struct module *module, struct memory *mem, GError **error)
{
	struct elf elf;

	if (!open_elf(module, &elf, error))
		return FALSE;
	for (unsigned int i = 0; i < elf.nr_segments; i++) {
		Elf64_Phdr ph = elf_segment(&elf, i);
		const uint8_t *from = elf_bytes(&elf, ph.p_offset, ph.p_filesz);
		uint8_t *to = memory_ptr(mem, ph.p_paddr, ph.p_memsz);

		if (!elf_is_loadable(&ph) || ph.p_memsz == 0)
			continue;
		/* Checked when it was opened, but it is a file's mapping. */
		if (!from || !to || ph.p_filesz > ph.p_memsz || ph.p_paddr < MONITOR_PADDR ||
		    ph.p_paddr + ph.p_memsz > module->end)
			return corrupt(module, "it changed while it was in use", error);
		memcpy(to, from, ph.p_filesz);
	}
	return TRUE;
}

void module_free(struct module *module)
{
	if (!module)
		return;
	g_clear_pointer(&module->elf, g_bytes_unref);
	g_free(module->path);
	g_free(module->build_id);
	g_free(module);
}
