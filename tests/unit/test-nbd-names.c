/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-nbd-names.c - NBD servers whose name takes long to look up
 *
 * The resolver is ours: getaddrinfo() of a program takes the place of the C library's for
 * the libraries that it is linked with.  It answers when a test lets it, and with a local
 * socket.
 */
#include "nbd-server.h"
#include <dlfcn.h>
#include <libnbd.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MIB (1 << 20)
#define URI "nbd://server.test/"
#define NO_ANSWER_US (60 * G_USEC_PER_SEC)

/**
 * struct resolver - in place of the C library's
 * @lock:  of all, but @main
 * @moved: signalled at each change
 * @hold:  names are not answered
 * @none:  there is no such name
 * @address: what they stand for
 * @asked, @answered: how often
 * @main:  the thread of the main loop, which must not be held up
 */
static struct {
	GMutex lock;
	GCond moved;
	gboolean hold;
	gboolean none;
	struct sockaddr_un address;
	unsigned int asked;
	unsigned int answered;
	GThread *main;
} resolver;

static void wait_while_held(void)
{
	gint64 end = g_get_monotonic_time() + NO_ANSWER_US;

	while (resolver.hold)
		if (!g_cond_wait_until(&resolver.moved, &resolver.lock, end))
			g_error("a name was held for a minute");
}

int getaddrinfo(const char *name, G_GNUC_UNUSED const char *service,
		G_GNUC_UNUSED const struct addrinfo *hints, struct addrinfo **result)
{
	static struct addrinfo info = {
		.ai_family = AF_UNIX,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&resolver.address,
		.ai_addrlen = sizeof(resolver.address),
	};
	gboolean none;

	g_assert_cmpstr(name, ==, "server.test");
	g_assert_true(g_thread_self() != resolver.main);
	g_mutex_lock(&resolver.lock);
	resolver.asked++;
	wait_while_held();
	resolver.answered++;
	none = resolver.none;
	g_cond_broadcast(&resolver.moved);
	g_mutex_unlock(&resolver.lock);
	*result = &info;
	return none ? EAI_NONAME : 0;
}

void freeaddrinfo(G_GNUC_UNUSED struct addrinfo *result)
{
}

static void hold(gboolean held)
{
	g_mutex_lock(&resolver.lock);
	resolver.hold = held;
	g_cond_broadcast(&resolver.moved);
	g_mutex_unlock(&resolver.lock);
}

static unsigned int count(const unsigned int *what)
{
	unsigned int now;

	g_mutex_lock(&resolver.lock);
	now = *what;
	g_mutex_unlock(&resolver.lock);
	return now;
}

static gboolean on_turn(gpointer turns)
{
	++*(unsigned int *)turns;
	return G_SOURCE_CONTINUE;
}

/* A name is asked for, and the main loop turns while there is no answer. */
static void turn_while_asked(unsigned int asked)
{
	unsigned int turns = 0;
	guint source = g_timeout_add(1, on_turn, &turns);

	while (count(&resolver.asked) < asked || turns < 10)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(source);
	g_assert_cmpuint(count(&resolver.asked), ==, asked);
	g_assert_cmpuint(count(&resolver.answered), <, asked);
}

static void reset(void)
{
	resolver.main = g_thread_self();
	resolver.asked = resolver.answered = 0;
	resolver.none = FALSE;
	resolver.address.sun_family = AF_UNIX;
	g_strlcpy(resolver.address.sun_path, scratch_path("socket"),
		  sizeof(resolver.address.sun_path));
}

/* Nobody wants to know any more: but the thread that asked ends. */
static void wait_answered(unsigned int times)
{
	hold(FALSE);
	g_mutex_lock(&resolver.lock);
	while (resolver.answered < times)
		g_cond_wait(&resolver.moved, &resolver.lock);
	g_mutex_unlock(&resolver.lock);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/**
 * struct opening - a disk that is being opened
 * @over: and this is the end of it
 * @why:  it could not be
 */
struct opening {
	gboolean over;
	GError *why;
};

static void on_opened(void *opaque, const GError *error)
{
	struct opening *opening = opaque;

	opening->over = TRUE;
	opening->why = error ? g_error_copy(error) : NULL;
}

static struct disk *begin_opening(struct opening *opening)
{
	const struct disk_listener listener = { .opened = on_opened, .opaque = opening };
	g_autoptr(GError) error = NULL;
	struct disk *disk = disk_open(test_spec("raw", URI), NULL, &listener, &error);

	g_assert_no_error(error);
	return disk;
}

static void test_open(void)
{
	struct opening opening = { 0 };
	char *data = aligned_buffer(4096, 1);
	struct disk *disk;

	if (!have_server())
		return;
	reset();
	start_server("memory 4M");
	hold(TRUE);
	disk = begin_opening(&opening);
	turn_while_asked(1);
	g_assert_false(opening.over);
	hold(FALSE);
	wait_until(&opening.over);
	g_assert_no_error(opening.why);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	/* The other way to open, which waits. */
	disk_close(disk);
	disk = open_disk(test_spec("raw", URI));
	g_assert_cmpuint(disk_info(disk)->size, ==, 4 * MIB);
	disk_close(disk);
	kill_server(SIGTERM);
	free(data);
}

static void test_unknown(void)
{
	struct opening opening = { 0 };
	struct disk *disk;

	reset();
	resolver.none = TRUE;
	disk = begin_opening(&opening);
	wait_until(&opening.over);
	g_assert_error(opening.why, DISK_ERROR, DISK_ERROR_OPEN);
	g_test_message("%s", opening.why->message);
	g_assert_true(g_str_has_prefix(opening.why->message, URI ": can't connect: "));
	g_assert_nonnull(strstr(opening.why->message, "server.test"));
	g_clear_error(&opening.why);
	disk_close(disk);
}

/* Given up meanwhile, by who opens it and by the disk itself. */
static void test_given_up(void)
{
	static const struct disk_listener nobody;
	struct opening opening = { 0 };
	g_autoptr(GError) error = NULL;
	struct disk *disk;

	reset();
	hold(TRUE);
	disk = begin_opening(&opening);
	turn_while_asked(1);
	disk_close(disk);
	g_assert_false(opening.over);
	g_assert_null(disk_open(test_spec("raw", URI), NULL, &nobody, &error));
	g_assert_error(error, DISK_ERROR, DISK_ERROR_OPEN);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, "name is still being looked up"));
	wait_answered(2);
	g_assert_false(opening.over);
}

