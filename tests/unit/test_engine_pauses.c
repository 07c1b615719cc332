// SPDX-License-Identifier: Apache-2.0
// Each walk of the engine longer than a step may be, and tables that are full to the last place: rare, and the same
// result as in one go.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/lookup.h"
#include "tests/support/engine_rig.h"

#define LOOKS 2048u // orders that a step looks at
#define MANY 2100u
#define SECOND UINT64_C(1000000000)
#define PRICE 1000000u

static const struct rig_day day = {.max_orders = 5000,
                                   .max_levels = 10000,
                                   .symbols = 70,
                                   .sessions = 3,
                                   .ticks = {100, 100, 100, 100},
                                   .lookup_key = 3,
                                   .max_conditional = MANY + 10};

static void step(struct rig *rig, struct command c)
{
    rig_step(rig, &c);
}

static unsigned count(const struct rig *rig, uint8_t type)
{
    unsigned found = 0;
    for (size_t i = 0; i < rig->count; i++)
        found += rig->events[i].type == type;
    return found;
}

static void sound(const struct rig *rig)
{
    const char *broken = engine_check(rig->engine);
    if (broken)
        fail_msg("%s", broken);
}

static struct command with_minimum(struct command c, uint32_t minimum)
{
    c.options |= OPTION(TAG_MIN_QTY);
    c.min_qty = minimum;
    return c;
}

static struct command discretionary(struct command c, uint32_t price)
{
    c.options |= OPTION(TAG_DISCRETION_PRICE);
    c.discretion_price = price;
    return c;
}

static struct command peg(uint16_t session, uint32_t user_ref, uint16_t locate)
{
    struct command c = rig_enter(session, user_ref, 'B', 1, locate, PRICE_MARKET);
    c.options |= OPTION(TAG_PRICE_TYPE);
    c.price_type = 'R';
    return c;
}

// Non-displayed sales of session 0 that only trade with ten.
static void fill_with_minimums(struct rig *rig, uint32_t orders)
{
    for (uint32_t i = 1; i <= orders; i++) {
        struct command c = with_minimum(rig_enter(0, i, 'S', 10, 1, PRICE), 10);
        c.display = 'N';
        step(rig, c);
    }
}

static void a_minimum_is_counted_over_many_orders(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 1; i <= MANY; i++)
        step(&rig, rig_enter(0, i, 'S', 1, 1, PRICE));
    struct command c = with_minimum(rig_enter(1, 1, 'B', MANY + 1, 1, PRICE), MANY + 1);
    c.tif = '3';
    step(&rig, c);
    assert_int_equal(rig.steps, 4); // each order is looked at thrice: displayed, prevented, in reserve
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.events[1].type, EV_CANCELED);
    c = with_minimum(rig_enter(1, 2, 'B', MANY, 1, PRICE), MANY);
    c.tif = '3';
    step(&rig, c);
    assert_int_equal(count(&rig, EV_TRADE), MANY);
    assert_int_equal(engine_live_orders(rig.engine), 0);
    sound(&rig);
    rig_free(&rig);
}

static void a_taker_passes_over_many_minimums(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    fill_with_minimums(&rig, MANY);
    step(&rig, rig_enter(1, 1, 'B', 5, 1, PRICE));
    assert_int_equal(rig.steps, 2);
    assert_int_equal(rig.count, 2);
    assert_int_equal(rig.events[1].type, EV_BOOK_ADD);
    step(&rig, rig_enter(1, 2, 'B', 10, 1, PRICE));
    assert_int_equal(count(&rig, EV_TRADE), 1);
    sound(&rig);
    rig_free(&rig);
}

static void discretion_comes_in_the_step_after_what_was_passed_over(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    fill_with_minimums(&rig, LOOKS);
    step(&rig, discretionary(rig_enter(0, MANY, 'S', 5, 1, PRICE + 500), PRICE));
    step(&rig, rig_enter(1, 1, 'B', 5, 1, PRICE));
    assert_int_equal(rig.steps, 2);
    assert_int_equal(count(&rig, EV_TRADE), 1);
    assert_int_equal(rig.events[1].off_price, 1);
    sound(&rig);
    rig_free(&rig);
}

static void discretion_comes_in_the_step_after_many_trades(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 1; i <= ENGINE_EVENTS_MAX - 4; i++)
        step(&rig, rig_enter(0, i, 'S', 1, 1, PRICE));
    step(&rig, discretionary(rig_enter(0, MANY, 'S', 5, 1, PRICE + 500), PRICE));
    step(&rig, rig_enter(1, 1, 'B', ENGINE_EVENTS_MAX + 1, 1, PRICE));
    assert_int_equal(rig.steps, 2);
    assert_int_equal(count(&rig, EV_TRADE), ENGINE_EVENTS_MAX - 3);
    assert_int_equal(engine_live_orders(rig.engine), 0);
    sound(&rig);
    rig_free(&rig);
}

