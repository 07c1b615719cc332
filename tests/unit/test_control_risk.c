// SPDX-License-Identifier: Apache-2.0
// Kills and resets of control (control/risk/kills.h): given, confirmed, missed, and found again by the next control.
#include "tests/unit/risk_stage.h"

// ---- kills by an operator -------------------------------------------------------------------------------------------

static void test_a_kill_is_confirmed_by_every_core_and_durably(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill();
    read_nothing();
    uint64_t id = kills_give(kills, &what, now_ns);
    poll(0);
    assert_int_equal(count_given(CMD_KILL, 0), 2);
    tell_kill(0, ALERT_KILLED, id, 3 | KILL_BY_OPERATOR << 8, 1001);
    tell_kill(0, ALERT_ZERO, id, 4, 1001);
    writer.durable[0] = 1001;
    poll(1);
    assert_false(kills_find(kills, id)->confirmed);
    tell_kill(1, ALERT_KILLED, id, 3 | KILL_BY_OPERATOR << 8, 1007);
    tell_kill(1, ALERT_ZERO, id, 5, 1007);
    poll(1);
    assert_false(kills_find(kills, id)->confirmed);
    writer.durable[1] = 1007;
    poll(1);
    assert_true(kills_find(kills, id)->confirmed);
    assert_int_equal(kills_find(kills, id)->canceled, 9);
    assert_int_equal(count_given(CMD_NOTE, NOTE_KILL_CONFIRMED), 1);
    assert_int_equal(last_note(NOTE_KILL_CONFIRMED)->note.before, id);
    read_all_given();
    assert_true(kills_find(kills, id)->confirmed);
    assert_int_equal(kills_find(kills, id)->blocks, 3);
    poll(5000);
    assert_int_equal(given_count, 0);
}

static void test_a_kill_waits_for_room_in_a_ring(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill();
    read_nothing();
    ring_full[1] = true;
    kills_give(kills, &what, now_ns);
    poll(0);
    assert_int_equal(count_given(CMD_KILL, 0), 1);
    poll(5000);
    ring_full[1] = false;
    poll(1);
    assert_int_equal(given[given_count - 1].core, 1);
    assert_int_equal(count_given(CMD_KILL, 0), 2);
}

static void test_an_alert_that_was_lost_is_asked_for_again(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill();
    read_nothing();
    uint64_t id = kills_give(kills, &what, now_ns);
    poll(0);
    tell_kill(0, ALERT_ZERO, id, 4, 900);
    poll(1999);
    poll(2);
    assert_int_equal(count_given(CMD_KILL, 0), 2);
    poll(1);
    assert_int_equal(count_given(CMD_KILL, 0), 3);
    assert_int_equal(given[given_count - 1].core, 1);
}

static void test_a_reset_lifts_its_own_scope_alone(void **state)
{
    (void)state;
    struct kill_entry what = account_kill(), session = account_kill();
    const struct kill_entry *by = NULL;
    session.scope = SCOPE_SESSION;
    read_nothing();
    kills_give(kills, &what, now_ns);
    kills_give(kills, &session, now_ns);
    poll(0);
    assert_int_equal(kills_session_sides(kills, 0, &by), 3);
    const struct kill_entry reset = {.scope = SCOPE_ACCOUNT, .by = "RISK"};
    uint64_t id = kills_reset(kills, &reset);
    poll(0);
    assert_int_equal(kills_at(kills, 0)->blocks, 3); // it is not taken yet
    tell_kill(0, ALERT_RESET, id, 3, 900);
    assert_int_equal(kills_at(kills, 0)->blocks, 3); // core 1 blocks still
    tell_kill(1, ALERT_RESET, id, 3, 900);
    assert_int_equal(kills_at(kills, 0)->blocks, 0);
    assert_int_equal(kills_at(kills, 1)->blocks, 3);
    assert_int_equal(kills_session_sides(kills, 0, &by), 3);
    assert_int_equal(by->scope, SCOPE_SESSION);
    assert_true(kills_reset_confirmed(kills, kills_find_reset(kills, id)));
    assert_int_equal(kills_find_reset(kills, id)->lifted, 3);
    kills_reset_over(kills, id);
    assert_null(kills_find_reset(kills, id));
}

