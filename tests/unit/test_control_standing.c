// SPDX-License-Identifier: Apache-2.0
// What control knows of halts and limits, what two persons decide, alerts and notes (control/risk).
#include "control/operator/operator.h"
#include "tests/unit/risk_stage.h"

#include <sysexits.h>

// In the place of recovery.c's; a data plane that is gone has none.
char recovery_phase(const struct recovery *recovery, unsigned core)
{
    (void)core;
    assert_non_null(recovery);
    return PHASE_CLOSED;
}

bool recovery_taken(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return true;
}

bool recovery_start_by(struct recovery *recovery, const char *by)
{
    (void)recovery, (void)by;
    return false;
}

// ---- what stands ----------------------------------------------------------------------------------------------------

static struct alert state_of(uint16_t locate, char state, uint64_t sequence)
{
    return (struct alert){.kind = ALERT_STATE,
                          .scope = locate ? SCOPE_SYMBOL : SCOPE_VENUE,
                          .index = locate,
                          .locate = locate,
                          .limit = LIMITS,
                          .after = (uint8_t)state,
                          .time_ns = sequence * 1000,
                          .cmd_seq = sequence};
}

static void test_halts_stand_until_they_end_whatever_is_told_first(void **state)
{
    (void)state;
    uint64_t since_ns;
    read_nothing();
    const struct config_symbol *first = &config->symbols[0];
    assert_int_equal(standing_stopped(standing), 0);
    tell(first->matcher, state_of(first->locate, STATE_HALTED, 500));
    say_again(first->matcher, state_of(first->locate, STATE_PAUSED, 400)); // older
    assert_int_equal(standing_symbol(standing, 0, &since_ns), STATE_HALTED);
    assert_int_equal(since_ns, 500000);
    assert_int_equal(standing_stopped(standing), 1);
    say_again(first->matcher, state_of(first->locate, STATE_TRADING, 600));
    assert_int_equal(standing_stopped(standing), 0);
    // All of a core at once; which have a state of their own is told again.
    tell(first->matcher, state_of(0, STATE_HALTED, 700));
    assert_true(standing_stopped(standing) >= 1);
    assert_int_equal(told_again, 1u << first->matcher);
    struct alert level = state_of(0, 2, 800);
    level.reason = 'W';
    tell(first->matcher, level);
    assert_int_equal(standing_level(standing), 2);
    say_again(first->matcher, state_of(first->locate, STATE_TRADING, 900));
    assert_int_equal(standing_symbol(standing, 0, &since_ns), STATE_TRADING);
}

static struct alert stage_of(char kind, enum limit limit, uint64_t after, uint64_t sequence)
{
    return (struct alert){.kind = (uint8_t)kind,
                          .scope = SCOPE_ACCOUNT,
                          .index = 1,
                          .limit = (uint8_t)limit,
                          .before = 100,
                          .after = after,
                          .time_ns = sequence * 1000,
                          .cmd_seq = sequence};
}

static void test_a_limit_stands_at_its_level_until_it_has_eased_or_gone(void **state)
{
    (void)state;
    uint32_t at = 0;
    struct alert eased = stage_of(ALERT_EASED, LIMIT_WORKING_ORDERS, 10, 700);
    read_nothing();
    tell(0, stage_of(ALERT_LEVEL, LIMIT_WORKING_ORDERS, 70, 500));
    tell(0, stage_of(ALERT_SLOWED, LIMIT_WORKING_ORDERS, 90, 600));
    tell(0, stage_of(ALERT_LEVEL, LIMIT_MAX_QUANTITY, 90, 600)); // of one order: over at once
    say_again(0, stage_of(ALERT_LEVEL, LIMIT_WORKING_ORDERS, 70, 500));
    const struct standing_limit *limit = standing_next(standing, &at);
    assert_int_equal(limit->limit, LIMIT_WORKING_ORDERS);
    assert_true(limit->alert && limit->slowed);
    assert_int_equal(limit->after, 70);
    assert_null(standing_next(standing, &at));
    eased.reason = ALERT_SLOWED;
    tell(0, eased);
    assert_true(limit->alert && !limit->slowed);
    eased.reason = ALERT_LEVEL;
    tell(0, eased);
    at = 0;
    assert_null(standing_next(standing, &at));
    // A drawdown goes with the capital that it is a part of.
    tell(1, stage_of(ALERT_LEVEL, LIMIT_DRAWDOWN, 70, 800));
    at = 0;
    assert_non_null(standing_next(standing, &at));
    struct alert gone = stage_of(ALERT_CHANGED, LIMIT_CAPITAL, LIMIT_UNSET, 900);
    tell(1, gone);
    at = 0;
    assert_null(standing_next(standing, &at));
}

