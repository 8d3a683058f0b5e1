/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-disk-vhost.c - disks by vhost-user-blk: where data goes, the process's end, and
 * processes that do what they must not
 */
#include "disk-test.h"
#include "fake-vhost.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB (1 << 20)
#define SECTOR 512

static struct memory *memory;

static gboolean have_qemu(void)
{
	if (!run_tool(NULL, "qemu-storage-daemon --help | grep -q vhost-user-blk && "
			    "command -v qemu-img"))
		return TRUE;
	g_test_skip("no qemu-storage-daemon that can (package qemu-utils)");
	return FALSE;
}

static struct disk *open_image(const char *name, unsigned int mib)
{
	const char *path = scratch_path(name);
	struct disk *disk;

	g_assert_cmpint(run_tool(NULL, "qemu-img create -q -f qcow2 '%s' %uM", path, mib), ==,
			0);
	disk = open_disk(test_spec("qcow2", path));
	g_assert_true(disk_vhost_is(disk));
	return disk;
}

static void fill(void *to, size_t length, unsigned int seed)
{
	uint32_t *words = to;

	for (size_t i = 0; i < length / sizeof(*words); i++)
		words[i] = (i + 1) * 2246822519U ^ seed;
}

/**
 * struct batch - requests that are under way together
 * @left:   not answered
 * @over:   none is left
 * @errors: how many of each
 */
struct batch {
	unsigned int left;
	gboolean over;
	unsigned int errors[256];
};

struct one {
	struct disk_request req;
	struct iovec iov;
	struct batch *batch;
};

static void on_done(struct disk_request *req, int error)
{
	struct batch *batch = ((struct one *)req)->batch;

	batch->errors[error]++;
	batch->over = !--batch->left;
}

static void submit(struct disk *disk, struct batch *batch, struct one *one, enum disk_op op,
		   uint64_t offset, void *base, size_t length)
{
	one->batch = batch;
	one->iov = (struct iovec){ base, length };
	one->req = (struct disk_request){ .op = op,
					  .offset = offset,
					  .length = length,
					  .iov = &one->iov,
					  .nr_iov = 1,
					  .done = on_done };
	batch->left++;
	disk_submit(disk, &one->req);
}

/* One request of many pieces, to its end. */
static void transfer(struct disk *disk, enum disk_op op, uint64_t offset,
		     const struct iovec *iov, unsigned int nr_iov)
{
	struct batch batch = { .left = 1 };
	struct one one = { .batch = &batch,
			   .req = { .op = op,
				    .offset = offset,
				    .iov = iov,
				    .nr_iov = nr_iov,
				    .done = on_done } };

	for (unsigned int i = 0; i < nr_iov; i++)
		one.req.length += iov[i].iov_len;
	disk_submit(disk, &one.req);
	disk_commit(disk);
	wait_until(&batch.over);
	g_assert_cmpuint(batch.errors[0], ==, 1);
}

/* --- where data goes --- */

/* Between the guest's memory and the process, which nothing is copied for. */
static void test_direct(void)
{
	char *from = (char *)memory->base + MIB, *to = from + 8 * MIB;
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("direct", 16);
	fill(from, 4 * MIB, 1);
	memset(to, 0, 4 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, MIB, from, 4 * MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_READ, MIB, to, 4 * MIB), ==, 0);
	g_assert_cmpint(memcmp(from, to, 4 * MIB), ==, 0);
	g_assert_cmpint(disk_io_fua(disk, 9 * MIB, from, 4096), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_READ, 9 * MIB, to + SECTOR, 4096), ==, 0);
	g_assert_cmpint(memcmp(from, to + SECTOR, 4096), ==, 0);
	/* Up to the last byte of the memory. */
	to = (char *)memory->base + memory->bytes - MIB;
	g_assert_cmpint(disk_io(disk, DISK_READ, MIB, to, MIB), ==, 0);
	g_assert_cmpint(memcmp(from, to, MIB), ==, 0);
	g_assert_cmpuint(disk_vhost_copied(disk), ==, 0);
	disk_close(disk);
}

