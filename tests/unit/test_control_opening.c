// SPDX-License-Identifier: Apache-2.0
// The opening of a day: complete, in order, and never twice, wherever a control was killed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "control/recovery/market.h"
#include "control/recovery/opening.h"
#include "engine/capacity.h"
#include "tests/support/control_stage.h"

static struct stage stage;

static int set_up(void **state)
{
    (void)state;
    stage_open(&stage, 2, "durable", 256);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

// Gives all that is missing; returns how many commands.
static unsigned give_all(struct opening *opening, struct command *out)
{
    unsigned count = 0;
    struct command command;
    while (opening_next(opening, 5, &command)) {
        opening_note(opening, &command);
        out[count++] = command;
        assert_true(count < 64);
    }
    return count;
}

static void a_new_day_opens_in_order(void **state)
{
    (void)state;
    static const uint8_t want[] = {CMD_CLOCK,        CMD_OPEN_DAY,     CMD_OPEN_SYMBOL,  CMD_OPEN_SYMBOL,
                                   CMD_OPEN_ACCOUNT, CMD_OPEN_ACCOUNT, CMD_OPEN_SESSION, CMD_OPEN_SESSION,
                                   CMD_OPEN_SESSION, CMD_START};
    struct command given[64];
    for (unsigned core = 0; core < 2; core++) {
        struct opening opening;
        assert_true(opening_init(&opening, stage.config, core));
        opening_restart(&opening);
        assert_int_equal(opening_left(&opening), sizeof want);
        assert_int_equal(give_all(&opening, given), sizeof want);
        for (unsigned i = 0; i < sizeof want; i++)
            assert_int_equal(given[i].type, want[i]);
        assert_int_equal(given[0].clock.offset_ns, 5);
        assert_int_equal(given[1].day.trading_date, 20240315);
        assert_int_equal(given[1].day.core, core);
        assert_memory_equal(given[2].open_symbol.name, core ? "SYM1    " : "SYM0    ", 8);
        assert_int_equal(given[3].open_symbol.locate, 2);
        assert_memory_equal(given[4].open_account.name, "NORTH           ", 16);
        assert_int_equal(given[7].session, 2 + core);
        assert_int_equal(opening_left(&opening), 0);
        assert_null(opening.mismatch);
        opening_free(&opening);
    }
}

static void the_engine_opens_the_day_with_it(void **state)
{
    (void)state;
    struct engine_capacity capacity = engine_capacity_of(stage.config, 1);
    size_t size = engine_footprint(&capacity);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    struct engine *engine = engine_new(memory, &capacity);
    struct event events[ENGINE_EVENTS_MAX];
    struct command given[64];
    struct opening opening;
    assert_true(opening_init(&opening, stage.config, 1));
    unsigned count = give_all(&opening, given);
    for (unsigned i = 0; i < count; i++) {
        given[i].seq = i + 1;
        engine_step(engine, &given[i], events);
        assert_false(engine_unfinished(engine));
    }
    assert_int_equal(engine_day_open(engine), 20240315);
    struct command up = {.type = CMD_SESSION_UP, .session = 3, .seq = count + 1};
    engine_step(engine, &up, events);
    assert_true(engine_session_up(engine, 3));
    opening_free(&opening);
    munmap(memory, size);
}

static uint64_t at(unsigned hour, unsigned minute)
{
    return UINT64_C(1710460800000000000) + (hour * 60 + minute) * UINT64_C(60000000000); // of 2024-03-15
}

static void time_is(struct opening *opening, uint64_t unix_ns)
{
    assert_false(opening_time(opening, stage.config, unix_ns, unix_ns));
}

static void set_schedule(const char *phases, const unsigned *hours)
{
    for (stage.config->phases_count = 0; phases[stage.config->phases_count] != 0; stage.config->phases_count++) {
        unsigned i = stage.config->phases_count;
        stage.config->phases[i] = (struct config_phase){hours[i] * UINT64_C(3600000000000), phases[i]};
    }
}

static void phases_come_at_their_times_and_once(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening, second;
    set_schedule("PRAX", (const unsigned[]){4, 9, 16, 20});
    assert_true(opening_init(&opening, stage.config, 1));
    time_is(&opening, at(3, 59));
    unsigned left = opening_left(&opening);
    assert_int_equal(give_all(&opening, given), left);
    assert_false(opening_started(&opening)); // START waits for pre-market
    time_is(&opening, at(4, 0));
    assert_int_equal(opening_left(&opening), 1);
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_START);
    assert_int_equal(given[0].phase.phase, PHASE_PRE);
    time_is(&opening, at(8, 59));
    assert_int_equal(opening_left(&opening), 0);
    time_is(&opening, at(9, 0));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_PHASE);
    assert_int_equal(given[0].phase.phase, PHASE_REGULAR);
    assert_int_equal(opening_left(&opening), 0);
    // Missed while control was away: one after the other.
    opening_restart(&opening);
    time_is(&opening, at(20, 30));
    left = opening_left(&opening);
    assert_int_equal(left, 6);
    assert_int_equal(give_all(&opening, given), left);
    assert_int_equal(given[4].phase.phase, PHASE_AFTER);
    assert_int_equal(given[5].phase.phase, PHASE_CLOSED);
    assert_int_equal(given[5].type, CMD_PHASE);
    // A day that is opened late starts where its schedule begins, and goes through all of it.
    assert_true(opening_init(&second, stage.config, 1));
    time_is(&second, at(21, 0));
    left = opening_left(&second);
    assert_int_equal(give_all(&second, given), left);
    assert_int_equal(given[left - 4].type, CMD_START);
    assert_int_equal(given[left - 3].phase.phase, PHASE_REGULAR);
    assert_int_equal(given[left - 1].phase.phase, PHASE_CLOSED);
    opening_free(&opening);
    opening_free(&second);
    stage.config->phases_count = 0;
}