static void test_a_kill_comes_behind_a_reset_that_was_asked_for_before_it(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill(), reset = {.scope = SCOPE_ACCOUNT, .by = "RISK"};
    read_nothing();
    kills_give(kills, &what, now_ns);
    poll(0);
    ring_full[1] = true;
    const uint64_t lifted = kills_reset(kills, &reset);
    poll(0);
    tell_kill(0, ALERT_RESET, lifted, 3, 900);
    const uint64_t id = kills_give(kills, &what, now_ns); // on second thoughts
    poll(0);
    given_count = 0;
    ring_full[1] = false;
    poll(0);
    poll(0);
    assert_int_equal(given_count, 2);
    assert_int_equal(given[0].command.type, CMD_RESET);
    assert_int_equal(given[1].command.type, CMD_KILL);
    tell_kill(1, ALERT_RESET, lifted, 3, 901);
    assert_int_equal(kills_at(kills, 0)->blocks, 0);
    assert_int_equal(kills_find(kills, id)->blocks, 3);
    assert_int_equal(kills_find(kills, id)->blocked[0], 3);
}

static void test_a_kill_that_waits_for_room_is_given_though_a_reset_before_it_is_told(void **state)
{
    (void)state;
    struct kill_entry what = account_kill(), reset = {.scope = SCOPE_SESSION, .by = "RISK"};
    what.scope = SCOPE_SESSION;
    read_nothing();
    kills_give(kills, &what, now_ns);
    poll(0);
    const uint64_t lifted = kills_reset(kills, &reset);
    poll(0);
    ring_full[0] = true;
    const uint64_t id = kills_give(kills, &what, now_ns);
    poll(0);
    tell(0, (struct alert){.kind = ALERT_RESET,
                           .scope = SCOPE_SESSION,
                           .limit = LIMITS,
                           .before = lifted,
                           .after = 3,
                           .cmd_seq = 900});
    assert_int_equal(kills_at(kills, 0)->blocks, 0);
    ring_full[0] = false;
    given_count = 0;
    poll(0);
    assert_int_equal(count_given(CMD_KILL, 0), 1);
    assert_int_equal(kills_find(kills, id)->blocks, 3);
}

// ---- kills by a limit -----------------------------------------------------------------------------------------------

static void test_a_kill_by_a_limit_is_confirmed_when_nothing_rests_durably(void **state)
{
    (void)state;
    read_nothing();
    tell_loss(1, 1, 1500);
    poll(1);
    const struct kill_entry *entry = kills_at(kills, 0);
    assert_int_equal(entry->source, KILL_BY_LIMIT);
    assert_int_equal(entry->blocks, 3);
    assert_false(entry->confirmed);
    assert_string_equal(entry->why, "loss: 61.20, limit 50.00");
    assert_int_equal(last_note(NOTE_KILL_BY_LIMIT)->note.number, 1);
    tell_loss_zero(1, 1, 7, 1500);
    poll(1);
    assert_false(entry->confirmed);
    assert_int_equal(count_given(CMD_NOTE, NOTE_KILL_CONFIRMED), 0);
    writer.durable[1] = 1500;
    poll(1);
    assert_true(entry->confirmed);
    assert_int_equal(entry->canceled, 7);
    assert_int_equal(last_note(NOTE_KILL_CONFIRMED)->note.after, 7);
    assert_int_equal(count_given(CMD_KILL, 0), 0);
    read_all_given();
    assert_true(kills_at(kills, 0)->confirmed);
    assert_int_equal(kills_at(kills, 0)->canceled, 7);
    assert_null(kills_at(kills, 1));
    poll(5000);
    assert_int_equal(given_count, 0);
}

static void test_kills_by_a_limit_on_two_cores_are_two(void **state)
{
    (void)state;
    read_nothing();
    tell_loss(0, 0, 900);
    tell_loss(1, 0, 901);
    tell_loss_zero(1, 0, 3, 901);
    poll(1);
    assert_false(kills_at(kills, 0)->confirmed);
    assert_true(kills_at(kills, 1)->confirmed);
    tell_loss_zero(0, 0, 2, 900);
    poll(1);
    assert_true(kills_at(kills, 0)->confirmed);
    assert_int_equal(kills_at(kills, 0)->canceled, 2);
}

