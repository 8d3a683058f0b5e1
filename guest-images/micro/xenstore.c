/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenstore - what a domU gets for each request: values, directories, permissions,
 * watches, transactions, malformed requests, quotas
 *
 * Left out is what xenemu answers otherwise on purpose: IS_DOMAIN_INTRODUCED, which
 * Xen 4.17 refuses against its own documentation and older Xen does not.
 */
#include "guest.h"

static struct store_reply reply;
static unsigned int domid;

/* Payloads are literals with all their nuls, as the protocol's documentation has them. */
#define CALL(type, tx, payload) store_call(type, tx, payload, sizeof(payload) - 1, &reply)
#define STRING(payload) payload, sizeof(payload) - 1

/* The reply is exactly these bytes. */
static void replies_(uint32_t type, uint32_t tx, const char *payload, size_t len,
		     const char *want, size_t want_len, const char *name)
{
	const char *error = store_call(type, tx, payload, len, &reply);

	if (!ok(!error && reply.type == type && reply.len == want_len &&
			!memcmp(reply.data, want, want_len),
		"%s", name))
		diag("got type %u, %u bytes: %s", reply.type, reply.len, reply.data);
}

/* The reply is this error. */
static void refuses_(uint32_t type, uint32_t tx, const char *payload, size_t len,
		     const char *want, const char *name)
{
	const char *error = store_call(type, tx, payload, len, &reply);

	if (!ok(error && !strcmp(error, want), "%s: %s", name, want))
		diag("got %s", error ? error : "success");
}

#define REPLIES(type, tx, payload, want, name)                                                 \
	replies_(type, tx, STRING(payload), STRING(want), name)
#define SUCCEEDS(type, tx, payload, name) REPLIES(type, tx, payload, "OK\0", name)
#define REFUSES(type, tx, payload, want, name) refuses_(type, tx, STRING(payload), want, name)

static uint32_t parse(const char *digits)
{
	uint32_t value = 0;

	while (*digits >= '0' && *digits <= '9')
		value = value * 10 + (*digits++ - '0');
	return value;
}

static void values(void)
{
	SUCCEEDS(XS_WRITE, 0, "data/x\0value", "write");
	REPLIES(XS_READ, 0, "data/x\0", "value", "read");
	SUCCEEDS(XS_WRITE, 0, "data/x\0with\0nul\0s\0", "write a value with nuls");
	REPLIES(XS_READ, 0, "data/x\0", "with\0nul\0s\0", "read it");
	SUCCEEDS(XS_WRITE, 0, "data/x\0", "write nothing");
	REPLIES(XS_READ, 0, "data/x\0", "", "read it");
	REFUSES(XS_READ, 0, "data/none\0", "ENOENT", "read what is not there");
	SUCCEEDS(XS_WRITE, 0, "data/a/b/c\0v", "write below what is not there");
	REPLIES(XS_READ, 0, "data/a/b\0", "", "what is above has no value");
	SUCCEEDS(XS_MKDIR, 0, "data/a/b/c\0", "mkdir of what is there");
	REPLIES(XS_READ, 0, "data/a/b/c\0", "v", "keeps the value");
	SUCCEEDS(XS_MKDIR, 0, "data/p/q\0", "mkdir below what is not there");
	REPLIES(XS_DIRECTORY, 0, "data/p\0", "q\0", "directory");
	REPLIES(XS_DIRECTORY, 0, "data/x\0", "", "directory of a leaf");
	REPLIES(XS_DIRECTORY, 0, "data\0", "x\0a\0p\0", "in the order of creation");
	REFUSES(XS_DIRECTORY, 0, "data/none\0", "ENOENT", "directory of nothing");
	SUCCEEDS(XS_RM, 0, "data/a\0", "rm of a tree");
	REFUSES(XS_READ, 0, "data/a/b/c\0", "ENOENT", "all is gone");
	SUCCEEDS(XS_RM, 0, "data/a\0", "rm of what is not there");
	REFUSES(XS_RM, 0, "data/a/b\0", "ENOENT", "rm without a parent");
	REFUSES(XS_RM, 0, "/\0", "EACCES", "rm of the root");
	SUCCEEDS(XS_RM, 0, "data/p\0", "rm");
	SUCCEEDS(XS_RM, 0, "data/x\0", "rm");
}