static void the_day_ends_at_its_time_and_stays_ended(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    set_schedule("XE", (const unsigned[]){20, 21});
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(20, 59));
    unsigned count = give_all(&opening, given);
    assert_int_equal(given[count - 1].phase.phase, PHASE_CLOSED);
    time_is(&opening, at(21, 0));
    assert_int_equal(opening_left(&opening), 1);
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_END_DAY);
    assert_true(opening.ended);
    // A restart brings neither the end again nor sessions down, whatever the schedule says since.
    set_schedule("AXE", (const unsigned[]){20, 22, 23});
    opening_restart(&opening);
    time_is(&opening, at(23, 30));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_CLOCK);
    opening_free(&opening);
    // Control was away at the close and at the end: both come, in order; and so on any later date.
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(1, 0));
    give_all(&opening, given);
    time_is(&opening, at(24 + 3, 0));
    assert_int_equal(give_all(&opening, given), 3);
    assert_int_equal(given[1].phase.phase, PHASE_CLOSED);
    assert_int_equal(given[2].type, CMD_END_DAY);
    opening_free(&opening);
    stage.config->phases_count = 0;
}

// The day ends once: a wall clock that is set ahead ends nothing.
static void phases_that_the_clock_jumps_over_wait_for_an_operator(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    set_schedule("RAXE", (const unsigned[]){9, 16, 20, 21});
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(10, 0)); // it began later than its first phase: no jump
    const unsigned count = give_all(&opening, given);
    assert_int_equal(given[count - 1].phase.phase, PHASE_REGULAR);
    // A minute ahead is a step that a clock may take; more is not. Back again: nothing has happened.
    assert_false(opening_time(&opening, stage.config, at(10, 2), at(10, 1)));
    assert_false(opening_time(&opening, stage.config, at(15, 0), at(10, 2))); // over no phase
    assert_true(opening_time(&opening, stage.config, at(20, 30), at(10, 3)));
    assert_int_equal(opening_left(&opening), 0);
    assert_false(opening_time(&opening, stage.config, at(10, 4), at(10, 4)));
    assert_int_equal(opening_left(&opening), 0);
    // What comes behind the jump comes at its time; an operator gives what was held.
    assert_true(opening_time(&opening, stage.config, at(20, 30), at(10, 5)));
    assert_true(opening_time(&opening, stage.config, at(20, 50), at(10, 6))); // a second one
    assert_int_equal(opening_left(&opening), 0);
    opening_note(&opening, &(struct command){.type = CMD_PHASE, .phase.phase = PHASE_AFTER});
    assert_int_equal(opening_left(&opening), 0);
    assert_false(opening_time(&opening, stage.config, at(21, 0), at(10, 16)));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_END_DAY);
    opening_free(&opening);
    stage.config->phases_count = 0;
}

