/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-version.c - xen_version: what the guest is told of its hypervisor
 *
 * Xen 4.17 common/kernel.c, with what xsm_xen_version() leaves to a domU.
 */
#include "domain/compat.h"
#include "domain/private.h"
#include <string.h>
#include <xen/errno.h>
#include <xen/xen.h>

#include <xen/features.h>
#include <xen/version.h>

/* What xen_deny() says where a domU may not know. */
#define DENIED "<denied>"

HYPERCALL(xen_version_extraversion)
{
	xen_extraversion_t extra = "";

	g_strlcpy(extra, dom->abi->extra_version, sizeof(extra));
	return put_args(dom, call, extra, sizeof(extra));
}

HYPERCALL(xen_version_compile_info)
{
	struct xen_compile_info info = {
		.compiler = "gcc " __VERSION__,
		.compile_by = "xenemu",
		.compile_domain = "",
		.compile_date = "",
	};

	return put_args(dom, call, &info, sizeof(info));
}

/*
 * arch_get_xen_caps(): of the one Xen that runs this guest, and of one that runs
 * PAE guests beside 64-bit ones.
 */
static const char *const capabilities[][2] = {
	[PAGING_PV64] = { "xen-3.0-x86_64", "xen-3.0-x86_64 xen-3.0-x86_32p " },
	[PAGING_PV32PAE] = { "xen-3.0-x86_32p", "xen-3.0-x86_64 xen-3.0-x86_32p " },
	[PAGING_PV32] = { "xen-3.0-x86_32", "xen-3.0-x86_32 " },
};

HYPERCALL(xen_version_capabilities)
{
	xen_capabilities_info_t caps = "";

	g_strlcpy(caps, capabilities[call->space.paging][dom->abi->caps_of_all], sizeof(caps));
	return put_args(dom, call, caps, sizeof(caps));
}

HYPERCALL(xen_version_changeset)
{
	const xen_changeset_info_t changeset = "";

	return put_args(dom, call, changeset, sizeof(changeset));
}

/* HYPERVISOR_VIRT_START as guests of that word size know it; a word of theirs */
HYPERCALL(xen_version_platform_parameters)
{
	switch (call->space.paging) {
	case PAGING_PV64:
		return put_word(dom, call, call->arg[1], 0, HYPERVISOR_VIRT_START);
	case PAGING_PV32PAE:
		return put_word(dom, call, call->arg[1], 0, HOLE32_PAE);
	default:
		return put_word(dom, call, call->arg[1], 0, HOLE32_TWO_LEVEL);
	}
}

/*
 * Bits 0 to 3 stay clear in every ABI: guests obey them, and all of them mean
 * another way of life (writable tables, auto-translation, ring 0).  A PAE kernel
 * is told pae_pgdir_above_4gb when it said that it can do that.
 */
static uint32_t features(const struct domain *dom, const struct hypercall *call)
{
	uint32_t bits = dom->abi->features;

	if (call->space.paging == PAGING_PV32PAE && dom->build->extended_cr3)
		bits |= 1U << XENFEAT_pae_pgdir_above_4gb;
	return bits;
}

HYPERCALL(xen_version_get_features)
{
	struct xen_feature_info info;

	if (get_args(dom, call, &info, sizeof(info)))
		return -XEN_EFAULT;
	if (info.submap_idx != 0)
		return -XEN_EINVAL;
	info.submap = features(dom, call);
	return put_args(dom, call, &info, sizeof(info));
}

HYPERCALL(xen_version_pagesize)
{
	return call->arg[1] ? -XEN_EINVAL : (int64_t)PAGE_SIZE;
}

/* "xxxxxxxx-xxxx-..." to 16 bytes, in the order it is written */
static void parse_uuid(const char *text, uint8_t *bytes)
{
	for (int i = 0; i < 16; i++, text += 2) {
		text += *text == '-';
		bytes[i] = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
	}
}

HYPERCALL(xen_version_guest_handle)
{
	xen_domain_handle_t handle;

	parse_uuid(dom->uuid, handle);
	return put_args(dom, call, handle, sizeof(handle));
}

HYPERCALL(xen_version_commandline)
{
	return put_args(dom, call, DENIED, sizeof(DENIED));
}

HYPERCALL(xen_version_build_id)
{
	return -XEN_EPERM;
}