// A kill that both cores have taken.
static void block(enum scope scope, uint16_t index, char side)
{
    struct kill_entry kill = account_kill();
    kill.scope = (uint8_t)scope;
    kill.index = index;
    kill.side = side;
    const uint64_t id = kills_give(kills, &kill, now_ns);
    assert_int_not_equal(id, 0);
    poll(1);
    for (unsigned core = 0; core < 2; core++)
        tell(core, (struct alert){.kind = ALERT_KILLED,
                                  .scope = (uint8_t)scope,
                                  .index = index,
                                  .limit = LIMITS,
                                  .before = id,
                                  .cmd_seq = 900});
}

static void status_is(const char *wanted)
{
    char text[256];
    assert_string_equal(standing_text(standing, kills, text, sizeof text), wanted);
}

static void test_the_service_manager_is_told_who_is_blocked_and_what_is_halted(void **state)
{
    (void)state;
    char text[24];
    read_nothing();
    status_is("");
    const struct config_symbol *all = config->symbols;
    tell(all[0].matcher, state_of(all[0].locate, STATE_HALTED, 500));
    status_is("halted: XWIRE");
    block(SCOPE_ACCOUNT, 1, 0);
    status_is("BLOCKED: account SOUTH; halted: XWIRE");
    tell(all[1].matcher, state_of(all[1].locate, STATE_PAUSED, 500));
    tell(all[2].matcher, state_of(all[2].locate, STATE_HALTED, 500));
    block(SCOPE_FIRM, 0, 'S');
    block(SCOPE_ACCOUNT, 2, 'B');
    block(SCOPE_ACCOUNT, 3, 0);
    status_is("BLOCKED: account SOUTH, firm NRTH side S, account EAST side B and 1 more; halted: XWIRE, ALPHA, BRAVO");
    // Cut to what there is room for, not beyond.
    assert_string_equal(standing_text(standing, kills, text, sizeof text), "BLOCKED: account SOUTH,");
    tell(all[0].matcher, state_of(all[0].locate, STATE_TRADING, 600));
    status_is("BLOCKED: account SOUTH, firm NRTH side S, account EAST side B and 1 more; halted: ALPHA, BRAVO");
}

// ---- two persons ----------------------------------------------------------------------------------------------------

// Both cores take what the limits desk has for them.
static void give_limits(void)
{
    for (unsigned rounds = 0; rounds < 8; rounds++) {
        struct command command;
        for (unsigned core = 0; core < 2; core++)
            while (limits_desk_next(limits, core, &command))
                limits_desk_note(limits, core, &command);
        limits_desk_poll(limits, true, now_ns);
    }
    assert_true(limits_desk_idle(limits));
}

// .. in a day that has started.
static void start_limits(void)
{
    limits_desk_begin(limits);
    for (unsigned core = 0; core < 2; core++)
        limits_desk_note(limits, core, &(struct command){.type = CMD_START});
    limits_desk_reconcile(limits, now_ns);
    give_limits();
}

static uint32_t ask(const char *name, const char *value, const char *by)
{
    const struct limits_answer answer = limits_desk_set(limits, "account", name, "max_quantity", value, by, now_ns);
    assert_int_equal(answer.exit, 0);
    return answer.pending;
}

