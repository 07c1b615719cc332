// SPDX-License-Identifier: Apache-2.0
// What the engine promises whatever comes: bounded steps, full tables that reject, numbers chosen by an adversary,
// commands out of place, the same answer at every address.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contract/reject.h"
#include "engine/lookup.h"
#include "engine/unsupported.h"
#include "tests/support/engine_rig.h"
#include "tests/unit/command_of.h"

static const struct rig_day day = {
    .max_orders = 16384, .max_levels = 4096, .symbols = 2, .sessions = 3, .ticks = {100, 1, 50, 5000}, .lookup_key = 5};

static void step(struct rig *rig, struct command command)
{
    rig_step(rig, &command);
}

static void step_rig(void *context, struct command *command)
{
    rig_step(context, command);
}

static void expect_outcome(struct rig *rig, struct command command, enum engine_outcome outcome)
{
    rig_step(rig, &command);
    assert_int_equal(engine_outcome(rig->engine), outcome);
}

static void expect_rejected(struct rig *rig, struct command command, uint8_t reason)
{
    expect_outcome(rig, command, OUTCOME_REJECTED);
    assert_int_equal(rig->count, 1);
    assert_int_equal(rig->events[0].type, EV_REJECTED);
    assert_int_equal(rig->events[0].reason, reason);
}

static void a_sweep_over_ten_thousand_makers_goes_on_in_bounded_steps(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 0; i < 10000; i++)
        step(&rig, rig_enter(0, i + 1, 'S', 7, 1, 100 * (1000 + i % 500)));
    step(&rig, rig_enter(1, 1, 'B', 70000 + 1, 1, 100 * 2000));
    assert_int_equal(rig.count, 10002); // Accepted, 10,000 trades, the rest rests
    assert_true(rig.steps >= 10002 / ENGINE_EVENTS_MAX);
    assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    for (size_t i = 1; i <= 10000; i++) {
        assert_int_equal(rig.events[i].type, EV_TRADE);
        assert_true(rig.events[i].price >= rig.events[i - (i > 1)].price || i == 1);
    }
    assert_int_equal(rig.events[10001].type, EV_BOOK_ADD);
    assert_int_equal(engine_live_orders(rig.engine), 1);
    assert_null(engine_check(rig.engine));
    rig_free(&rig);
}

static void a_mass_cancel_of_ten_thousand_orders_goes_on_in_bounded_steps(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 0; i < 10000; i++)
        step(&rig, rig_enter(0, i + 1, i % 2 ? 'S' : 'B', 7, 1, 100 * (i % 2 ? 2000 + i % 7 : 1000 + i % 7)));
    struct command c = rig_simple(CMD_MASS_CANCEL, 0, 20000, 0);
    c.options = OPTION(TAG_SIDE);
    c.side = 'S';
    step(&rig, c);
    assert_int_equal(rig.count, 5001);
    assert_true(rig.steps >= 5001 / ENGINE_EVENTS_MAX);
    for (size_t i = 2; i <= 5000; i++) // in the order of entry
        assert_true(rig.events[i].user_ref > rig.events[i - 1].user_ref);
    assert_int_equal(engine_live_orders(rig.engine), 5000);
    assert_null(engine_check(rig.engine));
    step(&rig, (struct command){.type = CMD_END_DAY, .session = SESSION_NONE});
    assert_int_equal(rig.count, 5005);
    assert_int_equal(engine_live_orders(rig.engine), 0);
    assert_int_equal(engine_day_open(rig.engine), 0);
    rig_free(&rig);
}

static void a_walk_past_orders_that_a_filter_spares_pauses_without_events(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 0; i < 10000; i++)
        step(&rig, rig_enter(0, i + 1, 'B', 7, 1, 100 * 1000));
    struct command c = rig_simple(CMD_MASS_CANCEL, 0, 20000, 0);
    c.options = OPTION(TAG_GROUP_ID);
    c.group_id = 9;
    step(&rig, c);
    assert_int_equal(rig.count, 1);
    assert_true(rig.steps > 4);
    assert_int_equal(engine_live_orders(rig.engine), 10000);
    rig_free(&rig);
}

