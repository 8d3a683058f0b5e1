/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif-spec.c - what `--vif` says
 */
#include "backend/vif-spec.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define MIN_MTU 68 /* RFC 791; what Linux takes */
#define MAX_MTU 65517 /* Linux's xen-netfront: 65535 less a header with a VLAN tag */
#define DEFAULT_INTERVAL_USEC 50000 /* xl's */

G_GNUC_PRINTF(2, 3)
static gboolean refuse(GError **error, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--vif: %s", text);
	g_free(text);
	return FALSE;
}

/* A decimal number and nothing else. */
static gboolean to_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	return g_ascii_isdigit(*text) &&
	       g_ascii_string_to_unsigned(text, 10, min, max, number, NULL);
}

static gboolean set_interface(char **where, const char *key, const char *value, GError **error)
{
	size_t len = strlen(value);

	if (!len || len >= IFNAMSIZ || strpbrk(value, "/ \t\n%") || !strcmp(value, ".") ||
	    !strcmp(value, ".."))
		return refuse(error,
			      "%s=%s: not the name of a network interface, which has 1 to 15 "
			      "characters",
			      key, value);
	g_free(*where);
	*where = g_strdup(value);
	return TRUE;
}

static gboolean set_target(struct vif_spec *spec, enum vif_kind kind, const char *key,
			   const char *value, GError **error)
{
	if (spec->target || spec->kind == VIF_USER)
		return refuse(error, "%s: give one of bridge=NAME, tap=NAME and user", key);
	spec->kind = kind;
	return kind == VIF_USER || set_interface(&spec->target, key, value, error);
}

static gboolean set_bridge(struct vif_spec *spec, const char *value, GError **error)
{
	return set_target(spec, VIF_BRIDGE, "bridge", value, error);
}

static gboolean set_tap(struct vif_spec *spec, const char *value, GError **error)
{
	return set_target(spec, VIF_TAP, "tap", value, error);
}

static gboolean set_user(struct vif_spec *spec, const char *value, GError **error)
{
	if (*value)
		return refuse(error, "user=%s: `user' takes no value", value);
	return set_target(spec, VIF_USER, "user", value, error);
}

static gboolean set_vifname(struct vif_spec *spec, const char *value, GError **error)
{
	return set_interface(&spec->vifname, "vifname", value, error);
}

static gboolean set_mac(struct vif_spec *spec, const char *value, GError **error)
{
	uint8_t *mac = spec->mac;
	const char *at = value;
	unsigned int i;

	for (i = 0; i < 6; i++, at += 2) {
		if (i && *at++ != ':')
			break;
		if (!g_ascii_isxdigit(at[0]) || !g_ascii_isxdigit(at[1]))
			break;
		mac[i] = g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]);
	}
	if (i < 6 || *at)
		return refuse(error,
			      "mac=%s: give six groups of two hexadecimal digits, "
			      "00:16:3e:01:02:03 for instance",
			      value);
	if (mac[0] & 1)
		return refuse(error, "mac=%s: a group address; its first byte must be even",
			      value);
	if (!memcmp(mac, "\0\0\0\0\0", 6))
		return refuse(error, "mac=%s: no address", value);
	spec->has_mac = TRUE;
	return TRUE;
}

static gboolean set_ip(struct vif_spec *spec, const char *value, G_GNUC_UNUSED GError **error)
{
	g_free(spec->ip);
	spec->ip = g_strdup(value);
	return TRUE;
}

static gboolean set_script(struct vif_spec *spec, G_GNUC_UNUSED const char *value,
			   G_GNUC_UNUSED GError **error)
{
	spec->script = TRUE;
	return TRUE;
}

static gboolean set_mtu(struct vif_spec *spec, const char *value, GError **error)
{
	uint64_t mtu;

	if (!to_number(value, MIN_MTU, MAX_MTU, &mtu))
		return refuse(error, "mtu=%s: give a number from %u to %u", value, MIN_MTU,
			      MAX_MTU);
	spec->mtu = mtu;
	return TRUE;
}

static gboolean set_devid(struct vif_spec *spec, const char *value, GError **error)
{
	uint64_t devid;

	if (!to_number(value, 0, VIF_MAX_DEVID, &devid))
		return refuse(error, "devid=%s: give a number from 0 to %u", value,
			      VIF_MAX_DEVID);
	spec->devid = devid;
	return TRUE;
}

/* For HVM guests; xl takes these for a PV guest, too, and does nothing. */
static gboolean ignore(G_GNUC_UNUSED struct vif_spec *spec, G_GNUC_UNUSED const char *value,
		       G_GNUC_UNUSED GError **error)
{
	return TRUE;
}

