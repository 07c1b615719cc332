// SPDX-License-Identifier: Apache-2.0
// Breakers that block the same: what one of them lifts is what no other blocks.
#include "tests/unit/breakers_stage.h"

// A command of that type to each core since the last call, a bit each.
static unsigned cores_given(enum command_type type)
{
    unsigned cores = 0;
    for (unsigned i = 0; i < given_count; i++)
        if (given[i].command.type == type)
            cores |= 1u << given[i].core;
    given_count = 0;
    return cores;
}

// The disk blocks both cores, the backlog of core 1 that one: each unblocks where it is the last.
static struct ring *block_by_disk_and_backlog(void)
{
    struct ring *orders = region_find(&generation.region, OBJECT_ORDERS, 0, 1);
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[1] = trip(TRIP_BACKLOG, 50, TRIP_BLOCK);
    trips[0].window_ms = trips[1].window_ms = 0;
    trips[0].recovers = trips[1].recovers = TRIP_AGGRESSIVE;
    begin(2);
    senses.disk_free_mb = 50;
    orders->produced = orders->consumed + 64;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(state_of(1, 1), BREAKER_OPEN);
    given_count = 0;
    return orders;
}

static void a_core_is_unblocked_when_the_last_that_blocks_it_closes(void **state)
{
    (void)state;
    struct ring *orders = block_by_disk_and_backlog();
    senses.disk_free_mb = 10000;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    assert_int_equal(cores_given(CMD_RESET), 1u << 0);
    orders->produced = (uint64_t)orders->consumed;
    pass(MS(20));
    assert_int_equal(state_of(1, 1), BREAKER_CLOSED);
    assert_int_equal(cores_given(CMD_RESET), 1u << 1);
    end();
}

static void a_row_that_a_reload_takes_away_unblocks_nothing_that_another_blocks(void **state)
{
    (void)state;
    struct ring *orders = block_by_disk_and_backlog();
    trips[0] = trips[1];
    config.trips_count = 1; // without the disk's
    assert_true(breakers_reload(breakers));
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    assert_int_equal(cores_given(CMD_RESET), 1u << 0);
    orders->produced = (uint64_t)orders->consumed;
    pass(MS(20));
    assert_int_equal(cores_given(CMD_RESET), 1u << 1);
    end();
}

static void what_is_to_be_unblocked_is_so_when_its_row_is_taken_away_first(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[0].window_ms = 0;
    trips[0].recovers = TRIP_AGGRESSIVE;
    begin(1);
    senses.disk_free_mb = 50;
    pass(MS(20));
    assert_int_equal(cores_given(CMD_KILL), 3);
    senses.disk_free_mb = 10000;
    rings_full = true;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    config.trips_count = 0;
    assert_true(breakers_reload(breakers));
    rings_full = false;
    pass(MS(20));
    assert_int_equal(cores_given(CMD_RESET), 3);
    end();
}

static void what_a_reload_unblocks_late_is_what_no_other_has_blocked_since(void **state)
{
    (void)state;
    struct ring *orders = block_by_disk_and_backlog();
    orders->produced = (uint64_t)orders->consumed;
    pass(MS(20));
    given_count = 0;
    rings_full = true;
    trips[0] = trips[1];
    config.trips_count = 1; // without the disk's, which blocks both cores
    assert_true(breakers_reload(breakers));
    pass(MS(20));
    assert_int_equal(given_count, 0);
    orders->produced = orders->consumed + 64;
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    rings_full = false;
    pass(MS(20));
    unsigned count = 0;
    for (unsigned i = 0; i < given_count; i++) {
        const struct command *command = &given[i].command;
        count += command->type == CMD_KILL;
        assert_true(command->type != CMD_RESET || given[i].core == 0);
    }
    assert_int_equal(count, 1);
    assert_int_equal(cores_given(CMD_RESET), 1u << 0);
    orders->produced = (uint64_t)orders->consumed;
    pass(MS(20));
    assert_int_equal(cores_given(CMD_RESET), 1u << 1);
    end();
}

static void what_a_breaker_unblocks_late_is_what_no_other_has_blocked_since(void **state)
{
    (void)state;
    struct ring *orders = block_by_disk_and_backlog();
    orders->produced = (uint64_t)orders->consumed;
    pass(MS(20));
    given_count = 0;
    rings_full = true;
    senses.disk_free_mb = 10000;
    pass(MS(20)); // the disk's closes
    orders->produced = orders->consumed + 64;
    pass(MS(20)); // the backlog's opens
    rings_full = false;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    assert_int_equal(state_of(1, 1), BREAKER_OPEN);
    assert_int_equal(cores_given(CMD_RESET), 1u << 0);
    orders->produced = (uint64_t)orders->consumed;
    pass(MS(20));
    assert_int_equal(cores_given(CMD_RESET), 1u << 1);
    end();
}

