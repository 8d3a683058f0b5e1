/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.c - a guest kernel image: loaded, checked, described
 */
#include "domain/image.h"
#include "domain/elf.h"
#include "domain/image-symbols.h"
#include "domain/image-unpack.h"
#include "domain/notes.h"
#include "machine/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/xen.h>

#include <xen/elfnote.h>
#include <xen/features.h>

G_DEFINE_QUARK(xenemu_image_error, image_error)

static struct image *image_new(void)
{
	struct image *image = g_new0(struct image, 1);

	image->segments = g_array_new(FALSE, FALSE, sizeof(struct image_segment));
	image->guest_os = g_strdup("");
	image->guest_version = g_strdup("");
	image->xen_version = g_strdup("");
	image->loader = g_strdup("");
	image->features = g_strdup("");
	image->pae_mode = g_strdup("");
	image->hypercall_page = IMAGE_NONE;
	image->init_p2m = IMAGE_NONE;
	image->hv_start_low = IMAGE_NONE;
	return image;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	g_clear_pointer(&image->payload, g_bytes_unref);
	g_clear_pointer(&image->symbols, g_bytes_unref);
	g_array_unref(image->segments);
	g_free(image->packing);
	g_free(image->guest_os);
	g_free(image->guest_version);
	g_free(image->xen_version);
	g_free(image->loader);
	g_free(image->features);
	g_free(image->pae_mode);
	g_free(image);
}

static gboolean fail(GError **error, enum image_error code, const char *name, const char *why)
{
	g_set_error(error, IMAGE_ERROR, code, "%s: %s", name, why);
	return FALSE;
}

static gboolean is_pae(const struct image *image)
{
	return strncmp(image->pae_mode, "yes", 3) == 0 || strstr(image->pae_mode, "bimodal");
}

static gboolean set_width(struct image *image, const struct elf *elf, const char *name,
			  GError **error)
{
	if (elf->is_64 && elf->machine == EM_X86_64)
		image->width = IMAGE_X86_64;
	else if (!elf->is_64 && elf->machine == EM_386)
		image->width = is_pae(image) ? IMAGE_X86_32P : IMAGE_X86_32;
	else
		return fail(error, IMAGE_ERROR_FORMAT, name,
			    "a kernel for another kind of processor; x86 kernels run here");
	return TRUE;
}

/*
 * Kernels that only run as PVH or HVM guests carry most notes as well.  A PV
 * entry shows in ENTRY or VIRT_BASE; Mini-OS has neither, but HYPERCALL_PAGE,
 * which HVM Linux has too.
 */
static gboolean has_pv_entry(const struct notes *notes)
{
	const struct image *image = notes->image;

	if (!image->from_notes || notes->seen & (NOTE_BIT(ENTRY) | NOTE_BIT(VIRT_BASE)))
		return TRUE;
	return notes->seen & NOTE_BIT(HYPERCALL_PAGE) && !notes->phys32_entry &&
	       strcmp(image->guest_os, "linux") != 0;
}

/* The same images as Xen's tools accept (4.17 libelf-dominfo.c) */
static gboolean check_description(const struct notes *notes, GError **error)
{
	const struct image *image = notes->image;

	if (!has_pv_entry(notes))
		return fail(error, IMAGE_ERROR_NOT_XEN, notes->name,
			    notes->phys32_entry
				    ? "this kernel has no Xen PV entry: it can only be started "
				      "as a "
				      "PVH guest (Linux has a PV entry when built with "
				      "CONFIG_XEN_PV)"
				    : "this kernel has no Xen PV entry: it only runs as an HVM "
				      "guest "
				      "(Linux has a PV entry when built with CONFIG_XEN_PV)");
	if (!g_str_has_prefix(image->loader, "generic") &&
	    !g_str_has_prefix(image->guest_os, "linux")) {
		g_set_error(
			error, IMAGE_ERROR, IMAGE_ERROR_UNSUPPORTED,
			"%s: this kernel wants the loader \"%s\"; only \"generic\" is known",
			notes->name, image->loader);
		return FALSE;
	}
	if (!g_str_has_prefix(image->xen_version, "xen-3.0")) {
		g_set_error(
			error, IMAGE_ERROR, IMAGE_ERROR_UNSUPPORTED,
			"%s: this kernel is made for \"%s\"; only the \"xen-3.0\" interface, "
			"which Xen 3.0 and later have, is known",
			notes->name, image->xen_version);
		return FALSE;
	}
	return TRUE;
}

