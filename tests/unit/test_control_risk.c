// SPDX-License-Identifier: Apache-2.0
// Alerts, kills and notes of control (control/risk) on two matching cores that this test plays: what they are given is
// caught, what they say is told by hand, and so is what the journal holds of earlier controls.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/state.h"
#include "control/risk/alerts.h"
#include "control/risk/audit.h"
#include "control/risk/history.h"
#include "control/risk/kills.h"
#include "control/risk/second.h"
#include "control/risk/standing.h"
#include "tests/unit/limits_venue.h"

enum { GIVEN_MOST = 1024 };

static struct config *config;
static struct alerts *alerts;
static struct audit *audit;
static struct kills *kills;
static struct limits_desk *limits;
static struct second *second;
static struct standing *standing;
static uint64_t now_ns;

// In the place of recovery.c and history.c; and how far the journal is durable.
static struct {
    unsigned core;
    struct command command;
} given[GIVEN_MOST];
static unsigned given_count;
static struct command journal[GIVEN_MOST];
static unsigned journal_count;
static bool ring_full[2];
static struct journal_writer writer;
static struct {
    history_record *record;
    history_end *end;
    void *context;
} readers[2];
static unsigned readers_count;
static bool complete;

// In the place of retell.c: what it tells again is said by hand.
static struct {
    alerts_take *take;
    retell_end *end;
    void *context;
} hearers[2];
static unsigned hearers_count;
static unsigned told_again; // cores that are asked for, a bit each

void retell_register(struct retell *retell, alerts_take *take, retell_end *end, void *context)
{
    (void)retell;
    assert_true(hearers_count < 2);
    hearers[hearers_count].take = take;
    hearers[hearers_count].end = end;
    hearers[hearers_count++].context = context;
}

void retell_core(struct retell *retell, unsigned core)
{
    (void)retell;
    told_again |= 1u << core;
}

bool retell_complete(const struct retell *retell)
{
    (void)retell;
    return complete;
}

bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    (void)recovery;
    if (ring_full[core])
        return false;
    assert_true(given_count < GIVEN_MOST);
    given[given_count].core = core;
    given[given_count++].command = *command;
    return true;
}

void history_register(struct history *history, history_record *record, history_end *end, void *context)
{
    (void)history;
    assert_true(readers_count < 2);
    readers[readers_count].record = record;
    readers[readers_count].end = end;
    readers[readers_count++].context = context;
}

bool history_complete(const struct history *history)
{
    (void)history;
    return complete;
}

// ---- the stage ------------------------------------------------------------------------------------------------------

static struct recovery *running(void)
{
    return (struct recovery *)&now_ns;
}

static void poll(uint64_t ms)
{
    now_ns += ms * 1000000;
    kills_poll(kills, running(), now_ns);
    audit_poll(audit, running());
}

// A control that starts: what the one before knew is gone.
static void start_control(void)
{
    char error[512];
    readers_count = 0;
    alerts = alerts_new(config);
    audit = audit_new();
    hearers_count = told_again = 0;
    kills = kills_new(config, &writer, NULL, NULL, alerts, audit);
    standing = standing_new(config, NULL, alerts);
    limits = limits_desk_new(config, "", error, sizeof error);
    assert_non_null(limits);
    second = second_new(limits, NULL, audit);
    assert_true(kills && second && standing);
    given_count = 0;
    complete = false;
}

static void stop_control(void)
{
    second_free(second);
    limits_desk_free(limits);
    kills_free(kills);
    standing_free(standing);
    audit_free(audit);
    alerts_free(alerts);
}

static void read_record(const struct command *record)
{
    for (unsigned i = 0; i < readers_count; i++)
        readers[i].record(readers[i].context, record);
}

static void read_end(void)
{
    for (unsigned i = 0; i < readers_count; i++)
        readers[i].end(readers[i].context, now_ns);
}

static void say_again(unsigned core, struct alert alert)
{
    for (unsigned i = 0; i < hearers_count; i++)
        hearers[i].take(hearers[i].context, core, &alert);
}

static void say_all_again(bool known)
{
    for (unsigned core = 0; core < 2; core++)
        for (unsigned i = 0; i < hearers_count; i++)
            hearers[i].end(hearers[i].context, core, known, now_ns);
}

static void read_nothing(void)
{
    complete = true;
    read_end();
    say_all_again(true);
}

static int begin(void **state)
{
    (void)state;
    config = load_venue("engine: {max_positions: 16}\nrisk: {second_person: true, approval_seconds: 60}\n");
    now_ns = 1000000000;
    memset(ring_full, 0, sizeof ring_full);
    writer.durable[0] = writer.durable[1] = 1000;
    journal_count = 0;
    start_control();
    return 0;
}

static int end(void **state)
{
    (void)state;
    stop_control();
    config_free(config);
    return 0;
}

