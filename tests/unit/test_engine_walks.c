// SPDX-License-Identifier: Apache-2.0
// Each walk of risk that is longer than a step may be: what waits is settled all the same, in its order, by the same
// command.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/snapshot.h"
#include "tests/support/engine_rig.h"
#include "tests/unit/command_of.h"

#define LOOKS 2048u // that a step may take
#define MANY 2100u
#define PRICE 1000000u
#define SECOND UINT64_C(1000000000)

static const struct rig_day day = {.max_orders = 5000,
                                   .max_levels = 1000,
                                   .symbols = 2,
                                   .sessions = 3,
                                   .ticks = {100, 100, 100, 100},
                                   .lookup_key = 3,
                                   .max_positions = 100};

static struct rig rig;

static void step(struct command c)
{
    rig_step(&rig, &c);
}

static void tick(uint64_t seconds)
{
    step((struct command){.type = CMD_TICK, .session = SESSION_NONE, .time_ns = seconds * SECOND});
}

static unsigned count(uint8_t type)
{
    unsigned found = 0;
    for (size_t i = 0; i < rig.count; i++)
        found += rig.events[i].type == type;
    return found;
}

// The last event is this alert.
static void says(enum alert_kind kind, enum limit limit)
{
    assert_true(rig.count > 0);
    const struct event *last = &rig.events[rig.count - 1];
    assert_int_equal(last->type, EV_ALERT);
    assert_int_equal(last->reason, kind);
    assert_int_equal(last->quantity, limit);
}

static void sound(void)
{
    const char *broken = engine_check(rig.engine);
    if (broken)
        fail_msg("%s", broken);
}

static void a_symbol_changes_its_group_for_many_accounts(void **state)
{
    (void)state;
    struct rig_day wide = day;
    wide.accounts = MANY;
    rig_open(&rig, &wide);
    step(group_of(1, 1));
    assert_int_equal(rig.steps, 2);
    sound();
    rig_free(&rig);
}

static void open_with_positions(void *context, struct command *c)
{
    const struct rig_day *wide = context;
    for (uint16_t account = 0; c->type == CMD_START && account < wide->accounts; account++)
        for (uint16_t locate = 1; locate <= wide->symbols; locate++)
            step(position_of(account, locate, 1, PRICE));
    rig_step(&rig, c);
}

// The last account's loss is seen in the second step.
static void a_tick_marks_many_positions(void **state)
{
    (void)state;
    struct rig_day wide = day;
    wide.accounts = 35;
    wide.symbols = 60;
    wide.max_positions = MANY;
    rig_new(&rig, &wide, 0);
    rig_opening(&wide, open_with_positions, &wide);
    step(limit_of(SCOPE_ACCOUNT, wide.accounts - 1, LIMIT_LOSS, PRICE / 4));
    step(reference_of(wide.symbols, PRICE / 2));
    tick(60);
    assert_true(rig.steps >= 2);
    assert_int_equal(count(EV_ALERT), 3); // at its level, killed, nothing rests
    assert_int_equal(rig.events[1].reason, ALERT_KILLED);
    assert_int_equal(rig.events[1].price, wide.accounts - 1);
    sound();
    rig_free(&rig);
}

// Behind so many parties that are told nothing.
static void what_is_told_eases_at_a_tick_among_many_parties(void **state)
{
    (void)state;
    struct rig_day wide = day;
    wide.accounts = 1100;
    rig_open(&rig, &wide);
    step(limit_of(SCOPE_SESSION, 2, LIMIT_WORKING_ORDERS, 10));
    for (uint32_t i = 1; i <= 7; i++)
        step(rig_enter(2, i, 'B', 1, 1, PRICE));
    says(ALERT_LEVEL, LIMIT_WORKING_ORDERS);
    step(rig_simple(CMD_CANCEL, 2, 1, 0));
    tick(60);
    assert_true(rig.steps >= 2);
    says(ALERT_EASED, LIMIT_WORKING_ORDERS);
    sound();
    rig_free(&rig);
}

// A limit of the venue has all of them looked at.
static void many_parties_wait_at_once(void **state)
{
    (void)state;
    struct rig_day wide = day;
    wide.accounts = 1100;
    rig_open(&rig, &wide);
    step(limit_of(SCOPE_SESSION, 2, LIMIT_WORKING_ORDERS, 10));
    for (uint32_t i = 1; i <= 5; i++)
        step(rig_enter(2, i, 'B', 1, 1, PRICE));
    assert_int_equal(count(EV_ALERT), 0);
    step(limit_of(SCOPE_VENUE, 0, LIMIT_ALERT, 500000));
    assert_true(rig.steps >= 2);
    says(ALERT_LEVEL, LIMIT_WORKING_ORDERS); // the last party
    sound();
    rig_free(&rig);
}

