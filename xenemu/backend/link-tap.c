/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link-tap.c - frames to and from a tap of the host's kernel
 *
 * The kernel takes and gives frames with what is left to be done of checksum and
 * segmentation (IFF_VNET_HDR), straight from and to the memory that it is given.
 */
#include "backend/link-private.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN_DEVICE "/dev/net/tun"
/* The kernel puts a number for the %d. */
#define DEFAULT_NAME "xenemu%d"

static void set_error(GError **error, const struct vif_spec *spec, const char *what,
		      const char *advice)
{
	g_set_error(error, LINK_ERROR, LINK_ERROR_HOST, "--vif %s=%s: %s%s",
		    spec->kind == VIF_TAP ? "tap" : "bridge", spec->target, what, advice);
}

/* What @call failed with, and what may help against it. */
static void set_errno(GError **error, const struct vif_spec *spec, const char *call)
{
	int err = errno;
	g_autofree char *what = g_strdup_printf("%s: %s", call, g_strerror(err));
	const char *advice = "";

	if (err == EPERM || err == EACCES)
		advice = "; this needs CAP_NET_ADMIN: be root, or use tap=NAME with a tap that "
			 "root made for this user, or `user'";
	else if (err == ENOENT || err == ENODEV || err == ENXIO)
		advice = "; load the kernel module tun";
	else if (err == EBUSY && spec->kind == VIF_TAP)
		advice = "; another process uses it";
	set_error(error, spec, what, advice);
}

/* --- frames --- */

static void tap_set_offload(struct link *link, unsigned int offload)
{
	unsigned int flags = 0;

	if (offload & LINK_CHECKSUM)
		flags |= TUN_F_CSUM;
	if (flags && offload & LINK_TSO4)
		flags |= TUN_F_TSO4;
	if (flags && offload & LINK_TSO6)
		flags |= TUN_F_TSO6;
	/* Known to every kernel since 2.6.27; it can only fail with unknown flags. */
	ioctl(link->fd, TUNSETOFFLOAD, flags);
}

/* With errno of what can't be done any more. */
static void gone(struct link *link)
{
	if (errno == EBADFD)
		link_gone(link, "the interface %s of the host has been removed", link->name);
	else
		link_gone(link, "the interface %s of the host can't be read any more (%s)",
			  link->name, g_strerror(errno));
}

static enum link_status tap_send(struct link *link, const struct virtio_net_hdr *hdr,
				 struct iovec *iov, unsigned int nr_iov)
{
	struct virtio_net_hdr copy = *hdr;
	ssize_t done;

	iov[0] = (struct iovec){ &copy, sizeof(copy) };
	do
		done = writev(link->fd, iov, nr_iov);
	while (done < 0 && errno == EINTR);
	if (done >= 0)
		return LINK_SENT;
	if (errno == EAGAIN) {
		link_wait_writable(link);
		return LINK_BUSY;
	}
	if (errno == EBADFD)
		gone(link);
	return LINK_DROPPED;
}

static size_t tap_receive(struct link *link, struct virtio_net_hdr *hdr, struct iovec *iov,
			  unsigned int nr_iov)
{
	ssize_t len;

	iov[0] = (struct iovec){ hdr, sizeof(*hdr) };
	do
		len = readv(link->fd, iov, nr_iov);
	while ((len < 0 && errno == EINTR) ||
	       (len >= 0 && len < (ssize_t)sizeof(*hdr) + LINK_MIN_FRAME));
	if (len > 0)
		return len - sizeof(*hdr);
	if (errno != EAGAIN)
		gone(link);
	return 0;
}

static gboolean tap_writable(G_GNUC_UNUSED struct link *link)
{
	return TRUE;
}

static void tap_free(struct link *link)
{
	g_free(link);
}

static const struct link_ops tap_ops = {
	.set_offload = tap_set_offload,
	.send = tap_send,
	.receive = tap_receive,
	.writable = tap_writable,
	.free = tap_free,
};

/* --- the interface --- */

/* A tap that was made with several queues must be opened as such. */
static int attach(int fd, struct ifreq *ifr)
{
	ifr->ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (!ioctl(fd, TUNSETIFF, ifr))
		return 0;
	if (errno != EINVAL)
		return -1;
	ifr->ifr_flags |= IFF_MULTI_QUEUE;
	return ioctl(fd, TUNSETIFF, ifr);
}

static void set_name(struct ifreq *ifr, const char *name)
{
	memset(ifr, 0, sizeof(*ifr));
	g_strlcpy(ifr->ifr_name, name, sizeof(ifr->ifr_name));
}

