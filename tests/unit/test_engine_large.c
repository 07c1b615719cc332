// SPDX-License-Identifier: Apache-2.0
// What it takes thousands of trades, symbols or numbers to show: a trade table for the day, sums at the end of their
// width, many symbols on a core, and numbers chosen by somebody who knows the day's secret.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "contract/reject.h"
#include "engine/capacity.h"
#include "engine/lookup.h"
#include "tests/support/both_venues.h"

#define PRICE 1000000u

static const struct rig_day day = {.max_orders = 4096,
                                   .max_levels = 4096,
                                   .symbols = 1,
                                   .sessions = 3,
                                   .ticks = {100, 100, 100, 100},
                                   .lookup_key = 9};

static struct rig rig;

static void step(struct command c)
{
    rig_step(&rig, &c);
}

static struct command amend(uint8_t type, uint64_t match, uint32_t quantity)
{
    struct command c = {.type = type, .session = SESSION_NONE};
    c.trade.match = (UINT64_C(1) << 40) + match;
    c.trade.reason = type == CMD_BREAK ? 'E' : 0;
    c.trade.price = type == CMD_BREAK ? 0 : PRICE + 50;
    c.trade.quantity = type == CMD_BREAK ? 0 : quantity;
    return c;
}

// Both parties of the n-th trade are told of its end, by the numbers of orders that left the book long ago.
static void assert_broken(uint32_t n)
{
    assert_in_range(rig.count, 2, 3);
    for (unsigned party = 0; party < 2; party++) {
        const struct event *e = &rig.events[party];
        assert_int_equal(e->type, EV_BROKEN);
        assert_true(e->match == (UINT64_C(1) << 40) + n);
        assert_int_equal(e->session, party == 0); // the taker is session 1
        assert_int_equal(e->user_ref, n);
        assert_int_equal(e->quantity, 1 + n % 7);
        assert_int_equal(e->price, PRICE - 100 * (n % 5));
    }
}

static void trades_of_a_whole_day_are_broken_and_adjusted_when_their_orders_are_long_gone(void **state)
{
    (void)state;
    const uint32_t trades = 200000;
    struct rig_day long_day = day;
    long_day.max_trades = trades + 1;
    rig_open(&rig, &long_day);
    for (uint32_t i = 1; i <= trades; i++) {
        step(rig_enter(0, i, 'B', 1 + i % 7, 1, PRICE - 100 * (i % 5)));
        step(rig_enter(1, i, 'S', 1 + i % 7, 1, PRICE - 100 * (i % 5)));
        assert_int_equal(rig.events[1].type, EV_TRADE);
    }
    assert_int_equal(engine_live_orders(rig.engine), 0);
    static const uint32_t which[] = {1, 2, 99999, 100000, 200000};
    for (unsigned i = 0; i < sizeof which / sizeof which[0]; i++) {
        step(amend(i % 2 ? CMD_ADJUST : CMD_BREAK, which[i], 3));
        assert_broken(which[i]);
        step(amend(CMD_BREAK, which[i], 0)); // it is broken
        assert_int_equal(rig.count, 0);
    }
    step(amend(CMD_BREAK, trades + 1, 0)); // the first adjustment's own trade, the last for which there is room
    assert_int_equal(rig.count, 2);
    step(amend(CMD_BREAK, trades + 2, 0)); // the second one's is beyond the table
    assert_int_equal(rig.count, 0);
    assert_null(engine_check(rig.engine));
    rig_free(&rig);
}