static void a_start_with_many_symbols_goes_on_in_bounded_steps(void **state)
{
    (void)state;
    struct rig_day wide = day;
    wide.symbols = 1000;
    struct rig rig;
    rig_open(&rig, &wide);
    assert_int_equal(engine_day_open(rig.engine), 20240304);
    step(&rig, rig_enter(0, 1, 'B', 100, 1000, 5000 * 100));
    assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    rig_free(&rig);
}

static void a_full_order_table_rejects_and_takes_orders_again_later(void **state)
{
    (void)state;
    struct rig_day tiny = day;
    tiny.max_orders = 100;
    struct rig rig;
    rig_open(&rig, &tiny);
    for (uint32_t i = 1; i <= 100; i++)
        expect_outcome(&rig, rig_enter(0, i, 'B', 10, 1, 100 * 1000), OUTCOME_ACCEPTED);
    expect_rejected(&rig, rig_enter(0, 101, 'B', 10, 1, 100 * 1000), REJECT_PROCESSING);
    struct command ioc = rig_enter(1, 1, 'S', 10, 1, 100 * 1000);
    ioc.tif = '3';
    expect_outcome(&rig, ioc, OUTCOME_ACCEPTED); // needs no room
    expect_outcome(&rig, rig_enter(0, 102, 'B', 10, 1, 100 * 1000), OUTCOME_ACCEPTED);
    expect_rejected(&rig, rig_enter(0, 103, 'B', 10, 1, 100 * 1000), REJECT_PROCESSING);
    expect_outcome(&rig, rig_replace(0, 102, 104, 20, 100 * 999), OUTCOME_ACCEPTED); // in the original's place
    assert_null(engine_check(rig.engine));
    rig_free(&rig);
}

static void a_full_level_table_rejects_new_prices_only(void **state)
{
    (void)state;
    struct rig_day tiny = day;
    tiny.max_levels = 10;
    struct rig rig;
    rig_open(&rig, &tiny);
    for (uint32_t i = 1; i <= 10; i++)
        expect_outcome(&rig, rig_enter(0, i, 'B', 10, 1, 100 * 1000 * i), OUTCOME_ACCEPTED);
    expect_rejected(&rig, rig_enter(0, 11, 'B', 10, 1, 100), REJECT_PROCESSING);
    expect_outcome(&rig, rig_enter(0, 12, 'B', 10, 1, 100 * 1000), OUTCOME_ACCEPTED);
    // A replace that frees its own level may open another; one that does not is invalid and takes the original down.
    expect_outcome(&rig, rig_replace(0, 10, 13, 10, 100 * 77), OUTCOME_ACCEPTED);
    expect_outcome(&rig, rig_replace(0, 12, 14, 10, 100 * 78), OUTCOME_REJECTED);
    assert_int_equal(rig.events[0].type, EV_CANCELED);
    assert_null(engine_check(rig.engine));
    rig_free(&rig);
}

// Numbers that would pile up in a table that trusts them: multiples of powers of two, runs, the ends of the range.
static void numbers_that_an_adversary_chooses_find_room(void **state)
{
    (void)state;
    struct rig_day full = day;
    full.max_orders = 8192;
    static const uint32_t strides[] = {1, 1u << 7, 1u << 16, 1u << 19, 524287, 0};
    for (unsigned s = 0; strides[s]; s++) {
        struct rig rig;
        rig_open(&rig, &full);
        uint32_t count = 0;
        for (uint64_t number = strides[s]; number <= UINT32_MAX && count < full.max_orders;
             number += strides[s], count++)
            expect_outcome(&rig, rig_enter(0, (uint32_t)number, 'B', 1, 1, 100 * (1 + count % 900)), OUTCOME_ACCEPTED);
        assert_true(count > 8000);
        assert_null(engine_check(rig.engine));
        for (uint32_t i = 1; i <= count; i++)
            expect_outcome(&rig, rig_simple(CMD_CANCEL, 0, i * strides[s], 0), OUTCOME_ACCEPTED);
        assert_int_equal(engine_live_orders(rig.engine), 0);
        assert_null(engine_check(rig.engine));
        rig_free(&rig);
    }
}