static void paths(void)
{
	REFUSES(XS_READ, 0, "data/\0", "EINVAL", "a slash at the end");
	REFUSES(XS_READ, 0, "data//x\0", "EINVAL", "an empty component");
	REFUSES(XS_WRITE, 0, "data/x y\0v", "EINVAL", "a blank");
	REFUSES(XS_WRITE, 0, "data/x.y\0v", "EINVAL", "a dot");
	REFUSES(XS_WRITE, 0, "\0v", "EINVAL", "an empty path");
	REFUSES(XS_READ, 0, "@data\0", "EINVAL", "a special name");
	SUCCEEDS(XS_WRITE, 0, "data/AZaz09-_@\0v", "every permitted character");
	SUCCEEDS(XS_RM, 0, "data/AZaz09-_@\0", "rm");
}

/* "n<domid>" and so on, with our domid for each '$'. */
static size_t with_domid(char *to, const char *from, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (from[i] != '$') {
			to[at++] = from[i];
			continue;
		}
		if (domid >= 10)
			to[at++] = '0' + domid / 10 % 10;
		to[at++] = '0' + domid % 10;
	}
	return at;
}

static void set_perms(const char *payload, size_t len, const char *error, const char *name)
{
	char buffer[256];

	len = with_domid(buffer, payload, len);
	if (error)
		refuses_(XS_SET_PERMS, 0, buffer, len, error, name);
	else
		replies_(XS_SET_PERMS, 0, buffer, len, "OK", 3, name);
}

static void get_perms(const char *path, size_t path_len, const char *want, size_t len,
		      const char *name)
{
	char buffer[256];

	len = with_domid(buffer, want, len);
	replies_(XS_GET_PERMS, 0, path, path_len, buffer, len, name);
}

/* xend of the older Xens gave a guest its whole home directory. */
static bool xend(void)
{
	return !xen_since(4, 0);
}

#define SKIP_XEND(line, test)                                                                  \
	do {                                                                                   \
		if (xend())                                                                    \
			skip("xend gave it to the guest", "%s", line);                         \
		else                                                                           \
			test;                                                                  \
	} while (0)

static void toolstack_perms(void)
{
	if (xend()) {
		get_perms(STRING("name\0"), STRING("n$\0"), "the toolstack's");
		skip("xend made none", "a frontend's");
		return;
	}
	get_perms(STRING("name\0"), STRING("n0\0r$\0"), "the toolstack's");
	get_perms(STRING("console/backend-id\0"), STRING("n$\0r0\0"), "a frontend's");
}

static void permissions(void)
{
	get_perms(STRING("data\0"), STRING("n$\0"), "our own node");
	toolstack_perms();
	SUCCEEDS(XS_WRITE, 0, "data/x\0v", "write");
	get_perms(STRING("data/x\0"), STRING("n$\0"), "inherited");
	set_perms(STRING("data/x\0r$\0b0\0"), NULL, "set permissions");
	get_perms(STRING("data/x\0"), STRING("r$\0b0\0"), "get them");
	set_perms(STRING("data/x\0n0\0r$\0"), "EPERM", "give the node away");
	set_perms(STRING("data/x\0q$\0"), "EINVAL", "no such letter");
	set_perms(STRING("data/x\0n\0"), "EINVAL", "no domain");
	set_perms(STRING("data/x\0"), "EINVAL", "no permissions");
	set_perms(STRING("data/none\0n$\0"), "ENOENT", "of what is not there");
	SKIP_XEND("of the toolstack's node: EACCES",
		  set_perms(STRING("name\0n0\0b$\0"), "EACCES", "of the toolstack's node"));
	set_perms(STRING("data/x\0n$\0n0\0n2\0n3\0n4\0"), NULL, "five entries");
	set_perms(STRING("data/x\0n$\0n0\0n2\0n3\0n4\0n5\0"), "ENOSPC", "six entries");
	SKIP_XEND("write what we may only read: EACCES",
		  REFUSES(XS_WRITE, 0, "name\0mine", "EACCES", "write what we may only read"));
	SKIP_XEND("rm of it: EACCES", REFUSES(XS_RM, 0, "name\0", "EACCES", "rm of it"));
	SKIP_XEND("mkdir where we may only read: EACCES",
		  REFUSES(XS_MKDIR, 0, "new\0", "EACCES", "mkdir where we may only read"));
	REFUSES(XS_READ, 0, "/tool\0", "EACCES", "read what we may not");
	REFUSES(XS_READ, 0, "/tool/none\0", "EACCES",
		"read what is not there where we may not");
	REFUSES(XS_READ, 0, "/none\0", "EACCES", "nothing at the root");
	REFUSES(XS_DIRECTORY, 0, "/\0", "EACCES", "directory of the root");
	SUCCEEDS(XS_RM, 0, "data/x\0", "rm");
}

