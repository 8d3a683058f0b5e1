/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.h - what all devices have in common: two xenstore directories and the
 * states that both ends go through (docs/misc/xenbus of Xen, io/xenbus.h)
 *
 * A backend is a struct device_ops; this file's functions are what it needs of its
 * domain.  Everything runs on the main thread.  Whatever is read from the frontend's
 * directory or from granted pages was written by a hostile guest.
 */
#ifndef XENEMU_BACKEND_DEVICE_H
#define XENEMU_BACKEND_DEVICE_H

#include "domain/events.h"
#include "domain/grants.h"
#include "machine/memory.h"
#include "machine/pace.h"
#include "xenstore/xenstore.h"
#include <glib.h>
#include <stdint.h>
#include <xen/io/xenbus.h>

/** Most pages of one ring: order 4, as Linux's xen-blkback allows */
#define DEVICE_MAX_RING_PAGES 16

/** Reasons why a device can't be used */
#define DEVICE_ERROR (device_error_quark())
GQuark device_error_quark(void);
enum device_error {
	DEVICE_ERROR_FRONTEND, /* the guest's keys or grants make no sense */
	DEVICE_ERROR_HOST, /* something of the host is missing or refused */
	DEVICE_ERROR_CONFIG, /* what the user asked for can't be */
};

/**
 * struct device_host - what a device gets of its domain; outlives the device
 * @name:    of the domain
 * @abi:     its ABI: "xen-3.0.3", "xen-3.1", "xen-4"
 * @store:   its xenstore
 * @events:  its event channels
 * @grants:  its grant table
 * @mem:     its memory
 * @pace:    is told of what the guest asks of us again and again
 * @narrow:  it is a 32-bit guest: layout of rings without a "protocol" key
 * @message: one line for the user, without a newline
 * @opaque:  for @message
 */
struct device_host {
	const char *name;
	const char *abi;
	struct xenstore *store;
	struct events *events;
	struct grants *grants;
	struct memory *mem;
	struct pace *pace;
	gboolean narrow;
	void (*message)(void *opaque, const char *text);
	void *opaque;
};

struct device;

/**
 * struct device_ops - a kind of device
 * @kind:       "vbd", "vif": name of its directories
 * @initialised: the frontend is ready to be connected at XenbusStateInitialised
 *              already (vbd, vkbd, vfb), not only at Connected (vif)
 * @connect:    the frontend is ready: read its keys, map its rings, bind to its
 *              ports, write what it reads once the state is Connected, which is set
 *              afterwards.  What was sent before the binding came with no event: look
 *              at the rings.  FALSE with @error: the device is failed with it; what was
 *              mapped and bound half-way is to be undone by then
 * @disconnect: after connect() only, never from inside a function below.  Use nothing
 *              of the guest any more: TRUE when that is so, FALSE when something is
 *              still under way and device_idle() will be called.  Mappings and bindings
 *              are gone by then: the guest is told nothing before
 * @free:       not connected: free what it holds, not @dev.  What disconnect() left
 *              under way is ended first, without device_idle()
 */
struct device_ops {
	const char *kind;
	gboolean initialised;
	gboolean (*connect)(struct device *dev, GError **error);
	gboolean (*disconnect)(struct device *dev);
	void (*free)(struct device *dev);
};

/**
 * struct device - one device of a guest
 * @ops:      its kind
 * @host:     its domain
 * @data:     the backend's own
 * @handle:   number of its directories: virtual device number, index
 * @frontend, @backend: paths of the directories
 * @label:    how messages name it: "vbd 51712 (xvda)"
 * @removed:  see device_remove()
 * @removed_opaque: its argument
 *
 * Private to device.c:
 * @state:    what the backend's node says
 * @link:     how far connect() and disconnect() have come
 * @online:   FALSE: it goes away once the frontend is closed
 * @watch:    on the frontend's state, or 0
 * @complaint_watch: on what the frontend says about its failures; with @watch
 * @complained: it has said something, and the user knows
 * @failures: how often the guest lost it
 * @failing:  source that disconnects after device_fail(), or 0
 * @gone:     source that calls @removed, or 0
 */
struct device {
	const struct device_ops *ops;
	const struct device_host *host;
	void *data;
	unsigned int handle;
	char *frontend;
	char *backend;
	char *label;
	void (*removed)(void *opaque, struct device *dev);
	void *removed_opaque;

	enum xenbus_state state;
	enum {
		LINK_DOWN,
		LINK_UP,
		LINK_DRAINING
	} link;
	gboolean online;
	unsigned int watch;
	unsigned int complaint_watch;
	gboolean complained;
	unsigned int failures;
	guint failing;
	guint gone;
};

/**
 * struct device_config - a device to be made; backends have their own around it
 * @create: makes the device (device_new() ... device_start())
 * @open:   begin to open what @create needs, so that this does not wait afterwards:
 *          @opened is called once, from the main loop, with what is wrong or NULL, unless
 *          FALSE is returned.  NULL: @create never waits
 * @free:   frees this; may be called from @opened, or before
 */
struct device_config {
	struct device *(*create)(const struct device_config *config,
				 const struct device_host *host, GError **error);
	gboolean (*open)(struct device_config *config, const struct device_host *host,
			 void (*opened)(void *opaque, const GError *error), void *opaque,
			 GError **error);
	void (*free)(struct device_config *config);
};

