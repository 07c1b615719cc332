// SPDX-License-Identifier: Apache-2.0
// Pegs, stops, expiries and the trade table where they are many: bounds of a step, and the same result however many
// steps it takes. What each rule says is in tests/unit/scenarios.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/engine_rig.h"

#define STOPS 300u
#define SECOND UINT64_C(1000000000)

static const struct rig_day day = {.max_orders = 2000,
                                   .max_levels = 2000,
                                   .symbols = 2,
                                   .sessions = 3,
                                   .ticks = {100, 1, 1, 1},
                                   .lookup_key = 3,
                                   .max_trades = 8,
                                   .max_conditional = 400};

static void step(struct rig *rig, struct command c)
{
    rig_step(rig, &c);
    const char *broken = engine_check(rig->engine);
    if (broken)
        fail_msg("%s", broken);
}

static unsigned count(const struct rig *rig, uint8_t type)
{
    unsigned found = 0;
    for (size_t i = 0; i < rig->count; i++)
        found += rig->events[i].type == type;
    return found;
}

static struct command stop(uint32_t user_ref, char side, uint32_t price, uint32_t trigger, char type)
{
    struct command c = rig_enter(1, user_ref, side, 10, 1, price);
    c.options |= OPTION(type == 'S' ? TAG_STOP_PRICE : TAG_TRAIL_AMOUNT);
    c.trigger = trigger;
    return c;
}

// Each sell stop sells to the bid that triggers the next one below.
static void a_cascade_of_stops_is_released_one_by_one_over_many_steps(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    uint32_t top = 1000000;
    for (uint32_t i = 0; i <= STOPS; i++)
        step(&rig, rig_enter(0, i + 1, 'B', 10, 1, top - i * 100));
    for (uint32_t i = 0; i < STOPS; i++)
        step(&rig, stop(i + 1, 'S', PRICE_MARKET, top - i * 100, 'S'));
    assert_int_equal(engine_live_orders(rig.engine), 2 * STOPS + 1);
    step(&rig, rig_enter(2, 1, 'S', 10, 1, top));
    assert_int_equal(count(&rig, EV_PRIORITY), STOPS);
    assert_int_equal(count(&rig, EV_TRADE), STOPS + 1);
    assert_true(rig.steps >= (2 * STOPS + 2) / ENGINE_EVENTS_MAX);
    uint32_t released = 0;
    for (size_t i = 0; i < rig.count; i++)
        if (rig.events[i].type == EV_PRIORITY)
            assert_int_equal(rig.events[i].user_ref, ++released);
    assert_int_equal(engine_live_orders(rig.engine), 0);
    rig_free(&rig);
}

// The sweep's own events are as many as a step holds; the stop's come with the next.
static void a_stop_is_released_behind_a_step_that_is_full_and_done(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    const uint32_t makers = ENGINE_EVENTS_MAX - 1;
    for (uint32_t i = 0; i < makers; i++)
        step(&rig, rig_enter(0, i + 1, 'B', 10, 1, 1000000));
    step(&rig, stop(1, 'S', PRICE_MARKET, 1000000, 'S'));
    step(&rig, rig_enter(2, 1, 'S', 10 * makers, 1, 1000000));
    assert_int_equal(rig.steps, 2);
    assert_int_equal(count(&rig, EV_TRADE), makers);
    assert_int_equal(rig.count, ENGINE_EVENTS_MAX + 2);
    assert_int_equal(rig.events[ENGINE_EVENTS_MAX].type, EV_PRIORITY);
    assert_int_equal(rig.events[ENGINE_EVENTS_MAX + 1].type, EV_CANCELED);
    rig_free(&rig);
}

