/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-qsd.c - a qemu-storage-daemon of our own for a disk, spoken to by NBD
 *
 * It inherits a listening socket on which our connection waits already, and which has
 * no name any more: nobody else can connect, and nothing has to be cleaned up.  It ends
 * with us, whatever becomes of us (qemu-process.h).
 */
#include "backend/disk-qsd.h"
#include "backend/disk-nbd.h"
#include "machine/qemu-process.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/**
 * struct qsd - the process
 * @why: storage of qsd_why()
 */
struct qsd {
	struct qemu_process *process;
	char *why;
};

static void qsd_free(void *opaque)
{
	struct qsd *qsd = opaque;

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

/* A listening socket at @path, and one that is connected to it. */
static gboolean bind_and_connect(const char *path, int *listening, int *connected)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >=
	    sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return FALSE;
	}
	return *listening >= 0 && *connected >= 0 &&
	       !bind(*listening, (struct sockaddr *)&address, sizeof(address)) &&
	       !listen(*listening, 1) &&
	       !connect(*connected, (struct sockaddr *)&address, sizeof(address));
}

/* The directory keeps others out while the socket has a name. */
static gboolean make_sockets(const char *target, int *listening, int *connected, GError **error)
{
	g_autofree char *directory =
		g_build_filename(g_get_tmp_dir(), "xenemu-disk-XXXXXX", NULL);
	g_autofree char *path = NULL;
	gboolean ok;
	int saved;

	if (!g_mkdtemp(directory))
		return fail_errno(error, target, directory);
	path = g_build_filename(directory, "socket", NULL);
	ok = bind_and_connect(path, listening, connected);
	saved = errno;
	unlink(path);
	rmdir(directory);
	errno = saved;
	if (ok)
		return TRUE;
	fail_errno(error, target, path);
	if (*listening >= 0)
		close(*listening);
	if (*connected >= 0)
		close(*connected);
	return FALSE;
}

static struct qemu_process *spawn(const struct disk_spec *spec, int listening, GError **error)
{
	g_autofree char *program = g_find_program_in_path("qemu-storage-daemon");
	g_autofree char *blockdev = qsd_blockdev(spec, error);
	g_autofree char *export = g_strdup_printf("type=nbd,id=disk,node-name=disk,name=disk,"
						  "writable=%s",
						  spec->read_only ? "off" : "on");
	char *argv[] = {
		program,    "--blockdev", blockdev, "--nbd-server", "addr.type=fd,addr.str=3",
		"--export", export,       NULL
	};

	if (!blockdev)
		return NULL;
	if (!program) {
		g_set_error(error, DISK_ERROR, DISK_ERROR_UNSUPPORTED,
			    "%s: there is no qemu-storage-daemon, which is needed for this; "
			    "install it (Debian: qemu-utils)",
			    spec->target);
		return NULL;
	}
	return qemu_process_spawn(argv, &listening, 1, on_ended, NULL, error);
}

struct disk *disk_qsd_open(const struct disk_spec *spec, const struct disk_listener *listener,
			   GError **error)
{
	struct qsd *qsd = g_new0(struct qsd, 1);
	struct nbd_server server = { .owner = qsd, .why = qsd_why, .free = qsd_free };
	int listening = -1;

	if (!make_sockets(spec->target, &listening, &server.socket, error)) {
		qsd_free(qsd);
		return NULL;
	}
	qsd->process = spawn(spec, listening, error);
	close(listening);
	if (qsd->process)
		return disk_nbd_open_server(spec, &server, listener, error);
	close(server.socket);
	qsd_free(qsd);
	return NULL;
}
