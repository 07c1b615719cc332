// SPDX-License-Identifier: Apache-2.0
// Every interleaving of the breaker, with stores that reach memory late and out of order.
#include "tests/unit/model_stage.h"

#include "contract/breaker.c"

#define MS(n) ((uint64_t)(n)*1000000)

static struct {
    struct breaker breaker;
    uint64_t before; // the breaker's state after the last step
    uint64_t permit, allowed, refused, done;
    uint64_t words[2];
} shared;

static void explore(const char *what, struct model model, const char *expected)
{
    explore_in(&shared, sizeof shared, what, model, expected);
}

// ---- the breaker ----------------------------------------------------------------------------------------------------

static const char *const broken_arrow = "a transition that the breaker does not have";

// Every change of the state is one arrow, and moves the epoch by one.
static void only_arrows(void)
{
    struct state was = unpack_state(shared.before), is = unpack_state(shared.breaker.state);
    unsigned moves = (is.epoch - was.epoch) & BREAKER_EPOCH_MASK;
    bool arrow = (was.state == BREAKER_CLOSED && is.state == BREAKER_OPEN) ||
                 (was.state == BREAKER_OPEN && is.state == BREAKER_HALF_OPEN) ||
                 (was.state != BREAKER_CLOSED && is.state == BREAKER_CLOSED) ||
                 (was.state == BREAKER_HALF_OPEN && is.state == BREAKER_OPEN);
    if (moves > 1 || (moves == 0 && was.state != is.state) || (moves == 1 && !arrow))
        model_fail(broken_arrow);
    if (is.state == BREAKER_HALF_OPEN && (is.given == 0 || is.good > is.given))
        model_fail("more has come back than was given");
    shared.before = shared.breaker.state;
}

static void begin_with(struct breaker_settings settings)
{
    memset(&shared, 0, sizeof shared);
    settings.window_ms = 1000;
    settings.recovery_ms = 100;
    breaker_init(&shared.breaker, &settings);
}

static void begin_failures_2(void)
{
    begin_with((struct breaker_settings){.failures = 2});
}

static void fail_once(void)
{
    breaker_permit permit = breaker_allow(&shared.breaker, MS(10));
    if (!permit)
        shared.refused++;
    else
        breaker_record(&shared.breaker, permit, false, MS(10));
}

static void succeed_locally(void)
{
    struct breaker_local local = {0};
    breaker_permit permit = breaker_allow(&shared.breaker, MS(10));
    if (!permit)
        return;
    breaker_done(&shared.breaker, &local, permit, true, MS(10));
    breaker_flush(&shared.breaker, &local, MS(10));
}

static void end_opened_once(void)
{
    struct state state = unpack_state(shared.breaker.state);
    if (state.state != BREAKER_OPEN || state.epoch != 1)
        model_fail("as many failures as open it have not opened it once");
}

static void no_failure_is_lost_and_it_opens_once(void **state)
{
    (void)state;
    explore("two fail, one succeeds",
            (struct model){.begin = begin_failures_2,
                           .threads = {fail_once, fail_once, succeed_locally},
                           .always = only_arrows,
                           .end = end_opened_once},
            NULL);
    explore("three fail where two open it",
            (struct model){.begin = begin_failures_2,
                           .threads = {fail_once, fail_once, fail_once},
                           .always = only_arrows,
                           .end = end_opened_once},
            NULL);
}

static void begin_open_for_two(void)
{
    begin_with((struct breaker_settings){.failures = 1, .tokens = 2});
    breaker_trip(&shared.breaker, 0);
    shared.before = shared.breaker.state;
}

static void try_once(void)
{
    breaker_permit permit = breaker_allow(&shared.breaker, MS(200));
    if (permit == 0) {
        shared.refused++;
        return;
    }
    shared.allowed += unpack_state(shared.breaker.state).state == BREAKER_HALF_OPEN;
    breaker_record(&shared.breaker, permit, true, MS(200));
    shared.done++;
}

