/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link-passt.c - frames to and from passt, which makes sockets of the host of them
 *
 * A stream with 4 bytes of length, the most significant first, before each frame; no
 * offloads.  But passt ends TCP itself, and a segment may be as long as a frame: a
 * frame that the guest left to be segmented is passed on whole.
 *
 * passt is started as a daemon: the process that was started ends when it is ready, or
 * says why it can't be.  The daemon ends when the stream does, and that with us.
 */
#include "backend/link-private.h"
#include "backend/packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX sizeof(uint32_t)
#define MAX_FRAME 65535
#define START_SECONDS 10
#define CHILD_FD 3
/* Linux's xen-netfront takes 65517 at most; whole words, as passt wants it. */
#define DEFAULT_MTU 65516

/**
 * struct passt - a link
 * @link:   its head
 * @in:     what was read and not yet taken: bytes @start to @end
 * @out:    what could not be written yet
 */
struct passt {
	struct link link;
	uint8_t in[2 * (PREFIX + MAX_FRAME)];
	size_t start, end;
	uint8_t out[PREFIX + MAX_FRAME];
	size_t out_start, out_end;
};

static void gone(struct passt *passt, const char *why)
{
	link_gone(&passt->link, "passt has ended (%s)", why);
}

/* --- sending --- */

static ssize_t send_iov(struct passt *passt, struct iovec *iov, unsigned int nr_iov)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = nr_iov };
	ssize_t done;

	do
		done = sendmsg(passt->link.fd, &msg, MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	return done;
}

/* Keeps what is behind the first @skip bytes. */
static void keep_rest(struct passt *passt, const struct iovec *iov, unsigned int nr_iov,
		      size_t skip)
{
	passt->out_start = passt->out_end = 0;
	for (unsigned int i = 0; i < nr_iov; i++) {
		size_t from = MIN(skip, iov[i].iov_len);
		size_t len = iov[i].iov_len - from;

		memcpy(passt->out + passt->out_end, (uint8_t *)iov[i].iov_base + from, len);
		passt->out_end += len;
		skip -= from;
	}
}

static enum link_status passt_send(struct link *link, const struct virtio_net_hdr *hdr,
				   struct iovec *iov, unsigned int nr_iov)
{
	struct passt *passt = (struct passt *)link;
	uint32_t prefix;
	size_t len = 0;
	ssize_t done;

	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		packet_complete_checksum(iov + 1, nr_iov - 1, hdr->csum_start,
					 hdr->csum_offset);
	for (unsigned int i = 1; i < nr_iov; i++)
		len += iov[i].iov_len;
	if (len > MAX_FRAME)
		return LINK_DROPPED;
	prefix = htonl(len);
	iov[0] = (struct iovec){ &prefix, sizeof(prefix) };
	done = send_iov(passt, iov, nr_iov);
	if (done == (ssize_t)(PREFIX + len))
		return LINK_SENT;
	if (done < 0 && errno != EAGAIN) {
		gone(passt, g_strerror(errno));
		return LINK_DROPPED;
	}
	link_wait_writable(link);
	if (done < 0)
		return LINK_BUSY;
	keep_rest(passt, iov, nr_iov, done);
	return LINK_SENT;
}

static gboolean passt_writable(struct link *link)
{
	struct passt *passt = (struct passt *)link;
	struct iovec iov = { passt->out + passt->out_start, passt->out_end - passt->out_start };
	ssize_t done = iov.iov_len ? send_iov(passt, &iov, 1) : 0;

	if (done < 0 && errno != EAGAIN)
		gone(passt, g_strerror(errno));
	if (done > 0)
		passt->out_start += done;
	return passt->out_start == passt->out_end || link->is_gone;
}

/* --- receiving --- */

/* Length of the frame that is there whole; 0: not yet. */
static size_t frame_ready(struct passt *passt)
{
	size_t used = passt->end - passt->start;
	uint32_t len;

	if (used < PREFIX)
		return 0;
	memcpy(&len, passt->in + passt->start, PREFIX);
	len = ntohl(len);
	if (len < LINK_MIN_FRAME || len > MAX_FRAME) {
		gone(passt, "it sent nonsense");
		return 0;
	}
	return used - PREFIX >= len ? len : 0;
}

