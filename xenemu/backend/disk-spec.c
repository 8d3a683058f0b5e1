/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-spec.c - a virtual disk as its user describes it
 */
#include "backend/disk-spec.h"

void disk_spec_free(struct disk_spec *spec)
{
	if (!spec)
		return;
	g_free(spec->target);
	g_free(spec->format);
	g_free(spec->vdev);
	g_free(spec);
}