static gboolean is_up(int sock, const char *name)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	return !ioctl(sock, SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_UP;
}

/* As Xen's vif-bridge leaves it: an interface that nobody talks to by itself. */
static int bring_up(int sock, const char *name)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags |= IFF_UP | IFF_NOARP;
	ifr.ifr_flags &= ~IFF_MULTICAST;
	return ioctl(sock, SIOCSIFFLAGS, &ifr);
}

/* The highest address there is, so that a bridge keeps its own. */
static int set_address(int sock, const char *name)
{
	static const uint8_t address[] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct ifreq ifr;

	set_name(&ifr, name);
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, address, sizeof(address));
	return ioctl(sock, SIOCSIFHWADDR, &ifr);
}

static int set_mtu(int sock, const char *name, unsigned int mtu)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	ifr.ifr_mtu = mtu;
	return mtu ? ioctl(sock, SIOCSIFMTU, &ifr) : 0;
}

/* 0: not known */
static unsigned int get_mtu(const char *name)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr;
	int err;

	if (sock < 0)
		return 0;
	set_name(&ifr, name);
	err = ioctl(sock, SIOCGIFMTU, &ifr);
	close(sock);
	return err ? 0 : ifr.ifr_mtu;
}

static int add_to_bridge(int sock, const char *name, const char *bridge)
{
	struct ifreq ifr;

	set_name(&ifr, bridge);
	ifr.ifr_ifindex = if_nametoindex(name);
	return ioctl(sock, SIOCBRADDIF, &ifr);
}

static gboolean set_up_bridged(int sock, const char *name, const struct vif_spec *spec,
			       GError **error)
{
	if (set_address(sock, name) || set_mtu(sock, name, spec->mtu)) {
		set_errno(error, spec, name);
		return FALSE;
	}
	if (add_to_bridge(sock, name, spec->target)) {
		if (errno == EOPNOTSUPP || errno == EINVAL)
			set_error(error, spec, "this is no bridge", "");
		else
			set_errno(error, spec, "adding an interface");
		return FALSE;
	}
	if (bring_up(sock, name)) {
		set_errno(error, spec, name);
		return FALSE;
	}
	return TRUE;
}

static gboolean set_up(const char *name, const struct vif_spec *spec, char **warning,
		       GError **error)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	gboolean done = TRUE;

	if (sock < 0) {
		set_errno(error, spec, "socket");
		return FALSE;
	}
	if (spec->kind == VIF_BRIDGE)
		done = set_up_bridged(sock, name, spec, error);
	else if (!is_up(sock, name))
		*warning = g_strdup_printf("the interface %s of the host is down; nothing will "
					   "pass before `ip link set %s up'",
					   name, name);
	close(sock);
	return done;
}

/* Does what it is to be connected to exist, and not yet what is to be made? */
static gboolean check_names(const struct vif_spec *spec, GError **error)
{
	if (!if_nametoindex(spec->target)) {
		set_error(error, spec, "the host has no such interface",
			  spec->kind == VIF_TAP ? "; make it with `ip tuntap add'"
						: "; make it with `ip link add'");
		return FALSE;
	}
	if (spec->vifname && if_nametoindex(spec->vifname)) {
		set_error(error, spec, "the host has an interface of that vifname already", "");
		return FALSE;
	}
	return TRUE;
}

struct link *tap_open(const struct vif_spec *spec, char **warning, GError **error)
{
	struct link *link;
	struct ifreq ifr;
	int fd;

	if (!check_names(spec, error))
		return NULL;
	fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		set_errno(error, spec, TUN_DEVICE);
		return NULL;
	}
	set_name(&ifr, spec->kind == VIF_TAP ? spec->target
		       : spec->vifname       ? spec->vifname
					     : DEFAULT_NAME);
	if (attach(fd, &ifr)) {
		if (errno == EINVAL)
			set_error(error, spec, "this is no tap", "");
		else
			set_errno(error, spec, "opening a tap");
		close(fd);
		return NULL;
	}
	if (!set_up(ifr.ifr_name, spec, warning, error)) {
		close(fd);
		return NULL;
	}
	link = g_new0(struct link, 1);
	link->ops = &tap_ops;
	link->fd = fd;
	link->name = g_strdup(ifr.ifr_name);
	link->mtu = get_mtu(ifr.ifr_name);
	tap_set_offload(link, 0);
	return link;
}