static void event_(const char *path, const char *token, const char *name)
{
	struct store_event event;

	store_event(&event, true);
	if (!ok(!strcmp(event.path, path) && !strcmp(event.token, token), "%s", name))
		diag("got %s %s", event.path, event.token);
}

/* Events come before replies to what is asked after them. */
static void no_event(const char *name)
{
	struct store_event event;

	CALL(XS_READ, 0, "domid\0");
	if (!ok(!store_event(&event, false), "%s", name))
		diag("got %s %s", event.path, event.token);
}

static void watches(void)
{
	SUCCEEDS(XS_WATCH, 0, "data/w\0tok\0", "watch what is not there");
	event_("data/w", "tok", "fires at once");
	CALL(XS_WRITE, 0, "data/w\0v");
	event_("data/w", "tok", "fires for the node");
	CALL(XS_WRITE, 0, "data/w/below/this\0v");
	event_("data/w/below/this", "tok", "fires for what is below");
	CALL(XS_WRITE, 0, "data/other\0v");
	no_event("not for its neighbours");
	CALL(XS_READ, 0, "data/w\0");
	no_event("not for reads");
	CALL(XS_RM, 0, "data/w/below\0");
	event_("data/w/below", "tok", "fires once for a tree that is removed");
	no_event("and no more");
	CALL(XS_RM, 0, "data/w\0");
	event_("data/w", "tok", "fires when the node itself is removed");
	no_event("once");
	REFUSES(XS_WATCH, 0, "data/w\0tok\0", "EEXIST", "the same again");
	SUCCEEDS(XS_WATCH, 0, "data/w\0other\0", "another token");
	event_("data/w", "other", "fires");
	REFUSES(XS_UNWATCH, 0, "data/w\0none\0", "ENOENT", "unwatch another token");
	SUCCEEDS(XS_UNWATCH, 0, "data/w\0other\0", "unwatch");
	SUCCEEDS(XS_UNWATCH, 0, "data/w\0tok\0", "unwatch");
	CALL(XS_WRITE, 0, "data/w\0v");
	no_event("is no longer told");
	SUCCEEDS(XS_WATCH, 0, "@releaseDomain\0special\0", "watch a special name");
	event_("@releaseDomain", "special", "fires at once");
	SUCCEEDS(XS_WATCH, 0, "data\0\0", "an empty token");
	event_("data", "", "fires");
	SUCCEEDS(XS_RESET_WATCHES, 0, "\0", "reset watches");
	CALL(XS_RM, 0, "data/w\0");
	CALL(XS_RM, 0, "data/other\0");
	no_event("none is left");
}

static uint32_t start(void)
{
	if (CALL(XS_TRANSACTION_START, 0, "\0"))
		bail_out("no transaction: %s", reply.data);
	return parse(reply.data);
}