static void a_start_that_the_clock_jumps_over_waits_until_the_clock_is_set_right(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    set_schedule("PRX", (const unsigned[]){9, 10, 16});
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(8, 0));
    assert_int_not_equal(given[give_all(&opening, given) - 1].type, CMD_START);
    assert_true(opening_time(&opening, stage.config, at(11, 0), at(8, 1)));
    assert_true(opening_start_held(&opening));
    assert_int_equal(opening_left(&opening), 0);
    assert_int_equal(give_all(&opening, given), 0);
    time_is(&opening, at(8, 2));
    assert_false(opening_start_held(&opening));
    assert_int_equal(give_all(&opening, given), 0);
    time_is(&opening, at(9, 0));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_START);
    time_is(&opening, at(10, 0));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].phase.phase, PHASE_REGULAR);
    // The clock goes over the same hours again: nothing is given twice.
    assert_false(opening_time(&opening, stage.config, at(8, 30), at(10, 1)));
    assert_false(opening_time(&opening, stage.config, at(9, 30), at(11, 1)));
    assert_false(opening_time(&opening, stage.config, at(10, 30), at(12, 1)));
    assert_int_equal(give_all(&opening, given), 0);
    opening_free(&opening);
    stage.config->phases_count = 0;
}

static void a_start_that_the_clock_jumps_over_is_an_operators_who_is_named(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    set_schedule("PRX", (const unsigned[]){9, 10, 16});
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(8, 0));
    give_all(&opening, given);
    opening_start_by(&opening, "ALICE"); // it is not held: nothing comes before its time
    assert_int_equal(give_all(&opening, given), 0);
    assert_true(opening_time(&opening, stage.config, at(11, 0), at(8, 1)));
    opening_start_by(&opening, "ALICE");
    assert_false(opening_start_held(&opening));
    assert_int_equal(opening_left(&opening), 1); // what is behind it was jumped over too
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_START);
    assert_string_equal(given[0].phase.by, "ALICE");
    assert_int_equal(opening.phase, PHASE_PRE);
    assert_null(opening.mismatch);
    assert_int_equal(opening_left(&opening), 0);
    opening_free(&opening);
    stage.config->phases_count = 0;
}

