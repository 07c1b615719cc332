// SPDX-License-Identifier: Apache-2.0
// The thread that follows the journal: what it has followed to the end is covered by a snapshot; where the journal or
// the matching core says another event hash than the replica, nothing is published any more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "control/recovery/follower.h"
#include "control/recovery/shadow.h"
#include "tests/support/written_day.h"

enum { ORDERS = 6000 };

static struct written_day day;

static int set_up(void **state)
{
    (void)state;
    written_day_begin(&day, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    written_day_free(&day);
    return 0;
}

// Follows to the end, where the core says `hash`.
static void follow(uint64_t hash)
{
    struct follower_end end = {.applied = {day.given}, .event_hash = {hash}};
    struct follower *follower = follower_start(day.stage.config, &day.identity, day.writer);
    assert_non_null(follower);
    follower_hold(follower, false);
    follower_stop(follower, &end);
}

static uint64_t newest(void)
{
    uint64_t covered = 0;
    assert_true(snapshot_list(&day.identity, 0, &covered, 1) >= 0);
    return covered;
}

static void the_end_is_covered_again_and_again(void **state)
{
    (void)state;
    written_day_open(&day);
    for (unsigned round = 0; round < 3; round++) {
        written_day_trade(&day, ORDERS, UINT32_MAX);
        follow(shadow_event_hash(day.venue));
        assert_int_equal(newest(), day.given);
    }
    struct shadow *restored = shadow_new(day.stage.config, &day.identity, 0);
    while (!shadow_restore(restored, day.given, 100))
        ;
    assert_int_equal(shadow_sequence(restored), day.given);
    assert_int_equal(shadow_event_hash(restored), shadow_event_hash(day.venue));
    for (uint16_t session = 0; session < day.stage.config->sessions_count; session++)
        assert_int_equal(shadow_messages(restored, session), shadow_messages(day.venue, session));
    assert_int_equal(shadow_messages(restored, UINT16_MAX), shadow_messages(day.venue, UINT16_MAX)); // the feed
    shadow_free(restored);
}

static void a_journal_of_other_events_is_followed_no_further(void **state)
{
    (void)state;
    written_day_open(&day);
    written_day_trade(&day, ORDERS, UINT32_MAX);
    follow(shadow_event_hash(day.venue));
    uint64_t before = day.given;
    assert_int_equal(newest(), before);
    written_day_trade(&day, 3 * ORDERS, 10);
    follow(shadow_event_hash(day.venue));
    assert_int_equal(newest(), before);
}

static void a_core_that_ends_elsewhere_gets_no_snapshot(void **state)
{
    (void)state;
    written_day_open(&day);
    written_day_trade(&day, 100, UINT32_MAX);
    follow(shadow_event_hash(day.venue) ^ 1);
    assert_int_equal(newest(), 0);
}

static void a_disk_without_room_for_the_journal_gets_no_snapshot(void **state)
{
    (void)state;
    written_day_open(&day);
    written_day_trade(&day, 100, UINT32_MAX);
    uint32_t segment_mb = day.stage.config->journal.segment_mb;
    day.stage.config->journal.segment_mb = UINT32_MAX; // more than any disk has
    follow(shadow_event_hash(day.venue));
    assert_int_equal(newest(), 0);
    day.stage.config->journal.segment_mb = segment_mb;
    follow(shadow_event_hash(day.venue));
    assert_int_equal(newest(), day.given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_end_is_covered_again_and_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_journal_of_other_events_is_followed_no_further, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_core_that_ends_elsewhere_gets_no_snapshot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_without_room_for_the_journal_gets_no_snapshot, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