static void try_and_fail(void)
{
    breaker_permit permit = breaker_allow(&shared.breaker, MS(200));
    if (permit)
        breaker_record(&shared.breaker, permit, false, MS(200));
    else
        shared.refused++;
}

static void at_most_two_are_out(void)
{
    only_arrows();
    struct state state = unpack_state(shared.breaker.state);
    if (state.state == BREAKER_HALF_OPEN && state.given > 2)
        model_fail("more are let in than there are tokens");
}

static void end_closed(void)
{
    if (unpack_state(shared.breaker.state).state != BREAKER_CLOSED)
        model_fail("two successes have not closed it");
    if (shared.done + shared.refused != 3)
        model_fail("somebody was neither let in nor refused");
}

static void end_by_the_failure(void)
{
    struct state state = unpack_state(shared.breaker.state);
    if (state.state == BREAKER_HALF_OPEN && state.good >= 2)
        model_fail("neither closed nor open after all tokens have come back");
}

static void half_open_lets_in_as_many_as_tokens(void **state)
{
    (void)state;
    explore("three ask for two tokens",
            (struct model){.begin = begin_open_for_two,
                           .threads = {try_once, try_once, try_once},
                           .always = at_most_two_are_out,
                           .end = end_closed},
            NULL);
    explore("one of three fails",
            (struct model){.begin = begin_open_for_two,
                           .threads = {try_once, try_and_fail, try_once},
                           .always = at_most_two_are_out,
                           .end = end_by_the_failure},
            NULL);
}

static void begin_failures_1(void)
{
    begin_with((struct breaker_settings){.failures = 1});
}

static void fail_late(void)
{
    shared.permit = breaker_allow(&shared.breaker, MS(10));
    if (shared.permit)
        breaker_record(&shared.breaker, (breaker_permit)shared.permit, false, MS(10));
    shared.done = 1;
}

static void trip_and_reset(void)
{
    breaker_trip(&shared.breaker, MS(10));
    breaker_reset(&shared.breaker, MS(20));
    shared.words[0] = 1;
}

// Once the other thread is done, what opens it is a failure that was allowed in the epoch that it ends.
static void late_failures_change_nothing(void)
{
    struct state was = unpack_state(shared.before), is = unpack_state(shared.breaker.state);
    if (shared.words[0] && was.state == BREAKER_CLOSED && is.state == BREAKER_OPEN &&
        shared.permit != breaker_permit_of(shared.before))
        model_fail("a failure of before the reset has opened it");
    only_arrows();
}

static void begin_failures_3(void)
{
    begin_with((struct breaker_settings){.failures = 3});
}

static void trip_reset_and_fail(void)
{
    breaker_trip(&shared.breaker, MS(10));
    breaker_reset(&shared.breaker, MS(20));
    fail_once();
}

static void end_the_new_window_stands(void)
{
    struct breaker_view view;
    breaker_look(&shared.breaker, &view);
    unsigned counted = 1 + (shared.permit == breaker_permit_of(shared.breaker.state));
    if (view.failures != counted)
        model_fail("the window does not hold the failures of its epoch");
}

static void begin_open_for_one(void)
{
    begin_with((struct breaker_settings){.failures = 1, .tokens = 1});
    breaker_trip(&shared.breaker, 0);
    shared.before = shared.breaker.state;
}

static void try_late(void)
{
    shared.permit = breaker_allow(&shared.breaker, MS(200));
    if (shared.permit)
        breaker_record(&shared.breaker, (breaker_permit)shared.permit, true, MS(200));
}

static void trip_and_try(void)
{
    breaker_trip(&shared.breaker, MS(200));
    breaker_allow(&shared.breaker, MS(1000)); // and never comes back
}