static void a_kill_that_waits_for_room_on_one_core_keeps_its_number(void **state)
{
    (void)state;
    struct ring *orders = region_find(&generation.region, OBJECT_ORDERS, 0, 0);
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[1] = trip(TRIP_BACKLOG, 50, TRIP_BLOCK);
    trips[0].window_ms = trips[1].window_ms = 0;
    begin(2);
    ring_full[1] = true;
    senses.disk_free_mb = 50;
    pass(MS(20));
    const uint64_t id = learnt.kill.id;
    assert_memory_equal(learnt.kill.why, "disk_space", sizeof "disk_space");
    assert_int_equal(learnt_cores, 1u << 0);
    orders->produced = orders->consumed + 64;
    pass(MS(20)); // another breaker's, meanwhile
    assert_memory_equal(learnt.kill.why, "backlog", sizeof "backlog");
    assert_int_not_equal(learnt.kill.id, id);
    ring_full[1] = false;
    pass(MS(20));
    assert_memory_equal(learnt.kill.why, "disk_space", sizeof "disk_space");
    assert_int_equal(learnt.kill.id, id);
    orders->produced = (uint64_t)orders->consumed;
    end();
}

// Another data plane, as breakers see it.
static void replace_dataplane(void)
{
    generation.region.header->generation++;
    rings_stuck = false;
    given_count = 0;
    pass(MS(20));
}

static void what_a_dying_data_plane_had_not_taken_is_given_to_the_next(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[1] = trip(TRIP_DISK_SPACE, 90, TRIP_HALT);
    trips[0].window_ms = trips[1].window_ms = 0;
    trips[0].recovers = TRIP_AGGRESSIVE;
    trips[1].recovers = TRIP_MANUAL;
    trips[1].name = "halts";
    begin(2);
    rings_stuck = true;
    senses.disk_free_mb = 50;
    pass(MS(20));
    const uint64_t id = learnt.kill.id;
    assert_int_equal(cores_given(CMD_KILL), 3);
    pass(MS(20));
    pass(MS(20));
    assert_int_equal(given_count, 0); // it has it to come
    replace_dataplane();
    unsigned kills = 0, halts = 0;
    for (unsigned i = 0; i < given_count; i++) {
        kills += given[i].command.type == CMD_KILL;
        halts += given[i].command.type == CMD_HALT;
    }
    assert_int_equal(kills, 2);
    assert_int_equal(halts, 2);
    assert_int_equal(learnt.kill.id, id);
    pass(MS(20)); // and has taken it
    replace_dataplane();
    assert_int_equal(given_count, 0);
    rings_stuck = true;
    senses.disk_free_mb = 10000;
    pass(MS(20));
    assert_int_equal(cores_given(CMD_RESET), 3);
    replace_dataplane();
    assert_int_equal(cores_given(CMD_RESET), 3);
    pass(MS(20));
    replace_dataplane();
    assert_int_equal(given_count, 0);
    end();
}

static void a_block_that_a_reload_lifts_is_lifted_though_a_data_plane_dies_before_it_takes_that(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[0].window_ms = 0;
    begin(1);
    senses.disk_free_mb = 50;
    pass(MS(20));
    pass(MS(20));
    given_count = 0;
    rings_stuck = true;
    config.trips_count = 0;
    assert_true(breakers_reload(breakers));
    pass(MS(20));
    assert_int_equal(cores_given(CMD_RESET), 3);
    pass(MS(20));
    assert_int_equal(given_count, 0);
    replace_dataplane();
    assert_int_equal(cores_given(CMD_RESET), 3);
    pass(MS(20));
    assert_int_equal(breakers->letters_count, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_is_unblocked_when_the_last_that_blocks_it_closes),
        cmocka_unit_test(a_row_that_a_reload_takes_away_unblocks_nothing_that_another_blocks),
        cmocka_unit_test(what_is_to_be_unblocked_is_so_when_its_row_is_taken_away_first),
        cmocka_unit_test(what_a_reload_unblocks_late_is_what_no_other_has_blocked_since),
        cmocka_unit_test(what_a_breaker_unblocks_late_is_what_no_other_has_blocked_since),
        cmocka_unit_test(a_kill_that_waits_for_room_on_one_core_keeps_its_number),
        cmocka_unit_test(what_a_dying_data_plane_had_not_taken_is_given_to_the_next),
        cmocka_unit_test(a_block_that_a_reload_lifts_is_lifted_though_a_data_plane_dies_before_it_takes_that),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
