/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arguments.c - option values that are more than a word
 */
#include "cli/arguments.h"
#include "backend/console-device.h"
#include "backend/vbd.h"
#include "backend/vif.h"
#include "domain/domain.h"
#include <string.h>

#define NAME_MAX_BYTES 64

/* Powers of two of the suffixes, @plain for none; -1 for no such suffix */
static int suffix_shift(const char *suffix, int plain)
{
	static const struct {
		char letter;
		int shift;
	} known[] = { { 'K', 10 }, { 'M', 20 }, { 'G', 30 }, { 'T', 40 } };

	if (!*suffix)
		return plain;
	for (unsigned int i = 0; i < G_N_ELEMENTS(known); i++)
		if (g_ascii_toupper(*suffix) == known[i].letter && !suffix[1])
			return known[i].shift;
	return -1;
}

gboolean parse_memory(const char *text, uint64_t *bytes, GError **error)
{
	char *end;
	uint64_t number = g_ascii_strtoull(text, &end, 10);
	int shift = suffix_shift(end, 20);

	if (!g_ascii_isdigit(*text) || shift < 0) {
		g_set_error(
			error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"--memory: `%s' is not a size; give MiB, or a number with K, M or G",
			text);
		return FALSE;
	}
	/* Beyond 2^52 bytes no x86 has addresses; this also keeps the shift in range. */
	if (number > (1ULL << 52) >> shift) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--memory: `%s' is more than any machine can have", text);
		return FALSE;
	}
	*bytes = (number << shift) / PAGE_SIZE * PAGE_SIZE;
	if (!*bytes) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--memory: `%s' is too little for any guest", text);
		return FALSE;
	}
	return TRUE;
}

gboolean parse_bytes(const char *text, uint64_t *bytes, gboolean *more, GError **error)
{
	const char *digits = text + (*text == '+');
	char *end;
	uint64_t number = g_ascii_strtoull(digits, &end, 10);
	int shift = suffix_shift(end, 0);

	if (!g_ascii_isdigit(*digits) || shift < 0) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "SIZE: `%s' is not a size; give bytes, or a number with K, M, G or "
			    "T, either with a + before it to add so much",
			    text);
		return FALSE;
	}
	if (number > (uint64_t)INT64_MAX >> shift) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "SIZE: `%s' is more than any disk can have", text);
		return FALSE;
	}
	*bytes = number << shift;
	*more = digits != text;
	return TRUE;
}

/* --- --machine --- */

static gboolean set_property(struct machine_choice *choice, const char *word, GError **error)
{
	char **where = NULL;

	if (g_str_has_prefix(word, "accel="))
		where = &choice->accel;
	else if (g_str_has_prefix(word, "cpu="))
		where = &choice->cpu;
	if (!where || strcmp(choice->name, "qemu")) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--machine: `%s' is not understood after `%s'; "
			    "only qemu takes accel=NAME and cpu=MODEL",
			    word, choice->name);
		return FALSE;
	}
	g_free(*where);
	*where = g_strdup(strchr(word, '=') + 1);
	return TRUE;
}

static gboolean is_machine(const char *name)
{
	return !strcmp(name, "auto") || !strcmp(name, "kvm") || !strcmp(name, "qemu");
}

gboolean parse_machine(const char *text, struct machine_choice *choice, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text ? text : "auto", ",", -1);

	*choice = (struct machine_choice){ 0 };
	if (!words[0] || !is_machine(words[0])) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--machine: unknown machine `%s'; there are auto, kvm and qemu",
			    words[0] ? words[0] : "");
		return FALSE;
	}
	choice->name = g_strdup(words[0]);
	for (unsigned int i = 1; words[i]; i++) {
		if (!set_property(choice, words[i], error)) {
			machine_choice_clear(choice);
			return FALSE;
		}
	}
	return TRUE;
}

void machine_choice_clear(struct machine_choice *choice)
{
	g_clear_pointer(&choice->name, g_free);
	g_clear_pointer(&choice->accel, g_free);
	g_clear_pointer(&choice->cpu, g_free);
}

/* --- --trace --- */

static uint32_t trace_bit(const char *word)
{
	if (!strcmp(word, "hypercalls"))
		return TRACE_HYPERCALLS;
	if (!strcmp(word, "events"))
		return TRACE_EVENTS;
	if (!strcmp(word, "xenstore"))
		return TRACE_XENSTORE;
	return 0;
}

gboolean parse_trace(const char *text, uint32_t *trace, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text ? text : "", ",", -1);

	*trace = 0;
	for (unsigned int i = 0; words[i]; i++) {
		if (!trace_bit(words[i])) {
			g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
				    "--trace: unknown word `%s'; "
				    "there are hypercalls, events and xenstore",
				    words[i]);
			return FALSE;
		}
		*trace |= trace_bit(words[i]);
	}
	return TRUE;
}

/* --- --name --- */

