/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where consoles lead: ptys, sockets, files and logs.  A test's time limit ends a wait
 * for what does not come.
 */
#include "backend/console-io.h"
#include "backend/console-log.h"
#include "backend/console-spec.h"
#include "socket-client.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

/**
 * struct fixture - a console with a guest that is played here
 * @dir:   for files
 * @room:  input that the guest takes now
 * @input: what it has got
 * @writable: how often it was told of room for output
 */
struct fixture {
	char *dir;
	struct console_io *io;
	size_t room;
	GString *input;
	unsigned int writable;
};

static size_t room(void *opaque)
{
	return ((struct fixture *)opaque)->room;
}

static void input(void *opaque, const char *bytes, size_t len)
{
	struct fixture *f = opaque;

	g_assert_cmpuint(len, <=, f->room);
	g_string_append_len(f->input, bytes, len);
	f->room -= len;
}

static void writable(void *opaque)
{
	((struct fixture *)opaque)->writable++;
}

static const struct console_io_user user = { room, input, writable };

static void set_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	f->dir = socket_dir();
	f->input = g_string_new(NULL);
	f->room = 1024;
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	console_io_free(f->io);
	g_string_free(f->input, TRUE);
	/* Whatever a console has made is gone with it; files are removed by each test. */
	g_assert_cmpint(rmdir(f->dir), ==, 0);
	g_free(f->dir);
}

static char *file(struct fixture *f, const char *name)
{
	return g_build_filename(f->dir, name, NULL);
}

G_GNUC_PRINTF(2, 3)
static struct console_spec *parse(GError **error, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	return console_spec_parse(text, error);
}

static void open_console(struct fixture *f, struct console_spec *spec)
{
	g_autoptr(GError) error = NULL;

	f->io = console_io_open(spec, &error);
	g_assert_no_error(error);
	g_assert_nonnull(f->io);
	console_io_attach(f->io, &user, f);
	console_spec_free(spec);
}

static void refused(struct console_spec *spec, const char *what)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(console_io_open(spec, &error));
	g_assert_nonnull(error);
	g_assert_nonnull(strstr(error->message, what));
	console_spec_free(spec);
}

static void print(struct fixture *f, const char *text)
{
	console_io_write(f->io, text, strlen(text));
	console_io_push(f->io);
}

static void turns(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* Reads until @len bytes are there. */
static void expect(int fd, const char *text)
{
	size_t len = strlen(text);
	g_autofree char *seen = g_malloc0(len + 1);

	for (size_t got = 0; got < len;) {
		ssize_t n = read(fd, seen + got, len - got);

		if (n < 0) {
			g_assert_cmpint(errno, ==, EAGAIN);
			g_main_context_iteration(NULL, TRUE);
			continue;
		}
		g_assert_cmpint(n, >, 0);
		got += n;
	}
	g_assert_cmpstr(seen, ==, text);
}

static void expect_input(struct fixture *f, const char *text)
{
	while (f->input->len < strlen(text))
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(f->input->str, ==, text);
}

static void expect_file(const char *path, const char *text)
{
	g_autofree char *seen = NULL;

	g_assert_true(g_file_get_contents(path, &seen, NULL, NULL));
	g_assert_cmpstr(seen, ==, text);
}

static void type(int fd, const char *text)
{
	g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
}

/* --- specs --- */

static void test_spec(void)
{
	static const char *const bad[] = {
		"",
		"tty",
		"stdio:x",
		"pty:",
		"file",
		"file:",
		"pty,",
		"pty,log=",
		"pty,size=3",
		"pty,log-size=x",
		"pty,log-size=-1",
		"pty,log-size=1T",
		"pty,log-size=1KB",
		"pty,log-size=99999999999G",
		"pty,name=",
	};
	struct console_spec *spec = parse(NULL, "unix:/a:b,log=/l,log-size=3k,name=org.x");

	g_assert_cmpint(spec->kind, ==, CONSOLE_UNIX);
	g_assert_cmpstr(spec->path, ==, "/a:b");
	g_assert_cmpstr(spec->log, ==, "/l");
	g_assert_cmpuint(spec->log_size, ==, 3072);
	g_assert_cmpstr(spec->name, ==, "org.x");
	console_spec_free(spec);
	spec = parse(NULL, "stdio");
	g_assert_cmpint(spec->kind, ==, CONSOLE_STDIO);
	g_assert_null(spec->path);
	g_assert_null(spec->log);
	g_assert_cmpuint(spec->log_size, ==, CONSOLE_LOG_SIZE);
	console_spec_free(spec);
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(&error, "%s", bad[i]));
		g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
		g_assert_true(g_str_has_prefix(error->message, "--console: "));
	}
}

