// SPDX-License-Identifier: Apache-2.0
// The state of the market where tables can not go: walks longer than a step, a step that is full to the last event, the
// ends of prices and counts, and what is said before the day starts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/bands.h"
#include "tests/support/both_venues.h"
#include "tests/unit/command_of.h"

#define PRICE 1000000u
#define SECOND UINT64_C(1000000000)

static const struct rig_day day = {.max_orders = 200,
                                   .max_levels = 200,
                                   .symbols = 2,
                                   .sessions = 4,
                                   .ticks = {100, 5000, 100, 100},
                                   .lookup_key = 3,
                                   .max_positions = 16};

static struct command commands[2048];
static size_t count;

static void add(struct command c)
{
    commands[count++] = c;
}

static struct both_seen played(const struct rig_day *on)
{
    struct both_seen seen = {0};
    assert_true(both_play(0, on, commands, count, 1, &seen));
    count = 0;
    return seen;
}

static struct command index_at(uint32_t level, uint8_t breached, uint64_t declared)
{
    struct command c = index_of(level, breached);
    c.index.declared[0] = declared;
    c.index.last_ns = UINT64_MAX;
    return c;
}

// Of what comes before it, the last is the end of what is known before the start.
static struct command opening_ends(void)
{
    struct command c = {.type = CMD_POSITION, .session = SESSION_NONE};
    c.position.locate = 1;
    return c;
}

static void a_halt_of_before_the_start_is_said_by_the_start(void **state)
{
    (void)state;
    add(halt_of(1, STATE_HALTED));
    add(opening_ends());
    add(rig_enter(0, 1, 'B', 1, 1, PRICE));
    add(rig_enter(0, 2, 'B', 1, 2, PRICE));
    add(halt_of(1, STATE_TRADING));
    add(rig_enter(0, 3, 'B', 1, 1, PRICE));
    struct both_seen seen = played(&day);
    assert_int_equal(seen.events[EV_ACCEPTED], 2);
    assert_int_equal(seen.events[EV_REJECTED] + seen.rejects[0x07], 1);
}

// A level is breached in regular hours alone, and what is declared is said when it is another.
static void the_index_stops_nothing_before_the_start_and_declares_once(void **state)
{
    (void)state;
    add(index_at(9000, 1, 5));
    add(opening_ends());
    add(index_at(10000, 0, 5));
    add(index_at(10000, 0, 6));
    add(rig_enter(0, 1, 'B', 1, 1, PRICE));
    add(index_at(9000, 1, 6));
    add(rig_enter(0, 2, 'B', 1, 1, PRICE));
    struct both_seen seen = played(&day);
    assert_int_equal(seen.events[EV_ACCEPTED], 1);
    assert_int_equal(seen.rejects[0x07], 1);
    assert_int_equal(seen.events[EV_MARKET_WIDE], 3);
}

// Orders that new bands cancel, as many as fill a step to its last event, one less and more; then the limit state that
// the best order of the other side is in.
static void bands_cancel_and_tell_whatever_room_the_step_has(void **state)
{
    (void)state;
    for (uint32_t orders = ENGINE_EVENTS_MAX - 6; orders < ENGINE_EVENTS_MAX + 4; orders++) {
        add(bands_of(1, 100000, 0));
        add(reference_of(1, PRICE));
        for (uint32_t i = 1; i <= orders; i++)
            add(rig_enter(0, i, 'B', 1, 1, PRICE));
        add(rig_enter(0, orders + 1, 'B', 1, 1, PRICE * 88 / 100));
        add(reference_of(1, PRICE * 8 / 10)); // up to 88
        struct both_seen seen = played(&day);
        assert_int_equal(seen.events[EV_CANCELED], orders);
        assert_int_equal(seen.alerts[ALERT_LIMIT_STATE][LIMITS], 1);
    }
}

// A limit state of no length: the next tick there can be ends it.
static void a_limit_state_without_length_ends_on_the_next_tick(void **state)
{
    (void)state;
    struct command c = bands_of(1, 100000, 0), tick = {.type = CMD_TICK, .session = SESSION_NONE};
    c.bands.limit_state_ms = 0;
    add(c);
    add(reference_of(1, PRICE));
    add(rig_enter(0, 1, 'B', 1, 1, PRICE * 11 / 10));
    add(tick);
    add(rig_enter(0, 2, 'B', 1, 1, PRICE));
    struct both_seen seen = played(&day);
    assert_int_equal(seen.alerts[ALERT_LIMIT_STATE][LIMITS], 2);
    assert_int_equal(seen.alerts[ALERT_STATE][LIMITS], 1);
    assert_int_equal(seen.rejects[0x07], 1); // it pauses
}