static void a_pass_over_many_discretionary_orders_is_a_step(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 1; i <= MANY; i++)
        step(&rig, discretionary(rig_enter(0, i, 'S', 1, 1, PRICE + 500), PRICE));
    step(&rig, rig_enter(1, 1, 'B', 3, 1, PRICE));
    assert_int_equal(rig.steps, 3);
    assert_int_equal(count(&rig, EV_TRADE), 3);
    for (size_t i = 1; i <= 3; i++)
        assert_int_equal(rig.events[i].other_user_ref, i);
    sound(&rig);
    rig_free(&rig);
}

static void a_post_only_order_slides_behind_many_minimums(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    fill_with_minimums(&rig, MANY);
    struct command c = rig_enter(0, MANY + 1, 'S', 10, 1, PRICE + 100);
    step(&rig, c);
    c = rig_enter(1, 1, 'B', 5, 1, PRICE + 100);
    c.options = OPTION(TAG_POST_ONLY);
    c.post_only = 'P';
    step(&rig, c);
    assert_int_equal(rig.steps, 2);
    assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    assert_int_equal(rig.events[0].price, PRICE);
    step(&rig, rig_replace(1, 1, 2, 5, PRICE + 200));
    assert_int_equal(rig.steps, 2);
    assert_int_equal(rig.events[0].type, EV_REPLACED);
    assert_int_equal(rig.events[0].price, PRICE);
    sound(&rig);
    rig_free(&rig);
}

// The first symbol's pegs are as many as a step looks at; the other symbol's are for the next one.
static void pegs_of_several_symbols_are_looked_at_in_turn(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    step(&rig, rig_enter(0, 1, 'B', 1, 1, PRICE));
    step(&rig, rig_enter(0, 2, 'B', 1, 70, PRICE));
    for (uint32_t i = 1; i <= LOOKS; i++)
        step(&rig, peg(1, i, 1));
    step(&rig, peg(1, MANY, 70));
    step(&rig, rig_simple(CMD_MASS_CANCEL, 0, 3, 0));
    assert_int_equal(rig.steps, 2);
    assert_int_equal(rig.count, 3);
    assert_int_equal(engine_live_orders(rig.engine), LOOKS + 1);
    step(&rig, rig_enter(2, 1, 'S', 10, 1, 100)); // they wait outside the book
    assert_int_equal(count(&rig, EV_TRADE), 0);
    sound(&rig);
    rig_free(&rig);
}

static void more_pegs_than_a_step_looks_at_all_follow(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    step(&rig, rig_enter(0, 1, 'B', 1, 1, PRICE));
    for (uint32_t i = 1; i <= MANY; i++)
        step(&rig, peg(1, i, 1));
    step(&rig, rig_simple(CMD_CANCEL, 0, 1, 0));
    assert_int_equal(rig.steps, 2);
    step(&rig, rig_enter(0, 2, 'B', 1, 1, PRICE + 100));
    step(&rig, rig_enter(2, 1, 'S', MANY + 1, 1, PRICE + 100));
    assert_int_equal(count(&rig, EV_TRADE), MANY + 1);
    sound(&rig);
    rig_free(&rig);
}

// As many pegs as a step looks at, then the stop.
static void a_stop_is_released_in_the_step_after_many_pegs(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    step(&rig, rig_enter(0, 1, 'B', 1, 1, PRICE));
    for (uint32_t i = 1; i <= LOOKS; i++)
        step(&rig, peg(1, i, 1));
    struct command c = rig_enter(1, MANY, 'S', 1, 1, PRICE + 500);
    c.options = OPTION(TAG_STOP_PRICE);
    c.trigger = PRICE;
    step(&rig, c);
    c = rig_enter(2, 1, 'S', 1, 1, PRICE);
    step(&rig, c);
    assert_int_equal(rig.steps, 3); // the stop has changed the best prices: another round
    assert_int_equal(count(&rig, EV_PRIORITY), 1);
    assert_int_equal(count(&rig, EV_TRADE), 1);
    sound(&rig);
    rig_free(&rig);
}

static void many_orders_that_outlive_a_phase_are_passed_over(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    for (uint32_t i = 1; i <= MANY; i++) {
        struct command c = rig_enter(0, i, 'B', 1, 1, PRICE);
        c.tif = '5';
        step(&rig, c);
    }
    struct command c = {.type = CMD_PHASE, .session = SESSION_NONE};
    step(&rig, c); // to no phase
    assert_int_equal(rig.count, 0);
    c.phase.phase = PHASE_AFTER;
    step(&rig, c);
    assert_int_equal(rig.steps, 2);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.events[0].type, EV_SYSTEM);
    assert_int_equal(engine_live_orders(rig.engine), MANY);
    rig_free(&rig);
}

