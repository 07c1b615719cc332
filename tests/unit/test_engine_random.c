// SPDX-License-Identifier: Apache-2.0
// Random days through the engine and through the plainest venue there is (both_venues.h).
//   XW_SEED=n      that day alone           XW_COMMANDS=n   commands of each day
//   XW_DAYS=n      how many days            XW_KINDS=a,b    what is drawn besides plain orders: random_flow.c
//   XW_NOCHECK     without the engine's own invariants
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/both_venues.h"
#include "tests/support/random_flow.h"

#define DAY_COMMANDS 4000

static struct both_seen seen; // in all days

// Plays the seed's day; a difference fails the test. Returns the most steps a command took.
static unsigned seed_plays(uint64_t seed, unsigned kinds, const struct rig_day *given, size_t count,
                           unsigned check_every)
{
    struct rig_day day = given ? *given : flow_day(seed, kinds);
    struct command *commands = malloc(count * sizeof *commands);
    seen.steps = 0;
    flow_draw(seed, kinds, &day, commands, count);
    bool same = both_play(seed, &day, commands, count, check_every, &seen);
    free(commands);
    if (!same)
        fail_msg("the day of seed %llu differs: see above", (unsigned long long)seed);
    return seen.steps;
}

// ---- the tests

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static unsigned kinds_drawn(void)
{
    const char *names = getenv("XW_KINDS");
    return flow_kinds(names ? names : "all");
}

static void ten_million_random_commands_give_the_naive_venues_events(void **state)
{
    (void)state;
    uint64_t seed = setting("XW_SEED", 1);
    uint64_t days = getenv("XW_SEED") ? setting("XW_DAYS", 1) : setting("XW_DAYS", 2500);
    for (uint64_t i = 0; i < days; i++)
        seed_plays(seed + i, kinds_drawn(), NULL, setting("XW_COMMANDS", DAY_COMMANDS), 100);
}

static void invariants_hold_after_every_command(void **state)
{
    (void)state;
    for (uint64_t seed = 1000001; seed <= 1000020; seed++)
        seed_plays(seed, kinds_drawn(), NULL, DAY_COMMANDS, 1);
}

// Walks that need several steps, many orders at a price.
static void large_books_pause_and_go_on_as_the_naive_venue_does_not_have_to(void **state)
{
    (void)state;
    unsigned most = 0;
    for (uint64_t seed = 2000001; seed <= 2000012; seed++) {
        struct rig_day day = flow_day(seed, kinds_drawn());
        day.max_orders = day.max_special = 6000;
        day.max_conditional = 1500;
        day.max_levels = 20000;
        unsigned steps = seed_plays(seed, kinds_drawn(), &day, 15000, 1500);
        most = steps > most ? steps : most;
    }
    assert_true(most > 2); // 64 events are a step
}

// Whatever the days before have not been about is not tested.
static void every_kind_of_order_phase_strategy_and_outcome_has_come_up(void **state)
{
    (void)state;
    unsigned missing = demands_missing(&seen.demands);
    if (getenv("XW_SEED") || getenv("XW_DAYS") || getenv("XW_COMMANDS") || getenv("XW_KINDS"))
        return;
    assert_int_equal(missing, 0);
    assert_true(seen.demands.commands >= 10000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_million_random_commands_give_the_naive_venues_events),
        cmocka_unit_test(invariants_hold_after_every_command),
        cmocka_unit_test(large_books_pause_and_go_on_as_the_naive_venue_does_not_have_to),
        cmocka_unit_test(every_kind_of_order_phase_strategy_and_outcome_has_come_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
