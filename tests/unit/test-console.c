/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console's ring against pipes, files and terminals.
 */
#include "backend/console.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <xen/io/console.h>

/* Most that may be kept for a reader that doesn't read, whatever the guest does. */
#define BOUND (300 << 10)

/**
 * struct fixture - a guest with a console between two pipes
 * @in, @out: the pipes, reading end first
 */
struct fixture {
	struct xencons_interface *page;
	struct console_io *io;
	struct console *con;
	int in[2];
	int out[2];
	unsigned int notified;
	unsigned int escaped;
	gboolean free_on_escape;
};

static void notify(void *opaque)
{
	((struct fixture *)opaque)->notified++;
}

static void close_console(struct fixture *f)
{
	g_clear_pointer(&f->con, console_free);
	g_clear_pointer(&f->io, console_io_free);
}

static void escape(void *opaque)
{
	struct fixture *f = opaque;

	f->escaped++;
	if (f->free_on_escape)
		close_console(f);
}

static void open_console(struct fixture *f, int in, int out)
{
	close_console(f);
	f->io = console_io_new(in, out, escape, f);
	f->con = console_new(f->page, f->io, notify, f);
}

/* @data: where all indices start. */
static void set_up(struct fixture *f, const void *data)
{
	uint32_t start = GPOINTER_TO_UINT(data);

	f->page = g_malloc(4096);
	memset(f->page, 0xa5, 4096);
	f->page->in_cons = f->page->in_prod = start;
	f->page->out_cons = f->page->out_prod = start + 55;
	g_assert_cmpint(pipe2(f->in, O_CLOEXEC), ==, 0);
	g_assert_cmpint(pipe2(f->out, O_CLOEXEC), ==, 0);
	open_console(f, f->in[0], f->out[1]);
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	close_console(f);
	for (unsigned int i = 0; i < 2; i++) {
		close(f->in[i]);
		close(f->out[i]);
	}
	g_free(f->page);
}

static size_t guest_room(const struct fixture *f)
{
	return sizeof(f->page->out) - (f->page->out_prod - f->page->out_cons);
}

/* Puts what fits into the ring; no event. */
static size_t guest_put(struct fixture *f, const char *bytes, size_t len)
{
	len = MIN(len, guest_room(f));
	for (size_t i = 0; i < len; i++)
		f->page->out[MASK_XENCONS_IDX(f->page->out_prod + i, f->page->out)] = bytes[i];
	f->page->out_prod += len;
	return len;
}

static void guest_print(struct fixture *f, const char *text)
{
	g_assert_cmpuint(guest_put(f, text, strlen(text)), ==, strlen(text));
	console_kick(f->con);
}

static size_t guest_take(struct fixture *f, char *bytes, size_t max)
{
	size_t len = MIN(max, f->page->in_prod - f->page->in_cons);

	for (size_t i = 0; i < len; i++)
		bytes[i] = f->page->in[MASK_XENCONS_IDX(f->page->in_cons + i, f->page->in)];
	f->page->in_cons += len;
	return len;
}

/* Everything that waits in @fd, without waiting for more. */
static void take_all(int fd, GString *seen)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char bytes[4096];

	while (poll(&pollfd, 1, 0) == 1) {
		ssize_t len = read(fd, bytes, sizeof(bytes));

		if (len <= 0)
			break;
		g_string_append_len(seen, bytes, len);
	}
}

static void assert_seen(int fd, const char *expected)
{
	GString *seen = g_string_new(NULL);

	take_all(fd, seen);
	g_assert_cmpstr(seen->str, ==, expected);
	g_string_free(seen, TRUE);
}