static gboolean set_backend(G_GNUC_UNUSED struct vif_spec *spec, const char *value,
			    GError **error)
{
	if (!strcmp(value, "0") || !strcmp(value, "Domain-0"))
		return TRUE;
	return refuse(error, "backend=%s: there are no driver domains; leave it out", value);
}

/* --- rate=10Mb/s@20ms --- */

/* What a suffix multiplies by, its bytes and the "/s" behind it skipped; 0: unknown. */
static uint64_t rate_unit(const char **at, gboolean *bits)
{
	static const char letters[] = "KMG";
	const char *letter = **at ? strchr(letters, **at) : NULL;
	uint64_t unit = 1;

	for (const char *l = letters; letter && l <= letter; l++)
		unit *= 1000;
	if (letter)
		(*at)++;
	if ((*at)[0] != 'b' && (*at)[0] != 'B')
		return 0;
	*bits = (*at)[0] == 'b';
	if ((*at)[1] != '/' || (*at)[2] != 's')
		return 0;
	*at += 3;
	return unit;
}

/* "@20ms", or nothing; 0 for no interval. */
static uint64_t rate_interval(const char *text)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = { { "", 1 }, { "us", 1 }, { "ms", 1000 }, { "s", 1000000 } };
	char *end;
	uint64_t number;

	if (!*text)
		return DEFAULT_INTERVAL_USEC;
	if (*text++ != '@' || !g_ascii_isdigit(*text))
		return 0;
	number = g_ascii_strtoull(text, &end, 10);
	for (unsigned int i = 0; i < G_N_ELEMENTS(units); i++)
		if (!strcmp(end, units[i].name) && number <= G_MAXUINT32 / units[i].usec)
			return number * units[i].usec;
	return 0;
}

static gboolean set_rate(struct vif_spec *spec, const char *value, GError **error)
{
	gboolean bits = FALSE;
	char *end;
	const char *at;
	uint64_t number = g_ascii_strtoull(value, &end, 10), unit, usec;

	at = end;
	unit = g_ascii_isdigit(*value) ? rate_unit(&at, &bits) : 0;
	usec = unit ? rate_interval(at) : 0;
	/* What xl refuses as well: nothing at all, or more than 2^32 bytes an interval. */
	if (!usec || !number || number > 1000000000000ULL / unit)
		return refuse(error,
			      "rate=%s: not a rate; give for instance 10Mb/s, 250KB/s "
			      "or 1MB/s@20ms",
			      value);
	spec->rate_bytes = (uint64_t)((double)number * unit / (bits ? 8 : 1) * usec / 1e6);
	spec->rate_usec = usec;
	if (!spec->rate_bytes || spec->rate_bytes > G_MAXUINT32)
		return refuse(error, "rate=%s: out of range", value);
	return TRUE;
}

/* --- hostfwd=tcp:[ADDRESS:]HOST:GUEST --- */

static gboolean forward_address(struct vif_forward *forward, char *address)
{
	struct in6_addr binary;
	size_t len = strlen(address);

	if (*address == '[' && len > 2 && address[len - 1] == ']') {
		address[len - 1] = '\0';
		address++;
	}
	if (inet_pton(AF_INET, address, &binary) != 1 &&
	    inet_pton(AF_INET6, address, &binary) != 1)
		return FALSE;
	forward->address = g_strdup(address);
	return TRUE;
}

/* Takes ":PORT" off the end of @text. */
static gboolean take_port(char *text, uint16_t *port)
{
	char *colon = strrchr(text, ':');
	uint64_t number;

	if (!colon || !to_number(colon + 1, 1, 65535, &number))
		return FALSE;
	*colon = '\0';
	*port = number;
	return TRUE;
}

static gboolean parse_forward(struct vif_forward *forward, char *text)
{
	/* What is left when both ports are taken off is PROTOCOL[:ADDRESS]. */
	char *colon;

	if (!take_port(text, &forward->guest_port) || !take_port(text, &forward->host_port))
		return FALSE;
	colon = strchr(text, ':');
	if (colon)
		*colon = '\0';
	forward->udp = !strcmp(text, "udp");
	if (!forward->udp && strcmp(text, "tcp"))
		return FALSE;
	return !colon || forward_address(forward, colon + 1);
}

