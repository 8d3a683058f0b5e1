/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors in the main loop: who is called, and who is not any more.
 */
#include "machine/watch.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/**
 * struct counted - an eventfd that is watched
 * @fd, @watch: it
 * @calls:      how often it was ready
 * @go_on:      what its function returns
 * @victim:     freed when it is called, with its watch
 * @nested:     the next to be called runs the main loop, where this is TRUE
 */
struct counted {
	int fd;
	struct watch *watch;
	unsigned int calls;
	gboolean go_on;
	struct counted *victim;
	gboolean *nested;
};

static void turn(void)
{
	g_main_context_iteration(NULL, FALSE);
}

static void drop(struct counted *counted)
{
	g_clear_pointer(&counted->watch, watch_free);
}

static gboolean on_ready(gint fd, GIOCondition condition, gpointer opaque)
{
	struct counted *counted = opaque;

	g_assert_cmpint(fd, ==, counted->fd);
	g_assert_true(condition & G_IO_IN);
	counted->calls++;
	if (counted->victim)
		drop(counted->victim);
	if (counted->nested && *counted->nested) {
		*counted->nested = FALSE;
		turn();
	}
	if (!counted->go_on)
		counted->watch = NULL;
	return counted->go_on;
}

/* Ready from the start, and for ever. */
static void begin(struct counted *counted)
{
	*counted = (struct counted){ .fd = eventfd(1, EFD_CLOEXEC), .go_on = TRUE };
	counted->watch = watch_new(counted->fd, G_IO_IN, on_ready, counted);
}

static void end(struct counted *counted)
{
	drop(counted);
	close(counted->fd);
}

static void test_ready(void)
{
	struct counted one;
	uint64_t count;

	begin(&one);
	turn();
	turn();
	g_assert_cmpuint(one.calls, ==, 2);
	g_assert_cmpint(read(one.fd, &count, sizeof(count)), ==, sizeof(count));
	turn();
	g_assert_cmpuint(one.calls, ==, 2);
	end(&one);
}

static void test_false_ends_it(void)
{
	struct counted one;

	begin(&one);
	one.go_on = FALSE;
	turn();
	turn();
	g_assert_cmpuint(one.calls, ==, 1);
	end(&one);
}

/* Itself, and then FALSE as well: freed once. */
static void test_frees_itself(void)
{
	struct counted one;

	begin(&one);
	one.victim = &one;
	one.go_on = FALSE;
	turn();
	turn();
	g_assert_cmpuint(one.calls, ==, 1);
	end(&one);
}

/* Both are ready in the same turn; whoever is called first frees the other. */
static void test_frees_another(void)
{
	struct counted one, two;

	begin(&one);
	begin(&two);
	one.victim = &two;
	two.victim = &one;
	turn();
	turn();
	g_assert_cmpuint(MIN(one.calls, two.calls), ==, 0);
	g_assert_cmpuint(MAX(one.calls, two.calls), ==, 2);
	end(&one);
	end(&two);
}

/* The number is given out again at once. */
static void test_closed_and_opened_again(void)
{
	struct counted one;
	int fd;

	begin(&one);
	turn();
	fd = one.fd;
	end(&one);
	begin(&one);
	g_assert_cmpint(one.fd, ==, fd);
	turn();
	g_assert_cmpuint(one.calls, ==, 1);
	end(&one);
}

/* What the inner turn has served the outer one does not serve again. */
static void test_nested_turn(void)
{
	gboolean nested = TRUE;
	struct counted one, two;

	begin(&one);
	begin(&two);
	one.nested = two.nested = &nested;
	turn();
	g_assert_cmpuint(MIN(one.calls, two.calls), ==, 1);
	g_assert_cmpuint(MAX(one.calls, two.calls), ==, 2);
	end(&one);
	end(&two);
}

