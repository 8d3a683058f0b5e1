/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk-spec.h - what `--disk` says: a virtual disk as the user describes it
 *
 * The words are those of xl (xl-disk-configuration(5)), of its deprecated forms, and of
 * xm before it; a target may be a URI, and a name in the guest need not be given:
 * "disk.img", "/dev/vg/guest,,xvda,r", "qcow2:disk.qcow2,sda,w", "phy:vg/guest,sda1,w",
 * "format=vhd, vdev=xvda, target=disk.vhd", "nbd://server/export,,xvdb".
 */
#ifndef XENEMU_BACKEND_DISK_SPEC_H
#define XENEMU_BACKEND_DISK_SPEC_H

#include <glib.h>

/**
 * struct disk_spec - a disk as described by its user
 * @target:    file, block device or URI; NULL for a CD-ROM drive with no medium
 * @format:    "raw", or another name of QEMU's block layer ("qcow2", "vpc", ...)
 * @vdev:      name in the guest ("xvda", "sda1", "hdc", ...); NULL: not chosen yet
 * @read_only: the guest may not write
 * @cdrom:     the guest is told that it is a CD-ROM
 * @discard:   the guest's discards are passed on
 * @persistent: the guest may leave its grants mapped between requests, and copy what
 *             it reads and writes to and from such pages
 * @locked:    take the image's lock, as QEMU would; FALSE: the user says that
 *             others may use it too (xm's mode `w!`)
 * @reconnect: seconds for which requests wait when a server is gone, before they fail
 *
 * Strings are owned by the structure.
 */
struct disk_spec {
	char *target;
	char *format;
	char *vdev;
	gboolean read_only;
	gboolean cdrom;
	gboolean discard;
	gboolean persistent;
	gboolean locked;
	unsigned int reconnect;
};

/** Seconds, unless `reconnect=` says otherwise */
#define DISK_RECONNECT 120

/**
 * disk_spec_parse() - read what was given to --disk
 * @text:  as typed
 * @error: G_OPTION_ERROR, names --disk, the text and the word
 *
 * Files and names are not looked at.
 * Return: disk_spec_free() it; NULL with @error set.
 */
struct disk_spec *disk_spec_parse(const char *text, GError **error);

/**
 * disk_spec_shown() - the target as the guest may read it
 *
 * Without what may be secret: the user and the query of a URI, the options of json:.
 * Return: g_free() it.
 */
char *disk_spec_shown(const struct disk_spec *spec);

/**
 * disk_spec_is_file() - whether the target is a path: of a file or a block device, not a
 * URI or options for QEMU's block layer (json:{...})
 */
gboolean disk_spec_is_file(const struct disk_spec *spec);

/** disk_spec_free() - free @spec and its strings; NULL is allowed */
void disk_spec_free(struct disk_spec *spec);

typedef struct disk_spec DiskSpec;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DiskSpec, disk_spec_free)

#endif
