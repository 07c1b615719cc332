// SPDX-License-Identifier: Apache-2.0
// A halt that an operator asks for, given to matching cores that take it at any moment: what he is told is what is so.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/operator/operator.h"
#include "tests/unit/limits_venue.h"

static struct config *config;
static unsigned given, notes;
static bool room, day_ended;
static unsigned looks, taken_at; // after so many looks the cores have taken it

// In the place of recovery.c's.
bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    (void)recovery, (void)core;
    notes += command->type == CMD_NOTE;
    given += command->type == CMD_HALT && room;
    return command->type == CMD_NOTE || room;
}

bool recovery_ended(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return day_ended;
}

bool recovery_taken(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return looks++ >= taken_at;
}

// Whether the operator is told that XWIRE is halted, when the cores take it at look `at`.
static bool halted(unsigned at)
{
    struct audit *audit = audit_new();
    struct recovery *recovery = (struct recovery *)&config;
    const struct desk_context context = {.config = config, .audit = audit};
    struct request request = {.subject = &market_halt, .context = &context, .by = "ALICE"};
    json_t *root = json_pack("{s:s, s:s, s:s, s:s}", "symbol", "XWIRE", "state", "H", "reason", "T1", "by", "ALICE");
    request.state = calloc(1, market_halt.size);
    given = notes = looks = 0;
    taken_at = at;
    assert_null(market_halt.read(&request, root));
    json_decref(root);
    for (unsigned i = 0; i < 10 && request.subject; i++)
        market_halt.go_on(&request, recovery, 1000);
    assert_null(request.subject); // answered
    audit_poll(audit, recovery);
    audit_free(audit);
    assert_int_equal(notes <= 1, 1);
    return notes == 0;
}

static void a_halt_is_answered_as_what_it_came_to_whenever_it_is_taken(void **state)
{
    (void)state;
    room = true;
    for (unsigned at = 0; at < 8; at++) {
        assert_true(halted(at));
        assert_int_equal(given, 1);
    }
}

static void a_core_without_room_is_told(void **state)
{
    (void)state;
    room = false;
    assert_false(halted(0));
    assert_int_equal(given, 0);
}

static void a_halt_of_a_day_that_has_ended_is_refused_and_not_given(void **state)
{
    (void)state;
    room = day_ended = true;
    assert_false(halted(0));
    assert_int_equal(given, 0);
    day_ended = false;
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) // the log is not what is tested here
        return 1;
    config = load_venue("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_halt_is_answered_as_what_it_came_to_whenever_it_is_taken),
        cmocka_unit_test(a_core_without_room_is_told),
        cmocka_unit_test(a_halt_of_a_day_that_has_ended_is_refused_and_not_given),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    config_free(config);
    return failed;
}
