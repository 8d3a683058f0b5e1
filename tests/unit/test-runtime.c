/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of running guests and their directories.
 */
#include "domain/runtime.h"
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char *base;

static void set_up(void)
{
	base = g_dir_make_tmp("xenemu-test-XXXXXX", NULL);
	g_assert_nonnull(base);
	g_setenv("XENEMU_RUNTIME_DIR", base, TRUE);
}

/* Every test leaves the directory empty. */
static void tear_down(void)
{
	g_assert_cmpint(rmdir(base), ==, 0);
	g_free(base);
}

static struct runtime *take(const char *name)
{
	g_autoptr(GError) error = NULL;
	struct runtime *runtime = runtime_new(name, &error);

	g_assert_no_error(error);
	return runtime;
}

/* What helpers make in their directories. */
static gboolean make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	gboolean ok;

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	ok = !bind(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return ok;
}

#define REFUSED(name, code, pattern)                                                           \
	do {                                                                                   \
		g_autoptr(GError) _error = NULL;                                               \
		g_assert_null(runtime_new(name, &_error));                                     \
		g_assert_error(_error, RUNTIME_ERROR, code);                                   \
		if (!g_pattern_match_simple(pattern, _error->message))                         \
			g_error("unexpected message: %s", _error->message);                    \
	} while (0)

