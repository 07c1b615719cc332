// SPDX-License-Identifier: Apache-2.0
// The trip table under an injected world (breakers_stage.h).
#include "tests/unit/breakers_stage.h"

// ---- levels ---------------------------------------------------------------------------------------------------------

static void room_on_the_disk_trips_at_its_threshold_and_not_above(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_ALERT);
    trips[0].window_ms = 0;
    begin(1);
    senses.disk_free_mb = 101;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    senses.disk_free_mb = 100;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    end();
}

static void a_level_must_last_for_its_window(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_CLOCK_ERROR, 500, TRIP_ALERT);
    begin(1);
    senses.clock_error_us = 500;
    pass(MS(20));
    pass(MS(980));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    senses.clock_error_us = 499;
    pass(MS(10));
    senses.clock_error_us = 500;
    pass(MS(10));
    pass(MS(999));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    pass(MS(1));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    end();
}

static void what_is_a_tenth_below_its_threshold_keeps_it_open(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_CLOCK_ERROR, 500, TRIP_ALERT);
    trips[0].recovers = TRIP_AGGRESSIVE;
    begin(1);
    senses.clock_error_us = UINT64_MAX; // not synchronised
    pass(MS(10));
    pass(MS(1000));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    senses.clock_error_us = 451;
    pass(MS(10));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    senses.clock_error_us = 450;
    pass(MS(10));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    end();
}

static void what_can_not_be_asked_trips_nothing(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_CLOCK_ERROR, 500, TRIP_ALERT);
    trips[1] = trip(TRIP_DISK_SPACE, 100, TRIP_ALERT);
    trips[0].window_ms = trips[1].window_ms = 0;
    begin(2);
    senses.clock_known = senses.disk_known = false;
    senses.clock_error_us = UINT64_MAX;
    senses.disk_free_mb = 0;
    pass(S(5));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    assert_int_equal(state_of(1, 0), BREAKER_CLOSED);
    end();
}

static void a_backlog_is_of_the_core_whose_ring_it_is(void **state)
{
    (void)state;
    struct ring *orders = region_find(&generation.region, OBJECT_ORDERS, 0, 1);
    trips[0] = trip(TRIP_BACKLOG, 50, TRIP_BLOCK);
    trips[0].window_ms = 0;
    begin(1);
    orders->produced = orders->consumed + 31;
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_CLOSED);
    orders->produced = orders->consumed + 32;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    assert_int_equal(given[0].core, 1);
    assert_int_equal(given[0].command.type, CMD_KILL);
    assert_int_equal(given[0].command.kill.actions, KILL_BLOCK);
    assert_int_equal(given[0].command.kill.scope, SCOPE_VENUE);
    assert_int_equal(given[0].command.kill.source, KILL_BY_BREAKER);
    orders->produced = (uint64_t)orders->consumed;
    end();
}

static void journal_lag_is_the_age_of_what_is_not_durable(void **state)
{
    (void)state;
    struct ring *journal = region_find(&generation.region, OBJECT_JOURNAL, 0, 0);
    trips[0] = trip(TRIP_JOURNAL_LAG, 500, TRIP_ALERT);
    trips[0].window_ms = 0;
    begin(1);
    for (unsigned i = 0; i < 100; i++) { // busy, and never far behind
        journal->produced = journal->produced + 10;
        pass(MS(400));
        journal->consumed = journal->produced - 5;
    }
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    journal->produced = journal->produced + 10;
    pass(MS(20)); // seen
    pass(MS(20));
    pass(MS(500));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    journal->consumed = (uint64_t)journal->produced;
    end();
}

// ---- counts and ratios ----------------------------------------------------------------------------------------------

static void a_clock_that_steps_trips_and_one_that_slews_does_not(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_CLOCK_STEP, 10, TRIP_ALERT);
    begin(1);
    for (unsigned i = 0; i < 500; i++) { // 500 ppm for 10 s
        senses.wall_ahead_ns += 10000;
        pass(MS(20));
    }
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    senses.wall_ahead_ns -= (int64_t)MS(9);
    pass(MS(1001));
    pass(MS(1001));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    senses.wall_ahead_ns -= (int64_t)MS(10);
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    end();
}