gboolean parse_name(const char *text, GError **error)
{
	size_t valid = strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-.+:");

	if (*text && *text != '.' && !text[valid] && valid <= NAME_MAX_BYTES)
		return TRUE;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
		    "--name: `%s' is not a name; give up to %d letters, digits or _-.+:", text,
		    NAME_MAX_BYTES);
	return FALSE;
}

/* --- --disk --- */

/* Move the specs to @devices. */
static gboolean make_disks(GPtrArray *specs, GPtrArray *devices, GError **error)
{
	for (unsigned int i = 0; i < specs->len; i++) {
		struct disk_spec *spec = g_steal_pointer(&specs->pdata[i]);
		struct device_config *config;

		if (!spec->vdev) {
			g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
				    "--disk %s: xvda to xvdz are taken; name the disk in the "
				    "guest",
				    spec->target);
			disk_spec_free(spec);
			return FALSE;
		}
		config = vbd_config_new(spec, error);
		if (!config)
			return FALSE;
		g_ptr_array_add(devices, config);
	}
	return TRUE;
}

static void free_spec(gpointer spec)
{
	disk_spec_free(spec);
}

gboolean parse_disks(char *const *texts, GPtrArray *devices, GError **error)
{
	g_autoptr(GPtrArray) specs = g_ptr_array_new_with_free_func(free_spec);

	for (; texts && *texts; texts++) {
		struct disk_spec *spec = disk_spec_parse(*texts, error);

		if (!spec)
			return FALSE;
		g_ptr_array_add(specs, spec);
	}
	vbd_name_disks(specs);
	return make_disks(specs, devices, error);
}

/* --- --vif --- */

/* Marks the indices that are given; FALSE: one twice. */
static gboolean mark_devids(const GPtrArray *specs, gboolean *used, GError **error)
{
	for (unsigned int i = 0; i < specs->len; i++) {
		const struct vif_spec *spec = specs->pdata[i];

		if (spec->devid < 0)
			continue;
		if (used[spec->devid]) {
			g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
				    "--vif: devid=%d is given twice", spec->devid);
			return FALSE;
		}
		used[spec->devid] = TRUE;
	}
	return TRUE;
}

/* The first index that is not used; one past the last when there is none. */
static unsigned int free_devid(const gboolean *used)
{
	unsigned int index = 0;

	while (index <= VIF_MAX_DEVID && used[index])
		index++;
	return index;
}

static gboolean make_vifs(GPtrArray *specs, GPtrArray *devices, GError **error)
{
	gboolean used[VIF_MAX_DEVID + 1] = { 0 };

	if (!mark_devids(specs, used, error))
		return FALSE;
	while (specs->len) {
		struct vif_spec *spec = specs->pdata[0];

		if (spec->devid < 0)
			spec->devid = free_devid(used);
		if (spec->devid > VIF_MAX_DEVID) {
			g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
				    "--vif: a guest can have %u interfaces at most",
				    VIF_MAX_DEVID + 1);
			return FALSE;
		}
		used[spec->devid] = TRUE;
		g_ptr_array_add(devices, vif_config_new(g_ptr_array_steal_index(specs, 0)));
	}
	return TRUE;
}

static void free_vif_spec(gpointer spec)
{
	vif_spec_free(spec);
}

gboolean parse_vifs(char *const *texts, GPtrArray *devices, GError **error)
{
	g_autoptr(GPtrArray) specs = g_ptr_array_new_with_free_func(free_vif_spec);

	for (; texts && *texts; texts++) {
		struct vif_spec *spec = vif_spec_parse(*texts, error);

		if (!spec)
			return FALSE;
		g_ptr_array_add(specs, spec);
	}
	return make_vifs(specs, devices, error);
}

/* --- --console --- */

static gboolean add_console(const char *text, GPtrArray *consoles, GError **error)
{
	struct console_spec *spec = console_spec_parse(text, error);

	if (!spec)
		return FALSE;
	spec->index = consoles->len;
	for (unsigned int i = 0; i < consoles->len; i++) {
		const struct console_spec *other = consoles->pdata[i];

		if (spec->kind != CONSOLE_STDIO || other->kind != CONSOLE_STDIO)
			continue;
		console_spec_free(spec);
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--console: stdio is given twice; only one console can have it");
		return FALSE;
	}
	g_ptr_array_add(consoles, spec);
	return TRUE;
}

gboolean parse_consoles(char *const *texts, GPtrArray *consoles, GPtrArray *devices,
			GError **error)
{
	char *const usual[] = { "stdio", NULL };

	for (texts = texts ? texts : usual; *texts; texts++)
		if (!add_console(*texts, consoles, error))
			return FALSE;
	if (consoles->len > CONSOLE_MAX) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--console: a guest can have %u consoles at most", CONSOLE_MAX);
		return FALSE;
	}
	for (unsigned int i = 1; i < consoles->len; i++)
		g_ptr_array_add(devices, console_config_new(consoles->pdata[i]));
	return TRUE;
}