static gboolean add_segment(struct image *image, const struct elf *elf, const Elf64_Phdr *ph,
			    const char *name, GError **error)
{
	struct image_segment segment = {
		.paddr = ph->p_paddr,
		.filesz = ph->p_filesz,
		.memsz = ph->p_memsz,
		.offset = ph->p_offset,
	};

	if (!elf_bytes(elf, segment.offset, segment.filesz))
		return fail(
			error, IMAGE_ERROR_CORRUPT, name,
			"a segment of the kernel lies outside the file, which is cut off or "
			"corrupt");
	if (segment.filesz > segment.memsz || segment.memsz > UINT64_MAX - segment.paddr)
		return fail(
			error, IMAGE_ERROR_CORRUPT, name,
			"a segment of the kernel has an impossible size; the file is corrupt");
	g_array_append_val(image->segments, segment);
	return TRUE;
}

static gboolean read_segments(struct image *image, const struct elf *elf, const char *name,
			      GError **error)
{
	for (unsigned int i = 0; i < elf->nr_segments; i++) {
		Elf64_Phdr ph = elf_segment(elf, i);

		if (elf_is_loadable(&ph) && ph.p_memsz > 0 &&
		    !add_segment(image, elf, &ph, name, error))
			return FALSE;
	}
	if (image->segments->len == 0)
		return fail(
			error, IMAGE_ERROR_FORMAT, name,
			"an ELF file without anything to load; give the kernel's vmlinux, not "
			"an object file or its debug information");
	return TRUE;
}

/* What is not said has a default, and the default differs with age. */
static void fill_defaults(struct image *image, const struct notes *notes, const struct elf *elf)
{
	/*
	 * __xen_guest without ELF_PADDR_OFFSET: such kernels have virtual
	 * addresses in p_paddr (Xen 4.17 libelf-dominfo.c).
	 */
	if (!(notes->seen & NOTE_BIT(PADDR_OFFSET)))
		image->paddr_offset = image->from_notes ? 0 : image->virt_base;
	if (!(notes->seen & NOTE_BIT(ENTRY)))
		image->entry = elf->entry;
	if (image->features_supported & (1U << XENFEAT_pae_pgdir_above_4gb))
		image->extended_cr3 = TRUE;
}

/* The symbols come behind the last segment. */
static gboolean place_symbols(struct image *image, const struct elf *elf)
{
	uint64_t align = image_symbols_align(elf);

	if (!image->bsd_symtab)
		return TRUE;
	image->symbols = image_symbols(elf);
	if (!image->symbols)
		return TRUE;
	image->symbols_vaddr = (image->virt_end + align - 1) & -align;
	if (image->symbols_vaddr < image->virt_end)
		return FALSE;
	image->virt_end = image->symbols_vaddr + g_bytes_get_size(image->symbols);
	return image->virt_end >= image->symbols_vaddr;
}