static void test_the_audit_has_who_asked_who_agreed_and_what_became_of_the_rest(void **state)
{
    (void)state;
    read_nothing();
    start_limits();
    assert_int_equal(ask("SOUTH", "50", "ANN"), 0);
    give_limits();
    const uint32_t agreed = ask("SOUTH", "70", "ANN");
    poll(0);
    const struct command *note = last_note(NOTE_SECOND_ASKED);
    assert_int_equal(note->note.number, agreed);
    assert_int_equal(note->note.scope, SCOPE_ACCOUNT);
    assert_int_equal(note->note.index, 1);
    assert_int_equal(note->note.before, 50);
    assert_int_equal(note->note.after, 70);
    assert_string_equal(note->note.by, "ANN");
    assert_string_equal(note->note.why, "max_quantity");
    assert_int_equal(limits_desk_approve(limits, agreed, "BOB").exit, 0);
    const uint32_t lapses = ask("SOUTH", "none", "ANN"), refused = ask("SOUTH", "80", "EVE");
    limits_desk_reject(limits, refused, "BOB");
    now_ns += UINT64_C(60000000000);
    limits_desk_poll(limits, false, now_ns);
    const uint32_t late = ask("SOUTH", "none", "ANN");
    ask("SOUTH", "1", "EVE");
    poll(0);
    assert_int_equal(last_note(NOTE_SECOND_AGREED)->note.number, agreed);
    assert_string_equal(last_note(NOTE_SECOND_AGREED)->note.by, "BOB");
    assert_int_equal(last_note(NOTE_SECOND_LAPSED)->note.number, lapses);
    assert_int_equal(last_note(NOTE_SECOND_LAPSED)->note.after, LIMIT_UNSET);
    assert_int_equal(last_note(NOTE_SECOND_REFUSED)->note.number, refused);
    assert_string_equal(last_note(NOTE_SECOND_REFUSED)->note.by, "BOB");
    assert_int_equal(last_note(NOTE_SECOND_SUPERSEDED)->note.number, late);
    read_all_given();
    poll(0);
    assert_int_equal(given_count, 0); // all is decided
}

static void test_what_waits_when_control_ends_is_told_as_lapsed_by_the_next(void **state)
{
    (void)state;
    read_nothing();
    start_limits();
    ask("SOUTH", "50", "ANN");
    ask("NORTH", "50", "ANN");
    give_limits();
    const uint32_t first = ask("SOUTH", "70", "ANN"), second_one = ask("NORTH", "80", "EVE");
    limits_desk_reject(limits, second_one, "EVE");
    poll(0);
    read_all_given();
    poll(0);
    assert_int_equal(given_count, 1);
    const struct command *note = last_note(NOTE_SECOND_LAPSED);
    assert_int_equal(note->note.number, first);
    assert_int_equal(note->note.index, 1);
    assert_int_equal(note->note.after, 70);
    assert_string_equal(note->note.by, "ANN");
    read_all_given();
    poll(0);
    assert_int_equal(given_count, 0);
}

// Reloads with a file that raises NORTH's limit; `by` asks.
static void reload_raise(const char *by)
{
    char path[32], error[512] = "";
    struct config next = *config;
    write_new(path, "accounts:\n  - {account: NORTH, max_quantity: 700}\n");
    next.risk.limits = path;
    struct limits_file *file = limits_desk_read(limits, &next, error, sizeof error);
    unlink(path);
    if (!file)
        fail_msg("%s", error);
    limits_desk_take(limits, file, by, now_ns);
}