static void say(unsigned session, unsigned messages, unsigned rejected, unsigned malformed)
{
    tallies[session].messages += messages;
    tallies[session].rejected += rejected;
    tallies[session].malformed += malformed;
}

static void a_ratio_of_rejects_blocks_its_session_alone(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_REJECT_RATIO, 40, TRIP_BLOCK);
    begin(1);
    say(1, 99, 99, 0); // too few to tell
    say(2, 100, 39, 0);
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_CLOSED);
    assert_int_equal(state_of(0, 2), BREAKER_CLOSED);
    pass(MS(1000));
    say(1, 100, 40, 0);
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    assert_int_equal(given[0].core, 1);
    assert_int_equal(given_of(CMD_KILL, &last), 1);
    assert_int_equal(last.kill.scope, SCOPE_SESSION);
    assert_int_equal(last.kill.index, 1);
    for (unsigned i = 0; i < 60 && state_of(0, 1) == BREAKER_OPEN; i++)
        pass(MS(100));
    assert_int_equal(given_of(CMD_RESET, &last), 1);
    assert_int_equal(last.kill.source, KILL_BY_BREAKER);
    assert_int_equal(state_of(0, 1), BREAKER_HALF_OPEN);
    say(1, 100, 50, 0);
    pass(MS(20)); // again, while it comes back
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    assert_int_equal(given_of(CMD_KILL, &last), 1);
    end();
}

static void one_answer_in_a_hundred_that_is_late_trips_latency(void **state)
{
    (void)state;
    struct core_block *gateway = region_find(&generation.region, OBJECT_CORE, ROLE_GATEWAY, 0);
    trips[0] = trip(TRIP_LATENCY, 250, TRIP_ALERT);
    begin(1);
    assert_int_equal(generation.region.header->answer_limit_ns, 250000);
    gateway->counters[COUNT_GATEWAY_events] += 1000;
    gateway->counters[COUNT_GATEWAY_late] += 9;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    gateway->counters[COUNT_GATEWAY_late] += 1;
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    end();
}

static void counters_of_another_data_plane_are_not_compared(void **state)
{
    (void)state;
    struct core_block *publisher = region_find(&generation.region, OBJECT_CORE, ROLE_PUBLISHER, 1);
    publisher->counters[COUNT_PUBLISHER_tx_dropped] = 50;
    trips[0] = trip(TRIP_FEED_GAP, 2, TRIP_ALERT);
    begin(1);
    publisher->counters[COUNT_PUBLISHER_tx_dropped] = 0;
    pass(MS(20));
    publisher->counters[COUNT_PUBLISHER_tx_dropped] = 1;
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_CLOSED);
    publisher->counters[COUNT_PUBLISHER_tx_dropped] = 2;
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    end();
}

static void alerts_of_a_loss_limit_trip_their_account(void **state)
{
    (void)state;
    struct command last;
    struct alert alert = {.kind = ALERT_LEVEL, .scope = SCOPE_ACCOUNT, .limit = LIMIT_LOSS, .index = 1};
    trips[0] = trip(TRIP_LOSS, 2, TRIP_CANCEL);
    begin(1);
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(MS(1001));
    breakers_alert(breakers, &alert, senses.now_ns); // the one before is out of the window
    alert.limit = LIMIT_DRAWDOWN;
    breakers_alert(breakers, &alert, senses.now_ns);
    alert.kind = ALERT_EASED;
    alert.limit = LIMIT_LOSS;
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_CLOSED);
    alert.kind = ALERT_KILLED;
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(MS(20));
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    assert_int_equal(given_of(CMD_KILL, &last), 2); // both cores
    assert_int_equal(last.kill.scope, SCOPE_ACCOUNT);
    assert_int_equal(last.kill.index, 1);
    assert_int_equal(last.kill.actions, KILL_CANCEL);
    end();
}

// ---- recovery -------------------------------------------------------------------------------------------------------

