/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/vif-spec.h"
#include <string.h>

static struct vif_spec *parse(const char *text)
{
	GError *error = NULL;
	struct vif_spec *spec = vif_spec_parse(text, &error);

	g_assert_no_error(error);
	g_assert_nonnull(spec);
	return spec;
}

static void test_bridge(void)
{
	static const uint8_t mac[] = { 0x00, 0x16, 0x3e, 0x74, 0x3d, 0x7a };
	g_autoptr(VifSpec)
		spec = parse("mac=00:16:3E:74:3d:7a, "
			     "model=rtl8139,bridge=br0,vifname=web,type=vif,ip=10.0.0.1,"
			     "backend=0,script=vif-bridge,mtu=9000,devid=3");

	g_assert_cmpint(spec->kind, ==, VIF_BRIDGE);
	g_assert_cmpstr(spec->target, ==, "br0");
	g_assert_cmpstr(spec->vifname, ==, "web");
	g_assert_cmpstr(spec->ip, ==, "10.0.0.1");
	g_assert_cmpmem(spec->mac, 6, mac, 6);
	g_assert_true(spec->has_mac);
	g_assert_true(spec->script);
	g_assert_cmpuint(spec->mtu, ==, 9000);
	g_assert_cmpint(spec->devid, ==, 3);
}

static void test_defaults(void)
{
	g_autoptr(VifSpec) empty = parse("");
	g_autoptr(VifSpec) tap = parse("tap=tap0");

	g_assert_cmpint(empty->kind, ==, VIF_BRIDGE);
	g_assert_cmpstr(empty->target, ==, "xenbr0");
	g_assert_false(empty->has_mac);
	g_assert_false(empty->script);
	g_assert_cmpint(empty->devid, ==, -1);
	g_assert_cmpuint(empty->rate_bytes, ==, 0);
	g_assert_cmpint(tap->kind, ==, VIF_TAP);
	g_assert_cmpstr(tap->target, ==, "tap0");
}

static void test_user(void)
{
	g_autoptr(VifSpec)
		spec = parse("user,hostfwd=tcp:2222:22,hostfwd=udp:127.0.0.1:53:5353,"
			     "hostfwd=tcp:[::1]:80:8080,hostfwd=tcp:fd00::2:81:1");
	static const struct vif_forward want[] = {
		{ FALSE, NULL, 2222, 22 },
		{ TRUE, "127.0.0.1", 53, 5353 },
		{ FALSE, "::1", 80, 8080 },
		{ FALSE, "fd00::2", 81, 1 },
	};

	g_assert_cmpint(spec->kind, ==, VIF_USER);
	g_assert_null(spec->target);
	g_assert_cmpuint(spec->forwards->len, ==, G_N_ELEMENTS(want));
	for (unsigned int i = 0; i < G_N_ELEMENTS(want); i++) {
		struct vif_forward *got = &g_array_index(spec->forwards, struct vif_forward, i);

		g_assert_cmpint(got->udp, ==, want[i].udp);
		g_assert_cmpstr(got->address, ==, want[i].address);
		g_assert_cmpuint(got->host_port, ==, want[i].host_port);
		g_assert_cmpuint(got->guest_port, ==, want[i].guest_port);
	}
}

