// SPDX-License-Identifier: Apache-2.0
// Breakers over the end of both processes: the journal is all that is left. What one control gives is what the next one
// reads.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/breaker/state.h"
#include "control/journal/journal.h"

#define MS(n) ((uint64_t)(n)*1000000)

enum { JOURNAL_MOST = 256 };

static struct config_matcher matchers[2];
static struct config_gateway gateways[2];
static struct config_account accounts[2] = {{.name = "NORTH"}, {.name = "SOUTH"}};
static struct config_session sessions[3] = {{.user = "A"}, {.user = "B", .matcher = 1}, {.user = "C"}};
static struct config_drop_copy copies[1] = {{.user = "D", .matcher = 1}};
static struct config_trip trips[4];
static struct config_symbol symbols[3] = {{.name = "XWIRE", .locate = 1},
                                          {.name = "ALPHA", .locate = 1, .matcher = 1},
                                          {.name = "BRAVO", .locate = 2, .matcher = 1}};
static struct config_mode modes[1] = {{.name = "careful", .limits_percent = 50}};
static struct config config = {.trips = trips,
                               .modes = modes,
                               .modes_count = 1,
                               .symbols = symbols,
                               .symbols_count = 3,
                               .matchers = matchers,
                               .matchers_count = 2,
                               .gateways = gateways,
                               .gateways_count = 2,
                               .accounts = accounts,
                               .accounts_count = 2,
                               .sessions = sessions,
                               .sessions_count = 3,
                               .drop_copies = copies,
                               .drop_copies_count = 1};
static struct senses senses;
static struct breakers *breakers;
static struct command journal[JOURNAL_MOST];
static unsigned journal_count;
static bool ring_full[2];

// In the place of recovery.c's: what a core is given stands in the journal.
bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    (void)recovery;
    if (ring_full[core])
        return false;
    assert_true(journal_count < JOURNAL_MOST);
    journal[journal_count] = *command;
    journal[journal_count].seq = (uint64_t)core << COMMAND_SEQ_BITS | (journal_count + 1);
    journal_count++;
    return true;
}

bool recovery_ended(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return false;
}

bool recovery_taken(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return true;
}

static void start(unsigned count)
{
    config.trips_count = count;
    breakers = breakers_new(&config);
    assert_non_null(breakers);
}

static int begin(void **state)
{
    (void)state;
    memset(trips, 0, sizeof trips);
    memset(ring_full, 0, sizeof ring_full);
    journal_count = 0;
    senses = (struct senses){.now_ns = MS(1000000),
                             .clock_known = true,
                             .disk_known = true,
                             .disk_free_mb = 10000,
                             .recovery = (struct recovery *)&senses};
    return 0;
}

static int end(void **state)
{
    (void)state;
    breakers_free(breakers);
    return 0;
}

static void pass(uint64_t ms)
{
    senses.now_ns += MS(ms);
    breakers_poll(breakers, &senses);
    breakers_act(breakers, &senses);
}

// Both processes end; a control begins, perhaps with other trips, and reads the journal.
static unsigned restart(unsigned count)
{
    const unsigned written = journal_count;
    breakers_free(breakers);
    start(count);
    for (unsigned i = 0; i < written; i++)
        breakers_read(breakers, &journal[i]);
    breakers_read_end(breakers, senses.now_ns);
    return written;
}

static enum breaker_state state_of(unsigned row, unsigned part)
{
    return part_state(&breakers->rows[row].parts[part]);
}

// How many kills, or resets, of a scope the journal has behind `from`.
static unsigned count(enum command_type type, enum scope scope, unsigned from)
{
    unsigned found = 0;
    for (unsigned i = from; i < journal_count; i++)
        found += journal[i].type == type && journal[i].kill.scope == scope;
    return found;
}

static struct config_trip disk(const char *name, enum trip_action does, enum trip_recovery recovers)
{
    struct config_trip trip = {
        .is = TRIP_DISK_SPACE, .does = does, .recovers = recovers, .threshold = 500, .quiet_ms = 4000};
    trip.name = (char *)name;
    trip.condition = (char *)"disk_space";
    return trip;
}

