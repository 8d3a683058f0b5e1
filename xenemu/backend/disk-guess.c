/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-guess.c - does a raw disk look like an image of another format?
 *
 * The signatures are those of the formats' specifications (QEMU's docs/interop for
 * qcow2, qed and parallels; Microsoft's for VHD and VHDX; VMware's for VMDK; VirtualBox's
 * VDICore.h for VDI).
 */
#include "backend/disk-guess.h"
#include <glib.h>
#include <string.h>

static const struct {
	const char *format;
	size_t offset;
	size_t len;
	const char *magic;
} signatures[] = {
	{ "qcow", 0, 8, "QFI\xfb\0\0\0\x01" },
	{ "qcow2", 0, 4, "QFI\xfb" },
	{ "vhd", 0, 8, "conectix" },
	{ "vhdx", 0, 8, "vhdxfile" },
	{ "vmdk", 0, 4, "KDMV" },
	{ "qed", 0, 4, "QED\0" },
	{ "vdi", 64, 4, "\x7f\x10\xda\xbe" },
	{ "parallels", 0, 16, "WithoutFreeSpace" },
	{ "parallels", 0, 16, "WithouFreSpacExt" },
};

const char *disk_guess_format(const void *head, size_t len)
{
	for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++)
		if (signatures[i].offset + signatures[i].len <= len &&
		    !memcmp((const char *)head + signatures[i].offset, signatures[i].magic,
			    signatures[i].len))
			return signatures[i].format;
	return NULL;
}