/* FALSE when nothing came. */
static gboolean read_more(struct passt *passt)
{
	ssize_t len;

	memmove(passt->in, passt->in + passt->start, passt->end - passt->start);
	passt->end -= passt->start;
	passt->start = 0;
	do
		len = recv(passt->link.fd, passt->in + passt->end,
			   sizeof(passt->in) - passt->end, 0);
	while (len < 0 && errno == EINTR);
	if (len > 0)
		passt->end += len;
	else if (!len || errno != EAGAIN)
		gone(passt, len ? g_strerror(errno) : "end of its stream");
	return len > 0;
}

static void take(struct passt *passt, struct iovec *iov, unsigned int nr_iov, size_t len)
{
	const uint8_t *from = passt->in + passt->start + PREFIX;

	for (unsigned int i = 1; len && i < nr_iov; i++) {
		size_t part = MIN(len, iov[i].iov_len);

		memcpy(iov[i].iov_base, from, part);
		from += part;
		len -= part;
	}
	passt->start = from - passt->in + len;
}

static size_t passt_receive(struct link *link, struct virtio_net_hdr *hdr, struct iovec *iov,
			    unsigned int nr_iov)
{
	struct passt *passt = (struct passt *)link;
	size_t len = frame_ready(passt);

	while (!len && !link->is_gone && read_more(passt))
		len = frame_ready(passt);
	if (!len || link->is_gone)
		return 0;
	*hdr = (struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_NONE };
	take(passt, iov, nr_iov, len);
	return len;
}

/* --- the process --- */

static gboolean fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean fail(GError **error, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, LINK_ERROR, LINK_ERROR_HOST, "--vif user: %s", text);
	g_free(text);
	return FALSE;
}

/* passt goes on quietly when a port is taken. */
static gboolean port_is_free(const struct vif_forward *forward)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons(forward->host_port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(forward->host_port) };
	const char *address = forward->address;
	gboolean is_v4 = address && inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	int type = (forward->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC;
	int sock = socket(is_v4 ? AF_INET : AF_INET6, type, 0), one = 1, err;

	if (sock < 0)
		return TRUE; /* no IPv6: nothing is known */
	if (address && !is_v4)
		inet_pton(AF_INET6, address, &any.sin6_addr);
	if (!forward->udp)
		setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = is_v4 ? bind(sock, (struct sockaddr *)&v4, sizeof(v4))
		    : bind(sock, (struct sockaddr *)&any, sizeof(any));
	if (!err && !forward->udp)
		err = listen(sock, 1);
	err = err ? errno : 0;
	close(sock);
	errno = err;
	return !err;
}

static gboolean check_forwards(const struct vif_spec *spec, GError **error)
{
	for (unsigned int i = 0; i < spec->forwards->len; i++) {
		const struct vif_forward *forward =
			&g_array_index(spec->forwards, struct vif_forward, i);

		if (!port_is_free(forward))
			return fail(error, "hostfwd=%s:%u: the host's port can't be had: %s",
				    forward->udp ? "udp" : "tcp", forward->host_port,
				    g_strerror(errno));
	}
	return TRUE;
}

/* What DHCP tells the guest */
static unsigned int offered_mtu(const struct vif_spec *spec)
{
	return spec->mtu ? spec->mtu : DEFAULT_MTU;
}

static GPtrArray *command_line(const struct vif_spec *spec, const char *program)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(argv, g_strdup(program));
	g_ptr_array_add(argv, g_strdup("--quiet"));
	g_ptr_array_add(argv, g_strdup("--fd"));
	g_ptr_array_add(argv, g_strdup_printf("%d", CHILD_FD));
	g_ptr_array_add(argv, g_strdup("--mtu"));
	g_ptr_array_add(argv, g_strdup_printf("%u", offered_mtu(spec)));
	for (unsigned int i = 0; i < spec->forwards->len; i++) {
		const struct vif_forward *forward =
			&g_array_index(spec->forwards, struct vif_forward, i);

		g_ptr_array_add(argv, g_strdup(forward->udp ? "-u" : "-t"));
		g_ptr_array_add(argv, g_strdup_printf("%s%s%u:%u",
						      forward->address ? forward->address : "",
						      forward->address ? "/" : "",
						      forward->host_port, forward->guest_port));
	}
	g_ptr_array_add(argv, NULL);
	return argv;
}

