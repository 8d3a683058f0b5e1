/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.c - the VM's memory: one memfd, mapped into the helper
 */
#include "machine/memory.h"
#include "machine/machine.h"
#include "protocol.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define GRAIN (2ULL << 20) /* host huge pages, and QEMU's own alignment */

/*
 * Frame numbers are 32 bits in places of the PV ABI (x86_32 frame lists), and
 * nobody has a host with that much: refuse it before mmap() does.
 */
#define MAX_BYTES (1ULL << 44)

static gboolean map_memory(struct memory *mem, GError **error)
{
	int err;

	/*
	 * Not executable.  Processes that get it, QEMU and servers of disks, can't take it
	 * from under our mapping; its pages may be given back all the same.
	 */
	mem->fd = memfd_create("xenemu-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (mem->fd >= 0 && ftruncate(mem->fd, (off_t)mem->bytes) == 0 &&
	    fcntl(mem->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
		mem->base = mmap(NULL, mem->bytes, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_NORESERVE, mem->fd, 0);
		if (mem->base != MAP_FAILED)
			return TRUE;
	}
	err = errno;
	mem->base = NULL;
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED,
		    "memory: the host refuses %" G_GUINT64_FORMAT
		    " MiB for the guest: %s; give it less memory",
		    mem->bytes >> 20, g_strerror(err));
	return FALSE;
}

struct memory *memory_new(uint64_t bytes, GError **error)
{
	g_autoptr(Memory) mem = NULL;

	if (bytes == 0 || bytes > MAX_BYTES) {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED,
			    "memory: %" G_GUINT64_FORMAT
			    " bytes is not a size a guest can have; give it at most %llu MiB",
			    bytes, MAX_BYTES >> 20);
		return NULL;
	}
	mem = g_new0(struct memory, 1);
	mem->fd = -1;
	mem->bytes = (bytes + GRAIN - 1) & ~(GRAIN - 1);
	mem->end_mfn = mem->bytes >> PAGE_SHIFT;
	if (mem->bytes > HOLE_START)
		mem->end_mfn += (HOLE_END - HOLE_START) >> PAGE_SHIFT;
	if (!map_memory(mem, error))
		return NULL;
	return g_steal_pointer(&mem);
}

void memory_free(struct memory *mem)
{
	if (!mem)
		return;
	if (mem->base)
		munmap(mem->base, mem->bytes);
	if (mem->fd >= 0)
		close(mem->fd);
	g_free(mem);
}

void *memory_ptr(const struct memory *mem, uint64_t paddr, uint64_t len)
{
	uint64_t low = MIN(mem->bytes, HOLE_START);

	if (paddr < low)
		return len <= low - paddr ? mem->base + paddr : NULL;
	if (paddr < HOLE_END || mem->bytes <= HOLE_START)
		return NULL;
	paddr -= HOLE_END - HOLE_START;
	if (paddr >= mem->bytes || len > mem->bytes - paddr)
		return NULL;
	return mem->base + paddr;
}

void *memory_page(const struct memory *mem, uint64_t mfn)
{
	if (mfn >= mem->end_mfn)
		return NULL;
	return memory_ptr(mem, mfn << PAGE_SHIFT, PAGE_SIZE);
}
