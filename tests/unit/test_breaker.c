// SPDX-License-Identifier: Apache-2.0
// One breaker under an injected clock. Its interleavings: test_model.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "contract/breaker.h"

#define S(n) ((uint64_t)(n)*1000000000)
#define MS(n) ((uint64_t)(n)*1000000)

static struct breaker b;
static uint64_t now;

static void begin(struct breaker_settings settings)
{
    settings.window_ms = settings.window_ms ? settings.window_ms : 10000;
    settings.recovery_ms = settings.recovery_ms ? settings.recovery_ms : 1000;
    breaker_init(&b, &settings);
    now = S(100);
}

static void outcomes(unsigned count, bool good)
{
    for (unsigned i = 0; i < count; i++)
        breaker_record(&b, breaker_allow(&b, now), good, now);
}

static enum breaker_state state_now(void)
{
    struct breaker_view view;
    breaker_look(&b, &view);
    return view.state;
}

static unsigned level_now(void)
{
    struct breaker_view view;
    breaker_look(&b, &view);
    return view.level;
}

static void it_opens_at_its_failures_and_not_below(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 3});
    outcomes(1, false);
    outcomes(50, true);
    outcomes(1, false);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    outcomes(1, false);
    assert_int_equal(state_now(), BREAKER_OPEN);
    assert_int_equal(breaker_allow(&b, now), 0);
}

static void failures_of_an_earlier_window_do_not_count(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 3, .consecutive = 3});
    outcomes(2, false);
    now += MS(10040);
    outcomes(2, false);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    outcomes(1, false);
    assert_int_equal(state_now(), BREAKER_OPEN);
}

static void a_success_ends_a_streak(void **state)
{
    (void)state;
    begin((struct breaker_settings){.consecutive = 3});
    outcomes(2, false);
    outcomes(1, true);
    outcomes(2, false);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    outcomes(1, false);
    assert_int_equal(state_now(), BREAKER_OPEN);
}

static void a_ratio_counts_from_its_samples_on(void **state)
{
    (void)state;
    begin((struct breaker_settings){.ratio_percent = 50, .samples = 10});
    outcomes(4, true);
    outcomes(5, false); // 9 outcomes: too few
    assert_int_equal(state_now(), BREAKER_CLOSED);
    outcomes(1, false);
    assert_int_equal(state_now(), BREAKER_OPEN);

    begin((struct breaker_settings){.ratio_percent = 50, .samples = 10});
    outcomes(11, true);
    outcomes(10, false); // 10 of 21: below
    assert_int_equal(state_now(), BREAKER_CLOSED);
    outcomes(1, false); // 11 of 22: at
    assert_int_equal(state_now(), BREAKER_OPEN);
}

static void of_more_outcomes_than_can_be_counted_the_ratio_is_kept(void **state)
{
    (void)state;
    begin((struct breaker_settings){.ratio_percent = 10, .samples = 100});
    for (unsigned i = 0; i < 2000; i++) { // 5%
        outcomes(19, true);
        outcomes(1, false);
    }
    assert_int_equal(state_now(), BREAKER_CLOSED);
    for (unsigned i = 0; i < 2000 && state_now() == BREAKER_CLOSED; i++) { // 25%
        outcomes(3, true);
        outcomes(1, false);
    }
    assert_int_equal(state_now(), BREAKER_OPEN);
}

static void recovery_comes_at_its_time_and_doubles_with_each_failure(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 1, .level_most = 2});
    outcomes(1, false);
    const unsigned seconds[] = {1, 2, 4, 4, 4}; // capped at two doublings
    for (unsigned i = 0; i < 5; i++) {
        now += S(seconds[i]) - MS(5);
        assert_int_equal(breaker_allow(&b, now), 0);
        now += MS(10);
        breaker_permit permit = breaker_allow(&b, now);
        assert_int_not_equal(permit, 0);
        assert_int_equal(state_now(), BREAKER_HALF_OPEN);
        breaker_record(&b, permit, false, now);
        assert_int_equal(state_now(), BREAKER_OPEN);
    }
}

static void half_open_gives_its_tokens_and_closes_when_all_come_back(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 1, .tokens = 3});
    outcomes(1, false);
    now += S(2);
    breaker_permit permits[3];
    for (unsigned i = 0; i < 3; i++)
        assert_int_not_equal(permits[i] = breaker_allow(&b, now), 0);
    assert_int_equal(breaker_allow(&b, now), 0);
    breaker_record(&b, permits[0], true, now);
    breaker_record(&b, permits[1], true, now);
    assert_int_equal(state_now(), BREAKER_HALF_OPEN);
    breaker_record(&b, permits[2], true, now);
    assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void tokens_that_never_come_back_are_given_up(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 1});
    outcomes(1, false);
    now += S(2);
    breaker_permit lost = breaker_allow(&b, now);
    now += S(2);
    assert_int_equal(breaker_allow(&b, now), 0);
    assert_int_equal(state_now(), BREAKER_OPEN);
    now += S(2);
    breaker_permit permit = breaker_allow(&b, now);
    assert_int_not_equal(permit, 0);
    breaker_record(&b, lost, true, now);
    assert_int_equal(state_now(), BREAKER_HALF_OPEN);
    breaker_record(&b, permit, true, now);
    assert_int_equal(state_now(), BREAKER_CLOSED);
}