static void orders_of_one_expiry_go_in_the_order_of_entry(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    uint64_t start = rig.time_ns + 10;
    for (uint32_t i = 1; i <= 100; i++) {
        struct command c = rig_enter(0, i, 'B', 1, 1, PRICE);
        c.tif = '6';
        c.options = OPTION(TAG_EXPIRE_TIME);
        c.expire_s = 200 - i;
        c.time_ns = start + i * SECOND;
        step(&rig, c);
    }
    step(&rig, (struct command){.type = CMD_TICK, .session = SESSION_NONE, .time_ns = start + 200 * SECOND - 1});
    assert_int_equal(rig.count, 0);
    step(&rig, (struct command){.type = CMD_TICK, .session = SESSION_NONE, .time_ns = start + 200 * SECOND});
    assert_int_equal(rig.steps, 2);
    assert_int_equal(rig.count, 100);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(rig.events[i].user_ref, i + 1);
    rig_free(&rig);
}

// The next number of session 0 whose two buckets are 0 and 1.
static uint32_t next_number(const struct rig *rig, uint32_t after)
{
    for (uint32_t number = after + 1;; number++) {
        struct lookup_place place = lookup_place(rig->engine, order_key(0, 0, number));
        if (lookup_first(rig->engine, place) + lookup_second(rig->engine, place) == 1)
            return number;
    }
}

static void a_number_whose_buckets_are_full_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_day small = day;
    small.max_orders = 64;
    rig_open(&rig, &small);
    uint32_t number = 0, numbers[2 * BUCKET_WAYS];
    for (uint32_t i = 0; i < 2 * BUCKET_WAYS; i++) {
        numbers[i] = number = next_number(&rig, number);
        step(&rig, rig_enter(0, number, 'B', 1, 1, PRICE));
        assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    }
    for (int hidden = 0; hidden <= 1; hidden++) {
        number = next_number(&rig, number);
        struct command c = rig_enter(0, number, 'B', 1, 1, PRICE);
        c.display = hidden ? 'N' : 'Y';
        step(&rig, c);
        assert_int_equal(rig.events[0].type, EV_REJECTED);
        assert_int_equal(rig.events[0].reason, 0x0A);
    }
    for (int hidden = 0; hidden <= 1; hidden++) { // the original's own place does not count
        number = next_number(&rig, number);
        struct command c = rig_replace(0, numbers[hidden], number, 2, PRICE);
        c.display = hidden ? 'N' : 'Y';
        step(&rig, c);
        assert_int_equal(rig.count, 1);
        assert_int_equal(rig.events[0].type, EV_CANCELED);
        assert_int_equal(rig.events[0].user_ref, numbers[hidden]);
        step(&rig, rig_enter(0, number, 'B', 1, 1, PRICE)); // there is room now
        assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    }
    sound(&rig);
    rig_free(&rig);
}

static void step_without_last_symbol(void *context, struct command *c)
{
    if (c->type != CMD_OPEN_SYMBOL || c->open_symbol.locate != day.symbols)
        rig_step(context, c);
}

static void a_locate_without_a_symbol_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_new(&rig, &day, 0);
    rig_opening(&day, step_without_last_symbol, &rig);
    for (uint16_t locate = day.symbols - 1; locate <= day.symbols + 1; locate++) {
        struct command c = rig_enter(0, locate, 'B', 1, locate, PRICE);
        c.options = OPTION(TAG_FIRM); // all zero: not named
        step(&rig, c);
        assert_int_equal(rig.count, 1);
        assert_int_equal(rig.events[0].type, locate < day.symbols ? EV_ACCEPTED : EV_REJECTED);
        assert_int_equal(rig.events[0].reason, locate < day.symbols ? 0 : 0x17);
    }
    rig_free(&rig);
}

// Sessions, accounts, firms and symbols in one row, whose lines a limit of the venue works out again.
static void a_limit_of_the_venue_goes_on_over_many_symbols(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_day wide = day;
    wide.symbols = LOOKS + 10;
    wide.max_positions = 100;
    rig_open(&rig, &wide);
    struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
    c.limit.scope = SCOPE_VENUE;
    c.limit.limit = LIMIT_ALERT;
    c.limit.value = 500000;
    step(&rig, c);
    assert_in_range(rig.steps, 2, 4);
    sound(&rig);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minimum_is_counted_over_many_orders),
        cmocka_unit_test(a_taker_passes_over_many_minimums),
        cmocka_unit_test(discretion_comes_in_the_step_after_what_was_passed_over),
        cmocka_unit_test(discretion_comes_in_the_step_after_many_trades),
        cmocka_unit_test(a_pass_over_many_discretionary_orders_is_a_step),
        cmocka_unit_test(a_post_only_order_slides_behind_many_minimums),
        cmocka_unit_test(pegs_of_several_symbols_are_looked_at_in_turn),
        cmocka_unit_test(more_pegs_than_a_step_looks_at_all_follow),
        cmocka_unit_test(a_stop_is_released_in_the_step_after_many_pegs),
        cmocka_unit_test(many_orders_that_outlive_a_phase_are_passed_over),
        cmocka_unit_test(orders_of_one_expiry_go_in_the_order_of_entry),
        cmocka_unit_test(a_number_whose_buckets_are_full_is_refused),
        cmocka_unit_test(a_locate_without_a_symbol_is_refused),
        cmocka_unit_test(a_limit_of_the_venue_goes_on_over_many_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