static void test_the_next_control_has_a_kill_by_a_limit_counted_again(void **state)
{
    (void)state;
    read_nothing();
    tell_loss(1, 1, 900);
    poll(1);
    for (unsigned i = 0; i < 2; i++) { // and the one after it
        read_all_given();
        assert_null(kills_at(kills, 1));
        assert_false(kills_at(kills, 0)->confirmed);
        poll(1);
        assert_int_equal(count_given(CMD_KILL, 0), 1);
        assert_int_equal(given[0].core, 1);
        assert_int_equal(given[0].command.kill.source, KILL_BY_LIMIT);
    }
    tell_kill(1, ALERT_ZERO, kills_at(kills, 0)->id, 0, 905);
    poll(1);
    assert_true(kills_at(kills, 0)->confirmed);
}

static void test_a_core_that_has_lost_control_is_shown_and_never_killed_again(void **state)
{
    (void)state;
    const struct command alone = {.seq = UINT64_C(1) << COMMAND_SEQ_BITS | 7,
                                  .type = CMD_KILL,
                                  .kill = {.scope = SCOPE_VENUE,
                                           .actions = KILL_BLOCK,
                                           .source = KILL_BY_CORE,
                                           .by = "matching core",
                                           .why = "control_lost"}};
    read_record(&alone);
    read_nothing();
    assert_int_equal(kills_at(kills, 0)->blocks, 3);
    assert_string_equal(kills_at(kills, 0)->by, "matching core 1");
    for (unsigned i = 0; i < 4; i++)
        poll(2001);
    assert_int_equal(count_given(CMD_KILL, 0), 0);
    // The other one does it while this control stands still.
    tell(0, (struct alert){.kind = ALERT_KILLED,
                           .scope = SCOPE_VENUE,
                           .limit = LIMITS,
                           .after = KILL_BLOCK | KILL_BY_CORE << 8,
                           .cmd_seq = 900});
    poll(1);
    assert_int_equal(kills_at(kills, 1)->blocks, 3);
    assert_true(kills_at(kills, 1)->confirmed);
    tell(0,
         (struct alert){.kind = ALERT_RESET, .scope = SCOPE_VENUE, .limit = LIMITS, .after = 3 << 2, .cmd_seq = 901});
    assert_int_equal(kills_at(kills, 1)->blocks, 0);
    poll(5000);
    assert_int_equal(count_given(CMD_KILL, 0), 0);
}

// ---- what was missed, and what was not taken
// ----------------------------------------------------------------------------

static struct alert killed_by_loss(uint16_t account, uint64_t sequence)
{
    return (struct alert){.kind = ALERT_KILLED,
                          .scope = SCOPE_ACCOUNT,
                          .index = account,
                          .limit = LIMIT_LOSS,
                          .before = 500000,
                          .after = 612000,
                          .time_ns = sequence * 1000,
                          .cmd_seq = sequence};
}

static struct alert zero_by_loss(uint16_t account, uint64_t canceled, uint64_t sequence)
{
    struct alert alert = killed_by_loss(account, sequence);
    alert.kind = ALERT_ZERO;
    alert.before = 0;
    alert.after = canceled;
    return alert;
}

static struct alert said(char kind, uint64_t id, uint64_t after, uint64_t sequence)
{
    return (struct alert){.kind = (uint8_t)kind,
                          .scope = SCOPE_ACCOUNT,
                          .limit = LIMITS,
                          .before = id,
                          .after = after,
                          .time_ns = sequence * 1000,
                          .cmd_seq = sequence};
}

