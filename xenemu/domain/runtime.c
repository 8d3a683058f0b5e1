/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime.c - a running guest's name, and the directory that holds its sockets
 */
#include "domain/runtime.h"
#include <dirent.h>
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
#define CONSOLE "console"

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

static const char *reason(int problem)
{
	/* From lock_directory(). */
	if (problem == ENOTEMPTY)
		return "a directory with something else than a guest's sockets in it";
	return g_strerror(problem);
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

/* --- what is in it --- */

static gboolean is_our_name(const char *name)
{
	/* As console_file_name() has it. */
	if (g_str_has_prefix(name, CONSOLE)) {
		name += strlen(CONSOLE);
		return !name[strspn(name, G_CSET_DIGITS)];
	}
	return !strcmp(name, "control") || !strcmp(name, "xenstore");
}

/* Sockets, and links to those and to terminals, are all that a helper makes. */
static gboolean is_ours(int dir, const char *name)
{
	struct stat st;

	return is_our_name(name) && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       (S_ISSOCK(st.st_mode) || S_ISLNK(st.st_mode));
}

/*
 * Looks at all but the lock, and with @clear removes what is a helper's.
 * Return: whether there is anything else.
 */
static gboolean look_inside(const char *path, gboolean clear)
{
	DIR *dir = opendir(path);
	gboolean others = FALSE;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, LOCK))
			continue;
		if (!is_ours(dirfd(dir), name))
			others = TRUE;
		else if (clear)
			unlinkat(dirfd(dir), name, 0);
	}
	if (dir)
		closedir(dir);
	return others;
}

/*
 * A directory that no helper has made may be anything: $XENEMU_RUNTIME_DIR may name a
 * place where the user has files.  Ours have a lock, and that is empty.
 */
static gboolean is_foreign(const char *path, const char *lock)
{
	struct stat st;

	if (!lstat(lock, &st))
		return !S_ISREG(st.st_mode) || st.st_size;
	return look_inside(path, FALSE);
}

/*
 * Makes a directory and locks the file in it.  The last owner may remove them between
 * our opening and locking it; then there is another one to be made.
 * Return: a descriptor, or -1 with errno; EAGAIN when somebody has the lock, ENOTEMPTY
 * when it is not ours.
 */
static int lock_directory(const char *path)
{
	g_autofree char *file = g_build_filename(path, LOCK, NULL);

	for (unsigned int i = 0; i < MAX_TRIES; i++) {
		int fd, err;

		if (mkdir(path, 0700) && errno != EEXIST)
			return -1;
		if (is_foreign(path, file)) {
			errno = ENOTEMPTY;
			return -1;
		}
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
	look_inside(runtime->path, TRUE);
	return TRUE;
}

static gboolean take_named(struct runtime *runtime, const char *base, const char *name,
			   GError **error)
{
	if (take(runtime, base, name))
		return TRUE;
	if (errno != EAGAIN)
		return directory_fail(error, runtime->path, reason(errno));
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
	return directory_fail(error, runtime->path ? runtime->path : base, reason(errno));
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

		/*
		 * What somebody else has put there stays, and the lock with it, so that
		 * the name can be taken again.  Without the lock the name may be another's
		 * at once, and the directory with it.
		 */
		if (!look_inside(runtime->path, TRUE)) {
			unlink(lock);
			rmdir(runtime->path);
		}
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