static void test_an_open_breaker_is_open_again_and_lifts_its_block_when_it_is_over(void **state)
{
    (void)state;
    trips[0] = disk("room", TRIP_BLOCK, TRIP_STANDARD);
    start(1);
    senses.disk_free_mb = 100;
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_VENUE, 0), 2);
    unsigned written = restart(1);
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_VENUE, written), 0); // it has done what it does
    senses.disk_free_mb = 10000;
    for (unsigned i = 0; i < 20 && state_of(0, 0) != BREAKER_CLOSED; i++)
        pass(1001);
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    assert_int_equal(count(CMD_RESET, SCOPE_VENUE, written), 2);
    written = restart(1);
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    pass(20);
    assert_int_equal(journal_count, written);
}

static void test_a_manual_one_stays_open_until_its_operator_resets_it(void **state)
{
    (void)state;
    trips[0] = disk("room", TRIP_BLOCK, TRIP_MANUAL);
    start(1);
    senses.disk_free_mb = 100;
    pass(20);
    senses.disk_free_mb = 10000;
    const unsigned written = restart(1);
    for (unsigned i = 0; i < 5; i++)
        pass(100000);
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(journal_count, written);
    assert_int_equal(breakers_reset(breakers, "room", "ALICE", senses.now_ns), 1);
    pass(20);
    assert_int_equal(count(CMD_RESET, SCOPE_VENUE, written), 2);
}

static void test_the_block_of_a_firm_is_lifted_as_the_firms(void **state)
{
    (void)state;
    trips[0] = (struct config_trip){.is = TRIP_LOSS,
                                    .does = TRIP_BLOCK,
                                    .recovers = TRIP_MANUAL,
                                    .threshold = 1,
                                    .window_ms = 1000,
                                    .condition = (char *)"loss",
                                    .name = (char *)"loss"};
    start(1);
    breakers_alert(breakers,
                   &(struct alert){.kind = ALERT_KILLED, .scope = SCOPE_FIRM, .index = 1, .limit = LIMIT_LOSS},
                   senses.now_ns);
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_FIRM, 0), 2);
    const unsigned written = restart(1);
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    breakers_reset(breakers, "loss", "ALICE", senses.now_ns);
    pass(20);
    assert_int_equal(count(CMD_RESET, SCOPE_FIRM, written), 2);
    assert_int_equal(journal[journal_count - 1].type == CMD_NOTE ? journal[journal_count - 1].note.scope : 0,
                     SCOPE_FIRM);
}

// An account and the firm that begins with it have one breaker.
static void test_the_block_of_an_account_is_lifted_when_its_firm_is_blocked_in_its_place(void **state)
{
    (void)state;
    struct alert alert = {.kind = ALERT_KILLED, .scope = SCOPE_ACCOUNT, .index = 1, .limit = LIMIT_LOSS};
    trips[0] = (struct config_trip){.is = TRIP_LOSS,
                                    .does = TRIP_BLOCK,
                                    .recovers = TRIP_MANUAL,
                                    .threshold = 1,
                                    .window_ms = 1000,
                                    .condition = (char *)"loss",
                                    .name = (char *)"loss"};
    start(1);
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_ACCOUNT, 0), 2);
    alert.scope = SCOPE_FIRM;
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_FIRM, 0), 2);
    assert_int_equal(count(CMD_RESET, SCOPE_ACCOUNT, 0), 2);
    unsigned resets = 0;
    for (unsigned i = 0; i < journal_count; i++) { // never is neither blocked
        resets += journal[i].type == CMD_RESET;
        assert_true(journal[i].type != CMD_KILL || journal[i].kill.scope != SCOPE_FIRM || resets == 0);
    }
    unsigned written = journal_count;
    alert.scope = SCOPE_ACCOUNT; // which its firm's block is of too
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_ACCOUNT, written) + count(CMD_RESET, SCOPE_FIRM, written), 0);
    breakers_reset(breakers, "loss", "ALICE", senses.now_ns);
    pass(20);
    assert_int_equal(count(CMD_RESET, SCOPE_FIRM, written), 2);
    // A control that dies between both: the next one lifts the account's.
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(20);
    written = journal_count;
    alert.scope = SCOPE_FIRM;
    breakers_alert(breakers, &alert, senses.now_ns);
    pass(20);
    assert_int_equal(count(CMD_RESET, SCOPE_ACCOUNT, written), 2);
    unsigned kept = 0;
    for (unsigned i = 0; i < journal_count; i++)
        if (i < written || journal[i].type != CMD_RESET)
            journal[kept++] = journal[i];
    journal_count = kept;
    written = restart(1);
    pass(20);
    assert_int_equal(state_of(0, 1), BREAKER_OPEN);
    assert_int_equal(count(CMD_RESET, SCOPE_ACCOUNT, written), 2);
    assert_int_equal(count(CMD_RESET, SCOPE_FIRM, written), 0);
}