// Slots whose orders a look-up of that order has to look at: those of its tag in its buckets.
static unsigned slots_looked_at(const struct engine *e, uint64_t key)
{
    struct lookup_place place = lookup_place(e, key);
    const struct bucket *first = &e->buckets[lookup_first(e, place)], *second = &e->buckets[lookup_second(e, place)];
    unsigned looked = (unsigned)__builtin_popcount(bucket_match(first, lookup_tag(place)));
    return first->away ? looked + (unsigned)__builtin_popcount(bucket_match(second, lookup_tag(place))) : looked;
}

// Of a table that is as full as it gets: few look-ups look at more orders than their own, few at a second bucket.
static void a_look_up_looks_at_its_own_order_whatever_numbers_are_chosen(void **state)
{
    (void)state;
    struct rig_day full = day;
    full.max_orders = 8192;
    static const uint32_t strides[] = {1, 1u << 7, 1u << 16, 1u << 19, 524287, 0};
    for (unsigned s = 0; strides[s]; s++) {
        struct rig rig;
        rig_open(&rig, &full);
        uint32_t count = UINT32_MAX / strides[s] < full.max_orders ? UINT32_MAX / strides[s] : full.max_orders;
        for (uint32_t i = 1; i <= count; i++)
            step(&rig, rig_enter(0, i * strides[s], 'B', 1, 1, 100));
        unsigned more = 0, away = 0;
        for (uint32_t i = 1; i <= count; i++) {
            uint64_t key = order_key(0, 0, i * strides[s]);
            more += slots_looked_at(rig.engine, key) != 1;
            away += rig.engine->buckets[lookup_first(rig.engine, lookup_place(rig.engine, key))].away != 0;
        }
        assert_in_range(more, 0, count / 32); // four to a bucket, one of 256 tags each
        assert_in_range(away, 0, count / 4);
        rig_free(&rig);
    }
}

static unsigned depth(const struct page *pages, uint32_t page)
{
    if (page == 0)
        return 0;
    unsigned left = depth(pages, pages[page].left), right = depth(pages, pages[page].right);
    return 1 + (left > right ? left : right);
}

// Prices that make the tree of pages grow on one side, in the middle, or by turns; half of them go again.
static void a_far_price_is_found_in_few_steps_whatever_prices_are_chosen(void **state)
{
    (void)state;
    const uint32_t pages = 4000; // of 16 prices of a tick of 100
    for (unsigned order = 0; order < 4; order++) {
        struct rig rig;
        rig_open(&rig, &day);
        for (uint32_t i = 0; i < pages; i++) {
            uint32_t at = order == 0   ? i
                          : order == 1 ? pages - 1 - i
                          : order == 2 ? (i % 2 ? pages - 1 - i / 2 : i / 2)
                                       : i * 1597 % pages;
            step(&rig, rig_enter(0, i + 1, 'B', 1, 1, 100 * 16 * (at + 1)));
        }
        assert_in_range(depth(rig.engine->pages, rig.engine->backs[1].roots[BUY]), 12, 2 * 12);
        for (uint32_t i = 0; i < pages; i += 2)
            step(&rig, rig_simple(CMD_CANCEL, 0, i + 1, 0));
        assert_in_range(depth(rig.engine->pages, rig.engine->backs[1].roots[BUY]), 11, 2 * 11);
        assert_null(engine_check(rig.engine));
        rig_free(&rig);
    }
}

static void the_highest_number_of_a_channel_is_its_last(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    expect_outcome(&rig, rig_enter(0, UINT32_MAX, 'B', 1, 1, 100), OUTCOME_ACCEPTED);
    expect_outcome(&rig, rig_enter(0, UINT32_MAX, 'B', 1, 1, 100), OUTCOME_DUPLICATE);
    step(&rig, rig_simple(CMD_QUERY, 0, 0, 0));
    assert_int_equal(rig.events[0].user_ref, 0); // none is left
    rig_free(&rig);
}

