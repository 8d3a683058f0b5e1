/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from a guest as it is shown to the user.
 */
#include "domain/printable.h"
#include <glib.h>

static void test_texts(void)
{
	static const char *const texts[][2] = {
		{ "", "" },
		{ "all of ~ this, `stays' \"so\"", "all of ~ this, `stays' \"so\"" },
		{ "b\303\274rgerb\303\274ro", "b\303\274rgerb\303\274ro" },
		{ "\xe7\xa3\x81\xe7\x9b\x98.img", "\xe7\xa3\x81\xe7\x9b\x98.img" },
		{ "a\033[2Jb", "a?[2Jb" },
		{ "x\nxenemu: forged\r\t\b\177", "x?xenemu: forged????" },
		/* CSI of 8-bit terminals, as a character and as a byte */
		{ "\302\2331m", "??1m" },
		{ "\2331m", "?1m" },
		/* Text that runs backwards, a line separator */
		{ "a\342\200\256b\342\200\250c", "a???b???c" },
		/* Cut off, too long, a surrogate, beyond Unicode */
		{ "\303", "?" },
		{ "\342\200", "??" },
		{ "\300\233\360\200\200\233", "??????" },
		{ "\355\240\200", "???" },
		{ "\364\220\200\200", "????" },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *text = g_strdup(texts[i][0]);

		make_printable(text);
		g_assert_cmpstr(text, ==, texts[i][1]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/printable/texts", test_texts);
	return g_test_run();
}