// The table, like all the rest, is a part of the memory that the configuration asks for.
static void memory_grows_with_what_the_configuration_says_and_with_nothing_else(void **state)
{
    (void)state;
    const struct engine_capacity small = {.max_orders = 1000,
                                          .max_levels = 1000,
                                          .max_trades = 1000,
                                          .max_special = 1000,
                                          .max_conditional = 10,
                                          .max_positions = 100,
                                          .max_symbols = 10,
                                          .max_accounts = 10,
                                          .max_sessions = 10};
    size_t size = engine_footprint(&small);
#define PAGES 8192 // parts begin at pages of their own
#define GROWS(field, by, least, most)                                                             \
    do {                                                                                          \
        struct engine_capacity large = small;                                                     \
        large.field += (by);                                                                      \
        size_t more = engine_footprint(&large) - size;                                            \
        assert_in_range(more + PAGES, (by) * (size_t)(least), (by) * (size_t)(most) + 2 * PAGES); \
    } while (0)
    GROWS(max_trades, 1000000, sizeof(struct trade), sizeof(struct trade));
    GROWS(max_orders, 1000000, sizeof(struct order), 3 * sizeof(struct order));
    GROWS(max_special, 1000000, sizeof(struct special), sizeof(struct special) + sizeof(uint32_t));
    GROWS(max_levels, 100000, PAGE_LEVELS * sizeof(struct level), PAGE_LEVELS * sizeof(struct level) + 64);
    GROWS(max_symbols, 10000, sizeof(struct book), 32768);
    assert_int_equal(engine_footprint(&small), size);
}

// What executed today and what works is at most 4 * 10^9 shares of a firm; an adjustment may not bring it above.
static void an_adjustment_that_a_firms_sum_has_no_room_for_changes_nothing(void **state)
{
    (void)state;
    struct rig_day with_risk = day;
    with_risk.max_positions = 4; // sessions 0 and 2 are of one account
    const uint32_t trades = 2001;
    struct command *commands = malloc((2 * trades + 4) * sizeof *commands);
    size_t count = 0;
    for (uint32_t i = 1; i <= trades; i++) { // 3,998,001,004 shares in all, both sides counted
        uint32_t quantity = i == 1 ? 1 : i == trades ? 2500 : QUANTITY_MAX;
        commands[count++] = rig_enter(0, i, 'B', quantity, 1, 100);
        commands[count++] = rig_enter(2, i, 'S', quantity, 1, 100);
    }
    commands[count++] = amend(CMD_ADJUST, 1, QUANTITY_MAX);
    commands[count++] = amend(CMD_ADJUST, 1, 999500);
    struct both_seen seen = {0};
    assert_true(both_play(0, &with_risk, commands, count, 1000, &seen));
    assert_int_equal(seen.events[EV_TRADE], trades);
    assert_int_equal(seen.events[EV_BROKEN], 0);
    commands[count++] = amend(CMD_ADJUST, 1, 999499); // just as much as there is room for
    commands[count++] = amend(CMD_ADJUST, 2, 500000);
    assert_true(both_play(0, &with_risk, commands, count, 1000, &seen));
    assert_int_equal(seen.events[EV_BROKEN], 2 * 2);
    free(commands);
}

// With limits a sweep takes more steps than one like any other.
static void a_sweep_is_cut_into_the_same_steps_with_limits(void **state)
{
    (void)state;
    unsigned steps[2];
    for (unsigned risk = 0; risk < 2; risk++) {
        struct rig_day a_day = day;
        a_day.max_positions = risk ? 4 : 0;
        static struct command commands[302];
        size_t count = 0;
        for (uint32_t i = 1; i <= 300; i++)
            commands[count++] = rig_enter(0, i, 'S', 5, 1, PRICE + 100 * (i / 40));
        commands[count++] = rig_enter(1, 1, 'B', 5 * 130 + 3, 1, PRICE + 1000);
        commands[count++] = rig_enter(1, 2, 'B', 5 * 200, 1, PRICE + 1000);
        struct both_seen seen = {0};
        assert_true(both_play(0, &a_day, commands, count, 1, &seen));
        assert_int_equal(seen.events[EV_TRADE], 131 + 170);
        steps[risk] = seen.steps;
    }
    assert_int_equal(steps[0], steps[1]);
    assert_true(steps[0] >= 170 / ENGINE_EVENTS_MAX);
}