static void test_directory(void)
{
	struct runtime *runtime = take("web");
	g_autofree char *file = runtime_file(runtime, "control");
	g_autofree char *expected = g_strdup_printf("%s/web/control", base);
	g_autofree char *same = runtime_guest_file("web", "control");
	g_autofree char *dir = g_path_get_dirname(file);
	GStatBuf st;

	g_assert_cmpstr(runtime_name(runtime), ==, "web");
	g_assert_cmpstr(file, ==, expected);
	g_assert_cmpstr(same, ==, expected);
	g_assert_cmpint(g_stat(dir, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
	g_assert_true(make_socket(file));
	runtime_free(runtime);
	g_assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
	runtime_free(NULL);
}

static void test_taken(void)
{
	struct runtime *runtime = take("web");
	struct runtime *other = take("other");

	REFUSED("web", RUNTIME_ERROR_TAKEN, "--name: a guest named web is running; *");
	runtime_free(runtime);
	runtime_free(take("web"));
	runtime_free(other);
}

static void test_unnamed(void)
{
	struct runtime *first = take(NULL), *second = take(NULL), *third;

	g_assert_cmpstr(runtime_name(first), ==, "guest");
	g_assert_cmpstr(runtime_name(second), ==, "guest-2");
	runtime_free(first);
	third = take(NULL);
	g_assert_cmpstr(runtime_name(third), ==, "guest");
	runtime_free(second);
	runtime_free(third);
}

/* What a process leaves that is killed while it has the name "web". */
static void leave_stale(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		g_autofree char *file = runtime_file(take("web"), "control");

		_exit(!make_socket(file));
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
}

static void test_stale(void)
{
	g_autofree char *file = runtime_guest_file("web", "control");
	g_auto(GStrv) names = NULL;
	struct runtime *runtime;

	leave_stale();
	g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
	names = runtime_guests();
	g_assert_cmpuint(g_strv_length(names), ==, 0);
	runtime = take("web");
	g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
	runtime_free(runtime);
}

static char *make(const char *name, const char *bytes)
{
	char *path = runtime_guest_file("web", name);

	g_assert_true(g_file_set_contents(path, bytes, -1, NULL));
	return path;
}

static void take_away(char *path)
{
	g_assert_cmpint(unlink(path), ==, 0);
	g_free(path);
}

/* The base may be where its user has files, and a guest be named as a directory there. */
static void test_foreign(void)
{
	g_autofree char *dir = g_build_filename(base, "web", NULL);
	char *file;

	g_assert_cmpint(mkdir(dir, 0700), ==, 0);
	file = make("thesis.txt", "years of work");
	REFUSED("web", RUNTIME_ERROR_DIRECTORY, "*/web: *something else*; set *");
	g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
	take_away(file);
	/* Names that are ours, but not what we make. */
	file = make("console", "a game");
	REFUSED("web", RUNTIME_ERROR_DIRECTORY, "*/web: *something else*; set *");
	take_away(file);
	file = make("lock", "a door");
	REFUSED("web", RUNTIME_ERROR_DIRECTORY, "*/web: *something else*; set *");
	take_away(file);
	/* An empty one will do. */
	runtime_free(take("web"));
	g_assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
}

/* What somebody puts there meanwhile stays, and is in nobody's way. */
static void test_keeps_others(void)
{
	g_autofree char *dir = g_build_filename(base, "web", NULL);
	g_autofree char *second = runtime_guest_file("web", "console12");
	g_autofree char *near = runtime_guest_file("web", "console1x");
	struct runtime *runtime = take("web");
	char *file = make("notes", "");

	g_assert_cmpint(symlink("/dev/null", second), ==, 0);
	g_assert_cmpint(symlink("/dev/null", near), ==, 0);
	runtime_free(runtime);
	runtime_free(take("web"));
	g_assert_false(g_file_test(second, G_FILE_TEST_IS_SYMLINK));
	g_assert_true(g_file_test(near, G_FILE_TEST_IS_SYMLINK));
	g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
	take_away(file);
	g_unlink(near);
	runtime_free(take("web"));
	g_assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
}

static void test_guests(void)
{
	struct runtime *b = take("b"), *a = take("a");
	g_autofree char *stray = g_build_filename(base, "stray", NULL);
	g_auto(GStrv) names = NULL;

	g_assert_true(g_file_set_contents(stray, "", 0, NULL));
	names = runtime_guests();
	g_assert_cmpstrv(names, ((const char *[]){ "a", "b", NULL }));
	g_unlink(stray);
	runtime_free(a);
	runtime_free(b);
}

static void test_bad_directories(void)
{
	g_autofree char *file = g_build_filename(base, "file", NULL);
	g_autofree char *long_name = g_strnfill(100, 'x');
	g_autofree char *missing = g_build_filename(base, "none", "of", NULL);

	g_assert_true(g_file_set_contents(file, "", 0, NULL));
	REFUSED("file", RUNTIME_ERROR_DIRECTORY, "*/file: *; set XENEMU_RUNTIME_DIR *");
	REFUSED(long_name, RUNTIME_ERROR_DIRECTORY, "*/xxx*: File name too long; *");

	g_chmod(base, 0777);
	REFUSED("web", RUNTIME_ERROR_DIRECTORY,
		"*: another user's, or others may write there; *");
	g_chmod(base, 0700);

	g_setenv("XENEMU_RUNTIME_DIR", file, TRUE);
	REFUSED("web", RUNTIME_ERROR_DIRECTORY, "*/file: not a directory; *");
	g_setenv("XENEMU_RUNTIME_DIR", missing, TRUE);
	REFUSED("web", RUNTIME_ERROR_DIRECTORY, "*/none/of: No such file or directory; *");
	g_unlink(file);
}

/* Where nothing is chosen. */
static void test_base(void)
{
	g_autofree char *own = NULL;
	g_autofree char *none = NULL;
	g_autofree char *temporary = g_strdup_printf("/tmp/xenemu-%u", geteuid());
	gboolean root = geteuid() == 0;

	g_unsetenv("XENEMU_RUNTIME_DIR");
	g_setenv("XDG_RUNTIME_DIR", "/run/user/7", TRUE);
	own = runtime_base();
	g_assert_cmpstr(own, ==, root ? "/run/xenemu" : "/run/user/7/xenemu");
	g_unsetenv("XDG_RUNTIME_DIR");
	none = runtime_base();
	g_assert_cmpstr(none, ==, root ? "/run/xenemu" : temporary);
}

static void with_base(gconstpointer test)
{
	set_up();
	((void (*)(void))test)();
	tear_down();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/runtime/directory", test_directory, with_base);
	g_test_add_data_func("/runtime/taken", test_taken, with_base);
	g_test_add_data_func("/runtime/unnamed", test_unnamed, with_base);
	g_test_add_data_func("/runtime/stale", test_stale, with_base);
	g_test_add_data_func("/runtime/foreign", test_foreign, with_base);
	g_test_add_data_func("/runtime/keeps-others", test_keeps_others, with_base);
	g_test_add_data_func("/runtime/guests", test_guests, with_base);
	g_test_add_data_func("/runtime/bad-directories", test_bad_directories, with_base);
	g_test_add_data_func("/runtime/base", test_base, with_base);
	return g_test_run();
}
