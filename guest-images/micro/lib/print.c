/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * print.c - formatted text
 */
#include "guest.h"

struct output {
	char *buffer;
	size_t size;
	size_t used;
};

struct conversion {
	unsigned int width;
	bool zero;
	unsigned int longs; /* number of l */
};

static void put(struct output *out, char c)
{
	if (out->used + 1 < out->size)
		out->buffer[out->used++] = c;
}

static void put_text(struct output *out, const char *s, unsigned int width)
{
	size_t length = strlen(s);

	for (; *s; s++)
		put(out, *s);
	for (; length < width; length++)
		put(out, ' ');
}

static void put_number(struct output *out, unsigned long long value, unsigned int base,
		       bool negative, const struct conversion *conv)
{
	char digits[24];
	unsigned int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[count++] = '-';
	while (count < conv->width && count < sizeof(digits))
		digits[count++] = conv->zero ? '0' : ' ';
	while (count)
		put(out, digits[--count]);
}

static const char *parse(const char *p, struct conversion *conv)
{
	*conv = (struct conversion){ 0 };
	if (*p == '0')
		conv->zero = true;
	for (; *p >= '0' && *p <= '9'; p++)
		conv->width = conv->width * 10 + (unsigned int)(*p - '0');
	for (; *p == 'l' || *p == 'z'; p++)
		conv->longs++;
	return p;
}

static unsigned long long take_number(va_list *args, const struct conversion *conv,
				      bool is_signed)
{
	if (conv->longs >= 2)
		return va_arg(*args, unsigned long long);
	if (is_signed)
		return (unsigned long long)(conv->longs ? va_arg(*args, long)
							: va_arg(*args, int));
	return conv->longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int);
}

static void convert(struct output *out, char kind, const struct conversion *conv, va_list *args)
{
	long long number;

	switch (kind) {
	case 's':
		put_text(out, va_arg(*args, const char *), conv->width);
		break;
	case 'c':
		put(out, (char)va_arg(*args, int));
		break;
	case 'd':
		number = (long long)take_number(args, conv, true);
		put_number(out, (unsigned long long)(number < 0 ? -number : number), 10,
			   number < 0, conv);
		break;
	case 'u':
		put_number(out, take_number(args, conv, false), 10, false, conv);
		break;
	case 'x':
		put_number(out, take_number(args, conv, false), 16, false, conv);
		break;
	case 'p':
		put_number(out, (unsigned long)va_arg(*args, void *), 16, false, conv);
		break;
	default:
		put(out, kind);
	}
}

size_t format(char *buffer, size_t size, const char *text, va_list args)
{
	struct output out = { buffer, size, 0 };
	struct conversion conv;
	va_list copy;

	va_copy(copy, args);
	for (; *text; text++) {
		if (*text != '%') {
			put(&out, *text);
			continue;
		}
		text = parse(text + 1, &conv);
		if (!*text)
			break;
		convert(&out, *text, &conv, &copy);
	}
	va_end(copy);
	buffer[out.used] = '\0';
	return out.used;
}
