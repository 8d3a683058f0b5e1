/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module.h - monitor modules: found, listed, loaded, symbolised
 *
 * A module is an ELF64 executable linked at MONITOR_PADDR (p_paddr) with a
 * "xenemu" note (struct module_info), an NT_GNU_BUILD_ID note, Xen's
 * XEN_ELFNOTE_PHYS32_ENTRY for its entry, and a symbol table.
 */
#ifndef XENEMU_DOMAIN_MODULE_H
#define XENEMU_DOMAIN_MODULE_H

#include "machine/memory.h"
#include "protocol.h"
#include <glib.h>
#include <stdint.h>

#define MODULE_ERROR (module_error_quark())
GQuark module_error_quark(void);
enum module_error {
	MODULE_ERROR_ABSENT, /* no module of that name in the module directory */
	MODULE_ERROR_CORRUPT, /* not a monitor module */
	MODULE_ERROR_PROTOCOL, /* built for another xenemu */
};

/**
 * struct module - a monitor module
 * @path:     its file
 * @elf:      its bytes (file mapping)
 * @info:     its note, checked: protocol matches, abi is terminated
 * @build_id: hexadecimal, "" if it has none
 * @entry:    physical address of the 32-bit entry
 * @end:      physical address after its last byte (bss included), page aligned
 */
struct module {
	char *path;
	GBytes *elf;
	struct module_info info;
	char *build_id;
	uint32_t entry;
	uint64_t end;
};

/**
 * module_dir() - where modules are: $XENEMU_MODULES, or `modules` beside the
 * program, or the installed directory.  Return: caller frees.
 */
char *module_dir(void);

/** module_open() - open and check one file */
struct module *module_open(const char *path, GError **error);

/** module_find() - open the module of ABI @abi in the module directory */
struct module *module_find(const char *abi, GError **error);

/**
 * module_list() - all modules of the module directory, by name
 * @error: set when the directory can't be read.  Files that are no modules are
 *         left out with a warning.
 * Return: GPtrArray of struct module, frees its elements.
 */
GPtrArray *module_list(GError **error);

/** module_place() - copy the module's segments to where it is linked */
gboolean module_place(const struct module *module, struct memory *mem, GError **error);

/**
 * module_symbol() - name of an address of the monitor
 * @vaddr: virtual address
 * Return: "name+0x12/0x40", or NULL when no function covers it; caller frees.
 */
char *module_symbol(const struct module *module, uint64_t vaddr);

/** module_free() - release; NULL is allowed */
void module_free(struct module *module);
typedef struct module Module; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Module, module_free)

#endif
