/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-grants.c - grants in use by a backend, and frames that are held
 */
#include "fake-frontend.h"

static void setup(struct front **front, G_GNUC_UNUSED gconstpointer data)
{
	*front = front_new(FALSE);
}

static void teardown(struct front **front, G_GNUC_UNUSED gconstpointer data)
{
	front_free(*front);
}

static int16_t map(struct front *front, uint32_t ref, gboolean write, struct grant_map *to)
{
	return grants_map(front->host.grants, ref, write, to);
}

static void unmap(struct front *front, struct grant_map *from)
{
	grants_unmap(front->host.grants, from);
}

static void test_flags(struct front **fix, G_GNUC_UNUSED gconstpointer data)
{
	struct front *front = *fix;
	uint32_t ref = front_grant(front, 3, FALSE);
	struct grant_map one, two, three;

	g_assert_cmpint(map(front, ref, FALSE, &one), ==, GNTST_okay);
	g_assert_true(one.page == front_page(front, 3));
	g_assert_cmpint(one.mfn, ==, front_frame(3));
	g_assert_cmpint(front_in_use(front, ref), ==, GTF_reading);
	g_assert_cmpint(map(front, ref, TRUE, &two), ==, GNTST_okay);
	g_assert_cmpint(map(front, ref, TRUE, &three), ==, GNTST_okay);
	g_assert_cmpint(front_in_use(front, ref), ==, GTF_reading | GTF_writing);
	unmap(front, &two);
	g_assert_cmpint(front_in_use(front, ref), ==, GTF_reading | GTF_writing);
	unmap(front, &three);
	g_assert_cmpint(front_in_use(front, ref), ==, GTF_reading);
	unmap(front, &one);
	g_assert_cmpint(front_in_use(front, ref), ==, 0);
	g_assert_cmpint(front_entry(front, ref)->flags, ==, GTF_permit_access);
}

static void test_refused(struct front **fix, G_GNUC_UNUSED gconstpointer data)
{
	struct front *front = *fix;
	uint32_t ref = front_grant(front, 0, TRUE);
	struct grant_entry_v1 *entry = front_entry(front, ref);
	struct grant_map at;

	g_assert_cmpint(map(front, ref, TRUE, &at), ==, GNTST_general_error);
	g_assert_cmpint(map(front, ref, FALSE, &at), ==, GNTST_okay);
	g_assert_cmpint(map(front, ref, TRUE, &at), ==, GNTST_general_error);
	unmap(front, &at);
	entry->domid = 5;
	g_assert_cmpint(map(front, ref, FALSE, &at), ==, GNTST_general_error);
	entry->domid = 0;
	entry->flags = GTF_accept_transfer;
	g_assert_cmpint(map(front, ref, FALSE, &at), ==, GNTST_general_error);
	entry->flags = 0;
	g_assert_cmpint(map(front, ref, FALSE, &at), ==, GNTST_general_error);
	entry->flags = GTF_permit_access | GTF_sub_page;
	g_assert_cmpint(map(front, ref, FALSE, &at), ==, GNTST_general_error);
	g_assert_cmpint(map(front, 1000000, FALSE, &at), ==, GNTST_bad_gntref);
	g_assert_cmpint(map(front, UINT32_MAX, FALSE, &at), ==, GNTST_bad_gntref);
	g_assert_cmpint(front_in_use(front, ref), ==, 0);
}

/* Not the guest's, not there at all, or a page table. */
static void test_wrong_frames(struct front **fix, G_GNUC_UNUSED gconstpointer data)
{
	struct front *front = *fix;
	uint32_t ref = front_grant(front, 0, FALSE);
	const uint32_t frames[] = { 0, FAKE_SHARED_INFO, FAKE_FIRST + FAKE_PAGES, UINT32_MAX };
	struct grant_map at, written;

	for (unsigned int i = 0; i < G_N_ELEMENTS(frames); i++) {
		front_entry(front, ref)->frame = frames[i];
		g_assert_cmpint(map(front, ref, FALSE, &at), ==, GNTST_general_error);
		g_assert_cmpint(front_in_use(front, ref), ==, 0);
	}
	front_entry(front, ref)->frame = front_frame(0);
	front->fake->build.frame_table[front_frame(0)] |= 1 << FRAME_TYPE_SHIFT;
	g_assert_cmpint(map(front, ref, TRUE, &at), ==, GNTST_general_error);
	g_assert_cmpint(front_in_use(front, ref), ==, 0);
	g_assert_cmpint(map(front, ref, FALSE, &at), ==, GNTST_okay);
	/* Nor when it is being read. */
	g_assert_cmpint(map(front, ref, TRUE, &written), ==, GNTST_general_error);
	g_assert_cmpint(front_in_use(front, ref), ==, GTF_reading);
	unmap(front, &at);
	g_assert_cmpint(front_in_use(front, ref), ==, 0);
}

/* The guest takes back or changes an entry that is mapped: it stays what it was. */
static void test_revoked(struct front **fix, G_GNUC_UNUSED gconstpointer data)
{
	struct front *front = *fix;
	uint32_t ref = front_grant(front, 1, FALSE);
	struct grant_map one, two;

	g_assert_cmpint(map(front, ref, TRUE, &one), ==, GNTST_okay);
	*front_entry(front, ref) = (struct grant_entry_v1){ .frame = front_frame(2) };
	g_assert_cmpint(map(front, ref, TRUE, &two), ==, GNTST_okay);
	g_assert_cmpint(two.mfn, ==, front_frame(1));
	unmap(front, &one);
	unmap(front, &two);
	g_assert_cmpint(front_entry(front, ref)->flags, ==, 0);
	g_assert_cmpint(map(front, ref, TRUE, &one), ==, GNTST_general_error);
}

/* A frame that the guest gives back in use is nobody's before it is not any more. */
static void test_released(struct front **fix, G_GNUC_UNUSED gconstpointer data)
{
	struct front *front = *fix;
	struct frames *frames = front->fake->dom.frames;
	uint32_t ref = front_grant(front, 1, FALSE);
	struct grant_map one, two;
	uint64_t mfn;

	g_assert_cmpint(map(front, ref, TRUE, &one), ==, GNTST_okay);
	g_assert_cmpint(map(front, ref, TRUE, &two), ==, GNTST_okay);
	g_assert_true(frames_release(frames, front_frame(1)));
	g_assert_false(frames_owned(frames, front_frame(1)));
	memset(one.page, 'x', PAGE_SIZE);
	g_assert_true(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	g_assert_cmpint(mfn, !=, front_frame(1));
	g_assert_cmpint(((char *)one.page)[7], ==, 'x');
	unmap(front, &one);
	g_assert_true(frames_release(frames, mfn));
	unmap(front, &two);
	/* The latest that came back is the first to be given. */
	g_assert_true(frames_populate(frames, 0, FRAMES_ANYWHERE, &mfn));
	g_assert_cmpint(mfn, ==, front_frame(1));
	g_assert_cmpint(((char *)one.page)[7], ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/grants/" name, struct front *, NULL, setup, test, teardown)
	ADD("flags", test_flags);
	ADD("refused", test_refused);
	ADD("wrong-frames", test_wrong_frames);
	ADD("revoked", test_revoked);
	ADD("released", test_released);
	return g_test_run();
}
