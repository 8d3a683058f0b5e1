/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-boot.c - kernels of the host's: which of them another process unpacks
 *
 * Those of disks are in tests/cli/boot.t.
 */
#include "boot/boot.h"
#include "make-elf.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *dir, *path;

static void tear_down(void)
{
	g_unlink(path);
	g_rmdir(dir);
}

static void put(const void *data, size_t size)
{
	g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

static void put_bytes(GBytes *bytes)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(bytes, &size);

	put(data, size);
}

static GBytes *packed(GBytes *bytes)
{
	g_autoptr(GZlibCompressor)
		gzip = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
	gsize size, taken, made, room = 65536;
	gconstpointer data = g_bytes_get_data(bytes, &size);
	char *out = g_malloc(room);
	GError *error = NULL;

	g_assert_cmpint(g_converter_convert(G_CONVERTER(gzip), data, size, out, room,
					    G_CONVERTER_INPUT_AT_END, &taken, &made, &error),
			==, G_CONVERTER_FINISHED);
	g_assert_no_error(error);
	return g_bytes_new_take(out, made);
}

/* Return: what is wrong, or NULL when it was taken for @elf. */
static char *load(GBytes *elf)
{
	const struct boot_config config = { .kernel = path };
	g_autoptr(GError) error = NULL;
	struct boot boot;

	if (!boot_load(&config, &boot, &error)) {
		g_test_message("%s", error->message);
		return g_strdup(error->message);
	}
	g_assert_true(g_bytes_equal(boot.image->payload, elf));
	g_assert_cmphex(boot.image->entry, ==, 0xffffffff80100000);
	g_assert_cmpstr(boot.abi, ==, "xen-4");
	g_assert_cmpstr(boot.name, ==, path);
	boot_clear(&boot);
	return NULL;
}

static void test_plain(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());

	put_bytes(elf);
	g_assert_null(load(elf));
}

static void test_packed(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) gzip = packed(elf);

	put_bytes(gzip);
	g_assert_null(load(elf));
}

static void refused(const char *what)
{
	g_autofree char *expected = g_strdup_printf("%s: %s", path, what);
	g_autofree char *why = load(NULL);

	g_assert_nonnull(why);
	if (!g_str_has_prefix(why, expected))
		g_error("\"%s\" is not \"%s...\"", why, expected);
}

static void test_refused(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) gzip = packed(elf);
	g_autoptr(GBytes) twice = packed(gzip);
	g_autoptr(GBytes) text = g_bytes_new_static("no kernel", 9);
	g_autoptr(GBytes) text_packed = packed(text);
	gsize size;
	gconstpointer data = g_bytes_get_data(gzip, &size);

	put("", 0);
	refused("not a kernel image");
	put_bytes(text);
	refused("not a kernel image");
	put_bytes(text_packed);
	refused("not a kernel image");
	put(data, size / 2);
	refused("can't unpack the kernel (gzip): ");
	put_bytes(twice);
	refused("not a kernel image");
	g_unlink(path);
	refused("No such file");
}

static gboolean forbid_processes(void)
{
	static const int calls[] = { SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork),
				     SCMP_SYS(vfork) };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	gboolean ok = filter != NULL;

	for (guint i = 0; ok && i < G_N_ELEMENTS(calls); i++)
		ok = !seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
	ok = ok && !seccomp_load(filter);
	seccomp_release(filter);
	return ok;
}

/* Where there can be no other process, nothing is unpacked; plain files need none. */
static void test_no_process(void)
{
	g_autoptr(GBytes) elf = make_elf_finish(make_elf_kernel());
	g_autoptr(GBytes) gzip = packed(elf);
	g_autofree char *why = NULL;

	if (!g_test_subprocess()) {
		g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
		g_test_trap_assert_passed();
		return;
	}
	g_assert_true(forbid_processes());
	put_bytes(elf);
	g_assert_null(load(elf));
	put_bytes(gzip);
	why = load(elf);
	g_assert_nonnull(why);
	g_assert_nonnull(strstr(why, "fork"));
	tear_down();
	/* Not exit(): a leak sanitizer's starts a process. */
	syscall(SYS_exit_group, 0);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	dir = g_dir_make_tmp("xenemu-test-XXXXXX", NULL);
	path = g_build_filename(dir, "vmlinux", NULL);
	g_test_add_func("/boot/plain", test_plain);
	g_test_add_func("/boot/packed", test_packed);
	g_test_add_func("/boot/refused", test_refused);
	g_test_add_func("/boot/no-process", test_no_process);
	status = g_test_run();
	tear_down();
	g_free(path);
	g_free(dir);
	return status;
}