// Whoever has set the clock ahead sets it to the hour again some minutes later.
static void phases_that_a_clock_that_is_set_right_has_not_jumped_over_come_at_their_times(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    set_schedule("RAXE", (const unsigned[]){9, 16, 20, 21});
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(10, 0));
    give_all(&opening, given);
    assert_true(opening_time(&opening, stage.config, at(20, 30), at(10, 1)));
    assert_int_equal(opening_left(&opening), 0);
    time_is(&opening, at(10, 4));
    time_is(&opening, at(15, 59));
    assert_int_equal(opening_left(&opening), 0);
    time_is(&opening, at(16, 0));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].phase.phase, PHASE_AFTER);
    // A step back of a second is a step that a clock may take, and sets nothing right.
    assert_true(opening_time(&opening, stage.config, at(20, 0), at(16, 1)));
    assert_false(opening_time(&opening, stage.config, at(20, 0) - 1000000000, at(16, 1)));
    assert_false(opening_time(&opening, stage.config, at(20, 0) + 1000000000, at(16, 1) + 2000000000));
    assert_int_equal(opening_left(&opening), 0);
    time_is(&opening, at(16, 1) + UINT64_C(3000000000));
    // Set back, and not far enough: what lies between is an operator's, what comes is not.
    assert_true(opening_time(&opening, stage.config, at(23, 0), at(16, 1)));
    assert_false(opening_time(&opening, stage.config, at(20, 10), at(16, 2)));
    assert_int_equal(opening_left(&opening), 0);
    assert_false(opening_time(&opening, stage.config, at(21, 0), at(16, 52)));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_END_DAY);
    opening_free(&opening);
    stage.config->phases_count = 0;
}

// A data plane that is started again meanwhile is given no phase that waits.
static void another_data_plane_does_not_set_the_clock_right(void **state)
{
    (void)state;
    struct command given[64];
    struct opening_clock clock = {0};
    struct opening opening;
    set_schedule("RAXE", (const unsigned[]){9, 16, 20, 21});
    assert_true(opening_init(&opening, stage.config, 0));
    opening_keep_clock(&opening, &clock);
    time_is(&opening, at(10, 0));
    give_all(&opening, given);
    assert_true(opening_time(&opening, stage.config, at(21, 30), at(10, 1)));
    assert_int_equal(opening_left(&opening), 0);
    opening_free(&opening);
    assert_true(opening_init(&opening, stage.config, 0));
    opening_keep_clock(&opening, &clock);
    assert_false(opening_time(&opening, stage.config, at(21, 32), at(10, 3)));
    const unsigned count = give_all(&opening, given);
    assert_int_equal(given[count - 1].phase.phase, PHASE_REGULAR);
    assert_int_equal(opening_left(&opening), 0);
    time_is(&opening, at(10, 5));
    time_is(&opening, at(16, 0));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].phase.phase, PHASE_AFTER);
    opening_free(&opening);
    stage.config->phases_count = 0;
}

// A typing error in a file that is read again ends no day.
static void a_schedule_that_would_come_at_once_may_not_follow(void **state)
{
    (void)state;
    char text[256] = "";
    struct config next = *stage.config;
    set_schedule("RXE", (const unsigned[]){9, 20, 21});
    static const struct {
        uint64_t hours[3];
        const char *words; // NULL: it may
    } schedules[] = {
        {{9, 20, 21}, NULL}, // as it was
        {{8, 20, 21}, NULL}, // regular hours have come already
        {{9, 10, 11},
         "10:00:00 UTC is past, so that this phase would come at once: give a later time, or xwctl phase closed"},
        {{9, 13, 14}, NULL},
        {{9, 20, 12}, "12:00:00 UTC is past"},
    };
    next.phases_count = 3;
    for (unsigned i = 0; i < sizeof schedules / sizeof schedules[0]; i++) {
        for (unsigned j = 0; j < 3; j++)
            next.phases[j] =
                (struct config_phase){schedules[i].hours[j] * UINT64_C(3600000000000), stage.config->phases[j].phase};
        assert_int_equal(opening_may_follow(stage.config, &next, PHASE_REGULAR, at(12, 0), text, sizeof text),
                         !schedules[i].words);
        if (schedules[i].words && !strstr(text, schedules[i].words))
            fail_msg("%s", text);
    }
    // Before the day has started xwctl phase is refused, so that nobody is sent there.
    next.phases[0].time_ns = 8 * UINT64_C(3600000000000);
    assert_false(opening_may_follow(stage.config, &next, 0, at(12, 0), text, sizeof text));
    assert_non_null(strstr(text, "08:00:00 UTC is past"));
    assert_non_null(strstr(text, "give a later time"));
    assert_null(strstr(text, "xwctl phase"));
    stage.config->phases_count = 0;
}

