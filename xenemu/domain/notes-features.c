/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notes-features.c - the FEATURES string, and strings of kernels in general
 */
#include "domain/notes.h"
#include <string.h>
#include <xen/xen.h>

#include <xen/features.h>

/* Names that Xen's tools read in FEATURES (4.17 libelf-dominfo.c) */
static const struct {
	const char *name;
	unsigned int bit;
	gboolean refused; /* what no domU of Xen gets, when required */
} feature_names[] = {
	{ "writable_page_tables", XENFEAT_writable_page_tables, FALSE },
	{ "writable_descriptor_tables", XENFEAT_writable_descriptor_tables, FALSE },
	{ "auto_translated_physmap", XENFEAT_auto_translated_physmap, TRUE },
	{ "supervisor_mode_kernel", XENFEAT_supervisor_mode_kernel, TRUE },
	{ "pae_pgdir_above_4gb", XENFEAT_pae_pgdir_above_4gb, FALSE },
	{ "hvm_callback_vector", XENFEAT_hvm_callback_vector, TRUE },
	{ "dom0", XENFEAT_dom0, TRUE },
};

char *notes_string(const void *bytes, size_t len)
{
	char *text = g_strndup(bytes, len);

	/* It ends up on terminals: no escape sequences from kernel files. */
	for (char *c = text; *c; c++)
		if (!g_ascii_isprint(*c))
			*c = '?';
	return text;
}

static gboolean add_feature(struct notes *notes, const char *feature, GError **error)
{
	gboolean required = feature[0] == '!';
	const char *name = feature + required;

	for (size_t i = 0; i < G_N_ELEMENTS(feature_names); i++) {
		uint32_t bit = 1U << feature_names[i].bit;

		if (strcmp(name, feature_names[i].name) != 0)
			continue;
		notes->image->features_supported |= bit;
		if (!required)
			return TRUE;
		notes->image->features_required |= bit;
		if (!feature_names[i].refused)
			return TRUE;
		break;
	}
	if (!required)
		return TRUE; /* an offer nobody takes up */
	g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_UNSUPPORTED,
		    "%s: this kernel requires Xen's feature \"%s\", which PV guests are not "
		    "given%s",
		    notes->name, name,
		    strcmp(name, "dom0") == 0 ? "; use a kernel that can run as domU" : "");
	return FALSE;
}

gboolean notes_add_features(struct notes *notes, const char *features, GError **error)
{
	g_auto(GStrv) each = g_strsplit(features, "|", -1);

	for (char **feature = each; *feature; feature++)
		if (!add_feature(notes, *feature, error))
			return FALSE;
	return TRUE;
}