/* Memory that it has not, more of it than there are buffers. */
static void test_outside(void)
{
	char *from = aligned_buffer(12 * MIB, 2), *to = aligned_buffer(12 * MIB, 3);
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("outside", 16);
	g_assert_cmpint(disk_io(disk, DISK_WRITE, MIB, from, 12 * MIB), ==, 0);
	g_assert_cmpuint(disk_vhost_copied(disk), ==, 12 * MIB);
	g_assert_cmpint(disk_io(disk, DISK_READ, MIB, to, 12 * MIB), ==, 0);
	g_assert_cmpuint(disk_vhost_copied(disk), ==, 24 * MIB);
	g_assert_cmpint(memcmp(from, to, 12 * MIB), ==, 0);
	disk_close(disk);
	free(from);
	free(to);
}

/* As many pieces as a request may have, none beside its neighbour. */
static void test_pieces(void)
{
	char *from = (char *)memory->base, *to = from + 16 * MIB;
	struct iovec out[1024], in[1024];
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("pieces", 16);
	g_assert_cmpuint(disk_info(disk)->max_iov, >=, 1024);
	fill(from, 8 * MIB, 4);
	for (unsigned int i = 0; i < 1024; i++) {
		out[i] = (struct iovec){ from + i * 8192, i % 3 ? 4096 : 512 };
		in[i] = (struct iovec){ to + (1023 - i) * 8192, out[i].iov_len };
	}
	transfer(disk, DISK_WRITE, 0, out, 1024);
	transfer(disk, DISK_READ, 0, in, 1024);
	for (unsigned int i = 0; i < 1024; i++)
		g_assert_cmpint(memcmp(out[i].iov_base, in[i].iov_base, in[i].iov_len), ==, 0);
	g_assert_cmpuint(disk_vhost_copied(disk), ==, 0);
	disk_close(disk);
}

/* Pieces of any length and place, inside and outside of the memory, again and again. */
static void test_mixed(void)
{
	char *places[] = { (char *)memory->base, aligned_buffer(4 * MIB, 5) };
	char *flat = aligned_buffer(4 * MIB, 6);
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("mixed", 16);
	for (unsigned int round = 0; round < 40; round++) {
		unsigned int nr = 1 + g_test_rand_int_range(0, 200);
		size_t sum = 0, at = 0;
		struct iovec iov[202];

		for (unsigned int i = 0; i < nr; i++) {
			size_t length = g_test_rand_int_range(0, 2)
						? 4096
						: g_test_rand_int_range(1, 3000);

			iov[i] =
				(struct iovec){ places[g_test_rand_int_range(0, 2)] + i * 8192 +
							g_test_rand_int_range(0, 100),
						length };
			sum += length;
		}
		iov[nr] = (struct iovec){ places[1] + nr * 8192, SECTOR - sum % SECTOR };
		sum += iov[nr++].iov_len;
		fill(flat, sum, round);
		g_assert_cmpint(disk_io(disk, DISK_WRITE, round * SECTOR, flat, sum), ==, 0);
		transfer(disk, DISK_READ, round * SECTOR, iov, nr);
		for (unsigned int i = 0; i < nr; at += iov[i++].iov_len)
			g_assert_cmpint(memcmp(iov[i].iov_base, flat + at, iov[i].iov_len), ==,
					0);
		transfer(disk, DISK_WRITE, 8 * MIB, iov, nr);
		memset(flat + sum, 0, sum);
		g_assert_cmpint(disk_io(disk, DISK_READ, 8 * MIB, flat + sum, sum), ==, 0);
		g_assert_cmpint(memcmp(flat, flat + sum, sum), ==, 0);
	}
	disk_close(disk);
	free(places[1]);
	free(flat);
}