static void a_phase_that_an_operator_gave_is_not_given_again(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    set_schedule("RA", (const unsigned[]){9, 16});
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(1, 0));
    unsigned count = give_all(&opening, given);
    assert_int_equal(given[count - 1].type, CMD_START); // no pre_market: at once, in pre-market
    assert_int_equal(given[count - 1].phase.phase, PHASE_PRE);
    struct command early = {.type = CMD_PHASE, .session = SESSION_NONE, .phase.phase = PHASE_REGULAR};
    opening_note(&opening, &early);
    time_is(&opening, at(9, 1));
    assert_int_equal(opening_left(&opening), 0);
    time_is(&opening, at(16, 1));
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].phase.phase, PHASE_AFTER);
    opening_free(&opening);
    set_schedule("AX", (const unsigned[]){16, 20}); // regular from the start
    assert_true(opening_init(&opening, stage.config, 0));
    time_is(&opening, at(1, 0));
    count = give_all(&opening, given);
    assert_int_equal(given[count - 1].phase.phase, PHASE_REGULAR);
    opening_note(&opening, &(struct command){.type = CMD_END_DAY, .session = SESSION_NONE});
    time_is(&opening, at(21, 0));
    assert_int_equal(opening_left(&opening), 0); // the day is over
    opening_free(&opening);
    stage.config->phases_count = 0;
}

// A control that was killed after any number of commands is followed by one that reads them from the journal.
static void an_opening_cut_anywhere_is_completed_once(void **state)
{
    (void)state;
    struct command whole[64], rest[64];
    struct opening first;
    assert_true(opening_init(&first, stage.config, 0));
    unsigned count = give_all(&first, whole);
    for (unsigned cut = 0; cut <= count; cut++) {
        struct opening second;
        assert_true(opening_init(&second, stage.config, 0));
        for (unsigned i = 0; i < cut; i++)
            opening_note(&second, &whole[i]);
        opening_resume(&second);
        assert_null(second.mismatch);
        unsigned left = opening_left(&second);
        assert_int_equal(left, give_all(&second, rest));
        assert_int_equal(cut + left, count);
        for (unsigned i = 0; i < left; i++) {
            // Key and seed of a day whose OPEN_DAY is not journaled yet are drawn anew.
            if (rest[i].type == CMD_OPEN_DAY) {
                rest[i].day.lookup_key = whole[cut + i].day.lookup_key;
                rest[i].day.seed = whole[cut + i].day.seed;
            }
            assert_memory_equal(&rest[i], &whole[cut + i], sizeof rest[i]);
        }
        opening_free(&second);
    }
    opening_free(&first);
}

static void a_recovered_day_takes_every_session_down_after_a_clock(void **state)
{
    (void)state;
    struct command whole[64], given[64];
    struct opening opening;
    assert_true(opening_init(&opening, stage.config, 1));
    give_all(&opening, whole);
    opening_restart(&opening);
    assert_int_equal(give_all(&opening, given), 4);
    assert_int_equal(given[0].type, CMD_CLOCK);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(given[i].type, CMD_SESSION_DOWN);
        assert_int_equal(given[i].link.down_reason, DOWN_RESTART);
        assert_int_equal(stage.config->sessions[given[i].session].matcher, 1);
    }
    assert_true(given[1].session < given[2].session && given[2].session < given[3].session);
    opening_free(&opening);
}

static void a_control_that_joins_a_running_day_takes_no_session_down(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    assert_true(opening_init(&opening, stage.config, 1));
    give_all(&opening, given);
    struct command up = {.type = CMD_SESSION_UP, .session = 1};
    opening_note(&opening, &up);
    opening_resume(&opening);
    assert_int_equal(opening_left(&opening), 0);
    opening_free(&opening);
}

