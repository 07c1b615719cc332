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
#include "tests/support/risk_flow.h"

#define DAY_COMMANDS 1500

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static struct both_seen seen;

static void play(uint64_t seed, unsigned flow, unsigned risk)
{
    size_t count = setting("XW_COMMANDS", DAY_COMMANDS);
    struct rig_day day = flow_day(seed, flow);
    struct command *commands = malloc(count * sizeof *commands);
    risk_flow_day(seed, &day);
    flow_draw(seed, flow, &day, commands, count);
    risk_flow(seed, risk, &day, commands, count);
    bool same = both_play(seed, &day, commands, count, 100, &seen);
    free(commands);
    if (!same)
        fail_msg("the day of seed %llu differs: see above", (unsigned long long)seed);
}

static void play_days(unsigned flow, unsigned risk, uint64_t usual)
{
    const char *names = getenv("XW_KINDS");
    uint64_t seed = setting("XW_SEED", 1);
    uint64_t days = getenv("XW_SEED") ? setting("XW_DAYS", 1) : setting("XW_DAYS", usual);
    for (uint64_t i = 0; i < days; i++)
        play(seed + i, names ? flow_kinds(names) : flow, risk);
}

static void limits_of_orders_and_sums_give_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL, RISK_SUMS, 40);
}

static void limits_in_time_give_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL, RISK_RATES, 40);
}

static void losses_levels_and_modes_give_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL | FLOW_KILL, RISK_LOSSES, 40);
}

static void all_of_risk_at_once_gives_the_naive_venues_events(void **state)
{
    (void)state;
    play_days(FLOW_ALL | FLOW_KILL, RISK_ALL, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_orders_and_sums_give_the_naive_venues_events),
        cmocka_unit_test(limits_in_time_give_the_naive_venues_events),
        cmocka_unit_test(losses_levels_and_modes_give_the_naive_venues_events),
        cmocka_unit_test(all_of_risk_at_once_gives_the_naive_venues_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