/* More than it takes at a time; each second one by a buffer. */
static void test_many(void)
{
	g_autofree struct one *ones = g_new0(struct one, 1000);
	char *outside = aligned_buffer(1000 * 4096, 7);
	char *inside = (char *)memory->base;
	struct batch batch = { 0 };
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("many", 16);
	fill(inside, 1000 * 4096, 8);
	for (unsigned int i = 0; i < 1000; i++)
		submit(disk, &batch, &ones[i], DISK_WRITE, i * 4096,
		       (i % 2 ? inside : outside) + i * 4096, 4096);
	disk_commit(disk);
	wait_until(&batch.over);
	batch.over = FALSE;
	for (unsigned int i = 0; i < 1000; i++)
		submit(disk, &batch, &ones[i], DISK_READ, i * 4096,
		       (i % 2 ? inside + 8 * MIB : inside + 16 * MIB) + i * 4096, 4096);
	disk_commit(disk);
	wait_until(&batch.over);
	g_assert_cmpuint(batch.errors[0], ==, 2000);
	for (size_t i = 0; i < 1000 * 4096; i += 4096)
		g_assert_cmpint(memcmp((i / 4096 % 2 ? inside : outside) + i,
				       inside + (i / 4096 % 2 ? 8 : 16) * MIB + i, 4096),
				==, 0);
	disk_close(disk);
	free(outside);
}

/* Larger than a command may be. */
static void test_ranges(void)
{
	char *data = (char *)memory->base, *zeroes = data + MIB;
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("ranges", 64);
	fill(data, MIB, 9);
	memset(zeroes, 0, MIB);
	for (unsigned int i = 0; i < 64; i += 8)
		g_assert_cmpint(disk_io(disk, DISK_WRITE, i * MIB, data, MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_WRITE_ZEROES, 8 * MIB, NULL, 48 * MIB), ==, 0);
	for (unsigned int i = 0; i < 64; i += 8) {
		g_assert_cmpint(disk_io(disk, DISK_READ, i * MIB, data + 2 * MIB, MIB), ==, 0);
		g_assert_cmpint(memcmp(data + 2 * MIB, i && i < 56 ? zeroes : data, MIB), ==,
				0);
	}
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, 64 * MIB), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data + 2 * MIB, MIB), ==, 0);
	g_assert_cmpint(memcmp(data + 2 * MIB, zeroes, MIB), ==, 0);
	disk_close(disk);
}

/* --- its end --- */

static pid_t daemon_pid(void)
{
	g_autofree char *path =
		g_strdup_printf("/proc/%d/task/%d/children", getpid(), getpid());
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpint(atoi(text), >, 0);
	return atoi(text);
}

/* Some requests that are under way, and some for which there is no room. */
static void submit_unanswered(struct disk *disk, struct batch *batch, struct one *ones)
{
	char *outside = aligned_buffer(MIB, 10);

	g_assert_cmpint(kill(daemon_pid(), SIGSTOP), ==, 0);
	for (unsigned int i = 0; i < 300; i++)
		submit(disk, batch, &ones[i], DISK_WRITE, i * 4096,
		       i % 2 ? outside : (char *)memory->base, 4096);
	disk_commit(disk);
	while (g_main_context_iteration(NULL, FALSE))
		;
	g_assert_cmpuint(batch->left, ==, 300);
	free(outside);
}

static void test_killed(void)
{
	g_autofree struct one *ones = g_new0(struct one, 300);
	struct batch batch = { 0 };
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("killed", 16);
	submit_unanswered(disk, &batch, ones);
	g_assert_cmpint(kill(daemon_pid(), SIGKILL), ==, 0);
	wait_until(&batch.over);
	g_assert_cmpuint(batch.errors[EIO], ==, 300);
	g_assert_nonnull(strstr(last_message, "qemu-storage-daemon ended"));
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, memory->base, 4096), ==, EIO);
	g_assert_cmpint(disk_io(disk, DISK_FLUSH, 0, NULL, 0), ==, EIO);
	disk_close(disk);
}

/* The disk goes, whatever it does. */
static void test_closed(void)
{
	g_autofree struct one *ones = g_new0(struct one, 300);
	struct batch batch = { 0 };
	struct disk *disk;

	if (!have_qemu())
		return;
	disk = open_image("closed", 16);
	submit_unanswered(disk, &batch, ones);
	disk_close(disk);
	g_assert_true(batch.over);
	g_assert_cmpuint(batch.errors[ECANCELED], ==, 300);
}