static void session_downs_cut_in_the_middle_are_carried_on(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening, second;
    assert_true(opening_init(&opening, stage.config, 1));
    assert_true(opening_init(&second, stage.config, 1));
    unsigned count = give_all(&opening, given);
    opening_restart(&opening);
    count += give_all(&opening, given + count);
    for (unsigned i = 0; i < count - 2; i++) // CLOCK and one session-down stand in the journal, two are missing
        opening_note(&second, &given[i]);
    opening_resume(&second);
    assert_int_equal(opening_left(&second), 2);
    opening_free(&opening);
    opening_free(&second);
}

static void an_ended_day_gets_only_a_clock(void **state)
{
    (void)state;
    struct command given[64];
    struct opening opening;
    assert_true(opening_init(&opening, stage.config, 0));
    give_all(&opening, given);
    opening_note(&opening, &(struct command){.type = CMD_END_DAY, .session = SESSION_NONE});
    opening_restart(&opening);
    assert_int_equal(give_all(&opening, given), 1);
    assert_int_equal(given[0].type, CMD_CLOCK);
    opening_free(&opening);
}

static void a_journal_of_another_configuration_is_told(void **state)
{
    (void)state;
    struct command given[64];
    struct opening first, second;
    assert_true(opening_init(&first, stage.config, 0));
    unsigned count = give_all(&first, given);
    for (unsigned i = 1; i < count; i++) {
        struct command wrong = given[i];
        wrong.payload[2] ^= 1;
        assert_true(opening_init(&second, stage.config, 0));
        for (unsigned k = 0; k < i; k++)
            opening_note(&second, &given[k]);
        assert_null(second.mismatch);
        opening_note(&second, &wrong);
        assert_non_null(second.mismatch);
        assert_int_equal(second.mismatch_exit, EX_CONFIG);
        opening_free(&second);
    }
    opening_free(&first);
}

static void another_engine_version_is_told_apart(void **state)
{
    (void)state;
    struct command given[64];
    struct opening first, second;
    assert_true(opening_init(&first, stage.config, 0));
    assert_true(opening_init(&second, stage.config, 0));
    give_all(&first, given);
    given[1].day.engine_version++;
    opening_note(&second, &given[0]);
    opening_note(&second, &given[1]);
    assert_int_equal(second.mismatch_exit, EX_DATAERR);
    opening_free(&first);
    opening_free(&second);
}

static void the_clock_counts_from_midnight_of_the_trading_date(void **state)
{
    (void)state;
    const uint64_t day_ns = UINT64_C(86400000000000);
    // 2024-03-01 is day 19783 of Unix time: the year before it has a leap day.
    uint64_t midnight = 19783 * day_ns;
    assert_int_equal(opening_clock_offset(20240301, midnight + 7, 0), 7);
    assert_int_equal(opening_clock_offset(20240229, midnight + 7, 0), (int64_t)day_ns + 7);
    assert_int_equal(opening_clock_offset(20240301, midnight + 1000, 400), 600);
    assert_int_equal(opening_clock_offset(19700101, 5, 5), 0);
    // A date that has not begun: time starts at 0 and never is negative.
    assert_int_equal(opening_clock_offset(20240302, midnight, 400), -400);
}

static void a_level_of_the_index_is_told_once_and_never_early(void **state)
{
    (void)state;
    const struct config config = {.index_close = 43215000};
    struct market_index index = {0};
    struct command command;
    assert_false(market_index(&index, &config, 0, 0, &command));
    const uint64_t base = 1000000;
    assert_false(market_index(&index, &config, 930001, base, &command));
    assert_false(market_index(&index, &config, 930001, base, &command)); // 93.0001%
    assert_false(market_index(&index, &config, 930000, base, &command)); // may be half written
    assert_true(market_index(&index, &config, 930000, base, &command));
    assert_true(command.type == CMD_INDEX && command.index.breached == 1 && command.index.level == 9300);
    assert_int_equal(command.index.declared[0], UINT64_C(43215000) * 9300); // 4321.5 by 93%, eight places
    assert_int_equal(command.index.last_ns, UINT64_MAX);
    assert_false(market_index(&index, &config, 930000, base, &command));
    assert_false(market_index(&index, &config, 800000, base, &command));
    assert_true(market_index(&index, &config, 800000, base, &command));
    assert_true(command.index.breached == 3 && command.index.level == 8000);
    assert_false(market_index(&index, &config, 100, base, &command));
    assert_false(market_index(&index, &config, 100, base, &command));
}