static void test_what_a_ring_had_no_room_for_is_given_by_the_next_control(void **state)
{
    (void)state;
    trips[0] = disk("room", TRIP_BLOCK, TRIP_MANUAL);
    start(1);
    senses.disk_free_mb = 100;
    ring_full[1] = true;
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_VENUE, 0), 1);
    ring_full[1] = false;
    unsigned written = restart(1);
    pass(20);
    assert_int_equal(count(CMD_KILL, SCOPE_VENUE, written), 1);
    assert_int_equal(journal_core(&journal[written]), 1);
    // And a block that was not lifted everywhere.
    senses.disk_free_mb = 10000;
    ring_full[1] = true;
    breakers_reset(breakers, "room", "ALICE", senses.now_ns);
    pass(20);
    ring_full[1] = false;
    written = restart(1);
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    pass(20);
    assert_int_equal(count(CMD_RESET, SCOPE_VENUE, written), 1);
    assert_int_equal(journal_core(&journal[written]), 1);
}

static void test_what_an_operator_has_lifted_stays_lifted(void **state)
{
    (void)state;
    trips[0] = disk("room", TRIP_BLOCK, TRIP_MANUAL);
    start(1);
    senses.disk_free_mb = 100;
    pass(20);
    for (unsigned core = 0; core < 2; core++)
        recovery_give(NULL, core, &(struct command){.type = CMD_RESET, .kill = {.scope = SCOPE_VENUE, .by = "BOB"}});
    const unsigned written = restart(1);
    pass(20);
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(journal_count, written);
}

static void test_the_block_of_a_trip_that_is_gone_is_lifted(void **state)
{
    (void)state;
    trips[0] = disk("room", TRIP_BLOCK, TRIP_MANUAL);
    start(1);
    senses.disk_free_mb = 100;
    pass(20);
    trips[0] = disk("other", TRIP_ALERT, TRIP_MANUAL);
    unsigned written = restart(1);
    pass(20);
    assert_int_equal(count(CMD_RESET, SCOPE_VENUE, written), 2);
    assert_int_equal(journal[written].kill.source, KILL_BY_BREAKER);
    written = restart(1);
    pass(20);
    assert_int_equal(count(CMD_RESET, SCOPE_VENUE, written), 0);
}

static void test_but_not_while_another_breaker_wants_the_same(void **state)
{
    (void)state;
    trips[0] = disk("room", TRIP_BLOCK, TRIP_MANUAL);
    trips[1] = disk("more room", TRIP_BLOCK, TRIP_MANUAL);
    start(2);
    senses.disk_free_mb = 100;
    pass(20);
    trips[0] = trips[1];
    const unsigned written = restart(1);
    pass(20);
    assert_int_equal(state_of(0, 0), BREAKER_OPEN);
    assert_int_equal(count(CMD_RESET, SCOPE_VENUE, written), 0);
}

// How many commands of a type, and kills of these actions, stand behind `from`.
static unsigned given(enum command_type type, unsigned actions, unsigned from)
{
    unsigned found = 0;
    for (unsigned i = from; i < journal_count; i++)
        found += journal[i].type == type && (type != CMD_KILL || journal[i].kill.actions == actions) &&
                 (type != CMD_MODE || journal[i].mode.on == actions);
    return found;
}

