/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-module.c - monitor modules: checked, found, placed, symbolised
 */
#include "domain/module.h"
#include "make-elf.h"
#include <glib/gstdio.h>
#include <string.h>
#include <xen/xen.h>

#include <xen/elfnote.h>

#define CODE_VADDR 0xffff828000200000

static const struct module_info good_info = {
	.protocol = PROTOCOL_VERSION,
	.paging_modes = 1U << PAGING_PV64,
	.xen_version = 4 << 16 | 17,
	.abi = "xen-4",
};

static char *dir; /* of this run's modules */

static void add_symbols(struct make_elf *elf)
{
	static const char names[] = "\0start\0handle_fault\0table";
	const Elf64_Sym symbols[] = {
		{ 0 },
		{ .st_name = 1,
		  .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		  .st_shndx = 1,
		  .st_value = CODE_VADDR },
		{ .st_name = 7,
		  .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
		  .st_shndx = 1,
		  .st_value = CODE_VADDR + 0x100,
		  .st_size = 0x40 },
		{ .st_name = 20,
		  .st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT),
		  .st_shndx = 1,
		  .st_value = CODE_VADDR + 0x200,
		  .st_size = 0x40 },
		{ .st_name = 0x1000, /* out of the string table */
		  .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
		  .st_shndx = 1,
		  .st_value = CODE_VADDR + 0x300,
		  .st_size = 0x40 },
	};

	make_elf_section(elf, ".symtab", SHT_SYMTAB, symbols, sizeof(symbols));
	make_elf_section(elf, ".strtab", SHT_STRTAB, names, sizeof(names));
}

static void add_notes(struct make_elf *elf, const struct module_info *info, uint32_t entry)
{
	make_elf_note(elf, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &entry, sizeof(entry));
	make_elf_note(elf, MODULE_NOTE_OWNER, MODULE_NOTE_INFO, info, sizeof(*info));
	make_elf_note(elf, "GNU", NT_GNU_BUILD_ID, "\x01\x23\xab\xcd", 4);
}

static GBytes *make_module(const struct module_info *info)
{
	struct make_elf *elf = make_elf_new(TRUE);

	make_elf_segment(elf, MONITOR_PADDR, "monitor", 8, 0x1000);
	make_elf_segment(elf, MONITOR_PADDR + 0x3000, "data", 5, 0x1234);
	add_notes(elf, info, MONITOR_PADDR + 0x10);
	add_symbols(elf);
	return make_elf_finish(elf);
}

static char *put(const char *name, GBytes *bytes)
{
	char *path = g_build_filename(dir, name, NULL);

	g_assert_true(g_file_set_contents(path, g_bytes_get_data(bytes, NULL),
					  (gssize)g_bytes_get_size(bytes), NULL));
	return path;
}

static struct module *open_good(const char *path)
{
	g_autoptr(GError) error = NULL;
	struct module *module = module_open(path, &error);

	g_assert_no_error(error);
	g_assert_nonnull(module);
	return module;
}

static void assert_refused(GBytes *bytes, enum module_error code, const char *says)
{
	g_autofree char *path = put("bad", bytes);
	g_autoptr(GError) error = NULL;

	g_assert_null(module_open(path, &error));
	g_assert_error(error, MODULE_ERROR, (gint)code);
	g_assert_nonnull(strstr(error->message, path));
	if (!strstr(error->message, says))
		g_error("\"%s\" does not say \"%s\"", error->message, says);
	g_unlink(path);
}

static void test_open(void)
{
	g_autoptr(GBytes) bytes = make_module(&good_info);
	g_autofree char *path = put("module", bytes);
	g_autoptr(Module) module = open_good(path);

	g_assert_cmpstr(module->path, ==, path);
	g_assert_cmpmem(&module->info, sizeof(module->info), &good_info, sizeof(good_info));
	g_assert_cmpstr(module->build_id, ==, "0123abcd");
	g_assert_cmphex(module->entry, ==, MONITOR_PADDR + 0x10);
	g_assert_cmphex(module->end, ==, MONITOR_PADDR + 0x5000);
	g_unlink(path);
}