static void late_successes_close_nothing(void)
{
    struct state was = unpack_state(shared.before), is = unpack_state(shared.breaker.state);
    if (was.state == BREAKER_HALF_OPEN && is.state == BREAKER_CLOSED &&
        shared.permit != breaker_permit_of(shared.before))
        model_fail("a success of an earlier half open time has closed it");
    only_arrows();
}

static void an_outcome_of_before_a_transition_does_not_count(void **state)
{
    (void)state;
    explore("a failure, a trip and a reset",
            (struct model){.begin = begin_failures_1,
                           .threads = {fail_late, trip_and_reset},
                           .always = late_failures_change_nothing},
            NULL);
    explore("a late failure and a new window",
            (struct model){.begin = begin_failures_3,
                           .threads = {fail_late, trip_reset_and_fail},
                           .always = only_arrows,
                           .end = end_the_new_window_stands},
            NULL);
    explore("a late success",
            (struct model){.begin = begin_open_for_one,
                           .threads = {try_late, trip_and_try},
                           .always = late_successes_close_nothing},
            NULL);
}

// Neither setting opens it by two failures; half of one and half of the other would.
static void begin_all_of_three(void)
{
    begin_with((struct breaker_settings){.ratio_percent = 100, .samples = 3});
}

static void reload_to_off(void)
{
    breaker_set(&shared.breaker, &(struct breaker_settings){.samples = 1, .window_ms = 1000, .recovery_ms = 100});
}

static void end_never_opened(void)
{
    if (unpack_state(shared.breaker.state).epoch != 0)
        model_fail("a mixture of old and new settings has opened it");
}

static void a_reload_is_seen_whole_or_not_at_all(void **state)
{
    (void)state;
    explore("two fail while settings change",
            (struct model){.begin = begin_all_of_three,
                           .threads = {fail_once, fail_once, reload_to_off},
                           .always = only_arrows,
                           .end = end_never_opened},
            NULL);
}

// Two failures half a second apart open it by neither setting; two of one and the window of the other would. Both ways,
// so that one of them shows a word that is written in halves, whichever comes first.
static const struct breaker_settings two_at_once = {.failures = 2, .window_ms = 100, .recovery_ms = 100};
static const struct breaker_settings three_in_all = {.failures = 3, .window_ms = 10000, .recovery_ms = 100};

static void begin_two_at_once(void)
{
    memset(&shared, 0, sizeof shared);
    breaker_init(&shared.breaker, &two_at_once);
}

static void begin_three_in_all(void)
{
    memset(&shared, 0, sizeof shared);
    breaker_init(&shared.breaker, &three_in_all);
}

static void reload_to_three_in_all(void)
{
    breaker_set(&shared.breaker, &three_in_all);
}

static void reload_to_two_at_once(void)
{
    breaker_set(&shared.breaker, &two_at_once);
}

static void fail_twice(void)
{
    breaker_permit permit = breaker_allow(&shared.breaker, MS(10));
    breaker_record(&shared.breaker, permit, false, MS(10));
    permit = breaker_allow(&shared.breaker, MS(510));
    breaker_record(&shared.breaker, permit, false, MS(510));
}

static void no_half_of_a_setting_is_seen(void **state)
{
    (void)state;
    explore("two fail far apart while the window grows",
            (struct model){.begin = begin_two_at_once,
                           .threads = {fail_twice, reload_to_three_in_all},
                           .always = only_arrows,
                           .end = end_never_opened},
            NULL);
    explore("two fail far apart while the window shrinks",
            (struct model){.begin = begin_three_in_all,
                           .threads = {fail_twice, reload_to_two_at_once},
                           .always = only_arrows,
                           .end = end_never_opened},
            NULL);
}

// What a breaker keeps from being used is mended by one thread and used by another, which is let in by the reset alone.
static void mend_and_reset(void)
{
    model_write(&shared.words[1], 1);
    breaker_reset(&shared.breaker, MS(20));
}

static void use_when_let_in(void)
{
    if (breaker_allow(&shared.breaker, MS(20)) && model_read(&shared.words[1]) != 1)
        model_fail("who is let in does not see what was mended before it");
}