static void far_prices_and_near_ones_keep_their_order(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    uint32_t number = 0;
    // Prices that share directory entries: 1,024 ticks apart, and the ends of the range.
    for (uint32_t i = 0; i < 200; i++)
        step(&rig, rig_enter(0, ++number, 'S', 1, 2, 1 + (i * 37 % 200) * 1024 * 9000 % PRICE_MAX));
    step(&rig, rig_enter(0, ++number, 'S', 1, 2, PRICE_MAX));
    assert_null(engine_check(rig.engine));
    struct engine_level levels[300];
    unsigned count = engine_levels(rig.engine, 2, 'S', levels, 300);
    for (unsigned i = 1; i < count; i++)
        assert_true(levels[i].price > levels[i - 1].price);
    assert_int_equal(levels[count - 1].price, PRICE_MAX);
    step(&rig, rig_enter(1, 1, 'B', 300, 2, PRICE_MARKET));
    assert_int_equal(engine_live_orders(rig.engine), 0);
    assert_null(engine_check(rig.engine));
    for (uint32_t i = 0; i < 5; i++)
        step(&rig, rig_enter(0, ++number, 'B', 1, 2, 1600 + i)); // next to each other
    struct engine_level few[4] = {{.price = 0}, {.price = 0}, {.price = 0}, {.price = 77}};
    assert_int_equal(engine_levels(rig.engine, 2, 'B', few, 3), 3); // no more than there is room for
    assert_int_equal(few[2].price, 1602);
    assert_int_equal(few[3].price, 77);
    assert_int_equal(engine_levels(rig.engine, 0, 'B', few, 3), 0);
    assert_int_equal(engine_levels(rig.engine, 3, 'B', few, 3), 0);
    rig_free(&rig);
}

// The same commands in two engines at different addresses, one of them in memory made for more.
static void the_hash_depends_on_the_commands_alone(void **state)
{
    (void)state;
    struct rig a, b;
    struct rig_day wide = day;
    wide.max_orders *= 4;
    wide.max_levels *= 2;
    rig_open(&a, &day);
    rig_new(&b, &wide, 3 * 4096);
    // b is opened with a's day: its memory is larger than the day asks for.
    uint64_t random = 1;
    for (unsigned phase = 0; phase < 2; phase++) {
        struct rig *rig = phase ? &b : &a;
        if (phase)
            rig_opening(&day, step_rig, &b);
        random = 1;
        for (uint32_t i = 1; i <= 20000; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint32_t pick = (uint32_t)(random >> 33);
            if (pick % 3 == 0)
                step(rig, rig_simple(CMD_CANCEL, 0, pick % i, 0));
            else
                step(rig, rig_enter(0, i, pick & 4 ? 'B' : 'S', 1 + pick % 500, 1, 100 * (1000 + (pick >> 5) % 16)));
        }
    }
    assert_true(engine_event_hash(a.engine) == engine_event_hash(b.engine));
    assert_int_equal(engine_live_orders(a.engine), engine_live_orders(b.engine));
    rig_free(&a);
    rig_free(&b);
}

static void opening_commands_out_of_order_change_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_new(&rig, &day, 0);
    static const uint8_t early[] = {CMD_TICK,
                                    CMD_CLOCK,
                                    CMD_OPEN_SYMBOL,
                                    CMD_OPEN_ACCOUNT,
                                    CMD_OPEN_SESSION,
                                    CMD_START,
                                    CMD_END_DAY,
                                    CMD_SESSION_UP,
                                    CMD_SESSION_DOWN,
                                    CMD_ENTER,
                                    CMD_MASS_CANCEL,
                                    0,
                                    99,
                                    240};
    for (unsigned i = 0; i < sizeof early; i++) {
        step(&rig, (struct command){.type = early[i], .session = (uint16_t)(i % 2 ? 0 : SESSION_NONE)});
        assert_int_equal(rig.count, 0);
        assert_int_equal(engine_day_open(rig.engine), 0);
    }
    assert_true(engine_event_hash(rig.engine) == EVENT_HASH_SEED);
    assert_int_equal(engine_sequence(rig.engine), sizeof early);
    rig_opening(&day, step_rig, &rig);
    assert_int_equal(engine_day_open(rig.engine), 20240304);
    uint64_t hash = engine_event_hash(rig.engine);
    struct command again = {.type = CMD_OPEN_DAY, .session = SESSION_NONE};
    again.day.engine_version = CROSSWIRE_ENGINE_VERSION;
    again.day.max_orders = again.day.max_levels = 10;
    step(&rig, again);
    step(&rig, (struct command){.type = CMD_START, .session = SESSION_NONE});
    assert_true(engine_event_hash(rig.engine) == hash);
    rig_free(&rig);
}