static void transactions(void)
{
	uint32_t tx = start(), other;

	SUCCEEDS(XS_WRITE, tx, "data/t\0v", "write in a transaction");
	REPLIES(XS_READ, tx, "data/t\0", "v", "seen inside");
	REFUSES(XS_READ, 0, "data/t\0", "ENOENT", "not seen outside");
	REFUSES(XS_TRANSACTION_START, tx, "\0", "EBUSY", "nested");
	REFUSES(XS_TRANSACTION_END, tx, "X\0", "EINVAL", "neither T nor F");
	SUCCEEDS(XS_TRANSACTION_END, tx, "F\0", "abort");
	REFUSES(XS_READ, tx, "data/t\0", "ENOENT", "it is gone");
	REFUSES(XS_READ, 0, "data/t\0", "ENOENT", "without a trace");
	REFUSES(XS_TRANSACTION_END, 0, "T\0", "ENOENT", "no transaction to end");

	CALL(XS_WATCH, 0, "data\0tok\0");
	event_("data", "tok", "watch");
	tx = start();
	SUCCEEDS(XS_WRITE, tx, "data/t\0v", "write");
	no_event("no event before the end");
	SUCCEEDS(XS_TRANSACTION_END, tx, "T\0", "commit");
	event_("data/t", "tok", "then it comes");
	CALL(XS_UNWATCH, 0, "data\0tok\0");

	tx = start();
	CALL(XS_READ, tx, "data/t\0");
	SUCCEEDS(XS_WRITE, 0, "data/t\0new", "write what a transaction has read");
	REFUSES(XS_TRANSACTION_END, tx, "T\0", "EAGAIN", "its commit");
	tx = start();
	CALL(XS_WRITE, tx, "data/mine\0v");
	SUCCEEDS(XS_WRITE, 0, "data/t\0newer", "write what a transaction has not touched");
	SUCCEEDS(XS_TRANSACTION_END, tx, "T\0", "its commit");
	tx = start();
	other = start();
	CALL(XS_WRITE, tx, "data/t\0one");
	CALL(XS_WRITE, other, "data/t\0two");
	SUCCEEDS(XS_TRANSACTION_END, other, "T\0", "the first of two to the same node");
	REFUSES(XS_TRANSACTION_END, tx, "T\0", "EAGAIN", "the second");
	REPLIES(XS_READ, 0, "data/t\0", "two", "what is there");
	CALL(XS_RM, 0, "data/t\0");
	CALL(XS_RM, 0, "data/mine\0");
}

static void domains(void)
{
	REPLIES(XS_GET_DOMAIN_PATH, 0, "0\0", "/local/domain/0\0", "path of domain 0");
	REPLIES(XS_GET_DOMAIN_PATH, 0, "007\0", "/local/domain/7\0", "path of domain 007");
	REFUSES(XS_CONTROL, 0, "check\0", "EACCES", "CONTROL");
	REFUSES(XS_INTRODUCE, 0,
		"2\0"
		"1\0"
		"1\0",
		"EACCES", "INTRODUCE");
	REFUSES(XS_RELEASE, 0, "2\0", "EACCES", "RELEASE");
	REFUSES(XS_RESUME, 0, "1\0", "EACCES", "RESUME");
	REFUSES(XS_SET_TARGET, 0,
		"1\0"
		"0\0",
		"EACCES", "SET_TARGET");
	REFUSES(XS_WATCH_EVENT, 0, "data\0t\0", "ENOSYS", "WATCH_EVENT");
	REFUSES(XS_TYPE_COUNT, 0, "", "ENOSYS", "a type that does not exist");
	REFUSES(0xffffffff, 0, "data\0", "ENOSYS", "another");
}

/*
 * A payload too few, without its nul, and too many.  Not of READ and its like, which have
 * one path: Xen 4.17 answers these with whatever errno is, and its xenstored aborts when
 * that is 0.
 */