/* The first four are of xl's manual, and what libxlu makes of them. */
static void test_rate(void)
{
	static const struct {
		const char *text;
		uint64_t bytes, usec;
	} rates[] = {
		{ "rate=10Mb/s", 62500, 50000 },      { "rate=250KB/s", 12500, 50000 },
		{ "rate=1MB/s@20ms", 20000, 20000 },  { "rate=1GB/s@20ms", 20000000, 20000 },
		{ "rate=8000b/s@1s", 1000, 1000000 }, { "rate=4000B/s@500us", 2, 500 },
		{ "rate=1MB/s@20000", 20000, 20000 },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(rates); i++) {
		g_autoptr(VifSpec) spec = parse(rates[i].text);

		g_assert_cmpuint(spec->rate_bytes, ==, rates[i].bytes);
		g_assert_cmpuint(spec->rate_usec, ==, rates[i].usec);
	}
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"bridge",
		"bridge=",
		"tap=",
		"tap=a/b",
		"tap=..",
		"tap=0123456789abcdef",
		"tap=x%d",
		"bridge=br0,tap=tap0",
		"user,bridge=br0",
		"bridge=br0,user",
		"user,user",
		"user=1",
		"nonsense",
		"nonsense=1",
		"mac=",
		"mac=00:16:3e:00:00",
		"mac=1",
		"mac=00:16:3e:00:00:01:",
		"mac=00:16:3e:00:00:01:02",
		"mac=00-16-3e-00-00-01",
		"mac=00:16:3e:00:00:0g",
		"mac=01:16:3e:00:00:00",
		"mac=00:00:00:00:00:00",
		"mac= 0:16:3e:00:00:00",
		"mtu=0",
		"mtu=67",
		"mtu=65518",
		"mtu=+1500",
		"mtu=",
		"devid=-1",
		"devid=256",
		"devid=x",
		"backend=1",
		"rate=",
		"rate=10",
		"rate=10M",
		"rate=10Mb",
		"rate=Mb/s",
		"rate=0Mb/s",
		"rate=-1Mb/s",
		"rate=10Mb/s@",
		"rate=10Mb/s@0",
		"rate=10Mb/s@1h",
		"rate=10Tb/s",
		"rate=1b/s@1us",
		"rate=99999999999999999999GB/s",
		"rate=1000GB/s@1s",
		"rate=1MB/s@99999999999s",
		"hostfwd=tcp:1:2",
		"user,hostfwd",
		"user,hostfwd=",
		"user,hostfwd=tcp:22",
		"user,hostfwd=sctp:1:2",
		"user,hostfwd=tcp:0:2",
		"user,hostfwd=tcp:1:65536",
		"user,hostfwd=tcp:1:2:3",
		"user,hostfwd=tcp:localhost:1:2",
		"user,hostfwd=tcp::1:2",
		"user,hostfwd=tcp:1-2:3",
		"user,vifname=x",
		"tap=tap0,vifname=x",
		"vifname=",
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;

		g_test_message("%s", bad[i]);
		g_assert_null(vif_spec_parse(bad[i], &error));
		g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
		g_assert_true(g_str_has_prefix(error->message, "--vif: "));
		g_assert_null(strchr(error->message, '\n'));
		g_error_free(error);
	}
}

static void test_mac(void)
{
	static const uint8_t own[] = { 2, 0, 0, 0, 0, 1 };
	g_autoptr(VifSpec) first = parse("user");
	g_autoptr(VifSpec) again = parse("bridge=br0");
	g_autoptr(VifSpec) second = parse("user");
	g_autoptr(VifSpec) given = parse("user,mac=02:00:00:00:00:01");

	vif_spec_choose_mac(first, "guest", 0);
	vif_spec_choose_mac(again, "guest", 0);
	vif_spec_choose_mac(second, "guest", 1);
	vif_spec_choose_mac(given, "guest", 0);
	g_assert_cmpmem(first->mac, 3, "\x00\x16\x3e", 3);
	g_assert_cmpuint(first->mac[3], <, 0x80);
	g_assert_cmpmem(first->mac, 6, again->mac, 6);
	g_assert_cmpint(memcmp(first->mac, second->mac, 6), !=, 0);
	g_assert_cmpmem(given->mac, 6, own, 6);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vif-spec/bridge", test_bridge);
	g_test_add_func("/vif-spec/defaults", test_defaults);
	g_test_add_func("/vif-spec/user", test_user);
	g_test_add_func("/vif-spec/rate", test_rate);
	g_test_add_func("/vif-spec/bad", test_bad);
	g_test_add_func("/vif-spec/mac", test_mac);
	return g_test_run();
}