/* A server that goes away: its name is looked up each time. */
static void test_comes_back(void)
{
	char *data = aligned_buffer(4096, 2);
	struct disk *disk;

	if (!have_server())
		return;
	reset();
	start_server("memory 4M");
	disk = open_disk(test_spec("raw", URI));
	hold(TRUE);
	kill_server(SIGKILL);
	wait_for_message("is gone");
	turn_while_asked(2);
	start_server("memory 4M");
	hold(FALSE);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, 0, data, 4096), ==, 0);
	g_assert_nonnull(strstr(last_message, "is back"));
	/* And closed while it is. */
	hold(TRUE);
	resolver.asked = resolver.answered = 0;
	kill_server(SIGKILL);
	wait_for_message("is gone");
	turn_while_asked(1);
	disk_close(disk);
	wait_answered(1);
	free(data);
}

/* A second connection, for the size, looks it up as well. */
static void test_rescan(void)
{
	struct sizing sizing = { 0 };
	g_autofree char *arguments = NULL;
	const char *image;
	struct disk *disk;

	if (!have_server())
		return;
	reset();
	image = scratch_file("grows", MIB);
	arguments = g_strdup_printf("file '%s'", image);
	start_server(arguments);
	disk = open_disk(test_spec("raw", URI));
	g_assert_cmpint(truncate(image, 2 * MIB), ==, 0);
	hold(TRUE);
	g_assert_true(disk_rescan(disk, on_sized, &sizing, NULL));
	turn_while_asked(2);
	hold(FALSE);
	wait_until(&sizing.over);
	g_assert_no_error(sizing.why);
	g_assert_cmpuint(sizing.size, ==, 2 * MIB);
	disk_close(disk);
	kill_server(SIGTERM);
}

/* --- the same with TLS --- */

/* URIs may name files here: certificates, which are the system's otherwise. */
struct nbd_handle *nbd_create(void)
{
	struct nbd_handle *(*create)(void);
	struct nbd_handle *handle;

	*(void **)&create = dlsym(RTLD_NEXT, "nbd_create");
	handle = create();
	g_assert_cmpint(nbd_set_uri_allow_local_file(handle, true), ==, 0);
	return handle;
}

/* A certificate authority, and a server's certificate of it for @name */
static const char *make_certificates(const char *name)
{
	const char *directory = scratch_path(name);

	if (run_tool(NULL,
		     "mkdir '%s' && cd '%s' && new='-newkey ec -pkeyopt "
		     "ec_paramgen_curve:prime256v1 -nodes' && "
		     "openssl req -x509 $new -keyout ca-key.pem -out ca-cert.pem -subj /CN=ca "
		     "&& "
		     "openssl req $new -keyout server-key.pem -out server.csr -subj /CN=%s "
		     "-addext subjectAltName=DNS:%s && "
		     "openssl x509 -req -in server.csr -CA ca-cert.pem -CAkey ca-key.pem "
		     "-CAcreateserial -copy_extensions copy -out server-cert.pem",
		     directory, directory, name, name))
		return NULL;
	return directory;
}

static struct disk *open_tls(const char *directory, GError **error)
{
	g_autofree char *arguments =
		g_strdup_printf("--tls=require --tls-certificates='%s' memory 4M", directory);
	g_autofree char *tls =
		g_strdup_printf("nbds://server.test/?tls-certificates=%s", directory);
	struct disk *disk;

	start_server(arguments);
	disk = open_disk_later(test_spec("raw", tls), error);
	kill_server(SIGTERM);
	return disk;
}

/* A certificate is to be that of the name that the user gave. */
static void test_tls(void)
{
	const char *good, *bad;
	g_autoptr(GError) error = NULL;

	if (!have_server())
		return;
	reset();
	good = make_certificates("server.test");
	bad = make_certificates("other.test");
	if (!good || !bad) {
		g_test_skip("no openssl that makes certificates (package openssl)");
		return;
	}
	disk_close(open_tls(good, &error));
	g_assert_no_error(error);
	g_assert_null(open_tls(bad, &error));
	g_assert_error(error, DISK_ERROR, DISK_ERROR_OPEN);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, "certificate"));
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nbd/names/open", test_open);
	g_test_add_func("/nbd/names/unknown", test_unknown);
	g_test_add_func("/nbd/names/given-up", test_given_up);
	g_test_add_func("/nbd/names/comes-back", test_comes_back);
	g_test_add_func("/nbd/names/rescan", test_rescan);
	g_test_add_func("/nbd/names/tls", test_tls);
	status = g_test_run();
	scratch_remove();
	return status;
}