/* Range of the segments; FALSE when they do not make one of sensible size. */
static gboolean find_range(struct image *image, const struct elf *elf)
{
	uint64_t low = UINT64_MAX, high = 0, sum = 0;

	for (guint i = 0; i < image->segments->len; i++) {
		struct image_segment *s =
			&g_array_index(image->segments, struct image_segment, i);

		low = MIN(low, s->paddr);
		high = MAX(high, s->paddr + s->memsz);
		if (s->memsz > UINT64_MAX - sum)
			return FALSE;
		sum += s->memsz;
	}
	/*
	 * Segments may overlap (Xen 3.0.3's Linux), but not so that placing
	 * them takes more than twice their range: XSA-25's lesson.
	 */
	if (sum / 2 > high - low)
		return FALSE;
	/* Wraps when VIRT_BASE = PADDR_OFFSET: that is meant so. */
	image->virt_start = low - image->paddr_offset + image->virt_base;
	image->virt_end = image->virt_start + (high - low);
	if (image->virt_end < image->virt_start || !place_symbols(image, elf) ||
	    image->virt_end > UINT64_MAX - PAGE_SIZE)
		return FALSE;
	image->virt_start &= ~(PAGE_SIZE - 1);
	image->virt_end = (image->virt_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	return TRUE;
}

static gboolean check_addresses(const struct image *image, const char *name, GError **error)
{
	if (image->virt_base > image->virt_start || image->virt_base & (PAGE_SIZE - 1))
		return fail(
			error, IMAGE_ERROR_CORRUPT, name,
			"the kernel says that it lies below its own VIRT_BASE, or that this "
			"is not a page's address; the file is corrupt");
	if (image->entry < image->virt_start || image->entry >= image->virt_end)
		return fail(error, IMAGE_ERROR_CORRUPT, name,
			    "the kernel's entry lies outside the kernel; the file is corrupt");
	if (image->hypercall_page != IMAGE_NONE && (image->hypercall_page < image->virt_base ||
						    image->hypercall_page >= image->virt_end ||
						    image->hypercall_page & (PAGE_SIZE - 1)))
		return fail(error, IMAGE_ERROR_CORRUPT, name,
			    "the kernel's hypercall page lies outside the kernel; the file is "
			    "corrupt");
	if (image->init_p2m != IMAGE_NONE && image->init_p2m >= image->virt_start &&
	    image->init_p2m < image->virt_end)
		return fail(error, IMAGE_ERROR_CORRUPT, name,
			    "the kernel wants its p2m list inside itself; the file is corrupt");
	return TRUE;
}

static gboolean parse_elf(struct image *image, const char *name, GError **error)
{
	struct notes notes = { .image = image, .name = name };
	struct elf elf;
	gsize size;
	gconstpointer data = g_bytes_get_data(image->payload, &size);
	const char *why = elf_init(&elf, data, size);

	if (why) {
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_CORRUPT,
			    "%s: %s; the file is cut off or corrupt", name, why);
		return FALSE;
	}
	if (!notes_read(&notes, &elf, error))
		return FALSE;
	if (!set_width(image, &elf, name, error) || !check_description(&notes, error))
		return FALSE;
	if (!read_segments(image, &elf, name, error))
		return FALSE;
	fill_defaults(image, &notes, &elf);
	if (!find_range(image, &elf))
		return fail(
			error, IMAGE_ERROR_CORRUPT, name,
			"the kernel's segments have impossible addresses; the file is corrupt");
	return check_addresses(image, name, error);
}

struct image *image_parse_elf(const char *name, GBytes *bytes, GError **error)
{
	g_autoptr(Image) image = image_new();

	image->packing = g_strdup("ELF");
	image->payload = g_bytes_ref(bytes);
	return parse_elf(image, name, error) ? g_steal_pointer(&image) : NULL;
}

struct image *image_parse(const char *name, GBytes *bytes, GError **error)
{
	g_autofree char *packing = NULL;
	g_autoptr(GBytes) payload = image_unpack(name, bytes, &packing, error);
	struct image *image = payload ? image_parse_elf(name, payload, error) : NULL;

	if (image) {
		g_free(image->packing);
		image->packing = g_steal_pointer(&packing);
	}
	return image;
}

gboolean image_is_packed(GBytes *bytes)
{
	gsize size;
	gconstpointer data = g_bytes_get_data(bytes, &size);

	return !elf_is_elf(data, size);
}

/* Mapped, not read: the pages of the host's cache are used as they are. */
GBytes *image_map(const char *path, GError **error)
{
	g_autoptr(GMappedFile) map = NULL;
	g_autoptr(GError) why = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK /* not for a FIFO's writer */);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_READ, "%s: %s", path,
			    g_strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_READ, "%s: not a regular file",
			    path);
	} else {
		map = g_mapped_file_new_from_fd(fd, FALSE, &why);
		if (!map)
			g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_READ, "%s: %s", path,
				    why->message);
	}
	if (fd >= 0)
		close(fd);
	return map ? g_mapped_file_get_bytes(map) : NULL;
}

static const char *newest_abi(const struct image *image)
{
	return image->width == IMAGE_X86_32 ? "xen-3.1" : "xen-4";
}

const char *image_abi(const struct image *image)
{
	if (!image->from_notes)
		return "xen-3.0.3";
	if (strcmp(image->guest_os, "linux") != 0 || image->hypercall_page == IMAGE_NONE ||
	    image->init_p2m != IMAGE_NONE || image->supported_note)
		return newest_abi(image);
	/* Linux's own PV kernels before these notes: no XenLinux requires this. */
	if (image->features_required & (1U << XENFEAT_writable_page_tables))
		return newest_abi(image);
	if (image->suspend_cancel || image->l1_mfn_mask)
		return "xen-3.1";
	return "xen-3.0.3";
}

const char *image_width_name(enum image_width width)
{
	static const char *const names[] = {
		[IMAGE_X86_64] = "64-bit",
		[IMAGE_X86_32P] = "32-bit PAE",
		[IMAGE_X86_32] = "32-bit (without PAE)",
	};

	return names[width];
}
