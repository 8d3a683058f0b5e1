/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-device.c - /dev/kvm
 */
#include "machine/kvm-device.h"
#include "machine/machine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *kvm_device_path(void)
{
	const char *path = g_getenv("XENEMU_KVM");

	return path && *path ? path : "/dev/kvm";
}

static void set_open_error(GError **error, const char *path, int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_ABSENT,
			    "kvm: there is no %s; load the module kvm_intel or kvm_amd (and "
			    "see that virtualization is on in the firmware), or use "
			    "--machine qemu",
			    path);
		break;
	case EACCES:
	case EPERM:
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_DENIED,
			    "kvm: %s is not yours to use; add your user to the group kvm, or "
			    "use --machine qemu",
			    path);
		break;
	default:
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
			    "kvm: can't open %s: %s; use --machine qemu", path,
			    g_strerror(err));
	}
}

int kvm_device_open(GError **error)
{
	const char *path = kvm_device_path();
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		set_open_error(error, path, errno);
		return -1;
	}
	if (ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION)
		return fd;
	close(fd);
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_UNABLE,
		    "kvm: %s does not speak KVM's API %d; use --machine qemu", path,
		    KVM_API_VERSION);
	return -1;
}
