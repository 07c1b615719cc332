// SPDX-License-Identifier: Apache-2.0
// Counters and discard reasons: the tables, the indexes and the names agree.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "contract/counters.h"

static const unsigned ends[ROLE_COUNT] = {
    [ROLE_GATEWAY] = COUNT_GATEWAY_END, [ROLE_MATCHER] = COUNT_MATCHER_END, [ROLE_PUBLISHER] = COUNT_PUBLISHER_END};

static void every_counter_has_a_name_a_unit_and_a_meaning(void **state)
{
    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++)
        for (unsigned i = 0; i < ends[role]; i++) {
            const struct counter_info *info = counter_info((enum role)role, i);
            assert_non_null(info);
            assert_true(info->name[0] && info->unit[0] && info->help[0]);
        }
}

static void no_two_counters_of_a_role_share_a_name(void **state)
{
    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++)
        for (unsigned i = 0; i < ends[role]; i++)
            for (unsigned j = 0; j < i; j++)
                assert_string_not_equal(counter_info((enum role)role, i)->name, counter_info((enum role)role, j)->name);
}

static void past_the_last_counter_there_is_none(void **state)
{
    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++) {
        assert_null(counter_info((enum role)role, ends[role]));
        assert_null(counter_info((enum role)role, COUNTERS_MAX));
    }
}

static void indexes_lead_to_the_names_that_they_were_made_from(void **state)
{
    (void)state;
    assert_string_equal(counter_info(ROLE_GATEWAY, COUNT_GATEWAY_rx_frames)->name, "rx_frames");
    assert_string_equal(counter_info(ROLE_GATEWAY, COUNT_GATEWAY_events)->name, "events");
    assert_string_equal(counter_info(ROLE_MATCHER, COUNT_MATCHER_executions)->name, "executions");
    assert_string_equal(counter_info(ROLE_PUBLISHER, COUNT_PUBLISHER_requests)->name, "requests");
    assert_string_equal(counter_info(ROLE_PUBLISHER, COUNT_PUBLISHER_requests)->unit, "requests");
}

static void every_discard_reason_is_a_counter_of_the_gateway(void **state)
{
    (void)state;
#define DISCARD(reason, text)                                                                             \
    assert_string_equal(counter_info(ROLE_GATEWAY, COUNT_GATEWAY_discard_first + DISCARD_##reason)->name, \
                        "discard_" #reason);                                                              \
    assert_string_equal(counter_info(ROLE_GATEWAY, COUNT_GATEWAY_discard_first + DISCARD_##reason)->help, text);
#include "contract/discard.def"
#undef DISCARD
    assert_int_equal(COUNT_GATEWAY_discard_first + DISCARD_COUNT, COUNT_GATEWAY_END);
}

static void roles_are_named(void **state)
{
    (void)state;
    assert_string_equal(role_name(ROLE_GATEWAY), "gateway");
    assert_string_equal(role_name(ROLE_MATCHER), "matcher");
    assert_string_equal(role_name(ROLE_PUBLISHER), "publisher");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_has_a_name_a_unit_and_a_meaning),
        cmocka_unit_test(no_two_counters_of_a_role_share_a_name),
        cmocka_unit_test(past_the_last_counter_there_is_none),
        cmocka_unit_test(indexes_lead_to_the_names_that_they_were_made_from),
        cmocka_unit_test(every_discard_reason_is_a_counter_of_the_gateway),
        cmocka_unit_test(roles_are_named),
    };
    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
