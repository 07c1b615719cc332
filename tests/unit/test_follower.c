// SPDX-License-Identifier: Apache-2.0
// The thread that follows the journal: what it has followed to the end is covered by a snapshot; where the journal or
// the matching core says another event hash than the replica, nothing is published any more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "control/recovery/follower.h"
#include "control/recovery/opening.h"
#include "control/recovery/shadow.h"
#include "tests/support/control_stage.h"

enum { DEPTH = 16384, ORDERS = 6000 };

static struct stage stage;
static struct journal_identity identity;
static struct journal_writer *writer;
static struct journal_lane lane;
static struct shadow *venue; // what the matching core would be
static uint64_t given;
static uint32_t user_ref;

static int set_up(void **state)
{
    struct journal_report tail;
    char text[256];
    (void)state;
    stage_open(&stage, 1, "durable", 256);
    identity = (struct journal_identity){.directory = stage.config->journal_directory,
                                         .instance = stage.config->instance,
                                         .date = stage.config->date,
                                         .config_hash = stage.config->hash};
    struct journal_writer_options options = {.segment_mb = 1, .commit_kb = 64};
    assert_int_equal(journal_scan(&identity, &tail), JOURNAL_OK);
    assert_int_equal(journal_writer_open(&writer, &identity, &options, &tail, text, sizeof text), JOURNAL_OK);
    size_t size = ring_footprint(DEPTH, sizeof(struct command));
    void *memory = aligned_alloc(CACHE_PAIR, size);
    assert_non_null(memory);
    memset(memory, 0, size);
    lane = (struct journal_lane){.ring = ring_new(memory, DEPTH, sizeof(struct command), 0)};
    venue = shadow_new(stage.config, &identity, 0);
    assert_non_null(venue);
    given = 0;
    user_ref = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    journal_writer_close(writer);
    shadow_free(venue);
    free(lane.ring);
    stage_close(&stage);
    return 0;
}

static void give(struct command command, bool right)
{
    while (ring_room(lane.ring, 1) == 0)
        assert_int_equal(journal_drain(writer, &lane, 1), JOURNAL_OK);
    command.time_ns = 1000 * ++given;
    command.prev_hash = (uint32_t)shadow_event_hash(venue);
    struct command record = command;
    record.seq = given;
    assert_true(shadow_take(venue, &record));
    command.prev_hash ^= !right;
    memcpy((char *)ring_slot(lane.ring, 0) + 8, (char *)&command + 8, sizeof command - 8);
    ring_publish(lane.ring, 1);
}

static void open_day(void)
{
    struct opening opening;
    struct command command, up = {.type = CMD_SESSION_UP};
    assert_true(opening_init(&opening, stage.config, 0));
    while (opening_next(&opening, 0, &command)) {
        opening_note(&opening, &command);
        give(command, true);
    }
    opening_free(&opening);
    give(up, true);
}

// Orders and cancels; the one at `wrong` stands in the journal with another hash than the venue had.
static void trade(unsigned count, unsigned wrong)
{
    for (unsigned i = 0; i < count; i++) {
        struct command command = {.type = CMD_ENTER,
                                  .quantity = 100,
                                  .price = 1000000 + 100 * (i % 40),
                                  .locate = 1,
                                  .side = i % 3 ? 'B' : 'S',
                                  .tif = '0',
                                  .display = 'Y',
                                  .capacity = 'A',
                                  .iso = 'N',
                                  .cross = 'N'};
        memcpy(command.symbol, stage.config->symbols[0].wire_name, sizeof command.symbol);
        command.user_ref = ++user_ref;
        give(command, i != wrong);
    }
    assert_int_equal(journal_drain(writer, &lane, 1), JOURNAL_OK);
}

// Follows to the end, where the core says `hash`.
static void follow(uint64_t hash)
{
    struct follower_end end = {.applied = {given}, .event_hash = {hash}};
    struct follower *follower = follower_start(stage.config, &identity, writer);
    assert_non_null(follower);
    follower_hold(follower, false);
    follower_stop(follower, &end);
}

static uint64_t newest(void)
{
    uint64_t covered = 0;
    assert_true(snapshot_list(&identity, 0, &covered, 1) >= 0);
    return covered;
}

static void the_end_is_covered_again_and_again(void **state)
{
    (void)state;
    open_day();
    for (unsigned round = 0; round < 3; round++) {
        trade(ORDERS, UINT32_MAX);
        follow(shadow_event_hash(venue));
        assert_int_equal(newest(), given);
    }
    struct shadow *restored = shadow_new(stage.config, &identity, 0);
    while (!shadow_restore(restored, given, 100))
        ;
    assert_int_equal(shadow_sequence(restored), given);
    assert_int_equal(shadow_event_hash(restored), shadow_event_hash(venue));
    for (uint16_t session = 0; session < stage.config->sessions_count; session++)
        assert_int_equal(shadow_messages(restored, session), shadow_messages(venue, session));
    assert_int_equal(shadow_messages(restored, UINT16_MAX), shadow_messages(venue, UINT16_MAX)); // the feed
    shadow_free(restored);
}

static void a_journal_of_other_events_is_followed_no_further(void **state)
{
    (void)state;
    open_day();
    trade(ORDERS, UINT32_MAX);
    follow(shadow_event_hash(venue));
    uint64_t before = given;
    assert_int_equal(newest(), before);
    trade(3 * ORDERS, 10);
    follow(shadow_event_hash(venue));
    assert_int_equal(newest(), before);
}

static void a_core_that_ends_elsewhere_gets_no_snapshot(void **state)
{
    (void)state;
    open_day();
    trade(100, UINT32_MAX);
    follow(shadow_event_hash(venue) ^ 1);
    assert_int_equal(newest(), 0);
}

static void a_disk_without_room_for_the_journal_gets_no_snapshot(void **state)
{
    (void)state;
    open_day();
    trade(100, UINT32_MAX);
    uint32_t segment_mb = stage.config->journal.segment_mb;
    stage.config->journal.segment_mb = UINT32_MAX; // more than any disk has
    follow(shadow_event_hash(venue));
    assert_int_equal(newest(), 0);
    stage.config->journal.segment_mb = segment_mb;
    follow(shadow_event_hash(venue));
    assert_int_equal(newest(), given);
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