// Plain orders in all symbols, pegs, stops and discretion in some: what one symbol does is none of another's business.
static void five_thousand_symbols_on_a_core_are_as_good_as_one(void **state)
{
    (void)state;
    const uint16_t symbols = 5000;
    struct rig_day wide = day;
    wide.symbols = symbols;
    wide.max_orders = 6 * symbols;
    wide.max_levels = 6 * symbols;
    struct command *commands = malloc(7u * symbols * sizeof *commands), c;
    size_t count = 0;
    uint32_t number[3] = {0};
    for (unsigned round = 0; round < 3; round++)
        for (uint32_t i = 0; i < symbols; i++) {
            uint16_t locate = (uint16_t)(1 + i * 1597 % symbols);
            commands[count++] = rig_enter(0, ++number[0], round ? 'B' : 'S', 10, locate, PRICE + 100 * (locate % 9));
            if (locate % 50 >= 3)
                continue;
            c = rig_enter(2, ++number[2], 'S', 10, locate, PRICE + 100 * (locate % 9));
            c.options |= locate % 50 == 0   ? OPTION(TAG_PRICE_TYPE)
                         : locate % 50 == 1 ? OPTION(TAG_STOP_PRICE)
                                            : OPTION(TAG_DISCRETION_PRICE);
            c.price_type = locate % 50 == 0 ? 'R' : 0;
            c.trigger = locate % 50 == 1 ? PRICE + 100 * (locate % 9) : 0;
            c.discretion_price = locate % 50 == 2 ? PRICE : 0;
            c.price = locate % 50 == 2 ? PRICE + 2000 : c.price;
            commands[count++] = c;
        }
    struct both_seen seen = {0};
    assert_true(both_play(0, &wide, commands, count, 8000, &seen));
    assert_true(seen.events[EV_TRADE] >= symbols);
    printf("%u symbols, %zu commands, %u trades\n", symbols, count, seen.events[EV_TRADE]);
    free(commands);
}

// The worst that numbers can do, with the key known: all in the same two buckets. They fill both and are then refused;
// nobody else notices.
static void whoever_knows_the_secret_fills_two_buckets_and_no_more(void **state)
{
    (void)state;
    struct rig_day small = day;
    small.max_orders = 1024;
    rig_open(&rig, &small);
    const struct engine *e = rig.engine;
    struct lookup_place place = lookup_place(e, order_key(0, 0, 1));
    uint32_t pair[2] = {lookup_first(e, place), lookup_second(e, place)};
    uint32_t chosen[64], count = 0, taken = 0, other = 0;
    for (uint32_t number = 1; count < 64; number++) {
        place = lookup_place(e, order_key(0, 0, number));
        uint32_t first = lookup_first(e, place), second = lookup_second(e, place);
        if ((first == pair[0] && second == pair[1]) || (first == pair[1] && second == pair[0]))
            chosen[count++] = number;
    }
    for (uint32_t i = 0; i < count; i++) {
        step(rig_enter(0, chosen[i], 'B', 1, 1, PRICE));
        bool full = engine_outcome(e) == OUTCOME_REJECTED;
        assert_true(!full || rig.events[0].reason == REJECT_PROCESSING);
        assert_int_equal(full, i >= 2 * BUCKET_WAYS);
        taken += !full;
        step(rig_enter(1, i + 1, 'B', 1, 1, PRICE)); // numbers that nobody chose
        other += engine_outcome(e) == OUTCOME_ACCEPTED;
    }
    assert_int_equal(taken, 2 * BUCKET_WAYS);
    assert_in_range(other, count - 1, count);
    assert_null(engine_check(e));
    step(rig_simple(CMD_CANCEL, 0, chosen[3], 0));
    assert_int_equal(engine_outcome(e), OUTCOME_ACCEPTED);
    step(rig_replace(0, chosen[7], chosen[count - 1] + 1, 1, PRICE + 100));
    assert_int_equal(engine_outcome(e), OUTCOME_ACCEPTED);
    for (uint32_t i = 0; i < taken; i++) {
        step(rig_simple(CMD_CANCEL, 0, chosen[i], 0));
        assert_int_equal(engine_outcome(e), i == 3 || i == 7 ? OUTCOME_NO_EFFECT : OUTCOME_ACCEPTED);
    }
    assert_null(engine_check(e));
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades_of_a_whole_day_are_broken_and_adjusted_when_their_orders_are_long_gone),
        cmocka_unit_test(memory_grows_with_what_the_configuration_says_and_with_nothing_else),
        cmocka_unit_test(an_adjustment_that_a_firms_sum_has_no_room_for_changes_nothing),
        cmocka_unit_test(a_sweep_is_cut_into_the_same_steps_with_limits),
        cmocka_unit_test(five_thousand_symbols_on_a_core_are_as_good_as_one),
        cmocka_unit_test(whoever_knows_the_secret_fills_two_buckets_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
