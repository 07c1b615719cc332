// SPDX-License-Identifier: Apache-2.0
// Random days with random limits, kills, modes and starting positions through the engine and through the naive venue,
// which has read the pages of risk by itself (both_venues.h): alerts and rejects must agree like everything else.
//   XW_SEED=n that day alone    XW_DAYS=n how many days of each kind    XW_COMMANDS=n commands of each day
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/both_venues.h"
#include "tests/support/market_flow.h"
#include "tests/support/properties.h"
#include "tests/support/risk_flow.h"

#define DAY_COMMANDS 1500
#define DAYS 100 // of each kind

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static struct both_seen seen;

static void play(uint64_t seed, unsigned flow, unsigned risk, bool market)
{
    size_t count = setting("XW_COMMANDS", DAY_COMMANDS);
    struct rig_day day = flow_day(seed, flow);
    struct command *commands = malloc(count * sizeof *commands);
    if (risk)
        risk_flow_day(seed, &day);
    flow_draw(seed, flow, &day, commands, count);
    if (market)
        market_flow(seed, &day, commands, count);
    if (risk)
        risk_flow(seed, risk, &day, commands, count);
    for (size_t i = 0; i < count && seen.properties & PROPERTY_MONEY; i++) // without a price nothing bounds an order
        if ((commands[i].type == CMD_ENTER || commands[i].type == CMD_REPLACE) && commands[i].price > PRICE_MAX)
            commands[i].price = 0;
    bool same = both_play(seed, &day, commands, count, 100, &seen);
    free(commands);
    if (!same)
        fail_msg("the day of seed %llu differs: see above", (unsigned long long)seed);
}

static void play_days(unsigned flow, unsigned risk, bool market, uint64_t usual)
{
    const char *names = getenv("XW_KINDS");
    uint64_t seed = setting("XW_SEED", 1);
    uint64_t days = getenv("XW_SEED") ? setting("XW_DAYS", 1) : setting("XW_DAYS", usual);
    for (uint64_t i = 0; i < days; i++)
        play(seed + i, names ? flow_kinds(names) : flow, risk, market);
}

static void limits_of_orders_and_sums_give_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL, RISK_SUMS, false, DAYS);
}

static void limits_in_time_give_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL, RISK_RATES, false, DAYS);
}

static void losses_levels_and_modes_give_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL | FLOW_KILL, RISK_LOSSES, false, DAYS);
}

static void halts_bands_and_short_sales_give_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL | FLOW_KILL, 0, true, DAYS);
}

static void all_at_once_gives_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL | FLOW_KILL, RISK_ALL, true, DAYS);
}

// Orders whose price bounds what they can cost.
#define FLOW_PRICED (FLOW_HIDDEN | FLOW_ATTRIBUTED | FLOW_RESERVE | FLOW_MINIMUM | FLOW_POST_ONLY | FLOW_AIQ | FLOW_ISO)

static void no_accounts_worst_case_exceeds_its_limit_in_shares(void **state)
{
    (void)state;
    seen.properties = PROPERTY_SHARES;
    play_days((FLOW_ALL | FLOW_KILL) & ~(unsigned)FLOW_BREAK, RISK_SUMS, true, DAYS / 3);
    seen.properties = 0;
}

static void no_accounts_worst_case_exceeds_its_limit_in_money(void **state)
{
    (void)state;
    seen.properties = PROPERTY_SHARES | PROPERTY_MONEY;
    play_days(FLOW_PRICED | FLOW_KILL, RISK_SUMS, false, DAYS / 3);
    seen.properties = 0;
}

// What the days must have been about: a check that never bites is not tested.

static const struct {
    enum limit limit;
    uint8_t codes[14];
} checks[] = {{LIMIT_MAX_QUANTITY, {0x31}},
              {LIMIT_MAX_NOTIONAL, {0x30}},
              {LIMIT_FAT_FINGER, {0x26}},
              {LIMIT_FAT_FINGER_TICKS, {0x26}},
              {LIMIT_COLLAR, {0x21}},
              {LIMIT_GROSS_NOTIONAL, {0x20}},
              {LIMIT_NET_NOTIONAL, {0x20}},
              {LIMIT_LONG_POSITION, {0x1E}},
              {LIMIT_SHORT_POSITION, {0x1E}},
              {LIMIT_DAY_QUANTITY, {0x1E}},
              {LIMIT_DAY_VALUE, {0x1F}},
              {LIMIT_WORKING_ORDERS, {0x0F}},
              {LIMIT_ORDER_RATE, {0x29}},
              {LIMIT_SYMBOL_RATE, {0x28}},
              {LIMIT_MESSAGE_RATE, {0x29}},
              {LIMIT_SLOW_RATE, {0x29}},
              {LIMIT_DUPLICATES, {0x2A}},
              {LIMIT_ADV, {0x25}},
              {LIMIT_REPEATED_EXECUTIONS, {0x0F}},
              {LIMIT_POSITION_SHARE, {0x20}},
              {LIMIT_CORRELATION, {0x20}},
              {LIMIT_FORBIDDEN, {0x22, 0x2C, 0x08, 0x2D, 0x2E, 0x24, 0x23, 0x2F, 0x27, 0x0F}}};

