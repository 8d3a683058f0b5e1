/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's machine protocol: what happens when the other end hangs up.
 */
#include "machine/qmp.h"
#include "machine/watch.h"
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/**
 * struct fixture - a client whose QEMU is played here
 * @fd:     its descriptor
 * @broken: how often it was told of the end
 * @next, @watch: what takes the place of @fd
 * @calls:  how often @next was ready
 */
struct fixture {
	struct qmp *qmp;
	int fd;
	unsigned int broken;
	int next;
	struct watch *watch;
	unsigned int calls;
};

static gboolean on_next(G_GNUC_UNUSED gint fd, G_GNUC_UNUSED GIOCondition condition,
			gpointer opaque)
{
	((struct fixture *)opaque)->calls++;
	return G_SOURCE_CONTINUE;
}

static void on_event(G_GNUC_UNUSED void *opaque, G_GNUC_UNUSED const char *name,
		     G_GNUC_UNUSED JsonObject *data)
{
	g_assert_not_reached();
}

static void on_reply(G_GNUC_UNUSED void *opaque, G_GNUC_UNUSED const char *name,
		     G_GNUC_UNUSED JsonNode *value, G_GNUC_UNUSED const char *failure)
{
	g_assert_not_reached();
}

static void on_broken(void *opaque, gboolean garbage)
{
	struct fixture *f = opaque;

	g_assert_false(garbage);
	f->broken++;
	qmp_free(f->qmp);
	f->next = eventfd(1, EFD_CLOEXEC);
	g_assert_cmpint(f->next, ==, f->fd);
	f->watch = watch_new(f->next, G_IO_IN, on_next, f);
}

/* Its client is freed when it hears; the number is given out again, and watched, at once. */
static void test_freed_when_broken(void)
{
	static const struct qmp_events events = { on_event, on_reply, on_broken };
	struct fixture f = { 0 };
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	f.fd = pair[0];
	f.qmp = qmp_new(pair[0], &events, &f);
	shutdown(pair[1], SHUT_WR);
	while (!f.broken)
		g_main_context_iteration(NULL, TRUE);
	g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(f.calls, ==, 1);
	g_assert_cmpuint(f.broken, ==, 1);
	watch_free(f.watch);
	close(f.next);
	close(pair[1]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/qmp/freed-when-broken", test_freed_when_broken);
	return g_test_run();
}
