/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.c - `xenemu block-attach`, `block-detach`, `block-rescan` and `block-resize`
 */
#include "backend/disk.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/client.h"

/* A guest may keep a disk that it has mounted; xl waits as long. */
#define PATIENCE 10 /* seconds */
/* For what can't be opened the helper has a reason, which is worth waiting for. */
#define OPEN_PATIENCE (DISK_OPEN_SECONDS + 5)

static int run_attach(int argc, char **argv)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	char **words = cli_parse_words(
		argc, argv, "NAME SPEC", entries,
		"Gives a running guest another disk, and prints its name there.",
		"SPEC is what `xenemu run --disk` takes.\n\nStatus 0 when the guest has been "
		"offered it, 1 when not, 2 when there is no such\nguest.");
	g_autofree char *directory = g_get_current_dir();

	if (!words)
		return CLI_USAGE;
	return client_ask(
		words[0], (char *[]){ (char *)"block-attach", directory, words[1], NULL },
		OPEN_PATIENCE,
		"the guest's xenemu does not answer; it gives the guest the disk when it "
		"does");
}

static int run_detach(int argc, char **argv)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	char **words = cli_parse_words(
		argc, argv, "NAME VDEV", entries,
		"Takes a disk from a running guest, when that has let go of it.",
		"Unmount it in the guest first: Linux since about 5.17 lets go of it at once "
		"and loses\nwhat is not written yet, as on Xen. An older one that has it "
		"mounted keeps it until it\nis unmounted; the disk goes then.\n\n"
		"Status 0 when it is gone, 1 when not, 2 when there is no such guest.");
	g_autofree char *late = NULL;

	if (!words)
		return CLI_USAGE;
	late = g_strdup_printf("the guest has not let go of %s yet; it goes when it does",
			       words[1]);
	return client_ask(words[0], (char *[]){ (char *)"block-detach", words[1], NULL },
			  PATIENCE, late);
}

static int run_rescan(int argc, char **argv)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	char **words = cli_parse_words(
		argc, argv, "NAME VDEV", entries,
		"Looks at the size of a running guest's disk again, tells the guest, and "
		"prints "
		"it\nin bytes.",
		"Raw images, block devices and exports of NBD servers can be looked at again, "
		"no\nothers. To a server a second connection is made.\n\n"
		"Status 0 when that was done, 1 when not, 2 when there is no such guest.");

	if (!words)
		return CLI_USAGE;
	return client_ask(words[0], (char *[]){ (char *)"block-rescan", words[1], NULL },
			  OPEN_PATIENCE,
			  "the guest's xenemu does not answer; it looks when it does");
}

static int run_resize(int argc, char **argv)
{
	const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
	char **words = cli_parse_words(
		argc, argv, "NAME VDEV SIZE", entries,
		"Makes the file that a running guest's disk is stored in larger, tells the "
		"guest,\nand prints the new size in bytes.",
		"SIZE is in bytes, or a number with K, M, G or T; with a + before it, it is "
		"added to\nwhat there is. Raw images can grow, and those of the formats qcow2 "
		"and qed.\nFor block devices and exports of NBD servers, which "
		"grow elsewhere, there is\nblock-rescan.\n\n"
		"Status 0 when that was done, 1 when not, 2 when there is no such guest.");
	g_autofree char *size = NULL;
	g_autoptr(GError) error = NULL;
	gboolean more;
	uint64_t bytes;

	if (!words)
		return CLI_USAGE;
	if (!parse_bytes(words[2], &bytes, &more, &error)) {
		cli_error("%s", error->message);
		return CLI_USAGE;
	}
	size = g_strdup_printf("%s%" G_GUINT64_FORMAT, more ? "+" : "", bytes);
	return client_ask(
		words[0], (char *[]){ (char *)"block-resize", words[1], size, NULL },
		OPEN_PATIENCE,
		"the guest's xenemu does not answer yet; it resizes the disk when it does");
}

const struct cli_command command_block_attach = {
	.name = "block-attach",
	.summary = "give a running guest another disk",
	.run = run_attach,
};

const struct cli_command command_block_detach = {
	.name = "block-detach",
	.summary = "take a disk from a running guest",
	.run = run_detach,
};

const struct cli_command command_block_rescan = {
	.name = "block-rescan",
	.summary = "look at the size of a guest's disk again",
	.run = run_rescan,
};

const struct cli_command command_block_resize = {
	.name = "block-resize",
	.summary = "make a guest's disk larger",
	.run = run_resize,
};