static void turns(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* Turns until the guest has got @len bytes of input; a test's time limit ends it. */
static void take_input(struct fixture *f, char *bytes, size_t len)
{
	for (size_t got = 0; got < len;) {
		g_main_context_iteration(NULL, TRUE);
		got += guest_take(f, bytes + got, len - got);
		console_kick(f->con);
	}
}

static void test_output(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	console_kick(f->con);
	g_assert_cmpuint(f->notified, ==, 0);
	guest_print(f, "hello\r\n");
	assert_seen(f->out[0], "hello\r\n");
	g_assert_cmpuint(f->page->out_cons, ==, f->page->out_prod);
	g_assert_cmpuint(f->notified, ==, 1);
	console_kick(f->con);
	g_assert_cmpuint(f->notified, ==, 1);
}

static void test_output_wrap(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	GString *seen = g_string_new(NULL), *sent = g_string_new(NULL);

	for (unsigned int i = 0; i < 3000; i++) {
		g_autofree char *text = g_strnfill(i % 97 + 1, 'a' + i % 26);

		g_string_append(sent, text);
		guest_print(f, text);
		take_all(f->out[0], seen);
	}
	g_assert_true(g_string_equal(seen, sent));
	g_string_free(seen, TRUE);
	g_string_free(sent, TRUE);
}

/* Prints without end; returns how much was taken before the guest had to wait. */
static size_t fill(struct fixture *f, size_t *printed)
{
	size_t start = *printed, before;

	do {
		before = *printed;
		while (guest_room(f)) {
			char byte = 'a' + *printed % 26;

			*printed += guest_put(f, &byte, 1);
		}
		console_kick(f->con);
		g_assert_cmpuint(*printed - start, <, 10 << 20);
	} while (*printed > before);
	return *printed - start;
}

/* Reads it all back, with turns of the main loop, and compares. */
static void read_back(struct fixture *f, int fd, size_t printed)
{
	GString *seen = g_string_new(NULL);
	unsigned int notified = f->notified;

	while (seen->len < printed) {
		take_all(fd, seen);
		if (seen->len < printed)
			g_main_context_iteration(NULL, TRUE);
	}
	g_assert_cmpuint(seen->len, ==, printed);
	for (size_t i = 0; i < printed; i++)
		g_assert_cmpint(seen->str[i], ==, 'a' + i % 26);
	/* The guest, which waits for room, was told of it. */
	g_assert_cmpuint(f->notified, >, notified);
	g_assert_cmpuint(f->page->out_cons, ==, f->page->out_prod);
	g_string_free(seen, TRUE);
}

static void test_slow_reader(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	size_t printed = 0;
	int flags = fcntl(f->out[1], F_GETFL);

	fill(f, &printed);
	g_assert_cmpuint(printed, <, BOUND);
	g_assert_cmpuint(guest_room(f), ==, 0);
	/* No busy waiting while nobody reads. */
	turns();
	g_assert_cmpuint(guest_room(f), ==, 0);
	read_back(f, f->out[0], printed);
	g_assert_cmpint(fcntl(f->out[1], F_GETFL), ==, flags);
	g_assert_false(flags & O_NONBLOCK);
	/* When all is done nothing keeps the main loop busy. */
	turns();
	g_assert_false(g_main_context_pending(NULL));
}

/* The same where the console can't open the descriptor again: a socket. */
static void test_slow_socket(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	size_t printed = 0;
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
	open_console(f, -1, pair[1]);
	fill(f, &printed);
	read_back(f, pair[0], printed);
	g_assert_false(fcntl(pair[1], F_GETFL) & O_NONBLOCK);
	close(pair[0]);
	close(pair[1]);
}

static void raw_terminal(int *master, int *slave)
{
	struct termios termios;

	g_assert_cmpint(openpty(master, slave, NULL, NULL, NULL), ==, 0);
	tcgetattr(*slave, &termios);
	cfmakeraw(&termios);
	tcsetattr(*slave, TCSANOW, &termios);
}

static void test_slow_terminal(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	size_t printed = 0;
	int master, slave;

	raw_terminal(&master, &slave);
	open_console(f, slave, slave);
	fill(f, &printed);
	g_assert_cmpuint(printed, <, BOUND);
	read_back(f, master, printed);
	g_assert_false(fcntl(slave, F_GETFL) & O_NONBLOCK);
	close(master);
	close(slave);
}

/* The position in a file is shared with others who write to it. */
static void test_file(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *name = NULL, *content = NULL;
	int fd = g_file_open_tmp("xenemu-console-XXXXXX", &name, NULL);

	g_assert_cmpint(write(fd, "before ", 7), ==, 7);
	open_console(f, -1, fd);
	guest_print(f, "guest ");
	g_assert_cmpint(write(fd, "between ", 8), ==, 8);
	guest_print(f, "guest\n");
	g_assert_true(g_file_get_contents(name, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, "before guest between guest\n");
	unlink(name);
	close(fd);
}

static void test_discard(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	size_t printed = 0;

	open_console(f, -1, -1);
	for (unsigned int i = 0; i < 100; i++) {
		while (guest_room(f))
			printed += guest_put(f, "x", 1);
		console_kick(f->con);
		g_assert_cmpuint(f->page->out_cons, ==, f->page->out_prod);
	}
	console_flush(f->con);
	g_assert_false(g_main_context_pending(NULL));
}

static void test_reader_gone(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	close(f->out[0]);
	f->out[0] = -1;
	for (unsigned int i = 0; i < 100; i++)
		guest_print(f, "nobody reads this\n");
	console_flush(f->con);
	g_assert_cmpuint(f->page->out_cons, ==, f->page->out_prod);
	turns();
	g_assert_false(g_main_context_pending(NULL));
}

/* It goes away while something waits for it. */
static void test_reader_leaves(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	size_t printed = 0;

	fill(f, &printed);
	close(f->out[0]);
	f->out[0] = -1;
	while (f->page->out_cons != f->page->out_prod)
		g_main_context_iteration(NULL, TRUE);
	turns();
	g_assert_false(g_main_context_pending(NULL));
}

static void test_input(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char seen[16] = "";

	g_assert_cmpint(write(f->in[1], "typed\x1d\n", 7), ==, 7);
	take_input(f, seen, 7);
	/* A pipe has no escape character. */
	g_assert_cmpstr(seen, ==, "typed\x1d\n");
	g_assert_cmpuint(f->escaped, ==, 0);
	g_assert_cmpuint(f->notified, ==, 1);
}

static void test_input_full(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *sent = g_malloc(5000), *seen = g_malloc0(5000);
	uint32_t prod;

	for (unsigned int i = 0; i < 5000; i++)
		sent[i] = i % 251;
	g_assert_cmpint(write(f->in[1], sent, 5000), ==, 5000);
	turns();
	prod = f->page->in_prod;
	g_assert_cmpuint(prod - f->page->in_cons, ==, sizeof(f->page->in));
	/* The rest stays where it is, and nothing is busy with it. */
	g_assert_false(g_main_context_pending(NULL));
	console_kick(f->con);
	g_assert_cmpuint(f->page->in_prod, ==, prod);
	for (size_t got = 0; got < 5000;) {
		got += guest_take(f, seen + got, 700);
		console_kick(f->con);
		turns();
	}
	g_assert_cmpmem(seen, 5000, sent, 5000);
}

static void test_input_end(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char seen[8] = "";

	g_assert_cmpint(write(f->in[1], "bye", 3), ==, 3);
	close(f->in[1]);
	f->in[1] = -1;
	take_input(f, seen, 3);
	g_assert_cmpstr(seen, ==, "bye");
	turns();
	console_kick(f->con);
	g_assert_false(g_main_context_pending(NULL));
	guest_print(f, "still there");
	assert_seen(f->out[0], "still there");
}

static void test_escape(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	char seen[8] = "";
	int master, slave;

	raw_terminal(&master, &slave);
	open_console(f, slave, f->out[1]);
	g_assert_cmpint(write(master,
			      "a\x1d"
			      "b",
			      3),
			==, 3);
	take_input(f, seen, 2);
	g_assert_cmpstr(seen, ==, "ab");
	g_assert_cmpuint(f->escaped, ==, 1);
	f->free_on_escape = TRUE;
	g_assert_cmpint(write(master, "\x1d", 1), ==, 1);
	while (f->con)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(f->escaped, ==, 2);
	close(master);
	close(slave);
}

/* A guest that has broken its console can still be ended by it. */
static void test_escape_broken(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int master, slave;

	raw_terminal(&master, &slave);
	open_console(f, slave, f->out[1]);
	f->page->in_cons = f->page->in_prod + 1;
	for (unsigned int i = 0; i < 5; i++) {
		g_assert_cmpint(write(master, "lost", 4), ==, 4);
		turns();
	}
	g_assert_cmpint(write(master, "\x1d", 1), ==, 1);
	while (!f->escaped)
		g_main_context_iteration(NULL, TRUE);
	close(master);
	close(slave);
}

static void test_flush(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	guest_put(f, "in the ring\n", 12);
	console_flush(f->con);
	assert_seen(f->out[0], "in the ring\n");
}

static void *read_to_end(void *opaque)
{
	GString *seen = g_string_new(NULL);
	char bytes[512];
	ssize_t len;

	while ((len = read(GPOINTER_TO_INT(opaque), bytes, sizeof(bytes))) > 0)
		g_string_append_len(seen, bytes, len);
	return seen;
}

/* More than the pipe holds: it waits for the reader, without the main loop. */
static void test_flush_waits(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	size_t printed = 0;
	GThread *reader;
	GString *seen;

	fill(f, &printed);
	reader = g_thread_new("reader", read_to_end, GINT_TO_POINTER(f->out[0]));
	console_flush(f->con);
	close_console(f);
	close(f->out[1]);
	f->out[1] = -1;
	seen = g_thread_join(reader);
	g_assert_cmpuint(seen->len, ==, printed);
	for (size_t i = 0; i < printed; i++)
		g_assert_cmpint(seen->str[i], ==, 'a' + i % 26);
	g_string_free(seen, TRUE);
}

/* Takes ten seconds: only with -m slow. */
static void test_flush_gives_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	size_t printed = 0;

	if (!g_test_slow()) {
		g_test_skip("slow");
		return;
	}
	fill(f, &printed);
	console_flush(f->con);
}

static void test_output_index(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t cons = f->page->out_cons;

	f->page->out_prod = cons + sizeof(f->page->out) + 1;
	for (unsigned int i = 0; i < 3; i++)
		console_kick(f->con);
	g_assert_cmpuint(f->page->out_cons, ==, cons);
	/* Not served any more, whatever it does. */
	f->page->out_prod = cons;
	guest_print(f, "lost");
	console_flush(f->con);
	assert_seen(f->out[0], "");
	g_assert_cmpuint(f->notified, ==, 0);
	g_assert_cmpint(write(f->in[1], "x", 1), ==, 1);
	turns();
	g_assert_cmpuint(f->page->in_prod, ==, f->page->in_cons);
}

static void test_input_index(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	f->page->in_cons = f->page->in_prod + 1;
	g_assert_cmpint(write(f->in[1], "x", 1), ==, 1);
	turns();
	f->page->in_cons = f->page->in_prod;
	console_kick(f->con);
	turns();
	g_assert_cmpuint(f->page->in_prod, ==, f->page->in_cons);
	g_assert_false(g_main_context_pending(NULL));
}

static void test_scribbled(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	uint32_t out = f->page->out_cons, in = f->page->in_prod;

	f->page->out_cons = 0x1234;
	f->page->in_prod = 0x4321;
	f->page->out_prod += 3;
	memset(f->page->out, 'x', sizeof(f->page->out));
	console_kick(f->con);
	assert_seen(f->out[0], "xxx");
	g_assert_cmpuint(f->page->out_cons, ==, out + 3);
	g_assert_cmpint(write(f->in[1], "y", 1), ==, 1);
	turns();
	g_assert_cmpuint(f->page->in_prod, ==, in + 1);
}

#define ADD(name, start, function)                                                             \
	g_test_add("/console/" name, struct fixture, GUINT_TO_POINTER(start), set_up,          \
		   function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	alarm(120); /* waiting for what never comes ends the test */
	ADD("output", 0, test_output);
	ADD("output-at-wrap", 0xffffffc5, test_output);
	ADD("output-wrap", 0xffff0000, test_output_wrap);
	ADD("slow-reader", 0xfffff000, test_slow_reader);
	ADD("slow-socket", 0, test_slow_socket);
	ADD("slow-terminal", 0, test_slow_terminal);
	ADD("file", 0, test_file);
	ADD("discard", 0, test_discard);
	ADD("reader-gone", 0, test_reader_gone);
	ADD("reader-leaves", 0, test_reader_leaves);
	ADD("input", 0xfffffffe, test_input);
	ADD("input-full", 0xfffffff0, test_input_full);
	ADD("input-end", 0, test_input_end);
	ADD("escape", 0, test_escape);
	ADD("escape-broken", 0, test_escape_broken);
	ADD("flush", 0, test_flush);
	ADD("flush-waits", 0, test_flush_waits);
	ADD("flush-gives-up", 0, test_flush_gives_up);
	ADD("output-index", 0, test_output_index);
	ADD("input-index", 0, test_input_index);
	ADD("scribbled", 0, test_scribbled);
	return g_test_run();
}
