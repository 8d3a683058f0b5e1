/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-device.c - consoles besides the primary one
 *
 * Keys as libxl writes them for its channels (tools/libs/light/libxl_console.c), states
 * as QEMU's hw/char/xen_console.c goes through them.
 */
#include "backend/console-device.h"
#include "backend/console.h"
#include "domain/domain.h"

/**
 * struct console_device - a second console, or a later one
 * @io:      where it leads; stays when the guest's end goes and comes back
 * @console: the ring, while connected
 */
struct console_device {
	struct device *dev;
	struct console_io *io;
	struct console *console;
	struct device_pages pages;
	struct device_channel channel;
};

struct console_config {
	struct device_config base;
	const struct console_spec *spec;
};

static void kicked(void *opaque)
{
	struct console_device *con = opaque;

	console_kick(con->console);
}

static void notify(void *opaque)
{
	struct console_device *con = opaque;

	device_notify(&con->channel);
}

static void release(struct console_device *con)
{
	g_clear_pointer(&con->console, console_free);
	device_unbind(&con->channel);
	device_unmap(con->dev, &con->pages);
}

static gboolean console_connect(struct device *dev, GError **error)
{
	struct console_device *con = dev->data;
	uint32_t ref, port;

	if (!device_need_number(dev, "ring-ref", G_MAXUINT32, &ref, error) ||
	    !device_need_number(dev, "port", G_MAXUINT32, &port, error) ||
	    !device_map(dev, &ref, 1, &con->pages, error))
		return FALSE;
	if (!device_bind(dev, &con->channel, port, kicked, con, error)) {
		release(con);
		return FALSE;
	}
	con->console = console_new(con->pages.base, con->io, notify, con);
	/* What the guest has sent so far came without an event. */
	console_kick(con->console);
	return TRUE;
}

static gboolean console_disconnect(struct device *dev)
{
	release(dev->data);
	return TRUE;
}

static void free_data(struct console_device *con)
{
	console_io_flush(con->io);
	console_io_free(con->io);
	g_free(con);
}

static void console_device_free(struct device *dev)
{
	free_data(dev->data);
}

static const struct device_ops ops = {
	.kind = "console",
	.initialised = TRUE,
	.connect = console_connect,
	.disconnect = console_disconnect,
	.free = console_device_free,
};

static void write_keys(struct device *dev, const struct console_spec *spec)
{
	static const char *const connections[] = {
		[CONSOLE_STDIO] = "stdio",
		[CONSOLE_PTY] = "pty",
		[CONSOLE_UNIX] = "socket",
		[CONSOLE_FILE] = "file",
	};
	struct console_device *con = dev->data;
	const char *tty = console_io_tty(con->io);

	device_write(dev, "protocol", "vt100");
	device_write(dev, "connection", "%s", connections[spec->kind]);
	if (spec->path)
		device_write(dev, "path", "%s", spec->path);
	if (spec->name) {
		device_write(dev, "name", "%s", spec->name);
		device_show_frontend(dev, "name", "%s", spec->name);
	}
	device_write_frontend(dev, "protocol", "vt100");
	device_show_frontend(dev, "limit", "%u", CONSOLE_KEEP);
	device_show_frontend(dev, "type", "ioemu");
	device_show_frontend(dev, "output", spec->kind == CONSOLE_PTY ? "pty" : "chardev");
	device_show_frontend(dev, "tty", "%s", tty ? tty : "");
}

static struct device *create(const struct device_config *config, const struct device_host *host,
			     GError **error)
{
	const struct console_spec *spec = ((const struct console_config *)config)->spec;
	struct console_io *io = console_io_open(spec, error);
	struct console_device *con;

	if (!io)
		return NULL;
	con = g_new0(struct console_device, 1);
	con->io = io;
	con->dev = device_new(&ops, host, spec->index, spec->name, con, error);
	if (!con->dev) {
		free_data(con);
		return NULL;
	}
	write_keys(con->dev, spec);
	device_start(con->dev);
	return con->dev;
}

static void free_config(struct device_config *config)
{
	g_free(config);
}

struct device_config *console_config_new(const struct console_spec *spec)
{
	struct console_config *config = g_new0(struct console_config, 1);

	config->base.create = create;
	config->base.free = free_config;
	config->spec = spec;
	return &config->base;
}