static void a_standard_recovery_gives_back_step_by_step(void **state)
{
    (void)state;
    static const uint32_t rates[] = {200, 400, 800, 1600, 0};
    struct command last;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_THROTTLE);
    trips[0].window_ms = 0;
    begin(1);
    senses.disk_free_mb = 50;
    pass(MS(20));
    assert_int_equal(given_of(CMD_MODE, &last), 2);
    assert_int_equal(last.mode.rate, 100);
    assert_string_equal(breakers_text(breakers), "degraded: mode throttled, 1 breaker open");
    senses.disk_free_mb = 500;
    pass(MS(3990));
    assert_int_equal(given_of(CMD_MODE, &last), 0);
    for (unsigned i = 0; i < 5; i++) {
        pass(MS(1000));
        assert_int_equal(given_of(CMD_MODE, &last), 2);
        assert_int_equal(last.mode.on, rates[i] != 0);
        assert_int_equal(last.mode.rate, rates[i]);
    }
    assert_string_equal(breakers_text(breakers), "normal");
    end();
}

static void a_mode_lasts_as_long_as_one_of_its_breakers(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_THROTTLE);
    trips[1] = trip(TRIP_CLOCK_ERROR, 500, TRIP_THROTTLE);
    trips[0].window_ms = trips[1].window_ms = 0;
    trips[0].recovers = trips[1].recovers = TRIP_AGGRESSIVE;
    begin(2);
    senses.disk_free_mb = 50;
    senses.clock_error_us = 1000;
    pass(MS(20));
    assert_int_equal(given_of(CMD_MODE, &last), 2);
    senses.disk_free_mb = 500;
    pass(MS(20));
    assert_int_equal(given_of(CMD_MODE, &last), 0);
    senses.clock_error_us = 0;
    pass(MS(20));
    assert_int_equal(given_of(CMD_MODE, &last), 2);
    assert_false(last.mode.on);
    end();
}

static void a_block_that_two_want_outlives_the_first(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_REJECT_RATIO, 40, TRIP_BLOCK);
    trips[1] = trip(TRIP_MALFORMED_RATIO, 40, TRIP_BLOCK);
    begin(2);
    say(0, 100, 50, 50);
    pass(MS(20));
    assert_int_equal(given_of(CMD_KILL, &last), 2);
    breakers_reset(breakers, "reject_ratio", "ALICE", senses.now_ns);
    pass(MS(20));
    assert_int_equal(given_of(CMD_RESET, &last), 0);
    breakers_reset(breakers, "malformed_ratio", "ALICE", senses.now_ns);
    pass(MS(20));
    assert_int_equal(given_of(CMD_RESET, &last), 1);
    end();
}

static void an_operator_takes_back_what_cores_did_without_control(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_CONTROL_LOST, 100, TRIP_BLOCK);
    trips[0].recovers = TRIP_MANUAL;
    begin(1);
    assert_int_equal(breakers_reset(breakers, "control_lost", "ALICE", senses.now_ns), 1);
    pass(MS(20));
    assert_int_equal(given_of(CMD_RESET, &last), 2);
    assert_int_equal(last.kill.scope, SCOPE_VENUE);
    assert_int_equal(last.kill.source, KILL_BY_CORE);
    end();
}

static void a_manual_recovery_waits_for_an_operator(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[0].window_ms = 0;
    trips[0].recovers = TRIP_MANUAL;
    begin(1);
    senses.disk_free_mb = 50;
    pass(MS(20));
    senses.disk_free_mb = 500;
    pass(S(100000));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    given_count = 0;
    assert_int_equal(breakers_reset(breakers, "nothing", "ALICE", senses.now_ns), -1);
    assert_int_equal(breakers_reset(breakers, "disk_space", "ALICE", senses.now_ns), 1);
    assert_int_equal(breakers_reset(breakers, "disk_space", "ALICE", senses.now_ns), 0);
    pass(MS(20));
    assert_int_equal(given[given_count - 1].command.type, CMD_NOTE);
    assert_memory_equal(given[given_count - 1].command.note.by, "ALICE", 6);
    assert_int_equal(given[given_count - 1].command.note.before, BREAKER_OPEN);
    assert_int_equal(given[given_count - 1].command.note.after, BREAKER_CLOSED);
    assert_int_equal(given_of(CMD_RESET, &last), 2);
    end();
}