// Every action with every plan: what both cores are given when the breaker opens, and when it is over; and the way
// there.
static void test_every_action_with_every_plan(void **state)
{
    (void)state;
    static const struct {
        enum trip_action does;
        enum command_type opens;
        unsigned of;
        enum command_type ends; // CMD_NONE: what was done stays
    } actions[] = {
        {TRIP_ALERT, CMD_NONE, 0, CMD_NONE},
        {TRIP_THROTTLE, CMD_MODE, 1, CMD_MODE},
        {TRIP_CANCEL, CMD_KILL, KILL_CANCEL, CMD_NONE}, // orders come back by themselves
        {TRIP_BLOCK, CMD_KILL, KILL_BLOCK, CMD_RESET},
        {TRIP_HALT, CMD_HALT, 0, CMD_NONE}, // an operator resumes
    };
    static const enum trip_recovery plans[] = {TRIP_MANUAL, TRIP_STANDARD, TRIP_AGGRESSIVE};
    static const enum command_type all[] = {CMD_MODE, CMD_KILL, CMD_RESET, CMD_HALT};
    for (unsigned n = 0; n < 15; n++) {
        const unsigned a = n / 3;
        const enum trip_recovery plan = plans[n % 3];
        journal_count = 0;
        trips[0] = disk("room", actions[a].does, plan);
        start(1);
        senses.disk_free_mb = 100;
        pass(20);
        assert_int_equal(state_of(0, 0), BREAKER_OPEN);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(given(all[i], all[i] == actions[a].opens ? actions[a].of : 0, 0),
                             all[i] == actions[a].opens ? 2 : 0);
        const unsigned opened = journal_count;
        senses.disk_free_mb = 10000;
        pass(20);
        assert_int_equal(state_of(0, 0), plan == TRIP_AGGRESSIVE ? BREAKER_CLOSED : BREAKER_OPEN);
        pass(4000);
        if (plan == TRIP_STANDARD)
            assert_int_equal(state_of(0, 0), BREAKER_HALF_OPEN);
        for (unsigned step = 0; step < 4; step++)
            pass(1000);
        if (plan == TRIP_MANUAL) {
            pass(3600000);
            assert_int_equal(state_of(0, 0), BREAKER_OPEN);
            assert_int_equal(breakers_reset(breakers, "room", "ALICE", senses.now_ns), 1);
            pass(20);
        }
        assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
        for (unsigned i = 1; i < 4; i++)
            assert_int_equal(given(all[i], KILL_BLOCK, opened), all[i] == actions[a].ends ? 2 : 0);
        assert_int_equal(given(CMD_MODE, 0, opened), actions[a].ends == CMD_MODE ? 2 : 0); // off, once
        if (n < 14)
            breakers_free(breakers);
    }
}

static void test_a_closed_port_stays_closed(void **state)
{
    (void)state;
    trips[0] = (struct config_trip){.is = TRIP_BAD_LOGINS,
                                    .does = TRIP_BLOCK,
                                    .recovers = TRIP_STANDARD,
                                    .threshold = 1,
                                    .window_ms = 60000,
                                    .quiet_ms = 5000,
                                    .condition = (char *)"bad_logins",
                                    .name = (char *)""};
    start(1);
    breakers_login_done(breakers, 1, breakers_login(breakers, 1, senses.now_ns), false, senses.now_ns);
    pass(20);
    assert_int_equal(breakers_login(breakers, 1, senses.now_ns), 0);
    restart(1);
    assert_int_equal(breakers_login(breakers, 1, senses.now_ns), 0);
    assert_true(breakers_login(breakers, 0, senses.now_ns));
    senses.now_ns += MS(5001);
    assert_true(breakers_login(breakers, 1, senses.now_ns));
}

static void test_a_drop_copy_has_a_port_that_closes_too(void **state)
{
    (void)state;
    trips[0] = (struct config_trip){.is = TRIP_BAD_LOGINS,
                                    .does = TRIP_BLOCK,
                                    .recovers = TRIP_STANDARD,
                                    .threshold = 2,
                                    .window_ms = 60000,
                                    .quiet_ms = 5000,
                                    .condition = (char *)"bad_logins",
                                    .name = (char *)""};
    start(1);
    for (unsigned i = 0; i < 2; i++)
        breakers_login_done(breakers, 3, breakers_login(breakers, 3, senses.now_ns), false, senses.now_ns);
    pass(20);
    assert_int_equal(breakers_login(breakers, 3, senses.now_ns), 0);
    assert_int_equal(journal_core(&journal[0]), 1); // its own core's chain has it
    assert_int_equal(journal[0].note.index, 3);
    restart(1);
    assert_int_equal(breakers_login(breakers, 3, senses.now_ns), 0);
    assert_true(breakers_login(breakers, 2, senses.now_ns));
}

static void test_what_has_moved_since_the_start_is_newer_than_the_journal(void **state)
{
    (void)state;
    trips[0] = disk("room", TRIP_BLOCK, TRIP_AGGRESSIVE);
    start(1);
    senses.disk_free_mb = 100;
    pass(20);
    const unsigned written = journal_count;
    breakers_free(breakers);
    start(1);
    pass(20); // open, before the journal is read,
    senses.disk_free_mb = 10000;
    pass(20); // and closed
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
    for (unsigned i = 0; i < written; i++)
        breakers_read(breakers, &journal[i]);
    breakers_read_end(breakers, senses.now_ns);
    assert_int_equal(state_of(0, 0), BREAKER_CLOSED);
}