// The last entered is the nearest: all are triggered by one trade, and released in the order of entry.
static void stops_of_one_trade_are_released_in_the_order_of_entry_on_both_sides(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    step(&rig, rig_enter(0, 1, 'B', 1000, 1, 1000000));
    step(&rig, rig_enter(0, 2, 'S', 10, 1, 1010000));
    for (uint32_t i = 1; i <= 20; i++) {
        // Sells at the bid or above are triggered, and so are buys at it or below.
        step(&rig,
             i % 2 ? stop(i, 'S', 1000000, 1000000 + i * 100, 'S') : stop(i, 'B', 900000, 1000000 - i * 100, 'S'));
    }
    assert_int_equal(engine_live_orders(rig.engine), 22);
    step(&rig, rig_enter(2, 1, 'S', 10, 1, 1000000));
    uint32_t released = 0;
    for (size_t i = 0; i < rig.count; i++)
        if (rig.events[i].type == EV_PRIORITY)
            assert_int_equal(rig.events[i].user_ref, ++released);
    assert_int_equal(released, 20);
    rig_free(&rig);
}

// A reference by brute force: the stop price of each trailing stop is moved by every trade.
static void trailing_stops_follow_every_trade_of_a_sweep(void **state)
{
    (void)state;
    uint32_t random = 12345;
    for (unsigned round = 0; round < 200; round++) {
        struct rig rig;
        rig_open(&rig, &day);
        uint32_t amount[8], best[8], last = 0, user_ref = 0, live = 0;
        bool waits[8] = {0};
        for (unsigned turn = 0; turn < 40; turn++) {
            random = random * 1664525 + 1013904223;
            unsigned i = random >> 28 & 7;
            if (random >> 24 & 1 && !waits[i]) {
                amount[i] = (1 + (random >> 16 & 15)) * 100;
                best[i] = last;
                waits[i] = true;
                live++;
                // At a price that never trades: what is released comes to rest far away.
                bool buy = i & 1;
                step(&rig, stop(turn * 8 + i + 1, buy ? 'B' : 'S', buy ? 100 : 1900000000, amount[i], 'T'));
                continue;
            }
            // One price, or a sweep of three.
            uint32_t price = 1000000 + (random >> 8 & 31) * 100, prices = random >> 20 & 1 ? 3 : 1;
            bool up = random >> 21 & 1;
            for (uint32_t k = 0; k < prices; k++)
                step(&rig, rig_enter(0, ++user_ref, up ? 'S' : 'B', 10, 1, up ? price + k * 100 : price - k * 100));
            step(&rig, rig_enter(2, turn + 1, up ? 'B' : 'S', 10 * prices, 1, up ? price + 200 : price - 200));
            uint32_t expected = 0;
            bool goes[8] = {0};
            for (uint32_t k = 0; k < prices; k++) {
                last = up ? price + k * 100 : price - k * 100;
                for (unsigned j = 0; j < 8; j++) {
                    if (!waits[j])
                        continue;
                    bool buy = j & 1;
                    if (best[j] == 0 || (buy ? last < best[j] : last > best[j]))
                        best[j] = last;
                    if (buy ? last >= best[j] + amount[j] : last + amount[j] <= best[j])
                        goes[j] = true;
                }
            }
            for (unsigned j = 0; j < 8; j++) {
                expected += goes[j];
                waits[j] = waits[j] && !goes[j];
            }
            assert_int_equal(count(&rig, EV_PRIORITY), expected);
        }
        assert_int_equal(engine_live_orders(rig.engine), live);
        rig_free(&rig);
    }
}

static void pegs_move_with_the_best_price_however_many_there_are(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    step(&rig, rig_enter(0, 1, 'B', 10, 1, 1000000));
    step(&rig, rig_enter(0, 2, 'S', 10, 1, 1020000));
    for (uint32_t i = 1; i <= 300; i++) {
        struct command c = rig_enter(1, i, i % 2 ? 'B' : 'S', 10, 1, PRICE_MARKET);
        c.options |= OPTION(TAG_PRICE_TYPE) | OPTION(TAG_PEG_OFFSET);
        c.price_type = 'R';
        step(&rig, c);
    }
    step(&rig, rig_enter(0, 3, 'B', 10, 1, 1010000));
    assert_int_equal(rig.count, 1); // moves make no messages, and the check has seen where they stand
    step(&rig, rig_simple(CMD_CANCEL, 0, 3, 0));
    step(&rig, rig_simple(CMD_CANCEL, 0, 1, 0)); // no reference: buys wait outside
    struct engine_level level;
    assert_int_equal(engine_levels(rig.engine, 1, 'B', &level, 1), 0);
    // The offer comes down on them when they come back.
    step(&rig, rig_enter(0, 4, 'B', 10, 1, 1000000));
    step(&rig, rig_enter(2, 1, 'S', 1510, 1, 1000000));
    assert_int_equal(count(&rig, EV_TRADE), 151);
    assert_true(rig.steps > 1);
    rig_free(&rig);
}

