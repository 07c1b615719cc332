// SPDX-License-Identifier: Apache-2.0
// The kill switch where tables can not go: kills that a limit asks for in the middle of a command, and walks longer
// than a step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "contract/reject.h"
#include "engine/kill.h"
#include "tests/support/both_venues.h"

#define MANY 5000u
#define PRICE 100000u
#define ACCOUNTS 60u

static const struct rig_day day = {.max_orders = 2 * MANY,
                                   .max_levels = 2 * MANY,
                                   .symbols = 3,
                                   .sessions = 4,
                                   .accounts = 2,
                                   .ticks = {100, 100, 100, 100},
                                   .lookup_key = 3};

static struct rig rig;

static void step(struct command c)
{
    rig_step(&rig, &c);
    const char *broken = engine_check(rig.engine);
    if (broken)
        fail_msg("%s", broken);
}

static void quick(struct command c)
{
    rig_step(&rig, &c);
}

static struct command kill_of(enum scope scope, uint16_t index)
{
    struct command c = {.type = CMD_KILL, .session = SESSION_NONE};
    c.kill.scope = (uint8_t)scope;
    c.kill.index = index;
    c.kill.actions = KILL_BLOCK | KILL_CANCEL;
    return c;
}

// The n-th alert of the last command, NULL when there are not as many.
static const struct event *alert(unsigned n)
{
    for (size_t i = 0; i < rig.count; i++)
        if (rig.events[i].type == EV_ALERT && n-- == 0)
            return &rig.events[i];
    return NULL;
}

static unsigned count(uint8_t type)
{
    unsigned found = 0;
    for (size_t i = 0; i < rig.count; i++)
        found += rig.events[i].type == type;
    return found;
}

static struct command stop(uint16_t session, uint32_t user_ref, char side, uint32_t price, uint32_t trigger)
{
    struct command c = rig_enter(session, user_ref, side, 10, 1, price);
    c.options |= OPTION(TAG_STOP_PRICE);
    c.trigger = trigger;
    return c;
}

static void a_kill_longer_than_a_step_counts_zero_at_its_end(void **state)
{
    (void)state;
    const enum scope scopes[] = {SCOPE_VENUE, SCOPE_FIRM, SCOPE_ACCOUNT, SCOPE_SESSION, SCOPE_SYMBOL};
    for (unsigned s = 0; s < 5; s++) {
        rig_open(&rig, &day);
        for (uint32_t i = 1; i <= MANY; i++)
            quick(rig_enter(0, i, 'B', 10, 1, PRICE - i % 50 * 100));
        step(kill_of(scopes[s], scopes[s] == SCOPE_SYMBOL));
        assert_int_equal(count(EV_CANCELED), MANY);
        assert_true(rig.steps >= MANY / ENGINE_EVENTS_MAX);
        assert_int_equal(alert(0)->reason, ALERT_KILLED);
        assert_int_equal(alert(1)->reason, ALERT_ZERO);
        assert_int_equal(alert(1)->alert_after, MANY);
        assert_ptr_equal(alert(1), &rig.events[rig.count - 1]);
        assert_int_equal(engine_live_orders(rig.engine), 0);
        rig_free(&rig);
    }
}

// Orders of the other side are looked at, in pieces, and stay.
static void one_side_of_a_long_list_is_killed(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    for (uint32_t i = 1; i <= MANY; i++)
        quick(rig_enter(0, i, i % 1000 ? 'B' : 'S', 10, 1, i % 1000 ? PRICE : PRICE + 1000));
    struct command c = kill_of(SCOPE_ACCOUNT, 0);
    c.kill.side = 'S';
    step(c);
    assert_int_equal(count(EV_CANCELED), MANY / 1000);
    assert_int_equal(alert(1)->alert_after, MANY / 1000);
    assert_true(rig.steps > 2 * MANY / 2048);
    assert_int_equal(engine_live_orders(rig.engine), MANY - MANY / 1000);
    rig_free(&rig);
}

