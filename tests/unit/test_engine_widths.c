// SPDX-License-Identifier: Apache-2.0
// The largest values that commands may carry, through the engine and through the naive venue, which adds up in 128
// bits: as many shares as a firm may have today, each at the highest price, on positions of the largest cost, and
// limits of the largest value (risk.md section 8).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/risk_state.h"
#include "tests/support/both_venues.h"
#include "tests/support/scenario.h"

#define MOST 12000

static const struct rig_day day = {.max_orders = 64,
                                   .max_levels = 64,
                                   .symbols = 2,
                                   .sessions = 4,
                                   .accounts = 4,
                                   .ticks = {100, 1, 1, 1},
                                   .lookup_key = 3,
                                   .max_trades = 8192,
                                   .max_positions = 16};

static struct command commands[MOST];
static size_t count;
static uint32_t numbers[4]; // of orders, by session

static void __attribute__((format(printf, 1, 2))) add(const char *format, ...)
{
    char line[200];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    assert_true(count < MOST && scenario_parse(&commands[count], line));
    count++;
}

static void order(unsigned session, char side, unsigned quantity, const char *price)
{
    add("O s%u %u %c %u S1 %s day", session, ++numbers[session], side, quantity, price);
}

// Account 1 sells to account 0, or buys from it.
static void trade(char side, unsigned quantity, const char *price)
{
    order(1, side == 'B' ? 'S' : 'B', quantity, price);
    order(0, side, quantity, price);
}

static struct both_seen play(void)
{
    struct both_seen seen = {0};
    if (!both_play(1, &day, commands, count, 1000, &seen))
        fail_msg("the engine's sums are not those of the naive venue: see above");
    return seen;
}

static void begin(int sign)
{
    count = 0;
    memset(numbers, 0, sizeof numbers);
    add("POSITION a0 S1 %s1000000000000 %s900000000000000000", sign < 0 ? "-" : "", sign < 0 ? "-" : "");
    add("POSITION a0 S2 %s1 %s100000000000000000", sign < 0 ? "-" : "", sign < 0 ? "-" : "");
    add("POSITION a1 S1 %s1000000000000 %s1000000000000000000", sign < 0 ? "" : "-", sign < 0 ? "" : "-");
}

static void set_most(void)
{
    static const char *const money[] = {"gross_notional", "net_notional", "day_value", "loss", "capital"};
    for (unsigned i = 0; i < sizeof money / sizeof money[0]; i++)
        for (unsigned account = 0; account < 2; account++) {
            add("LIMIT a%u %s 1000000000000000000", account, money[i]);
            add("LIMIT f%u %s 1000000000000000000", account, money[i]);
        }
    add("LIMIT a0 drawdown_percent 1000000");
    add("LIMIT a0 position_share_percent 1000000");
    add("LIMIT a0 long_position 1000000000000");
    add("LIMIT a0 short_position 1000000000000");
    add("LIMIT a0 day_quantity 1000000000000");
}

// All that a firm may trade, at the highest price, and one share more; then marks that could not be farther away.
static void play_most(char side, int sign)
{
    begin(sign);
    for (unsigned i = 0; i < 4000; i++)
        trade(side, 999999, "199999.9900");
    trade(side, 4000, "199999.9900");
    assert_int_equal(UINT64_C(4000) * 999999 + 4000, RISK_QUANTITY_MAX);
    order(0, side, 1, "0.0100");
    order(1, side, 1, "0.0100");
    add("ADJUST @1 0.01 999999");
    add("ADJUST @2 199999.99 1");
    add("BREAK @3 E");
    trade(side, 999998, "199999.9900");
    order(2, 'S', 1, "0.0100");
    order(3, 'B', 1, "0.0100");
    add("TICK 40000");
    set_most();
    add("TICK 40001");
    add("RESET account 0");
    add("RESET firm 0");
    order(0, side, 1, "0.0100");
    order(2, 'S', 1, "199999.9900");
    order(3, 'B', 1, "199999.9900");
    add("TICK 40002");
    struct both_seen seen = play();
    assert_in_range(seen.rejects[0x1E], 2, 4);
    assert_true(seen.events[EV_TRADE] >= 4003);
}

static void all_shares_bought_at_the_highest_price_on_the_largest_position(void **state)
{
    (void)state;
    play_most('B', 1);
}

static void all_shares_sold_at_the_highest_price_on_the_largest_short_position(void **state)
{
    (void)state;
    play_most('S', -1);
}

static void the_largest_positions_are_turned_round(void **state)
{
    (void)state;
    play_most('S', 1);
    play_most('B', -1);
}

// One order of the largest notional against limits that it meets exactly, and by one less not.
static void the_largest_order_is_weighed_to_the_last_digit(void **state)
{
    (void)state;
    count = 0;
    memset(numbers, 0, sizeof numbers);
    const uint64_t notional = UINT64_C(999999) * PRICE_MAX;
    static const char *const keys[] = {"max_notional", "day_value", "gross_notional", "net_notional"};
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        add("LIMIT a0 %s %llu", keys[i], (unsigned long long)notional - 1);
        order(0, 'B', 999999, "199999.9900");
        add("LIMIT a0 %s %llu", keys[i], (unsigned long long)notional);
        order(0, 'B', 999999, "199999.9900");
        add("X s0 %u 0", numbers[0]);
        add("LIMIT a0 %s none", keys[i]);
    }
    struct both_seen seen = play();
    assert_int_equal(seen.rejects[0x30] + seen.rejects[0x1F] + seen.rejects[0x20], 4);
}

// Both parties are accounts of firm ALFA: an adjustment by so many shares adds twice as many to what it has today.
static void an_adjustment_counts_twice_where_both_parties_are_of_one_firm(void **state)
{
    (void)state;
    count = 0;
    memset(numbers, 0, sizeof numbers);
    order(3, 'S', 1, "0.0100");
    order(0, 'B', 1, "0.0100");
    for (unsigned i = 0; i < 2000; i++) {
        order(3, 'S', 999999, "0.0100");
        order(0, 'B', 999999, "0.0100");
    }
    const unsigned fits = 1 + (unsigned)(RISK_QUANTITY_MAX - 2 * (UINT64_C(2000) * 999999 + 1)) / 2;
    add("ADJUST @1 0.01 %u", fits + 2);
    add("ADJUST @1 0.01 %u", fits + 1);
    add("ADJUST @1 0.01 %u", fits);
    struct both_seen seen = play();
    assert_int_equal(seen.events[EV_TRADE], 2001 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_shares_bought_at_the_highest_price_on_the_largest_position),
        cmocka_unit_test(all_shares_sold_at_the_highest_price_on_the_largest_short_position),
        cmocka_unit_test(the_largest_positions_are_turned_round),
        cmocka_unit_test(the_largest_order_is_weighed_to_the_last_digit),
        cmocka_unit_test(an_adjustment_counts_twice_where_both_parties_are_of_one_firm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
