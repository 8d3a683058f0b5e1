/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash-shutdown - SCHEDOP_shutdown with the reason crash
 */
#include "guest.h"

void guest_main(void)
{
	ok(true, "about to say that we crashed");
	shutdown(SHUTDOWN_crash);
}