static void test_mute(void)
{
	struct batch batch = { 0 };
	struct disk_spec *spec;
	struct disk *disk;
	struct one one;

	if (!have_qemu())
		return;
	disk_close(open_image("mute", 16));
	spec = test_spec("qcow2", scratch_path("mute"));
	spec->reconnect = 1;
	disk = open_disk(spec);
	g_assert_cmpint(kill(daemon_pid(), SIGSTOP), ==, 0);
	submit(disk, &batch, &one, DISK_READ, 0, memory->base, 4096);
	disk_commit(disk);
	wait_for_message("doesn't answer");
	g_assert_cmpint(kill(daemon_pid(), SIGCONT), ==, 0);
	wait_for_message("answers again");
	wait_until(&batch.over);
	g_assert_cmpuint(batch.errors[0], ==, 1);
	disk_close(disk);
}

/* --- what a process must not do --- */

static char *said;

static void on_message(G_GNUC_UNUSED void *opaque, const char *text)
{
	g_free(said);
	said = g_strdup(text);
	g_test_message("%s", text);
}

static const struct disk_listener listener = { .message = on_message };

/* @code: what the opening ends with. */
static void refuses(enum fault fault, enum disk_error code, const char *why)
{
	struct fake fake;
	GError *error = NULL;

	g_assert_null(
		fake_open(&fake, fault, test_spec("qcow2", "/a"), memory, &listener, &error));
	g_test_message("%s", error->message);
	g_assert_error(error, DISK_ERROR, (int)code);
	g_assert_true(g_str_has_prefix(error->message, "/a: "));
	g_assert_nonnull(strstr(error->message, why));
	g_error_free(error);
}

static void test_setup(void)
{
	refuses(HANGS_UP, DISK_ERROR_OPEN, "the fake has ended");
	refuses(ENDS_SHORT, DISK_ERROR_OPEN, "the fake has ended");
	refuses(SMALL_ANSWER, DISK_ERROR_UNSUPPORTED, "wrong size");
	refuses(HUGE_ANSWER, DISK_ERROR_UNSUPPORTED, "wrong size");
	refuses(LONG_ANSWER, DISK_ERROR_UNSUPPORTED, "wrong size");
	refuses(OTHER_ANSWER, DISK_ERROR_UNSUPPORTED, "something else");
	refuses(NO_REPLY, DISK_ERROR_UNSUPPORTED, "something else");
	refuses(NO_FEATURES, DISK_ERROR_UNSUPPORTED, "lacks features");
	refuses(NO_PROTOCOL, DISK_ERROR_UNSUPPORTED, "what the device is like");
	refuses(NO_CONFIG, DISK_ERROR_UNSUPPORTED, "what the device is like");
	refuses(ODD_BLOCKS, DISK_ERROR_UNSUPPORTED, "blocks");
	refuses(HUGE_DISK, DISK_ERROR_UNSUPPORTED, "more bytes");
	refuses(NO_SECTORS, DISK_ERROR_OPEN, "no sectors");
	refuses(NO_SEGMENTS, DISK_ERROR_UNSUPPORTED, "takes no data");
	refuses(READ_ONLY, DISK_ERROR_OPEN, "read-only");
}

static struct disk *open_fake(struct fake *fake, enum fault fault)
{
	GError *error = NULL;
	struct disk *disk;

	g_clear_pointer(&said, g_free);
	disk = fake_open(fake, fault, test_spec("qcow2", "/a"), memory, &listener, &error);
	g_assert_no_error(error);
	return disk;
}

/* It gets requests, all but @good of which fail, and the disk stays so. */
static void fails(enum fault fault, unsigned int good, const char *why)
{
	struct one ones[3] = { 0 };
	struct batch batch = { 0 };
	struct fake fake;
	struct disk *disk = open_fake(&fake, fault);

	submit(disk, &batch, &ones[0], DISK_READ, 0, memory->base, 4096);
	submit(disk, &batch, &ones[1], DISK_READ, 0, memory->base + 8192, 4096);
	submit(disk, &batch, &ones[2], DISK_WRITE, 0, memory->base + 16384, 4096);
	disk_commit(disk);
	wait_until(&batch.over);
	g_assert_cmpuint(batch.errors[0], ==, good);
	g_assert_cmpuint(batch.errors[EIO], ==, 3 - good);
	g_assert_nonnull(strstr(said, why));
	g_assert_nonnull(strstr(said, "requests fail"));
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, memory->base, 4096), ==, EIO);
	disk_close(disk);
}