static gboolean add_forward(struct vif_spec *spec, const char *value, GError **error)
{
	struct vif_forward forward = { 0 };
	g_autofree char *text = g_strdup(value);

	if (!parse_forward(&forward, text))
		return refuse(error,
			      "hostfwd=%s: give tcp or udp, a port of the host and one of the "
			      "guest: tcp:2222:22, or tcp:127.0.0.1:2222:22",
			      value);
	g_array_append_val(spec->forwards, forward);
	return TRUE;
}

/* --- the whole --- */

static const struct {
	const char *name;
	gboolean (*set)(struct vif_spec *spec, const char *value, GError **error);
} keys[] = {
	{ "backend", set_backend }, { "bridge", set_bridge },   { "devid", set_devid },
	{ "hostfwd", add_forward }, { "ip", set_ip },           { "mac", set_mac },
	{ "model", ignore },        { "mtu", set_mtu },         { "rate", set_rate },
	{ "script", set_script },   { "tap", set_tap },         { "type", ignore },
	{ "user", set_user },       { "vifname", set_vifname },
};

static gboolean parse_word(struct vif_spec *spec, char *word, GError **error)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (unsigned int i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (strcmp(keys[i].name, word))
			continue;
		if (!value && keys[i].set != set_user)
			return refuse(error, "%s: give it a value, %s=...", word, word);
		return keys[i].set(spec, value ? value : "", error);
	}
	return refuse(error,
		      "`%s' is not known; give bridge=NAME, tap=NAME or user, then mac=, mtu=, "
		      "rate=, vifname=, devid=, hostfwd=",
		      word);
}

static gboolean check(struct vif_spec *spec, GError **error)
{
	if (spec->forwards->len && spec->kind != VIF_USER)
		return refuse(error, "hostfwd: only together with `user'");
	if (spec->vifname && spec->kind != VIF_BRIDGE)
		return refuse(error, "vifname: only together with bridge=NAME");
	if (spec->kind == VIF_BRIDGE && !spec->target)
		spec->target = g_strdup(VIF_DEFAULT_BRIDGE);
	return TRUE;
}

static void clear_forward(gpointer opaque)
{
	struct vif_forward *forward = opaque;

	g_free(forward->address);
}

static GArray *new_forwards(void)
{
	GArray *forwards = g_array_new(FALSE, FALSE, sizeof(struct vif_forward));

	g_array_set_clear_func(forwards, clear_forward);
	return forwards;
}

struct vif_spec *vif_spec_parse(const char *text, GError **error)
{
	g_autoptr(VifSpec) spec = g_new0(struct vif_spec, 1);
	g_auto(GStrv) words = g_strsplit(text, ",", -1);

	spec->devid = -1;
	spec->forwards = new_forwards();
	for (char **word = words; *word; word++)
		if (*g_strstrip(*word) && !parse_word(spec, *word, error))
			return NULL;
	return check(spec, error) ? g_steal_pointer(&spec) : NULL;
}

struct vif_spec *vif_spec_copy(const struct vif_spec *spec)
{
	struct vif_spec *copy = g_new0(struct vif_spec, 1);

	*copy = *spec;
	copy->target = g_strdup(spec->target);
	copy->vifname = g_strdup(spec->vifname);
	copy->ip = g_strdup(spec->ip);
	copy->forwards = new_forwards();
	for (unsigned int i = 0; i < spec->forwards->len; i++) {
		struct vif_forward forward =
			g_array_index(spec->forwards, struct vif_forward, i);

		forward.address = g_strdup(forward.address);
		g_array_append_val(copy->forwards, forward);
	}
	return copy;
}

void vif_spec_choose_mac(struct vif_spec *spec, const char *guest, unsigned int index)
{
	/* Xen's OUI; the rest below 0x800000, as libxl leaves it. */
	static const uint8_t oui[] = { 0x00, 0x16, 0x3e };
	g_autofree char *text = g_strdup_printf("%s/%u", guest, index);
	GChecksum *sum;
	uint8_t digest[32];
	gsize len = sizeof(digest);

	if (spec->has_mac)
		return;
	sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(sum, (const guchar *)text, -1);
	g_checksum_get_digest(sum, digest, &len);
	g_checksum_free(sum);
	memcpy(spec->mac, oui, sizeof(oui));
	memcpy(spec->mac + sizeof(oui), digest, 3);
	spec->mac[3] &= 0x7f;
	spec->has_mac = TRUE;
}

void vif_spec_free(struct vif_spec *spec)
{
	if (!spec)
		return;
	g_free(spec->target);
	g_free(spec->vifname);
	g_free(spec->ip);
	g_array_unref(spec->forwards);
	g_free(spec);
}