static void the_quiet_time_doubles_each_time_that_it_trips_again(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_ALERT);
    trips[0].window_ms = 0;
    begin(1);
    senses.disk_free_mb = 50;
    pass(MS(20));
    for (unsigned quiet = 4; quiet <= 16; quiet *= 2) {
        senses.disk_free_mb = 500;
        pass(S(quiet) - MS(10));
        assert_int_equal(state_of(0, 0), BREAKER_OPEN);
        pass(MS(20));
        assert_int_equal(state_of(0, 0), BREAKER_HALF_OPEN);
        senses.disk_free_mb = 50;
        pass(MS(20));
        assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    }
    end();
}

// ---- full rings, reloads, restarts ----------------------------------------------------------------------------------

static void what_finds_no_room_is_given_when_there_is_some(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[1] = trip(TRIP_DISK_SPACE, 100, TRIP_THROTTLE);
    trips[1].name = "second";
    trips[0].window_ms = trips[1].window_ms = 0;
    begin(2);
    rings_full = true;
    senses.disk_free_mb = 50;
    pass(MS(20));
    pass(MS(20));
    assert_int_equal(given_count, 0);
    rings_full = false;
    pass(MS(20));
    assert_int_equal(given[0].command.type, CMD_MODE);
    assert_int_equal(given_of(CMD_KILL, &last), 2);
    pass(MS(20));
    assert_int_equal(given_count, 0);
    end();
}

static void a_day_that_has_ended_is_told_what_its_breakers_did_and_nothing_else(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[1] = trip(TRIP_DISK_SPACE, 100, TRIP_THROTTLE);
    trips[1].name = "second";
    trips[2] = trip(TRIP_DISK_SPACE, 100, TRIP_HALT);
    trips[2].name = "third";
    for (unsigned i = 0; i < 3; i++) {
        trips[i].window_ms = 0;
        trips[i].recovers = TRIP_MANUAL;
    }
    begin(3);
    day_ended = true;
    senses.disk_free_mb = 50;
    for (unsigned i = 0; i < 10; i++)
        pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(given_of(CMD_NOTE, &last), 3); // each breaker's, once
    assert_int_equal(given_count, 0);
    // A reset of it, and the operator's of what cores did alone, leave nothing that waits for a room that never comes.
    senses.disk_free_mb = 500;
    for (unsigned i = 0; i < 2 * BREAKER_LETTERS; i++) {
        breakers_reset(breakers, "disk_space", "ALICE", senses.now_ns);
        breakers_take_back_alone(breakers, "ALICE");
        pass(MS(20));
    }
    assert_int_equal(breakers->letters_count, 0);
    assert_int_equal(given_of(CMD_RESET, &last), 0);
    end();
}

static void a_reload_keeps_breakers_and_changes_thresholds(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_BLOCK);
    trips[1] = trip(TRIP_CLOCK_ERROR, 500, TRIP_ALERT);
    trips[0].window_ms = trips[1].window_ms = 0;
    begin(2);
    senses.disk_free_mb = 50;
    pass(MS(20));
    trips[0] = trips[1]; // the other way round, another threshold
    trips[0].threshold = 300;
    trips[1] = trip(TRIP_DISK_SPACE, 200, TRIP_BLOCK);
    trips[1].window_ms = 0;
    assert_true(breakers_reload(breakers));
    assert_int_equal(state_of(1, 0), BREAKER_OPEN);
    senses.clock_error_us = 300;
    senses.disk_free_mb = 150; // would have been enough
    given_count = 0;
    pass(S(5));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(state_of(1, 0), BREAKER_OPEN);
    config.trips_count = 1; // without it: what it has blocked may trade again
    assert_true(breakers_reload(breakers));
    pass(MS(20));
    assert_int_equal(given_of(CMD_RESET, &last), 2);
    end();
}

