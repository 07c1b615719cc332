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

static void sessions_and_firms_are_served_as_a_whole(void **state)
{
    (void)state;
    run_file("sessions");
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