static void test_who_asked_for_what_a_file_raises_is_known_to_the_next_control(void **state)
{
    (void)state;
    read_nothing();
    start_limits();
    ask("NORTH", "50", "ANN");
    give_limits();
    reload_raise("CAROL");
    poll(0);
    const struct command *note = last_note(NOTE_SECOND_ASKED);
    assert_string_equal(note->note.by, "CAROL");
    for (unsigned i = 0; i < given_count; i++) {
        journal[journal_count] = given[i].command;
        journal[journal_count++].seq = i + 1;
    }
    stop_control();
    start_control();
    start_limits();
    ask("NORTH", "50", "ANN");
    give_limits();
    reload_raise(LIMITS_FILE); // as a start finds it
    const uint32_t id = limits_desk_pending(limits, 0)->id;
    assert_int_equal(limits_desk_approve(limits, id, "CAROL").exit, EX_TEMPFAIL);
    for (unsigned i = 0; i < journal_count; i++)
        read_record(&journal[i]);
    read_nothing();
    poll(0);
    assert_string_equal(last_note(NOTE_SECOND_STOOD_FOR)->note.by, "CAROL");
    assert_int_equal(limits_desk_approve(limits, id, "CAROL").exit, EX_NOPERM);
    assert_int_equal(limits_desk_approve(limits, id, "BOB").exit, 0);
}

// ---- alerts and notes -----------------------------------------------------------------------------------------------

static struct alert taken[2];

static void take_first(void *context, unsigned core, const struct alert *alert)
{
    assert_ptr_equal(context, taken);
    assert_int_equal(core, 1);
    taken[0] = *alert;
}

static void take_second(void *context, unsigned core, const struct alert *alert)
{
    (void)context, (void)core;
    assert_int_equal(taken[0].before, alert->before); // the first has had it
    taken[1] = *alert;
}

static void test_every_taker_is_given_each_alert(void **state)
{
    (void)state;
    alerts_register(alerts, take_first, taken);
    alerts_register(alerts, take_second, NULL);
    tell(1, (struct alert){.kind = ALERT_LEVEL, .scope = SCOPE_SESSION, .limit = LIMIT_ORDER_RATE, .before = 70});
    assert_int_equal(taken[1].before, 70);
    assert_int_equal(taken[1].limit, LIMIT_ORDER_RATE);
}

static void test_scopes_are_called_as_in_the_configuration(void **state)
{
    char text[64];
    (void)state;
    assert_string_equal(alerts_scope_text(config, 0, SCOPE_VENUE, 0, text, sizeof text), "venue");
    assert_string_equal(alerts_scope_text(config, 0, SCOPE_FIRM, 1, text, sizeof text), "firm SOTH");
    assert_string_equal(alerts_scope_text(config, 0, SCOPE_ACCOUNT, 2, text, sizeof text), "account EAST");
    assert_string_equal(alerts_scope_text(config, 0, SCOPE_SESSION, 3, text, sizeof text), "session TRADE4");
    assert_string_equal(alerts_scope_text(config, 1, SCOPE_SYMBOL, config->symbols[1].locate, text, sizeof text),
                        "symbol ALPHA");
    assert_string_equal(alerts_scope_text(config, 0, SCOPE_ACCOUNT, 99, text, sizeof text), "account");
    assert_null(alerts_scope_word((enum scope)99));
}

static void test_notes_wait_for_a_data_plane_and_keep_their_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++)
        audit_note(audit,
                   &(struct audit_entry){.what = NOTE_REQUEST_REFUSED, .after = i, .by = "SOMEBODY-OF-16-LETTERS"});
    assert_int_equal(audit_poll(audit, NULL), 0);
    ring_full[0] = true;
    assert_int_equal(audit_poll(audit, running()), 0);
    ring_full[0] = false;
    assert_int_equal(audit_poll(audit, running()), 256);
    assert_int_equal(given[0].command.note.after, 300 - 256); // older ones are in the log
    assert_int_equal(given[255].command.note.after, 299);
    assert_int_equal(given[255].core, 0);
    assert_memory_equal(given[255].command.note.by, "SOMEBODY-OF-16-L", 16);
    assert_int_equal(audit_poll(audit, running()), 0);
}

// Both cores tell that they have taken a reset; the phase that its asker is told, who is looked after with `recovery`.
static void reset_is_answered(struct recovery *recovery, const char *phase)
{
    const struct kill_entry reset = {.scope = SCOPE_ACCOUNT, .by = "RISK"};
    const struct desk_context context = {.config = config, .kills = kills, .standing = standing};
    const uint64_t id = kills_reset(kills, &reset);
    poll(1);
    for (unsigned core = 0; core < 2; core++)
        tell_kill(core, ALERT_RESET, id, 3, 900);
    assert_true(kills_reset_confirmed(kills, kills_find_reset(kills, id)));
    json_t *root = resumes_json(&context, recovery, kills_find_reset(kills, id));
    assert_string_equal(json_string_value(json_object_get(root, "phase")), phase);
    json_decref(root);
    kills_reset_over(kills, id);
}

