// SPDX-License-Identifier: Apache-2.0
// The rules one by one: tests/unit/scenarios/*.txt, run from the repository's root.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/scenario.h"

static void run_file(const char *name)
{
    char path[256], error[512];
    snprintf(path, sizeof path, "tests/unit/scenarios/%s.txt", name);
    unsigned scenarios = scenario_run(path, error, sizeof error);
    if (*error)
        fail_msg("%s", error);
    assert_true(scenarios > 0);
    printf("%s: %u scenarios\n", path, scenarios);
}

static void orders_match_by_price_and_time(void **state)
{
    (void)state;
    run_file("matching");
}

static void numbers_are_used_once_and_in_order(void **state)
{
    (void)state;
    run_file("numbers");
}

static void a_replace_has_four_outcomes(void **state)
{
    (void)state;
    run_file("replace");
}

static void cancel_and_modify_bound_what_may_execute(void **state)
{
    (void)state;
    run_file("cancel_modify");
}

static void an_order_that_asks_too_much_is_rejected_with_the_precise_code(void **state)
{
    (void)state;
    run_file("rejects");
}

static void displayed_orders_come_before_the_others(void **state)
{
    (void)state;
    run_file("priority");
}

static void a_minimum_is_met_or_nothing_trades(void **state)
{
    (void)state;
    run_file("minimum");
}

static void a_reserve_shows_its_floor(void **state)
{
    (void)state;
    run_file("reserve");
}

static void a_post_only_order_never_takes(void **state)
{
    (void)state;
    run_file("post_only");
}

static void pegs_follow_the_displayed_prices(void **state)
{
    (void)state;
    run_file("pegs");
}

static void discretion_goes_as_far_as_it_says(void **state)
{
    (void)state;
    run_file("discretion");
}

static void stops_wait_for_a_trade(void **state)
{
    (void)state;
    run_file("stops");
}

static void nobody_trades_with_himself_who_does_not_want_to(void **state)
{
    (void)state;
    run_file("aiq");
}

static void orders_live_as_long_as_their_time_in_force(void **state)
{
    (void)state;
    run_file("phases");
}

static void trades_are_broken_and_adjusted(void **state)
{
    (void)state;
    run_file("trades");
}

static void cases_that_peers_publish(void **state)
{
    (void)state;
    run_file("peers");
}

static void full_tables_refuse(void **state)
{
    (void)state;
    run_file("full");
}

static void sessions_and_firms_are_served_as_a_whole(void **state)
{
    (void)state;
    run_file("sessions");
}

static void the_market_halts_pauses_and_stays_within_its_bands(void **state)
{
    (void)state;
    run_file("market");
}

static void risk_looks_at_the_order_alone(void **state)
{
    (void)state;
    run_file("risk_orders");
}

static void risk_looks_at_what_it_all_comes_to(void **state)
{
    (void)state;
    run_file("risk_sums");
}

static void a_killed_scope_enters_nothing_until_it_is_reset(void **state)
{
    (void)state;
    run_file("kill");
}

static void risk_counts_in_time(void **state)
{
    (void)state;
    run_file("risk_rates");
}

static void risk_looks_at_what_executions_come_to(void **state)
{
    (void)state;
    run_file("risk_losses");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_match_by_price_and_time),
        cmocka_unit_test(numbers_are_used_once_and_in_order),
        cmocka_unit_test(a_replace_has_four_outcomes),
        cmocka_unit_test(cancel_and_modify_bound_what_may_execute),
        cmocka_unit_test(an_order_that_asks_too_much_is_rejected_with_the_precise_code),
        cmocka_unit_test(sessions_and_firms_are_served_as_a_whole),
        cmocka_unit_test(displayed_orders_come_before_the_others),
        cmocka_unit_test(a_minimum_is_met_or_nothing_trades),
        cmocka_unit_test(a_reserve_shows_its_floor),
        cmocka_unit_test(a_post_only_order_never_takes),
        cmocka_unit_test(pegs_follow_the_displayed_prices),
        cmocka_unit_test(discretion_goes_as_far_as_it_says),
        cmocka_unit_test(stops_wait_for_a_trade),
        cmocka_unit_test(nobody_trades_with_himself_who_does_not_want_to),
        cmocka_unit_test(orders_live_as_long_as_their_time_in_force),
        cmocka_unit_test(trades_are_broken_and_adjusted),
        cmocka_unit_test(cases_that_peers_publish),
        cmocka_unit_test(full_tables_refuse),
        cmocka_unit_test(the_market_halts_pauses_and_stays_within_its_bands),
        cmocka_unit_test(risk_looks_at_the_order_alone),
        cmocka_unit_test(risk_looks_at_what_it_all_comes_to),
        cmocka_unit_test(risk_counts_in_time),
        cmocka_unit_test(risk_looks_at_what_executions_come_to),
        cmocka_unit_test(a_killed_scope_enters_nothing_until_it_is_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
