// SPDX-License-Identifier: Apache-2.0
// Every interleaving of the breaker and of the ring's hand-over, with stores that reach memory late and out of order.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/explorer.h"

#include "contract/breaker.c"
#include "contract/ring.h"

#define MS(n) ((uint64_t)(n)*1000000)

static struct {
    struct ring ring __attribute__((aligned(CACHE_PAIR)));
    uint64_t cells[2][8];
    struct breaker breaker;
    uint64_t before; // the breaker's state after the last step
    uint64_t permit, allowed, refused, done, sum;
    uint64_t words[2];
} shared __attribute__((aligned(CACHE_PAIR)));

static void explore(const char *what, struct model model, const char *expected)
{
    model.shared = &shared;
    model.size = sizeof shared;
    struct model_result result = model_explore(&model);
    printf("# %s: %lu states, %lu steps, at most %u deep, %lu ends\n", what, result.states, result.steps, result.depth,
           result.ends);
    if (!expected && result.failure)
        print_error("%s: %s\n", what, result.failure);
    if (expected)
        assert_string_equal(result.failure ? result.failure : "nothing is found", expected);
    else
        assert_null(result.failure);
    assert_true(expected || result.ends > 0);
}

// ---- the explorer itself --------------------------------------------------------------------------------------------

static void begin_nothing(void)
{
    memset(&shared, 0, sizeof shared);
}

static void add_badly(void)
{
    uint64_t value = atomic_load_explicit(&shared.words[0], memory_order_acquire);
    atomic_store_explicit(&shared.words[0], value + 1, memory_order_release);
}

static void add_well(void)
{
    uint64_t value = atomic_load_explicit(&shared.words[0], memory_order_acquire);
    while (!atomic_compare_exchange_strong_explicit(&shared.words[0], &value, value + 1, memory_order_acq_rel,
                                                    memory_order_acquire))
        ;
}

static void end_three_added(void)
{
    if (shared.words[0] != 3)
        model_fail("an addition is lost");
}

static void say_relaxed(void)
{
    model_store(&shared.words[0], 7, false);
    atomic_store_explicit(&shared.words[1], 1, memory_order_relaxed);
}

static void say_released(void)
{
    model_store(&shared.words[0], 7, false);
    atomic_store_explicit(&shared.words[1], 1, memory_order_release);
}

static void hear(void)
{
    if (atomic_load_explicit(&shared.words[1], memory_order_acquire) && model_load(&shared.words[0], false) != 7)
        model_fail("the flag is there before the word");
}

static void hear_relaxed(void)
{
    if (atomic_load_explicit(&shared.words[1], memory_order_relaxed) && model_load(&shared.words[0], false) != 7)
        model_fail("the flag is there before the word");
}

static void the_explorer_finds_what_it_must(void **state)
{
    (void)state;
    explore(
        "load and store",
        (struct model){.begin = begin_nothing, .threads = {add_badly, add_badly, add_badly}, .end = end_three_added},
        "an addition is lost");
    explore("compare and swap",
            (struct model){.begin = begin_nothing, .threads = {add_well, add_well, add_well}, .end = end_three_added},
            NULL);
    explore("relaxed flag", (struct model){.begin = begin_nothing, .threads = {say_relaxed, hear}},
            "the flag is there before the word");
    explore("released flag", (struct model){.begin = begin_nothing, .threads = {say_released, hear}}, NULL);
    explore("flag read without acquire",
            (struct model){.begin = begin_nothing, .threads = {say_released, hear_relaxed}},
            "the flag is there before the word");
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

// ---- the ring -------------------------------------------------------------------------------------------------------

enum { MESSAGES = 4 };

static void begin_ring(void)
{
    memset(&shared, 0, sizeof shared);
    ring_new(&shared.ring, 2, 64, 0);
}

// Bursts of one and of two, as there is room.
static void produce(void)
{
    for (uint64_t sent = 0; sent < MESSAGES;) {
        uint32_t room = ring_room(&shared.ring, 1);
        uint32_t burst = room < MESSAGES - sent ? room : (uint32_t)(MESSAGES - sent);
        for (uint32_t i = 0; i < burst; i++) {
            uint64_t *cell = ring_slot(&shared.ring, i);
            model_store(&cell[1], sent + i + 1, false);
        }
        if (burst)
            ring_publish(&shared.ring, burst);
        sent += burst;
    }
    shared.done = 1;
}

static void consume(void)
{
    for (uint64_t taken = 0; taken < MESSAGES;) {
        uint64_t *cell = ring_peek(&shared.ring, 0);
        if (!cell)
            continue;
        if (model_load(&cell[1], false) != taken + 1)
            model_fail("another message than the next one");
        ring_release(&shared.ring, 1);
        shared.sum += ++taken;
    }
}

static void end_all_taken(void)
{
    if (shared.sum != MESSAGES * (MESSAGES + 1) / 2)
        model_fail("messages are lost");
    if (shared.ring.produced != MESSAGES || shared.ring.consumed != MESSAGES)
        model_fail("cursors do not agree");
}

static void every_message_is_handed_over_once_and_in_order(void **state)
{
    (void)state;
    explore("ring of two cells, four messages",
            (struct model){.begin = begin_ring, .threads = {produce, consume}, .end = end_all_taken}, NULL);
}

// What the release in ring_publish is for.
static void produce_relaxed(void)
{
    uint64_t *cell = ring_slot(&shared.ring, 0);
    model_store(&cell[1], 1, false);
    atomic_store_explicit(cell, 1, memory_order_relaxed);
}

static void consume_one(void)
{
    uint64_t *cell = ring_peek(&shared.ring, 0);
    if (cell && model_load(&cell[1], false) != 1)
        model_fail("another message than the first");
}

static void a_publication_without_release_is_found(void **state)
{
    (void)state;
    explore("ring published without release",
            (struct model){.begin = begin_ring, .threads = {produce_relaxed, consume_one}},
            "another message than the first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_explorer_finds_what_it_must),
        cmocka_unit_test(no_failure_is_lost_and_it_opens_once),
        cmocka_unit_test(half_open_lets_in_as_many_as_tokens),
        cmocka_unit_test(an_outcome_of_before_a_transition_does_not_count),
        cmocka_unit_test(a_reload_is_seen_whole_or_not_at_all),
        cmocka_unit_test(what_a_thread_keeps_counts_in_its_epoch_alone),
        cmocka_unit_test(a_hold_a_reset_and_a_trip_are_one_arrow_each),
        cmocka_unit_test(a_permit_that_is_lost_is_given_up),
        cmocka_unit_test(a_thread_whose_time_is_older_ends_nothing),
        cmocka_unit_test(every_message_is_handed_over_once_and_in_order),
        cmocka_unit_test(a_publication_without_release_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