static void a_day_that_does_not_fit_is_not_opened(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 7; what++) {
        struct rig rig;
        rig_new(&rig, &day, 0);
        struct command c = {.type = CMD_OPEN_DAY, .session = SESSION_NONE};
        c.day.engine_version = CROSSWIRE_ENGINE_VERSION + (what == 0);
        c.day.max_orders = what == 1 ? day.max_orders + 1 : what == 2 ? 0 : 10;
        c.day.max_levels = what == 3 ? day.max_levels + 1 : 10;
        c.day.max_symbols = what == 4 ? 3 : 2;
        c.day.max_sessions = what == 5 ? 4 : 3;
        c.day.max_accounts = 2;
        c.day.core = what == 6;
        step(&rig, c);
        assert_int_equal(rig.count, 0);
        rig_free(&rig);
    }
}

static void messages_of_a_session_that_is_not_up_have_no_effect(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    step(&rig, (struct command){.type = CMD_SESSION_DOWN, .session = 0});
    assert_false(engine_session_up(rig.engine, 0));
    expect_outcome(&rig, rig_enter(0, 1, 'B', 1, 1, 100), OUTCOME_NO_EFFECT);
    expect_outcome(&rig, rig_enter(SESSION_NONE, 1, 'B', 1, 1, 100), OUTCOME_NO_EFFECT);
    step(&rig, (struct command){.type = CMD_SESSION_UP, .session = 0});
    expect_outcome(&rig, rig_enter(0, 1, 'B', 1, 1, 100), OUTCOME_ACCEPTED);
    rig_free(&rig);
}

// The opening without session 1.
static void step_but_session_1(void *context, struct command *command)
{
    if (command->type != CMD_OPEN_SESSION || command->session != 1)
        rig_step(context, command);
}

static void a_session_that_was_not_opened_does_not_come_up(void **state)
{
    (void)state;
    struct rig rig;
    rig_new(&rig, &day, 0);
    rig_opening(&day, step_but_session_1, &rig);
    assert_true(engine_session_up(rig.engine, 0));
    assert_false(engine_session_up(rig.engine, 1));
    expect_outcome(&rig, rig_enter(1, 1, 'B', 1, 1, 100), OUTCOME_NO_EFFECT);
    static const uint16_t beyond[] = {3, 4, 1000, SESSION_NONE};
    for (unsigned i = 0; i < sizeof beyond / sizeof beyond[0]; i++)
        for (uint8_t type = CMD_SESSION_UP; type <= CMD_SESSION_DOWN; type++) {
            step(&rig, (struct command){.type = type, .session = beyond[i]});
            assert_int_equal(rig.count, 0);
            assert_false(engine_session_up(rig.engine, beyond[i]));
        }
    assert_null(engine_check(rig.engine));
    rig_free(&rig);
}

static void a_mass_cancel_asks_for_the_symbol_that_its_locate_has(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    step(&rig, rig_enter(0, 1, 'B', 1, 2, 100));
    struct command c = rig_simple(CMD_MASS_CANCEL, 0, 2, 0);
    rig_symbol(2, c.symbol);
    static const uint16_t wrong[] = {LOCATE_NONE, 1, 3, 65535};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++, c.user_ref++) {
        c.locate = wrong[i];
        expect_rejected(&rig, c, REJECT_SYMBOL);
    }
    c.locate = 2;
    expect_outcome(&rig, c, OUTCOME_ACCEPTED);
    assert_int_equal(engine_live_orders(rig.engine), 0);
    struct command query = rig_simple(CMD_QUERY, 0, 0, 0);
    query.refuse = REJECT_OTHER; // by the gateway: Q has no reject
    expect_outcome(&rig, query, OUTCOME_NO_EFFECT);
    assert_int_equal(rig.count, 0);
    rig_free(&rig);
}