/* The last line that is not about its own logging. */
static char *last_words(const char *output)
{
	g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
	const char *last = "it said nothing";

	for (char **line = lines; *line; line++)
		if (*g_strstrip(*line) && !g_str_has_prefix(*line, "Failed to send") &&
		    !g_str_has_prefix(*line, "Don't run as root"))
			last = *line;
	return g_strdup(last);
}

/* Reads until the end of the output, that is, of the process; FALSE: too long. */
static gboolean read_all(int fd, GString *output)
{
	gint64 deadline = g_get_monotonic_time() + START_SECONDS * G_USEC_PER_SEC;
	char buf[1024];

	for (;;) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		gint64 left = (deadline - g_get_monotonic_time()) / 1000;
		ssize_t len;

		if (left <= 0 || !poll(&pollfd, 1, left))
			return FALSE;
		len = read(fd, buf, sizeof(buf));
		if (!len)
			return TRUE;
		if (len > 0 && output->len < 4096)
			g_string_append_len(output, buf, len);
		if (len < 0 && errno != EINTR)
			return TRUE;
	}
}

static gboolean wait_ready(GPid pid, int output_fd, GError **error)
{
	g_autoptr(GString) output = g_string_new(NULL);
	g_autofree char *words = NULL;
	gboolean ended = read_all(output_fd, output);
	int status, reaped;

	if (!ended)
		kill(pid, SIGKILL);
	do
		reaped = waitpid(pid, &status, 0);
	while (reaped < 0 && errno == EINTR);
	if (!ended)
		return fail(error, "passt was not ready within %d seconds", START_SECONDS);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return TRUE;
	words = last_words(output->str);
	return fail(error, "passt can't start: %s", words);
}

/* Not ended by Ctrl-C at our terminal; async-signal-safe. */
static void child_setup(G_GNUC_UNUSED gpointer opaque)
{
	setpgid(0, 0);
}

static gboolean start(const struct vif_spec *spec, int fd, GError **error)
{
	g_autofree char *program = g_find_program_in_path("passt");
	g_autoptr(GPtrArray) argv = NULL;
	g_autoptr(GError) reason = NULL;
	int target = CHILD_FD, output;
	gboolean ready;
	GPid pid;

	if (!program)
		return fail(error, "there is no program passt; install the package passt");
	argv = command_line(spec, program);
	if (!g_spawn_async_with_pipes_and_fds(
		    NULL, (const char *const *)argv->pdata, NULL,
		    G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, child_setup, NULL,
		    -1, -1, -1, &fd, &target, 1, &pid, NULL, NULL, &output, &reason))
		return fail(error, "%s", reason->message);
	ready = wait_ready(pid, output, error);
	close(output);
	g_spawn_close_pid(pid);
	return ready;
}

static void passt_set_offload(G_GNUC_UNUSED struct link *link,
			      G_GNUC_UNUSED unsigned int offload)
{
	/* passt sends nothing but complete frames. */
}

static void passt_free(struct link *link)
{
	g_free(link);
}

static const struct link_ops passt_ops = {
	.set_offload = passt_set_offload,
	.send = passt_send,
	.receive = passt_receive,
	.writable = passt_writable,
	.free = passt_free,
};

struct link *passt_new(int fd)
{
	struct passt *passt = g_new0(struct passt, 1);

	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	passt->link.ops = &passt_ops;
	passt->link.fd = fd;
	return &passt->link;
}

struct link *passt_open(const struct vif_spec *spec, GError **error)
{
	struct link *link;
	int fds[2];
	gboolean started;

	if (!check_forwards(spec, error))
		return NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		fail(error, "socketpair: %s", g_strerror(errno));
		return NULL;
	}
	started = start(spec, fds[1], error);
	close(fds[1]);
	if (!started) {
		close(fds[0]);
		return NULL;
	}
	link = passt_new(fds[0]);
	link->mtu = offered_mtu(spec);
	return link;
}