// As a loss limit does that a trade brings about: kill_request in the middle of a command. Here between two commands,
// whose afterwork it then precedes.
static void a_limit_kills_before_the_next_stop_takes(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    step(rig_enter(1, 1, 'S', 10, 1, PRICE));
    step(rig_enter(1, 2, 'S', 10, 1, PRICE + 100));
    step(rig_enter(1, 3, 'S', 10, 1, PRICE + 200));
    step(stop(0, 1, 'B', PRICE + 200, PRICE));
    step(stop(0, 2, 'B', PRICE + 200, PRICE));
    kill_request(rig.engine, SCOPE_ACCOUNT, 0, LIMIT_LOSS, 1000, 1500);
    kill_request(rig.engine, SCOPE_ACCOUNT, 0, LIMIT_DRAWDOWN, 1, 2); // is killed already
    step(rig_enter(3, 1, 'B', 10, 1, PRICE));                         // its trade triggers both stops
    assert_int_equal(count(EV_TRADE), 1);
    assert_int_equal(count(EV_CANCELED), 2);
    assert_int_equal(alert(0)->reason, ALERT_KILLED);
    assert_int_equal(alert(0)->quantity, LIMIT_LOSS);
    assert_int_equal(alert(0)->alert_before, 1000);
    assert_int_equal(alert(0)->alert_after, 1500);
    assert_int_equal(alert(1)->reason, ALERT_ZERO);
    assert_int_equal(alert(1)->alert_after, 2);
    assert_null(alert(2));
    step(rig_enter(0, 3, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_REJECTED);
    assert_int_equal((uint8_t)rig.events[0].reason, REJECT_OTHER);
    // What an operator resets of his own is not what the limit has blocked.
    struct command c = kill_of(SCOPE_ACCOUNT, 0);
    c.type = CMD_RESET;
    c.kill.source = KILL_BY_OPERATOR;
    step(c);
    step(rig_enter(0, 4, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_REJECTED);
    c.kill.source = 0;
    step(c);
    step(rig_enter(0, 5, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    rig_free(&rig);
}

static void several_limits_kill_in_the_order_of_accounts(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    step(rig_enter(0, 1, 'B', 10, 1, PRICE));
    step(rig_enter(1, 1, 'B', 10, 1, PRICE));
    kill_request(rig.engine, SCOPE_FIRM, 1, LIMIT_LOSS, 0, 0);
    kill_request(rig.engine, SCOPE_ACCOUNT, 1, LIMIT_LOSS, 0, 0);
    kill_request(rig.engine, SCOPE_FIRM, 0, LIMIT_LOSS, 0, 0);
    struct command tick = {.type = CMD_TICK, .session = SESSION_NONE};
    step(tick);
    const struct {
        uint8_t scope;
        uint32_t index;
    } want[] = {{SCOPE_FIRM, 0}, {SCOPE_ACCOUNT, 1}, {SCOPE_FIRM, 1}};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(alert(2 * i)->alert_scope, want[i].scope);
        assert_int_equal(alert(2 * i)->price, want[i].index);
        assert_int_equal(alert(2 * i + 1)->reason, ALERT_ZERO);
    }
    assert_int_equal(engine_live_orders(rig.engine), 0);
    rig_free(&rig);
}

static struct command position(uint16_t account, int64_t quantity, int64_t cost)
{
    struct command c = {.type = CMD_POSITION, .session = SESSION_NONE};
    c.position.account = account;
    c.position.locate = 1;
    c.position.quantity = quantity;
    c.position.cost = cost;
    return c;
}

static struct command loss_limit(uint16_t account, uint64_t value)
{
    struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
    c.limit.scope = SCOPE_ACCOUNT;
    c.limit.index = account;
    c.limit.limit = LIMIT_LOSS;
    c.limit.value = value;
    return c;
}

// One trade, and the tick behind it marks all positions: more accounts reach their loss limits at once than a step can
// tell of, so that kills wait while others are still being found.
static void limits_that_many_accounts_reach_at_once_kill_all_of_them(void **state)
{
    (void)state;
    struct rig_day many = day;
    many.sessions = many.accounts = ACCOUNTS;
    many.max_positions = ACCOUNTS;
    static struct command commands[3 * ACCOUNTS + 3];
    size_t count = 0;
    for (uint16_t i = 0; i < ACCOUNTS; i++)
        commands[count++] = position(i, 100, 100 * 2 * (int64_t)PRICE);
    for (uint16_t i = 0; i < ACCOUNTS; i++)
        commands[count++] = loss_limit(i, 50 * PRICE);
    for (uint16_t i = 0; i < ACCOUNTS; i++)
        commands[count++] = rig_enter(i, 1, 'B', 1, 1, PRICE - 100 * (1 + i));
    commands[count++] = rig_enter(0, 2, 'B', 1, 1, PRICE);
    commands[count++] = rig_enter(1, 2, 'S', 1, 1, PRICE);
    commands[count++] = (struct command){.type = CMD_TICK, .session = SESSION_NONE};
    struct both_seen seen = {0};
    assert_true(both_play(0, &many, commands, count, 1, &seen));
    assert_int_equal(seen.alerts[ALERT_KILLED][LIMIT_LOSS], ACCOUNTS);
    assert_int_equal(seen.alerts[ALERT_ZERO][LIMIT_LOSS], ACCOUNTS);
    assert_int_equal(seen.events[EV_CANCELED], ACCOUNTS);
    assert_in_range(seen.steps, 3, ACCOUNTS);
}

// The opening, with a kill of account 0 before any session is opened.
static void open_after_kill(void *context, struct command *c)
{
    (void)context;
    if (c->type == CMD_OPEN_SESSION && c->session == 0) {
        struct command first = kill_of(SCOPE_ACCOUNT, 0);
        rig_step(&rig, &first);
    }
    rig_step(&rig, c);
}

static void what_is_blocked_when_the_day_is_opened_concerns_later_sessions(void **state)
{
    (void)state;
    rig_new(&rig, &day, 0);
    rig_opening(&day, open_after_kill, NULL);
    step(rig_enter(0, 1, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_REJECTED);
    step(rig_enter(1, 1, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_longer_than_a_step_counts_zero_at_its_end),
        cmocka_unit_test(one_side_of_a_long_list_is_killed),
        cmocka_unit_test(a_limit_kills_before_the_next_stop_takes),
        cmocka_unit_test(several_limits_kill_in_the_order_of_accounts),
        cmocka_unit_test(limits_that_many_accounts_reach_at_once_kill_all_of_them),
        cmocka_unit_test(what_is_blocked_when_the_day_is_opened_concerns_later_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