static void the_level_is_forgotten_after_a_quiet_time(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 1, .quiet_ms = 60000, .level_most = 5});
    outcomes(1, false);
    assert_int_equal(level_now(), 0);
    now += S(2);
    outcomes(1, true);
    assert_int_equal(state_now(), BREAKER_CLOSED);
    now += S(59);
    outcomes(1, false); // not quiet yet: one level up
    assert_int_equal(level_now(), 1);
    now += S(3);
    outcomes(1, true);
    now += S(61);
    outcomes(1, false);
    assert_int_equal(level_now(), 0);
}

static void without_a_recovery_time_only_a_reset_closes_it(void **state)
{
    (void)state;
    breaker_init(&b, &(struct breaker_settings){.failures = 1, .window_ms = 1000});
    now = S(1);
    outcomes(1, false);
    now += S(100000);
    assert_int_equal(breaker_allow(&b, now), 0);
    assert_true(breaker_reset(&b, now));
    assert_false(breaker_reset(&b, now));
    assert_int_not_equal(breaker_allow(&b, now), 0);
}

static void what_holds_it_open_begins_the_recovery_again(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 1});
    assert_true(breaker_trip(&b, now));
    assert_false(breaker_trip(&b, now));
    now += MS(900);
    breaker_hold(&b, now);
    now += MS(900);
    assert_int_equal(breaker_allow(&b, now), 0);
    now += MS(110);
    assert_int_not_equal(breaker_allow(&b, now), 0);
}

static void a_reload_counts_from_the_next_outcome_on(void **state)
{
    (void)state;
    begin((struct breaker_settings){.failures = 5});
    outcomes(3, false);
    breaker_set(&b, &(struct breaker_settings){.failures = 4, .window_ms = 10000, .recovery_ms = 5000});
    assert_int_equal(state_now(), BREAKER_CLOSED);
    outcomes(1, false);
    assert_int_equal(state_now(), BREAKER_OPEN);
    now += S(2); // the new recovery time, not the old
    assert_int_equal(breaker_allow(&b, now), 0);
    breaker_set(&b, &(struct breaker_settings){.failures = 4, .window_ms = 10000, .recovery_ms = 1000});
    assert_int_not_equal(breaker_allow(&b, now), 0);
}

// Leaves by a way of its own.
static int guarded(int way)
{
    BREAKER_GUARD(guard, &b, &now);
    if (!guard.permit)
        return -1;
    if (way == 0)
        return 0;
    for (int i = 0; i < 3; i++) {
        if (way == 1)
            return 1;
    }
    guard.good = true;
    return 2;
}

static void a_guard_records_its_outcome_on_every_way_out(void **state)
{
    (void)state;
    struct breaker_view view;
    begin((struct breaker_settings){.failures = 3});
    assert_int_equal(guarded(0), 0);
    assert_int_equal(guarded(2), 2);
    assert_int_equal(guarded(1), 1);
    breaker_look(&b, &view);
    assert_int_equal(view.outcomes, 3);
    assert_int_equal(view.failures, 2);
    assert_int_equal(guarded(0), 0);
    assert_int_equal(guarded(2), -1);
}

static void a_thread_keeps_its_successes_until_it_fails_or_flushes(void **state)
{
    (void)state;
    struct breaker_local local = {0};
    struct breaker_view view;
    begin((struct breaker_settings){.ratio_percent = 50, .samples = 2});
    for (unsigned i = 0; i < 10; i++)
        breaker_done(&b, &local, breaker_allow(&b, now), true, now);
    breaker_look(&b, &view);
    assert_int_equal(view.outcomes, 0);
    breaker_done(&b, &local, breaker_allow(&b, now), false, now); // 1 of 11
    breaker_look(&b, &view);
    assert_int_equal(view.outcomes, 11);
    assert_int_equal(view.state, BREAKER_CLOSED);
    breaker_done(&b, &local, breaker_allow(&b, now), true, now);
    breaker_flush(&b, &local, now);
    breaker_look(&b, &view);
    assert_int_equal(view.outcomes, 12);
    assert_int_equal(view.streak, 0);
}

static void successes_of_before_a_transition_are_dropped(void **state)
{
    (void)state;
    struct breaker_local local = {0};
    struct breaker_view view;
    begin((struct breaker_settings){.failures = 2});
    breaker_done(&b, &local, breaker_allow(&b, now), true, now);
    breaker_trip(&b, now);
    breaker_reset(&b, now);
    breaker_flush(&b, &local, now);
    breaker_look(&b, &view);
    assert_int_equal(view.outcomes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_at_its_failures_and_not_below),
        cmocka_unit_test(failures_of_an_earlier_window_do_not_count),
        cmocka_unit_test(a_success_ends_a_streak),
        cmocka_unit_test(a_ratio_counts_from_its_samples_on),
        cmocka_unit_test(of_more_outcomes_than_can_be_counted_the_ratio_is_kept),
        cmocka_unit_test(recovery_comes_at_its_time_and_doubles_with_each_failure),
        cmocka_unit_test(half_open_gives_its_tokens_and_closes_when_all_come_back),
        cmocka_unit_test(tokens_that_never_come_back_are_given_up),
        cmocka_unit_test(the_level_is_forgotten_after_a_quiet_time),
        cmocka_unit_test(without_a_recovery_time_only_a_reset_closes_it),
        cmocka_unit_test(what_holds_it_open_begins_the_recovery_again),
        cmocka_unit_test(a_reload_counts_from_the_next_outcome_on),
        cmocka_unit_test(a_guard_records_its_outcome_on_every_way_out),
        cmocka_unit_test(a_thread_keeps_its_successes_until_it_fails_or_flushes),
        cmocka_unit_test(successes_of_before_a_transition_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