static void a_control_that_follows_one_that_was_killed_goes_on_with_its_breakers(void **state)
{
    (void)state;
    struct command last;
    trips[0] = trip(TRIP_DISK_SPACE, 100, TRIP_THROTTLE);
    trips[1] = trip(TRIP_REJECT_RATIO, 40, TRIP_BLOCK);
    trips[0].window_ms = 0;
    trips[0].recovers = TRIP_MANUAL;
    begin(2);
    senses.disk_free_mb = 50;
    say(2, 100, 100, 0);
    pass(MS(500));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(state_of(1, 2), BREAKER_OPEN);
    pass(MS(500));
    breakers_free(breakers);

    senses.disk_free_mb = 500;
    given_count = 0;
    breakers = breakers_new(&config);
    pass(MS(20));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(state_of(1, 2), BREAKER_OPEN);
    assert_int_equal(state_of(1, 1), BREAKER_CLOSED);
    pass(S(5));
    given_count = 0;
    breakers_reset(breakers, "disk_space", "ALICE", senses.now_ns);
    pass(MS(20));
    assert_int_equal(given_of(CMD_MODE, &last), 2);
    assert_false(last.mode.on);
    end();
}

// ---- logins ---------------------------------------------------------------------------------------------------------

static bool login(uint32_t session, bool right)
{
    breaker_permit permit = breakers_login(breakers, session, senses.now_ns);
    breakers_login_done(breakers, session, permit, right, senses.now_ns);
    return permit != 0;
}

static void bad_logins_close_the_port_of_their_session_alone(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_BAD_LOGINS, 3, TRIP_BLOCK);
    begin(1);
    assert_true(login(0, false));
    assert_true(login(0, false));
    assert_true(login(0, true));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    assert_true(login(0, false));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_false(login(0, true));
    assert_true(login(1, true));
    senses.now_ns += S(4) + MS(2);
    assert_true(login(0, false)); // one try
    assert_false(login(0, true));
    senses.now_ns += S(8) + MS(2); // twice as long
    assert_true(login(0, true));
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    assert_true(login(0, false));
    end();
}

static void bad_logins_that_are_only_told_close_nothing(void **state)
{
    (void)state;
    trips[0] = trip(TRIP_BAD_LOGINS, 1, TRIP_ALERT);
    begin(1);
    assert_true(login(0, false));
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_true(login(0, true));
    assert_true(login(7, true)); // of no session that the configuration has
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_on_the_disk_trips_at_its_threshold_and_not_above),
        cmocka_unit_test(a_level_must_last_for_its_window),
        cmocka_unit_test(what_is_a_tenth_below_its_threshold_keeps_it_open),
        cmocka_unit_test(what_can_not_be_asked_trips_nothing),
        cmocka_unit_test(a_backlog_is_of_the_core_whose_ring_it_is),
        cmocka_unit_test(journal_lag_is_the_age_of_what_is_not_durable),
        cmocka_unit_test(a_clock_that_steps_trips_and_one_that_slews_does_not),
        cmocka_unit_test(a_ratio_of_rejects_blocks_its_session_alone),
        cmocka_unit_test(one_answer_in_a_hundred_that_is_late_trips_latency),
        cmocka_unit_test(counters_of_another_data_plane_are_not_compared),
        cmocka_unit_test(alerts_of_a_loss_limit_trip_their_account),
        cmocka_unit_test(a_standard_recovery_gives_back_step_by_step),
        cmocka_unit_test(a_mode_lasts_as_long_as_one_of_its_breakers),
        cmocka_unit_test(a_block_that_two_want_outlives_the_first),
        cmocka_unit_test(an_operator_takes_back_what_cores_did_without_control),
        cmocka_unit_test(a_manual_recovery_waits_for_an_operator),
        cmocka_unit_test(the_quiet_time_doubles_each_time_that_it_trips_again),
        cmocka_unit_test(what_finds_no_room_is_given_when_there_is_some),
        cmocka_unit_test(a_day_that_has_ended_is_told_what_its_breakers_did_and_nothing_else),
        cmocka_unit_test(a_reload_keeps_breakers_and_changes_thresholds),
        cmocka_unit_test(a_control_that_follows_one_that_was_killed_goes_on_with_its_breakers),
        cmocka_unit_test(bad_logins_close_the_port_of_their_session_alone),
        cmocka_unit_test(bad_logins_that_are_only_told_close_nothing),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