static void protection_of_many_quotes(uint16_t locate, uint32_t canceled)
{
    rig_open(&rig, &day);
    step(limit_of(SCOPE_SESSION, 1, LIMIT_MMP_FILLS, 1));
    step(rig_enter(1, 1, 'B', 1, 1, PRICE));
    for (uint32_t i = 2; i <= MANY; i++)
        step(rig_enter(1, i, 'B', 1, locate, PRICE - 100));
    step(rig_enter(0, 1, 'S', 1, 1, PRICE));
    assert_true(rig.steps >= 2);
    assert_int_equal(count(EV_CANCELED), canceled);
    assert_int_equal(engine_live_orders(rig.engine), MANY - 1 - canceled);
    sound();
    rig_free(&rig);
}

static void protection_cancels_many_quotes(void **state)
{
    (void)state;
    protection_of_many_quotes(1, MANY - 1);
}

static void protection_passes_over_many_orders_of_another_symbol(void **state)
{
    (void)state;
    protection_of_many_quotes(2, 0);
}

// The symbol's rate is at its level with an order whose trades leave no room for the alert, or just some.
static void a_symbol_s_alert_comes_behind_as_many_trades_as_a_step_has(void **state)
{
    (void)state;
    for (uint32_t trades = ENGINE_EVENTS_MAX - 6; trades <= ENGINE_EVENTS_MAX + 2; trades++) {
        rig_open(&rig, &day);
        step(limit_of(SCOPE_SYMBOL, 1, LIMIT_SYMBOL_RATE, 1000));
        for (uint32_t i = 1; i <= 700; i++)
            step(rig_enter(0, i, 'S', 1, 1, PRICE + (i <= trades ? 0 : 1000)));
        step(rig_enter(1, 1, 'B', trades, 1, PRICE));
        assert_int_equal(count(EV_TRADE), trades);
        assert_int_equal(count(EV_ALERT), 1);
        says(ALERT_LEVEL, LIMIT_SYMBOL_RATE);
        sound();
        rig_free(&rig);
    }
}

// Over many entries with nothing to say: what rates and parties were told is known to the engine that goes on.
static void what_was_told_is_known_to_a_restored_engine(void **state)
{
    (void)state;
    struct rig_day wide = day;
    struct rig_snapshot snapshot = {0};
    struct rig before;
    wide.accounts = MANY;
    rig_open(&rig, &wide);
    step(limit_of(SCOPE_SESSION, 2, LIMIT_ORDER_RATE, 10));
    step(limit_of(SCOPE_SESSION, 2, LIMIT_MESSAGE_RATE, 10));
    for (uint32_t i = 1; i <= 8; i++)
        step(rig_enter(2, i, 'B', 1, 1, PRICE));
    assert_int_equal(count(EV_ALERT), 2);
    says(ALERT_LEVEL, LIMIT_MESSAGE_RATE);
    rig_snapshot_take(&snapshot, rig.engine);
    before = rig;
    rig_restore(&rig, &wide, &snapshot);
    rig.time_ns = before.time_ns;
    struct command c = rig_enter(2, 9, 'B', 1, 1, PRICE);
    c.time_ns = before.time_ns + SECOND;
    for (unsigned i = 0; i < 2; i++) { // also the engine that it was restored from
        struct rig restored = rig;
        step(c);
        assert_int_equal(count(EV_ALERT), 2);
        says(ALERT_EASED, LIMIT_MESSAGE_RATE);
        sound();
        rig_free(&rig);
        rig = before;
        before = restored;
    }
    free(snapshot.records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_symbol_changes_its_group_for_many_accounts),
        cmocka_unit_test(a_tick_marks_many_positions),
        cmocka_unit_test(what_is_told_eases_at_a_tick_among_many_parties),
        cmocka_unit_test(many_parties_wait_at_once),
        cmocka_unit_test(protection_cancels_many_quotes),
        cmocka_unit_test(protection_passes_over_many_orders_of_another_symbol),
        cmocka_unit_test(a_symbol_s_alert_comes_behind_as_many_trades_as_a_step_has),
        cmocka_unit_test(what_was_told_is_known_to_a_restored_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
