/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-qsd.c - a qemu-storage-daemon of our own for a disk, spoken to by vhost-user or NBD
 *
 * It inherits a listening socket on which our connection waits already, and which has
 * no name any more: nobody else can connect, and nothing has to be cleaned up.  Its
 * monitor is a socket pair.  It ends with us, whatever becomes of us (qemu-process.h).
 *
 * By vhost-user-blk it transfers from and to the guest's memory itself; by NBD all data
 * goes through the socket.  NBD it is where there is no guest yet, and where the daemon
 * does not offer the other.
 */
#include "backend/disk-qsd.h"
#include "backend/disk-nbd.h"
#include "backend/disk-vhost.h"
#include "backend/qsd-control.h"
#include "machine/qemu-process.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A daemon said that it can, and then could not: not again. */
static gboolean vhost_refused;

/**
 * struct qsd - the process, NULL when it was ended
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
	const char *text, *brace, *colon;

	if (!qsd->process)
		return qsd->why;
	text = qemu_process_output(qsd->process);
	brace = strstr(text, "}: ");
	colon = strstr(text, ": ");
	g_free(qsd->why);
	if (!*text)
		qsd->why = g_strdup("its qemu-storage-daemon ended");
	else
		qsd->why = g_strdup(brace ? brace + 3 : colon ? colon + 2 : text);
	g_strdelimit(qsd->why, "\n", ' ');
	return qsd->why;
}

/* Its last words are kept. */
static void qsd_stop(void *opaque)
{
	struct qsd *qsd = opaque;

	qsd_why(qsd);
	g_clear_pointer(&qsd->process, qemu_process_free);
}

static void on_refused(void *opaque)
{
	(void)opaque;
	vhost_refused = TRUE;
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

/* Whether the program can serve by vhost-user-blk, as far as it says so; asked once. */
static gboolean has_vhost(void)
{
	static gsize answer;
	g_autofree char *program = NULL, *help = NULL;
	gsize found = 1;

	if (vhost_refused || !g_once_init_enter(&answer))
		return !vhost_refused && answer == 2;
	program = g_find_program_in_path("qemu-storage-daemon");
	if (program) {
		char *argv[] = { program, "--help", NULL };

		g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &help,
			     NULL, NULL, NULL);
	}
	/* Both the export, which may be left out of a build, and its socket as ours. */
	if (help && strstr(help, "vhost-user-blk") && strstr(help, "addr.type=fd"))
		found = 2;
	g_once_init_leave(&answer, found);
	return found == 2;
}

static struct qemu_process *spawn(const struct disk_spec *spec, const struct sockets *sockets,
				  gboolean vhost, GError **error)
{
	g_autofree char *program = g_find_program_in_path("qemu-storage-daemon");
	g_autofree char *blockdev = qsd_blockdev(spec, program && has_io_uring(program), error);
	g_autofree char *export =
		g_strdup_printf("type=%s,id=disk,node-name=disk,%s,writable=%s",
				vhost ? "vhost-user-blk" : "nbd",
				vhost ? "addr.type=fd,addr.str=3,num-queues=1" : "name=disk",
				spec->read_only ? "off" : "on");
	const int fds[] = { sockets->listening, sockets->monitor[1] }; /* its 3 and 4 */
	char *argv[] = { program,
			 "--blockdev",
			 blockdev,
			 "--chardev",
			 "socket,id=monitor,fd=4",
			 "--monitor",
			 "chardev=monitor",
			 "--export",
			 export,
			 NULL,
			 NULL,
			 NULL };

	/* An NBD export belongs to the server, which comes first. */
	if (!vhost) {
		argv[7] = "--nbd-server";
		argv[8] = "addr.type=fd,addr.str=3";
		argv[9] = "--export";
		argv[10] = export;
	}
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

static void qsd_grow(void *opaque, uint64_t size, void (*done)(void *opaque, GError *error),
		     void *done_opaque)
{
	struct qsd *qsd = opaque;

	qsd_control_grow(qsd->control, size, done, done_opaque);
}

static void qsd_resize(void *opaque, uint64_t size,
		       void (*done)(void *opaque, int socket, GError *error), void *done_opaque)
{
	struct qsd *qsd = opaque;

	qsd_control_resize(qsd->control, size, done, done_opaque);
}

/* Run it, and take over what is ours of @sockets. */
static gboolean start(struct qsd *qsd, const struct disk_spec *spec, gboolean vhost,
		      struct sockets *sockets, GError **error)
{
	if (!make_sockets(spec->target, sockets, error))
		return FALSE;
	qsd->process = spawn(spec, sockets, vhost, error);
	/* Else its end would not be one of our connections. */
	close_socket(&sockets->listening);
	close_socket(&sockets->monitor[1]);
	if (!qsd->process)
		return FALSE;
	qsd->control = qsd_control_new(sockets->monitor[0], sockets->address, !spec->read_only);
	sockets->monitor[0] = sockets->address = -1;
	return TRUE;
}

static struct disk *open_nbd(struct qsd *qsd, int socket, const struct disk_spec *spec,
			     const struct disk_listener *listener, GError **error)
{
	struct nbd_server server = {
		.socket = socket,
		.owner = qsd,
		.why = qsd_why,
		.free = qsd_free,
		.resize = qsd_resize,
	};

	/* Where it is to be connected to again: then it must not let go of its client. */
	if (access("/proc/self/fd", X_OK))
		server.resize = NULL;
	return disk_nbd_open_server(spec, &server, listener, error);
}

static struct disk *open_vhost(struct qsd *qsd, int socket, const struct disk_spec *spec,
			       const struct memory *memory,
			       const struct disk_listener *listener, GError **error)
{
	const struct vhost_server server = {
		.socket = socket,
		.owner = qsd,
		.why = qsd_why,
		.refused = on_refused,
		.stop = qsd_stop,
		.free = qsd_free,
		.resize = qsd_grow,
	};

	return disk_vhost_open(spec, memory, &server, listener, error);
}

/* @memory: NULL: by NBD. */
static struct disk *open_by(const struct disk_spec *spec, const struct memory *memory,
			    const struct disk_listener *listener, GError **error)
{
	struct sockets sockets = { -1, -1, -1, { -1, -1 } };
	struct qsd *qsd = g_new0(struct qsd, 1);
	struct disk *disk = NULL;
	int socket;

	if (start(qsd, spec, memory != NULL, &sockets, error)) {
		socket = sockets.connected;
		sockets.connected = -1;
		disk = memory ? open_vhost(qsd, socket, spec, memory, listener, error)
			      : open_nbd(qsd, socket, spec, listener, error);
	} else {
		qsd_free(qsd);
	}
	sockets_close(&sockets);
	return disk;
}

/* Who does not wait has to come again after a refusal: what he got was this disk. */
struct disk *disk_qsd_open(const struct disk_spec *spec, const struct memory *memory,
			   const struct disk_listener *listener, GError **error)
{
	GError *why = NULL;
	struct disk *disk;

	if (!memory || !has_vhost())
		return open_by(spec, NULL, listener, error);
	disk = open_by(spec, memory, listener, &why);
	if (disk)
		return disk;
	if (!vhost_refused) {
		g_propagate_error(error, why);
		return NULL;
	}
	g_error_free(why);
	return open_by(spec, NULL, listener, error);
}