static void test_faults(void)
{
	fails(BAD_ID, 0, "not asked");
	fails(FREE_ID, 0, "not asked");
	fails(ANSWERS_TWICE, 1, "not asked");
	fails(LONG_LENGTH, 0, "more than it may");
	fails(BAD_STATUS, 0, "answers that there are not");
	fails(NO_STATUS, 0, "answers that there are not");
	fails(FAR_AHEAD, 0, "more than it was asked");
	fails(TALKS, 0, "without a question");
	fails(HANGS_UP_LATE, 0, "the fake has ended");
}

/* Opened while a guest runs. */
static void on_opened(void *opaque, const GError *error)
{
	g_assert_error(error, DISK_ERROR, DISK_ERROR_UNSUPPORTED);
	*(gboolean *)opaque = TRUE;
}

static void test_setup_later(void)
{
	gboolean over = FALSE;
	const struct disk_listener later = { .opened = on_opened, .opaque = &over };
	struct fake fake;
	struct disk *disk =
		fake_open(&fake, NO_CONFIG, test_spec("qcow2", "/a"), memory, &later, NULL);

	wait_until(&over);
	disk_close(disk);
	disk_close(fake_open(&fake, NO_FAULT, test_spec("qcow2", "/a"), memory, &later, NULL));
}

/* Without EVENT_IDX, and with limits that cut everything into pieces. */
static void test_limits(void)
{
	struct fake fake;
	struct disk *disk = open_fake(&fake, SMALL_PIECES);
	char *data = (char *)memory->base, *outside = aligned_buffer(MIB, 11);

	memset(data, 0, MIB);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, data, MIB - SECTOR), ==, 0);
	g_assert_cmpint(disk_io(disk, DISK_READ, 0, outside, MIB), ==, 0);
	g_assert_cmpuint(fake.longest, ==, 1536);
	for (size_t i = 0; i < MIB; i++)
		g_assert_cmpint(outside[i], ==, 0x5a);
	for (size_t i = 0; i < MIB; i++)
		g_assert_cmpint(data[i], ==, i < MIB - SECTOR ? 0x5a : 0);
	g_assert_cmpint(disk_io(disk, DISK_DISCARD, 0, NULL, MIB), ==, 0);
	g_assert_cmpint(disk_io_fua(disk, 0, data, MIB), ==, 0);
	g_assert_null(said);
	disk_close(disk);
	free(outside);
}

/* Anything at all in what is shared: the disk fails, and nothing else. */
static void test_scribbles(void)
{
	struct one ones[300];
	char *outside = aligned_buffer(MIB, 12);

	for (unsigned int round = 0; round < 20; round++) {
		struct batch batch = { 0 };
		struct fake fake;
		struct disk *disk = open_fake(&fake, SCRIBBLES);

		for (unsigned int i = 0; i < 300; i++)
			submit(disk, &batch, &ones[i], i % 2 ? DISK_READ : DISK_WRITE, i * 4096,
			       i % 3 ? outside : (char *)memory->base, 4096);
		disk_commit(disk);
		wait_until(&batch.over);
		g_assert_nonnull(strstr(said, "requests fail"));
		disk_close(disk);
	}
	free(outside);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	memory = memory_new(64 * MIB, NULL);
	disk_memory = memory;
	g_test_add_func("/disk/vhost/direct", test_direct);
	g_test_add_func("/disk/vhost/outside", test_outside);
	g_test_add_func("/disk/vhost/pieces", test_pieces);
	g_test_add_func("/disk/vhost/mixed", test_mixed);
	g_test_add_func("/disk/vhost/many", test_many);
	g_test_add_func("/disk/vhost/ranges", test_ranges);
	g_test_add_func("/disk/vhost/killed", test_killed);
	g_test_add_func("/disk/vhost/closed", test_closed);
	g_test_add_func("/disk/vhost/mute", test_mute);
	g_test_add_func("/disk/vhost/setup", test_setup);
	g_test_add_func("/disk/vhost/setup-later", test_setup_later);
	g_test_add_func("/disk/vhost/faults", test_faults);
	g_test_add_func("/disk/vhost/limits", test_limits);
	g_test_add_func("/disk/vhost/scribbles", test_scribbles);
	status = g_test_run();
	memory_free(memory);
	scratch_remove();
	return status;
}