/* --- pty --- */

static int open_tty(struct fixture *f)
{
	int fd = open(console_io_tty(f->io), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static void test_pty(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *link = file(f, "link");
	g_autofree char *target = NULL;
	struct termios termios;
	int fd;

	g_assert_cmpint(symlink("/nonexistent", link), ==, 0); /* of an earlier run */
	open_console(f, parse(NULL, "pty:%s", link));
	target = g_file_read_link(link, NULL);
	g_assert_cmpstr(target, ==, console_io_tty(f->io));
	/* Before anybody looks, and with nothing changed or echoed. */
	print(f, "early\n\r");
	fd = open_tty(f);
	g_assert_cmpint(tcgetattr(fd, &termios), ==, 0);
	g_assert_false(termios.c_lflag & (ECHO | ICANON | ISIG));
	g_assert_false(termios.c_oflag & OPOST);
	expect(fd, "early\n\r");
	type(fd, "typed\r\x03");
	expect_input(f, "typed\r\x03");
	/* It stays when the reader goes, and is there for the next one. */
	close(fd);
	turns();
	print(f, "late");
	fd = open_tty(f);
	expect(fd, "late");
	type(fd, "!");
	expect_input(f, "typed\r\x03!");
	close(fd);
}

static gpointer read_slowly(gpointer opaque)
{
	int fd = GPOINTER_TO_INT(opaque);
	GString *seen = g_string_new(NULL);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char bytes[100];
	ssize_t len;

	while (poll(&pollfd, 1, -1) == 1 && (len = read(fd, bytes, sizeof(bytes))) > 0)
		g_string_append_len(seen, bytes, len);
	close(fd);
	return seen;
}

/* Whoever reads gets all of it before it hangs up; nobody is not waited for. */
static void test_pty_end(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *text = g_strnfill(100000, 'x');
	GString *seen;
	GThread *reader;

	open_console(f, parse(NULL, "pty"));
	console_io_write(f->io, text, strlen(text));
	console_io_flush(f->io);
	console_io_free(f->io);
	open_console(f, parse(NULL, "pty"));
	reader = g_thread_new("reader", read_slowly, GINT_TO_POINTER(open_tty(f)));
	console_io_write(f->io, text, strlen(text));
	console_io_flush(f->io);
	g_clear_pointer(&f->io, console_io_free);
	seen = g_thread_join(reader);
	g_assert_cmpstr(seen->str, ==, text);
	g_string_free(seen, TRUE);
}

static void test_pty_link_taken(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *link = file(f, "link");

	g_assert_true(g_file_set_contents(link, "mine", -1, NULL));
	refused(parse(NULL, "pty:%s", link), link);
	expect_file(link, "mine");
	unlink(link);
}

/* The latest output is kept, not more than the limit, and the guest never waits. */
static void test_keep(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char line[101];
	GString *seen = g_string_new(NULL);
	unsigned int first, lines = 3 * CONSOLE_KEEP / 100;
	char bytes[4096];
	ssize_t len;
	int fd;

	open_console(f, parse(NULL, "pty"));
	for (unsigned int i = 0; i < lines; i++) {
		g_assert_cmpuint(console_io_room(f->io), >, 0);
		g_snprintf(line, sizeof(line), "%099u\n", i);
		print(f, line);
	}
	fd = open_tty(f);
	g_snprintf(line, sizeof(line), "%099u\n", lines - 1);
	while (!strstr(seen->str, line)) {
		len = read(fd, bytes, sizeof(bytes));
		if (len > 0)
			g_string_append_len(seen, bytes, len);
		else
			g_main_context_iteration(NULL, TRUE);
	}
	g_assert_cmpuint(seen->len, <=, CONSOLE_KEEP + 65536); /* what the pty itself holds */
	/* The end of it is whole. */
	g_assert_cmpuint(seen->len, >=, CONSOLE_KEEP / 2);
	first = lines - CONSOLE_KEEP / 2 / 100;
	for (unsigned int i = first; i < lines; i++) {
		g_snprintf(line, sizeof(line), "%099u\n", i);
		g_assert_true(!strncmp(seen->str + seen->len - (lines - i) * 100, line, 100));
	}
	g_string_free(seen, TRUE);
	close(fd);
}

/* --- sockets --- */

static void test_socket(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *path = file(f, "socket");
	struct stat stat_buf;
	int fd, other;
	char byte;

	open_console(f, parse(NULL, "unix:%s", path));
	g_assert_cmpint(stat(path, &stat_buf), ==, 0);
	g_assert_cmphex(stat_buf.st_mode & 0777, ==, 0600);
	g_assert_null(console_io_tty(f->io));
	print(f, "before ");
	fd = socket_connect(path);
	print(f, "after");
	expect(fd, "before after");
	type(fd, "one ");
	expect_input(f, "one ");

	/* One client at a time. */
	other = socket_connect(path);
	expect(other, "xenemu: somebody else");
	while (read(other, &byte, 1) != 0)
		turns();
	close(other);
	type(fd, "still ");
	expect_input(f, "one still ");

	/* One that is gone makes room. */
	close(fd);
	print(f, "between");
	fd = socket_connect(path);
	expect(fd, "between");
	type(fd, "two");
	expect_input(f, "one still two");
	close(fd);
}

/* A client may send all it has and then only read. */
static void test_half_closed(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *path = file(f, "socket");
	int fd;

	open_console(f, parse(NULL, "unix:%s", path));
	fd = socket_connect(path);
	type(fd, "command");
	shutdown(fd, SHUT_WR);
	expect_input(f, "command");
	turns();
	print(f, "answer");
	expect(fd, "answer");
	close(fd);
	fd = socket_connect(path);
	print(f, "next");
	expect(fd, "next");
	close(fd);
}

/* What the guest does not take stays with the client. */
static void test_no_room(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *path = file(f, "socket");
	int fd;

	f->room = 3;
	open_console(f, parse(NULL, "unix:%s", path));
	fd = socket_connect(path);
	type(fd, "abcdef");
	expect_input(f, "abc");
	turns();
	g_assert_cmpstr(f->input->str, ==, "abc");
	f->room = 100;
	console_io_want(f->io);
	expect_input(f, "abcdef");
	/* Nor when there is no guest. */
	console_io_attach(f->io, NULL, NULL);
	type(fd, "gh");
	turns();
	g_assert_cmpstr(f->input->str, ==, "abcdef");
	console_io_attach(f->io, &user, f);
	expect_input(f, "abcdefgh");
	close(fd);
}

static void test_socket_path(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *path = file(f, "socket");
	g_autofree char *none = file(f, "no/socket");
	g_autofree char *long_path = g_strnfill(200, 'x');
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct console_io *first;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	refused(parse(NULL, "unix:%s", none), none);
	refused(parse(NULL, "unix:%s", long_path), long_path);
	refused(parse(NULL, "unix"), "unix:PATH");
	g_assert_true(g_file_set_contents(path, "mine", -1, NULL));
	refused(parse(NULL, "unix:%s", path), path);
	expect_file(path, "mine");
	unlink(path);
	/* Left by a killed helper; and one that somebody listens at. */
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	close(fd);
	open_console(f, parse(NULL, "unix:%s", path));
	first = f->io;
	refused(parse(NULL, "unix:%s", path), path);
	f->io = first;
	fd = socket_connect(path);
	print(f, "ok");
	/* The one that looked whether somebody listens may still be taken for a client. */
	turns();
	close(fd);
}

/* In the runtime directory, by itself or as a link. */
static void test_place(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *path = file(f, "socket");
	g_autofree char *place = file(f, "console1");
	g_autofree char *target = NULL;
	struct console_spec *spec = parse(NULL, "unix");
	int fd;

	spec->place = g_strdup(place);
	open_console(f, spec);
	fd = socket_connect(place);
	print(f, "x");
	expect(fd, "x");
	close(fd);
	console_io_free(f->io);
	g_assert_false(g_file_test(place, G_FILE_TEST_EXISTS));
	spec = parse(NULL, "unix:%s", path);
	spec->place = g_strdup(place);
	open_console(f, spec);
	target = g_file_read_link(place, NULL);
	g_assert_cmpstr(target, ==, path);
}

/* --- files and logs --- */

static void test_file(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *path = file(f, "out");

	g_assert_true(g_file_set_contents(path, "old ", -1, NULL));
	open_console(f, parse(NULL, "file:%s", path));
	print(f, "new");
	turns();
	expect_file(path, "old new");
	unlink(path);
	refused(parse(NULL, "file:%s", f->dir), f->dir);
}

/* Files get no longer than this: easier to have than a disk that is full. */
static void set_limit(rlim_t bytes)
{
	struct rlimit limit;

	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	limit.rlim_cur = bytes;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void print_pieces(struct fixture *f, const char *text, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		print(f, text);
		turns();
	}
}

/* What a file does not take is lost, and it goes on when it can. */
static void full_file(void)
{
	struct fixture f = { 0 };
	g_autofree char *path = NULL;
	struct console_spec *spec;

	set_up(&f, NULL);
	path = file(&f, "out");
	spec = parse(NULL, "file:%s", path);
	spec->guest = g_strdup("full");
	spec->index = 3;
	signal(SIGXFSZ, SIG_IGN);
	open_console(&f, spec);
	set_limit(8);
	print_pieces(&f, "012345", 5);
	console_io_flush(f.io);
	expect_file(path, "01234501");
	set_limit(RLIM_INFINITY);
	print_pieces(&f, "abc", 2);
	expect_file(path, "01234501abcabc");
	set_limit(16);
	print_pieces(&f, "xyz", 5);
	expect_file(path, "01234501abcabcxy");
	unlink(path);
	set_limit(RLIM_INFINITY);
	tear_down(&f, NULL);
}

static void test_full_file(void)
{
	g_test_trap_subprocess("/console-io/full-file/subprocess", 0, 0);
	g_test_trap_assert_passed();
	/* Twice: the first of each time */
	g_test_trap_assert_stderr(
		"xenemu: full: console 3: *out: File too large; output is "
		"missing there until it can be written again\n"
		"xenemu: full: console 3: *out: File too large; output is *\n");
	g_test_trap_assert_stderr_unmatched("*missing*missing*missing*");
}

static void test_log(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *log = file(f, "log");
	g_autofree char *old = file(f, "log.1");

	g_assert_true(g_file_set_contents(log, "0123", -1, NULL));
	open_console(f, parse(NULL, "pty,log=%s,log-size=10", log));
	/* Nobody reads the console. */
	print(f, "456789");
	expect_file(log, "0123456789");
	g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
	print(f, "ab");
	expect_file(old, "0123456789");
	expect_file(log, "ab");
	print(f, "cdefghijklmnopqrstuvwxyz");
	expect_file(old, "klmnopqrst");
	expect_file(log, "uvwxyz");
	unlink(log);
	unlink(old);
	refused(parse(NULL, "pty,log=%s", f->dir), f->dir);
	refused(parse(NULL, "pty,log=/dev/null"), "/dev/null");
}

/* A log whose directory is gone loses output, and goes on when it is back. */
static void test_log_errors(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *log = file(f, "log");
	g_autoptr(GError) error = NULL;
	struct console_log *l = console_log_new(log, 10, &error);

	g_assert_no_error(error);
	g_assert_cmpint(unlink(log), ==, 0);
	g_assert_cmpint(rmdir(f->dir), ==, 0);
	console_log_write(l, "0123456789abc", 13);
	g_assert_cmpint(mkdir(f->dir, 0700), ==, 0);
	console_log_write(l, "def", 3);
	expect_file(log, "def");
	console_log_free(l);
	unlink(log);
}

/* A process that holds copies of all that is open here but for @closed. */
static pid_t fork_holder(int closed)
{
	pid_t pid = fork();

	g_assert_cmpint(pid, >=, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(closed);
	for (;;)
		pause();
}

/* A pipe's end that is closed here, and still open elsewhere, wakes nobody any more. */
static void test_end_held(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	struct pollfd hung_up = { 0 };
	int in[2];
	pid_t holder;

	g_assert_cmpint(pipe(in), ==, 0);
	hung_up.fd = in[0];
	f->io = console_io_new(in[0], -1, NULL, NULL);
	console_io_attach(f->io, &user, f);
	holder = fork_holder(in[1]);
	g_assert_cmpint(write(in[1], "x", 1), ==, 1);
	close(in[1]);
	g_assert_cmpint(poll(&hung_up, 1, -1), ==, 1);
	for (unsigned int i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
		;
	g_assert_false(g_main_context_pending(NULL));
	g_assert_cmpstr(f->input->str, ==, "x");
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	close(in[0]);
}

#define TEST(name, func)                                                                       \
	g_test_add("/console-io/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	g_test_add_func("/console-io/spec", test_spec);
	TEST("pty", test_pty);
	TEST("pty-end", test_pty_end);
	TEST("pty-link-taken", test_pty_link_taken);
	TEST("keep", test_keep);
	TEST("socket", test_socket);
	TEST("half-closed", test_half_closed);
	TEST("no-room", test_no_room);
	TEST("end-held", test_end_held);
	TEST("socket-path", test_socket_path);
	TEST("place", test_place);
	TEST("file", test_file);
	g_test_add_func("/console-io/full-file", test_full_file);
	g_test_add_func("/console-io/full-file/subprocess", full_file);
	TEST("log", test_log);
	TEST("log-errors", test_log_errors);
	return g_test_run();
}
