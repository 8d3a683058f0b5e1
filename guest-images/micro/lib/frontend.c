/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frontend.c - frontends of devices
 */
#include "frontend.h"

volatile struct grant_entry_v1 *grant_table;

/* --- grants --- */

void grants_init(void)
{
	struct gnttab_setup_table arg = { .dom = DOMID_SELF, .nr_frames = 1 };
	xen_pfn_t frame;

	set_xen_guest_handle(arg.frame_list, &frame);
	grant_table = page_alloc();
	if (grant_table_op(GNTTABOP_setup_table, &arg, 1) || arg.status != GNTST_okay ||
	    update_va_mapping((unsigned long)grant_table, make_pte(frame, PTE_WRITE),
			      UVMF_INVLPG))
		bail_out("no grant table");
}

void grant_frame(unsigned int ref, unsigned long mfn, unsigned int flags)
{
	grant_table[ref].domid = 0;
	grant_table[ref].frame = mfn;
	barrier();
	grant_table[ref].flags = GTF_permit_access | flags;
}

void grant(unsigned int ref, const void *page, unsigned int flags)
{
	grant_frame(ref, virt_to_mfn(page), flags);
}

unsigned int grant_in_use(unsigned int ref)
{
	return grant_table[ref].flags & (GTF_reading | GTF_writing);
}

/* --- keys --- */

static void path_of(char *path, size_t size, const char *directory, const char *key)
{
	size_t used = strlen(directory);

	if (used + strlen(key) + 2 > size)
		bail_out("%s/%s is too long", directory, key);
	memcpy(path, directory, used);
	path[used++] = '/';
	memcpy(path + used, key, strlen(key) + 1);
}

bool frontend_find(struct frontend *fe, const char *path)
{
	static struct store_reply reply;
	char watch[192];
	size_t length;

	fe->path = path;
	path_of(watch, sizeof(watch), path, "backend");
	if (store_read(watch, fe->backend, sizeof(fe->backend)))
		return false;
	path_of(watch, sizeof(watch), fe->backend, "state");
	length = strlen(watch) + 1;
	memcpy(watch + length, "state", 6);
	if (store_call(XS_WATCH, 0, watch, length + 6, &reply))
		bail_out("%s can't be watched", watch);
	return true;
}

void frontend_put(const struct frontend *fe, const char *key, const char *value)
{
	char path[96];
	const char *error;

	path_of(path, sizeof(path), fe->path, key);
	error = store_write(path, value);
	if (error)
		bail_out("%s: %s", path, error);
}

void frontend_put_number(const struct frontend *fe, const char *key, unsigned int value)
{
	char text[12], *at = text + sizeof(text) - 1;

	*at = '\0';
	do
		*--at = '0' + value % 10;
	while (value /= 10);
	frontend_put(fe, key, at);
}

void frontend_forget(const struct frontend *fe, const char *key)
{
	static struct store_reply reply;
	char path[96];

	path_of(path, sizeof(path), fe->path, key);
	store_call(XS_RM, 0, path, strlen(path) + 1, &reply);
}

const char *frontend_get(const struct frontend *fe, const char *key, char *value, size_t size)
{
	char path[96];

	path_of(path, sizeof(path), fe->path, key);
	return store_read(path, value, size);
}

long frontend_offered(const struct frontend *fe, const char *key)
{
	char path[192], value[24];
	long number = 0;

	path_of(path, sizeof(path), fe->backend, key);
	if (store_read(path, value, sizeof(value)))
		return -1;
	for (const char *at = value; *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (*at - '0');
	return number;
}

/* --- states --- */

void frontend_state(const struct frontend *fe, unsigned int state)
{
	frontend_put_number(fe, "state", state);
}

bool frontend_is(const struct frontend *fe, long state)
{
	static struct store_event event;

	while (store_event(&event, false))
		;
	return frontend_offered(fe, "state") == state;
}

bool frontend_wait_state(const struct frontend *fe, long state)
{
	static struct store_event event;

	while (frontend_offered(fe, "state") != state)
		store_event(&event, true);
	return true;
}

void frontend_start_over(struct frontend *fe)
{
	struct evtchn_close close = { .port = fe->port };

	frontend_state(fe, XenbusStateClosed);
	frontend_wait_state(fe, XenbusStateClosed);
	event_channel_op(EVTCHNOP_close, &close);
	event_clear(fe->port);
	frontend_state(fe, XenbusStateInitialising);
	frontend_wait_state(fe, XenbusStateInitWait);
}

/* --- events --- */

void frontend_open(struct frontend *fe)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };

	if (event_channel_op(EVTCHNOP_alloc_unbound, &alloc))
		bail_out("no event channel");
	fe->port = alloc.port;
	frontend_put_number(fe, "event-channel", fe->port);
}

void frontend_notify(const struct frontend *fe)
{
	struct evtchn_send send = { .port = fe->port };

	event_channel_op(EVTCHNOP_send, &send);
}

void frontend_wait(const struct frontend *fe)
{
	evtchn_port_t port = fe->port;
	struct sched_poll poll = { .nr_ports = 1 };

	set_xen_guest_handle(poll.ports, &port);
	sched_op(SCHEDOP_poll, &poll);
	event_clear(port);
}