static void bands_are_those_of_the_tier_and_wide_by_the_schedule(void **state)
{
    (void)state;
    struct config_symbol symbols[] = {{.locate = 1, .tier = 2}, {.locate = 2}};
    struct config config = {.symbols = symbols, .symbols_count = 2, .tier_parts = {0, 50000, 100000}, .index_close = 0};
    config.bands.wide_factor = 2;
    config.bands.open_minutes = 15;
    config.bands.close_minutes = 25;
    config.bands.limit_state_seconds = 15;
    config.bands.pause_seconds = 300;
    struct command command;
    assert_false(market_bands(&config, 1, &command));
    assert_true(market_bands(&config, 0, &command));
    assert_true(command.type == CMD_BANDS && command.bands.locate == 1 && command.bands.percent == 100000 &&
                command.bands.wide_percent == 200000 && command.bands.limit_state_ms == 15000 &&
                command.bands.pause_ms == 300000 && command.bands.velocity_percent == 0);
    assert_true(command.bands.wide_until_ns == 0 && command.bands.wide_from_ns == UINT64_MAX);
    const uint64_t hour = UINT64_C(3600000000000);
    config.phases[0] = (struct config_phase){9 * hour, PHASE_REGULAR};
    config.phases[1] = (struct config_phase){16 * hour, PHASE_AFTER};
    config.phases_count = 2;
    assert_true(market_bands(&config, 0, &command));
    assert_int_equal(command.bands.wide_until_ns, 9 * hour + hour / 4);
    assert_int_equal(command.bands.wide_from_ns, 16 * hour - hour * 25 / 60);
    assert_false(market_declared(&config, &command));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_day_opens_in_order),
        cmocka_unit_test(the_engine_opens_the_day_with_it),
        cmocka_unit_test(phases_come_at_their_times_and_once),
        cmocka_unit_test(the_day_ends_at_its_time_and_stays_ended),
        cmocka_unit_test(phases_that_the_clock_jumps_over_wait_for_an_operator),
        cmocka_unit_test(a_start_that_the_clock_jumps_over_waits_until_the_clock_is_set_right),
        cmocka_unit_test(a_start_that_the_clock_jumps_over_is_an_operators_who_is_named),
        cmocka_unit_test(phases_that_a_clock_that_is_set_right_has_not_jumped_over_come_at_their_times),
        cmocka_unit_test(another_data_plane_does_not_set_the_clock_right),
        cmocka_unit_test(a_schedule_that_would_come_at_once_may_not_follow),
        cmocka_unit_test(a_phase_that_an_operator_gave_is_not_given_again),
        cmocka_unit_test(an_opening_cut_anywhere_is_completed_once),
        cmocka_unit_test(a_recovered_day_takes_every_session_down_after_a_clock),
        cmocka_unit_test(a_control_that_joins_a_running_day_takes_no_session_down),
        cmocka_unit_test(session_downs_cut_in_the_middle_are_carried_on),
        cmocka_unit_test(an_ended_day_gets_only_a_clock),
        cmocka_unit_test(a_journal_of_another_configuration_is_told),
        cmocka_unit_test(another_engine_version_is_told_apart),
        cmocka_unit_test(the_clock_counts_from_midnight_of_the_trading_date),
        cmocka_unit_test(a_level_of_the_index_is_told_once_and_never_early),
        cmocka_unit_test(bands_are_those_of_the_tier_and_wide_by_the_schedule),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
