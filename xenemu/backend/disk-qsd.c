/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-qsd.c - a qemu-storage-daemon of our own for a disk, spoken to by NBD
 *
 * It inherits a listening socket on which our connection waits already, and which has
 * no name any more: nobody else can connect, and nothing has to be cleaned up.  Its
 * monitor is a socket pair.  It ends with us, whatever becomes of us (qemu-process.h).
 */
#include "backend/disk-qsd.h"
#include "backend/disk-nbd.h"
#include "backend/qsd-control.h"
#include "machine/qemu-process.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/**
 * struct qsd - the process
 * @control: its monitor
 * @why:     storage of qsd_why()
 */
struct qsd {
	struct qemu_process *process;
	struct qsd_control *control;
	char *why;
};

static void qsd_free(void *opaque)
{
	struct qsd *qsd = opaque;

	qsd_control_free(qsd->control);
	qemu_process_free(qsd->process);
	g_free(qsd->why);
	g_free(qsd);
}

static void on_ended(void *opaque, int wait_status)
{
	/* The end of the connection says it. */
	(void)opaque;
	(void)wait_status;
}

/* "qemu-storage-daemon: --blockdev {...}: MESSAGE", possibly more lines, to one line. */
static const char *qsd_why(void *opaque)
{
	struct qsd *qsd = opaque;
	const char *text = qemu_process_output(qsd->process);
	const char *brace = strstr(text, "}: ");
	const char *colon = strstr(text, ": ");

	g_free(qsd->why);
	if (!*text)
		qsd->why = g_strdup("its qemu-storage-daemon ended");
	else
		qsd->why = g_strdup(brace ? brace + 3 : colon ? colon + 2 : text);
	g_strdelimit(qsd->why, "\n", ' ');
	return qsd->why;
}

/* --- start --- */

static gboolean fail_errno(GError **error, const char *target, const char *what)
{
	int saved = errno;

	g_set_error(error, DISK_ERROR, DISK_ERROR_OPEN, "%s: %s: %s", target, what,
		    g_strerror(saved));
	return FALSE;
}

/**
 * struct sockets - between us and the process; -1 if not there
 * @listening: its NBD server's
 * @connected: to that
 * @address:   by which another one can be connected: what is left of its name
 * @monitor:   ours and its end
 */
struct sockets {
	int listening;
	int connected;
	int address;
	int monitor[2];
};

static void close_socket(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void sockets_close(struct sockets *sockets)
{
	close_socket(&sockets->listening);
	close_socket(&sockets->connected);
	close_socket(&sockets->address);
	close_socket(&sockets->monitor[0]);
	close_socket(&sockets->monitor[1]);
}

/* A listening socket at @path, and one that is connected to it. */
static gboolean bind_and_connect(const char *path, struct sockets *sockets)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct sockaddr *any = (struct sockaddr *)&address;

	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return FALSE;
	}
	sockets->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sockets->connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sockets->listening < 0 || sockets->connected < 0 ||
	    bind(sockets->listening, any, sizeof(address)) || listen(sockets->listening, 1) ||
	    connect(sockets->connected, any, sizeof(address)))
		return FALSE;
	sockets->address = open(path, O_PATH | O_CLOEXEC);
	return sockets->address >= 0;
}

/* The directory keeps others out while the socket has a name. */
static gboolean make_sockets(const char *target, struct sockets *sockets, GError **error)
{
	g_autofree char *directory =
		g_build_filename(g_get_tmp_dir(), "xenemu-disk-XXXXXX", NULL);
	g_autofree char *path = NULL;
	gboolean ok;
	int saved;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets->monitor))
		return fail_errno(error, target, "can't have a socket");
	if (!g_mkdtemp(directory))
		return fail_errno(error, target, directory);
	path = g_build_filename(directory, "socket", NULL);
	ok = bind_and_connect(path, sockets);
	saved = errno;
	unlink(path);
	rmdir(directory);
	errno = saved;
	return ok || fail_errno(error, target, path);
}