// ---- the age of references ------------------------------------------------------------------------------------------

static const struct config_trip stale = {.is = TRIP_RISK_DATA_STALE,
                                         .does = TRIP_THROTTLE,
                                         .recovers = TRIP_AGGRESSIVE,
                                         .threshold = 60,
                                         .condition = (char *)"risk_data_stale",
                                         .name = (char *)""};

static struct command reference(unsigned core, uint16_t locate, uint32_t price, uint64_t time_s)
{
    return (struct command){.type = CMD_REFERENCE,
                            .seq = (uint64_t)core << COMMAND_SEQ_BITS | 1,
                            .time_ns = MS(time_s * 1000),
                            .reference = {.locate = locate, .reference = price}};
}

static void give_reference(unsigned core, uint16_t locate, uint32_t price)
{
    const struct command command = reference(core, locate, price, 0);
    breakers_reference(breakers, core, &command, senses.now_ns);
}

static bool careful(unsigned core)
{
    return mode_wanted(breakers, 0, core).on;
}

static void test_stale_references_lead_to_the_mode_and_fresh_ones_out_of_it(void **state)
{
    (void)state;
    trips[0] = stale;
    start(1);
    senses.trading = 3;
    pass(20); // from now on
    pass(59000);
    give_reference(0, 1, 100000);
    give_reference(1, 1, 100000);
    pass(2000); // BRAVO has none yet
    assert_false(careful(0));
    assert_true(careful(1));
    assert_int_equal(journal[0].type, CMD_MODE);
    give_reference(1, 2, 0); // of its short-sale state alone
    pass(20);
    assert_true(careful(1));
    give_reference(1, 2, 200000);
    pass(20);
    assert_false(careful(1));
    pass(58000);
    assert_true(careful(0) && careful(1)); // that of XWIRE is 60 s old, and so is that of ALPHA
}

static void test_references_age_only_where_the_market_trades(void **state)
{
    (void)state;
    trips[0] = stale;
    start(1);
    senses.trading = 2;
    give_reference(0, 1, 100000);
    pass(100000);
    assert_false(careful(0));
    pass(61000);
    assert_true(careful(1));
    senses.trading = 3;
    pass(20);
    assert_true(careful(0));
    senses.trading = 0;
    pass(20);
    assert_false(careful(0) || careful(1));
}

static void test_the_next_control_knows_how_old_references_are(void **state)
{
    (void)state;
    trips[0] = stale;
    start(1);
    senses.trading = 3;
    const struct command records[] = {reference(0, 1, 1000, 100),
                                      reference(1, 1, 1000, 120),
                                      reference(1, 2, 1000, 130),
                                      reference(0, 1, 1000, 140),
                                      {.type = CMD_TICK, .time_ns = MS(175000)}};
    for (unsigned i = 0; i < 3; i++)
        give_reference(i != 0, i == 2 ? 2 : 1, 1000); // as recovery shows them again
    for (unsigned i = 0; i < sizeof records / sizeof *records; i++)
        breakers_read(breakers, &records[i]);
    breakers_read_end(breakers, senses.now_ns);
    pass(4000);
    assert_false(careful(0) || careful(1));
    pass(1000);
    assert_true(careful(1)); // 120 was 60 s ago
    assert_false(careful(0));
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) // the log is not what is tested here
        return 1;
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(test_an_open_breaker_is_open_again_and_lifts_its_block_when_it_is_over),
        TEST(test_a_manual_one_stays_open_until_its_operator_resets_it),
        TEST(test_the_block_of_a_firm_is_lifted_as_the_firms),
        TEST(test_the_block_of_an_account_is_lifted_when_its_firm_is_blocked_in_its_place),
        TEST(test_what_a_ring_had_no_room_for_is_given_by_the_next_control),
        TEST(test_what_an_operator_has_lifted_stays_lifted),
        TEST(test_the_block_of_a_trip_that_is_gone_is_lifted),
        TEST(test_but_not_while_another_breaker_wants_the_same),
        TEST(test_every_action_with_every_plan),
        TEST(test_a_closed_port_stays_closed),
        TEST(test_a_drop_copy_has_a_port_that_closes_too),
        TEST(test_stale_references_lead_to_the_mode_and_fresh_ones_out_of_it),
        TEST(test_references_age_only_where_the_market_trades),
        TEST(test_the_next_control_knows_how_old_references_are),
        TEST(test_what_has_moved_since_the_start_is_newer_than_the_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
