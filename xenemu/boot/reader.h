/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader.h - what a disk holds, found out by a process that can do no harm
 *
 * File systems of guests are hostile, and so are their kernels, which are packed in seven
 * ways: they are parsed and unpacked in a sandbox (sandbox.h).
 * That process asks for pieces of the disk, which we read through disk.h: any kind of
 * store will do.
 */
#ifndef XENEMU_BOOT_READER_H
#define XENEMU_BOOT_READER_H

#include "backend/disk-spec.h"
#include "boot/disk-source.h"
#include "domain/image.h"

/**
 * struct reader_finding - what the guest's boot loader would start; see probe.h
 * @config: its configuration, printable
 * @kernel: path of the kernel, printable
 * @width:  word size of the kernel
 * @abi:    ABI that it wants; any string
 */
struct reader_finding {
	char config[64];
	char kernel[256];
	enum image_width width;
	char abi[32];
};

/**
 * reader_probe() - what would a boot loader start from this disk?
 * @spec:    the disk; opened for reading only
 * @finding: filled in
 * @error:   BOOT_ERROR: nothing that we can read, or the reading failed; DISK_ERROR
 */
gboolean reader_probe(const struct disk_spec *spec, struct reader_finding *finding,
		      GError **error);

/**
 * reader_file() - read a file of the disk's file systems
 * @spec:  the disk; opened for reading only
 * @path:  absolute, as the guest sees it
 * @max:   most bytes
 * @error: names the disk and the path
 *
 * Waits, and turns the default main context meanwhile: a minute at most.
 */
GBytes *reader_file(const struct disk_spec *spec, const char *path, uint64_t max,
		    GError **error);

/**
 * reader_kernel() - the same of a kernel, unpacked there
 *
 * Return: what should be a plain ELF file; that process says so.
 */
GBytes *reader_kernel(const struct disk_spec *spec, const char *path, GError **error);

/**
 * reader_unpack() - unpack a kernel of the host's by such a process
 * @name:  for messages
 * @file:  the kernel's file, which image_is_packed()
 * @error: names it
 *
 * Return: as reader_kernel().
 */
GBytes *reader_unpack(const char *name, GBytes *file, GError **error);

#endif
