/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine.c - which machine runs a guest
 */
#include "machine/machine.h"

G_DEFINE_QUARK(machine_error, machine_error)

/* The order is what "auto" prefers. */
static const struct machine_ops *const machines[] = { &machine_kvm, &machine_qemu };

static const struct machine_ops *select_auto(gboolean wide, char **why, GError **error)
{
	g_autoptr(GError) no_kvm = NULL;
	gboolean kvm = machine_kvm.probe(wide, NULL, &no_kvm);
	const char *drawback = kvm ? machine_kvm.drawback() : no_kvm->message;

	if (!drawback)
		return &machine_kvm;
	if (machine_qemu.probe(wide, NULL, kvm ? NULL : error)) {
		if (why)
			*why = g_strdup(drawback);
		return &machine_qemu;
	}
	if (kvm)
		return &machine_kvm;
	g_prefix_error(error, "%s\n", no_kvm->message);
	return NULL;
}

const struct machine_ops *machine_select(const char *name, gboolean wide, char **why,
					 GError **error)
{
	guint i;

	if (why)
		*why = NULL;
	if (!name || g_str_equal(name, "auto"))
		return select_auto(wide, why, error);
	for (i = 0; i < G_N_ELEMENTS(machines); i++)
		if (g_str_equal(name, machines[i]->name))
			return machines[i]->probe(wide, NULL, error) ? machines[i] : NULL;
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_ABSENT,
		    "there is no machine \"%s\"; --machine is auto, kvm or qemu", name);
	return NULL;
}