static const struct {
    char kind;
    enum limit limit;
} alerts[] = {{'a', LIMIT_MAX_QUANTITY},
              {'a', LIMIT_MAX_NOTIONAL},
              {'a', LIMIT_FAT_FINGER},
              {'a', LIMIT_FAT_FINGER_TICKS},
              {'a', LIMIT_COLLAR},
              {'a', LIMIT_LONG_POSITION},
              {'a', LIMIT_SHORT_POSITION},
              {'a', LIMIT_ADV},
              {'a', LIMIT_POSITION_SHARE},
              {'a', LIMIT_CORRELATION},
              {'a', LIMIT_REPEATED_EXECUTIONS},
              {'a', LIMIT_GROSS_NOTIONAL},
              {'a', LIMIT_NET_NOTIONAL},
              {'a', LIMIT_DAY_QUANTITY},
              {'a', LIMIT_DAY_VALUE},
              {'a', LIMIT_WORKING_ORDERS},
              {'a', LIMIT_LOSS},
              {'a', LIMIT_DRAWDOWN},
              {'a', LIMIT_ORDER_RATE},
              {'a', LIMIT_MESSAGE_RATE},
              {'a', LIMIT_SYMBOL_RATE},
              {'a', LIMIT_DUPLICATES},
              {'s', LIMIT_GROSS_NOTIONAL},
              {'s', LIMIT_NET_NOTIONAL},
              {'s', LIMIT_DAY_QUANTITY},
              {'s', LIMIT_DAY_VALUE},
              {'s', LIMIT_WORKING_ORDERS},
              {'s', LIMIT_LOSS},
              {'s', LIMIT_DRAWDOWN},
              {'e', LIMIT_GROSS_NOTIONAL},
              {'e', LIMIT_NET_NOTIONAL},
              {'e', LIMIT_WORKING_ORDERS},
              {'e', LIMIT_LOSS},
              {'e', LIMIT_DRAWDOWN},
              {'e', LIMIT_ORDER_RATE},
              {'e', LIMIT_MESSAGE_RATE},
              {'e', LIMIT_SYMBOL_RATE},
              {'k', LIMIT_LOSS},
              {'k', LIMIT_DRAWDOWN},
              {'k', LIMITS},
              {'z', LIMIT_LOSS},
              {'z', LIMITS},
              {'r', LIMITS},
              {'m', LIMIT_MMP_FILLS},
              {'m', LIMIT_MMP_QUANTITY},
              {'d', LIMITS},
              {'t', LIMITS},
              {'l', LIMITS}};

static void every_check_has_refused_and_every_alert_been_told(void **state)
{
    (void)state;
    static const char *const keys[] = {
#define LIMIT(name, key, scopes, unit, reject, help) key,
#include "contract/limits.def"
#undef LIMIT
        "-"};
    unsigned missing = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        for (const uint8_t *code = checks[i].codes; *code; code++) {
            printf("%s %02X: %u\n", keys[checks[i].limit], *code, seen.refused[checks[i].limit][*code]);
            missing += seen.refused[checks[i].limit][*code] == 0;
        }
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        unsigned told = seen.alerts[(unsigned char)alerts[i].kind][alerts[i].limit];
        printf("alert %c %s: %u\n", alerts[i].kind, keys[alerts[i].limit], told);
        missing += told == 0;
    }
    static const uint8_t codes[] = {0x07, 0x0A, 0x0F, 0x21, 0x23}; // halted, full, killed, bands, short sales
    for (size_t i = 0; i < sizeof codes; i++) {
        printf("reject %02X: %u\n", codes[i], seen.rejects[codes[i]]);
        missing += seen.rejects[codes[i]] == 0;
    }
    for (int type = EV_TRADING_ACTION; type <= EV_REG_SHO; type++) {
        printf("event %d: %u\n", type, seen.events[type]);
        missing += seen.events[type] == 0;
    }
    if (!getenv("XW_SEED") && !getenv("XW_DAYS"))
        assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_orders_and_sums_give_the_naive_venues_events),
        cmocka_unit_test(limits_in_time_give_the_naive_venues_events),
        cmocka_unit_test(losses_levels_and_modes_give_the_naive_venues_events),
        cmocka_unit_test(halts_bands_and_short_sales_give_the_naive_venues_events),
        cmocka_unit_test(all_at_once_gives_the_naive_venues_events),
        cmocka_unit_test(no_accounts_worst_case_exceeds_its_limit_in_shares),
        cmocka_unit_test(no_accounts_worst_case_exceeds_its_limit_in_money),
        cmocka_unit_test(every_check_has_refused_and_every_alert_been_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