// What a core tells, through its ring.
static void tell(unsigned core, struct alert alert)
{
    static _Alignas(128) char memory[64 * 1024];
    static struct ring *ring;
    struct generation generation = {.joined = true, .cores = 2};
    if (!ring) {
        assert_true(ring_footprint(16, sizeof(struct alert)) <= sizeof memory);
        ring = ring_new(memory, 16, sizeof(struct alert), 0);
    }
    struct alert *slot = ring_slot(ring, 0);
    const uint64_t word = slot->word;
    *slot = alert;
    slot->word = word;
    ring_publish(ring, 1);
    generation.alerts[core] = ring;
    assert_int_equal(alerts_poll(alerts, &generation), 1);
}

static void tell_kill(unsigned core, char kind, uint64_t id, uint64_t after, uint64_t sequence)
{
    tell(core, (struct alert){.kind = (uint8_t)kind,
                              .scope = SCOPE_ACCOUNT,
                              .limit = LIMITS,
                              .before = id,
                              .after = after,
                              .cmd_seq = sequence});
}

static void tell_loss(unsigned core, uint16_t account, uint64_t sequence)
{
    tell(core, (struct alert){.kind = ALERT_KILLED,
                              .scope = SCOPE_ACCOUNT,
                              .index = account,
                              .limit = LIMIT_LOSS,
                              .before = 500000,
                              .after = 612000,
                              .cmd_seq = sequence});
}

static void tell_loss_zero(unsigned core, uint16_t account, uint64_t canceled, uint64_t sequence)
{
    tell(core, (struct alert){.kind = ALERT_ZERO,
                              .scope = SCOPE_ACCOUNT,
                              .index = account,
                              .limit = LIMIT_LOSS,
                              .after = canceled,
                              .cmd_seq = sequence});
}

static unsigned count_given(enum command_type type, unsigned what)
{
    unsigned count = 0;
    for (unsigned i = 0; i < given_count; i++)
        count += given[i].command.type == type && (type != CMD_NOTE || given[i].command.note.what == what);
    return count;
}

static const struct command *last_note(unsigned what)
{
    for (unsigned i = given_count; i-- > 0;)
        if (given[i].command.type == CMD_NOTE && given[i].command.note.what == what)
            return &given[i].command;
    fail_msg("no note %u", what);
    return NULL;
}

// The next control, which finds in the journal all that was given since the test began.
static void read_all_given(void)
{
    for (unsigned i = 0; i < given_count; i++) {
        assert_true(journal_count < GIVEN_MOST);
        journal[journal_count] = given[i].command;
        journal[journal_count].seq = (uint64_t)given[i].core << COMMAND_SEQ_BITS | (journal_count + 1);
        journal_count++;
    }
    stop_control();
    start_control();
    for (unsigned i = 0; i < journal_count; i++)
        read_record(&journal[i]);
    read_nothing();
}

static struct kill_entry account_kill(void)
{
    return (struct kill_entry){
        .scope = SCOPE_ACCOUNT, .actions = KILL_BLOCK | KILL_CANCEL, .by = "RISK", .why = "runaway"};
}

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

static void test_every_note_has_a_text(void **state)
{
    (void)state;
    assert_string_equal(note_text(NOTE_KILL_CONFIRMED), "kill confirmed: no order rests");
    assert_null(note_text(0));
    assert_null(note_text(255));
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) // the log is not what is tested here
        return 1;
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(test_a_kill_is_confirmed_by_every_core_and_durably),
        TEST(test_a_kill_waits_for_room_in_a_ring),
        TEST(test_an_alert_that_was_lost_is_asked_for_again),
        TEST(test_a_reset_lifts_its_own_scope_alone),
        TEST(test_a_kill_by_a_limit_is_confirmed_when_nothing_rests_durably),
        TEST(test_kills_by_a_limit_on_two_cores_are_two),
        TEST(test_the_next_control_has_a_kill_by_a_limit_counted_again),
        TEST(test_a_core_that_has_lost_control_is_shown_and_never_killed_again),
        TEST(test_a_kill_by_a_limit_whose_alert_was_lost_is_found_in_the_journal),
        TEST(test_a_kill_that_a_dead_data_plane_had_taken_is_confirmed_by_the_journal),
        TEST(test_a_kill_that_a_dead_data_plane_had_not_taken_is_given_to_the_next),
        TEST(test_a_reset_that_a_dead_data_plane_had_not_taken_is_never_given_again),
        TEST(test_a_kill_that_was_reset_before_it_answered_does_not_block_again),
        TEST(test_halts_stand_until_they_end_whatever_is_told_first),
        TEST(test_a_limit_stands_at_its_level_until_it_has_eased_or_gone),
        TEST(test_the_audit_has_who_asked_who_agreed_and_what_became_of_the_rest),
        TEST(test_what_waits_when_control_ends_is_told_as_lapsed_by_the_next),
        TEST(test_every_taker_is_given_each_alert),
        TEST(test_scopes_are_called_as_in_the_configuration),
        TEST(test_notes_wait_for_a_data_plane_and_keep_their_order),
        TEST(test_every_note_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