/* epoll has no regular files; they are always ready. */
static void test_regular_file(void)
{
	g_autofree char *path = NULL;
	struct counted one = { .go_on = FALSE };

	one.fd = g_file_open_tmp("test-watch-XXXXXX", &path, NULL);
	g_unlink(path);
	one.watch = watch_new(one.fd, G_IO_IN, on_ready, &one);
	turn();
	turn();
	g_assert_cmpuint(one.calls, ==, 1);
	one.go_on = TRUE;
	one.watch = watch_new(one.fd, G_IO_IN, on_ready, &one);
	turn();
	g_assert_cmpuint(one.calls, ==, 2);
	end(&one);
	turn();
	g_assert_cmpuint(one.calls, ==, 2);
}

/* --- what GLib does besides --- */

static gboolean set_flag(gpointer flag)
{
	*(gboolean *)flag = TRUE;
	return G_SOURCE_REMOVE;
}

static gpointer wake_up(gpointer flag)
{
	g_idle_add(set_flag, flag);
	return NULL;
}

/* While nothing is ready, a timer is not missed, nor what another thread asks for. */
static void test_woken(void)
{
	gboolean timer = FALSE, other = FALSE;
	struct counted one;
	uint64_t count;
	GThread *thread;

	begin(&one);
	g_assert_cmpint(read(one.fd, &count, sizeof(count)), ==, sizeof(count));
	g_timeout_add(1, set_flag, &timer);
	while (!timer)
		g_main_context_iteration(NULL, TRUE);
	thread = g_thread_new("wake-up", wake_up, &other);
	while (!other)
		g_main_context_iteration(NULL, TRUE);
	g_thread_join(thread);
	g_assert_cmpuint(one.calls, ==, 0);
	end(&one);
}

static gboolean drop_it(gpointer counted)
{
	drop(counted);
	return G_SOURCE_REMOVE;
}

/*
 * It is found ready, and freed before it is called.  This comes first: of sources of the
 * same priority the oldest is served first, and the set is one.
 */
static void test_freed_when_found(void)
{
	struct counted one, two;

	g_idle_add_full(G_PRIORITY_DEFAULT, drop_it, &one, NULL);
	begin(&one);
	begin(&two);
	turn();
	turn();
	g_assert_cmpuint(one.calls, ==, 0);
	g_assert_cmpuint(two.calls, >, 0);
	end(&one);
	end(&two);
}

/* A descriptor that GLib has polls beside the set. */
static void test_beside_others(void)
{
	struct counted one, two = { .fd = eventfd(1, EFD_CLOEXEC), .go_on = TRUE };
	guint source = g_unix_fd_add(two.fd, G_IO_IN, on_ready, &two);

	begin(&one);
	turn();
	g_assert_cmpuint(one.calls, ==, 1);
	g_assert_cmpuint(two.calls, ==, 1);
	g_source_remove(source);
	close(two.fd);
	turn();
	g_assert_cmpuint(one.calls, ==, 2);
	end(&one);
}

/* More than are served at a time: none starves. */
static void test_many(void)
{
	struct counted many[40];

	for (unsigned int i = 0; i < G_N_ELEMENTS(many); i++)
		begin(&many[i]);
	for (unsigned int i = 0; i < G_N_ELEMENTS(many); i++)
		turn();
	for (unsigned int i = 0; i < G_N_ELEMENTS(many); i++) {
		g_assert_cmpuint(many[i].calls, >, 1);
		end(&many[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/watch/freed-when-found", test_freed_when_found);
	g_test_add_func("/watch/ready", test_ready);
	g_test_add_func("/watch/false-ends-it", test_false_ends_it);
	g_test_add_func("/watch/frees-itself", test_frees_itself);
	g_test_add_func("/watch/frees-another", test_frees_another);
	g_test_add_func("/watch/closed-and-opened-again", test_closed_and_opened_again);
	g_test_add_func("/watch/nested-turn", test_nested_turn);
	g_test_add_func("/watch/regular-file", test_regular_file);
	g_test_add_func("/watch/many", test_many);
	g_test_add_func("/watch/woken", test_woken);
	g_test_add_func("/watch/beside-others", test_beside_others);
	return g_test_run();
}