static void test_a_kill_by_a_limit_whose_alert_was_lost_is_found_in_the_journal(void **state)
{
    (void)state;
    read_nothing();
    tell(1, killed_by_loss(2, 950));
    say_again(1, killed_by_loss(1, 900));
    say_again(1, zero_by_loss(1, 7, 900));
    say_again(1, killed_by_loss(2, 950)); // heard already
    say_again(1, zero_by_loss(2, 1, 950));
    say_all_again(true);
    poll(1);
    assert_null(kills_at(kills, 2));
    const struct kill_entry *entry = kills_at(kills, 0); // the older one comes first
    assert_int_equal(entry->index, 1);
    assert_int_equal(entry->limit, LIMIT_LOSS);
    assert_int_equal(entry->before, 500000);
    assert_int_equal(entry->after, 612000);
    assert_int_equal(entry->blocks, 3);
    assert_true(entry->confirmed);
    assert_int_equal(entry->canceled, 7);
    assert_string_equal(entry->why, "loss: 61.20, limit 50.00");
    assert_int_equal(count_given(CMD_NOTE, NOTE_KILL_BY_LIMIT), 2);
    assert_int_equal(last_note(NOTE_KILL_BY_LIMIT)->note.before, 500000);
    // The next control knows both from their notes, which stand behind them.
    read_all_given();
    say_again(1, killed_by_loss(1, 900));
    say_again(1, said(ALERT_RESET, 77, 3 << 2, 940)); // of account 0: another scope
    struct alert reset = said(ALERT_RESET, 78, 3 << 2, 945);
    reset.index = 1;
    say_again(1, reset);
    say_again(1, killed_by_loss(2, 950));
    poll(1);
    assert_null(kills_at(kills, 2));
    const unsigned first = kills_at(kills, 0)->index == 1 ? 0 : 1;
    assert_int_equal(kills_at(kills, first)->blocks, 0); // its note is younger than its reset
    assert_int_equal(kills_at(kills, 1 - first)->blocks, 3);
    assert_int_equal(count_given(CMD_NOTE, NOTE_KILL_BY_LIMIT), 0);
}

static void test_a_kill_that_a_dead_data_plane_had_taken_is_confirmed_by_the_journal(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill();
    read_nothing();
    uint64_t id = kills_give(kills, &what, now_ns);
    poll(0);
    kills_doubt(kills);
    for (unsigned core = 0; core < 2; core++) {
        say_again(core, said(ALERT_KILLED, id, 3 | KILL_BY_OPERATOR << 8, 900));
        say_again(core, said(ALERT_ZERO, id, 4, 900));
    }
    say_all_again(true);
    poll(1);
    assert_true(kills_find(kills, id)->confirmed);
    assert_int_equal(kills_find(kills, id)->canceled, 8);
    assert_int_equal(count_given(CMD_KILL, 0), 2);
}

static void test_a_kill_that_a_dead_data_plane_had_not_taken_is_given_to_the_next(void **state)
{
    (void)state;
    struct kill_entry what = account_kill();
    read_nothing();
    uint64_t blocking = kills_give(kills, &what, now_ns);
    what.actions = KILL_CANCEL;
    uint64_t waited_for = kills_give(kills, &what, now_ns), forgotten = kills_give(kills, &what, now_ns);
    poll(0);
    assert_int_equal(count_given(CMD_KILL, 0), 6);
    kills_unattended(kills, blocking);
    kills_unattended(kills, forgotten);
    given_count = 0;
    kills_doubt(kills);
    poll(1);
    assert_int_equal(count_given(CMD_KILL, 0), 0); // not before the journal has been read
    say_all_again(true);
    poll(1);
    assert_int_equal(count_given(CMD_KILL, 0), 4);
    for (unsigned i = 0; i < given_count; i++)
        assert_int_not_equal(given[i].command.kill.id, forgotten);
    assert_int_equal(kills_find(kills, waited_for)->missed, 0);
    assert_int_equal(kills_find(kills, forgotten)->missed, 3); // orders have come since
    poll(60000);
    assert_int_equal(kills_find(kills, forgotten)->missed, 3);
    assert_false(kills_find(kills, forgotten)->confirmed);
}

static void test_a_reset_that_a_dead_data_plane_had_not_taken_is_never_given_again(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill(), reset = {.scope = SCOPE_ACCOUNT, .by = "RISK"};
    read_nothing();
    uint64_t kill = kills_give(kills, &what, now_ns);
    poll(0);
    for (unsigned core = 0; core < 2; core++) {
        tell_kill(core, ALERT_KILLED, kill, 3 | KILL_BY_OPERATOR << 8, 800);
        tell_kill(core, ALERT_ZERO, kill, 1, 800);
    }
    uint64_t id = kills_reset(kills, &reset);
    poll(0);
    tell_kill(0, ALERT_RESET, id, 3, 900);
    kills_doubt(kills);
    say_again(0, said(ALERT_RESET, id, 3, 900));
    say_all_again(true);
    poll(60000);
    assert_int_equal(count_given(CMD_RESET, 0), 2);
    assert_int_equal(kills_find_reset(kills, id)->missed, 2);
    assert_false(kills_reset_confirmed(kills, kills_find_reset(kills, id)));
    assert_int_equal(kills_find(kills, kill)->blocks, 3);
    assert_int_equal(kills_find(kills, kill)->blocked[0], 2); // core 1 alone
}