static void a_disconnect_of_ten_thousand_orders_goes_on_in_bounded_steps(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day); // session 2 cancels on disconnect
    for (uint32_t i = 0; i < 10000; i++)
        step(&rig, rig_enter(2, i + 1, 'B', 7, 1, 100 * (1000 + i % 500)));
    step(&rig, (struct command){.type = CMD_SESSION_DOWN, .session = 2});
    assert_int_equal(rig.count, 10000);
    assert_true(rig.steps >= 10000 / ENGINE_EVENTS_MAX);
    for (size_t i = 0; i < rig.count; i++)
        assert_true(rig.events[i].reason == 'Z' && rig.events[i].user_ref == i + 1);
    assert_int_equal(engine_live_orders(rig.engine), 0);
    rig_free(&rig);
}

static void looking_ahead_changes_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_new(&rig, &day, 0);
    struct command c = rig_enter(7, UINT32_MAX, 'Z', 0, 65535, UINT32_MAX);
    struct engine_ahead aims = {0};
    for (unsigned type = 0; type < 256; type++) {
        c.type = (uint8_t)type;
        c.session = type % 2 ? 0 : 65535;
        const struct command *burst[ENGINE_AHEAD_BEFORE + ENGINE_AHEAD_BEHIND] = {0};
        for (unsigned i = type % 3; i < ENGINE_AHEAD_BEFORE + ENGINE_AHEAD_BEHIND; i += 3)
            burst[i] = &c;
        engine_look_ahead(rig.engine, &aims, 0, burst);
        engine_look_ahead(rig.engine, &aims, -ENGINE_AHEAD_AT_ONCE, burst);
    }
    assert_true(engine_event_hash(rig.engine) == EVENT_HASH_SEED);
    rig_free(&rig);
}

// One command with the aim of step `at`.
static unsigned aimed(struct engine *e, struct command c, const struct engine_ahead *aims, unsigned at)
{
    static struct event events[ENGINE_RUN_EVENTS];
    struct command *const commands[] = {&c};
    unsigned count;
    const uint32_t before = (uint32_t)engine_event_hash(e);
    assert_int_equal(engine_run(e, commands, 1, aims, at, events, &count), 1);
    assert_int_equal(c.prev_hash, before);
    return count;
}

// All stages of all commands of a burst.
static void look_at_all(const struct engine *e, struct engine_ahead *aims, unsigned count, const struct command **burst)
{
    for (unsigned at = -ENGINE_AHEAD_FAR; at != (count + 3) / 4 * 4; at += ENGINE_AHEAD_AT_ONCE)
        engine_look_ahead(e, aims, at, burst);
}

// What has been found of a command by looking ahead before those that come before it, so that its order is not there
// yet; then of another command, at each step.
static void a_right_aim_and_a_wrong_one_give_the_same_events(void **state)
{
    (void)state;
    const struct command cancel = {.type = CMD_CANCEL, .user_ref = 2};
    const struct command commands[] = {rig_enter(0, 1, 'B', 100, 1, 1000000), rig_enter(0, 2, 'B', 100, 1, 1000000),
                                       rig_replace(0, 1, 3, 50, 1000100), cancel, cancel};
    const unsigned answers[] = {1, 1, 1, 1, 0}, count = 5;
    const struct command *burst[ENGINE_AHEAD_BEFORE + 5 + ENGINE_AHEAD_BEHIND] = {0};
    uint64_t hashes[7];
    for (unsigned i = 0; i < count; i++)
        burst[ENGINE_AHEAD_BEFORE + i] = &commands[i];
    for (unsigned shift = 0; shift < 7; shift++) { // 0: its own aim, 5: none, 6: as it was before the day
        struct rig rig;
        struct engine_ahead aims = {0};
        rig_new(&rig, &day, 0);
        if (shift == 6)
            look_at_all(rig.engine, &aims, count, burst);
        rig_free(&rig);
        rig_open(&rig, &day);
        if (shift < count)
            look_at_all(rig.engine, &aims, count, burst);
        for (unsigned i = 0; i < count; i++) {
            unsigned at = shift < count ? (i + shift) % count : i;
            if (shift < count)
                engine_look_ahead(rig.engine, &aims, at / 4 * 4 - ENGINE_AHEAD_NEAR, burst);
            assert_int_equal(aimed(rig.engine, commands[i], &aims, at), answers[i]);
        }
        assert_int_equal(engine_live_orders(rig.engine), 1);
        hashes[shift] = engine_event_hash(rig.engine);
        assert_true(hashes[shift] == hashes[0]);
        rig_free(&rig);
    }
}

