/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime.c - a running guest's name, and the directory that holds its sockets
 */
#include "domain/runtime.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each retry means that another helper has just ended; so many never do. */
#define MAX_TRIES 1000
/* More guests of one user than anybody runs without naming them. */
#define MAX_UNNAMED 10000
/* Sockets' addresses hold 107 bytes of path, and "/xenstore" comes after ours. */
#define MAX_PATH_BYTES (107 - 9)
#define LOCK "lock"

/**
 * struct runtime - see runtime.h
 * @name: the guest's name
 * @path: its directory
 * @lock: the file LOCK in it, locked; -1 if we don't own it
 */
struct runtime {
	char *name;
	char *path;
	int lock;
};

char *runtime_base(void)
{
	const char *chosen = g_getenv("XENEMU_RUNTIME_DIR");
	const char *xdg = g_getenv("XDG_RUNTIME_DIR");

	if (chosen && *chosen)
		return g_strdup(chosen);
	if (geteuid() == 0)
		return g_strdup("/run/xenemu");
	if (xdg && *xdg == '/')
		return g_build_filename(xdg, "xenemu", NULL);
	return g_strdup_printf("/tmp/xenemu-%u", geteuid());
}

static gboolean directory_fail(GError **error, const char *path, const char *why)
{
	g_set_error(error, RUNTIME_ERROR, RUNTIME_ERROR_DIRECTORY,
		    "%s: %s; set XENEMU_RUNTIME_DIR to a directory for the guests' sockets",
		    path, why);
	return FALSE;
}

/* In /tmp, somebody else may have made it before us, and would then own what is in it. */
static gboolean make_base(const char *path, GError **error)
{
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return directory_fail(error, path, g_strerror(errno));
	if (lstat(path, &st))
		return directory_fail(error, path, g_strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return directory_fail(error, path, "not a directory");
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return directory_fail(error, path, "another user's, or others may write there");
	return TRUE;
}

/* Does @path still name the file that @fd is? */
static gboolean is_same(const char *path, int fd)
{
	struct stat a, b;

	return !lstat(path, &a) && !fstat(fd, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static gboolean lock_file(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return TRUE;
	if (errno == EACCES)
		errno = EAGAIN;
	return FALSE;
}

/*
 * Makes a directory and locks the file in it.  The last owner may remove them between
 * our opening and locking it; then there is another one to be made.
 * Return: a descriptor, or -1 with errno; EAGAIN when somebody has the lock.
 */
static int lock_directory(const char *path)
{
	g_autofree char *file = g_build_filename(path, LOCK, NULL);

	for (unsigned int i = 0; i < MAX_TRIES; i++) {
		int fd, err;

		if (mkdir(path, 0700) && errno != EEXIST)
			return -1;
		fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -1;
		if (!lock_file(fd)) {
			err = errno;
			close(fd);
			errno = err;
			return -1;
		}
		if (is_same(file, fd))
			return fd;
		close(fd);
	}
	errno = EBUSY;
	return -1;
}

/* All but the lock. */
static void empty_directory(const struct runtime *runtime)
{
	GDir *dir = g_dir_open(runtime->path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = runtime_file(runtime, name);

		if (strcmp(name, LOCK))
			unlink(file);
	}
	if (dir)
		g_dir_close(dir);
}

/* Return: FALSE with errno set. */
static gboolean take(struct runtime *runtime, const char *base, const char *name)
{
	runtime->name = g_strdup(name);
	runtime->path = g_build_filename(base, name, NULL);
	if (strlen(runtime->path) > MAX_PATH_BYTES)
		errno = ENAMETOOLONG;
	else
		runtime->lock = lock_directory(runtime->path);
	if (runtime->lock < 0) {
		g_clear_pointer(&runtime->name, g_free);
		return FALSE;
	}
	empty_directory(runtime);
	return TRUE;
}

static gboolean take_named(struct runtime *runtime, const char *base, const char *name,
			   GError **error)
{
	if (take(runtime, base, name))
		return TRUE;
	if (errno != EAGAIN)
		return directory_fail(error, runtime->path, g_strerror(errno));
	g_set_error(error, RUNTIME_ERROR, RUNTIME_ERROR_TAKEN,
		    "--name: a guest named %s is running; choose another name, "
		    "see `xenemu list`",
		    name);
	return FALSE;
}

static gboolean take_unnamed(struct runtime *runtime, const char *base, GError **error)
{
	for (unsigned int i = 1; i <= MAX_UNNAMED; i++) {
		g_autofree char *name = i == 1 ? g_strdup("guest")
					       : g_strdup_printf("guest-%u", i);

		if (take(runtime, base, name))
			return TRUE;
		if (errno != EAGAIN)
			break;
		g_clear_pointer(&runtime->path, g_free);
	}
	return directory_fail(error, runtime->path ? runtime->path : base, g_strerror(errno));
}

struct runtime *runtime_new(const char *name, GError **error)
{
	g_autofree char *base = runtime_base();
	struct runtime *runtime = g_new0(struct runtime, 1);

	runtime->lock = -1;
	if (make_base(base, error) && (name ? take_named(runtime, base, name, error)
					    : take_unnamed(runtime, base, error)))
		return runtime;
	runtime_free(runtime);
	return NULL;
}

const char *runtime_name(const struct runtime *runtime)
{
	return runtime->name;
}

char *runtime_file(const struct runtime *runtime, const char *file)
{
	return g_build_filename(runtime->path, file, NULL);
}

void runtime_free(struct runtime *runtime)
{
	if (!runtime)
		return;
	if (runtime->lock >= 0) {
		g_autofree char *lock = runtime_file(runtime, LOCK);

		empty_directory(runtime);
		/* From here on the name may be another's, and the directory with it. */
		unlink(lock);
		rmdir(runtime->path);
		close(runtime->lock);
	}
	g_free(runtime->path);
	g_free(runtime->name);
	g_free(runtime);
}

char *runtime_guest_file(const char *name, const char *file)
{
	g_autofree char *base = runtime_base();

	return g_build_filename(base, name, file, NULL);
}

/* Only a running helper has its lock. */
static gboolean is_running(const char *name)
{
	g_autofree char *file = runtime_guest_file(name, LOCK);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	gboolean locked;

	if (fd < 0)
		return FALSE;
	locked = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	close(fd);
	return locked;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **runtime_guests(void)
{
	g_autofree char *base = runtime_base();
	GDir *dir = g_dir_open(base, 0, NULL);
	GPtrArray *names = g_ptr_array_new();
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (is_running(name))
			g_ptr_array_add(names, g_strdup(name));
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
