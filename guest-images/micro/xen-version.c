/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen-version - every sub-operation of xen_version
 */
#include "guest.h"

static bool is_text(const char *s, size_t size)
{
	size_t i;

	for (i = 0; i < size && s[i]; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	return i > 0 && i < size;
}

/* Xen that runs 64-bit guests names them first. */
#ifdef __x86_64__
#define FIRST " first"
#else
#define FIRST
#endif

/* @list: names with a blank between them */
static bool names_us(const char *list)
{
	size_t length = strlen(START_INFO_MAGIC);

	while (*list) {
		if (!strncmp(list, START_INFO_MAGIC, length) && list[length] <= ' ')
			return true;
		if (sizeof("" FIRST) > 1)
			return false;
		while (*list && *list++ != ' ')
			;
	}
	return false;
}

static void numbers(void)
{
	xen_platform_parameters_t params;
	long version = xen_version(XENVER_version, NULL);

	ok(version >> 16 >= 3 && version >> 16 <= 4, "version: major number");
	diag("version %ld.%ld", version >> 16, version & 0xffff);
	is(xen_version(XENVER_pagesize, NULL), PAGE_SIZE, "pagesize");
	is(xen_version(XENVER_platform_parameters, &params), 0, "platform_parameters");
	is(params.virt_start, HYPERVISOR_VIRT_START, "virt_start");
}

static void texts(void)
{
	xen_extraversion_t extra;
	xen_compile_info_t compile;
	xen_capabilities_info_t capabilities;
	xen_changeset_info_t changeset;
	xen_commandline_t command_line;

	is(xen_version(XENVER_extraversion, extra), 0, "extraversion");
	ok(is_text(extra, sizeof(extra)), "is text");
	diag("extraversion %s", extra);
	is(xen_version(XENVER_compile_info, &compile), 0, "compile_info");
	ok(is_text(compile.compiler, sizeof(compile.compiler)), "compiler is text");
	is(xen_version(XENVER_capabilities, capabilities), 0, "capabilities");
	ok(is_text(capabilities, sizeof(capabilities)), "is text");
	ok(names_us(capabilities), "names our own kind of guest" FIRST);
	is(xen_version(XENVER_changeset, changeset), 0, "changeset");
	memset(command_line, 0, sizeof(command_line));
	is(xen_version(XENVER_commandline, command_line), xen_since(3, 2) ? 0 : -XEN_ENOSYS,
	   "commandline");
	ok(strlen(command_line) < sizeof(command_line), "is terminated");
}

static void features(void)
{
	xen_feature_info_t info = { .submap_idx = 0 };
	uint32_t map;

	is(xen_version(XENVER_get_features, &info), 0, "get_features");
	map = info.submap;
	diag("features %x", map);
	is(map & 1U << XENFEAT_writable_page_tables, 0, "no writable_page_tables");
	is(map & 1U << XENFEAT_writable_descriptor_tables, 0, "no writable_descriptor_tables");
	is(map & 1U << XENFEAT_auto_translated_physmap, 0, "no auto_translated_physmap");
	is(map & 1U << XENFEAT_supervisor_mode_kernel, 0, "no supervisor_mode_kernel");
	/* Unknown to public/features.h of 3.1 */
	is(!(map & 1U << XENFEAT_mmu_pt_update_preserve_ad), !xen_since(3, 2),
	   "mmu_pt_update_preserve_ad");
	is(!(map & 1U << XENFEAT_gnttab_map_avail_bits), !xen_since(3, 2),
	   "gnttab_map_avail_bits");
	is(map & 1U << XENFEAT_dom0, 0, "not dom0");
	info.submap_idx = 1;
	info.submap = 5;
	is(xen_version(XENVER_get_features, &info), -XEN_EINVAL, "an unknown submap");
}

static void handle(void)
{
	xen_domain_handle_t uuid;

	is(xen_version(XENVER_guest_handle, uuid), 0, "guest_handle");
}

static void errors(void)
{
	is(xen_version(XENVER_extraversion, (void *)UNMAPPED), -XEN_EFAULT,
	   "extraversion to a bad address");
	is(xen_version(XENVER_get_features, (void *)UNMAPPED), -XEN_EFAULT,
	   "get_features from a bad address");
	is(xen_version(XENVER_extraversion, (void *)HYPERVISOR_VIRT_START), -XEN_EFAULT,
	   "extraversion to an address of Xen's");
	is(xen_version(XENVER_extraversion, (void *)start_info->pt_base), -XEN_EFAULT,
	   "extraversion to a read-only page");
	is(xen_version(XENVER_compile_info, (void *)UNMAPPED), -XEN_EFAULT,
	   "compile_info to a bad address");
	is(xen_version(XENVER_capabilities, (void *)UNMAPPED), -XEN_EFAULT,
	   "capabilities to a bad address");
	is(xen_version(XENVER_changeset, (void *)UNMAPPED), -XEN_EFAULT,
	   "changeset to a bad address");
	is(xen_version(XENVER_platform_parameters, (void *)UNMAPPED), -XEN_EFAULT,
	   "platform_parameters to a bad address");
	is(xen_version(XENVER_guest_handle, (void *)UNMAPPED), -XEN_EFAULT,
	   "guest_handle to a bad address");
	is(xen_version(XENVER_pagesize, (void *)UNMAPPED), -XEN_EINVAL,
	   "pagesize with an argument");
	is(xen_version(XENVER_commandline, (void *)UNMAPPED),
	   xen_since(3, 2) ? -XEN_EFAULT : -XEN_ENOSYS, "commandline to a bad address");
	is(xen_version(XENVER_build_id, NULL), xen_since(4, 0) ? -XEN_EPERM : -XEN_ENOSYS,
	   "build_id is not for a domU");
	is(xen_version(999, NULL), -XEN_ENOSYS, "an unknown sub-operation");
}

void guest_main(void)
{
	numbers();
	texts();
	features();
	handle();
	errors();
}
