/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shutdown-reboot - SCHEDOP_shutdown with the reason reboot
 */
#include "guest.h"

void guest_main(void)
{
	ok(true, "about to reboot");
	shutdown(SHUTDOWN_reboot);
}