/* --- life --- */

/**
 * device_new() - make both directories as a toolstack does
 * @ops:    its kind
 * @host:   its domain
 * @handle: number of the directories
 * @name:   its name for messages, or NULL
 * @data:   the backend's own
 *
 * The nodes that every device has are written (frontend, frontend-id, online, state;
 * backend, backend-id, state); the kind's own follow with device_write() and
 * device_write_frontend().  The guest is not served before device_start().
 *
 * Return: the device; device_free() it.  NULL when there is one of this number, @data is
 * the caller's then.
 */
struct device *device_new(const struct device_ops *ops, const struct device_host *host,
			  unsigned int handle, const char *name, void *data, GError **error);

/**
 * device_start() - everything is there: state InitWait, and watch the frontend
 *
 * If its driver says why it can't use the device, the user is told.
 */
void device_start(struct device *dev);

/**
 * device_remove() - take the device away from the guest, as `xl *-detach` does
 * @dev:     the device
 * @removed: called from the main loop when the guest has let go of it, the device is
 *           idle and its directories are gone: device_free() it then
 * @opaque:  for @removed
 *
 * A frontend that has never been there needs not be asked.  One that does not answer
 * keeps it; device_free() takes it away all the same.
 */
void device_remove(struct device *dev, void (*removed)(void *opaque, struct device *dev),
		   void *opaque);

/**
 * device_free() - disconnect whatever the frontend's state, free it and its directories
 *
 * What is under way for the guest is ended.  Not from inside a function of the device.
 * NULL is allowed.
 */
void device_free(struct device *dev);

/** device_idle() - what disconnect() has left under way is over */
void device_idle(struct device *dev);

/**
 * device_fail() - the guest broke the rules: it loses the device
 *
 * Says so once, writes the reason where the toolstack would look for it
 * (/local/domain/0/error) and sets the state Closing; disconnect() follows from the main
 * loop, and until then the backend must do nothing more for the guest.  The domain goes
 * on; the frontend may close and try again.  No effect on a device that is not
 * connected.
 */
void device_fail(struct device *dev, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** device_message() - one line for the user, which names the device */
void device_message(struct device *dev, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* --- xenstore --- */

/** device_state() - the backend's own state */
enum xenbus_state device_state(const struct device *dev);

/** device_frontend_state() - XenbusStateUnknown when it makes no sense */
enum xenbus_state device_frontend_state(const struct device *dev);

/** device_announce() - write the state again, so that the frontend looks (resize) */
void device_announce(struct device *dev);

/** device_write() - a key of the backend's directory, as printf() */
void device_write(struct device *dev, const char *key, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/** device_write_frontend() - a key of the frontend's directory, before device_start() */
void device_write_frontend(struct device *dev, const char *key, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/** device_show_frontend() - the same, but one that the guest may only read */
void device_show_frontend(struct device *dev, const char *key, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/** device_read() - a key of the frontend's directory ("queue-0/ring-ref"), or NULL */
char *device_read(const struct device *dev, const char *key);

/**
 * device_read_number() - a key of the frontend's directory as a decimal number
 * Return: FALSE when it is missing or not a number up to @max; @value unchanged.
 */
gboolean device_read_number(const struct device *dev, const char *key, uint32_t max,
			    uint32_t *value);

/** device_need_number() - the same, but missing is an error that names the key */
gboolean device_need_number(const struct device *dev, const char *key, uint32_t max,
			    uint32_t *value, GError **error);

/* --- pages --- */

/**
 * struct device_pages - pages that the guest has granted, side by side
 * @base:   the first; NULL when nothing is mapped
 * @nr:     number of pages
 * @grants: their mappings
 * @view:   @base is a mapping of our own
 */
struct device_pages {
	void *base;
	unsigned int nr;
	struct grant_map grants[DEVICE_MAX_RING_PAGES];
	gboolean view;
};

/**
 * device_map() - map granted pages for reading and writing
 * @refs:  grant references
 * @nr:    1 to DEVICE_MAX_RING_PAGES
 * @pages: filled in; to be unmapped when it succeeded
 */
gboolean device_map(struct device *dev, const uint32_t *refs, unsigned int nr,
		    struct device_pages *pages, GError **error);

/** device_unmap() - nothing happens when nothing is mapped */
void device_unmap(struct device *dev, struct device_pages *pages);

/* --- events --- */

/**
 * struct device_channel - one event channel of a device
 * @dev:    the device; NULL when not bound
 * @port:   the guest's port
 * @kicked, @opaque: who is told of the guest's events
 */
struct device_channel {
	struct device *dev;
	uint32_t port;
	void (*kicked)(void *opaque);
	void *opaque;
};

/**
 * device_bind() - become the other end of a port that the guest allocated for us
 * @channel: stays where it is until unbound
 * @port:    the guest's port
 * @kicked:  the guest sent an event
 */
gboolean device_bind(struct device *dev, struct device_channel *channel, uint32_t port,
		     void (*kicked)(void *opaque), void *opaque, GError **error);

/** device_unbind() - the guest's port waits for us again; nothing when not bound */
void device_unbind(struct device_channel *channel);

/** device_notify() - send the guest an event */
void device_notify(struct device_channel *channel);

#endif
