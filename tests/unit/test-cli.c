/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend/device.h"
#include "cli/arguments.h"
#include "domain/domain.h"
#include <string.h>

static void test_memory(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "256", 256ULL << 20 }, { "256M", 256ULL << 20 }, { "256m", 256ULL << 20 },
		{ "4K", 4096 },          { "7K", 4096 },           { "2G", 2ULL << 30 },
		{ "1T", 1ULL << 40 },    { "0010", 10ULL << 20 },  { "4096T", 1ULL << 52 },
	};
	static const char *const bad[] = { "",
					   "x",
					   "-1",
					   "+1",
					   "1.5G",
					   "256X",
					   "1MB",
					   "0",
					   "3K",
					   " 1",
					   "4097T",
					   "99999999999999999999",
					   "18446744073709551616K" };
	uint64_t bytes;

	for (unsigned int i = 0; i < G_N_ELEMENTS(good); i++) {
		GError *error = NULL;

		g_assert_true(parse_memory(good[i].text, &bytes, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(bytes, ==, good[i].bytes);
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;

		g_assert_false(parse_memory(bad[i], &bytes, &error));
		g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
		g_assert_nonnull(strstr(error->message, "--memory"));
		g_error_free(error);
	}
}

static void test_bytes(void)
{
	const struct {
		const char *text;
		uint64_t bytes;
		gboolean more;
	} good[] = {
		{ "0", 0, FALSE },
		{ "4096", 4096, FALSE },
		{ "+512", 512, TRUE },
		{ "64k", 64 << 10, FALSE },
		{ "+2G", 2ULL << 30, TRUE },
		{ "3T", 3ULL << 40, FALSE },
		{ "8388607T", 8388607ULL << 40, FALSE },
	};
	const char *const bad[] = { "",     "+",   "-1",  "++1",      "+-1",
				    "1.5G", "1MB", "1 G", "8388608T", "99999999999999999999" };
	uint64_t bytes;
	gboolean more;

	for (unsigned int i = 0; i < G_N_ELEMENTS(good); i++) {
		GError *error = NULL;

		g_assert_true(parse_bytes(good[i].text, &bytes, &more, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(bytes, ==, good[i].bytes);
		g_assert_cmpint(more, ==, good[i].more);
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;

		g_assert_false(parse_bytes(bad[i], &bytes, &more, &error));
		g_assert_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
		g_assert_nonnull(strstr(error->message, "SIZE"));
		g_error_free(error);
	}
}

static void test_machine(void)
{
	static const char *const bad[] = {
		"", "xen", "kvm,accel=tcg", "qemu,cpus=1", "qemu,", "auto,cpu=max"
	};
	struct machine_choice choice;

	g_assert_true(parse_machine(NULL, &choice, NULL));
	g_assert_cmpstr(choice.name, ==, "auto");
	machine_choice_clear(&choice);
	g_assert_true(parse_machine("qemu,accel=kvm,cpu=host,accel=tcg", &choice, NULL));
	g_assert_cmpstr(choice.name, ==, "qemu");
	g_assert_cmpstr(choice.accel, ==, "tcg");
	g_assert_cmpstr(choice.cpu, ==, "host");
	machine_choice_clear(&choice);
	for (unsigned int i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;

		g_assert_false(parse_machine(bad[i], &choice, &error));
		g_assert_nonnull(strstr(error->message, "--machine"));
		g_assert_null(choice.name);
		g_error_free(error);
	}
}

static void test_trace(void)
{
	GError *error = NULL;
	uint32_t trace;

	g_assert_true(parse_trace(NULL, &trace, NULL));
	g_assert_cmpuint(trace, ==, 0);
	g_assert_true(parse_trace("xenstore,hypercalls", &trace, NULL));
	g_assert_cmpuint(trace, ==, TRACE_XENSTORE | TRACE_HYPERCALLS);
	g_assert_false(parse_trace("events,everything", &trace, &error));
	g_assert_nonnull(strstr(error->message, "everything"));
	g_error_free(error);
}

static void test_name(void)
{
	g_assert_true(parse_name("guest-1.example_A", NULL));
	g_assert_false(parse_name("", NULL));
	g_assert_false(parse_name("..", NULL));
	g_assert_false(parse_name("a/b", NULL));
	g_assert_false(parse_name("a\nb", NULL));
	g_assert_false(parse_name("0123456789012345678901234567890123456789"
				  "0123456789012345678901234567890123456789",
				  NULL));
}

static void free_device(gpointer opaque)
{
	struct device_config *config = opaque;

	config->free(config);
}

static void check_disks(char *const *texts, unsigned int nr, const char *refused)
{
	g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func(free_device);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(parse_disks(texts, devices, &error), ==, refused == NULL);
	if (refused)
		g_assert_nonnull(strstr(error->message, refused));
	else
		g_assert_cmpuint(devices->len, ==, nr);
}

static void test_disks(void)
{
	char *good[] = { "/a", "/b,,xvda", "/c,qcow2,sda1,r", NULL };
	char *bad[] = { "/a", "/b,,nosuch", NULL };
	char *many[28] = { 0 };

	check_disks(NULL, 0, NULL);
	check_disks(good, 3, NULL);
	check_disks(bad, 0, "disk nosuch");
	for (unsigned int i = 0; i < 26; i++)
		many[i] = "/a";
	check_disks(many, 26, NULL);
	many[26] = "/z";
	check_disks(many, 0, "--disk /z: xvda to xvdz are taken");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cli/memory", test_memory);
	g_test_add_func("/cli/bytes", test_bytes);
	g_test_add_func("/cli/machine", test_machine);
	g_test_add_func("/cli/trace", test_trace);
	g_test_add_func("/cli/name", test_name);
	g_test_add_func("/cli/disks", test_disks);
	return g_test_run();
}