static void test_a_reset_is_answered_although_the_data_plane_has_died_since_it_took_it(void **state)
{
    (void)state;
    read_nothing();
    reset_is_answered(running(), "closed");
    reset_is_answered(NULL, "unknown");
}

static void test_every_note_has_a_text(void **state)
{
    (void)state;
    assert_string_equal(note_text(NOTE_KILL_CONFIRMED), "kill confirmed: no order rests");
    assert_null(note_text(0));
    assert_null(note_text(255));
}

static void test_a_note_about_a_symbol_goes_to_its_core_where_its_locate_means_it(void **state)
{
    (void)state;
    const struct config_symbol *alpha = &config->symbols[1];
    assert_int_equal(alpha->matcher, 1);
    read_nothing();
    struct kill_entry kill = account_kill();
    kill.scope = SCOPE_SYMBOL;
    kill.index = (uint16_t)alpha->locate;
    kill.core = 1;
    const uint64_t id = kills_give(kills, &kill, now_ns);
    poll(1);
    for (unsigned i = 0; i < 2; i++)
        tell(1, (struct alert){.kind = i ? ALERT_ZERO : ALERT_KILLED,
                               .scope = SCOPE_SYMBOL,
                               .index = kill.index,
                               .locate = kill.index,
                               .limit = LIMITS,
                               .before = id,
                               .cmd_seq = 900});
    poll(1);
    last_note(NOTE_KILL_CONFIRMED);
    for (unsigned i = 0; i < given_count; i++)
        if (given[i].command.type == CMD_NOTE)
            assert_int_equal(given[i].core, 1);
    // Limits of a symbol and of a position that wait for a second person.
    start_limits();
    given_count = 0;
    assert_int_equal(limits_desk_set(limits, "symbol", "ALPHA", "max_quantity", "5", "ALICE", now_ns).exit, 0);
    assert_int_equal(limits_desk_set(limits, "position", "NORTH:ALPHA", "long_position", "5", "ALICE", now_ns).exit, 0);
    give_limits();
    assert_int_not_equal(limits_desk_set(limits, "symbol", "ALPHA", "max_quantity", "6", "ALICE", now_ns).pending, 0);
    poll(1);
    assert_int_equal(given[given_count - 1].core, 1);
    assert_int_equal(last_note(NOTE_SECOND_ASKED)->note.index, alpha->locate);
    limits_desk_set(limits, "position", "NORTH:ALPHA", "long_position", "6", "ALICE", now_ns);
    poll(1);
    assert_memory_equal(last_note(NOTE_SECOND_ASKED)->note.why, "long_position of ALPHA\0", 23);
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) // the log is not what is tested here
        return 1;
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(test_halts_stand_until_they_end_whatever_is_told_first),
        TEST(test_a_note_about_a_symbol_goes_to_its_core_where_its_locate_means_it),
        TEST(test_the_service_manager_is_told_who_is_blocked_and_what_is_halted),
        TEST(test_a_limit_stands_at_its_level_until_it_has_eased_or_gone),
        TEST(test_the_audit_has_who_asked_who_agreed_and_what_became_of_the_rest),
        TEST(test_what_waits_when_control_ends_is_told_as_lapsed_by_the_next),
        TEST(test_who_asked_for_what_a_file_raises_is_known_to_the_next_control),
        TEST(test_every_taker_is_given_each_alert),
        TEST(test_scopes_are_called_as_in_the_configuration),
        TEST(test_notes_wait_for_a_data_plane_and_keep_their_order),
        TEST(test_every_note_has_a_text),
        TEST(test_a_reset_is_answered_although_the_data_plane_has_died_since_it_took_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