static void use_what_is_let_in_and_fail(void)
{
    breaker_permit permit = breaker_allow(&shared.breaker, MS(10));
    if (!permit)
        return;
    model_write(&shared.words[1], 1);
    breaker_record(&shared.breaker, permit, false, MS(10));
}

static void look_when_open(void)
{
    struct breaker_view view;
    breaker_look(&shared.breaker, &view);
    if (view.state == BREAKER_OPEN && model_read(&shared.words[1]) != 1)
        model_fail("who sees it open does not see what has failed");
}

static void a_transition_hands_over_what_was_done_before_it(void **state)
{
    (void)state;
    explore("mended, reset and used",
            (struct model){
                .begin = begin_open_for_one, .threads = {mend_and_reset, use_when_let_in}, .always = only_arrows},
            NULL);
    explore("used, opened by it and looked at",
            (struct model){.begin = begin_failures_1,
                           .threads = {use_what_is_let_in_and_fail, look_when_open},
                           .always = only_arrows},
            NULL);
}

// ---- outcomes that stay with a thread -------------------------------------------------------------------------------

static void trip_and_reset_quietly(void)
{
    breaker_trip(&shared.breaker, MS(10));
    breaker_reset(&shared.breaker, MS(20));
}

// Allows and ends one thing, and counts under which permit: words[0] those of the present epoch, at the end.
static void one_more(struct breaker_local *local, bool good, uint64_t *counted)
{
    breaker_permit permit = breaker_allow(&shared.breaker, MS(20));
    if (!permit)
        return;
    breaker_done(&shared.breaker, local, permit, good, MS(20));
    *counted = (uint64_t)permit << 8 | ((*counted >> 8 == permit ? *counted & 0xFF : 0) + 1);
}

static void succeed_twice_and_flush(void)
{
    struct breaker_local local = {0};
    uint64_t counted = 0;
    one_more(&local, true, &counted);
    one_more(&local, true, &counted);
    breaker_flush(&shared.breaker, &local, MS(20));
    shared.words[0] = counted;
}

static void succeed_fail_and_flush(void)
{
    struct breaker_local local = {0};
    uint64_t counted = 0;
    one_more(&local, true, &counted);
    one_more(&local, false, &counted);
    breaker_flush(&shared.breaker, &local, MS(20));
    shared.words[0] = counted;
}

// At most what was allowed in the present epoch stands in its window; all of it, if no transition came after it.
static void end_only_its_own(void)
{
    struct breaker_view view;
    breaker_look(&shared.breaker, &view);
    const bool present = shared.words[0] >> 8 == breaker_permit_of(shared.breaker.state);
    const uint64_t own = present ? shared.words[0] & 0xFF : 0;
    if (view.outcomes > own)
        model_fail("the window holds what another epoch allowed");
    if (view.outcomes < own)
        model_fail("the window has lost what its epoch allowed");
}

static void what_a_thread_keeps_counts_in_its_epoch_alone(void **state)
{
    (void)state;
    explore("two local successes, a trip and a reset",
            (struct model){.begin = begin_failures_3,
                           .threads = {succeed_twice_and_flush, trip_and_reset_quietly},
                           .always = only_arrows,
                           .end = end_only_its_own},
            NULL);
    explore("a local success and a failure, a trip and a reset",
            (struct model){.begin = begin_failures_3,
                           .threads = {succeed_fail_and_flush, trip_and_reset_quietly},
                           .always = only_arrows,
                           .end = end_only_its_own},
            NULL);
}

// ---- from outside ---------------------------------------------------------------------------------------------------

static void hold(void)
{
    breaker_hold(&shared.breaker, MS(20));
}

static void reset(void)
{
    shared.words[0] = breaker_reset(&shared.breaker, MS(20));
}

static void trip(void)
{
    shared.allowed += breaker_trip(&shared.breaker, MS(20));
}

