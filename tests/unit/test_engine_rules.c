// SPDX-License-Identifier: Apache-2.0
// The rules one by one: tests/unit/scenarios/*.txt, run from the repository's root. Comments there say of which rules
// of rules.md the tables behind them are ("# Rule 7: ..", "# ---- time (rules 15 and 16)"); a rule without a table
// fails.
#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scenario.h"

static char files_run[64][256];
static unsigned files_count;

static void run_file(const char *name)
{
    char path[256], error[512];
    snprintf(path, sizeof path, "tests/unit/scenarios/%s.txt", name);
    unsigned scenarios = scenario_run(path, error, sizeof error);
    if (*error)
        fail_msg("%s", error);
    assert_true(scenarios > 0);
    printf("%s: %u scenarios\n", path, scenarios);
    memcpy(files_run[files_count++], path, sizeof path);
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
    run_file("peers_suites");
    run_file("peers_reports");
}

static void walks_and_tables_are_bounded(void **state)
{
    (void)state;
    run_file("bounds");
}

static void events_say_what_they_should(void **state)
{
    (void)state;
    run_file("fields");
}

static void exposure_is_what_is_open(void **state)
{
    (void)state;
    run_file("exposure");
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

// ---- every rule has a table, and every table is run

#define RULES 64

// The numbers behind "rule" or "rules" in a comment: "1 and 4", "3 to 6, 10, 12". False: it names none.
static bool read_rules(const char *comment, bool rules[RULES])
{
    bool any = false;
    for (const char *at = comment; (at = strstr(at, "ule")); at += 3) {
        const char *digits = at + 3 + (at[3] == 's');
        unsigned last = 0;
        bool range = false;
        while (*digits++ == ' ' && isdigit((unsigned char)*digits)) {
            char *end;
            unsigned rule = (unsigned)strtoul(digits, &end, 10);
            assert_in_range(rule, 1, RULES - 1);
            for (unsigned i = range ? last : rule; i <= rule; i++)
                rules[i] = true;
            any = true;
            last = rule;
            range = strncmp(end, " to ", 4) == 0;
            digits = range ? end + 3 : strncmp(end, " and ", 5) == 0 ? end + 4 : end + (*end == ',');
        }
    }
    return any;
}

static void count_tables(const char *path, unsigned tables[RULES])
{
    char line[512];
    bool rules[RULES] = {false}, fresh[RULES];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        memset(fresh, 0, sizeof fresh);
        if (line[0] == '#' && read_rules(line, fresh))
            memcpy(rules, fresh, sizeof rules);
        for (unsigned i = 0; i < RULES && line[0] == '='; i++)
            tables[i] += rules[i];
    }
    fclose(file);
}

static void every_rule_has_a_table_and_every_table_is_run(void **state)
{
    (void)state;
    glob_t found;
    unsigned tables[RULES] = {0}, missing = 0;
    assert_int_equal(glob("tests/unit/scenarios/*.txt", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        bool run = false;
        for (unsigned k = 0; k < files_count; k++)
            run |= strcmp(files_run[k], found.gl_pathv[i]) == 0;
        if (!run)
            fail_msg("%s is not run by this test", found.gl_pathv[i]);
        count_tables(found.gl_pathv[i], tables);
    }
    globfree(&found);
    char line[2048];
    FILE *file = fopen("dataplane/engine/rules.md", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        unsigned rule = strncmp(line, "## ", 3) == 0 ? (unsigned)strtoul(line + 3, NULL, 10) : 0;
        if (rule == 0 || rule >= RULES)
            continue;
        printf("%3u tables: %s", tables[rule], line + 3);
        if (tables[rule] == 0)
            print_error("rule %s  has no table in tests/unit/scenarios\n", line + 3);
        missing += tables[rule] == 0;
    }
    fclose(file);
    assert_int_equal(missing, 0);
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
        cmocka_unit_test(walks_and_tables_are_bounded),
        cmocka_unit_test(events_say_what_they_should),
        cmocka_unit_test(exposure_is_what_is_open),
        cmocka_unit_test(every_rule_has_a_table_and_every_table_is_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
