/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.c - descriptors that the main loop looks at for each request of a guest
 */
#include "machine/watch.h"

guint watch_fd(int fd, GIOCondition condition, GUnixFDSourceFunc func, gpointer opaque)
{
	GSource *source = g_unix_fd_source_new(fd, condition);
	guint number;

	g_source_set_callback(source, G_SOURCE_FUNC(func), opaque, NULL);
	g_source_set_can_recurse(source, TRUE);
	number = g_source_attach(source, NULL);
	g_source_unref(source);
	return number;
}