static void orders_expire_by_time_then_entry_at_the_first_tick_that_is_not_earlier(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    uint32_t random = 7, gone = 0;
    for (uint32_t i = 1; i <= 200; i++) {
        random = random * 1664525 + 1013904223;
        struct command c = rig_enter(1, i, 'B', 10, 1, 1000000 + i * 100);
        c.tif = '6';
        c.options |= OPTION(TAG_EXPIRE_TIME);
        c.expire_s = 10 + (random >> 20) % 50;
        step(&rig, c);
        if (i % 7 == 0) {
            step(&rig, rig_simple(CMD_CANCEL, 1, i - 3, 0));
            gone++;
        }
    }
    uint64_t start = rig.time_ns;
    uint32_t expired = 0;
    for (uint64_t second = 5; second <= 65; second += 10) {
        struct command tick = {.type = CMD_TICK, .session = SESSION_NONE, .time_ns = start + second * SECOND};
        step(&rig, tick);
        for (size_t i = 0; i < rig.count; i++) {
            assert_int_equal(rig.events[i].type, EV_CANCELED);
            assert_int_equal(rig.events[i].reason, 'T');
        }
        expired += (uint32_t)rig.count;
        assert_true(second > 5 || rig.count == 0);
        assert_int_equal(engine_live_orders(rig.engine), 200 - gone - expired);
    }
    assert_int_equal(engine_live_orders(rig.engine), 0);
    rig_free(&rig);
}

static struct command broken_trade(uint64_t match)
{
    struct command c = {.type = CMD_BREAK, .session = SESSION_NONE};
    c.trade.match = UINT64_C(1) << 40 | match;
    c.trade.reason = 'E';
    return c;
}

static void trades_beyond_the_table_cannot_be_broken(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 1; i <= 10; i++) {
        step(&rig, rig_enter(0, i, 'B', 10, 1, 1000000));
        step(&rig, rig_enter(1, i, 'S', 10, 1, 1000000));
    }
    step(&rig, broken_trade(0));
    assert_int_equal(rig.count, 0);
    step(&rig, broken_trade(8));
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.events[0].session, 1); // the taker's, which is the feed's
    assert_int_equal(rig.events[0].flags, EV_MD_OTHER);
    assert_int_equal(rig.events[1].session, 0);
    step(&rig, broken_trade(8));
    assert_int_equal(rig.count, 0);
    step(&rig, broken_trade(9));
    assert_int_equal(rig.count, 0);
    step(&rig, broken_trade(11));
    assert_int_equal(rig.count, 0);
    struct command adjust = broken_trade(7);
    adjust.type = CMD_ADJUST;
    adjust.trade.price = 999950;
    adjust.trade.quantity = 5;
    step(&rig, adjust); // its new trade is beyond the table, and may not be broken again
    assert_int_equal(rig.count, 3);
    assert_int_equal(rig.events[2].match, (UINT64_C(1) << 40) + 11);
    step(&rig, broken_trade(11));
    assert_int_equal(rig.count, 0);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cascade_of_stops_is_released_one_by_one_over_many_steps),
        cmocka_unit_test(a_stop_is_released_behind_a_step_that_is_full_and_done),
        cmocka_unit_test(stops_of_one_trade_are_released_in_the_order_of_entry_on_both_sides),
        cmocka_unit_test(trailing_stops_follow_every_trade_of_a_sweep),
        cmocka_unit_test(pegs_move_with_the_best_price_however_many_there_are),
        cmocka_unit_test(orders_expire_by_time_then_entry_at_the_first_tick_that_is_not_earlier),
        cmocka_unit_test(trades_beyond_the_table_cannot_be_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