static void a_reference_is_on_the_tick_at_the_ends_of_prices(void **state)
{
    (void)state;
    const uint32_t most = PRICE_MAX / 5000 * 5000;
    const struct book *book;
    struct rig rig;
    rig_open(&rig, &day);
    book = &rig.engine->books[2];
    assert_int_equal(bands_on_tick(book, PRICE_MAX), most); // and not the nearest, which is no price
    assert_int_equal(bands_on_tick(book, most - 1), most);
    assert_int_equal(bands_on_tick(book, 1), 5000);
    assert_int_equal(bands_on_tick(book, 7500), 10000);
    assert_int_equal(bands_on_tick(book, 7499), 5000);
    rig_free(&rig);
    add(bands_of(2, 100000, 0));
    add(reference_of(2, PRICE_MAX));
    add(rig_enter(0, 1, 'S', 1, 2, most));
    add(rig_enter(0, 2, 'B', 1, 2, 5000));
    add(reference_of(2, 1));
    add(rig_enter(0, 3, 'B', 1, 2, 5000));
    struct both_seen seen = played(&day);
    assert_int_equal(seen.events[EV_ACCEPTED], 3);
}

// More symbols than a step looks at.
static void a_halt_of_very_many_symbols_goes_on_in_bounded_steps(void **state)
{
    (void)state;
    struct rig_day wide = day;
    struct rig rig;
    wide.symbols = 2 * 2048 + 10;
    wide.max_positions = 0;
    rig_open(&rig, &wide);
    struct command c = halt_of(LOCATE_NONE, STATE_HALTED);
    rig_step(&rig, &c);
    assert_int_equal(rig.count, 1u + wide.symbols);
    c = halt_of(LOCATE_NONE, STATE_HALTED); // is so already
    rig_step(&rig, &c);
    assert_int_equal(rig.count, 1);
    assert_int_equal(rig.steps, 3);
    rig_free(&rig);
}

static void trade_once(struct rig *rig, uint32_t user_ref, uint32_t price)
{
    struct command sell = rig_enter(0, user_ref, 'S', 1, 1, price), buy = rig_enter(1, user_ref, 'B', 1, 1, price);
    rig_step(rig, &sell);
    rig_step(rig, &buy);
}

// As many trades as are counted of ten seconds: those above count nothing, and the mean stays what it was.
static void more_trades_than_are_counted_leave_the_mean_as_it_was(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    struct command c = bands_of(1, 500000, 0), tick = {.type = CMD_TICK, .session = SESSION_NONE};
    rig_step(&rig, &c);
    trade_once(&rig, 1, PRICE); // the reference
    struct market *m = &rig.engine->markets[1];
    m->intervals[m->interval].count = UINT32_MAX - 1;
    m->intervals[m->interval].sum = (uint64_t)(UINT32_MAX - 1) * PRICE;
    trade_once(&rig, 2, PRICE);
    assert_int_equal(m->intervals[m->interval].count, UINT32_MAX);
    trade_once(&rig, 3, PRICE + 100000);
    assert_int_equal(m->intervals[m->interval].count, UINT32_MAX);
    assert_int_equal(m->intervals[m->interval].sum, (uint64_t)UINT32_MAX * PRICE);
    tick.time_ns = 40 * SECOND;
    rig_step(&rig, &tick);
    assert_int_equal(m->reference, PRICE);
    rig_free(&rig);
}

static void what_is_known_of_a_price_is_asked_by_locate(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, &day);
    struct command c = reference_of(1, PRICE);
    rig_step(&rig, &c);
    trade_once(&rig, 1, PRICE + 100);
    assert_int_equal(engine_price(rig.engine, 1).last, PRICE + 100);
    assert_int_equal(engine_price(rig.engine, 1).close, PRICE);
    assert_int_equal(engine_price(rig.engine, 2).last, 0);
    assert_int_equal(engine_price(rig.engine, LOCATE_NONE).close, 0);
    assert_int_equal(engine_price(rig.engine, 3).last, 0);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_halt_of_before_the_start_is_said_by_the_start),
        cmocka_unit_test(the_index_stops_nothing_before_the_start_and_declares_once),
        cmocka_unit_test(bands_cancel_and_tell_whatever_room_the_step_has),
        cmocka_unit_test(a_limit_state_without_length_ends_on_the_next_tick),
        cmocka_unit_test(a_reference_is_on_the_tick_at_the_ends_of_prices),
        cmocka_unit_test(a_halt_of_very_many_symbols_goes_on_in_bounded_steps),
        cmocka_unit_test(more_trades_than_are_counted_leave_the_mean_as_it_was),
        cmocka_unit_test(what_is_known_of_a_price_is_asked_by_locate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
