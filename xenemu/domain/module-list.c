/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module-list.c - the module directory
 */
#include "domain/module.h"
#include <string.h>

#ifndef XENEMU_MODULE_DIR
#define XENEMU_MODULE_DIR "/usr/local/lib/xenemu/modules"
#endif

#define MODULE_SUFFIX ".mod"

char *module_dir(void)
{
	const char *wanted = g_getenv("XENEMU_MODULES");
	g_autofree char *program = NULL;

	if (wanted && *wanted)
		return g_strdup(wanted);
	program = g_file_read_link("/proc/self/exe", NULL);
	if (program) {
		g_autofree char *at = g_path_get_dirname(program);
		g_autofree char *beside = g_build_filename(at, "modules", NULL);

		if (g_file_test(beside, G_FILE_TEST_IS_DIR))
			return g_steal_pointer(&beside);
	}
	return g_strdup(XENEMU_MODULE_DIR);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths of the files that should be modules, sorted; NULL with @error set. */
static GPtrArray *module_files(const char *dir, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GDir) entries = g_dir_open(dir, 0, &why);
	g_autoptr(GPtrArray) files = NULL;
	const char *name;

	if (!entries) {
		g_set_error(error, MODULE_ERROR, MODULE_ERROR_ABSENT,
			    "no monitor modules: %s; build them with `make`, or name their "
			    "directory in $XENEMU_MODULES",
			    why->message);
		return NULL;
	}
	files = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(entries)))
		if (name[0] != '.' && g_str_has_suffix(name, MODULE_SUFFIX))
			g_ptr_array_add(files, g_build_filename(dir, name, NULL));
	g_ptr_array_sort(files, compare_names);
	return g_steal_pointer(&files);
}

static int compare_modules(gconstpointer a, gconstpointer b)
{
	const struct module *x = *(struct module *const *)a;
	const struct module *y = *(struct module *const *)b;
	int order = strcmp(x->info.abi, y->info.abi);

	return order ? order : strcmp(x->path, y->path);
}

GPtrArray *module_list(GError **error)
{
	g_autofree char *dir = module_dir();
	g_autoptr(GPtrArray) files = module_files(dir, error);
	GPtrArray *modules;

	if (!files)
		return NULL;
	modules = g_ptr_array_new_with_free_func((GDestroyNotify)module_free);
	for (guint i = 0; i < files->len; i++) {
		g_autoptr(GError) why = NULL;
		struct module *module = module_open(files->pdata[i], &why);

		if (module)
			g_ptr_array_add(modules, module);
		else
			g_warning("%s", why->message);
	}
	g_ptr_array_sort(modules, compare_modules);
	return modules;
}

static struct module *absent(const char *abi, const char *dir, GString *others, GError **error)
{
	if (others->len == 0)
		g_string_assign(others, "none");
	g_set_error(error, MODULE_ERROR, MODULE_ERROR_ABSENT,
		    "no monitor module for ABI \"%s\" in %s (there: %s); choose one with --abi",
		    abi, dir, others->str);
	return NULL;
}

struct module *module_find(const char *abi, GError **error)
{
	g_autofree char *dir = module_dir();
	g_autofree char *own_name = g_strconcat(abi, MODULE_SUFFIX, NULL);
	g_autoptr(GPtrArray) files = module_files(dir, error);
	g_autoptr(GString) others = g_string_new(NULL);

	if (!files)
		return NULL;
	for (guint i = 0; i < files->len; i++) {
		g_autofree char *name = g_path_get_basename(files->pdata[i]);
		g_autoptr(GError) why = NULL;
		g_autoptr(Module) module = module_open(files->pdata[i], &why);

		if (module && strcmp(module->info.abi, abi) == 0)
			return g_steal_pointer(&module);
		if (!module && strcmp(name, own_name) == 0) {
			g_propagate_error(error, g_steal_pointer(&why));
			return NULL;
		}
		if (module)
			g_string_append_printf(others, "%s%s", others->len ? ", " : "",
					       module->info.abi);
	}
	return absent(abi, dir, others, error);
}
