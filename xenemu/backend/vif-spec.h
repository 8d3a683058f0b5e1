/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vif-spec.h - what `--vif` says: a network interface as the user describes it
 *
 * The words are those of xl (xl-network-configuration(5)) with `tap=NAME`, `user` and
 * `hostfwd=...` added: "bridge=br0,mac=00:16:3e:01:02:03", "tap=tap0",
 * "user,hostfwd=tcp:2222:22".
 */
#ifndef XENEMU_BACKEND_VIF_SPEC_H
#define XENEMU_BACKEND_VIF_SPEC_H

#include <glib.h>
#include <net/if.h>
#include <stdint.h>

/** xl's bridge when none is named */
#define VIF_DEFAULT_BRIDGE "xenbr0"

/** Largest index, as `devid=` may give it */
#define VIF_MAX_DEVID 255

/** What the guest's frames are exchanged with */
enum vif_kind {
	VIF_BRIDGE, /* a tap of our own, put on a bridge */
	VIF_TAP, /* a tap that is there */
	VIF_USER, /* passt */
};

/**
 * struct vif_forward - a port of the host that leads to one of the guest
 * @udp:        not TCP
 * @address:    of the host, to listen on; NULL for all
 * @host_port:  of the host
 * @guest_port: of the guest
 */
struct vif_forward {
	gboolean udp;
	char *address;
	uint16_t host_port;
	uint16_t guest_port;
};

/**
 * struct vif_spec - an interface as described by its user
 * @kind:     what it is connected to
 * @target:   bridge or tap; NULL for VIF_USER
 * @vifname:  name of the tap to be made, or NULL
 * @mac:      the guest's address
 * @has_mac:  FALSE: @mac is not chosen yet
 * @ip:       written to xenstore for whoever looks, or NULL
 * @script:   a hotplug script was named, which is not run
 * @rate_bytes, @rate_usec: the guest may send so many bytes each so many
 *            microseconds; 0 bytes: no limit
 * @mtu:      what the guest is told, or 0
 * @devid:    index of the interface, or -1 for the next one
 * @forwards: array of struct vif_forward, of VIF_USER
 *
 * Strings and @forwards are owned by the structure.
 */
struct vif_spec {
	enum vif_kind kind;
	char *target;
	char *vifname;
	uint8_t mac[6];
	gboolean has_mac;
	char *ip;
	gboolean script;
	uint64_t rate_bytes;
	uint64_t rate_usec;
	unsigned int mtu;
	int devid;
	GArray *forwards;
};

/**
 * vif_spec_parse() - read what was given to --vif
 * @text:  as typed
 * @error: G_OPTION_ERROR, names --vif and the word
 *
 * Return: vif_spec_free() it; NULL with @error set.
 */
struct vif_spec *vif_spec_parse(const char *text, GError **error);

/** vif_spec_copy() - a copy of its own; vif_spec_free() it */
struct vif_spec *vif_spec_copy(const struct vif_spec *spec);

/** vif_spec_choose_mac() - if there is none: one of Xen's, the same each time */
void vif_spec_choose_mac(struct vif_spec *spec, const char *guest, unsigned int index);

/** vif_spec_free() - NULL is allowed */
void vif_spec_free(struct vif_spec *spec);

typedef struct vif_spec VifSpec; /* g_autoptr() wants one word */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VifSpec, vif_spec_free)

#endif