static void test_place(void)
{
	g_autoptr(GBytes) bytes = make_module(&good_info);
	g_autofree char *path = put("module", bytes);
	g_autoptr(Module) module = open_good(path);
	g_autoptr(GError) error = NULL;
	g_autoptr(Memory) mem = memory_new(4ULL << 20, &error);
	g_autoptr(Memory) small = memory_new(2ULL << 20, &error);

	g_assert_true(module_place(module, mem, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(memory_ptr(mem, MONITOR_PADDR, 8), ==, "monitor");
	g_assert_cmpstr(memory_ptr(mem, MONITOR_PADDR + 0x3000, 8), ==, "data");
	g_assert_false(module_place(module, small, &error));
	g_assert_error(error, MODULE_ERROR, MODULE_ERROR_CORRUPT);
	g_unlink(path);
}

static void test_symbol(void)
{
	static const struct {
		uint64_t vaddr;
		const char *name;
	} cases[] = {
		{ CODE_VADDR, NULL }, /* no size */
		{ CODE_VADDR + 0xff, NULL },
		{ CODE_VADDR + 0x100, "handle_fault+0x0/0x40" },
		{ CODE_VADDR + 0x13f, "handle_fault+0x3f/0x40" },
		{ CODE_VADDR + 0x140, NULL },
		{ CODE_VADDR + 0x210, NULL }, /* not a function */
		{ CODE_VADDR + 0x310, NULL }, /* its name is nowhere */
	};
	g_autoptr(GBytes) bytes = make_module(&good_info);
	g_autofree char *path = put("module", bytes);
	g_autoptr(Module) module = open_good(path);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = module_symbol(module, cases[i].vaddr);

		g_assert_cmpstr(name, ==, cases[i].name);
	}
	g_unlink(path);
}

static void test_bad_info(void)
{
	struct module_info info = good_info;
	g_autoptr(GBytes) protocol = NULL, unnamed = NULL, endless = NULL, path_like = NULL;

	info.protocol = PROTOCOL_VERSION + 1;
	protocol = make_module(&info);
	assert_refused(protocol, MODULE_ERROR_PROTOCOL, "another xenemu");

	info = good_info;
	memset(info.abi, 0, sizeof(info.abi));
	unnamed = make_module(&info);
	assert_refused(unnamed, MODULE_ERROR_CORRUPT, "no name");

	memset(info.abi, 'x', sizeof(info.abi));
	endless = make_module(&info);
	assert_refused(endless, MODULE_ERROR_CORRUPT, "no name");

	memset(info.abi, 0, sizeof(info.abi));
	memcpy(info.abi, "../x", 5);
	path_like = make_module(&info);
	assert_refused(path_like, MODULE_ERROR_CORRUPT, "impossible name");
}

static void assert_segment_refused(uint64_t paddr, uint64_t memsz, uint32_t entry,
				   const char *says)
{
	struct make_elf *elf = make_elf_new(TRUE);
	g_autoptr(GBytes) bytes = NULL;

	make_elf_segment(elf, paddr, NULL, 0x100, memsz);
	add_notes(elf, &good_info, entry);
	bytes = make_elf_finish(elf);
	assert_refused(bytes, MODULE_ERROR_CORRUPT, says);
}

static void test_bad_segments(void)
{
	assert_segment_refused(MONITOR_PADDR - 0x1000, 0x2000, MONITOR_PADDR, "linked");
	assert_segment_refused(1ULL << 32, 0x2000, MONITOR_PADDR, "linked");
	assert_segment_refused(MONITOR_PADDR, 1ULL << 30, MONITOR_PADDR, "linked");
	assert_segment_refused(MONITOR_PADDR, UINT64_MAX, MONITOR_PADDR, "linked");
	assert_segment_refused(MONITOR_PADDR, 0x10, MONITOR_PADDR, "outside the file");
	assert_segment_refused(MONITOR_PADDR, 0x1000, MONITOR_PADDR + 0x1000, "entry");
	assert_segment_refused(MONITOR_PADDR, 0x1000, MONITOR_PADDR - 1, "entry");
}

static void test_not_a_module(void)
{
	struct make_elf *narrow = make_elf_new(FALSE);
	struct make_elf *no_entry = make_elf_new(TRUE);
	g_autoptr(GBytes) kernel = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) text = g_bytes_new_static("text", 4);
	g_autoptr(GBytes) bytes = make_module(&good_info);
	g_autoptr(GBytes) narrow_bytes = NULL, no_entry_bytes = NULL, short_bytes = NULL;

	assert_refused(text, MODULE_ERROR_CORRUPT, "not an ELF file");
	assert_refused(kernel, MODULE_ERROR_CORRUPT, "\"xenemu\" note");

	make_elf_segment(narrow, MONITOR_PADDR, NULL, 0x100, 0x100);
	add_notes(narrow, &good_info, MONITOR_PADDR);
	narrow_bytes = make_elf_finish(narrow);
	assert_refused(narrow_bytes, MODULE_ERROR_CORRUPT, "processor");

	make_elf_segment(no_entry, MONITOR_PADDR, NULL, 0x100, 0x100);
	make_elf_note(no_entry, MODULE_NOTE_OWNER, MODULE_NOTE_INFO, &good_info,
		      sizeof(good_info));
	no_entry_bytes = make_elf_finish(no_entry);
	assert_refused(no_entry_bytes, MODULE_ERROR_CORRUPT, "32-bit entry");

	short_bytes = g_bytes_new(g_bytes_get_data(bytes, NULL), 0x140);
	assert_refused(short_bytes, MODULE_ERROR_CORRUPT, "outside the file");
}

