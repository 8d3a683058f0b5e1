/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to a running guest's helper.
 */
#include "domain/control.h"

#include "socket-client.h"

/**
 * struct fixture - a socket with a few verbs
 * @waiting: requests that "later" has put off
 */
struct fixture {
	char *dir;
	char *path;
	struct control *control;
	GPtrArray *waiting;
};

static void serve_echo(void *opaque G_GNUC_UNUSED, struct control_request *request, char **args)
{
	g_autofree char *text = g_strjoinv("|", args);

	control_ok(request, "%s", text);
}

static void serve_refuse(void *opaque G_GNUC_UNUSED, struct control_request *request,
			 char **args G_GNUC_UNUSED)
{
	control_error(request, "not %d times", 3);
}

static void serve_later(void *opaque, struct control_request *request,
			char **args G_GNUC_UNUSED)
{
	struct fixture *f = opaque;

	g_ptr_array_add(f->waiting, request);
}

static void set_up(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	GError *error = NULL;

	f->dir = socket_dir();
	f->path = g_build_filename(f->dir, "control", NULL);
	f->waiting = g_ptr_array_new();
	f->control = control_new(f->path, &error);
	g_assert_no_error(error);
	control_add(f->control, "echo", "WORD [WORD]", 1, 2, serve_echo, f);
	control_add(f->control, "refuse", "", 0, 0, serve_refuse, f);
	control_add(f->control, "later", "", 0, 0, serve_later, f);
}

static void tear_down(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	control_free(f->control);
	socket_settle();
	g_assert_cmpint(rmdir(f->dir), ==, 0);
	g_ptr_array_unref(f->waiting);
	g_free(f->path);
	g_free(f->dir);
}

static void expect_answer(int fd, const char *expected)
{
	g_autofree char *answer = g_malloc0(strlen(expected) + 1);
	char byte;

	g_assert_true(socket_receive(fd, answer, strlen(expected)));
	g_assert_cmpstr(answer, ==, expected);
	g_assert_false(socket_receive(fd, &byte, 1));
}

static void expect(struct fixture *f, const char *line, const char *expected)
{
	int fd = socket_connect(f->path);

	socket_send(fd, line, strlen(line));
	expect_answer(fd, expected);
	close(fd);
}

static void test_answers(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	expect(f, "echo one\n", "ok one\n");
	expect(f, "  echo 'a b' \"c'd\"  \n", "ok a b|c'd\n");
	expect(f, "echo ''\n", "ok\n");
	expect(f, "refuse\n", "error not 3 times\n");
}

static void test_errors(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	expect(f, "nonsense\n", "error nonsense: there is no such request\n");
	expect(f, "echo\n", "error usage: echo WORD [WORD]\n");
	expect(f, "echo 1 2 3\n", "error usage: echo WORD [WORD]\n");
	expect(f, "\n", "error Text was empty (or contained only whitespace)\n");
	expect(f, "echo 'open\n",
	       "error Text ended before matching quote was found for '. "
	       "(The text was “echo 'open”)\n");
}

static void test_pieces(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd = socket_connect(f->path);

	for (const char *c = "echo piece"; *c; c++) {
		socket_send(fd, c, 1);
		socket_settle();
	}
	socket_send(fd, "\n", 1);
	expect_answer(fd, "ok piece\n");
	close(fd);
}

static void test_long_line(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	g_autofree char *most = g_strdup_printf("echo %04000d\n", 1);
	g_autofree char *answer = g_strdup_printf("ok %04000d\n", 1);
	g_autofree char *more = g_strnfill(5000, 'x');

	expect(f, most, answer);
	expect(f, more, "error longer than 4096 bytes\n");
}

/* nc and its like may close their side when the line is sent. */
static void test_later(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd = socket_connect(f->path);

	socket_send(fd, "later\n", 6);
	shutdown(fd, SHUT_WR);
	socket_settle();
	g_assert_cmpuint(f->waiting->len, ==, 1);
	expect(f, "echo meanwhile\n", "ok meanwhile\n");
	control_ok(f->waiting->pdata[0], "%s", "done");
	expect_answer(fd, "ok done\n");
	close(fd);
}

/* Whoever asked is gone: the answer is for nobody. */
static void test_gone(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd = socket_connect(f->path);

	socket_send(fd, "later\n", 6);
	socket_settle();
	close(fd);
	socket_settle();
	g_assert_cmpuint(f->waiting->len, ==, 1);
	control_ok(f->waiting->pdata[0], "%s", "");
	fd = socket_connect(f->path);
	socket_send(fd, "echo", 4);
	socket_settle();
	close(fd);
	socket_settle();
	expect(f, "echo still\n", "ok still\n");
}

static void test_freed(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int later = socket_connect(f->path), silent = socket_connect(f->path);

	socket_send(later, "later\n", 6);
	socket_settle();
	g_clear_pointer(&f->control, control_free);
	expect_answer(silent, "");
	control_error(f->waiting->pdata[0], "too late");
	expect_answer(later, "");
	close(later);
	close(silent);
	control_free(NULL);
}

static void test_too_many(struct fixture *f, const void *data G_GNUC_UNUSED)
{
	int fd[64];

	for (unsigned int i = 0; i < G_N_ELEMENTS(fd); i++)
		fd[i] = socket_connect(f->path);
	socket_settle();
	expect(f, "", "");
	for (unsigned int i = 0; i < G_N_ELEMENTS(fd); i++)
		close(fd[i]);
	socket_settle();
	expect(f, "echo again\n", "ok again\n");
}

#define ADD(name, function)                                                                    \
	g_test_add("/control/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	alarm(120);
	ADD("answers", test_answers);
	ADD("errors", test_errors);
	ADD("pieces", test_pieces);
	ADD("long-line", test_long_line);
	ADD("later", test_later);
	ADD("gone", test_gone);
	ADD("freed", test_freed);
	ADD("too-many", test_too_many);
	return g_test_run();
}
