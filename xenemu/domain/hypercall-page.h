/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-page.h - the code that guests call to make a hypercall
 */
#ifndef XENEMU_DOMAIN_HYPERCALL_PAGE_H
#define XENEMU_DOMAIN_HYPERCALL_PAGE_H

#include "domain/image.h"
#include <stdint.h>

/**
 * hypercall_page_fill() - write a hypercall page
 * @page:  PAGE_SIZE bytes of guest memory; call n is at 32 * n
 * @width: of the guest
 */
void hypercall_page_fill(uint8_t *page, enum image_width width);

#endif