/* ------------------------------------------------------------------------
 * The module directory
 */
static void test_find_and_list(void)
{
	struct module_info other = good_info;
	g_autoptr(GBytes) first = make_module(&good_info);
	g_autoptr(GBytes) second = NULL;
	g_autoptr(GBytes) text = g_bytes_new_static("text", 4);
	g_autofree char *first_path = put("zzz.mod", first); /* the name does not matter */
	g_autofree char *second_path = NULL, *bad_path = put("bad.mod", text);
	g_autofree char *ignored_path = put("README", text), *hidden_path = put(".x.mod", text);
	g_autoptr(GPtrArray) modules = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(Module) found = NULL;

	memcpy(other.abi, "xen-3.1", 8);
	second = make_module(&other);
	second_path = put("aaa.mod", second);

	g_test_expect_message(G_LOG_DOMAIN, G_LOG_LEVEL_WARNING,
			      "*bad.mod: not a monitor module*");
	modules = module_list(&error);
	g_test_assert_expected_messages();
	g_assert_no_error(error);
	g_assert_cmpuint(modules->len, ==, 2);
	g_assert_cmpstr(((struct module *)modules->pdata[0])->info.abi, ==, "xen-3.1");
	g_assert_cmpstr(((struct module *)modules->pdata[1])->info.abi, ==, "xen-4");

	found = module_find("xen-4", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(found->path, ==, first_path);

	g_assert_null(module_find("xen-5", &error));
	g_assert_error(error, MODULE_ERROR, MODULE_ERROR_ABSENT);
	g_assert_nonnull(strstr(error->message, "(there: xen-3.1, xen-4)"));
	g_clear_error(&error);

	/* A broken module is said to be broken, not absent. */
	g_assert_null(module_find("bad", &error));
	g_assert_error(error, MODULE_ERROR, MODULE_ERROR_CORRUPT);

	g_unlink(first_path);
	g_unlink(second_path);
	g_unlink(bad_path);
	g_unlink(ignored_path);
	g_unlink(hidden_path);
}

static void test_no_directory(void)
{
	g_autoptr(GError) error = NULL;

	g_setenv("XENEMU_MODULES", "/nonexistent/modules", TRUE);
	g_assert_null(module_list(&error));
	g_assert_error(error, MODULE_ERROR, MODULE_ERROR_ABSENT);
	g_clear_error(&error);
	g_assert_null(module_find("xen-4", &error));
	g_assert_error(error, MODULE_ERROR, MODULE_ERROR_ABSENT);
	g_assert_nonnull(strstr(error->message, "/nonexistent/modules"));
	g_setenv("XENEMU_MODULES", dir, TRUE);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	dir = g_dir_make_tmp("xenemu-test-XXXXXX", NULL);
	g_setenv("XENEMU_MODULES", dir, TRUE);
	g_test_add_func("/module/open", test_open);
	g_test_add_func("/module/place", test_place);
	g_test_add_func("/module/symbol", test_symbol);
	g_test_add_func("/module/bad-info", test_bad_info);
	g_test_add_func("/module/bad-segments", test_bad_segments);
	g_test_add_func("/module/not-a-module", test_not_a_module);
	g_test_add_func("/module/find-and-list", test_find_and_list);
	g_test_add_func("/module/no-directory", test_no_directory);
	status = g_test_run();
	g_rmdir(dir);
	g_free(dir);
	return status;
}