static void malformed(void)
{
	static const struct {
		const char *name;
		uint32_t type;
	} two[] = { { "WATCH", XS_WATCH },
		    { "UNWATCH", XS_UNWATCH },
		    { "DIRECTORY_PART", XS_DIRECTORY_PART } };

	for (unsigned int i = 0; i < ARRAY_SIZE(two); i++) {
		print("# %s\n", two[i].name);
		REFUSES(two[i].type, 0, "", "EINVAL", "no payload");
		REFUSES(two[i].type, 0, "data\0", "EINVAL", "one string");
		REFUSES(two[i].type, 0, "data\0t", "EINVAL", "no nul");
		REFUSES(two[i].type, 0,
			"data\0"
			"1\0"
			"1\0",
			"EINVAL", "three strings");
	}
	REFUSES(XS_GET_DOMAIN_PATH, 0, "", "EINVAL", "GET_DOMAIN_PATH without payload");
	REFUSES(XS_GET_DOMAIN_PATH, 0, "1", "EINVAL", "GET_DOMAIN_PATH without nul");
	REFUSES(XS_WRITE, 0, "", "EINVAL", "WRITE without payload");
	REFUSES(XS_WRITE, 0, "data/x", "EINVAL", "WRITE without nul");
	REFUSES(XS_SET_PERMS, 0, "", "EINVAL", "SET_PERMS without payload");
	REFUSES(XS_SET_PERMS, 0, "data\0", "EINVAL", "SET_PERMS without permissions");
	REFUSES(XS_TRANSACTION_END, 0, "", "EINVAL", "TRANSACTION_END without payload");
	REFUSES(XS_TRANSACTION_END, 0, "T", "EINVAL", "TRANSACTION_END without nul");
}

/* How often it goes well until it is refused. */
static unsigned int count(uint32_t type, const char *format_path, const char *error)
{
	unsigned int done_so_far = 0;
	const char *refused;
	char payload[64];

	do {
		size_t len = 0;

		/* A five-digit number for each '#'. */
		for (const char *c = format_path; *c; c++) {
			if (*c != '#') {
				payload[len++] = *c == '|' ? '\0' : *c;
				continue;
			}
			for (unsigned int unit = 10000; unit; unit /= 10)
				payload[len++] = '0' + done_so_far / unit % 10;
		}
		refused = store_call(type, 0, payload, len, &reply);
	} while (!refused && ++done_so_far < 10000);
	ok(refused && !strcmp(refused, error), "refused in the end: %s", error);
	return done_so_far;
}

static void drop_events(void)
{
	struct store_event event;

	while (store_event(&event, false))
		;
}

/* Each is refused at Xen's number; what was made by then is removed. */
static void quotas(void)
{
	static char big[4096];
	unsigned int before;

	is(count(XS_TRANSACTION_START, "|", "ENOSPC"), 11, "transactions");
	CALL(XS_RESET_WATCHES, 0, "\0");
	memcpy(big, "data/big", 9);
	refuses_(XS_WRITE, 0, big, 9 + 2048, "ENOSPC", "a value of 2048 bytes");
	replies_(XS_WRITE, 0, big, 9 + 2000, "OK", 3, "a value of 2000 bytes");
	before = count(XS_MKDIR, "data/n#|", "ENOSPC");
	diag("%u nodes", before);
	ok(before > 200 && before < 1000, "nodes");
	CALL(XS_RM, 0, "data/n00000\0");
	SUCCEEDS(XS_MKDIR, 0, "data/last\0", "one for one");
	CALL(XS_RM, 0, "data\0");
}

/* Their first events come in between. */
static void watch_quota(void)
{
	unsigned int watches_made = 0;
	const char *refused;
	char payload[] = "device\0t000";

	do {
		payload[8] = '0' + watches_made / 100;
		payload[9] = '0' + watches_made / 10 % 10;
		payload[10] = '0' + watches_made % 10;
		refused = store_call(XS_WATCH, 0, payload, sizeof(payload), &reply);
		drop_events();
	} while (!refused && ++watches_made < 1000);
	ok(refused && !strcmp(refused, "E2BIG"), "refused in the end: E2BIG");
	is(watches_made, 129, "watches");
	SUCCEEDS(XS_RESET_WATCHES, 0, "\0", "reset");
}

void guest_main(void)
{
	char value[16];
	const char *error = store_read("domid", value, sizeof(value));

	if (error)
		bail_out("domid can't be read: %s", error);
	domid = parse(value);
	values();
	paths();
	permissions();
	watches();
	transactions();
	domains();
	malformed();
	watch_quota();
	quotas();
}
