/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - a guest kernel image: unpacked, parsed, checked, not yet placed
 *
 * The file is hostile: every offset, length and count is checked against the
 * bytes that are there; unpacking is bounded.
 */
#ifndef XENEMU_DOMAIN_IMAGE_H
#define XENEMU_DOMAIN_IMAGE_H

#include <glib.h>
#include <stdint.h>

#define IMAGE_ERROR (image_error_quark())
GQuark image_error_quark(void);
enum image_error {
	IMAGE_ERROR_FORMAT, /* not a kernel image of a known format */
	IMAGE_ERROR_CORRUPT, /* a length or offset points outside */
	IMAGE_ERROR_NOT_XEN, /* a kernel, but without Xen PV entry */
	IMAGE_ERROR_UNSUPPORTED, /* a Xen kernel that can't run here */
	IMAGE_ERROR_READ, /* the file can't be read */
};

enum image_width {
	IMAGE_X86_64,
	IMAGE_X86_32P, /* PAE */
	IMAGE_X86_32, /* two-level */
};

/** Largest unpacked kernel that is accepted, bytes; fuzzers build with less */
#ifndef IMAGE_MAX_BYTES
#define IMAGE_MAX_BYTES (512UL << 20)
#endif

#define IMAGE_NONE (~0ULL)

/**
 * struct image_segment - one PT_LOAD
 * @paddr:  p_paddr as in the file
 * @filesz: bytes taken from @offset of the payload
 * @memsz:  bytes in memory, >= @filesz, the rest zero
 * @offset: offset in the payload, checked
 */
struct image_segment {
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t offset;
};

/**
 * struct image - a parsed kernel
 * @payload:    the ELF file, unpacked
 * @packing:    how it was packed, for messages: "ELF", "ELF, gzip",
 *              "bzImage, xz" ...
 * @width:      word size and paging
 * @segments:   struct image_segment, PT_LOADs with memsz > 0 in file order
 * @from_notes: described by ELF notes; else by __xen_guest
 * @guest_os, @guest_version, @xen_version, @loader, @features, @pae_mode:
 *              strings of the notes ("" if absent); @features: as given
 * @features_required, @features_supported: bit masks (XENFEAT_*), of the
 *              FEATURES string ("!name": required) and SUPPORTED_FEATURES
 * @supported_note: note SUPPORTED_FEATURES is there
 * @virt_base:  virtual address of pfn 0
 * @paddr_offset: va = p_paddr - @paddr_offset + @virt_base
 * @entry:      virtual address of the first instruction
 * @hypercall_page: virtual address, or IMAGE_NONE
 * @init_p2m:   virtual address wanted for the p2m list, or IMAGE_NONE
 * @hv_start_low: or IMAGE_NONE
 * @l1_mfn_mask, @l1_mfn_value: L1_MFN_VALID, or 0
 * @mod_start_pfn: the initrd may lie outside the initial mapping
 * @suspend_cancel: note SUSPEND_CANCEL
 * @bsd_symtab: BSD_SYMTAB: it wants its symbol table behind itself
 * @symbols:  that, as it is in memory, or NULL
 * @symbols_vaddr: where
 * @extended_cr3: PAE=yes[extended-cr3] or such a feature
 * @virt_start, @virt_end: range of all segments and symbols, virtual, page
 *            aligned
 */
struct image {
	GBytes *payload;
	char *packing;
	enum image_width width;
	GArray *segments;
	gboolean from_notes;
	char *guest_os;
	char *guest_version;
	char *xen_version;
	char *loader;
	char *features;
	char *pae_mode;
	uint32_t features_required;
	uint32_t features_supported;
	gboolean supported_note;
	uint64_t virt_base;
	uint64_t paddr_offset;
	uint64_t entry;
	uint64_t hypercall_page;
	uint64_t init_p2m;
	uint64_t hv_start_low;
	uint64_t l1_mfn_mask;
	uint64_t l1_mfn_value;
	gboolean mod_start_pfn;
	gboolean suspend_cancel;
	gboolean bsd_symtab;
	GBytes *symbols;
	uint64_t symbols_vaddr;
	gboolean extended_cr3;
	uint64_t virt_start;
	uint64_t virt_end;
};

/**
 * image_map() - a kernel file's content
 * @path:  file name
 * @error: IMAGE_ERROR_READ; names the file
 */
GBytes *image_map(const char *path, GError **error);

/** image_is_packed() - is it anything else than a plain ELF file? */
gboolean image_is_packed(GBytes *bytes);

/**
 * image_parse_elf() - parse a kernel that is not packed, or not any more
 * @name:  for messages
 * @bytes: the file's content; a reference is taken while the image lives
 * @error: names the file, what is wrong with it and what to do
 *
 * Unpacking is left to a process that can do no harm (boot/reader.h).
 * Return: owned by the caller, image_free(); NULL with @error set.
 */
struct image *image_parse_elf(const char *name, GBytes *bytes, GError **error);

/**
 * image_parse() - the same of a file that may be packed, or a bzImage
 *
 * For that process, tests and fuzzers.
 */
struct image *image_parse(const char *name, GBytes *bytes, GError **error);

/** image_free() - release; NULL is allowed */
void image_free(struct image *image);
typedef struct image Image; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Image, image_free)

/**
 * image_abi() - name of the ABI that an image wants (--abi auto)
 *
 * __xen_guest alone: xen-3.0.3.  GUEST_OS linux with a hypercall page and with
 * SUSPEND_CANCEL or L1_MFN_VALID: xen-3.1; such notes without them: xen-3.0.3.
 * INIT_P2M, SUPPORTED_FEATURES, no hypercall page, any other guest with notes:
 * xen-4; if it has two-level tables, which no Xen 4 runs: xen-3.1.
 * Return: a static string.
 */
const char *image_abi(const struct image *image);

/** image_width_name() - for messages: "64-bit", "32-bit PAE", "32-bit (without PAE)" */
const char *image_width_name(enum image_width width);

#endif
