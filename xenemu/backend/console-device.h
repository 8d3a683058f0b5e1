/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console-device.h - consoles besides the primary one: xl's channels, /dev/hvc1 and so
 * on in Linux
 *
 * Their ring and event channel come from the frontend (device/console/N: ring-ref,
 * port), as Linux's hvc_xen makes them.
 */
#ifndef XENEMU_BACKEND_CONSOLE_DEVICE_H
#define XENEMU_BACKEND_CONSOLE_DEVICE_H

#include "backend/console-spec.h"
#include "backend/device.h"

/**
 * console_config_new() - a console for devices_add()
 * @spec: its number is @index, 1 to CONSOLE_MAX - 1; not owned, outlives this
 */
struct device_config *console_config_new(const struct console_spec *spec);

#endif