static void test_a_kill_that_was_reset_before_it_answered_does_not_block_again(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill(), reset = {.scope = SCOPE_ACCOUNT, .by = "RISK"};
    read_nothing();
    uint64_t kill = kills_give(kills, &what, now_ns), id = kills_reset(kills, &reset);
    poll(0);
    for (unsigned core = 0; core < 2; core++)
        tell_kill(core, ALERT_RESET, id, 3, 900);
    given_count = 0;
    for (unsigned i = 0; i < 4; i++)
        poll(2001);
    assert_int_equal(kills_find(kills, kill)->blocks, 0);
    assert_int_equal(count_given(CMD_KILL, 0), 0);
}

static void test_a_block_by_a_breaker_of_one_core_is_not_given_to_others_by_the_next_control(void **state)
{
    (void)state;
    struct command kill = {.type = CMD_KILL,
                           .session = SESSION_NONE,
                           .seq = 17,
                           .kill = {.scope = SCOPE_VENUE,
                                    .actions = KILL_BLOCK,
                                    .source = KILL_BY_BREAKER,
                                    .id = (UINT64_C(1) << 62) + 1,
                                    .by = "breaker",
                                    .why = "backlog"}};
    read_record(&kill);
    read_nothing();
    for (unsigned i = 0; i < 20; i++)
        poll(100);
    for (unsigned i = 0; i < given_count; i++) // core 0, which has it, is asked to count again
        assert_true(given[i].command.type != CMD_KILL || given[i].core == 0);
    const struct kill_entry *entry = kills_at(kills, 0);
    assert_int_equal(entry->cores, 1);
    assert_int_equal(entry->blocks, 3);
    // Its breaker closes: nothing is left of it.
    tell(0, (struct alert){.kind = ALERT_RESET,
                           .scope = SCOPE_VENUE,
                           .limit = LIMITS,
                           .before = (UINT64_C(1) << 62) + 2,
                           .after = 3 << 4,
                           .cmd_seq = 30});
    assert_int_equal(kills_at(kills, 0)->blocks, 0);
}

static struct command breaker_kill(void)
{
    return (struct command){.type = CMD_KILL,
                            .session = SESSION_NONE,
                            .kill = {.scope = SCOPE_VENUE,
                                     .actions = KILL_BLOCK,
                                     .source = KILL_BY_BREAKER,
                                     .id = (UINT64_C(1) << 62) + 9,
                                     .by = "breaker",
                                     .why = "backlog"}};
}

static void tell_breaker_kill(unsigned core, uint64_t sequence)
{
    tell(core, (struct alert){.kind = ALERT_KILLED,
                              .scope = SCOPE_VENUE,
                              .limit = LIMITS,
                              .before = breaker_kill().kill.id,
                              .after = KILL_BLOCK | KILL_BY_BREAKER << 8,
                              .cmd_seq = sequence});
}

static void test_a_block_by_a_breaker_is_shown_with_its_trip_at_once_and_by_the_next_control(void **state)
{
    (void)state;
    const struct command kill = breaker_kill();
    read_nothing();
    given[given_count].core = 0;
    given[given_count++].command = kill; // by the breakers
    kills_given_by_breaker(kills, 0, &kill);
    tell_breaker_kill(0, 900);
    for (unsigned i = 0; i < 2; i++) {
        const struct kill_entry *entry = kills_at(kills, 0);
        assert_non_null(entry);
        assert_null(kills_at(kills, 1));
        assert_string_equal(entry->by, "breaker");
        assert_string_equal(entry->why, "backlog");
        assert_int_equal(entry->cores, 1);
        assert_int_equal(entry->blocks, 3);
        if (i == 0)
            read_all_given();
    }
}

