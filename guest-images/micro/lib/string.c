/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * string.c - the few functions of <string.h> that the compiler and we call
 *
 * Compiled with -fno-builtin, or loops would become calls of themselves.
 */
#include "guest.h"

void *memset(void *to, int byte, size_t count)
{
	char *p = to;

	while (count--)
		*p++ = (char)byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t count)
{
	return memmove(to, from, count);
}

void *memmove(void *to, const void *from, size_t count)
{
	const char *s = from;
	char *d = to;

	if (d < s) {
		while (count--)
			*d++ = *s++;
	} else {
		while (count--)
			d[count] = s[count];
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t count)
{
	const unsigned char *x = a, *y = b;

	for (; count; count--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t length = 0;

	while (s[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t count)
{
	for (; count; count--, a++, b++) {
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	}
	return 0;
}
