/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h - the VM's memory: one memfd, mapped into the helper
 *
 * Everything the VM can write is untrusted.  Code outside this directory gets
 * at it through memory_ptr(), which checks the range, or memory_page(), which
 * checks the frame; what is read through them must be copied once before it is
 * checked.
 */
#ifndef XENEMU_MACHINE_MEMORY_H
#define XENEMU_MACHINE_MEMORY_H

#include <glib.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL

/**
 * struct memory - machine memory of one VM
 * @fd:     memfd that holds it: [0, HOLE_START) at offset 0, the part from
 *          HOLE_END on right after it
 * @base:   mapping of all of @fd (MAP_SHARED, MAP_NORESERVE)
 * @bytes:  size of @fd, a multiple of 2 MiB; the hole is not in it
 * @end_mfn: first frame after the end, the hole counted
 */
struct memory {
	int fd;
	uint8_t *base;
	uint64_t bytes;
	uint64_t end_mfn;
};

/**
 * memory_new() - create the memory of a VM
 * @bytes: size, rounded up to 2 MiB
 * @error: set when the host refuses
 *
 * Pages take host memory when they are first touched.
 * Return: owned by the caller, free with memory_free(); NULL with @error set.
 */
struct memory *memory_new(uint64_t bytes, GError **error);

/** memory_free() - unmap and close; NULL is allowed */
void memory_free(struct memory *mem);
typedef struct memory Memory; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Memory, memory_free)

/**
 * memory_ptr() - host address of machine memory
 * @mem:   the memory
 * @paddr: machine address, bytes
 * @len:   length, bytes; the whole range must be memory and not cross the hole
 *
 * Return: pointer valid as long as @mem, or NULL when the range is not memory.
 * Any thread.
 */
void *memory_ptr(const struct memory *mem, uint64_t paddr, uint64_t len);

/**
 * memory_page() - host address of a machine frame
 * @mem: the memory
 * @mfn: frame number
 *
 * Return: pointer to PAGE_SIZE bytes, or NULL when @mfn is not memory.
 */
void *memory_page(const struct memory *mem, uint64_t mfn);

#endif