static void trip_too(void)
{
    shared.refused += breaker_trip(&shared.breaker, MS(20));
}

static void end_reset(void)
{
    if (unpack_state(shared.breaker.state).state != BREAKER_CLOSED || !shared.words[0])
        model_fail("it has been reset, and is not closed");
}

static void end_tripped_once(void)
{
    if (shared.allowed + shared.refused != 1 || unpack_state(shared.breaker.state).state != BREAKER_OPEN)
        model_fail("two that trip it: not one of them has");
}

static void a_hold_a_reset_and_a_trip_are_one_arrow_each(void **state)
{
    (void)state;
    explore(
        "a hold and a reset",
        (struct model){.begin = begin_open_for_two, .threads = {hold, reset}, .always = only_arrows, .end = end_reset},
        NULL);
    explore("a reset and somebody who asks",
            (struct model){.begin = begin_open_for_two, .threads = {reset, try_once}, .always = only_arrows}, NULL);
    explore("two trips",
            (struct model){
                .begin = begin_failures_3, .threads = {trip, trip_too}, .always = only_arrows, .end = end_tripped_once},
            NULL);
}

// A holder that has died: its permit is given up after another recovery time.
static void take_and_die(void)
{
    shared.permit = breaker_allow(&shared.breaker, MS(200));
}

static void ask_now_and_later(void)
{
    breaker_allow(&shared.breaker, MS(200));
    if (breaker_allow(&shared.breaker, MS(1000)))
        model_fail("more are let in than there are tokens");
}

static void end_given_up(void)
{
    if (unpack_state(shared.breaker.state).state != BREAKER_OPEN)
        model_fail("a permit that nobody will bring back is waited for");
}

static void a_permit_that_is_lost_is_given_up(void **state)
{
    (void)state;
    explore("a holder that dies",
            (struct model){.begin = begin_open_for_one,
                           .threads = {take_and_die, ask_now_and_later},
                           .always = only_arrows,
                           .end = end_given_up},
            NULL);
}

// ---- clocks that are not quite one ----------------------------------------------------------------------------------

static void trip_ahead(void)
{
    breaker_trip(&shared.breaker, MS(30));
}

static void ask_behind(void)
{
    shared.permit = breaker_allow(&shared.breaker, MS(10));
}

static void never_half_open(void)
{
    only_arrows();
    if (unpack_state(shared.breaker.state).state == BREAKER_HALF_OPEN)
        model_fail("who has an older time than the trip ends the recovery time");
}

static void fail_ahead(void)
{
    breaker_permit permit = breaker_allow(&shared.breaker, MS(60));
    if (permit)
        breaker_record(&shared.breaker, permit, false, MS(60));
}

static void a_thread_whose_time_is_older_ends_nothing(void **state)
{
    (void)state;
    explore("a trip, and one who asks with an older time",
            (struct model){.begin = begin_failures_3, .threads = {trip_ahead, ask_behind}, .always = never_half_open},
            NULL);
    explore("two fail, one of them with an older time",
            (struct model){.begin = begin_failures_2,
                           .threads = {fail_ahead, fail_once},
                           .always = only_arrows,
                           .end = end_opened_once},
            NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failure_is_lost_and_it_opens_once),
        cmocka_unit_test(half_open_lets_in_as_many_as_tokens),
        cmocka_unit_test(an_outcome_of_before_a_transition_does_not_count),
        cmocka_unit_test(a_reload_is_seen_whole_or_not_at_all),
        cmocka_unit_test(no_half_of_a_setting_is_seen),
        cmocka_unit_test(a_transition_hands_over_what_was_done_before_it),
        cmocka_unit_test(what_a_thread_keeps_counts_in_its_epoch_alone),
        cmocka_unit_test(a_hold_a_reset_and_a_trip_are_one_arrow_each),
        cmocka_unit_test(a_permit_that_is_lost_is_given_up),
        cmocka_unit_test(a_thread_whose_time_is_older_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