/*
 * Some containers forbid io_uring, and it may have been built without.  It opens itself
 * so, then prints a list and ends: some milliseconds.
 */
static gboolean has_io_uring(const char *program)
{
	char *argv[] = { (char *)program,
			 (char *)"--blockdev",
			 (char *)"{\"driver\":\"file\",\"node-name\":\"self\","
				 "\"filename\":\"/proc/self/exe\",\"read-only\":true,"
				 "\"locking\":\"off\",\"aio\":\"io_uring\"}",
			 (char *)"--chardev",
			 (char *)"help",
			 NULL };
	int status;

	return g_spawn_sync(NULL, argv, NULL,
			    G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
			    NULL, NULL, &status, NULL) &&
	       status == 0;
}

static struct qemu_process *spawn(const struct disk_spec *spec, const struct sockets *sockets,
				  GError **error)
{
	g_autofree char *program = g_find_program_in_path("qemu-storage-daemon");
	g_autofree char *blockdev = qsd_blockdev(spec, program && has_io_uring(program), error);
	g_autofree char *export = g_strdup_printf("type=nbd,id=disk,node-name=disk,name=disk,"
						  "writable=%s",
						  spec->read_only ? "off" : "on");
	const int fds[] = { sockets->listening, sockets->monitor[1] }; /* its 3 and 4 */
	char *argv[] = { program,
			 "--blockdev",
			 blockdev,
			 "--nbd-server",
			 "addr.type=fd,addr.str=3",
			 "--export",
			 export,
			 "--chardev",
			 "socket,id=monitor,fd=4",
			 "--monitor",
			 "chardev=monitor",
			 NULL };

	if (!blockdev)
		return NULL;
	if (!program) {
		g_set_error(error, DISK_ERROR, DISK_ERROR_UNSUPPORTED,
			    "%s: there is no qemu-storage-daemon, which is needed for this; "
			    "install it (Debian: qemu-utils)",
			    spec->target);
		return NULL;
	}
	return qemu_process_spawn(argv, fds, G_N_ELEMENTS(fds), on_ended, NULL, error);
}

static void qsd_resize(void *opaque, uint64_t size,
		       void (*done)(void *opaque, int socket, GError *error), void *done_opaque)
{
	struct qsd *qsd = opaque;

	qsd_control_resize(qsd->control, size, done, done_opaque);
}

/* Run it, and take over what is ours of @sockets. */
static gboolean start(struct qsd *qsd, const struct disk_spec *spec, struct sockets *sockets,
		      GError **error)
{
	if (!make_sockets(spec->target, sockets, error))
		return FALSE;
	qsd->process = spawn(spec, sockets, error);
	/* Else its end would not be one of our connections. */
	close_socket(&sockets->listening);
	close_socket(&sockets->monitor[1]);
	if (!qsd->process)
		return FALSE;
	qsd->control = qsd_control_new(sockets->monitor[0], sockets->address, !spec->read_only);
	sockets->monitor[0] = sockets->address = -1;
	return TRUE;
}

struct disk *disk_qsd_open(const struct disk_spec *spec, const struct disk_listener *listener,
			   GError **error)
{
	struct sockets sockets = { -1, -1, -1, { -1, -1 } };
	struct qsd *qsd = g_new0(struct qsd, 1);
	struct nbd_server server = {
		.owner = qsd, .why = qsd_why, .free = qsd_free, .resize = qsd_resize
	};
	struct disk *disk = NULL;

	/* Where it is to be connected to again: then it must not let go of its client. */
	if (access("/proc/self/fd", X_OK))
		server.resize = NULL;
	if (start(qsd, spec, &sockets, error)) {
		server.socket = sockets.connected;
		sockets.connected = -1;
		disk = disk_nbd_open_server(spec, &server, listener, error);
	} else {
		qsd_free(qsd);
	}
	sockets_close(&sockets);
	return disk;
}