static void test_a_block_by_a_breaker_is_given_to_no_core_that_its_breaker_does_not_block(void **state)
{
    (void)state;
    const struct command kill = breaker_kill();
    read_nothing();
    kills_given_by_breaker(kills, 0, &kill);
    tell_breaker_kill(0, 900);
    poll(1);
    assert_true(kills_at(kills, 0)->confirmed);
    for (unsigned i = 0; i < 5; i++)
        poll(2001);
    assert_int_equal(count_given(CMD_KILL, 0), 0);
    // A core whose ring had no room then has it later.
    kills_given_by_breaker(kills, 1, &kill);
    tell_breaker_kill(1, 1007);
    assert_null(kills_at(kills, 1));
    assert_int_equal(kills_at(kills, 0)->cores, 3);
    assert_false(kills_at(kills, 0)->confirmed);
    writer.durable[1] = 1007;
    poll(1);
    assert_true(kills_at(kills, 0)->confirmed);
    assert_int_equal(count_given(CMD_KILL, 0), 0);
}

// Where the day has ended nothing rests and nothing is taken: a kill that has not been answered is not given again, and
// who asked is told so.
static void test_a_kill_is_not_given_to_a_core_whose_day_has_ended(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill();
    read_nothing();
    ring_full[1] = true;
    const uint64_t id = kills_give(kills, &what, now_ns);
    poll(0);
    day_ended[0] = day_ended[1] = true;
    ring_full[1] = false;
    poll(1);
    assert_int_equal(kills_find(kills, id)->late, 2);
    for (unsigned i = 0; i < 10; i++)
        poll(2001);
    assert_int_equal(count_given(CMD_KILL, 0), 1);
    assert_int_equal(kills_find(kills, id)->late, 2); // core 0 has it, and may answer still
    tell_kill(0, ALERT_ZERO, id, 4, 900);
    assert_int_equal(kills_find(kills, id)->zero, 1);
    // Nor by the next control, which finds it in the journal.
    read_all_given();
    for (unsigned i = 0; i < 10; i++)
        poll(2001);
    assert_int_equal(count_given(CMD_KILL, 0), 0);
    // A data plane that has lost the end of the day with the kill is given both.
    day_ended[0] = day_ended[1] = false;
    poll(2001);
    assert_int_equal(count_given(CMD_KILL, 0), 2);
    assert_int_equal(kills_find(kills, id)->late, 0);
}

static void test_a_reset_is_not_given_to_a_core_whose_day_has_ended(void **state)
{
    (void)state;
    const struct kill_entry what = account_kill();
    read_nothing();
    day_ended[0] = day_ended[1] = true;
    const uint64_t id = kills_reset(kills, &what);
    for (unsigned i = 0; i < 4; i++)
        poll(2001);
    assert_int_equal(given_count, 0);
    assert_int_equal(kills_find_reset(kills, id)->late, 3);
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) // the log is not what is tested here
        return 1;
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(test_a_block_by_a_breaker_of_one_core_is_not_given_to_others_by_the_next_control),
        TEST(test_a_block_by_a_breaker_is_shown_with_its_trip_at_once_and_by_the_next_control),
        TEST(test_a_block_by_a_breaker_is_given_to_no_core_that_its_breaker_does_not_block),
        TEST(test_a_kill_is_not_given_to_a_core_whose_day_has_ended),
        TEST(test_a_reset_is_not_given_to_a_core_whose_day_has_ended),
        TEST(test_a_kill_is_confirmed_by_every_core_and_durably),
        TEST(test_a_kill_waits_for_room_in_a_ring),
        TEST(test_an_alert_that_was_lost_is_asked_for_again),
        TEST(test_a_reset_lifts_its_own_scope_alone),
        TEST(test_a_kill_comes_behind_a_reset_that_was_asked_for_before_it),
        TEST(test_a_kill_that_waits_for_room_is_given_though_a_reset_before_it_is_told),
        TEST(test_a_kill_by_a_limit_is_confirmed_when_nothing_rests_durably),
        TEST(test_kills_by_a_limit_on_two_cores_are_two),
        TEST(test_the_next_control_has_a_kill_by_a_limit_counted_again),
        TEST(test_a_core_that_has_lost_control_is_shown_and_never_killed_again),
        TEST(test_a_kill_by_a_limit_whose_alert_was_lost_is_found_in_the_journal),
        TEST(test_a_kill_that_a_dead_data_plane_had_taken_is_confirmed_by_the_journal),
        TEST(test_a_kill_that_a_dead_data_plane_had_not_taken_is_given_to_the_next),
        TEST(test_a_reset_that_a_dead_data_plane_had_not_taken_is_never_given_again),
        TEST(test_a_kill_that_was_reset_before_it_answered_does_not_block_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