static void what_is_unsupported_is_rejected_and_listed(void **state)
{
    (void)state;
    printf("unsupported:");
    for (const struct unsupported *entry = unsupported_table; entry->name; entry++) {
        printf("%s %s -> %02X", entry == unsupported_table ? "" : ",", entry->name, entry->reason);
        assert_string_not_equal(reject_text(entry->reason), "unknown");
        assert_string_not_equal(reject_text(entry->reason), "none");
    }
    printf("\n");
}

// What a symbol keeps ready of the tightest limits is of no use once one is tighter, also where nobody has ordered
// since and its session's lease is back.
static void a_tighter_limit_reaches_a_symbol_without_orders(void **state)
{
    (void)state;
    struct rig_day risky = day;
    risky.max_positions = 1024;
    struct rig rig;
    rig_open(&rig, &risky);
    for (uint16_t locate = 1; locate <= 2; locate++) {
        struct command c = reference_of(locate, 100000);
        c.reference.reg_sho = SHO_NONE;
        c.reference.tier = 1;
        step(&rig, c);
    }
    for (uint32_t i = 1; i <= 4; i++)
        expect_outcome(&rig, rig_enter(0, i, 'B', i, 2, 106000), OUTCOME_ACCEPTED);
    step(&rig, limit_of(SCOPE_SESSION, 0, LIMIT_FAT_FINGER, 50000));
    for (uint32_t i = 5; i <= 1000; i++)
        expect_outcome(&rig, rig_enter(0, i, 'B', 1, 1, 100000), OUTCOME_ACCEPTED);
    expect_rejected(&rig, rig_enter(0, 1001, 'B', 1, 2, 106000), REJECT_RISK_FAT_FINGER);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sweep_over_ten_thousand_makers_goes_on_in_bounded_steps),
        cmocka_unit_test(a_mass_cancel_of_ten_thousand_orders_goes_on_in_bounded_steps),
        cmocka_unit_test(a_walk_past_orders_that_a_filter_spares_pauses_without_events),
        cmocka_unit_test(a_start_with_many_symbols_goes_on_in_bounded_steps),
        cmocka_unit_test(a_full_order_table_rejects_and_takes_orders_again_later),
        cmocka_unit_test(a_full_level_table_rejects_new_prices_only),
        cmocka_unit_test(numbers_that_an_adversary_chooses_find_room),
        cmocka_unit_test(a_look_up_looks_at_its_own_order_whatever_numbers_are_chosen),
        cmocka_unit_test(a_far_price_is_found_in_few_steps_whatever_prices_are_chosen),
        cmocka_unit_test(the_highest_number_of_a_channel_is_its_last),
        cmocka_unit_test(far_prices_and_near_ones_keep_their_order),
        cmocka_unit_test(the_hash_depends_on_the_commands_alone),
        cmocka_unit_test(opening_commands_out_of_order_change_nothing),
        cmocka_unit_test(a_day_that_does_not_fit_is_not_opened),
        cmocka_unit_test(messages_of_a_session_that_is_not_up_have_no_effect),
        cmocka_unit_test(a_session_that_was_not_opened_does_not_come_up),
        cmocka_unit_test(a_mass_cancel_asks_for_the_symbol_that_its_locate_has),
        cmocka_unit_test(a_disconnect_of_ten_thousand_orders_goes_on_in_bounded_steps),
        cmocka_unit_test(looking_ahead_changes_nothing),
        cmocka_unit_test(a_right_aim_and_a_wrong_one_give_the_same_events),
        cmocka_unit_test(a_tighter_limit_reaches_a_symbol_without_orders),
        cmocka_unit_test(what_is_unsupported_is_rejected_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
